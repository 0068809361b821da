//! Around findings: the text of `check`, and what the screen shares with it.

use std::fmt::Display;

use model::Evidence;

use super::{counted, grouped};

// Names of facts; eleven columns have room.

pub(crate) const PROGRAM: &str = "program";
pub(crate) const TO: &str = "to";
pub(crate) const SINCE: &str = "since";
/// In its place, where no time is told.
pub(crate) const SEEN: &str = "seen";
pub(crate) const FOUND: &str = "found";
pub(crate) const HARMLESS: &str = "harmless?";
pub(crate) const NEXT: &str = "next";
pub(crate) const HOW_SURE: &str = "how sure";
pub(crate) const EVIDENCE: &str = "evidence";

// More of them, in the details of the screen.

pub(crate) const FACTS: &str = "Facts";
pub(crate) const TECHNIQUE: &str = "technique";

/// A fact by the name that its rule gives it.
pub(crate) fn fact(name: &str, text: &str) -> String {
    format!("{name}: {text}")
}

pub(crate) fn connections(count: u64) -> String {
    format!("Connections ({count})")
}

pub(crate) fn fact_name(name: &str) -> String {
    format!("  {name:11}")
}

/// Who it is about, as the begin of a sentence, where neither program nor device is known.
pub(crate) const SOMEBODY: &str = "A program that is not known";
pub(crate) const BEFORE: &str = "before whocalls looked";
pub(crate) const NOT_CHECKED: &str = "not checked: ";

/// `look: Temporary program`; of several, how many there are.
pub(crate) fn heading(word: &str, title: &str, count: usize) -> String {
    match count {
        0 | 1 => format!("{word}: {title}"),
        count => format!("{word}: {title} ({count} findings)"),
    }
}

/// Its name, pid and file.
pub(crate) fn program(name: &str, pid: Option<u32>, path: Option<&str>) -> String {
    let mut text = name.to_owned();
    if let Some(pid) = pid {
        text += &format!(" {pid}");
    }
    if let Some(path) = path.filter(|path| *path != name) {
        text += &format!("  {path}");
    }
    text
}

pub(crate) fn and_others(first: &str, others: usize) -> String {
    format!("{first} +{others}")
}

/// `2026-11-22 10:15:00 UTC`.
pub(crate) fn utc(time: &str) -> String {
    format!("{} UTC", time.replace('T', " "))
}

/// With the name of it: a count alone is no time.
pub(crate) fn since(since: Option<&str>, connections: u64) -> (&'static str, String) {
    let connections = grouped(connections, "connection", "connections");
    match since {
        Some(since) => (SINCE, format!("{since}, {connections}")),
        None => (SEEN, connections),
    }
}

/// What it would mean if true, and how well it is supported.
pub(crate) fn how_sure(severity: &str, confidence: &str) -> String {
    format!("{confidence}; how bad if true: {severity}")
}

pub(crate) fn piece(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Event(seq) => format!("event {seq}"),
        Evidence::Connection(id) => format!("connection {id}"),
        Evidence::Process(id) => format!("process {id}"),
    }
}

pub(crate) fn evidence(rule: &str, id: impl Display, pieces: &[String], more: u64) -> String {
    let mut text = format!("rule {rule}, finding {id}");
    for piece in pieces {
        text += &format!(", {piece}");
    }
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}

/// `words`: that of each finding.
pub(crate) fn counts(words: impl Iterator<Item = &'static str>) -> String {
    let (mut first, mut look, mut note) = (0_usize, 0_usize, 0_usize);
    for word in words {
        match word {
            "look first" => first += 1,
            "look" => look += 1,
            _ => note += 1,
        }
    }
    if first + look + note == 0 {
        return "No rule has found anything in what was seen.".to_owned();
    }
    let mut parts = Vec::new();
    if first > 0 {
        parts.push(format!("{first} to look at first"));
    }
    if look > 0 {
        parts.push(format!("{look} to look at"));
    }
    if note > 0 {
        parts.push(counted(note, "note", "notes"));
    }
    format!("Found: {}.", parts.join(", "))
}

/// How many of the rules have found nothing.
pub(crate) fn quiet(quiet: usize, rules: usize) -> String {
    format!(
        "{quiet} of {} found nothing in what was seen. That does not mean that nothing is there.",
        counted(rules, "rule", "rules")
    )
}
