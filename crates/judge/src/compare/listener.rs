//! A socket that waits for others, as it is compared.

use std::collections::BTreeSet;

use model::{Connection, ConnectionId, Direction, Evidence, Protocol, Timestamp};

use super::destination::service;
use super::program::{MOST, MOST_EVIDENCE, keep_smallest};

/// From here on ports are given out by the system (Linux; others begin higher), or chosen at random: the
/// next time it is another one.
const GIVEN_OUT: u16 = 32_768;

/// Below it ports are of services, and mostly only root may use them.
const OF_SERVICES: u16 = 1024;

/// Where a program waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Door {
    pub(super) protocol: &'static str,
    /// Of raw and packet sockets what they read. `None`: it has none, or one that was given out.
    pub(super) port: Option<u16>,
    pub(super) given_out: bool,
    /// Others than programs on this computer can call.
    pub(super) outside: bool,
}

impl Door {
    /// `None`: it waits for nobody, or only for answers.
    pub(super) fn of(connection: &Connection) -> Option<Self> {
        if connection.direction != Direction::Listening || connection.remote.is_some() {
            return None;
        }
        let (protocol, port) = service(connection.protocol, connection.local.port);
        let given_out = connection.protocol.has_ports() && port.is_some_and(|it| it >= GIVEN_OUT);
        let is_udp = matches!(connection.protocol, Protocol::Udp | Protocol::UdpLite);
        // Whoever asks by UDP waits for answers so.
        if is_udp && (given_out || port.is_none_or(|it| it == 0)) {
            return None;
        }
        let ip = connection.local.ip;
        Some(Self {
            protocol,
            port: port.filter(|_| !given_out),
            given_out,
            outside: !ip.is_some_and(|it| it.is_loopback()),
        })
    }

    /// Datagrams that a program takes at a port of its choice: a browser takes others each time.
    pub(super) fn may_be_random(self) -> bool {
        let chosen = self.port.is_none_or(|it| it >= OF_SERVICES);
        matches!(self.protocol, "udp" | "udplite") && chosen
    }

    /// All of these of one program together.
    pub(super) fn at_random(self) -> Self {
        Self {
            port: None,
            given_out: true,
            ..self
        }
    }

    /// Reads the packets of all.
    pub(super) fn is_sniffer(self) -> bool {
        matches!(self.protocol, "packet" | "raw")
    }

    /// Whoever calls there can work on this computer, or see its screen: SSH, Telnet, remote desktop, VNC.
    pub(super) fn is_remote_control(self) -> bool {
        let is_known = |port| matches!(port, 22 | 23 | 2222 | 3389 | 5800..=5809 | 5900..=5909);
        self.protocol == "tcp" && self.port.is_some_and(is_known)
    }

    pub(super) fn thing(self) -> String {
        let port = match (self.port, self.given_out) {
            (Some(port), _) => format!(" {port}"),
            (None, true) => " given out".to_owned(),
            (None, false) => String::new(),
        };
        let from = if self.outside { "outside" } else { "loopback" };
        format!("{}{port} {from}", self.protocol)
    }
}

/// What waits there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Waiting {
    /// The ends as they are written.
    pub(super) ends: BTreeSet<String>,
    pub(super) first: Option<Timestamp>,
    evidence: BTreeSet<(Option<Timestamp>, ConnectionId)>,
}

impl Waiting {
    pub(super) fn add(&mut self, connection: &Connection) {
        let end = match (connection.local.ip, connection.local.port) {
            (Some(ip), Some(port)) => std::net::SocketAddr::new(ip, port).to_string(),
            (Some(ip), None) => ip.to_string(),
            (None, _) => connection.protocol.word().to_owned(),
        };
        keep_smallest(&mut self.ends, end, MOST);
        let opened = connection.opened;
        self.first = [self.first, opened].into_iter().flatten().min();
        keep_smallest(&mut self.evidence, (opened, connection.id), MOST_EVIDENCE);
    }

    pub(super) fn join(&mut self, other: &Self) {
        for end in &other.ends {
            keep_smallest(&mut self.ends, end.clone(), MOST);
        }
        self.first = [self.first, other.first].into_iter().flatten().min();
        for evidence in &other.evidence {
            keep_smallest(&mut self.evidence, *evidence, MOST_EVIDENCE);
        }
    }

    pub(super) fn evidence(&self) -> Vec<Evidence> {
        let ids = self.evidence.iter();
        ids.map(|(_, id)| Evidence::Connection(*id)).collect()
    }
}
