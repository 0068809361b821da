//! Cases that somebody has changed, or that are none: what each command says of them, and that it
//! leaves them as they are.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::program::Run;
use crate::room::{Room, copy_of, on, tree};
use crate::sample::Sample;
use crate::setting::{Need, lacks};

/// Every command that reads a case. The last one wants a terminal where it finds nothing wrong.
const READERS: [&[&str]; 7] = [
    &["list", "-a", "--json"],
    &["export", "--csv"],
    &["export", "--ndjson"],
    &["export", "--zeek"],
    &["export", "--pcapng"],
    &["export", "--pcapng", "--with-events"],
    &["open"],
];

/// The exit code of `verify`, and what all readers have to say, if they have to.
struct Expected<'a> {
    verify: i32,
    named: &'a str,
    readers: &'a [i32],
}

/// Nothing else may come of what is read than data, or an error that says what is wrong.
const ANY: &[i32] = &[0, 1, 2, 3, 4];

fn check(what: &str, expected: &Expected<'_>, change: impl FnOnce(&Path)) {
    let Some(sample) = Sample::get() else {
        return;
    };
    let room = Room::new();
    let case = copy_of(&sample.case, &room);
    change(&case);
    let before = tree(room.path());
    let verified = on(&case, &["verify"], &[]);
    let said = said(&verified);
    assert_eq!(verified.code, Some(expected.verify), "{what}: {said}");
    assert!(said.contains(expected.named), "{what}: {said}");
    for reader in READERS {
        let run = on(&case, reader, &[]);
        let code = run.code.unwrap();
        // The screen wants a terminal before it reads on.
        let is_expected = expected.readers.contains(&code) || (reader[0], code) == ("open", 2);
        assert!(is_expected, "{what}: {reader:?}: {code}: {}", run.talk());
        let talk = run.talk();
        let is_said = talk.lines().any(|line| line.starts_with("whocalls: "));
        assert!(code == 0 || code == 3 || is_said, "{what}: {talk}");
        is_for_people(&run);
    }
    let packed = on(
        &case,
        &["pack"],
        &["-o", room.file("packed.zip").to_str().unwrap()],
    );
    // Whether the lines of the log follow from each other is for verify to tell.
    if expected.verify == 4 && expected.named != "log.ndjson" {
        assert!(
            [Some(1), Some(4)].contains(&packed.code),
            "{what}: {}",
            packed.talk()
        );
        assert!(!room.file("packed.zip").exists(), "{what}");
    }
    let _ = fs::remove_file(room.file("packed.zip"));
    assert!(tree(room.path()) == before, "{what}: reading has written");
}

fn said(run: &Run) -> String {
    format!("{}{}", run.text(), run.talk())
}

/// No control characters come to a terminal.
fn is_for_people(run: &Run) {
    let talk = run.talk();
    let odd = talk.chars().find(|it| it.is_control() && *it != '\n');
    assert_eq!(odd, None, "{talk:?}");
}

fn change_byte(file: &Path, at: u64) {
    let mut open = fs::File::options()
        .read(true)
        .write(true)
        .open(file)
        .unwrap();
    let mut byte = [0];
    open.seek(SeekFrom::Start(at)).unwrap();
    open.read_exact(&mut byte).unwrap();
    open.seek(SeekFrom::Start(at)).unwrap();
    open.write_all(&[byte[0] ^ 0x41]).unwrap();
}

fn files(case: &Path) -> Vec<PathBuf> {
    let below = tree(case).into_keys().filter(|path| path.is_file());
    below
        .map(|path| path.strip_prefix(case).unwrap().to_path_buf())
        .collect()
}

#[test]
fn what_is_packed_is_to_be_unpacked() {
    let room = Room::new();
    for (name, word) in [("a.zip", "unpack"), ("a.zip.age", "age -d")] {
        let packed = room.file(name);
        fs::write(&packed, "PK").unwrap();
        for reader in [&["verify"][..], &["list"], &["open"], &["export", "--csv"]] {
            let run = on(&packed, reader, &[]);
            assert!([Some(1), Some(2)].contains(&run.code), "{reader:?}");
            assert!(run.talk().contains(word), "{reader:?}: {}", run.talk());
        }
    }
}

#[test]
fn a_case_without_its_seal_is_not_whole() {
    let expected = Expected {
        verify: 3,
        named: "Not sealed",
        readers: &[3],
    };
    check("no seal", &expected, |case| {
        let manifest = case.join("manifest.sha256");
        let text = fs::read_to_string(&manifest).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("# log "));
        let left: String = lines.map(|line| format!("{line}\n")).collect();
        fs::write(&manifest, left).unwrap();
        let listed = on(case, &["list"], &[]);
        assert!(listed.talk().contains("never sealed"), "{}", listed.talk());
    });
}

