//! What a case has to hold, whatever happens while it is written and after it.

mod append;
mod behind;
mod bounds;
mod changed;
mod crash;
mod damage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::hex;
use sha2::{Digest, Sha256};

use super::*;
use crate::crypt::{self, Identities};
use crate::place::Directory;

pub(crate) fn about() -> About {
    About {
        id: "0a1b2c".to_owned(),
        began: Timestamp::from_unix_nanos(1_795_342_500_000_000_000),
        host: "laptop".to_owned(),
        boot: "00112233445566778899aabbccddeeff".to_owned(),
        system: "Debian 12, Linux 6.1.0".to_owned(),
        time_zone: Some("Europe/Berlin".to_owned()),
        tool: Tool {
            version: "0.1.0".to_owned(),
            sha256: None,
        },
        arguments: vec!["record".to_owned()],
        case_number: None,
        examiner: None,
        owner_consent: Consent::Unknown,
        purpose: None,
        clock: Clock::default(),
        depth: Depth::Full,
        max_size: None,
        recipients: Vec::new(),
        more: Map::new(),
    }
}

fn settings() -> Settings {
    Settings {
        about: about(),
        limits: Limits {
            events: small(64 * 1024),
            packets: small(128 * 1024),
            ..Limits::default()
        },
        recipients: None,
    }
}

fn small(bytes: u64) -> SegmentLimit {
    let time = Duration::from_secs(3600);
    SegmentLimit { bytes, time }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_nanos(about().began.unix_nanos() + second * 1_000_000_000)
}

/// A folder for one test, in memory where there is such a place.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new("/dev/shm");
        let base = match memory.is_dir() {
            true => memory.to_owned(),
            false => std::env::temp_dir(),
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("whocalls-case-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let scan = scan::scan(&self.0).unwrap();
        scan.files.into_keys().collect()
    }

    fn verify(&self) -> Verified {
        verify(&self.0, None).unwrap()
    }

    fn bytes(&self) -> u64 {
        let scan = scan::scan(&self.0).unwrap();
        scan.files.values().map(|file| file.bytes).sum()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn begin(folder: &Folder, settings: Settings) -> Case {
    Case::begin(Box::new(Directory::new(&folder.0)), settings).unwrap()
}

fn lines(from: u32, count: u32) -> Vec<u8> {
    (from..from + count)
        .flat_map(|number| format!("{{\"seq\":{number}}}\n").into_bytes())
        .collect()
}

/// A block as pcapng has them.
fn block(length: u32) -> Vec<u8> {
    let total = (length + 12).next_multiple_of(4);
    let mut block = vec![6, 0, 0, 0];
    block.extend(total.to_le_bytes());
    block.resize(total as usize - 4, 0xab);
    block.extend(total.to_le_bytes());
    block
}

/// A small case with something of everything.
fn sealed_case(folder: &Folder, recipients: Option<Recipients>) -> Seal {
    let case = begin(
        folder,
        Settings {
            recipients,
            ..settings()
        },
    );
    let (mut events, mut packets) = (case.stream(Kind::Events), case.stream(Kind::Packets));
    events.begin(at(1)).unwrap();
    packets.begin(at(1)).unwrap();
    for round in 0..2 {
        events.write(&lines(round * 10, 10)).unwrap();
        packets.write(&block(60 + round)).unwrap();
        events.flush_to_disk().unwrap();
        packets.flush_to_disk().unwrap();
        events.close(at(2), 10).unwrap();
        events.begin(at(2)).unwrap();
    }
    case.add(at(3), "snapshots/first.json", &mut &b"{}\n"[..])
        .unwrap();
    case.add_program(at(3), &mut &b"\x7fELF"[..]).unwrap();
    events.close(at(4), 0).unwrap();
    packets.close(at(4), 2).unwrap();
    case.finish(at(5), Map::new()).unwrap()
}

fn read(mut reader: CaseReader) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).map(|_| bytes)
}

/// The content of all segments, in order.
fn content(case: &OpenCase, kind: Kind) -> Vec<u8> {
    let segments = case
        .segments(kind)
        .map(|segment| case.read(segment).unwrap());
    segments.flat_map(|reader| read(reader).unwrap()).collect()
}

