//! Files of pcapng (draft-ietf-opsawg-pcapng): blocks, each with its type and its length. What is not
//! known is passed by.
//!
//! Processes stand in blocks of their own, in two forms: Apple's, which packets name by their number
//! counted over the whole file, and Wireshark 5's, which packets name by pid. Or in comments; see
//! `notes`.

mod interface;
mod options;
mod process;

use model::{Gap, Imported, Source};

use self::interface::Interface;
use self::options::Comments;
use self::process::Blocks;
use super::super::format::Out;
use super::book::{Book, Frame};
use super::fields::Fields;
use super::{MOST_RECORD_BYTES, Step};

/// The byte order can be read from the first two; this is the same in both.
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAMES: u32 = 4;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;
/// Apple's.
const PROCESS: u32 = 0x8000_0001;
/// Those that may be copied by who does not know them, and those that may not.
const CUSTOM: [u32; 2] = [0x0000_0bad, 0x4000_0bad];
const BYTE_ORDER: u32 = 0x1a2b_3c4d;

/// More interfaces than any capture has; each is remembered.
const MOST_INTERFACES: usize = 1 << 16;

pub(super) fn recognises(head: &[u8]) -> bool {
    head.starts_with(&SECTION.to_le_bytes()) && {
        let order = head.get(8..12);
        order == Some(&BYTE_ORDER.to_le_bytes()) || order == Some(&BYTE_ORDER.to_be_bytes())
    }
}

#[derive(Default)]
pub(super) struct Records {
    is_big_endian: bool,
    /// Of this section.
    interfaces: Vec<Interface>,
    blocks: Blocks,
    comments: Comments,
    /// Packets that were lost, as the packets behind them say.
    lost: u64,
    /// The same as the counts of interfaces say, of the sections before.
    lost_before: u64,
    /// When the first and the last packet came. `None`: none has a time.
    times: Option<(i64, i64)>,
}

impl super::Records for Records {
    #[inline]
    fn next(&mut self, bytes: &[u8], book: &mut Book, out: &mut Out) -> Step {
        let &[kind, length, order] = bytes.get(..12).unwrap_or_default().as_chunks::<4>().0 else {
            return Step::More(12);
        };
        let is_section = kind == SECTION.to_le_bytes();
        if is_section {
            self.is_big_endian = match order {
                order if order == BYTE_ORDER.to_le_bytes() => false,
                order if order == BYTE_ORDER.to_be_bytes() => true,
                _ => return Step::Damaged("a section of no byte order"),
            };
        }
        let number = if self.is_big_endian {
            u32::from_be_bytes
        } else {
            u32::from_le_bytes
        };
        let size = usize::try_from(number(length)).unwrap_or(usize::MAX);
        if size < 12 || size % 4 != 0 || size > MOST_RECORD_BYTES {
            return Step::Damaged("a block of a length that no block has");
        }
        let Some(block) = bytes.get(..size) else {
            return Step::More(size);
        };
        let Some((body, behind)) = block.get(8..).and_then(|body| body.split_last_chunk::<4>())
        else {
            return Step::Damaged("a block of a length that no block has");
        };
        if *behind != length {
            return Step::Damaged("a block whose two lengths differ");
        }
        let body = Fields {
            bytes: body,
            is_big_endian: self.is_big_endian,
        };
        if self.block(number(kind), body, book, out).is_none() {
            let packet = book.packets + 1;
            out.skip(
                || format!("packet {packet}"),
                || format!("a block of type {} is not whole", number(kind)),
            );
        }
        Step::Taken(size)
    }

    fn end(&mut self, _: &mut Book, out: &mut Out) {
        self.end_section();
        // Both count the same packets.
        let lost = self.lost.max(self.lost_before);
        if lost > 0 {
            let gap = Gap::standing(
                "packets_lost",
                Source::Capture,
                "whoever captured had no time for all packets",
                "packets; bytes and names may be missing",
            );
            out.seen.push(Imported::Gap(Gap {
                count: Some(lost),
                since: self.times.map(|(first, _)| out.time(first)),
                until: self.times.map(|(_, last)| out.time(last)),
                ..gap
            }));
        }
    }
}

