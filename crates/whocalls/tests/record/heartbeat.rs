//! Heartbeats inside connections, as the packets of a case tell them.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::recording::{Recorded, Recording};
use crate::room::on;
use crate::setting::{Need, lacks};

/// Takes whatever anybody says.
const LISTENS: &str = "
def drain(one):
    while one.recv(65536): one.sendall(b'ok')
def serve(port):
    waiting = listener(('192.0.2.2', port))
    while True: threading.Thread(target=drain, args=(waiting.accept()[0],), daemon=True).start()
for port in (81, 82, 87, 88): threading.Thread(target=serve, args=(port,), daemon=True).start()
time.sleep(0.5)
ready()";

/// One connection each: every 1.2 seconds, every two, about every seven, and as a person reads pages.
const TALKS: &str = "
import random
def talk(port, sizes, gaps):
    one = caller(('192.0.2.2', port))
    now = time.monotonic()
    for gap in gaps:
        now += gap
        time.sleep(max(0, now - time.monotonic()))
        one.sendall(b'x' * sizes())
def start(*words): threading.Thread(target=talk, args=words, daemon=True).start()
chance = random.Random(7)
def alike(): return 20
start(81, alike, [1.2] * 1000)
start(82, alike, [2] * 1000)
start(87, alike, [7 + chance.uniform(-0.7, 0.7) for _ in range(1000)])
def gap(): return chance.choice([0.2, 0.7, chance.expovariate(1 / 4), chance.uniform(1, 15)])
start(88, lambda: chance.randrange(300, 2000), [gap() for _ in range(1000)])
ready()";

const SPOKEN: Duration = Duration::from_secs(75);

/// The period in seconds of each rhythm of the callers, by port: other tests call meanwhile, too.
fn rhythms(findings: &Value) -> Vec<(u64, f64)> {
    let findings = findings["findings"].as_array().unwrap().iter();
    let beats = findings.filter(|it| {
        let port = it["facts"]["port"].as_str();
        it["rule"] == "heartbeat"
            && it["facts"]["seen"] == "192.0.2.2"
            && port.is_some_and(|port| ["81", "82", "87", "88"].contains(&port))
    });
    let mut all: Vec<_> = beats
        .map(|it| {
            let port = it["facts"]["port"].as_str().unwrap().parse().unwrap();
            (port, it["facts"]["period"].as_f64().unwrap() / 1e9)
        })
        .collect();
    all.sort_by_key(|it| it.0);
    all
}

fn recorded() -> Option<Recorded> {
    let (here, there) = (Namespace::new()?, Namespace::new()?);
    if !here.connect(&there) {
        return None;
    }
    let (_listens, _) = Actor::start(Place::Inside(&there), LISTENS);
    let recording = Recording::start(&["--depth", "headers"]);
    let (_talks, _) = Actor::start(Place::Inside(&here), TALKS);
    thread::sleep(SPOKEN);
    let recorded = recording.stop();
    recorded.went_well();
    Some(recorded)
}

#[test]
fn packets_tell_the_pace_inside_a_connection() {
    if lacks(&[Need::Root]) {
        return;
    }
    let Some(recorded) = recorded() else {
        return;
    };
    let checked = on(&recorded.case, &["check"], &["--json"]);
    let found = rhythms(&checked.json());
    let ports: Vec<_> = found.iter().map(|it| it.0).collect();
    assert_eq!(ports, [81, 82, 87], "{found:?}");
    for ((_, period), expected) in found.iter().zip([1.2, 2.0, 7.0]) {
        let off = if expected == 7.0 { 0.5 } else { 0.1 };
        assert!((period - expected).abs() <= off, "{found:?}");
    }
    // What the run itself found, it found by its counters.
    let live = fs::read_to_string(recorded.case.join("derived/findings.ndjson")).unwrap();
    let again = on(&recorded.case, &["check"], &["--ndjson", "--as-recorded"]);
    assert_eq!(again.text(), live);
    let counted = on(&recorded.case, &["check"], &["--json", "--as-recorded"]);
    let counted = rhythms(&counted.json());
    let is_heard = |it: &(u64, f64)| it.0 == 81 && (it.1 - 1.2).abs() <= 0.1;
    assert!(!counted.iter().any(is_heard), "{counted:?}");
    // Half of the packets are gone: what is left is heard, and what happened is said.
    let file = recorded.case.join("packets/000001.pcapng");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let damaged = on(&recorded.case, &["check"], &["--json"]);
    assert_eq!(damaged.code, Some(4), "{}", damaged.talk());
    let talk = damaged.talk();
    assert!(talk.contains("damaged: packets/000001.pcapng"), "{talk}");
    let found = rhythms(&serde_json::from_slice(&damaged.out).unwrap());
    assert!(found.iter().any(|it| it.0 == 81), "{found:?}");
}
