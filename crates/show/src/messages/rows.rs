//! Rows that are sentences or headings, and what a view says when it has no rows.

use std::time::Duration;

use super::counted;
use crate::quantity::duration;

pub(crate) const NO_PROCESS_KNOWN: &str = "? no process known";

// The overview.

/// `judged`: how many findings are to be looked at first, and at all; `None` where no rule has looked
/// yet. `programs`: how many stand out.
pub(crate) fn look_at(judged: Option<(usize, usize)>, programs: usize) -> String {
    let found = match judged {
        None => "not judged yet".to_owned(),
        Some((0, 0)) => "no finding so far".to_owned(),
        Some((first, 0)) => format!("{first} first"),
        Some((0, look)) => counted(look, "finding", "findings"),
        Some((first, look)) => format!("{first} first, {look} more"),
    };
    let count = match programs {
        0 => "nothing stands out by itself so far".to_owned(),
        count => format!("{count} by what is plain to see"),
    };
    format!("LOOK AT  {found}; {count}")
}

/// `more`: findings to look at that have no room here; `notes`: those that only are to be noted.
pub(crate) fn besides(more: usize, notes: usize) -> String {
    let mut parts = Vec::new();
    if more > 0 {
        parts.push(format!("{more} more to look at: 7"));
    }
    if notes > 0 {
        parts.push(format!("{}: 7", counted(notes, "note", "notes")));
    }
    parts.push("rhythm of a row: b".to_owned());
    parts.join(" · ")
}

/// A finding in a line: its sign, the program, where to, and what was found.
pub(crate) fn found(
    sign: &str,
    program: &str,
    pid: Option<u32>,
    destination: &str,
    title: &str,
) -> String {
    let mut text = format!("{sign}{program}");
    if let Some(pid) = pid {
        text += &format!(" {pid}");
    }
    if !destination.is_empty() {
        text += &format!(" → {destination}");
    }
    format!("{text}  {title}")
}

/// Its name, pids of some of its processes, how many more of them there are, and its file.
pub(crate) fn stands_out(name: &str, pids: &[u32], more: usize, file: Option<&str>) -> String {
    let mut text = format!("◆ {name}");
    for pid in pids {
        text += &format!(" {pid}");
    }
    if more > 0 {
        text += &format!(" and {more} more");
    }
    if let Some(file) = file {
        text += &format!("  {file}");
    }
    text
}

/// A run of a program.
pub(crate) fn process(name: &str, pid: u32) -> String {
    format!("{name} {pid}")
}

/// The name of its file, and what it calls itself.
pub(crate) fn program_called(file: &str, name: &str) -> String {
    format!("{file} ({name})")
}

pub(crate) fn more_stand_out(programs: usize) -> String {
    format!("and {programs} more: o opens")
}

pub(crate) fn other_programs(count: usize) -> String {
    format!("OTHER PROGRAMS ({count})")
}

/// `ordinary`: programs that call others and are ordinary. `local`: those that call nobody beyond this
/// computer.
pub(crate) fn folded(
    ordinary: usize,
    local: usize,
    open: u64,
    listening: u64,
    unfolded: bool,
) -> String {
    let o = if unfolded { "o folds" } else { "o opens" };
    let mut parts = Vec::new();
    if ordinary > 0 {
        parts.push(format!("{ordinary} ordinary"));
    }
    if local > 0 {
        parts.push(format!("{local} more only on this computer"));
    }
    let what = parts.join(", ");
    format!("{what}: {open} open, {listening} listening  {o}")
}

// Why a program stands out.

pub(crate) const RUNS_FROM_MEMORY: &str = "runs from memory: it never was a file";
pub(crate) const FILE_IS_GONE: &str = "its program file was deleted or replaced";
pub(crate) const RUNS_FROM_TEMPORARY: &str = "runs from a temporary folder";
pub(crate) const RUNS_FROM_HIDDEN: &str = "runs from a hidden folder";

