//! What the person sees and has chosen. Keys and snapshots change it; nothing here waits, and
//! nothing touches the terminal.

mod act;
mod dialogs;
mod filter;
mod findings;
mod give;
mod moments;
mod mouse;
mod outward;
mod rhythm;
mod whose;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use model::{Connection, Gap, Process, ProcessId, Snapshot, Timestamp};

pub(super) use self::rhythm::Reading;
pub(super) use self::whose::{List, Whose};
use super::axis::{Axis, SPANS};
use super::changes::Changes;
use super::columns::{Column, Filler, Kind};
use super::detail;
use super::edit::Line;
use super::menu::{Menu, Question};
use super::rows::{self, Context, Grouping, Hide, Item, Key, Picture, Row};
use super::sums::Totals;
use super::view::View;
use super::{Deed, Mode, Options, Replay, Status};
use crate::filter::{Filter, FilterError};
use crate::findings::Found;

/// What the person is doing.
#[derive(Clone, Debug, Default)]
pub(super) enum Doing {
    #[default]
    Looking,
    Filtering(Line),
    Saving(Line),
    Choosing(Menu),
    Asked(Box<Question>),
    /// What is to be asked, when a copy of the process has been made.
    Preserving(ProcessId, Box<Question>),
    /// How far it is scrolled.
    Help(usize),
    NotSeen(usize),
    /// The commands for Wireshark.
    Commands(usize),
    Rhythm(Reading),
    Whose(Box<Whose>),
    /// What is to be asked from another computer; which of it is under the cursor.
    List(usize),
    SavingList(Line),
    /// The list is kept nowhere, and the person wants to end.
    Leaving(Line),
}

/// What follows from a key.
#[derive(Clone, Debug, Default)]
pub(super) enum Reaction {
    #[default]
    Nothing,
    Quit,
    /// Paint everything anew.
    Redraw,
    Deed(Deed),
    Copy(String),
}

/// Where the person is in one view.
#[derive(Clone, Debug, Default)]
pub(super) struct Position {
    pub(super) cursor: usize,
    key: Option<Key>,
    /// The first row that is shown.
    pub(super) top: usize,
}

/// Where things were painted, for the mouse.
#[derive(Clone, Debug, Default)]
pub(super) struct Painted {
    pub(super) tabs: Vec<(u16, u16, View)>,
    pub(super) tabs_line: u16,
    pub(super) heading_line: u16,
    pub(super) headings: Vec<(u16, u16, Column)>,
    pub(super) rows_from: u16,
    pub(super) rows: u16,
    pub(super) width: u16,
}

pub(super) struct Screen {
    pub(super) options: Options,
    pub(super) snapshot: Option<Arc<Snapshot>>,
    pub(super) status: Status,
    pub(super) totals: Totals,
    /// What comes while the picture is held.
    waiting: Option<(Arc<Snapshot>, Status)>,
    pub(super) changes: Changes,
    /// What the rules say of the snapshot.
    found: Found,
    pub(super) view: View,
    positions: HashMap<View, Position>,
    pub(super) filter: Filter,
    pub(super) filter_text: String,
    pub(super) filter_error: Option<FilterError>,
    pub(super) hide: Hide,
    pub(super) sort: Option<Kind>,
    pub(super) reverse: bool,
    pub(super) grouping: Grouping,
    unfolded: HashSet<Key>,
    pub(super) marked: HashSet<Key>,
    pub(super) only_marked: bool,
    pub(super) held: bool,
    /// The order of the rows when it was frozen.
    frozen: Option<HashMap<Key, usize>>,
    pub(super) mode: Doing,
    pub(super) detail: bool,
    pub(super) detail_top: usize,
    /// Which of `SPANS`.
    span: usize,
    /// The moment of the case that was asked for last.
    wanted: Option<Timestamp>,
    /// The button was pressed on the axis, and is held.
    pulls: bool,
    pub(super) commands: Vec<String>,
    /// How long before now the axis ends.
    back: Duration,
    pub(super) absolute: bool,
    pub(super) refresh: Duration,
    pub(super) message: Option<String>,
    /// What was done, for the record.
    pub(super) log: Vec<String>,
    /// What is to be asked from another computer.
    pub(super) list: List,
    pub(super) picture: Picture,
    /// The rows are to be made anew for the next picture.
    pub(super) stale: bool,
    pub(super) painted: Painted,
}

/// How often a new snapshot may be wanted.
const REFRESHES: [Duration; 4] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
];

