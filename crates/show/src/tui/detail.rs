//! All that is known of what the cursor is at, and how it is known.

use std::net::SocketAddr;

use model::{Connection, Endpoint, Owner, Pair, PathState, Process, Snapshot, Source, Tier};

use super::programs::{self, Program};
use super::rows::{Gathered, Item, Picture, Row};
use super::sums::Sums;
use crate::errors;
use crate::quantity::{bytes, duration};
use crate::services::service;
use crate::table::owner::why_unknown;
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
        facts: Vec::new(),
    };
    match &row.item {
        Item::Text(text, _) => facts.heading(text.trim()),
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
        Item::Pair(place) => {
            if let Some(pair) = snapshot.pairs.get(*place) {
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
        let protocol = connection.protocol.word();
        self.heading(format!(
            "Connection  {protocol} {} {}",
            connection.state.word(),
            connection.direction.word()
        ));
        self.add("this end", self.end(connection, connection.local));
        match connection.remote {
            Some(remote) => self.add("other end", self.end(connection, remote)),
            None => self.add(
                "other end",
                "none: it waits for others, or can talk to anyone",
            ),
        }
        self.maybe(
            "interface",
            connection.interface.as_ref().map(|it| visible(it)),
        );
        self.maybe("namespace", self.namespace(connection));
        match connection.opened {
            Some(opened) => self.add("opened", self.time(opened)),
            None => self.add("opened", "before whocalls looked"),
        }
        self.maybe("closed", connection.closed.map(|it| self.time(it)));
        if let (Some(opened), Some(closed)) = (connection.opened, connection.closed) {
            self.add("lasted", duration(opened.until(closed)));
        }
        self.maybe("error", connection.error.as_ref().map(errors::word));
        self.counts(connection);
        self.add("owner", self.owner(connection));
        let others = connection.also_held_by.iter();
        let others = others.filter_map(|it| self.snapshot.processes.get(it));
        let others: Vec<String> = others.map(|it| named(it)).collect();
        if !others.is_empty() {
            self.add("also held by", others.join(", "));
        }
        self.add("seen by", self.seen_by());
        self.add("id", connection.id);
    }

    fn counts(&mut self, connection: &Connection) {
        let one = |count: Option<u64>, packets: Option<u64>| {
            let packets = packets.map(|packets| format!(" in {packets} packets"));
            count.map(|count| format!("{}{}", bytes(count), packets.unwrap_or_default()))
        };
        let sent = one(connection.bytes_sent, connection.packets_sent);
        let received = one(connection.bytes_received, connection.packets_received);
        self.add("sent", sent.unwrap_or_else(|| "not counted".to_owned()));
        self.add(
            "received",
            received.unwrap_or_else(|| "not counted".to_owned()),
        );
    }

    fn end(&self, connection: &Connection, end: Endpoint) -> String {
        let text = match (end.ip, end.port) {
            (Some(ip), Some(port)) => SocketAddr::new(ip, port).to_string(),
            (Some(ip), None) => ip.to_string(),
            (None, _) => "no address".to_owned(),
        };
        let meant_for = end
            .port
            .and_then(|port| service(connection.protocol, port))
            .map(|name| format!("  (a port meant for {name})"));
        text + &meant_for.unwrap_or_default()
    }

    fn namespace(&self, connection: &Connection) -> Option<String> {
        let netns = connection.netns?;
        let home = self.snapshot.home_netns == Some(netns);
        (!home).then(|| format!("network namespace {}, not that of whocalls", netns.0))
    }

    fn owner(&self, connection: &Connection) -> String {
        match connection.owner {
            Owner::Known { process, source } => {
                let process = self.snapshot.processes.get(&process);
                let process = process.map_or("?".to_owned(), |it| named(it));
                format!("{process}, known from {}", told_by(source))
            }
            Owner::Unknown { why } => format!("not known: {}", why_unknown(why)),
        }
    }

    fn seen_by(&self) -> &'static str {
        match self.snapshot.tier {
            Tier::Full => "events of the kernel (eBPF), with its own counts",
            Tier::NoBtf => "events of the kernel (eBPF without type information)",
            Tier::Polling => "looking again and again (netlink, /proc)",
            Tier::Import => "what was imported",
        }
    }

    fn time(&self, time: model::Timestamp) -> String {
        let ago = duration(time.until(self.snapshot.taken));
        format!("{time}  ({ago} ago)")
    }

    fn process(&mut self, process: &Process) {
        self.heading(format!("Process  {}", named(process)));
        let state = match process.path_state {
            PathState::Present | PathState::Unknown => "",
            PathState::Deleted => "  (deleted or replaced since it started)",
            PathState::Memfd => "  (never was a file: it runs from memory)",
        };
        match &process.path {
            Some(path) => self.add("program", format!("{}{state}", visible(path))),
            None if process.kernel_thread => self.add("program", "the kernel itself"),
            None => self.add("program", "not known: no right to see it"),
        }
        if let Some(arguments) = &process.command_line {
            let arguments: Vec<_> = arguments.iter().map(|it| visible(it)).collect();
            let cut = if process.command_line_truncated {
                " … (cut)"
            } else {
                ""
            };
            self.add("arguments", format!("{}{cut}", arguments.join(" ")));
        }
        let user = process.user.as_ref().map(|it| visible(it).into_owned());
        let uid = process.uid.map(|uid| format!("uid {uid}"));
        let user: Vec<String> = user.into_iter().chain(uid).collect();
        self.add("user", user.join(", "));
        let parents = process.parents.iter();
        let parents: Vec<String> = parents
            .map(|it| format!("{} {}", visible(&it.name), it.pid))
            .collect();
        if !parents.is_empty() {
            self.add("started by", parents.join(" ← "));
        }
        self.maybe("unit", process.unit.as_ref().map(|it| visible(it)));
        let container = process.container.as_ref();
        self.maybe(
            "container",
            container.map(|it| format!("{} {}", it.engine, visible(&it.id))),
        );
        self.add("started", self.time(process.started));
        self.maybe("ended", process.ended.map(|it| self.time(it)));
        self.maybe("sha256", process.sha256.map(|it| hex(&it)));
        self.maybe(
            "file",
            process
                .file
                .map(|it| format!("inode {} on device {}", it.inode, it.device)),
        );
        self.add("id", process.id);
    }

    fn connections_of(&mut self, process: &Process) {
        let mut all = Vec::new();
        let mut count = 0_usize;
        for connection in &self.snapshot.connections {
            if connection.owner.process() == Some(process.id) {
                count += 1;
                if all.len() < MOST_CONNECTIONS {
                    all.push(connection);
                }
            }
        }
        self.heading(format!("All connections of the process ({count})"));
        all.sort_by_key(|it| (it.closed.is_some(), std::cmp::Reverse(it.opened)));
        for connection in &all {
            self.line_of(connection);
        }
        if count > all.len() {
            self.add("", format!("and {} more", count - all.len()));
        }
    }

    fn line_of(&mut self, connection: &Connection) {
        let to = match connection.remote {
            Some(remote) => format!("→ {}", self.end(connection, remote)),
            None => format!("at {}", self.end(connection, connection.local)),
        };
        let what = match &connection.error {
            Some(error) => errors::word(error).into_owned(),
            None => connection.state.word().to_owned(),
        };
        self.add(connection.protocol.word(), format!("{to}  {what}"));
    }

    fn gathered(&mut self, gathered: &Gathered) {
        self.heading(gathered.title.clone());
        if !gathered.who.is_empty() {
            self.add("called by", &gathered.who);
        }
        self.sums(&gathered.sums);
        for place in gathered.pairs.iter().take(MOST_CONNECTIONS) {
            if let Some(pair) = self.snapshot.pairs.get(*place) {
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
            "connections",
            format!(
                "{} open, {} listening, {} calls in all, {} of them failed",
                sums.open, sums.listening, sums.calls, sums.failed
            ),
        );
        self.add("sent", bytes(sums.sent));
        self.add("received", bytes(sums.received));
    }

    fn program(&mut self, program: &Program) {
        self.heading(format!("Program  {}", program.name));
        self.maybe("file", program.file.as_ref().map(|it| visible(it)));
        for reason in program.stands_out() {
            self.add("stands out", reason);
        }
        self.maybe("first call", program.first_call.map(|it| self.time(it)));
        self.sums(&program.sums);
        let processes = program.processes.iter().take(MOST_CONNECTIONS);
        for id in processes {
            if let Some(process) = self.snapshot.processes.get(id) {
                self.process(process);
            }
        }
        for place in program.pairs.iter().take(MOST_CONNECTIONS) {
            if let Some(pair) = self.snapshot.pairs.get(*place) {
                self.pair(pair);
            }
        }
    }

    fn pair(&mut self, pair: &Pair) {
        let program = match &pair.key.program {
            Some(program) => visible(program).into_owned(),
            None => "? no process known".to_owned(),
        };
        let program = programs::last_part(&program);
        let to = programs::destination(&pair.key.destination, pair.key.port);
        self.heading(format!("{program} → {to} {}", pair.key.protocol.word()));
        self.add(
            "calls",
            format!(
                "{}, {} of them failed, {} open",
                pair.connections, pair.failed, pair.open
            ),
        );
        self.add("first", self.time(pair.first));
        self.add("last", self.time(pair.last));
        self.add(
            "sent",
            format!("{} by those that ended", bytes(pair.bytes_sent)),
        );
        self.add(
            "received",
            format!("{} by those that ended", bytes(pair.bytes_received)),
        );
        self.add("rhythm", "not judged yet");
    }
}

fn told_by(source: Source) -> &'static str {
    match source {
        Source::Ebpf => "the kernel, when it happened (eBPF)",
        Source::Netlink => "the kernel's table of sockets (netlink)",
        Source::Proc => "the descriptors in /proc",
        Source::IpHelper => "the table of Windows (IP Helper)",
        Source::Etw => "events of Windows (ETW)",
        Source::Capture => "a capture",
        Source::Log => "a log",
    }
}

fn named(process: &Process) -> String {
    format!("{} {}", visible(&process.name), process.id.pid)
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
    digits.collect()
}

/// As lines of text that fit; the name of a fact stands in front of its first line.
pub(super) fn lines(facts: &[Fact], width: usize) -> Vec<(bool, String)> {
    let mut lines = Vec::new();
    for fact in facts {
        match fact {
            Fact::Heading(text) => lines.push((true, text.clone())),
            Fact::Of(name, text) => {
                let room = width.saturating_sub(NAMES + 2).max(10);
                for (number, part) in pieces(text, room).into_iter().enumerate() {
                    let name = if number == 0 { name } else { "" };
                    lines.push((false, format!("  {name:NAMES$}{part}")));
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
        let facts = [Fact::Heading("H".into()), Fact::Of("user", "root".into())];
        assert_eq!(
            lines(&facts, 40),
            [
                (true, "H".to_owned()),
                (false, "  user         root".to_owned())
            ]
        );
    }
}
