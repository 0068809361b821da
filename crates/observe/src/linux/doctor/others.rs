//! BPF programs of others on the way that packets take: they can change who talks to whom.

use std::collections::BTreeMap;

use aya::programs::loaded_programs;
use model::{Condition, Diagnosis};
use rustix::thread::{CapabilitySet, capabilities};

use super::check;

const WHAT: &str = "BPF programs of others on the network path";
/// So many names are told.
const MOST_NAMES: usize = 12;

/// All that the kernel has loaded just now, ours included.
pub(super) fn on_the_network_path() -> Diagnosis {
    let sets = capabilities(None);
    if !sets.is_ok_and(|sets| sets.effective.contains(CapabilitySet::SYS_ADMIN)) {
        let found = "not to be listed without CAP_SYS_ADMIN";
        return check(WHAT, found, Condition::Neutral);
    }
    let mut named = BTreeMap::<(&str, String), usize>::new();
    for program in loaded_programs() {
        let program = match program {
            Ok(program) => program,
            // It has gone since.
            Err(error) if is_gone(&error) => continue,
            Err(error) => {
                return check(
                    WHAT,
                    format!("not to be listed: {error}"),
                    Condition::Neutral,
                );
            }
        };
        if let Some(kind) = kind(program.program_type() as u32) {
            let name = String::from_utf8_lossy(program.name()).into_owned();
            *named.entry((kind, name)).or_default() += 1;
        }
    }
    check(WHAT, words(&named), Condition::Neutral)
}

fn words(named: &BTreeMap<(&str, String), usize>) -> String {
    let mut words: Vec<String> = Vec::new();
    for ((kind, name), count) in named.iter().take(MOST_NAMES) {
        let name = if name.is_empty() {
            "without a name"
        } else {
            name
        };
        let times = if *count > 1 {
            format!(" ({count})")
        } else {
            String::new()
        };
        words.push(format!("{kind} {name}{times}"));
    }
    let more: usize = named.values().skip(MOST_NAMES).sum();
    if more > 0 {
        words.push(format!("{more} more"));
    }
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

fn is_gone(error: &aya::programs::ProgramError) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let error_of_system = error.downcast_ref::<std::io::Error>();
        if error_of_system.is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// `enum bpf_prog_type` (include/uapi/linux/bpf.h). `None`: it has nothing to do with packets.
fn kind(number: u32) -> Option<&'static str> {
    Some(match number {
        1 => "socket_filter",
        3 => "tc",
        4 => "tc_action",
        6 => "xdp",
        8 => "cgroup_skb",
        9 => "cgroup_sock",
        10 => "lwt_in",
        11 => "lwt_out",
        12 => "lwt_xmit",
        13 => "sock_ops",
        14 => "sk_skb",
        16 => "sk_msg",
        18 => "cgroup_sock_addr",
        19 => "lwt_seg6local",
        21 => "sk_reuseport",
        22 => "flow_dissector",
        25 => "cgroup_sockopt",
        30 => "sk_lookup",
        32 => "netfilter",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_counted() {
        let check = |named: &[(&'static str, usize)], expected: &str| {
            let named = named
                .iter()
                .map(|(name, count)| (("tc", (*name).to_owned()), *count));
            assert_eq!(words(&named.collect()), expected);
        };
        check(&[], "none");
        check(&[("", 1), ("a", 3)], "tc without a name, tc a (3)");
        let names = [
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",
        ];
        let many: Vec<_> = names.map(|name| (name, 2)).to_vec();
        assert!(words_of(&many).ends_with(", tc l (2), 2 more"));
    }

    fn words_of(named: &[(&'static str, usize)]) -> String {
        let named = named
            .iter()
            .map(|(name, count)| (("tc", (*name).to_owned()), *count));
        words(&named.collect())
    }
}
