//! How a run ended, for the shell.

use model::{Gap, Snapshot};

/// The exit codes, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    /// It could not do what was asked.
    Failed,
    /// Wrong usage.
    Usage,
    /// Something asked for was lost during the run or, with `--strict`, cannot be seen here.
    Lost,
    /// A case is damaged, or was changed since it was recorded.
    Damaged,
    /// There are findings of the severity that was asked about, or of a higher one.
    Found,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Lost => 3,
            Self::Damaged => 4,
            Self::Found => 10,
        }
    }
}

impl Exit {
    /// Of two that hold at once the one that is to be known first.
    pub(crate) fn and(self, other: Self) -> Self {
        let order = [
            Self::Usage,
            Self::Damaged,
            Self::Failed,
            Self::Found,
            Self::Lost,
        ];
        let mut order = order.into_iter();
        order
            .find(|it| *it == self || *it == other)
            .unwrap_or(Self::Done)
    }
}

/// A second Ctrl-C ends at once with this code.
pub(crate) const INTERRUPTED_TWICE: i32 = 130;

/// A standing limit is no failure, unless the person wants it to be.
pub(crate) fn with_gaps(gaps: &[Gap], strict: bool) -> Exit {
    if strict && !gaps.is_empty() {
        Exit::Lost
    } else {
        Exit::Done
    }
}

/// What was lost during the look, other than what cannot be seen from here at all, is said always.
pub(crate) fn after_look(snapshot: &Snapshot, strict: bool) -> Exit {
    if snapshot.lost() > 0 {
        Exit::Lost
    } else {
        with_gaps(&snapshot.gaps, strict)
    }
}

/// A list of indicators that is not as it was added is told as a case would be.
pub(crate) fn of_lists(is_damaged: bool) -> Exit {
    if is_damaged {
        Exit::Damaged
    } else {
        Exit::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_the_worse_is_told() {
        use Exit::{Damaged, Done, Failed, Found, Lost, Usage};
        let order = [Usage, Damaged, Failed, Found, Lost, Done];
        for (place, worse) in order.iter().enumerate() {
            for better in order.iter().skip(place) {
                assert_eq!(worse.and(*better), *worse);
                assert_eq!(better.and(*worse), *worse);
            }
        }
    }
}
