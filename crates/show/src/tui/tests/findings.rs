//! What the rules say, on the screen.

use std::sync::Arc;

use insta::assert_snapshot;
use model::{Finding, Findings, Snapshot};

use super::stage::{Stage, evening, seconds_ago, theme};
use crate::findings::sample;
use crate::tui::{Colors, Theme};

/// The evening, judged.
fn judged() -> Snapshot {
    let mut snapshot = evening();
    snapshot.findings = sample::evening(&snapshot);
    snapshot
}

fn stage(width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height, Theme::default());
    stage.show(judged());
    stage
}

#[test]
fn findings_are_rows_with_all_that_is_known() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut stage = stage(width, height);
        assert_snapshot!(format!("found_overview_{width}x{height}"), stage.text());
        stage.press("7");
        assert_snapshot!(format!("found_{width}x{height}"), stage.text());
        stage.press("<Enter>");
        assert_snapshot!(format!("found_details_{width}x{height}"), stage.text());
    }
    assert_snapshot!("found_60x15", stage(60, 15).text());
    let mut ascii = Stage::new(80, 24, theme(Colors::Mono, true));
    ascii.show(judged());
    for keys in ["1", "7", "<Enter>", "<Enter>"] {
        ascii.press(keys);
        assert!(ascii.text().is_ascii(), "{}", ascii.text());
    }
}

#[test]
fn red_and_amber_are_those_of_findings_and_signs_say_the_same() {
    let mut stage = stage(80, 24);
    stage.press("7<Down><Down>");
    let colored = stage.colored();
    let line = |word: &str| colored.lines().find(|it| it.contains(word)).unwrap();
    assert!(line("● look first").contains("red]"), "{colored}");
    assert!(line("▲ look ").contains("yellow]"), "{colored}");
    let mut mono = Stage::new(80, 24, theme(Colors::Mono, false));
    mono.show(judged());
    mono.press("7");
    assert!(mono.text().contains("● look first") && !mono.colored().contains("red]"));
}

#[test]
fn from_a_finding_to_its_connections_and_back() {
    let mut stage = stage(80, 24);
    stage.press("7<Enter><Enter>");
    let text = stage.text();
    // All of them have ended: they are in the history.
    assert!(text.contains("CLOSED"), "{text}");
    assert_eq!(text.matches("216.6.0.28:443").count(), 2, "{text}");
    assert!(!text.contains("203.0.113.9"), "{text}");
    let filter = "rule:known_bad exe:\"/home/lena/.cache/updater\" dst:216.6.0.28";
    assert_eq!(stage.screen.filter_text, filter);
    stage.press("<Esc>7<Down><Enter><Enter>");
    let text = stage.text();
    // One of these is open.
    assert!(
        text.contains("STATE") && text.contains("▲ firefox"),
        "{text}"
    );
    // From the overview likewise.
    stage.press("<Esc>1<Up><Up><Up><Up><Up><Up><Up><Enter><Enter>");
    assert_eq!(stage.screen.filter_text, filter);
}

#[test]
fn what_is_concerned_has_a_mark() {
    let mut stage = stage(80, 24);
    for (keys, marked) in [
        ("1", "● updater"),
        ("2", "▲ firefox"),
        ("3", "▲ firefox"),
        ("6", "● updater"),
    ] {
        stage.press(keys);
        assert!(stage.text().contains(marked), "{keys}: {}", stage.text());
    }
    // What is only noted has none.
    assert!(!stage.text().contains("● nginx"));
}

