//! Which rights (capabilities(7)) this process has.

use std::path::Path;

use rustix::thread::{CapabilitySet, capabilities};

/// Inode of the first user namespace (PROC_USER_INIT_INO, include/linux/proc_ns.h).
const FIRST_USER_NAMESPACE: &str = "user:[4026531837]";

/// A right, what it is for, and what cannot be seen without it.
pub(crate) struct Right {
    pub(crate) name: &'static str,
    pub(crate) set: CapabilitySet,
    pub(crate) without_it: &'static str,
}

/// The rights that a look makes use of.
pub(crate) const RIGHTS: [Right; 6] = [
    Right {
        name: "CAP_SYS_PTRACE",
        set: CapabilitySet::SYS_PTRACE,
        without_it: "which process holds a socket, and its program file, for other users' processes",
    },
    Right {
        name: "CAP_DAC_READ_SEARCH",
        set: CapabilitySet::DAC_READ_SEARCH,
        without_it: "the descriptors of other users' processes",
    },
    Right {
        name: "CAP_SYS_ADMIN",
        set: CapabilitySet::SYS_ADMIN,
        without_it: "sockets of other network namespaces (containers) that no process holds",
    },
    Right {
        name: "CAP_BPF",
        set: CapabilitySet::BPF,
        without_it: "the quick and exact way to read all sockets at once",
    },
    Right {
        name: "CAP_PERFMON",
        set: CapabilitySet::PERFMON,
        without_it: "the quick and exact way to read all sockets at once",
    },
    Right {
        name: "CAP_NET_ADMIN",
        set: CapabilitySet::NET_ADMIN,
        without_it: "the connections the firewall remembers (conntrack)",
    },
];

/// Whether we are in a user namespace below the first: its rights hold only inside it.
pub(crate) fn in_nested_user_namespace() -> bool {
    let link = std::fs::read_link("/proc/self/ns/user");
    link.is_ok_and(|link| link != Path::new(FIRST_USER_NAMESPACE))
}

/// Those of [`RIGHTS`] that are missing: all of them in a user namespace below the first. CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON.
pub(crate) fn missing() -> Vec<&'static Right> {
    let mut present = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    if in_nested_user_namespace() {
        present = CapabilitySet::empty();
    }
    if present.contains(CapabilitySet::SYS_ADMIN) {
        present |= CapabilitySet::BPF | CapabilitySet::PERFMON;
    }
    RIGHTS
        .iter()
        .filter(|right| !present.contains(right.set))
        .collect()
}

/// Whether loading BPF programs is not a matter of rights.
pub(crate) fn may_use_bpf() -> bool {
    !missing()
        .iter()
        .any(|right| matches!(right.name, "CAP_BPF" | "CAP_PERFMON"))
}
