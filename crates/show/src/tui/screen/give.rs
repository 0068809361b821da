//! What the person takes away: files and copies.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent};
use model::{Connection, Snapshot};

use super::filter::write;
use super::{Mode, Reaction, Screen};
use crate::messages::{dialogs, frame};
use crate::table::cell::Cell;
use crate::tui::Deed;
use crate::tui::columns;
use crate::tui::edit::Line;
use crate::tui::rows::Item;
use crate::tui::save::{self, Format};

impl Screen {
    pub(super) fn saving(&mut self, mut line: Line, key: KeyEvent) -> Reaction {
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
            self.say(dialogs::WRONG_ENDING);
            self.mode = Mode::Saving(line);
            return Reaction::Nothing;
        };
        let Some(snapshot) = self.snapshot.clone() else {
            return Reaction::Nothing;
        };
        let chosen = self.chosen(&snapshot);
        match save::bytes(format, &snapshot, &chosen) {
            Ok(bytes) => {
                self.say(dialogs::saving(chosen.len()));
                Reaction::Deed(Deed::Save { name, bytes })
            }
            Err(error) => {
                self.say(dialogs::cannot_save(&error.to_string()));
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
                Item::Text(..) | Item::Headings(_) | Item::Pair(_) => &[],
            };
            let connections = places.iter().filter_map(|it| snapshot.connections.get(*it));
            chosen.extend(connections.filter(|it| seen.insert(it.id)));
        }
        chosen
    }

    pub(super) fn copy_row(&mut self) -> Reaction {
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

    pub(super) fn copy(&mut self, text: String) -> Reaction {
        self.say(frame::COPIED);
        Reaction::Copy(text)
    }
}