#[test]
fn findings_are_filtered_and_sorted() {
    let mut stage = stage(80, 24);
    let shown = |stage: &mut Stage| {
        let text = stage.text();
        let rows = text
            .lines()
            .filter(|it| it.contains("look") || it.contains("note "));
        rows.filter(|it| it.contains(':')).count()
    };
    stage.press("7");
    assert_eq!(shown(&mut stage), 5, "{}", stage.text());
    for (filter, expected) in [
        ("severity:>=medium", 2),
        ("rule:known_bad", 1),
        ("rule:hosting,raw_address", 3),
        ("dst:203.0.113.9", 2),
        ("proc:updater -rule:hosting", 2),
        ("severity:low", 1),
    ] {
        stage.press(&format!("/{filter}"));
        stage.press("<Enter>");
        assert_eq!(shown(&mut stage), expected, "{filter}: {}", stage.text());
        stage.press("<Esc>");
    }
    stage.press("/severity:critical<Enter>");
    assert!(stage.text().contains("nothing matches the filter"));
    stage.press("<Esc>ss");
    let text = stage.text();
    let first = text.lines().nth(3).unwrap();
    assert!(first.contains("Address without a name"), "{text}");
    // Connections by what was found of them.
    stage.press("6/severity:high<Enter>");
    let text = stage.text();
    assert!(
        text.contains("216.6.0.28") && !text.contains("203.0.113.9"),
        "{text}"
    );
}

fn only(snapshot: &Snapshot, revision: u64, wanted: impl Fn(&Finding) -> bool) -> Findings {
    let all = sample::evening(snapshot);
    let all = all.iter().filter(|it| wanted(it)).map(Arc::clone).collect();
    Findings::new(revision, all, Vec::new())
}

#[test]
fn what_comes_and_goes_is_signed_and_the_cursor_stays() {
    let mut stage = Stage::usual();
    let show =
        |stage: &mut Stage, revision: u64, seconds: i64, wanted: &dyn Fn(&Finding) -> bool| {
            let mut snapshot = evening();
            snapshot.taken = seconds_ago(-seconds);
            snapshot.findings = only(&snapshot, revision, wanted);
            stage.show(snapshot);
        };
    show(&mut stage, 1, 0, &|it| it.rule == "hosting");
    stage.press("7<Down>");
    let row = stage.screen.row().unwrap().key.clone();
    assert!(!stage.text().contains("+ "), "{}", stage.text());
    show(&mut stage, 2, 1, &|it| it.rule != "drop_list");
    let text = stage.text();
    assert!(text.contains("+ ● look first"), "{text}");
    assert_eq!(stage.screen.row().unwrap().key, row);
    show(&mut stage, 3, 2, &|it| it.rule == "hosting");
    let text = stage.text();
    assert!(text.contains("- ● look first"), "{text}");
    assert_eq!(stage.screen.row().unwrap().key, row);
    show(&mut stage, 3, 9, &|it| it.rule == "hosting");
    assert!(!stage.text().contains("look first"), "{}", stage.text());
    assert_eq!(stage.screen.row().unwrap().key, row);
}

#[test]
fn nothing_found_is_not_called_clean() {
    let mut stage = Stage::usual();
    stage.press("7");
    assert!(stage.text().contains("Nothing has been judged so far."));
    let mut snapshot = evening();
    snapshot.findings = Findings::new(1, Vec::new(), vec![model::Unchecked::NoHash(2)]);
    stage.show(snapshot);
    let text = stage.text();
    for part in [
        "No rule has found anything in what was seen.",
        "does not mean that nothing is there",
        "not checked: the file of 2 programs",
    ] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    stage.press("1");
    assert!(
        stage
            .text()
            .contains("LOOK AT  no finding so far; 3 by what is plain")
    );
}

#[test]
fn many_findings_are_counted_and_o_opens_them() {
    let mut snapshot = evening();
    let one = sample::known_bad(&snapshot);
    let all = (0..9).map(|number| {
        let mut finding = one.clone();
        finding.id.0[0] = number;
        Arc::new(finding)
    });
    snapshot.findings = Findings::new(1, all.collect(), Vec::new());
    let mut stage = Stage::new(100, 60, Theme::default());
    stage.show(snapshot);
    let text = stage.text();
    assert!(
        text.contains("LOOK AT  9 first; 3 by what is plain to see"),
        "{text}"
    );
    assert_eq!(text.matches("Known bad address").count(), 5, "{text}");
    assert!(text.contains("4 more to look at: 7"), "{text}");
    stage.press("o");
    assert_eq!(stage.text().matches("Known bad address").count(), 9);
}
