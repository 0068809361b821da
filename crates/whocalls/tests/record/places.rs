//! Where a case may lie, who may read it, and what an ordinary user gets.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use super::talking;
use crate::network::Namespace;
use crate::program::{Look, Run, WHOCALLS, copy_to};
use crate::recording::Recording;
use crate::room::{Room, on, tree};
use crate::setting::{Need, command, find, lacks, run, skip};

#[test]
fn it_is_for_nobody_elses_eyes() {
    if lacks(&[Need::Root]) {
        return;
    }
    // Whatever the umask of whoever records.
    let mut open = command("sh");
    open.args(["-c", "umask 0; exec \"$0\" \"$@\"", WHOCALLS]);
    let recorded = Recording::start_as(open, Room::new(), &[]).stop();
    recorded.went_well();
    let mut paths: Vec<_> = tree(&recorded.case).into_keys().collect();
    assert!(paths.len() >= 12, "{paths:?}");
    paths.push(recorded.case.clone());
    for path in paths {
        let about = fs::symlink_metadata(&path).unwrap();
        let expected = if about.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(about.mode() & 0o7777, expected, "{}", path.display());
        assert!(!about.is_symlink(), "{}", path.display());
    }
}

#[test]
fn a_case_that_is_renamed_while_it_is_recorded_is_whole_and_told() {
    if lacks(&[Need::Root]) {
        return;
    }
    let recording = Recording::start(&["--for", "4", "--depth", "events"]);
    let case = recording.case();
    let hidden = case.with_file_name("hidden");
    fs::rename(&case, &hidden).unwrap();
    // Another one in its place.
    fs::create_dir(&case).unwrap();
    let recorded = recording.end();
    let run = &recorded.run;
    let talk = run.talk();
    assert!(run.text().trim_end().ends_with("/hidden"), "{talk}");
    assert!(talk.contains("was renamed or moved"), "{talk}");
    assert_eq!(on(&hidden, &["verify"], &[]).code, Some(0));
    let listed = on(&hidden, &["list", "--json"], &[]).json();
    let gaps = listed["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["id"] == "case_moved"), "{gaps:?}");
}

#[test]
fn a_case_that_is_removed_while_it_is_recorded_ends_it_at_once() {
    if lacks(&[Need::Root]) {
        return;
    }
    let recording = Recording::start(&["--for", "60", "--depth", "events"]);
    fs::remove_dir_all(recording.case()).unwrap();
    let begun = std::time::Instant::now();
    let recorded = recording.end();
    let run = &recorded.run;
    assert_eq!(run.code, Some(1), "{}", run.talk());
    assert!(run.talk().contains("was removed"), "{}", run.talk());
    assert!(begun.elapsed().as_secs() < 30);
}

#[test]
fn odd_places_are_named_and_left_alone() {
    if lacks(&[Need::Root]) {
        return;
    }
    let room = Room::new();
    let real = room.file("real");
    fs::create_dir(&real).unwrap();
    symlink(&real, room.file("link")).unwrap();
    symlink("/nowhere/at/all", room.file("dangling")).unwrap();
    fs::write(room.file("file"), "something").unwrap();
    for place in ["dangling", "file", "missing"] {
        let into = room.file(place);
        let said = record(&into);
        assert_eq!(said.code, Some(1), "{place}: {}", said.talk());
        assert!(said.talk().contains(place), "{place}: {}", said.talk());
        assert!(
            said.talk().contains("cannot record into") && said.talk().contains("\nhelp: "),
            "{}",
            said.talk()
        );
        assert!(!said.talk().contains("Recording into"), "{}", said.talk());
        assert!(!said.talk().contains("panicked"), "{}", said.talk());
    }
    // Whoever names a link means where it leads; nobody else can put one in the place of the folder.
    let followed = record(&room.file("link"));
    assert_eq!(followed.code, Some(0), "{}", followed.talk());
    assert_eq!(fs::read_dir(&real).unwrap().count(), 1);
    assert_eq!(fs::read(room.file("file")).unwrap(), b"something");
    assert!(!room.file("missing").exists());
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    if lacks(&[Need::Root, Need::Program("unshare")]) {
        return;
    }
    let room = Room::new();
    let folder = room.path().to_str().unwrap();
    let script = format!(
        "mount -t tmpfs none {folder} && mount -o remount,ro {folder} && \
         exec {WHOCALLS} record --into {folder} --for 1"
    );
    let said = Run::of(command("unshare").args(["--mount", "sh", "-c", &script]));
    assert_eq!(said.code, Some(1), "{}", said.talk());
    assert!(
        said.talk().contains(folder) && said.talk().contains("ead-only"),
        "{}",
        said.talk()
    );
}

#[test]
fn its_path_can_be_typed_and_is_one_line() {
    let room = Room::new();
    let blank = room.file("it's out");
    fs::create_dir(&blank).unwrap();
    let said = record(&blank);
    let talk = said.talk();
    assert_eq!(said.code, Some(0), "{talk}");
    let typed = talk
        .lines()
        .find_map(|it| it.split("Check: whocalls ").nth(1));
    let typed = format!("{WHOCALLS} {}", typed.unwrap());
    let verified = Run::of(command("sh").args(["-c", &typed]));
    assert_eq!(verified.code, Some(0), "{typed}: {}", verified.talk());
    let odd = room.file("two\nlines");
    fs::create_dir(&odd).unwrap();
    let said = record(&odd);
    assert_eq!(said.code, Some(0), "{}", said.talk());
    assert_eq!(said.text().lines().count(), 1, "{}", said.text());
}

fn record(into: &Path) -> Run {
    let mut command = Command::new(WHOCALLS);
    command
        .args(["record", "--for", "1", "--depth", "events", "--into"])
        .arg(into);
    Run::of(&mut command)
}

#[test]
fn a_file_system_without_permissions_will_do() {
    let needs = ["unshare", "mkfs.exfat", "mount.exfat-fuse", "losetup"].map(Need::Program);
    if lacks(&[Need::Root]) || lacks(&needs) {
        return;
    }
    let known = fs::read_to_string("/proc/filesystems").unwrap();
    if !known.contains("\tfuse\n") {
        skip("this kernel has no fuse");
        return;
    }
    let room = Room::new();
    let image = room.file("image");
    fs::File::create(&image)
        .unwrap()
        .set_len(160 << 20)
        .unwrap();
    let stick = room.file("stick");
    fs::create_dir(&stick).unwrap();
    let script = "{ mkfs.exfat IMAGE && loop=$(losetup --find --show IMAGE) && \
                  { mount.exfat-fuse -o nosuid,nodev $loop STICK; done=$?; \
                    losetup --detach $loop; test $done = 0; }; } >&2 || exit 99; \
                  WHOCALLS record --into STICK --copy-programs none --for 1; code=$?; \
                  WHOCALLS verify STICK/whocalls-*; echo verified $?; \
                  ls STICK; umount STICK; exit $code";
    let script = script
        .replace("IMAGE", image.to_str().unwrap())
        .replace("STICK", stick.to_str().unwrap())
        .replace("WHOCALLS", WHOCALLS);
    let path = find("losetup").unwrap();
    let path = format!(
        "{}:/usr/sbin:/usr/bin:/sbin:/bin",
        path.parent().unwrap().display()
    );
    let mut unshare = command("unshare");
    unshare
        .args(["--mount", "sh", "-c", &script])
        .env("PATH", path);
    let ended = Run::of(&mut unshare);
    if ended.code == Some(99) {
        skip("no exfat can be mounted here");
        return;
    }
    assert_eq!(ended.code, Some(0), "{}{}", ended.text(), ended.talk());
    assert!(
        ended.talk().contains("knows no permissions"),
        "{}",
        ended.talk()
    );
    assert!(
        ended.text().contains("verified 0\n"),
        "{}{}",
        ended.text(),
        ended.talk()
    );
}

#[test]
fn an_ordinary_user_records_what_there_is_to_see() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3"), Need::Program("setpriv")]) {
        return;
    }
    let programs = crate::setting::Folder::new();
    let program = copy_to(programs.path());
    let room = Room::new();
    let into = room.file("into");
    fs::create_dir(&into).unwrap();
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).unwrap();
    run("chown", &["65534:65534", into.to_str().unwrap()]).unwrap();
    let mut nobody = command("setpriv");
    nobody.args([
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--inh-caps=-all",
    ]);
    nobody
        .arg(&program)
        .args(["record", "--for", "4", "--into"])
        .arg(&into);
    nobody.env("XDG_RUNTIME_DIR", &into);
    let recording = std::thread::spawn(move || Run::of(nobody.current_dir("/")));
    let (_actor, words) = talking(&namespace);
    let recorded = recording.join().unwrap();
    let talk = recorded.talk();
    assert_eq!(recorded.code, Some(0), "{talk}");
    assert!(talk.contains("Much will be missed"), "{talk}");
    let case = recorded.text().trim().to_owned();
    let case = Path::new(&case);
    assert_eq!(on(case, &["verify"], &[]).code, Some(0));
    assert_eq!(fs::metadata(case.join("case.json")).unwrap().uid(), 65534);
    let listed = on(case, &["list", "-a", "--json"], &[]);
    let strict = on(case, &["--strict", "list", "-a", "--json"], &[]);
    assert_eq!(strict.code, Some(3), "{}", strict.talk());
    let listed = Look(listed.json());
    assert_eq!(listed.tier(), "polling");
    let gaps = listed.0["gaps"].as_array().unwrap();
    let missed: Vec<_> = gaps
        .iter()
        .map(|gap| gap["missed"].as_str().unwrap())
        .collect();
    assert!(missed.iter().any(|it| it.contains("packet")), "{gaps:#?}");
    // Each of them is in the case; what a person reads is short, and says what to do.
    assert!(listed.gap("right_missing_perfmon").is_some(), "{gaps:#?}");
    let said = |heading: &str| {
        let lines = talk.lines().filter_map(|line| line.strip_prefix(heading));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(said("not seen: ")[0], "every packet", "{talk}");
    let mut reasons = said("     why: ");
    let count = reasons.len();
    reasons.sort();
    reasons.dedup();
    assert_eq!(reasons.len(), count, "{talk}");
    assert!(count <= 4 && said("not seen: ").len() <= 6, "{talk}");
    assert!(
        reasons.iter().any(|it| it.contains("sudo whocalls record")),
        "{talk}"
    );
    // The sockets of this namespace belong to another user, and are in another place.
    assert!(
        !listed
            .connections()
            .any(|seen| seen.local() == words[0] && !seen.pids().is_empty())
    );
}
