//! The bytes of a capture file into packets and their processes: files of this program, and of any
//! other; whole, or cut off anywhere.

use std::io::{self, Read};
use std::net::IpAddr;

use model::{LinkType, NetworkNamespace, Text, Timestamp};

use super::block::{self, code, kind};
use super::text::RecordText;

/// A longer block is taken for damage (Wireshark does the same).
const MOST_BLOCK_BYTES: usize = 16 << 20;
/// So much is asked of the source at once.
const CHUNK_BYTES: usize = 256 << 10;
/// More interfaces than any capture has; each is remembered.
const MOST_INTERFACES: usize = 1 << 20;

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
    /// What stands there is not a block.
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

/// How an interface counts time, and what its packets begin with.
#[derive(Clone, Copy, Debug)]
struct Clock {
    link: LinkType,
    /// Packets are cut after so many bytes. 0: they are not.
    most: u32,
    units: Units,
    offset_seconds: i64,
}

#[derive(Clone, Copy, Debug)]
enum Units {
    Nanoseconds,
    /// So many of them are a second.
    PerSecond(u128),
    /// More than we can count.
    TooSmall,
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

/// One block, and what is known of its section.
struct Block<'a, 'r> {
    kind: u32,
    body: Fields<'a>,
    interfaces: &'r mut Vec<Clock>,
    section: &'r mut usize,
    processes: &'r mut u32,
}

impl<'a> Block<'a, '_> {
    /// `None`: the block does not hold what its type promises.
    fn item(&mut self) -> Option<Item<'a>> {
        let mut body = self.body;
        Some(match self.kind {
            kind::SECTION => {
                *self.section = self.interfaces.len();
                body.take(16)?;
                Item::Section(section(body.options()))
            }
            kind::INTERFACE => Item::Interface(self.interface()?),
            kind::PROCESS => Item::Process(self.process()?),
            kind::PACKET => Item::Packet(self.packet()?),
            kind::OLD_PACKET => Item::Packet(self.old_packet()?),
            kind::SIMPLE_PACKET => Item::Packet(self.simple_packet()?),
            kind::STATISTICS => Item::Statistics(self.statistics()?),
            kind::NAMES => Item::Names(NamesRead {
                names: names(body.options()),
            }),
            kind => Item::Other { kind },
        })
    }

    fn interface(&mut self) -> Option<InterfaceRead> {
        let mut body = self.body;
        let link = LinkType(body.u16()?);
        body.u16()?;
        let mut clock = Clock {
            link,
            most: body.u32()?,
            units: Units::PerSecond(1_000_000),
            offset_seconds: 0,
        };
        if self.interfaces.len() >= MOST_INTERFACES {
            return None;
        }
        let mut interface = InterfaceRead {
            number: u32::try_from(self.interfaces.len()).ok()?,
            link,
            name: None,
            description: None,
            netns: None,
            addresses: Vec::new(),
            filter: None,
            os: None,
        };
        let fields = body;
        for (code, value) in body.options() {
            let mut number = Fields {
                bytes: value,
                ..fields
            };
            match code {
                code::INTERFACE_NAME => interface.name = Some(text(value)),
                code::INTERFACE_DESCRIPTION => {
                    interface.netns = namespace(value);
                    interface.description = Some(text(value));
                }
                code::INTERFACE_IPV4 => {
                    if let Some((ip, [a, b, c, d])) = value.split_first_chunk::<4>() {
                        let mask = u32::from_be_bytes([*a, *b, *c, *d]);
                        let prefix = u8::try_from(mask.leading_ones()).unwrap_or(32);
                        interface.addresses.push((IpAddr::from(*ip), prefix));
                    }
                }
                code::INTERFACE_IPV6 => {
                    if let Some((ip, [prefix])) = value.split_first_chunk::<16>() {
                        interface.addresses.push((IpAddr::from(*ip), *prefix));
                    }
                }
                code::INTERFACE_RESOLUTION => {
                    if let [resolution] = value {
                        clock.units = units(*resolution);
                    }
                }
                code::INTERFACE_FILTER => interface.filter = value.get(1..).map(text),
                code::INTERFACE_SYSTEM => interface.os = Some(text(value)),
                code::INTERFACE_OFFSET => {
                    if let Some(offset) = number.u64() {
                        clock.offset_seconds = offset.cast_signed();
                    }
                }
                _ => {}
            }
        }
        self.interfaces.push(clock);
        Some(interface)
    }

    fn process(&mut self) -> Option<ProcessRead> {
        let mut body = self.body;
        let pid = body.u32()?;
        let index = *self.processes;
        *self.processes = index.checked_add(1)?;
        let (mut name, mut comment) = (None, None);
        for (code, value) in body.options() {
            match code {
                code::PROCESS_NAME => name = name.or_else(|| Some(text(value))),
                code::COMMENT => comment = comment.or(Some(value)),
                _ => {}
            }
        }
        Some(ProcessRead {
            index,
            pid,
            name,
            comment: comment.map(text),
            record: comment.and_then(RecordText::parse),
        })
    }

    fn packet(&mut self) -> Option<PacketRead<'a>> {
        let mut body = self.body;
        let (number, clock) = self.clock(body.u32()?)?;
        let (high, low) = (body.u32()?, body.u32()?);
        let (kept, length) = (body.u32()?, body.u32()?);
        let bytes = body.padded(kept)?;
        let mut packet = PacketRead {
            interface: number,
            link: clock.link,
            time: clock.time(high, low),
            length,
            bytes,
            seq: None,
            flags: None,
            dropped: None,
            pid: None,
            process: None,
            options: body.options(),
        };
        for (code, value) in packet.options {
            let mut number = Fields {
                bytes: value,
                ..self.body
            };
            match code {
                code::FLAGS => packet.flags = number.u32(),
                code::DROPPED => packet.dropped = number.u64(),
                code::PACKET_ID => packet.seq = number.u64(),
                code::PROCESS_AND_THREAD => packet.pid = number.u32(),
                code::PROCESS_INDEX => {
                    packet.process = number.u32().filter(|index| *index < *self.processes);
                }
                _ => {}
            }
        }
        Some(packet)
    }

    /// Of files from before 2004, more or less (draft-ietf-opsawg-pcapng, appendix A).
    fn old_packet(&mut self) -> Option<PacketRead<'a>> {
        let mut body = self.body;
        let (number, clock) = self.clock(u32::from(body.u16()?))?;
        let dropped = body.u16()?;
        let (high, low) = (body.u32()?, body.u32()?);
        let (kept, length) = (body.u32()?, body.u32()?);
        let bytes = body.padded(kept)?;
        let mut packet = PacketRead {
            interface: number,
            link: clock.link,
            time: clock.time(high, low),
            length,
            bytes,
            seq: None,
            flags: None,
            // All ones: not known.
            dropped: (dropped != u16::MAX).then_some(u64::from(dropped)),
            pid: None,
            process: None,
            options: body.options(),
        };
        for (code, value) in packet.options {
            let mut number = Fields {
                bytes: value,
                ..self.body
            };
            if code == code::FLAGS {
                packet.flags = number.u32();
            }
        }
        Some(packet)
    }

    fn simple_packet(&mut self) -> Option<PacketRead<'a>> {
        let mut body = self.body;
        let (number, clock) = self.clock(0)?;
        let length = body.u32()?;
        let most = match clock.most {
            0 => length,
            most => length.min(most),
        };
        // The padding is not told apart from the packet when that was cut.
        let kept = most.min(u32::try_from(body.bytes.len()).ok()?);
        Some(PacketRead {
            interface: number,
            link: clock.link,
            time: None,
            length,
            bytes: body.take(usize::try_from(kept).ok()?)?,
            seq: None,
            flags: None,
            dropped: None,
            pid: None,
            process: None,
            options: Fields { bytes: &[], ..body }.options(),
        })
    }

    fn statistics(&mut self) -> Option<StatisticsRead> {
        let mut body = self.body;
        let (number, clock) = self.clock(body.u32()?)?;
        let mut statistics = StatisticsRead {
            interface: number,
            time: clock.time(body.u32()?, body.u32()?),
            began: None,
            ended: None,
            received: None,
            dropped_by_interface: None,
            dropped: None,
            delivered: None,
            of_namespace: false,
        };
        for (code, value) in body.options() {
            let mut number = Fields {
                bytes: value,
                ..self.body
            };
            let mut time = || clock.time(number.u32()?, number.u32()?);
            match code {
                code::BEGAN => statistics.began = time(),
                code::ENDED => statistics.ended = time(),
                code::RECEIVED => statistics.received = number.u64(),
                code::DROPPED_BY_INTERFACE => statistics.dropped_by_interface = number.u64(),
                code::DROPPED_BY_SYSTEM => statistics.dropped = number.u64(),
                code::DELIVERED => statistics.delivered = number.u64(),
                code::COMMENT => {
                    let record = RecordText::parse(value);
                    let counts = record.as_ref().and_then(|record| record.fact("counts"));
                    statistics.of_namespace |=
                        counts.is_some_and(|counts| counts.bytes() == b"namespace");
                }
                _ => {}
            }
        }
        Some(statistics)
    }

    /// An interface of this section, and its number in the file.
    fn clock(&self, in_section: u32) -> Option<(u32, Clock)> {
        let place = usize::try_from(in_section)
            .ok()?
            .checked_add(*self.section)?;
        let clock = self.interfaces.get(place)?;
        Some((u32::try_from(place).ok()?, *clock))
    }
}

