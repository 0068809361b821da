//! What keys do while nothing is being written.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use model::{DeviceId, Timestamp};

use super::{Doing, REFRESHES, Reaction, Screen};
use crate::messages::frame;
use crate::tui::Deed;
use crate::tui::axis::SPANS;
use crate::tui::columns;
use crate::tui::edit::Line;
use crate::tui::keys::{self, Action};
use crate::tui::rows::{Fold, Grouping, Item, Key, Row};
use crate::tui::view::View;

impl Screen {
    pub(in crate::tui) fn key(&mut self, key: KeyEvent) -> Reaction {
        if key.kind == KeyEventKind::Release {
            return Reaction::Nothing;
        }
        self.be_up_to_date();
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && key.code == KeyCode::Char('c') {
            // Who is asked already has had enough.
            return match self.mode {
                Doing::Leaving(_) => Reaction::Quit,
                _ => self.quit(),
            };
        }
        match std::mem::take(&mut self.mode) {
            Doing::Looking => match keys::action(key) {
                Some(action) => self.act(action),
                None => Reaction::Nothing,
            },
            Doing::Filtering(line) => self.filtering(line, key),
            Doing::Saving(line) => self.saving(line, key),
            Doing::Choosing(menu) => self.choosing(menu, key),
            Doing::Asked(question) => self.asked(question, key),
            Doing::Help(top) => self.reading(Doing::Help, top, key),
            Doing::NotSeen(top) => self.reading(Doing::NotSeen, top, key),
            Doing::Commands(top) => self.reading(Doing::Commands, top, key),
            Doing::Rhythm(reading) => self.reading_rhythm(reading, key),
            Doing::Preserving(process, question) => self.preserving(process, question, key),
            Doing::Whose(whose) => self.reading_whose(whose, key),
            Doing::List(at) => self.reading_list(at, key),
            Doing::SavingList(line) => self.saving_list(line, key),
            Doing::Leaving(line) => self.leaving(line, key),
        }
    }

    /// Whether a key does anything as things are.
    pub(in crate::tui) fn works(&self, action: Action) -> bool {
        match action {
            _ if !self.offers(action) => false,
            Action::Unfold => self.row().is_some_and(|row| row.fold == Fold::Closed),
            Action::Fold => self.row().is_some_and(|row| row.fold == Fold::Open),
            Action::UnfoldRest => self.view == View::Overview,
            Action::Detail | Action::Menu | Action::Rhythm | Action::Whose => {
                self.row().is_some_and(Row::is_chosen)
            }
            _ => true,
        }
    }

    /// Whether a key can do anything at all: some are for what happens now, some for a case.
    pub(in crate::tui) fn offers(&self, action: Action) -> bool {
        let is_case = self.replay().is_some();
        match action {
            Action::StepBack
            | Action::StepOn
            | Action::LeapBack
            | Action::LeapOn
            | Action::ToBegin
            | Action::ToEnd => is_case,
            Action::Pause | Action::Refresh | Action::Recording => !is_case,
            Action::Wireshark => !self.status.packet_files.is_empty(),
            _ => true,
        }
    }

