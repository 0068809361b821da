//! A program that is of no package and called somebody for the first time while somebody watched.

use model::{Confidence, Severity};

use super::habit::{Habit, Standing, seconds};
use crate::reason::Reason;

/// What was there when watching began shows up within this.
const BEGIN: f64 = 2.0;

pub(super) fn look(habit: &Habit<'_>) -> Vec<Reason> {
    let first = habit
        .pairs
        .iter()
        .filter_map(|pair| pair.first.told())
        .min();
    let (Some(first), Some(since)) = (first, habit.since.told()) else {
        return Vec::new();
    };
    let present = habit.pairs.iter().any(|pair| pair.members.present > 0);
    let is_new = seconds(since, first) >= BEGIN && !present;
    let is_other = habit.standing == Standing::Unpackaged;
    if !is_new || !is_other || habit.is_inbound() || habit.is_of_many() || habit.comes_by_itself() {
        return Vec::new();
    }
    // One for each program: what is new are its calls, not each of them.
    vec![Reason::new("", (Severity::Low, Confidence::Low), &["T1071"]).with(habit.facts())]
}
