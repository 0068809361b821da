//! How the network of a computer is set up, as rtnetlink(7) tells it: interfaces (`struct
//! ifinfomsg`), their addresses (`ifaddrmsg`), routes (`rtmsg`), the rules that choose a table of
//! them (`fib_rule_hdr`) and neighbours (`ndmsg`). The body of one message goes in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{InterfaceAddress, Neighbour, Route, RouteRule, RouteWay, SystemInterface, Text};

use super::attributes::{attributes, u16_at, u32_at};

pub(crate) const RTM_GETLINK: u16 = 18;
pub(crate) const RTM_GETADDR: u16 = 22;
pub(crate) const RTM_GETROUTE: u16 = 26;
pub(crate) const RTM_GETNEIGH: u16 = 30;
pub(crate) const RTM_GETRULE: u16 = 34;
/// For everything there is, each of these questions is its empty structure.
pub(crate) const LINKS_QUESTION: [u8; IFINFOMSG] = [0; IFINFOMSG];
pub(crate) const ADDRESSES_QUESTION: [u8; IFADDRMSG] = [0; IFADDRMSG];
pub(crate) const ROUTES_QUESTION: [u8; RTMSG] = [0; RTMSG];
pub(crate) const RULES_QUESTION: [u8; RTMSG] = [0; RTMSG];
pub(crate) const NEIGHBOURS_QUESTION: [u8; NDMSG] = [0; NDMSG];

const IFINFOMSG: usize = 16;
const IFADDRMSG: usize = 8;
/// A rule has the same layout.
const RTMSG: usize = 12;
const NDMSG: usize = 12;
const RTNEXTHOP: usize = 8;

const INET: u8 = 2;
const INET6: u8 = 10;

const IFF_UP: u32 = 0x1;
const IFF_PROMISC: u32 = 0x100;
const IFF_LOWER_UP: u32 = 0x1_0000;
/// Longer hardware addresses are none.
const LONGEST_HARDWARE_ADDRESS: usize = 32;
/// A route has no more ways.
const MOST_WAYS: usize = 256;
const RTM_F_CLONED: u32 = 0x200;
const NUD_NOARP: u16 = 0x40;

/// An interface, without its addresses.
pub(crate) fn interface(body: &[u8]) -> Option<SystemInterface> {
    let flags = u32_at(body, 8)?;
    let mut interface = SystemInterface {
        index: u32_at(body, 4).filter(|index| *index != 0)?,
        name: Text::default(),
        kind: None,
        hardware_type: u16_at(body, 2)?,
        is_up: flags & IFF_UP != 0,
        is_connected: flags & IFF_LOWER_UP != 0,
        is_promiscuous: flags & IFF_PROMISC != 0,
        mtu: None,
        hardware_address: Vec::new(),
        permanent_address: None,
        master: None,
        addresses: Vec::new(),
    };
    for (kind, value) in attributes(body.get(IFINFOMSG..)?) {
        match kind {
            1 => interface.hardware_address = hardware_address(value)?,
            3 => interface.name = text(value),
            4 => interface.mtu = u32_at(value, 0),
            10 => interface.master = u32_at(value, 0),
            18 => {
                let kind = attributes(value).find(|(kind, _)| *kind == 1);
                interface.kind = kind.map(|(_, name)| text(name));
            }
            // It counts how many listen to everything, also those that do not show in the flags.
            30 => interface.is_promiscuous |= u32_at(value, 0).is_some_and(|count| count > 0),
            54 => interface.permanent_address = hardware_address(value),
            _ => {}
        }
    }
    (!interface.name.is_empty()).then_some(interface)
}

/// The index of an interface, and one of its addresses.
pub(crate) fn interface_address(body: &[u8]) -> Option<(u32, InterfaceAddress)> {
    let family = *body.first()?;
    let prefix = *body.get(1)?;
    let index = u32_at(body, 4).filter(|index| *index != 0)?;
    let (mut of_interface, mut local, mut broadcast) = (None, None, None);
    for (kind, value) in attributes(body.get(IFADDRMSG..)?) {
        match kind {
            1 => of_interface = ip(family, value),
            2 => local = ip(family, value),
            4 => broadcast = ip(family, value),
            _ => {}
        }
    }
    // On a point-to-point interface IFA_ADDRESS is the other side.
    let address = local.or(of_interface)?;
    let address = InterfaceAddress {
        address,
        prefix: prefix.min(longest(family)),
        peer: of_interface.filter(|peer| *peer != address),
        broadcast,
    };
    Some((index, address))
}

