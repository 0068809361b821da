//! Going on from what was restated, and folding a second time.

use std::collections::BTreeMap;

use model::EventKind::{
    self, Accepted, Attempt, Closed, Error, FirstPacket, Listening, Opened, OwnerChanged,
};
use model::{Connection, ConnectionId, NameSource, Phase, Protocol, Snapshot};
use proptest::prelude::*;

use super::seen::{Seen, answered, counts, gap, greeted, look, process, seen, socket, tick};
use super::told::{Run, run};
use super::{HERE, Limits, SERVER};
use crate::Tracker;

const KINDS: [EventKind; 8] = [
    Attempt,
    Opened,
    Accepted,
    Listening,
    FirstPacket,
    OwnerChanged,
    Error,
    Closed,
];

/// Some step at a time; sockets, peers and processes are few, so that they meet.
fn any_step() -> impl Strategy<Value = (u16, u8, u8, u8, u8)> {
    (
        0..40_u16,
        0..15_u8,
        0..5_u8,
        0..3_u8,
        prop_oneof![8 => 0..8_u8, 1 => 8..12_u8],
    )
}

/// Steps one after the other in time.
fn steps(all: &[(u16, u8, u8, u8, u8)]) -> Vec<Seen> {
    let mut at = 1_i64;
    let step = |(pause, what, cookie, peer, pid): &(u16, u8, u8, u8, u8)| {
        at += i64::from(*pause).pow(3);
        let peers = [SERVER, "203.0.113.10:53", "198.51.100.7:53"];
        let remote = peers[usize::from(*peer)];
        let (cookie, pid) = (u64::from(*cookie) + 1, u32::from(*pid) + 1);
        match (what, KINDS.get(usize::from(*what))) {
            (_, Some(kind)) => {
                let event = seen(at, *kind);
                let event = match (cookie, peer) {
                    (1..=2, _) => event.tcp(cookie),
                    (5, 0) => event.without_cookie(model::Protocol::Tcp).from(HERE),
                    _ => event.udp(cookie),
                };
                let event = if pid % 2 == 0 { event.by(pid) } else { event };
                let event = match (kind, pid) {
                    (Error, _) => event.failed(111, Phase::Handshake),
                    (Closed, _) => event.counted(u64::from(pid) * 100, 7),
                    _ => event,
                };
                if pid % 3 == 0 {
                    event
                } else {
                    event.to(remote)
                }
            }
            (8, None) => tick(at),
            (9, None) => counts(at, cookie, Some(remote), u64::from(pid) * 50, 5),
            (10, None) if pid > 4 => gap(at, 3),
            (10, None) => process(pid, "/usr/bin/it"),
            (11, None) => {
                let names = ["a.example", "b.example", "c.example"];
                let name = names[usize::from(*peer)];
                let ip = remote.split(':').next().unwrap();
                let answer = answered(at, name, &[ip, "203.0.113.9"]);
                if pid % 2 == 0 { answer.by(pid) } else { answer }
            }
            (12, None) => {
                let name = greeted(at, NameSource::Sni, "greeted.example");
                name.of(
                    cookie,
                    if cookie <= 2 {
                        Protocol::Tcp
                    } else {
                        Protocol::Udp
                    },
                )
                .to(remote)
            }
            (13, None) => greeted(at, NameSource::Host, "host.example")
                .without_cookie(Protocol::Tcp)
                .from(HERE)
                .to(remote),
            (_, None) => look(
                at,
                [
                    socket(1 + cookie % 2)
                        .from(HERE)
                        .to(remote)
                        .held_by(&[pid, 3]),
                    socket(3 + cookie % 3).udp().from(HERE).to(remote),
                ],
            ),
        }
    };
    all.iter().map(step).collect()
}

fn open(view: &Snapshot) -> BTreeMap<ConnectionId, Connection> {
    let open = view.connections.iter().filter(|it| it.closed.is_none());
    open.map(|it| (it.id, without_talk(it))).collect()
}

/// When it sent is kept anew from there on, as its pair is.
fn without_talk(connection: &Connection) -> Connection {
    Connection {
        talk: None,
        ..connection.clone()
    }
}

