//! When events were lost.

use std::collections::VecDeque;

use model::Gap;

const MOST: usize = 64;
/// What began while events were lost goes on without being known.
const AFTER: i64 = 5_000_000_000;
/// So long before its end a loss began of which only the end is told.
const BEFORE: i64 = 10_000_000_000;

/// From and until, in nanoseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Losses {
    times: VecDeque<(i64, i64)>,
}

impl Losses {
    pub(super) fn add(&mut self, gap: &Gap) {
        let Some(until) = gap.until.filter(|_| gap.id == "events_lost") else {
            return;
        };
        let until = until.unix_nanos();
        let since = gap.since.map(model::Timestamp::unix_nanos);
        let since = since.unwrap_or(until.saturating_sub(BEFORE));
        if self.times.len() >= MOST {
            self.times.pop_front();
        }
        self.times.push_back((since, until.saturating_add(AFTER)));
    }

    /// Whether something was lost then; `time` is since boot.
    pub(super) fn have(&self, time: u64, boot_time: Option<i64>) -> bool {
        if self.times.is_empty() {
            return false;
        }
        let Some(time) = boot_time.zip(i64::try_from(time).ok()) else {
            return false;
        };
        let time = time.0.saturating_add(time.1);
        self.times
            .iter()
            .any(|(since, until)| (*since..=*until).contains(&time))
    }
}
