//! Looks that were saved, compared with a case, and with each other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::program::{Run, WHOCALLS};
use crate::room::Room;

/// Where the two small cases of `diff.trycmd` are.
fn days() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/whocalls/compared/diff.in")
}

fn run(arguments: &[&str]) -> Run {
    Run::of(Command::new(WHOCALLS).args(arguments).current_dir(days()))
}

/// What a command writes, kept in a file.
fn saved(room: &Room, name: &str, arguments: &[&str]) -> String {
    let run = run(arguments);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    let file = room.file(name);
    fs::write(&file, &run.out).unwrap();
    file.to_str().unwrap().to_owned()
}

fn compared(before: &str, after: &str) -> Value {
    run(&["diff", before, after, "--json"]).json()
}

/// Without what rules say; ordinary ones are among them.
fn told(comparison: &Value) -> Vec<String> {
    let differences = comparison["differences"].as_array().unwrap().iter();
    let differences = differences.filter(|it| it["kind"] != "finding");
    let line = |it: &Value| {
        let program = it["program"].as_str().unwrap().rsplit('/').next().unwrap();
        let words = ["change", "kind", "thing"].map(|name| it[name].as_str().unwrap());
        format!("{} {} {program} {}", words[0], words[1], words[2])
            .trim_end()
            .to_owned()
    };
    let mut told: Vec<_> = differences.map(line).collect();
    told.sort();
    told
}

fn not_compared(comparison: &Value) -> Vec<String> {
    let all = comparison["not_compared"].as_array().unwrap().iter();
    let line = |it: &Value| {
        format!(
            "{} {}",
            it["what"].as_str().unwrap(),
            it["side"].as_str().unwrap_or("-")
        )
    };
    all.map(line).collect()
}

#[test]
fn what_was_saved_of_a_case_is_the_case() {
    let room = Room::new();
    let cases = compared("monday", "friday");
    assert_eq!(told(&cases).len(), 6, "{cases:#}");
    assert_eq!(not_compared(&cases), [""; 0]);
    let document = saved(
        &room,
        "friday.json",
        &["list", "-a", "--processes", "--json", "friday"],
    );
    let stream = saved(
        &room,
        "friday.ndjson",
        &["list", "-a", "--processes", "--ndjson", "friday"],
    );
    let events = saved(&room, "events.ndjson", &["export", "friday", "--ndjson"]);
    for (friday, named) in [(&document, true), (&stream, false), (&events, false)] {
        let comparison = compared("monday", friday);
        assert_eq!(told(&comparison), told(&cases), "{friday}");
        assert_eq!(comparison["after"]["host"], "desk");
        assert_eq!(comparison["after"]["tier"], "full");
        assert_eq!(not_compared(&comparison).is_empty(), named, "{friday}");
        assert_eq!(told(&compared("friday", friday)), [""; 0], "{friday}");
        assert_eq!(told(&compared(friday, friday)), [""; 0]);
    }
    // Whatever else a file may be, it is read like any other evidence.
    let listed = run(&["list", &document, "proc:updater", "--json"]).json();
    assert_eq!(listed["connections"].as_array().unwrap().len(), 8);
    assert_eq!(listed["processes"][0]["package_state"], "none");
}

#[test]
fn what_was_left_out_of_a_look_is_said_and_not_taken_for_news() {
    let room = Room::new();
    let look = saved(&room, "monday.json", &["list", "monday", "--json"]);
    let comparison = compared(&look, "friday");
    let said = not_compared(&comparison);
    assert_eq!(
        said,
        ["no_listeners before", "only_with_connections before"]
    );
    let listener = |it: &String| it.contains(" listener ");
    assert!(!told(&comparison).iter().any(listener), "{comparison:#}");
    let filtered = saved(
        &room,
        "mail.json",
        &["list", "monday", "-a", "--json", "proc:thunderbird"],
    );
    let said = not_compared(&compared(&filtered, "friday"));
    assert!(said.contains(&"left_out before".to_owned()), "{said:?}");
}

#[test]
fn what_is_no_look_is_refused() {
    let room = Room::new();
    for (name, arguments) in [
        ("check.json", &["check", "monday", "--json"][..]),
        ("lookup.json", &["lookup", "--json", "192.0.2.1"]),
        ("diff.json", &["diff", "monday", "friday", "--json"]),
    ] {
        let file = saved(&room, name, arguments);
        let refused = run(&["diff", "monday", &file]);
        assert_eq!(refused.code, Some(1), "{name}");
        assert!(refused.talk().contains("of no kind"), "{}", refused.talk());
    }
}

#[test]
fn a_look_that_was_cut_is_read_up_to_there_and_the_code_says_so() {
    let room = Room::new();
    let look = saved(&room, "look.json", &["list", "friday", "-a", "--json"]);
    let whole = fs::read(&look).unwrap();
    fs::write(&look, &whole[..whole.len() / 2]).unwrap();
    let run = run(&["diff", "monday", &look]);
    assert_eq!(run.code, Some(3), "{}", run.talk());
    assert!(run.talk().contains("ends in the middle"), "{}", run.talk());
}
