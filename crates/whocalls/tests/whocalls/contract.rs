//! The public contract: shapes, exit codes, what goes where.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::actor::{Actor, Place};
use crate::program::{TIERS, WHOCALLS, look, whocalls};
use crate::setting::{Need, lacks, wait_for};

#[test]
fn a_document_has_these_members() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (_actor, _) = Actor::start(Place::Home, SOME);
    for tier in TIERS {
        let look = look(tier);
        let document = &look.0;
        check(
            document,
            "schema host boot taken tier left_out every_process gaps processes connections findings",
            "",
        );
        assert_eq!(document["schema"], "whocalls/1");
        check_time(&document["taken"]);
        check_gaps(&document["gaps"]);
        for process in list(&document["processes"]) {
            check_process(process);
        }
        let connections = list(&document["connections"]);
        assert!(connections.len() >= 5);
        for connection in connections {
            check_connection(connection);
        }
    }
}

#[test]
fn a_document_of_what_is_remembered_has_these_members() {
    let run = whocalls(&["list", "--before", "--json"]);
    let document = run.json();
    check(
        &document,
        "schema host boot taken tier left_out every_process gaps processes remembered connections findings",
        "",
    );
    check_gaps(&document["gaps"]);
    for entry in list(&document["remembered"]) {
        check(
            entry,
            "remote protocol source netns seen age_ns bytes_sent bytes_received program user owner process",
            "",
        );
        check(&entry["remote"], "ip port name name_source", "");
        check(&entry["owner"], "known source why", "");
        if !entry["seen"].is_null() {
            check_time(&entry["seen"]);
        }
    }
}

#[test]
fn every_process_is_listed_when_asked() {
    let document = whocalls(&["list", "--processes", "--json"]).json();
    let processes = list(&document["processes"]);
    for process in processes {
        check_process(process);
    }
    let own = std::process::id();
    let own = processes.iter().find(|it| it["pid"] == own).unwrap();
    assert!(list(&own["parents"]).len() <= 64);
    let pids: Vec<_> = processes.iter().map(|it| it["pid"].as_u64()).collect();
    assert!(pids.is_sorted());
}

#[test]
fn a_stream_starts_and_ends() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (_actor, _) = Actor::start(Place::Home, SOME);
    let run = whocalls(&["list", "-a", "--ndjson"]);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    let text = run.text();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (first, last) = (lines.first().unwrap(), lines.last().unwrap());
    check(first, "schema type host boot taken tier", "");
    assert_eq!(first["schema"], "whocalls/1");
    assert_eq!(first["type"], "start");
    check(last, END, "");
    assert_eq!(
        (&last["opened"], &last["program"]),
        (&Value::from(0), &Value::Null)
    );
    assert_eq!(last["type"], "end");
    let of = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    for (kind, member) in [
        ("process", "processes"),
        ("connection", "connections"),
        ("gap", "gaps"),
    ] {
        assert_eq!(last[member], of(kind), "{kind}");
    }
    assert!(of("connection") >= 5);
    for line in &lines[1..lines.len() - 1] {
        match line["type"].as_str().unwrap() {
            "process" => check(line, &format!("type {PROCESS}"), PROCESS_AS_WELL),
            "connection" => {
                check(line, &format!("type change time {CONNECTION}"), DETAILS);
                assert_eq!(line["change"], "present");
            }
            "gap" => check(line, &format!("type {GAP}"), ""),
            other => panic!("{other}"),
        }
    }
    // A process comes before what is said of it.
    let mut known = BTreeSet::new();
    for line in &lines {
        if line["type"] == "process" {
            known.insert(line["id"].as_str().unwrap());
        }
        if let Some(id) = line["process"]["id"].as_str() {
            assert!(known.contains(id), "{line}");
        }
    }
}

#[test]
fn comma_separated_values_have_this_heading() {
    let run = whocalls(&["list", "-a", "--csv"]);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    let text = run.text();
    assert_eq!(
        text.lines().next(),
        Some(
            "id,process,pid,user,protocol,state,direction,local_ip,local_port,remote_ip,\
             remote_port,remote_name,bytes_sent,bytes_received,opened,owner_why,path,device_mac,device_name,device_ip,remote_name_strength"
        )
    );
}

