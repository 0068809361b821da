//! What packets tell in the place of counters.

use model::EventKind::Opened;
use model::{Protocol, Snapshot};

use super::seen::{all_counts, endpoint, millis, process, seen};
use super::told::run;
use super::{HERE, Limits, SERVER};
use crate::{Hearing, Sent};

/// One connection that is opened at once; its counter is read every two seconds and has grown by so much.
fn counted(protocol: Protocol, grown: &[u64]) -> Snapshot {
    let opened = seen(10, Opened).of(1, protocol).by(7).from(HERE).to(SERVER);
    let mut sent = 0;
    let readings = (1..).zip(grown).map(|(turn, more)| {
        sent += more;
        all_counts(turn * 2000, &[(1, sent)])
    });
    let things = [process(7, "/usr/bin/call"), opened].into_iter();
    run(Limits::default(), things.chain(readings)).view()
}

fn packet(at: i64, sequence: Option<u32>) -> Sent {
    Sent {
        time: millis(at),
        netns: None,
        interface: 0,
        protocol: sequence.map_or(Protocol::Udp, |_| Protocol::Tcp),
        source: endpoint(HERE),
        destination: endpoint(SERVER),
        sequence,
        bytes: 20,
    }
}

/// How many bursts and bytes are known of the connection, and whether its pair knows the same.
fn check(snapshot: Snapshot, packets: &[Sent], at: Option<i64>, expected: Option<(u64, u64)>) {
    let mut hearing = Hearing::of(&snapshot);
    packets.iter().for_each(|packet| hearing.sent(packet));
    let snapshot = hearing.heard().put(snapshot, at.map(millis));
    let connection = snapshot.connections.iter().next().unwrap();
    let talk = connection.talk.as_deref();
    assert_eq!(talk.map(|it| (it.count(), it.bytes())), expected);
    let pair = snapshot.pairs.iter().next().unwrap();
    let of_pair = pair.talks.iter().next().map(|(_, talk)| talk);
    let is_kept = |it: &&model::Talk| it.count() >= 6 || of_pair.is_some();
    assert_eq!(of_pair, talk.filter(is_kept));
}

/// Every 1.2 seconds from the fourth second on.
fn beats(count: u32) -> Vec<Sent> {
    let beat = |turn: u32| packet(4000 + 1200 * i64::from(turn), Some(1000 + 20 * turn));
    (0..count).map(beat).collect()
}

#[test]
fn packets_tell_more_than_counters() {
    let steady = || counted(Protocol::Tcp, &[40; 20]);
    check(steady(), &[], None, Some((1, 760)));
    check(steady(), &beats(30), None, Some((30, 600)));
    check(steady(), &beats(30), Some(10_500), Some((6, 120)));
    // Before the first of them.
    check(steady(), &beats(30), Some(3500), Some((1, 760)));
}

#[test]
fn where_packets_are_missing_counters_stay() {
    let seldom = || counted(Protocol::Tcp, &[20, 0, 0].repeat(10));
    check(seldom(), &[], None, Some((9, 180)));
    check(seldom(), &beats(7), None, Some((9, 180)));
    check(seldom(), &beats(8), None, Some((8, 160)));
}

#[test]
fn who_never_pauses_has_no_pace() {
    // A reading that comes late makes two bursts of one.
    let late = || counted(Protocol::Udp, &[20, 20, 0].repeat(10));
    check(late(), &[], None, Some((10, 380)));
    let all: Vec<_> = (8..120).map(|it| packet(it * 500, None)).collect();
    check(late(), &all, None, Some((1, 2240)));
    // They are there for the second half only.
    check(late(), &all[56..], None, Some((10, 380)));
}

#[test]
fn what_is_sent_again_and_what_is_of_others_is_no_beat() {
    let mut packets = beats(10);
    let again = beats(10).into_iter().map(|it| Sent {
        time: millis(it.time.unix_nanos() / 1_000_000 + 20_000),
        ..it
    });
    packets.extend(again);
    packets.extend(beats(10).into_iter().map(|it| Sent {
        source: it.destination,
        destination: it.source,
        ..it
    }));
    packets.extend(beats(10).into_iter().map(|it| Sent {
        netns: Some(model::NetworkNamespace(7)),
        ..it
    }));
    let snapshot = counted(Protocol::Tcp, &[40; 20]);
    check(snapshot, &packets, None, Some((10, 200)));
}

#[test]
fn what_comes_first_is_no_beat() {
    let packets = [0, 500, 1500, 2900].map(|at| packet(at, Some(u32::try_from(at).unwrap())));
    check(counted(Protocol::Tcp, &[0; 5]), &packets, None, None);
}

#[test]
fn a_datagram_on_its_way_out_is_one() {
    let first = (2..12).map(|turn| packet(turn * 3000, None));
    let packets: Vec<_> = first
        .flat_map(|first| {
            let second = Sent {
                interface: 1,
                time: millis(first.time.unix_nanos() / 1_000_000 + 1),
                ..first
            };
            [first, second]
        })
        .collect();
    let snapshot = counted(Protocol::Udp, &[40; 20]);
    check(snapshot, &packets, None, Some((10, 200)));
}
