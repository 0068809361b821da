//! What the person sees and has chosen. Keys and snapshots change it; nothing here waits, and
//! nothing touches the terminal.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{
    KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use model::{Connection, Process, Snapshot};

use super::axis::{Axis, SPANS};
use super::changes::Changes;
use super::columns::{self, Column, Filler};
use super::detail;
use super::edit::Line;
use super::keys::{self, Action};
use super::menu::{Choice, Menu, Question};
use super::rows::{self, Context, Fold, Grouping, Hide, Item, Key, Picture, Row};
use super::save::{self, Format};
use super::view::View;
use super::{Deed, Options, Status};
use crate::filter::{Filter, FilterError};
use crate::order::Sort;
use crate::quantity::duration;
use crate::table::cell::Cell;

/// What the person is doing.
#[derive(Clone, Debug, Default)]
pub(super) enum Mode {
    #[default]
    Looking,
    Filtering(Line),
    Saving(Line),
    Choosing(Menu),
    Asked(Box<Question>),
    /// How far it is scrolled.
    Help(usize),
    NotSeen(usize),
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
    /// What comes while the picture is held.
    waiting: Option<(Arc<Snapshot>, Status)>,
    pub(super) changes: Changes,
    pub(super) view: View,
    positions: HashMap<View, Position>,
    pub(super) filter: Filter,
    pub(super) filter_text: String,
    pub(super) filter_error: Option<FilterError>,
    pub(super) hide: Hide,
    pub(super) sort: Option<Sort>,
    pub(super) reverse: bool,
    pub(super) grouping: Grouping,
    unfolded: HashSet<Key>,
    pub(super) marked: HashSet<Key>,
    pub(super) only_marked: bool,
    pub(super) held: bool,
    /// The order of the rows when it was frozen.
    frozen: Option<HashMap<Key, usize>>,
    pub(super) mode: Mode,
    pub(super) detail: bool,
    pub(super) detail_top: usize,
    /// Which of `SPANS`.
    span: usize,
    /// How long before now the axis ends.
    back: Duration,
    pub(super) absolute: bool,
    pub(super) refresh: Duration,
    pub(super) message: Option<String>,
    /// What was done, for the record.
    pub(super) log: Vec<String>,
    pub(super) picture: Picture,
    stale: bool,
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
                since: model::Timestamp::from_unix_nanos(0),
                online: None,
                events: 0,
                lost: 0,
                let_go: 0,
            },
            waiting: None,
            changes: Changes::default(),
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
            mode: Mode::default(),
            detail: false,
            detail_top: 0,
            span: 1,
            back: Duration::ZERO,
            absolute: false,
            message: None,
            log: Vec::new(),
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
        self.changes.learn(&snapshot, self.refresh);
        self.snapshot = Some(snapshot);
        self.status = status;
        self.stale = true;
    }

    /// What came of a deed.
    pub(super) fn tell(&mut self, text: String) {
        let time = self.snapshot.as_ref().map(|it| rows::clock(it.taken));
        self.log
            .push(format!("{} {text}", time.unwrap_or_default()));
        self.message = Some(text);
    }

    pub(super) fn position(&self) -> Position {
        self.positions.get(&self.view).cloned().unwrap_or_default()
    }

    pub(super) fn span(&self) -> Duration {
        SPANS.get(self.span).copied().unwrap_or_default()
    }

    pub(super) fn back(&self) -> Duration {
        self.back
    }

    pub(super) fn axis(&self, snapshot: &Snapshot) -> Axis {
        let back = i64::try_from(self.back.as_nanos()).unwrap_or(i64::MAX);
        let end = snapshot.taken.unix_nanos().saturating_sub(back);
        let end = model::Timestamp::from_unix_nanos(end);
        let gaps = snapshot.gaps.iter();
        let pauses = gaps.filter_map(|gap| Some((gap.since?, gap.until.unwrap_or(snapshot.taken))));
        Axis::new(end, self.span(), self.status.since, pauses)
    }

    pub(super) fn filler<'a>(&'a self, snapshot: &'a Snapshot, axis: &'a Axis) -> Filler<'a> {
        Filler {
            snapshot,
            picture: &self.picture,
            changes: &self.changes,
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
                let mut alive = program.into_iter().flat_map(|it| &it.processes);
                let only = alive.next().filter(|_| alive.next().is_none());
                let process = only.and_then(|id| snapshot.processes.get(id));
                (None, process.map(Arc::as_ref))
            }
            Item::Text(..) | Item::Gathered(_) | Item::Pair(_) => (None, None),
        }
    }

    // ---- keys ------------------------------------------------------------------------------

    pub(super) fn key(&mut self, key: KeyEvent) -> Reaction {
        if key.kind == KeyEventKind::Release {
            return Reaction::Nothing;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && key.code == KeyCode::Char('c') {
            return Reaction::Quit;
        }
        match std::mem::take(&mut self.mode) {
            Mode::Looking => match keys::action(key) {
                Some(action) => self.act(action),
                None => Reaction::Nothing,
            },
            Mode::Filtering(line) => self.filtering(line, key),
            Mode::Saving(line) => self.saving(line, key),
            Mode::Choosing(menu) => self.choosing(menu, key),
            Mode::Asked(question) => self.asked(question, key),
            Mode::Help(top) => self.reading(Mode::Help, top, key),
            Mode::NotSeen(top) => self.reading(Mode::NotSeen, top, key),
        }
    }

    /// Whether a key does anything as things are.
    pub(super) fn works(&self, action: Action) -> bool {
        match action {
            Action::Unfold => self.row().is_some_and(|row| row.fold == Fold::Closed),
            Action::Fold => self.row().is_some_and(|row| row.fold == Fold::Open),
            Action::UnfoldRest => self.view == View::Overview,
            Action::Detail | Action::Menu => self.row().is_some_and(Row::is_chosen),
            _ => true,
        }
    }

    fn act(&mut self, action: Action) -> Reaction {
        self.message = None;
        let page = isize::try_from(self.painted.rows.max(2) - 1).unwrap_or(1);
        match action {
            Action::Show(view) => self.view_is(view),
            Action::NextView => self.view_is(self.view.next()),
            Action::PreviousView => self.view_is(self.view.previous()),
            Action::Up => self.move_by(-1),
            Action::Down => self.move_by(1),
            Action::PageUp if self.detail => self.detail_top = self.detail_top.saturating_sub(5),
            Action::PageDown if self.detail => self.detail_top += 5,
            Action::PageUp => self.move_by(-page),
            Action::PageDown => self.move_by(page),
            Action::First => self.move_to(0, false),
            Action::Last => self.move_to(usize::MAX, true),
            Action::Unfold => self.unfold(),
            Action::Fold => self.fold(),
            Action::UnfoldRest => {
                for key in [Key::Rest, Key::Line(0)] {
                    if !self.unfolded.remove(&key) {
                        self.unfolded.insert(key);
                    }
                }
            }
            Action::Detail => {
                self.detail = !self.detail;
                self.detail_top = 0;
            }
            Action::Back => self.back_out(),
            Action::Filter => self.mode = Mode::Filtering(Line::of(&self.filter_text)),
            Action::Sort => self.sort_next(),
            Action::Reverse => self.reverse = !self.reverse,
            Action::Group => {
                self.grouping = self.grouping.next();
                self.say(self.grouping.word());
            }
            Action::Pivot => self.pivot(),
            Action::HideListeners => self.hide.listeners = !self.hide.listeners,
            Action::HideLoopback => self.hide.loopback = !self.hide.loopback,
            Action::HideLocalNetwork => self.hide.local_network = !self.hide.local_network,
            Action::Pause => self.hold(),
            Action::Freeze => self.freeze(),
            Action::Mark => self.mark(),
            Action::OnlyMarked => self.only_marked = !self.only_marked && !self.marked.is_empty(),
            Action::CopyRow => return self.copy_row(),
            Action::CopyFilter => return self.copy(self.filter_text.clone()),
            Action::Save => self.mode = Mode::Saving(Line::of("whocalls.csv")),
            Action::Menu => self.open_menu(),
            Action::Refresh => return self.next_refresh(),
            Action::Times => self.absolute = !self.absolute,
            Action::Earlier => self.back += self.span() / 4,
            Action::Later => self.back = self.back.saturating_sub(self.span() / 4),
            Action::ZoomIn => self.span = self.span.saturating_sub(1),
            Action::ZoomOut => self.span = (self.span + 1).min(SPANS.len() - 1),
            Action::NotSeen => self.mode = Mode::NotSeen(0),
            Action::Help => self.mode = Mode::Help(0),
            Action::Redraw => return Reaction::Redraw,
            Action::Quit => return Reaction::Quit,
        }
        self.stale = true;
        Reaction::Nothing
    }

    fn say(&mut self, text: impl Into<String>) {
        self.message = Some(text.into());
    }

    fn view_is(&mut self, view: View) {
        self.view = view;
        self.detail_top = 0;
    }

    fn unfold(&mut self) {
        let Some(row) = self.row() else { return };
        let (key, fold) = (row.key.clone(), row.fold);
        match (&key, fold) {
            // Groups are open unless they were folded.
            (Key::Group(_), Fold::Closed) => drop(self.unfolded.remove(&key)),
            (_, Fold::Closed) => drop(self.unfolded.insert(key)),
            (_, Fold::Open) => self.move_by(1),
            (_, Fold::Leaf) => {}
        }
    }

    fn fold(&mut self) {
        let Some(row) = self.row() else { return };
        let (key, fold, depth) = (row.key.clone(), row.fold, row.depth);
        match (&key, fold) {
            (Key::Group(_), Fold::Open) => drop(self.unfolded.insert(key)),
            (_, Fold::Open) => drop(self.unfolded.remove(&key)),
            (_, Fold::Closed | Fold::Leaf) => {
                let above = self.picture.rows.iter().take(self.position().cursor);
                if let Some(place) = above.into_iter().rposition(|row| row.depth < depth) {
                    self.move_to(place, true);
                }
            }
        }
    }

    fn back_out(&mut self) {
        if self.detail {
            self.detail = false;
        } else if self.only_marked {
            self.only_marked = false;
        } else if !self.filter_text.is_empty() {
            self.filter_with("");
        } else if !self.back.is_zero() {
            self.back = Duration::ZERO;
        } else {
            self.view = View::Overview;
        }
    }

    fn sort_next(&mut self) {
        let columns = columns::fitting(self.view, usize::from(self.painted.width));
        let sorts: Vec<Sort> = columns
            .iter()
            .filter_map(|it| columns::sort_of(it.kind))
            .collect();
        let place = sorts.iter().position(|it| Some(*it) == self.sort);
        self.sort = match place {
            None => sorts.first().copied(),
            Some(place) => sorts.get(place + 1).copied(),
        };
        self.reverse = false;
        if !self.view.is_of_connections() {
            self.say("the order is for the views of connections (2, 6)");
        }
    }

    fn pivot(&mut self) {
        let Some(term) = self.term() else {
            return self.say("nothing to pick by in this row");
        };
        self.filter_with(&term);
        if !self.view.is_of_connections() {
            self.view = View::Connections;
        }
    }

    /// The filter for what a row is about.
    fn term(&self) -> Option<String> {
        let (connection, process) = self.behind();
        let row = self.row()?;
        if let Some(process) = process {
            return Some(format!("pid:{}", process.id.pid));
        }
        if let Some(ip) = connection.and_then(|it| it.remote?.ip) {
            return Some(format!("dst:{ip}"));
        }
        let exe = |program: &model::Text| {
            let path = program.as_utf8()?;
            let plain = path
                .chars()
                .all(|it| it.is_alphanumeric() || "/._-+".contains(it));
            let key = if path.contains('/') { "exe" } else { "proc" };
            plain.then(|| format!("{key}:{path}"))
        };
        match &row.key {
            Key::Program(program) | Key::Caller(_, program) => exe(program.as_ref()?),
            Key::Destination(address) => Some(format!("dst:{address}")),
            Key::Toward(process, address) => {
                let ip: std::net::IpAddr = address.parse().ok()?;
                Some(format!("pid:{} dst:{ip}", process.pid))
            }
            Key::Pair(key) => {
                let dst = format!("dst:{}", key.destination);
                let exe = key.program.as_ref().and_then(exe);
                Some(exe.map_or(dst.clone(), |exe| format!("{exe} {dst}")))
            }
            Key::Line(_) | Key::Rest | Key::Process(_) | Key::Connection(_) | Key::Group(_) => None,
        }
    }

    fn hold(&mut self) {
        self.held = !self.held;
        if !self.held
            && let Some((snapshot, status)) = self.waiting.take()
        {
            self.show(snapshot, status);
        }
    }

    fn freeze(&mut self) {
        self.frozen = match self.frozen {
            Some(_) => None,
            None => {
                let rows = self.picture.rows.iter().enumerate();
                Some(rows.map(|(place, row)| (row.key.clone(), place)).collect())
            }
        };
        self.say(if self.frozen.is_some() {
            "the order stands; new rows come last"
        } else {
            "the order follows again"
        });
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    fn mark(&mut self) {
        let Some(key) = self
            .row()
            .filter(|row| row.is_chosen())
            .map(|it| it.key.clone())
        else {
            return;
        };
        if !self.marked.remove(&key) {
            self.marked.insert(key);
        }
        self.move_by(1);
    }

    fn next_refresh(&mut self) -> Reaction {
        let place = REFRESHES.iter().position(|it| *it == self.refresh);
        let next = place.map_or(1, |place| (place + 1) % REFRESHES.len());
        self.refresh = REFRESHES.get(next).copied().unwrap_or(self.refresh);
        self.say(format!("refreshed every {}", duration(self.refresh)));
        Reaction::Deed(Deed::Refresh(self.refresh))
    }

    // ---- filter ----------------------------------------------------------------------------

    /// Takes a filter where it can be read; else what is wrong is shown beside it.
    fn filter_with(&mut self, text: &str) {
        match Filter::parse_for_screen(text) {
            Ok(filter) => {
                self.filter = filter;
                self.filter_text = text.to_owned();
                self.filter_error = None;
                self.stale = true;
            }
            Err(error) => self.filter_error = Some(error),
        }
    }

    fn filtering(&mut self, mut line: Line, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Enter if self.filter_error.is_none() => return Reaction::Nothing,
            KeyCode::Esc => {
                self.filter_with("");
                return Reaction::Nothing;
            }
            KeyCode::Tab => self.complete(&mut line),
            _ => write(&mut line, key),
        }
        self.filter_with(line.text());
        self.mode = Mode::Filtering(line);
        Reaction::Nothing
    }

    fn complete(&mut self, line: &mut Line) {
        let snapshot = self.snapshot.as_deref();
        let (typed, all) = super::words::filter_words(line.before(), snapshot);
        match all.as_slice() {
            [] => {}
            [only] => line.complete(typed, only),
            [first, rest @ ..] => {
                let common = rest.iter().fold(first.as_str(), |common, it| {
                    let same = common.char_indices().zip(it.chars());
                    let end = same
                        .take_while(|((_, one), other)| one == other)
                        .map(|((place, one), _)| place + one.len_utf8())
                        .last();
                    common.get(..end.unwrap_or(0)).unwrap_or_default()
                });
                if common.len() > typed {
                    line.complete(typed, common);
                }
                let shown = all.iter().take(12).map(String::as_str);
                self.message = Some(shown.collect::<Vec<_>>().join("  "));
            }
        }
    }

    // ---- dialogs ---------------------------------------------------------------------------

    fn reading(&mut self, again: fn(usize) -> Mode, top: usize, key: KeyEvent) -> Reaction {
        let page = usize::from(self.painted.rows.max(2));
        let top = match key.code {
            KeyCode::Up | KeyCode::Char('k') => top.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => top + 1,
            KeyCode::PageUp => top.saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => top + page,
            _ => return Reaction::Nothing,
        };
        self.mode = again(top);
        Reaction::Nothing
    }

    fn open_menu(&mut self) {
        let (connection, process) = self.behind();
        self.mode = Mode::Choosing(Menu::of(connection, process, self.options.actions));
    }

    fn choosing(&mut self, mut menu: Menu, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => menu.move_by(-1),
            KeyCode::Down | KeyCode::Char('j') => menu.move_by(1),
            KeyCode::Enter => return self.choose(&menu),
            KeyCode::Esc | KeyCode::Char('q' | '.') => return Reaction::Nothing,
            _ => {}
        }
        self.mode = Mode::Choosing(menu);
        Reaction::Nothing
    }

    fn choose(&mut self, menu: &Menu) -> Reaction {
        let Some(entry) = menu.chosen() else {
            return Reaction::Nothing;
        };
        if let Some(why) = entry.why_not {
            self.say(format!("not possible: {why}"));
            return Reaction::Nothing;
        }
        match &entry.choice {
            Choice::Detail => self.act(Action::Detail),
            Choice::OnlyThis => self.act(Action::Pivot),
            Choice::Mark => self.act(Action::Mark),
            Choice::Copy => self.act(Action::CopyRow),
            Choice::Save => self.act(Action::Save),
            Choice::Ask(question) => {
                self.mode = Mode::Asked(question.clone());
                Reaction::Nothing
            }
        }
    }

    fn asked(&mut self, mut question: Box<Question>, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Esc => {
                self.say("nothing was done");
                return Reaction::Nothing;
            }
            KeyCode::Enter if question.answer.text() == question.word => {
                return Reaction::Deed(question.deed);
            }
            KeyCode::Enter => {
                self.say(format!("nothing was done: that was not {}", question.word));
                return Reaction::Nothing;
            }
            _ => write(&mut question.answer, key),
        }
        self.mode = Mode::Asked(question);
        Reaction::Nothing
    }

    fn saving(&mut self, mut line: Line, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Esc => return Reaction::Nothing,
            KeyCode::Enter => return self.save(line),
            _ => write(&mut line, key),
        }
        self.mode = Mode::Saving(line);
        Reaction::Nothing
    }

    fn save(&mut self, line: Line) -> Reaction {
        let name = line.text().to_owned();
        let Some(format) = Format::of(&name) else {
            self.say("the name has to end in .csv or .json");
            self.mode = Mode::Saving(line);
            return Reaction::Nothing;
        };
        let Some(snapshot) = self.snapshot.clone() else {
            return Reaction::Nothing;
        };
        let chosen = self.chosen(&snapshot);
        match save::bytes(format, &snapshot, &chosen) {
            Ok(bytes) => {
                self.say(format!("saving {} connections …", chosen.len()));
                Reaction::Deed(Deed::Save { name, bytes })
            }
            Err(error) => {
                self.say(format!("cannot save: {error}"));
                Reaction::Nothing
            }
        }
    }

    /// The connections of the marked rows, else of all that are shown.
    fn chosen<'s>(&self, snapshot: &'s Snapshot) -> Vec<&'s Connection> {
        let any = !self.marked.is_empty();
        let rows = self.picture.rows.iter();
        let rows = rows.filter(|row| !any || self.marked.contains(&row.key));
        let mut seen = HashSet::new();
        let mut chosen = Vec::new();
        for row in rows {
            let places: &[model::Place] = match &row.item {
                Item::Connection(place) => std::slice::from_ref(place),
                Item::Process(id) => self.picture.held.get(id).map_or(&[], Vec::as_slice),
                Item::Gathered(index) => {
                    let gathered = self.picture.gathered.get(*index);
                    gathered.map_or(&[], |it| &it.connections)
                }
                Item::StandsOut(index) | Item::Program(index) => {
                    let program = self.picture.programs.get(*index);
                    program.map_or(&[], |it| &it.connections)
                }
                Item::Text(..) | Item::Pair(_) => &[],
            };
            let connections = places.iter().filter_map(|it| snapshot.connections.get(*it));
            chosen.extend(connections.filter(|it| seen.insert(it.id)));
        }
        chosen
    }

    fn copy_row(&mut self) -> Reaction {
        let (Some(snapshot), Some(row)) = (self.snapshot.clone(), self.row()) else {
            return Reaction::Nothing;
        };
        let axis = self.axis(&snapshot);
        let filler = self.filler(&snapshot, &axis);
        let text = filler.across(row).unwrap_or_else(|| {
            let columns = columns::fitting(self.view, 400);
            let cells = columns.iter().map(|column| {
                let mut cell = Cell::default();
                filler.fill(column.kind, row, &mut cell);
                let mut text = String::new();
                cell.append_to(&mut text, usize::MAX);
                text.trim().to_owned()
            });
            let cells = cells.filter(|it| !it.is_empty());
            cells.collect::<Vec<_>>().join("  ")
        });
        self.copy(text)
    }

    fn copy(&mut self, text: String) -> Reaction {
        self.say("copied, where the terminal allows it");
        Reaction::Copy(text)
    }

    // ---- mouse -----------------------------------------------------------------------------

    pub(super) fn mouse(&mut self, event: MouseEvent) -> Reaction {
        if !matches!(self.mode, Mode::Looking) {
            return Reaction::Nothing;
        }
        let within = |spans: (u16, u16)| (spans.0..spans.1).contains(&event.column);
        let painted = self.painted.clone();
        match event.kind {
            MouseEventKind::ScrollUp => self.move_by(-3),
            MouseEventKind::ScrollDown => self.move_by(3),
            MouseEventKind::Down(button) => {
                let row = event.row.checked_sub(painted.rows_from);
                if event.row == painted.tabs_line {
                    let tab = painted.tabs.iter().find(|it| within((it.0, it.1)));
                    if let Some((_, _, view)) = tab {
                        return self.act(Action::Show(*view));
                    }
                } else if event.row == painted.heading_line && painted.heading_line > 0 {
                    let column = painted.headings.iter().find(|it| within((it.0, it.1)));
                    if let Some(sort) = column.and_then(|it| columns::sort_of(it.2.kind)) {
                        self.reverse = self.sort == Some(sort) && !self.reverse;
                        self.sort = Some(sort);
                    }
                } else if let Some(row) = row.filter(|row| *row < painted.rows) {
                    let place = self.position().top + usize::from(row);
                    let again = place == self.position().cursor;
                    self.move_to(place, false);
                    if button == MouseButton::Right {
                        self.open_menu();
                    } else if again {
                        return self.act(Action::Detail);
                    }
                }
            }
            MouseEventKind::Up(_)
            | MouseEventKind::Drag(_)
            | MouseEventKind::Moved
            | MouseEventKind::ScrollLeft
            | MouseEventKind::ScrollRight => return Reaction::Nothing,
        }
        self.stale = true;
        Reaction::Nothing
    }

    /// All that is known of the row, as lines.
    pub(super) fn detail_lines(&self, width: usize) -> Vec<(bool, String)> {
        let (Some(snapshot), Some(row)) = (&self.snapshot, self.row()) else {
            return Vec::new();
        };
        detail::lines(&detail::of(row, snapshot, &self.picture), width)
    }
}

/// The keys with which a line is written.
fn write(line: &mut Line, key: KeyEvent) {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        match key.code {
            KeyCode::Char('u') => line.clear(),
            KeyCode::Char('w') => line.delete_word(),
            KeyCode::Char('a') => line.home(),
            KeyCode::Char('e') => line.end(),
            _ => {}
        }
        return;
    }
    match key.code {
        KeyCode::Char(character) => line.insert(character),
        KeyCode::Backspace => line.backspace(),
        KeyCode::Delete => line.delete(),
        KeyCode::Left => line.left(),
        KeyCode::Right => line.right(),
        KeyCode::Home => line.home(),
        KeyCode::End => line.end(),
        _ => {}
    }
}
