//! What `check` says, and that it says nothing that could do harm.

use std::sync::Arc;

use insta::assert_snapshot;
use model::{Confidence, Fact, Findings, Severity, Snapshot};
use proptest::prelude::*;

use super::sample::{UPDATER, evening, finding};
use super::{Checked, lines};
use crate::messages::findings::{rules, said};
use crate::visible::display_width;

/// The rules that whocalls has, as they were agreed on.
const RULES: [&str; 57] = [
    "known_bad",
    "drop_list",
    "sinkhole",
    "tor",
    "vpn",
    "relay",
    "hosting",
    "dynamic_dns",
    "address_echo",
    "raw_address",
    "lookalike",
    "code_changed",
    "foreign_system_call",
    "foreign_thread",
    "hollowed",
    "executable_memory",
    "memfd_code",
    "memfd_program",
    "deleted_program",
    "traced",
    "hidden_process",
    "covered_process",
    "ended_when_we_started",
    "missing_library",
    "swapped_file",
    "temporary_program",
    "temporary_library",
    "temporary_script",
    "hidden_place",
    "preload",
    "by_loader",
    "kernel_name",
    "other_name",
    "modified_program",
    "unpackaged_library",
    "unpackaged_program",
    "file_rights",
    "shell_socket",
    "sniffer",
    "odd_parent",
    "starts_itself",
    "no_window",
    "listener",
    "beacon",
    "heartbeat",
    "permanent",
    "dead_server",
    "upload",
    "guessing",
    "regular_caller",
    "first_contact",
    "dns_tunnel",
    "dns_direct",
    "dns_commands",
    "not_dns",
    "dga",
    "icmp_tunnel",
];

fn judged() -> Snapshot {
    let mut snapshot = crate::tui::evening();
    snapshot.findings = evening(&snapshot);
    snapshot
}

