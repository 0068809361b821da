//! What it costs to make and paint the rows of each view, and to move the cursor.
//!
//! `cargo test --release -p show cost -- --ignored --nocapture` prints it.

use std::collections::{BTreeSet, HashMap};
use std::io::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{
    About, Call, Calls, Confidence, Connection, Finding, FindingId, Findings, Pair, PairKey,
    Process, Protocol, Reach, Severity, Snapshot, State, Text,
};

use super::stage::{Stage, seconds_ago};
use crate::table::sample::{self, connection, known};
use crate::tui::Theme;

const PROGRAMS: usize = 1000;
/// Of each program, at most.
const PAIRS: usize = 20;

/// Connections of a thousand programs; every fourth has ended, every eighth failed.
fn busy(connections: usize) -> Snapshot {
    let pid = |number: usize| 2000 + u32::try_from(number % PROGRAMS).unwrap();
    let file = |number: usize| format!("/opt/program-{}/bin/program", number % PROGRAMS);
    let address = |number: usize| {
        let other = number / PROGRAMS % PAIRS * 7919 + number % PROGRAMS;
        format!(
            "198.{}.{}.{}",
            18 + other % 2,
            other / 256 % 256,
            other % 256
        )
    };
    let processes: Vec<Process> = (0..PROGRAMS)
        .map(|number| {
            let mut process = sample::process(pid(number), "program", &file(number));
            process.parents = vec![model::Parent {
                pid: pid(number / 2),
                name: "program".into(),
                path: None,
            }];
            process
        })
        .collect();
    let all: Vec<Connection> = (0..connections)
        .map(|number| {
            let port = 1024 + number % 60_000;
            let local = format!("192.0.{}.7:{port}", number / 60_000);
            let to = format!("{}:443", address(number));
            let mut connection = connection(known(pid(number)), &local, &to);
            connection.opened = Some(seconds_ago(i64::try_from(number % 900).unwrap()));
            if number % 4 == 0 {
                connection.closed = Some(seconds_ago(0));
                connection.state = State::Closed;
            }
            if number % 8 == 0 {
                connection.state = State::Failed;
            }
            connection
        })
        .collect();
    let mut snapshot = sample::snapshot(processes, all);
    let pairs = (0..connections.min(PROGRAMS * PAIRS)).map(|number| {
        let mut calls = Calls::default();
        for ago in (0..50).rev() {
            calls.add(Call {
                opened: seconds_ago(ago * 6),
                closed: Some(seconds_ago(ago * 6 - 1)),
                failed: false,
                bytes_sent: 100,
                bytes_received: 0,
            });
        }
        Pair {
            key: PairKey {
                device: None,
                program: Some(file(number).as_str().into()),
                destination: address(number),
                port: Some(443),
                local_port: None,
                protocol: Protocol::Tcp,
            },
            first: seconds_ago(300),
            last: seconds_ago(0),
            connections: 50,
            failed: u64::from(number % 8 == 0),
            open: 1,
            bytes_sent: 5000,
            bytes_received: 0,
            calls,
            let_go: 0,
            talks: model::Talks::default(),
            members: std::sync::Arc::default(),
        }
    });
    snapshot.pairs = pairs.collect();
    snapshot
}

/// The same, and something was found of each program.
fn judged(connections: usize) -> Snapshot {
    let mut snapshot = busy(connections);
    let mut addresses: HashMap<Text, BTreeSet<IpAddr>> = HashMap::new();
    for connection in &snapshot.connections {
        let program = snapshot.owner_of(connection).unwrap().program().clone();
        let ip = connection.remote.unwrap().ip.unwrap();
        addresses.entry(program).or_default().insert(ip);
    }
    let all = addresses.into_iter().map(|(program, addresses)| {
        let about = About {
            program: Some(program),
            reach: Reach::Remotes {
                addresses: addresses.into_iter().collect(),
                names: Vec::new(),
                service: None,
            },
            ..About::default()
        };
        Arc::new(Finding {
            id: FindingId::of("hosting", &about, ""),
            rule: "hosting",
            severity: Severity::Medium,
            confidence: Confidence::Low,
            facts: Vec::new(),
            evidence: Vec::new(),
            attack: Vec::new(),
            about,
        })
    });
    snapshot.findings = Findings::new(1, all.collect(), Vec::new());
    snapshot
}

/// The shortest of a few: whatever else runs makes the others longer.
fn shortest(mut measured: impl FnMut()) -> Duration {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        measured();
        start.elapsed()
    });
    times.min().unwrap()
}

#[test]
#[ignore = "it measures and can take long"]
fn cost() {
    let mut out = std::io::stdout().lock();
    for (connections, is_judged) in [(10_000, false), (100_000, false), (100_000, true)] {
        let mut stage = Stage::new(160, 45, Theme::default());
        let (snapshot, judgement) = match is_judged {
            true => (judged(connections), "judged"),
            false => (busy(connections), ""),
        };
        stage.show(snapshot);
        for (keys, name) in [
            ("1", "overview"),
            ("2", "connections"),
            ("2c", "connections by process"),
            ("bbbb3", "processes"),
            ("4", "destinations"),
            ("5", "timeline"),
            ("6", "history"),
            ("6/port:443<Enter>", "history with filter"),
            ("1", "overview with filter"),
            ("<Esc>1<Enter>", "overview with details"),
            ("<Enter>7", "findings"),
            ("2/severity:>=medium<Enter>", "connections by severity"),
        ] {
            stage.press(keys);
            let all = shortest(|| {
                stage.screen.stale = true;
                stage.paint();
            });
            let key = shortest(|| {
                stage.press("<Down>");
                stage.paint();
            });
            writeln!(
                out,
                "{connections:7} {judgement:6} {name:24} rows and picture {:7.1} ms   cursor key {:5.1} ms",
                all.as_secs_f64() * 1000.0,
                key.as_secs_f64() * 1000.0
            )
            .unwrap();
        }
    }
}
