//! The rights (capabilities(7)) that whocalls makes use of, in one table, and which of them this
//! process was started with.

use std::path::Path;
use std::sync::OnceLock;

use model::{Gap, Source};
use rustix::thread::{CapabilitySet, capabilities, capability_is_in_bounding_set};

/// Inode of the first user namespace (PROC_USER_INIT_INO, include/linux/proc_ns.h).
const FIRST_USER_NAMESPACE: &str = "user:[4026531837]";

/// A right, what it is for, and what cannot be seen without it.
pub(crate) struct Right {
    pub(crate) name: &'static str,
    pub(crate) set: CapabilitySet,
    /// Of the gap where it is missing.
    gap: &'static str,
    source: Source,
    pub(crate) purpose: &'static str,
    pub(crate) missed: &'static str,
}

const ALL: [Right; 7] = [
    Right {
        name: "CAP_BPF",
        set: CapabilitySet::BPF,
        gap: "right_missing_bpf",
        source: Source::Ebpf,
        purpose: "to load BPF programs: events while they happen, all sockets at once",
        missed: "connections that open and close between two looks, attempts that fail at once, and \
                 processes that ended meanwhile",
    },
    Right {
        name: "CAP_PERFMON",
        set: CapabilitySet::PERFMON,
        gap: "right_missing_perfmon",
        source: Source::Ebpf,
        purpose: "to let BPF programs read which process, file and addresses an event is about",
        missed: "as without CAP_BPF: one is of no use without the other",
    },
    Right {
        name: "CAP_NET_ADMIN",
        set: CapabilitySet::NET_ADMIN,
        gap: "right_missing_net_admin",
        source: Source::Ebpf,
        purpose: "to attach BPF programs to the control groups of all processes; to read what the \
                  firewall remembers",
        missed: "events of connections, as without CAP_BPF; in one look the connections that the \
                 firewall remembers (conntrack)",
    },
    Right {
        name: "CAP_SYS_PTRACE",
        set: CapabilitySet::SYS_PTRACE,
        gap: "right_missing_sys_ptrace",
        source: Source::Proc,
        purpose: "to look into processes of other users",
        missed: "program files of other users' processes, with their hashes, and which of these \
                 processes hold a socket where BPF does not tell",
    },
    Right {
        name: "CAP_DAC_READ_SEARCH",
        set: CapabilitySet::DAC_READ_SEARCH,
        gap: "right_missing_dac_read_search",
        source: Source::Proc,
        purpose: "to list the descriptors of other users' processes, and to read files for hashes",
        missed: "sockets of other users' processes where BPF does not tell, and hashes of program \
                 files that not everyone may read",
    },
    Right {
        name: "CAP_SYS_ADMIN",
        set: CapabilitySet::SYS_ADMIN,
        gap: "right_missing_sys_admin",
        source: Source::Netlink,
        purpose: "to enter other network namespaces",
        missed: "sockets of other network namespaces (containers) that no process holds; without \
                 BPF all of their sockets",
    },
    Right {
        name: "CAP_CHECKPOINT_RESTORE",
        set: CapabilitySet::CHECKPOINT_RESTORE,
        gap: "right_missing_checkpoint_restore",
        source: Source::Proc,
        purpose: "to compare what processes have in memory with its files, also those that have been \
                  deleted or replaced",
        missed: "whether program code in memory is that of its file, where the file cannot be found at \
                 its path",
    },
];

/// Those that this kernel knows; the last one came with Linux 5.9, and before it CAP_SYS_ADMIN had to do.
pub(crate) fn rights() -> impl Iterator<Item = &'static Right> {
    ALL.iter().filter(|right| {
        right.set != CapabilitySet::CHECKPOINT_RESTORE
            || capability_is_in_bounding_set(right.set).is_ok()
    })
}

/// Whether we are in a user namespace below the first: its rights hold only inside it.
pub(crate) fn in_nested_user_namespace() -> bool {
    let link = std::fs::read_link("/proc/self/ns/user");
    link.is_ok_and(|link| link != Path::new(FIRST_USER_NAMESPACE))
}

/// What this process had when it was first asked, before it gave up anything; nothing in a user
/// namespace below the first.
fn given() -> CapabilitySet {
    static GIVEN: OnceLock<CapabilitySet> = OnceLock::new();
    *GIVEN.get_or_init(|| {
        let mut given = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
        if in_nested_user_namespace() {
            given = CapabilitySet::empty();
        }
        if given.contains(CapabilitySet::SYS_ADMIN) {
            given |=
                CapabilitySet::BPF | CapabilitySet::PERFMON | CapabilitySet::CHECKPOINT_RESTORE;
        }
        given
    })
}

/// Those of [`rights`] that were not given. CAP_SYS_ADMIN includes CAP_BPF, CAP_PERFMON and
/// CAP_CHECKPOINT_RESTORE.
pub(crate) fn missing() -> Vec<&'static Right> {
    let given = given();
    let is_missing = |right: &&Right| !given.contains(right.set);
    rights().filter(is_missing).collect()
}

/// One for each right that is missing.
pub(crate) fn gaps() -> Vec<Gap> {
    let gap = |right: &Right| {
        let why = format!("{} is missing, {}; root has it", right.name, right.purpose);
        Gap::standing(right.gap, right.source, why, right.missed)
    };
    missing().into_iter().map(gap).collect()
}

/// Whether loading BPF programs is not a matter of rights.
pub(crate) fn may_use_bpf() -> bool {
    given().contains(CapabilitySet::BPF | CapabilitySet::PERFMON)
}

/// What it takes besides to record packets.
const FOR_PACKETS: &str = "cap_net_raw";

/// The command that gives the program in this file all of [`rights`], and the one to record packets,
/// whoever starts it.
pub(crate) fn setcap_line(file: &Path) -> String {
    let names = rights().map(|right| right.name.to_ascii_lowercase());
    let names: Vec<_> = names.chain([FOR_PACKETS.to_owned()]).collect();
    let path = file.to_string_lossy();
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._+-".contains(character);
    let path = if path.chars().all(plain) {
        path.into_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    };
    format!("sudo setcap {}+ep {path}", names.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_can_be_pasted_into_a_shell() {
        let check = |path: &str, expected: &str| {
            let line = setcap_line(Path::new(path));
            let (rights, file) = line.split_once("+ep ").unwrap();
            assert!(rights.starts_with("sudo setcap cap_bpf,cap_perfmon,cap_net_admin,"));
            assert_eq!(file, expected);
        };
        check("/usr/bin/whocalls", "/usr/bin/whocalls");
        check("/media/my stick/w", "'/media/my stick/w'");
        check("/a'; reboot", r"'/a'\''; reboot'");
    }
}
