//! What is on the screen.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::stage::{Stage, evening, evening_with_names, theme};
use crate::table::sample;
use crate::tui::{Colors, Theme};
use crate::visible::display_width;

#[test]
fn the_first_view() {
    assert_snapshot!("overview_80x24", Stage::usual().text());
    let mut stage = Stage::new(160, 45, Theme::default());
    stage.show(evening());
    assert_snapshot!("overview_160x45", stage.text());
}

#[test]
fn every_other_view() {
    for (key, name) in [
        ("2", "connections"),
        ("3", "processes"),
        ("4", "destinations"),
        ("5", "timeline"),
        ("6", "history"),
        ("7", "findings"),
    ] {
        let mut stage = Stage::usual();
        stage.press(key);
        assert_snapshot!(format!("{name}_80x24"), stage.text());
        let mut stage = Stage::new(160, 45, Theme::default());
        stage.show(evening());
        stage.press(key);
        assert_snapshot!(format!("{name}_160x45"), stage.text());
    }
}

#[test]
fn the_names_that_were_asked_for() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut stage = Stage::new(width, height, Theme::default());
        stage.show(evening_with_names());
        stage.press("8");
        assert_snapshot!(format!("names_{width}x{height}"), stage.text());
        stage.press("<Down><Down><Right><Down><Right><Enter>");
        assert_snapshot!(format!("names_details_{width}x{height}"), stage.text());
    }
    let mut nothing = Stage::usual();
    nothing.press("8");
    assert!(nothing.text().contains("no name was seen to be asked for"));
}

#[test]
fn colours_say_nothing_that_signs_do_not() {
    for (colors, name) in [
        (Colors::Usual, "usual"),
        (Colors::TcpView, "tcpview"),
        (Colors::Mono, "mono"),
    ] {
        let mut stage = Stage::new(80, 24, theme(colors, false));
        stage.show(evening());
        assert_snapshot!(format!("overview_{name}"), stage.colored());
        let mut later = evening();
        later.taken = super::stage::seconds_ago(-1);
        later.connections = before_and_after(&later);
        stage.show(later);
        stage.press("2");
        assert_snapshot!(format!("changes_{name}"), stage.colored());
    }
}

/// One ended, one changed, one began.
fn before_and_after(snapshot: &model::Snapshot) -> model::Shelf<model::Connection> {
    use crate::tui::tests::stage::seconds_ago;
    let mut shelf = snapshot.connections.clone();
    let places: Vec<_> = shelf.places().map(|(place, _)| place).collect();
    let ended = shelf.change(places[0]).unwrap();
    ended.closed = Some(seconds_ago(-1));
    ended.state = model::State::Closed;
    shelf.change(places[1]).unwrap().bytes_sent = Some(99_999);
    let owner = sample::known(1464);
    let mut new = sample::connection(owner, "192.0.2.7:40999", "198.51.100.1:22");
    new.opened = Some(seconds_ago(-1));
    shelf.put(new);
    shelf
}

#[test]
fn a_terminal_that_knows_ascii_only_gets_nothing_else() {
    let mut stage = Stage::new(80, 24, theme(Colors::Mono, true));
    stage.show(evening());
    assert_snapshot!("overview_ascii", stage.text());
    for keys in ["2", "3", "5", "?", "<Esc>n", "<Esc>1<Down><Enter>", "."] {
        stage.press(keys);
        let text = stage.text();
        assert!(text.is_ascii(), "{keys}: {text}");
    }
}

#[test]
fn a_light_background_has_its_own_colours_and_mono_has_none() {
    let names = ["cyan", "blue", "green", "yellow", "red", "white"];
    for (theme, expected) in [
        (theme(Colors::Usual, false), vec!["cyan"]),
        (
            Theme {
                light: true,
                ..theme(Colors::Usual, false)
            },
            vec!["blue"],
        ),
        (theme(Colors::Mono, false), vec![]),
    ] {
        let mut stage = Stage::new(80, 24, theme);
        stage.show(evening());
        for keys in ["1", "2", "3", "5<Enter>", "?", "<Esc>."] {
            stage.press(keys);
            let text = stage.colored();
            let is_there = |name: &&str| text.contains(&format!("{name}]"));
            let found: Vec<&str> = names.into_iter().filter(is_there).collect();
            let allowed = found.iter().all(|it| expected.contains(it));
            assert!(allowed, "{keys}: {found:?} in\n{text}");
        }
    }
}

