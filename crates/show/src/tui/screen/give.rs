//! What the person takes away: files and copies.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a keyboard has more keys than there are uses for them"
)]

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent};
use model::{Connection, Snapshot};

use super::filter::write;
use super::{Doing, Reaction, Screen};
use crate::messages::{dialogs, frame};
use crate::table::cell::Cell;
use crate::tui::Deed;
use crate::tui::columns;
use crate::tui::edit::Line;
use crate::tui::rows::{self, Item, Key};
use crate::tui::save::{self, Format};

impl Screen {
    pub(super) fn saving(&mut self, mut line: Line, key: KeyEvent) -> Reaction {
        match key.code {
            KeyCode::Esc => return Reaction::Nothing,
            KeyCode::Enter => return self.save(line),
            _ => write(&mut line, key),
        }
        self.mode = Doing::Saving(line);
        Reaction::Nothing
    }

    fn save(&mut self, line: Line) -> Reaction {
        let name = if line.text().is_empty() {
            dialogs::FILE_NAME.to_owned()
        } else {
            line.text().to_owned()
        };
        // Whoever saves says more; a path would be refused, and what is typed next is no command.
        if name.contains(['/', '\\']) || name.starts_with('.') {
            self.say(dialogs::NO_PATH);
            self.mode = Doing::Saving(line);
            return Reaction::Nothing;
        }
        let Some(format) = Format::of(&name) else {
            self.say(dialogs::WRONG_ENDING);
            self.mode = Doing::Saving(line);
            return Reaction::Nothing;
        };
        let Some(snapshot) = self.snapshot.clone() else {
            return Reaction::Nothing;
        };
        let chosen = self.chosen(&snapshot);
        if chosen.is_empty() {
            self.say(dialogs::NOTHING_TO_SAVE);
            return Reaction::Nothing;
        }
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
        let mut pairs = HashSet::new();
        for row in rows {
            let places: &[model::Place] = match &row.item {
                Item::Connection(place) => std::slice::from_ref(place),
                Item::Process(id) => self.picture.held.get(id).map_or(&[], Vec::as_slice),
                Item::Gathered(index) => {
                    let gathered = self.picture.gathered.get(*index);
                    gathered.map_or(&[], |it| &it.connections)
                }
                Item::Name(index) => {
                    let name = self.picture.names.get(*index);
                    name.map_or(&[], |it| &it.connections)
                }
                Item::Finding(index) => {
                    let found = self.picture.findings.get(*index);
                    found.map_or(&[], |it| &it.concerned.connections)
                }
                Item::StandsOut(index) | Item::Program(index) => {
                    let program = self.picture.programs.get(*index);
                    program.map_or(&[], |it| &it.connections)
                }
                Item::Pair(place) => {
                    pairs.extend(self.picture.pairs.get(*place).map(|pair| &pair.key));
                    &[]
                }
                Item::Text(..) if row.key == Key::Rest => {
                    let programs = self.picture.programs.iter();
                    let rest = programs.filter(|it| !it.goes_out);
                    let places = rest.flat_map(|it| &it.connections);
                    let connections = places.filter_map(|it| snapshot.connections.get(*it));
                    chosen.extend(connections.filter(|it| seen.insert(it.id)));
                    &[]
                }
                Item::Text(..) | Item::Headings(_) => &[],
            };
            let connections = places.iter().filter_map(|it| snapshot.connections.get(*it));
            chosen.extend(connections.filter(|it| seen.insert(it.id)));
        }
        if !pairs.is_empty() {
            let context = self.context(snapshot);
            let of_pairs = rows::connections_of_pairs(&context, &pairs);
            let of_pairs: HashSet<_> = of_pairs.iter().map(|it| it.id).collect();
            let connections = snapshot.connections.iter();
            let connections = connections.filter(|it| of_pairs.contains(&it.id));
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
