//! The thread that copies program files into the case.

use std::fs::File;
use std::io::Read;
use std::sync::mpsc::Receiver;

use observe::ProgramCopy;
use record::case::{Case, Error};
use serde_json::json;

use super::about::facts;
use super::run::{Run, Stop};

/// A larger file is none that anybody has put into a temporary folder in secret.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// Copies until nothing more will come.
pub(super) fn copy_all(copies: &Receiver<ProgramCopy>, case: &Case, run: &Run) {
    for copy in copies {
        match try_copy(copy, case) {
            Ok(()) => {}
            // Whoever writes the streams says so as well.
            Err(error @ Error::SpaceLow { .. }) => run.stop(Stop::NoRoom(error)),
            Err(error) => run.stop(Stop::Failed(error.into())),
        }
    }
}

fn try_copy(copy: ProgramCopy, case: &Case) -> Result<(), Error> {
    let now = observe::now();
    let process = copy.process.to_string();
    let stored = match copy.file {
        Ok(file) => store(file, case)?,
        Err(why) => Err(why),
    };
    let entry = match stored {
        Ok(sha256) => json!({ "process": process, "sha256": sha256, "file": format!("programs/{sha256}") }),
        Err(why) => json!({ "process": process, "why": why }),
    };
    let what = if entry.get("why").is_some() {
        "program_not_copied"
    } else {
        "program_copied"
    };
    case.log(now, what, facts(entry))
}

/// Its SHA-256, or why it is not copied.
fn store(file: File, case: &Case) -> Result<Result<String, String>, Error> {
    match file.metadata() {
        Ok(about) if about.len() > MOST_BYTES => {
            return Ok(Err(format!("it has {} bytes", about.len())));
        }
        Ok(_) => {}
        Err(error) => return Ok(Err(error.to_string())),
    }
    match case.add_program(observe::now(), &mut file.take(MOST_BYTES)) {
        Ok(sha256) => Ok(Ok(sha256)),
        Err(Error::Read { source, .. }) => Ok(Err(source.to_string())),
        Err(error) => Err(error),
    }
}
