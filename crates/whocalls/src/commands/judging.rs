//! The thread that judges: it takes the newest snapshot, and whoever folds never waits for it.

#[cfg(test)]
mod matrix;
#[cfg(test)]
mod read_back;
#[cfg(test)]
mod situations;

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use judge::Judge;
use model::{Finding, FindingChange, FindingId, Findings, Snapshot};

use super::known;

/// How soon a newer snapshot is looked for.
pub(crate) const STEP: Duration = Duration::from_millis(100);

/// Judges one snapshot after the other, and knows what became of each finding.
pub(crate) struct Judging {
    judge: Judge,
    /// The one judged last, and none of it is held: what is held has to be copied before it changes.
    seen: Weak<Snapshot>,
    told: HashMap<FindingId, Arc<Finding>>,
}

impl Judging {
    pub(crate) fn new() -> Self {
        Self {
            judge: Judge::new(known::knowledge()),
            seen: Weak::new(),
            told: HashMap::new(),
        }
    }

    /// `None`: it was judged already, or there is nothing to judge with.
    pub(crate) fn judge(&mut self, snapshot: &Arc<Snapshot>) -> Option<Findings> {
        let newest = Arc::downgrade(snapshot);
        if Weak::ptr_eq(&self.seen, &newest) || !known::is_open() {
            return None;
        }
        self.seen = newest;
        Some(self.judge.update(snapshot))
    }

    /// What became of the findings that were told before, in the order of what matters.
    pub(crate) fn changes(&mut self, findings: &Findings) -> Vec<(FindingChange, Arc<Finding>)> {
        let mut changes = Vec::new();
        let mut ended = std::mem::take(&mut self.told);
        for finding in findings {
            let change = match ended.remove(&finding.id) {
                None => Some(FindingChange::New),
                Some(before) if *before != **finding => Some(FindingChange::Updated),
                Some(_) => None,
            };
            changes.extend(change.map(|change| (change, Arc::clone(finding))));
            self.told.insert(finding.id, Arc::clone(finding));
        }
        let mut ended: Vec<_> = ended.into_values().collect();
        ended.sort_by_key(|finding| finding.id);
        changes.extend(ended.into_iter().map(|it| (FindingChange::Ended, it)));
        changes
    }
}

#[cfg(test)]
mod tests {
    use model::{About, Confidence, Severity};

    use super::*;

    fn finding(id: u8, severity: Severity) -> Arc<Finding> {
        Arc::new(Finding {
            id: FindingId([id; 16]),
            rule: "known_bad",
            severity,
            confidence: Confidence::Low,
            facts: Vec::new(),
            evidence: Vec::new(),
            attack: Vec::new(),
            about: About::default(),
        })
    }

    #[test]
    fn what_became_of_a_finding() {
        let mut judging = Judging::new();
        let mut check = |all: Vec<_>, expected: &[(&str, u8)]| {
            let findings = Findings::new(1, all, Vec::new());
            let changes = judging.changes(&findings);
            let said: Vec<_> = changes
                .iter()
                .map(|(it, of)| (it.word(), of.id.0[0]))
                .collect();
            assert_eq!(said, expected);
        };
        let (one, other) = (finding(1, Severity::Low), finding(2, Severity::High));
        check(vec![one.clone()], &[("new", 1)]);
        check(vec![one.clone(), other], &[("new", 2)]);
        check(
            vec![finding(1, Severity::Medium)],
            &[("updated", 1), ("ended", 2)],
        );
        check(vec![], &[("ended", 1)]);
    }
}
