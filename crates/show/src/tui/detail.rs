//! All that is known of what the cursor is at, and how it is known.

mod finding;
mod greeting;
mod names;

use model::{
    Connection, Endpoint, Outcome, Owner, Pair, PathState, Process, Snapshot, Source, Tier, hex,
};

use super::programs::{self, Program};
use super::rhythm;
use super::rows::{Gathered, Item, Picture, Row};
use super::sums::Sums;
use crate::checks;
use crate::devices;
use crate::errors;
use crate::lookup;
use crate::messages::checks as check_texts;
use crate::messages::detail as texts;
use crate::messages::lookup as lookup_texts;
use crate::quantity::{bytes, duration};
use crate::services::service;
use crate::table::cell::Cell;
use crate::table::endpoint;
use crate::table::owner::why_unknown_of;
use crate::visible::{visible, visible_str};

/// A heading, or a fact with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fact {
    Heading(String),
    Of(&'static str, String),
}

/// More are counted only.
const MOST_CONNECTIONS: usize = 200;

pub(super) fn of(row: &Row, snapshot: &Snapshot, picture: &Picture) -> Vec<Fact> {
    let mut facts = Facts {
        snapshot,
        picture,
        facts: Vec::new(),
    };
    match &row.item {
        Item::Text(text, _) | Item::Headings(text) => facts.heading(text.trim()),
        Item::StandsOut(index) | Item::Program(index) => {
            if let Some(program) = picture.programs.get(*index) {
                facts.program(program);
            }
        }
        Item::Process(id) => {
            if let Some(process) = snapshot.processes.get(id) {
                facts.process(process);
                facts.connections_of(process);
            }
        }
        Item::Gathered(index) => {
            if let Some(gathered) = picture.gathered.get(*index) {
                facts.gathered(gathered);
            }
        }
        Item::Name(index) => {
            if let Some(name) = picture.names.get(*index) {
                facts.name(name);
            }
        }
        Item::Finding(index) => {
            if let Some(found) = picture.findings.get(*index) {
                facts.finding(found);
            }
        }
        Item::Pair(place) => {
            if let Some(pair) = picture.pairs.get(*place) {
                facts.pair(pair);
            }
        }
        Item::Connection(place) => {
            if let Some(connection) = snapshot.connections.get(*place) {
                facts.connection(connection);
                if let Some(process) = snapshot.owner_of(connection) {
                    facts.process(process);
                    facts.connections_of(process);
                }
            }
        }
    }
    facts.facts
}

struct Facts<'a> {
    snapshot: &'a Snapshot,
    picture: &'a Picture,
    facts: Vec<Fact>,
}

