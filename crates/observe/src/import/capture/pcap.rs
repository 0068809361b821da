//! Files of libpcap (<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html>): a header, and
//! each packet behind a header of its own, in the byte order of whoever wrote it.

use super::super::format::Out;
use super::book::{Book, Frame};
use super::{MOST_RECORD_BYTES, Step};

const FILE_HEADER: usize = 24;
/// Of times in microseconds, and in nanoseconds.
const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;
/// With eight bytes more in the header of each packet, as Linux of the last century had it.
const MODIFIED: u32 = 0xa1b2_cd34;
const KINDS: [u32; 3] = [MICROSECONDS, NANOSECONDS, MODIFIED];

pub(super) fn recognises(head: &[u8]) -> bool {
    kind(head).is_some()
}

/// What the file begins with, and whether its numbers are big-endian.
fn kind(head: &[u8]) -> Option<(u32, bool)> {
    let magic = *head.first_chunk()?;
    let orders = [
        (u32::from_le_bytes(magic), false),
        (u32::from_be_bytes(magic), true),
    ];
    orders.into_iter().find(|(kind, _)| KINDS.contains(kind))
}

#[derive(Default)]
pub(super) struct Records {
    /// `None`: nothing was read yet.
    header: Option<Header>,
}

#[derive(Clone, Copy)]
struct Header {
    is_big_endian: bool,
    link: u16,
    /// How many nanoseconds the smaller number of a time counts.
    unit: i64,
    /// Of a packet.
    header: usize,
}

impl super::Records for Records {
    #[inline]
    fn next(&mut self, bytes: &[u8], book: &mut Book, out: &mut Out) -> Step {
        let Some(header) = self.header else {
            return self.begin(bytes);
        };
        let Some((fields, _)) = bytes.split_first_chunk::<16>() else {
            return Step::More(header.header);
        };
        let &[seconds, part, kept, length] = fields.as_chunks::<4>().0 else {
            return Step::More(header.header);
        };
        let number = |bytes| {
            if header.is_big_endian {
                u32::from_be_bytes(bytes)
            } else {
                u32::from_le_bytes(bytes)
            }
        };
        let (seconds, part) = (number(seconds), number(part));
        let (kept, length) = (number(kept), number(length));
        let kept_bytes = usize::try_from(kept).unwrap_or(usize::MAX);
        if kept_bytes > MOST_RECORD_BYTES {
            return Step::Damaged("a packet that is longer than any is");
        }
        let end = header.header + kept_bytes;
        let Some(bytes) = bytes.get(header.header..end) else {
            return Step::More(end);
        };
        let frame = Frame {
            time: Some(i64::from(seconds) * 1_000_000_000 + i64::from(part) * header.unit),
            link: header.link,
            bytes,
            length: length.max(kept),
            way: None,
        };
        book.owners.clear();
        book.packet(&frame, out);
        Step::Taken(end)
    }

    fn end(&mut self, _: &mut Book, _: &mut Out) {}
}

impl Records {
    fn begin(&mut self, bytes: &[u8]) -> Step {
        let Some(header) = bytes.get(..FILE_HEADER) else {
            return Step::More(FILE_HEADER);
        };
        let (Some((kind, is_big_endian)), Some(link)) = (kind(header), header.last_chunk::<4>())
        else {
            return Step::Damaged("this is no header of a pcap file");
        };
        let link = if is_big_endian {
            u32::from_be_bytes(*link)
        } else {
            u32::from_le_bytes(*link)
        };
        // The upper half says whether a checksum stands behind each packet.
        let link = u16::try_from(link & 0xffff).unwrap_or(0);
        self.header = Some(Header {
            is_big_endian,
            link,
            unit: if kind == NANOSECONDS { 1 } else { 1000 },
            header: if kind == MODIFIED { 24 } else { 16 },
        });
        Step::Taken(FILE_HEADER)
    }
}
