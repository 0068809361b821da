//! The rhythm panel, in a terminal: of a file, and of what happens now.

use std::fmt::Write as _;
use std::fs;

use super::terminal::{Screen, TMUX, in_one_line, rows};
use super::{CALLS, name, named};
use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::WHOCALLS;
use crate::setting::{Folder, Need, lacks, skip};

#[test]
fn a_file_with_a_steady_caller_and_with_a_person() {
    if lacks(&[TMUX]) {
        return;
    }
    let folder = Folder::new();
    let log = folder.file("conn.log");
    fs::write(&log, conn_log()).unwrap();
    let screen = Screen::begin(&[], &[WHOCALLS, "open", log.to_str().unwrap()]);
    screen.until("what was read", |shown| shown.contains("192.168.7.2"));
    screen.press(&["5"]);
    screen.filter("dst:198.51.100.71");
    screen.until("the steady caller", |shown| {
        rows(shown).contains("198.51.100.71")
    });
    screen.press(&["g", "b"]);
    let shown = screen.until("the panel", |shown| {
        // Its last line: the screen is drawn from above.
        shown.contains("RHYTHM  ")
            && shown.contains("← every 10 min")
            && in_one_line(shown).contains("close to it")
    });
    let text = in_one_line(&shown);
    for part in [
        "198.51.100.71:443 tcp",
        "Calls at a steady pace",
        "harmless?",
        "Gaps 143 between calls",
        "Calls 144, 0 of them failed",
        "140 of 144 close to it",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{shown}");
    }
    assert!(shown.contains('█'), "no bars: {shown}");
    screen.press(&["PageDown"]);
    // 144 calls of ten minutes are a day: two rows of days.
    screen.until("days and hours", |shown| {
        shown.contains("When  by days and hours (UTC)")
            && shown.contains("Sun 11-22")
            && shown.contains("Mon 11-23")
    });
    screen.press(&["Escape"]);
    screen.until("the rows", |shown| shown.contains("q quit"));

    screen.filter("dst:203.0.113.9");
    screen.until("the person", |shown| rows(shown).contains("203.0.113.9"));
    screen.press(&["g", "b"]);
    screen.until("no rhythm", |shown| {
        shown.contains("No rhythm was found in 60 calls") && shown.contains("is twice as long")
    });
    screen.press(&["b"]);
    screen.until("the rows", |shown| shown.contains("q quit"));
    screen.press(&["q"]);
    screen.has_been_left();
}

#[test]
fn calls_in_vain_while_they_happen() {
    if lacks(&[TMUX, Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let name = name();
    let (_actor, _) = Actor::start(Place::Inside(&namespace), &named(&name, CALLS));
    let screen = Screen::start(&[], &[WHOCALLS, "watch"]);
    screen.press(&["5"]);
    let first = screen.until("the view", |shown| shown.contains("PROGRAM"));
    if first.contains("MISSES MUCH") {
        skip("calls are not told live here");
        return;
    }
    screen.filter(&format!("proc:{name} dst:192.0.2.9"));
    screen.until("the row", |shown| rows(shown).contains("192.0.2.9:81"));
    screen.press(&["g", "b"]);
    // It goes on while the panel is open.
    screen.until("what is found of it", |shown| {
        shown.contains("192.0.2.9:81 tcp")
            && shown.contains("Calls a silent server")
            && shown.contains("between calls")
            && shown.contains("When  by minutes and seconds (UTC)")
    });
    screen.press(&["Escape"]);
    screen.until("the rows", |shown| shown.contains("q quit"));
    screen.press(&["q"]);
    screen.has_been_left();
}

/// A log of Zeek: somebody who calls every ten minutes for a day, and somebody who reads pages.
fn conn_log() -> String {
    /// 2026-11-22 10:00 UTC.
    const BEGIN: u64 = 1_795_341_600;
    let mut lines: Vec<(u64, String)> = Vec::new();
    let mut add = |millis: u64, caller: &str, called: &str, sent: u64| {
        let number = lines.len();
        let (seconds, millis) = (BEGIN + millis / 1000, millis % 1000);
        let line = format!(
            "{seconds}.{millis:03}000\tC{number}\t{caller}\t{}\t{called}\t443\ttcp\tssl\t0.500000\t{sent}\t900\tSF\n",
            40_000 + number
        );
        lines.push((seconds, line));
    };
    for beat in 0..144_u64 {
        // A few seconds early or late, and now and then a larger answer.
        let off = beat * 7_919 % 6_000;
        let sent = if beat % 40 == 7 { 2_000 } else { 420 };
        add(beat * 600_000 + off, "192.168.7.2", "198.51.100.71", sent);
    }
    let mut at = 3_600_000;
    for page in 0..60_u64 {
        at += match page % 7 {
            0 => 100_000 + page * page * 977 % 2_000_000,
            step => 150 + step * page * 131 % 4_000,
        };
        add(at, "192.168.7.3", "203.0.113.9", 300 + page * 7_919 % 9_000);
    }
    lines.sort();
    let mut log = HEAD.to_owned();
    lines.iter().for_each(|(_, line)| {
        let _ = write!(log, "{line}");
    });
    log
}

const HEAD: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n\
#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\t\
orig_bytes\tresp_bytes\tconn_state\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\t\
interval\tcount\tcount\tstring\n";