impl Facts<'_> {
    fn heading(&mut self, text: impl Into<String>) {
        self.facts.push(Fact::Heading(text.into()));
    }

    fn add(&mut self, name: &'static str, text: impl ToString) {
        self.facts.push(Fact::Of(name, text.to_string()));
    }

    fn maybe(&mut self, name: &'static str, text: Option<impl ToString>) {
        if let Some(text) = text {
            self.add(name, text);
        }
    }

    fn connection(&mut self, connection: &Connection) {
        self.heading(texts::connection(
            connection.protocol.word(),
            connection.state.word(),
            connection.direction.word(),
        ));
        self.add(texts::THIS_END, this_end(connection));
        match other_end(connection) {
            Some(end) => self.add(texts::OTHER_END, end),
            None => self.add(texts::OTHER_END, texts::NO_OTHER_END),
        }
        self.name_of(connection);
        self.address(connection);
        self.greeting(connection);
        self.maybe(
            texts::INTERFACE,
            connection.interface.as_ref().map(|it| visible(it)),
        );
        self.maybe(texts::NAMESPACE, self.namespace(connection));
        match connection.opened {
            Some(opened) => self.add(texts::OPENED, self.time(opened)),
            None => self.add(texts::OPENED, texts::OPENED_BEFORE),
        }
        self.maybe(texts::CLOSED, connection.closed.map(|it| self.time(it)));
        if let (Some(opened), Some(closed)) = (connection.opened, connection.closed) {
            self.add(texts::LASTED, duration(opened.until(closed)));
        }
        self.maybe(texts::ERROR, connection.error.as_ref().map(errors::word));
        self.counts(connection);
        self.add(texts::OWNER, self.owner(connection));
        let others = connection.also_held_by.iter();
        let others = others.filter_map(|it| self.snapshot.processes.get(it));
        let others: Vec<String> = others.map(|it| named(it)).collect();
        if !others.is_empty() {
            self.add(texts::ALSO_HELD_BY, others.join(", "));
        }
        self.add(texts::SEEN_BY, self.seen_by());
        self.add(texts::ID, connection.id);
    }

    /// What is known here of the address at the other end; of its holder, only what a registry has said.
    fn address(&mut self, connection: &Connection) {
        self.address_of(connection.remote.and_then(|it| it.ip));
    }

    fn address_of(&mut self, other: Option<std::net::IpAddr>) {
        let Some(facts) = other.and_then(|ip| self.snapshot.addresses.of(ip)) else {
            return;
        };
        if let Some(special) = facts.special {
            let text = lookup_texts::special_use(special.name, special.defined_in);
            self.add(lookup_texts::SPECIAL_USE, text);
            if !special.is_global {
                return;
            }
        }
        self.maybe(lookup_texts::ANNOUNCED_BY, lookup::announcer(&facts));
        let country = lookup::block_country(&facts);
        self.maybe(lookup_texts::BLOCK_COUNTRY, country);
        if !facts.kinds.is_empty() {
            self.add(lookup_texts::KIND, lookup::kinds(&facts.kinds));
        }
        match &facts.holder {
            Some(holder) => self.add(lookup_texts::HOLDER, lookup::holder(holder)),
            None => self.add(lookup_texts::HOLDER, lookup_texts::PASSED_ON),
        }
    }

    fn counts(&mut self, connection: &Connection) {
        let one = |count: Option<u64>, packets| match count {
            Some(count) => texts::bytes(bytes(count), packets),
            None => texts::NOT_COUNTED.to_owned(),
        };
        let sent = one(connection.bytes_sent, connection.packets_sent);
        let received = one(connection.bytes_received, connection.packets_received);
        self.add(texts::SENT, sent);
        self.add(texts::RECEIVED, received);
    }

    fn namespace(&self, connection: &Connection) -> Option<String> {
        let netns = connection.netns?;
        let home = self.snapshot.home_netns == Some(netns);
        (!home).then(|| texts::other_namespace(netns.0))
    }

    fn owner(&self, connection: &Connection) -> String {
        match connection.owner {
            Owner::Known { process, source } => {
                let process = self.snapshot.processes.get(&process);
                let process = process.map_or(texts::NO_FACTS.to_owned(), |it| named(it));
                texts::owner(&process, told_by(source))
            }
            Owner::Unknown { why } => match connection.device {
                Some(id) => texts::device(&devices::in_full(id, &self.snapshot.devices)),
                None => texts::owner_not_known(&why_unknown_of(why, connection)),
            },
        }
    }

    fn seen_by(&self) -> &'static str {
        // Each run of Windows names something that it cannot see.
        let mut sources = self.snapshot.gaps.iter().map(|it| it.source);
        let is_of_windows = sources.any(|it| matches!(it, Source::IpHelper | Source::Etw));
        match self.snapshot.tier {
            Tier::Full if is_of_windows => texts::SEEN_IN_FULL_ON_WINDOWS,
            Tier::Polling if is_of_windows => texts::SEEN_BY_POLLING_ON_WINDOWS,
            Tier::Full => texts::SEEN_IN_FULL,
            Tier::NoBtf => texts::SEEN_WITHOUT_TYPES,
            Tier::Polling => texts::SEEN_BY_POLLING,
            Tier::Import => texts::SEEN_IN_IMPORT,
        }
    }

    fn time(&self, time: model::Timestamp) -> String {
        texts::ago(time, duration(time.until(self.snapshot.taken)))
    }

    fn process(&mut self, process: &Process) {
        self.heading(texts::process(&named(process)));
        let state = match process.path_state {
            PathState::Present | PathState::Unknown => "",
            PathState::Deleted => texts::FILE_DELETED,
            PathState::Memfd => texts::FILE_NEVER_WAS,
        };
        match &process.path {
            Some(path) => self.add(texts::PROGRAM, format!("{}{state}", visible(path))),
            None if process.kernel_thread => self.add(texts::PROGRAM, texts::KERNEL_ITSELF),
            None => self.add(texts::PROGRAM, texts::FILE_NOT_KNOWN),
        }
        if let Some(arguments) = &process.command_line {
            let arguments: Vec<_> = arguments.iter().map(|it| visible(it)).collect();
            let cut = if process.command_line_truncated {
                texts::CUT
            } else {
                ""
            };
            self.add(texts::ARGUMENTS, format!("{}{cut}", arguments.join(" ")));
        }
        let user = process.user.as_ref().map(|it| visible(it).into_owned());
        let uid = process.uid.map(texts::user_number);
        let user: Vec<String> = user.into_iter().chain(uid).collect();
        self.add(texts::USER, user.join(", "));
        let parents = process.parents.iter();
        let parents: Vec<String> = parents
            .map(|it| format!("{} {}", visible(&it.name), it.pid))
            .collect();
        if !parents.is_empty() {
            self.add(texts::STARTED_BY, parents.join(" ← "));
        }
        self.maybe(texts::UNIT, process.unit.as_ref().map(|it| visible(it)));
        let container = process.container.as_ref();
        self.maybe(
            texts::CONTAINER,
            container.map(|it| format!("{} {}", it.engine, visible(&it.id))),
        );
        self.maybe(texts::STARTED, process.started.map(|it| self.time(it)));
        self.maybe(texts::ENDED, process.ended.map(|it| self.time(it)));
        self.maybe(texts::SHA256, process.sha256.map(|it| hex(&it)));
        self.maybe(
            texts::FILE,
            process
                .file
                .map(|it| texts::file_number(it.inode, it.device)),
        );
        self.add(texts::ID, process.id);
        self.checks(process);
    }

    /// What was found by looking into it.
    fn checks(&mut self, process: &Process) {
        let Some(examined) = &process.examined else {
            return;
        };
        let package = examined.package.as_ref();
        self.maybe(texts::PACKAGE, package.map(check_texts::package));
        self.maybe(texts::DISPLAY, examined.display.map(check_texts::display));
        self.add(texts::CHECKS, checks::summary(examined));
        for checked in &examined.checks {
            if let Outcome::Found { traces, more } = &checked.outcome {
                for trace in traces {
                    self.add(texts::SEEN, check_texts::trace(trace));
                }
                if *more > 0 {
                    self.add(texts::SEEN, check_texts::more(*more));
                }
            }
        }
    }

    fn connections_of(&mut self, process: &Process) {
        let all = self.snapshot.connections.iter();
        let mut all: Vec<_> = all
            .filter(|it| it.owner.process() == Some(process.id))
            .collect();
        let count = all.len();
        self.heading(texts::connections_of_process(count));
        all.sort_by_key(|it| (it.closed.is_some(), std::cmp::Reverse(it.opened)));
        all.truncate(MOST_CONNECTIONS);
        for connection in &all {
            self.line_of(connection);
        }
        if count > all.len() {
            self.add("", texts::and_more(count - all.len()));
        }
    }

    fn line_of(&mut self, connection: &Connection) {
        let outcome = match &connection.error {
            Some(error) => errors::word(error),
            None => connection.state.word().into(),
        };
        let line = match other_end(connection) {
            Some(end) => texts::goes_to(&end, &outcome),
            None => texts::stands_at(&this_end(connection), &outcome),
        };
        self.add(connection.protocol.word(), line);
    }

    fn gathered(&mut self, gathered: &Gathered) {
        self.heading(gathered.title.clone());
        if !gathered.who.is_empty() {
            self.add(texts::CALLED_BY, &gathered.who);
        }
        self.sums(&gathered.sums);
        for place in gathered.pairs.iter().take(MOST_CONNECTIONS) {
            if let Some(pair) = self.picture.pairs.get(*place) {
                self.pair(pair);
            }
        }
        for place in gathered.connections.iter().take(MOST_CONNECTIONS) {
            if let Some(connection) = self.snapshot.connections.get(*place) {
                self.line_of(connection);
            }
        }
    }

    fn sums(&mut self, sums: &Sums) {
        self.add(
            texts::CONNECTIONS,
            texts::sums(sums.open, sums.listening, sums.calls, sums.failed),
        );
        self.add(texts::SENT, bytes(sums.sent));
        self.add(texts::RECEIVED, bytes(sums.received));
    }

    fn program(&mut self, program: &Program) {
        match program.device {
            Some(_) => self.heading(program.name.clone()),
            None => self.heading(texts::program(&program.name)),
        }
        match program.device.and_then(|id| self.snapshot.devices.get(&id)) {
            Some(device) => {
                let addresses = device.addresses.iter().map(ToString::to_string);
                let addresses: Vec<String> = addresses.collect();
                self.add(texts::ADDRESSES, addresses.join(", "));
            }
            None => self.maybe(texts::FILE, program.file.as_ref().map(visible)),
        }
        for reason in program.stands_out() {
            self.add(texts::STANDS_OUT, reason);
        }
        self.maybe(
            texts::FIRST_CALL,
            program.first_call.map(|it| self.time(it)),
        );
        self.sums(&program.sums);
        let processes = program.processes.iter().take(MOST_CONNECTIONS);
        for id in processes {
            if let Some(process) = self.snapshot.processes.get(id) {
                self.process(process);
            }
        }
        for place in program.pairs.iter().take(MOST_CONNECTIONS) {
            if let Some(pair) = self.picture.pairs.get(*place) {
                self.pair(pair);
            }
        }
    }

    fn pair(&mut self, pair: &Pair) {
        let (program, device) = (pair.key.program.as_ref(), pair.key.device);
        let program = programs::caller_name(program, device, self.snapshot);
        let to = programs::destination(&pair.key.destination, pair.key.port);
        self.heading(texts::pair(&program, &to, pair.key.protocol.word()));
        self.add(
            texts::CALLS,
            texts::calls(pair.connections, pair.failed, pair.open),
        );
        self.maybe(texts::FIRST, pair.first.told().map(|it| self.time(it)));
        self.maybe(texts::LAST, pair.last.told().map(|it| self.time(it)));
        self.add(texts::SENT, texts::by_ended(bytes(pair.bytes_sent)));
        self.add(texts::RECEIVED, texts::by_ended(bytes(pair.bytes_received)));
        self.add(texts::RHYTHM, rhythm::in_short(self.snapshot, pair));
    }
}

