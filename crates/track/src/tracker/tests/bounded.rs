//! Whatever happens, what is kept is bounded, and what is let go is counted.

use std::collections::HashSet;

use model::{Event, EventKind, IcmpKind, Observed, Phase, Protocol, Snapshot, State};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Change, LetGo, Limits};
use super::seen::{Seen, counts, gap, look, process, seen, socket, tick};
use super::told::{Run, run};

const SMALL: Limits = Limits {
    closed_connections: 8,
    open_connections: 6,
    pairs: 4,
    calls_per_pair: 5,
    calls: 12,
    ended_processes: 3,
};

#[test]
fn a_long_run_keeps_as_much_as_the_limits_say() {
    let mut run = run(SMALL, []);
    for number in 0..1000 {
        let (at, pid) = (i64::from(number) * 10, 10 + number);
        let remote = format!("203.0.113.{}:443", number % 7);
        let cookie = u64::from(number);
        run.step(process(pid, "/usr/bin/curl"));
        run.step(seen(at, EventKind::Attempt).tcp(cookie).by(pid).to(&remote));
        run.step(seen(at + 1, EventKind::FirstPacket).tcp(cookie));
        run.step(seen(at + 2, EventKind::Opened).tcp(cookie).by(pid));
        run.step(seen(at + 3, EventKind::Closed).tcp(cookie).counted(1, 2));
        run.step(seen(at + 4, EventKind::ProcessEnded).by(pid));
    }
    let view = run.view();
    let calls: usize = view.pairs.iter().map(|pair| pair.calls.len()).sum();
    assert_eq!(view.connections.len(), 8);
    // Eight are named by connections.
    assert_eq!(view.processes.len(), 8 + 3);
    assert_eq!(
        run.tracker.let_go(),
        LetGo {
            closed_connections: 992,
            open_connections: 0,
            pairs: 996,
            calls: 1000 - u64::try_from(calls).unwrap(),
            processes: 989,
        }
    );
}

#[test]
fn the_oldest_open_ones_are_let_go() {
    let mut run = run(SMALL, []);
    for cookie in 1..=20 {
        let at = i64::try_from(cookie).unwrap();
        let opened = seen(at, EventKind::Opened).tcp(cookie).by(7);
        run.step(opened.to("203.0.113.9:443"));
    }
    let view = run.view();
    let mut left: Vec<_> = view
        .connections
        .iter()
        .filter_map(|it| it.socket.cookie)
        .collect();
    left.sort_unstable();
    assert_eq!(left, [15, 16, 17, 18, 19, 20]);
    assert_eq!(run.tracker.let_go().open_connections, 14);
    let pair = view.pairs.iter().next().unwrap();
    assert_eq!((pair.connections, pair.open), (20, 6));
}

#[test]
fn callers_from_outside_do_not_drive_out_whom_this_computer_calls() {
    let mut run = run(SMALL, []);
    let beacon = seen(1, EventKind::Opened).tcp(1).by(7);
    run.step(beacon.to("203.0.113.9:443"));
    for number in 0..100_u8 {
        let caller = format!("198.51.100.{number}:5000");
        let accepted = seen(2, EventKind::Accepted).tcp(u64::from(number) + 2);
        run.step(accepted.by(8).to(&caller));
    }
    let view = run.view();
    assert!(view.pairs.len() <= SMALL.pairs);
    assert!(
        view.pairs
            .iter()
            .any(|pair| pair.key.destination == "203.0.113.9")
    );
}

#[test]
fn a_program_that_calls_everywhere_drives_out_its_own_calls_only() {
    let mut run = run(
        SMALL,
        [process(7, "/usr/bin/quiet"), process(8, "/usr/bin/noisy")],
    );
    let beacon = seen(1, EventKind::Opened).tcp(1).by(7);
    run.step(beacon.to("203.0.113.9:443"));
    for number in 0..100_u8 {
        let noise = format!("198.51.100.{number}:5000");
        let opened = seen(2, EventKind::Opened).tcp(u64::from(number) + 2);
        run.step(opened.by(8).to(&noise));
    }
    let view = run.view();
    let mut destinations = view.pairs.iter().map(|pair| &pair.key.destination);
    assert!(destinations.any(|it| it == "203.0.113.9"));
}

