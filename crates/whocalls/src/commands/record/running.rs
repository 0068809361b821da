//! The recordings that run on this computer. Each says so in a small file in `/run/whocalls`, or in
//! a folder that belongs to this user: which process it is, where its case lies, how far it is. The
//! file is made before rights are given up and written to afterwards, and nobody takes it away then:
//! what counts is that the very process which it names holds it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use model::{BootId, ProcessId, Timestamp};
use observe::actions::{ActionError, Outcome, ProcessTarget, stop_recording};
use observe::{LookOptions, Observer, runtime};
use serde_json::{Value, json};
use show::Progress;
use show::visible::visible_str;

use crate::platform::WHO_STOPS;

#[cfg(test)]
mod tests;

/// Says that it is such a file, and of which form.
const MARK: &str = "whocalls recording 1";
const ENDING: &str = "recording";
/// How long the second line always is, so that it can be written anew in one piece.
const PROGRESS_BYTES: usize = 512;
/// Longer files are none of ours.
const LONGEST: u64 = 64 * 1024;
const MOST_FILES: usize = 1000;
/// How often a recording that was asked to end is looked for.
const STEP: Duration = Duration::from_millis(250);

/// What a recording says of itself, as long as it runs.
#[derive(Debug)]
pub(crate) struct Announcement {
    file: File,
    /// Where the second line begins.
    progress_at: u64,
}

impl Announcement {
    /// To be called before rights are given up. `process` is this one.
    ///
    /// Errors: the file can be made nowhere; the recording need not end for that.
    pub(crate) fn make(process: ProcessId, case: &Path, began: Timestamp) -> Result<Self> {
        let live = live()?;
        let mut failed = anyhow!("there is no folder for it");
        for folder in runtime::folders() {
            remove_dead(&folder, &live);
            match Self::make_in(&folder, process, case, began) {
                Ok(announcement) => return Ok(announcement),
                Err(error) => failed = error,
            }
        }
        Err(failed.context("cannot say on this computer that it is being recorded"))
    }

    fn make_in(folder: &Path, process: ProcessId, case: &Path, began: Timestamp) -> Result<Self> {
        runtime::make_folder(folder).with_context(|| folder.display().to_string())?;
        let path = folder.join(format!("{}.{ENDING}", process.pid));
        let mut file = runtime::make_file(&path).with_context(|| path.display().to_string())?;
        let first = json!({
            "is": MARK,
            "pid": process.pid,
            "start_ticks": process.start_ticks,
            "boot": process.boot.to_string(),
            "case": case.to_string_lossy(),
            "began": began.to_string(),
        });
        let first = format!("{first}\n");
        file.write_all(first.as_bytes())
            .with_context(|| path.display().to_string())?;
        let progress_at = first.len() as u64;
        Ok(Self { file, progress_at })
    }

    /// How far it is; `at` is the time of this. Needs no rights: it writes to what is open.
    ///
    /// Errors: of the file.
    pub(crate) fn update(&mut self, at: Timestamp, progress: &Progress) -> io::Result<()> {
        let line = json!({
            "at": at.to_string(),
            "elapsed_ms": u64::try_from(progress.elapsed.as_millis()).unwrap_or(u64::MAX),
            "events": progress.events,
            "packets": progress.packets,
            "lost_events": progress.lost_events,
            "lost_packets": progress.lost_packets,
            "bytes_written": progress.bytes_written,
            "bytes_free": progress.bytes_free,
        });
        let line = format!("{:1$}\n", line.to_string(), PROGRESS_BYTES - 1);
        // Not pwrite(2): it is not among the system calls that are left.
        self.file.seek(SeekFrom::Start(self.progress_at))?;
        self.file.write_all(line.as_bytes())
    }
}

/// A recording that runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recording {
    pub(crate) process: ProcessId,
    /// The path of its case; for people, since it may not be exact where it is no text.
    pub(crate) case: String,
    pub(crate) began: Timestamp,
    /// How far it was, and when. `None`: it has not said yet.
    pub(crate) progress: Option<(Timestamp, Progress)>,
}

/// Those that can be found.
#[derive(Debug, Default)]
pub(crate) struct Recordings {
    /// By their beginning.
    pub(crate) running: Vec<Recording>,
    /// Why there may be others.
    pub(crate) hidden: Vec<String>,
}

