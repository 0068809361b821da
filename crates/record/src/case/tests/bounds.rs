//! A case stays within its size, and leaves room on the disk.

use super::*;

fn check_ring(recipients: Option<Recipients>) {
    let folder = Folder::new();
    let max_size = 2 * MIB;
    let about = About {
        max_size: Some(max_size),
        ..about()
    };
    let case = begin(
        &folder,
        Settings {
            about,
            recipients,
            ..settings()
        },
    );
    let (mut events, mut packets) = (case.stream(Kind::Events), case.stream(Kind::Packets));
    events.begin(at(0)).unwrap();
    packets.begin(at(0)).unwrap();
    for round in 0..600 {
        events.write(&lines(0, 100)).unwrap();
        packets.write(&block(20_000)).unwrap();
        if round % 4 == 0 {
            events.flush_to_disk().unwrap();
            packets.flush_to_disk().unwrap();
        }
        for stream in [&mut events, &mut packets] {
            if stream.is_due(at(round)) {
                stream.close(at(round), 1).unwrap();
                stream.begin(at(round)).unwrap();
            }
        }
        let bytes = folder.bytes();
        assert!(bytes <= max_size, "{bytes} in round {round}");
        assert!(case.size() >= bytes, "{} for {bytes}", case.size());
    }
    assert!(folder.bytes() > max_size / 2, "{}", folder.bytes());
    assert_ne!(folder.verify().outcome, Outcome::Changed);
    events.close(at(700), 1).unwrap();
    packets.close(at(700), 1).unwrap();
    case.finish(at(701), Map::new()).unwrap();
    let verified = folder.verify();
    assert_eq!(
        (verified.problems, verified.outcome),
        (Vec::new(), Outcome::Sealed)
    );
    let numbers = |kind| -> Vec<u64> {
        let names = folder.names();
        let segments = names.iter().filter_map(|name| scan::segment(name));
        segments
            .filter(|(other, _)| *other == kind)
            .map(|(_, number)| number)
            .collect()
    };
    assert!(
        numbers(Kind::Packets)[0] > 10,
        "{:?}",
        numbers(Kind::Packets)
    );
    assert_eq!(numbers(Kind::Events)[0], 1, "packets go first");
    assert!(numbers(Kind::Packets).len() >= 3);
}

#[test]
fn ring_mode_never_grows_beyond_its_size() {
    check_ring(None);
}

#[test]
fn ring_mode_never_grows_beyond_its_size_encrypted() {
    check_ring(Some(crypt::new_keys().1));
}

/// A quiet computer writes a line now and then, and each is brought to the disk soon.
#[test]
fn an_encrypted_case_has_room_for_very_many_small_writes() {
    let folder = Folder::new();
    let about = About {
        max_size: Some(MIB),
        ..about()
    };
    let case = begin(
        &folder,
        Settings {
            about,
            recipients: Some(crypt::new_keys().1),
            ..settings()
        },
    );
    let mut events = case.stream(Kind::Events);
    events.begin(at(0)).unwrap();
    for round in 0..3_000 {
        events.write(&lines(0, 1)).unwrap();
        if round % 16 == 0 {
            events.flush_to_disk().unwrap();
            assert!(case.size() >= folder.bytes());
        }
        if events.is_due(at(0)) {
            events.close(at(0), 1).unwrap();
            events.begin(at(0)).unwrap();
        }
    }
    events.close(at(1), 1).unwrap();
    case.finish(at(2), Map::new()).unwrap();
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
    // It did not pay for each write as for a file: nothing was let go of.
    let first = "events/000001.ndjson.age".to_owned();
    assert!(folder.names().contains(&first), "{:?}", folder.names());
}

#[test]
fn the_newest_packets_stay_however_many_events_there_are() {
    let folder = Folder::new();
    let about = About {
        max_size: Some(2 * MIB),
        ..about()
    };
    let case = begin(
        &folder,
        Settings {
            about,
            ..settings()
        },
    );
    let (mut events, mut packets) = (case.stream(Kind::Events), case.stream(Kind::Packets));
    events.begin(at(0)).unwrap();
    packets.begin(at(0)).unwrap();
    let mut last = 1;
    for round in 0..600 {
        events.write(&lines(0, 500)).unwrap();
        if round % 20 == 0 {
            packets.write(&block(20_000)).unwrap();
        }
        for stream in [&mut events, &mut packets] {
            if stream.is_due(at(round)) {
                stream.close(at(round), 1).unwrap();
                let number = stream.begin(at(round)).unwrap();
                if stream.kind() == Kind::Packets {
                    last = number;
                }
            }
        }
    }
    packets.close(at(600), 1).unwrap();
    events.close(at(600), 1).unwrap();
    for second in 601..700 {
        case.log(at(second), "told", Map::new()).unwrap();
    }
    case.finish(at(701), Map::new()).unwrap();
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
    let name = format!("packets/{last:06}.pcapng");
    assert!(folder.names().contains(&name), "{:?}", folder.names());
    assert!(!folder.path("events/000001.ndjson").exists());
}

#[test]
fn where_nothing_can_be_let_go_it_is_said_and_nothing_is_written() {
    let folder = Folder::new();
    let about = About {
        max_size: Some(MIB),
        ..about()
    };
    let case = begin(
        &folder,
        Settings {
            about,
            ..settings()
        },
    );
    let mut program = io::repeat(7).take(4 * MIB);
    let added = case.add(at(1), "imports/1-large/x", &mut program);
    assert!(matches!(added, Err(Error::SizeReached { .. })), "{added:?}");
    assert!(folder.bytes() < MIB / 4);
    case.finish(at(2), Map::new()).unwrap();
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
    let about = About {
        max_size: Some(MIB - 1),
        ..super::tests::about()
    };
    let place = Box::new(Directory::new(&folder.0));
    let small = Case::begin(
        place,
        Settings {
            about,
            ..settings()
        },
    );
    assert!(matches!(small, Err(Error::MaxSizeTooSmall { .. })));
}

#[test]
fn room_is_looked_at_before_and_while_writing() {
    let folder = Folder::new();
    let free = Arc::new(AtomicU64::new(100 * MIB));
    let place = || {
        let free = Arc::clone(&free);
        Box::new(Directory::with_room(&folder.0, move || {
            Ok(Space {
                free_bytes: free.load(Ordering::Relaxed),
                total_bytes: 4096 * MIB,
            })
        }))
    };
    let none = Case::begin(place(), settings());
    let Err(Error::NoRoom { needed, free: told }) = none else {
        panic!("it began");
    };
    assert_eq!((needed / MIB, told / MIB), (204 + 32, 100));
    assert_eq!(folder.bytes(), 0, "nothing is written");
    free.store(1000 * MIB, Ordering::Relaxed);
    let case = Case::begin(place(), settings()).unwrap();
    let mut events = case.stream(Kind::Events);
    events.begin(at(0)).unwrap();
    events.write(&lines(0, 10)).unwrap();
    events.flush_to_disk().unwrap();
    free.store(200 * MIB, Ordering::Relaxed);
    events.write(&lines(10, 10)).unwrap();
    let low = events.flush_to_disk();
    assert!(matches!(low, Err(Error::SpaceLow { .. })), "{low:?}");
    // What waits can still be written, and all is closed.
    events.write(&lines(20, 10)).unwrap();
    events.close(at(1), 30).unwrap();
    case.finish(at(2), Map::new()).unwrap();
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
    let case = OpenCase::open(&folder.0, None).unwrap();
    assert_eq!(content(&case, Kind::Events), lines(0, 30));
}
