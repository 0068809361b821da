//! All findings at one moment, and what could not be checked.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::{Connection, Finding, FindingId, Process, ProcessId, Timestamp};

/// All findings at one moment. A clone shares them.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    revision: u64,
    all: Arc<[Arc<Finding>]>,
    unchecked: Arc<[Unchecked]>,
    ordinary: Arc<HashMap<ProcessId, Ordinary>>,
}

/// Whether a process may be folded away on a screen, where it is counted all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ordinary {
    /// Why not, in words of the public contract. None: it may.
    pub not: Vec<&'static str>,
}

impl Ordinary {
    pub fn is(&self) -> bool {
        self.not.is_empty()
    }
}

impl Findings {
    /// Those that matter most come first; what is equal has the order of rule and id, whatever order
    /// it is given in.
    pub fn new(revision: u64, mut all: Vec<Arc<Finding>>, unchecked: Vec<Unchecked>) -> Self {
        all.sort_by_key(|it| (Reverse((it.severity, it.confidence)), it.rule, it.id));
        Self {
            revision,
            all: all.into(),
            unchecked: unchecked.into(),
            ordinary: Arc::default(),
        }
    }

    /// With what is ordinary among the processes of the same moment.
    #[must_use]
    pub fn with_ordinary(self, ordinary: Arc<HashMap<ProcessId, Ordinary>>) -> Self {
        Self { ordinary, ..self }
    }

    /// Whether it says the same, of those that came of one judge.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.revision == other.revision && Arc::ptr_eq(&self.ordinary, &other.ordinary)
    }

    /// `None`: nobody has judged it.
    pub fn ordinary(&self, process: ProcessId) -> Option<&Ordinary> {
        self.ordinary.get(&process)
    }

    /// Of all processes that were judged.
    pub fn all_ordinary(&self) -> &Arc<HashMap<ProcessId, Ordinary>> {
        &self.ordinary
    }

    /// Grows with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// That nothing was found says nothing without `unchecked` and the gaps.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Arc<Finding>> {
        self.all.iter()
    }

    pub fn get(&self, id: FindingId) -> Option<&Finding> {
        let found = self.all.iter().find(|finding| finding.id == id);
        found.map(Arc::as_ref)
    }

    /// Those about a connection, which is that of `process`.
    pub fn of<'a>(
        &'a self,
        connection: &'a Connection,
        process: Option<&'a Process>,
    ) -> impl Iterator<Item = &'a Finding> {
        let all = self.all.iter().map(Arc::as_ref);
        all.filter(move |finding| finding.about.covers(connection, process))
    }

    /// What no rule could look at, in what was seen.
    pub fn unchecked(&self) -> &[Unchecked] {
        &self.unchecked
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Arc<Finding>;
    type IntoIter = std::slice::Iter<'a, Arc<Finding>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Something that the rules could not look at, or only in part: "not testable" is an answer too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unchecked {
    /// No name was seen at all, so nothing is said of names, nor of addresses without one.
    NoNames,
    /// Names cannot be read by this source, or were lost: no address is said to be without one.
    NamesNotSeen,
    /// So many connections have an owner that is not known.
    UnknownOwners(u64),
    /// Programs whose file was not hashed: no hash was compared.
    NoHash(u64),
    /// Programs whose path is not known.
    NoPath(u64),
    /// Processes that nobody has looked into, or only from outside.
    NotExamined(u64),
    /// What calls less often than once in about so many seconds: it was not watched for long enough to have
    /// a rhythm. 0: too shortly for any, or it was a single look.
    Seldom(u64),
    /// Indicators of kinds that nothing seen here can be compared with.
    Indicators(u64),
    /// The newest of the lists and tables was made then, long before what was seen.
    Old(Timestamp),
    /// Addresses and programs were let go because there were too many; what was found of them is not
    /// told any more.
    LetGo(u64),
    /// Work in the background was not over when the time was up.
    NotFinished,
}

impl Unchecked {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoNames => "no_names",
            Self::NamesNotSeen => "names_not_seen",
            Self::UnknownOwners(_) => "unknown_owners",
            Self::NoHash(_) => "no_hash",
            Self::NoPath(_) => "no_path",
            Self::NotExamined(_) => "not_examined",
            Self::Seldom(_) => "seldom_callers",
            Self::Indicators(_) => "indicators_of_other_kinds",
            Self::Old(_) => "old_lists",
            Self::LetGo(_) => "let_go",
            Self::NotFinished => "not_finished",
        }
    }
}

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingChange {
    New,
    Updated,
    /// It does not hold any more, or what it was about was let go.
    Ended,
}

impl FindingChange {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
            Self::Ended => "ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{About, Confidence, Severity};

    fn finding(severity: Severity, id: u8) -> Arc<Finding> {
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
    fn the_order_is_that_of_what_matters() {
        let (low, high) = (finding(Severity::Low, 1), finding(Severity::High, 9));
        let other = finding(Severity::Low, 2);
        let ids = |all: Vec<_>| -> Vec<_> {
            let findings = Findings::new(1, all, Vec::new());
            findings.iter().map(|it| it.id.0[0]).collect()
        };
        let expected = [9, 1, 2];
        assert_eq!(
            ids(vec![low.clone(), other.clone(), high.clone()]),
            expected
        );
        assert_eq!(ids(vec![other, high, low]), expected);
    }
}
