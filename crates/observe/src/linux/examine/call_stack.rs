//! Whether a thread returns to memory that belongs to no file.

use model::{Outcome, Untested};

use super::{Kept, Subject};

pub(super) fn check(_: &Subject, _: &mut Kept) -> Outcome {
    Outcome::NotTestable(Untested::NotFinished)
}
