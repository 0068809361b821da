//! Who used the network while it was recorded, and was not looked into before it was over.

use std::collections::HashSet;

use model::{Check, Outcome, Process, ProcessId, Snapshot, Untested};

/// `None`: nobody. `last`: what was known at the end.
pub(super) fn in_words(last: &Snapshot) -> Option<String> {
    let connections = last.connections.iter();
    let users = connections.flat_map(|it| {
        it.owner
            .process()
            .into_iter()
            .chain(it.also_held_by.clone())
    });
    let users: HashSet<ProcessId> = users.collect();
    let users = users.iter().filter_map(|id| last.processes.get(id));
    let unexamined = users.filter(|it| !it.kernel_thread && !was_its_turn(it));
    said(unexamined.count())
}

/// Also where it could not be looked into then, which is said elsewhere.
fn was_its_turn(process: &Process) -> bool {
    let examined = process.examined.as_ref();
    // The one that takes longest.
    let outcome = examined.and_then(|it| it.outcome(Check::CodeChanged));
    outcome.is_some_and(|it| {
        let why_not = [Untested::Ended, Untested::NotFinished, Untested::NotAsked];
        !why_not.iter().any(|why| *it == Outcome::NotTestable(*why))
    })
}

fn said(processes: usize) -> Option<String> {
    let (processes, they) = match processes {
        0 => return None,
        1 => ("1 process that used the network".to_owned(), "it"),
        many => (format!("{many} processes that used the network"), "they"),
    };
    Some(format!(
        "Not looked into in time: {processes}; {they} or the recording ended before it was done. What was done to \
         such a process is not known.\n"
    ))
}

#[cfg(test)]
mod tests {
    use model::Examined;

    use super::*;
    use crate::commands::watch::sample;

    #[test]
    fn who_waits_was_not_looked_into() {
        let check = |outcome: Option<Outcome>, expected| {
            let mut process = sample::process(7, &[]);
            process.examined = outcome.map(|it| {
                let mut examined = Examined::default();
                examined.put(Check::CodeChanged, it);
                examined.into()
            });
            assert_eq!(was_its_turn(&process), expected);
        };
        check(None, false);
        check(Some(Outcome::NotTestable(Untested::NotFinished)), false);
        check(Some(Outcome::NotTestable(Untested::NoRights)), true);
        check(Some(Outcome::NothingFound), true);
    }

    #[test]
    fn how_many_is_said() {
        assert_eq!(said(0), None);
        assert!(
            said(1).is_some_and(|it| it.starts_with("Not looked into in time: 1 process that"))
        );
        assert!(
            said(2).is_some_and(|it| it.starts_with("Not looked into in time: 2 processes that"))
        );
    }
}
