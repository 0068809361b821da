//! A program of no package: to know of. People install such, and so do attackers.

use model::{Confidence, Severity};

use super::looked::Looked;
use crate::reason::Reason;

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let path = process.path().filter(|_| process.is_unpackaged());
    let reason = path.map(|path| {
        Reason::new("", (Severity::Informational, Confidence::Low), &[]).text("path", path)
    });
    reason.into_iter().collect()
}