impl Records {
    /// `None`: it does not hold what its type promises.
    #[inline]
    fn block(&mut self, kind: u32, body: Fields<'_>, book: &mut Book, out: &mut Out) -> Option<()> {
        match kind {
            PACKET => self.packet(body, book, out),
            SIMPLE_PACKET => self.simple_packet(body, book, out),
            OLD_PACKET => self.old_packet(body, book, out),
            SECTION => {
                self.end_section();
                Some(())
            }
            INTERFACE => {
                let interface = Interface::of(body)?;
                if self.interfaces.len() >= MOST_INTERFACES {
                    return None;
                }
                self.interfaces.push(interface);
                Some(())
            }
            PROCESS => self.blocks.apple(body, &mut book.processes),
            kind if CUSTOM.contains(&kind) => self.blocks.custom(body, &mut book.processes),
            NAMES => {
                names(body, book);
                Some(())
            }
            STATISTICS => {
                let mut body = body;
                let interface = self.interfaces.get_mut(body.size()?)?;
                interface.count(body)
            }
            _ => Some(()),
        }
    }

    fn end_section(&mut self) {
        let lost = interface::lost(&self.interfaces);
        self.lost_before = self.lost_before.saturating_add(lost);
        self.interfaces.clear();
    }

    #[inline]
    fn packet(&mut self, mut body: Fields<'_>, book: &mut Book, out: &mut Out) -> Option<()> {
        let interface = *self.interfaces.get(body.size()?)?;
        let time = interface.time(body.u32()?, body.u32()?);
        let (kept, length) = (body.u32()?, body.u32()?);
        let bytes = body.padded(usize::try_from(kept).ok()?)?;
        self.hand_on(
            interface,
            time,
            bytes,
            length.max(kept),
            body,
            None,
            book,
            out,
        );
        Some(())
    }

    /// Of files from before 2004, more or less (draft-ietf-opsawg-pcapng, appendix A).
    fn old_packet(&mut self, mut body: Fields<'_>, book: &mut Book, out: &mut Out) -> Option<()> {
        let interface = *self.interfaces.get(usize::from(body.u16()?))?;
        // All ones: not known.
        let lost = body.u16()?;
        let lost = (lost != u16::MAX).then_some(u64::from(lost));
        let time = interface.time(body.u32()?, body.u32()?);
        let (kept, length) = (body.u32()?, body.u32()?);
        let bytes = body.padded(usize::try_from(kept).ok()?)?;
        self.hand_on(
            interface,
            time,
            bytes,
            length.max(kept),
            body,
            lost,
            book,
            out,
        );
        Some(())
    }

    fn simple_packet(
        &mut self,
        mut body: Fields<'_>,
        book: &mut Book,
        out: &mut Out,
    ) -> Option<()> {
        let interface = *self.interfaces.first()?;
        let length = body.u32()?;
        let most = match interface.most {
            0 => length,
            most => length.min(most),
        };
        // The padding is not told apart from the packet when that was cut.
        let kept = usize::try_from(most).ok()?.min(body.bytes.len());
        let bytes = body.take(kept)?;
        let nothing = body.with(&[]);
        self.hand_on(interface, None, bytes, length, nothing, None, book, out);
        Some(())
    }

    #[inline]
    #[expect(clippy::too_many_arguments, reason = "the parts of one packet")]
    fn hand_on(
        &mut self,
        interface: Interface,
        time: Option<i64>,
        bytes: &[u8],
        length: u32,
        options: Fields<'_>,
        lost: Option<u64>,
        book: &mut Book,
        out: &mut Out,
    ) {
        book.owners.clear();
        let mut way = None;
        let mut lost = lost.unwrap_or(0);
        if !options.bytes.is_empty() {
            let told = self.comments.options(options, time, &self.blocks, book);
            way = told.way;
            lost = lost.saturating_add(told.lost.unwrap_or(0));
        }
        self.lost = self.lost.saturating_add(lost);
        if let Some(time) = time {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first.min(time), last.max(time)));
        }
        let frame = Frame {
            time,
            link: interface.link,
            bytes,
            length,
            way,
        };
        book.packet(&frame, out);
    }
}

/// Names that the tool had for addresses (draft-ietf-opsawg-pcapng, 4.5). Each record has the form of
/// an option.
fn names(body: Fields<'_>, book: &mut Book) {
    for (code, record) in body.options() {
        let (ip, names) = match code {
            1 => match record.bytes.split_first_chunk::<4>() {
                Some((ip, names)) => (std::net::IpAddr::from(*ip), names),
                None => continue,
            },
            2 => match record.bytes.split_first_chunk::<16>() {
                Some((ip, names)) => (std::net::IpAddr::from(*ip), names),
                None => continue,
            },
            _ => continue,
        };
        if let Some(name) = names.split(|byte| *byte == 0).next() {
            book.resolved.add(ip, name);
        }
    }
}
