//! The thread that copies program files into the case.

use std::fs::File;
use std::io::Read;
use std::sync::mpsc::Receiver;

use model::ProcessId;
use observe::ProgramCopy;
use record::case::{Case, Error};
use serde_json::json;
use show::tui::Preserved;

use super::about::facts;
use super::run::{Run, Stop};
use crate::commands::screen::Preserving;

/// A larger file is none that anybody has put into a temporary folder in secret.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// Copies until nothing more will come. `preserving`: for whom somebody at the screen waits.
pub(super) fn copy_all(
    copies: Receiver<ProgramCopy>,
    case: &Case,
    run: &Run,
    preserving: Option<&Preserving>,
) {
    for copy in copies {
        let process = copy.process;
        let waiting = preserving.filter(|it| it.is_expected(process));
        let copied = try_copy(copy, case, waiting.is_some());
        if let Some(waiting) = waiting {
            let result = match &copied {
                Ok(result) => result.clone(),
                Err(error) => Err(error.to_string()),
            };
            waiting.done(Preserved { process, result });
        }
        match copied {
            Ok(_) => {}
            // Whoever writes the streams says so as well.
            Err(error @ Error::SpaceLow { .. }) => run.stop(Stop::NoRoom(error)),
            Err(error) => run.stop(Stop::Failed(error.into())),
        }
    }
}

/// `Ok(Err)`: why it could not be copied.
fn try_copy(copy: ProgramCopy, case: &Case, with_maps: bool) -> Result<Result<(), String>, Error> {
    let now = observe::now();
    let process = copy.process.to_string();
    let stored = match copy.file {
        Ok(file) => store(file, case)?,
        Err(why) => Err(why),
    };
    let maps = match copy.maps.filter(|_| with_maps) {
        Some(maps) => Some(store_maps(copy.process, &maps, case)?),
        None => None,
    };
    let result = match (&stored, &maps) {
        (Err(why), _) => Err(why.clone()),
        (Ok(_), None) if with_maps => Err("its memory map cannot be read".to_owned()),
        (Ok(_), _) => Ok(()),
    };
    let entry = match stored {
        Ok(sha256) => {
            json!({ "process": process, "sha256": sha256, "file": format!("programs/{sha256}"), "maps": maps })
        }
        Err(why) => json!({ "process": process, "why": why }),
    };
    let what = if entry.get("why").is_some() {
        "program_not_copied"
    } else {
        "program_copied"
    };
    case.log(now, what, facts(entry))?;
    Ok(result)
}

/// The name of the file.
fn store_maps(process: ProcessId, maps: &[u8], case: &Case) -> Result<String, Error> {
    let now = observe::now();
    let (pid, start, at) = (process.pid, process.start_ticks, now.unix_nanos());
    let name = format!("programs/{pid}-{start}-{at}.maps");
    case.add(now, &name, &mut &*maps)?;
    Ok(name)
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
