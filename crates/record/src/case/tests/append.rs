//! What is added to a case later: it gets lines and a seal of its own, earlier seals stay, and
//! wherever it ends in the middle, the case is consistent and the next import goes on.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::ops::ControlFlow;
use std::sync::Mutex;

use super::crash::{Sick, State};
use super::*;
use crate::case::append::Appended;

const LOG_OF_ZEEK: &[u8] = b"#separator \\x09\n#path\tconn\n";

fn by() -> By {
    By {
        host: "desk".to_owned(),
        by: "lena".to_owned(),
        tool: about().tool,
    }
}

fn foreign(name: &str) -> Foreign {
    Foreign {
        name: name.to_owned(),
        source: format!("/media/stick/{name}"),
        bytes: LOG_OF_ZEEK.len() as u64,
        modified: Some(at(-100)),
        kind: Some("Zeek log".to_owned()),
        clock_offset_ns: -5,
        ..Foreign::default()
    }
}

fn open_in(
    folder: &Folder,
    place: Box<dyn Place>,
    recipients: Option<Recipients>,
) -> Result<Append, Error> {
    Append::open(
        &folder.0,
        place,
        recipients,
        settings().limits,
        by(),
        at(1_000_000_000),
    )
}

fn open(folder: &Folder, recipients: Option<Recipients>) -> Result<Append, Error> {
    open_in(folder, Box::new(Directory::new(&folder.0)), recipients)
}

fn go_on(_: u64) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn add(append: &mut Append, name: &str) -> Result<Added, Error> {
    append.add(at(100), &foreign(name), &mut &LOG_OF_ZEEK[..], &mut go_on)
}

fn import(folder: &Folder, recipients: Option<Recipients>, names: &[&str]) -> Appended {
    let mut append = open(folder, recipients).unwrap();
    for name in names {
        add(&mut append, name).unwrap();
    }
    append.finish(at(101)).unwrap()
}

/// Every file of the case, by its name.
fn all(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let names = folder.names().into_iter();
    names
        .map(|name| {
            let content = fs::read(folder.path(&name)).unwrap();
            (name, content)
        })
        .collect()
}

fn imports(folder: &Folder, identities: Option<&Identities>) -> Vec<ImportedFile> {
    let case = OpenCase::open(&folder.0, identities).unwrap();
    let files = case.imports(&mut |error| panic!("{error}"));
    for file in files.iter().filter(|file| file.origin.is_some()) {
        assert_eq!(read(case.file(&file.name).unwrap()).unwrap(), LOG_OF_ZEEK);
    }
    files
}

#[test]
fn what_is_added_gets_a_seal_and_earlier_seals_stay() {
    let (identities, recipients) = crypt::new_keys();
    for is_encrypted in [false, true] {
        let folder = Folder::new();
        let recipients = is_encrypted.then(|| recipients.clone());
        let identities = is_encrypted.then_some(&identities);
        let first = sealed_case(&folder, recipients.clone());
        let before = all(&folder);
        let second = import(&folder, recipients.clone(), &["conn.log", "CONN.log"]);
        assert_eq!(second.seals.len(), 2);
        assert_eq!(second.seals.first(), Some(&first));
        let third = import(&folder, recipients.clone(), &["../\u{202e}x"]);
        let verified = folder.verify();
        assert_eq!(
            (verified.problems, verified.outcome),
            (vec![], Outcome::Sealed)
        );
        assert_eq!(verified.seals, third.seals);
        for seal in &third.seals {
            let with = verify(&folder.0, Some(&seal.to_string())).unwrap();
            assert_eq!(with.outcome, Outcome::Sealed);
        }
        let after = all(&folder);
        for (name, content) in &before {
            let is_longer = name == MANIFEST || name == LOG;
            let there = &after[name];
            assert!(there.starts_with(content), "{name}");
            assert_eq!(there.len() > content.len(), is_longer, "{name}");
        }
        let files = imports(&folder, identities);
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "imports/1-conn.log/conn.log",
                "imports/2-conn.log/CONN.log",
                "imports/3-__x/__x"
            ]
        );
        let origin = files[2].origin.as_ref().unwrap();
        assert_eq!(origin.source, "/media/stick/../\u{202e}x");
        assert_eq!(origin.sha256, hex(&Sha256::digest(LOG_OF_ZEEK)));
        assert_eq!(
            (origin.clock_offset_ns, origin.bytes),
            (-5, LOG_OF_ZEEK.len() as u64)
        );
        assert_eq!(origin.kind.as_deref(), Some("Zeek log"));
        let mut told = Vec::new();
        let case = OpenCase::open(&folder.0, identities).unwrap();
        case.log(&mut |entry| told.push(entry)).unwrap();
        let imports = told.iter().filter(|entry| entry.what == log::IMPORT);
        assert_eq!(imports.count(), if is_encrypted { 0 } else { 2 });
        if is_encrypted {
            for (name, content) in after.iter().filter(|(name, _)| name.starts_with("imports")) {
                assert!(name.ends_with(".age"), "{name}");
                assert!(!content.windows(5).any(|part| part == b"stick"), "{name}");
            }
        }
    }
}

