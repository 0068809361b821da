//! Rules: a `model::Snapshot` goes in and `model::Findings` come out. A rule tells facts and no
//! sentences, and asks `model::Knows` what is known of addresses, names and programs. No I/O, no clock,
//! no failure.
//!
//! [`compare`] holds two snapshots against each other.
//!
//! [`Judge`] scores again only what has changed since it last looked; what it finds is what it would
//! have found had it looked at this snapshot alone.
#![forbid(unsafe_code)]

mod compare;
mod destination;
mod fit;
mod groups;
mod judge;
mod ordinary;
mod pattern;
mod process;
mod reason;
mod rule;
mod seen;
mod unchecked;

pub use self::compare::{Outline, compare};
pub use self::judge::Judge;

use model::{Findings, Knowledge, Snapshot};

/// Grows when a rule is added or says something else. It is kept with a case, so that whoever judges it
/// again knows why the result may differ.
pub const VERSION: u32 = 5;

/// The words of all rules, in their order.
pub fn rules() -> impl Iterator<Item = &'static str> {
    rule::rules().map(|rule| rule.word())
}

/// What all rules say of one snapshot.
pub fn judge(snapshot: &Snapshot, knowledge: Knowledge) -> Findings {
    Judge::new(knowledge).update(snapshot)
}