impl Screen {
    pub(super) fn new(options: Options) -> Self {
        let mut screen = Self {
            refresh: options.refresh,
            snapshot: None,
            status: Status {
                user: String::new(),
                since: Timestamp::from_unix_nanos(0),
                online: None,
                events: 0,
                lost: 0,
                let_go: 0,
                forgotten: 0,
                mode: Mode::Live { recording: None },
                packet_files: Arc::default(),
            },
            totals: Totals::default(),
            waiting: None,
            changes: Changes::default(),
            found: Found::default(),
            view: View::default(),
            positions: HashMap::new(),
            filter: Filter::default(),
            filter_text: String::new(),
            filter_error: None,
            hide: Hide::default(),
            sort: None,
            reverse: false,
            grouping: Grouping::default(),
            unfolded: HashSet::new(),
            marked: HashSet::new(),
            only_marked: false,
            held: false,
            frozen: None,
            mode: Doing::default(),
            detail: false,
            detail_top: 0,
            span: 1,
            wanted: None,
            pulls: false,
            commands: Vec::new(),
            back: Duration::ZERO,
            absolute: false,
            message: None,
            log: Vec::new(),
            list: List::new(options.to_ask.clone()),
            picture: Picture::default(),
            stale: true,
            painted: Painted::default(),
            options,
        };
        let filter = screen.options.filter.clone();
        screen.filter_with(&filter);
        screen
    }

    /// Takes in what is new; while the picture is held it waits.
    pub(super) fn show(&mut self, snapshot: Arc<Snapshot>, status: Status) {
        if self.held && self.snapshot.is_some() {
            self.waiting = Some((snapshot, status));
            return;
        }
        self.note_moment(&status);
        self.status = status;
        match &self.status.mode {
            Mode::Live { .. } => self.changes.learn(&snapshot, self.refresh),
            Mode::Case(_) => self.changes = Changes::of_moment(&snapshot, self.step()),
        }
        self.totals = Totals::of(&snapshot);
        self.found.renew(&snapshot.findings);
        self.snapshot = Some(snapshot);
        self.stale = true;
    }

    pub(super) fn position(&self) -> Position {
        self.positions.get(&self.view).cloned().unwrap_or_default()
    }

    /// How long the axis is. Where all of a case fits, it is as long as the case.
    pub(super) fn span(&self) -> Duration {
        let span = SPANS.get(self.span).copied().unwrap_or_default();
        let length = self.replay().map(|it| it.begun.until(it.ended));
        length.map_or(span, |it| span.min(it.max(Duration::from_secs(1))))
    }

    pub(super) fn back(&self) -> Duration {
        self.back
    }

    pub(super) fn axis(&self, snapshot: &Snapshot) -> Axis {
        let gaps = snapshot.gaps.iter().filter(|gap| blinds(gap));
        let pauses = gaps.filter_map(|gap| Some((gap.since?, gap.until.unwrap_or(snapshot.taken))));
        if let Mode::Case(replay) = &self.status.mode {
            return Axis::of_case(replay, self.span(), self.back, pauses);
        }
        let back = i64::try_from(self.back.as_nanos()).unwrap_or(i64::MAX);
        let end = snapshot.taken.unix_nanos().saturating_sub(back);
        let end = Timestamp::from_unix_nanos(end);
        Axis::new(end, self.span(), self.status.since, pauses)
    }