fn check_sealed(recipients: Option<Recipients>, identities: Option<&Identities>) {
    let folder = Folder::new();
    let seal = sealed_case(&folder, recipients);
    let verified = folder.verify();
    assert_eq!(verified.problems, []);
    assert_eq!(verified.outcome, Outcome::Sealed);
    assert_eq!(verified.seals, [seal]);
    assert!(verified.interrupted.is_empty() && verified.strangers.is_empty());
    let typed = seal.to_string().to_uppercase().replace(' ', "-");
    assert_eq!(
        verify(&folder.0, Some(&typed)).unwrap().outcome,
        Outcome::Sealed
    );
    for other in ["0000", "0123 4567 89ab cdef 0000 1111 2222 ffff"] {
        let verified = verify(&folder.0, Some(other)).unwrap();
        assert_eq!(verified.outcome, Outcome::Changed);
    }
    assert!(
        !folder
            .names()
            .iter()
            .any(|name| name.contains(".part") || name.ends_with(".new"))
    );
    let case = OpenCase::open(&folder.0, identities).unwrap();
    assert_eq!(case.about(), Some(&about()));
    assert_eq!(case.problems(), []);
    assert_eq!(case.seal(), Some(seal));
    assert_eq!(content(&case, Kind::Events), lines(0, 20));
    assert_eq!(
        content(&case, Kind::Packets),
        [block(60), block(61)].concat()
    );
    assert_eq!(
        read(case.file("snapshots/first.json").unwrap()).unwrap(),
        b"{}\n"
    );
    let mut told = Vec::new();
    case.log(&mut |entry| told.push(entry.what)).unwrap();
    assert_eq!(told[..3], ["begun", "file_added", "file_added"]);
    assert_eq!(told.last().unwrap(), "closed");
    assert_eq!(
        told.iter().filter(|what| *what == "segment_closed").count(),
        4
    );
}

#[test]
fn a_sealed_case_verifies_and_reads_back() {
    check_sealed(None, None);
}

#[test]
fn an_encrypted_case_verifies_without_a_key_and_reads_back_with_it() {
    let (identities, recipients) = crypt::new_keys();
    check_sealed(Some(recipients), Some(&identities));
}

#[test]
fn pieces_come_one_behind_the_other() {
    let (identities, recipients) = crypt::new_keys();
    for recipients in [None, Some(recipients)] {
        let folder = Folder::new();
        let case = begin(
            &folder,
            Settings {
                recipients,
                ..settings()
            },
        );
        let mut packets = case.stream(Kind::Packets);
        packets.begin(at(1)).unwrap();
        // More of them, and longer ones, than are written at once, and some that are empty.
        let blocks = (0..300).map(|number| block(number * 31));
        let whole: Vec<u8> = blocks.chain([block(500_000)]).flatten().collect();
        let mut left = &whole[..];
        let mut pieces = Vec::new();
        for length in (0..2_000).step_by(7) {
            let (piece, later) = left.split_at(length);
            pieces.push(piece);
            left = later;
        }
        pieces.push(left);
        packets.write_pieces(&pieces).unwrap();
        packets.write_pieces(&[]).unwrap();
        assert_eq!(packets.size(), whole.len() as u64);
        packets.close(at(2), 301).unwrap();
        case.finish(at(3), Map::new()).unwrap();
        assert_eq!(folder.verify().outcome, Outcome::Sealed);
        let case = OpenCase::open(&folder.0, Some(&identities)).unwrap();
        assert!(content(&case, Kind::Packets) == whole);
    }
}

#[test]
fn an_encrypted_case_has_nothing_plain_and_asks_for_its_key() {
    let folder = Folder::new();
    sealed_case(&folder, Some(crypt::new_keys().1));
    for name in folder.names() {
        let is_plain = [START_HERE, MANIFEST].contains(&name.as_str());
        assert_eq!(!name.ends_with(".age"), is_plain, "{name}");
        let text = fs::read(folder.path(&name)).unwrap();
        let has = |word: &[u8]| text.windows(word.len()).any(|part| part == word);
        assert!(
            is_plain || !has(b"{\"seq\"") && !has(b"\"host\"") && !has(b"\"time\""),
            "{name}"
        );
    }
    let without = OpenCase::open(&folder.0, None);
    assert!(
        matches!(without, Err(Error::Encrypted { .. })),
        "{without:?}"
    );
    let other = OpenCase::open(&folder.0, Some(&crypt::new_keys().0));
    assert!(matches!(other, Err(Error::Decrypt { .. })), "{other:?}");
}

#[test]
fn sha256sum_agrees() {
    for recipients in [None, Some(crypt::new_keys().1)] {
        let folder = Folder::new();
        sealed_case(&folder, recipients);
        let check = || {
            Command::new("sha256sum")
                .args(["--strict", "-c", MANIFEST])
                .current_dir(&folder.0)
                .output()
        };
        let Ok(output) = check() else {
            return;
        };
        assert!(output.status.success(), "{output:?}");
        let listed = {
            let text = fs::read(folder.path(MANIFEST)).unwrap();
            Manifest::parse(&text).unwrap().files().count()
        };
        let told = output.stdout.split(|byte| *byte == b'\n').count() - 1;
        assert_eq!(told, listed);
        fs::write(folder.path(START_HERE), "changed").unwrap();
        assert!(!check().unwrap().status.success());
    }
}

