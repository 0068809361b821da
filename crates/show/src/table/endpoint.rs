//! One end of a connection as a cell: `203.0.113.9:443/https`, `[fe80::1%eth0]:546/dhcpv6-client`,
//! `192.0.2.7 id 77`, `all frames on eth0`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

use model::{Connection, Endpoint, IcmpKind, NameStrength, Protocol};

use super::cell::Cell;
use crate::messages::columns as words;
use crate::services::service;
use crate::visible::{Cut, visible};

/// This computer's end, with what tells a socket without ports from others.
pub(crate) fn local(cell: &mut Cell, connection: &Connection, numeric: bool) {
    if let Protocol::Packet { ethertype } = connection.protocol {
        frames(cell, ethertype, numeric);
        if let Some(interface) = &connection.interface {
            let _ = write!(cell.tail, " on {}", visible(interface));
        }
        return;
    }
    let scoped = connection
        .local
        .ip
        .is_some_and(|ip| ip.is_unspecified() || is_link_local(ip));
    endpoint(cell, connection, connection.local, scoped, numeric);
    match connection.protocol {
        Protocol::Icmp(IcmpKind { kind, code, id }) => {
            for (word, number) in [
                ("id", id),
                ("type", kind.map(u16::from)),
                ("code", code.map(u16::from)),
            ] {
                if let Some(number) = number {
                    let _ = write!(cell.tail, " {word} {number}");
                }
            }
        }
        Protocol::Raw { ip_protocol } => ip_protocol_name(cell, u16::from(ip_protocol), numeric),
        Protocol::Other(number) => ip_protocol_name(cell, number, numeric),
        Protocol::Tcp
        | Protocol::Mptcp
        | Protocol::Udp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Packet { .. } => {}
    }
}

/// The other end; `*` for a listener and for a socket that can talk to anyone.
pub(crate) fn remote(cell: &mut Cell, connection: &Connection, numeric: bool) {
    match connection.remote {
        Some(remote) => {
            endpoint(
                cell,
                connection,
                remote,
                remote.ip.is_some_and(is_link_local),
                numeric,
            );
            if let Some(name) = connection.name.as_ref().filter(|_| !numeric) {
                // What the port is meant for says less than the name.
                cell.extra = format!(" {}", named(&visible(&name.name), name.strength));
            }
        }
        None => cell.head.push('*'),
    }
}

/// `maybe news.example`, where another program had asked for it: many names share an address.
pub(crate) fn named(name: &str, strength: NameStrength) -> Cow<'_, str> {
    if strength.is_unsure() {
        words::maybe(name).into()
    } else {
        name.into()
    }
}

/// The other end's port alone, for a table that has its address in the heading.
pub(crate) fn remote_port(cell: &mut Cell, connection: &Connection, numeric: bool) {
    match connection.remote.and_then(|remote| remote.port) {
        Some(number) => {
            let _ = write!(cell.head, "{number}");
            service_name(cell, connection.protocol, number, numeric);
        }
        None => cell.head.push('-'),
    }
}

/// An address with its port, where it has one.
pub(crate) fn address(cell: &mut Cell, protocol: Option<Protocol>, end: Endpoint, numeric: bool) {
    scoped_address(cell, protocol, end, "", numeric);
}

fn endpoint(cell: &mut Cell, connection: &Connection, end: Endpoint, scoped: bool, numeric: bool) {
    let scope = match connection.bound_to() {
        Some(interface) if scoped => format!("%{}", visible(interface)),
        _ => String::new(),
    };
    scoped_address(cell, Some(connection.protocol), end, &scope, numeric);
}

fn scoped_address(
    cell: &mut Cell,
    protocol: Option<Protocol>,
    end: Endpoint,
    scope: &str,
    numeric: bool,
) {
    cell.cut = Some(Cut::Middle);
    let bracketed = matches!(end.ip, Some(IpAddr::V6(_))) && end.port.is_some();
    if bracketed {
        cell.head.push('[');
    }
    match end.ip {
        Some(ip) => {
            let _ = write!(cell.head, "{ip}");
        }
        None => cell.head.push('*'),
    }
    cell.tail.push_str(scope);
    if bracketed {
        cell.tail.push(']');
    }
    if let Some(number) = end.port {
        let _ = write!(cell.tail, ":{number}");
        if let Some(protocol) = protocol {
            service_name(cell, protocol, number, numeric);
        }
    }
}

fn service_name(cell: &mut Cell, protocol: Protocol, port: u16, numeric: bool) {
    if let Some(name) = service(protocol, port).filter(|_| !numeric) {
        cell.extra.push('/');
        cell.extra.push_str(name);
    }
}

/// fe80::/10 (RFC 4291, 2.5.6) means another computer on every interface; 169.254.0.0/16
/// (RFC 3927) likewise.
pub(crate) fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// What a raw socket reads, by IANA's "Protocol Numbers".
fn ip_protocol_name(cell: &mut Cell, number: u16, numeric: bool) {
    let name = match number {
        1 => " icmp",
        2 => " igmp",
        6 => " tcp",
        17 => " udp",
        47 => " gre",
        50 => " esp",
        51 => " ah",
        58 => " icmpv6",
        89 => " ospf",
        103 => " pim",
        112 => " vrrp",
        132 => " sctp",
        255 => " raw",
        _ => "",
    };
    let _ = write!(
        cell.tail,
        " proto {number}{}",
        if numeric { "" } else { name }
    );
}

/// What a packet socket reads (include/uapi/linux/if_ether.h, ETH_P_*).
fn frames(cell: &mut Cell, ethertype: u16, numeric: bool) {
    let name = match ethertype {
        0x0003 => return cell.head.push_str("all frames"),
        0x0800 => " ipv4",
        0x0806 => " arp",
        0x86dd => " ipv6",
        0x8863 | 0x8864 => " pppoe",
        0x888e => " eapol",
        0x88cc => " lldp",
        _ => "",
    };
    let _ = write!(
        cell.head,
        "frames {ethertype:#06x}{}",
        if numeric { "" } else { name }
    );
}
