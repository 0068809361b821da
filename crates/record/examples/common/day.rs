//! A day of 200 programs: each connection is asked for, leaves, comes about and ends, as the full
//! tier tells it, with its process before it where that is a new one.

use std::net::Ipv4Addr;
use std::sync::Arc;

use model::{
    BootId, Detail, Endpoint, Event, EventKind, FileIdentity, Host, NetworkNamespace, Observed,
    Parent, PathState, Process, ProcessId, Protocol, SocketKey, Source, Text, Timestamp,
};

const BOOT: BootId = BootId([0xf2; 16]);
/// When it began, in nanoseconds since 1970.
pub(crate) const BEGAN: i64 = 1_795_300_000_000_000_000;
const PROGRAMS: u64 = 200;
pub(crate) const DAY_NS: u64 = 86_400_000_000_000;

pub(crate) fn host() -> Host {
    Host {
        name: Text::from("lena-laptop"),
        boot: BOOT,
    }
}

/// What has been told of.
#[derive(Default)]
pub(crate) struct Day {
    seq: u64,
    second: u64,
}

impl Day {
    /// A connection from its beginning to its end, the one before still on its way.
    pub(crate) fn connection(
        &mut self,
        number: u64,
        pause_ns: u64,
        tell: &mut dyn FnMut(&Observed),
    ) {
        let at = number * pause_ns + 5_000_000_000;
        while self.second * 1_000_000_000 < at {
            let tick = self.event(EventKind::Tick, self.second * 1_000_000_000);
            self.second += 1;
            tell(&Observed::Event(tick));
        }
        let program = number % PROGRAMS;
        // Each program is started anew a hundred times a day.
        let run = number * 100 / 1_000_000_u64.max(number + 1);
        let process = ProcessId {
            boot: BOOT,
            pid: u32::try_from(1000 + program + run * PROGRAMS).unwrap_or(0),
            start_ticks: 500 + run * 86_400,
        };
        if number % 10_000 < PROGRAMS {
            tell(&Observed::Process(Arc::new(self.process(process, program))));
        }
        let [.., second, third, last] = (number % 5_000).to_be_bytes();
        let remote = Ipv4Addr::new(203, second, third, last);
        let remote = Endpoint::new(remote.into(), 443);
        let port = u16::try_from(32_768 + number % 28_000).unwrap_or(0);
        let local = Endpoint::new(Ipv4Addr::new(192, 0, 2, 7).into(), port);
        let of_socket = |event: Event| Event {
            process: Some(process),
            thread: Some(process.pid),
            netns: Some(NetworkNamespace(4_026_531_840)),
            socket: Some(SocketKey {
                inode: None,
                cookie: Some(20_000_000 + number),
            }),
            protocol: Some(Protocol::Tcp),
            remote: Some(remote),
            ..event
        };
        let attempt = of_socket(self.event(EventKind::Attempt, at));
        tell(&Observed::Event(attempt));
        for (kind, after) in [
            (EventKind::FirstPacket, 40_000),
            (EventKind::Opened, 9_000_000),
        ] {
            let event = of_socket(self.event(kind, at + after));
            tell(&Observed::Event(Event {
                local: Some(local),
                ..event
            }));
        }
        let closed = of_socket(self.event(EventKind::Closed, at + 60_000_000));
        tell(&Observed::Event(Event {
            thread: None,
            local: Some(local),
            bytes_sent: Some(512 + number % 4_096),
            bytes_received: Some(20_480 + number % 65_536),
            packets_sent: Some(12),
            packets_received: Some(20),
            ..closed
        }));
    }

    fn event(&mut self, kind: EventKind, boot_ns: u64) -> Event {
        self.seq += 1;
        let since = i64::try_from(boot_ns).unwrap_or(0);
        Event {
            seq: self.seq,
            time: Timestamp::from_unix_nanos(BEGAN + since),
            boot_ns,
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
        }
    }

    fn process(&self, id: ProcessId, program: u64) -> Process {
        let path = Text::from(format!("/usr/lib/program-{program}/bin/program-{program}"));
        let shell = Parent {
            pid: 1,
            name: Text::from("systemd"),
            path: Some(Text::from("/usr/lib/systemd/systemd")),
        };
        Process {
            id,
            started: Some(Timestamp::from_unix_nanos(BEGAN)),
            ended: None,
            name: Text::from(format!("program-{program}")),
            path: Some(path.clone()),
            path_state: PathState::Present,
            file: Some(FileIdentity {
                device: 65_024,
                inode: 10_200_000 + program,
            }),
            sha256: Some([7; 32]),
            command_line: Some(vec![path, Text::from("--quiet")]),
            command_line_truncated: false,
            uid: Some(1000),
            user: Some(Text::from("lena")),
            parents: vec![shell.clone(), shell],
            container: None,
            unit: Some(Text::from("session-3.scope")),
            netns: Some(NetworkNamespace(4_026_531_840)),
            kernel_thread: false,
            examined: None,
        }
    }
}
