//! What the rules say: a row for each finding, then what no rule could look at.

use std::cmp::Reverse;
use std::sync::Arc;

use model::{Finding, Timestamp};

use super::{Context, Item, Key, Picture, Row};
use crate::findings::{Concerned, Shown, concerned};
use crate::messages::findings as texts;
use crate::messages::rows as sentences;
use crate::tui::changes::Sign;
use crate::tui::columns::Kind;
use crate::tui::detail::pieces;
use crate::tui::theme::Tone;

/// A finding, in words and with what it is about.
#[derive(Clone, Debug)]
pub(in crate::tui) struct FoundRow {
    pub(in crate::tui) finding: Arc<Finding>,
    pub(in crate::tui) concerned: Concerned,
    pub(in crate::tui) shown: Shown,
}

pub(super) fn picture(context: &Context<'_>) -> Picture {
    let mut found = all(context);
    let holds = |it: &&FoundRow| context.changes.of_finding(it.finding.id) != Some(Sign::Closed);
    let shown = found.iter().filter(holds).count();
    let hidden = context.snapshot.findings.len().saturating_sub(shown);
    if let Some(kind) = context.sort {
        found.sort_by_cached_key(|it| rank(kind, it));
    }
    if context.reverse {
        found.reverse();
    }
    let mut rows: Vec<Row> = (0..)
        .zip(&found)
        .map(|(index, it)| row(index, it))
        .collect();
    rows.extend(below(context, found.is_empty(), hidden));
    Picture {
        rows,
        findings: found,
        hidden,
        ..Picture::default()
    }
}

pub(super) fn row(index: usize, found: &FoundRow) -> Row {
    Row::leaf(Key::Finding(found.finding.id), 0, Item::Finding(index))
}

/// All that are wanted; what matters most comes first. Those that have just ended are among them.
pub(super) fn all(context: &Context<'_>) -> Vec<FoundRow> {
    let snapshot = context.snapshot;
    let mut concerned = concerned(snapshot, context.found);
    let mut findings: Vec<&Arc<Finding>> = snapshot.findings.iter().collect();
    findings.extend(context.changes.ended_findings());
    findings.sort_by_key(|it| (Reverse((it.severity, it.confidence)), it.rule, it.id));
    let found = findings.into_iter().map(|finding| {
        let concerned = concerned.remove(&finding.id).unwrap_or_default();
        FoundRow {
            shown: Shown::of(finding, snapshot, &concerned),
            finding: Arc::clone(finding),
            concerned,
        }
    });
    found.filter(|it| is_wanted(context, it)).collect()
}

/// By itself and its program, or by any of the connections that it is about.
fn is_wanted(context: &Context<'_>, found: &FoundRow) -> bool {
    let (snapshot, filter) = (context.snapshot, context.filter);
    if filter.is_empty() {
        return true;
    }
    let matches = |connection, process| {
        filter.matches_finding(&found.finding, connection, process, snapshot.taken)
    };
    let about = found.finding.about.process;
    let process = about.and_then(|id| snapshot.processes.get(&id));
    let mut places = found.concerned.connections.iter();
    matches(None, process.map(Arc::as_ref))
        || places.any(|place| {
            let connection = snapshot.connections.get(*place);
            connection.is_some_and(|it| matches(Some(it), snapshot.owner_of(it)))
        })
}

fn rank(kind: Kind, found: &FoundRow) -> (Reverse<u64>, String) {
    let shown = &found.shown;
    let by_text = |text: &str| (Reverse(0), text.to_owned());
    if kind == Kind::Title {
        by_text(&shown.said.title)
    } else if kind == Kind::Process {
        by_text(&shown.program)
    } else if kind == Kind::Remote {
        by_text(&shown.destination)
    } else if kind == Kind::First {
        let newest = found.concerned.since.at().map_or(0, Timestamp::unix_nanos);
        (Reverse(newest.unsigned_abs()), String::new())
    } else if kind == Kind::Calls {
        (Reverse(shown.connections), String::new())
    } else {
        // They come in the order of what matters most.
        by_text("")
    }
}

/// What stands below the findings: what it means that there are no more.
fn below(context: &Context<'_>, none: bool, hidden: usize) -> Vec<Row> {
    let findings = &context.snapshot.findings;
    let mut said: Vec<String> = Vec::new();
    if findings.revision() == 0 {
        said.push(sentences::NOT_JUDGED_YET.to_owned());
    } else if none && hidden == 0 {
        said.push(sentences::NO_FINDINGS.to_owned());
    } else if none {
        said.push(sentences::NOTHING_MATCHES.to_owned());
    }
    said.push(sentences::NOT_BY_RULES.to_owned());
    said.push(sentences::NOTHING_FOUND.to_owned());
    if !findings.unchecked().is_empty() {
        said.push(String::new());
        let unchecked = findings.unchecked().iter();
        said.extend(unchecked.map(|it| sentences::not_checked(&texts::unchecked(*it))));
    }
    let mut lines = Vec::new();
    if !none {
        lines.push(String::new());
    }
    for text in said {
        lines.extend(pieces(&text, context.width.max(20)));
    }
    let rows = (0..).zip(lines);
    rows.map(|(number, line)| Row::text(number, line, Tone::Dim))
        .collect()
}
