//! The program file of a process, open for a copy, and a map of its memory. Windows gives no way to the file
//! that runs but its path: where another one is known to lie there by now, none is given.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Seek as _};
use std::os::windows::fs::MetadataExt as _;

use model::{Process, Untested};
use windows_sys::Win32::Foundation::{ERROR_SHARING_VIOLATION, ERROR_VIRUS_INFECTED};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_OFFLINE, FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS, FILE_ATTRIBUTE_RECALL_ON_OPEN,
};

use super::files;
use super::program_mapping::{base_told, is_same};
use super::subject::Subject;
use crate::parse::pe::pe;
use crate::windows::local;
use crate::windows::memory::Kind;
use crate::windows::process::{identity, path, text};

/// Larger files are not read.
const MOST_BYTES: u64 = 1 << 30;
const MOST_MAPS_BYTES: usize = 1024 * 1024;
const HEAD: usize = 4096;
/// What is in them is fetched from another computer when somebody reads it.
const ELSEWHERE: u32 =
    FILE_ATTRIBUTE_OFFLINE | FILE_ATTRIBUTE_RECALL_ON_OPEN | FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS;

/// Its program file, for reading from its beginning on, and a map of its memory.
///
/// Errors: why there is none, for people. `None`: its memory cannot be read.
pub(in crate::windows) fn opened(process: &Process) -> (Result<File, String>, Option<Vec<u8>>) {
    match Subject::open(process) {
        Ok(subject) => (file(process, &subject), maps(&subject)),
        Err(why) => (Err(not_asked(why)), None),
    }
}

fn file(process: &Process, subject: &Subject) -> Result<File, String> {
    // Updates rename what runs: it may have another path than at first.
    let path = path(subject.handle()).map(|it| text(&it));
    let path = path.ok_or("Windows does not tell its program file")?;
    let path = path.lossy();
    let mut file = local::open(&path).map_err(|why| not_opened(&why))?;
    let about = file.metadata().map_err(|why| not_opened(&why))?;
    if !about.is_file() {
        return Err("it is not an ordinary file".to_owned());
    }
    if about.file_attributes() & ELSEWHERE != 0 {
        return Err("what is in it has to be fetched from another computer".to_owned());
    }
    if about.len() > MOST_BYTES {
        return Err("it is larger than 1 GiB".to_owned());
    }
    let found = identity(&file);
    let is_known = process.file.is_some() && found == process.file;
    let has_changed = process.file.is_some() && !is_known;
    let is_what_runs = is_what_runs(&mut file, &path, subject);
    if has_changed || is_what_runs == Some(false) {
        return Err("another file lies at its path by now: what runs cannot be read".to_owned());
    }
    if !is_known && is_what_runs.is_none() {
        return Err("whether the file at its path is what runs cannot be told".to_owned());
    }
    file.rewind().map_err(|why| not_opened(&why))?;
    Ok(file)
}

/// By the head that lies in its memory: its sections are those of this file. `None`: nobody can tell, also
/// where the process runs from other memory than that of its file.
fn is_what_runs(file: &mut File, path: &str, subject: &Subject) -> Option<bool> {
    let base = base_told(subject).ok()?;
    let region = subject.region(base).ok()??;
    let there = files::path_at(subject, base)?;
    if region.kind != Kind::Image || !is_same(&there, path) {
        return None;
    }
    let loaded = pe(&subject.read(base, HEAD))?;
    let mut head = Vec::new();
    let most = u64::try_from(HEAD).unwrap_or_default();
    file.take(most).read_to_end(&mut head).ok()?;
    // What is no program cannot be what was loaded.
    Some(pe(&head).is_some_and(|it| it.sections == loaded.sections))
}

/// A line for each part: where it begins and ends, what may be done there, what it is of. `None`: it cannot
/// be read.
fn maps(subject: &Subject) -> Option<Vec<u8>> {
    let mut text = String::new();
    let mut named = (0, None);
    for region in subject.regions().ok()? {
        if named.0 != region.allocation || named.1.is_none() {
            let path = match region.kind {
                Kind::Image | Kind::Mapped => files::path_at(subject, region.allocation),
                Kind::Private => None,
            };
            named = (region.allocation, path);
        }
        let end = region.start.saturating_add(region.length);
        let right = |has: bool, letter: char| if has { letter } else { '-' };
        let kind = match region.kind {
            Kind::Image => "image",
            Kind::Mapped => "mapped",
            Kind::Private => "private",
        };
        let line = text.len();
        // Writing to a String does not fail.
        let _ = writeln!(
            text,
            "{:x}-{end:x} r{}{} {kind} {}",
            region.start,
            right(region.writable, 'w'),
            right(region.executable, 'x'),
            named.1.as_deref().unwrap_or_default(),
        );
        if text.len() > MOST_MAPS_BYTES {
            text.truncate(line);
            break;
        }
    }
    Some(text.into_bytes())
}

fn not_asked(why: Untested) -> String {
    match why {
        Untested::Ended => "the process has ended",
        Untested::KernelThread => "it is the system itself, and has no file",
        Untested::NoRights => "there is no right to ask it: it is of another user, or protected",
        _ => "it cannot be asked",
    }
    .to_owned()
}

fn not_opened(why: &io::Error) -> String {
    let code = why.raw_os_error().map(i32::cast_unsigned);
    match (why.kind(), code) {
        (ErrorKind::Unsupported, _) => {
            "it lies on another computer, or a link on its way may lead there: it was not opened"
                .to_owned()
        }
        (ErrorKind::NotFound, _) => "its file is gone from its path".to_owned(),
        (_, Some(ERROR_SHARING_VIOLATION)) => {
            "another program keeps its file for itself (it is locked)".to_owned()
        }
        (_, Some(ERROR_VIRUS_INFECTED)) => "the antivirus lets nobody read it".to_owned(),
        _ => why.to_string(),
    }
}
