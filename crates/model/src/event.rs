//! One thing seen at one time by one source: the evidence everything else is computed from.

use std::sync::Arc;

use crate::{
    ConnectionError, Endpoint, Examined, Gap, Idle, Look, NameSeen, NetworkNamespace, Process,
    ProcessId, Protocol, SocketKey, Source, Timestamp, WhyUnknown,
};

/// What a source hands on, in the order in which it is to be taken.
#[derive(Clone, Debug)]
pub enum Observed {
    Event(Event),
    /// Comes before the first event that names it, and again when more or other things are known
    /// of it: it started another program, it ended.
    Process(Arc<Process>),
    /// All sockets there are at one moment: the first thing of a run, and what repairs a loss.
    Look(Box<Look>),
    /// What the kernel has counted since, of connections that are open.
    Counts(Vec<Counts>),
    Gap(Gap),
}

/// What has gone over a connection so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub time: Timestamp,
    pub socket: SocketKey,
    /// `None`: the socket has one connection only.
    pub remote: Option<Endpoint>,
    pub bytes_sent: Option<u64>,
    pub bytes_received: Option<u64>,
    pub packets_sent: Option<u64>,
    pub packets_received: Option<u64>,
}

/// One thing seen at one time by one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Order of this run; replay follows it and never sorts again.
    pub seq: u64,
    pub time: Timestamp,
    /// Nanoseconds since boot, suspend included.
    pub boot_ns: u64,
    pub source: Source,
    pub kind: EventKind,
    /// `None`: not known, or it concerns no process.
    pub process: Option<ProcessId>,
    /// Kernel thread id within the process.
    pub thread: Option<u32>,
    pub netns: Option<NetworkNamespace>,
    pub socket: Option<SocketKey>,
    pub protocol: Option<Protocol>,
    pub local: Option<Endpoint>,
    pub remote: Option<Endpoint>,
    pub error: Option<ConnectionError>,
    pub bytes_sent: Option<u64>,
    pub bytes_received: Option<u64>,
    pub packets_sent: Option<u64>,
    pub packets_received: Option<u64>,
    pub detail: Detail,
}

/// What belongs to some kinds of event only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    #[default]
    Nothing,
    /// Why no process belongs to it.
    NoProcess { why: WhyUnknown },
    /// Of `NameSeen`.
    Name(NameSeen),
    /// Of `ClockStep` and `Resumed`: by how much the wall clock moved, or how long it slept.
    Clock { step_ns: i64 },
    /// Of `Listening`, of a socket of IPv6: whether it takes nothing of IPv4 (IPV6_V6ONLY).
    Listens { only_ipv6: bool },
    /// Of `OwnerChanged`: the process sends from this moment on. Without it, it has used the socket
    /// at some time before.
    Sends,
    /// Of `OwnerChanged`, of TCP: the process wrote something just before, and this is the sequence
    /// number of its first byte.
    Wrote { from: u32 },
    /// Of `OwnerChanged`, of TCP: the process is at the socket as well, and from this moment on may
    /// be sending, until another event tells that it has. The socket is still of the one before.
    MaySend,
    /// Of `ProcessExamined`: all that is known of it.
    Examined(Arc<Examined>),
    /// Of `Idle`.
    Idle(Idle),
    /// Of `ProcessEnded`, as wait(2) gives it. `None`: not known.
    Exit { status: Option<i32> },
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// A program asked for a connection, or sent to a new peer; nothing may have left yet.
    Attempt,
    Opened,
    Accepted,
    Listening,
    FirstPacket,
    /// Another process sent or received on the socket.
    OwnerChanged,
    Error,
    Closed,
    /// A name was asked for, or greeted.
    NameSeen,
    ProcessStarted,
    ProcessExec,
    ProcessEnded,
    ProcessExamined,
    /// Once a second; drives every time-out.
    Tick,
    /// The wall clock was set.
    ClockStep,
    /// The computer slept.
    Resumed,
    /// Whether somebody is at the computer: at the beginning, and when it is not as it was.
    Idle,
}

impl EventKind {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Opened => "opened",
            Self::Accepted => "accepted",
            Self::Listening => "listening",
            Self::FirstPacket => "first_packet",
            Self::OwnerChanged => "owner_changed",
            Self::Error => "error",
            Self::Closed => "closed",
            Self::NameSeen => "name_seen",
            Self::ProcessStarted => "process_started",
            Self::ProcessExec => "process_exec",
            Self::ProcessEnded => "process_ended",
            Self::ProcessExamined => "process_examined",
            Self::Tick => "tick",
            Self::ClockStep => "clock_step",
            Self::Resumed => "resumed",
            Self::Idle => "idle",
        }
    }
}
