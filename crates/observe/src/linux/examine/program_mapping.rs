//! Whether the program file is in the memory of its process, and begins there.

use model::{Outcome, Untested};

use super::{Kept, Subject};

pub(super) fn check(_: &Subject, _: &mut Kept) -> Outcome {
    Outcome::NotTestable(Untested::NotFinished)
}
