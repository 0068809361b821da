//! What whocalls does to this computer when a person asks for it and confirms it: it closes one TCP
//! connection, or ends one process. A target goes in that only one connection or process can be;
//! what was done comes out, or why it was not.

mod words;

use model::{
    Connection, Direction, Endpoint, NetworkNamespace, ProcessId, Protocol, State, Timestamp,
};

use self::words::{
    ANOTHER_TERMINAL, FIRST_PROCESS, KERNEL_THREAD, LOOK_AGAIN, NO_RIGHT_TO_CLOSE, NO_RIGHT_TO_END,
    REFUSED, WHO_HAS_RIGHTS,
};
use crate::platform;

/// One TCP connection, and never another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionTarget {
    /// 0 on Windows, which has none.
    pub(crate) netns: NetworkNamespace,
    pub(crate) local: Endpoint,
    pub(crate) remote: Endpoint,
    /// Never 0, and never reused while the computer runs.
    pub(crate) cookie: u64,
}

impl ConnectionTarget {
    /// Errors: it cannot be closed, or cannot be told from others; why.
    pub fn of(connection: &Connection) -> Result<Self, ActionError> {
        if connection.protocol != Protocol::Tcp {
            return Err(ActionError::NotTcp);
        }
        if connection.direction == Direction::Listening || connection.state == State::Listen {
            return Err(ActionError::Listener);
        }
        let is_over = matches!(
            connection.state,
            State::TimeWait | State::Closed | State::Failed
        );
        if is_over || connection.closed.is_some() {
            return Err(ActionError::ConnectionGone);
        }
        // Windows has no namespaces.
        let only_one = cfg!(windows).then_some(NetworkNamespace(0));
        let (Some(netns), Some(remote), Some(cookie)) = (
            connection.netns.or(only_one),
            connection.remote,
            connection.socket.cookie,
        ) else {
            return Err(ActionError::NotExact);
        };
        Self::new(netns, connection.local, remote, cookie).ok_or(ActionError::NotExact)
    }

    /// `None`: an end has no address or port, or the cookie is one that stands for any.
    pub(crate) fn new(
        netns: NetworkNamespace,
        local: Endpoint,
        remote: Endpoint,
        cookie: u64,
    ) -> Option<Self> {
        let is_whole = |end: Endpoint| end.ip.is_some() && end.port.is_some();
        // INET_DIAG_NOCOOKIE (include/uapi/linux/inet_diag.h) has all bits set.
        let is_exact = cookie != 0 && cookie != u64::MAX && is_whole(local) && is_whole(remote);
        is_exact.then_some(Self {
            netns,
            local,
            remote,
            cookie,
        })
    }
}

/// One run of a program, and never another one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessTarget {
    pub(crate) pid: u32,
    pub(crate) start_ticks: u64,
}

impl ProcessTarget {
    pub fn of(id: ProcessId) -> Self {
        Self {
            pid: id.pid,
            start_ticks: id.start_ticks,
        }
    }
}

/// How a process is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It is asked to, and may put its things in order (SIGTERM).
    Asked,
    /// It is not asked (SIGKILL).
    Hard,
}

/// What was done, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    pub at: Timestamp,
    pub outcome: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The connection is closed; the other side was told (RST).
    Closed,
    /// The process has ended.
    Ended,
    /// The signal was sent, and the process still runs after about two seconds.
    StillRuns,
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    #[error("only TCP connections can be closed")]
    NotTcp,
    #[error("it waits for others to call and is no connection; ending its process ends it")]
    Listener,
    #[error("the connection is over already")]
    ConnectionGone,
    #[error(
        "it cannot be told from others for sure: its source does not tell its network namespace or \
         the kernel's number of it (cookie)"
    )]
    NotExact,
    #[error("the process has ended already, or another one has its number")]
    ProcessGone,
    #[error("{FIRST_PROCESS}")]
    FirstProcess,
    #[error("this is whocalls itself; q or Ctrl-C ends it")]
    Ourselves,
    #[error("{KERNEL_THREAD}")]
    KernelThread,
    #[error("{NO_RIGHT_TO_CLOSE}")]
    NoRightToClose,
    #[error("{NO_RIGHT_TO_END}")]
    NoRightToEnd,
    #[error(
        "no right to enter the network namespace (container) of the connection (CAP_SYS_ADMIN)"
    )]
    NoRightToEnter,
    #[error("no way into the network namespace (container) of the connection is known")]
    NamespaceGone,
    #[error("this kernel cannot close connections (CONFIG_INET_DIAG_DESTROY is not set)")]
    KernelCannotClose,
    #[error(
        "this kernel cannot say for sure which process a signal goes to (pidfd, since Linux 5.3)"
    )]
    KernelCannotEnd,
    #[error("the process that keeps the rights for it has ended")]
    NobodyToDoIt,
    #[error("the process that keeps the rights for it does not answer; it may still be done")]
    Unanswered,
    #[error("{REFUSED}: {}", std::io::Error::from_raw_os_error(*.0))]
    Failed(i32),
    #[error("it has no window that could be asked to close")]
    NoWindow,
    #[error("it does not listen for the wish to end")]
    DoesNotListen,
    #[error("Windows closes connections of IPv4 only")]
    OnlyIpv4,
    #[error("Windows says that it closed the connection, but it still stands open")]
    StillOpen,
}

