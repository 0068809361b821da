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
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Lost => 3,
            Self::Damaged => 4,
        }
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