#[test]
fn an_id_stays_with_its_connection() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (_actor, words) = Actor::start(Place::Home, SOME);
    let ids = |tier: Option<&str>| {
        let look = look(tier);
        let ids: BTreeSet<String> = look
            .connections()
            .filter(|seen| words.contains(&seen.local()))
            .map(|seen| seen.word("id").to_owned())
            .collect();
        assert_eq!(ids.len(), 5);
        ids
    };
    let first = ids(None);
    assert_eq!(first, ids(None));
    assert_eq!(first, ids(Some("--polling")));
}

#[test]
fn filters_pick() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (actor, words) = Actor::start(Place::Home, SOME);
    let pid = format!("pid:{}", actor.pid());
    let listener = words[0].rsplit_once(':').unwrap().1;
    let lport = format!("lport:{listener}");
    let cases: [(&[&str], usize); 8] = [
        (&[&pid], 5),
        (&[&pid, "proto:udp"], 2),
        (&[&pid, "state:established"], 2),
        (&[&pid, "state:listen"], 1),
        (&[&pid, "proto:tcp", &lport], 2),
        (&[&pid, "proto:udp or", &pid, "state:listen"], 3),
        (&["--filter=-proto:udp", &pid], 3),
        (&["-u", &pid], 2),
    ];
    for (words, expected) in cases {
        let arguments = [&["list", "-a", "--polling", "--json"], words].concat();
        let document = whocalls(&arguments).json();
        let found = list(&document["connections"]).len();
        assert_eq!(found, expected, "{words:?}");
    }
}

#[test]
fn wrong_usage_is_2() {
    for (arguments, said) in [
        (&["--bogus"][..], "--bogus"),
        (&["lst"], "'list'"),
        (&["docter"], "'doctor'"),
        (&["list", "--json", "--csv"], "--csv"),
        (&["list", "--sort", "bogus"], "bogus"),
        (&["list", "--watch", "0"], "0.1"),
        (&["list", "name:x"], "not known here"),
        (&["list", "new:1h"], "not known here"),
        (&["list", "severity:>=medium"], "not known here"),
        (&["list", "bogus:1"], "unknown key"),
        (&["watch"], "watch --ndjson"),
        (&["watch", "--ndjson", "every:60s"], "not known here"),
        (&["watch", "--ndjson", "--for", "soon"], "not a time"),
        (&["watch", "--ndjson", "--refresh", "0"], "0.1"),
        (&["watch", "--ndjson", "--until-exit"], "PROGRAM"),
        (&["watch", "--ndjson", "--", "true"], "--until-exit"),
        (&["watch", "--ndjson", "--queue", "1"], "16"),
        (&["man", "bogus"], "bogus"),
        (&["lookup"], "ITEM"),
        (&["lookup", "256.1.1.1"], "four numbers"),
        (
            &["lookup", "192.0.2.7", "https://a.example/"],
            "whocalls lookup 'a.example'",
        ),
        (&["lookup", "--json", "a..b"], "two dots"),
        (&["data", "build"], "--from"),
    ] {
        let run = whocalls(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}");
        assert!(run.out.is_empty(), "{arguments:?}: {}", run.text());
        assert!(run.talk().contains(said), "{arguments:?}: {}", run.talk());
    }
}

#[test]
fn what_is_known_of_an_address_says_that_the_holder_is_not() {
    let run = whocalls(&[
        "lookup",
        "--json",
        "216.6.0.28",
        "8.8.8.0/24",
        "a.example",
        &"0".repeat(40),
    ]);
    let document = run.json();
    check(&document, "schema tables items", "");
    let items = list(&document["items"]);
    for item in items {
        check(
            item,
            "item kind address known told answers wanted not_known search",
            "ip port network announcers more_announcers has_holes name hash",
        );
    }
    let address = &items[0]["address"];
    check(address, ADDRESS, "");
    assert_eq!(address["announced_by"]["asn"], 6453);
    assert_eq!(address["block_country"], "US");
    assert!(address["holder"].is_null());
    assert_eq!(items[0]["not_known"], serde_json::json!(["holder"]));
    let kinds: Vec<_> = items
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["address", "address", "name", "hash"]);
    let run = whocalls(&["lookup", "216.6.0.28"]);
    assert!(
        run.text()
            .ends_with("ask WHOIS/RDAP from another computer.\n")
    );
}

