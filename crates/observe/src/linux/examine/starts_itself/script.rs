//! The scripts that an interpreter runs, as files that are there.

use model::Untested;

use super::super::Subject;
use super::super::root::Root;
use super::super::within::{joined, without_deleted};
use crate::parse::script::{File, called, file_name};

/// Their paths. Empty: the program is none that runs others, or what it runs is no file.
///
/// Errors: `TooLarge`: what it runs may stand among the arguments that were not read.
pub(super) fn of(subject: &Subject, root: &Root) -> Result<Vec<Vec<u8>>, Untested> {
    let program = file_name(without_deleted(subject.program()?.link.bytes()));
    let Some(called) = called(program, subject.arguments()?) else {
        return Ok(Vec::new());
    };
    if called.reads_input && !subject.has_all_arguments() {
        return Err(Untested::TooLarge);
    }
    let is_relative = |file: &File| !file.path.bytes().starts_with(b"/");
    let folders = if called.files.iter().any(is_relative) {
        folders(subject)?
    } else {
        vec![b"/".to_vec()]
    };
    let mut scripts = Vec::new();
    for file in &called.files {
        // What cannot be found is no script, but for instance a name of the interpreter's own.
        let found = folders.iter().find_map(|folder| {
            let path = joined(folder, file.path.bytes());
            root.find(&path).unwrap_or(None).filter(|it| it.is_file())
        });
        scripts.extend(found.map(|it| it.path));
    }
    Ok(scripts)
}

/// The folder that it is in, and the one that it was started in.
fn folders(subject: &Subject) -> Result<Vec<Vec<u8>>, Untested> {
    let mut folders = vec![subject.link(c"cwd")?.bytes().to_vec()];
    let environment = subject.environment().unwrap_or_default();
    let begun = environment
        .iter()
        .find_map(|it| it.bytes().strip_prefix(b"PWD="));
    folders.extend(begun.filter(|it| it.starts_with(b"/")).map(<[u8]>::to_vec));
    Ok(folders)
}
