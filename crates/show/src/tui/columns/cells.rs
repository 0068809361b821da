//! What stands in the cells of a row.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each kind of row has something to say in some of the columns only"
)]

mod findings;

use std::fmt::Write as _;
use std::time::Duration;

use model::{Connection, Pair, ProcessId, Snapshot, Timestamp};

pub(in crate::tui) use self::findings::mark;
use super::Kind;
use crate::checks;
use crate::devices;
use crate::errors;
use crate::findings::Found;
use crate::messages::{columns as words, rows as sentences};
use crate::quantity::{compact_bytes, count, duration};
use crate::table::cell::Cell;
use crate::table::endpoint;
use crate::table::owner::{ProcessText, foreign, name};
use crate::tui::asked::{answer_in_short, then};
use crate::tui::axis::{Axis, Strip};
use crate::tui::changes::{Changes, Sign};
use crate::tui::programs::{caller_name, destination};
use crate::tui::rows::{self, Fold, Gathered, Item, Name, Picture, Row};
use crate::tui::sums::Sums;
use crate::tui::theme::Tone;
use crate::tui::view::View;
use crate::visible::{Cut, visible};

/// So many processes of a program are named by their pids.
const MOST_PIDS: usize = 3;

/// Fills the cells of rows.
pub(in crate::tui) struct Filler<'a> {
    pub(in crate::tui) snapshot: &'a Snapshot,
    pub(in crate::tui) picture: &'a Picture,
    pub(in crate::tui) changes: &'a Changes,
    pub(in crate::tui) found: &'a Found,
    pub(in crate::tui) axis: &'a Axis,
    pub(in crate::tui) view: View,
    /// Times of day in place of how long ago.
    pub(in crate::tui) absolute: bool,
}

