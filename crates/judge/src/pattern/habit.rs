//! What one program does to one destination, over time: what pattern rules look at.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{
    Attendance, Fact, KnownAddress, KnownName, NetworkKind, Pair, Presence, Protocol, Timestamp,
};

use super::makers;
use super::rhythm::{Beat, MOST};
use crate::seen::is_inbound;

/// Of a name with more addresses than this each is not looked at by itself.
const MOST_APART: usize = 16;

/// Questions for names, addresses of this computer (DHCP), time, and what neighbours tell each other:
/// all of it comes by itself and goes on for ever.
const BY_ITSELF: [u16; 13] = [
    53, 67, 68, 123, 137, 138, 546, 547, 1900, 3702, 5351, 5353, 5355,
];
/// What is made to call again and again, or to keep its line alive: mail that is told of (IMAP), chat, names
/// over TLS, messages to telephones and things.
const MADE_TO_CALL: [u16; 7] = [143, 853, 993, 5222, 5223, 5228, 8883];

/// All pairs of one program with one name, or with one address that has none; the same port and protocol.
pub(crate) struct Habit<'a> {
    /// The name, or the address.
    pub(crate) label: &'a str,
    /// In the order of their addresses; at least one.
    pub(crate) pairs: Vec<&'a Pair>,
    pub(crate) known: Vec<Arc<KnownAddress>>,
    /// `None`: an address without a name.
    pub(crate) name: Option<Arc<KnownName>>,
    pub(crate) standing: Standing,
    /// The program shows on a display, or by a page on this computer.
    pub(crate) shows: bool,
    /// Rules that have found something about the program or the destination, at least medium.
    pub(crate) reasons: Vec<&'static str>,
    pub(crate) callers: Callers,
    /// Whether a name would have been seen, had anybody asked for one.
    pub(crate) names_seen: bool,
    /// For how long the oldest run of it that goes on has run. `None`: not known, or none goes on.
    pub(crate) runs_for: Option<Duration>,
    /// When somebody was at the computer.
    pub(crate) attendance: Arc<Attendance>,
    /// It was told to log in there, or to copy something there.
    pub(crate) logs_in: bool,
    /// What the program usually sends to one destination, in bytes. `None`: it has no other.
    pub(crate) usual_sent: Option<f64>,
    /// When watching began. `UNTOLD`: not known, or it was a single look.
    pub(crate) since: Timestamp,
    pub(crate) taken: Timestamp,
}

/// Where the program comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Intact from a package, and it does not do whatever it is told.
    Ordinary,
    /// From a package, and it does what it is told: a shell, an interpreter, a transfer tool.
    Packaged,
    /// No process is known, or not where it comes from.
    Unknown,
    /// Of no package, changed, or gone from the disk.
    Unpackaged,
    /// Whocalls itself.
    Ours,
}

/// Who else calls there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Callers {
    /// Programs, or devices in their place, this one among them.
    pub(crate) here: usize,
    /// Destinations of this program, or of this device, this one among them.
    pub(crate) of_program: usize,
    /// Those of them whose network the same one announces. 0: nobody knows who
    /// does.
    pub(crate) of_provider: usize,
    /// All devices that were seen to call anybody; 0 where programs are known.
    pub(crate) devices: usize,
}

/// One call of a habit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Called {
    pub(crate) opened: Timestamp,
    pub(crate) closed: Option<Timestamp>,
    pub(crate) failed: bool,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Packaged => "packaged",
            Self::Unknown => "unknown",
            Self::Unpackaged => "unpackaged",
            Self::Ours => "this tool",
        }
    }
}

