//! A program or a script below the home of a person, of no package, that is started whenever somebody
//! logs in or the computer starts. People keep such programs (to share and to sync files, to chat); they
//! show themselves: by a window, or by a page on this computer.

use model::{Check, Confidence, Display, Fact, Severity, Sign};

use super::looked::{Looked, facts};
use super::programs::has_a_window;
use super::{Raised, Reason, paths};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let traces = process.traces(Check::StartsItself);
    let Some(first) = traces.first() else {
        return Vec::new();
    };
    let by_script = process.is_interpreter() || process.is_shell();
    let file = if by_script {
        process.script()
    } else {
        process.path().filter(|_| !process.is_intact())
    };
    let Some(file) = file else {
        return Vec::new();
    };
    let at_home = paths::below_home(&file).is_some() || process.is_app_image();
    if !at_home && (by_script || !process.is_unpackaged()) {
        return Vec::new();
    }
    let display = process.examined().display;
    let shown = match display {
        Some(Display::Shown) => Some("window"),
        _ if process.is_app_image() && display != Some(Display::NoConnection) => Some("app image"),
        // Of a program that has one at other times.
        Some(Display::NoWindow) if has_a_window(&process.program()) => Some("tray"),
        _ if process.life.serves_here => Some("page"),
        _ => None,
    };
    let weight = if at_home && shown.is_none() {
        (Severity::Medium, Confidence::Medium)
    } else {
        (Severity::Low, Confidence::Low)
    };
    let ways = [
        (Sign::Autostart, "T1547.013"),
        (Sign::UserUnit, "T1543.002"),
        (Sign::SystemUnit, "T1543.002"),
        (Sign::Cron, "T1053.003"),
        (Sign::ShellStart, "T1546.004"),
    ];
    let attack = ways.iter().find(|(sign, _)| *sign == first.sign);
    let attack = attack.map_or("T1547", |(_, technique)| *technique);
    let kinds: Vec<_> = traces.iter().map(|it| it.sign.word()).collect();
    // An interpreter runs many: each script is a finding of its own.
    let thing = if by_script { file.as_str() } else { "" };
    vec![
        Reason::new(thing, weight, &[])
            .technique(attack)
            .raised(Raised::BesideGrave)
            .text("kind", kinds.join(", "))
            .with(facts(first))
            .text("file", file)
            .with(shown.map(|it| ("shows_itself", Fact::Text(it.to_owned())))),
    ]
}
