//! Program text that was written to (PAGEMAP_SCAN, linux/fs.h), and how it differs from its file.

use model::{Outcome, Untested};

use super::{Kept, Subject};

pub(super) fn check(_: &Subject, _: &mut Kept) -> Outcome {
    Outcome::NotTestable(Untested::NotFinished)
}