/// A route. `None`: of another protocol, or one that the kernel made of another for a moment.
pub(crate) fn route(body: &[u8]) -> Option<Route> {
    let &[family, prefix, source_prefix, _, table, made_by, _, kind] = body.first_chunk()?;
    if u32_at(body, 8)? & RTM_F_CLONED != 0 {
        return None;
    }
    let mut route = Route {
        table: table.into(),
        kind: route_kind(kind),
        destination: everywhere(family)?,
        prefix: prefix.min(longest(family)),
        source: None,
        preferred: None,
        metric: None,
        made_by,
        ways: Vec::new(),
    };
    let (mut way, mut ways) = (NOWHERE, Vec::new());
    for (kind, value) in attributes(body.get(RTMSG..)?) {
        match kind {
            1 => route.destination = ip(family, value)?,
            2 => {
                let source = ip(family, value);
                route.source = source.map(|source| (source, source_prefix.min(longest(family))));
            }
            4 => way.interface = u32_at(value, 0),
            5 => way.gateway = ip(family, value),
            6 => route.metric = u32_at(value, 0),
            7 => route.preferred = ip(family, value),
            9 => ways = next_hops(family, value).take(MOST_WAYS).collect(),
            15 => route.table = u32_at(value, 0)?,
            18 => way.gateway = via(value),
            _ => {}
        }
    }
    if way != NOWHERE {
        route.ways.push(way);
    }
    route.ways.append(&mut ways);
    Some(route)
}

const NOWHERE: RouteWay = RouteWay {
    gateway: None,
    interface: None,
};

/// `struct rtnexthop`: length, flags, weight, interface, attributes.
fn next_hops(family: u8, mut bytes: &[u8]) -> impl Iterator<Item = RouteWay> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let hop = bytes.get(..length)?;
        let mut way = RouteWay {
            gateway: None,
            interface: u32_at(hop, 4),
        };
        for (kind, value) in attributes(hop.get(RTNEXTHOP..)?) {
            match kind {
                5 => way.gateway = ip(family, value),
                18 => way.gateway = via(value),
                _ => {}
            }
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(way)
    })
}

/// `struct rtvia`: a gateway of another family.
fn via(value: &[u8]) -> Option<IpAddr> {
    let family = u8::try_from(u16_at(value, 0)?).ok()?;
    ip(family, value.get(2..)?)
}

/// A rule that chooses a table of routes.
pub(crate) fn rule(body: &[u8]) -> Option<RouteRule> {
    let &[
        family,
        destination_prefix,
        source_prefix,
        _,
        table,
        _,
        _,
        action,
    ] = body.first_chunk()?;
    everywhere(family)?;
    let mut rule = RouteRule {
        is_ipv6: family == INET6,
        priority: 0,
        source: None,
        destination: None,
        incoming: None,
        outgoing: None,
        mark: None,
        users: None,
        action,
        table: table.into(),
    };
    let (mut mark, mut mask) = (None, u32::MAX);
    let network = |value, prefix: u8| Some((ip(family, value)?, prefix.min(longest(family))));
    for (kind, value) in attributes(body.get(RTMSG..)?) {
        match kind {
            1 => rule.destination = network(value, destination_prefix),
            2 => rule.source = network(value, source_prefix),
            3 => rule.incoming = Some(text(value)),
            6 => rule.priority = u32_at(value, 0)?,
            10 => mark = u32_at(value, 0),
            15 => rule.table = u32_at(value, 0)?,
            16 => mask = u32_at(value, 0)?,
            17 => rule.outgoing = Some(text(value)),
            20 => rule.users = u32_at(value, 0).zip(u32_at(value, 4)),
            _ => {}
        }
    }
    rule.mark = mark.map(|mark| (mark, mask));
    Some(rule)
}

