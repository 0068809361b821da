//! One thing seen at one time by one source: the evidence everything else is computed from.

use crate::{
    ConnectionError, Endpoint, NetworkNamespace, ProcessId, Protocol, SocketKey, Source, Timestamp,
};

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
        }
    }
}
