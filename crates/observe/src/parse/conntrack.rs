//! What the firewall's connection tracking keeps, over netlink
//! (include/uapi/linux/netfilter/nfnetlink_conntrack.h) and as text (`/proc/net/nf_conntrack`,
//! net/netfilter/nf_conntrack_standalone.c).

use std::net::IpAddr;

use model::{Endpoint, IcmpKind, Protocol, Timestamp};

use super::attributes::{attributes, be16_at};
use super::tcp_metrics::address;

/// Subsystem NFNL_SUBSYS_CTNETLINK, message IPCTNL_MSG_CT_GET; it changes nothing, unlike
/// IPCTNL_MSG_CT_GET_CTRZERO.
pub(crate) const TABLE_KIND: u16 = 0x0101;
/// An empty `struct nfgenmsg`: connections of every address family.
pub(crate) const TABLE_QUESTION: [u8; HEADER] = [0; HEADER];

const HEADER: usize = 4;
const CTA_TUPLE_ORIG: u16 = 1;
const CTA_TUPLE_REPLY: u16 = 2;
const CTA_COUNTERS_ORIG: u16 = 9;
const CTA_COUNTERS_REPLY: u16 = 10;
const CTA_TIMESTAMP: u16 = 20;
const CTA_TUPLE_IP: u16 = 1;
const CTA_TUPLE_PROTO: u16 = 2;
const CTA_IP_V4_SRC: u16 = 1;
const CTA_IP_V4_DST: u16 = 2;
const CTA_IP_V6_SRC: u16 = 3;
const CTA_IP_V6_DST: u16 = 4;
const CTA_PROTO_NUM: u16 = 1;
const CTA_PROTO_SRC_PORT: u16 = 2;
const CTA_PROTO_DST_PORT: u16 = 3;
const CTA_PROTO_ICMP_TYPE: u16 = 5;
const CTA_PROTO_ICMP_CODE: u16 = 6;
const CTA_PROTO_ICMPV6_TYPE: u16 = 8;
const CTA_PROTO_ICMPV6_CODE: u16 = 9;
const CTA_COUNTERS_BYTES: u16 = 2;
const CTA_TIMESTAMP_START: u16 = 1;

/// One tracked exchange, as its first packet had it: before any address translation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tracked {
    /// Of ICMP the kind and code, not the id: each run of ping has another.
    pub(crate) protocol: Protocol,
    /// Who sent the first packet.
    pub(crate) source: Endpoint,
    pub(crate) destination: Endpoint,
    /// Who answers in place of the destination when the kernel redirects (DNAT), else the
    /// destination itself.
    pub(crate) answers: Option<IpAddr>,
    /// `None`: the kernel does not note it (`nf_conntrack_timestamp`).
    pub(crate) started: Option<Timestamp>,
    /// Whole packets, IP headers included. `None`: not counted (`nf_conntrack_acct`).
    pub(crate) bytes_from_source: Option<u64>,
    pub(crate) bytes_to_source: Option<u64>,
}

/// Reads one entry of the netlink table; `None` when it is not one.
pub(crate) fn tracked(entry: &[u8]) -> Option<Tracked> {
    let mut first = Direction::default();
    let mut reply = Direction::default();
    let mut started = None;
    for (kind, value) in attributes(entry.get(HEADER..)?) {
        match kind {
            CTA_TUPLE_ORIG => first.read_tuple(value),
            CTA_TUPLE_REPLY => reply.read_tuple(value),
            CTA_COUNTERS_ORIG => first.bytes = be64_in(value, CTA_COUNTERS_BYTES),
            CTA_COUNTERS_REPLY => reply.bytes = be64_in(value, CTA_COUNTERS_BYTES),
            CTA_TIMESTAMP => started = be64_in(value, CTA_TIMESTAMP_START),
            _ => {}
        }
    }
    let started = started.and_then(|nanos| i64::try_from(nanos).ok());
    together(&first, &reply, started.map(Timestamp::from_unix_nanos))
}

