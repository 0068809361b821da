//! The other side, as it is compared: by the part of its name that somebody registered, else by the
//! network that announces its address. Single addresses of a network that has many are left out.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::{
    ConnectionId, Evidence, Fact, Knows, NetworkKind, Pair, Protocol, Text, Timestamp, translated,
};

use super::program::{MOST, MOST_EVIDENCE, keep_smallest};

/// So many addresses are kept of each.
const MOST_ADDRESSES: usize = 64;
/// Ports that programs change between as they like: the web.
const WEB: [(u16, &str); 3] = [(80, "tcp"), (443, "tcp"), (443, "udp")];

/// What belongs together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Group {
    /// The part of a name that somebody registered; the whole name where nobody did.
    Domain(String),
    /// Who announces the address: the number of an autonomous system.
    Network(u32),
    /// An address of the internet that nobody announces, by the beginning that it has in common with its
    /// neighbours.
    Block(String),
    /// An address that is of no one place: of a home, of an office.
    Address(IpAddr),
    Loopback,
    /// All computers around, or several.
    Many,
}

impl Group {
    pub(super) fn of_address(ip: IpAddr, known: Option<&dyn Knows>) -> (Self, Option<Network>) {
        let ip = translated(ip).unwrap_or(ip);
        let is_broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        // Who calls any address calls this computer.
        if ip.is_loopback() || ip.is_unspecified() {
            return (Self::Loopback, None);
        }
        if ip.is_multicast() || is_broadcast {
            return (Self::Many, None);
        }
        let facts = known.map(|it| it.address(ip).facts).unwrap_or_default();
        if facts.special.is_some_and(|it| !it.is_global) {
            return (Self::Address(ip), None);
        }
        let Some(announcer) = facts.announced_by else {
            return (Self::Block(block(ip)), None);
        };
        let kinds = &facts.kinds;
        let is_rented =
            kinds.iter().any(|it| it.is_used_by_others()) && !kinds.contains(&NetworkKind::Cdn);
        let network = Network {
            asn: announcer.asn,
            organisation: announcer.organisation,
            is_rented,
        };
        (Self::Network(announcer.asn), Some(network))
    }

    pub(super) fn is_named(&self) -> bool {
        matches!(self, Self::Domain(_))
    }

    /// Whether it is another computer, not one that all around are meant by.
    pub(super) fn is_outside(&self) -> bool {
        !matches!(self, Self::Loopback | Self::Many)
    }

    /// As it is told and compared.
    pub(super) fn thing(&self) -> String {
        match self {
            Self::Domain(name) => name.clone(),
            Self::Network(asn) => format!("AS{asn}"),
            Self::Block(block) => block.clone(),
            Self::Address(ip) => ip.to_string(),
            Self::Loopback => "loopback".to_owned(),
            Self::Many => "multicast".to_owned(),
        }
    }
}

/// Who announces an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Network {
    pub(super) asn: u32,
    pub(super) organisation: Text,
    /// Anybody can rent a server there.
    pub(super) is_rented: bool,
}

/// By which protocol and port.
pub(super) type Service = (&'static str, Option<u16>);

/// All that was seen of one group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Destination {
    pub(super) services: BTreeSet<Service>,
    pub(super) names: BTreeSet<String>,
    pub(super) addresses: BTreeSet<IpAddr>,
    /// By their numbers, and whether anybody can rent a server there.
    pub(super) networks: BTreeSet<(u32, bool)>,
    /// Of the network with the smallest number.
    pub(super) organisation: Option<(u32, Text)>,
    pub(super) connections: u64,
    pub(super) failed: u64,
    pub(super) first: Option<Timestamp>,
    evidence: BTreeSet<(Option<Timestamp>, ConnectionId)>,
}

impl Destination {
    /// Takes in a pair, or the part of it that has one name.
    pub(super) fn add(
        &mut self,
        pair: &Pair,
        ip: Option<IpAddr>,
        network: Option<&Network>,
        connections: u64,
        ids: impl Iterator<Item = ConnectionId>,
    ) {
        // Of who calls here it is the port here.
        let port = pair.key.port.or(pair.key.local_port);
        self.services.insert(service(pair.key.protocol, port));
        if let Some(ip) = ip {
            keep_smallest(&mut self.addresses, ip, MOST_ADDRESSES);
        }
        if let Some(network) = network {
            keep_smallest(&mut self.networks, (network.asn, network.is_rented), MOST);
            let known = self.organisation.take().into_iter();
            let own = (network.asn, network.organisation.clone());
            self.organisation = known.chain([own]).min();
        }
        self.connections = self.connections.saturating_add(connections);
        self.failed = self.failed.saturating_add(pair.failed.min(connections));
        let first = pair.first.told();
        self.first = [self.first, first].into_iter().flatten().min();
        for id in ids.take(MOST_EVIDENCE) {
            keep_smallest(&mut self.evidence, (first, id), MOST_EVIDENCE);
        }
    }

