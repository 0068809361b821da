//! The bytes of a capture file into packets and their processes: files of this program, and of any
//! other; whole, or cut off anywhere.

mod blocks;
mod clock;
mod fields;

use std::io::{self, Read};
use std::net::IpAddr;

use model::{LinkType, NetworkNamespace, Text, Timestamp};

use self::blocks::Block;
use self::clock::Clock;
use self::fields::{Fields, Options};
use super::block::{self, code, kind};
use super::text::RecordText;

/// A longer block is taken for damage (Wireshark does the same).
const MOST_BLOCK_BYTES: usize = 16 << 20;
/// So much is asked of the source at once.
const CHUNK_BYTES: usize = 256 << 10;
/// More interfaces than any capture has; each is remembered.
const MOST_INTERFACES: usize = 1 << 18;

/// Why a file could not be read at all. What is wrong later in a file is a [`Stop`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("this is not a pcapng file")]
    NotPcapng,
    #[error("cannot read the packets")]
    Read(#[from] io::Error),
}

/// Where reading ended before the end of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Bytes before this one belong to whole blocks.
    pub at: u64,
    pub reason: StopReason,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The file ends within a block: it was being written.
    Cut,
    /// What stands there is not a block, or there are more interfaces than any capture has.
    Damaged,
}

/// What a file holds, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    Section(Section),
    Interface(InterfaceRead),
    Process(ProcessRead),
    Packet(PacketRead<'a>),
    Statistics(StatisticsRead),
    Names(NamesRead),
    /// A block of another type.
    Other {
        kind: u32,
    },
}

/// The head of a file, or of a part of it that once was a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub comment: Option<Text>,
    pub hardware: Option<Text>,
    pub os: Option<Text>,
    pub application: Option<Text>,
}

/// Where packets passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceRead {
    /// Counted over the whole file.
    pub number: u32,
    pub link: LinkType,
    pub name: Option<Text>,
    pub description: Option<Text>,
    /// `None`: not one of our files, or it was not known.
    pub netns: Option<NetworkNamespace>,
    /// With the length of their prefix.
    pub addresses: Vec<(IpAddr, u8)>,
    pub filter: Option<Text>,
    pub os: Option<Text>,
}

/// A process that packets belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessRead {
    /// Counted over the whole file; packets name it.
    pub index: u32,
    pub pid: u32,
    pub name: Option<Text>,
    pub comment: Option<Text>,
    /// The comment, when it is one of ours.
    pub record: Option<RecordText>,
}

/// A packet as it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketRead<'a> {
    /// As [`InterfaceRead::number`].
    pub interface: u32,
    pub link: LinkType,
    /// `None`: the file does not tell, or it is no time of our calendar.
    pub time: Option<Timestamp>,
    /// How long it was; `bytes` may be fewer.
    pub length: u32,
    pub bytes: &'a [u8],
    /// Its number in the case. `None`: not one of our files.
    pub seq: Option<u64>,
    /// Direction and more (draft-ietf-opsawg-pcapng, 4.3.1).
    pub flags: Option<u32>,
    /// Packets of its interface that were lost since the one before.
    pub dropped: Option<u64>,
    /// `None`: not known, or two processes of the file had it.
    pub pid: Option<u32>,
    /// As [`ProcessRead::index`]; its block came before.
    pub process: Option<u32>,
    options: Options<'a>,
}

impl<'a> PacketRead<'a> {
    pub fn comments(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let comments = self.options.filter(|(code, _)| *code == code::COMMENT);
        comments.map(|(_, comment)| comment)
    }
}

/// What was counted at an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatisticsRead {
    /// As [`InterfaceRead::number`].
    pub interface: u32,
    pub time: Option<Timestamp>,
    pub began: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub received: Option<u64>,
    pub dropped_by_interface: Option<u64>,
    /// Packets that the system had no room for.
    pub dropped: Option<u64>,
    pub delivered: Option<u64>,
    /// The numbers are those of all interfaces of its network namespace together.
    pub of_namespace: bool,
}

/// Names that were seen for addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamesRead {
    pub names: Vec<(IpAddr, Text)>,
}

/// Reads a file from its beginning to its end, or to where it is cut off or damaged. Memory: one
/// block, and a few bytes for each interface.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    buffer: Vec<u8>,
    /// The block that was handed on last begins here, and ends there.
    begin: usize,
    end: usize,
    /// Bytes in the buffer.
    filled: usize,
    /// Where in the file the buffer begins.
    offset: u64,
    is_big_endian: bool,
    interfaces: Vec<Clock>,
    /// The first of `interfaces` that belongs to this section.
    section: usize,
    processes: u32,
    /// The whole file was read.
    is_over: bool,
    stop: Option<Stop>,
}

