//! Connection tracking: what the firewall and address translation (NAT) of a network namespace
//! keep of each exchange, for seconds (UDP) up to days (TCP).

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::Path;

use model::{Endpoint, RememberedBy, Timestamp, WhyUnknown};
use rustix::net::netlink;

use super::kernel::{Table, cause, read_setting, table};
use super::{LIMIT, Memo, Memory};
use crate::linux::netlink::Netlink;
use crate::parse::conntrack::{TABLE_KIND, TABLE_QUESTION, Tracked, tracked, tracked_line};
use crate::parse::neighbours::{ADDRESSES_QUESTION, RTM_GETADDR, own_address};

const MISSED: &str =
    "remote addresses, ports and byte counts of connections that are over, UDP too";

/// When an entry was last used is not told, only, where the kernel notes it, when it began.
pub(super) fn conntrack(_now: Timestamp, memory: &mut Memory) {
    let read = match way() {
        Way::Netlink => Netlink::open(netlink::NETFILTER)
            .and_then(|mut netlink| table(&mut netlink, TABLE_KIND, &TABLE_QUESTION, tracked)),
        Way::Text => read_text(),
        Way::NotLoaded => {
            let why = "the kernel does not track connections: no firewall or address translation \
                       on this computer asks for it";
            return memory.gap("conntrack_not_kept", why, MISSED);
        }
    };
    let tracked = match read {
        Ok(table) => memory.entries_of(table),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let why = "no right to read the connection tracking of the kernel; root has it";
            return memory.gap("conntrack_no_rights", why, MISSED);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && way() == Way::Text => {
            let why = "the kernel tracks connections, but to read them would load a kernel module, \
                       and whocalls changes nothing; `modprobe nf_conntrack_netlink` does it";
            return memory.gap("conntrack_not_asked", why, MISSED);
        }
        Err(error) => {
            let why = format!("the connection tracking cannot be read: {}", cause(&error));
            return memory.gap("conntrack_unreadable", why, MISSED);
        }
    };
    if tracked.is_empty() {
        let why = "the kernel tracks connections only where a firewall or address translation asks \
                   for it, and keeps none in this network namespace";
        return memory.gap("conntrack_not_kept", why, MISSED);
    }
    let ours = OwnSide::read();
    for entry in tracked {
        memory.add(ours.memo(&entry));
    }
}

/// How the table can be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Netlink,
    /// Where a question over netlink would load the module that answers it.
    Text,
    NotLoaded,
}

fn way() -> Way {
    let loaded = |name: &str| Path::new("/sys/module").join(name).exists();
    if !loaded("nf_conntrack") && loaded("") {
        Way::NotLoaded
    } else if loaded("nf_conntrack/initstate") && !loaded("nf_conntrack_netlink") {
        // Only what was loaded has `initstate`; with nf_conntrack built in, so is the other.
        Way::Text
    } else {
        Way::Netlink
    }
}

pub(super) fn read_text() -> io::Result<Table<Tracked>> {
    // Longer than any table that fits into LIMIT.
    const LONGEST: u64 = 1 << 28;
    // `self` would be the namespace that the first thread is in.
    let file = File::open("/proc/thread-self/net/nf_conntrack")?;
    let mut table = Table {
        entries: Vec::new(),
        let_go: 0,
        restless: false,
    };
    for line in BufReader::new(file.take(LONGEST)).lines() {
        match tracked_line(&line?) {
            Some(entry) if table.entries.len() < LIMIT => table.entries.push(entry),
            Some(_) => table.let_go += 1,
            None => {}
        }
    }
    Ok(table)
}

/// How to tell which side of an exchange is this namespace.
struct OwnSide {
    addresses: HashSet<IpAddr>,
    broadcasts: HashSet<IpAddr>,
    forwards_ipv4: bool,
    forwards_ipv6: bool,
}

impl OwnSide {
    fn read() -> Self {
        let own = Netlink::open_route().and_then(|mut netlink| {
            table(&mut netlink, RTM_GETADDR, &ADDRESSES_QUESTION, own_address)
        });
        let own = own.map(|table| table.entries).unwrap_or_default();
        let forwards = |name| read_setting(name).is_some_and(|value| value != "0");
        Self {
            addresses: own.iter().map(|own| own.address).collect(),
            broadcasts: own.iter().filter_map(|own| own.broadcast).collect(),
            forwards_ipv4: forwards("ipv4/ip_forward"),
            forwards_ipv6: forwards("ipv6/conf/all/forwarding"),
        }
    }

    fn memo(&self, tracked: &Tracked) -> Memo {
        let Sides {
            remote,
            sent_by_source,
            why_unknown,
        } = self.sides(tracked);
        let (from, to) = (tracked.bytes_from_source, tracked.bytes_to_source);
        let (bytes_sent, bytes_received) = if sent_by_source {
            (from, to)
        } else {
            (to, from)
        };
        Memo {
            by: RememberedBy::Conntrack,
            remote,
            protocol: Some(tracked.protocol),
            name: None,
            seen: None,
            bytes_sent,
            bytes_received,
            why_unknown,
        }
    }