    pub(super) fn act(&mut self, action: Action) -> Reaction {
        if !self.offers(action) {
            if action == Action::Wireshark {
                self.tell_why_no_packets();
            }
            return Reaction::Nothing;
        }
        self.message = None;
        self.stale |= changes_rows(action);
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
                let fold = self.unfolded.contains(&Key::Rest);
                for key in [Key::Rest, Key::Line(0)] {
                    if fold {
                        self.unfolded.remove(&key);
                    } else {
                        self.unfolded.insert(key);
                    }
                }
            }
            Action::Detail => self.deeper(),
            Action::Back => self.back_out(),
            Action::Filter => self.mode = Doing::Filtering(Line::of(&self.filter_text)),
            Action::Sort => self.sort_next(),
            Action::Reverse => self.reverse = !self.reverse,
            Action::Group => self.group(),
            Action::Rhythm => self.open_rhythm(),
            Action::Whose => return self.open_whose(),
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
            Action::Save => self.mode = Doing::Saving(Line::default()),
            Action::Menu => self.open_menu(),
            Action::Refresh => return self.next_refresh(),
            Action::Times => self.absolute = !self.absolute,
            Action::Earlier => self.back += self.span() / 4,
            Action::Later => self.back = self.back.saturating_sub(self.span() / 4),
            Action::ZoomIn => self.span = self.span.saturating_sub(1),
            Action::ZoomOut => self.span = (self.span + 1).min(SPANS.len() - 1),
            Action::StepBack => return self.go_by(self.step(), false),
            Action::StepOn => return self.go_by(self.step(), true),
            Action::LeapBack => return self.go_by(self.span() / 4, false),
            Action::LeapOn => return self.go_by(self.span() / 4, true),
            Action::ToBegin => return self.go(Timestamp::from_unix_nanos(i64::MIN)),
            Action::ToEnd => return self.go(Timestamp::from_unix_nanos(i64::MAX)),
            Action::Wireshark => return self.open_wireshark(),
            Action::Recording => self.tell_recording(),
            Action::NotSeen => self.mode = Doing::NotSeen(0),
            Action::Help => self.mode = Doing::Help(0),
            Action::Redraw => return Reaction::Redraw,
            Action::Quit => return self.quit(),
        }
        Reaction::Nothing
    }

    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.message = Some(text.into());
    }

    fn view_is(&mut self, view: View) {
        self.view = view;
        self.detail_top = 0;
    }

    /// To the details; from those of a finding on to its connections.
    fn deeper(&mut self) {
        if self.detail && self.finding().is_some() {
            return self.show_connections();
        }
        self.detail = !self.detail;
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
        self.frozen = None;
        let columns = columns::fitting(self.view, usize::from(self.painted.width));
        let kinds = columns.iter().map(|it| it.kind);
        let mut kinds = kinds.filter(|it| columns::is_sortable(self.view, *it));
        let now = self.sort.filter(|it| columns::is_sortable(self.view, *it));
        if let Some(now) = now {
            kinds.by_ref().find(|it| *it == now);
        }
        self.sort = kinds.next();
        self.reverse = false;
    }

    fn pivot(&mut self) {
        let Some(term) = self.term() else {
            return self.say(frame::NOTHING_TO_PICK_BY);
        };
        self.filter_with(&term);
        if !self.view.is_of_connections() {
            // What has ended is in the other view of connections.
            let (_, process) = self.behind();
            let ended = process.is_none_or(|process| process.ended.is_some());
            self.view = if ended {
                View::History
            } else {
                View::Connections
            };
        }
    }

    /// The filter for what a row is about.
    fn term(&self) -> Option<String> {
        let (connection, process) = self.behind();
        let row = self.row()?;
        if let Key::Name(name) | Key::Asker(name, _) = &row.key {
            return self.term_of_name(name);
        }
        if let Key::Finding(_) = &row.key {
            return self.term_of_finding();
        }
        if let Some(process) = process {
            return Some(format!("pid:{}", process.id.pid));
        }
        if let Some(ip) = connection.and_then(|it| it.remote?.ip) {
            return Some(format!("dst:{ip}"));
        }
        match &row.key {
            Key::Program(program) | Key::StandsOut(program) => match self.device() {
                Some(device) => self.term_of_device(device),
                None => exe(program.as_ref()),
            },
            Key::Caller(address, program, device) => {
                let caller = match (program, device) {
                    (None, Some(device)) => self.term_of_device(*device),
                    (program, _) => exe(program.as_ref()),
                };
                Some(format!("{} dst:{address}", caller?))
            }
            Key::Destination(address) => Some(format!("dst:{address}")),
            Key::Toward(process, address) => {
                let ip: std::net::IpAddr = address.parse().ok()?;
                Some(format!("pid:{} dst:{ip}", process.pid))
            }
            Key::Pair(key) => {
                let exe = match key.device {
                    Some(device) => self.term_of_device(device),
                    None => exe(key.program.as_ref()),
                }?;
                let port = key.port.map(|port| format!(" rport:{port}"));
                Some(format!(
                    "{exe} dst:{}{} proto:{}",
                    key.destination,
                    port.unwrap_or_default(),
                    key.protocol.word()
                ))
            }
            Key::Line(_)
            | Key::Rest
            | Key::Process(_)
            | Key::Connection(_)
            | Key::Group(_)
            | Key::Name(_)
            | Key::Finding(_)
            | Key::Asker(..) => None,
        }
    }

    /// The device that the row is about. `None`: it is about a program.
    fn device(&self) -> Option<DeviceId> {
        let (Item::Program(index) | Item::StandsOut(index)) = &self.row()?.item else {
            return None;
        };
        self.picture.programs.get(*index)?.device
    }

    /// By the addresses that it has had. `None`: none is known.
    pub(super) fn term_of_device(&self, device: DeviceId) -> Option<String> {
        let addresses = match device {
            DeviceId::Address(ip) => vec![ip],
            DeviceId::Mac(_) => {
                let device = self.snapshot.as_ref()?.devices.get(&device)?;
                device.addresses.clone()
            }
        };
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        (!addresses.is_empty()).then(|| format!("src:{}", addresses.join(",")))
    }

    /// For a name, or for what one asker has to do with it. `None`: it cannot be written as one.
    fn term_of_name(&self, name: &model::Text) -> Option<String> {
        let name = name.as_utf8()?;
        let plain = |it: char| it.is_alphanumeric() || "._-".contains(it);
        let mut term = name
            .chars()
            .all(plain)
            .then(|| format!("name:\"{name}\""))?;
        if let Key::Asker(_, asker) = &self.row()?.key {
            let process = asker.process.map(|it| format!(" pid:{}", it.pid));
            let from = || Some(format!(" src:{}", asker.from?));
            term += &process.or_else(from).unwrap_or_default();
        }
        Some(term)
    }

    fn hold(&mut self) {
        self.held = !self.held;
        if !self.held
            && let Some((snapshot, status)) = self.waiting.take()
        {
            self.show(snapshot, status);
        }
    }

    fn group(&mut self) {
        if !self.view.is_of_connections() {
            return self.say(frame::GROUPS_OF_SINGLE_ROWS);
        }
        self.frozen = None;
        self.grouping = self.grouping.next();
        self.say(self.grouping.word());
    }

    fn freeze(&mut self) {
        if !self.view.is_of_connections() || self.grouping != Grouping::None {
            return self.say(frame::ORDER_OF_SINGLE_ROWS);
        }
        self.frozen = match self.frozen {
            Some(_) => None,
            None => {
                let rows = self.picture.rows.iter().enumerate();
                Some(rows.map(|(place, row)| (row.key.clone(), place)).collect())
            }
        };
        self.say(if self.frozen.is_some() {
            frame::ORDER_STANDS_FROM_HERE
        } else {
            frame::ORDER_FOLLOWS
        });
    }

    pub(in crate::tui) fn is_frozen(&self) -> bool {
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
        self.say(frame::refreshed(self.refresh));
        Reaction::Deed(Deed::Refresh(self.refresh))
    }
}