pub(super) fn this_end(connection: &Connection) -> String {
    let mut cell = Cell::default();
    endpoint::local(&mut cell, connection, true);
    end(connection, connection.local, &cell)
}

/// `None`: it has none.
fn other_end(connection: &Connection) -> Option<String> {
    let mut cell = Cell::default();
    endpoint::remote(&mut cell, connection, true);
    Some(end(connection, connection.remote?, &cell))
}

fn end(connection: &Connection, end: Endpoint, cell: &Cell) -> String {
    let service = end.port.and_then(|port| service(connection.protocol, port));
    texts::end(&format!("{}{}", cell.head, cell.tail), service)
}

fn told_by(source: Source) -> &'static str {
    match source {
        Source::Ebpf => texts::BY_EBPF,
        Source::Netlink => texts::BY_NETLINK,
        Source::Proc => texts::BY_PROC,
        Source::IpHelper => texts::BY_IP_HELPER,
        Source::Etw => texts::BY_ETW,
        Source::Capture => texts::BY_CAPTURE,
        Source::Log => texts::BY_LOG,
    }
}

fn named(process: &Process) -> String {
    format!("{} {}", visible(&process.name), process.id.pid)
}

/// As lines of text that fit; the name of a fact stands in front of its first line.
pub(super) fn lines(facts: &[Fact], width: usize) -> Vec<(bool, String)> {
    let mut lines = Vec::new();
    for fact in facts {
        match fact {
            Fact::Heading(text) => lines.push((true, text.clone())),
            Fact::Of(name, text) => {
                // A long name still ends with a blank.
                let names = NAMES.max(name.len() + 1);
                let room = width.saturating_sub(names + 2).max(10);
                for (number, part) in pieces(text, room).into_iter().enumerate() {
                    let name = if number == 0 { name } else { "" };
                    lines.push((false, format!("  {name:names$}{part}")));
                }
            }
        }
    }
    lines
}

