//! Whether something starts the program whenever somebody logs in, or the computer starts.

use model::{Outcome, Untested};

use super::{Kept, Subject};

/// Everything that is started so.
#[derive(Debug, Default)]
pub(crate) struct Starts {}

pub(super) fn check(_: &Subject, _: &mut Kept) -> Outcome {
    Outcome::NotTestable(Untested::NotFinished)
}
