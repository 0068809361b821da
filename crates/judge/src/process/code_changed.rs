//! The text of the program in memory: other bytes than in its file, or the marks of that they were.
//! A debugger that leaves and a hook that is taken back leave the same marks.

use std::collections::BTreeSet;

use model::Confidence::{High, Low as Unsure, Medium as Fair};
use model::Severity::{Low, Medium};
use model::{Check, Fact, Sign, Trace};

use super::engine::{Explained, explained};
use super::looked::{Looked, facts, length, path_of};
use super::programs::is_debugger;
use super::{Raised, Reason, paths};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let all: Vec<_> = process.traces(Check::CodeChanged).iter().collect();
    let of = |sign: Sign| -> Vec<&Trace> {
        let all = all.iter().copied();
        all.filter(|it| it.sign == sign).collect()
    };
    let mut differs: Vec<&Trace> = of(Sign::Differs);
    // Being called like an engine does not do.
    if explained(process) == Explained::No {
        differs.extend(of(Sign::ByEngine));
    }
    if !differs.is_empty() {
        return vec![differing(process, &differs)];
    }
    let breakpoints: Vec<&Trace> = of(Sign::Breakpoints);
    if !breakpoints.is_empty() {
        let reason = match debugger(process) {
            Some(debugger) => {
                Reason::new("breakpoints", (Low, Unsure), &["T1055.008"]).with(debugger)
            }
            None => {
                Reason::new("breakpoints", (Medium, Fair), &["T1055"]).raised(Raised::BesideGrave)
            }
        };
        return vec![said("breakpoints", reason, &breakpoints)];
    }
    for (sign, kind) in [(Sign::Restored, "restored"), (Sign::Written, "written")] {
        let traces: Vec<&Trace> = of(sign);
        if !traces.is_empty() {
            let reason = Reason::new(kind, (Low, Unsure), &["T1055"]);
            return vec![said(kind, reason, &traces)];
        }
    }
    Vec::new()
}

fn differing(process: &Looked<'_>, traces: &[&Trace]) -> Reason {
    if let Some(by) = instrument(process) {
        let reason = Reason::new("instrumented", (Medium, Fair), &["T1055"]);
        return said("instrumented", reason, traces).text("instrumented_by", by);
    }
    let reason = Reason::new("differs", (Medium, High), &["T1055"]).raised(Raised::BesideGrave);
    said("differs", reason, traces).with(debugger(process).into_iter().flatten())
}

fn said(kind: &str, reason: Reason, traces: &[&Trace]) -> Reason {
    let files: BTreeSet<_> = traces.iter().map(|it| path_of(it)).collect();
    let first = traces.first().map(|it| facts(it)).unwrap_or_default();
    let differing = length(traces);
    let counted = (differing > 0).then_some(("differing", Fact::Count(differing)));
    reason
        .text("kind", kind)
        .with(first)
        .with(counted)
        .count("files", files.len())
}

/// A program that changes others, and itself, for who started it (frida): a library of it is there as a
/// file. One that was put into it from outside lies in memory only.
fn instrument(process: &Looked<'_>) -> Option<String> {
    let traces = process.examined().checks.iter();
    let traces = traces.flat_map(|made| process.traces(made.check));
    let mut paths = traces.map(path_of);
    paths.find(|path| {
        let name = paths::file_name(path);
        let known = ["_frida", "frida-agent", "frida-gadget"];
        !path.starts_with("/memfd:") && known.iter().any(|it| name.starts_with(it))
    })
}

/// Who holds it, where that is a debugger of a folder that only root can write to.
fn debugger(process: &Looked<'_>) -> Option<[(&'static str, Fact); 1]> {
    let tracers = process.signs(Check::Traced, Sign::Tracer);
    let mut paths = tracers.iter().map(|it| path_of(it));
    let path = paths.find(|path| paths::is_of_root(path) && is_debugger(path))?;
    Some([("tracer", Fact::Text(path))])
}
