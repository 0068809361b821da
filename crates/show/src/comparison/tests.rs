//! What `diff` says, and that it says nothing that could do harm.

use std::sync::Arc;

use insta::assert_snapshot;
use model::{
    About, Comparison, Confidence, ConnectionId, Difference, DifferenceChange, DifferenceKind,
    Doubt, Evidence, Fact, Finding, FindingId, Gap, NotCompared, Same, Severity, Shows, Side,
    SideKind, Source, Tier, Timestamp, Which,
};
use proptest::prelude::*;
use serde_json::Value;

use super::{Options, in_words, lines};
use crate::example;
use crate::visible::display_width;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_unix_nanos(1_795_342_500_000_000_000 + minutes * 60_000_000_000)
}

fn side(name: &str, kind: SideKind, minutes: i64) -> Side {
    Side {
        name: name.to_owned(),
        kind,
        host: Some("desk".into()),
        boot: None,
        span: Some((at(0), at(minutes))),
        tier: Some(Tier::Full),
        shows: Shows::default(),
        gaps: Vec::new(),
    }
}

fn difference(kind: DifferenceKind, change: DifferenceChange) -> Difference {
    let evidence = vec![
        Evidence::Process(example::PROCESS),
        Evidence::Connection(ConnectionId([7; 16])),
    ];
    let (before, after) = match change {
        DifferenceChange::New => (Vec::new(), evidence),
        DifferenceChange::Gone => (evidence, Vec::new()),
        DifferenceChange::Changed => (evidence.clone(), evidence),
    };
    Difference {
        kind,
        change,
        severity: Severity::Low,
        confidence: Confidence::Medium,
        ordinary: false,
        program: Some("/home/lena/.cache/updater".into()),
        device: None,
        thing: "thing".to_owned(),
        facts: Vec::new(),
        doubts: Vec::new(),
        before,
        after,
        finding: None,
    }
}

fn text(name: &'static str, text: &str) -> (&'static str, Fact) {
    (name, Fact::Text(text.to_owned()))
}

fn finding() -> Finding {
    Finding {
        id: FindingId([9; 16]),
        rule: "tor",
        severity: Severity::Medium,
        confidence: Confidence::High,
        facts: vec![("relays", Fact::Count(2)), ("first", Fact::Time(at(3)))],
        evidence: vec![Evidence::Process(example::PROCESS)],
        attack: Vec::new(),
        about: About {
            process: Some(example::PROCESS),
            program: Some("/home/lena/.cache/updater".into()),
            ..About::default()
        },
    }
}

/// As a helper may meet it.
fn week() -> Comparison {
    use DifferenceChange::{Changed, Gone, New};
    use DifferenceKind as Kind;
    let ordinary = Difference {
        ordinary: true,
        severity: Severity::Informational,
        ..difference(Kind::Destination, New)
    };
    let differences = vec![
        Difference {
            severity: Severity::High,
            facts: vec![
                text("by", "package"),
                text("package", "openssh-server"),
                text("state_before", "intact"),
                text("state_after", "modified"),
                text("package_state", "modified"),
            ],
            program: Some("/usr/sbin/sshd".into()),
            ..difference(Kind::ProgramFile, Changed)
        },
        Difference {
            severity: Severity::Medium,
            facts: vec![
                text("package_state", "none"),
                ("destinations", Fact::Count(5)),
                text("to", "c2.example:443, 198.51.100.7:8443, b.example:443"),
                text("waits", "0.0.0.0:4444"),
                ("connections", Fact::Count(1312)),
                ("first", Fact::Time(at(2))),
            ],
            doubts: vec![Doubt::TooShort],
            ..difference(Kind::Program, New)
        },
        Difference {
            finding: Some(Arc::new(finding())),
            severity: Severity::Medium,
            ..difference(Kind::Finding, New)
        },
        Difference {
            facts: vec![
                text("package_state", "intact"),
                text("waits", "0.0.0.0:5900"),
                text("outside", "yes"),
                text("was_loopback", "yes"),
                text("remote_control", "yes"),
            ],
            program: Some("/usr/bin/x11vnc".into()),
            ..difference(Kind::Listener, New)
        },
        Difference {
            facts: vec![
                text("to", "198.51.100.7:443"),
                text("network", "AS64500 Example Hosting"),
                text("rented", "yes"),
            ],
            ..difference(Kind::Destination, New)
        },
        Difference {
            severity: Severity::Informational,
            ..difference(Kind::Program, Gone)
        },
        ordinary.clone(),
        ordinary,
    ];
    let gap = Gap::standing("no_rights", Source::Proc, "no right to look", "some owners");
    Comparison {
        before: side("monday.json", SideKind::Look, 0),
        after: Side {
            gaps: vec![gap.counted(3)],
            ..side("friday", SideKind::Recording, 190)
        },
        differences,
        same: Same {
            programs: 14,
            destinations: 1_204,
            listeners: 9,
            findings: 1,
        },
        not_compared: vec![
            NotCompared::Moment(Which::Before),
            NotCompared::NoNames(Which::Before),
            NotCompared::NoHashes(Which::Before),
            NotCompared::NoHashes(Which::After),
            NotCompared::UnknownOwners(Which::After, 3),
        ],
    }
}

