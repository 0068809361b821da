//! The rhythm panel: how often and how evenly a program calls.

use std::fmt::Display;

use super::{counted, grouped};

/// `pair`: who calls whom.
pub(crate) fn title(pair: &str) -> String {
    format!("RHYTHM  {pair}")
}

/// A program that is called, with its port.
pub(crate) fn port_of(program: &str, port: u16) -> String {
    format!("{program}:{port}")
}

/// Which of several, and the keys that lead to the others.
pub(crate) fn one_of(place: usize, all: usize) -> String {
    format!("{place} of {all} ←→")
}

pub(crate) fn more_lines(lines: usize) -> String {
    format!("{} ↓", counted(lines, "more line", "more lines"))
}

pub(crate) const NO_CALLS_IN_ROW: &str =
    "no calls to look at in this row: a rhythm has a program and where it calls";

// Names of facts; thirteen columns have room.

pub(crate) const ALL: &str = "all";
pub(crate) const ALSO_FOUND: &str = "also found";
pub(crate) const KEPT: &str = "kept";
pub(crate) const KNOWN: &str = "known";
pub(crate) const LEFT_OUT: &str = "left out";
pub(crate) const MIDDLE: &str = "middle";
pub(crate) const NAMES: &str = "names";
pub(crate) const NOT_CHECKED: &str = "not checked";
pub(crate) const NOT_KEPT: &str = "not kept";
pub(crate) const OTHERS: &str = "others";

// What the rules say.

/// `word`: what is to be done with it.
pub(crate) fn found(sign: &str, word: &str, title: &str) -> String {
    format!("{sign}{word}: {title}")
}

pub(crate) const NOT_JUDGED: &str = "Whether there is a rhythm has not been judged yet";

/// Of so many calls it is kept when they began.
pub(crate) fn no_rhythm(calls: usize) -> String {
    format!("No rhythm was found in {}", of_calls(calls))
}

pub(crate) const WHAT_RULES_LEAVE_OUT: &str =
    "by the rules: questions for names, time and neighbours, and what an ordinary program may do";

/// `titles`: of other findings about the same.
pub(crate) fn others(titles: &str) -> String {
    format!("{titles} (7)")
}

/// All of a list, or the first of it.
pub(crate) fn first_and_more(first: &[String], more: usize) -> String {
    let mut text = first.join(", ");
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}

// In the details of a row.

/// `every`: what was found.
pub(crate) fn shown_by_key(every: &str) -> String {
    format!("{every}; b shows it")
}

pub(crate) const NOT_JUDGED_IN_SHORT: &str = "not judged yet; b shows the gaps between calls";
pub(crate) const NONE_IN_SHORT: &str = "none was found; b shows the gaps between calls";

// The gaps.

/// `what`: between what. `step`: how wide a line is; `None`: each is twice as long as the one above.
pub(crate) fn gaps(gaps: usize, what: &str, step: Option<&str>) -> String {
    let gaps = grouped(gaps as u64, "", "");
    let gaps = gaps.trim_end();
    match step {
        Some(step) => format!("Gaps  {gaps} between {what}; a line is {step} wide"),
        None => format!("Gaps  {gaps} between {what}; each line is twice as long"),
    }
}

pub(crate) const OF_CALLS: &str = "calls";
pub(crate) const OF_BURSTS: &str = "bursts";

/// There is one.
pub(crate) fn one_gap(length: impl Display) -> String {
    format!("Gaps  1: {length}")
}

/// So few calls have none.
pub(crate) fn no_gaps(calls: usize) -> String {
    match calls {
        0 => "Gaps  none: no call was seen to begin".to_owned(),
        calls => format!("Gaps  none: {} was seen to begin", of_calls(calls)),
    }
}

// Lines of a histogram.

pub(crate) const LESS: &str = "less";
pub(crate) const MORE: &str = "more";
/// In the place of empty lines.
pub(crate) const FOLDED: &str = "…";

/// At the line with what a rule has found.
pub(crate) fn marked(every: &str) -> String {
    format!("← {every}")
}