fn section(options: Options<'_>) -> Section {
    let mut section = Section {
        comment: None,
        hardware: None,
        os: None,
        application: None,
    };
    for (code, value) in options {
        let field = match code {
            code::COMMENT => &mut section.comment,
            code::HARDWARE => &mut section.hardware,
            code::SYSTEM => &mut section.os,
            code::APPLICATION => &mut section.application,
            _ => continue,
        };
        field.get_or_insert_with(|| text(value));
    }
    section
}

/// Records have the form of options; each has an address and the names that end in NUL.
fn names(records: Options<'_>) -> Vec<(IpAddr, Text)> {
    let mut names = Vec::new();
    for (code, value) in records {
        let (ip, rest) = match code {
            block::name::IPV4 => match value.split_first_chunk::<4>() {
                Some((ip, rest)) => (IpAddr::from(*ip), rest),
                None => continue,
            },
            block::name::IPV6 => match value.split_first_chunk::<16>() {
                Some((ip, rest)) => (IpAddr::from(*ip), rest),
                None => continue,
            },
            _ => continue,
        };
        let each = rest.split(|byte| *byte == 0);
        names.extend(
            each.filter(|name| !name.is_empty())
                .map(|name| (ip, text(name))),
        );
    }
    names
}

fn text(value: &[u8]) -> Text {
    Text::from(value)
}