/// Room for the names of facts.
const NAMES: usize = 13;

/// Cut at blanks where there are some, else anywhere: a path has none.
pub(super) fn pieces(text: &str, width: usize) -> Vec<String> {
    use crate::visible::display_width;
    let mut pieces = vec![String::new()];
    for word in visible_lines(text).split_inclusive(' ') {
        for character in word.chars() {
            let Some(piece) = pieces.last_mut() else {
                break;
            };
            let mut encoded = [0; 4];
            let taken = display_width(character.encode_utf8(&mut encoded));
            if display_width(piece) + taken > width {
                // The whole word goes to the next line where it fits there.
                let start = piece.rfind(' ').map_or(0, |space| space + 1);
                let word = if start > 0 {
                    piece.split_off(start)
                } else {
                    String::new()
                };
                pieces.push(word);
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push(character);
            }
        }
    }
    pieces
}

/// The text is visible already; this holds also where a part of it was not.
fn visible_lines(text: &str) -> String {
    crate::visible::harmless(text).replace('\n', &visible_str("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_facts_are_folded() {
        assert_eq!(pieces("one two three", 8), ["one two ", "three"]);
        assert_eq!(pieces("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(pieces("", 4), [""]);
        let facts = [
            Fact::Heading("H".into()),
            Fact::Of("user", "root".into()),
            Fact::Of("block country", "US: one two three".into()),
        ];
        assert_eq!(
            lines(&facts, 26),
            [
                (true, "H".to_owned()),
                (false, "  user         root".to_owned()),
                (false, "  block country US: one ".to_owned()),
                (false, "                two three".to_owned()),
            ]
        );
    }
}