/// The period that a rule has found.
pub(crate) fn period(period: impl Display) -> String {
    format!("every {period}")
}

/// The same of what has no period.
pub(crate) fn mean_gap(gap: impl Display) -> String {
    format!("every {gap} on average")
}

/// `half`: where half of them lie. `jitter`: half of that, in hundredths of the middle; `None`: that is 0.
pub(crate) fn middle(middle: &str, half: (&str, &str), jitter: Option<u64>) -> String {
    let jitter = jitter.map_or_else(String::new, |it| format!("; jitter {it} %"));
    match half {
        (low, high) if low == high => format!("{middle}{jitter}"),
        (low, high) => format!("{middle}; half of them from {low} to {high}{jitter}"),
    }
}

pub(crate) fn least_and_most(least: impl Display, most: impl Display) -> String {
    format!("from {least} to {most}")
}

// The calls.

/// `counts`: all, failed, open.
pub(crate) fn calls(counts: &str) -> String {
    format!("Calls  {counts}")
}

pub(crate) const NO_SIZES: &str = "nothing was counted of those that have ended";

/// `least` and `most` of them; so many of `all` are within a tenth of the middle.
pub(crate) fn size(middle: &str, (least, most): (&str, &str), alike: usize, all: usize) -> String {
    if least == most {
        return format!("{middle} each time");
    }
    format!("{middle} in the middle, from {least} to {most}; {alike} of {all} close to it")
}

/// `let_go`: those of which only the number is kept. `present`: those that were there before we looked.
pub(crate) fn calls_not_told(let_go: u64, present: u64) -> String {
    let mut parts = Vec::new();
    if let_go > 0 {
        let calls = grouped(let_go, "older one is", "older ones are");
        parts.push(format!("{calls} counted only"));
    }
    if present > 0 {
        let calls = grouped(present, "began", "began");
        parts.push(format!("{calls} before whocalls looked"));
    }
    parts.join("; ")
}

// When.

pub(crate) const DAYS_AND_HOURS: &str = "When  by days and hours (UTC)";
pub(crate) const HOURS_AND_MINUTES: &str = "When  by hours and minutes (UTC)";
pub(crate) const MINUTES_AND_SECONDS: &str = "When  by minutes and seconds (UTC)";

/// Of the seven days, from Sunday on.
pub(crate) const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

pub(crate) const SIGNS: &str =
    "▃▄▅▆█ calls (1, 2, 5, 20, 100)   ─ open   × failed   ░ not watched   · later";

pub(crate) const DAYS: (&str, &str) = ("day", "days");
pub(crate) const HOURS: (&str, &str) = ("hour", "hours");
pub(crate) const MINUTES: (&str, &str) = ("minute", "minutes");

/// Lines that have no room. `unit`: what a line is.
pub(crate) fn earlier(lines: i64, unit: (&str, &str)) -> String {
    format!("{} before that not shown", counted(lines, unit.0, unit.1))
}

pub(crate) fn later(lines: i64, unit: (&str, &str)) -> String {
    format!(
        "no call was seen in the {} after that",
        counted(lines, unit.0, unit.1)
    )
}

// Inside connections.

pub(crate) fn inside(connection: &str, bursts: u64) -> String {
    let bursts = grouped(bursts, "time", "times");
    format!("Inside  {connection} this side said something {bursts}")
}

pub(crate) const INSIDE_ONE: &str = "one connection";

/// By its end at this computer.
pub(crate) fn inside_from(end: &str) -> String {
    format!("the connection from {end}")
}

pub(crate) const NO_BURSTS: &str =
    "Inside  no connection was seen in which this side said something six times";

pub(crate) fn newest(bursts: usize) -> String {
    format!("the newest {bursts}")
}

pub(crate) fn by_counters(resolution: impl Display) -> String {
    format!("by counters, to {resolution}")
}

pub(crate) fn other_talks(count: usize) -> String {
    counted(
        count,
        "connection is less even",
        "connections are less even",
    )
}

fn of_calls(calls: usize) -> String {
    grouped(calls as u64, "call", "calls")
}