#[test]
fn a_bad_filter_is_shown_with_its_place() {
    for (filter, place) in [
        ("proto:tcp port:99999", "99999"),
        ("dst:10.0.0.0/8 and port:x", "x"),
        ("a (b", "("),
        ("user:ä name:x", "name:x"),
    ] {
        let run = whocalls(&["list", filter]);
        assert_eq!(run.code, Some(2), "{filter}");
        let talk = run.talk();
        let mut lines = talk.lines();
        let shown = lines.find(|line| line.ends_with(filter)).unwrap();
        let marks = lines.next().unwrap();
        let column = |text: &str, byte: usize| text[..byte].chars().count();
        let start = column(shown, shown.rfind(place).unwrap());
        let first = column(marks, marks.find('^').unwrap());
        let count = marks.chars().filter(|mark| *mark == '^').count();
        assert_eq!((first, count), (start, place.chars().count()), "{talk}");
    }
}

#[test]
fn help_manual_and_completions_go_to_standard_output() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["help", "list"],
        &["man"],
        &["man", "list"],
        &["completions", "bash"],
    ] {
        let run = whocalls(arguments);
        assert_eq!(run.code, Some(0), "{arguments:?}");
        assert!(!run.out.is_empty());
        assert!(run.err.is_empty(), "{arguments:?}: {}", run.talk());
    }
}

#[test]
fn quiet_is_quiet() {
    let run = whocalls(&["--quiet", "list"]);
    assert_eq!(run.code, Some(0));
    assert_eq!(run.talk(), "");
}

#[test]
fn a_full_disk_is_a_failure() {
    for arguments in [
        &["list", "-a"][..],
        &["list", "-a", "--json"],
        &["watch", "--ndjson"],
        &["doctor"],
        &["--help"],
    ] {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let mut command = Command::new(WHOCALLS);
        let status = command
            .args(arguments)
            .stdout(full)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn a_closed_pipe_ends_it_without_a_word() {
    for arguments in [
        &["list", "-a"][..],
        &["list", "-a", "--json"],
        &["list", "-a", "--ndjson"],
        &["list", "-a", "--csv"],
        &["list", "--processes"],
        &["doctor"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut child = start(arguments);
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        let talk = String::from_utf8_lossy(&output.stderr);
        assert!(
            !talk.contains("panicked") && !talk.contains("pipe"),
            "{talk}"
        );
    }
}

#[test]
fn a_closed_pipe_ends_the_watch() {
    let mut child = start(&["list", "--ndjson", "--watch", "0.1"]);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().contains("\"start\""));
    drop(lines);
    assert_eq!(end_of(child), Some(0));
}

#[test]
fn a_watch_looks_again_until_it_is_interrupted() {
    for (signal, format, mark) in [
        (Signal::INT, "--ndjson", "\"type\":\"start\""),
        (Signal::TERM, "--json", "\"schema\":\"whocalls/1\""),
        (Signal::INT, "--csv", "id,process,"),
    ] {
        let mut child = start(&["list", format, "--watch", "0.1"]);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Read on, so that it is not the pipe that ends it.
        let (sender, looks) = std::sync::mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if line.contains(mark) {
                    let _ = sender.send(());
                }
            }
        });
        for look in 1..=3 {
            let seen = looks.recv_timeout(crate::setting::PATIENCE);
            seen.unwrap_or_else(|_| panic!("{format}: no look {look}"));
        }
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        assert_eq!(end_of(child), Some(0), "{signal:?}");
        reader.join().unwrap();
    }
}