/// A neighbour. `None`: one that the kernel made for itself (loopback, multicast).
pub(crate) fn neighbour(body: &[u8]) -> Option<Neighbour> {
    let family = *body.first()?;
    let state = u16_at(body, 8)?;
    let (mut address, mut hardware) = (None, Vec::new());
    for (kind, value) in attributes(body.get(NDMSG..)?) {
        match kind {
            1 => address = ip(family, value),
            2 => hardware = hardware_address(value)?,
            _ => {}
        }
    }
    let is_made = state & NUD_NOARP != 0;
    let address = address.filter(|address| !is_made && !address.is_multicast())?;
    Some(Neighbour {
        interface: u32_at(body, 4)?,
        address,
        hardware_address: hardware,
        state: neighbour_state(state),
    })
}

/// include/uapi/linux/neighbour.h, `NUD_`.
fn neighbour_state(state: u16) -> Option<&'static str> {
    Some(match state {
        0x01 => "incomplete",
        0x02 => "reachable",
        0x04 => "stale",
        0x08 => "delay",
        0x10 => "probe",
        0x20 => "failed",
        0x80 => "permanent",
        _ => return None,
    })
}

/// include/uapi/linux/rtnetlink.h, `RTN_`.
fn route_kind(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "unicast",
        2 => "local",
        3 => "broadcast",
        4 => "anycast",
        5 => "multicast",
        6 => "blackhole",
        7 => "unreachable",
        8 => "prohibit",
        9 => "throw",
        10 => "nat",
        _ => return None,
    })
}

/// An address of that family, in network byte order.
fn ip(family: u8, value: &[u8]) -> Option<IpAddr> {
    match family {
        INET => Some(IpAddr::from(<[u8; 4]>::try_from(value).ok()?)),
        INET6 => Some(IpAddr::from(<[u8; 16]>::try_from(value).ok()?)),
        _ => None,
    }
}

fn everywhere(family: u8) -> Option<IpAddr> {
    match family {
        INET => Some(Ipv4Addr::UNSPECIFIED.into()),
        INET6 => Some(Ipv6Addr::UNSPECIFIED.into()),
        _ => None,
    }
}

fn longest(family: u8) -> u8 {
    if family == INET { 32 } else { 128 }
}

fn hardware_address(value: &[u8]) -> Option<Vec<u8>> {
    (value.len() <= LONGEST_HARDWARE_ADDRESS).then(|| value.to_vec())
}

