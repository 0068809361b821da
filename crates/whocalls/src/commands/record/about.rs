//! What a case says of itself: `case.json`, its name, and the head of its packet files.

use std::collections::hash_map::RandomState;
use std::env;
use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use anyhow::Result;
use model::{Host, System, Text, Timestamp};
use record::case::{About, Clock, Consent, Depth, Tool};
use record::crypt::Recipients;
use record::pcapng::Header;
use serde_json::{Map, Value, json};

use super::into;
use crate::arguments::{OwnerConsent, RecordArguments, RecordDepth, of_day};
use crate::commands::known;
use crate::interrupt::Interrupt;
use crate::output::Usage;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Of each packet with `--depth headers`.
const HEADER_BYTES: u32 = 128;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * NANOS_PER_SECOND;
/// How long somebody has to say what a telephone shows at the end.
const PATIENCE: Duration = Duration::from_secs(60);
/// A host name is part of the name of a folder.
const LONGEST_HOST: usize = 32;

/// What is known of a recording before it begins.
pub(super) struct Facts<'a> {
    pub(super) depth: RecordDepth,
    pub(super) phone_offset_ns: Option<i64>,
    /// `None`: it is not encrypted.
    pub(super) recipients: Option<&'a Recipients>,
    pub(super) system: &'a System,
    pub(super) host: &'a Host,
}

/// What goes into `case.json`, and the name of the folder.
pub(super) fn about(arguments: &RecordArguments, known: &Facts<'_>) -> (About, String) {
    let Facts {
        depth,
        phone_offset_ns,
        recipients,
        system,
        host,
    } = *known;
    let id = id();
    let began = system.clock.now;
    let boot = host.boot.to_string();
    let host = text(&host.name);
    let name = format!("whocalls-{}-{}-{id}", plain(&host), compact(began));
    let tool = tool();
    let clock = Clock {
        phone_offset_ns,
        synchronized: system.clock.is_synchronized,
        boot_offset_ns: Some(system.clock.boot_time.unix_nanos()),
    };
    let about = About {
        id,
        began,
        host,
        boot,
        system: os(system),
        time_zone: time_zone(system),
        tool,
        arguments: env::args_os()
            .skip(1)
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect(),
        case_number: arguments.case_number.clone(),
        examiner: arguments.examiner.clone(),
        owner_consent: match arguments.owner_consent {
            OwnerConsent::Yes => Consent::Yes,
            OwnerConsent::No => Consent::No,
            OwnerConsent::Unknown => Consent::Unknown,
        },
        purpose: arguments.purpose.clone(),
        clock,
        depth: match depth {
            RecordDepth::Full => Depth::Full,
            RecordDepth::Headers => Depth::Headers,
            RecordDepth::Events => Depth::Events,
        },
        max_size: arguments.max_size,
        recipients: recipients.map(Recipients::names).unwrap_or_default(),
        more: facts(json!({
            "hardware": system.hardware.as_ref().map(text),
            "judged_with": known::versions(),
        })),
    };
    (about, name)
}

/// The head of packet files.
pub(super) fn header(
    case: &str,
    system: &System,
    depth: RecordDepth,
    no_command_lines: bool,
) -> Header {
    Header {
        case: case.to_owned(),
        hardware: system
            .hardware
            .as_ref()
            .or(system.architecture.as_ref())
            .map(text),
        os: os(system),
        version: VERSION.to_owned(),
        packet_bytes: (depth == RecordDepth::Headers).then_some(HEADER_BYTES),
        command_lines: !no_command_lines,
    }
}

/// What a telephone shows less what this computer shows, as a person typed it; with `asks` the person
/// is asked where nothing was said. `None`: nobody looked.
///
/// Errors: wrong usage.
pub(super) fn phone_offset(said: Option<&str>, asks: bool, system: &System) -> Result<Option<i64>> {
    if let Some(said) = said {
        let no_time = || {
            Usage(format!(
                "'{said}' is not a time; write --phone-time 14:03:25"
            ))
        };
        return Ok(Some(offset(of_day(said).ok_or_else(no_time)?, system)));
    }
    if !asks {
        return Ok(None);
    }
    offset_asked_for(
        "What time does a telephone show now, as 14:03:25? It tells how far the clock of this \
         computer is off. Enter leaves it out: ",
        &mut |text| into::question(text).map(Some),
        system,
    )
}

/// The same at the end, of a person who may have gone meanwhile: nothing waits for them longer than
/// a minute. `None`: it is left out.
pub(super) fn phone_offset_at_end(system: &System, interrupt: &Interrupt) -> Option<i64> {
    let end = Instant::now() + PATIENCE;
    let asked_for = offset_asked_for(
        "The case is closed and sealed. What time does a telephone show now? Enter leaves it out; so \
         does a minute without an answer: ",
        &mut |text| Ok(into::question_until(text, end, interrupt)),
        system,
    );
    asked_for.ok().flatten()
}

