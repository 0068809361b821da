//! The same for somebody who reads it once, at the end of a recording: each reason one time, what
//! weighs most first. Rights that are missing are one reason, whatever they are for.

use std::io::{self, Write};

use model::Gap;

use super::{counted, folded};
use crate::visible::visible_str;

/// What cannot be seen for want of rights, what weighs most first.
struct Want {
    /// Of the gaps for the rights themselves.
    rights: &'static [&'static str],
    /// Of gaps that follow where one of these is there, and may have another reason where none is.
    follow: &'static [&'static str],
    missed: &'static str,
}

const WANTS: [Want; 3] = [
    Want {
        rights: &[
            "right_missing_bpf",
            "right_missing_perfmon",
            "right_missing_net_admin",
        ],
        follow: &["no_ebpf", "no_events", "socket_ends", "process_events"],
        missed: "connections that open and close between two looks, and attempts that fail at once",
    },
    Want {
        rights: &["right_missing_sys_ptrace", "right_missing_dac_read_search"],
        follow: &["no_rights", "processes_not_readable"],
        missed: "sockets and program files of other users' processes",
    },
    Want {
        rights: &["right_missing_sys_admin"],
        follow: &["namespace_not_entered"],
        missed: "other network namespaces (containers)",
    },
];
const NO_RIGHTS: &str = "it was started without the rights for it. Root has them: sudo whocalls record. Or give them \
     to the program: whocalls doctor has the line";
const FIRST: &str = "no_packets";

/// Writes `not seen:` lines as [`super::lines`] does, with less in them: the rest stands in the case.
pub fn brief(gaps: &[Gap], width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let (first, rest): (Vec<_>, Vec<_>) = gaps.iter().partition(|gap| gap.id == FIRST);
    by_reason(&first, width, out)?;
    let is = |ids: &[&str], gap: &Gap| ids.contains(&gap.id.as_str());
    let wanting: Vec<_> = WANTS
        .iter()
        .filter(|want| rest.iter().any(|gap| is(want.rights, gap)))
        .collect();
    for want in &wanting {
        folded("not seen: ", want.missed, width, out)?;
    }
    if !wanting.is_empty() {
        folded("     why: ", NO_RIGHTS, width, out)?;
    }
    let mut rest = rest;
    rest.retain(|gap| {
        let is_told = |want: &&Want| is(want.rights, gap) || is(want.follow, gap);
        !wanting.iter().any(is_told)
    });
    by_reason(&rest, width, out)
}

/// All that is missed for a reason, then the reason, in the order of their first ones.
fn by_reason(gaps: &[&Gap], width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    for (place, gap) in gaps.iter().enumerate() {
        let before = gaps.get(..place).unwrap_or_default();
        if before.iter().any(|other| other.why == gap.why) {
            continue;
        }
        for same in gaps.iter().filter(|other| other.why == gap.why) {
            folded("not seen: ", &counted(same), width, out)?;
        }
        folded("     why: ", &visible_str(&gap.why), width, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use model::Source;

    use super::*;

    fn check(gaps: &[(&str, &str, &str)], expected: &str) {
        let gap =
            |(id, why, missed): &(&str, &str, &str)| Gap::standing(id, Source::Proc, *why, *missed);
        let gaps: Vec<_> = gaps.iter().map(gap).collect();
        let mut out = Vec::new();
        brief(&gaps, None, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn rights_that_are_missing_are_one_reason() {
        check(
            &[
                ("no_rights", "no right to look", "which sockets they hold"),
                ("no_ebpf", "no right to load", "what comes and goes"),
                ("right_missing_bpf", "CAP_BPF is missing", "short ones"),
                (
                    "right_missing_perfmon",
                    "another is missing",
                    "as without CAP_BPF",
                ),
                ("right_missing_sys_ptrace", "a third is missing", "files"),
                ("clock", "nobody steers it", "the time"),
                ("no_packets", "no right to capture", "every packet"),
            ],
            "not seen: every packet\n     why: no right to capture\n\
             not seen: connections that open and close between two looks, and attempts that fail at \
             once\n\
             not seen: sockets and program files of other users' processes\n     \
             why: it was started without the rights for it. Root has them: sudo whocalls record. Or \
             give them to the program: whocalls doctor has the line\n\
             not seen: the time\n     why: nobody steers it\n",
        );
    }

    #[test]
    fn where_no_right_is_missing_it_is_said_as_it_is() {
        check(
            &[("no_rights", "no right to look", "which sockets they hold")],
            "not seen: which sockets they hold\n     why: no right to look\n",
        );
    }

    #[test]
    fn a_reason_stands_once_below_all_that_is_missed_for_it() {
        check(
            &[
                ("no_ebpf", "this kernel is old", "what comes and goes"),
                ("lost", "too fast", "events"),
                ("no_ebpf", "this kernel is old", "bytes"),
            ],
            "not seen: what comes and goes\nnot seen: bytes\n     why: this kernel is old\n\
             not seen: events\n     why: too fast\n",
        );
    }
}
