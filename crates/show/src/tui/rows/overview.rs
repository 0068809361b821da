//! The first view: programs, what stands out about them on top, the rest folded.

use std::cmp::Reverse;
use std::time::Duration;

use model::{Pair, Severity, Shelf};

use super::{Context, Fold, FoundRow, Item, Key, Picture, Row, findings};
use crate::messages::rows as sentences;
use crate::tui::Mode;
use crate::tui::changes::Sign;
use crate::tui::programs::Program;
use crate::tui::sums::Sums;
use crate::tui::theme::Tone;
use crate::visible::{display_width, visible_str};

pub(super) fn picture(context: &Context<'_>) -> Picture {
    let (programs, pairs) = context.programs();
    let found = findings::all(context);
    let mut rows = stand_out(context, &programs, &found);
    rows.extend(others(context, &programs, &pairs));
    Picture {
        rows,
        findings: found,
        hidden: context.left_out(&programs),
        programs,
        pairs,
        ..Picture::default()
    }
}

/// How far the reasons stand in.
const INDENT: usize = 4;
/// So many programs get their reasons on top; the rest is counted.
const MOST: usize = 8;

/// So many findings stand above them, each with so many lines of what it says.
const MOST_FINDINGS: usize = 5;
const MOST_LINES: usize = 2;

fn stand_out(context: &Context<'_>, programs: &[Program], found: &[FoundRow]) -> Vec<Row> {
    let mut standing: Vec<(usize, Vec<String>)> = programs
        .iter()
        .enumerate()
        .map(|(index, program)| (index, program.stands_out()))
        .filter(|(_, reasons)| !reasons.is_empty())
        .collect();
    let program = |index: usize| programs.get(index).map(Program::weight);
    standing.sort_by(|one, other| program(one.0).cmp(&program(other.0)));
    let all = context.unfolded.contains(&Key::Line(0));
    let mut rows = judged(context, found, standing.len(), all);
    let mut number = OF_PROGRAMS;
    let most = if all { usize::MAX } else { MOST };
    let left = standing.len().saturating_sub(most);
    for (index, reasons) in standing.into_iter().take(most) {
        let Some(program) = programs.get(index) else {
            continue;
        };
        let key = Key::StandsOut(program.file.clone());
        rows.push(Row::leaf(key, 0, Item::StandsOut(index)));
        for line in wrapped(&reasons, context.width.saturating_sub(INDENT)) {
            number += 1;
            rows.push(Row::text(
                number,
                format!("{:INDENT$}{line}", ""),
                Tone::Plain,
            ));
        }
    }
    if left > 0 {
        number += 1;
        rows.push(Row::text(
            number,
            format!("{:INDENT$}{}", "", sentences::more_stand_out(left)),
            Tone::Dim,
        ));
    }
    rows
}

/// What the rules say, below the title of both.
fn judged(context: &Context<'_>, found: &[FoundRow], standing: usize, all: bool) -> Vec<Row> {
    let holds = |it: &&FoundRow| context.changes.of_finding(it.finding.id) != Some(Sign::Closed);
    let at_least = |severity: Severity| {
        let found = found.iter().filter(holds);
        found.filter(|it| it.finding.severity >= severity).count()
    };
    let (first, look) = (at_least(Severity::High), at_least(Severity::Medium));
    let is_judged = context.snapshot.findings.revision() > 0;
    let counts = is_judged.then_some((first, look - first));
    let title = sentences::look_at(counts, standing);
    let mut rows = vec![Row::text(0, title, Tone::Title)];
    let most = if all { usize::MAX } else { MOST_FINDINGS };
    let mut number = 0;
    let shown = (0..).zip(found);
    let shown = shown.filter(|(_, it)| it.finding.severity >= Severity::Medium);
    for (index, it) in shown.take(most) {
        rows.push(findings::row(index, it));
        let lines = wrapped(
            std::slice::from_ref(&it.shown.said.explanation),
            context.width.saturating_sub(INDENT),
        );
        let cut = lines.len() > MOST_LINES;
        for (place, line) in (1..).zip(lines.iter().take(MOST_LINES)) {
            number += 1;
            let more = if cut && place == MOST_LINES {
                " …"
            } else {
                ""
            };
            let text = format!("{:INDENT$}{line}{more}", "");
            rows.push(Row::text(number, text, Tone::Plain));
        }
    }
    if is_judged {
        let notes = at_least(Severity::Informational) - look;
        let text = sentences::besides(look.saturating_sub(most), notes);
        rows.push(Row::text(number + 1, text, Tone::Dim));
    }
    rows
}

