//! The screen on a case: what it says, and how another moment is reached.

use crossterm::event::{MouseButton, MouseEventKind};
use insta::assert_snapshot;
use model::{Snapshot, Timestamp};
use proptest::prelude::*;

use super::stage::{Stage, evening, seconds_ago, status};
use crate::table::sample::TAKEN;
use crate::tui::screen::Reaction;
use crate::tui::{Deed, Mode, Replay, Seal, Status, Theme};
use crate::visible::display_width;
use crate::wireshark::PacketFile;

/// From four minutes before to six minutes after the evening's moment.
fn replay() -> Replay {
    Replay {
        name: "whocalls-desk-20261122T101100Z-a1b2c3".to_owned(),
        begun: seconds_ago(240),
        ended: seconds_ago(-360),
        at: Timestamp::from_unix_nanos(TAKEN),
        progress: None,
        seal: Seal::Intact,
    }
}

fn of(replay: Replay) -> Status {
    Status {
        mode: Mode::Case(replay),
        ..status()
    }
}

fn with_packets(mut status: Status) -> Status {
    status.packet_files = [
        ("packets/000001.pcapng", 240, Some(100)),
        ("packets/000002.pcapng", 100, Some(-360)),
    ]
    .map(|(path, from, until)| PacketFile {
        path: path.into(),
        from: seconds_ago(from),
        until: until.map(seconds_ago),
    })
    .into();
    status
}

fn stage(width: u16, height: u16, replay: Replay) -> Stage {
    let mut stage = Stage::new(width, height, Theme::default());
    stage.show_as(evening(), of(replay));
    stage
}

fn at(moment: Timestamp) -> Snapshot {
    let mut snapshot = evening();
    snapshot.taken = moment;
    snapshot
}

/// The moments that were wished for.
fn went(reactions: &[Reaction]) -> Vec<i64> {
    let seconds = |it: &Reaction| {
        let Reaction::Deed(Deed::Go(to)) = it else {
            return None;
        };
        Some((to.unix_nanos() - TAKEN) / 1_000_000_000)
    };
    reactions.iter().filter_map(seconds).collect()
}

#[test]
fn what_a_case_looks_like() {
    for (width, height) in [(80, 24), (160, 45), (40, 10)] {
        let mut stage = stage(width, height, replay());
        assert_snapshot!(format!("case_{width}x{height}"), stage.text());
    }
    let mut stage = stage(80, 24, replay());
    stage.press("5");
    assert_snapshot!("case_timeline", stage.text());
    stage.press("?");
    assert_snapshot!("case_help", stage.text());
}

#[test]
fn how_far_it_has_been_read_and_what_its_seal_says() {
    let check = |change: &dyn Fn(&mut Replay), width, shown: &[&str]| {
        let mut replay = replay();
        change(&mut replay);
        let mut stage = stage(width, 24, replay);
        let text = stage.text();
        let first = text.lines().next().unwrap();
        for part in shown {
            assert!(first.contains(part), "no {part:?} in {first:?}");
        }
    };
    let moment = "2026-11-22 10:11 to 10:21, at 10:15:00";
    check(&|_| {}, 80, &["case whocalls", moment, "sealed"]);
    check(&|it| it.progress = Some(45), 80, &[moment, "reading 45 %"]);
    check(
        &|it| it.seal = Seal::Unsealed,
        120,
        &[moment, "never sealed"],
    );
    check(&|it| it.seal = Seal::NotChecked, 120, &["seal not checked"]);
    check(
        &|it| it.seal = Seal::Broken,
        80,
        &["CHANGED OR MISSING FILES  case"],
    );
    let next_day = seconds_ago(-86_400);
    let into_it = |it: &mut Replay| (it.ended, it.at) = (next_day, next_day);
    check(&into_it, 120, &["10:11 to 11-23 10:15, at 11-23 10:15:00"]);
    check(
        &|it| it.name = "\u{1b}[2J".to_owned(),
        120,
        &["‹U+001B›[2J"],
    );
}

#[test]
fn keys_go_to_other_moments() {
    let mut stage = stage(80, 24, replay());
    // At first the axis is as long as the case: 10 minutes, so that a step is 10 s.
    assert_eq!(went(&stage.press("<Lt><Lt>>")), [-10, -20, -10]);
    assert_eq!(went(&stage.press("}}}{")), [140, 290, 360, 210]);
    assert_eq!(went(&stage.press("^$")), [-240, 360]);
    // There is nothing beyond it.
    assert!(went(&stage.press(">")).is_empty());
    // A shorter axis, shorter steps.
    stage.press("++");
    assert_eq!(went(&stage.press("<")), [359]);
}

