//! The columns of each view: which fit, and what stands in them.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each kind of row has something to say in some of the columns only"
)]

use std::fmt::Write as _;

use model::{Connection, Pair, ProcessId, Snapshot, Timestamp};

use super::axis::{Axis, Strip};
use super::changes::{Changes, Sign};
use super::programs::destination;
use super::rows::{Fold, Gathered, Item, Picture, Row};
use super::sums::Sums;
use super::theme::Tone;
use super::view::View;
use crate::errors;
use crate::order::Sort;
use crate::quantity::{compact_bytes, duration};
use crate::table::cell::Cell;
use crate::table::endpoint;
use crate::table::owner::{ProcessText, why_unknown};
use crate::visible::{Cut, visible};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `+`, `~`, `-`, or the mark of the person.
    Sign,
    /// The tree, where there is one.
    Name,
    Process,
    Pid,
    User,
    Protocol,
    State,
    Local,
    Remote,
    Open,
    Calls,
    Failed,
    Destinations,
    Who,
    Sent,
    Received,
    Opened,
    Closed,
    Last,
    /// What came of it.
    Outcome,
    Time,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) kind: Kind,
    pub(super) title: &'static str,
    pub(super) width: usize,
    pub(super) right: bool,
}

/// A column as it is wanted: how narrow it may be, and how wide it likes to be.
struct Wanted {
    kind: Kind,
    title: &'static str,
    least: usize,
    best: usize,
    /// The lowest leaves first where room is short.
    rank: u8,
}

const fn wanted(kind: Kind, title: &'static str, least: usize, best: usize, rank: u8) -> Wanted {
    Wanted {
        kind,
        title,
        least,
        best,
        rank,
    }
}

/// Never leaves.
const STAYS: u8 = u8::MAX;

fn wanted_by(view: View) -> Vec<Wanted> {
    use Kind as K;
    let sign = wanted(K::Sign, " ", 1, 1, STAYS);
    let sent = wanted(K::Sent, "SENT", 5, 5, 50);
    let received = wanted(K::Received, "RECVD", 5, 5, 49);
    let open = wanted(K::Open, "OPEN", 5, 5, 80);
    let calls = wanted(K::Calls, "CALLS", 6, 6, 70);
    let failed = wanted(K::Failed, "FAILED", 6, 6, 60);
    let time = |least, rank| wanted(K::Time, "", least, 60, rank);
    match view {
        View::Overview => vec![
            sign,
            wanted(K::Name, "PROGRAM", 16, 40, STAYS),
            open,
            wanted(K::Destinations, "TO", 4, 4, 40),
            calls,
            failed,
            sent,
            received,
            time(12, 90),
        ],
        View::Connections => vec![
            sign,
            wanted(K::Process, "PROCESS", 11, 20, STAYS),
            wanted(K::Pid, "PID", 7, 9, 80),
            wanted(K::User, "USER", 7, 10, 30),
            wanted(K::Protocol, "PROTO", 5, 6, 70),
            wanted(K::State, "STATE", 11, 12, 75),
            wanted(K::Local, "LOCAL", 19, 30, 35),
            wanted(K::Remote, "REMOTE", 21, 46, STAYS),
            sent,
            received,
            wanted(K::Opened, "AGE", 7, 8, 32),
            time(12, 60),
        ],
        View::Processes => vec![
            sign,
            wanted(K::Name, "PROCESS, WHERE IT GOES", 26, 70, STAYS),
            wanted(K::Pid, "PID", 7, 8, 90),
            wanted(K::User, "USER", 8, 12, 65),
            open,
            failed,
            sent,
            received,
            time(12, 75),
        ],
        View::Destinations => vec![
            sign,
            wanted(K::Name, "DESTINATION", 24, 48, STAYS),
            wanted(K::Who, "CALLED BY", 12, 30, 85),
            open,
            calls,
            failed,
            sent,
            received,
            time(12, 75),
        ],
        View::Timeline => vec![
            sign,
            wanted(K::Process, "PROGRAM", 12, 20, STAYS),
            wanted(K::Remote, "DESTINATION", 19, 40, 80),
            wanted(K::Calls, "CALLS", 6, 7, 70),
            wanted(K::Last, "LAST", 8, 8, 30),
            wanted(K::Time, "", 20, 400, STAYS),
        ],
        View::History => vec![
            sign,
            wanted(K::Opened, "OPENED", 8, 8, 85),
            wanted(K::Closed, "CLOSED", 8, 8, 60),
            wanted(K::Process, "PROCESS", 11, 20, STAYS),
            wanted(K::Pid, "PID", 7, 9, 65),
            wanted(K::Protocol, "PROTO", 5, 6, 40),
            wanted(K::Remote, "REMOTE", 21, 46, STAYS),
            wanted(K::Outcome, "WHAT CAME OF IT", 11, 40, 80),
            sent,
            received,
            time(12, 30),
        ],
        View::Findings => Vec::new(),
    }
}

