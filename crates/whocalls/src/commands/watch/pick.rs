//! Which lines are wanted: those of connections that match the filter and, when the run is for one
//! program, of what it and all that it started do.

use std::collections::HashMap;
use std::sync::Arc;

use model::{
    Connection, ConnectionId, Endpoint, Event, EventKind, Evidence, Finding, Process, Snapshot,
    SocketKey, Timestamp,
};
use show::filter::Filter;
use track::Change;

use super::known::Known;
use crate::commands::filter;

/// Connections that are remembered as shown; more are open at no time.
const MOST_SHOWN: usize = 1_000_000;

pub(super) struct Pick {
    filter: Filter,
    scope: Option<Scope>,
    shown: Shown,
}

impl Pick {
    pub(super) fn new(filter: Filter, scope: Option<Scope>) -> Self {
        Self {
            filter,
            scope,
            shown: Shown::default(),
        }
    }

    /// Whether everything is wanted because nothing was asked.
    pub(super) fn is_everything(&self) -> bool {
        self.filter.is_empty() && self.scope.is_none()
    }

    /// How many connections may have lines, of so many that there are.
    pub(super) fn open(&self, all: usize) -> usize {
        if self.is_everything() {
            all
        } else {
            self.shown.connections.len()
        }
    }

    /// Whether a connection is wanted, as it now is. One that was shown is also shown when it ends,
    /// so that whoever reads does not take it for open.
    pub(super) fn connection(
        &mut self,
        change: Change,
        time: Timestamp,
        connection: &Connection,
        known: &Known,
    ) -> bool {
        if self.is_everything() {
            return true;
        }
        let wanted = self.is_wanted(connection, time, known);
        if change == Change::Closed {
            return self.shown.forget(connection) || wanted;
        }
        if wanted {
            self.shown.remember(connection);
        }
        wanted
    }

    fn is_wanted(&self, connection: &Connection, time: Timestamp, known: &Known) -> bool {
        let process = |id| known.process(id).map(Arc::as_ref);
        let in_scope = self.scope.as_ref().is_none_or(|scope| {
            let owner = connection.owner.process();
            let mut holders = owner.iter().chain(&connection.also_held_by);
            holders.any(|id| process(*id).is_some_and(|process| scope.holds(process)))
        });
        let user = known.user(connection);
        in_scope && filter::wants(&self.filter, connection, time, user, process)
    }

    /// Whether a finding is wanted: it is about a connection that is, or about a process.
    pub(super) fn finding(&self, finding: &Finding, snapshot: &Snapshot, known: &Known) -> bool {
        if self.is_everything() {
            return true;
        }
        let runs = finding.evidence.iter().filter_map(|it| match it {
            Evidence::Process(id) => Some(*id),
            Evidence::Event(_) | Evidence::Connection(_) => None,
        });
        let mut runs = runs.chain(finding.about.process);
        if runs.any(|id| known.process(id).is_some_and(|it| self.process(it))) {
            return true;
        }
        let mut connections = snapshot.connections.iter();
        connections.any(|connection| {
            let about = &finding.about;
            about.covers(connection, snapshot.owner_of(connection))
                && self.is_wanted(connection, snapshot.taken, known)
        })
    }

    /// Whether an event can be wanted at all: a cheap first question.
    pub(super) fn may_want(&self, event: &Event) -> bool {
        event.socket.is_some()
            || event.kind == EventKind::NameSeen
            || self.filter.is_empty() && (self.scope.is_none() || event.process.is_some())
    }

    /// Whether an event is wanted. `matched` says so of the connections that changed by it; `None`
    /// when none did.
    pub(super) fn event(&self, event: &Event, matched: Option<bool>, known: &Known) -> bool {
        if self.is_everything() {
            return true;
        }
        let is_shown = match (matched, event.socket) {
            (Some(matched), _) => matched && event.socket.is_some(),
            (None, Some(socket)) => {
                let remote = event
                    .remote
                    .filter(|_| event.protocol.is_none_or(|it| !it.has_connections()));
                self.shown.is_of(socket, remote)
            }
            (None, None) => false,
        };
        let process = event.process.and_then(|id| known.process(id));
        let process = process.map(Arc::as_ref);
        is_shown
            || process.is_some_and(|process| self.process(process))
            || self.is_in_scope(process) && self.filter.matches_name_seen(event, None, process)
    }

