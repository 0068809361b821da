//! What the rules say, for people: the text of `check`, and what a row of the screen has of it.

mod found;
#[cfg(test)]
pub(crate) mod sample;

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::SocketAddr;

use model::{
    Device, DeviceId, Endpoint, Evidence, Fact, Finding, Reach, Snapshot, Tier, Timestamp,
};

pub(crate) use self::found::{Concerned, Found, Since, concerned};
use crate::gaps::{self, folded};
use crate::messages::check as texts;
use crate::messages::findings::{Said, said, unchecked, word};
use crate::program::{caller_name, last_part};
use crate::visible::{shorten_middle, visible, visible_str};

/// Columns that a name takes at most within a sentence.
const LONGEST_NAME: usize = 60;
/// So many pieces of evidence are named, the rest is counted.
const MOST_EVIDENCE: usize = 4;

/// The result of all rules over a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Checked<'a> {
    pub snapshot: &'a Snapshot,
    /// The words of all rules that looked, those that found nothing among them.
    pub rules: &'a [&'a str],
}

/// A finding in words.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) word: &'static str,
    pub(crate) said: Said,
    /// The program, or the device in its place.
    pub(crate) program: String,
    pub(crate) destination: String,
    /// How many connections it is about.
    pub(crate) connections: u64,
}

impl Shown {
    pub(crate) fn of(finding: &Finding, snapshot: &Snapshot, concerned: &Concerned) -> Self {
        let about = &finding.about;
        let program = caller_name(about.program.as_ref(), about.device, &snapshot.devices);
        let counted = match finding.fact("connections") {
            Some(Fact::Count(count)) => *count,
            Some(_) | None => about.connections.len().max(concerned.connections.len()) as u64,
        };
        Self {
            word: word(finding.severity),
            said: said(finding, &who(finding, &snapshot.devices)),
            program,
            destination: destination(finding),
            connections: counted,
        }
    }
}

/// The program or the device, as the begin of a sentence.
pub(crate) fn who(finding: &Finding, devices: &HashMap<DeviceId, Device>) -> String {
    let about = &finding.about;
    let name = match (&about.program, about.device) {
        (None, None) => return texts::SOMEBODY.to_owned(),
        (Some(program), _) => last_part(&visible(program)).to_owned(),
        (None, device) => caller_name(None, device, devices),
    };
    shorten_middle(&name, LONGEST_NAME).into_owned()
}

/// The other side, in short: a name where there is one, else an address.
fn destination(finding: &Finding) -> String {
    let about = &finding.about;
    let and_more = |first: String, count: usize| match count {
        0 | 1 => first,
        count => texts::and_others(&first, count - 1),
    };
    let (addresses, names) = match &about.reach {
        Reach::Remotes {
            addresses, names, ..
        } => (addresses.as_slice(), names.as_slice()),
        Reach::Processes(_) => return String::new(),
        Reach::Named | Reach::Program => (&[][..], &[][..]),
    };
    if let Some(first) = names.first() {
        return and_more(visible(first).into_owned(), names.len());
    }
    if let Some(Fact::Text(name)) = finding.fact("name") {
        return visible_str(name).into_owned();
    }
    match about.remote {
        Some(remote) => written(remote),
        None => addresses.first().map_or_else(String::new, |first| {
            and_more(first.to_string(), addresses.len())
        }),
    }
}

fn written(end: Endpoint) -> String {
    match (end.ip, end.port) {
        (Some(ip), Some(port)) => SocketAddr::new(ip, port).to_string(),
        (Some(ip), None) => ip.to_string(),
        (None, _) => String::new(),
    }
}

/// Writes the findings, what matters most first, then what was not looked at and not seen. Folded to
/// `width` columns, where there is a width.
pub fn lines(checked: Checked<'_>, width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let snapshot = checked.snapshot;
    let concerned = concerned(snapshot, &Found::of(&snapshot.findings));
    let all = snapshot.findings.iter().map(|finding| {
        let concerned = concerned.get(&finding.id).cloned().unwrap_or_default();
        One {
            finding,
            shown: Shown::of(finding, snapshot, &concerned),
            concerned,
        }
    });
    let all: Vec<_> = all.collect();
    for row in all.chunk_by(One::says_the_same) {
        several(row, snapshot.tier, width, out)?;
    }
    let words = snapshot.findings.iter().map(|it| word(it.severity));
    let counts = texts::counts(words);
    folded("", &counts, width, out)?;
    let quiet = checked.rules.iter();
    let found = |rule: &&str| snapshot.findings.iter().any(|it| it.rule == *rule);
    let quiet = quiet.filter(|rule| !found(rule)).count();
    folded("", &texts::quiet(quiet, checked.rules.len()), width, out)?;
    let not_checked = snapshot.findings.unchecked();
    if !not_checked.is_empty() || !snapshot.gaps.is_empty() {
        writeln!(out)?;
    }
    for it in not_checked {
        folded(texts::NOT_CHECKED, &unchecked(*it), width, out)?;
    }
    gaps::lines(&snapshot.gaps, width, out)
}

