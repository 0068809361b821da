//! The case in examples/story, changed in one place: every command that reads it says which file, shows
//! what can be read all the same, and ends with 4.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{Run, WHOCALLS};
use crate::room::{Room, copy_of, on};
use crate::setting::command;

const EVENTS: &str = "events/000001.ndjson";
const PACKETS: &str = "packets/000001.pcapng";

fn story() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    workspace.canonicalize().unwrap().join("examples/story")
}

fn changed(room: &Room, change: impl FnOnce(&Path)) -> PathBuf {
    let case = copy_of(&story(), room);
    change(&case);
    case
}

/// Replaces the first of these bytes that comes.
fn replace(file: &Path, from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let mut bytes = fs::read(file).unwrap();
    let mut windows = bytes.windows(from.len());
    let at = windows.position(|it| it == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    fs::write(file, bytes).unwrap();
}

/// Connections that `list` shows, lines of `export --csv`, and bytes of `export --pcapng`.
#[derive(Debug, PartialEq)]
struct Shown {
    connections: usize,
    rows: usize,
    packets: usize,
}

/// What each command shows; each that reads the file says so.
fn shown(case: &Path, named: &str, readers: &[&str]) -> Shown {
    let run = |words: &[&str]| {
        let run = on(case, words, &[]);
        let (code, talk) = (run.code, run.talk());
        if readers.contains(&words[0]) || readers.contains(words.last().unwrap()) {
            assert_eq!(code, Some(4), "{words:?}: {talk}");
            let says = format!("whocalls: the case is damaged: {named}");
            assert!(talk.contains(&says), "{words:?}: {talk}");
            assert!(talk.contains("whocalls verify CASE"), "{words:?}: {talk}");
        } else {
            assert_eq!(code, Some(0), "{words:?}: {talk}");
        }
        run
    };
    let listed = run(&["list", "-a", "--json"]).out;
    let listed: Value = serde_json::from_slice(&listed).unwrap();
    run(&["export", "--ndjson"]);
    Shown {
        connections: listed["connections"].as_array().unwrap().len(),
        rows: run(&["export", "--csv"]).text().lines().count(),
        packets: run(&["export", "--pcapng"]).out.len(),
    }
}

const ALL: &[&str] = &["list", "export"];

#[test]
fn what_can_be_read_is_shown() {
    let whole = shown(&story(), "", &[]);
    let check = |named: &str, readers: &[&str], change: &dyn Fn(&Path)| {
        let room = Room::new();
        let case = changed(&room, change);
        let before = crate::room::tree(&case);
        let shown = shown(&case, named, readers);
        assert!(crate::room::tree(&case) == before);
        shown
    };
    let zeros = |name: &'static str| {
        move |case: &Path| {
            let length = fs::metadata(case.join(name)).unwrap().len();
            fs::write(case.join(name), vec![0; usize::try_from(length).unwrap()]).unwrap();
        }
    };
    let remove = |name: &'static str| move |case: &Path| fs::remove_file(case.join(name)).unwrap();
    // A byte of a word that no table shows: all is there, and none of it is certain.
    let byte = |case: &Path| replace(&case.join(EVENTS), "/usr/sbin/init", "/usr/sbin/inix");
    let text = "events/000001.ndjson: it was changed";
    assert_eq!(check(text, ALL, &byte), whole);
    // A byte that makes a line none: all up to there.
    let broken = |case: &Path| {
        let file = case.join(EVENTS);
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        let at = middle + bytes[middle..].iter().position(|it| *it == b'{').unwrap();
        bytes[at] = b'[';
        fs::write(&file, bytes).unwrap();
    };
    let part = check(text, ALL, &broken);
    assert!((1..=whole.rows).contains(&part.rows), "{part:?}");
    assert_eq!(part.packets, whole.packets);
    let text = "events/000001.ndjson: it was changed: it is full of zeros";
    let none = check(text, ALL, &zeros(EVENTS));
    assert_eq!((none.connections, none.rows), (0, 1));
    assert_eq!(none.packets, whole.packets);
    // What is not read for it is not checked, but it has to be there. Rules read packets, too.
    let text = "packets/000001.pcapng: it was changed: it is full of zeros";
    let none = check(text, &["list", "--pcapng"], &zeros(PACKETS));
    assert_eq!(none.rows, whole.rows);
    assert!(none.packets < whole.packets, "{none:?}");
    let none = check(
        "packets/000001.pcapng: it is missing",
        ALL,
        &remove(PACKETS),
    );
    assert_eq!(none.connections, whole.connections);
    check("events/000001.ndjson: it is missing", ALL, &remove(EVENTS));
    assert_eq!(
        check("case.json: it was changed", ALL, &zeros("case.json")).rows,
        whole.rows
    );
    assert_eq!(check("log.ndjson", ALL, &remove("log.ndjson")), whole);
    assert_eq!(
        check(
            "manifest.sha256: it is missing",
            ALL,
            &remove("manifest.sha256")
        ),
        whole
    );
    let chain = |case: &Path| replace(&case.join("log.ndjson"), "file_added", "file_adder");
    assert_eq!(check("log.ndjson, line", ALL, &chain), whole);
    let climbs = |case: &Path| {
        let manifest = case.join("manifest.sha256");
        let text = fs::read_to_string(&manifest).unwrap();
        fs::write(&manifest, text.replace("  events/", "  ../events/")).unwrap();
    };
    assert_eq!(check("manifest.sha256, line", ALL, &climbs), whole);
}

