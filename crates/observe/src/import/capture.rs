//! Captures: packets as some tool recorded them, in a pcap or a pcapng file, into connections with
//! names, owners and devices.
//!
//! A file is read from its beginning to its end, once; memory grows with the conversations that are
//! open at one time, up to a bound, and not with the file.

mod book;
mod buffer;
mod connection;
mod conversation;
mod devices;
mod errors;
mod fields;
mod fragments;
mod link;
mod notes;
mod pcap;
mod pcapng;
mod pktap;
mod processes;
mod reading;
mod resolved;
mod table;
mod texts;
mod unseen;

use std::io;

use self::book::Book;
use self::buffer::Buffer;
use super::format::{Format, Kind, Out};
use super::input::{Input, is_damage};

pub(super) const PCAP: Kind = Kind {
    name: "pcap",
    recognises: pcap::recognises,
    open: || Box::new(Capture::<pcap::Records>::default()),
};

pub(super) const PCAPNG: Kind = Kind {
    name: "pcapng",
    recognises: pcapng::recognises,
    open: || Box::new(Capture::<pcapng::Records>::default()),
};

/// A longer record is taken for damage (Wireshark does the same).
const MOST_RECORD_BYTES: usize = 16 << 20;

/// Takes a file apart into its records.
trait Records: Default + Send {
    /// Takes the next record out of bytes that begin with it.
    fn next(&mut self, bytes: &[u8], book: &mut Book, out: &mut Out) -> Step;

    /// There are no more.
    fn end(&mut self, book: &mut Book, out: &mut Out);
}

enum Step {
    /// So many bytes were a record.
    Taken(usize),
    /// A record is so long, or longer, and is not there as a whole.
    More(usize),
    /// What stands there is no record.
    Damaged(&'static str),
}

#[derive(Default)]
struct Capture<R> {
    buffer: Buffer,
    records: R,
    book: Book,
    wanted: usize,
    is_read: bool,
}

impl<R: Records> Format for Capture<R> {
    fn read(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        if self.is_read {
            return Ok(self.book.end(out));
        }
        let filled = match self.buffer.fill(input, self.wanted.max(1)) {
            // It cannot be unpacked any further: what came before counts.
            Err(error) if is_damage(&error) => {
                out.cut(format!("byte {}", self.buffer.position()));
                false
            }
            filled => filled?,
        };
        if filled {
            self.take(out);
        } else {
            if !self.buffer.bytes().is_empty() {
                out.cut(format!("byte {}", self.buffer.position()));
            }
            self.is_read = true;
        }
        if self.is_read {
            self.records.end(&mut self.book, out);
        }
        self.book.processes.flush(out);
        Ok(true)
    }
}

impl<R: Records> Capture<R> {
    /// Takes all records that are there as a whole.
    fn take(&mut self, out: &mut Out) {
        loop {
            match self.records.next(self.buffer.bytes(), &mut self.book, out) {
                Step::Taken(length) => self.buffer.take(length),
                Step::More(wanted) => {
                    self.wanted = wanted;
                    return;
                }
                Step::Damaged(why) => {
                    let position = self.buffer.position();
                    out.skip(|| format!("byte {position}"), || why.to_owned());
                    self.is_read = true;
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