fn start(arguments: &[&str]) -> Child {
    Command::new(WHOCALLS)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn end_of(mut child: Child) -> Option<i32> {
    let status = wait_for("its end", || child.try_wait().unwrap());
    status.code()
}

pub(crate) const END: &str = "type time events events_seen processes connections opened closed gaps \
                              lost dropped dropped_updates program";
pub(crate) const GAP: &str = "id source why missed since until count";
pub(crate) const PROCESS: &str = "id pid started ended name path path_state file command_line \
                       command_line_truncated user uid parents container unit netns kernel_thread \
                       sha256 ordinary package package_version package_manager package_state \
                       display checks";
/// Only where the text is not UTF-8.
pub(crate) const PROCESS_AS_WELL: &str =
    "not_ordinary package_hex package_version_hex path_hex command_line_hex connections";
pub(crate) const CONNECTION: &str = "id protocol state direction local remote netns interface socket uid \
                          opened closed error bytes_sent bytes_received packets_sent \
                          packets_received community_id owner process also_held_by device greeting \
                          address findings";
pub(crate) const ADDRESS: &str = "announced_by block_country kind holder holder_source special_use";
/// Only of some protocols.
pub(crate) const DETAILS: &str = "icmp ip_protocol ethertype";

fn check_gaps(gaps: &Value) {
    for gap in list(gaps) {
        check(gap, GAP, "");
        for text in ["id", "why", "missed"] {
            assert!(!gap[text].as_str().unwrap().is_empty(), "{gap}");
        }
    }
}

fn check_process(process: &Value) {
    check(process, PROCESS, PROCESS_AS_WELL);
    check_time(&process["started"]);
    for parent in list(&process["parents"]) {
        check(parent, "pid name path", "path_hex");
    }
    if !process["container"].is_null() {
        check(&process["container"], "engine id", "");
    }
    for made in list(&process["checks"]) {
        check(made, "check result why", "traces more");
        let (result, why) = (made["result"].as_str().unwrap(), &made["why"]);
        assert!(
            ["nothing found", "found", "not testable"].contains(&result),
            "{made}"
        );
        assert_eq!(why.is_null(), result != "not testable", "{made}");
        for trace in made["traces"].as_array().into_iter().flatten() {
            let others =
                "path path_hex package package_hex name name_hex address length bytes expected pid";
            check(trace, "sign", others);
        }
    }
}

fn check_connection(connection: &Value) {
    check(connection, CONNECTION, DETAILS);
    check(&connection["local"], "ip port", "");
    if !connection["remote"].is_null() {
        check(
            &connection["remote"],
            "ip port name name_source name_strength",
            "",
        );
    }
    // What is known of the other end: never its holder.
    let address = &connection["address"];
    assert_eq!(
        address.is_null(),
        connection["remote"]["ip"].is_null(),
        "{connection}"
    );
    if !address.is_null() {
        check(address, ADDRESS, "");
        assert!(address["holder"].is_null() && address["holder_source"].is_null());
    }
    check(&connection["socket"], "inode cookie", "");
    check(&connection["owner"], "known source why", "");
    let (owner, process) = (&connection["owner"], &connection["process"]);
    assert_eq!(owner["known"], !process.is_null(), "{connection}");
    assert_eq!(owner["known"], owner["why"].is_null(), "{connection}");
    if !process.is_null() {
        check(process, "id pid started name path uid user", "path_hex");
    }
    for other in list(&connection["also_held_by"]) {
        check(other, "id pid name", "");
    }
    let id = connection["id"].as_str().unwrap();
    assert_eq!(id.len(), 32, "{id}");
    assert!(id.bytes().all(|it| it.is_ascii_hexdigit()), "{id}");
}

/// `2026-11-22T10:15:00.123456789Z`
pub(crate) fn check_time(time: &Value) {
    let text = time.as_str().unwrap();
    let shape: String = text
        .chars()
        .map(|it| if it.is_ascii_digit() { '0' } else { it })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000000Z");
}

/// Exactly these members, and perhaps those.
pub(crate) fn check(value: &Value, members: &str, others: &str) {
    let found: BTreeSet<&str> = value
        .as_object()
        .unwrap_or_else(|| panic!("not an object: {value}"))
        .keys()
        .map(String::as_str)
        .collect();
    let wanted: BTreeSet<&str> = members.split_whitespace().collect();
    let optional: BTreeSet<&str> = others.split_whitespace().collect();
    let missing: Vec<_> = wanted.difference(&found).collect();
    let extra: Vec<_> = found
        .difference(&wanted)
        .filter(|name| !optional.contains(**name))
        .collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "missing {missing:?}, too many {extra:?}: {value}"
    );
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

const SOME: &str = r#"
calling, accepted, waiting = both(('127.0.0.1', 0))
asked = keep(socket(AF_INET, SOCK_DGRAM)); asked.bind(('127.0.0.1', 0))
asking = keep(socket(AF_INET, SOCK_DGRAM)); asking.connect(asked.getsockname())
ready(*('%s:%d' % made.getsockname() for made in (waiting, calling, asked, asking)))
"#;
