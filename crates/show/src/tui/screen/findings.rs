//! From a finding to the connections that it is about.

use model::Reach;

use super::Screen;
use super::act::exe;
use crate::tui::rows::{FoundRow, Item};
use crate::tui::view::View;

/// A filter names no more addresses.
const MOST_ADDRESSES: usize = 16;

impl Screen {
    /// The finding in the row. `None`: it is about something else.
    pub(in crate::tui) fn finding(&self) -> Option<&FoundRow> {
        match self.row()?.item {
            Item::Finding(index) => self.picture.findings.get(index),
            Item::Text(..)
            | Item::Headings(_)
            | Item::StandsOut(_)
            | Item::Program(_)
            | Item::Process(_)
            | Item::Gathered(_)
            | Item::Name(_)
            | Item::Pair(_)
            | Item::Connection(_) => None,
        }
    }

    pub(super) fn show_connections(&mut self) {
        let (Some(term), Some(found), Some(snapshot)) =
            (self.term_of_finding(), self.finding(), &self.snapshot)
        else {
            return;
        };
        let places = found.concerned.connections.iter();
        let mut connections = places.filter_map(|it| snapshot.connections.get(*it));
        // What has ended is in the other view of connections.
        let view = match connections.any(|it| it.closed.is_none()) {
            true => View::Connections,
            false => View::History,
        };
        self.filter_with(&term);
        self.view = view;
        self.detail = false;
        self.detail_top = 0;
        self.only_marked = false;
        self.stale = true;
    }

    /// The filter for the connections of the finding in the row.
    pub(super) fn term_of_finding(&self) -> Option<String> {
        let finding = &self.finding()?.finding;
        let about = &finding.about;
        let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
        let rule = finding.rule;
        let rule = rule.chars().all(is_word).then(|| format!("rule:{rule}"));
        let program = match (&about.program, about.device) {
            (None, Some(device)) => self.term_of_device(device),
            (program, _) => exe(program.as_ref()),
        };
        let to = match &about.reach {
            Reach::Remotes {
                addresses, names, ..
            } if names.is_empty() => Some(addresses),
            Reach::Remotes { .. } | Reach::Named | Reach::Program | Reach::Processes(_) => None,
        };
        let to = to.filter(|it| (1..=MOST_ADDRESSES).contains(&it.len()));
        let to = to.map(|addresses| {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            format!("dst:{}", addresses.join(","))
        });
        let terms: Vec<String> = [rule, program, to].into_iter().flatten().collect();
        (!terms.is_empty()).then(|| terms.join(" "))
    }
}
