//! `import`: files of other tools in a case, as they were, with a seal that stands for them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::encrypted::{IDENTITY, RECIPIENT, STRANGER};
use crate::program::{Run, WHOCALLS};
use crate::recording::{Recording, contains, lines};
use crate::room::{Room, copy_of, on, tree};
use crate::setting::{Need, command, lacks};

/// A log of Zeek with two connections, at 10:00:00 and 10:01:00 for ten seconds each.
const ZEEK: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n\
#unset_field\t-\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\t\
service\tduration\torig_bytes\tresp_bytes\tconn_state\n#types\ttime\tstring\taddr\tport\taddr\tport\t\
enum\tstring\tinterval\tcount\tcount\tstring\n\
1795341600.000000\tCaa\t192.168.7.2\t40001\t198.51.100.71\t443\ttcp\tssl\t10.0\t111\t222\tSF\n\
1795341660.000000\tCbb\t192.168.7.2\t40002\t198.51.100.72\t443\ttcp\tssl\t10.0\t333\t444\tSF\n";

/// The case among the examples, copied.
fn story(room: &Room) -> PathBuf {
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/story");
    copy_of(&story, room)
}

fn zeek(room: &Room, name: impl AsRef<Path>) -> PathBuf {
    let path = room.path().join(name);
    fs::write(&path, ZEEK).unwrap();
    path
}

fn import(case: &Path, files: &[&Path], options: &[&str]) -> Run {
    let mut command = Command::new(WHOCALLS);
    let run = Run::of(command.arg("import").arg(case).args(files).args(options));
    assert!(!run.talk().contains("panicked"), "{}", run.talk());
    run
}

fn went_well(run: &Run) {
    assert_eq!(run.code, Some(0), "{}", run.talk());
}

fn seals(case: &Path) -> Vec<String> {
    let verified = on(case, &["verify"], &[]);
    assert_eq!(verified.code, Some(0), "{}", verified.text());
    let text = verified.text();
    let seals = text.lines().filter(|line| line.starts_with("seal"));
    seals
        .filter_map(|line| Some(line.split_once("  ")?.1.to_owned()))
        .collect()
}

fn sha256sum_agrees(case: &Path) {
    if lacks(&[Need::Program("sha256sum")]) {
        return;
    }
    let mut sums = command("sha256sum");
    sums.args(["--check", "--strict", "manifest.sha256"]);
    let sums = Run::of(sums.current_dir(case));
    assert_eq!(sums.code, Some(0), "{}{}", sums.text(), sums.talk());
}

/// Those of the log of Zeek.
fn imported(listed: &Run) -> Vec<Value> {
    let document = listed.json();
    let connections = document["connections"].as_array().unwrap().iter();
    connections
        .filter(|it| it["local"]["ip"] == "192.168.7.2")
        .cloned()
        .collect()
}

