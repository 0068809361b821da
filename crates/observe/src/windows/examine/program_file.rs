//! Whether the program file is still there. Windows keeps the file of a program that runs from being deleted;
//! who renames a stream of it first can do so all the same, and who removes its traces does.

use std::io::ErrorKind;

use model::{Outcome, Sign, Trace, Untested};

use super::files;
use super::kept::Kept;
use super::program_mapping::base_told;
use super::subject::Subject;
use crate::windows::local;

pub(super) fn check(subject: &Subject, _: &Kept) -> Outcome {
    look(subject).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject) -> Result<Outcome, Untested> {
    let program = subject.path.as_ref().ok_or(Untested::NoRights)?;
    if is_there(&program.lossy())? {
        return Ok(Outcome::NothingFound);
    }
    // Updates rename what runs: the memory is told under the name that the file has now.
    let base = base_told(subject).ok();
    let renamed = base.and_then(|it| files::path_at(subject, it));
    if let Some(renamed) = renamed
        && is_there(&renamed)?
    {
        return Ok(Outcome::NothingFound);
    }
    let gone = Trace::of_file(Sign::Deleted, program.clone());
    Ok(Outcome::of(vec![gone]))
}

/// Errors: `Elsewhere`: it lies on another computer. `Unreadable`: nobody can tell.
fn is_there(path: &str) -> Result<bool, Untested> {
    match local::open_to_ask(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) if error.kind() == ErrorKind::Unsupported => Err(Untested::Elsewhere),
        Err(_) => Err(Untested::Unreadable),
    }
}