#[test]
fn times_of_day_fit_their_columns() {
    for width in [80, 160] {
        for keys in ["2t", "5t", "6t"] {
            let mut stage = Stage::new(width, 24, Theme::default());
            let mut evening = evening();
            let places: Vec<_> = evening.connections.places().map(|it| it.0).collect();
            for place in places {
                let connection = evening.connections.change(place).unwrap();
                connection.opened = Some(super::stage::seconds_ago(5));
            }
            stage.show(evening);
            stage.press(keys);
            let text = stage.text();
            let narrow = width == 80 && keys == "2t";
            assert!(narrow || text.contains(" 10:14:"), "{keys}\n{text}");
            assert!(
                !text.contains("10:1…") && !text.contains("10:14…"),
                "{text}"
            );
        }
    }
}

#[test]
fn another_day_is_told_by_its_date() {
    let mut stage = Stage::usual();
    let mut evening = evening();
    let place = evening.connections.places().next().unwrap().0;
    let day_ago = super::stage::seconds_ago(86_400);
    evening.connections.change(place).unwrap().opened = Some(day_ago);
    stage.show(evening);
    stage.press("6t");
    assert!(stage.text().contains(" 11-21    open "), "{}", stage.text());
}

#[test]
fn details_and_dialogs() {
    let mut stage = Stage::usual();
    stage.press("2<Enter>");
    assert_snapshot!("detail_80x24", stage.text());
    let mut stage = Stage::new(160, 45, Theme::default());
    stage.show(evening());
    stage.press("2<Enter>");
    assert_snapshot!("detail_160x45", stage.text());
    let mut stage = Stage::usual();
    stage.press("?");
    assert_snapshot!("help", stage.text());
    stage.press("<Esc>n");
    assert_snapshot!("not_seen", stage.text());
    stage.press("<Esc>2.");
    assert_snapshot!("menu", stage.text());
    stage.press("<Down><Down><Down><Down><Down><Down><Down><Down><Enter>");
    assert_snapshot!("question", stage.text());
}

#[test]
fn a_wrong_filter_is_shown_where_it_is_wrong() {
    let mut stage = Stage::usual();
    stage.press("2/proc:curl prt:80");
    assert_snapshot!("filter_wrong", stage.text());
}

#[test]
fn hostile_names_do_nothing() {
    let mut stage = Stage::new(120, 24, Theme::default());
    stage.show(sample::hostile());
    for keys in [
        "1",
        "2",
        "<Enter>",
        "<Esc>3",
        "4",
        "6",
        "2.",
        "<Esc>/\u{202e}",
    ] {
        stage.press(keys);
        let text = stage.text();
        for line in text.lines() {
            let acts = |it: char| it.is_control() || it == '\u{202e}';
            assert!(!line.chars().any(acts), "{keys}: {line:?}");
            assert!(display_width(line) <= 120, "{keys}: {line:?}");
        }
    }
    stage.press("<Esc>2");
    assert_snapshot!("hostile", stage.text());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn every_size_and_key_is_survived(
        width in 0_u16..220,
        height in 0_u16..70,
        keys in "([1-8ljhkoGgsSbpLBNfmMtRn\\[\\]+=/. -]|<Enter>|<Esc>){0,30}",
    ) {
        let mut stage = Stage::new(width, height, Theme::default());
        stage.show(evening_with_names());
        stage.press(&keys);
        for line in stage.text().lines() {
            prop_assert!(display_width(line) <= usize::from(width));
        }
    }
}
