//! A case that is encrypted from its beginning.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::ends::cut_but_readable;
use super::talking;
use crate::network::Namespace;
use crate::program::{Look, Run, WHOCALLS, copy_to};
use crate::recording::{Recording, contains, packets};
use crate::room::{Room, on, tree};
use crate::sample::SECRET;
use crate::setting::{Folder, Need, command, lacks};

/// Made by age-keygen for these tests, and for nothing else.
pub(crate) const RECIPIENT: &str = "age1ec6ehem6e96dy23qx773exftc9n33q94jnw06ze7pz9a8ttkzcts5wxgtd";
pub(crate) const IDENTITY: &str =
    "AGE-SECRET-KEY-1V32JCYYWWJ7GZC7ZZJKJ89AND0VJ2ZK49L63NTAUJD2KG939Z9TQ7ENGYZ";
/// Another one.
pub(crate) const STRANGER: &str =
    "AGE-SECRET-KEY-1Q7TGQHP0JT709LT7DYKX0F52CHD28CZ4W7Y9V2E7VGX8XMZVUX8SSUG6LL";

#[test]
fn nothing_of_it_is_readable_without_the_key() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let recording = Recording::start(&["--recipient", RECIPIENT]);
    let room = recording.room.path().to_path_buf();
    let watching = thread::spawn(move || {
        for _ in 0..20 {
            nothing_is_plain(&room);
            thread::sleep(Duration::from_millis(80));
        }
    });
    let (actor, words) = talking(&namespace);
    let recorded = recording.stop();
    watching.join().unwrap();
    recorded.went_well();
    nothing_is_plain(recorded.room.path());
    let key = recorded.room.file("identity");
    fs::write(&key, format!("# a comment\n{IDENTITY}\n")).unwrap();
    let key = key.to_str().unwrap();
    let pid = format!("pid:{}", actor.pid());

    let before = tree(&recorded.case);
    let looked_up = ["lookup", "--json", "--identity", key, "--case"];
    let document = on(&recorded.case, &looked_up, &[]).json();
    let items = document["items"].as_array().unwrap();
    assert!(items.iter().any(|it| it["kind"] == "address"), "{document}");
    let refused = on(&recorded.case, &["lookup", "--case"], &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.talk());
    assert!(refused.talk().contains("--identity"), "{}", refused.talk());
    let listed = on(
        &recorded.case,
        &["list", "-a", "--json", "--identity", key],
        &[&pid],
    );
    assert!(
        Look(listed.json())
            .connections()
            .any(|seen| seen.local() == words[0])
    );
    let exported = on(
        &recorded.case,
        &["export", "--pcapng", "--identity", key],
        &[&pid],
    );
    assert_eq!(exported.code, Some(0), "{}", exported.talk());
    let own = packets(&exported.out);
    assert!(own.len() >= 14 && own.iter().all(|it| contains(&it.bytes, SECRET.as_bytes())));

    let stranger = recorded.room.file("stranger");
    fs::write(&stranger, STRANGER).unwrap();
    let stranger = stranger.to_str().unwrap();
    for (words, said) in [
        (&[][..], "--identity"),
        (&["--identity", stranger], "key"),
        (&["--identity", "/nowhere/at/all"], "/nowhere/at/all"),
        (&["--identity", "/dev/zero"], "/dev/zero"),
    ] {
        for command in [&["list"][..], &["export", "--csv"], &["open"]] {
            let run = on(&recorded.case, &[command, words].concat(), &[]);
            assert_eq!(run.code, Some(1), "{command:?} {words:?}: {}", run.talk());
            assert!(
                run.talk().contains(said),
                "{command:?} {words:?}: {}",
                run.talk()
            );
            assert_eq!(run.out, b"");
        }
    }
    assert_eq!(tree(&recorded.case), before, "reading has written");

    if !lacks(&[Need::Program("age")]) {
        for path in before
            .keys()
            .filter(|path| path.extension().is_some_and(|it| it == "age"))
        {
            let mut age = command("age");
            let plain = Run::of(age.args(["--decrypt", "--identity", key]).arg(path));
            assert_eq!(plain.code, Some(0), "{}: {}", path.display(), plain.talk());
            assert!(!plain.out.is_empty(), "{}", path.display());
        }
    }
}

