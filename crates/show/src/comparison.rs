//! What two sides differ in, for people: the text of `diff`.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use model::{
    Comparison, Difference, DifferenceChange, DifferenceKind, Evidence, Fact, Gap, NotCompared,
    Severity, Side, SideKind, Timestamp, Which,
};

use crate::gaps::{self, folded};
use crate::messages::check as texts;
use crate::messages::comparison as around;
use crate::messages::differences::{doubt, kinds, said};
use crate::messages::findings::{Said, fact as fact_in_words, word};
use crate::program::{caller_name, last_part};
use crate::quantity::duration;
use crate::visible::{shorten_middle, visible, visible_str};

/// Columns that a name takes at most within a sentence.
const LONGEST_NAME: usize = 60;
/// So many of a row are named beside the first.
const MOST_OTHERS: usize = 8;
/// So many differences are told one by one; what is beyond is counted, and is in JSON.
const MOST_TOLD: usize = 200;

/// How to write it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub width: Option<usize>,
    pub color: bool,
    /// Also what may be folded away.
    pub all: bool,
}

/// Writes the differences, what matters most first, then how much is alike and what could not be compared.
pub fn lines(comparison: &Comparison, options: Options, out: &mut impl Write) -> io::Result<()> {
    let width = options.width;
    for which in Which::BOTH {
        let side = of(comparison, which);
        folded(&around::side_name(which), &described(side), width, out)?;
    }
    writeln!(out)?;
    let wanted = |it: &&Difference| options.all || !it.ordinary;
    let told: Vec<_> = comparison.differences.iter().filter(wanted).collect();
    let rows = rows(&told);
    let mut shown = rows.iter().take(MOST_TOLD).peekable();
    while let Some(row) = shown.next() {
        let said = in_words(row.first);
        let next = shown.peek().map(|it| in_words(it.first));
        // What is said of several in a row is said behind the last of them.
        let of = |it: &Said| (it.innocent.clone(), it.next.clone());
        let is_last = next.is_none_or(|next| of(&next) != of(&said));
        one(row, &said, is_last, options, out)?;
        writeln!(out)?;
    }
    let beyond = rows.len().saturating_sub(MOST_TOLD);
    summary(comparison, &told, beyond, options, out)?;
    not_compared(&comparison.not_compared, width, out)?;
    let (before, after) = (
        merged(&comparison.before.gaps),
        merged(&comparison.after.gaps),
    );
    if before == after {
        return of_gaps(around::GAPS_OF_BOTH, &before, width, out);
    }
    of_gaps(&around::gaps_of(Which::Before), &before, width, out)?;
    of_gaps(&around::gaps_of(Which::After), &after, width, out)
}

/// What was missed again and again is told once, with how often.
fn merged(gaps: &[Gap]) -> Vec<Gap> {
    let mut merged: Vec<Gap> = Vec::new();
    for gap in gaps {
        let same =
            |it: &&mut Gap| (&it.id, &it.why, &it.missed) == (&gap.id, &gap.why, &gap.missed);
        match merged.iter_mut().find(same) {
            Some(known) => {
                let counts = known.count.zip(gap.count);
                known.count = counts.map(|(one, other)| one.saturating_add(other));
                (known.since, known.until) = (None, None);
            }
            None => merged.push(gap.clone()),
        }
    }
    merged
}

fn of_gaps(
    heading: &str,
    gaps: &[Gap],
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    folded("", heading, width, out)?;
    gaps::lines(gaps, width, out)
}

fn of(comparison: &Comparison, which: Which) -> &Side {
    match which {
        Which::Before => &comparison.before,
        Which::After => &comparison.after,
    }
}

fn described(side: &Side) -> String {
    let time = side.span.map(|(from, until)| {
        let length = from.until(until);
        match length.is_zero() || matches!(side.kind, SideKind::Now | SideKind::Look) {
            true => utc(from),
            false => around::span(&utc(from), &duration(length).to_string()),
        }
    });
    let host = side.host.as_ref().map(visible);
    let name = visible_str(&side.name);
    let tier = side.tier.map(model::Tier::word);
    around::of_side(&name, side.kind, host.as_deref(), time.as_deref(), tier)
}

