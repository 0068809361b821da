//! The thread that copies program files into the case.

use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
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
/// `waiting`: how many are on their way. `room`: so many bytes may be copied; a case of limited size
/// must not let go of events for them.
pub(super) fn copy_all(
    copies: Receiver<ProgramCopy>,
    case: &Case,
    run: &Run,
    preserving: Option<&Preserving>,
    waiting: &AtomicUsize,
    mut room: Option<u64>,
) {
    for copy in copies {
        waiting.fetch_sub(1, Ordering::Relaxed);
        let process = copy.process;
        let expecting = preserving.filter(|it| it.is_expected(process));
        let copied = try_copy(copy, case, expecting.is_some(), &mut room);
        if let Some(expecting) = expecting {
            let result = match &copied {
                Ok(result) => result.clone(),
                Err(error) => Err(error.to_string()),
            };
            expecting.done(Preserved { process, result });
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
fn try_copy(
    copy: ProgramCopy,
    case: &Case,
    with_maps: bool,
    room: &mut Option<u64>,
) -> Result<Result<(), String>, Error> {
    let now = observe::now();
    let process = copy.process.to_string();
    let stored = match copy.file {
        Ok(file) => store(file, case, room)?,
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
fn store(file: File, case: &Case, room: &mut Option<u64>) -> Result<Result<String, String>, Error> {
    let length = match file.metadata() {
        Ok(about) => about.len(),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let most = room.map_or(MOST_BYTES, |room| room.min(MOST_BYTES));
    if length > most {
        return Ok(Err(format!(
            "it has {length} bytes, and there is room for {most}"
        )));
    }
    if let Some(room) = room {
        *room = room.saturating_sub(length);
    }
    match case.add_program(observe::now(), &mut file.take(length)) {
        Ok(sha256) => Ok(Ok(sha256)),
        Err(Error::Read { source, .. }) => Ok(Err(source.to_string())),
        Err(error @ Error::SizeReached { .. }) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}