#[test]
fn a_file_is_in_the_case_as_it_was_and_is_read_with_it() {
    let room = Room::new();
    let case = story(&room);
    let (before, first) = (tree(&case), seals(&case));
    let count = on(&case, &["list", "-a", "--csv"], &[])
        .text()
        .lines()
        .count();
    let log = zeek(&room, "conn.log");
    let offset = "--clock-offset=+1h";
    let run = import(&case, &[&log], &[offset]);
    went_well(&run);
    let kept = case.join("imports/1-conn.log/conn.log");
    assert_eq!(fs::read(&kept).unwrap(), ZEEK.as_bytes());
    assert!(
        run.text().contains("  imports/1-conn.log/conn.log\n"),
        "{}",
        run.text()
    );
    let both = seals(&case);
    assert_eq!((both.len(), &both[..1]), (2, &first[..]));
    assert!(
        run.text().ends_with(&format!("seal 2  {}\n", both[1])),
        "{}",
        run.text()
    );
    for seal in &both {
        assert_eq!(on(&case, &["verify", "--seal", seal], &[]).code, Some(0));
    }
    let said = on(&case, &["verify"], &[]).text();
    assert!(said.contains("Sealed 2 times;"), "{said}");
    sha256sum_agrees(&case);
    for (path, content) in &before {
        let is_longer = ["manifest.sha256", "log.ndjson"].map(|name| case.join(name));
        let now = fs::read(path).unwrap_or_default();
        assert!(now.starts_with(content), "{}", path.display());
        assert_eq!(
            now.len() > content.len(),
            is_longer.contains(path),
            "{}",
            path.display()
        );
    }
    let about = fs::read(case.join("imports/1-conn.log/about.json")).unwrap();
    let about: Value = serde_json::from_slice(&about).unwrap();
    assert_eq!(about["source"], log.to_str().unwrap());
    assert_eq!(about["kind"], "Zeek log");
    assert_eq!(about["bytes"], ZEEK.len());
    assert_eq!(about["clock_offset_ns"], 3_600_000_000_000_u64);
    let told = lines(&fs::read_to_string(case.join("log.ndjson")).unwrap());
    let what: Vec<_> = told
        .iter()
        .rev()
        .take(3)
        .map(|line| &line["what"])
        .collect();
    assert_eq!(what, ["file_added", "file_added", "import"]);

    let listed = on(&case, &["list", "-a", "--json"], &[]);
    let seen = imported(&listed);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0]["opened"], "2026-11-22T11:00:00.000000000Z");
    let reads = |arguments: &[&str]| on(&case, arguments, &[]).text();
    assert_eq!(reads(&["list", "-a", "--csv"]).lines().count(), count + 2);
    for form in ["--csv", "--ecs", "--ocsf", "--zeek"] {
        let text = reads(&["export", form]);
        assert!(
            text.contains("198.51.100.71") && text.contains("198.51.100.72"),
            "{form}"
        );
    }
    assert!(!contains(
        &on(&case, &["export", "--pcapng"], &[]).out,
        b"198.51.100.71"
    ));
    let packed = room.file("packed.zip");
    let run = on(&case, &["pack"], &["-o", packed.to_str().unwrap()]);
    went_well(&run);
    assert!(contains(
        &fs::read(&packed).unwrap(),
        b"imports/1-conn.log/about.json"
    ));
    assert!(tree(&case).len() > before.len());
}

#[test]
fn what_stood_open_at_a_moment_counts_for_imports_too() {
    let room = Room::new();
    let case = story(&room);
    let begun = fs::read_to_string(case.join("case.json")).unwrap();
    let begun: Value = serde_json::from_str(&begun).unwrap();
    let began = begun["began"].as_str().unwrap().to_owned();
    // The first one begins five seconds after the recording.
    let seconds: f64 = Run::of(command("date").args(["-d", &began, "+%s.%N"]))
        .text()
        .trim()
        .parse()
        .unwrap();
    let text = ZEEK.replace("1795341600.000000", &format!("{:.6}", seconds + 2.0));
    let log = room.file("conn.log");
    fs::write(&log, text).unwrap();
    went_well(&import(&case, &[&log], &[]));
    let at = |later: f64| {
        let stamp = format!("@{:.0}", seconds + later);
        let time = Run::of(command("date").args(["-u", "-d", &stamp, "+%Y-%m-%dT%H:%M:%SZ"]));
        let time = time.text().trim().to_owned();
        imported(&on(&case, &["list", "-a", "--json", "--at", &time], &[])).len()
    };
    assert_eq!((at(1.0), at(6.0), at(20.0)), (0, 1, 0));
}

#[test]
fn an_import_that_is_older_than_the_recording_is_shown_at_its_time() {
    let room = Room::new();
    let case = story(&room);
    let log = room.file("conn.log");
    // Long before this recording, and ten seconds long.
    fs::write(&log, ZEEK.replace("1795341600.000000", "1500000000.000000")).unwrap();
    let before = on(&case, &["list", "--at", "2017-07-14T02:40:05Z"], &[]);
    assert_eq!(before.code, Some(2), "{}", before.talk());
    went_well(&import(&case, &[&log], &[]));
    let at = |time: &str| on(&case, &["list", "-a", "--json", "--at", time], &[]);
    let then = at("2017-07-14T02:40:05Z");
    assert_eq!(then.code, Some(0), "{}", then.talk());
    assert_eq!(imported(&then).len(), 1);
    assert_eq!(then.json()["connections"].as_array().unwrap().len(), 1);
    assert!(then.talk().contains("began later"), "{}", then.talk());
    assert_eq!(at("2017-07-14T02:39:00Z").code, Some(2));
}

