//! The display filter with which Wireshark shows the packets of one connection.

use std::net::IpAddr;

use model::{Endpoint, IcmpKind, Protocol, Timestamp};

/// What to type into Wireshark, or to give to `tshark -Y`. Whatever is not known does not limit it.
///
/// The window takes in both its ends. `None`: the whole file.
pub fn display_filter(
    protocol: Protocol,
    local: Endpoint,
    remote: Option<Endpoint>,
    window: Option<(Timestamp, Timestamp)>,
) -> String {
    let mut parts = Vec::new();
    for end in [Some(local), remote].into_iter().flatten() {
        // An address that stands for all of them does not occur in packets.
        match end.ip.filter(|ip| !ip.is_unspecified()) {
            Some(IpAddr::V4(ip)) => parts.push(format!("ip.addr == {ip}")),
            Some(IpAddr::V6(ip)) => parts.push(format!("ipv6.addr == {ip}")),
            None => {}
        }
    }
    let ports = [Some(local), remote].into_iter().flatten();
    let mut ports = ports.filter_map(|end| end.port).peekable();
    let is_version_6 = [Some(local), remote]
        .into_iter()
        .flatten()
        .any(|end| matches!(end.ip, Some(IpAddr::V6(_))));
    if protocol == Protocol::UdpLite {
        // Its ports are those of UDP there.
        parts.push("udplite".to_owned());
    }
    match transport(protocol) {
        Some(transport) if ports.peek().is_none() => parts.push(transport.to_owned()),
        Some(transport) => parts.extend(ports.map(|port| format!("{transport}.port == {port}"))),
        None => parts.extend(without_ports(protocol, is_version_6)),
    }
    if let Some((from, until)) = window {
        parts.push(format!("frame.time_epoch >= {}", seconds(from)));
        parts.push(format!("frame.time_epoch <= {}", seconds(until)));
    }
    if parts.is_empty() {
        return "frame".to_owned();
    }
    parts.join(" && ")
}

/// What Wireshark calls a protocol with ports.
fn transport(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Tcp | Protocol::Mptcp => Some("tcp"),
        Protocol::Udp | Protocol::UdpLite => Some("udp"),
        Protocol::Sctp => Some("sctp"),
        Protocol::Dccp => Some("dccp"),
        Protocol::Icmp(_) | Protocol::Raw { .. } | Protocol::Packet { .. } | Protocol::Other(_) => {
            None
        }
    }
}

fn without_ports(protocol: Protocol, is_version_6: bool) -> Option<String> {
    /// A packet socket that takes all packets (linux/if_ether.h, `ETH_P_ALL`).
    const ALL: u16 = 3;
    let by_number = |number: u16| match is_version_6 {
        true => format!("ipv6.nxt == {number}"),
        false => format!("(ip.proto == {number} || ipv6.nxt == {number})"),
    };
    match protocol {
        Protocol::Icmp(IcmpKind { id, .. }) => Some(match (is_version_6, id) {
            (false, None) => "icmp".to_owned(),
            (true, None) => "icmpv6".to_owned(),
            (false, Some(id)) => format!("icmp.ident == {id}"),
            (true, Some(id)) => format!("icmpv6.echo.identifier == {id}"),
        }),
        // 255 is any protocol (raw(7)).
        Protocol::Raw { ip_protocol: 255 } | Protocol::Packet { ethertype: ALL } => None,
        Protocol::Raw { ip_protocol } => Some(by_number(u16::from(ip_protocol))),
        Protocol::Packet { ethertype } => Some(format!("eth.type == {ethertype}")),
        // What is no number of IP does not occur in a header.
        Protocol::Other(number) => (number <= 255).then(|| by_number(number)),
        Protocol::Tcp
        | Protocol::Mptcp
        | Protocol::Udp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp => None,
    }
}

/// Seconds since 1970; packets are never from before.
fn seconds(time: Timestamp) -> String {
    let nanos = time.unix_nanos().max(0);
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}