    /// Whether a process is wanted before anything names it.
    pub(super) fn process(&self, process: &Process) -> bool {
        self.filter.is_empty() && self.is_in_scope(Some(process))
    }

    fn is_in_scope(&self, process: Option<&Process>) -> bool {
        let Some(scope) = &self.scope else {
            return true;
        };
        process.is_some_and(|process| scope.holds(process))
    }
}

/// A program that we started, and all that it started. Its number may be given to another when it
/// has ended; ours is not as long as we run.
pub(super) struct Scope {
    program: u32,
    /// We started the program and adopt what nobody waits for, so all of them have us among their
    /// parents. On Windows nobody adopts: whoever began one of them has to have been seen.
    own: u32,
}

impl Scope {
    pub(super) fn of(program: u32) -> Self {
        Self {
            program,
            own: std::process::id(),
        }
    }

    fn holds(&self, process: &Process) -> bool {
        process.parents.iter().any(|it| it.pid == self.own) && !self.is_helper(process)
    }

    /// Whether it is one that works for us: what we start beside the program runs our own file.
    fn is_helper(&self, process: &Process) -> bool {
        let ours = process.parents.first().filter(|it| it.pid == self.own);
        let own_file = ours.and_then(|it| it.path.as_ref());
        process.id.pid != self.program && own_file.is_some() && process.path.as_ref() == own_file
    }
}

/// Connections that a line was written of, and that are still open.
#[derive(Default)]
struct Shown {
    connections: HashMap<ConnectionId, Name>,
    /// How many of them a name has.
    names: HashMap<Name, u32>,
}

/// How an event tells which connection it belongs to: cookie or inode, and the remote end where one
/// socket can have several.
type Name = (u64, Option<Endpoint>);

impl Shown {
    fn remember(&mut self, connection: &Connection) {
        let remote = connection.remote;
        let remote = remote.filter(|_| !connection.protocol.has_connections());
        let Some(name) = name(connection.socket, remote) else {
            return;
        };
        if self.connections.len() >= MOST_SHOWN {
            *self = Self::default();
        }
        if self.connections.insert(connection.id, name).is_none() {
            *self.names.entry(name).or_default() += 1;
        }
    }

    /// Whether it was shown before.
    fn forget(&mut self, connection: &Connection) -> bool {
        let Some(name) = self.connections.remove(&connection.id) else {
            return false;
        };
        if let Some(count) = self.names.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                self.names.remove(&name);
            }
        }
        true
    }

    fn is_of(&self, socket: SocketKey, remote: Option<Endpoint>) -> bool {
        name(socket, remote).is_some_and(|name| self.names.contains_key(&name))
    }
}

fn name(socket: SocketKey, remote: Option<Endpoint>) -> Option<Name> {
    Some((socket.cookie.or(socket.inode)?, remote))
}

#[cfg(test)]
mod tests {
    use model::{Detail, EventKind, NameSeen, NameSource, Protocol, Source, State};

    use super::super::sample::{self, TIME, connection, process};
    use super::*;

    fn pick(filter: &str, scope: Option<Scope>) -> Pick {
        Pick::new(Filter::parse_for_watch(filter).unwrap(), scope)
    }

    fn known(processes: &[Process]) -> Known {
        let mut known = Known::default();
        for process in processes {
            known.learn(&Arc::new(process.clone()));
        }
        known
    }

    fn event(connection: Option<&Connection>, pid: Option<u32>) -> Event {
        Event {
            seq: 1,
            time: TIME,
            boot_ns: 0,
            source: Source::Ebpf,
            kind: EventKind::NameSeen,
            process: pid.map(sample::id),
            thread: None,
            netns: None,
            socket: connection.map(|it| it.socket),
            protocol: connection.map(|it| it.protocol),
            local: None,
            remote: connection.and_then(|it| it.remote),
            error: None,
            bytes_sent: None,
            bytes_received: None,
            packets_sent: None,
            packets_received: None,
            detail: Detail::Nothing,
        }
    }

