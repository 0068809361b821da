//! What is new, changed or over, for a few seconds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use model::{ConnectionId, Finding, FindingId, Findings, Snapshot, Timestamp};

use super::theme::Tone;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    New,
    Changed,
    Closed,
}

impl Sign {
    pub(super) fn character(self) -> char {
        match self {
            Self::New => '+',
            Self::Changed => '~',
            Self::Closed => '-',
        }
    }

    pub(super) fn tone(self) -> Tone {
        match self {
            Self::New => Tone::New,
            Self::Changed => Tone::Changed,
            Self::Closed => Tone::Closed,
        }
    }
}

/// Signs are shown at least so long.
const SHORTEST: Duration = Duration::from_secs(3);

/// The signs of connections, until their time is over.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    /// Of the last snapshot. `None`: there was none.
    learned: Option<(u64, Timestamp)>,
    recent: HashMap<ConnectionId, (Sign, Timestamp)>,
    /// Those of the last snapshot.
    findings: Findings,
    new_findings: HashMap<FindingId, Timestamp>,
    ended_findings: Vec<(Arc<Finding>, Timestamp)>,
}

impl Changes {
    pub(super) fn of(&self, id: &ConnectionId) -> Option<Sign> {
        self.recent.get(id).map(|(sign, _)| *sign)
    }

    pub(super) fn of_finding(&self, id: FindingId) -> Option<Sign> {
        if self.new_findings.contains_key(&id) {
            return Some(Sign::New);
        }
        let mut ended = self.ended_findings.iter();
        ended.any(|(it, _)| it.id == id).then_some(Sign::Closed)
    }

    /// Those that have just ended, and are shown for a while.
    pub(super) fn ended_findings(&self) -> impl Iterator<Item = &Arc<Finding>> {
        self.ended_findings.iter().map(|(it, _)| it)
    }

    fn learn_findings(&mut self, findings: &Findings, now: Timestamp, keep: Duration) {
        self.new_findings.retain(|_, since| since.until(now) < keep);
        self.ended_findings
            .retain(|(_, since)| since.until(now) < keep);
        if findings.revision() == self.findings.revision() {
            return;
        }
        let ids = |findings: &Findings| -> HashSet<FindingId> {
            findings.iter().map(|it| it.id).collect()
        };
        let (before, after) = (ids(&self.findings), ids(findings));
        // What is found when all is judged for the first time was there before.
        if self.findings.revision() > 0 {
            let new = after.difference(&before);
            self.new_findings.extend(new.map(|id| (*id, now)));
        }
        self.ended_findings
            .retain(|(it, _)| !after.contains(&it.id));
        self.new_findings.retain(|id, _| after.contains(id));
        let ended = self.findings.iter().filter(|it| !after.contains(&it.id));
        self.ended_findings
            .extend(ended.map(|it| (Arc::clone(it), now)));
        self.findings = findings.clone();
    }

    /// The signs of a moment in the past: what began or ended not longer before it than `length`.
    /// They follow from the times alone, since moments are shown in any order.
    pub(super) fn of_moment(snapshot: &Snapshot, length: Duration) -> Self {
        let now = snapshot.taken;
        let is_recent = |time: Option<Timestamp>| {
            time.is_some_and(|time| time <= now && time.until(now) < length)
        };
        let mut recent = HashMap::new();
        for connection in &snapshot.connections {
            if is_recent(connection.closed) {
                recent.insert(connection.id, (Sign::Closed, now));
            } else if connection.closed.is_none() && is_recent(connection.opened) {
                recent.insert(connection.id, (Sign::New, now));
            }
        }
        Self {
            recent,
            ..Self::default()
        }
    }

    /// Takes in what a snapshot says that the one before did not.
    pub(super) fn learn(&mut self, snapshot: &Snapshot, refresh: Duration) {
        let now = snapshot.taken;
        let keep = SHORTEST.max(refresh * 2);
        self.recent.retain(|_, (_, since)| since.until(now) < keep);
        self.learn_findings(&snapshot.findings, now, keep);
        if let Some((revision, before)) = self.learned {
            for connection in snapshot.connections.changed_since(revision) {
                let sign = if connection.closed.is_some() {
                    Sign::Closed
                } else if connection.opened.is_some_and(|opened| opened > before) {
                    Sign::New
                } else {
                    // What is new stays so, whatever becomes of it meanwhile.
                    match self.of(&connection.id) {
                        Some(Sign::New) => continue,
                        Some(Sign::Changed | Sign::Closed) | None => Sign::Changed,
                    }
                };
                self.recent.insert(connection.id, (sign, now));
            }
        }
        self.learned = Some((snapshot.connections.revision(), now));
    }
}
