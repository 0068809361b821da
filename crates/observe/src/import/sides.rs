//! Which end of a connection belongs to the examined computer, or to its network.
//!
//! What the source says comes first (`told`). Else: an address that is only valid inside a network
//! belongs to it; else the side that opened is the local one. An address of many (multicast,
//! broadcast) is never local.

use std::net::IpAddr;

use model::{Direction, Endpoint};

/// The local end, the remote end, and which of them opened: `originator` did.
pub(super) fn of(originator: Endpoint, responder: Endpoint) -> (Endpoint, Endpoint, Direction) {
    told(
        originator,
        responder,
        !second_is_local(originator, responder),
    )
}

/// The same where the source says whether the side that opened is the local one.
pub(super) fn told(
    originator: Endpoint,
    responder: Endpoint,
    originator_is_local: bool,
) -> (Endpoint, Endpoint, Direction) {
    if originator_is_local {
        (originator, responder, Direction::Outbound)
    } else {
        (responder, originator, Direction::Inbound)
    }
}

/// The same where nothing tells which side opened: the connection was there before the source
/// looked. `first` is the local one where nothing else tells.
pub(super) fn unopened(first: Endpoint, second: Endpoint) -> (Endpoint, Endpoint, Direction) {
    let direction = if one_computer(first, second) {
        Direction::Local
    } else {
        Direction::Unknown
    };
    if second_is_local(first, second) {
        (second, first, direction)
    } else {
        (first, second, direction)
    }
}

/// Whether this address is only valid inside a network: private (RFC 1918, RFC 4193), link-local,
/// loopback, or none yet (as DHCP has it). Addresses between a provider and its customers (RFC 6598)
/// are not: both sides of a connection may be outside.
pub(super) fn is_inside(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            ip.is_private() || ip.is_link_local() || ip.is_loopback() || ip.is_unspecified()
        }
        IpAddr::V6(ip) => {
            ip.is_unique_local()
                || ip.is_unicast_link_local()
                || ip.is_loopback()
                || ip.is_unspecified()
        }
    }
}

/// Whether it is the address of many.
pub(super) fn is_of_many(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_multicast(),
    }
}

fn second_is_local(first: Endpoint, second: Endpoint) -> bool {
    let (Some(first), Some(second)) = (first.ip, second.ip) else {
        return first.ip.is_none() && second.ip.is_some();
    };
    match (is_of_many(first), is_of_many(second)) {
        (true, false) => true,
        (false, true) => false,
        _ => !is_inside(first) && is_inside(second),
    }
}

fn one_computer(first: Endpoint, second: Endpoint) -> bool {
    let (Some(first), Some(second)) = (first.ip, second.ip) else {
        return false;
    };
    first == second || (first.is_loopback() && second.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Endpoint {
        Endpoint::new(text.parse().expect("an address"), 1)
    }

    fn check(originator: &str, responder: &str, local: &str, direction: Direction) {
        let remote = if local == originator {
            responder
        } else {
            originator
        };
        assert_eq!(
            of(end(originator), end(responder)),
            (end(local), end(remote), direction)
        );
    }

    #[test]
    fn the_address_inside_a_network_is_the_local_one() {
        check("192.168.0.5", "8.8.8.8", "192.168.0.5", Direction::Outbound);
        check("8.8.8.8", "192.168.0.5", "192.168.0.5", Direction::Inbound);
        check("2001:db8::1", "fe80::1", "fe80::1", Direction::Inbound);
        check("2001:db8::1", "fd00::1", "fd00::1", Direction::Inbound);
    }

    #[test]
    fn else_the_side_that_opened_is() {
        check("10.0.0.1", "10.0.0.2", "10.0.0.1", Direction::Outbound);
        check("1.1.1.1", "8.8.8.8", "1.1.1.1", Direction::Outbound);
        check("8.8.8.8", "100.64.0.1", "8.8.8.8", Direction::Outbound);
        check("127.0.0.1", "127.0.0.1", "127.0.0.1", Direction::Outbound);
    }

    #[test]
    fn an_address_of_many_never_is() {
        check("8.8.8.8", "224.0.0.251", "8.8.8.8", Direction::Outbound);
        check("224.0.0.251", "8.8.8.8", "8.8.8.8", Direction::Inbound);
        check("0.0.0.0", "255.255.255.255", "0.0.0.0", Direction::Outbound);
        check("ff02::fb", "2001:db8::1", "2001:db8::1", Direction::Inbound);
    }

    #[test]
    fn nothing_is_said_of_who_opened_where_it_is_not_known() {
        let check = |first, second, local, direction| {
            let sides = unopened(end(first), end(second));
            assert_eq!((sides.0, sides.2), (end(local), direction));
        };
        check("8.8.8.8", "10.0.0.1", "10.0.0.1", Direction::Unknown);
        check("10.0.0.2", "10.0.0.1", "10.0.0.2", Direction::Unknown);
        check("127.0.0.1", "127.0.0.2", "127.0.0.1", Direction::Local);
    }

    #[test]
    fn what_the_source_says_comes_first() {
        let (local, _, direction) = told(end("10.0.0.1"), end("8.8.8.8"), false);
        assert_eq!((local, direction), (end("8.8.8.8"), Direction::Inbound));
    }
}