    pub(super) fn filler<'a>(&'a self, snapshot: &'a Snapshot, axis: &'a Axis) -> Filler<'a> {
        Filler {
            snapshot,
            picture: &self.picture,
            changes: &self.changes,
            found: &self.found,
            axis,
            view: self.view,
            absolute: self.absolute,
        }
    }

    pub(super) fn context<'a>(&'a self, snapshot: &'a Snapshot) -> Context<'a> {
        Context {
            snapshot,
            status: &self.status,
            filter: &self.filter,
            hide: self.hide,
            sort: self.sort,
            reverse: self.reverse,
            grouping: self.grouping,
            unfolded: &self.unfolded,
            changes: &self.changes,
            found: &self.found,
            marked: self.only_marked.then_some(&self.marked),
            width: usize::from(self.painted.width),
        }
    }

    /// Makes the rows anew where something has changed. `width` and `height` are what is free for
    /// them.
    pub(super) fn prepare(&mut self, width: u16, height: usize) {
        if self.painted.width != width {
            self.painted.width = width;
            self.stale = true;
        }
        let Some(snapshot) = self.snapshot.clone() else {
            return;
        };
        if self.stale {
            let mut picture = rows::picture(self.view, &self.context(&snapshot));
            if let Some(order) = &self.frozen
                && self.view.is_of_connections()
            {
                let place = |row: &Row| order.get(&row.key).copied().unwrap_or(usize::MAX);
                picture.rows.sort_by_key(place);
            }
            self.picture = picture;
            self.stale = false;
            self.find_cursor();
        }
        self.scroll(height);
    }

    /// Several keys may come before anything is painted: each acts on the rows that the one before
    /// has made.
    fn be_up_to_date(&mut self) {
        if self.stale && self.painted.width > 0 {
            self.prepare(self.painted.width, usize::from(self.painted.rows));
        }
    }

    /// The cursor stays at what it was at, wherever that is now.
    fn find_cursor(&mut self) {
        let mut position = self.position();
        let rows = &self.picture.rows;
        let at = |key: &Key| rows.iter().position(|row| row.key == *key);
        let there = |place: usize| rows.get(place).map(|row| &row.key) == position.key.as_ref();
        if position.key.is_some()
            && !there(position.cursor)
            && let Some(place) = position.key.as_ref().and_then(at)
        {
            position.cursor = place;
        }
        position.cursor = self.nearest(position.cursor);
        position.key = rows.get(position.cursor).map(|row| row.key.clone());
        self.positions.insert(self.view, position);
    }

    /// The nearest row the cursor can stand on.
    fn nearest(&self, place: usize) -> usize {
        let rows = &self.picture.rows;
        let place = place.min(rows.len().saturating_sub(1));
        let is_chosen = |place: &usize| rows.get(*place).is_some_and(Row::is_chosen);
        let after = (place..rows.len()).find(is_chosen);
        let before = || (0..place).rev().find(is_chosen);
        after.or_else(before).unwrap_or(place)
    }

    fn scroll(&mut self, height: usize) {
        let mut position = self.position();
        let rows = self.picture.rows.len();
        // What stands above the first row that can be chosen is seen with it.
        let first = self.nearest(0);
        let top = if position.cursor <= first {
            0
        } else {
            position.cursor
        };
        if position.top > top {
            position.top = top;
        }
        if height > 0 && position.cursor >= position.top + height {
            position.top = position.cursor + 1 - height;
        }
        position.top = position.top.min(rows.saturating_sub(height.max(1)));
        self.positions.insert(self.view, position);
    }

    fn move_to(&mut self, place: usize, upwards: bool) {
        let rows = &self.picture.rows;
        let place = place.min(rows.len().saturating_sub(1));
        let is_chosen = |place: &usize| rows.get(*place).is_some_and(Row::is_chosen);
        let found = if upwards {
            (0..=place).rev().find(is_chosen)
        } else {
            (place..rows.len()).find(is_chosen)
        };
        let cursor = found.unwrap_or_else(|| self.nearest(place));
        let mut position = self.position();
        position.cursor = cursor;
        position.key = rows.get(cursor).map(|row| row.key.clone());
        self.positions.insert(self.view, position);
        self.detail_top = 0;
    }

    fn move_by(&mut self, steps: isize) {
        let place = self.position().cursor.saturating_add_signed(steps);
        self.move_to(place, steps < 0);
    }

    pub(super) fn row(&self) -> Option<&Row> {
        self.picture.rows.get(self.position().cursor)
    }

    /// What the row is about, where it is one connection or one process.
    fn behind(&self) -> (Option<&Connection>, Option<&Process>) {
        let (Some(snapshot), Some(row)) = (&self.snapshot, self.row()) else {
            return (None, None);
        };
        match &row.item {
            Item::Connection(place) => {
                let connection = snapshot.connections.get(*place);
                let process = connection.and_then(|it| snapshot.owner_of(it));
                (connection, process)
            }
            Item::Process(id) => (None, snapshot.processes.get(id).map(Arc::as_ref)),
            Item::StandsOut(index) | Item::Program(index) => {
                let program = self.picture.programs.get(*index);
                let of_it = program.into_iter().flat_map(|it| &it.processes);
                let of_it = of_it.filter_map(|id| snapshot.processes.get(id));
                let mut alive = of_it.filter(|it| it.ended.is_none());
                let only = alive.next().filter(|_| alive.next().is_none());
                (None, only.map(Arc::as_ref))
            }
            Item::Name(index) => {
                let name = self.picture.names.get(*index);
                let asker = name.and_then(|it| it.asker?.process);
                let process = asker.and_then(|id| snapshot.processes.get(&id));
                (None, process.map(Arc::as_ref))
            }
            Item::Finding(index) => {
                let found = self.picture.findings.get(*index);
                let process = found.and_then(|it| it.finding.about.process);
                let process = process.and_then(|id| snapshot.processes.get(&id));
                (None, process.map(Arc::as_ref))
            }
            Item::Text(..) | Item::Headings(_) | Item::Gathered(_) | Item::Pair(_) => (None, None),
        }
    }

    /// All that is known of the row, as lines.
    pub(super) fn detail_lines(&self, width: usize) -> Vec<(bool, String)> {
        let (Some(snapshot), Some(row)) = (&self.snapshot, self.row()) else {
            return Vec::new();
        };
        detail::lines(&detail::of(row, snapshot, &self.picture), width)
    }
}

/// Whether nothing was seen while a gap lasted: the computer slept, events were lost, or our
/// programs are off. Others hide one kind of thing and leave the rest.
fn blinds(gap: &Gap) -> bool {
    gap.until.is_some() || gap.id == "programs_taken_off"
}
