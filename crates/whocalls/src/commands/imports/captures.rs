//! Captures that tell of the same time, or one after the other.

use model::{Gap, Imported, Source, Timestamp};

/// A connection that is silent for longer between two captures is hardly the same.
const APART_NS: i64 = 60_000_000_000;

#[derive(Default)]
pub(super) struct Captures {
    spans: Vec<(Timestamp, Timestamp)>,
    touching: bool,
    is_told: bool,
}

impl Captures {
    pub(super) fn add(&mut self, imported: &Imported) {
        let Imported::Span(from, until) = *imported else {
            return;
        };
        let after = |later: Timestamp, earlier: Timestamp| {
            let silence = later.unix_nanos().saturating_sub(earlier.unix_nanos());
            silence > APART_NS
        };
        let mut others = self.spans.iter();
        self.touching |= others.any(|(first, last)| !after(from, *last) && !after(*first, until));
        self.spans.push((from, until));
    }

    /// Once, that rows of two captures may belong together. `None`: they cannot, or it was said.
    pub(super) fn gap(&mut self) -> Option<Gap> {
        (self.touching && !std::mem::replace(&mut self.is_told, self.touching)).then(|| {
            Gap::standing(
                "captures_touch",
                Source::Capture,
                "several captures tell of the same time, or follow each other within a minute",
                "which of their rows are the same connection: what two of them saw is there twice, and \
                 what goes on from one to the next is in two rows",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_once_that_rows_may_belong_together() {
        let check = |spans: &[(i64, i64)], expected: usize| {
            let mut captures = Captures::default();
            let mut told = 0;
            for (from, until) in spans {
                let time = |seconds: &i64| Timestamp::from_unix_nanos(seconds * 1_000_000_000);
                captures.add(&Imported::Span(time(from), time(until)));
                told += usize::from(captures.gap().is_some());
            }
            assert_eq!(told, expected, "{spans:?}");
        };
        check(&[(0, 100)], 0);
        check(&[(0, 100), (50, 150)], 1);
        check(&[(50, 150), (0, 10), (20, 30), (140, 150)], 1);
        check(&[(0, 100), (160, 200)], 1);
        check(&[(160, 200), (0, 100)], 1);
        check(&[(0, 100), (161, 200)], 0);
    }
}