#[test]
fn a_pair_with_few_calls_keeps_them() {
    let limits = Limits {
        calls_per_pair: 100,
        calls: 60,
        ..SMALL
    };
    let mut run = run(limits, []);
    let mut call = |at: i64, remote: &str| {
        let cookie = u64::try_from(at).unwrap();
        run.step(seen(at, EventKind::Opened).tcp(cookie).by(7).to(remote));
    };
    (0..3).for_each(|at| call(at, "203.0.113.1:443"));
    (10..500).for_each(|at| call(at, "203.0.113.2:443"));
    let view = run.view();
    let mut calls: Vec<_> = view
        .pairs
        .iter()
        .map(|it| (it.calls.len(), it.let_go))
        .collect();
    calls.sort_unstable();
    assert_eq!(calls, [(3, 0), (50, 440)]);
    assert_eq!(run.tracker.let_go().calls, 440);
}

proptest! {
    #[test]
    fn every_connection_is_accounted_for(
        steps in prop::collection::vec(step(), 0..200),
        open_connections in select(vec![6, 1000]),
    ) {
        let limits = Limits { open_connections, ..SMALL };
        let mut run = run(limits, []);
        let mut revision = 0;
        for step in steps {
            let told_before = run.told.len();
            run.step(step);
            let view = run.view();
            accounted(&run, &view, limits)?;
            if run.tracker.let_go().open_connections == 0 {
                shows_what_changed(&run, told_before, revision, &view)?;
            }
            revision = view.connections.revision();
        }
    }

    #[test]
    fn the_same_steps_give_the_same(steps in prop::collection::vec(step(), 0..200)) {
        let (mut one, mut other) = (run(SMALL, steps.clone()), run(SMALL, steps));
        prop_assert_eq!(&one.told, &other.told);
        let (one, other) = (one.view(), other.view());
        prop_assert!(one.connections.iter().eq(&other.connections));
        prop_assert!(one.pairs.iter().eq(&other.pairs));
        prop_assert_eq!(one.processes, other.processes);
    }
}

/// Opened in all: open, kept, or let go.
fn accounted(run: &Run, view: &Snapshot, limits: Limits) -> Result<(), TestCaseError> {
    let let_go = run.tracker.let_go();
    let count = |changes: &[Change]| {
        let told = run.told.iter().filter(|(it, _)| changes.contains(it));
        u64::try_from(told.count()).unwrap()
    };
    let closed = view.connections.iter().filter(|it| it.closed.is_some());
    let closed = closed.count();
    let open = view.connections.len() - closed;
    let (closed_kept, open_kept) = (closed as u64, open as u64);
    let begun = count(&[Change::Present, Change::Opened]);
    let ended = count(&[Change::Closed]);
    prop_assert_eq!(ended, closed_kept + let_go.closed_connections);
    prop_assert_eq!(begun - ended, open_kept + let_go.open_connections);
    prop_assert!(closed <= limits.closed_connections);
    prop_assert!(open <= limits.open_connections);

    if let_go.open_connections == 0 {
        // One that was let go while it stood may come again as it was.
        let ids: HashSet<_> = view.connections.iter().map(|it| it.id).collect();
        prop_assert_eq!(ids.len(), view.connections.len());
    }

    let calls: usize = view.pairs.iter().map(|pair| pair.calls.len()).sum();
    prop_assert!(view.pairs.len() <= limits.pairs);
    prop_assert!(calls <= limits.calls);
    let mut open_in_pairs = 0;
    for pair in &view.pairs {
        let opened: Vec<_> = pair.calls.iter().map(|call| call.opened).collect();
        prop_assert!(opened.is_sorted());
        prop_assert!(opened.len() <= limits.calls_per_pair);
        prop_assert!(pair.open + pair.failed <= pair.connections);
        prop_assert!(opened.len() as u64 + pair.let_go <= pair.connections);
        open_in_pairs += pair.open;
    }
    prop_assert!(open_in_pairs <= open_kept);

    let named: HashSet<_> = view
        .connections
        .iter()
        .flat_map(|it| {
            it.owner
                .process()
                .into_iter()
                .chain(it.also_held_by.clone())
        })
        .collect();
    let idle = view.processes.values();
    let idle = idle.filter(|it| it.ended.is_some() && !named.contains(&it.id));
    prop_assert!(idle.count() <= limits.ended_processes);
    Ok(())
}

