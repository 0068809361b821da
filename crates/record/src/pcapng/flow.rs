//! Whose the packets of each flow were last: only another owner has to be written down.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::net::IpAddr;

use model::{Endpoint, Mix, Packet, PacketEnds, Protocol, WhyNoProcess};

use super::mix::Mixed;

/// Flows of which it is known that their first packet has its comment: twice as many at most.
const MOST_FLOWS: usize = 65_536;

/// The packets of one exchange over one interface: both ways, but over a loopback interface, where
/// each way has its own process, each way for itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct FlowKey([u64; 6]);

impl FlowKey {
    pub(super) fn of(packet: &Packet<'_>) -> Self {
        let place = u64::from(packet.interface.netns.map_or(0, |netns| netns.0)) << 32
            | u64::from(packet.interface.index);
        let Some(ends) = &packet.ends else {
            return Self([place, u64::MAX, 0, 0, 0, 0]);
        };
        let ([a, b], [c, d], ports) = sides(ends, packet.loopback);
        let protocol = match ends.protocol {
            Protocol::Tcp => 1,
            Protocol::Udp => 2,
            Protocol::Mptcp => 3,
            Protocol::UdpLite => 4,
            Protocol::Sctp => 5,
            Protocol::Dccp => 6,
            Protocol::Icmp(kind) => 7 | kind.id.map_or(0, |id| 1 << 24 | u64::from(id) << 8),
            Protocol::Raw { ip_protocol } => 8 | u64::from(ip_protocol) << 8,
            Protocol::Packet { ethertype } => 9 | u64::from(ethertype) << 8,
            Protocol::Other(number) => 10 | u64::from(number) << 8,
        };
        Self([place, ports << 32 | protocol, a, b, c, d])
    }
}

/// Both addresses and ports, the lower end first when both ways are one flow.
fn sides(ends: &PacketEnds, each_way: bool) -> ([u64; 2], [u64; 2], u64) {
    let (source, destination) = (numbers(ends.source), numbers(ends.destination));
    let (first, second) = if each_way || source <= destination {
        (source, destination)
    } else {
        (destination, source)
    };
    (
        first.0,
        second.0,
        u64::from(first.1) << 16 | u64::from(second.1),
    )
}

fn numbers(end: Endpoint) -> ([u64; 2], u16) {
    let ip = match end.ip {
        // As an IPv4-mapped address, which no packet of IPv6 may have.
        Some(IpAddr::V4(ip)) => [0, 0xffff_0000_0000 | u64::from(ip.to_bits())],
        Some(IpAddr::V6(ip)) => {
            let bits = ip.to_bits();
            [
                u64::try_from(bits >> 64).unwrap_or(0),
                u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0),
            ]
        }
        None => [0, 0],
    };
    (ip, end.port.unwrap_or(0))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// By its number in this file, which is another one after an exec.
    Process(u32),
    Nobody(WhyNoProcess),
}

/// The flows that were seen last in this file, each with its last owner.
#[derive(Debug, Default)]
pub(super) struct Flows {
    /// For so many flows a hash of 64 bits is as good as the key.
    hash: Mix,
    newer: HashMap<u64, Whose, Mixed>,
    /// Those that were seen before `newer` was begun.
    older: HashMap<u64, Whose, Mixed>,
}

impl Flows {
    /// Whether this owner is not yet known for that flow.
    pub(super) fn is_news(&mut self, key: FlowKey, whose: Whose) -> bool {
        let key = self.hash.hash_one(key);
        if let Some(before) = self.newer.get_mut(&key) {
            return std::mem::replace(before, whose) != whose;
        }
        let before = self.older.remove(&key);
        if self.newer.len() >= MOST_FLOWS {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, whose);
        before != Some(whose)
    }
}