#[test]
fn where_nothing_is_added_nothing_is_changed() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the stick is gone"))
        }
    }
    let folder = Folder::new();
    let seal = sealed_case(&folder, None);
    let before = all(&folder);
    let is_as_before = |appended: Appended| {
        assert_eq!(appended.seal, Some(seal));
        assert!(all(&folder) == before);
        assert_eq!(folder.verify().outcome, Outcome::Sealed);
    };
    is_as_before(open(&folder, None).unwrap().finish(at(9)).unwrap());
    let mut append = open(&folder, None).unwrap();
    let failed = append.add(at(8), &foreign("x"), &mut Failing, &mut go_on);
    assert!(matches!(failed, Err(Error::Read { .. })), "{failed:?}");
    is_as_before(append.finish(at(9)).unwrap());
    let mut append = open(&folder, None).unwrap();
    let stop = &mut |_| ControlFlow::Break(());
    let stopped = append.add(at(8), &foreign("x"), &mut &LOG_OF_ZEEK[..], stop);
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    is_as_before(append.finish(at(9)).unwrap());
}

#[test]
fn what_is_no_case_to_add_to_is_refused() {
    let folder = Folder::new();
    sealed_case(&folder, None);
    let keys = Some(crypt::new_keys().1);
    assert!(matches!(open(&folder, keys), Err(Error::NotEncrypted)));
    let held = open(&folder, None).unwrap();
    assert!(matches!(open(&folder, None), Err(Error::Busy)));
    drop(held);
    fs::write(folder.path("snapshots/first.json"), "[]\n").unwrap();
    assert!(matches!(open(&folder, None), Err(Error::Damaged { .. })));
    let folder = Folder::new();
    sealed_case(&folder, Some(crypt::new_keys().1));
    assert!(matches!(open(&folder, None), Err(Error::NoRecipients)));
}

#[test]
fn a_full_disk_is_known_before() {
    let folder = Folder::new();
    sealed_case(&folder, None);
    let before = all(&folder);
    let room = || {
        let (free_bytes, total_bytes) = (100 * MIB, 1000 * MIB);
        Ok(Space {
            free_bytes,
            total_bytes,
        })
    };
    let place = Directory::with_room(&folder.0, room);
    let mut append = open_in(&folder, Box::new(place), None).unwrap();
    let mut large = foreign("x");
    large.bytes = 36 * MIB;
    let refused = append.add(at(1), &large, &mut io::empty(), &mut go_on);
    assert!(
        matches!(refused, Err(Error::NoRoomForFile { .. })),
        "{refused:?}"
    );
    append.finish(at(2)).unwrap();
    assert!(all(&folder) == before);
}

#[test]
fn an_interrupted_recording_stays_without_a_seal() {
    for is_encrypted in [false, true] {
        let folder = Folder::new();
        let (identities, recipients) = crypt::new_keys();
        let recipients = is_encrypted.then_some(recipients);
        let case = begin(
            &folder,
            Settings {
                recipients: recipients.clone(),
                ..settings()
            },
        );
        let mut events = case.stream(Kind::Events);
        events.begin(at(0)).unwrap();
        events.write(&lines(0, 3)).unwrap();
        events.flush_to_disk().unwrap();
        drop((events, case));
        if !is_encrypted {
            let mut log = OpenOptions::new()
                .append(true)
                .open(folder.path(LOG))
                .unwrap();
            log.write_all(b"{\"time\":\"20").unwrap();
        }
        let now = Timestamp::from_unix_nanos(
            i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos()).unwrap(),
        );
        let place = Box::new(Directory::new(&folder.0));
        let limits = settings().limits;
        let running = Append::open(&folder.0, place, recipients.clone(), limits, by(), now);
        assert!(matches!(running, Err(Error::StillRecorded)));
        let appended = import(&folder, recipients, &["conn.log"]);
        assert_eq!((appended.seal, appended.seals), (None, vec![]));
        let verified = folder.verify();
        assert_eq!(
            (verified.problems, verified.outcome),
            (vec![], Outcome::Unsealed)
        );
        let identities = is_encrypted.then_some(&identities);
        assert_eq!(imports(&folder, identities).len(), 1);
        let case = OpenCase::open(&folder.0, identities).unwrap();
        assert_eq!(content(&case, Kind::Events), lines(0, 3));
    }
}

#[test]
fn what_ring_mode_let_go_is_no_matter() {
    for recipients in [None, Some(crypt::new_keys().1)] {
        let folder = Folder::new();
        let about = About {
            max_size: Some(MIB),
            ..about()
        };
        let case = begin(
            &folder,
            Settings {
                about,
                recipients: recipients.clone(),
                ..settings()
            },
        );
        let mut packets = case.stream(Kind::Packets);
        for second in 0..16 {
            packets.begin(at(second)).unwrap();
            packets.write(&block(100_000)).unwrap();
            packets.close(at(second), 1).unwrap();
        }
        let first = case.finish(at(99), Map::new()).unwrap();
        assert!(
            !folder
                .names()
                .iter()
                .any(|it| it.starts_with("packets/000001"))
        );
        let appended = import(&folder, recipients, &["conn.log"]);
        let verified = folder.verify();
        assert_eq!(
            (verified.problems, verified.outcome),
            (vec![], Outcome::Sealed)
        );
        assert_eq!(verified.seals, appended.seals);
        assert_eq!(verified.seals[0], first);
    }
}

