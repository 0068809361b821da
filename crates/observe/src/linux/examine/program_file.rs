//! Whether the program file is still there, or never was in a file system.

use model::{Outcome, Untested};

use super::{Kept, Subject};

pub(super) fn check(_: &Subject, _: &mut Kept) -> Outcome {
    Outcome::NotTestable(Untested::NotFinished)
}
