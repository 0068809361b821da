//! A program of no package that listens for other computers: a way in that nobody installed.

use model::{Confidence, Severity};

use super::Raised;
use super::looked::Looked;
use crate::reason::Reason;

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    if !process.life.open_to_others || !process.is_unpackaged() {
        return Vec::new();
    }
    let weight = (Severity::Low, Confidence::Medium);
    let reason = Reason::new("", weight, &["T1571"]).raised(Raised::BesideTampering);
    vec![reason.with(process.path().map(|it| ("path", model::Fact::Text(it))))]
}