impl ActionError {
    /// What the person can do about it. `None`: nothing, or it says so itself.
    pub fn help(self) -> Option<&'static str> {
        match self {
            Self::NoRightToClose | Self::NoRightToEnd | Self::NoRightToEnter => {
                Some(WHO_HAS_RIGHTS)
            }
            Self::NotExact => Some(LOOK_AGAIN),
            Self::KernelCannotClose | Self::OnlyIpv4 | Self::StillOpen => {
                Some("to end the process closes it, or pull the cable or switch off Wi-Fi")
            }
            Self::KernelCannotEnd => Some("kill(1) ends whatever has that number then"),
            Self::NoWindow => Some(
                "to end it without asking it, and without what it has not saved: whocalls end NUMBER --hard",
            ),
            Self::DoesNotListen => Some("Ctrl-C in its own console ends it"),
            Self::NobodyToDoIt | Self::Unanswered => Some(ANOTHER_TERMINAL),
            Self::NotTcp
            | Self::Listener
            | Self::ConnectionGone
            | Self::ProcessGone
            | Self::FirstProcess
            | Self::Ourselves
            | Self::KernelThread
            | Self::NamespaceGone
            | Self::Failed(_) => None,
        }
    }
}

/// Closes one TCP connection: the other side gets a RST, the program an error. In the network
/// namespace it belongs to, with the rights of this process.
///
/// Errors: it was not closed.
pub fn close_connection(target: &ConnectionTarget) -> Result<Done, ActionError> {
    platform::actions::close_connection(target)
}

/// Ends one process, with the rights of this one, and waits for about two seconds until it has.
///
/// Errors: no signal was sent.
pub fn end_process(target: ProcessTarget, how: How) -> Result<Done, ActionError> {
    platform::actions::end_process(target, how)
}

/// Asks a recording of this computer to end, as Ctrl-C in its own terminal would, and does not wait until
/// it has sealed its case. See [`crate::signals::listen_for_stop`].
///
/// Errors: it was not asked.
pub fn stop_recording(target: ProcessTarget) -> Result<Done, ActionError> {
    platform::actions::stop_recording(target)
}

/// The way to the process that kept the rights to do so when whocalls gave up its own. It may be
/// used on any thread. Each call waits until it is done, for a few seconds at most.
pub struct Actions(pub(crate) platform::actions::Actions);

impl Actions {
    /// As [`close_connection`].
    pub fn close(&mut self, target: &ConnectionTarget) -> Result<Done, ActionError> {
        self.0.close(target)
    }

    /// As [`end_process`].
    pub fn end(&mut self, target: ProcessTarget, how: How) -> Result<Done, ActionError> {
        self.0.end(target, how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{BootId, ConnectionId, Owner, SocketKey, WhyUnknown};

    fn connection() -> Connection {
        let end = |last, port| Endpoint::new([192, 0, 2, last].into(), port);
        Connection {
            id: ConnectionId([7; 16]),
            protocol: Protocol::Tcp,
            state: State::Established,
            direction: Direction::Outbound,
            local: end(1, 40512),
            remote: Some(end(2, 443)),
            netns: Some(NetworkNamespace(1)),
            interface: None,
            socket: SocketKey {
                inode: Some(1),
                cookie: Some(5),
            },
            uid: None,
            opened: None,
            closed: None,
            error: None,
            bytes_sent: None,
            bytes_received: None,
            packets_sent: None,
            packets_received: None,
            owner: Owner::Unknown {
                why: WhyUnknown::NoHolder,
            },
            also_held_by: Vec::new(),
            name: None,
            greeting: None,
            device: None,
            talk: None,
        }
    }

    fn check(change: impl FnOnce(&mut Connection), expected: Result<u64, ActionError>) {
        let mut connection = connection();
        change(&mut connection);
        let found = ConnectionTarget::of(&connection).map(|target| target.cookie);
        assert_eq!(found, expected);
    }

    #[test]
    fn only_what_is_one_tcp_connection_is_a_target() {
        check(|_| (), Ok(5));
        check(|it| it.protocol = Protocol::Udp, Err(ActionError::NotTcp));
        check(|it| it.protocol = Protocol::Mptcp, Err(ActionError::NotTcp));
        check(
            |it| it.direction = Direction::Listening,
            Err(ActionError::Listener),
        );
        let over = Err(ActionError::ConnectionGone);
        check(|it| it.state = State::TimeWait, over);
        check(|it| it.closed = Some(Timestamp::from_unix_nanos(1)), over);
        let not_exact = Err(ActionError::NotExact);
        check(|it| it.netns = None, not_exact);
        check(|it| it.remote = None, not_exact);
        check(|it| it.local = Endpoint::NONE, not_exact);
        for cookie in [None, Some(0), Some(u64::MAX)] {
            check(|it| it.socket.cookie = cookie, not_exact);
        }
    }

    #[test]
    fn a_process_is_its_number_and_its_start() {
        let id = ProcessId {
            boot: BootId([1; 16]),
            pid: 2,
            start_ticks: 3,
        };
        let target = ProcessTarget::of(id);
        assert_eq!((target.pid, target.start_ticks), (2, 3));
    }
}
