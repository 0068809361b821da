//! Whose something is, and the list of what to ask from another computer, in a terminal: while watching, of a
//! case, and while recording, as root and as an ordinary user.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::terminal::{Screen, TMUX, in_one_line, rows};
use crate::actor::{Actor, python};
use crate::network::Namespace;
use crate::program::{WHOCALLS, copy_to};
use crate::room::{Room, copy_of};
use crate::setting::{Folder, Need, command, lacks};

/// It is the other end of the story; here it is this computer itself.
const ADDRESS: &str = "216.6.0.28";

/// A namespace in which that address is, and a program that calls it there.
fn called(user: Option<u32>) -> Option<(Namespace, Actor)> {
    if lacks(&[TMUX, Need::Program("python3"), Need::Program("setpriv")]) {
        return None;
    }
    let namespace = Namespace::new()?;
    namespace.ip(&["addr", "add", "216.6.0.28/32", "dev", "lo"]);
    let mut inside = command("ip");
    inside.args(["netns", "exec", &namespace.name]);
    inside.args(as_user(user)).arg(python());
    let script = "both(('216.6.0.28', 8800))\nready()";
    let (actor, _) = Actor::start_as(inside, script);
    Some((namespace, actor))
}

fn as_user(user: Option<u32>) -> Vec<String> {
    let Some(user) = user else {
        return Vec::new();
    };
    let words = [
        "setpriv",
        &format!("--reuid={user}"),
        "--clear-groups",
        "--inh-caps=-all",
    ];
    words.map(str::to_owned).to_vec()
}

/// Puts what is at the other end of the first row on the list.
fn ask_elsewhere(screen: &Screen) -> String {
    screen.filter(&format!("dst:{ADDRESS}"));
    screen.until("the row", |shown| rows(shown).contains(ADDRESS));
    screen.press(&["g", "w"]);
    let shown = screen.until("the panel", |shown| {
        shown.contains("WHOSE IS IT") && shown.contains("Nothing was sent")
    });
    let text = in_one_line(&shown);
    for part in [
        "Added to the list of what to ask from another computer: 1 item",
        "announced by AS",
        "Holder of this address: not known here.",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{shown}");
    }
    shown
}

/// Esc, and not the begin of another key.
fn close(screen: &Screen) {
    screen.press(&["Escape"]);
    screen.until("the rows", |shown| shown.contains("q quit"));
}