/// `answered`: some calls came about. `why`: of the latest that failed.
pub(crate) fn tries(to: &str, times: u64, answered: bool, why: Option<&str>) -> String {
    let times = match times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    };
    match (answered, why) {
        (false, Some(why)) => format!("tries {to} {times}: {why}"),
        (false, None) => format!("tries {to} {times}, never answered"),
        (true, Some(why)) => format!("failed at {to} {times}: {why}"),
        (true, None) => format!("failed at {to} {times}"),
    }
}

/// `first`: a time of day.
pub(crate) fn new_since(first: &str) -> String {
    format!("new: first seen to call at {first}")
}

// What could not be seen.

/// What a title counts in front of `not_seen`.
pub(crate) fn not_seen_title(count: usize) -> String {
    format!("NOT SEEN ({count})")
}

pub(crate) const NOT_SEEN_ALL: &str = "  n: all";

/// `since`: a time of day.
pub(crate) fn not_seen_before(since: &str) -> String {
    format!("before {since}")
}

/// `end`: a time of day.
pub(crate) fn not_seen_after(end: &str) -> String {
    format!("after {end}")
}

pub(crate) fn not_seen_rarer(than: Duration) -> String {
    format!("calls rarer than every ~{}", duration(than))
}

/// Programs and destinations.
pub(crate) fn not_seen_forgotten(pairs: u64) -> String {
    format!("calls of {pairs} programs to destinations, let go because there were too many")
}

/// What a gap hides, in the words of its source.
pub(crate) fn not_seen_gap(missed: &str, count: Option<u64>) -> String {
    match count {
        Some(count) => format!("{missed} ({count})"),
        None => missed.to_owned(),
    }
}

// Titles of groups.

pub(crate) const WAITS_FOR_OTHERS: &str = "waits for others";
pub(crate) const ANYONE: &str = "anyone";
pub(crate) const NO_USER_KNOWN: &str = "? no user known";
pub(crate) const NO_PORT: &str = "no port";

pub(crate) fn user_number(uid: u32) -> String {
    format!("uid {uid}")
}

pub(crate) fn group(title: &str, connections: usize) -> String {
    format!("{title}  ({connections})")
}

// The view of findings.

pub(crate) const NOT_JUDGED_YET: &str = "Nothing has been judged so far.";
pub(crate) const NO_FINDINGS: &str = "No rule has found anything in what was seen.";
pub(crate) const NOT_BY_RULES: &str =
    "How evenly a program calls: b in its row. What stands out by itself is in the Overview (1).";
pub(crate) const NOTHING_FOUND: &str =
    "Nothing found here does not mean that nothing is there; what could not be seen: n";

pub(crate) fn not_checked(what: &str) -> String {
    format!("not checked: {what}")
}

// A view without rows: what is not there, and why it may be so.

pub(crate) const NO_CONNECTIONS: &str = "no connection is open";
pub(crate) const NO_NAMES: &str = "no name was seen to be asked for so far";
pub(crate) const NO_PROCESSES: &str = "no process is known";
pub(crate) const NO_DESTINATIONS: &str = "no other end so far";
pub(crate) const NO_CALLS: &str = "no calls so far";
pub(crate) const NO_HISTORY: &str = "no connection so far";
pub(crate) const NO_PROGRAMS: &str = "no program has a connection so far";
/// After what is not there.
pub(crate) const SEE_WHAT_WAS_NOT_SEEN: &str = "what could not be seen: n";
pub(crate) const NOTHING_MATCHES: &str = "nothing matches the filter; Esc takes it away";
pub(crate) const NOTHING_IS_MARKED: &str = "no marked row is in this view; M shows all";

/// `switches`: words of the status line, and the keys that turn them.
pub(crate) fn all_is_hidden(switches: &[(&str, &str)], connections: usize) -> String {
    let words: Vec<&str> = switches.iter().map(|(word, _)| *word).collect();
    let keys: Vec<&str> = switches.iter().map(|(_, key)| *key).collect();
    format!(
        "{} not shown ({}); back with {}",
        counted(connections, "connection", "connections"),
        words.join(", "),
        keys.join(", ")
    )
}
