//! A stream of segments: events, or packets.

use std::fs::File;
use std::io;
use std::sync::Arc;

use model::Timestamp;

use super::output::{Finished, Output, SpareState, most_encrypted};
use super::ring::Closed;
use super::{Case, Error, Inner, Kind, SegmentLimit, log};

/// No file of a case is as long as this: FAT and many programs end at 2 GiB or 4 GiB.
const MOST_BYTES: u64 = 2 * 1024 * 1024 * 1024 - 1;
/// How many segments a case of a greatest size has room for at least.
const LEAST_SEGMENTS: u64 = 8;
/// After so many bytes it looks how much room there is, beside each time that it is brought to the
/// disk.
const LOOK_AT_SPACE_BYTES: u64 = 32 * 1024 * 1024;

/// Writes one segment after the other. It is used by one thread; other threads have other streams
/// of the same case.
pub struct Stream {
    case: Case,
    kind: Kind,
    /// In bytes on the disk: of an encrypted case what is open is there twice.
    limit: SegmentLimit,
    open: Option<Open>,
}

struct Open {
    /// As it will be called when it is closed and not encrypted.
    name: String,
    number: u64,
    began: Timestamp,
    output: Output,
    bytes: u64,
    claimed: u64,
    since_look: u64,
}

impl Stream {
    pub(super) fn new(case: Case, kind: Kind) -> Self {
        let limits = case.0.limits;
        let mut limit = match kind {
            Kind::Events => limits.events,
            Kind::Packets => limits.packets,
        };
        limit.bytes = limit.bytes.min(MOST_BYTES / 2);
        if case.is_encrypted() {
            limit.bytes *= 2;
        }
        if let Some(most) = case.0.max_size {
            limit.bytes = limit.bytes.min(most / LEAST_SEGMENTS);
        }
        Self {
            case,
            kind,
            limit,
            open: None,
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Begins a segment and tells its number, from 1.
    ///
    /// Errors: one is open; no room; of the place; the case is sealed.
    pub fn begin(&mut self, time: Timestamp) -> Result<u64, Error> {
        if let Some(open) = &self.open {
            let file = open.name.clone();
            return Err(Error::StillOpen { file });
        }
        let recipients = self.case.0.recipients.as_ref();
        let claimed = recipients.map_or(0, |all| most_encrypted(0, all));
        self.case.claim(self.kind.word(), claimed)?;
        let (kind, spare) = (self.kind, Arc::clone(&self.case.0.spare));
        let mut inner = self.case.lock();
        inner.notice(time);
        let number = inner.next_number(kind);
        let name = format!("{}/{number:06}.{}", kind.word(), kind.ending());
        if inner.finished {
            return Err(Error::Finished { file: name });
        }
        inner.make_folder_of(&name)?;
        let make = &mut |name: &str| inner.create(name);
        let output = match Output::begin(&name, recipients, &spare, make) {
            Ok(output) => output,
            Err(source) => {
                inner.discard(&format!("{name}.part"));
                inner.discard(&format!("{name}.age.new"));
                inner.used = inner.used.saturating_sub(claimed);
                return Err(Error::Write { file: name, source });
            }
        };
        inner.open.push(name.clone());
        inner.sync(&name)?;
        drop(inner);
        self.open = Some(Open {
            name,
            number,
            began: time,
            output,
            bytes: 0,
            claimed,
            since_look: 0,
        });
        Ok(number)
    }

    /// The number of the segment that is open. `None`: there is none.
    pub fn number(&self) -> Option<u64> {
        self.open.as_ref().map(|open| open.number)
    }

    /// Appends to the open segment: whole lines, whole blocks.
    ///
    /// Errors: [`Error::SpaceLow`]: the disk was full before, and nothing of this is written;
    /// [`Error::SizeReached`]; of the place, and then nothing of it is written either, or else the
    /// segment cannot be closed any more.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.write_pieces(&[bytes])
    }

    /// The same with whole lines or blocks that lie in several pieces, one behind the other.
    ///
    /// Errors: as [`Stream::write`].
    pub fn write_pieces(&mut self, pieces: &[&[u8]]) -> Result<(), Error> {
        let case = &self.case;
        let open = self.open.as_mut().ok_or_else(|| none(self.kind))?;
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        if case.0.spare.state() == SpareState::Full {
            case.check_space()?;
        }
        if open.bytes.saturating_add(length) > MOST_BYTES {
            return Err(Error::Write {
                file: open.name.clone(),
                source: io::ErrorKind::FileTooLarge.into(),
            });
        }
        let claimed = open.output.most_bytes(length);
        case.claim(&open.name, claimed)?;
        open.claimed += claimed;
        let make = &mut |name: &str| -> io::Result<File> { case.lock().create(name) };
        open.output
            .write(pieces, make)
            .map_err(Error::write(&open.name))?;
        open.bytes += length;
        open.since_look += length;
        if open.since_look >= LOOK_AT_SPACE_BYTES {
            open.since_look = 0;
            // `flush_to_disk` tells of it: what was handed in is written.
            match case.check_space() {
                Err(Error::SpaceLow { .. }) | Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What was written until now is there after a loss of power.
    ///
    /// Errors: [`Error::SpaceLow`]: it is on the disk, and it is time to stop; of the place, and
    /// then the segment cannot be closed any more.
    pub fn flush_to_disk(&mut self) -> Result<(), Error> {
        if let Some(open) = &mut self.open {
            let flushed = open.output.flush_to_disk();
            if flushed.map_err(Error::write(&open.name))? {
                self.case.lock().sync(&open.name)?;
            }
        }
        self.case.check_space()
    }

    /// How much was written to the open segment, in bytes.
    pub fn size(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.bytes)
    }

    /// Whether it is time to close the open segment and to begin another.
    pub fn is_due(&self, time: Timestamp) -> bool {
        self.open.as_ref().is_some_and(|open| {
            open.claimed >= self.limit.bytes || open.began.until(time) >= self.limit.time
        })
    }

    /// Closes the open segment, if there is one: it is brought to the disk, gets its name, its line
    /// in the manifest and its line in the log. `count` is how many events or packets it holds.
    ///
    /// Errors: of the place. The segment stays as it is then, and the case cannot be sealed.
    pub fn close(&mut self, time: Timestamp, count: u64) -> Result<(), Error> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let finished = open.output.finish(&open.name);
        let finished = finished.map_err(Error::write(&open.name))?;
        let mut inner = self.case.lock();
        inner.notice(time);
        let line = inner.name(&finished)?;
        let closed = Closed {
            kind: self.kind,
            name: line.name.clone(),
            sha256: line.sha256.clone(),
            bytes: finished.written.bytes,
            began: open.began,
            ended: time,
            count,
        };
        inner.manifest.add(line);
        inner.write_manifest(&self.case.0.spare)?;
        inner.tell(time, log::SEGMENT_CLOSED, closed.facts())?;
        inner.end(&open.name, open.claimed, &finished, closed)
    }
}

fn none(kind: Kind) -> Error {
    Error::Write {
        file: kind.word().to_owned(),
        source: io::Error::other("no segment was begun"),
    }
}

impl Inner {
    fn next_number(&mut self, kind: Kind) -> u64 {
        let [events, packets] = &mut self.numbers;
        let number = match kind {
            Kind::Events => events,
            Kind::Packets => packets,
        };
        *number += 1;
        *number
    }

    /// What is left to do when a segment has its name and its lines.
    fn end(
        &mut self,
        name: &str,
        claimed: u64,
        finished: &Finished,
        closed: Closed,
    ) -> Result<(), Error> {
        self.remove_row(&finished.row)?;
        self.used = self.used.saturating_sub(claimed) + closed.bytes;
        self.closed.push(closed);
        self.open.retain(|open| open != name);
        Ok(())
    }
}
