//! The thread that copies program files into the case.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;

use model::{Gap, ProcessId, Source};
use observe::{FileVersion, ProgramCopy};
use record::case::{Case, Error};
use serde_json::json;
use show::tui::Preserved;

use super::about::facts;
use super::programs::Reason;
use super::run::{Run, Stop};
use crate::commands::screen::Preserving;

/// All copies together, where the case may grow; and a larger file is none that anybody has put into
/// a temporary folder in secret.
const MOST_BYTES: u64 = 512 * 1024 * 1024;
/// A copy takes no more than this share of what may still be written: whoever starts programs must
/// not be able to end the recording by it.
const SHARE: u64 = 10;
/// Programs of no package take no more than this part of all that copies may take: there may be many, and
/// what is gone soon has to have room.
const UNPACKAGED_PART: u64 = 2;
/// So many files are known by what changes when they do.
const MOST_KNOWN: usize = 4096;

/// What is to be copied, and why.
pub(super) struct Wanted {
    pub(super) copy: ProgramCopy,
    pub(super) reason: Reason,
}

/// Copies until nothing more will come. `preserving`: for whom somebody at the screen waits.
/// `waiting`: how many are on their way. `max_size`: of the case, which must not let go of events for
/// them.
pub(super) fn copy_all(
    copies: Receiver<Wanted>,
    case: &Case,
    run: &Run,
    preserving: Option<&Preserving>,
    waiting: &AtomicUsize,
    max_size: Option<u64>,
) {
    let mut room = Room::new(max_size.map_or(MOST_BYTES, |size| size / 4));
    for wanted in copies {
        waiting.fetch_sub(1, Ordering::Relaxed);
        let process = wanted.copy.process;
        let expecting = preserving.filter(|it| it.is_expected(process));
        let copied = try_copy(wanted, case, run, expecting.is_some(), &mut room);
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
    /// The same, of what is copied only since no package has it.
    left_for_unpackaged: u64,
    /// By their SHA-256: each takes room once.
    copied: HashSet<String>,
    /// The SHA-256 of files that were read: many processes run the same one.
    known: HashMap<FileVersion, String>,
}

impl Room {
    /// Of so many bytes.
    fn new(all: u64) -> Self {
        Self {
            left: all,
            left_for_unpackaged: all / UNPACKAGED_PART,
            copied: HashSet::new(),
            known: HashMap::new(),
        }
    }

    /// For one copy, in bytes.
    fn most(&self, reason: Reason, case: &Case) -> Result<u64, Error> {
        let left = match reason {
            Reason::Fleeting => self.left,
            Reason::Unpackaged => self.left.min(self.left_for_unpackaged),
        };
        Ok(left.min(MOST_BYTES).min(case.room()? / SHARE))
    }

    fn take(&mut self, bytes: u64, reason: Reason) {
        self.left = self.left.saturating_sub(bytes);
        if reason == Reason::Unpackaged {
            self.left_for_unpackaged = self.left_for_unpackaged.saturating_sub(bytes);
        }
    }

    fn remember(&mut self, version: FileVersion, sha256: &str) {
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(version, sha256.to_owned());
    }
}

/// `Ok(Err)`: why it could not be copied.
fn try_copy(
    wanted: Wanted,
    case: &Case,
    run: &Run,
    with_maps: bool,
    room: &mut Room,
) -> Result<Result<(), String>, Error> {
    let now = observe::now();
    let Wanted { copy, reason } = wanted;
    let process = copy.process.to_string();
    let known = copy.version.and_then(|version| room.known.get(&version));
    let stored = match (copy.file, known) {
        (Ok(_), Some(sha256)) => Ok(sha256.clone()),
        (Ok(file), None) => store(file, reason, case, run, room)?,
        (Err(why), _) => Err(why),
    };
    if let (Ok(sha256), Some(version)) = (&stored, copy.version) {
        room.remember(version, sha256);
    }
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
    let most = room.most(Reason::Fleeting, case)?;
    if length > most {
        return Ok(Err(no_room(length, most)));
    }
    let now = observe::now();
    let (pid, start, at) = (process.pid, process.start_ticks, now.unix_nanos());
    let name = format!("programs/{pid}-{start}-{at}.maps");
    match case.add(now, &name, &mut &*maps) {
        Ok(()) => {
            room.take(length, Reason::Fleeting);
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
    reason: Reason,
    case: &Case,
    run: &Run,
    room: &mut Room,
) -> Result<Result<String, String>, Error> {
    // Holes count as what they are read as.
    let length = match file.metadata() {
        Ok(about) => about.len(),
        Err(error) => return Ok(Err(error.to_string())),
    };
    let most = room.most(reason, case)?;
    if length > most {
        return Ok(Err(no_room(length, most)));
    }
    match case.add_program(observe::now(), &mut file.take(length)) {
        Ok(sha256) => {
            if room.copied.insert(sha256.clone()) {
                room.take(length, reason);
                run.count_bytes(length);
            }
            Ok(Ok(sha256))
        }
        Err(Error::Read { source, .. }) => Ok(Err(source.to_string())),
        // An antivirus may take away what is just being written; where the disk is at fault, whoever writes
        // the streams says so.
        Err(Error::Write { file, source }) if file.starts_with("programs/") => Ok(Err(format!(
            "its copy cannot be written, or was taken away: {source}"
        ))),
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
    use std::path::{Path, PathBuf};

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

    fn begin(name: &str) -> (PathBuf, Case) {
        let own = format!("whocalls-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(own);
        fs::create_dir(&folder).unwrap();
        let settings = Settings {
            about: about(),
            limits: Limits::default(),
            recipients: None,
        };
        let case = Case::begin(Box::new(Directory::new(&folder)), settings).unwrap();
        (folder, case)
    }

    fn copy_of(program: &Path) -> ProgramCopy {
        ProgramCopy {
            process: ProcessId {
                boot: BootId([0; 16]),
                pid: 1,
                start_ticks: 1,
            },
            file: Ok(File::open(program).unwrap()),
            version: None,
            maps: None,
        }
    }

    #[test]
    fn programs_of_no_package_leave_room_for_what_is_gone_soon() {
        let (folder, case) = begin("unpackaged");
        let run = Run::new(false);
        let mut room = Room::new(1000);
        let mut copied = |content: u8, reason| {
            let program = folder.join(format!("program-{content}"));
            fs::write(&program, [content; 300]).unwrap();
            let copy = copy_of(&program);
            let wanted = Wanted { copy, reason };
            try_copy(wanted, &case, &run, false, &mut room).unwrap()
        };
        assert_eq!(copied(1, Reason::Unpackaged), Ok(()));
        let why = copied(2, Reason::Unpackaged).unwrap_err();
        assert!(why.contains("room for 200"), "{why}");
        assert_eq!(copied(3, Reason::Fleeting), Ok(()));
        assert_eq!(copied(4, Reason::Fleeting), Ok(()));
        assert!(copied(5, Reason::Fleeting).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_memory_map_without_room_is_a_gap_and_the_recording_goes_on() {
        let (folder, case) = begin("maps");
        let program = folder.join("program");
        fs::write(&program, "text").unwrap();
        let run = Run::new(false);
        for (left, expected) in [(u64::MAX, 1), (1 << 10, 1), (u64::MAX, 0)] {
            let length = if expected == 0 { 100 } else { 4 << 20 };
            let wanted = Wanted {
                copy: ProgramCopy {
                    maps: Some(vec![b'a'; length]),
                    ..copy_of(&program)
                },
                reason: Reason::Fleeting,
            };
            let mut room = Room::new(left);
            let copied = try_copy(wanted, &case, &run, true, &mut room).unwrap();
            assert_eq!(copied.is_err(), expected > 0, "{copied:?}");
            assert_eq!(run.take_gaps().len(), expected);
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
