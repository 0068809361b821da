//! Packets and files made by hand.

use std::net::IpAddr;

pub(super) const PHONE: [u8; 6] = [2, 0, 0, 0, 0, 7];
pub(super) const ROUTER: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(super) const SECOND: u64 = 1_000_000_000;
pub(super) const START: u64 = 1_700_000_000 * SECOND;

/// An IP packet.
pub(super) fn ip(source: &str, destination: &str, number: u8, payload: &[u8]) -> Vec<u8> {
    let ends = [source, destination].map(|ip| ip.parse::<IpAddr>().expect("an address"));
    let length = payload.len();
    match ends {
        [IpAddr::V4(source), IpAddr::V4(destination)] => {
            let [high, low] = u16::try_from(20 + length).expect("short").to_be_bytes();
            let begin = [0x45, 0, high, low, 0, 9, 0, 0, 64, number, 0, 0];
            [&begin, &source.octets()[..], &destination.octets(), payload].concat()
        }
        [IpAddr::V6(source), IpAddr::V6(destination)] => {
            let [high, low] = u16::try_from(length).expect("short").to_be_bytes();
            let begin = [0x60, 0, 0, 0, high, low, number, 64];
            [&begin, &source.octets()[..], &destination.octets(), payload].concat()
        }
        _ => panic!("of two kinds"),
    }
}

pub(super) fn udp(source: (&str, u16), destination: (&str, u16), payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).expect("short");
    let header = [source.1, destination.1, length, 0].map(u16::to_be_bytes);
    let datagram = [header.as_flattened(), payload].concat();
    ip(source.0, destination.0, 17, &datagram)
}

pub(super) fn tcp(
    source: (&str, u16),
    destination: (&str, u16),
    flags: u8,
    sequence: u32,
    payload: &[u8],
) -> Vec<u8> {
    let mut segment = [source.1, destination.1].map(u16::to_be_bytes).concat();
    segment.extend(sequence.to_be_bytes());
    segment.extend([0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0]);
    segment.extend(payload);
    ip(source.0, destination.0, 6, &segment)
}

pub(super) fn frame(sender: [u8; 6], packet: &[u8]) -> Vec<u8> {
    let kind = if packet.first().is_some_and(|first| first >> 4 == 6) {
        [0x86, 0xdd]
    } else {
        [8, 0]
    };
    [&[2, 9, 9, 9, 9, 9][..], &sender, &kind, packet].concat()
}

/// A file of libpcap of raw IP, in nanoseconds.
pub(super) fn pcap(link: u32, packets: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = [0xa1b2_3c4d_u32, 4 << 16 | 2, 0, 0, 1 << 18, link]
        .map(u32::to_le_bytes)
        .concat();
    for (time, packet) in packets {
        let length = packet.len() as u64;
        for number in [time / SECOND, time % SECOND, length, length] {
            let number = u32::try_from(number).expect("32 bits");
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(packet);
    }
    bytes
}

/// Packets that come one second after the other.
pub(super) fn each_second(packets: impl IntoIterator<Item = Vec<u8>>) -> Vec<(u64, Vec<u8>)> {
    (0..)
        .map(|second| START + second * SECOND)
        .zip(packets)
        .collect()
}

/// A block of pcapng in either byte order.
pub(super) struct Pcapng {
    pub(super) bytes: Vec<u8>,
    is_big_endian: bool,
}

impl Pcapng {
    pub(super) fn new(is_big_endian: bool) -> Self {
        let mut file = Self {
            bytes: Vec::new(),
            is_big_endian,
        };
        file.section();
        file
    }

    pub(super) fn section(&mut self) {
        let mut body = self.u32(0x1a2b_3c4d);
        body.extend([self.u16(1), self.u16(0)].concat());
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body);
    }

    pub(super) fn u16(&self, number: u16) -> Vec<u8> {
        if self.is_big_endian {
            number.to_be_bytes().to_vec()
        } else {
            number.to_le_bytes().to_vec()
        }
    }

    pub(super) fn u32(&self, number: u32) -> Vec<u8> {
        if self.is_big_endian {
            number.to_be_bytes().to_vec()
        } else {
            number.to_le_bytes().to_vec()
        }
    }

    pub(super) fn block(&mut self, kind: u32, body: &[u8]) {
        let length = u32::try_from(12 + body.len()).expect("short");
        let (kind, length) = (self.u32(kind), self.u32(length));
        for part in [&kind, &length, body, &length] {
            self.bytes.extend_from_slice(part);
        }
    }

    pub(super) fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(value.len()).expect("short");
        let padding = vec![0; (4 - value.len() % 4) % 4];
        [&self.u16(code)[..], &self.u16(length), value, &padding].concat()
    }

    pub(super) fn interface(&mut self, link: u16, options: &[u8]) {
        let head = [self.u16(link), self.u16(0), self.u32(0)].concat();
        self.block(1, &[&head, options].concat());
    }

    /// An enhanced packet block; the time is in the units of the interface.
    pub(super) fn packet(&mut self, interface: u32, time: u64, packet: &[u8], options: &[u8]) {
        let length = u32::try_from(packet.len()).expect("short");
        let high = u32::try_from(time >> 32).expect("32 bits");
        let low = u32::try_from(time & 0xffff_ffff).expect("32 bits");
        let head = [interface, high, low, length, length].map(|number| self.u32(number));
        let padding = vec![0; (4 - packet.len() % 4) % 4];
        let body = [&head.concat(), packet, &padding, options].concat();
        self.block(6, &body);
    }
}
