//! What other tools ask of a connection and we tell otherwise: which end began, which number the
//! protocol has, and the hash by which tools find the same flow again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::{Connection, Direction, Endpoint, Protocol};
use sha1::{Digest, Sha1};

/// The two ends in the order of other tools: who began, and who was called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides {
    /// `None`: nobody has called yet.
    pub(crate) source: Option<Side>,
    /// `None`: it calls nobody certain.
    pub(crate) destination: Option<Side>,
    /// Which one began is known; else the end on this computer stands first.
    pub(crate) known: bool,
}

/// One end, and what it sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(crate) end: Endpoint,
    /// It is an end on this computer.
    pub(crate) local: bool,
    pub(crate) bytes: Option<u64>,
    pub(crate) packets: Option<u64>,
}

impl Sides {
    pub(crate) fn of(connection: &Connection) -> Self {
        let here = Side {
            end: connection.local,
            local: true,
            bytes: connection.bytes_sent,
            packets: connection.packets_sent,
        };
        let there = connection.remote.map(|end| Side {
            end,
            local: connection.direction == Direction::Local,
            bytes: connection.bytes_received,
            packets: connection.packets_received,
        });
        let (source, destination, known) = match connection.direction {
            Direction::Outbound => (Some(here), there, true),
            Direction::Inbound | Direction::Listening => (there, Some(here), true),
            Direction::Local | Direction::Unknown => (Some(here), there, false),
        };
        Self {
            source,
            destination,
            known,
        }
    }
}

/// The number of the protocol in an IP header (IANA, "Assigned Internet Protocol Numbers").
/// `None`: it is not carried by IP.
pub(crate) fn ip_protocol(connection: &Connection) -> Option<u16> {
    let is_v6 = connection.local.ip.is_some_and(|ip| ip.is_ipv6());
    match connection.protocol {
        Protocol::Tcp | Protocol::Mptcp => Some(6),
        Protocol::Udp => Some(17),
        Protocol::Dccp => Some(33),
        Protocol::Sctp => Some(132),
        Protocol::UdpLite => Some(136),
        Protocol::Icmp(_) if is_v6 => Some(58),
        Protocol::Icmp(_) => Some(1),
        Protocol::Raw { ip_protocol } => Some(ip_protocol.into()),
        Protocol::Other(number) => Some(number),
        Protocol::Packet { .. } => None,
    }
}

/// Community ID version 1 with seed 0 (github.com/corelight/community-id-spec). `None` where the
/// protocol has no ports or a side is missing.
pub(crate) fn community_id(connection: &Connection) -> Option<String> {
    let number: u8 = match connection.protocol {
        Protocol::Tcp | Protocol::Mptcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
        Protocol::UdpLite
        | Protocol::Dccp
        | Protocol::Icmp(_)
        | Protocol::Raw { .. }
        | Protocol::Packet { .. }
        | Protocol::Other(_) => return None,
    };
    let end = |endpoint: Endpoint| Some((endpoint.ip?, endpoint.port?));
    let (one, other) = (end(connection.local)?, end(connection.remote?)?);
    if one.0.is_unspecified() || one.0.is_ipv4() != other.0.is_ipv4() {
        return None;
    }
    let (first, second) = if one <= other {
        (one, other)
    } else {
        (other, one)
    };
    let mut hash = Sha1::new();
    hash.update([0, 0]);
    for (ip, _) in [first, second] {
        match ip {
            std::net::IpAddr::V4(ip) => hash.update(ip.octets()),
            std::net::IpAddr::V6(ip) => hash.update(ip.octets()),
        }
    }
    hash.update([number, 0]);
    for (_, port) in [first, second] {
        hash.update(port.to_be_bytes());
    }
    let mut id = String::from("1:");
    STANDARD.encode_string(hash.finalize(), &mut id);
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn community_ids_are_those_of_the_specification() {
        // Baseline of the specification: tcp 128.232.110.120:34855 > 66.35.250.204:80.
        let end = |text: &str| {
            let address: std::net::SocketAddr = text.parse().unwrap();
            Endpoint::new(address.ip(), address.port())
        };
        let mut connection = crate::example::connection();
        connection.local = end("128.232.110.120:34855");
        connection.remote = Some(end("66.35.250.204:80"));
        let expected = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
        assert_eq!(community_id(&connection).as_deref(), Some(expected));
        std::mem::swap(&mut connection.local, connection.remote.as_mut().unwrap());
        assert_eq!(community_id(&connection).as_deref(), Some(expected));
    }
}
