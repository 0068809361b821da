//! When one side of a connection sent: what a heartbeat inside it is found by.

use std::collections::VecDeque;
use std::time::Duration;

use crate::Timestamp;

/// What comes within this after the last belongs to the same burst.
const PAUSE: Duration = Duration::from_millis(500);

/// The bursts in which the side that opened a connection sent, in the order of time; the newest are
/// kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Talk {
    bursts: VecDeque<Burst>,
    let_go: u64,
    /// What was sent in those that were let go.
    bytes_let_go: u64,
    /// Times are known so exactly: between packets 0, between two readings of a counter their distance.
    resolution: Duration,
}

/// What was sent without a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    pub first: Timestamp,
    pub last: Timestamp,
    pub bytes: u64,
}

impl Talk {
    /// So many bursts are kept.
    pub const MOST: usize = 256;

    pub fn new(resolution: Duration) -> Self {
        Self {
            bursts: VecDeque::new(),
            let_go: 0,
            bytes_let_go: 0,
            resolution,
        }
    }

    /// In the order of time. What comes before the last one belongs to it.
    pub fn sent(&mut self, time: Timestamp, bytes: u64) {
        let pause = self.pause();
        if let Some(last) = self.bursts.back_mut()
            && last.last.until(time) <= pause
        {
            last.last = last.last.max(time);
            last.bytes = last.bytes.saturating_add(bytes);
            return;
        }
        if self.bursts.len() >= Self::MOST {
            let gone = self.bursts.pop_front().map_or(0, |it| it.bytes);
            self.bytes_let_go = self.bytes_let_go.saturating_add(gone);
            self.let_go += 1;
        }
        self.bursts.push_back(Burst {
            first: time,
            last: time,
            bytes,
        });
    }

    /// The same by a clock that is ahead by so many nanoseconds.
    #[must_use]
    pub fn moved(&self, by: i64) -> Self {
        let moved =
            |time: Timestamp| Timestamp::from_unix_nanos(time.unix_nanos().saturating_add(by));
        let bursts = self.bursts.iter().map(|burst| Burst {
            first: moved(burst.first),
            last: moved(burst.last),
            bytes: burst.bytes,
        });
        Self {
            bursts: bursts.collect(),
            ..*self
        }
    }

    /// What of it had begun by this moment. `None`: nothing, or that was let go.
    #[must_use]
    pub fn until(&self, time: Timestamp) -> Option<Self> {
        let begun = self.bursts.iter().take_while(|it| it.first <= time);
        let bursts: VecDeque<Burst> = begun
            .map(|it| Burst {
                last: it.last.min(time),
                ..*it
            })
            .collect();
        (!bursts.is_empty()).then_some(Self { bursts, ..*self })
    }

    pub fn bursts(&self) -> impl ExactSizeIterator<Item = &Burst> {
        self.bursts.iter()
    }

    /// All there were, those that were let go among them.
    pub fn count(&self) -> u64 {
        let kept = u64::try_from(self.bursts.len()).unwrap_or(u64::MAX);
        self.let_go.saturating_add(kept)
    }

    /// Sent in all of them.
    pub fn bytes(&self) -> u64 {
        let kept = self.bursts.iter().map(|it| it.bytes);
        kept.fold(self.bytes_let_go, u64::saturating_add)
    }

    /// No burst follows another one within this.
    pub fn pause(&self) -> Duration {
        PAUSE + self.resolution
    }

    pub fn resolution(&self) -> Duration {
        self.resolution
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_nanos(millis * 1_000_000)
    }

    fn bursts(resolution: Duration, sent: &[(i64, u64)]) -> Vec<(i64, i64, u64)> {
        let mut talk = Talk::new(resolution);
        for (millis, bytes) in sent {
            talk.sent(at(*millis), *bytes);
        }
        let millis = |time: Timestamp| time.unix_nanos() / 1_000_000;
        let bursts = talk.bursts();
        bursts
            .map(|it| (millis(it.first), millis(it.last), it.bytes))
            .collect()
    }

    #[test]
    fn a_pause_ends_a_burst() {
        let sent = [(0, 5), (400, 5), (1000, 7), (900, 1)];
        let expected = [(0, 400, 10), (1000, 1000, 8)];
        assert_eq!(bursts(Duration::ZERO, &sent), expected);
    }

    #[test]
    fn who_sends_at_each_reading_never_pauses() {
        let sent = [(0, 5), (1000, 5), (2010, 7), (5000, 1)];
        let expected = [(0, 2010, 17), (5000, 5000, 1)];
        assert_eq!(bursts(Duration::from_secs(1), &sent), expected);
    }

    #[test]
    fn the_newest_are_kept_and_all_are_counted() {
        let mut talk = Talk::new(Duration::ZERO);
        (0..1000).for_each(|second| talk.sent(at(second * 1000), 1));
        assert_eq!((talk.bursts().len(), talk.count()), (Talk::MOST, 1000));
        assert_eq!(talk.bytes(), 1000);
        assert_eq!(talk.bursts().last().map(|it| it.first), Some(at(999_000)));
    }

    #[test]
    fn of_a_moment_only_what_had_begun() {
        let mut talk = Talk::new(Duration::ZERO);
        (0..300).for_each(|second| talk.sent(at(second * 1000), 1));
        let counted = |millis| talk.until(at(millis)).map(|it| (it.count(), it.bytes()));
        assert_eq!(counted(299_500), Some((300, 300)));
        assert_eq!(counted(100_500), Some((101, 101)));
        // Those that were kept came later.
        assert_eq!(counted(10_000), None);
    }
}