/// Reads one line of the text table; `None` when it is not one.
pub(crate) fn tracked_line(line: &str) -> Option<Tracked> {
    let mut words = line.split_ascii_whitespace();
    let protocol: u8 = words.nth(3)?.parse().ok()?;
    let mut first = Direction {
        protocol: Some(protocol),
        ..Direction::default()
    };
    let mut reply = Direction::default();
    let mut sources = 0;
    for (name, value) in words.filter_map(|word| word.split_once('=')) {
        // Each direction begins with its source.
        sources += usize::from(name == "src");
        let direction = if sources < 2 { &mut first } else { &mut reply };
        direction.read_word(name, value);
    }
    together(&first, &reply, None)
}

fn together(first: &Direction, reply: &Direction, started: Option<Timestamp>) -> Option<Tracked> {
    let end = |ip: IpAddr, port: Option<u16>| match port {
        Some(port) => Endpoint::new(ip, port),
        None => Endpoint::without_port(ip),
    };
    Some(Tracked {
        protocol: first.protocol()?,
        source: end(first.source?, first.source_port),
        destination: end(first.destination?, first.destination_port),
        answers: reply.source,
        started,
        bytes_from_source: first.bytes,
        bytes_to_source: reply.bytes,
    })
}

/// What is said of the packets one way.
#[derive(Default)]
struct Direction {
    protocol: Option<u8>,
    source: Option<IpAddr>,
    destination: Option<IpAddr>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    icmp: IcmpKind,
    bytes: Option<u64>,
}

impl Direction {
    fn read_tuple(&mut self, tuple: &[u8]) {
        for (kind, value) in attributes(tuple) {
            match kind {
                CTA_TUPLE_IP => self.read_addresses(value),
                CTA_TUPLE_PROTO => self.read_protocol(value),
                _ => {}
            }
        }
    }

    fn read_addresses(&mut self, bytes: &[u8]) {
        for (kind, value) in attributes(bytes) {
            match kind {
                CTA_IP_V4_SRC | CTA_IP_V6_SRC => self.source = address(value),
                CTA_IP_V4_DST | CTA_IP_V6_DST => self.destination = address(value),
                _ => {}
            }
        }
    }

    fn read_protocol(&mut self, bytes: &[u8]) {
        for (kind, value) in attributes(bytes) {
            let byte = value.first().copied();
            match kind {
                CTA_PROTO_NUM => self.protocol = byte,
                CTA_PROTO_SRC_PORT => self.source_port = be16_at(value, 0),
                CTA_PROTO_DST_PORT => self.destination_port = be16_at(value, 0),
                CTA_PROTO_ICMP_TYPE | CTA_PROTO_ICMPV6_TYPE => self.icmp.kind = byte,
                CTA_PROTO_ICMP_CODE | CTA_PROTO_ICMPV6_CODE => self.icmp.code = byte,
                _ => {}
            }
        }
    }

    fn read_word(&mut self, name: &str, value: &str) {
        let ip = || value.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        match name {
            "src" => self.source = ip(),
            "dst" => self.destination = ip(),
            "sport" => self.source_port = value.parse().ok(),
            "dport" => self.destination_port = value.parse().ok(),
            "type" => self.icmp.kind = value.parse().ok(),
            "code" => self.icmp.code = value.parse().ok(),
            "bytes" => self.bytes = value.parse().ok(),
            _ => {}
        }
    }

    /// By its number (IANA, "Assigned Internet Protocol Numbers").
    fn protocol(&self) -> Option<Protocol> {
        Some(match self.protocol? {
            1 | 58 => Protocol::Icmp(self.icmp),
            6 => Protocol::Tcp,
            17 => Protocol::Udp,
            33 => Protocol::Dccp,
            132 => Protocol::Sctp,
            136 => Protocol::UdpLite,
            other => Protocol::Other(other.into()),
        })
    }
}

