//! The situations in `tests/cases`: events of a case go through `track` and `judge`, and what is found
//! stands beside them. Each guilty one has an innocent twin.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use enrich::files::{Loaded, Said};
use enrich::known::Known;
use enrich::matching::Matcher;
use enrich::tables::Tables;
use judge::Judge;
use model::{Findings, Knowledge, ListMeaning, ListOrigin, Observed, Snapshot};
use record::lines::{Line, Read, Replay};
use show::json::findings_as_lines;
use track::{Limits, Tracker};

const EVENTS: &str = "events.ndjson";
const FINDINGS: &str = "findings.snap";
/// Set, what is found is written in the place of what is expected.
const UPDATE: &str = "WHOCALLS_UPDATE_FINDINGS";

#[test]
fn each_situation_gives_its_findings_and_no_other() {
    for situation in &all() {
        let name = situation.file_name().unwrap().to_string_lossy();
        if !name.ends_with("-innocent") {
            let twin = situation.with_file_name(format!("{name}-innocent"));
            assert!(twin.is_dir(), "{name} has no innocent twin");
        }
        let found = found(situation);
        let file = situation.join(FINDINGS);
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&file, &found).unwrap();
        }
        let expected = fs::read_to_string(file).unwrap_or_default();
        assert_eq!(found, expected, "{name}");
        let mut headings = found.lines().filter(|line| !line.starts_with(' '));
        let grave = headings.any(|line| !line.contains(": informational"));
        assert_eq!(
            grave,
            !name.ends_with("-innocent") && !is_to_know(&name),
            "{name}"
        );
    }
}

/// Their folders.
pub(super) fn all() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let folders = fs::read_dir(folder).unwrap();
    let mut situations: Vec<PathBuf> = folders.map(|it| it.unwrap().path()).collect();
    situations.sort();
    assert!(situations.len() >= 30, "{}", situations.len());
    situations
}

/// Whether all that its rule ever says is to know of, and no more.
fn is_to_know(name: &str) -> bool {
    ["vpn", "hosting", "relay", "unpackaged-program", "guessing"].contains(&name)
}

/// What is found in the end; step by step, at once, and in what a case keeps.
fn found(situation: &Path) -> String {
    let knowledge = knowledge(situation);
    let mut judge = Judge::new(knowledge.clone());
    let mut last = None;
    for limits in [Limits::default(), Limits::CASE] {
        let mut tracker = None;
        let mut is_live =
            |snapshot: &Snapshot| (limits == Limits::default()).then(|| judge.update(snapshot));
        for observed in events(situation, limits, &mut tracker) {
            let tracker = tracker.as_mut().unwrap();
            tracker.apply(observed, &mut |_, _, _| {});
            is_live(&tracker.snapshot());
        }
        let snapshot = tracker.unwrap().snapshot();
        let at_once = judge::judge(&snapshot, knowledge.clone());
        let lines = |findings: Findings| {
            let mut out = Vec::new();
            let snapshot = Snapshot {
                findings,
                ..snapshot.clone()
            };
            findings_as_lines(&snapshot, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        if let Some(step_by_step) = is_live(&snapshot) {
            assert_eq!(lines(step_by_step), lines(at_once.clone()));
        }
        let found = in_words(&at_once);
        assert_eq!(*last.get_or_insert(found.clone()), found);
    }
    last.unwrap()
}

/// A line for each finding.
fn in_words(findings: &Findings) -> String {
    let mut text = String::new();
    for finding in findings {
        let program = finding.about.program.as_ref();
        let program = program.map_or_else(|| "nobody".to_owned(), |it| it.lossy().into_owned());
        text.push_str(&format!(
            "{}: {} {} {program}\n",
            finding.rule, finding.severity, finding.confidence
        ));
        for (name, fact) in &finding.facts {
            text.push_str(&format!("  {name} {fact:?}\n"));
        }
    }
    text
}

pub(super) fn events(
    situation: &Path,
    limits: Limits,
    tracker: &mut Option<Tracker>,
) -> Vec<Observed> {
    let file = fs::File::open(situation.join(EVENTS)).unwrap();
    let segment = Box::new(move || Ok(Box::new(BufReader::new(file)) as Box<_>));
    let mut observed = Vec::new();
    for read in Replay::of(vec![segment]).unwrap() {
        let lines = match read {
            Read::Lines { lines, .. } => lines,
            Read::Segment { error, unknown, .. } => {
                assert!(error.is_none() && unknown == 0, "{error:?}");
                continue;
            }
        };
        for line in lines {
            match line {
                Line::Start(start) => *tracker = Some(Tracker::new(start.host, start.tier, limits)),
                Line::Observed(one) => observed.push(one),
                Line::Restated(_) | Line::End(_) | Line::Unknown => panic!("{line:?}"),
            }
        }
    }
    observed
}

/// The tables within the program, and the lists beside the events: each is called as it is meant.
fn knowledge(situation: &Path) -> Knowledge {
    let mut lists = Vec::new();
    for meaning in ListMeaning::ALL {
        let name = format!("{}.txt", meaning.word());
        let Ok(text) = fs::read(situation.join(&name)) else {
            continue;
        };
        let said = Said {
            file: name.clone(),
            kind: None,
        };
        let Loaded::Indicators(content) = enrich::files::read(text.as_slice(), &said).unwrap()
        else {
            panic!("{name} has no indicators");
        };
        let mut list = content.into_list(meaning.word().to_owned(), ListOrigin::Embedded);
        list.meaning = meaning;
        list.publisher = Some("A Lab".to_owned());
        assert!(!list.indicators.is_empty(), "{name}");
        lists.push(list);
    }
    Knowledge::of(Arc::new(Known::new(
        Tables::embedded(),
        Matcher::new(lists),
    )))
}