#[test]
fn up_to_a_moment_all_that_was_taken_is_checked() {
    let room = Room::new();
    let case = changed(&room, |case| {
        replace(&case.join(EVENTS), "/usr/sbin/init", "/usr/sbin/inix");
    });
    let run = on(&case, &["list"], &["--at", "2026-11-22T23:49:17Z"]);
    assert_eq!(run.code, Some(4), "{}", run.talk());
    assert!(run.talk().contains(EVENTS), "{}", run.talk());
}

#[test]
fn arguments_that_were_to_be_left_out_are_in_no_packet_file() {
    let room = Room::new();
    let has = |bytes: &[u8]| bytes.windows(9).any(|it| it == b"_CMDLINE=");
    let words = ["export", "--pcapng", "--with-events"];
    assert!(has(&on(&story(), &words, &[]).out));
    let case = changed(&room, |case| {
        let file = case.join("case.json");
        let text = fs::read_to_string(&file).unwrap();
        let text = text.replacen("\"record\",", "\"record\", \"--no-cmdline\",", 1);
        assert!(text.contains("--no-cmdline"), "{text}");
        fs::write(file, text).unwrap();
    });
    assert!(!has(&on(&case, &words, &[]).out));
}

#[test]
fn strangers_are_named_in_bounds_and_not_packed() {
    let room = Room::new();
    let case = changed(&room, |case| {
        for number in 10..30 {
            fs::write(case.join(format!("stranger-{number}")), "x").unwrap();
        }
    });
    let packed = room.file("packed.zip");
    let out = ["-o", packed.to_str().unwrap()];
    for (words, more, what) in [
        ("verify", &[][..], "was not checked"),
        ("pack", &out[..], "was not packed"),
    ] {
        let run = on(&case, &[words], more);
        assert_eq!(run.code, Some(0), "{words}: {}", run.talk());
        let first = format!("stranger-10 does not belong to the case and {what}.\n");
        assert!(run.talk().contains(&first), "{}", run.talk());
        assert_eq!(
            run.talk().matches("stranger-").count(),
            10,
            "{}",
            run.talk()
        );
        assert!(
            run.talk().contains("So it is with 10 more.\n"),
            "{}",
            run.talk()
        );
    }
    let bytes = fs::read(&packed).unwrap();
    assert!(!bytes.windows(9).any(|it| it == b"stranger-"));
}

#[test]
fn a_packed_case_is_named_as_the_case_was() {
    let room = Room::new();
    let case = copy_of(&story(), &room);
    let name = case.file_name().unwrap().to_str().unwrap();
    let run = Run::of(
        command(WHOCALLS)
            .args(["pack", name])
            .current_dir(room.path()),
    );
    assert_eq!(run.code, Some(0), "{}", run.talk());
    let expected = format!("  {name}.zip\n");
    assert!(run.text().ends_with(&expected), "{}", run.text());
}

#[test]
fn several_cases_are_checked_and_the_worst_counts() {
    let room = Room::new();
    let whole = story();
    let damaged = changed(&room, |case| replace(&case.join(EVENTS), "tcp", "udp"));
    let missing = room.file("missing");
    let verify = |cases: &[&Path], options: &[&str]| {
        let cases = cases.iter().map(|case| case.to_str().unwrap());
        let words: Vec<&str> = ["verify"]
            .into_iter()
            .chain(cases)
            .chain(options.iter().copied())
            .collect();
        crate::program::whocalls(&words)
    };
    assert_eq!(verify(&[&whole, &whole], &[]).code, Some(0));
    assert_eq!(verify(&[&missing, &whole], &[]).code, Some(1));
    let all = verify(&[&damaged, &missing, &whole], &[]);
    assert_eq!(all.code, Some(4), "{}", all.talk());
    let text = all.text();
    assert!(
        text.contains("CHANGED OR DAMAGED") && text.contains("Unchanged since"),
        "{text}"
    );
    assert!(text.contains("missing:\n"), "{text}");
    let seal = "--seal=00000000000000000000000000000000";
    assert_eq!(verify(&[&whole, &whole], &[seal]).code, Some(2));
}
