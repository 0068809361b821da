//! Programs, libraries and scripts where anybody may write, or where what was loaded down lies.

use std::collections::BTreeSet;

use model::{Outcome, Sign, Text, Trace};

use super::files;
use super::kept::Kept;
use super::subject::Subject;
use crate::parse::windows_host::hosted;
use crate::parse::windows_place::is_temporary;
use crate::windows::memory::Kind;

pub(super) fn check(subject: &Subject, _: &Kept) -> Outcome {
    let program = subject.path.as_ref().map(|it| it.lossy().into_owned());
    let mut traces = Vec::new();
    if let Some(program) = program.as_deref().filter(|it| is_temporary(it)) {
        traces.push(trace(Sign::TemporaryProgram, program));
    }
    if let Some(script) = script(subject) {
        traces.push(trace(Sign::TemporaryScript, &script));
    }
    let regions = match subject.regions() {
        Ok(regions) => regions,
        Err(why) if traces.is_empty() => return Outcome::NotTestable(why),
        Err(_) => return Outcome::of(traces),
    };
    let modules = regions.iter().filter(|it| it.kind == Kind::Image);
    let modules: BTreeSet<u64> = modules.map(|it| it.allocation).collect();
    let paths = modules
        .into_iter()
        .filter_map(|it| files::path_at(subject, it));
    let libraries = paths.filter(|it| is_temporary(it) && !is_program(it, program.as_deref()));
    traces.extend(libraries.map(|it| trace(Sign::TemporaryLibrary, &it)));
    Outcome::of(traces)
}

fn is_program(path: &str, program: Option<&str>) -> bool {
    program.is_some_and(|it| it.eq_ignore_ascii_case(path))
}

fn trace(sign: Sign, path: &str) -> Trace {
    Trace::of_file(sign, Text::from(path.to_owned()))
}

/// What it runs for others, where that comes from the net or from such a place.
fn script(subject: &Subject) -> Option<String> {
    let program = subject.path.as_ref()?.lossy().into_owned();
    let arguments = subject.command_line.iter().flatten();
    let arguments: Vec<_> = arguments.map(|it| it.lossy().into_owned()).collect();
    let file = hosted(&program, &arguments)?;
    let small = file.to_lowercase();
    let is_of_net = small.starts_with("http://") || small.starts_with("https://");
    (is_of_net || is_temporary(&file)).then_some(file)
}