#[test]
fn no_axis_reaches_beyond_the_case() {
    let mut replay = replay();
    // Seven minutes in pieces of five minutes, and of one.
    replay.ended = seconds_ago(-180);
    replay.at = replay.ended;
    let mut stage = stage(160, 24, replay);
    for keys in ["5", "+", "+"] {
        stage.press(keys);
        let text = stage.text();
        let heading = text.lines().find(|it| it.contains("CALLS")).unwrap();
        assert!(heading.ends_with('▼'), "{heading}");
    }
}

#[test]
fn of_what_never_left_no_packets_are_promised() {
    let mut stage = Stage::new(80, 24, Theme::default());
    stage.show_as(evening(), with_packets(of(replay())));
    stage.press("6/state:failed<Enter>W");
    assert!(stage.text().contains("never left this computer"));
    stage.press("<Esc><Esc>/state:established<Enter>W");
    assert!(!stage.text().contains("never left this computer"));
}

#[test]
fn the_moment_that_was_wished_for_is_told_until_it_is_there() {
    let mut stage = stage(120, 24, replay());
    stage.press("<");
    assert!(
        stage.text().contains("going to 10:14:50"),
        "{}",
        stage.text()
    );
    let mut there = replay();
    there.at = seconds_ago(10);
    stage.show_as(at(there.at), of(there.clone()));
    let text = stage.text();
    assert!(
        text.contains("at 10:14:50") && !text.contains("going to"),
        "{text}"
    );
    // The next step is counted from there.
    assert_eq!(went(&stage.press("<")), [-20]);
    // What came while the next one is still wished for does not turn it back.
    stage.show_as(at(there.at), of(there));
    assert_eq!(went(&stage.press("<")), [-30]);
}

#[test]
fn the_axis_is_clicked_and_pulled() {
    let mut stage = stage(80, 24, replay());
    stage.press("5");
    let (from, row) = stage.find("10:11:00");
    let down = MouseEventKind::Down(MouseButton::Left);
    let pulled = MouseEventKind::Drag(MouseButton::Left);
    let first = stage.mouse(down, from, row);
    let [first] = went(&[first])[..] else {
        panic!()
    };
    assert!((-240..-200).contains(&first), "{first}");
    let on = stage.mouse(pulled, from + 10, row + 5);
    assert!(went(&[on])[0] > first);
    // Beyond either end it stays at the end.
    let end = stage.mouse(pulled, 79, row);
    assert_eq!(went(&[end]), [360]);
    stage.mouse(MouseEventKind::Up(MouseButton::Left), 79, row);
    assert!(went(&[stage.mouse(pulled, from, row)]).is_empty());
    // Other headings sort as ever.
    assert!(went(&[stage.click("CALLS")]).is_empty());
    assert!(stage.screen.sort.is_some());
}

#[test]
fn what_is_only_for_now_does_nothing_in_a_case() {
    let mut stage = stage(80, 24, replay());
    let reactions = stage.press(" Rr");
    assert!(reactions.iter().all(|it| matches!(it, Reaction::Nothing)));
    let text = stage.text();
    for word in [
        "HELD",
        "Space",
        "· every",
        "to record",
        "watched",
        "root",
        "not recording",
    ] {
        assert!(!text.contains(word), "{word} in\n{text}");
    }
    stage.press("2.");
    let text = stage.text();
    assert!(text.contains("mark it") && !text.contains("SIGTERM") && !text.contains("close the"));
    // And live, the keys of a case do nothing.
    let mut live = Stage::usual();
    assert!(went(&live.press("<Lt>>{}^$")).is_empty());
    live.press("?<PgDn>");
    assert!(!live.text().contains("a sixtieth"), "{}", live.text());
}

#[test]
fn the_mark_is_where_the_moment_is_and_later_is_not_shown() {
    let mut stage = stage(80, 24, replay());
    stage.press("5");
    let mark = |stage: &mut Stage| stage.find("▼").0;
    let before = mark(&mut stage);
    let dots = stage.text().matches('·').count();
    let mut later = replay();
    later.at = seconds_ago(-200);
    stage.show_as(at(later.at), of(later));
    assert!(mark(&mut stage) > before, "{}", stage.text());
    assert!(stage.text().matches('·').count() < dots);
}