fn text(snapshot: &Snapshot, width: Option<usize>) -> String {
    let mut out = Vec::new();
    let checked = Checked {
        snapshot,
        rules: &RULES,
    };
    lines(checked, width, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn what_was_found_and_what_was_not_looked_at() {
    let snapshot = judged();
    for width in [80, 60] {
        let text = text(&snapshot, Some(width));
        assert!(
            text.lines().all(|line| display_width(line) <= width),
            "{text}"
        );
        assert_snapshot!(format!("check_{width}"), text);
    }
}

#[test]
fn nothing_found_is_not_called_clean() {
    let mut snapshot = judged();
    snapshot.findings = Findings::default();
    let text = text(&snapshot, Some(80));
    assert!(
        text.starts_with("No rule has found anything in what was seen.\n"),
        "{text}"
    );
    assert!(text.contains("57 of 57 rules found nothing"), "{text}");
    assert!(text.contains("not seen: "), "{text}");
    for word in ["clean", "✓", "safe", "OK"] {
        assert!(!text.contains(word), "{word} in\n{text}");
    }
}

#[test]
fn every_rule_has_its_sentences() {
    assert_eq!(rules().collect::<Vec<_>>(), RULES);
    let snapshot = judged();
    for rule in RULES {
        for kind in [
            "address",
            "network",
            "name",
            "url",
            "hash",
            "process_name",
            "path",
            "file_name",
            "restored",
            "written",
            "instrumented",
            "breakpoints",
            "entry-elsewhere",
            "elf-in-memory",
            "replaced",
            "script",
            "library",
            "preloaded-everywhere",
            "audits",
            "input",
            "overlong",
            "pipe",
            "replaced-by-stranger",
        ] {
            let facts = vec![("kind", Fact::Text(kind.to_owned()))];
            let weight = (Severity::Low, Confidence::Low);
            let finding = finding(rule, weight, UPDATER, "216.6.0.28:443", facts, &snapshot);
            let said = said(&finding, "updater");
            assert!(display_width(&said.title) <= 23, "{}", said.title);
            let all = [&said.title, &said.explanation, &said.innocent, &said.next];
            for sentence in all {
                assert!(
                    sentence.len() > 4 && !sentence.contains("  "),
                    "{rule}: {sentence}"
                );
                for word in ["clean", "✓", "suspicious", "!"] {
                    assert!(!sentence.contains(word), "{rule}: {sentence}");
                }
            }
            // Nothing that the other side would notice, and nothing that takes protection away.
            let next = said.next.to_lowercase();
            for word in [
                "ping",
                "visit",
                "browse",
                "kill",
                "uninstall",
                "stop using",
                "end it",
                "delete",
            ] {
                assert!(!next.contains(word), "{rule}: {next}");
            }
        }
    }
}

#[test]
fn a_rule_of_a_newer_version_tells_its_facts() {
    let snapshot = judged();
    let facts = vec![("period", Fact::Count(60)), ("jitter", Fact::Share(0.031))];
    let weight = (Severity::Medium, Confidence::Low);
    let finding = finding(
        "rule_of_tomorrow",
        weight,
        UPDATER,
        "216.6.0.28:443",
        facts,
        &snapshot,
    );
    let said = said(&finding, "updater");
    assert_eq!(said.title, "Found by the rule rule_of_tomorrow");
    assert!(
        said.explanation.contains("period: 60; jitter: 3 %"),
        "{}",
        said.explanation
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_comes_from_outside_is_bounded_and_does_not_act(
        bytes in ".{0,400}",
        rule in 0_usize..RULES.len(),
        width in 20_usize..100,
    ) {
        let mut snapshot = crate::tui::evening();
        let names = ["publisher", "list", "kind", "indicator", "seen", "about", "name", "suffix", "service",
            "path", "package", "address", "bytes", "expected", "parent", "argument", "server", "engine", "again",
            "file", "second_reason"];
        let facts = names.map(|name| (name, Fact::Text(bytes.clone()))).to_vec();
        let weight = (Severity::High, Confidence::High);
        let found = finding(RULES[rule], weight, &bytes, "216.6.0.28:443", facts, &snapshot);
        snapshot.findings = Findings::new(1, vec![Arc::new(found)], Vec::new());
        let text = text(&snapshot, Some(width));
        prop_assert!(text.len() < 12_000, "{}", text.len());
        prop_assert!(!text.chars().any(|it| it != '\n' && model::acts_or_hides(it) && it != '‹'));
    }
}

/// `of`: what is found otherwise than in the sample.
fn told(of: impl FnOnce(&mut model::Finding)) -> String {
    let mut snapshot = judged();
    let weight = (Severity::Low, Confidence::Low);
    let facts = Vec::new();
    let mut finding = finding(
        "first_contact",
        weight,
        UPDATER,
        "216.6.0.28:443",
        facts,
        &snapshot,
    );
    of(&mut finding);
    snapshot.findings = Findings::new(1, vec![Arc::new(finding)], Vec::new());
    text(&snapshot, None)
}

#[test]
fn a_count_alone_is_no_time() {
    let text = told(|_| {});
    assert!(
        text.contains("  since      2026") && !text.contains("  seen "),
        "{text}"
    );
    let text = told(|finding| {
        finding.about.program = Some("/somewhere/else".into());
        finding.about.connections = Vec::new();
        finding.facts = vec![("connections", Fact::Count(48))];
    });
    assert!(text.contains("  seen       48 connections\n"), "{text}");
    assert!(!text.contains("  since "), "{text}");
}

#[test]
fn what_is_not_named_of_the_evidence_is_counted() {
    let of = |count| {
        move |finding: &mut model::Finding| {
            let ids = (0..32).map(|it| model::ConnectionId([it; 16]));
            finding.evidence = ids.map(model::Evidence::Connection).collect();
            finding.facts = vec![("connections", Fact::Count(count))];
        }
    };
    assert!(told(of(32)).contains(" and 28 more\n"));
    assert!(told(of(5000)).contains(" and 4996 more\n"));
    // They are none of a program that was found by itself.
    let text = told(|finding| {
        finding.evidence = Vec::new();
        finding.facts = vec![("connections", Fact::Count(5000))];
    });
    assert!(!text.contains(" more\n"), "{text}");
}

#[test]
fn a_device_has_no_file_that_stands_beside_it() {
    assert!(told(|_| {}).contains("its file and who started it"));
    let text = told(|finding| {
        finding.about.program = None;
        finding.about.device = Some(model::DeviceId::Mac([2, 0, 0, 0, 0, 7]));
    });
    assert!(
        !text.contains("its file") && text.contains("whose device it is"),
        "{text}"
    );
}

#[test]
fn a_finding_about_one_port_is_none_about_another() {
    let snapshot = judged();
    let mut connections = snapshot.connections.iter();
    let there = connections
        .find(|it| it.remote.is_some_and(|it| it.port == Some(443)))
        .unwrap();
    let process = snapshot.owner_of(there).unwrap();
    let remote = there.remote.unwrap();
    let mut other = there.clone();
    other.id = model::ConnectionId([9; 16]);
    other.remote = Some(model::Endpoint {
        port: Some(8443),
        ..remote
    });
    let about = |port| {
        let reach = model::Reach::Remotes {
            addresses: remote.ip.into_iter().collect(),
            names: Vec::new(),
            service: port,
        };
        let mut finding = snapshot.findings.iter().next().unwrap().as_ref().clone();
        finding.about = model::About {
            program: Some(process.program().clone()),
            reach,
            ..model::About::default()
        };
        let findings = Findings::new(1, vec![Arc::new(finding)], Vec::new());
        let found = super::Found::of(&findings);
        [there, &other].map(|it| {
            let told = found.about(it, Some(process)).len();
            assert_eq!(findings.of(it, Some(process)).count(), told);
            told
        })
    };
    let service = model::Service {
        protocol: there.protocol,
        port: Some(443),
        local_port: None,
    };
    assert_eq!(about(Some(service)), [1, 0]);
    assert_eq!(about(None), [1, 1]);
    let protocol = model::Protocol::Udp;
    assert_eq!(
        about(Some(model::Service {
            protocol,
            ..service
        })),
        [0, 0]
    );
}

#[test]
fn a_finding_about_one_run_is_none_about_another() {
    let snapshot = judged();
    let [one, other] =
        [7, 8].map(|pid| crate::table::sample::process(pid, "sleep", "/usr/bin/sleep"));
    let mut finding = snapshot.findings.iter().next().unwrap().as_ref().clone();
    finding.about.program = Some("/usr/bin/sleep".into());
    let mut about = |reach| {
        finding.about.reach = reach;
        let all = vec![std::sync::Arc::new(finding.clone())];
        let found = super::Found::of(&Findings::new(1, all, Vec::new()));
        [&one, &other].map(|process| found.about_process(process).count())
    };
    assert_eq!(about(model::Reach::Processes(vec![one.id])), [1, 0]);
    assert_eq!(about(model::Reach::Program), [1, 1]);
}
