//! The thread that copies program files into the case.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;

use model::{Gap, ProcessId, Source};
use observe::ProgramCopy;
use record::case::{Case, Error};
use serde_json::json;
use show::tui::Preserved;

use super::about::facts;
use super::run::{Run, Stop};
use crate::commands::screen::Preserving;

/// All copies together, where the case may grow; and a larger file is none that anybody has put into
/// a temporary folder in secret.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// A copy takes no more than this share of what may still be written: whoever starts programs must
/// not be able to end the recording by it.
const SHARE: u64 = 10;

/// Copies until nothing more will come. `preserving`: for whom somebody at the screen waits.
/// `waiting`: how many are on their way. `max_size`: of the case, which must not let go of events for
/// them.
pub(super) fn copy_all(
    copies: Receiver<ProgramCopy>,
    case: &Case,
    run: &Run,
    preserving: Option<&Preserving>,
    waiting: &AtomicUsize,
    max_size: Option<u64>,
) {
    let mut room = Room {
        left: max_size.map_or(MOST_BYTES, |size| size / 4),
        copied: HashSet::new(),
    };
    for copy in copies {
        waiting.fetch_sub(1, Ordering::Relaxed);
        let process = copy.process;
        let expecting = preserving.filter(|it| it.is_expected(process));
        let copied = try_copy(copy, case, run, expecting.is_some(), &mut room);
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

/// What may still be copied.
struct Room {
    /// In bytes.
    left: u64,
    /// By their SHA-256: each takes room once.
    copied: HashSet<String>,
}

impl Room {
    /// For one copy, in bytes.
    fn most(&self, case: &Case) -> Result<u64, Error> {
        Ok(self.left.min(MOST_BYTES).min(case.room()? / SHARE))
    }
}

/// `Ok(Err)`: why it could not be copied.
fn try_copy(
    copy: ProgramCopy,
    case: &Case,
    run: &Run,
    with_maps: bool,
    room: &mut Room,
) -> Result<Result<(), String>, Error> {
    let now = observe::now();
    let process = copy.process.to_string();
    let stored = match copy.file {
        Ok(file) => store(file, case, run, room)?,
        Err(why) => Err(why),
    };
    let maps = match copy.maps.filter(|_| with_maps) {
        Some(maps) => Some(store_maps(copy.process, &maps, case, room)?),
        None if with_maps => Some(Err("it cannot be read".to_owned())),
        None => None,
    };
    if let Some(Err(why)) = &maps {
        run.add_gap(Gap {
            since: Some(now),
            ..Gap::standing(
                "memory_map_not_copied",
                Source::Proc,
                format!(
                    "the memory map of process {} is not in the case: {why}",
                    copy.process.pid
                ),
                "which files and areas were in its memory before it was ended by hand",
            )
        });
    }
    let result = match (&stored, &maps) {
        (Err(why), _) => Err(why.clone()),
        (Ok(_), Some(Err(why))) => Err(format!("its memory map: {why}")),
        (Ok(_), Some(Ok(_)) | None) => Ok(()),
    };
    let entry = match stored {
        Ok(sha256) => {
            let maps = maps.and_then(Result::ok);
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

/// The name of the file, or why there is none.
fn store_maps(
    process: ProcessId,
    maps: &[u8],
    case: &Case,
    room: &mut Room,
) -> Result<Result<String, String>, Error> {
    let length = maps.len() as u64;
    let most = room.most(case)?;
    if length > most {
        return Ok(Err(no_room(length, most)));
    }
    let now = observe::now();
    let (pid, start, at) = (process.pid, process.start_ticks, now.unix_nanos());
    let name = format!("programs/{pid}-{start}-{at}.maps");
    match case.add(now, &name, &mut &*maps) {
        Ok(()) => {
            room.left = room.left.saturating_sub(length);
            Ok(Ok(name))
        }
        // Whoever writes the streams says that the disk is full, where it is.
        Err(error @ (Error::SizeReached { .. } | Error::SpaceLow { .. })) => {
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

fn no_room(length: u64, most: u64) -> String {
    format!("it has {length} bytes, and there is room for {most}")
}

/// Its SHA-256, or why it is not copied.
fn store(
    file: File,
    case: &Case,
    run: &Run,
    room: &mut Room,
) -> Result<Result<String, String>, Error> {
    // Holes count as what they are read as.
    let length = match file.metadata() {
        Ok(about) => about.len(),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let most = room.most(case)?;
    if length > most {
        return Ok(Err(no_room(length, most)));
    }
    match case.add_program(observe::now(), &mut file.take(length)) {
        Ok(sha256) => {
            if room.copied.insert(sha256.clone()) {
                room.left = room.left.saturating_sub(length);
                run.count_bytes(length);
            }
            Ok(Ok(sha256))
        }
        Err(Error::Read { source, .. }) => Ok(Err(source.to_string())),
        // Whoever writes the streams says that the disk is full, where it is.
        Err(error @ (Error::SizeReached { .. } | Error::SpaceLow { .. })) => {
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use model::{BootId, Timestamp};
    use record::case::{About, Clock, Consent, Depth, Limits, Settings, Tool};
    use record::place::Directory;
    use serde_json::Map;

    use super::*;

    fn about() -> About {
        About {
            id: "0".to_owned(),
            began: Timestamp::from_unix_nanos(1_795_342_500_000_000_000),
            host: "here".to_owned(),
            boot: String::new(),
            system: String::new(),
            time_zone: None,
            tool: Tool {
                version: String::new(),
                sha256: None,
            },
            arguments: Vec::new(),
            case_number: None,
            examiner: None,
            owner_consent: Consent::Unknown,
            purpose: None,
            clock: Clock {
                phone_offset_ns: None,
                synchronized: None,
                boot_offset_ns: None,
            },
            depth: Depth::Events,
            max_size: Some(2 << 20),
            recipients: Vec::new(),
            more: Map::new(),
        }
    }

    #[test]
    fn a_memory_map_without_room_is_a_gap_and_the_recording_goes_on() {
        let folder = std::env::temp_dir().join(format!("whocalls-maps-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let settings = Settings {
            about: about(),
            limits: Limits::default(),
            recipients: None,
        };
        let case = Case::begin(Box::new(Directory::new(&folder)), settings).unwrap();
        let program = folder.join("program");
        fs::write(&program, "text").unwrap();
        let run = Run::new(false);
        for (left, expected) in [(u64::MAX, 1), (1 << 10, 1), (u64::MAX, 0)] {
            let length = if expected == 0 { 100 } else { 4 << 20 };
            let copy = ProgramCopy {
                process: ProcessId {
                    boot: BootId([0; 16]),
                    pid: 1,
                    start_ticks: 1,
                },
                file: Ok(File::open(&program).unwrap()),
                maps: Some(vec![b'a'; length]),
            };
            let mut room = Room {
                left,
                copied: HashSet::new(),
            };
            let copied = try_copy(copy, &case, &run, true, &mut room).unwrap();
            assert_eq!(copied.is_err(), expected > 0, "{copied:?}");
            assert_eq!(run.take_gaps().len(), expected);
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
