//! Whether something is mounted over the folder of the process in /proc, or over a part of it: other
//! programs then see that instead.

use model::{Outcome, Sign, Text, Trace};

use super::{Kept, Subject};
use crate::parse::mount_info::Covering;

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    of(subject.pid(), kept)
}

/// The same where nothing else can be read.
pub(super) fn of(pid: u32, kept: &Kept) -> Outcome {
    match kept.machine.coverings() {
        Ok(coverings) => outcome(pid, coverings),
        Err(why) => Outcome::NotTestable(why),
    }
}

fn outcome(pid: u32, coverings: Vec<Covering>) -> Outcome {
    let over_it = coverings.into_iter().filter(|it| it.pid == pid);
    let traces = over_it.map(|covering| Trace {
        name: Some(covering.what.as_slice().into()),
        ..Trace::of_file(Sign::MountedOver, Text::from(covering.point.as_slice()))
    });
    Outcome::of(traces.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_covers_whom() {
        let covering = |pid: u32, what: &str| Covering {
            pid,
            point: format!("/proc/{pid}").into_bytes(),
            what: what.as_bytes().to_vec(),
        };
        let all = [covering(7, "tmpfs"), covering(8, "proc /9")];
        let Outcome::Found { traces, more: 0 } = outcome(8, all.to_vec()) else {
            panic!();
        };
        let expected = Trace {
            name: Some("proc /9".into()),
            ..Trace::of_file(Sign::MountedOver, "/proc/8")
        };
        assert_eq!(traces, [expected]);
        assert_eq!(outcome(9, all.to_vec()), Outcome::NothingFound);
    }
}