#[test]
fn a_moment_has_the_signs_of_its_own_time() {
    let mut stage = stage(80, 24, replay());
    stage.press("6");
    // Of the calls of 12 s and 2 s before one ended within the step of 10 s.
    let signs = |text: &str| text.lines().filter(|it| it.starts_with('-')).count();
    assert_eq!(signs(&stage.text()), 1, "{}", stage.text());
    // Further back they are not: whatever was shown before.
    let mut earlier = replay();
    earlier.at = seconds_ago(-60);
    stage.show_as(at(earlier.at), of(earlier));
    assert_eq!(signs(&stage.text()), 0, "{}", stage.text());
}

#[test]
fn packets_are_opened_with_wireshark() {
    let mut stage = Stage::new(80, 24, Theme::default());
    stage.show_as(evening(), with_packets(of(replay())));
    let copied = |reactions: &[Reaction]| match reactions.last() {
        Some(Reaction::Copy(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    let command = copied(&stage.press("6/state:failed<Enter>W"));
    let filter = "ip.addr==192.0.2.7 && ip.addr==216.6.0.28";
    assert!(
        command.starts_with(&format!("wireshark -r packets/000002.pcapng -Y '{filter}")),
        "{command}"
    );
    assert_snapshot!("case_wireshark", stage.text());
    stage.press("<Esc>");
    assert_eq!(
        copied(&stage.press(".<Down><Down><Down><Down><Down><Down><Down><Enter>")),
        command
    );
    // It was open from before the first file on: both of them.
    stage.press("<Esc><Esc>2");
    assert_eq!(copied(&stage.press("W")).lines().count(), 2);
    stage.press("<Esc>1");
    let reactions = stage.press("W");
    assert!(matches!(reactions.last(), Some(Reaction::Nothing)));
    assert!(stage.text().contains("choose one"), "{}", stage.text());
    // Without packets nobody is offered them.
    let mut without = Stage::usual();
    without.press("2W");
    assert!(!without.text().contains("Wireshark"));
    without.press(".");
    assert!(!without.text().contains("Wireshark"));
}

#[test]
fn a_menu_says_where_no_packets_are() {
    let mut status = with_packets(of(replay()));
    status.packet_files = status.packet_files.iter().take(1).cloned().collect();
    let mut stage = Stage::new(80, 24, Theme::default());
    stage.show_as(evening(), status);
    stage.press("6/state:failed<Enter>.");
    assert_snapshot!("case_menu", stage.text());
}

#[test]
fn a_case_in_ascii_is_ascii() {
    let mut stage = Stage::new(80, 24, super::stage::theme(crate::tui::Colors::Mono, true));
    stage.show_as(evening(), with_packets(of(replay())));
    for keys in ["1", "5", "?", "<Esc>6W", "<Esc>."] {
        stage.press(keys);
        assert!(stage.text().is_ascii(), "{keys}: {}", stage.text());
    }
}

#[test]
fn odd_times_are_survived() {
    let least = Timestamp::from_unix_nanos(i64::MIN);
    let most = Timestamp::from_unix_nanos(i64::MAX);
    for (begun, ended, at) in [
        (least, most, least),
        (most, least, most),
        (least, least, most),
    ] {
        let replay = Replay {
            begun,
            ended,
            at,
            ..replay()
        };
        let mut stage = stage(120, 30, replay);
        for keys in ["1", "5", "6", "^", "$", "<", "}", "[", "-----", "2"] {
            stage.press(keys);
            stage.text();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_size_and_key_is_survived_in_a_case(
        width in 0_u16..220,
        height in 0_u16..70,
        at in -300_i64..300,
        keys in "([1-8>{}^$wr?\\[\\]+. -]|<Lt>|<Enter>|<Esc>|<Down>){0,30}",
    ) {
        let mut stage = Stage::new(width, height, Theme::default());
        let mut there = replay();
        there.at = seconds_ago(at);
        stage.show_as(self::at(there.at), with_packets(of(there)));
        stage.press(&keys);
        for line in stage.text().lines() {
            prop_assert!(display_width(line) <= usize::from(width));
        }
    }
}