fn offset_asked_for(
    question: &str,
    ask: &mut dyn FnMut(&str) -> Result<Option<String>>,
    system: &System,
) -> Result<Option<i64>> {
    let mut text = question.to_owned();
    loop {
        let answer = ask(&text)?.unwrap_or_default();
        if answer.is_empty() {
            return Ok(None);
        }
        if let Some(shown) = of_day(&answer) {
            return Ok(Some(offset(shown, system)));
        }
        text = format!(
            "'{answer}' is not a time of day; 14:03 and 14:03:25 are. The time, or Enter: "
        );
    }
}

/// Between a telephone's time of day and ours: at most half a day either way.
fn offset(shown: i64, system: &System) -> i64 {
    let zone_seconds = system.clock.offset_seconds.unwrap_or(0);
    offset_at(observe::now(), zone_seconds, shown)
}

/// The same, where it is `now` in UTC, and the zone of the computer is so far from it.
fn offset_at(now: Timestamp, zone_seconds: i32, shown: i64) -> i64 {
    let zone = i64::from(zone_seconds) * NANOS_PER_SECOND;
    let ours = (now.unix_nanos() + zone).rem_euclid(DAY);
    (shown - ours + DAY / 2).rem_euclid(DAY) - DAY / 2
}

pub(super) fn facts(value: Value) -> Map<String, Value> {
    let Value::Object(facts) = value else {
        return Map::new();
    };
    facts
}

fn os(system: &System) -> String {
    let parts = [&system.os, &system.kernel, &system.architecture];
    let known: Vec<_> = parts.into_iter().flatten().map(text).collect();
    known.join(", ")
}

fn time_zone(system: &System) -> Option<String> {
    let offset = system.clock.offset_seconds.map(|seconds| {
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.abs() / 60;
        format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    });
    match (&system.clock.zone, offset) {
        (Some(zone), Some(offset)) => Some(format!("{} ({offset})", text(zone))),
        (Some(zone), None) => Some(text(zone)),
        (None, offset) => offset,
    }
}

fn text(text: &Text) -> String {
    text.lossy().into_owned()
}

/// `20261122T101500Z`
fn compact(time: Timestamp) -> String {
    let text = time.to_string();
    let (seconds, _) = text.split_once('.').unwrap_or((&text, ""));
    let mut compact: String = seconds.chars().filter(|it| !"-:".contains(*it)).collect();
    compact.push('Z');
    compact
}

/// What any file system takes as part of a name.
fn plain(host: &str) -> String {
    let is_plain = |it: &char| it.is_ascii_alphanumeric() || *it == '-';
    let plain: String = host.chars().filter(is_plain).take(LONGEST_HOST).collect();
    if plain.is_empty() {
        "computer".to_owned()
    } else {
        plain
    }
}

/// Six hex digits that no other case of this second has.
fn id() -> String {
    // Each state begins with random numbers of the system.
    let random = RandomState::new().build_hasher().finish();
    format!("{:06x}", random & 0xff_ffff)
}

/// This program.
pub(crate) fn tool() -> Tool {
    Tool {
        version: VERSION.to_owned(),
        sha256: own_sha256(),
    }
}

/// Of the file that runs. `None`: it cannot be read.
fn own_sha256() -> Option<String> {
    let mut file = File::open(env::current_exe().ok()?).ok()?;
    record::sha256(&mut file).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_are_plain() {
        assert_eq!(plain("lena-laptop.local"), "lena-laptoplocal");
        assert_eq!(plain("../\u{202e}"), "computer");
        let time = Timestamp::from_unix_nanos(1_795_342_500_123_456_789);
        assert_eq!(compact(time), "20261122T101500Z");
        assert_eq!(id().len(), 6);
    }

    #[test]
    fn a_telephone_shows_the_time_of_the_zone_of_the_computer() {
        // 10:15:00 in UTC.
        let now = Timestamp::from_unix_nanos(1_795_342_500_000_000_000);
        let check = |zone_hours: i32, shown: &str, expected_seconds: i64| {
            let shown = of_day(shown).unwrap();
            let offset = offset_at(now, zone_hours * 3600, shown);
            assert_eq!(offset, expected_seconds * NANOS_PER_SECOND, "{zone_hours}");
        };
        check(0, "10:15:00", 0);
        check(0, "10:14:30", -30);
        check(2, "12:15:07", 7);
        check(-8, "02:15:00", 0);
        // Past midnight in the zone, and on either side of it.
        check(14, "00:15:00", 0);
        check(14, "23:59:00", -960);
        check(0, "22:14:59", 12 * 3600 - 1);
        check(0, "22:15:00", -12 * 3600);
    }
}