impl Habit<'_> {
    fn first_pair(&self) -> Option<&Pair> {
        self.pairs.first().copied()
    }

    pub(crate) fn port(&self) -> Option<u16> {
        self.first_pair()?.key.port
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.first_pair()
            .map_or(Protocol::Tcp, |pair| pair.key.protocol)
    }

    /// What makes two findings about habits of a program two.
    pub(crate) fn thing(&self) -> String {
        let port = self
            .port()
            .or(self.first_pair().and_then(|it| it.key.local_port));
        match port {
            Some(port) => format!("{} {port}", self.label),
            None => self.label.to_owned(),
        }
    }

    pub(crate) fn is_inbound(&self) -> bool {
        self.first_pair().is_some_and(is_inbound)
    }

    pub(crate) fn is_of_device(&self) -> bool {
        self.first_pair().is_some_and(|it| it.key.device.is_some())
    }

    /// Whether all that is called is this computer itself, everybody, or no address.
    pub(crate) fn is_of_many(&self) -> bool {
        self.pairs.iter().all(|pair| {
            let ip = pair.key.destination.parse::<IpAddr>();
            ip.map_or(true, is_of_many)
        })
    }

    /// Whether nothing of it goes farther than the next computer: what a computer in a cloud asks about
    /// itself, for one (RFC 3927, RFC 4291 2.5.6).
    pub(crate) fn is_on_link(&self) -> bool {
        self.pairs
            .iter()
            .all(|pair| match pair.key.destination.parse() {
                Ok(IpAddr::V4(ip)) => ip.is_link_local(),
                Ok(IpAddr::V6(ip)) => ip.is_unicast_link_local(),
                Err(_) => false,
            })
    }

    /// Only private addresses: computers and things of the same house (RFC 1918, RFC 4193).
    pub(crate) fn is_at_home(&self) -> bool {
        let mut addresses = self.pairs.iter().map(|it| it.key.destination.parse());
        self.is_on_link()
            || addresses.all(|ip| match ip {
                Ok(IpAddr::V4(ip)) => ip.is_private(),
                Ok(IpAddr::V6(ip)) => ip.is_unique_local(),
                Err(_) => false,
            })
    }

    /// Whether all of it leaves the house: nothing private, and no tunnel between own computers, which have
    /// addresses of providers among themselves (RFC 6598).
    pub(crate) fn goes_out(&self) -> bool {
        let mut addresses = self.pairs.iter().map(|it| it.key.destination.parse());
        addresses.all(|ip| match ip {
            Ok(IpAddr::V4(ip)) => {
                let [first, second, ..] = ip.octets();
                let among_themselves = first == 100 && second & 0xc0 == 64;
                !ip.is_private() && !ip.is_link_local() && !among_themselves
            }
            Ok(IpAddr::V6(ip)) => !ip.is_unique_local() && !ip.is_unicast_link_local(),
            Err(_) => false,
        })
    }

    /// What comes by itself on any computer: among neighbours, and what has no ports.
    pub(crate) fn comes_by_itself(&self) -> bool {
        let has_ports = matches!(
            self.protocol(),
            Protocol::Tcp | Protocol::Mptcp | Protocol::Udp | Protocol::UdpLite | Protocol::Sctp
        );
        if !has_ports {
            return true;
        }
        let datagrams = !matches!(self.protocol(), Protocol::Tcp | Protocol::Mptcp);
        let port = self.port();
        port == Some(53) || datagrams && port.is_some_and(|port| BY_ITSELF.contains(&port))
    }

    /// Whether it belongs to those who made the system or the browser: the name, and the network that it
    /// is in, which nobody else can choose.
    pub(crate) fn is_of_maker(&self) -> bool {
        let registrable = self.name.as_ref().and_then(|it| it.registrable.as_deref());
        registrable.is_some_and(|name| makers::are(name, &self.known))
    }

    /// Whether it is what runs this machine, in a cloud.
    pub(crate) fn is_of_platform(&self) -> bool {
        let mut addresses = self.pairs.iter().map(|it| it.key.destination.parse());
        addresses.all(|ip| ip.is_ok_and(makers::is_platform))
    }

    pub(crate) fn is_made_to_call(&self) -> bool {
        self.port().is_some_and(|port| MADE_TO_CALL.contains(&port))
    }

    pub(crate) fn has_kind(&self, kinds: &[NetworkKind]) -> bool {
        let of_addresses = self.known.iter().flat_map(|it| {
            let listed = it.listed.iter().map(|it| it.kind);
            it.facts.kinds.iter().copied().chain(listed)
        });
        let of_name = self.name.iter().flat_map(|it| it.listed.iter());
        let mut all = of_addresses.chain(of_name.map(|it| it.kind));
        all.any(|kind| kinds.contains(&kind))
    }

    /// For how many seconds somebody watched; from the first call on where nobody says.
    pub(crate) fn watched(&self) -> f64 {
        let firsts = self.pairs.iter().filter_map(|pair| pair.first.told());
        let first = firsts.min().unwrap_or(self.taken);
        let since = self.since.told().unwrap_or(first).min(first);
        seconds(since, self.taken)
    }

    /// All connections there were.
    pub(crate) fn connections(&self) -> u64 {
        sum(self.pairs.iter().map(|pair| pair.connections))
    }

    pub(crate) fn failed(&self) -> u64 {
        sum(self.pairs.iter().map(|pair| pair.failed))
    }

    pub(crate) fn open(&self) -> u64 {
        sum(self.pairs.iter().map(|pair| pair.open))
    }

    /// What was sent and received, as far as it is known: of connections that are open by their bursts.
    #[expect(clippy::cast_precision_loss, reason = "sums need no more digits")]
    pub(crate) fn bytes(&self) -> (f64, f64) {
        let open = self.pairs.iter().filter(|pair| pair.open > 0);
        let bursts = open.flat_map(|pair| pair.talks.iter());
        let bursts = bursts.map(|(_, talk)| talk.bytes());
        let ended = sum(self.pairs.iter().map(|pair| pair.bytes_sent));
        let sent = ended.max(sum(bursts));
        let received = sum(self.pairs.iter().map(|pair| pair.bytes_received));
        (sent as f64, received as f64)
    }

    /// Bytes a second in both directions. `None`: nothing was counted.
    pub(crate) fn rate(&self, lasted: f64) -> Option<f64> {
        let (sent, received) = self.bytes();
        (sent + received > 0.0).then_some((sent + received) / lasted.max(1.0))
    }

    /// What every finding about it tells besides.
    pub(crate) fn facts(&self) -> Vec<(&'static str, Fact)> {
        let text = |text: &str| Fact::Text(text.to_owned());
        let mut facts = vec![("seen", text(self.label))];
        let port = self.port().map(|port| port.to_string());
        facts.extend(port.map(|port| ("port", Fact::Text(port))));
        facts.push(("watched", super::beacon::span(self.watched_steps())));
        if self.standing != Standing::Unknown {
            facts.push(("program_is", text(self.standing.word())));
        }
        if self.pairs.len() > 1 {
            let addresses = u64::try_from(self.pairs.len()).unwrap_or(u64::MAX);
            facts.push(("addresses", Fact::Count(addresses)));
        }
        if self.failed() > 0 {
            facts.push(("failed", Fact::Count(self.failed())));
        }
        facts.extend(self.reasons.first().map(|it| ("second_reason", text(it))));
        facts
    }

    /// How long somebody watched, in steps: it would be another fact with each second.
    fn watched_steps(&self) -> f64 {
        let watched = self.watched();
        let steps = [
            60.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0, 43_200.0, 86_400.0,
        ];
        let step = steps.iter().rev().find(|it| **it <= watched);
        step.map_or(0.0, |step| (watched / step).floor() * step)
    }

    /// The newest calls of all pairs together, in the order of their start.
    pub(crate) fn calls(&self) -> Vec<Called> {
        let calls = self.pairs.iter().flat_map(|pair| pair.calls.iter());
        let mut calls: Vec<Called> = calls
            .map(|call| Called {
                opened: call.opened,
                closed: call.closed,
                failed: call.failed,
                bytes_sent: call.bytes_sent,
                bytes_received: call.bytes_received,
            })
            .collect();
        if self.pairs.len() > 1 {
            calls.sort_by_key(|call| (call.opened, call.closed, call.bytes_sent));
        }
        calls.drain(..calls.len().saturating_sub(MOST));
        calls
    }

    /// How many of the newest calls came while somebody was there, and while nobody was; and for how long either was so
    /// since the first of them, in seconds. What is not known is in neither.
    pub(super) fn attended(&self) -> [(usize, f64); 2] {
        let calls = self.calls();
        let first = calls.first().map_or(self.taken, |it| it.opened);
        [Presence::Active, Presence::Idle].map(|presence| {
            let during = calls.iter().map(|it| self.attendance.at(it.opened));
            let lasted = self.attendance.lasted(presence, first, self.taken);
            let during = during.filter(|it| *it == presence).count();
            (during, lasted.as_secs_f64())
        })
    }

    /// How many calls came while nobody was at the computer. `None`: none, or it is not known.
    pub(super) fn while_away(&self) -> Option<(&'static str, Fact)> {
        let [_, (calls, _)] = self.attended();
        let count = Fact::Count(u64::try_from(calls).unwrap_or(u64::MAX));
        (calls > 0).then_some(("while_away", count))
    }

    /// Rows that may have a rhythm: all calls together, and those of each address.
    pub(super) fn rows(&self) -> Vec<Vec<Beat>> {
        let start = self.calls();
        let Some(zero) = start.first().map(|it| it.opened) else {
            return Vec::new();
        };
        let mut rows = vec![
            start
                .iter()
                .map(|it| beat(zero, it.opened, it.bytes_sent))
                .collect(),
        ];
        if (2..=MOST_APART).contains(&self.pairs.len()) {
            rows.extend(self.pairs.iter().map(|pair| {
                let calls = pair.calls.iter().rev().take(MOST);
                let mut row: Vec<Beat> = calls
                    .map(|call| beat(zero, call.opened, call.bytes_sent))
                    .collect();
                row.reverse();
                row
            }));
        }
        rows
    }
}

pub(crate) fn is_of_many(ip: IpAddr) -> bool {
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast() || ip.octets()[3] == 255);
    ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || broadcast
}

#[expect(clippy::cast_precision_loss, reason = "sizes need no more digits")]
pub(super) fn beat(zero: Timestamp, at: Timestamp, bytes: u64) -> Beat {
    Beat {
        at: seconds(zero, at),
        bytes: bytes as f64,
    }
}

/// 0 where `later` is not later.
pub(super) fn seconds(from: Timestamp, later: Timestamp) -> f64 {
    from.until(later).as_secs_f64()
}

fn sum(all: impl Iterator<Item = u64>) -> u64 {
    all.fold(0, u64::saturating_add)
}