/// To the second: the rest is in JSON.
fn utc(time: Timestamp) -> String {
    let text = time.to_string();
    texts::utc(text.get(..19).unwrap_or(&text))
}

pub(crate) fn in_words(difference: &Difference) -> Said {
    said(difference, &who(difference))
}

/// The program or the device, as the begin of a sentence.
fn who(difference: &Difference) -> String {
    let name = match (&difference.program, difference.device) {
        (None, None) => return texts::SOMEBODY.to_owned(),
        (Some(program), _) => last_part(&visible(program)).to_owned(),
        (None, device) => caller_name(None, device, &HashMap::new()),
    };
    shorten_middle(&name, LONGEST_NAME).into_owned()
}

/// Differences of one program that are told together: what is said of the first holds for all.
struct Row<'a> {
    first: &'a Difference,
    others: Vec<&'a Difference>,
}

/// Notes of one kind stand in one row; what is to be looked at has one of its own.
fn rows<'a>(told: &[&'a Difference]) -> Vec<Row<'a>> {
    let joins = |it: &Difference| {
        let several = matches!(
            it.kind,
            DifferenceKind::Listener
                | DifferenceKind::Destination
                | DifferenceKind::DestinationPort
                | DifferenceKind::Caller
        );
        several && it.severity <= Severity::Low
    };
    let whose = |it: &'a Difference| {
        let program = (it.program.as_ref(), it.device, it.fact("script"));
        (
            it.kind,
            it.change,
            it.severity,
            program,
            it.doubts.as_slice(),
        )
    };
    let mut rows: Vec<Row<'a>> = Vec::new();
    for difference in told {
        match rows.last_mut() {
            Some(row) if joins(difference) && whose(row.first) == whose(difference) => {
                row.others.push(difference);
            }
            Some(_) | None => rows.push(Row {
                first: difference,
                others: Vec::new(),
            }),
        }
    }
    rows
}

/// What the others of a row are.
fn others(row: &Row<'_>) -> String {
    let thing = |it: &&Difference| {
        let told = ["to", "from", "waits"]
            .iter()
            .find_map(|name| it.fact(name));
        let told = told.map_or_else(|| visible_str(&it.thing).into_owned(), fact_in_words);
        match it.fact("port") {
            Some(port @ Fact::Text(_)) => format!("{told} ({})", fact_in_words(port)),
            Some(_) | None => told,
        }
    };
    let named: Vec<_> = row.others.iter().take(MOST_OTHERS).map(thing).collect();
    let more = row.others.len().saturating_sub(MOST_OTHERS);
    if named.is_empty() {
        return String::new();
    }
    around::others(&named, more)
}

fn one(
    row: &Row<'_>,
    said: &Said,
    is_last: bool,
    options: Options,
    out: &mut impl Write,
) -> io::Result<()> {
    let (width, difference) = (options.width, row.first);
    let word = word(difference.severity);
    let heading = texts::heading(word, &said.title, 1);
    let (begin, end) = match (options.color, word) {
        (true, "look first") => ("\x1b[1;31m", "\x1b[0m"),
        (true, "look") => ("\x1b[1;33m", "\x1b[0m"),
        (true, _) => ("\x1b[1m", "\x1b[0m"),
        (false, _) => ("", ""),
    };
    out.write_all(begin.as_bytes())?;
    let mut text = Vec::new();
    folded("", &heading, width, &mut text)?;
    out.write_all(text.trim_ascii_end())?;
    writeln!(out, "{end}")?;
    let mut fact = |name: &str, text: &str| {
        if text.is_empty() {
            return Ok(());
        }
        folded(&texts::fact_name(name), text, width, out)
    };
    let path = difference.program.as_ref().map(visible);
    let pid = pid(difference);
    fact(
        texts::PROGRAM,
        &texts::program(&who(difference), pid, path.as_deref()),
    )?;
    fact(around::CHANGED, &said.explanation)?;
    fact(around::ALSO, &others(row))?;
    let (name, since) = since(difference);
    fact(name, &since)?;
    let missing = match difference.change {
        DifferenceChange::Gone => Which::After,
        DifferenceChange::New | DifferenceChange::Changed => Which::Before,
    };
    for it in &difference.doubts {
        fact(around::DOUBT, &doubt(*it, missing))?;
    }
    if is_last {
        fact(texts::HARMLESS, &said.innocent)?;
        fact(texts::NEXT, &said.next)?;
    }
    let (severity, confidence) = (difference.severity, difference.confidence);
    fact(
        texts::HOW_SURE,
        &texts::how_sure(severity.word(), confidence.word()),
    )?;
    fact(texts::EVIDENCE, &evidence(difference))
}

