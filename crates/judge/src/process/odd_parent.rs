//! A shell, an interpreter or a transfer tool that uses the network and was started by what opens
//! documents, mail or pages: a document of a stranger may have done so.

use model::{Confidence, Severity};

use super::looked::Looked;
use super::programs::{is_browser, is_interpreter, is_reader, is_shell, is_transfer_tool};
use super::{Raised, Reason, paths};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let (program, arguments) = (process.program(), process.arguments());
    let is_told = |path: &str, arguments: &[String]| {
        is_shell(path, arguments) || is_interpreter(path) || is_transfer_tool(path, arguments)
    };
    if !process.life.talks || !is_told(&program, &arguments) {
        return Vec::new();
    }
    // What stands between them was started by it, too.
    let parents = process.parents();
    let mut parents = parents.iter().map_while(|it| it.as_deref());
    let Some(parent) = parents.find(|it| !is_told(it, &[])) else {
        return Vec::new();
    };
    if !is_reader(parent) && !is_browser(parent) {
        return Vec::new();
    }
    // Helpers of browsers and office programs are such scripts; only root can put one there.
    let packaged = process.is_interpreter() && {
        let script = process.script();
        script.is_some_and(|it| paths::is_of_root(&it))
    };
    let weight = if packaged {
        (Severity::Low, Confidence::Low)
    } else {
        (Severity::Medium, Confidence::Medium)
    };
    vec![
        Reason::new(paths::file_name(parent), weight, &["T1204.002", "T1059"])
            .raised(Raised::BesideGrave)
            .text("parent", parent)
            .with(
                process
                    .script()
                    .map(|it| ("argument", model::Fact::Text(it))),
            ),
    ]
}