/// The connections that were told of and are still kept are those that the shelf says are new.
fn shows_what_changed(
    run: &Run,
    told_before: usize,
    revision: u64,
    view: &Snapshot,
) -> Result<(), TestCaseError> {
    let changed = view.connections.changed_since(revision);
    let changed: HashSet<_> = changed.map(|it| it.id).collect();
    let told = run.told[told_before..].iter().map(|(_, it)| it.id);
    let told: HashSet<_> = told.collect();
    let kept: HashSet<_> = view.connections.iter().map(|it| it.id).collect();
    let told: HashSet<_> = told.intersection(&kept).copied().collect();
    prop_assert_eq!(changed, told);
    Ok(())
}

fn step() -> impl Strategy<Value = Seen> {
    let at = 0..200_000_i64;
    let sockets = prop::collection::vec(held(), 0..5);
    prop_oneof![
        20 => event(),
        2 => at.clone().prop_map(tick),
        1 => at.clone().prop_map(|at| gap(at, 3)),
        2 => (1..12_u32).prop_map(|pid| process(pid, "/bin/it")),
        3 => (at.clone(), 0..6_u64, remote(), 0..9_u64).prop_map(|(at, cookie, remote, count)| {
            counts(at, cookie, remote, count, count)
        }),
        2 => (at, sockets).prop_map(|(at, sockets)| look(at, sockets)),
    ]
}

fn event() -> impl Strategy<Value = Seen> {
    use EventKind::*;
    let kinds = select(vec![
        Attempt,
        Attempt,
        Opened,
        Accepted,
        Listening,
        FirstPacket,
        OwnerChanged,
        Error,
        Closed,
        ProcessEnded,
        ProcessExec,
        Resumed,
    ]);
    let phases = select(vec![
        Phase::Connect,
        Phase::Handshake,
        Phase::Established,
        Phase::Send,
    ]);
    let whose = (0..6_u64, prop::option::weighted(0.9, protocol()));
    let what = (0..12_u32, phases, any::<bool>(), 0..9_u64);
    (0..200_000_i64, kinds, whose, remote(), what).prop_map(
        |(at, kind, (cookie, protocol), remote, (pid, phase, flag, count))| {
            let mut event = seen(at, kind).of(cookie, Protocol::Tcp);
            if kind == Error {
                event = event.failed(111, phase);
            }
            if let Some(remote) = remote {
                event = event.to(remote);
            }
            if pid > 0 {
                event = event.by(pid);
            }
            if flag {
                event = event.from("192.0.2.7:40512").counted(count, count);
            }
            if let Observed::Event(Event {
                socket,
                protocol: it,
                ..
            }) = &mut event.0
            {
                *it = protocol;
                // A source without cookies.
                *socket = socket.filter(|_| cookie != 0);
            }
            event
        },
    )
}

fn held() -> impl Strategy<Value = super::seen::Held> {
    let states = select(State::ALL.to_vec());
    let pids = prop::collection::vec(1..12_u32, 0..3);
    (0..6_u64, remote(), states, pids, any::<bool>()).prop_map(
        |(cookie, remote, state, pids, udp)| {
            let mut held = socket(cookie)
                .from("192.0.2.7:40512")
                .is(state)
                .held_by(&pids);
            if let Some(remote) = remote {
                held = held.to(remote);
            }
            if udp { held.udp() } else { held }
        },
    )
}

fn remote() -> impl Strategy<Value = Option<&'static str>> {
    let remotes = vec![
        "203.0.113.1:53",
        "203.0.113.2:53",
        "[2001:db8::1]:443",
        "203.0.113.3",
    ];
    prop::option::weighted(0.7, select(remotes))
}

fn protocol() -> impl Strategy<Value = Protocol> {
    select(vec![
        Protocol::Tcp,
        Protocol::Tcp,
        Protocol::Udp,
        Protocol::Icmp(IcmpKind::default()),
        Protocol::Raw { ip_protocol: 253 },
        Protocol::Packet { ethertype: 3 },
    ])
}
