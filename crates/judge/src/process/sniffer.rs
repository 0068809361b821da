//! A program that reads the packets of all programs (AF_PACKET). What gives the computer its address and
//! looks after wireless networks does so, and what people look at networks with.

use model::{Check, Confidence, PackageState, Severity, Sign};

use super::looked::{Looked, facts};
use super::{Raised, Reason, paths};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.signs(Check::Sniffer, Sign::PacketSocket);
    let reason = traces.first().map(|first| {
        let by_script = process.is_interpreter() || process.is_shell();
        let foreign_script = process.script().is_none_or(|it| !paths::is_of_root(&it));
        let weight = match process.package() {
            Some(PackageState::Unpackaged | PackageState::Modified) => {
                (Severity::Medium, Confidence::Medium)
            }
            _ if by_script && foreign_script => (Severity::Medium, Confidence::Medium),
            _ => (Severity::Low, Confidence::Low),
        };
        Reason::new("", weight, &["T1040"])
            .raised(Raised::BesideGrave)
            .with(facts(first))
            .count(
                "sockets",
                traces.len().saturating_add(process.more(Check::Sniffer)),
            )
    });
    reason.into_iter().collect()
}
