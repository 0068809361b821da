//! What was changed in a case is found, and told by its name.

use super::*;

fn is_found(folder: &Folder) -> bool {
    verify(&folder.0, None).map_or(true, |verified| verified.outcome == Outcome::Changed)
}

#[test]
fn a_changed_byte_anywhere_is_found() {
    for recipients in [None, Some(crypt::new_keys().1)] {
        let folder = Folder::new();
        sealed_case(&folder, recipients);
        for name in folder.names() {
            let path = folder.path(&name);
            let whole = fs::read(&path).unwrap();
            // Every seventh of what only has to have its hash.
            let step = if [MANIFEST, LOG].contains(&name.as_str()) {
                1
            } else {
                7
            };
            for index in (0..whole.len()).step_by(step) {
                let mut changed = whole.clone();
                changed[index] ^= 1 << (index % 8);
                fs::write(&path, &changed).unwrap();
                assert!(is_found(&folder), "{name}, byte {index}");
            }
            let lengths = [0, 1, whole.len() / 2, whole.len().saturating_sub(1)];
            for length in lengths.into_iter().filter(|length| *length < whole.len()) {
                fs::write(&path, &whole[..length]).unwrap();
                assert!(is_found(&folder), "{name}, {length} bytes");
            }
            fs::write(&path, [&whole[..], b"\0"].concat()).unwrap();
            assert!(is_found(&folder), "{name}, a byte more");
            fs::write(&path, vec![0; whole.len().max(1)]).unwrap();
            assert!(is_found(&folder), "{name}, zeros");
            fs::remove_file(&path).unwrap();
            assert!(is_found(&folder), "{name}, missing");
            fs::write(&path, &whole).unwrap();
            assert!(!is_found(&folder), "{name}");
        }
    }
}

/// One thing that somebody did to a sealed case, and what is told of it.
fn check_changed(change: impl FnOnce(&Folder), expected: &str) {
    let folder = Folder::new();
    sealed_case(&folder, None);
    change(&folder);
    let verified = folder.verify();
    assert_eq!(verified.outcome, Outcome::Changed, "{expected}");
    let told = verified
        .problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>();
    assert!(
        told.iter().any(|problem| problem.contains(expected)),
        "{told:?}"
    );
}

#[test]
fn what_was_changed_is_told_by_name() {
    let [first, second] = ["events/000001.ndjson", "events/000002.ndjson"];
    check_changed(
        |folder| fs::remove_file(folder.path(first)).unwrap(),
        "events/000001.ndjson: it is missing",
    );
    check_changed(
        |folder| fs::rename(folder.path(first), folder.path("events/000009.ndjson")).unwrap(),
        "events/000009.ndjson: it is not in the manifest",
    );
    check_changed(
        |folder| {
            fs::rename(folder.path(first), folder.path("kept")).unwrap();
            fs::rename(folder.path(second), folder.path(first)).unwrap();
            fs::rename(folder.path("kept"), folder.path(second)).unwrap();
        },
        "events/000002.ndjson: it was changed",
    );
    check_changed(
        |folder| {
            let length = fs::metadata(folder.path(first)).unwrap().len();
            fs::write(folder.path(first), vec![0; length as usize]).unwrap();
        },
        "full of zeros",
    );
    check_changed(
        |folder| fs::write(folder.path("programs/more"), "").unwrap(),
        "programs/more: it is not in the manifest",
    );
    check_changed(
        |folder| fs::write(folder.path("events/000004.ndjson.part"), "{}\n").unwrap(),
        "000004.ndjson.part: it is not in the manifest",
    );
    check_changed(
        |folder| {
            let mut log = fs::OpenOptions::new()
                .append(true)
                .open(folder.path(LOG))
                .unwrap();
            log.write_all(b"{").unwrap();
        },
        "it was added after the seal",
    );
    let edit = |name: &'static str, from: &'static str, to: &'static str| {
        move |folder: &Folder| {
            let text = fs::read_to_string(folder.path(name)).unwrap();
            assert!(text.contains(from), "{text}");
            fs::write(folder.path(name), text.replacen(from, to, 1)).unwrap();
        }
    };
    check_changed(
        edit(LOG, "file_added", "file_adder"),
        "line 3: it does not follow",
    );
    check_changed(edit(MANIFEST, "  events", "  ../events"), "leads out");
    check_changed(
        edit(MANIFEST, "  events/000001", "  /etc/passwd"),
        "leads out",
    );
    check_changed(
        edit(CASE_JSON, "laptop", "LAPTOP"),
        "case.json: it was changed",
    );
}

