//! What a later look into a process tells that an earlier one did not: what was found is told once, and
//! not with each look again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{Check, Checked, Examined, Outcome, PackageState, Sign, Text, Untested};

/// Where the same was found, and only its place in memory or its size is another, that is told no
/// more often.
const SAME_EACH: Duration = Duration::from_secs(60);

/// What was told last of one run of a program, and when.
#[derive(Debug, Default)]
pub(crate) struct Told(Option<(Arc<Examined>, Instant)>);

impl Told {
    /// What is to be told now. `None`: nothing that is new.
    pub(crate) fn news(&mut self, found: Examined, now: Instant) -> Option<Arc<Examined>> {
        let found = match &self.0 {
            None => found,
            Some((before, at)) => {
                let found = completed(found, before);
                let is_same = *before.as_ref() == found;
                let is_alike = || looks_like(before) == looks_like(&found);
                if is_same || (now.saturating_duration_since(*at) < SAME_EACH && is_alike()) {
                    return None;
                }
                found
            }
        };
        let found = Arc::new(found);
        self.0 = Some((Arc::clone(&found), now));
        Some(found)
    }
}

/// With what was found before and was not looked for this time, or could not be as it was just ending.
fn completed(mut found: Examined, before: &Examined) -> Examined {
    for Checked { check, outcome } in &before.checks {
        let now = found.outcome(*check);
        if now.is_none_or(|now| *now == Outcome::NotTestable(Untested::Ended)) {
            found.put(*check, outcome.clone());
        }
    }
    found.package = found.package.or_else(|| before.package.clone());
    found.display = found.display.or(before.display);
    found
}

type Alike<'a> = (
    Vec<(Check, &'static str, Option<Untested>, BTreeSet<Of<'a>>)>,
    Option<PackageState>,
    Option<model::Display>,
);
type Of<'a> = (Sign, Option<&'a [u8]>, Option<&'a [u8]>, Option<u32>);

/// What was found, but for where in memory, and how much.
fn looks_like(examined: &Examined) -> Alike<'_> {
    let checks = examined.checks.iter().map(|made| {
        let traces = match &made.outcome {
            Outcome::Found { traces, .. } => traces.as_slice(),
            Outcome::NothingFound | Outcome::NotTestable(_) => &[],
        };
        let why = match &made.outcome {
            Outcome::NotTestable(why) => Some(*why),
            Outcome::NothingFound | Outcome::Found { .. } => None,
        };
        let of = traces.iter().map(|trace| {
            let path = trace.path.as_ref().map(Text::bytes);
            let name = trace.name.as_ref().map(Text::bytes);
            (trace.sign, path, name, trace.pid)
        });
        (made.check, made.outcome.word(), why, of.collect())
    });
    let state = examined.package.as_ref().map(|package| package.state);
    (checks.collect(), state, examined.display)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Trace;

    fn found(checks: &[(Check, Outcome)]) -> Examined {
        let mut examined = Examined::default();
        for (check, outcome) in checks {
            examined.put(*check, outcome.clone());
        }
        examined
    }

    fn executable(address: u64) -> Outcome {
        Outcome::of(vec![Trace {
            address: Some(address),
            ..Trace::new(Sign::Executable)
        }])
    }

    #[test]
    fn only_what_is_new_is_told() {
        let begun = Instant::now();
        let mut told = Told::default();
        let mut check = |seconds, checks: &[(Check, Outcome)], expected: Option<&[_]>| {
            let now = begun + Duration::from_secs(seconds);
            let news = told.news(found(checks), now);
            assert_eq!(news.as_deref(), expected.map(found).as_ref(), "{seconds}");
        };
        let nothing = || Outcome::NothingFound;
        let traced = (Check::Traced, nothing());
        let memory = |address| (Check::ExecutableMemory, executable(address));
        let package = (Check::Package, nothing());
        let first = [traced.clone(), memory(1)];
        check(0, &first, Some(&first));
        check(2, &first, None);
        // A whole one adds to it; a cheap one takes nothing away.
        let whole = [traced.clone(), memory(1), package.clone()];
        check(3, &whole, Some(&whole));
        check(4, &first, None);
        // Memory of the same kind comes and goes.
        check(5, &[traced.clone(), memory(2)], None);
        let later = [traced.clone(), memory(2), package.clone()];
        check(70, &[traced.clone(), memory(2)], Some(&later));
        // Another kind of trace does not wait.
        let gone = [traced, (Check::ExecutableMemory, nothing()), package];
        check(71, &gone[..2], Some(&gone));
        // It is just ending.
        let ended = (Check::Traced, Outcome::NotTestable(Untested::Ended));
        check(72, &[ended], None);
    }
}
