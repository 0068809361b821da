//! What imports tell, in whatever order.

use std::io::Write as _;

use model::NameSource::Sni;
use model::{
    Connection, ConnectionId, Device, DeviceId, Direction, Endpoint, Imported, Owner, Protocol,
    Snapshot, Source, State, Text, Tier, WhyUnknown,
};
use proptest::prelude::*;

use super::super::{Limits, Tracker};
use super::seen::{BOOT, answered, endpoint, greeted, host, id, key, millis, process};
use super::{HERE, SERVER};

const IP: &str = "203.0.113.9";
const PHONE: DeviceId = DeviceId::Mac([2, 0, 0, 0, 0, 1]);

fn whole(cookie: u64, protocol: Protocol, local: &str, opened: Option<i64>) -> Connection {
    let (local, remote): (Endpoint, _) = (endpoint(local), endpoint(SERVER));
    let socket = key(cookie);
    Connection {
        id: ConnectionId::of(BOOT, None, socket, protocol, local, Some(remote)),
        protocol,
        state: State::Closed,
        direction: Direction::Outbound,
        local,
        remote: Some(remote),
        netns: None,
        interface: None,
        socket,
        uid: None,
        opened: opened.map(millis),
        closed: opened.map(|opened| millis(opened + 100)),
        error: None,
        bytes_sent: Some(10),
        bytes_received: Some(20),
        packets_sent: None,
        packets_received: None,
        owner: Owner::Unknown {
            why: WhyUnknown::NotInSource,
        },
        also_held_by: Vec::new(),
        name: None,
        greeting: None,
        device: None,
        talk: None,
    }
}

fn owned(connection: Connection, pid: u32) -> Connection {
    Connection {
        owner: Owner::Known {
            process: id(pid),
            source: Source::Log,
        },
        ..connection
    }
}

fn put(connection: Connection) -> Imported {
    Imported::Connection(Box::new(connection))
}

fn read(all: impl IntoIterator<Item = Imported>) -> Snapshot {
    read_with(Limits::CASE, all)
}

fn read_with(limits: Limits, all: impl IntoIterator<Item = Imported>) -> Snapshot {
    let mut tracker = Tracker::new(host(), Tier::Import, limits);
    for imported in all {
        tracker.import(imported, &mut |_, _, _| {});
    }
    tracker.settle(&mut |_, _, _| {});
    tracker.snapshot()
}

/// All that does not hang on the order of reading.
fn picture(view: &Snapshot) -> String {
    let mut connections: Vec<_> = view.connections.iter().collect();
    connections.sort_by_key(|it| it.id);
    let mut pairs: Vec<_> = view.pairs.iter().map(|it| format!("{it:?}")).collect();
    pairs.sort();
    let names: Vec<_> = connections.iter().map(|it| (it.socket, &it.name)).collect();
    format!("{names:?} {pairs:#?} {:?} {:?}", view.devices, view.taken)
}

fn all() -> Vec<Imported> {
    let phone = Connection {
        device: Some(PHONE),
        ..whole(3, Protocol::Udp, "192.0.2.8:5000", Some(3000))
    };
    vec![
        put(owned(whole(1, Protocol::Tcp, HERE, Some(1000)), 7)),
        put(whole(2, Protocol::Tcp, "192.0.2.9:1", Some(2000))),
        put(phone),
        put(whole(4, Protocol::Tcp, "192.0.2.9:2", None)),
        process(7, "/usr/bin/curl").imported(),
        answered(900, "own.example", &[IP])
            .by(7)
            .from(HERE)
            .imported(),
        answered(1900, "their.example", &[IP])
            .from("192.0.2.9:99")
            .imported(),
        answered(2900, "late.example", &[IP])
            .from("192.0.2.9:99")
            .imported(),
        greeted(3050, Sni, "phone.example").udp(3).imported(),
        Imported::Device(Device {
            id: PHONE,
            name: Some(Text::from("phone")),
            addresses: vec![[192, 0, 2, 8].into()],
        }),
    ]
}

#[test]
fn without_pairs_all_else_is_the_same() {
    let with = read(all());
    let mut without = read_with(Limits::CASE.without_pairs(), all());
    assert!(without.pairs.is_empty() && !with.pairs.is_empty());
    without.pairs = with.pairs.clone();
    assert_eq!(picture(&without), picture(&with));
}

#[test]
fn an_import_tells_whole_connections() {
    let view = read(all());
    let mut names: Vec<_> = view
        .connections
        .iter()
        .map(|it| {
            let name = it.name.as_ref().unwrap();
            let (text, strength) = (name.name.lossy(), name.strength.word());
            (it.socket.cookie.unwrap(), format!("{text} {strength}"))
        })
        .collect();
    names.sort_unstable();
    let expected = [
        (1, "own.example answered".to_owned()),
        (2, "their.example answered_to_device".to_owned()),
        (3, "phone.example greeted".to_owned()),
        (4, "late.example answered_to_device".to_owned()),
    ];
    assert_eq!(names, expected);
    let mut pairs: Vec<_> = view
        .pairs
        .iter()
        .map(|it| {
            let program = it.key.program.as_ref().map(|it| it.lossy().into_owned());
            (program, it.key.device, it.connections, it.bytes_sent)
        })
        .collect();
    pairs.sort();
    let curl = Some("/usr/bin/curl".to_owned());
    let expected = [
        (None, None, 2, 20),
        (None, Some(PHONE), 1, 10),
        (curl, None, 1, 10),
    ];
    assert_eq!(pairs, expected);
    assert_eq!(view.devices[&PHONE].name, Some(Text::from("phone")));
    assert_eq!(view.taken, millis(3100));
}

