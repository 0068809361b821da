//! What every recording of this computer would see, and say or suffer from: sockets without room for
//! what whocalls keeps with them, more connections than are kept in mind, and programs to which each run
//! of whocalls makes a difference. So these tests run apart from all others, and one after the other.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by a panic, in its helpers too"
)]

#[path = "../common/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod common;
mod ended;
#[path = "../record/recording.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod recording;

use common::{actor, network, program, room, setting};

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::recording::Recording;
use crate::room::on;
use crate::setting::{Need, lacks, skip};

/// Whoever has it is the only one.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program uses up what the kernel gives for the options of one socket, also that in which its
/// owner would be kept.
#[test]
fn a_socket_without_room_for_its_owner_is_not_hidden() {
    let _alone = alone();
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (mut actor, words) = Actor::start(Place::Inside(&namespace), FILLS_ITS_SOCKETS);
    if words == ["0"] && skip("this kernel has no TCP MD5") {
        return;
    }
    let recording = Recording::start(&[]);
    let ports = actor.go_on();
    let recorded = recording.stop();
    let talk = recorded.run.talk();
    if talk.contains("Much will be missed") && skip("there are no events here") {
        return;
    }
    // One of them was full when the recording began.
    assert_eq!(recorded.run.code, Some(3), "{talk}");
    assert!(talk.contains("memory that options of one socket"), "{talk}");
    let listed = on(&recorded.case, &["list", "--json"], &[]);
    let text = listed.text();
    let document: Value = serde_json::from_str(&text).unwrap();
    let all = document["connections"].as_array().unwrap();
    for port in ports.iter().map(|port| port.parse::<u16>().unwrap()) {
        let mut found = all.iter().filter(|it| it["remote"]["port"] == port);
        let found = found.next().unwrap_or_else(|| panic!("{port}: {text}"));
        assert_eq!(found["state"], "failed", "{found}");
        assert_eq!(found["process"]["pid"], actor.pid(), "{found}");
    }
}

/// Prints how many options found room, and then where it called.
const FILLS_ITS_SOCKETS: &str = r"
def fill(made, number=0):
    while True:
        key = struct.pack('=HH4s120x', AF_INET, 0, struct.pack('>I', 0xf0000000 + number))
        try:
            made.setsockopt(IPPROTO_TCP, 14, key + struct.pack('=BBHI', 0, 0, 3, 0) + b'key' + bytes(77))
        except OSError:
            return number
        number += 1

before = socket()
number = fill(before)
ready(number)
after = socket()
fill(after)
# What another recording, which has ended, had kept with it.
fill(before, number)
ports = 7, 9
for port, made in zip(ports, (before, after)):
    try:
        made.connect(('127.0.0.1', port))
    except ConnectionRefusedError:
        pass
    made.close()
ready(*ports)
";

/// What is kept in mind while recording is bounded, and what is in the case is not.
#[test]
fn what_the_last_snapshot_lacks_is_counted_and_in_the_case() {
    let _alone = alone();
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let recording = Recording::start(&["--depth", "events"]);
    let (actor, _) = Actor::start(Place::Inside(&namespace), CALLS_OFTEN);
    let recorded = recording.stop();
    recorded.went_well();
    if recorded.run.talk().contains("Much will be missed") && skip("there are no events here") {
        return;
    }
    let last = fs::read(recorded.case.join("snapshots/last.json")).unwrap();
    let last: Value = serde_json::from_slice(&last).unwrap();
    let listed = on(&recorded.case, &["list", "-a", "--json"], &[]);
    let listed = listed.json();
    let all = |document: &Value| document["connections"].as_array().unwrap().clone();
    let of_actor = |it: &&Value| it["process"]["pid"] == actor.pid();
    let (last_all, listed_all) = (all(&last), all(&listed));
    assert_eq!(listed_all.iter().filter(of_actor).count(), 10_500);
    let mut gaps = last["gaps"].as_array().unwrap().iter();
    let gap = gaps.find(|gap| gap["id"] == "connections_let_go").unwrap();
    let let_go = gap["count"]
        .as_u64()
        .and_then(|it| usize::try_from(it).ok());
    let let_go = let_go.unwrap();
    assert!(let_go >= 500, "{let_go}");
    assert_eq!(last_all.len() + let_go, listed_all.len());
}

const CALLS_OFTEN: &str = r"
for number in range(10_500):
    made = socket()
    made.connect_ex(('127.0.0.1', 7))
    made.close()
ready()
";
