//! Nobody is told of here.

use std::io;

use crate::signals::Asked;

pub(crate) fn note_senders(_signals: &[i32]) -> io::Result<()> {
    Ok(())
}

pub(crate) fn first() -> Option<Asked> {
    None
}