fn lookup(arguments: &[&str], input: &str) -> String {
    let mut asked = Command::new(WHOCALLS);
    asked.arg("lookup").args(arguments);
    asked
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut asked = asked.spawn().unwrap();
    asked
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    let output = asked.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The list of a case stands before all else of it, and only what is on it is wanted.
fn check_case(case: &Path) {
    let said = lookup(&["--case", case.to_str().unwrap()], "");
    assert!(said.starts_with(&format!("{ADDRESS}\n  wanted ")), "{said}");
    assert_eq!(said.matches("\n  wanted ").count(), 1, "{said}");
    assert_eq!(
        said.lines().filter(|it| *it == ADDRESS).count(),
        1,
        "{said}"
    );
}

fn beside(case: &Path) -> PathBuf {
    PathBuf::from(format!("{}.review.sqlite", case.display()))
}

#[test]
fn while_watching_the_list_is_saved_as_a_page_that_lookup_reads() {
    let Some((namespace, actor)) = called(None) else {
        return;
    };
    let inside = ["ip", "netns", "exec", &namespace.name];
    let screen = Screen::start(
        &inside,
        &[WHOCALLS, "watch", &format!("pid:{}", actor.pid())],
    );
    screen.press(&["2"]);
    let shown = ask_elsewhere(&screen);
    assert!(shown.contains("kept in memory only"), "{shown}");
    // Off, on, the list.
    screen.press(&["d"]);
    screen.until("that it is off", |shown| shown.contains("Not on the list"));
    screen.press(&["a"]);
    screen.until("that it is on", |shown| shown.contains("Added to the list"));
    screen.press(&["w"]);
    screen.until("the list", |shown| {
        shown.contains("TO ASK FROM ANOTHER COMPUTER  1 item") && shown.contains("address, ")
    });
    close(&screen);
    screen.press(&["q"]);
    screen.until("the question", |shown| shown.contains("is kept nowhere"));
    screen.press(&["Enter"]);
    let left = screen.has_been_left();
    assert!(left.contains("saved: "), "{left}");
    let page = fs::read_to_string(screen.work.join("ask-elsewhere.txt")).unwrap();
    let path = python();
    assert!(page.contains(path.to_str().unwrap()), "{page}");
    assert!(page.contains("watched and not recorded"), "{page}");
    let said = lookup(&["-"], &page);
    assert!(said.starts_with(&format!("{ADDRESS}\n")), "{said}");
}

#[test]
fn of_a_case_the_list_is_beside_it_at_once() {
    if lacks(&[TMUX]) {
        return;
    }
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/story");
    let room = Room::new();
    let case = copy_of(&story, &room);
    let name = case.to_str().unwrap();
    for time in ["first", "second"] {
        let screen = Screen::begin(&[], &[WHOCALLS, "open", name]);
        screen.until("the case", |shown| shown.contains("  sealed"));
        screen.press(&["6"]);
        let shown = ask_elsewhere(&screen);
        let kept = format!(
            "kept in {}",
            beside(&case).file_name().unwrap().to_str().unwrap()
        );
        assert!(in_one_line(&shown).contains(&kept), "{time}: {shown}");
        close(&screen);
        screen.press(&["q"]);
        screen.has_been_left();
        check_case(&case);
    }
    // The case is as it was.
    let verified = Command::new(WHOCALLS)
        .args(["verify", name])
        .output()
        .unwrap();
    assert!(verified.status.success());
    // Taken off, it is wanted no more.
    let screen = Screen::begin(&[], &[WHOCALLS, "open", name]);
    screen.until("the case", |shown| shown.contains("  sealed"));
    screen.press(&["6"]);
    ask_elsewhere(&screen);
    screen.press(&["d"]);
    screen.until("that it is off", |shown| shown.contains("Not on the list"));
    close(&screen);
    screen.press(&["q"]);
    screen.has_been_left();
    let said = lookup(&["--case", name], "");
    assert!(!said.contains("\n  wanted "), "{said}");
}

/// `user`: `None` is root.
fn check_recording(user: Option<u32>) {
    let Some((namespace, actor)) = called(user) else {
        return;
    };
    let programs = Folder::new();
    fs::set_permissions(programs.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = copy_to(programs.path());
    let room = Room::new();
    fs::set_permissions(room.path(), fs::Permissions::from_mode(0o755)).unwrap();
    chown(room.path(), user, None).unwrap();
    let into = room.path().to_str().unwrap();
    let as_user = as_user(user);
    let inside = ["ip", "netns", "exec", &namespace.name].into_iter();
    let before: Vec<_> = inside.chain(as_user.iter().map(String::as_str)).collect();
    let program = program.to_str().unwrap();
    let record = [
        program, "record", "--screen", "--depth", "events", "--into", into,
    ];
    let screen = Screen::start(&before, &record);
    screen.press(&["2"]);
    let shown = ask_elsewhere(&screen);
    let text = in_one_line(&shown);
    assert!(text.contains("when the recording ends"), "{shown}");
    close(&screen);
    screen.press(&["q"]);
    let left = screen.has_been_left();
    assert!(
        in_one_line(&left).contains("to ask from another computer: 216.6.0.28; kept in"),
        "{left}"
    );
    drop(actor);
    let folders = fs::read_dir(room.path())
        .unwrap()
        .flatten()
        .map(|it| it.path());
    let (case, others): (Vec<_>, Vec<_>) = folders.partition(|it| it.is_dir());
    let [case] = &case[..] else {
        panic!("{case:?}");
    };
    assert_eq!(others, [beside(case)]);
    let owner = fs::metadata(beside(case)).unwrap();
    assert_eq!(owner.uid(), user.unwrap_or(0));
    assert_eq!(owner.mode() & 0o777, 0o600);
    check_case(case);
}

#[test]
fn of_a_recording_by_root_the_list_is_beside_it_at_the_end() {
    check_recording(None);
}

#[test]
fn of_a_recording_by_an_ordinary_user_the_list_is_beside_it_at_the_end() {
    check_recording(Some(1_000_000 + std::process::id()));
}
