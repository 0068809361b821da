//! What can be seen on this computer, what not, and how to mend it.

use crate::{Gap, Tier};

/// What `whocalls doctor` tells.
#[derive(Clone, Debug)]
pub struct Doctor {
    pub tier: Tier,
    pub checks: Vec<Diagnosis>,
    pub gaps: Vec<Gap>,
}

/// One thing that decides how much can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    pub what: &'static str,
    pub found: String,
    pub condition: Condition,
    /// What the person can do about it. `None`: nothing, or nothing is needed.
    pub help: Option<String>,
}

/// How what was found bears on what can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    Good,
    /// Something cannot be seen because of it.
    Limits,
    /// Only told.
    Neutral,
}
