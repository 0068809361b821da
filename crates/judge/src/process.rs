//! Rules about processes: what the traces mean that were found in one. One file for each; each says its
//! reasons by itself, and only then is asked whether another one stands beside it.
//!
//! Points in the notes of how this was measured became severities: 90 and more high; 60 to 89 medium,
//! and high with a second reason; 25 to 59 low; below it to know of.

mod by_loader;
mod code_changed;
mod covered_process;
mod deleted_program;
mod ended_early;
mod engine;
mod executable_memory;
mod file_rights;
mod foreign_system_call;
mod hidden_place;
mod hidden_process;
mod hollowed;
mod kernel_name;
mod looked;
mod memfd_code;
mod memfd_program;
mod missing_library;
mod modified_program;
mod no_window;
mod odd_parent;
mod other_name;
pub(crate) mod paths;
mod preload;
pub(crate) mod programs;
mod shell_socket;
mod sniffer;
mod starts_itself;
mod swapped_file;
mod temporary_library;
mod temporary_program;
mod temporary_script;
#[cfg(test)]
mod tests;
mod traced;
mod unpackaged_library;
mod unpackaged_program;

use model::{Confidence, Fact, Severity};

pub(crate) use self::ended_early::{Ending, comes_back_as, ending};
pub(crate) use self::looked::{Life, Looked};
use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::rule::{self, Rule};

/// What a rule says of one process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reason {
    /// What belongs together in one finding: never a pid or an address of memory, or it would be
    /// another finding in each run.
    pub(crate) thing: String,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) raised: Raised,
    pub(crate) facts: Vec<(&'static str, Fact)>,
    pub(crate) attack: Vec<&'static str>,
}

/// When a reason weighs more than by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Raised {
    Never,
    /// From medium to high, beside another one of medium.
    BesideGrave,
    /// From low to medium, where the process was also tampered with.
    BesideTampering,
}

impl Reason {
    pub(crate) fn new(
        thing: &str,
        weight: (Severity, Confidence),
        attack: &'static [&'static str],
    ) -> Self {
        Self {
            thing: thing.to_owned(),
            severity: weight.0,
            confidence: weight.1,
            raised: Raised::Never,
            facts: Vec::new(),
            attack: attack.to_vec(),
        }
    }

    pub(crate) fn raised(self, raised: Raised) -> Self {
        Self { raised, ..self }
    }

    pub(crate) fn technique(mut self, technique: &'static str) -> Self {
        self.attack.push(technique);
        self
    }

    pub(crate) fn with(mut self, facts: impl IntoIterator<Item = (&'static str, Fact)>) -> Self {
        self.facts.extend(facts);
        self
    }

    pub(crate) fn text(self, name: &'static str, text: impl Into<String>) -> Self {
        self.with([(name, Fact::Text(text.into()))])
    }

    pub(crate) fn count(self, name: &'static str, count: usize) -> Self {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.with([(name, Fact::Count(count))])
    }
}

/// A rule about processes: its word, and its file.
pub(crate) struct ProcessRule {
    word: &'static str,
    look: fn(&Looked<'_>) -> Vec<Reason>,
}

const fn rule(word: &'static str, look: fn(&Looked<'_>) -> Vec<Reason>) -> ProcessRule {
    ProcessRule { word, look }
}

/// In the order of the checks that they rest on.
pub(crate) static RULES: [ProcessRule; 30] = [
    rule("code_changed", code_changed::look),
    rule("foreign_system_call", foreign_system_call::look),
    rule("hollowed", hollowed::look),
    rule("executable_memory", executable_memory::look),
    rule("memfd_code", memfd_code::look),
    rule("memfd_program", memfd_program::look),
    rule("deleted_program", deleted_program::look),
    rule("missing_library", missing_library::look),
    rule("swapped_file", swapped_file::look),
    rule("temporary_program", temporary_program::look),
    rule("temporary_library", temporary_library::look),
    rule("temporary_script", temporary_script::look),
    rule("hidden_place", hidden_place::look),
    rule("preload", preload::look),
    rule("by_loader", by_loader::look),
    rule("traced", traced::look),
    rule("kernel_name", kernel_name::look),
    rule("other_name", other_name::look),
    rule("modified_program", modified_program::look),
    rule("unpackaged_library", unpackaged_library::look),
    rule("unpackaged_program", unpackaged_program::look),
    rule("hidden_process", hidden_process::look),
    rule("covered_process", covered_process::look),
    rule("shell_socket", shell_socket::look),
    rule("sniffer", sniffer::look),
    rule("odd_parent", odd_parent::look),
    rule("starts_itself", starts_itself::look),
    rule("file_rights", file_rights::look),
    rule("no_window", no_window::look),
    rule("ended_when_we_started", ended_early::look),
];