#[test]
fn what_is_ruined_in_an_imported_file_is_said() {
    let room = Room::new();
    let case = story(&room);
    let log = room.file("conn.log");
    fs::write(&log, format!("{ZEEK}nonsense\n")).unwrap();
    let run = import(&case, &[&log], &[]);
    assert_eq!(run.code, Some(3), "{}", run.talk());
    assert!(
        run.talk().contains("1 part not understood"),
        "{}",
        run.talk()
    );
    assert!(run.text().contains("imports/1-conn.log/conn.log"));
}

#[test]
fn the_same_file_again_and_hostile_names() {
    let room = Room::new();
    let case = story(&room);
    let folder = room.file("files");
    fs::create_dir(&folder).unwrap();
    let names: [&[u8]; 6] = [
        b"conn.log",
        b"\x1b[2Jevil\xe2\x80\xae.log",
        b"\xff\xfe.log",
        b"..log",
        b"about.json",
        b"nul",
    ];
    for name in names {
        fs::write(folder.join(OsStr::from_bytes(name)), ZEEK).unwrap();
    }
    let run = import(&case, &[&folder], &[]);
    went_well(&run);
    let again = import(&case, &[&folder.join("conn.log")], &[]);
    went_well(&again);
    assert!(
        again.talk().contains("the same content already"),
        "{}",
        again.talk()
    );
    assert!(
        again.text().contains("imports/7-conn.log/conn.log"),
        "{}",
        again.text()
    );
    assert_eq!(seals(&case).len(), 3);
    sha256sum_agrees(&case);
    let listed = on(&case, &["list", "-a", "--json"], &[]);
    assert_eq!(
        imported(&listed).len(),
        2,
        "the same connections are there once"
    );
    for run in [
        &run,
        &again,
        &on(&case, &["verify"], &[]),
        &on(&case, &["list", "-v"], &[]),
    ] {
        let said = format!("{}{}", String::from_utf8_lossy(&run.out), run.talk());
        assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said:?}");
    }
    for path in tree(&case).keys() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !name.contains(['\u{1b}', '\u{202e}', '\u{fffd}']),
            "{name:?}"
        );
    }
    let abouts = tree(&case.join("imports"));
    let is_told = |text: &[u8]| abouts.values().any(|about| contains(about, text));
    assert!(is_told(b"source_hex") && is_told(b"fffe2e6c6f67"));
}

