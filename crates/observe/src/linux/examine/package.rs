//! The program and its libraries against the lists of their packages.

use model::{Outcome, Package, Untested};

use super::{Kept, Subject};

/// What the lists of packages have, and the files that were compared with them.
#[derive(Debug, Default)]
pub(crate) struct Packages {}

pub(super) fn check(_: &Subject, _: &mut Kept) -> Outcome {
    Outcome::NotTestable(Untested::NotFinished)
}

/// `None`: it has no program file.
pub(super) fn of_program(_: &Subject, _: &mut Kept) -> Option<Package> {
    None
}