/// Which recordings run on this computer, as far as this user may know.
///
/// Errors: processes cannot be listed.
pub(crate) fn recordings() -> Result<Recordings> {
    Ok(recordings_in(&runtime::folders(), &live()?))
}

/// Whether a recording ran here since the computer was started, as far as something is left of it.
pub(crate) fn was_recorded() -> bool {
    let Ok(live) = live() else {
        return false;
    };
    let Some(boot) = live.first().map(|it| it.boot) else {
        return false;
    };
    let folders = runtime::folders().into_iter();
    let trusted = folders.filter(|folder| runtime::trust(folder).is_ok());
    let paths = trusted.flat_map(|folder| announcements(&folder).unwrap_or_default());
    let mut recordings = paths.filter_map(|path| read(&path).ok().flatten());
    recordings.any(|(recording, _)| recording.process.boot == boot)
}

fn recordings_in(folders: &[PathBuf], live: &BTreeSet<ProcessId>) -> Recordings {
    let mut found = Recordings::default();
    for folder in folders {
        let paths = match runtime::trust(folder).and_then(|()| announcements(folder)) {
            Ok(paths) => paths,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                found.hidden.push(format!("{}: {error}", folder.display()));
                continue;
            }
        };
        for path in paths {
            match read(&path) {
                // Both have to be so: the kernel tells who holds the file, and that this one began
                // when the file says.
                Ok(Some((recording, Some(holder))))
                    if holder == recording.process.pid && live.contains(&recording.process) =>
                {
                    found.running.push(recording);
                }
                Ok(_) => {}
                Err(error) => found.hidden.push(format!("{}: {error}", path.display())),
            }
        }
    }
    found
        .running
        .sort_by_key(|recording| (recording.began, recording.process));
    found
}

/// What `record status` says, a recording in two lines.
pub(crate) fn status(recordings: &Recordings, width: usize) -> String {
    let mut text = String::new();
    for recording in &recordings.running {
        let Recording {
            process,
            case,
            began,
            progress,
        } = recording;
        let case = visible_str(case);
        text.push_str(&format!("{}  since {began}  {case}\n", process.pid));
        if let Some((at, progress)) = progress {
            let line = show::progress(progress, width.saturating_sub(4));
            text.push_str(&format!("    {line}\n    as of {at}\n"));
        }
    }
    if recordings.running.is_empty() {
        text.push_str("no recording that this user may know of runs on this computer\n");
    }
    text.push_str(&not_read(recordings));
    text
}

/// The same for programs: one document.
pub(crate) fn document(recordings: &Recordings) -> String {
    let one = |recording: &Recording| {
        let progress = recording.progress.map(|(at, progress)| {
            json!({
                "at": at.to_string(),
                "elapsed_ns": u64::try_from(progress.elapsed.as_nanos()).unwrap_or(u64::MAX),
                "events": progress.events,
                "packets": progress.packets,
                "events_lost": progress.lost_events,
                "packets_lost": progress.lost_packets,
                "bytes_written": progress.bytes_written,
                "bytes_free": progress.bytes_free,
            })
        });
        json!({
            "pid": recording.process.pid,
            "process": recording.process.to_string(),
            "case": recording.case,
            "began": recording.began.to_string(),
            "progress": progress,
        })
    };
    let recordings = json!({
        "schema": "whocalls/1",
        "recordings": recordings.running.iter().map(one).collect::<Vec<_>>(),
        "hidden": recordings.hidden,
    });
    // JSON of this crate has control characters escaped; those that turn text around are as well.
    format!("{}\n", escaped(&recordings.to_string()))
}

/// What acts on a screen or hides stands as `\uXXXX`, as in all our JSON.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if model::acts_or_hides(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn not_read(recordings: &Recordings) -> String {
    let lines = recordings.hidden.iter();
    lines
        .map(|hidden| format!("not read: {}\n", visible_str(hidden)))
        .collect()
}

