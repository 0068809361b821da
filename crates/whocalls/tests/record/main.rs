//! `record`: what there is when it has ended, in whatever way it ended, and what is read of it. A
//! recording puts a packet socket into every network namespace and programs into the kernel, so
//! these tests run apart from those that look at what is there. What a test needs and does not find
//! here it names on standard error as `skipped: TEST: REASON`.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, in its helpers too"
)]

mod case;
#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod common;
mod compare;
mod encrypted;
mod ends;
mod export;
mod findings;
mod heartbeat;
mod images;
mod import;
mod limits;
mod names;
mod others;
mod places;
mod programs;
mod recording;
mod rights;
mod sample;

use common::{actor, network, program, room, setting};

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::program::{Run, whocalls};
use crate::recording::{Recording, expected_code, lines};
use crate::room::on;
use crate::sample::Sample;
use crate::setting::{Need, command, lacks, run};

#[test]
fn each_packet_has_its_process() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let (mut right, mut wrong, mut none) = (HashMap::new(), Vec::new(), Vec::new());
    for packet in &sample.packets {
        let Some((protocol, source, destination)) = packet.ends() else {
            continue;
        };
        // On the loopback it is the sender's.
        let owner = sample.owner(packet.netns, protocol, &source);
        let owner = owner.or_else(|| sample.owner(packet.netns, protocol, &destination));
        let Some(owner) = owner else {
            continue;
        };
        let said = format!("{} {protocol} {source} {destination} {owner}", packet.netns);
        match packet.pid {
            Some(pid) if pid == owner => *right.entry((packet.netns, owner)).or_insert(0) += 1,
            Some(pid) => wrong.push(format!("{said}: {pid}")),
            None => none.push(format!("{said}: {}", packet.comment)),
        }
        assert!(
            packet.own_pid.is_none_or(|pid| Some(pid) == packet.pid),
            "{packet:?}"
        );
    }
    assert_eq!(wrong, [""; 0]);
    let all: u32 = right.values().sum();
    assert!(
        none.len() * 1000 <= all as usize,
        "{} of {all}: {none:#?}",
        none.len()
    );
    // Everybody has some, the one in the late namespace too: there at least those of its second half.
    for ((netns, ..), pid) in &sample.owners {
        let count = right.get(&(*netns, *pid)).copied().unwrap_or(0);
        assert!(count >= 4, "{pid} in {netns}: {count}");
    }
    let (here, late) = (sample.netns[0], sample.netns[2]);
    assert!(right[&(here, sample.caller)] >= 120, "{right:?}");
    let late: u32 = right
        .iter()
        .filter(|((netns, _), _)| *netns == late)
        .map(|it| it.1)
        .sum();
    assert!(late >= 12, "{right:?}");
}

#[test]
fn each_packet_is_there_once_and_has_a_number() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let ids: Vec<_> = sample
        .packets
        .iter()
        .map(|packet| packet.id.unwrap())
        .collect();
    let expected: Vec<_> = (1..=ids.len() as u64).collect();
    assert_eq!(ids, expected);
    // Twenty questions and twenty answers, as the one side and as the other has seen them.
    for (netns, side) in sample.netns.iter().zip(["the caller's", "the server's"]) {
        let questions = sample.packets.iter().filter(|packet| {
            let ends = packet.ends();
            packet.netns == *netns
                && ends.is_some_and(|ends| ends.0 == "udp" && ends.1 == sample.udp)
        });
        assert_eq!(questions.count(), 20, "{side}");
    }
    // The first one of a connection says whose it is.
    let first = sample.packets.iter().find(|packet| {
        let ends = packet.ends();
        packet.netns == sample.netns[0]
            && ends.is_some_and(|ends| ends.0 == "tcp" && ends.1 == sample.tcp)
    });
    let comment = &first.unwrap().comment;
    let pid = format!(" pid={} ", sample.caller);
    assert!(
        comment.contains(&pid) && comment.contains(" conf=exact "),
        "{comment}"
    );
}

