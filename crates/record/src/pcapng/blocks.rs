//! The blocks of a capture file, one function for each.

use std::collections::HashSet;
use std::net::IpAddr;

use model::{Interface, InterfaceKey, LinkType, Text, Timestamp, Way};

use super::block::{self, code, kind};
use super::write::{Header, Statistics};

/// Readers of captures refuse longer packets (Wireshark, `WTAP_MAX_PACKET_SIZE_STANDARD`).
pub(super) const MOST_PACKET_BYTES: usize = 262_144;

/// Direction, and to whom it was sent (draft-ietf-opsawg-pcapng, 4.3.1).
pub(super) fn flags(way: Way) -> u32 {
    const IN: u32 = 1;
    const OUT: u32 = 2;
    const UNICAST: u32 = 1 << 2;
    const MULTICAST: u32 = 2 << 2;
    const BROADCAST: u32 = 3 << 2;
    const OVERHEARD: u32 = 4 << 2;
    match way {
        Way::Out => OUT,
        Way::In => IN | UNICAST,
        Way::Broadcast => IN | BROADCAST,
        Way::Multicast => IN | MULTICAST,
        Way::OtherHost => IN | OVERHEARD,
    }
}

/// The options of a packet, in the order in which they are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PacketOptions<'a> {
    pub(super) comments: &'a [&'a [u8]],
    pub(super) flags: Option<u32>,
    pub(super) dropped: Option<u64>,
    pub(super) seq: Option<u64>,
    pub(super) pid: Option<u32>,
    pub(super) index: Option<u32>,
}

/// High and low half of the nanoseconds since 1970; times before that become 1970.
fn halves(time: Timestamp) -> [[u8; 4]; 2] {
    let nanos = u64::try_from(time.unix_nanos()).unwrap_or(0);
    let [a, b, c, d, e, f, g, h] = nanos.to_le_bytes();
    [[e, f, g, h], [a, b, c, d]]
}

pub(super) fn write_packet(
    interface: u32,
    time: Timestamp,
    length: u32,
    bytes: &[u8],
    options: &PacketOptions<'_>,
    out: &mut Vec<u8>,
) {
    let bytes = bytes.get(..MOST_PACKET_BYTES).unwrap_or(bytes);
    out.reserve(128 + bytes.len());
    let start = begin_packet(interface, time, length, bytes.len(), out);
    out.extend_from_slice(bytes);
    end_packet(start, bytes.len(), 0, options, out);
}

/// Up to where the bytes belong of which so many are kept. [`end_packet`] needs what it returns.
#[inline]
pub(super) fn begin_packet(
    interface: u32,
    time: Timestamp,
    length: u32,
    kept: usize,
    out: &mut Vec<u8>,
) -> usize {
    let kept = u32::try_from(kept).unwrap_or(u32::MAX);
    let start = block::begin(kind::PACKET, out);
    let [high, low] = halves(time);
    let head = [
        interface.to_le_bytes(),
        high,
        low,
        kept.to_le_bytes(),
        length.max(kept).to_le_bytes(),
    ];
    out.extend_from_slice(head.as_flattened());
    start
}

/// From behind the bytes on; so many of them are not in `out`.
#[inline]
pub(super) fn end_packet(
    start: usize,
    kept: usize,
    elsewhere: usize,
    options: &PacketOptions<'_>,
    out: &mut Vec<u8>,
) {
    block::pad(kept, out);
    for comment in options.comments {
        block::option(code::COMMENT, comment, out);
    }
    if let Some(flags) = options.flags {
        block::option_u32(code::FLAGS, flags, out);
    }
    if let Some(dropped) = options.dropped {
        block::option_u64(code::DROPPED, dropped, out);
    }
    if let Some(seq) = options.seq {
        block::option_u64(code::PACKET_ID, seq, out);
    }
    if let Some(pid) = options.pid {
        // The upper half is the thread, which is not known.
        block::option_u64(code::PROCESS_AND_THREAD, u64::from(pid), out);
    }
    if let Some(index) = options.index {
        block::option_u32(code::PROCESS_INDEX, index, out);
    }
    block::end_of_options(out);
    block::end_around(start, elsewhere, out);
}

pub(super) fn section(header: &Header, segment: Option<u32>, out: &mut Vec<u8>) {
    let start = block::begin(kind::SECTION, out);
    out.extend_from_slice(&block::BYTE_ORDER.to_le_bytes());
    // Version 1.0 of the format, and the section is as long as the file will be.
    out.extend_from_slice(&[1, 0, 0, 0]);
    out.extend_from_slice(&(-1_i64).to_le_bytes());
    let part = segment.map_or_else(|| " export=1".to_owned(), |number| format!(" seq={number}"));
    let comment = format!(
        "whocalls/1 case={}{part}; process names are from Linux, written in Apple's block form \
         because Wireshark 4.6 shows it; not a Darwin capture",
        header.case
    );
    block::text_option(code::COMMENT, &comment, out);
    if let Some(hardware) = &header.hardware {
        block::text_option(code::HARDWARE, hardware, out);
    }
    block::text_option(code::SYSTEM, &header.os, out);
    block::text_option(
        code::APPLICATION,
        &format!("whocalls {}", header.version),
        out,
    );
    block::end_of_options(out);
    block::end(start, out);
}