    #[test]
    fn what_was_shown_is_shown_when_it_ends() {
        let known = known(&[process(1, &[])]);
        let mut pick = pick("state:established", None);
        let mut shown = connection(1, Protocol::Tcp, 1, 443);
        let mut wants =
            |change, connection: &Connection| pick.connection(change, TIME, connection, &known);
        assert!(wants(Change::Updated, &shown));
        shown.state = State::FinWait1;
        assert!(!wants(Change::Updated, &shown));
        shown.state = State::Closed;
        assert!(wants(Change::Closed, &shown));
        assert!(!wants(Change::Closed, &shown));
    }

    #[test]
    fn events_go_with_their_connection() {
        let known = known(&[process(1, &[])]);
        let mut pick = pick("port:443", None);
        let wanted = connection(1, Protocol::Udp, 1, 443);
        let other = connection(1, Protocol::Udp, 1, 80);
        pick.connection(Change::Opened, TIME, &wanted, &known);
        pick.connection(Change::Opened, TIME, &other, &known);
        let wants = |connection, matched| {
            let event = event(connection, Some(1));
            pick.may_want(&event) && pick.event(&event, matched, &known)
        };
        assert!(wants(Some(&wanted), None) && !wants(Some(&other), None));
        assert!(wants(Some(&other), Some(true)) && !wants(Some(&wanted), Some(false)));
        assert!(!wants(None, None), "a process is no connection");
    }

    #[test]
    fn names_that_are_asked_for_have_a_name_and_a_process() {
        let known = known(&[process(1, &[])]);
        let asked = Event {
            detail: Detail::Name(NameSeen {
                name: Some("www.Example.com".into()),
                source: NameSource::Resolver,
                question: None,
                answer: None,
                greeting: None,
            }),
            ..event(None, Some(1))
        };
        let check = |filter: &str, expected: bool| {
            let pick = pick(filter, None);
            let wanted = pick.may_want(&asked) && pick.event(&asked, None, &known);
            assert_eq!(wanted, expected, "{filter}");
        };
        check("name:*.example.com", true);
        check("name:*.example.com proc:curl", true);
        check("proc:curl", true);
        check("-port:443", true);
        check("name:example.com", false);
        check("name:*.example.com proc:wget", false);
        check("name:*.example.com port:443", false);
        check("name:unknown", false);
    }

    #[test]
    fn a_program_and_all_that_it_started() {
        let scope = Scope {
            program: 10,
            own: 9,
        };
        let mut helper = process(14, &[9, 1]);
        helper.path = Some("/usr/bin/whocalls".into());
        helper.parents[0].path.clone_from(&helper.path);
        // The program may be whocalls, too.
        let mut program = process(10, &[9, 1]);
        program.path.clone_from(&helper.path);
        program.parents.clone_from(&helper.parents);
        // The program had this number before it ended.
        let mut stranger = process(10, &[1]);
        stranger.id.start_ticks += 1;
        let known = known(&[
            program,
            helper,
            stranger.clone(),
            process(11, &[10, 9, 1]),
            // Its parent has ended, so it is ours.
            process(12, &[9, 1]),
            process(13, &[1]),
            process(9, &[1]),
        ]);
        let mut pick = pick("", Some(scope));
        let expected = [
            (10, true),
            (11, true),
            (12, true),
            (13, false),
            (14, false),
            (9, false),
        ];
        for (pid, expected) in expected {
            let connection = connection(pid, Protocol::Tcp, pid.into(), 443);
            let wanted = pick.connection(Change::Opened, TIME, &connection, &known);
            assert_eq!(wanted, expected, "{pid}");
            let event = event(None, Some(pid));
            assert_eq!(pick.event(&event, None, &known), expected, "{pid}");
        }
        assert!(!pick.event(&event(None, None), None, &known), "a tick");
        assert!(!pick.process(&stranger));
        let mut held = connection(13, Protocol::Tcp, 99, 443);
        held.also_held_by = vec![sample::id(11)];
        assert!(pick.connection(Change::Opened, TIME, &held, &known));
    }
}
