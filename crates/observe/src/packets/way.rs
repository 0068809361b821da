//! Which way a packet went, where nobody but the packet tells.

use std::net::IpAddr;

use model::{PacketEnds, Way};

/// Which way a packet went that a computer with these addresses saw: it has sent it, or it is for it or
/// for all, or else it is for another one.
pub(crate) fn way(ends: Option<&PacketEnds>, own: &[(IpAddr, u8)]) -> Way {
    let is_own = |ip: IpAddr| own.iter().any(|(own, _)| *own == ip);
    let source = ends.and_then(|ends| ends.source.ip);
    let destination = ends.and_then(|ends| ends.destination.ip);
    if source.is_some_and(is_own) {
        return Way::Out;
    }
    let Some(ip) = destination.filter(|ip| !is_own(*ip)) else {
        return Way::In;
    };
    if ip.is_multicast() {
        Way::Multicast
    } else if is_broadcast(ip) || own.iter().any(|own| is_last_of(*own, ip)) {
        Way::Broadcast
    } else {
        Way::OtherHost
    }
}

fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(ip) if ip.is_broadcast())
}

/// Whether an address stands for all of a network (RFC 919, 7).
fn is_last_of((own, prefix): (IpAddr, u8), ip: IpAddr) -> bool {
    let (IpAddr::V4(own), IpAddr::V4(ip), 1..=30) = (own, ip, prefix) else {
        return false;
    };
    let hosts = u32::MAX >> prefix;
    ip.to_bits() == own.to_bits() | hosts
}

#[cfg(test)]
mod tests {
    use model::LinkType;

    use super::*;
    use crate::packets::ends;

    #[test]
    fn the_way_of_a_packet_is_told_by_its_ends() {
        let own = [("10.0.0.5".parse().unwrap(), 24)];
        let check = |source: [u8; 4], destination: [u8; 4], expected| {
            let mut bytes = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0];
            bytes.extend(source);
            bytes.extend(destination);
            bytes.extend([0, 53, 0, 54, 0, 8, 0, 0]);
            let ends = ends(LinkType::RAW_IP, &bytes);
            assert_eq!(way(ends.as_ref(), &own), expected, "{destination:?}");
        };
        let (own_address, other) = ([10, 0, 0, 5], [192, 0, 2, 1]);
        check(own_address, other, Way::Out);
        check(own_address, [10, 0, 0, 255], Way::Out);
        check(other, own_address, Way::In);
        check(other, [224, 0, 0, 251], Way::Multicast);
        check(other, [10, 0, 0, 255], Way::Broadcast);
        check(other, [255; 4], Way::Broadcast);
        check(other, [10, 0, 0, 6], Way::OtherHost);
        assert_eq!(way(None, &own), Way::In);
    }
}
