//! What rules ask: the tables of this run and all lists of indicators, opened once.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use enrich::known::Known;
use enrich::matching::Matcher;
use model::{Gap, Knowledge, Snapshot, hex};
use serde_json::{Value, json};

use super::lookup::Here;
use super::{answers, data, indicators};
use crate::output::Talk;

/// What can be asked in this run.
pub(crate) struct Opened {
    pub(crate) knowledge: Knowledge,
    /// Lists that are not asked.
    pub(crate) gaps: Vec<Gap>,
    /// A list cannot be read, or is not as it was added.
    pub(crate) is_damaged: bool,
    /// What was asked, and with which rules, for a case.
    versions: Value,
    /// The same for whoever asks about one item.
    here: Here,
}

static OPENED: OnceLock<Opened> = OnceLock::new();

/// Opens tables and lists. To be called before rights are given up: afterwards no file can be opened.
/// `from`: the folder of lists, the one beside the program where `None`.
///
/// Errors: the folder cannot be read.
pub(crate) fn open(from: Option<&Path>, talk: Talk) -> Result<&'static Opened> {
    if let Some(opened) = OPENED.get() {
        return Ok(opened);
    }
    let tables = data::tables(talk);
    let indicators::Opened {
        mut lists,
        facts,
        gaps,
        is_damaged,
        ..
    } = indicators::Opened::of(from, talk)?;
    lists.extend(answers::loaded().and_then(|it| it.list()));
    let versions = json!({
        "rules": judge::VERSION,
        "tables": tables.date(),
        "tables_sha256": hex(&tables.hash()),
        "indicator_lists": lists.len(),
        "indicators": lists.iter().map(|it| it.indicators.len()).sum::<usize>(),
        "limits": limits(),
    });
    let matcher = Arc::new(Matcher::new(lists).with_suffixes_of(Arc::clone(&tables)));
    let known = Known::new(Arc::clone(&tables), Arc::clone(&matcher));
    Ok(OPENED.get_or_init(|| Opened {
        knowledge: Knowledge::of(Arc::new(known)),
        gaps,
        is_damaged,
        versions,
        here: Here::new(tables, matcher, facts),
    }))
}

/// What rules may ask: nothing where nothing was opened.
pub(crate) fn knowledge() -> Knowledge {
    OPENED
        .get()
        .map(|it| it.knowledge.clone())
        .unwrap_or_default()
}

/// For whoever asks about one item. `None`: nothing was opened.
pub(crate) fn here() -> Option<&'static Here> {
    OPENED.get().map(|it| &it.here)
}

/// What was asked, and with which rules, for a case. Null where nothing was opened.
pub(crate) fn versions() -> Value {
    OPENED.get().map_or(Value::Null, |it| it.versions.clone())
}

/// Whether there is anything to judge with.
pub(crate) fn is_open() -> bool {
    OPENED.get().is_some()
}

/// The snapshot with what the rules say of it.
pub(crate) fn judged(mut snapshot: Snapshot) -> Snapshot {
    if let Some(opened) = OPENED.get() {
        snapshot.gaps.extend(opened.gaps.iter().cloned());
        snapshot.findings = judge::judge(&snapshot, opened.knowledge.clone());
    }
    snapshot
}

/// What a run keeps at most of what the rules read.
fn limits() -> Value {
    let limits = track::Limits::default();
    json!({
        "pairs": limits.pairs,
        "calls_per_pair": limits.calls_per_pair,
        "calls": limits.calls,
        "ended_processes": limits.ended_processes,
    })
}
