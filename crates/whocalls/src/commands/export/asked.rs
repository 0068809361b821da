//! Questions for names and their answers, as they were seen, and the connections they went over.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use model::{Connection, Detail, Endpoint, Event, NetworkNamespace, Protocol, Snapshot, Timestamp};
use show::filter::Filter;
use show::zeek::DnsLog;

use crate::arguments::{ExportArguments, ZeekLog};

/// The questions and answers that were seen, in their order.
pub(super) struct Asked {
    is_wanted: bool,
    events: Vec<Event>,
}

impl Asked {
    pub(super) fn of(arguments: &ExportArguments) -> Self {
        Self {
            is_wanted: arguments.zeek == Some(ZeekLog::Dns),
            events: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, event: &Event) {
        if self.is_wanted && matches!(&event.detail, Detail::Name(seen) if seen.greeting.is_none())
        {
            self.events.push(event.clone());
        }
    }

    /// Lets go what came later.
    pub(super) fn until(&mut self, at: Timestamp) {
        self.events.retain(|event| event.time <= at);
    }

    /// Writes those that match.
    pub(super) fn write(
        &self,
        snapshot: &Snapshot,
        filter: &Filter,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let connections = Connections::of(snapshot);
        let mut log = DnsLog::new(snapshot.host.boot, snapshot.taken, out)?;
        for event in &self.events {
            let connection = connections.of_event(event);
            let owner = || connection.and_then(|it| it.owner.process());
            let process = event.process.or_else(owner);
            let process = process.and_then(|id| snapshot.processes.get(&id));
            if filter.matches_name_seen(event, connection, process.map(Arc::as_ref)) {
                log.add(event, connection.map(|it| it.id))?;
            }
        }
        log.finish()
    }
}

/// By what an event tells which connection it was seen on.
#[derive(PartialEq, Eq, Hash)]
enum Name {
    Cookie(u64),
    Ends(Option<NetworkNamespace>, Protocol, Endpoint, Endpoint),
}

/// The connections, to be found by what was seen on them.
struct Connections<'a> {
    home: Option<NetworkNamespace>,
    by_name: HashMap<Name, Vec<&'a Connection>>,
}

impl<'a> Connections<'a> {
    fn of(snapshot: &'a Snapshot) -> Self {
        let mut connections = Self {
            home: snapshot.home_netns,
            by_name: HashMap::new(),
        };
        for it in &snapshot.connections {
            let ends = connections.ends(it.netns, Some(it.protocol), Some(it.local), it.remote);
            let cookie = it.socket.cookie.map(Name::Cookie);
            for name in [cookie, ends].into_iter().flatten() {
                connections.by_name.entry(name).or_default().push(it);
            }
        }
        connections
    }

    fn ends(
        &self,
        netns: Option<NetworkNamespace>,
        protocol: Option<Protocol>,
        local: Option<Endpoint>,
        remote: Option<Endpoint>,
    ) -> Option<Name> {
        let netns = netns.or(self.home);
        Some(Name::Ends(netns, protocol?, local?, remote?))
    }

    /// Of several that had the same socket or ends, the newest of those that had begun by then.
    fn of_event(&self, event: &Event) -> Option<&'a Connection> {
        let cookie = event.socket.and_then(|socket| socket.cookie);
        let name = match cookie {
            Some(cookie) => Some(Name::Cookie(cookie)),
            None => self.ends(event.netns, event.protocol, event.local, event.remote),
        };
        let all = self.by_name.get(&name?)?.iter().copied();
        let same_end = |it: &&Connection| event.remote.is_none() || it.remote == event.remote;
        let begun = |it: &&Connection| it.opened.is_none_or(|opened| opened <= event.time);
        let of_it = all.filter(same_end);
        let newest = of_it.clone().filter(begun).max_by_key(|it| it.opened);
        // What was seen may be older than what is known of its connection.
        newest.or_else(|| of_it.min_by_key(|it| it.opened))
    }
}