/// Goes on with `rest` after `first`, once as it was and once from what was restated.
#[track_caller]
fn check(limits: Limits, first: Vec<Seen>, rest: Vec<Seen>) {
    let mut whole = run(limits, first);
    let state = whole.tracker.restate();
    let mut resumed = run(limits, []);
    resumed.tracker.resume(state.clone(), &mut |_, _, _| {});
    assert_eq!(open(&resumed.view()), open(&whole.view()));
    assert_eq!(resumed.tracker.restate(), state);
    whole.told.clear();
    for step in rest {
        whole.step(step.clone());
        resumed.step(step);
        let told = |run: &Run| -> Vec<_> {
            let told = run.told.iter();
            told.map(|(change, it)| (*change, without_talk(it)))
                .collect()
        };
        assert_eq!(told(&resumed), told(&whole));
    }
    assert_eq!(open(&resumed.view()), open(&whole.view()));
    assert_eq!(resumed.view().gaps, whole.view().gaps);
}

#[test]
fn a_silent_peer_ends_as_if_all_had_been_seen() {
    let first = vec![
        process(2, "/usr/bin/it"),
        seen(10, Attempt).udp(3).by(2).to(SERVER),
        seen(20, Closed).udp(3).to(SERVER),
        seen(30, Attempt).udp(3).by(2).to(SERVER),
    ];
    check(Limits::default(), first, vec![tick(59_000), tick(61_000)]);
}

#[test]
fn what_stands_already_is_taken_over() {
    let first = vec![
        seen(10, Attempt).tcp(1).by(2).to(SERVER),
        seen(20, Attempt).tcp(2).by(2).to(SERVER),
    ];
    let mut behind = run(Limits::default(), first.clone());
    let mut ahead = run(Limits::default(), first);
    ahead.step(seen(30, Closed).tcp(2));
    ahead.step(seen(40, Opened).tcp(1).from(HERE));
    ahead.step(seen(50, Attempt).tcp(3).by(2).to(SERVER));
    let Run { tracker, .. } = &mut behind;
    let mut told = Vec::new();
    tracker.resume(ahead.tracker.restate(), &mut |change, _, it| {
        told.push((change.word(), it.socket.cookie.unwrap()));
    });
    assert_eq!(told, [("closed", 2), ("updated", 1), ("present", 3)]);
    assert_eq!(open(&behind.view()), open(&ahead.view()));
}

fn all(tracker: &mut Tracker) -> String {
    tracker.settle(&mut |_, _, _| {});
    let view = tracker.snapshot();
    let connections: Vec<_> = view.connections.places().collect();
    let pairs: Vec<_> = view.pairs.iter().collect();
    let processes: BTreeMap<_, _> = view.processes.iter().collect();
    let counts = tracker.let_go();
    format!(
        "{connections:?} {pairs:?} {processes:?} {:?} {counts:?}",
        view.gaps
    )
}

proptest! {
    #[test]
    fn going_on_tells_the_same(first in prop::collection::vec(any_step(), 0..60), rest in prop::collection::vec(any_step(), 0..40)) {
        let count = first.len();
        let mut all = steps(&[first, rest].concat());
        let rest = all.split_off(count);
        check(Limits::default(), all, rest);
    }

    /// Also where some are let go: nothing hangs on the order of a hash table.
    #[test]
    fn folding_again_gives_the_same(steps_taken in prop::collection::vec(any_step(), 0..150), few: bool) {
        let limits = if few {
            Limits { closed_connections: 3, open_connections: 4, pairs: 3, calls_per_pair: 2, calls: 4, ended_processes: 1 }
        } else {
            Limits::default()
        };
        let mut one = run(limits, steps(&steps_taken));
        let mut other = run(limits, steps(&steps_taken));
        prop_assert_eq!(&one.told, &other.told);
        prop_assert_eq!(all(&mut one.tracker), all(&mut other.tracker));
    }

    /// What is told does not hang on how many that are over are kept.
    #[test]
    fn a_case_tells_what_was_told_live(steps_taken in prop::collection::vec(any_step(), 0..100)) {
        let live = run(Limits::default(), steps(&steps_taken));
        let case = run(Limits::CASE, steps(&steps_taken));
        prop_assert_eq!(live.told, case.told);
    }
}