/// Of the run that shows it.
fn pid(difference: &Difference) -> Option<u32> {
    let about = difference.finding.as_ref().and_then(|it| it.about.process);
    let all = difference.after.iter().chain(&difference.before);
    let mut processes = all.filter_map(|it| match it {
        Evidence::Process(id) => Some(*id),
        Evidence::Event(_) | Evidence::Connection(_) => None,
    });
    about.or_else(|| processes.next()).map(|it| it.pid)
}

/// With the name of it.
fn since(difference: &Difference) -> (&'static str, String) {
    let facts = |name| {
        let own = difference.fact(name);
        own.or_else(|| difference.finding.as_ref()?.fact(name))
    };
    let first = match facts("first") {
        Some(Fact::Time(time)) => Some(utc(*time)),
        Some(_) | None => None,
    };
    match (first, facts("connections")) {
        (first, Some(Fact::Count(count))) if *count > 0 => texts::since(first.as_deref(), *count),
        (Some(first), _) => (texts::SINCE, first),
        (None, _) => (texts::SEEN, String::new()),
    }
}

/// Where it can be checked on each side.
fn evidence(difference: &Difference) -> String {
    const MOST: usize = 4;
    let mut parts = Vec::new();
    if let Some(finding) = &difference.finding {
        parts.push(format!(
            "rule {}, finding {}",
            visible_str(finding.rule),
            finding.id
        ));
    }
    for (which, evidence) in [
        (Which::Before, &difference.before),
        (Which::After, &difference.after),
    ] {
        let ids: Vec<_> = evidence.iter().take(MOST).map(texts::piece).collect();
        if !ids.is_empty() {
            parts.push(format!("{}: {}", which.word(), ids.join(", ")));
        }
    }
    parts.join("; ")
}

fn summary(
    comparison: &Comparison,
    told: &[&Difference],
    beyond: usize,
    options: Options,
    out: &mut impl Write,
) -> io::Result<()> {
    let width = options.width;
    let words = told.iter().map(|it| (it.change, word(it.severity)));
    folded("", &around::counts(words), width, out)?;
    if beyond > 0 {
        folded("", &around::beyond(beyond), width, out)?;
    }
    folded("", &around::same(comparison.same), width, out)?;
    if !options.all {
        let mut counts: BTreeMap<(DifferenceChange, DifferenceKind), u64> = BTreeMap::new();
        for difference in comparison.differences.iter().filter(|it| it.ordinary) {
            *counts
                .entry((difference.change, difference.kind))
                .or_default() += 1;
        }
        let parts = counts.iter();
        let parts: Vec<_> = parts
            .map(|((change, kind), count)| around::folded_part(*change, &kinds(*kind, *count)))
            .collect();
        if !parts.is_empty() {
            folded("", &around::folded(&parts), width, out)?;
        }
    }
    folded("", around::NO_PROOF, width, out)
}

/// What holds for both sides is said once.
fn not_compared(all: &[NotCompared], width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    if !all.is_empty() {
        writeln!(out)?;
    }
    for (place, it) in all.iter().enumerate() {
        let earlier = all.iter().take(place);
        if it.side().is_some() && earlier.clone().any(|other| other.word() == it.word()) {
            continue;
        }
        let later = all.iter().skip(place + 1);
        let on_both = it.side().is_some() && later.clone().any(|other| other.word() == it.word());
        folded(
            around::NOT_COMPARED,
            &around::not_compared(*it, on_both),
            width,
            out,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