fn namespace(description: &[u8]) -> Option<NetworkNamespace> {
    let digits = description.strip_prefix(b"network namespace ")?;
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(NetworkNamespace(number))
}

/// The first bit says whether it is a power of 2 or of 10 (draft-ietf-opsawg-pcapng, 4.2).
fn units(resolution: u8) -> Units {
    if resolution == 9 {
        return Units::Nanoseconds;
    }
    let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
    let units = base.checked_pow(u32::from(resolution & 0x7f));
    units.map_or(Units::TooSmall, Units::PerSecond)
}

impl Clock {
    fn time(&self, high: u32, low: u32) -> Option<Timestamp> {
        let count = u64::from(high) << 32 | u64::from(low);
        let nanos = match self.units {
            Units::Nanoseconds => count,
            Units::PerSecond(units) => {
                let nanos = u128::from(count).checked_mul(1_000_000_000)? / units;
                u64::try_from(nanos).ok()?
            }
            Units::TooSmall => return None,
        };
        let offset = self.offset_seconds.checked_mul(1_000_000_000)?;
        let nanos = i64::try_from(nanos).ok()?.checked_add(offset)?;
        Some(Timestamp::from_unix_nanos(nanos))
    }
}

/// Bytes in the order of their section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fields<'a> {
    bytes: &'a [u8],
    is_big_endian: bool,
}

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    /// With the bytes that fill it up to a multiple of four.
    fn padded(&mut self, length: u32) -> Option<&'a [u8]> {
        let length = usize::try_from(length).ok()?;
        let taken = self.take(length)?;
        self.take(block::padding(length).min(self.bytes.len()))?;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.array()?;
        Some(if self.is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.array()?;
        Some(if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    fn u64(&mut self) -> Option<u64> {
        let bytes = self.array()?;
        Some(if self.is_big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }

    fn options(self) -> Options<'a> {
        Options { rest: self }
    }
}

/// Codes and values, up to the end mark or to where they make no sense any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Options<'a> {
    rest: Fields<'a>,
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (code, length) = (self.rest.u16()?, self.rest.u16()?);
        if code == code::END {
            self.rest.bytes = &[];
            return None;
        }
        Some((code, self.rest.padded(u32::from(length))?))
    }
}