    pub(super) fn name(&mut self, name: &str) {
        keep_smallest(&mut self.names, name.to_owned(), MOST);
    }

    /// Takes in all that was seen of the same group elsewhere.
    pub(super) fn join(&mut self, other: &Self) {
        for service in &other.services {
            self.services.insert(*service);
        }
        for name in &other.names {
            keep_smallest(&mut self.names, name.clone(), MOST);
        }
        for ip in &other.addresses {
            keep_smallest(&mut self.addresses, *ip, MOST_ADDRESSES);
        }
        for network in &other.networks {
            keep_smallest(&mut self.networks, *network, MOST);
        }
        let known = self.organisation.take().into_iter();
        self.organisation = known.chain(other.organisation.clone()).min();
        self.connections = self.connections.saturating_add(other.connections);
        self.failed = self.failed.saturating_add(other.failed);
        self.first = [self.first, other.first].into_iter().flatten().min();
        for evidence in &other.evidence {
            keep_smallest(&mut self.evidence, *evidence, MOST_EVIDENCE);
        }
    }

    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let ids = self.evidence.iter();
        ids.map(|(_, id)| Evidence::Connection(*id)).collect()
    }

    /// In few words: the names, else the address and its network.
    pub(super) fn brief(&self, group: &Group) -> String {
        let one = match (self.names.first(), self.addresses.first()) {
            (Some(name), _) => name.clone(),
            (None, Some(ip)) => ip.to_string(),
            (None, None) => group.thing(),
        };
        let ports: Vec<_> = self.services.iter().filter_map(|it| it.1).collect();
        match ports.as_slice() {
            [port] if one.contains(':') => format!("[{one}]:{port}"),
            [port] => format!("{one}:{port}"),
            _ => one,
        }
    }

    pub(super) fn facts(&self, group: &Group) -> Vec<(&'static str, Fact)> {
        let mut facts = vec![("to", Fact::Text(self.brief(group)))];
        let list = |all: Vec<String>| Fact::Text(all.join(", "));
        if let Group::Domain(name) = group {
            facts.push(("domain", Fact::Text(name.clone())));
        }
        let some = |all: &mut dyn Iterator<Item = String>| all.take(MOST_EVIDENCE).collect();
        if self.names.len() > 1 {
            facts.push(("names", list(some(&mut self.names.iter().cloned()))));
        }
        let addresses = some(&mut self.addresses.iter().map(ToString::to_string));
        facts.push(("addresses", list(addresses)));
        if let Some((asn, organisation)) = &self.organisation {
            let organisation = organisation.lossy();
            let network = format!("AS{asn} {organisation}");
            facts.push(("network", Fact::Text(network.trim_end().to_owned())));
        }
        if self.networks.iter().any(|(_, is_rented)| *is_rented) {
            facts.push(("rented", Fact::Text("yes".to_owned())));
        }
        let services = some(&mut self.services.iter().map(|it| service_name(*it)));
        facts.push(("ports", list(services)));
        facts.push(("connections", Fact::Count(self.connections)));
        if self.failed > 0 {
            facts.push(("failed", Fact::Count(self.failed)));
        }
        facts.extend(self.first.map(|first| ("first", Fact::Time(first))));
        facts
    }
}

/// The pings of a program are all of one kind.
pub(super) fn service(protocol: Protocol, port: Option<u16>) -> Service {
    let number = match protocol {
        Protocol::Raw { ip_protocol } => Some(u16::from(ip_protocol)),
        Protocol::Packet { ethertype } => Some(ethertype),
        Protocol::Other(number) => Some(number),
        Protocol::Tcp
        | Protocol::Mptcp
        | Protocol::Udp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Icmp(_) => port,
    };
    (protocol.word(), number)
}

/// `443/tcp`.
pub(super) fn service_name((protocol, port): Service) -> String {
    match port {
        Some(port) => format!("{port}/{protocol}"),
        None => protocol.to_owned(),
    }
}

pub(super) fn is_web((protocol, port): Service) -> bool {
    WEB.iter()
        .any(|(number, word)| Some(*number) == port && *word == protocol)
}

/// /24 and /48: no smaller block is announced to all of the internet.
fn block(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            let ip = std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
            format!("{ip}/48")
        }
    }
}