#[test]
fn the_case_is_sealed() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let talk = sample.run.talk();
    assert_eq!(sample.run.code, Some(expected_code(&talk)), "{talk}");
    assert!(
        talk.contains("Full packets may contain passwords"),
        "{talk}"
    );
    let verified = on(&sample.case, &["verify"], &[]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let text = verified.text();
    let seal = text
        .lines()
        .find_map(|line| line.strip_prefix("seal  "))
        .unwrap();
    assert!(talk.contains(seal), "{talk}\n{seal}");
    let words: Vec<_> = seal.split(' ').map(str::len).collect();
    assert_eq!(words, [4; 8]);
    assert_eq!(
        on(&sample.case, &["verify"], &["--seal", seal]).code,
        Some(0)
    );
    let flat = seal.replace(' ', "").to_uppercase();
    assert_eq!(
        on(&sample.case, &["verify"], &["--seal", &flat]).code,
        Some(0)
    );
    let other = seal.replace(char::is_alphanumeric, "0");
    let broken = on(&sample.case, &["verify"], &["--seal", &other]);
    assert_eq!(broken.code, Some(4), "{broken:?}");
    if !lacks(&[Need::Program("sha256sum")]) {
        let mut sums = command("sha256sum");
        sums.args(["--check", "--strict", "manifest.sha256"]);
        // It may warn of lines that are ours: those that begin with # are none of its own.
        let sums = Run::of(sums.current_dir(&sample.case));
        assert_eq!(sums.code, Some(0), "{}{}", sums.text(), sums.talk());
        assert!(
            sums.text().lines().all(|line| line.ends_with(": OK")),
            "{}",
            sums.text()
        );
    }
    let about: Value =
        serde_json::from_slice(&fs::read(sample.case.join("case.json")).unwrap()).unwrap();
    assert_eq!(about["examiner"], "a careful one");
    let log = lines(&fs::read_to_string(sample.case.join("log.ndjson")).unwrap());
    assert_eq!(log.first().unwrap()["what"], "begun");
    let last = log.last().unwrap();
    assert_eq!(
        (&last["what"], &last["events_lost"]),
        (&"closed".into(), &0.into())
    );
    assert_eq!(last["packets"], sample.packets.len());
    assert!(sample.case.join("START-HERE.txt").is_file());
}

/// What the tables of this build say of an address is never recorded.
fn without_addresses(connections: &str) -> String {
    let (mut kept, mut rest) = (String::new(), connections);
    while let Some((before, after)) = rest.split_once("\"address\":{") {
        let (_, after) = after.split_once(",\"findings\"").unwrap();
        kept += &format!("{before}\"address\":null,\"findings\"");
        rest = after;
    }
    kept + rest
}

#[test]
fn reading_it_again_gives_the_same_connections() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let listed = on(&sample.case, &["list"], &["-a", "--json"]);
    assert_eq!(listed.code, Some(0), "{}", listed.talk());
    let last = fs::read(sample.case.join("snapshots/last.json")).unwrap();
    let (again, last) = (listed.text(), String::from_utf8(last).unwrap());
    let let_go = let_go(&serde_json::from_str(&last).unwrap());
    let again = without_addresses(connections(&again));
    let last = connections(&last);
    assert!(last.len() > 10_000, "{}", last.len());
    if again != last {
        // What else runs here may be worth a finding; those stand beside the case, not in it.
        let read = |text: &str| {
            let mut all = serde_json::from_str::<Vec<Value>>(text).unwrap();
            for one in &mut all {
                one.as_object_mut().unwrap().remove("findings");
            }
            all
        };
        let (again, last) = (read(&again), read(last));
        // So many others were busy meanwhile that not all of it was kept.
        if let_go > 0 && last.iter().all(|it| again.contains(it)) {
            assert_eq!(last.len() + let_go, again.len());
            return;
        }
        for (again, last) in again.iter().zip(&last) {
            assert_eq!(again, last);
        }
        assert_eq!(again.len(), last.len());
    }
    let caller = on(
        &sample.case,
        &["list", "--json"],
        &[&format!("pid:{}", sample.caller)],
    );
    let caller = caller.json();
    let ends: Vec<_> = caller["connections"].as_array().unwrap().iter().collect();
    assert!(ends.len() >= 2, "{ends:#?}");
    assert!(
        ends.iter().all(|it| it["process"]["pid"] == sample.caller),
        "{ends:#?}"
    );
}

/// How many connections a document says that it lacks.
fn let_go(document: &Value) -> usize {
    let mut gaps = document["gaps"].as_array().unwrap().iter();
    let gap = gaps.find(|gap| gap["id"] == "connections_let_go");
    gap.map_or(0, |gap| {
        usize::try_from(gap["count"].as_u64().unwrap()).unwrap()
    })
}

/// The text of the list of connections.
fn connections(document: &str) -> &str {
    let (_, rest) = document.split_once("\"connections\":").unwrap();
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
    assert!(values.next().unwrap().unwrap().is_array());
    &rest[..values.byte_offset()]
}

