//! What a run could not see.

use crate::{Source, Timestamp};

/// Something this run could not see, and why. It stands beside every result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Short and stable, for programs: `no_rights`, `namespace_not_entered` ...
    pub id: String,
    pub source: Source,
    /// The cause, and what would mend it.
    pub why: String,
    /// What may therefore be missing.
    pub missed: String,
    /// `None`: since before we began.
    pub since: Option<Timestamp>,
    /// `None`: it lasts.
    pub until: Option<Timestamp>,
    /// How many were missed. `None`: cannot be counted.
    pub count: Option<u64>,
}

impl Gap {
    /// A limit that holds for the whole run.
    pub fn standing(
        id: &str,
        source: Source,
        why: impl Into<String>,
        missed: impl Into<String>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            source,
            why: why.into(),
            missed: missed.into(),
            since: None,
            until: None,
            count: None,
        }
    }

    #[must_use]
    pub fn counted(self, count: usize) -> Self {
        Self {
            count: u64::try_from(count).ok(),
            ..self
        }
    }
}
