//! Recordings that end in the middle: killed, without power, on a disk that is full or gone. What
//! was closed verifies, what was brought to the disk can be read, and nothing is taken for damage.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::sync::Mutex;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;

/// A place that fails after so many things were done in it, and knows what a loss of power would
/// undo.
pub(super) struct Sick {
    pub(super) place: Directory,
    pub(super) root: PathBuf,
    pub(super) state: Arc<Mutex<State>>,
}

pub(super) struct State {
    pub(super) left: u64,
    /// Only one thing fails.
    pub(super) recovers: bool,
    /// How to undo what was done to names since they were last synced, the newest last.
    pub(super) undo: Vec<Undo>,
}

pub(super) enum Undo {
    Remove(PathBuf),
    Restore(PathBuf, Vec<u8>),
    Rename(PathBuf, PathBuf),
}

impl Sick {
    /// `io::Error` is what a removed stick gives.
    fn does(&mut self, undo: impl FnOnce() -> Option<Undo>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.left = state.left.saturating_sub(1);
        if state.left == 0 {
            if state.recovers {
                state.left = u64::MAX;
            }
            return Err(io::Error::other("the stick is gone"));
        }
        state.undo.extend(undo());
        Ok(())
    }
}

fn restore(path: PathBuf) -> Option<Undo> {
    let content = fs::read(&path).ok()?;
    Some(Undo::Restore(path, content))
}

impl Place for Sick {
    fn make_folder(&mut self, name: &str) -> io::Result<()> {
        self.does(|| None)?;
        self.place.make_folder(name)
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        let path = self.root.join(name);
        self.does(|| (!path.exists()).then_some(Undo::Remove(path)))?;
        self.place.create(name)
    }