/// A 64-bit number in network byte order among nested attributes.
fn be64_in(bytes: &[u8], wanted: u16) -> Option<u64> {
    let (_, value) = attributes(bytes).find(|(kind, _)| *kind == wanted)?;
    Some(u64::from_be_bytes(*value.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Linux 6.18, with accounting and time stamps on: 198.51.100.1:49804 called 198.51.100.2:7779
    /// by TCP.
    const TCP: &[u8] = b"\x02\0\0\0\
        \x34\0\x01\x80\
          \x14\0\x01\x80\x08\0\x01\0\xc6\x33\x64\x01\x08\0\x02\0\xc6\x33\x64\x02\
          \x1c\0\x02\x80\x05\0\x01\0\x06\0\0\0\x06\0\x02\0\xc2\x8c\0\0\x06\0\x03\0\x1e\x63\0\0\
        \x34\0\x02\x80\
          \x14\0\x01\x80\x08\0\x01\0\xc6\x33\x64\x02\x08\0\x02\0\xc6\x33\x64\x01\
          \x1c\0\x02\x80\x05\0\x01\0\x06\0\0\0\x06\0\x02\0\x1e\x63\0\0\x06\0\x03\0\xc2\x8c\0\0\
        \x08\0\x03\0\0\0\0\x0e\x08\0\x07\0\0\0\0\x77\
        \x1c\0\x09\x80\x0c\0\x01\0\0\0\0\0\0\0\0\x06\x0c\0\x02\0\0\0\0\0\0\0\x01\x45\
        \x1c\0\x0a\x80\x0c\0\x01\0\0\0\0\0\0\0\0\x04\x0c\0\x02\0\0\0\0\0\0\0\x01\x0a\
        \x10\0\x14\x80\x0c\0\x01\0\x18\xea\x5f\x42\x2a\xd9\x3c\x7a";

    /// Linux 6.18: the same as text.
    const LINE: &str = "ipv4     2 tcp      6 119 TIME_WAIT src=198.51.100.1 dst=198.51.100.2 \
        sport=49804 dport=7779 packets=6 bytes=325 src=198.51.100.2 dst=198.51.100.1 sport=7779 \
        dport=49804 packets=4 bytes=266 [ASSURED] mark=0 zone=0 delta-time=0 use=2";

    const ICMP_LINE: &str = "ipv6     10 icmpv6   58 29 \
        src=2001:0db8:0051:0000:0000:0000:0000:0001 dst=2001:0db8:0051:0000:0000:0000:0000:0002 \
        type=128 code=0 id=4711 src=2001:0db8:0051:0000:0000:0000:0000:0002 \
        dst=2001:0db8:0051:0000:0000:0000:0000:0001 type=129 code=0 id=4711 mark=0 zone=0 use=2";

    fn tcp() -> Tracked {
        Tracked {
            protocol: Protocol::Tcp,
            source: Endpoint::new([198, 51, 100, 1].into(), 49804),
            destination: Endpoint::new([198, 51, 100, 2].into(), 7779),
            answers: Some([198, 51, 100, 2].into()),
            started: Some(Timestamp::from_unix_nanos(0x18ea_5f42_2ad9_3c7a)),
            bytes_from_source: Some(325),
            bytes_to_source: Some(266),
        }
    }

    #[test]
    fn reads_an_entry() {
        assert_eq!(tracked(TCP), Some(tcp()));
    }

    #[test]
    fn text_says_the_same_but_for_the_start() {
        assert_eq!(
            tracked_line(LINE),
            Some(Tracked {
                started: None,
                ..tcp()
            })
        );
    }

    #[test]
    fn icmp_has_kinds_in_place_of_ports() {
        let read = tracked_line(ICMP_LINE).unwrap();
        let kind = IcmpKind {
            kind: Some(128),
            code: Some(0),
            id: None,
        };
        assert_eq!(read.protocol, Protocol::Icmp(kind));
        let other = "2001:db8:51::2".parse().unwrap();
        assert_eq!(read.destination, Endpoint::without_port(other));
        assert_eq!(read.bytes_from_source, None);
    }

    #[test]
    fn half_an_entry_is_none() {
        assert_eq!(tracked(&TCP[..30]), None);
        assert_eq!(
            tracked_line("ipv4     2 tcp      6 119 TIME_WAIT src=198.51.100.1"),
            None
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, line: String, words: Vec<(String, String)>) {
            let _ = tracked(&bytes);
            let _ = tracked_line(&line);
            let words: String = words.iter().map(|(name, value)| format!(" {name}={value}")).collect();
            let _ = tracked_line(&format!("ipv4 2 tcp 6{words}"));
        }

        #[test]
        fn never_panics_on_damage(at in 0..TCP.len(), byte: u8) {
            let mut damaged = TCP.to_vec();
            damaged[at] = byte;
            let _ = tracked(&damaged);
        }
    }
}