#[test]
fn manifest_and_log_have_to_tell_the_same() {
    // Both the file and its line in the manifest were made new; the log still knows.
    check_changed(
        |folder| {
            let name = "events/000001.ndjson";
            let old = hex(&Sha256::digest(fs::read(folder.path(name)).unwrap()));
            fs::write(folder.path(name), "{}\n").unwrap();
            let text = fs::read_to_string(folder.path(MANIFEST)).unwrap();
            let new = hex(&Sha256::digest("{}\n"));
            fs::write(folder.path(MANIFEST), text.replace(&old, &new)).unwrap();
        },
        "do not tell the same of events/000001.ndjson",
    );
    check_changed(
        |folder| {
            let name = "events/000001.ndjson";
            fs::remove_file(folder.path(name)).unwrap();
            let text = fs::read_to_string(folder.path(MANIFEST)).unwrap();
            let kept = text.lines().filter(|line| !line.ends_with(name));
            let text = kept.fold(String::new(), |text, line| text + line + "\n");
            fs::write(folder.path(MANIFEST), text).unwrap();
        },
        "it tells of events/000001.ndjson",
    );
}

#[test]
#[cfg(unix)]
fn no_link_is_followed() {
    use std::os::unix::fs::symlink;
    let swap = |name: &'static str| {
        move |folder: &Folder| {
            let (path, kept) = (folder.path(name), folder.path("kept"));
            fs::rename(&path, &kept).unwrap();
            symlink(&kept, &path).unwrap();
            let opened = OpenCase::open(&folder.0, None).unwrap();
            let problem = opened.problems().first().unwrap().to_string();
            assert!(problem.contains(": it is a link"), "{problem}");
        }
    };
    check_changed(swap("events/000001.ndjson"), "it is a link");
    check_changed(swap("events"), "it is a link");
    check_changed(swap(CASE_JSON), "it is a link");
    check_changed(swap(LOG), "it is a link");
    check_changed(swap(MANIFEST), "it is a link");
    let mut place = Directory::new(Path::new("/nowhere"));
    for name in ["../a", "/a", "a/../b", ""] {
        assert!(place.create(name).is_err(), "{name}");
    }
    let folder = Folder::new();
    symlink("/tmp", folder.path("events")).unwrap();
    symlink("/tmp/whocalls-not-there", folder.path("a.new")).unwrap();
    let mut place = Directory::new(&folder.0);
    assert!(place.create("events/a").is_err());
    assert!(place.create("a.new").is_err());
    assert!(place.make_folder("events").is_err());
}

#[test]
fn other_folders_and_newer_formats_are_no_damage() {
    let folder = Folder::new();
    let check = |expected: &str| {
        let told = [
            format!("{:?}", verify(&folder.0, None)),
            format!("{:?}", OpenCase::open(&folder.0, None)),
        ];
        assert!(told.iter().all(|told| told.contains(expected)), "{told:?}");
    };
    check("Foreign");
    fs::write(folder.path("notes.txt"), "hello").unwrap();
    check("Foreign");
    fs::write(
        folder.path(MANIFEST),
        "d41d8cd98f00b204e9800998ecf8427e  notes.txt\n",
    )
    .unwrap();
    check("Foreign");
    fs::write(
        folder.path(MANIFEST),
        "# whocalls case 2\nwhat comes later\n",
    )
    .unwrap();
    check("TooNew");
    fs::write(folder.path(CASE_JSON), "{\"format\": 2}").unwrap();
    check("TooNew");
    fs::write(folder.path(CASE_JSON), "{\"format\": 1}").unwrap();
    let told = verify(&folder.0, None).unwrap();
    assert_eq!(told.outcome, Outcome::Changed);
    let file = verify(&folder.path(MANIFEST), None);
    assert!(matches!(file, Err(Error::Foreign { .. })), "{file:?}");
    let nothing = verify(&folder.path("nothing"), None);
    assert!(matches!(nothing, Err(Error::Read { .. })), "{nothing:?}");
}

#[test]
fn what_lies_beside_is_told_and_is_no_damage() {
    let folder = Folder::new();
    sealed_case(&folder, None);
    fs::write(folder.path("Thumbs.db"), "x").unwrap();
    fs::create_dir(folder.path(".Trashes")).unwrap();
    fs::create_dir(folder.path("derived")).unwrap();
    fs::write(folder.path("derived/findings.ndjson"), "x").unwrap();
    let verified = folder.verify();
    assert_eq!(verified.outcome, Outcome::Sealed);
    let mut strangers = verified.strangers;
    strangers.sort();
    assert_eq!(strangers, [".Trashes", "Thumbs.db"]);
}
