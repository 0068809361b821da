//! The body of one block into what it tells.

use std::net::IpAddr;

use model::{LinkType, NetworkNamespace, Text};

use super::super::block::{self, code, kind};
use super::super::text::RecordText;
use super::clock::{Clock, Units, units};
use super::fields::{Fields, Options};
use super::{
    InterfaceRead, Item, MOST_INTERFACES, NamesRead, PacketRead, ProcessRead, Section,
    StatisticsRead,
};

/// One block, and what is known of its section.
pub(super) struct Block<'a, 'r> {
    pub(super) kind: u32,
    pub(super) body: Fields<'a>,
    pub(super) interfaces: &'r mut Vec<Clock>,
    pub(super) section: &'r mut usize,
    pub(super) processes: &'r mut u32,
}

impl<'a> Block<'a, '_> {
    /// `None`: the block does not hold what its type promises.
    pub(super) fn item(&mut self) -> Option<Item<'a>> {
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