/// Up to the first NUL.
fn text(value: &[u8]) -> Text {
    value
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(head: &[u8], all: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = head.to_vec();
        for (kind, value) in all {
            bytes.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn number(number: u32) -> [u8; 4] {
        number.to_ne_bytes()
    }

    #[test]
    fn an_interface_with_its_hardware_address() {
        let mut head = vec![0, 0];
        head.extend(1_u16.to_ne_bytes());
        for value in [7, IFF_UP | IFF_LOWER_UP, 0] {
            head.extend(number(value));
        }
        let info = message(&[], &[(1, b"veth\0")]);
        let body = message(
            &head,
            &[
                (3, b"eth0\0"),
                (1, &[2, 0, 0, 0, 0, 1]),
                (4, &number(1500)),
                (10, &number(3)),
                (18, &info),
                (30, &number(1)),
                (54, &[2, 0, 0, 0, 0, 9]),
            ],
        );
        let expected = SystemInterface {
            index: 7,
            name: "eth0".into(),
            kind: Some("veth".into()),
            hardware_type: 1,
            is_up: true,
            is_connected: true,
            is_promiscuous: true,
            mtu: Some(1500),
            hardware_address: vec![2, 0, 0, 0, 0, 1],
            permanent_address: Some(vec![2, 0, 0, 0, 0, 9]),
            master: Some(3),
            addresses: Vec::new(),
        };
        assert_eq!(interface(&body), Some(expected));
        assert_eq!(interface(&head), None, "it has no name");
    }

    #[test]
    fn an_address_with_the_other_end() {
        let head = [&[2, 24, 0, 0][..], &number(3)].concat();
        let body = message(&head, &[(1, &[10, 0, 0, 2]), (2, &[10, 0, 0, 1])]);
        let expected = InterfaceAddress {
            address: [10, 0, 0, 1].into(),
            prefix: 24,
            peer: Some([10, 0, 0, 2].into()),
            broadcast: None,
        };
        assert_eq!(interface_address(&body), Some((3, expected)));
    }

    #[test]
    fn a_default_route_and_one_with_two_ways() {
        let head = [&[2, 0, 0, 0, 254, 16, 0, 1][..], &number(0)].concat();
        let body = message(
            &head,
            &[
                (4, &number(2)),
                (5, &[192, 0, 2, 1]),
                (6, &number(100)),
                (7, &[192, 0, 2, 9]),
                (15, &number(1000)),
            ],
        );
        let way = RouteWay {
            gateway: Some([192, 0, 2, 1].into()),
            interface: Some(2),
        };
        let expected = Route {
            table: 1000,
            kind: Some("unicast"),
            destination: [0, 0, 0, 0].into(),
            prefix: 0,
            source: None,
            preferred: Some([192, 0, 2, 9].into()),
            metric: Some(100),
            made_by: 16,
            ways: vec![way],
        };
        assert_eq!(route(&body), Some(expected.clone()));

        let gateway = message(&[], &[(5, &[192, 0, 2, 1])]);
        let hop = |interface| {
            let head = [&16_u16.to_ne_bytes()[..], &[0, 0], &number(interface)].concat();
            [head, gateway.clone()].concat()
        };
        let body = message(&head, &[(9, &[hop(2), hop(3)].concat())]);
        let other = RouteWay {
            interface: Some(3),
            ..way
        };
        assert_eq!(route(&body).unwrap().ways, [way, other]);
    }

    #[test]
    fn what_is_made_of_a_route_for_a_moment_is_none() {
        let head = [&[10, 128, 0, 0, 254, 2, 0, 1][..], &number(RTM_F_CLONED)].concat();
        assert_eq!(route(&message(&head, &[(1, &[1; 16])])), None);
    }

    #[test]
    fn a_rule_of_a_tunnel() {
        let head = [&[2, 0, 8, 0, 0, 0, 0, 1][..], &number(0)].concat();
        let body = message(
            &head,
            &[
                (2, &[10, 0, 0, 0]),
                (6, &number(32_764)),
                (10, &number(0xca6c)),
                (15, &number(51_820)),
                (17, b"wg0\0"),
                (20, &[number(1000), number(1001)].concat()),
            ],
        );
        let expected = RouteRule {
            is_ipv6: false,
            priority: 32_764,
            source: Some(([10, 0, 0, 0].into(), 8)),
            destination: None,
            incoming: None,
            outgoing: Some("wg0".into()),
            mark: Some((0xca6c, u32::MAX)),
            users: Some((1000, 1001)),
            action: 1,
            table: 51_820,
        };
        assert_eq!(rule(&body), Some(expected));
    }

    #[test]
    fn a_neighbour_with_its_hardware_address() {
        let head = |state: u16| {
            let state = state.to_ne_bytes();
            [&[2, 0, 0, 0][..], &number(2), &state, &[0, 1]].concat()
        };
        let all: &[(u16, &[u8])] = &[(1, &[192, 0, 2, 1]), (2, &[2, 0, 0, 0, 0, 1])];
        let expected = Neighbour {
            interface: 2,
            address: [192, 0, 2, 1].into(),
            hardware_address: vec![2, 0, 0, 0, 0, 1],
            state: Some("reachable"),
        };
        assert_eq!(neighbour(&message(&head(2), all)), Some(expected));
        assert_eq!(neighbour(&message(&head(NUD_NOARP), all)), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = interface(&bytes);
            let _ = interface_address(&bytes);
            let _ = rule(&bytes);
            let _ = neighbour(&bytes);
            let ways = route(&bytes).map_or(0, |route| route.ways.len());
            prop_assert!(ways <= MOST_WAYS + 1);
        }
    }
}