impl Filler<'_> {
    /// How the whole row is to look.
    pub(in crate::tui) fn tone(&self, row: &Row) -> Tone {
        match &row.item {
            Item::Connection(place) => {
                let connection = self.snapshot.connections.get(*place);
                let sign = connection.and_then(|it| self.changes.of(&it.id));
                match (sign, connection.is_some_and(|it| it.closed.is_some())) {
                    (Some(sign), _) => sign.tone(),
                    (None, true) => Tone::Dim,
                    (None, false) => Tone::Plain,
                }
            }
            Item::Process(id) => match self.snapshot.processes.get(id) {
                Some(process) if process.ended.is_some() => Tone::Dim,
                Some(_) | None => Tone::Plain,
            },
            Item::Headings(_) => Tone::Title,
            Item::StandsOut(_) => Tone::Strong,
            Item::Text(_, tone) => *tone,
            Item::Finding(index) => match self.picture.findings.get(*index) {
                Some(found) => self.tone_of_finding(&found.finding),
                None => Tone::Plain,
            },
            Item::Program(_) | Item::Gathered(_) | Item::Name(_) | Item::Pair(_) => Tone::Plain,
        }
    }

    /// A text across all columns. `None`: the row has cells.
    pub(in crate::tui) fn across(&self, row: &Row) -> Option<String> {
        match &row.item {
            Item::Text(text, _) | Item::Headings(text) => Some(text.clone()),
            Item::StandsOut(index) => {
                let program = self.picture.programs.get(*index)?;
                let pids = program.processes.iter().map(|it| it.pid);
                let pids: Vec<u32> = pids.take(MOST_PIDS).collect();
                let more = program.processes.len() - pids.len();
                let file = program.file.as_ref().filter(|_| program.device.is_none());
                let file = file.map(visible);
                Some(sentences::stands_out(
                    &program.name,
                    &pids,
                    more,
                    file.as_deref(),
                ))
            }
            Item::Gathered(_) if self.view.is_of_connections() => {
                let gathered = self.gathered(row)?;
                let count = gathered.connections.len();
                Some(sentences::group(&gathered.title, count))
            }
            Item::Finding(index) if self.view == View::Overview => {
                let found = self.picture.findings.get(*index)?;
                let pid = found.finding.about.process.map(|it| it.pid);
                Some(sentences::found(
                    mark(Some(found.finding.severity)),
                    &found.shown.program,
                    pid,
                    &found.shown.destination,
                    &found.shown.said.title,
                ))
            }
            Item::Program(_)
            | Item::Process(_)
            | Item::Gathered(_)
            | Item::Name(_)
            | Item::Pair(_)
            | Item::Finding(_)
            | Item::Connection(_) => None,
        }
    }

    pub(in crate::tui) fn fill(&self, kind: Kind, row: &Row, cell: &mut Cell) {
        match &row.item {
            Item::Connection(place) => {
                if let Some(connection) = self.snapshot.connections.get(*place) {
                    self.connection(kind, row, connection, cell);
                }
            }
            Item::Pair(place) => {
                if let Some(pair) = self.picture.pairs.get(*place) {
                    self.pair(kind, row, pair, cell);
                }
            }
            Item::Process(id) => self.process(kind, row, *id, cell),
            Item::Finding(index) => {
                if let Some(found) = self.picture.findings.get(*index) {
                    self.finding(kind, found, cell);
                }
            }
            Item::Program(index) => {
                if let Some(program) = self.picture.programs.get(*index) {
                    match kind {
                        Kind::Name => {
                            tree(row, cell);
                            let mark = self.mark_of(program.file.as_ref(), program.device);
                            cell.head.push_str(mark);
                            cell.head.push_str(&program.name);
                            cell.cut = Some(Cut::Middle);
                            if program.processes.len() > 1 {
                                cell.tail += &words::processes(program.processes.len());
                            }
                        }
                        Kind::Destinations => number(cell, count(program.destinations as u64)),
                        _ => sums(kind, &program.sums, cell),
                    }
                }
            }
            Item::Gathered(_) => {
                if let Some(gathered) = self.gathered(row) {
                    match kind {
                        Kind::Name => {
                            tree(row, cell);
                            cell.head.push_str(&gathered.title);
                            cell.cut = Some(Cut::Middle);
                        }
                        Kind::Who => cell.head.push_str(&gathered.who),
                        _ => sums(kind, &gathered.sums, cell),
                    }
                }
            }
            Item::Name(index) => {
                if let Some(name) = self.picture.names.get(*index) {
                    self.name(kind, row, name, cell);
                }
            }
            Item::Text(..) | Item::Headings(_) | Item::StandsOut(_) => {}
        }
    }

    fn name(&self, kind: Kind, row: &Row, name: &Name, cell: &mut Cell) {
        match kind {
            Kind::Name => {
                tree(row, cell);
                cell.head.push_str(&name.title);
                cell.cut = Some(Cut::Middle);
            }
            Kind::Who => cell.head.push_str(&name.who),
            Kind::Asked => number(cell, count(name.questions)),
            Kind::First => self.time(cell, Some(name.first), ""),
            Kind::Last => self.time(cell, Some(name.last), ""),
            Kind::Answer => cell.head += &answer_in_short(self.snapshot, &name.asked),
            Kind::Then => cell.head += &then(name),
            // None at all is better said by nothing than by a row of zeros.
            _ if name.connections.is_empty() => {}
            _ => sums(kind, &name.sums, cell),
        }
    }

    fn gathered(&self, row: &Row) -> Option<&Gathered> {
        match row.item {
            Item::Gathered(index) => self.picture.gathered.get(index),
            Item::Text(..)
            | Item::Headings(_)
            | Item::StandsOut(_)
            | Item::Program(_)
            | Item::Process(_)
            | Item::Name(_)
            | Item::Pair(_)
            | Item::Finding(_)
            | Item::Connection(_) => None,
        }
    }

    fn connection(&self, kind: Kind, row: &Row, connection: &Connection, cell: &mut Cell) {
        match kind {
            Kind::Sign => {
                let sign = self.changes.of(&connection.id);
                cell.head.extend(sign.map(Sign::character));
            }
            // The other columns of that view say the rest.
            Kind::Name if self.view == View::Names => {
                tree(row, cell);
                cell.head.push_str(connection.protocol.word());
            }
            Kind::Name => {
                tree(row, cell);
                cell.head.push_str(self.mark_of_connection(connection));
                cell.head.push_str(connection.state.word());
                cell.head.push(' ');
                endpoint::remote(cell, connection, false);
                cell.cut = Some(Cut::Middle);
            }
            Kind::Process | Kind::Who => self.owner(connection, cell),
            Kind::Pid => match connection.owner.process() {
                Some(process) => {
                    let _ = write!(cell.head, "{}", process.pid);
                    if !connection.also_held_by.is_empty() {
                        let _ = write!(cell.head, "+{}", connection.also_held_by.len());
                    }
                }
                None => cell.head.push('-'),
            },
            Kind::User => match self.snapshot.user_of(connection) {
                Some(user) => cell.head.push_str(&visible(user)),
                None => match connection.uid {
                    Some(uid) => {
                        let _ = write!(cell.head, "{uid}");
                    }
                    None => cell.head.push('-'),
                },
            },
            Kind::Protocol => cell.head.push_str(connection.protocol.word()),
            Kind::State => cell.head.push_str(connection.state.word()),
            Kind::Local => endpoint::local(cell, connection, false),
            // Of one that waits for others it matters where: the column for it may have no room.
            Kind::Remote if connection.remote.is_none() => {
                let at = connection.local.ip.map_or("", |_| words::AT);
                cell.head.push_str(at);
                endpoint::local(cell, connection, false);
            }
            Kind::Remote => endpoint::remote(cell, connection, false),
            Kind::Answer => endpoint::remote(cell, connection, true),
            Kind::Sent => bytes(cell, connection.bytes_sent),
            Kind::Received => bytes(cell, connection.bytes_received),
            Kind::Opened | Kind::First => self.time(cell, connection.opened, words::OPENED_BEFORE),
            Kind::Closed | Kind::Last => self.time(cell, connection.closed, words::STILL_OPEN),
            Kind::Outcome | Kind::Then => match &connection.error {
                Some(error) => cell.head.push_str(&errors::word(error)),
                None => cell.head.push_str(connection.state.word()),
            },
            Kind::Open
            | Kind::Calls
            | Kind::Failed
            | Kind::Destinations
            | Kind::Asked
            | Kind::Word
            | Kind::Title
            | Kind::Checks
            | Kind::Time => {}
        }
    }

    fn owner(&self, connection: &Connection, cell: &mut Cell) {
        cell.head.push_str(self.mark_of_connection(connection));
        let process = self.snapshot.owner_of(connection).map(ProcessText::of);
        let foreign = foreign(connection, self.snapshot.home_netns);
        let device = connection.device;
        let device = device.map(|id| devices::in_short(id, &self.snapshot.devices));
        name(
            cell,
            connection,
            process.as_ref(),
            device.as_deref(),
            foreign,
        );
    }

    fn process(&self, kind: Kind, row: &Row, id: ProcessId, cell: &mut Cell) {
        let Some(process) = self.snapshot.processes.get(&id) else {
            return;
        };
        match kind {
            Kind::Name => {
                let text = ProcessText::of(process);
                tree(row, cell);
                cell.head.push_str(self.mark_of_process(process));
                cell.head.push_str(&text.name);
                cell.tail.push_str(text.mark);
                if process.ended.is_some() {
                    cell.tail.push_str(words::ENDED);
                }
            }
            Kind::Pid => {
                let _ = write!(cell.head, "{}", id.pid);
            }
            Kind::User => cell.head.push_str(&ProcessText::of(process).user),
            Kind::Checks => cell.head.push_str(&checks::in_short(process)),
            _ => {
                // None at all is better said by nothing than by a row of zeros.
                if let Some(it) = self
                    .picture
                    .sums
                    .get(&id)
                    .filter(|it| **it != Sums::default())
                {
                    sums(kind, it, cell);
                }
            }
        }
    }

    fn pair(&self, kind: Kind, row: &Row, pair: &Pair, cell: &mut Cell) {
        let to = destination(&pair.key.destination, pair.key.port);
        // Of those that call this computer the port says nothing, and is not kept.
        let called = pair.key.port.is_none() && pair.key.protocol.has_connections();
        let to = if called { words::from(&to) } else { to };
        match kind {
            Kind::Name => {
                tree(row, cell);
                let arrow = if called { "←" } else { "→" };
                let _ = write!(cell.head, "{arrow} {to} {}", pair.key.protocol.word());
                cell.cut = Some(Cut::Middle);
            }
            Kind::Process => {
                let (program, device) = (pair.key.program.as_ref(), pair.key.device);
                cell.head
                    .push_str(&caller_name(program, device, self.snapshot));
            }
            Kind::Remote => {
                let _ = write!(cell.head, "{to} {}", pair.key.protocol.word());
                cell.cut = Some(Cut::Middle);
            }
            Kind::Last => self.time(cell, pair.last.told(), ""),
            Kind::Open => number(cell, pair.open),
            _ => {
                let mut of_pair = Sums::default();
                of_pair.add_pair(pair);
                sums(kind, &of_pair, cell);
            }
        }
    }

    /// A moment; `otherwise` where there is none.
    fn time(&self, cell: &mut Cell, time: Option<Timestamp>, otherwise: &str) {
        match time {
            None => cell.head.push_str(otherwise),
            Some(time) if self.absolute => {
                let (day, today) = (time.to_string(), self.snapshot.taken.to_string());
                if day.get(..10) == today.get(..10) {
                    cell.head.push_str(&rows::clock(time));
                } else {
                    // Month and day: there is no room for more.
                    cell.head.push_str(day.get(5..10).unwrap_or_default());
                }
            }
            Some(time) => {
                let ago = time.until(self.snapshot.taken);
                if ago < Duration::from_secs(1) {
                    cell.head.push_str(words::UNDER_A_SECOND);
                } else {
                    let _ = write!(cell.head, "{}", duration(ago));
                }
            }
        }
    }

    /// What happened over time, where the row is about something that does.
    pub(in crate::tui) fn strip(&self, row: &Row, cells: usize) -> Option<Strip<'_>> {
        let mut strip = Strip::new(self.axis, cells);
        match &row.item {
            Item::Connection(place) => self.add_connections(&[*place], &mut strip),
            Item::Pair(place) => self.add_pairs(&[*place], &mut strip),
            Item::Program(index) | Item::StandsOut(index) => {
                let program = self.picture.programs.get(*index)?;
                self.add_pairs(&program.pairs, &mut strip);
            }
            Item::Process(id) => self.add_connections(self.picture.held.get(id)?, &mut strip),
            Item::Gathered(_) => {
                let gathered = self.gathered(row)?;
                if gathered.pairs.is_empty() {
                    self.add_connections(&gathered.connections, &mut strip);
                } else {
                    self.add_pairs(&gathered.pairs, &mut strip);
                }
            }
            Item::Name(index) => {
                let name = self.picture.names.get(*index)?;
                self.add_connections(&name.connections, &mut strip);
            }
            Item::Finding(index) => {
                let found = self.picture.findings.get(*index)?;
                self.add_connections(&found.concerned.connections, &mut strip);
            }
            Item::Text(..) | Item::Headings(_) => return None,
        }
        Some(strip)
    }

    fn add_connections(&self, places: &[model::Place], strip: &mut Strip<'_>) {
        let connections = places.iter();
        let connections = connections.filter_map(|it| self.snapshot.connections.get(*it));
        let spoken = connections.filter(|it| it.remote.is_some());
        spoken.for_each(|it| strip.connection(it, self.snapshot.taken));
    }

    fn add_pairs(&self, places: &[model::Place], strip: &mut Strip<'_>) {
        let now = self.snapshot.taken;
        for place in places {
            let Some(pair) = self.picture.pairs.get(*place) else {
                continue;
            };
            // The newest first: whoever calls all the time has many before the axis begins.
            let start = self.axis.start();
            let mut open = 0;
            for call in pair.calls.iter().rev() {
                open += u64::from(call.closed.is_none());
                strip.call(call, now);
                if call.opened < start && open >= pair.open {
                    break;
                }
            }
            if pair.open > open {
                strip.stood_open(now);
            }
        }
    }
}

