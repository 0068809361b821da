//! What rules look at: destinations, names and programs, each with what is known of it.

use std::net::IpAddr;
use std::time::Duration;

use model::{
    KnownAddress, KnownName, Matched, NameStrength, Pair, Process, Protocol, Tier, Timestamp,
};

/// A name may come so much later than the connection that it belongs to.
const NAMES_COME_WITHIN: Duration = Duration::from_secs(5);

/// The other side of all connections of a pair.
pub(crate) struct Destination<'a> {
    pub(crate) pair: &'a Pair,
    pub(crate) ip: IpAddr,
    pub(crate) known: &'a KnownAddress,
}

impl Destination<'_> {
    /// The other side called here.
    pub(crate) fn is_inbound(&self) -> bool {
        is_inbound(self.pair)
    }

    /// Whether it is of the internet, and no network at home.
    pub(crate) fn is_public(&self) -> bool {
        let special = self.known.facts.special;
        !self.is_of_many() && special.is_none_or(|it| it.is_global)
    }

    /// This computer itself, everybody, or no address: lists that have these say nothing with it.
    pub(crate) fn is_of_many(&self) -> bool {
        let ip = self.ip;
        let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
        ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || broadcast
    }
}

/// A name that a connection had, or that was asked for.
pub(crate) struct Name<'a> {
    /// In lower case, without a dot at its end.
    pub(crate) name: &'a str,
    pub(crate) known: &'a KnownName,
    /// How well it belongs to the connection. `None`: it was asked for.
    pub(crate) strength: Option<NameStrength>,
    /// What was asked for there fits these.
    pub(crate) urls: &'a [Matched],
}

/// A program that ran.
pub(crate) struct Program<'a> {
    pub(crate) process: &'a Process,
    pub(crate) matched: &'a [Matched],
}

pub(crate) fn is_inbound(pair: &Pair) -> bool {
    let has_ports = matches!(
        pair.key.protocol,
        Protocol::Tcp
            | Protocol::Mptcp
            | Protocol::Udp
            | Protocol::UdpLite
            | Protocol::Sctp
            | Protocol::Dccp
    );
    has_ports && pair.key.port.is_none()
}

/// Whether all names that its first connection can have would be there by `taken`. Whatever was read of
/// a file is there.
pub(crate) fn has_its_names(pair: &Pair, taken: Timestamp, tier: Tier) -> bool {
    tier == Tier::Import || pair.first.until(taken) >= NAMES_COME_WITHIN
}