/// A finding, with all that is said of it.
struct One<'a> {
    finding: &'a Finding,
    shown: Shown,
    concerned: Concerned,
}

impl One<'_> {
    /// Whether what it means when all is well, and what to do, is the same of both.
    fn says_the_same(&self, other: &Self) -> bool {
        let of = |it: &Self| (it.shown.word, it.shown.said.title.clone());
        let said = |it: &Self| (it.shown.said.innocent.clone(), it.shown.said.next.clone());
        of(self) == of(other) && said(self) == said(other)
    }
}

/// Findings in a row of which the same is said: that stands once, before all of them.
fn several(
    row: &[One<'_>],
    tier: Tier,
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(first) = row.first() else {
        return Ok(());
    };
    let said = &first.shown.said;
    let heading = texts::heading(first.shown.word, &said.title, row.len());
    folded("", &heading, width, out)?;
    let is_one = row.len() == 1;
    if !is_one {
        for (name, text) in [(texts::HARMLESS, &said.innocent), (texts::NEXT, &said.next)] {
            folded(&texts::fact_name(name), text, width, out)?;
        }
        writeln!(out)?;
    }
    for it in row {
        one(it, is_one, tier, width, out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// `with_said`: what it means when all is well, and what to do, is not said elsewhere.
fn one(
    it: &One<'_>,
    with_said: bool,
    tier: Tier,
    width: Option<usize>,
    out: &mut impl Write,
) -> io::Result<()> {
    let One {
        finding,
        shown,
        concerned,
    } = it;
    let mut fact = |name: &str, text: &str| {
        if text.is_empty() {
            return Ok(());
        }
        folded(&texts::fact_name(name), text, width, out)
    };
    let about = &finding.about;
    let path = about.program.as_ref().map(visible);
    let pid = about.process.map(|it| it.pid);
    fact(
        texts::PROGRAM,
        &texts::program(&shown.program, pid, path.as_deref()),
    )?;
    fact(texts::TO, &shown.destination)?;
    let (name, since) = since(concerned, finding, shown.connections, tier);
    fact(name, &since)?;
    fact(texts::FOUND, &shown.said.explanation)?;
    if with_said {
        fact(texts::HARMLESS, &shown.said.innocent)?;
        fact(texts::NEXT, &shown.said.next)?;
    }
    fact(
        texts::HOW_SURE,
        &texts::how_sure(finding.severity.word(), finding.confidence.word()),
    )?;
    fact(texts::EVIDENCE, &evidence(finding))
}

/// With the name of it.
fn since(
    concerned: &Concerned,
    finding: &Finding,
    connections: u64,
    tier: Tier,
) -> (&'static str, String) {
    let since = match (concerned.since, finding.fact("first")) {
        (Since::At(time), _) => Some(utc(time)),
        (Since::Before, _) => before(tier).map(str::to_owned),
        (Since::NotKnown, Some(Fact::Time(time))) => Some(utc(*time)),
        (Since::NotKnown, _) => None,
    };
    texts::since(since.as_deref(), connections)
}

/// What was there when we began. `None`: a file does not tell when.
pub(crate) fn before(tier: Tier) -> Option<&'static str> {
    (tier != Tier::Import).then_some(texts::BEFORE)
}

/// To the second: the rest is in JSON.
fn utc(time: Timestamp) -> String {
    let text = time.to_string();
    texts::utc(text.get(..19).unwrap_or(&text))
}

/// Its id, the rule and ids of what it rests on.
pub(crate) fn evidence(finding: &Finding) -> String {
    let ids = finding.evidence.iter().take(MOST_EVIDENCE);
    let ids: Vec<String> = ids.map(texts::piece).collect();
    let named = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    let more = all_evidence(finding).saturating_sub(named);
    texts::evidence(&visible_str(finding.rule), finding.id, &ids, more)
}

/// How much it rests on: a finding names the first pieces of each kind, and counts all.
fn all_evidence(finding: &Finding) -> u64 {
    let (mut connections, mut others) = (0_u64, 0_u64);
    for piece in &finding.evidence {
        match piece {
            Evidence::Connection(_) => connections += 1,
            Evidence::Event(_) | Evidence::Process(_) => others += 1,
        }
    }
    let all = match finding.fact("connections") {
        // Of a program that was found for itself they are no evidence.
        Some(Fact::Count(all)) if connections > 0 => connections.max(*all),
        Some(_) | None => connections,
    };
    all.saturating_add(others)
}

#[cfg(test)]
mod tests;
