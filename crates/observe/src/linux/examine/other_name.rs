//! Whether it is called like another program of a package.

use model::{Outcome, Untested};

use super::{Kept, Subject};

pub(super) fn check(_: &Subject, _: &mut Kept) -> Outcome {
    Outcome::NotTestable(Untested::NotFinished)
}
