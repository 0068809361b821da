//! What rules find: real servers on addresses of lists, in a namespace, and where findings are told.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{Run, WHOCALLS, copy_to, whocalls};
use crate::setting::Folder;

/// Of nobody's computer: a real one of the internet, and only within a namespace.
const SERVER: &str = "8.39.11.7";

const CALL: &str = "waiting = listener(('8.39.11.7', 443))
calling = caller(('8.39.11.7', 443))
keep(waiting.accept())
ready()";

/// A folder of lists with one list, which has this address.
fn lists(folder: &Path, address: &str) {
    let file = folder.join("servers.txt");
    fs::write(&file, format!("{address}\n")).unwrap();
    let mut command = Command::new(WHOCALLS);
    let added = command
        .args([
            "indicators",
            "add",
            "--publisher",
            "A Lab",
            "--licence",
            "CC0-1.0",
        ])
        .arg(&file)
        .arg("--into")
        .arg(folder.join("indicators"));
    let added = Run::of(added);
    assert_eq!(added.code, Some(0), "{}", added.talk());
}

fn check(folder: &Path, arguments: &[&str]) -> Run {
    let folder = folder.join("indicators");
    let mut command = Command::new(WHOCALLS);
    Run::of(
        command
            .arg("check")
            .arg("--indicators")
            .arg(folder)
            .args(arguments),
    )
}

/// Those of a program, by rule.
fn findings_of(document: &Value, rule: &str, pid: u32) -> Vec<Value> {
    let processes = document["processes"].as_array().unwrap();
    let id = processes
        .iter()
        .find(|it| it["pid"] == pid)
        .map(|it| &it["id"]);
    let findings = document["findings"].as_array().unwrap().iter();
    let of_it = findings.filter(|it| it["rule"] == rule && Some(&it["about"]["process"]) == id);
    of_it.cloned().collect()
}

#[test]
fn a_server_on_a_list_is_told_with_its_publisher() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    namespace.ip(&["addr", "add", &format!("{SERVER}/32"), "dev", "lo"]);
    let (actor, _) = Actor::start(Place::Inside(&namespace), CALL);
    let (guilty, innocent) = (Folder::new(), Folder::new());
    lists(guilty.path(), SERVER);
    lists(innocent.path(), "8.39.11.8");
    let found = check(guilty.path(), &["--json"]);
    assert_eq!(found.code, Some(0), "{}", found.talk());
    let document = found.json();
    assert_eq!(document["schema"], "whocalls/1");
    let all = findings_of(&document, "known_bad", actor.pid());
    let [outbound] = all
        .iter()
        .filter(|it| it["facts"]["direction"].is_null())
        .collect::<Vec<_>>()[..]
    else {
        panic!("{all:#?}");
    };
    assert_eq!(outbound["severity"], "high");
    assert_eq!(outbound["confidence"], "medium");
    assert_eq!(outbound["facts"]["publisher"], "A Lab");
    assert_eq!(outbound["facts"]["list"], "servers.txt");
    assert_eq!(outbound["facts"]["indicator"], SERVER);
    assert_eq!(outbound["about"]["remote"]["port"], 443);
    let code = |folder: &Folder, least| check(folder.path(), &["--fail-on", least]).code;
    assert_eq!(code(&guilty, "high"), Some(10));
    assert_eq!(code(&guilty, "medium"), Some(10));
    assert_eq!(code(&guilty, "critical"), Some(0));
    let document = check(innocent.path(), &["--json"]).json();
    assert_eq!(
        findings_of(&document, "known_bad", actor.pid()),
        Vec::<Value>::new()
    );
    assert!(document["rules"].as_array().unwrap().len() >= 11);
    // For people.
    let text = check(guilty.path(), &[]).text();
    assert!(text.contains("A Lab") && text.contains(SERVER), "{text}");
    for text in [text, check(innocent.path(), &[]).text()] {
        assert!(!text.to_lowercase().contains("clean"), "{text}");
        assert!(
            text.contains("That does not mean that nothing is there."),
            "{text}"
        );
    }
}

#[test]
fn findings_stand_with_connections_and_in_the_stream() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    namespace.ip(&["addr", "add", &format!("{SERVER}/32"), "dev", "lo"]);
    let folder = Folder::new();
    // Lists beside the program are read.
    let program = copy_to(folder.path());
    lists(folder.path(), SERVER);
    let (actor, _) = Actor::start(Place::Inside(&namespace), CALL);
    let pid = format!("pid:{}", actor.pid());
    let listed = Run::of(Command::new(&program).args(["list", "--json", &pid]));
    let document = listed.json();
    let ids: Vec<_> = document["findings"].as_array().unwrap().iter().collect();
    let ids: Vec<_> = ids
        .iter()
        .filter(|it| it["rule"] == "known_bad")
        .map(|it| it["id"].clone())
        .collect();
    assert_eq!(ids.len(), 2, "{document:#}");
    for connection in document["connections"].as_array().unwrap() {
        let findings = connection["findings"].as_array().unwrap();
        assert!(findings.iter().any(|id| ids.contains(id)), "{connection:#}");
    }
    let mut watch = Command::new(&program);
    let watch = watch
        .args(["watch", "--ndjson", "--for", "4s", &pid])
        .stdin(Stdio::null());
    let watched = Run::of(watch);
    let lines: Vec<Value> = watched
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let findings: Vec<_> = lines.iter().filter(|it| it["type"] == "finding").collect();
    let new = findings
        .iter()
        .filter(|it| it["change"] == "new" && it["rule"] == "known_bad");
    assert_eq!(new.count(), 2, "{findings:#?}");
    assert_eq!(lines.last().unwrap()["type"], "end");
    // Of whoever did not ask nothing is said.
    assert!(
        findings
            .iter()
            .all(|it| ids.contains(&it["id"]) || it["rule"] != "known_bad")
    );
}

#[test]
fn what_cannot_be_read_is_said_and_nothing_else_is_taken() {
    let folder = Folder::new();
    lists(folder.path(), SERVER);
    fs::write(
        folder.path().join("indicators/servers.txt/original"),
        "8.39.11.9\n",
    )
    .unwrap();
    fs::write(folder.path().join("indicators/by-hand.txt"), "8.39.11.9\n").unwrap();
    let run = check(folder.path(), &["--json"]);
    assert_eq!(run.code, Some(4), "{}", run.talk());
    let document: Value = serde_json::from_str(&run.text()).unwrap();
    let gaps = document["gaps"].as_array().unwrap();
    for id in ["indicators_not_read", "indicators_not_added"] {
        assert!(gaps.iter().any(|it| it["id"] == id), "{id}: {gaps:#?}");
    }
    assert_eq!(whocalls(&["check", "no-such-case"]).code, Some(1));
    assert_eq!(whocalls(&["check", "--fail-on", "bad"]).code, Some(2));
}

/// A capture in which a program asks for its own address, of the corpus.
#[test]
fn a_capture_is_judged() {
    let Some(corpus) = std::env::var_os("WHOCALLS_CORPUS") else {
        crate::setting::skip("WHOCALLS_CORPUS is not set");
        return;
    };
    let capture = Path::new(&corpus).join("captures/agenttesla-smtp.pcap");
    let document = whocalls(&["check", "--json", capture.to_str().unwrap()]).json();
    let findings = document["findings"].as_array().unwrap();
    let echo: Vec<_> = findings
        .iter()
        .filter(|it| it["rule"] == "address_echo")
        .collect();
    assert_eq!(echo.len(), 1, "{findings:#?}");
    assert_eq!(echo[0]["facts"]["name"], "api.ipify.org");
}