    fn append(&mut self, name: &str) -> io::Result<File> {
        self.does(|| None)?;
        self.place.append(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let (before, after) = (self.root.join(from), self.root.join(to));
        self.does(|| (!after.exists()).then_some(Undo::Rename(after, before)))?;
        self.place.rename(from, to)
    }

    fn replace(&mut self, from: &str, to: &str) -> io::Result<()> {
        let after = self.root.join(to);
        self.does(|| restore(after.clone()).or(Some(Undo::Remove(after))))?;
        self.place.replace(from, to)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        let path = self.root.join(name);
        self.does(|| restore(path))?;
        self.place.remove(name)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.does(|| None)?;
        self.state.lock().unwrap().undo.clear();
        Ok(())
    }

    fn space(&self) -> io::Result<Space> {
        self.place.space()
    }
}

#[derive(Clone, Debug)]
enum Deed {
    Write(Kind, u32),
    Flush(Kind),
    Rotate(Kind),
    Add(u32),
    Program(u8),
    Note,
}

fn deed() -> impl Strategy<Value = Deed> {
    let kind = || prop_oneof![Just(Kind::Events), Just(Kind::Packets)];
    prop_oneof![
        4 => (kind(), 1..4000u32).prop_map(|(kind, length)| Deed::Write(kind, length)),
        3 => kind().prop_map(Deed::Flush),
        2 => kind().prop_map(Deed::Rotate),
        1 => (0..100_000u32).prop_map(Deed::Add),
        1 => (0..3u8).prop_map(Deed::Program),
        1 => Just(Deed::Note),
    ]
}

/// What was handed in, for each segment, and how much of it has to be there.
#[derive(Default)]
struct Expected {
    segments: HashMap<(Kind, u64), (Vec<u8>, usize)>,
    is_sealed: bool,
}

/// Does these things until something fails.
fn run(case: &Case, deeds: &[Deed], expected: &mut Expected) -> Result<(), Error> {
    let mut streams = HashMap::new();
    for kind in Kind::ALL {
        let mut stream = case.stream(kind);
        stream.begin(at(0))?;
        streams.insert(kind, stream);
    }
    for (deed, second) in deeds.iter().zip(1..) {
        match deed {
            Deed::Write(kind, length) => {
                let stream = streams.get_mut(kind).unwrap();
                let key = (*kind, stream.number().unwrap());
                let bytes = match kind {
                    Kind::Events => lines(second as u32, length / 16 + 1),
                    Kind::Packets => block(*length),
                };
                let segment = expected.segments.entry(key).or_default();
                segment.0.extend(&bytes);
                stream.write(&bytes)?;
            }
            Deed::Flush(kind) => {
                let stream = streams.get_mut(kind).unwrap();
                let key = (*kind, stream.number().unwrap());
                stream.flush_to_disk()?;
                let segment = expected.segments.entry(key).or_default();
                segment.1 = segment.0.len();
            }
            Deed::Rotate(kind) => {
                let stream = streams.get_mut(kind).unwrap();
                let key = (*kind, stream.number().unwrap());
                stream.close(at(second), 1)?;
                let segment = expected.segments.entry(key).or_default();
                segment.1 = segment.0.len();
                stream.begin(at(second))?;
            }
            Deed::Add(length) => {
                let name = format!("snapshots/{second}.json");
                case.add(
                    at(second),
                    &name,
                    &mut io::repeat(3).take(u64::from(*length)),
                )?;
            }
            Deed::Program(which) => {
                case.add_program(at(second), &mut &[*which; 100][..])?;
            }
            Deed::Note => case.log(at(second), "note", Map::new())?,
        }
    }
    for stream in streams.values_mut() {
        stream.close(at(1000), 1)?;
    }
    case.clone().finish(at(1001), Map::new())?;
    expected.is_sealed = true;
    Ok(())
}

/// Undoes what was done to names after the first `kept` since they were last synced.
pub(super) fn undo_names(state: &mut State, kept: usize) {
    for undo in state.undo.drain(kept..).rev() {
        match undo {
            Undo::Remove(path) => fs::remove_file(path).unwrap_or_default(),
            Undo::Restore(path, content) => fs::write(path, content).unwrap(),
            Undo::Rename(from, to) => fs::rename(from, to).unwrap_or_default(),
        }
    }
}

/// What a loss of power does: names that were not synced are as before, and so is the end of what
/// was written and not brought to the disk.
fn lose_power(
    folder: &Folder,
    state: &mut State,
    expected: &Expected,
    identities: &Identities,
    chance: u64,
) {
    let kept = usize::try_from(chance).unwrap() % (state.undo.len() + 1);
    undo_names(state, kept);
    let scan = scan::scan(&folder.0).unwrap();
    let mut newest: HashMap<String, (u64, String)> = HashMap::new();
    for file in scan.files.values() {
        match &file.role {
            scan::Role::Open { name, piece: None } => {
                let flushed = scan::segment(name)
                    .and_then(|key| expected.segments.get(&key))
                    .map_or(0, |segment| segment.1 as u64);
                cut(&folder.path(&file.name), flushed, chance);
            }
            scan::Role::Open {
                name,
                piece: Some(piece),
            } => {
                let newest = newest.entry(name.clone()).or_default();
                *newest = (*newest).clone().max((*piece, file.name.clone()));
            }
            scan::Role::Unfinished => cut(&folder.path(&file.name), 0, chance),
            scan::Role::Closed => {}
        }
    }
    for (_, piece) in newest.into_values() {
        // A piece that was flushed is whole; only what came after it can be lost.
        let file = File::open(folder.path(&piece)).unwrap();
        let is_whole = identities
            .open(file)
            .is_ok_and(|mut file| io::copy(&mut file, &mut io::sink()).is_ok());
        if !is_whole {
            cut(&folder.path(&piece), 0, chance);
        }
    }
}

/// Leaves some length between `least` and all, or zeros in place of the end.
fn cut(path: &Path, least: u64, chance: u64) {
    let length = fs::metadata(path).unwrap().len();
    let left = least + chance % (length.saturating_sub(least) + 1);
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.set_len(left.min(length)).unwrap();
    if chance.is_multiple_of(3) {
        file.set_len(length).unwrap();
    }
}

fn check(
    deeds: &[Deed],
    left: u64,
    is_encrypted: bool,
    max_size: Option<u64>,
    power: Option<u64>,
) -> Result<(), TestCaseError> {
    let folder = Folder::new();
    let (identities, recipients) = crypt::new_keys();
    let state = Arc::new(Mutex::new(State {
        left,
        recovers: false,
        undo: Vec::new(),
    }));
    let place = Sick {
        place: Directory::new(&folder.0),
        root: folder.0.clone(),
        state: Arc::clone(&state),
    };
    let about = About {
        max_size,
        ..about()
    };
    let recipients = is_encrypted.then_some(recipients);
    let mut expected = Expected::default();
    let is_begun = match Case::begin(
        Box::new(place),
        Settings {
            about,
            recipients,
            ..settings()
        },
    ) {
        Ok(case) => {
            // What fails is what this is about.
            let _ = run(&case, deeds, &mut expected);
            true
        }
        Err(_) => false,
    };
    if let Some(chance) = power {
        let mut state = state.lock().unwrap();
        lose_power(&folder, &mut state, &expected, &identities, chance);
    }
    let verified = match verify(&folder.0, None) {
        Err(Error::Foreign { .. }) if !is_begun => return Ok(()),
        verified => verified.unwrap(),
    };
    prop_assert_eq!(&verified.problems, &Vec::new());
    if expected.is_sealed {
        prop_assert_eq!(verified.outcome, Outcome::Sealed);
    }
    let case = match OpenCase::open(&folder.0, Some(&identities)) {
        Err(Error::Foreign { .. }) if !is_begun => return Ok(()),
        case => case.unwrap(),
    };
    let mut dropped = Vec::new();
    let mut take = |entry: Entry| {
        if entry.what == log::SEGMENT_DROPPED {
            dropped.extend(entry.text("file").and_then(scan::segment));
        }
    };
    case.log(&mut take).unwrap();
    for ((kind, number), (content, flushed)) in &expected.segments {
        let Some(segment) = case
            .segments(*kind)
            .find(|segment| segment.number == *number)
        else {
            prop_assert!(
                *flushed == 0 || dropped.contains(&(*kind, *number)),
                "{kind:?} {number}"
            );
            continue;
        };
        let mut reader = case.read(segment).unwrap();
        let mut there = Vec::new();
        reader.read_to_end(&mut there).unwrap();
        prop_assert_eq!(reader.cut().is_some(), !segment.is_closed);
        prop_assert!(there.len() >= *flushed, "{} of {}", there.len(), flushed);
        prop_assert_eq!(&there[..*flushed], &content[..*flushed]);
        prop_assert!(!segment.is_closed || there == *content);
        // After a loss of power the rest may be zeros.
        prop_assert!(power.is_some() || content.starts_with(&there));
    }
    Ok(())
}

#[test]
fn whatever_interrupts_it_what_was_brought_to_the_disk_is_there() {
    let input = (
        prop::collection::vec(deed(), 0..40),
        prop_oneof![1 => Just(u64::MAX), 5 => 1..200u64],
        any::<bool>(),
        prop_oneof![2 => Just(None), 1 => Just(Some(MIB))],
        prop::option::of(any::<u64>()),
    );
    let mut config = ProptestConfig::with_cases(100);
    config.failure_persistence = None;
    let test = |(deeds, left, is_encrypted, max_size, power): (Vec<Deed>, _, _, _, _)| {
        check(&deeds, left, is_encrypted, max_size, power)
    };
    TestRunner::new(config).run(&input, test).unwrap();
}

/// Each point of one recording with something of everything.
#[test]
fn it_can_end_at_every_point() {
    use Deed::{Add, Flush, Note, Program, Rotate, Write};
    use Kind::{Events, Packets};
    let deeds = [
        Write(Events, 100),
        Flush(Events),
        Write(Packets, 4000),
        Flush(Packets),
        Write(Events, 50),
        Rotate(Packets),
        Add(10),
        Program(1),
        Write(Packets, 100),
        Note,
        Rotate(Events),
        Write(Events, 10),
        Flush(Events),
        Program(1),
        Write(Events, 10),
    ];
    for is_encrypted in [false, true] {
        // Encryption takes its time without optimization.
        for left in (1..110).step_by(if is_encrypted { 3 } else { 1 }) {
            check(&deeds, left, is_encrypted, None, None).unwrap();
            check(&deeds, left, is_encrypted, None, Some(left * 7919)).unwrap();
        }
    }
}

/// A place on a disk that is full for everything that is made from the time on that is told.
struct Full {
    place: Directory,
    reserve: PathBuf,
    is_full: Arc<AtomicU64>,
}

impl Place for Full {
    fn make_folder(&mut self, name: &str) -> io::Result<()> {
        self.place.make_folder(name)
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        let is_reserve_kept = fs::metadata(&self.reserve).is_ok_and(|file| file.len() > 0);
        if self.is_full.load(Ordering::Relaxed) > 0 && is_reserve_kept {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.place.create(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.place.rename(from, to)
    }

    fn replace(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.place.replace(from, to)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.place.remove(name)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn space(&self) -> io::Result<Space> {
        self.place.space()
    }
}

#[test]
fn on_a_full_disk_the_reserve_makes_a_clean_end_possible() {
    let folder = Folder::new();
    let is_full = Arc::new(AtomicU64::new(0));
    let place = Full {
        place: Directory::new(&folder.0),
        reserve: folder.path(RESERVE),
        is_full: Arc::clone(&is_full),
    };
    let case = Case::begin(Box::new(place), settings()).unwrap();
    let mut events = case.stream(Kind::Events);
    events.begin(at(0)).unwrap();
    events.write(&lines(0, 10)).unwrap();
    is_full.store(1, Ordering::Relaxed);
    events.close(at(1), 10).unwrap();
    let low = events.flush_to_disk();
    assert!(matches!(low, Err(Error::SpaceLow { .. })), "{low:?}");
    case.finish(at(2), Map::new()).unwrap();
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
}

/// Segments that are on a disk without any room.
struct NoRoomForSegments(Directory);

impl Place for NoRoomForSegments {
    fn make_folder(&mut self, name: &str) -> io::Result<()> {
        self.0.make_folder(name)
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        let file = self.0.create(name)?;
        match name.starts_with("packets/") {
            true => OpenOptions::new().write(true).open("/dev/full"),
            false => Ok(file),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn replace(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.0.replace(from, to)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn space(&self) -> io::Result<Space> {
        self.0.space()
    }
}

#[test]
fn what_cannot_be_written_is_told_and_the_rest_verifies() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    for recipients in [None, Some(crypt::new_keys().1)] {
        let folder = Folder::new();
        let place = NoRoomForSegments(Directory::new(&folder.0));
        let case = Case::begin(
            Box::new(place),
            Settings {
                recipients,
                ..settings()
            },
        )
        .unwrap();
        let (mut events, mut packets) = (case.stream(Kind::Events), case.stream(Kind::Packets));
        events.begin(at(0)).unwrap();
        events.write(&lines(0, 5)).unwrap();
        let is_full = |error: &Error| {
            let told = error.to_string();
            told.contains("packets/000001.pcapng") && told.contains("No space left")
        };
        let written = packets
            .begin(at(0))
            .and_then(|_| packets.write(&block(200_000)));
        let error = written.unwrap_err();
        assert!(is_full(&error), "{error}");
        let is_begun = packets.number().is_some();
        assert_eq!(packets.close(at(1), 1).is_err(), is_begun);
        events.close(at(1), 5).unwrap();
        let sealed = case.finish(at(2), Map::new());
        let is_open = matches!(sealed, Err(Error::StillOpen { .. }));
        assert_eq!(is_open, is_begun);
        let expected = match is_begun {
            true => Outcome::Unsealed,
            false => Outcome::Sealed,
        };
        let verified = folder.verify();
        assert_eq!(
            (verified.problems, verified.outcome),
            (Vec::new(), expected)
        );
        assert!(verified.files >= 3);
    }
}

#[test]
fn how_much_of_an_open_segment_can_be_read_is_told() {
    let folder = Folder::new();
    let case = begin(&folder, settings());
    let (mut events, mut packets) = (case.stream(Kind::Events), case.stream(Kind::Packets));
    events.begin(at(0)).unwrap();
    packets.begin(at(0)).unwrap();
    events.write(&lines(0, 3)).unwrap();
    events.write(b"{\"se").unwrap();
    packets.write(&block(40)).unwrap();
    packets.write(&block(60)[..50]).unwrap();
    drop((events, packets, case));
    let verified = folder.verify();
    assert_eq!(verified.outcome, Outcome::Unsealed);
    let told: Vec<_> = verified
        .interrupted
        .iter()
        .map(|cut| (cut.file.as_str(), cut.bytes, cut.readable_bytes))
        .collect();
    let (events, packets) = (lines(0, 3).len() as u64, block(40).len() as u64);
    assert_eq!(
        told,
        [
            ("events/000001.ndjson.part", events + 4, Some(events)),
            ("packets/000001.pcapng.part", packets + 50, Some(packets)),
        ],
    );
    let seal = verify(&folder.0, Some("0000")).unwrap();
    assert_eq!(seal.outcome, Outcome::Changed, "somebody wrote a seal down");
}