/// The columns that fit into `width`, one blank between them.
pub(super) fn fitting(view: View, width: usize) -> Vec<Column> {
    let mut all = wanted_by(view);
    let total = |all: &[Wanted], of: fn(&Wanted) -> usize| {
        all.iter().map(of).sum::<usize>() + all.len().saturating_sub(1)
    };
    while total(&all, |it| it.least) > width {
        let ranks = all.iter().enumerate().map(|(place, it)| (it.rank, place));
        match ranks.min().filter(|(rank, _)| *rank != STAYS) {
            Some((_, place)) => drop(all.remove(place)),
            None => break,
        }
    }
    let mut spare = width.saturating_sub(total(&all, |it| it.least));
    let mut columns: Vec<Column> = all.iter().map(Wanted::narrow).collect();
    // A little for each in turn, so that none is starved.
    while spare > 0 {
        let mut grown = false;
        for (column, wanted) in columns.iter_mut().zip(&all) {
            if spare > 0 && column.width < wanted.best {
                column.width += 1;
                spare -= 1;
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    columns
}

impl Wanted {
    fn narrow(&self) -> Column {
        Column {
            kind: self.kind,
            title: self.title,
            width: self.least,
            right: matches!(
                self.kind,
                Kind::Sent
                    | Kind::Received
                    | Kind::Open
                    | Kind::Calls
                    | Kind::Failed
                    | Kind::Destinations
            ),
        }
    }
}

/// The columns that connections can be put in order by, as they stand from left to right.
pub(super) fn sort_of(kind: Kind) -> Option<Sort> {
    Some(match kind {
        Kind::Process | Kind::Name => Sort::Process,
        Kind::Pid => Sort::Pid,
        Kind::User => Sort::User,
        Kind::Protocol => Sort::Protocol,
        Kind::State => Sort::State,
        Kind::Local => Sort::Local,
        Kind::Remote => Sort::Remote,
        Kind::Sent => Sort::Sent,
        Kind::Received => Sort::Received,
        Kind::Opened => Sort::Opened,
        Kind::Closed => Sort::Closed,
        Kind::Sign
        | Kind::Open
        | Kind::Calls
        | Kind::Failed
        | Kind::Destinations
        | Kind::Who
        | Kind::Last
        | Kind::Outcome
        | Kind::Time => return None,
    })
}

/// Fills the cells of rows.
pub(super) struct Filler<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) picture: &'a Picture,
    pub(super) changes: &'a Changes,
    pub(super) axis: &'a Axis,
    pub(super) view: View,
    /// Times of day in place of how long ago.
    pub(super) absolute: bool,
}

impl Filler<'_> {
    /// How the whole row is to look.
    pub(super) fn tone(&self, row: &Row) -> Tone {
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
            Item::StandsOut(_) => Tone::Strong,
            Item::Text(_, tone) => *tone,
            Item::Program(_) | Item::Gathered(_) | Item::Pair(_) => Tone::Plain,
        }
    }

    /// A text across all columns. `None`: the row has cells.
    pub(super) fn across(&self, row: &Row) -> Option<String> {
        match &row.item {
            Item::Text(text, _) => Some(text.clone()),
            Item::StandsOut(index) => {
                let program = self.picture.programs.get(*index)?;
                let mut text = format!("◆ {}", program.name);
                for id in program.processes.iter().take(3) {
                    let _ = write!(text, " {}", id.pid);
                }
                let more = program.processes.len().saturating_sub(3);
                if more > 0 {
                    let _ = write!(text, " and {more} more");
                }
                if let Some(file) = &program.file {
                    let _ = write!(text, "  {}", visible(file));
                }
                Some(text)
            }
            Item::Gathered(_) if self.view.is_of_connections() => {
                let gathered = self.gathered(row)?;
                let count = gathered.connections.len();
                Some(format!("{}  ({count})", gathered.title))
            }
            Item::Program(_)
            | Item::Process(_)
            | Item::Gathered(_)
            | Item::Pair(_)
            | Item::Connection(_) => None,
        }
    }

    pub(super) fn fill(&self, kind: Kind, row: &Row, cell: &mut Cell) {
        match &row.item {
            Item::Connection(place) => {
                if let Some(connection) = self.snapshot.connections.get(*place) {
                    self.connection(kind, row, connection, cell);
                }
            }
            Item::Pair(place) => {
                if let Some(pair) = self.snapshot.pairs.get(*place) {
                    self.pair(kind, row, pair, cell);
                }
            }
            Item::Process(id) => self.process(kind, row, *id, cell),
            Item::Program(index) => {
                if let Some(program) = self.picture.programs.get(*index) {
                    match kind {
                        Kind::Name => {
                            tree(row, cell);
                            cell.head.push_str(&program.name);
                            cell.cut = Some(Cut::Middle);
                            if program.processes.len() > 1 {
                                let _ = write!(cell.tail, " ×{}", program.processes.len());
                            }
                        }
                        Kind::Destinations => number(cell, program.destinations),
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
            Item::Text(..) | Item::StandsOut(_) => {}
        }
    }

    fn gathered(&self, row: &Row) -> Option<&Gathered> {
        match row.item {
            Item::Gathered(index) => self.picture.gathered.get(index),
            Item::Text(..)
            | Item::StandsOut(_)
            | Item::Program(_)
            | Item::Process(_)
            | Item::Pair(_)
            | Item::Connection(_) => None,
        }
    }

    fn connection(&self, kind: Kind, row: &Row, connection: &Connection, cell: &mut Cell) {
        match kind {
            Kind::Sign => {
                let sign = self.changes.of(&connection.id);
                cell.head.extend(sign.map(Sign::character));
            }
            Kind::Name => {
                tree(row, cell);
                cell.head.push_str(connection.state.word());
                cell.head.push(' ');
                endpoint::remote(cell, connection, false);
                cell.cut = Some(Cut::Middle);
            }
            Kind::Process => self.owner(connection, cell),
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
            Kind::Remote => endpoint::remote(cell, connection, false),
            Kind::Sent => bytes(cell, connection.bytes_sent),
            Kind::Received => bytes(cell, connection.bytes_received),
            Kind::Opened => self.time(cell, connection.opened, "before"),
            Kind::Closed => self.time(cell, connection.closed, "open"),
            Kind::Outcome => match &connection.error {
                Some(error) => cell.head.push_str(&errors::word(error)),
                None => cell.head.push_str(connection.state.word()),
            },
            Kind::Open
            | Kind::Calls
            | Kind::Failed
            | Kind::Destinations
            | Kind::Who
            | Kind::Last
            | Kind::Time => {}
        }
    }

    fn owner(&self, connection: &Connection, cell: &mut Cell) {
        match (self.snapshot.owner_of(connection), connection.owner) {
            (Some(process), _) => {
                let text = ProcessText::of(process);
                cell.head.push_str(&text.name);
                cell.tail.push_str(text.mark);
            }
            (None, model::Owner::Unknown { why }) => {
                let _ = write!(cell.head, "? {}", why_unknown(why));
            }
            (None, model::Owner::Known { .. }) => cell.head.push('?'),
        }
    }

    fn process(&self, kind: Kind, row: &Row, id: ProcessId, cell: &mut Cell) {
        let Some(process) = self.snapshot.processes.get(&id) else {
            return;
        };
        match kind {
            Kind::Name => {
                let text = ProcessText::of(process);
                tree(row, cell);
                cell.head.push_str(&text.name);
                cell.tail.push_str(text.mark);
                if process.ended.is_some() {
                    cell.tail.push_str(" (ended)");
                }
            }
            Kind::Pid => {
                let _ = write!(cell.head, "{}", id.pid);
            }
            Kind::User => cell.head.push_str(&ProcessText::of(process).user),
            _ => {
                // None at all is better said by nothing than by a row of zeros.
                if let Some(it) = self.picture.sums.get(&id).filter(|it| it.calls > 0) {
                    sums(kind, it, cell);
                }
            }
        }
    }

    fn pair(&self, kind: Kind, row: &Row, pair: &Pair, cell: &mut Cell) {
        let to = destination(&pair.key.destination, pair.key.port);
        match kind {
            Kind::Name => {
                tree(row, cell);
                let _ = write!(cell.head, "→ {to} {}", pair.key.protocol.word());
                cell.cut = Some(Cut::Middle);
            }
            Kind::Process => match &pair.key.program {
                Some(program) => {
                    let shown = visible(program);
                    cell.head.push_str(super::programs::last_part(&shown));
                }
                None => cell.head.push('?'),
            },
            Kind::Remote => {
                let _ = write!(cell.head, "{to} {}", pair.key.protocol.word());
                cell.cut = Some(Cut::Middle);
            }
            Kind::Last => self.time(cell, Some(pair.last), ""),
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
                cell.head.push_str(&super::rows::clock(time));
            }
            Some(time) => {
                let _ = write!(cell.head, "{}", duration(time.until(self.snapshot.taken)));
            }
        }
    }

    /// What happened over time, where the row is about something that does.
    pub(super) fn strip(&self, row: &Row, cells: usize) -> Option<Strip<'_>> {
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
            Item::Text(..) => return None,
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
            let Some(pair) = self.snapshot.pairs.get(*place) else {
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

fn tree(row: &Row, cell: &mut Cell) {
    let _ = write!(cell.head, "{:1$}", "", row.depth * STEP);
    cell.head.push_str(match row.fold {
        Fold::Leaf => "  ",
        Fold::Open => "▾ ",
        Fold::Closed => "▸ ",
    });
}

fn sums(kind: Kind, sums: &Sums, cell: &mut Cell) {
    match kind {
        Kind::Open => match (sums.open, sums.listening) {
            (open, 0) => number(cell, open),
            (open, listening) => {
                let _ = write!(cell.head, "{open}+{listening}");
            }
        },
        Kind::Calls => number(cell, sums.calls),
        Kind::Failed => number(cell, sums.failed),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_every_width() {
        for view in View::ALL {
            for width in 40..300 {
                let columns = fitting(view, width);
                let taken: usize = columns.iter().map(|it| it.width + 1).sum();
                assert!(taken <= width + 1, "{view:?} {width}: {taken}");
            }
        }
    }

    #[test]
    fn eighty_columns_have_room_for_time() {
        for view in View::ALL.into_iter().filter(|it| *it != View::Findings) {
            let columns = fitting(view, 80);
            let time = columns.iter().any(|it| it.kind == Kind::Time);
            assert!(time || view == View::History, "{view:?}");
        }
    }
}