/// First numbers of lines are taken by findings, then by programs that stand out.
const OF_PROGRAMS: usize = 1_000;
const OTHERS: usize = 10_000;

fn others(context: &Context<'_>, programs: &[Program], pairs: &Shelf<Pair>) -> Vec<Row> {
    let title = sentences::other_programs(programs.len());
    let mut rows = vec![Row::leaf(Key::Line(OTHERS), 0, Item::Headings(title))];
    let open = context.unfolded.contains(&Key::Rest);
    let mut rest = Sums::default();
    let is_shown = |program: &Program| program.goes_out && !program.is_ordinary;
    let (mut folded, mut ordinary) = (0, 0);
    for (index, program) in programs.iter().enumerate() {
        if is_shown(program) {
            rows.extend(one(context, index, program, pairs));
        } else {
            folded += 1;
            ordinary += usize::from(program.goes_out);
            rest.add_sums(&program.sums);
        }
    }
    if folded > 0 {
        let text = sentences::folded(ordinary, folded - ordinary, rest.open, rest.listening, open);
        rows.push(Row {
            key: Key::Rest,
            depth: 0,
            fold: context.fold(&Key::Rest),
            item: Item::Text(text, Tone::Dim),
        });
    }
    if open {
        for (index, program) in programs.iter().enumerate() {
            if !is_shown(program) {
                rows.extend(one(context, index, program, pairs));
            }
        }
    }
    rows
}

/// A program, and where it goes, if it is unfolded.
fn one(context: &Context<'_>, index: usize, program: &Program, pairs: &Shelf<Pair>) -> Vec<Row> {
    let key = Key::Program(program.file.clone());
    let fold = if program.pairs.is_empty() {
        Fold::Leaf
    } else {
        context.fold(&key)
    };
    let mut rows = vec![Row {
        key,
        depth: 0,
        fold,
        item: Item::Program(index),
    }];
    if fold == Fold::Open {
        let pair = |place| pairs.get(place).map(|pair| (place, pair));
        let pairs = program.pairs.iter().copied().filter_map(pair);
        let mut pairs: Vec<(_, &Pair)> = pairs.collect();
        pairs.sort_by_key(|(_, pair)| Reverse(pair.last));
        rows.extend(pairs.into_iter().map(|(place, pair)| {
            Row::leaf(Key::Pair(Box::new(pair.key.clone())), 1, Item::Pair(place))
        }));
    }
    rows
}

/// Reasons in lines, with a dot between those that share one.
fn wrapped(reasons: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (place, reason) in reasons.iter().enumerate() {
        for (number, word) in reason.split(' ').enumerate() {
            let first = number == 0;
            let between = if first && place > 0 { " · " } else { " " };
            match lines.last_mut() {
                Some(line)
                    if display_width(line) + display_width(between) + display_width(word)
                        <= width =>
                {
                    line.push_str(between);
                    line.push_str(word);
                }
                Some(_) | None => lines.push(word.to_owned()),
            }
        }
    }
    lines
}

/// How many things could not be seen: what came before, what comes too rarely, and the gaps.
pub(in crate::tui) fn not_seen_count(context: &Context<'_>) -> usize {
    not_seen_parts(context).len()
}

/// What this run could not see, as one sentence.
pub(in crate::tui) fn not_seen(context: &Context<'_>) -> String {
    not_seen_parts(context).join(" · ")
}

fn not_seen_parts(context: &Context<'_>) -> Vec<String> {
    let Context {
        snapshot, status, ..
    } = context;
    let watched = status.since.until(snapshot.taken);
    let mut parts = vec![sentences::not_seen_before(&clock(status.since))];
    if let Mode::Case(replay) = &status.mode {
        parts.push(sentences::not_seen_after(&clock(replay.ended)));
    }
    // A rhythm takes a handful of calls to show.
    let rare = (watched / 6).max(Duration::from_secs(1));
    parts.push(sentences::not_seen_rarer(rare));
    if status.forgotten > 0 {
        parts.push(sentences::not_seen_forgotten(status.forgotten));
    }
    for gap in &snapshot.gaps {
        parts.push(sentences::not_seen_gap(
            &visible_str(&gap.missed),
            gap.count,
        ));
    }
    parts
}

/// `10:15:02`, UTC.
pub(in crate::tui) fn clock(time: model::Timestamp) -> String {
    let text = time.to_string();
    text.get(11..19).unwrap_or_default().to_owned()
}
