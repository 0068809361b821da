//! The process behind a connection, and how we know.

use crate::ProcessId;

/// Who a connection belongs to: known, and by which source, or unknown, and why. Never a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Known { process: ProcessId, source: Source },
    Unknown { why: WhyUnknown },
}

impl Owner {
    pub fn process(self) -> Option<ProcessId> {
        match self {
            Self::Known { process, .. } => Some(process),
            Self::Unknown { .. } => None,
        }
    }
}

/// Why the process behind a connection is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyUnknown {
    /// We may not look into some of the processes.
    NoRights,
    /// No process holds a descriptor for it: it is not accepted yet, still half-open, or held
    /// only inside the kernel (in flight between two processes, registered with io_uring).
    NoHolder,
    /// Its process let go of it before we began to look.
    BeforeStart,
    /// It is the kernel's own.
    Kernel,
    /// The same, of a WireGuard tunnel: the connection's interface is that of the tunnel.
    WireGuard,
    /// It only passes through this computer.
    Forwarded,
    /// Its process is in a PID namespace that we cannot see.
    OutsideNamespace,
    /// The source does not tell.
    NotInSource,
    /// The event that would have told was lost.
    Lost,
}

impl WhyUnknown {
    pub const ALL: [Self; 9] = [
        Self::NoRights,
        Self::NoHolder,
        Self::BeforeStart,
        Self::Kernel,
        Self::WireGuard,
        Self::Forwarded,
        Self::OutsideNamespace,
        Self::NotInSource,
        Self::Lost,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoRights => "no_rights",
            Self::NoHolder => "no_holder",
            Self::BeforeStart => "before_start",
            Self::Kernel => "kernel",
            Self::WireGuard => "wireguard",
            Self::Forwarded => "forwarded",
            Self::OutsideNamespace => "outside_namespace",
            Self::NotInSource => "not_in_source",
            Self::Lost => "lost",
        }
    }
}

/// What saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Ebpf,
    Netlink,
    Proc,
    IpHelper,
    Etw,
    Capture,
    Log,
}

impl Source {
    pub const ALL: [Self; 7] = [
        Self::Ebpf,
        Self::Netlink,
        Self::Proc,
        Self::IpHelper,
        Self::Etw,
        Self::Capture,
        Self::Log,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ebpf => "ebpf",
            Self::Netlink => "netlink",
            Self::Proc => "proc",
            Self::IpHelper => "iphelper",
            Self::Etw => "etw",
            Self::Capture => "capture",
            Self::Log => "log",
        }
    }
}