/// The filter for a program. `None`: it cannot be written as one.
pub(super) fn exe(program: Option<&model::Text>) -> Option<String> {
    let Some(program) = program else {
        return Some("owner:unknown".to_owned());
    };
    let path = program.as_utf8()?;
    let plain = |it: char| it.is_alphanumeric() || "/._-+ ".contains(it);
    let key = if path.contains('/') { "exe" } else { "proc" };
    let plain = path.chars().all(plain);
    plain.then(|| format!("{key}:\"{path}\""))
}

/// Whether other rows may be there after it: to make 100,000 anew takes longer than a key may.
fn changes_rows(action: Action) -> bool {
    !matches!(
        action,
        Action::Up
            | Action::Down
            | Action::PageUp
            | Action::PageDown
            | Action::First
            | Action::Last
            | Action::Detail
            | Action::Filter
            | Action::Mark
            | Action::CopyRow
            | Action::CopyFilter
            | Action::Save
            | Action::Menu
            | Action::Rhythm
            | Action::Whose
            | Action::Refresh
            | Action::Times
            | Action::Earlier
            | Action::Later
            | Action::ZoomIn
            | Action::ZoomOut
            | Action::StepBack
            | Action::StepOn
            | Action::LeapBack
            | Action::LeapOn
            | Action::ToBegin
            | Action::ToEnd
            | Action::Wireshark
            | Action::Recording
            | Action::NotSeen
            | Action::Help
            | Action::Redraw
            | Action::Quit
    )
}