#[test]
fn what_is_refused_leaves_the_case_as_it_is() {
    let room = Room::new();
    let case = story(&room);
    let log = zeek(&room, "conn.log");
    let file = |name: &str, content: &[u8]| {
        fs::write(room.file(name), content).unwrap();
        room.file(name)
    };
    let unknown = file("notes", b"nothing that anybody knows\n");
    let empty = file("empty", b"");
    let (link, pipe) = (room.file("link.log"), room.file("pipe"));
    symlink(&log, &link).unwrap();
    assert!(command("mkfifo").arg(&pipe).status().unwrap().success());
    let other = story(&room);
    let within = case.join("packets/000001.pcapng");
    let before = tree(&case);
    for (path, code, said) in [
        (&unknown, 1, "--as-it-is"),
        (&empty, 1, "empty"),
        (&link, 1, "link"),
        (&pipe, 1, "no file"),
        (&PathBuf::from("/dev/zero"), 1, "no file"),
        (&room.file("nowhere"), 1, "nowhere"),
        (&other, 2, "is a case"),
        (&within, 2, "case itself"),
        (&room.path().to_path_buf(), 2, "case itself"),
    ] {
        let run = import(&case, &[&log, path], &[]);
        assert_eq!(run.code, Some(code), "{}: {}", path.display(), run.talk());
        assert!(
            run.talk().contains(said),
            "{}: {}",
            path.display(),
            run.talk()
        );
        assert!(tree(&case) == before, "{}", path.display());
    }
    let wrong = import(&case, &[&log], &["--recipient", RECIPIENT]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.talk());
    let wrong = import(&case, &[&log], &["--clock-offset", "other.log=+1s"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.talk());
    assert_eq!(
        import(room.path(), &[Path::new("/etc/hostname")], &["--as-it-is"]).code,
        Some(1)
    );
    assert!(tree(&case) == before);

    let first = case.join("case.json");
    fs::write(&first, [fs::read(&first).unwrap(), b" ".to_vec()].concat()).unwrap();
    let before = tree(&case);
    let changed = import(&case, &[&log], &[]);
    assert_eq!(changed.code, Some(4), "{}", changed.talk());
    assert!(changed.talk().contains("case.json"), "{}", changed.talk());
    assert!(tree(&case) == before);
}

#[test]
fn of_a_folder_what_is_not_known_is_left_out_or_taken_as_it_is() {
    let room = Room::new();
    let case = story(&room);
    let folder = room.file("files");
    fs::create_dir_all(folder.join("below")).unwrap();
    fs::write(folder.join("below/conn.log"), ZEEK).unwrap();
    fs::write(folder.join("notes"), "nothing that anybody knows\n").unwrap();
    let run = import(&case, &[&folder], &[]);
    assert_eq!(run.code, Some(3), "{}", run.talk());
    assert!(run.talk().contains("files/notes"), "{}", run.talk());
    assert!(!case.join("imports/2-notes").exists());
    let run = import(&case, &[&folder.join("notes")], &["--as-it-is"]);
    went_well(&run);
    assert_eq!(seals(&case).len(), 3);
    let listed = on(&case, &["list", "-a", "--json"], &[]);
    assert_eq!(imported(&listed).len(), 2);
    assert!(
        on(&case, &["list"], &[])
            .talk()
            .contains("imports/2-notes/notes")
    );
}

#[test]
fn what_was_changed_in_an_import_is_told() {
    let room = Room::new();
    let case = story(&room);
    let log = zeek(&room, "conn.log");
    went_well(&import(&case, &[&log], &[]));
    let kept = case.join("imports/1-conn.log/conn.log");
    fs::write(&kept, ZEEK.replace("198.51.100.71", "198.51.100.99")).unwrap();
    for arguments in [&["list"][..], &["export", "--csv"]] {
        let run = on(&case, arguments, &[]);
        assert_eq!(run.code, Some(4), "{}", run.talk());
        assert!(
            run.talk().contains("imports/1-conn.log/conn.log"),
            "{}",
            run.talk()
        );
    }
    assert_eq!(import(&case, &[&log], &[]).code, Some(4));
    // What cannot be understood is counted, and no damage.
    let case = story(&room);
    let log = room.file("odd.log");
    fs::write(&log, format!("{ZEEK}not\ta\tconnection\n")).unwrap();
    assert_eq!(import(&case, &[&log], &[]).code, Some(3));
    let run = on(&case, &["list"], &[]);
    assert_eq!(run.code, Some(3), "{}", run.talk());
    assert!(
        run.talk().contains("imports/1-odd.log/odd.log"),
        "{}",
        run.talk()
    );
}

#[test]
fn where_nothing_can_be_written_it_is_said() {
    if lacks(&[Need::Root, Need::Program("unshare"), Need::Program("mount")]) {
        return;
    }
    let room = Room::new();
    let case = story(&room);
    let log = zeek(&room, "conn.log");
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" && exec \"$2\" import \"$1\" \"$3\"";
    let mut shell = command("unshare");
    shell.args(["--mount", "sh", "-c", script, "sh"]);
    let run = Run::of(shell.arg(&case).arg(WHOCALLS).arg(&log));
    assert_eq!(run.code, Some(1), "{}", run.talk());
    assert!(
        run.talk().contains("help: the case cannot be written to"),
        "{}",
        run.talk()
    );
    assert_eq!(seals(&case).len(), 1);
}

#[test]
fn an_import_that_is_killed_leaves_a_case_that_goes_on() {
    let room = Room::new();
    let case = story(&room);
    let first = seals(&case);
    let large = room.file("large");
    let mut file = File::create(&large).unwrap();
    for _ in 0..64 {
        file.write_all(&vec![0x5a; 1 << 20]).unwrap();
    }
    let log = zeek(&room, "conn.log");
    for milliseconds in [20, 60, 150, 400] {
        let mut child = Command::new(WHOCALLS)
            .args(["import", "--as-it-is"])
            .args([&case, &log, &large])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        let _ = child.kill();
        child.wait().unwrap();
        let verified = on(&case, &["verify"], &[]);
        assert!(
            [Some(0), Some(3)].contains(&verified.code),
            "{}",
            verified.text()
        );
        let listed = on(&case, &["list", "-a", "--json"], &[]);
        assert!(
            [Some(0), Some(3)].contains(&listed.code),
            "{}",
            listed.talk()
        );
    }
    went_well(&import(&case, &[&log], &[]));
    let seals = seals(&case);
    assert_eq!(seals.first(), first.first());
    assert!(!tree(&case).keys().any(|path| path.ends_with("copy.new")));
    sha256sum_agrees(&case);
}

#[test]
fn a_case_that_is_encrypted_stays_so() {
    if lacks(&[Need::Root]) {
        return;
    }
    let recording = Recording::start(&[
        "--recipient",
        RECIPIENT,
        "--depth",
        "events",
        "--max-size",
        "64M",
    ]);
    let log = zeek(&recording.room, "conn.log");
    let running = import(&recording.case(), &[&log], &["--recipient", RECIPIENT]);
    assert_eq!(running.code, Some(1), "{}", running.talk());
    assert!(running.talk().contains("recorded"), "{}", running.talk());
    let recorded = recording.stop();
    recorded.went_well();
    let case = &recorded.case;
    let first = seals(case);
    let refused = import(case, &[&log], &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.talk());
    assert!(refused.talk().contains("--recipient"), "{}", refused.talk());
    let run = import(
        case,
        &[&log],
        &["--recipient", RECIPIENT, "--clock-offset=-1h"],
    );
    went_well(&run);
    let both = seals(case);
    assert_eq!((both.len(), &both[..1]), (2, &first[..]));
    sha256sum_agrees(case);
    for (path, content) in tree(&case.join("imports")) {
        assert!(
            path.extension().is_none_or(|it| it == "age") || path.is_dir(),
            "{}",
            path.display()
        );
        assert!(!contains(&content, b"198.51.100.71") && !contains(&content, b"Zeek"));
    }
    let key = recorded.room.file("identity");
    fs::write(&key, IDENTITY).unwrap();
    let identity = ["--identity", key.to_str().unwrap()];
    let before = tree(recorded.room.path());
    let listed = on(
        case,
        &[&["list", "-a", "--json"][..], &identity].concat(),
        &[],
    );
    let seen = imported(&listed);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0]["opened"], "2026-11-22T09:00:00.000000000Z");
    assert!(tree(recorded.room.path()) == before, "reading has written");
    // For somebody else: the rest is read.
    let other = age_recipient(&recorded.room);
    if let Some(other) = other {
        went_well(&import(case, &[&log], &["--recipient", &other]));
        let listed = on(
            case,
            &[&["list", "-a", "--csv"][..], &identity].concat(),
            &[],
        );
        assert_eq!(listed.code, Some(3), "{}", listed.talk());
        assert!(
            listed.talk().contains("imports/2-conn.log"),
            "{}",
            listed.talk()
        );
        assert!(listed.text().contains("198.51.100.71"));
    }
}

/// The public half of another key.
fn age_recipient(room: &Room) -> Option<String> {
    if lacks(&[Need::Program("age-keygen")]) {
        return None;
    }
    let key = room.file("stranger");
    fs::write(&key, STRANGER).unwrap();
    let run = Run::of(command("age-keygen").arg("-y").arg(&key));
    Some(run.text().trim().to_owned())
}
