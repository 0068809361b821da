//! Clicks and the wheel.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{Doing, Reaction, Screen};
use crate::tui::columns;
use crate::tui::keys::Action;

impl Screen {
    pub(in crate::tui) fn mouse(&mut self, event: MouseEvent) -> Reaction {
        if !matches!(self.mode, Doing::Looking) {
            return Reaction::Nothing;
        }
        self.be_up_to_date();
        let is_down = matches!(event.kind, MouseEventKind::Down(_));
        let pulls = matches!(event.kind, MouseEventKind::Drag(_)) && self.pulls;
        self.pulls = pulls || is_down && event.row == self.painted.heading_line;
        if (is_down && self.pulls || pulls)
            && let Some(moment) = self.moment_under(event.column, pulls)
        {
            return self.go(moment);
        }
        let within = |spans: (u16, u16)| (spans.0..spans.1).contains(&event.column);
        let painted = &self.painted;
        match event.kind {
            MouseEventKind::ScrollUp => self.move_by(-3),
            MouseEventKind::ScrollDown => self.move_by(3),
            MouseEventKind::Down(button) => {
                let row = event.row.checked_sub(painted.rows_from);
                if event.row == painted.tabs_line {
                    let tab = painted.tabs.iter().find(|it| within((it.0, it.1)));
                    if let Some(view) = tab.map(|it| it.2) {
                        return self.act(Action::Show(view));
                    }
                } else if event.row == painted.heading_line && painted.heading_line > 0 {
                    let column = painted.headings.iter().find(|it| within((it.0, it.1)));
                    let kind = column.map(|it| it.2.kind);
                    if let Some(kind) = kind.filter(|it| columns::is_sortable(self.view, *it)) {
                        self.reverse = self.sort == Some(kind) && !self.reverse;
                        self.sort = Some(kind);
                        self.stale = true;
                    }
                } else if let Some(row) = row.filter(|row| *row < painted.rows)
                    && event.column < painted.width
                {
                    let place = self.position().top + usize::from(row);
                    if place >= self.picture.rows.len() {
                        return Reaction::Nothing;
                    }
                    let again = place == self.position().cursor;
                    // A line that says more of a row belongs to it.
                    self.move_to(place, true);
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
        Reaction::Nothing
    }
}
