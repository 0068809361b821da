//! What could not be seen, so far.

use model::Gap;

/// How many gaps are kept one by one; later ones are added to the last of their kind.
const MOST: usize = 1000;
/// The gap of events that the kernel had no room for.
const EVENTS_LOST: &str = "events_lost";
/// A gap that comes up again with one call after another: when, says less than how often.
const GREETINGS_UNREAD: &str = "greetings_unread";

/// Gaps of the newest look, and those that came up while watching.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    of_look: Vec<Gap>,
    of_run: Vec<Gap>,
    /// Something was lost, and no look has mended it yet.
    lost: bool,
}

impl Gaps {
    pub(super) fn all(&self) -> Vec<Gap> {
        let more = self.of_run.iter().filter(|gap| !self.of_look.contains(gap));
        self.of_look.iter().chain(more).cloned().collect()
    }

    /// Whether an event that would have told more may be among those that were lost.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(super) fn looked(&mut self, gaps: Vec<Gap>) {
        self.of_look = gaps;
        self.lost = false;
    }

    /// Those of the newest look, and those that came up while watching.
    pub(super) fn apart(&self) -> (&[Gap], &[Gap]) {
        (&self.of_look, &self.of_run)
    }

    /// Takes over what was restated.
    pub(super) fn resume(&mut self, of_look: Vec<Gap>, of_run: Vec<Gap>, lost: bool) {
        self.of_look = of_look;
        of_run.into_iter().for_each(|gap| self.add(gap));
        self.lost = lost;
    }

    pub(super) fn add(&mut self, gap: Gap) {
        self.lost |= gap.id == EVENTS_LOST;
        if self.of_run.contains(&gap) {
            return;
        }
        if self.of_run.len() < MOST && gap.id != GREETINGS_UNREAD {
            self.of_run.push(gap);
            return;
        }
        let mut newest = self.of_run.iter_mut().rev();
        let by_source = |known: &Gap| gap.id != GREETINGS_UNREAD || known.source == gap.source;
        match newest.find(|known| known.id == gap.id && by_source(known)) {
            Some(known) => {
                known.until = gap.until;
                known.count = match (known.count, gap.count) {
                    (Some(one), Some(other)) => Some(one.saturating_add(other)),
                    (None, _) | (_, None) => None,
                };
            }
            // Kinds are few.
            None => self.of_run.push(gap),
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Source, Timestamp};

    use super::*;

    fn of(id: &str, second: i64, count: u64) -> Gap {
        Gap {
            since: Some(Timestamp::from_unix_nanos(second * 1_000_000_000)),
            until: Some(Timestamp::from_unix_nanos((second + 1) * 1_000_000_000)),
            count: Some(count),
            ..Gap::standing(id, Source::Ebpf, "why", "missed")
        }
    }

    #[test]
    fn greetings_that_were_not_read_are_one_gap_and_losses_are_many() {
        let mut gaps = Gaps::default();
        for second in 0..48 {
            gaps.add(of(GREETINGS_UNREAD, second, 1));
            gaps.add(of(EVENTS_LOST, second, 1));
        }
        let all = gaps.all();
        let (one, many): (Vec<_>, Vec<_>) = all.iter().partition(|it| it.id == GREETINGS_UNREAD);
        let [one] = one[..] else {
            panic!("{one:?}");
        };
        assert_eq!(one.count, Some(48));
        assert_eq!(one.since, of("", 0, 1).since);
        assert_eq!(one.until, of("", 47, 1).until);
        assert_eq!(many.len(), 48);
    }
}
