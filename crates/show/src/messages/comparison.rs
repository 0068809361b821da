//! Around differences: which sides were compared, how much is alike, and what could not be compared.

use model::{DifferenceChange, NotCompared, Same, SideKind, Which};

use super::differences::side;
use super::{counted, grouped};

// Names of facts, beside those of `check`.

pub(crate) const CHANGED: &str = "changed";
pub(crate) const ALSO: &str = "so too";
pub(crate) const DOUBT: &str = "but";
pub(crate) const NOT_COMPARED: &str = "not compared: ";

/// `before   `
pub(crate) fn side_name(which: Which) -> String {
    format!("{:8}", side(which))
}

/// What a side is: `monday.json: a look at desk, 2026-11-16 10:15:00 UTC, tier full`.
pub(crate) fn of_side(
    name: &str,
    kind: SideKind,
    host: Option<&str>,
    time: Option<&str>,
    tier: Option<&str>,
) -> String {
    let mut text = match (kind, host) {
        (SideKind::Now, Some(host)) => format!("this computer now, {host}"),
        (SideKind::Now, None) => "this computer now".to_owned(),
        (SideKind::Look, Some(host)) => format!("{name}: a look at {host}"),
        (SideKind::Look, None) => format!("{name}: a look"),
        (SideKind::Recording, Some(host)) => format!("{name}: a recording of {host}"),
        (SideKind::Recording, None) => format!("{name}: a recording"),
        (SideKind::Files, Some(host)) => format!("{name}: what was saved of {host}"),
        (SideKind::Files, None) => format!("{name}: what another tool wrote"),
    };
    text += &time.map_or_else(|| ", without times".to_owned(), |time| format!(", {time}"));
    if let Some(tier) = tier {
        text += &format!(", tier {tier}");
    }
    text
}

/// A time and how long it was.
pub(crate) fn span(begin: &str, length: &str) -> String {
    format!("{begin}, for {length}")
}

/// `words`: of each difference that is told, what is to be done with it, and how it differs.
pub(crate) fn counts(words: impl Iterator<Item = (DifferenceChange, &'static str)>) -> String {
    let words: Vec<_> = words.collect();
    if words.is_empty() {
        return "Nothing differs that would have to be told one by one.".to_owned();
    }
    let mut parts = Vec::new();
    for (change, name) in [
        (DifferenceChange::New, "New"),
        (DifferenceChange::Changed, "Changed"),
        (DifferenceChange::Gone, "Gone"),
    ] {
        let of = |word: &str| words.iter().filter(|it| **it == (change, word)).count();
        let (first, look, note) = (of("look first"), of("look"), of("note"));
        let mut said = Vec::new();
        if first > 0 {
            said.push(format!("{first} to look at first"));
        }
        if look > 0 {
            said.push(format!("{look} to look at"));
        }
        if note > 0 {
            said.push(counted(note, "note", "notes"));
        }
        if !said.is_empty() {
            parts.push(format!("{name}: {}.", said.join(", ")));
        }
    }
    parts.join(" ")
}

pub(crate) fn same(same: Same) -> String {
    format!(
        "The same in both: {}, {}, {}, {}.",
        grouped(
            same.programs,
            "program with connections",
            "programs with connections"
        ),
        grouped(same.destinations, "destination", "destinations"),
        grouped(same.listeners, "listener", "listeners"),
        grouped(same.findings, "finding", "findings"),
    )
}

/// `parts`: how many of each kind, in words.
pub(crate) fn folded(parts: &[String]) -> String {
    format!(
        "Folded away as ordinary: {}; --all tells them, too.",
        parts.join(", ")
    )
}

/// `12 new destinations`
pub(crate) fn folded_part(change: DifferenceChange, kinds: &str) -> String {
    match kinds.split_once(' ') {
        Some((count, kinds)) => format!("{count} {} {kinds}", change.word()),
        None => kinds.to_owned(),
    }
}

/// So many more would have been told.
pub(crate) fn beyond(count: usize) -> String {
    format!("{count} more are not told one by one; --json has all.")
}

/// Others of which the same is said.
pub(crate) fn others(named: &[String], more: usize) -> String {
    let mut text = named.join(", ");
    if more > 0 {
        text += &format!(" and {more} more; --json has all");
    }
    text
}

/// That nothing differs says little.
pub(crate) const NO_PROOF: &str =
    "That something does not differ does not mean that it is as it should be.";

/// What could not be compared, of one side or of both.
pub(crate) fn not_compared(it: NotCompared, on_both: bool) -> String {
    let of = match (it.side(), on_both) {
        (_, true) => "both sides".to_owned(),
        (Some(which), false) => format!("\"{}\"", side(which)),
        (None, false) => String::new(),
    };
    let (shows, tells, has) = if on_both {
        ("show", "tell", "have")
    } else {
        ("shows", "tells", "has")
    };
    match it {
        NotCompared::OtherComputer => {
            "users, addresses at home and numbers of files: these are two computers".to_owned()
        }
        NotCompared::Reversed => {
            "nothing is left out, but \"after\" was made before \"before\": new is what was there earlier"
                .to_owned()
        }
        NotCompared::ShortTime(_) => format!(
            "what happens now and then: {of} {tells} of a short time only, and what was not seen in it need \
             not have been absent"
        ),
        NotCompared::Moment(_) => format!(
            "what happens now and then: {of} {tells} of one moment only, and what was not seen in it need \
             not have been absent"
        ),
        NotCompared::NoTimes(_) => format!("times: {of} {tells} none"),
        NotCompared::NoOwners(_) => {
            format!("programs: {of} {tells} none, so all connections were held against all")
        }
        NotCompared::UnknownOwners(_, count) => {
            let count = match on_both {
                true => "some connections".to_owned(),
                false => grouped(count, "connection", "connections"),
            };
            format!("the program behind {count}: {of} {has} none for them")
        }
        NotCompared::NoListeners(_) => {
            format!("listeners: {of} {shows} none (whocalls list -a --json keeps them)")
        }
        NotCompared::NoNames(_) => {
            format!("names: {of} {shows} none, so other ends were compared by address and network")
        }
        NotCompared::NoPackages(_) => {
            format!("packages: of which one a program is, {of} {tells} nowhere")
        }
        NotCompared::NoHashes(_) => {
            format!("what is in program files: {of} {has} no hashes of them")
        }
        NotCompared::NotExamined(_) => {
            format!("how processes run: on {of} nobody has looked into them")
        }
        NotCompared::OnlyWithConnections(_) => {
            format!("programs without connections: {of} {has} none of them")
        }
        NotCompared::LeftOut(_, count) => format!(
            "{} that a filter left out of {of}",
            grouped(count, "connection", "connections")
        ),
        NotCompared::LetGo(_, count) => format!(
            "{} that {of} had no room for",
            grouped(count, "thing", "things")
        ),
        NotCompared::OtherTier => {
            "what only one way of looking sees: the two sides were read in different ways".to_owned()
        }
    }
}

pub(crate) const GAPS_OF_BOTH: &str = "What could not be seen on either side:";

/// Gaps of one side.
pub(crate) fn gaps_of(which: Which) -> String {
    format!("What could not be seen in \"{}\":", side(which))
}