/// A recording that was killed after it had given a file its name, and before it had its line.
fn interrupted_case(folder: &Folder, recipients: Option<Recipients>) {
    let is_encrypted = recipients.is_some();
    let case = begin(
        folder,
        Settings {
            recipients,
            ..settings()
        },
    );
    case.add(at(1), "snapshots/first.json", &mut &b"{}\n"[..])
        .unwrap();
    let ending = if is_encrypted { ".age" } else { "" };
    let first = fs::read(folder.path(&format!("snapshots/first.json{ending}"))).unwrap();
    fs::write(folder.path(&format!("snapshots/last.json{ending}")), first).unwrap();
    drop(case);
    assert_eq!(folder.verify().outcome, Outcome::Unsealed);
}

#[test]
fn imports_into_an_interrupted_recording_can_end_at_every_point() {
    let (_, recipients) = crypt::new_keys();
    for is_encrypted in [false, true] {
        let recipients = is_encrypted.then(|| recipients.clone());
        let mut left = 1;
        loop {
            let folder = Folder::new();
            interrupted_case(&folder, recipients.clone());
            let mut is_stopped = false;
            for power in [false, true, false] {
                is_stopped = stopped_after(&folder, recipients.clone(), left, power);
                let verified = folder.verify();
                assert_eq!(verified.problems, [], "{left} {is_encrypted} {power}");
                assert_eq!(verified.outcome, Outcome::Unsealed);
            }
            import(&folder, recipients.clone(), &["again.log"]);
            assert_eq!(folder.verify().problems, [], "{left} {is_encrypted}");
            left += if is_encrypted { 4 } else { 1 };
            if !is_stopped {
                break;
            }
        }
        assert!(left > 15, "{left}");
    }
}

/// Ends an import after so many things were done in the folder. `false`: it came to its end.
fn stopped_after(folder: &Folder, recipients: Option<Recipients>, left: u64, power: bool) -> bool {
    let state = Arc::new(Mutex::new(State {
        recovers: false,
        left,
        undo: Vec::new(),
    }));
    let place = Sick {
        place: Directory::new(&folder.0),
        root: folder.0.clone(),
        state: Arc::clone(&state),
    };
    let mut append = open_in(folder, Box::new(place), recipients).unwrap();
    let outcome = ["conn.log", "dns.log"]
        .into_iter()
        .try_for_each(|name| add(&mut append, name).map(drop))
        .and_then(|()| append.finish(at(101)).map(drop));
    if power {
        super::crash::undo_names(&mut state.lock().unwrap(), 0);
    }
    outcome.is_err()
}

#[test]
fn it_can_end_at_every_point() {
    let (identities, recipients) = crypt::new_keys();
    for (is_encrypted, power) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut left = 1;
        loop {
            let folder = Folder::new();
            let recipients = is_encrypted.then(|| recipients.clone());
            let identities = is_encrypted.then_some(&identities);
            let first = sealed_case(&folder, recipients.clone());
            let is_stopped = stopped_after(&folder, recipients.clone(), left, power);
            let verified = folder.verify();
            assert_eq!(verified.problems, [], "{left} {is_encrypted} {power}");
            assert_eq!(verified.seals.first(), Some(&first));
            let of_recording = |folder: &Folder| {
                let case = OpenCase::open(&folder.0, identities).unwrap();
                content(&case, Kind::Events)
            };
            assert_eq!(of_recording(&folder), lines(0, 20));
            imports(&folder, identities);

            open(&folder, recipients.clone())
                .and_then(|append| append.finish(at(102)))
                .unwrap();
            let verified = folder.verify();
            assert_eq!(
                (verified.problems, verified.outcome),
                (vec![], Outcome::Sealed)
            );
            let appended = import(&folder, recipients, &["again.log"]);
            let verified = folder.verify();
            assert_eq!(verified.problems, [], "{left} {is_encrypted} {power}");
            assert_eq!(verified.outcome, Outcome::Sealed);
            assert_eq!(verified.seals, appended.seals);
            assert_eq!(verified.seals.first(), Some(&first));
            assert!(!folder.names().iter().any(|name| name.ends_with(".new")));
            let files = imports(&folder, identities);
            let last = files.last().unwrap();
            assert!(last.name.ends_with("-again.log/again.log") && last.origin.is_some());
            // Encryption takes its time without optimization.
            left += if is_encrypted { 4 } else { 1 };
            if !is_stopped {
                break;
            }
        }
        assert!(left > 20, "{left}");
    }
}