#[test]
fn a_changed_byte_is_found_in_every_file() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let mut all = files(&sample.case);
    // What can be computed again is not sealed.
    all.retain(|name| !name.starts_with("derived"));
    assert!(all.len() >= 9, "{all:?}");
    let room = Room::new();
    let case = copy_of(&sample.case, &room);
    for name in all {
        let file = case.join(&name);
        let whole = fs::read(&file).unwrap();
        let length = whole.len() as u64;
        for at in [0, length / 3, length / 2, length - 2, length - 1] {
            change_byte(&file, at);
            let verified = on(&case, &["verify"], &[]);
            let said = said(&verified);
            // The first line of the manifest is by what it is known to be one.
            let is_mark = name == Path::new("manifest.sha256") && at == 0;
            let expected: &[i32] = if is_mark { &[1, 4] } else { &[4] };
            assert!(
                expected.contains(&verified.code.unwrap()),
                "{}, {at}: {said}",
                name.display()
            );
            is_for_people(&verified);
            fs::write(&file, &whole).unwrap();
        }
    }
    assert_eq!(on(&case, &["verify"], &[]).code, Some(0));
}

#[test]
fn readers_do_not_mind_a_changed_byte() {
    for (file, part) in [
        ("case.json", 2),
        ("log.ndjson", 2),
        ("manifest.sha256", 2),
        ("events/000001.ndjson", 3),
        ("events/000001.ndjson", 100),
        ("packets/000001.pcapng", 3),
        ("packets/000001.pcapng", 50),
        ("snapshots/first.json", 2),
    ] {
        let expected = Expected {
            verify: 4,
            named: file,
            readers: ANY,
        };
        check(file, &expected, |case| {
            let file = case.join(file);
            let at = fs::metadata(&file).unwrap().len() / part;
            change_byte(&file, at);
        });
    }
}

#[test]
fn what_is_missing_is_named() {
    for file in [
        "events/000001.ndjson",
        "packets/000001.pcapng",
        "case.json",
        "log.ndjson",
        "START-HERE.txt",
        "snapshots/last.json",
    ] {
        let expected = Expected {
            verify: 4,
            named: file,
            readers: ANY,
        };
        check(file, &expected, |case| {
            fs::remove_file(case.join(file)).unwrap()
        });
    }
}

#[test]
fn a_file_full_of_zeros_is_damage() {
    for file in [
        "events/000001.ndjson",
        "packets/000001.pcapng",
        "case.json",
        "log.ndjson",
        "snapshots/first.json",
    ] {
        let readers: &[i32] = match file {
            "events/000001.ndjson" | "case.json" => &[4],
            _ => ANY,
        };
        let expected = Expected {
            verify: 4,
            named: file,
            readers,
        };
        check(file, &expected, |case| {
            let length = fs::metadata(case.join(file)).unwrap().len();
            fs::write(case.join(file), vec![0; usize::try_from(length).unwrap()]).unwrap();
        });
    }
    let expected = Expected {
        verify: 4,
        named: "manifest",
        readers: &[4],
    };
    check("the manifest", &expected, |case| {
        fs::write(case.join("manifest.sha256"), [0; 4096]).unwrap();
    });
}

#[test]
fn what_was_cut_off_is_damage() {
    for file in [
        "events/000001.ndjson",
        "packets/000001.pcapng",
        "log.ndjson",
        "manifest.sha256",
    ] {
        let expected = Expected {
            verify: 4,
            named: file,
            readers: ANY,
        };
        check(file, &expected, |case| {
            let length = fs::metadata(case.join(file)).unwrap().len();
            let open = fs::File::options()
                .write(true)
                .open(case.join(file))
                .unwrap();
            // Inside of the last line but one, so that no whole manifest is left.
            open.set_len(length - length / 4).unwrap();
        });
    }
}

#[test]
fn names_do_not_climb_out() {
    const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for name in [
        "../outside",
        "events/../../outside",
        "/etc/hostname",
        "events//000001.ndjson",
        "./case.json",
        "C:\\outside",
        "events/\u{1b}[2Jx",
    ] {
        let expected = Expected {
            verify: 4,
            named: "manifest",
            readers: &[4],
        };
        check(name, &expected, |case| {
            let manifest = case.join("manifest.sha256");
            let text = fs::read_to_string(&manifest).unwrap();
            let (mark, rest) = text.split_once('\n').unwrap();
            fs::write(&manifest, format!("{mark}\n{HASH}  {name}\n{rest}")).unwrap();
            fs::write(case.parent().unwrap().join("outside"), "").unwrap();
        });
    }
}