/// Rules with which a process was changed by somebody, or something foreign is in it.
const TAMPERING: [&str; 7] = [
    "code_changed",
    "foreign_system_call",
    "hollowed",
    "executable_memory",
    "memfd_code",
    "swapped_file",
    "preload",
];

impl Rule for ProcessRule {
    fn word(&self) -> &'static str {
        self.word
    }

    fn process(&self, process: &Looked<'_>) -> Vec<Reason> {
        (self.look)(process)
    }

    fn tell(&self, _: &Whose, pieces: &[&Piece]) -> Told {
        tell(pieces)
    }
}

/// All reasons of one process, each with the number of its rule. Nothing is ever said of a thread of the
/// kernel, nor of whocalls itself.
pub(crate) fn look(process: &Looked<'_>) -> Vec<(usize, Fit)> {
    if process.process.kernel_thread || process.is_this_tool() {
        return Vec::new();
    }
    let mut reasons: Vec<(usize, &'static str, Reason)> = Vec::new();
    for (number, rule) in rule::rules().enumerate() {
        let found = rule.process(process).into_iter();
        reasons.extend(found.map(|reason| (number, rule.word(), reason)));
    }
    let by_themselves: Vec<_> = reasons
        .iter()
        .map(|(_, word, reason)| (*word, reason.severity))
        .collect();
    let seen = process.program();
    let fits = reasons.into_iter().map(|(number, word, mut reason)| {
        raise(word, &mut reason, &by_themselves);
        let fit = Fit {
            thing: reason.thing.clone(),
            seen: seen.clone(),
            confidence: reason.confidence,
            why: Why::Process(Box::new(reason)),
            inbound: false,
        };
        (number, fit)
    });
    fits.collect()
}

/// A second reason weighs, and is named.
fn raise(word: &str, reason: &mut Reason, all: &[(&'static str, Severity)]) {
    let to = match (reason.raised, reason.severity) {
        (Raised::BesideGrave, Severity::Medium) => Severity::High,
        (Raised::BesideTampering, Severity::Low | Severity::Informational) => Severity::Medium,
        (Raised::Never | Raised::BesideGrave | Raised::BesideTampering, _) => return,
    };
    let mut others = all.iter().filter(|(other, _)| *other != word);
    let second = match reason.raised {
        Raised::BesideGrave => others.find(|(_, severity)| *severity >= Severity::Medium),
        Raised::BesideTampering => others.find(|(other, severity)| {
            let least = if *other == "code_changed" {
                Severity::Low
            } else {
                Severity::Medium
            };
            TAMPERING.contains(other) && *severity >= least
        }),
        Raised::Never => None,
    };
    if let Some((second, _)) = second {
        reason.severity = to;
        let second = Fact::Text((*second).to_owned());
        reason.facts.push(("second_reason", second));
    }
}

/// What is worst of all runs of the program, and in how many of them something was found.
fn tell(pieces: &[&Piece]) -> Told {
    let reasons = pieces.iter().filter_map(|piece| match &piece.fit.why {
        Why::Process(reason) => Some(reason),
        Why::Matched(_)
        | Why::Listed(_)
        | Why::LooksLike { .. }
        | Why::Suffix(_)
        | Why::Nothing => None,
    });
    let weight = |it: &Reason| (it.severity, it.confidence);
    // The first of those that weigh the same.
    let worst = reasons.reduce(|one, other| {
        if weight(other) > weight(one) {
            other
        } else {
            one
        }
    });
    let (mut facts, attack) =
        worst.map_or_else(Default::default, |it| (it.facts.clone(), it.attack.clone()));
    let processes: std::collections::BTreeSet<_> =
        pieces.iter().flat_map(|it| &it.processes).collect();
    if processes.len() > 1 {
        let count = u64::try_from(processes.len()).unwrap_or(u64::MAX);
        facts.push(("processes", Fact::Count(count)));
    }
    Told {
        severity: worst.map_or(Severity::Informational, |it| it.severity),
        confidence: worst.map_or(Confidence::Low, |it| it.confidence),
        facts,
        attack,
    }
}