/// How far a level of the tree stands in.
const STEP: usize = 2;
/// Deeper levels stand no further in: the name has to be read.
const DEEPEST: usize = 8;

fn tree(row: &Row, cell: &mut Cell) {
    let _ = write!(cell.head, "{:1$}", "", row.depth.min(DEEPEST) * STEP);
    cell.head.push_str(match row.fold {
        Fold::Leaf => "  ",
        Fold::Open => "▾ ",
        Fold::Closed => "▸ ",
    });
}

fn sums(kind: Kind, sums: &Sums, cell: &mut Cell) {
    match kind {
        Kind::Open if sums.listening == 0 => number(cell, count(sums.open)),
        Kind::Open => cell.head += &words::open_and_listening(sums.open, sums.listening),
        Kind::Calls => number(cell, count(sums.calls)),
        Kind::Failed => number(cell, count(sums.failed)),
        Kind::Sent => bytes(cell, Some(sums.sent)),
        Kind::Received => bytes(cell, Some(sums.received)),
        Kind::Sign
        | Kind::Name
        | Kind::Process
        | Kind::Pid
        | Kind::User
        | Kind::Protocol
        | Kind::State
        | Kind::Local
        | Kind::Remote
        | Kind::Destinations
        | Kind::Who
        | Kind::Opened
        | Kind::Closed
        | Kind::Last
        | Kind::Outcome
        | Kind::Asked
        | Kind::First
        | Kind::Answer
        | Kind::Then
        | Kind::Word
        | Kind::Title
        | Kind::Checks
        | Kind::Time => {}
    }
}

fn number(cell: &mut Cell, number: impl std::fmt::Display) {
    let _ = write!(cell.head, "{number}");
}

fn bytes(cell: &mut Cell, bytes: Option<u64>) {
    match bytes {
        Some(bytes) => number(cell, compact_bytes(bytes)),
        None => cell.head.push('-'),
    }
}
