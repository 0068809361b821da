//! What every rule is, and all of them in their order.

use crate::destination;
use crate::fit::{Fit, Piece, Told, Whose};
use crate::pattern::{self, Echoes, Habit, Questions, ToNameServer};
use crate::process::{self, Looked};
use crate::reason::Reason;
use crate::seen::{Destination, Name, Program};

/// One rule. What fits together (`Fit::thing`), of one program, becomes one finding.
pub(crate) trait Rule: Sync {
    /// In `snake_case`.
    fn word(&self) -> &'static str;

    fn destination(&self, _destination: &Destination<'_>, _fits: &mut Vec<Fit>) {}

    fn name(&self, _name: &Name<'_>, _fits: &mut Vec<Fit>) {}

    fn program(&self, _program: &Program<'_>, _fits: &mut Vec<Fit>) {}

    fn questions(&self, _questions: &Questions<'_>, _fits: &mut Vec<Fit>) {}

    fn echoes(&self, _echoes: &Echoes, _fits: &mut Vec<Fit>) {}

    fn to_name_server(&self, _sent: &ToNameServer, _fits: &mut Vec<Fit>) {}

    /// What stands out about a process, without what other rules say of it.
    fn process(&self, _process: &Looked<'_>) -> Vec<Reason> {
        Vec::new()
    }

    /// What stands out in what a program does to one destination over time.
    fn habit(&self, _habit: &Habit<'_>) -> Vec<Reason> {
        Vec::new()
    }

    /// `pieces` are in the order of time, and at least one.
    fn tell(&self, whose: &Whose, pieces: &[&Piece]) -> Told;
}

/// Those about the other side, then those about processes, then those about habits, questions and
/// echoes. The place of a rule in it is its number.
pub(crate) fn rules() -> impl Iterator<Item = &'static dyn Rule> {
    let process = process::RULES.iter().map(|it| it as &dyn Rule);
    let pattern = pattern::RULES.iter().map(|it| it as &dyn Rule);
    let tunnels = pattern::TUNNELS.iter().copied();
    destination::RULES
        .iter()
        .copied()
        .chain(process)
        .chain(pattern)
        .chain(tunnels)
}

/// `None`: there are not so many.
pub(crate) fn rule(number: usize) -> Option<&'static dyn Rule> {
    rules().nth(number)
}
