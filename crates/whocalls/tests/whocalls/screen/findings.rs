//! What the rules find, in a terminal: while it happens.

use std::fs;

use super::terminal::{Screen, TMUX, rows};
use super::{CALLS, name, named};
use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::copy_to;
use crate::setting::{Folder, Need, command, lacks, skip};

#[test]
fn a_known_bad_address_is_found_while_it_is_called() {
    if lacks(&[TMUX, Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    // A list beside the program is one that it asks.
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let list = folder.path().join("bad.csv");
    fs::write(&list, "ip,malware\n192.0.2.9,ExampleSpy\n").unwrap();
    let program = program.to_str().unwrap();
    let mut add = command(program);
    add.args(["indicators", "add"]).arg(&list);
    add.args([
        "--publisher",
        "Example Lab",
        "--licence",
        "CC0-1.0",
        "--into",
    ]);
    add.arg(folder.path().join("indicators"));
    let added = add.output().unwrap();
    assert!(
        added.status.success(),
        "{}",
        String::from_utf8_lossy(&added.stderr)
    );

    let name = name();
    let (_actor, _) = Actor::start(Place::Inside(&namespace), &named(&name, CALLS));
    let screen = Screen::start(&[], &[program, "watch"]);
    screen.press(&["7"]);
    let first = screen.until("the view", |shown| rows(shown).contains("WHAT TO DO"));
    if first.contains("MISSES MUCH") {
        skip("calls are not told live here");
        return;
    }
    let is_there = |shown: &str| {
        let rows = rows(shown);
        let mut rows = rows.lines();
        rows.any(|row| {
            let parts = ["look first", "Known bad address", "192.0.2.9"];
            parts.iter().all(|part| row.contains(part))
        })
    };
    screen.until("the finding", is_there);
    // What it says, and then its connections.
    screen.filter("rule:known_bad dst:192.0.2.9");
    screen.press(&["g", "Enter"]);
    screen.until("what it says", |shown| {
        shown.contains("Example Lab") && shown.contains("harmless?")
    });
    screen.press(&["Enter"]);
    screen.until("its connections", |shown| {
        shown.contains("filter rule:known_bad") && rows(shown).contains("192.0.2.9:81")
    });
    // At once another key would be another character together with it.
    screen.press(&["Escape"]);
    screen.until("all connections", |shown| !shown.contains("filter rule"));
    screen.press(&["1"]);
    screen.until("the finding on top", |shown| {
        let rows = rows(shown);
        rows.contains("LOOK AT  ") && rows.contains("Known bad address")
    });
    screen.press(&["q"]);
    screen.has_been_left();
}
