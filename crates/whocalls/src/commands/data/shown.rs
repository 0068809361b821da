//! `whocalls data show`: what the tables are made of.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use enrich::tables::{Source, Tables};
use model::{Timestamp, hex};
use show::quantity::bytes;
use show::visible::harmless;

use crate::exit::Exit;
use crate::output::{self, Talk};

/// From this age on a source is said to be old.
const OLD: Duration = Duration::from_secs(180 * 24 * 60 * 60);

pub(super) fn run(talk: Talk) -> Result<Exit> {
    let (tables, file) = super::chosen(talk);
    let now = observe::now();
    let mut text = match file {
        Some(path) => format!("Tables beside the program: {}\n", path.display()),
        None => "Tables within the program.\n".to_owned(),
    };
    let damage = tables.check().err();
    let hash = hex(&tables.hash());
    let packed = u64::try_from(tables.packed_bytes()).unwrap_or(u64::MAX);
    let _ = writeln!(
        text,
        "{}, {}, SHA-256 {hash}\n",
        tables.date(),
        bytes(packed)
    );
    text.push_str(&counts(&tables));
    sources(&mut text, tables.sources(), now);
    text.push_str(NOT_IN_IT);
    old(&mut text, tables.sources(), now);
    output::stdout()?
        .write_all(harmless(&text).as_bytes())
        .context("cannot write to standard output")?;
    if let Some(damage) = damage {
        anyhow::bail!("these tables cannot be relied on: {damage}");
    }
    Ok(Exit::Done)
}

const NOT_IN_IT: &str = "
Not in them: exits of Tor. The list changes by the hour, and one that is old names people who have
nothing to do with it.
Names of services by port are those of the program (IANA's registry, common words).
";

/// How many entries each table has.
pub(super) fn counts(tables: &Tables) -> String {
    let mut text = String::new();
    for (name, count) in tables.counts() {
        let _ = writeln!(text, "{count:>9}  {name}");
    }
    text
}

fn sources(text: &mut String, sources: &[Source], now: Timestamp) {
    let mut publishers: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources {
        publishers
            .entry(&source.publisher)
            .or_default()
            .push(source);
    }
    for (publisher, sources) in publishers {
        let licence = sources.first().map_or("", |it| it.licence.as_str());
        let _ = writeln!(text, "\n{publisher}, {licence}");
        let credit = sources.first().map_or("", |it| it.credit.as_str());
        if !credit.is_empty() {
            let _ = writeln!(text, "  {credit}");
        }
        for source in sources {
            let old = if is_old(source, now) { "  OLD" } else { "" };
            let kind = source.kind.map_or("-", |it| it.word());
            let _ = writeln!(
                text,
                "  {}  {:>7}  {kind:18}  {}: {}{old}",
                source.date, source.entries, source.file, source.title
            );
        }
    }
}

/// A sentence where something is older than half a year.
fn old(text: &mut String, sources: &[Source], now: Timestamp) {
    let old = sources.iter().filter(|it| is_old(it, now)).count();
    if old > 0 {
        let _ = writeln!(
            text,
            "\nOLD: {old} of {} sources are older than 180 days. Networks change hands; make newer \
             tables with whocalls data build.",
            sources.len()
        );
    }
}

fn is_old(source: &Source, now: Timestamp) -> bool {
    day(&source.date).is_none_or(|made| made.until(now) > OLD)
}

/// The beginning of a day. `None`: not a day as in `2026-08-22`.
pub(super) fn day(date: &str) -> Option<Timestamp> {
    Timestamp::parse(&format!("{date}T00:00:00.000000000Z"))
}