#[test]
fn a_case_ends_once() {
    let folder = Folder::new();
    let case = begin(&folder, settings());
    let mut events = case.stream(Kind::Events);
    events.begin(at(0)).unwrap();
    let open = case.clone().finish(at(1), Map::new());
    assert!(matches!(open, Err(Error::StillOpen { .. })), "{open:?}");
    events.close(at(1), 0).unwrap();
    let other = case.clone();
    case.finish(at(2), Map::new()).unwrap();
    let is_refused = |result| matches!(result, Err(Error::Finished { .. }));
    assert!(is_refused(other.log(at(3), "note", Map::new())));
    assert!(is_refused(other.add(at(3), "snapshots/x", &mut &b""[..])));
    assert!(is_refused(events.begin(at(3)).map(drop)));
    assert!(is_refused(other.finish(at(3), Map::new()).map(drop)));
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
}

#[test]
fn names_of_added_files_stay_in_their_folders() {
    let folder = Folder::new();
    let case = begin(&folder, settings());
    for name in [
        "../x",
        "snapshots/../x",
        "x",
        "events/000001.ndjson",
        "snapshots/a.part",
        "programs/a.new",
        "imports/1/a.age",
        "snapshots/",
        "/snapshots/a",
    ] {
        let added = case.add(at(0), name, &mut &b"x"[..]);
        assert!(
            matches!(added, Err(Error::Name { .. })),
            "{name}: {added:?}"
        );
    }
    case.add(at(0), "snapshots/a", &mut &b"x"[..]).unwrap();
    let again = case.add(at(0), "snapshots/a", &mut &b"y"[..]);
    assert!(matches!(again, Err(Error::Write { .. })), "{again:?}");
    assert_eq!(fs::read(folder.path("snapshots/a")).unwrap(), b"x");
    let first = case.add_program(at(0), &mut &b"y"[..]).unwrap();
    assert_eq!(case.add_program(at(0), &mut &b"y"[..]).unwrap(), first);
    let before = folder.bytes();
    let broken = case.add(at(0), "snapshots/b", &mut Broken);
    assert!(matches!(broken, Err(Error::Read { .. })), "{broken:?}");
    assert_eq!(folder.bytes(), before);
    case.finish(at(1), Map::new()).unwrap();
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _bytes: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("broken"))
    }
}

#[test]
fn a_long_line_of_the_log_is_left_out_and_said() {
    let folder = Folder::new();
    let case = begin(&folder, settings());
    let facts = json!({ "text": "x".repeat(MIB as usize) });
    case.log(at(1), "note", facts.as_object().unwrap().clone())
        .unwrap();
    case.finish(at(2), Map::new()).unwrap();
    assert_eq!(folder.verify().outcome, Outcome::Sealed);
    let mut notes = Vec::new();
    let log = |entry: Entry| notes.extend((entry.what == "note").then_some(entry.facts));
    OpenCase::open(&folder.0, None)
        .unwrap()
        .log(&mut { log })
        .unwrap();
    assert!(notes[0].contains_key("facts_left_out_bytes"));
}

#[test]
fn a_manifest_of_a_hundred_thousand_lines_is_checked_in_a_bounded_time() {
    let folder = Folder::new();
    let mut text = "# whocalls case 1\n".to_owned();
    for number in 0..100_000 {
        text += &format!("{}  packets/{number:06}.pcapng.age\n", "a".repeat(64));
    }
    fs::write(folder.path(MANIFEST), text).unwrap();
    let began = std::time::Instant::now();
    let verified = folder.verify();
    assert_eq!(verified.outcome, Outcome::Changed);
    assert!(verified.problems.len() >= 100_000);
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}

#[test]
fn a_missing_piece_of_an_open_segment_is_found() {
    let folder = Folder::new();
    let (identities, recipients) = crypt::new_keys();
    let recipients = Some(recipients);
    let case = begin(
        &folder,
        Settings {
            recipients,
            ..settings()
        },
    );
    let mut events = case.stream(Kind::Events);
    events.begin(at(0)).unwrap();
    for round in 0..3 {
        events.write(&lines(round, 1)).unwrap();
        events.flush_to_disk().unwrap();
    }
    drop((events, case));
    assert_eq!(folder.verify().outcome, Outcome::Unsealed);
    let opened = OpenCase::open(&folder.0, Some(&identities)).unwrap();
    assert_eq!(content(&opened, Kind::Events), lines(0, 3));
    // What a loss of power can leave of the newest piece.
    fs::write(
        folder.path("events/000001.ndjson.part.000003.age"),
        [0; 300],
    )
    .unwrap();
    assert_eq!(content(&opened, Kind::Events), lines(0, 2));
    fs::remove_file(folder.path("events/000001.ndjson.part.000002.age")).unwrap();
    let told = folder.verify().problems;
    let file = "events/000001.ndjson".to_owned();
    assert_eq!(told, [Problem::PieceMissing { file }]);
    // What comes before the hole can be read.
    let opened = OpenCase::open(&folder.0, Some(&identities)).unwrap();
    assert_eq!(opened.problems(), told);
    assert_eq!(content(&opened, Kind::Events), lines(0, 1));
}
