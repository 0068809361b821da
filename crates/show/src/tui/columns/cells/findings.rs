//! Findings in cells, and the sign in front of what they are about.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a finding has something to say in some of the columns only"
)]

use std::fmt::Write as _;

use model::{Connection, DeviceId, Finding, Process, Severity, Text, Tier};

use super::{Filler, Kind, number};
use crate::findings::Since;
use crate::messages::columns as words;
use crate::quantity::count;
use crate::table::cell::Cell;
use crate::tui::changes::Sign;
use crate::tui::rows::FoundRow;
use crate::tui::theme::Tone;
use crate::visible::Cut;

impl Filler<'_> {
    pub(super) fn tone_of_finding(&self, finding: &Finding) -> Tone {
        if self.changes.of_finding(finding.id) == Some(Sign::Closed) {
            return Tone::Dim;
        }
        match finding.severity {
            Severity::Critical | Severity::High => Tone::LookFirst,
            Severity::Medium => Tone::Look,
            Severity::Low | Severity::Informational => Tone::Plain,
        }
    }

    /// The sign of the worst that was found of a program.
    pub(super) fn mark_of(&self, program: Option<&Text>, device: Option<DeviceId>) -> &'static str {
        // A device is called by its name where a program has its file.
        let program = program.filter(|_| device.is_none());
        let found = self.found.about_program(program, device);
        mark(found.map(|it| it.severity).max())
    }

    /// The same of one run of it.
    pub(super) fn mark_of_process(&self, process: &Process) -> &'static str {
        let found = self.found.about_process(process);
        mark(found.map(|it| it.severity).max())
    }

    pub(super) fn finding(&self, kind: Kind, found: &FoundRow, cell: &mut Cell) {
        let shown = &found.shown;
        match kind {
            Kind::Sign => {
                let sign = self.changes.of_finding(found.finding.id);
                cell.head.extend(sign.map(Sign::character));
            }
            Kind::Word => {
                let mark = mark(Some(found.finding.severity));
                let _ = write!(cell.head, "{mark:2}{}", shown.word);
            }
            Kind::Title => cell.head.push_str(&shown.said.title),
            Kind::Process => {
                cell.head.push_str(&shown.program);
                cell.cut = Some(Cut::Middle);
            }
            Kind::Remote => {
                cell.head.push_str(&shown.destination);
                cell.cut = Some(Cut::Middle);
            }
            Kind::First => match found.concerned.since {
                Since::At(time) => self.time(cell, Some(time), ""),
                Since::Before if self.snapshot.tier == Tier::Import => {}
                Since::Before => cell.head.push_str(words::OPENED_BEFORE),
                Since::NotKnown => {}
            },
            Kind::Calls => number(cell, count(shown.connections)),
            _ => {}
        }
    }

    pub(super) fn mark_of_connection(&self, connection: &Connection) -> &'static str {
        let process = self.snapshot.owner_of(connection);
        mark(self.found.worst(connection, process))
    }
}

/// In front of what deserves a look; most have something to be noted, and that needs no sign.
pub(in crate::tui) fn mark(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Critical | Severity::High) => "● ",
        Some(Severity::Medium) => "▲ ",
        Some(Severity::Low | Severity::Informational) | None => "",
    }
}