#[test]
fn a_connection_that_comes_again_is_counted_once() {
    let first = whole(1, Protocol::Tcp, HERE, Some(1000));
    let again = Connection {
        bytes_sent: Some(500),
        closed: Some(millis(9000)),
        ..first.clone()
    };
    let open = Connection {
        state: State::Established,
        closed: None,
        ..first.clone()
    };
    let name = greeted(1010, Sni, "sni.example").tcp(1).imported();
    let view = read([put(open), name, put(first), put(again)]);
    assert_eq!(view.connections.len(), 1);
    let connection = view.connections.iter().next().unwrap();
    assert_eq!(connection.bytes_sent, Some(500));
    assert!(connection.name.is_some());
    let pair = view.pairs.iter().next().unwrap();
    let sums = (
        pair.connections,
        pair.open,
        pair.bytes_sent,
        pair.calls.len(),
    );
    assert_eq!(sums, (1, 0, 500, 1));
}

#[test]
fn a_source_that_knows_less_takes_nothing_away() {
    let full = whole(1, Protocol::Tcp, HERE, Some(1000));
    let open = Connection {
        state: State::Established,
        closed: None,
        ..full.clone()
    };
    let sparse = Connection {
        state: State::Unknown,
        bytes_sent: None,
        ..open.clone()
    };
    for all in [
        [&sparse, &full, &open],
        [&full, &sparse, &open],
        [&open, &sparse, &full],
    ] {
        let view = read(all.map(|it| put(it.clone())));
        let connection = view.connections.iter().next().unwrap();
        assert_eq!(
            (connection.state, connection.bytes_sent),
            (State::Closed, Some(10))
        );
        assert_eq!(view.pairs.iter().next().unwrap().connections, 1);
    }
    assert_eq!(read([put(sparse)]).connections.len(), 1);
}

#[test]
fn a_name_finds_its_connection_by_the_ends() {
    let name = || {
        let name = greeted(1010, Sni, "sni.example");
        let name = name.without_cookie(Protocol::Tcp);
        name.from(HERE).to(SERVER).imported()
    };
    let connection = || put(whole(1, Protocol::Tcp, HERE, Some(1000)));
    for all in [[name(), connection()], [connection(), name()]] {
        let view = read(all);
        assert!(view.connections.iter().all(|it| it.name.is_some()));
    }
}

#[test]
fn what_is_let_go_is_counted_and_its_pair_stays() {
    let limits = Limits {
        closed_connections: 3,
        open_connections: 2,
        ..Limits::CASE
    };
    let mut tracker = Tracker::new(host(), Tier::Import, limits);
    for number in 0..10 {
        let connection = owned(whole(number, Protocol::Udp, HERE, Some(1000)), 7);
        tracker.import(put(connection), &mut |_, _, _| {});
        let open = Connection {
            state: State::Open,
            closed: None,
            ..whole(100 + number, Protocol::Udp, HERE, Some(1000))
        };
        tracker.import(put(open), &mut |_, _, _| {});
    }
    tracker.settle(&mut |_, _, _| {});
    let view = tracker.snapshot();
    assert_eq!(view.connections.len(), 5);
    let gone = tracker.let_go();
    assert_eq!((gone.closed_connections, gone.open_connections), (7, 8));
    let sums: u64 = view.pairs.iter().map(|it| it.connections).sum();
    assert_eq!(sums, 20);
}

/// The order in which the things of `all` are read.
fn any_order() -> impl Strategy<Value = Vec<Imported>> {
    let places: Vec<_> = (0..all().len()).collect();
    Just(places).prop_shuffle().prop_map(|places| {
        let all = all();
        places.into_iter().map(|place| all[place].clone()).collect()
    })
}

proptest! {
    #[test]
    fn the_order_of_reading_means_nothing(order in any_order()) {
        let (one, other) = (picture(&read(order)), picture(&read(all())));
        prop_assert!(one == other, "{}\n---\n{}", one, other);
    }
}

#[test]
#[ignore = "a measurement"]
fn a_million_whole_connections() {
    measure(70_000);
    measure(20_000);
}

fn measure(destinations: u64) {
    let mut tracker = Tracker::new(host(), Tier::Import, Limits::CASE);
    let connections: Vec<_> = (0..1_000_000_u64)
        .map(|number| {
            let ip: std::net::IpAddr = std::net::Ipv4Addr::from_bits(
                u32::from_be_bytes([203, 0, 0, 0]) + u32::try_from(number % destinations).unwrap(),
            )
            .into();
            let protocol = [Protocol::Tcp, Protocol::Udp][usize::try_from(number % 2).unwrap()];
            let mut it = whole(number, protocol, HERE, Some(i64::try_from(number).unwrap()));
            it.remote = Some(Endpoint::new(ip, 443));
            it.id = ConnectionId(
                [&number.to_be_bytes()[..], &[0; 8]]
                    .concat()
                    .try_into()
                    .unwrap(),
            );
            it.name = None;
            put(it)
        })
        .collect();
    let begun = std::time::Instant::now();
    for it in connections {
        tracker.import(it, &mut |_, _, _| {});
    }
    let read = begun.elapsed();
    tracker.settle(&mut |_, _, _| {});
    let view = tracker.snapshot();
    assert_eq!(view.connections.len(), 1_000_000);
    let mut out = std::io::stderr();
    let _ = writeln!(out, "read {read:?}, settled {:?}", begun.elapsed());
}