impl<R: Read> Reader<R> {
    pub fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            begin: 0,
            end: 0,
            filled: 0,
            offset: 0,
            is_big_endian: false,
            interfaces: Vec::new(),
            section: 0,
            processes: 0,
            is_over: false,
            stop: None,
        }
    }

    /// The next block; `None` at the end, or where [`stop`](Self::stop) says that it is one.
    ///
    /// Errors: the source cannot be read, or does not begin like a pcapng file.
    #[expect(
        clippy::should_implement_trait,
        reason = "an item borrows the bytes of its packet from the reader"
    )]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, Error> {
        if self.is_over {
            return Ok(None);
        }
        self.begin = self.end;
        let block = match self.frame()? {
            Framed::Block { kind, end } => {
                self.end = end;
                kind
            }
            Framed::End => {
                self.is_over = true;
                return Ok(None);
            }
            Framed::Stop(reason) => {
                self.stop_here(reason);
                return Ok(None);
            }
        };
        let body = self.buffer.get(self.begin + 8..self.end.saturating_sub(4));
        let mut block = Block {
            kind: block,
            body: Fields {
                bytes: body.unwrap_or_default(),
                is_big_endian: self.is_big_endian,
            },
            interfaces: &mut self.interfaces,
            section: &mut self.section,
            processes: &mut self.processes,
        };
        match block.item() {
            Some(item) => Ok(Some(item)),
            None => {
                self.is_over = true;
                self.stop = Some(Stop {
                    at: self.offset + to_u64(self.begin),
                    reason: StopReason::Damaged,
                });
                Ok(None)
            }
        }
    }

    /// Where reading ended before the end of the file; known when there is no next item.
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// Bytes of the blocks that were handed on.
    pub fn position(&self) -> u64 {
        self.offset
            + to_u64(if self.stop.is_some() {
                self.begin
            } else {
                self.end
            })
    }

    fn stop_here(&mut self, reason: StopReason) {
        self.is_over = true;
        self.end = self.begin;
        self.stop = Some(Stop {
            at: self.offset + to_u64(self.begin),
            reason,
        });
    }

    /// Makes sure that the next block is in the buffer as a whole.
    fn frame(&mut self) -> Result<Framed, Error> {
        let is_first = self.offset == 0 && self.begin == 0;
        let available = self.fill(12)?;
        if available == 0 {
            return Ok(Framed::End);
        }
        let head = self.buffer.get(self.begin..self.begin + available.min(12));
        let head = head.unwrap_or_default();
        let section = kind::SECTION.to_le_bytes();
        let is_section = head.starts_with(&section);
        if is_first && !is_section && !section.starts_with(head) {
            return Err(Error::NotPcapng);
        }
        let &[kind, length, order] = head.as_chunks::<4>().0 else {
            return Ok(Framed::Stop(StopReason::Cut));
        };
        if is_section {
            self.is_big_endian = match order {
                order if order == block::BYTE_ORDER.to_le_bytes() => false,
                order if order == block::BYTE_ORDER.to_be_bytes() => true,
                _ if is_first => return Err(Error::NotPcapng),
                _ => return Ok(Framed::Stop(StopReason::Damaged)),
            };
        }
        let number = if self.is_big_endian {
            u32::from_be_bytes
        } else {
            u32::from_le_bytes
        };
        let (kind, field) = (number(kind), length);
        let length = usize::try_from(number(length)).unwrap_or(usize::MAX);
        if length < 12 || length % 4 != 0 || length > MOST_BLOCK_BYTES {
            return Ok(Framed::Stop(StopReason::Damaged));
        }
        if self.fill(length)? < length {
            return Ok(Framed::Stop(StopReason::Cut));
        }
        let end = self.begin + length;
        if self.buffer.get(end - 4..end) != Some(&field[..]) {
            return Ok(Framed::Stop(StopReason::Damaged));
        }
        Ok(Framed::Block { kind, end })
    }

    /// Reads until so many bytes from `begin` on are in the buffer, or no more come; returns how
    /// many there are.
    fn fill(&mut self, wanted: usize) -> Result<usize, Error> {
        while self.filled - self.begin < wanted {
            if self.begin > 0 {
                self.buffer.copy_within(self.begin..self.filled, 0);
                self.offset += to_u64(self.begin);
                self.filled -= self.begin;
                self.begin = 0;
                self.end = 0;
            }
            // Grows with what really comes, not with what a length promises.
            if self.buffer.len() < self.filled + CHUNK_BYTES {
                self.buffer.resize(self.filled + CHUNK_BYTES, 0);
            }
            let space = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match self.source.read(space) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.filled - self.begin)
    }
}

enum Framed {
    Block { kind: u32, end: usize },
    End,
    Stop(StopReason),
}

fn to_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