/// Whether no file tells what was sent, or what is in every case.
fn nothing_is_plain(room: &Path) {
    for (path, content) in tree(room) {
        let name = path.file_name().unwrap().to_string_lossy();
        if ["START-HERE.txt", "said", "talk"].contains(&&*name) {
            continue;
        }
        let is_sealed = name.ends_with(".age") || name.ends_with(".age.new");
        for plain in [SECRET, "whocalls/1", "process_id", "\"pid\"", "127.0.0.1"] {
            assert!(
                !contains(&content, plain.as_bytes()),
                "{plain} in {}",
                path.display()
            );
        }
        let is_known = name.starts_with("manifest.sha256") || name == "reserve";
        assert!(is_sealed || is_known || path.is_dir(), "{}", path.display());
    }
}

#[test]
fn a_killed_one_keeps_what_is_older_than_a_second() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let recording = Recording::start(&["--recipient", RECIPIENT]);
    let (actor, words) = talking(&namespace);
    // Packets are in pieces of at most five seconds, events of one.
    thread::sleep(Duration::from_millis(4500));
    let recorded = recording.kill();
    nothing_is_plain(recorded.room.path());
    let key = recorded.room.file("identity");
    fs::write(&key, IDENTITY).unwrap();
    cut_but_readable(
        &recorded,
        &["--identity", key.to_str().unwrap()],
        actor.pid(),
        &words[0],
    );
}

#[test]
fn a_key_beside_the_program_is_enough() {
    if lacks(&[Need::Root]) {
        return;
    }
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let start = |key: &str| -> (Recording, PathBuf) {
        fs::write(folder.file("key.txt"), key).unwrap();
        let arguments = ["--depth", "events"];
        let recording = Recording::spawn(Command::new(&program), Room::new(), &arguments);
        (recording, folder.file("key.txt"))
    };
    for (key, said) in [
        (IDENTITY, "PRIVATE"),
        ("age1nonsense", "key.txt"),
        ("", "key.txt"),
    ] {
        let (recording, _) = start(key);
        let refused = recording.end();
        assert_eq!(refused.run.code, Some(1), "{key}: {}", refused.run.talk());
        assert!(
            refused.run.talk().contains(said),
            "{key}: {}",
            refused.run.talk()
        );
        assert!(
            !refused.run.talk().contains("SECRET-KEY-1V32"),
            "{}",
            refused.run.talk()
        );
        assert!(refused.room.case().is_none(), "{key}");
    }
    fs::write(
        folder.file("key.txt"),
        format!("# of the helper\r\n{RECIPIENT}\r\n"),
    )
    .unwrap();
    let recording = Recording::start_as(Command::new(&program), Room::new(), &[]);
    let recorded = recording.stop();
    recorded.went_well();
    nothing_is_plain(recorded.room.path());
    let start_here = fs::read_to_string(recorded.case.join("START-HERE.txt")).unwrap();
    assert!(start_here.contains("--identity"), "{start_here}");
    assert!(WHOCALLS != program.to_str().unwrap());
}

#[test]
fn a_key_that_is_itself_encrypted_is_said_to_be() {
    let room = Room::new();
    let recorded = room.file("whocalls-case");
    fs::create_dir(&recorded).unwrap();
    fs::write(recorded.join("manifest.sha256"), "# whocalls case 1\n").unwrap();
    let key = room.file("protected.txt");
    fs::write(&key, b"age-encryption.org/v1\n-> scrypt \xff\xfe\n").unwrap();
    let run = on(
        &recorded,
        &["list", "--identity", key.to_str().unwrap()],
        &[],
    );
    assert_eq!(run.code, Some(1), "{}", run.talk());
    assert!(run.talk().contains("itself encrypted"), "{}", run.talk());
    assert!(run.talk().contains("age --decrypt"), "{}", run.talk());
}
