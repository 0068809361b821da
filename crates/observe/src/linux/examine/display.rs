//! Whether the process shows something on a display.

use model::Display;

use super::{Kept, Subject};

/// Who is connected to which display.
#[derive(Debug, Default)]
pub(crate) struct Displays {}

/// `None`: a thread of the kernel.
pub(super) fn of(_: &Subject, _: &mut Kept) -> Option<Display> {
    None
}