pub(super) fn write_interface(
    header: &Header,
    key: InterfaceKey,
    link: LinkType,
    interface: Option<&Interface>,
    out: &mut Vec<u8>,
) {
    let mut addresses = Vec::new();
    for (ip, prefix) in interface.iter().flat_map(|interface| &interface.addresses) {
        address_option(*ip, *prefix, &mut addresses);
    }
    let name = interface.map_or_else(
        || format!("interface {}", key.index),
        |interface| interface.name.lossy().into_owned(),
    );
    let netns = key
        .netns
        .map(|netns| format!("network namespace {}", netns.0));
    let filter = header
        .packet_bytes
        .map(|most| format!("the first {most} bytes of each packet"));
    describe_interface(
        link,
        &InterfaceOptions {
            name: Some(&name),
            description: netns.as_deref(),
            addresses: &addresses,
            filter: filter.as_deref(),
            os: Some(&header.os),
        },
        out,
    );
}

/// An address of an interface and what of it is the network's.
pub(super) fn address_option(ip: IpAddr, prefix: u8, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(prefix)));
            let value = [ip.octets(), mask.unwrap_or(0).to_be_bytes()];
            block::option(code::INTERFACE_IPV4, value.as_flattened(), out);
        }
        IpAddr::V6(ip) => {
            let mut value = ip.octets().to_vec();
            value.push(prefix);
            block::option(code::INTERFACE_IPV6, &value, out);
        }
    }
}

/// The options of an interface, in the order in which they are written.
pub(super) struct InterfaceOptions<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    /// Encoded options.
    pub(super) addresses: &'a [u8],
    pub(super) filter: Option<&'a str>,
    pub(super) os: Option<&'a str>,
}

pub(super) fn describe_interface(
    link: LinkType,
    options: &InterfaceOptions<'_>,
    out: &mut Vec<u8>,
) {
    /// 10^-9 seconds.
    const NANOSECONDS: u8 = 9;
    let start = block::begin(kind::INTERFACE, out);
    out.extend_from_slice(&link.0.to_le_bytes());
    // Reserved, and no limit to what is kept of a packet.
    out.extend_from_slice(&[0; 6]);
    if let Some(name) = options.name.filter(|name| !name.is_empty()) {
        block::text_option(code::INTERFACE_NAME, name, out);
    }
    if let Some(description) = options.description {
        block::text_option(code::INTERFACE_DESCRIPTION, description, out);
    }
    out.extend_from_slice(options.addresses);
    block::option(code::INTERFACE_RESOLUTION, &[NANOSECONDS], out);
    if let Some(filter) = options.filter {
        // A zero byte says that text follows.
        let value = [b"\0", block::plain(filter).as_bytes()].concat();
        block::option(code::INTERFACE_FILTER, &value, out);
    }
    if let Some(os) = options.os {
        block::text_option(code::INTERFACE_SYSTEM, os, out);
    }
    block::end_of_options(out);
    block::end(start, out);
}

pub(super) fn write_process(
    pid: u32,
    name: Option<&Text>,
    comment: Option<&[u8]>,
    out: &mut Vec<u8>,
) {
    let start = block::begin(kind::PROCESS, out);
    out.extend_from_slice(&pid.to_le_bytes());
    // Without a name Wireshark shows nothing at all of the process.
    let name = name.map(Text::lossy).filter(|name| !name.is_empty());
    block::text_option(code::PROCESS_NAME, name.as_deref().unwrap_or("?"), out);
    if let Some(comment) = comment {
        block::option(code::COMMENT, comment, out);
    }
    block::end_of_options(out);
    block::end(start, out);
}

pub(super) fn write_statistics(
    interface: u32,
    time: Timestamp,
    counts: &Statistics,
    comment: Option<&str>,
    out: &mut Vec<u8>,
) {
    let start = block::begin(kind::STATISTICS, out);
    out.extend_from_slice(&interface.to_le_bytes());
    out.extend_from_slice(halves(time).as_flattened());
    if let Some(comment) = comment {
        block::text_option(code::COMMENT, comment, out);
    }
    block::option(code::BEGAN, halves(counts.began).as_flattened(), out);
    block::option(code::ENDED, halves(counts.ended).as_flattened(), out);
    for (code, count) in [
        (code::RECEIVED, counts.received),
        (code::DROPPED_BY_SYSTEM, counts.dropped),
        (code::DELIVERED, counts.delivered),
    ] {
        block::option_u64(code, count, out);
    }
    block::end_of_options(out);
    block::end(start, out);
}

pub(super) fn write_names<'a>(names: impl Iterator<Item = (IpAddr, &'a [u8])>, out: &mut Vec<u8>) {
    let start = block::begin(kind::NAMES, out);
    let empty = out.len();
    let mut seen = HashSet::new();
    for (ip, name) in names {
        // A name of the DNS has at most 253 characters (RFC 1035, 2.3.4).
        if name.is_empty() || name.len() > 255 || name.contains(&0) || !seen.insert((ip, name)) {
            continue;
        }
        let (code, mut value) = match ip {
            IpAddr::V4(ip) => (block::name::IPV4, ip.octets().to_vec()),
            IpAddr::V6(ip) => (block::name::IPV6, ip.octets().to_vec()),
        };
        value.extend_from_slice(name);
        value.push(0);
        block::option(code, &value, out);
    }
    if out.len() == empty {
        out.truncate(start);
        return;
    }
    block::option(block::name::END, &[], out);
    block::end(start, out);
}