    fn sides(&self, tracked: &Tracked) -> Sides {
        let (Some(source), Some(destination)) = (tracked.source.ip, tracked.destination.ip) else {
            return Sides::outbound(tracked, WhyUnknown::NotInSource);
        };
        if self.is_own(source) {
            return Sides::outbound(tracked, WhyUnknown::BeforeStart);
        }
        let redirected = tracked
            .answers
            .is_some_and(|answers| answers != destination && !self.is_own(answers));
        if self.is_own(destination) {
            let why = if redirected {
                WhyUnknown::Forwarded
            } else {
                WhyUnknown::BeforeStart
            };
            return Sides::inbound(tracked, why);
        }
        if destination.is_multicast() || self.is_broadcast(destination) {
            return Sides::inbound(tracked, WhyUnknown::BeforeStart);
        }
        // Without forwarding, one side may be an address that this computer had before.
        let forwards = if source.is_ipv4() {
            self.forwards_ipv4
        } else {
            self.forwards_ipv6
        };
        let why = if forwards {
            WhyUnknown::Forwarded
        } else {
            WhyUnknown::NotInSource
        };
        Sides::outbound(tracked, why)
    }

    fn is_own(&self, ip: IpAddr) -> bool {
        ip.is_loopback() || self.addresses.contains(&ip)
    }

    fn is_broadcast(&self, ip: IpAddr) -> bool {
        ip == IpAddr::from([255; 4]) || self.broadcasts.contains(&ip)
    }
}

/// An exchange as this computer sees it.
#[derive(Debug, PartialEq, Eq)]
struct Sides {
    remote: Endpoint,
    sent_by_source: bool,
    why_unknown: WhyUnknown,
}

impl Sides {
    fn outbound(tracked: &Tracked, why_unknown: WhyUnknown) -> Self {
        Self {
            remote: tracked.destination,
            sent_by_source: true,
            why_unknown,
        }
    }

    fn inbound(tracked: &Tracked, why_unknown: WhyUnknown) -> Self {
        Self {
            remote: tracked.source,
            sent_by_source: false,
            why_unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Protocol;

    fn own_side(forwards: bool) -> OwnSide {
        OwnSide {
            addresses: HashSet::from([[192, 0, 2, 7].into()]),
            broadcasts: HashSet::from([[192, 0, 2, 255].into()]),
            forwards_ipv4: forwards,
            forwards_ipv6: forwards,
        }
    }

    fn check(way: [&str; 3], forwards: bool, remote: &str, sent: u64, why: WhyUnknown) {
        let [source, destination, answers] = way.map(|ip| ip.parse::<IpAddr>().unwrap());
        let memo = own_side(forwards).memo(&Tracked {
            protocol: Protocol::Udp,
            source: Endpoint::new(source, 1),
            destination: Endpoint::new(destination, 2),
            answers: Some(answers),
            started: None,
            bytes_from_source: Some(100),
            bytes_to_source: Some(200),
        });
        let remote: IpAddr = remote.parse().unwrap();
        assert_eq!(memo.remote.ip, Some(remote));
        assert_eq!(memo.remote.port, Some(if remote == source { 1 } else { 2 }));
        assert_eq!((memo.bytes_sent, memo.why_unknown), (Some(sent), why));
    }

    const OWN: &str = "192.0.2.7";
    const FAR: &str = "203.0.113.9";

    #[test]
    fn the_other_side_is_remote() {
        check([OWN, FAR, FAR], true, FAR, 100, WhyUnknown::BeforeStart);
        check([FAR, OWN, OWN], true, FAR, 200, WhyUnknown::BeforeStart);
        check(
            ["127.0.0.1", "127.0.0.2", "127.0.0.2"],
            true,
            "127.0.0.2",
            100,
            WhyUnknown::BeforeStart,
        );
    }

    #[test]
    fn a_redirected_call_still_went_where_it_was_sent() {
        check(
            [OWN, FAR, "127.0.0.1"],
            false,
            FAR,
            100,
            WhyUnknown::BeforeStart,
        );
    }

    #[test]
    fn what_passes_through_is_forwarded() {
        check(
            ["10.0.0.2", FAR, FAR],
            true,
            FAR,
            100,
            WhyUnknown::Forwarded,
        );
        check(
            [FAR, OWN, "10.0.0.2"],
            true,
            FAR,
            200,
            WhyUnknown::Forwarded,
        );
    }

    #[test]
    fn nothing_is_forwarded_where_forwarding_is_off() {
        check(
            ["10.0.0.2", FAR, FAR],
            false,
            FAR,
            100,
            WhyUnknown::NotInSource,
        );
    }

    #[test]
    fn a_broadcast_is_sent_to_us() {
        for everyone in ["255.255.255.255", "192.0.2.255", "224.0.0.251"] {
            check(
                ["192.0.2.1", everyone, everyone],
                true,
                "192.0.2.1",
                200,
                WhyUnknown::BeforeStart,
            );
        }
    }
}
