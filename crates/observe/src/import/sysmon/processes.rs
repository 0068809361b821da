//! The processes that a log tells of: each of its events adds to what is known of one.

use std::collections::HashMap;
use std::sync::Arc;

use model::{BootId, Imported, Parent, Process, ProcessId, Text, Timestamp};
use sha2::{Digest, Sha256};

use super::super::field;
use super::super::format::Out;
use super::record::Record;

/// So many are kept in mind, and so many above each.
const MOST_PROCESSES: usize = 1 << 18;
const MOST_PARENTS: usize = 32;
const TICKS_PER_SECOND: u64 = 100;

#[derive(Default)]
pub(super) struct Processes {
    known: HashMap<ProcessId, Process>,
    computers: HashMap<Vec<u8>, BootId>,
}

impl Processes {
    /// The process that an event is about. `None`: it does not say which.
    pub(super) fn of(&mut self, record: &Record<'_>, out: &mut Out) -> Option<ProcessId> {
        let id = self.id(record, "ProcessGuid", "ProcessId", out)?;
        let image = record
            .field("Image")
            .or_else(|| record.field("Application"));
        let user = record.field("User");
        let is_news = match self.known.get(&id) {
            Some(known) => {
                (known.path.is_none() && image.is_some())
                    || (known.user.is_none() && user.is_some())
            }
            None => true,
        };
        if is_news {
            self.change(id, out, |process| {
                if let Some(image) = image.filter(|_| process.path.is_none()) {
                    (process.name, process.path) = (base(image), Some(Text::from(image)));
                }
                process.user = process.user.take().or_else(|| user.map(Text::from));
            });
        }
        Some(id)
    }

    /// Event 1.
    pub(super) fn start(&mut self, record: &Record<'_>, time: Option<Timestamp>, out: &mut Out) {
        let Some(id) = self.of(record, out) else {
            return;
        };
        let parents = self.parents(record, out);
        let command_line = record.field("CommandLine").map(Text::from);
        let sha256 = record.field("Hashes").and_then(sha256);
        self.change(id, out, |process| {
            process.started = time.or(process.started);
            process.command_line = command_line.map(|line| vec![line]);
            process.sha256 = sha256;
            process.parents = parents;
        });
    }

    /// Event 5.
    pub(super) fn end(&mut self, record: &Record<'_>, time: Option<Timestamp>, out: &mut Out) {
        if let Some(id) = self.of(record, out) {
            self.change(id, out, |process| process.ended = time);
        }
    }

    fn change(&mut self, id: ProcessId, out: &mut Out, change: impl FnOnce(&mut Process)) {
        let mut process = self.known.remove(&id).unwrap_or_else(|| unknown(id, out));
        change(&mut process);
        out.seen.push(Imported::Process(Arc::new(process.clone())));
        if self.known.len() < MOST_PROCESSES {
            self.known.insert(id, process);
        }
    }

    fn parents(&mut self, record: &Record<'_>, out: &Out) -> Vec<Parent> {
        let id = self.id(record, "ParentProcessGuid", "ParentProcessId", out);
        let (Some(id), Some(image)) = (id, record.field("ParentImage")) else {
            return Vec::new();
        };
        let mut parents = vec![Parent {
            pid: id.pid,
            name: base(image),
            path: Some(Text::from(image)),
        }];
        if let Some(parent) = self.known.get(&id) {
            parents.extend(parent.parents.iter().take(MOST_PARENTS).cloned());
        }
        parents
    }

    /// One log may have events of many computers.
    fn id(&mut self, record: &Record<'_>, guid: &str, pid: &str, out: &Out) -> Option<ProcessId> {
        let pid = u32::try_from(number(record.field(pid)?)?).ok()?;
        let start_ticks = record.field(guid).and_then(started).unwrap_or(0) * TICKS_PER_SECOND;
        let boot = self.computer(&record.computer, out);
        Some(ProcessId {
            boot,
            pid,
            start_ticks,
        })
    }

    fn computer(&mut self, name: &[u8], out: &Out) -> BootId {
        if let Some(boot) = self.computers.get(name) {
            return *boot;
        }
        let mut hash = Sha256::new();
        hash.update(out.source().0);
        hash.update(name);
        let digest: [u8; 32] = hash.finalize().into();
        let boot = BootId(digest.first_chunk::<16>().copied().unwrap_or_default());
        if self.computers.len() < MOST_PROCESSES {
            self.computers.insert(name.to_vec(), boot);
        }
        boot
    }
}

/// With the start that its name tells.
fn unknown(id: ProcessId, out: &Out) -> Process {
    let seconds = i64::try_from(id.start_ticks / TICKS_PER_SECOND);
    let started = seconds.ok().filter(|seconds| *seconds != 0);
    Process {
        started: started.map(|it| out.time(it.saturating_mul(1_000_000_000))),
        ..Process::unknown(id)
    }
}

/// Numbers are decimal or, from EVTX, `0x...`.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    match text.strip_prefix(b"0x") {
        Some(hex) => u64::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok(),
        None => field::unsigned(text),
    }
}

/// When the process of a ProcessGuid started, in seconds since 1970: its second and third part, the
/// lower half first. `None`: it is none, or 0.
fn started(guid: &[u8]) -> Option<u64> {
    let guid = std::str::from_utf8(guid).ok()?;
    let guid = guid.trim_matches(['{', '}']);
    let mut parts = guid.split('-').skip(1);
    let mut half = || u32::from_str_radix(parts.next().filter(|part| part.len() == 4)?, 16).ok();
    let (low, high) = (half()?, half()?);
    Some(u64::from(high << 16 | low)).filter(|seconds| *seconds != 0)
}

/// Of `SHA1=...,SHA256=...`.
fn sha256(hashes: &[u8]) -> Option<[u8; 32]> {
    let mut hashes = hashes.split(|byte| *byte == b',');
    let digits = hashes.find_map(|hash| hash.trim_ascii().strip_prefix(b"SHA256="))?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let mut hash = [0; 32];
    if pairs.len() != hash.len() || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// The name of a program file, of Windows or of Linux.
fn base(path: &[u8]) -> Text {
    // A path that ends so has no last part.
    let mut parts = path.rsplit(|byte| matches!(byte, b'\\' | b'/'));
    let name = parts.next().filter(|name| !name.is_empty());
    Text::from(name.unwrap_or(path))
}