/// The one that is meant: that of the process `pid`, or the only one.
///
/// Errors: there is none, or it is not said which of several.
pub(crate) fn chosen(recordings: &Recordings, pid: Option<u32>) -> Result<&Recording> {
    match (pid, recordings.running.as_slice()) {
        (None, [only]) => Ok(only),
        (None, []) => Err(anyhow!(
            "cannot stop recording: none that this user may know of runs on this computer\n\
             {}help: {WHO_STOPS}",
            not_read(recordings)
        )),
        (None, several) => {
            let pids: Vec<_> = several
                .iter()
                .map(|one| one.process.pid.to_string())
                .collect();
            Err(anyhow!(
                "cannot stop recording: there are several\nhelp: name one of: {}",
                pids.join(", ")
            ))
        }
        (Some(pid), running) => running
            .iter()
            .find(|recording| recording.process.pid == pid)
            .ok_or_else(|| {
                anyhow!("cannot stop recording {pid}: there is none\nhelp: whocalls record status")
            }),
    }
}

/// Asks a recording to end, and waits until it has. True: it has ended; false: it still closes its
/// case after `patience`.
///
/// Errors: it cannot be asked.
pub(crate) fn stop(recording: &Recording, patience: Duration) -> Result<bool> {
    let began = Instant::now();
    let process = recording.process;
    // By its start ticks: no other process with its number is ever asked.
    let done = match stop_recording(ProcessTarget::of(process)) {
        Ok(done) => done,
        Err(ActionError::ProcessGone) => return Ok(true),
        Err(error) => {
            let help = error.help().map(|help| format!("\nhelp: {help}"));
            return Err(anyhow!(
                "cannot stop recording {}: {error}{}",
                process.pid,
                help.unwrap_or_default()
            ));
        }
    };
    let mut has_ended = done.outcome == Outcome::Ended;
    while !has_ended && began.elapsed() < patience {
        thread::sleep(STEP);
        has_ended = !live()?.contains(&process);
    }
    Ok(has_ended)
}

/// Errors: the folder is not there, or may not be read.
fn announcements(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)?.take(MOST_FILES) {
        let entry = entry?;
        let path = entry.path();
        let is_one = path.extension().is_some_and(|ending| ending == ENDING);
        if is_one && entry.file_type()?.is_file() {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// What it says, and the process that holds it. `None`: it is no such file.
///
/// Errors: it cannot be read, or is not believed.
fn read(path: &Path) -> io::Result<Option<(Recording, Option<u32>)>> {
    let (file, holder) = runtime::open_file(path)?;
    let mut text = String::new();
    match file.take(LONGEST).read_to_string(&mut text) {
        Ok(_) => Ok(recording(&text).map(|recording| (recording, holder))),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        Err(error) => Err(error),
    }
}

fn recording(text: &str) -> Option<Recording> {
    let (first, second) = text.split_once('\n')?;
    let first: Value = serde_json::from_str(first).ok()?;
    let word = |name: &str| first.get(name).and_then(Value::as_str);
    if word("is") != Some(MARK) {
        return None;
    }
    Some(Recording {
        process: ProcessId {
            boot: BootId::parse(word("boot")?)?,
            pid: u32::try_from(first.get("pid")?.as_u64()?).ok()?,
            start_ticks: first.get("start_ticks")?.as_u64()?,
        },
        case: word("case")?.to_owned(),
        began: Timestamp::parse(word("began")?)?,
        progress: progress(second),
    })
}

fn progress(line: &str) -> Option<(Timestamp, Progress)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let number = |name: &str| line.get(name).and_then(Value::as_u64);
    let at = Timestamp::parse(line.get("at")?.as_str()?)?;
    let progress = Progress {
        elapsed: Duration::from_millis(number("elapsed_ms")?),
        events: number("events")?,
        packets: number("packets"),
        lost_events: number("lost_events")?,
        lost_packets: number("lost_packets")?,
        bytes_written: number("bytes_written")?,
        bytes_free: number("bytes_free"),
    };
    Some((at, progress))
}

/// Files of recordings that ended. What cannot be removed does no harm.
fn remove_dead(folder: &Path, live: &BTreeSet<ProcessId>) {
    for path in announcements(folder).unwrap_or_default() {
        if let Ok(Some((recording, None))) = read(&path)
            && !live.contains(&recording.process)
        {
            let _ = fs::remove_file(path);
        }
    }
}

/// All processes of this moment, also those that ended and were not fetched by their parents yet.
fn live() -> Result<BTreeSet<ProcessId>> {
    let look = Observer::open(true)?.look(LookOptions {
        every_process: true,
        remembered: false,
    })?;
    Ok(look.processes.iter().map(|process| process.id).collect())
}