fn written(comparison: &Comparison, options: Options) -> String {
    let mut out = Vec::new();
    lines(comparison, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_differs_and_what_was_not_compared() {
    for width in [80, 60] {
        let options = Options {
            width: Some(width),
            ..Options::default()
        };
        let text = written(&week(), options);
        let room = |line: &str| display_width(line) <= width || !line.trim().contains(' ');
        assert!(text.lines().all(room), "{text}");
        if width == 80 {
            assert_snapshot!("diff_80", text);
        }
    }
}

#[test]
fn ordinary_ones_are_told_when_asked() {
    let all = Options {
        all: true,
        ..Options::default()
    };
    let told = |options| written(&week(), options).matches("New destination").count();
    // Two of them stand in one row.
    assert_eq!((told(Options::default()), told(all)), (1, 2));
}

#[test]
fn notes_of_one_program_stand_together() {
    let mut comparison = week();
    comparison.differences = (0..12)
        .map(|number| Difference {
            facts: vec![text("to", &format!("host{number}.example:443"))],
            ..difference(DifferenceKind::Destination, DifferenceChange::New)
        })
        .collect();
    let said = written(&comparison, Options::default());
    assert_eq!(said.matches("note: ").count(), 1, "{said}");
    assert!(
        said.contains("host0.example:443, and was not seen to before."),
        "{said}"
    );
    assert!(
        said.contains("host8.example:443 and 3 more; --json has all"),
        "{said}"
    );
    assert!(said.contains("New: 12 notes."), "{said}");
    // What is to be looked at stands by itself.
    for difference in &mut comparison.differences {
        difference.severity = Severity::Medium;
    }
    let said = written(&comparison, Options::default());
    assert_eq!(said.matches("look: ").count(), 12, "{said}");
}

#[test]
fn a_gap_that_came_again_is_told_once() {
    let mut comparison = week();
    let gap = comparison.after.gaps[0].clone();
    comparison.after.gaps = vec![gap.clone(), gap];
    let said = written(&comparison, Options::default());
    assert_eq!(
        said.matches("not seen: some owners (6)").count(),
        1,
        "{said}"
    );
}

#[test]
fn colours_only_when_asked() {
    let color = Options {
        color: true,
        ..Options::default()
    };
    assert!(!written(&week(), Options::default()).contains('\x1b'));
    let text = written(&week(), color);
    let heading = "\x1b[1;31mlook first: Program file is not that of its package any more\x1b[0m\n";
    assert!(text.contains(heading), "{text}");
}

#[test]
fn each_kind_of_difference_has_its_sentences() {
    for kind in DifferenceKind::ALL {
        for change in DifferenceChange::ALL {
            let mut difference = difference(*kind, *change);
            if *kind == DifferenceKind::Finding {
                difference.finding = Some(Arc::new(finding()));
            }
            let said = in_words(&difference);
            for text in [&said.title, &said.explanation, &said.innocent, &said.next] {
                assert!(text.len() > 8, "{kind:?} {change:?}: {said:?}");
            }
            assert!(
                !said.title.ends_with('.') && said.explanation.ends_with('.'),
                "{said:?}"
            );
        }
    }
}

#[test]
fn a_document_has_the_shape_of_the_contract() {
    let mut out = Vec::new();
    crate::json::compared(&week(), &mut out).unwrap();
    let read: Value = serde_json::from_slice(&out).unwrap();
    let members = |it: &Value| -> Vec<String> { it.as_object().unwrap().keys().cloned().collect() };
    let expected = "schema before after not_compared same counts differences";
    assert_eq!(members(&read).join(" "), expected);
    assert_eq!(read["schema"], "whocalls/1");
    let expected = "name kind host boot from until tier shows gaps";
    assert_eq!(members(&read["before"]).join(" "), expected);
    assert_eq!(read["before"]["kind"], "look");
    assert_eq!(read["counts"]["new"]["ordinary"], 2);
    assert_eq!(read["not_compared"][4]["count"], 3);
    let differences = read["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 8);
    let expected = "kind change severity confidence ordinary program device thing title explanation \
                    innocent next facts doubts evidence finding";
    assert_eq!(members(&differences[1]).join(" "), expected);
    assert_eq!(differences[1]["facts"]["connections"], 1312);
    assert_eq!(differences[1]["doubts"][0], "too_short");
    assert_eq!(differences[2]["finding"]["rule"], "tor");
    let evidence = &differences[0]["evidence"];
    assert_eq!(evidence["before"][0]["process"], "4242-1534-9f9f9f9f");
    assert_eq!(evidence["after"][1]["connection"], "07".repeat(16));
}

proptest! {
    #[test]
    fn nothing_in_it_acts_or_hides(odd: String, kind in 0..DifferenceKind::ALL.len(), change in 0..DifferenceChange::ALL.len()) {
        let mut comparison = week();
        let mut hostile = difference(DifferenceKind::ALL[kind], DifferenceChange::ALL[change]);
        hostile.program = Some(odd.as_str().into());
        hostile.thing.clone_from(&odd);
        for name in ["to", "from", "waits", "was", "user", "script", "package", "network", "port", "held_before_by", "callers", "container", "version_before", "version_after"] {
            hostile.facts.push((name, Fact::Text(odd.clone())));
        }
        comparison.differences.insert(0, hostile);
        comparison.before.name.clone_from(&odd);
        comparison.before.host = Some(odd.as_str().into());
        let text = written(&comparison, Options { width: Some(80), ..Options::default() });
        prop_assert!(!text.chars().any(|it| it != '\n' && model::acts_or_hides(it)), "{}", text);
        let mut out = Vec::new();
        crate::json::compared(&comparison, &mut out).unwrap();
        let read: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(read["differences"][0]["thing"].as_str(), Some(odd.as_str()));
    }
}