#[test]
fn links_are_not_followed() {
    for file in ["events/000001.ndjson", "case.json", "snapshots/first.json"] {
        let expected = Expected {
            verify: 4,
            named: file,
            readers: ANY,
        };
        check(file, &expected, |case| {
            let elsewhere = case.parent().unwrap().join("elsewhere");
            fs::rename(case.join(file), &elsewhere).unwrap();
            symlink(&elsewhere, case.join(file)).unwrap();
        });
    }
    let expected = Expected {
        verify: 4,
        named: "events",
        readers: &[4],
    };
    check("a folder", &expected, |case| {
        let elsewhere = case.parent().unwrap().join("elsewhere");
        fs::rename(case.join("events"), &elsewhere).unwrap();
        symlink(&elsewhere, case.join("events")).unwrap();
    });
}

#[test]
fn what_does_not_end_is_not_read() {
    for file in ["events/000001.ndjson", "case.json", "manifest.sha256"] {
        let expected = Expected {
            verify: 4,
            named: file,
            readers: &[1, 4],
        };
        check(file, &expected, |case| {
            fs::remove_file(case.join(file)).unwrap();
            let path = case.join(file);
            crate::setting::run("mkfifo", &[path.to_str().unwrap()]).unwrap();
        });
    }
}

#[test]
fn a_newer_format_is_left_to_newer_programs() {
    let Some(sample) = Sample::get() else {
        return;
    };
    if lacks(&[Need::Program("sha256sum")]) {
        return;
    }
    let room = Room::new();
    for (file, old, new) in [
        ("case.json", "\"format\":1", "\"format\":999"),
        (
            "manifest.sha256",
            "# whocalls case 1",
            "# whocalls case 999",
        ),
    ] {
        let case = copy_of(&sample.case, &room);
        let was = sum(&case.join(file));
        let text = fs::read_to_string(case.join(file))
            .unwrap()
            .replace("\"format\": ", "\"format\":");
        assert!(text.contains(old), "{text}");
        fs::write(case.join(file), text.replacen(old, new, 1)).unwrap();
        // As the newer program would have written it.
        let manifest = fs::read_to_string(case.join("manifest.sha256")).unwrap();
        let manifest = manifest.replace(&was, &sum(&case.join(file)));
        fs::write(case.join("manifest.sha256"), manifest).unwrap();
        let before = tree(&case);
        for reader in READERS.iter().chain([&&["verify"][..]]) {
            let run = on(&case, reader, &[]);
            // Where the files do not tell the same of themselves, they were changed besides.
            let is_damage = run.code == Some(4) || (reader[0], run.code) == ("open", Some(2));
            if !is_damage || (reader[0] != "verify" && file == "case.json") {
                assert_eq!(run.code, Some(1), "{file}: {reader:?}: {}", said(&run));
                assert!(run.talk().contains("999"), "{reader:?}: {}", run.talk());
            }
        }
        assert!(tree(&case) == before);
    }
}

/// Its SHA-256.
fn sum(file: &Path) -> String {
    let said = crate::setting::run("sha256sum", &[file.to_str().unwrap()])
        .unwrap()
        .stdout;
    String::from_utf8_lossy(&said)[..64].to_owned()
}

#[test]
fn a_foreign_folder_is_no_case() {
    let room = Room::new();
    let foreign = room.file("foreign");
    fs::create_dir(&foreign).unwrap();
    fs::write(foreign.join("file"), "something").unwrap();
    let missing = room.file("missing");
    let with_manifest = room.file("other");
    fs::create_dir(&with_manifest).unwrap();
    fs::write(with_manifest.join("manifest.sha256"), "something else\n").unwrap();
    let before = tree(room.path());
    for case in [&foreign, &foreign.join("file"), &missing, &with_manifest] {
        for reader in READERS.iter().chain([&&["verify"][..], &&["pack"][..]]) {
            if reader[0] == "list" && case != &with_manifest {
                // There it is a text to search for.
                continue;
            }
            let run = on(case, reader, &[]);
            assert_eq!(run.code, Some(1), "{reader:?}: {run:?}");
            let name = case.file_name().unwrap().to_str().unwrap();
            assert!(run.talk().contains(name), "{reader:?}: {}", run.talk());
        }
    }
    assert!(tree(room.path()) == before);
}

#[test]
fn a_packed_case_has_all_files() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let room = Room::new();
    let packed = room.file("packed.zip");
    let out = packed.to_str().unwrap();
    let run = on(&sample.case, &["pack"], &["-o", out]);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    let again = on(&sample.case, &["pack"], &["-o", out]);
    assert_eq!(again.code, Some(1), "{}", again.talk());
    assert!(again.talk().contains(out), "{}", again.talk());
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let folder = room.file("unpacked");
    let script = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])";
    crate::setting::run("python3", &["-c", script, out, folder.to_str().unwrap()]).unwrap();
    let name = sample.case.file_name().unwrap();
    let verified = on(&folder.join(name), &["verify"], &[]);
    assert_eq!(verified.code, Some(0), "{}", said(&verified));
}
