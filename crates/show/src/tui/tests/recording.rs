//! The screen while something is recorded.

use insta::assert_snapshot;

use super::stage::{Stage, evening, seconds_ago, status};
use crate::table::sample::process_id;
use crate::tui::screen::Reaction;
use crate::tui::{Deed, Mode, Preserved, Recording, Status, Theme};

fn recording() -> Recording {
    Recording {
        name: "whocalls-desk-20261122T101100Z-a1b2c3".to_owned(),
        since: seconds_ago(240),
        events: 1234,
        packets: Some(1_234_567),
        lost: 0,
        bytes: 812 << 20,
    }
}

fn of(recording: Recording) -> Status {
    Status {
        mode: Mode::Live {
            recording: Some(recording),
        },
        ..status()
    }
}

fn stage() -> Stage {
    let mut stage = Stage::new(80, 24, Theme::default());
    stage.show_as(evening(), of(recording()));
    stage
}

#[test]
fn a_recording_says_so_in_the_first_line() {
    let check = |recording, width, shown: &str| {
        let mut stage = Stage::new(width, 24, Theme::default());
        stage.show_as(evening(), of(recording));
        let text = stage.text();
        assert!(text.lines().next().unwrap().contains(shown), "{text}");
        assert!(!text.contains("not recording"), "{text}");
    };
    let all_well = "recording 00:04:00, 1,234,567 packets, 0 lost";
    check(recording(), 160, all_well);
    check(recording(), 80, all_well);
    let lost = Recording {
        lost: 12,
        ..recording()
    };
    check(lost, 80, "12 LOST");
    let events_only = Recording {
        packets: None,
        ..recording()
    };
    check(events_only, 80, "recording 00:04:00, 1,234 events, 0 lost");
    assert_snapshot!("recording_80x24", stage().text());
}

#[test]
fn a_key_says_what_is_recorded_or_how() {
    let mut stage = stage();
    let reactions = stage.press("r");
    assert!(matches!(reactions[..], [Reaction::Nothing]));
    let text = stage.text();
    assert!(
        text.contains("recorded since 10:11:00: 1,234 events, 1,234,567 packets, 0 lost"),
        "{text}"
    );
    let mut wide = Stage::new(160, 24, Theme::default());
    wide.show_as(evening(), of(recording()));
    wide.press("r");
    assert!(wide.text().contains("812 MiB, into whocalls-desk-2026"));
    let mut watching = Stage::usual();
    let reactions = watching.press("r");
    assert!(matches!(reactions[..], [Reaction::Nothing]));
    let text = watching.text();
    let how = "to record: sudo whocalls record --screen  (this run has given up its rights)";
    assert!(text.contains(how), "{text}");
}

#[test]
fn packets_are_opened_when_the_recording_has_ended() {
    let mut stage = stage();
    stage.press("W");
    assert!(stage.text().contains("whocalls open CASE, then W"));
    let mut recording = recording();
    recording.packets = None;
    stage.show_as(evening(), of(recording));
    stage.press("2W");
    assert!(stage.text().contains("no packets are being recorded"));
}

const ASK_TO_END: &str = "2.<Down><Down><Down><Down><Down><Down><Down><Down><Enter>";
const ASK_TO_CLOSE: &str = "2.<Down><Down><Down><Down><Down><Down><Down><Enter>";

fn answer(pid: u32, result: Result<(), &str>) -> Preserved {
    Preserved {
        process: process_id(pid),
        result: result.map_err(str::to_owned),
    }
}

#[test]
fn the_program_is_copied_before_anybody_is_asked() {
    for ask in [ASK_TO_END, ASK_TO_CLOSE] {
        let mut stage = stage();
        let reactions = stage.press(ask);
        let Some(Reaction::Deed(Deed::Preserve { process })) = reactions.last() else {
            panic!("{reactions:?}");
        };
        assert_eq!(process.pid, 1464);
        let text = stage.text();
        assert!(text.contains("copying the program first …"), "{text}");
        // The word does nothing before the question stands there.
        let reactions = stage.press("END<Enter>");
        assert!(reactions.iter().all(|it| matches!(it, Reaction::Nothing)));
        stage.screen.preserved(answer(1464, Ok(())));
        let text = stage.text();
        assert!(text.contains("were copied into the case"), "{text}");
        let word = if ask == ASK_TO_END { "END" } else { "CLOSE" };
        let reactions = stage.press(&format!("{word}<Enter>"));
        let done =
            |it: &Reaction| matches!(it, Reaction::Deed(Deed::End { .. } | Deed::Close { .. }));
        assert!(reactions.iter().any(done), "{reactions:?}");
    }
}

#[test]
fn what_could_not_be_copied_is_said_in_the_question() {
    let mut stage = stage();
    stage.press(ASK_TO_END);
    assert_snapshot!("recording_copying", stage.text());
    stage
        .screen
        .preserved(answer(1464, Err("no room left \u{1b}[2J")));
    assert_snapshot!("recording_not_copied", stage.text());
}

#[test]
fn who_turns_back_is_not_asked() {
    let mut stage = stage();
    stage.press(ASK_TO_END);
    stage.press("<Esc>");
    assert!(stage.text().contains("nothing was done"));
    stage.screen.preserved(answer(1464, Ok(())));
    assert!(!stage.text().contains("Type END"), "{}", stage.text());
    // Nor by the answer for another process.
    stage.press(ASK_TO_END);
    stage.screen.preserved(answer(99, Ok(())));
    assert!(stage.text().contains("copying the program first"));
}

#[test]
fn without_a_known_process_that_is_said() {
    let mut stage = stage();
    let reactions = stage.press(
        "2/owner:unknown proto:tcp<Enter>.<Down><Down><Down><Down><Down><Down><Down><Enter>",
    );
    let copies = |it: &Reaction| matches!(it, Reaction::Deed(Deed::Preserve { .. }));
    assert!(!reactions.iter().any(copies));
    let text = stage.text();
    assert!(
        text.contains("Its program is not known") && text.contains("Type CLOSE"),
        "{text}"
    );
}
