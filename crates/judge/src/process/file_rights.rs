//! The file of the program gives rights to whoever starts it, and is of no package.

use model::{Check, Confidence, PackageState, Severity};

use super::looked::{Looked, facts};
use crate::reason::{Raised, Reason};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let weight = match process.package() {
        Some(PackageState::Unpackaged | PackageState::Modified) => {
            (Severity::Medium, Confidence::Medium)
        }
        Some(PackageState::NotTestable) => (Severity::Low, Confidence::Low),
        Some(PackageState::Intact | PackageState::ThisTool) | None => return Vec::new(),
    };
    let traces = process.traces(Check::FileRights);
    let reason = traces.first().map(|first| {
        let rights: Vec<_> = traces.iter().map(|it| it.sign.word()).collect();
        Reason::new("", weight, &["T1548.001"])
            .raised(Raised::BesideGrave)
            .text("rights", rights.join(", "))
            .with(facts(first))
    });
    reason.into_iter().collect()
}
