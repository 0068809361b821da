//! What this computer keeps for its own use and so remembers of connections that are over: TCP
//! metrics, connection tracking and neighbours of a network namespace, and the caches of
//! resolvers. Reading changes none of it and loads no kernel module.

mod conntrack;
mod kernel;
mod resolvers;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::time::Duration;

use model::{
    Endpoint, Gap, NetworkNamespace, Owner, Protocol, Remembered, RememberedBy, Source, Text,
    Timestamp, WhyUnknown,
};

/// Rows of one source.
const LIMIT: usize = 100_000;

/// What the network namespace of this thread remembers; `netns` is its number.
pub(crate) fn in_this_namespace(
    netns: NetworkNamespace,
    now: Timestamp,
) -> (Vec<Remembered>, Vec<Gap>) {
    let mut rows = Vec::new();
    let mut gaps = Vec::new();
    for read in [
        kernel::tcp_metrics,
        kernel::neighbours,
        conntrack::conntrack,
    ] {
        let mut memory = Memory::new(Source::Netlink, Some(netns));
        read(now, &mut memory);
        memory.finish(&mut rows, &mut gaps);
    }
    if rows
        .iter()
        .any(|row| matches!(row.by, RememberedBy::TcpMetrics | RememberedBy::Neighbours))
    {
        gaps.extend(kernel::slept());
    }
    (rows, gaps)
}

/// What resolvers on this computer keep; not tied to a namespace.
pub(crate) fn by_resolvers(now: Timestamp) -> (Vec<Remembered>, Vec<Gap>) {
    let mut rows = Vec::new();
    let mut gaps = Vec::new();
    let mut memory = Memory::new(Source::Proc, None);
    resolvers::resolvers(now, &mut memory);
    memory.finish(&mut rows, &mut gaps);
    (rows, gaps)
}

/// What one source remembers. Rows for the same remote become one: the latest time, all bytes.
struct Memory {
    source: Source,
    netns: Option<NetworkNamespace>,
    rows: Vec<Remembered>,
    places: HashMap<Key, usize>,
    let_go: usize,
    gaps: Vec<Gap>,
}

type Key = (
    IpAddr,
    Option<u16>,
    Option<Protocol>,
    Option<Text>,
    &'static str,
);

/// What a source tells of a remote address.
struct Memo {
    by: RememberedBy,
    remote: Endpoint,
    protocol: Option<Protocol>,
    name: Option<Text>,
    seen: Option<Timestamp>,
    bytes_sent: Option<u64>,
    bytes_received: Option<u64>,
    why_unknown: WhyUnknown,
}

impl Memo {
    fn of(by: RememberedBy, ip: IpAddr) -> Self {
        Self {
            by,
            remote: Endpoint::without_port(ip),
            protocol: None,
            name: None,
            seen: None,
            bytes_sent: None,
            bytes_received: None,
            why_unknown: WhyUnknown::BeforeStart,
        }
    }
}

impl Memory {
    fn new(source: Source, netns: Option<NetworkNamespace>) -> Self {
        Self {
            source,
            netns,
            rows: Vec::new(),
            places: HashMap::new(),
            let_go: 0,
            gaps: Vec::new(),
        }
    }

    fn add(&mut self, memo: Memo) {
        let Some(ip) = memo.remote.ip else { return };
        let (port, why) = (memo.remote.port, memo.why_unknown);
        let key = (ip, port, memo.protocol, memo.name.clone(), why.word());
        let row = Remembered {
            ip: Some(ip),
            port,
            name: memo.name,
            protocol: memo.protocol,
            by: memo.by,
            netns: self.netns,
            seen: memo.seen,
            bytes_sent: memo.bytes_sent,
            bytes_received: memo.bytes_received,
            program: None,
            user: None,
            owner: Owner::Unknown { why },
        };
        let full = self.rows.len() >= LIMIT;
        match self.places.entry(key) {
            Entry::Occupied(place) => {
                if let Some(known) = self.rows.get_mut(*place.get()) {
                    known.seen = known.seen.max(row.seen);
                    known.bytes_sent = sum(known.bytes_sent, row.bytes_sent);
                    known.bytes_received = sum(known.bytes_received, row.bytes_received);
                }
            }
            Entry::Vacant(_) if full => self.let_go += 1,
            Entry::Vacant(place) => {
                place.insert(self.rows.len());
                self.rows.push(row);
            }
        }
    }

    fn gap(&mut self, id: &str, why: impl Into<String>, missed: &str) {
        self.gaps.push(Gap::standing(id, self.source, why, missed));
    }

    fn finish(self, rows: &mut Vec<Remembered>, gaps: &mut Vec<Gap>) {
        rows.extend(self.rows);
        gaps.extend(self.gaps);
        if self.let_go > 0 {
            let gap = Gap::standing(
                "remembered_let_go",
                self.source,
                format!(
                    "this computer remembers more than {LIMIT} remote addresses, or longer names \
                     than names are, in one place"
                ),
                "the others of them",
            );
            gaps.push(gap.counted(self.let_go));
        }
    }
}

/// `None` as soon as one part is not known.
fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    Some(one?.saturating_add(other?))
}

fn before(now: Timestamp, age: Duration) -> Timestamp {
    let age = i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
    Timestamp::from_unix_nanos(now.unix_nanos().saturating_sub(age))
}
