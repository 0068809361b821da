//! What a source may tell, in few words.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use model::{
    Answer, BootId, ConnectionError, Counts, Detail, Endpoint, Event, EventKind, Gap, Holder, Host,
    Imported, Look, NameSeen, NameSource, Observed, PathState, Phase, Process, ProcessId, Protocol,
    Socket, SocketKey, Source, State, Text, Tier, Timestamp, WhyUnknown,
};

pub(super) const BOOT: BootId = BootId([7; 16]);

/// One thing that a tracker takes.
#[derive(Clone, Debug)]
pub(super) struct Seen(pub(super) Observed);

/// An event so many milliseconds after the start.
pub(super) fn seen(at: i64, kind: EventKind) -> Seen {
    Seen(Observed::Event(Event {
        seq: 0,
        time: millis(at),
        boot_ns: u64::try_from(at * 1_000_000).unwrap(),
        source: Source::Ebpf,
        kind,
        process: None,
        thread: None,
        netns: None,
        socket: None,
        protocol: None,
        local: None,
        remote: None,
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        detail: Detail::Nothing,
    }))
}

impl Seen {
    fn with(mut self, change: impl FnOnce(&mut Event)) -> Self {
        let Observed::Event(event) = &mut self.0 else {
            panic!("no event: {self:?}");
        };
        change(event);
        self
    }

    pub(super) fn of(self, cookie: u64, protocol: Protocol) -> Self {
        self.with(|event| {
            event.socket = Some(key(cookie));
            event.protocol = Some(protocol);
        })
    }

    pub(super) fn without_cookie(self, protocol: Protocol) -> Self {
        self.with(|event| event.protocol = Some(protocol))
    }

    pub(super) fn tcp(self, cookie: u64) -> Self {
        self.of(cookie, Protocol::Tcp)
    }

    pub(super) fn udp(self, cookie: u64) -> Self {
        self.of(cookie, Protocol::Udp)
    }

    pub(super) fn asks_for_name(self) -> Self {
        self.with(|event| {
            if let Detail::Name(seen) = &mut event.detail {
                seen.question = Some(12);
            }
        })
    }

    /// As an import has it.
    pub(super) fn imported(self) -> Imported {
        match self.0 {
            Observed::Event(event) => Imported::Name(Box::new(event)),
            Observed::Process(process) => Imported::Process(process),
            other @ (Observed::Look(_) | Observed::Counts(_) | Observed::Gap(_)) => {
                panic!("no import has this: {other:?}")
            }
        }
    }

    pub(super) fn by(self, pid: u32) -> Self {
        self.with(|event| event.process = Some(id(pid)))
    }

    pub(super) fn from(self, local: &str) -> Self {
        self.with(|event| event.local = Some(endpoint(local)))
    }

    pub(super) fn to(self, remote: &str) -> Self {
        self.with(|event| event.remote = Some(endpoint(remote)))
    }

    pub(super) fn failed(self, errno: i32, phase: Phase) -> Self {
        let errno = Some(errno);
        self.with(|event| event.error = Some(ConnectionError { errno, phase }))
    }

    pub(super) fn counted(self, sent: u64, received: u64) -> Self {
        self.with(|event| {
            event.bytes_sent = Some(sent);
            event.bytes_received = Some(received);
        })
    }
}

/// A question for `name` was answered with these addresses.
pub(super) fn answered(at: i64, name: &str, addresses: &[&str]) -> Seen {
    let answer = Answer {
        addresses: addresses
            .iter()
            .map(|ip| (ip.parse().unwrap(), 60))
            .collect(),
        ..Answer::default()
    };
    named(at, NameSource::Dns, name, Some(answer))
}

/// A connection greeted by a name.
pub(super) fn greeted(at: i64, source: NameSource, name: &str) -> Seen {
    named(at, source, name, None)
}

fn named(at: i64, source: NameSource, name: &str, answer: Option<Answer>) -> Seen {
    seen(at, EventKind::NameSeen).with(|event| {
        event.detail = Detail::Name(NameSeen {
            name: Some(Text::from(name)),
            source,
            question: answer.is_some().then_some(1),
            answer: answer.map(Box::new),
            greeting: None,
        });
    })
}

pub(super) fn tick(at: i64) -> Seen {
    seen(at, EventKind::Tick)
}

pub(super) fn counts(at: i64, cookie: u64, remote: Option<&str>, sent: u64, received: u64) -> Seen {
    Seen(Observed::Counts(vec![Counts {
        time: millis(at),
        socket: key(cookie),
        remote: remote.map(endpoint),
        bytes_sent: Some(sent),
        bytes_received: Some(received),
        packets_sent: None,
        packets_received: None,
    }]))
}