#[test]
fn other_programs_read_the_packets() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let file = sample.case.join("packets/000001.pcapng");
    let file = file.to_str().unwrap();
    let count = sample.packets.len();
    if !lacks(&[Need::Program("tshark")]) {
        let fields = ["frame.packet_id", "frame.comment", "udp.srcport"];
        let fields = fields.iter().flat_map(|field| ["-e", *field]);
        let mut tshark = command("tshark");
        let read = Run::of(tshark.args(["-n", "-r", file, "-T", "fields"]).args(fields));
        assert_eq!(read.code, Some(0), "{}", read.talk());
        let talk = read.talk();
        let warnings: Vec<_> = talk
            .lines()
            .filter(|line| !line.starts_with("Running as"))
            .collect();
        assert_eq!(warnings, [""; 0]);
        let rows: Vec<Vec<String>> = read
            .text()
            .lines()
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect();
        assert_eq!(rows.len(), count);
        for (row, packet) in rows.iter().zip(&sample.packets) {
            assert_eq!(row[0], packet.id.unwrap().to_string());
        }
        let pid = format!("pid={} ", sample.caller);
        assert!(rows.iter().any(|row| row[1].contains(&pid)));
    }
    let room = crate::room::Room::new();
    let copy = |name: &str| room.file(name).to_str().unwrap().to_owned();
    for (tool, arguments) in [
        ("editcap", vec![file.to_owned(), copy("edited")]),
        (
            "mergecap",
            vec![
                "-w".to_owned(),
                copy("merged"),
                file.to_owned(),
                file.to_owned(),
            ],
        ),
        ("capinfos", vec![file.to_owned()]),
        (
            "tcpdump",
            vec!["-n".to_owned(), "-r".to_owned(), file.to_owned()],
        ),
    ] {
        if lacks(&[Need::Program(tool)]) {
            continue;
        }
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let output = run(tool, &arguments).unwrap();
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(
            !said.contains("warn") && !said.contains("error"),
            "{tool}: {said}"
        );
        if tool == "tcpdump" {
            let text = String::from_utf8_lossy(&output.stdout);
            let packets = text
                .lines()
                .filter(|line| !line.starts_with([' ', '\t']))
                .count();
            assert_eq!(packets, count);
        }
    }
}

#[test]
fn depth_says_how_much_of_packets_is_kept() {
    let Some(namespace) = crate::network::Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let recording = Recording::start(&["--depth", "headers"]);
    let (_actor, words) = talking(&namespace);
    let recorded = recording.stop();
    recorded.went_well();
    let packets = recorded.packets();
    assert!(packets.iter().all(|packet| packet.bytes.len() <= 128));
    let own = packets.iter().filter(|it| it.netns == namespace.number);
    let own: Vec<_> = own
        .filter(|it| it.ends().is_some_and(|ends| ends.1 == words[0]))
        .collect();
    assert!(!own.is_empty(), "{packets:#?}");
    assert!(own.iter().all(|it| it.bytes.len() == 128), "{own:#?}");

    let recording = Recording::start(&["--depth", "events"]);
    let (actor, words) = talking(&namespace);
    let recorded = recording.stop();
    recorded.went_well();
    assert!(!recorded.case.join("packets").exists());
    let listed = on(
        &recorded.case,
        &["list", "-a", "--json"],
        &[&format!("pid:{}", actor.pid())],
    );
    let listed = crate::program::Look(listed.json());
    assert!(
        listed.connections().any(|it| it.local() == words[0]),
        "{listed:#?}",
        listed = listed.0
    );
    let exported = on(&recorded.case, &["export", "--pcapng"], &[]);
    assert_eq!(exported.code, Some(0), "{}", exported.talk());
    let talk = exported.talk();
    assert!(talk.contains("no packets in this case"), "{talk}");
}

/// Sends 500 bytes by UDP on the loopback for a second and a half; the sender's end is the word.
fn talking(namespace: &crate::network::Namespace) -> (crate::actor::Actor, Vec<String>) {
    const TALK: &str = r"
receiver, sender = (keep(socket(AF_INET, SOCK_DGRAM)) for _ in range(2))
for each in receiver, sender:
    each.bind(('127.0.0.1', 0))
for _ in range(15):
    sender.sendto((b'the-name-of-a-source ' * 30)[:500], receiver.getsockname())
    receiver.recv(1000)
    time.sleep(0.1)
ready('%s:%d' % sender.getsockname(), '%s:%d' % receiver.getsockname())
";
    crate::actor::Actor::start(crate::actor::Place::Inside(namespace), TALK)
}

#[test]
fn where_it_goes_is_never_guessed() {
    let nowhere = whocalls(&["record", "--for", "1"]);
    assert_eq!(nowhere.code, Some(2), "{}", nowhere.talk());
    assert!(nowhere.talk().contains("--into"), "{}", nowhere.talk());
    let service = Run::of(Command::new(crate::program::WHOCALLS).args(["record", "--service"]));
    assert_eq!(service.code, Some(2), "{}", service.talk());
}
