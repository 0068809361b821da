//! How much each program moved: the usage monitor of Windows (SRUM). What it keeps has no addresses.

use std::cmp::Reverse;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::fs::FileExt;
use std::path::PathBuf;

use model::{Owner, Remembered, RememberedBy, Text, WhyUnknown};
use windows_sys::Win32::Foundation::{ERROR_LOCK_VIOLATION, ERROR_SHARING_VIOLATION};

use super::super::library::system_folder;
use super::{LIMIT, Memory};
use crate::parse::ese::Database;
use crate::parse::srum;

const MISSED: &str = "how many bytes each program moved in the last weeks, by the usage monitor of \
                      Windows (SRUM)";

pub(super) fn usage(memory: &mut Memory) {
    let Some(folder) = system_folder() else {
        memory.gap(
            "srum_unreadable",
            "Windows does not tell its folder",
            MISSED,
        );
        return;
    };
    let path = PathBuf::from(OsString::from_wide(&folder)).join(r"sru\SRUDB.dat");
    // Others may read, write and delete it meanwhile, if not told otherwise.
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) => {
            memory.gap("srum_unreadable", why(&error), MISSED);
            return;
        }
    };
    let read = |start, length| piece(&file, start, length);
    let Some(database) = Database::open(&read) else {
        let why = "the database of the usage monitor (SRUDB.dat) cannot be read, or is of a form that \
                   this build does not know";
        memory.gap("srum_unreadable", why, MISSED);
        return;
    };
    let Some(srum) = srum::usage(&database) else {
        let why = if database.is_listed() {
            "the database of the usage monitor (SRUDB.dat) has no table of what programs moved"
        } else {
            "the database of the usage monitor (SRUDB.dat) is damaged: its list of tables cannot be read"
        };
        memory.gap("srum_unreadable", why, MISSED);
        return;
    };
    tell(srum, &database, memory);
}

fn tell(srum: srum::Srum, database: &Database<'_>, memory: &mut Memory) {
    let bad = srum.missed.pages + srum.missed.damaged;
    let is_in_part = bad > 0 || srum.is_cut || srum.names_not_read > 0;
    let mut rows = srum.rows;
    // The newest, where there are too many.
    rows.sort_by_key(|row| Reverse(row.written));
    let let_go = rows.len().saturating_sub(LIMIT);
    rows.truncate(LIMIT);
    memory.rows.extend(rows.into_iter().map(remembered));
    if let_go > 0 {
        let why = "there are more than 100,000 entries; the oldest were let go";
        memory.gap("remembered_let_go", why, "what programs moved before");
        if let Some(gap) = memory.gaps.last_mut() {
            gap.count = u64::try_from(let_go).ok();
        }
    }
    if !database.is_closed {
        let why = "the usage monitor is running, and writes what is new to its database later";
        memory.gap(
            "srum_not_closed",
            why,
            "what programs moved in the last hours",
        );
    }
    if is_in_part {
        let why = "parts of the database of the usage monitor are damaged, changed while they were read, \
                   or are more or kept otherwise than this build reads";
        memory.gap("srum_in_part", why, "some of what programs moved");
    }
}

fn remembered(row: srum::Usage) -> Remembered {
    Remembered {
        ip: None,
        port: None,
        name: None,
        protocol: None,
        by: RememberedBy::Srum,
        netns: None,
        seen: row.written,
        bytes_sent: row.bytes_sent,
        bytes_received: row.bytes_received,
        program: row.program.map(Text::from),
        user: row.user.map(Text::from),
        owner: Owner::Unknown {
            why: WhyUnknown::BeforeStart,
        },
    }
}

fn why(error: &io::Error) -> String {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    match code {
        Some(ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION) => {
            "the usage monitor keeps its database (SRUDB.dat) for itself while it runs; a shadow copy has \
             a copy of it, which this build cannot be given yet"
                .to_owned()
        }
        _ if error.kind() == io::ErrorKind::NotFound => {
            "this Windows has no usage monitor (Windows 8 and later have one)".to_owned()
        }
        _ if error.kind() == io::ErrorKind::PermissionDenied => {
            "only an administrator may read the database of the usage monitor (SRUDB.dat); start \
             whocalls as administrator"
                .to_owned()
        }
        _ => format!("the database of the usage monitor (SRUDB.dat) cannot be opened: {error}"),
    }
}

/// `None`: there is not as much.
fn piece(file: &File, start: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        let place = start.checked_add(u64::try_from(done).ok()?)?;
        match file.seek_read(rest, place) {
            Ok(0) | Err(_) => return None,
            Ok(more) => done += more,
        }
    }
    Some(bytes)
}
