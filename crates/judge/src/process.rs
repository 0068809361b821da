//! Rules about processes: what the traces mean that were found in one. One file for each; each says its
//! reasons by itself, and only then is asked whether another one stands beside it.
//!
//! Points in the notes of how this was measured became severities: 90 and more high; 60 to 89 medium,
//! and high with a second reason; 25 to 59 low; below it to know of.

mod by_loader;
mod code_changed;
mod comes_back;
mod covered_process;
mod deleted_program;
mod ended_early;
mod engine;
mod executable_memory;
mod file_rights;
mod foreign_system_call;
mod foreign_thread;
mod hidden_place;
mod hidden_process;
mod hollowed;
mod kernel_name;
mod listener;
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

use model::{Fact, Severity};

pub(crate) use self::comes_back::{comes_back, may_be_again};
pub(crate) use self::ended_early::{Ending, SOON, ending};
pub(crate) use self::looked::{Life, Looked};
use crate::fit::{Fit, Piece, Told, Whose, Why};
use crate::reason::{Raised, Reason, tell};
use crate::rule::{self, Rule};

/// A rule about processes: its word, and its file.
pub(crate) struct ProcessRule {
    word: &'static str,
    look: fn(&Looked<'_>) -> Vec<Reason>,
}

impl ProcessRule {
    pub(crate) fn is(&self, word: &str) -> bool {
        self.word == word
    }
}

const fn rule(word: &'static str, look: fn(&Looked<'_>) -> Vec<Reason>) -> ProcessRule {
    ProcessRule { word, look }
}

/// In the order of the checks that they rest on.
pub(crate) static RULES: [ProcessRule; 32] = [
    rule("code_changed", code_changed::look),
    rule("foreign_system_call", foreign_system_call::look),
    rule("foreign_thread", foreign_thread::look),
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
    rule("listener", listener::look),
    rule("ended_when_we_started", ended_early::look),
];

/// Rules with which a process was changed by somebody, or something foreign is in it.
const TAMPERING: [&str; 8] = [
    "code_changed",
    "foreign_system_call",
    "foreign_thread",
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
            why: Why::Reason(Box::new(reason)),
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