/// The counters of several sockets, read at once: cookies, and what was sent.
pub(super) fn all_counts(at: i64, sent: &[(u64, u64)]) -> Seen {
    let each = sent.iter().flat_map(|(cookie, sent)| {
        let Seen(Observed::Counts(one)) = counts(at, *cookie, None, *sent, 0) else {
            panic!("no counters");
        };
        one
    });
    Seen(Observed::Counts(each.collect()))
}

/// So many events were lost.
pub(super) fn gap(at: i64, lost: u64) -> Seen {
    Seen(Observed::Gap(Gap {
        id: "events_lost".into(),
        source: Source::Ebpf,
        why: String::new(),
        missed: String::new(),
        since: Some(millis(at)),
        until: Some(millis(at)),
        count: Some(lost),
    }))
}

pub(super) fn process(pid: u32, path: &str) -> Seen {
    Seen(Observed::Process(Arc::new(Process {
        id: id(pid),
        started: Some(millis(0)),
        ended: None,
        name: Text::from("it"),
        path: Some(Text::from(path)),
        path_state: PathState::Present,
        file: None,
        sha256: None,
        command_line: None,
        command_line_truncated: false,
        uid: None,
        user: None,
        parents: Vec::new(),
        container: None,
        unit: None,
        netns: None,
        kernel_thread: false,
        examined: None,
    })))
}

/// A look, of processes that hold no facts.
pub(super) fn look(at: i64, sockets: impl IntoIterator<Item = Held>) -> Seen {
    Seen(Observed::Look(Box::new(Look {
        host: host(),
        home_netns: None,
        taken: millis(at),
        tier: Tier::Full,
        sockets: sockets.into_iter().map(|Held(socket)| socket).collect(),
        processes: Vec::new(),
        users: HashMap::new(),
        remembered: Vec::new(),
        gaps: Vec::new(),
    })))
}

/// The same where nobody tells what happens between two looks.
pub(super) fn polled(at: i64, sockets: impl IntoIterator<Item = Held>) -> Seen {
    let Seen(mut observed) = look(at, sockets);
    if let Observed::Look(look) = &mut observed {
        look.tier = Tier::Polling;
    }
    Seen(observed)
}

/// A socket in a look.
#[derive(Clone, Debug)]
pub(super) struct Held(Socket);

/// An established TCP connection; without a cookie when it is 0.
pub(super) fn socket(cookie: u64) -> Held {
    Held(Socket {
        key: SocketKey {
            inode: None,
            cookie: Some(cookie).filter(|cookie| *cookie != 0),
        },
        protocol: Protocol::Tcp,
        state: State::Established,
        local: Endpoint::NONE,
        remote: None,
        netns: None,
        interface: None,
        uid: None,
        bytes_sent: None,
        bytes_received: None,
        opened_here: None,
        only_ipv6: None,
        holders: Vec::new(),
        why_unheld: WhyUnknown::NoHolder,
    })
}

impl Held {
    pub(super) fn from(mut self, local: &str) -> Self {
        self.0.local = endpoint(local);
        self
    }

    pub(super) fn to(mut self, remote: &str) -> Self {
        self.0.remote = Some(endpoint(remote));
        self
    }

    pub(super) fn is(mut self, state: State) -> Self {
        self.0.state = state;
        self
    }

    pub(super) fn udp(mut self) -> Self {
        self.0.protocol = Protocol::Udp;
        self.is(State::Open)
    }

    pub(super) fn held_by(mut self, pids: &[u32]) -> Self {
        let holder = |pid: &u32| Holder {
            process: id(*pid),
            source: Source::Ebpf,
        };
        self.0.holders = pids.iter().map(holder).collect();
        self
    }
}

pub(super) fn host() -> Host {
    Host {
        name: Text::from("here"),
        boot: BOOT,
    }
}

/// The lower its pid, the older a process is.
pub(super) fn id(pid: u32) -> ProcessId {
    ProcessId {
        boot: BOOT,
        pid,
        start_ticks: pid.into(),
    }
}

pub(super) fn key(cookie: u64) -> SocketKey {
    SocketKey {
        inode: None,
        cookie: Some(cookie),
    }
}

/// `ip:port`, or an address alone.
pub(super) fn endpoint(text: &str) -> Endpoint {
    match text.parse::<SocketAddr>() {
        Ok(address) => Endpoint::new(address.ip(), address.port()),
        Err(_) => Endpoint::without_port(text.parse::<IpAddr>().unwrap()),
    }
}

pub(super) fn millis(at: i64) -> Timestamp {
    Timestamp::from_unix_nanos(at * 1_000_000)
}
