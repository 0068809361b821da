//! What keys do.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use model::{Gap, Source};

use super::stage::{Stage, evening, evening_with_names, seconds_ago};
use crate::table::sample;
use crate::tui::rows::Key;
use crate::tui::screen::Reaction;
use crate::tui::view::View;
use crate::tui::{Deed, Theme};

fn check(keys: &str, shown: &[&str], not_shown: &[&str]) {
    let mut stage = Stage::usual();
    stage.press(keys);
    let text = stage.text();
    for part in shown {
        assert!(text.contains(part), "{keys}: no {part:?} in\n{text}");
    }
    for part in not_shown {
        assert!(!text.contains(part), "{keys}: {part:?} in\n{text}");
    }
}

#[test]
fn a_filter_picks_and_esc_takes_it_away() {
    check("6/state:failed<Enter>", &["216.6.0.28"], &["198.51.100.23"]);
    check("2/state:failed<Enter><Esc>", &["198.51.100.23"], &[]);
    check("2/state:fa<Tab>", &["state:failed"], &[]);
    check("2/sta<Tab>", &["state:"], &[]);
    check("/proc:nothing<Enter>", &["filter proc"], &["updater"]);
    check("3/proc:updater<Enter>", &["updater"], &["firefox"]);
    check("4/proc:updater<Enter>", &["216.6.0.28"], &["203.0.113.9"]);
}

#[test]
fn names_are_filtered_sorted_and_folded() {
    let check = |keys: &str, shown: &[&str], not_shown: &[&str]| {
        let mut stage = Stage::new(120, 30, Theme::default());
        stage.show(evening_with_names());
        stage.press(keys);
        let text = stage.text();
        for part in shown {
            assert!(text.contains(part), "{keys}: no {part:?} in\n{text}");
        }
        for part in not_shown {
            assert!(!text.contains(part), "{keys}: {part:?} in\n{text}");
        }
    };
    check("8/name:*.updates.example<Enter>", &["kq3v"], &["cdn"]);
    // By who asked, and by the connections that followed.
    check("8/proc:nginx<Enter>", &["www.shop"], &["firefox", "cdn"]);
    check("8/dst:203.0.113.9 new:1h<Enter>", &["www.shop"], &["cdn"]);
    // Who asked is not known of one of them.
    check("8/proc:unknown<Enter>", &["no answer seen"], &["cdn"]);
    check("8sss", &["ASKED↓"], &[]);
    check("8<Down><Down><Right>", &["firefox 1464", "nginx 801"], &[]);
    check(
        "8<Down><Down><Right><Down><Right>",
        &["        tcp", "203.0.113.9:443 established"],
        &[],
    );
    check(
        "8<Down><Down>p",
        &["filter name:\"www.shop.example\"", "203.0.113.9:443"],
        &["216.6.0.28"],
    );
    check(
        "8<Down><Right><Down>p",
        &["filter name:\"cdn.example\" pid:1464"],
        &[],
    );
    // Calls to addresses that nobody asked a name for.
    check(
        "6/name:unknown dir:out<Enter>",
        &["216.6.0.28"],
        &["www.shop"],
    );
    check("/name:cd<Tab>", &["name:cdn.example"], &[]);
}

#[test]
fn what_is_not_wanted_can_be_hidden() {
    check("2L", &["no list", "203.0.113.9"], &["0.0.0.0:80"]);
}

#[test]
fn views_change_by_key() {
    let mut stage = Stage::usual();
    stage.press("<Tab><Tab>");
    assert_eq!(stage.screen.view, View::Processes);
    stage.press("6");
    assert_eq!(stage.screen.view, View::History);
}

#[test]
fn a_tree_is_opened_and_folded() {
    check("4<Right>", &["▾ 203.0.113.9"], &[]);
    check("4<Right><Left>", &["▸ 203.0.113.9"], &["▾"]);
    check("3<Down><Right>", &["▾"], &[]);
}

#[test]
fn rows_are_put_together() {
    check("2c", &["▾ firefox 1464  (2)"], &[]);
    check("2cc", &["▾ 203.0.113.9"], &[]);
}

#[test]
fn what_a_key_cannot_do_here_is_said() {
    check("c", &["views of connections (2, 6)"], &["grouped by"]);
    check("2c1c2", &["nginx 801  (1)"], &["grouped by"]);
    check("1W", &["no packets are recorded by this run"], &[]);
}

#[test]
fn help_and_the_way_out_are_in_every_footer() {
    for (width, shown) in [
        (
            80,
            "Enter details  / filter  o all  . menu  b rhythm  Space hold  ? help  q quit",
        ),
        (
            60,
            "Enter details  / filter  o all  . menu  …  ? help  q quit",
        ),
        (40, "Enter details  …  ? help  q quit"),
    ] {
        let mut stage = Stage::new(width, 15, Theme::default());
        stage.show(evening());
        assert_eq!(stage.text().lines().last(), Some(shown));
    }
}

#[test]
fn held_means_held_and_nothing_is_lost() {
    let mut stage = Stage::usual();
    stage.press("2 ");
    let mut later = evening();
    later.taken = seconds_ago(-5);
    let mut new = sample::connection(sample::known(1464), "192.0.2.7:1", "198.51.100.77:1");
    new.opened = Some(seconds_ago(-4));
    later.connections.put(new);
    stage.show(later);
    let held = stage.text();
    assert!(
        held.contains("HELD") && !held.contains("198.51.100.77"),
        "{held}"
    );
    stage.press(" ");
    let text = stage.text();
    assert!(text.contains("198.51.100.77"), "{text}");
}

#[test]
fn the_cursor_stays_at_what_it_was_at() {
    let mut stage = Stage::usual();
    stage.press("2<Down><Down>");
    stage.paint();
    let before = stage.screen.row().unwrap().key.clone();
    let mut later = evening();
    later.taken = seconds_ago(-1);
    let first = sample::connection(sample::known(99), "192.0.2.7:2", "192.0.2.1:1");
    later.connections.put(first);
    stage.show(later);
    stage.paint();
    assert_eq!(stage.screen.row().unwrap().key, before);
}

#[test]
fn nothing_is_ended_by_one_key() {
    let mut stage = Stage::usual();
    stage.press("2");
    for byte in 32..127_u8 {
        let key = char::from(byte);
        let reactions = stage.press(&key.to_string());
        let ends =
            |it: &Reaction| matches!(it, Reaction::Deed(Deed::Close { .. } | Deed::End { .. }));
        assert!(!reactions.iter().any(ends), "{key}");
        stage.press("<Esc><Esc><Esc><Esc>2");
    }
}

#[test]
fn the_word_has_to_be_typed() {
    let ask = "2.<Down><Down><Down><Down><Down><Down><Down><Down><Enter>";
    let mut stage = Stage::usual();
    stage.press(ask);
    assert!(stage.text().contains("Type END"), "{}", stage.text());
    let reactions = stage.press("yes<Enter>");
    assert!(!reactions.iter().any(|it| matches!(it, Reaction::Deed(_))));
    assert!(stage.text().contains("nothing was done"));
    stage.press("<Esc>");
    stage.press(ask);
    let reactions = stage.press("END<Enter>");
    let last = reactions.last().unwrap();
    let Reaction::Deed(Deed::End { process, hard, .. }) = last else {
        panic!("{last:?}");
    };
    assert_eq!((process.pid, *hard), (1464, false));
}

#[test]
fn what_is_shown_can_be_saved_under_a_name() {
    let mut stage = Stage::usual();
    let reactions = stage.press("6/state:failed<Enter>e<Enter>");
    let Some(Reaction::Deed(Deed::Save { name, bytes })) = reactions.last() else {
        panic!("{reactions:?}");
    };
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert_eq!(
        (name.as_str(), text.lines().count()),
        ("whocalls.csv", 3),
        "{text}"
    );
    let mut stage = Stage::usual();
    let reactions = stage.press("2mewhocalls.json<Enter>");
    let Some(Reaction::Deed(Deed::Save { bytes, .. })) = reactions.last() else {
        panic!("{reactions:?}");
    };
    let document: serde_json::Value = serde_json::from_slice(bytes).unwrap();
    assert_eq!(document["connections"].as_array().unwrap().len(), 1);
    check("2ex.exe<Enter>", &[".csv or .json"], &[]);
    check("2e../x.csv<Enter>", &["a name without"], &[]);
}

#[test]
fn a_row_is_copied_in_words() {
    let mut stage = Stage::usual();
    let reactions = stage.press("2y");
    let Some(Reaction::Copy(text)) = reactions.last() else {
        panic!("{reactions:?}");
    };
    assert!(text.contains("203.0.113.9:443"), "{text}");
}

#[test]
fn rows_are_sorted_by_any_column() {
    let mut stage = Stage::usual();
    let mut seen = Vec::new();
    for _ in 0..8 {
        stage.press("2s");
        seen.push(stage.screen.sort);
    }
    seen.dedup();
    assert!(seen.len() > 5, "{seen:?}");
}

#[test]
fn only_what_belongs_to_a_row() {
    let mut stage = Stage::usual();
    stage.press("2p");
    assert_eq!(stage.screen.filter_text, "pid:1464");
}

#[test]
fn the_refresh_goes_round() {
    let mut stage = Stage::usual();
    let mut times = Vec::new();
    for _ in 0..4 {
        let reactions = stage.press("R");
        if let Some(Reaction::Deed(Deed::Refresh(time))) = reactions.last() {
            times.push(time.as_millis());
        }
    }
    assert_eq!(times, [2000, 5000, 500, 1000]);
}

#[test]
fn reading_stops_at_the_end() {
    for (keys, there) in [("2<Enter>", "Connection  tcp"), ("?", "all that is known")] {
        let mut stage = Stage::usual();
        stage.press(keys);
        let first = stage.text();
        assert!(first.contains(there), "{first}");
        stage.press(&"<PgDn>".repeat(30));
        let last = stage.text();
        stage.press("<PgUp>");
        assert_ne!(stage.text(), last, "{keys}");
        stage.press(&"<PgUp>".repeat(10));
        assert_eq!(stage.text(), first, "{keys}");
    }
}

#[test]
fn headings_stay_in_sight() {
    let mut stage = Stage::new(80, 14, crate::tui::Theme::default());
    stage.show(evening());
    stage.press("<Right>");
    for _ in 0..12 {
        stage.press("<Down>");
        let text = stage.text();
        let rows: Vec<&str> = text.lines().collect();
        let cells = rows.iter().position(|it| it.contains("firefox   "));
        let headings = rows.iter().position(|it| it.contains("CALLS"));
        assert!(cells.is_none() || headings < cells, "{text}");
        let line = usize::from(stage.screen.painted.heading_line);
        assert_eq!(headings.unwrap_or(0), line, "{text}");
    }
    assert!(stage.text().contains("  PROGRAM "), "{}", stage.text());
}

#[test]
fn a_view_without_rows_says_why() {
    let hidden = "6/state:listen<Enter>L";
    check(hidden, &["no listeners", "back with L"], &[]);
    for view in 1..=6 {
        let keys = format!("{view}/proc:nobody<Enter>");
        check(&keys, &["nothing matches the filter"], &[]);
        let keys = format!("2m{view}M");
        if view != 2 && view != 6 {
            check(&keys, &["no marked row is in this view"], &[]);
        }
        let mut stage = Stage::new(80, 24, crate::tui::Theme::default());
        stage.show(sample::snapshot(Vec::new(), Vec::new()));
        stage.press(&view.to_string());
        let text = stage.text();
        assert!(text.contains("what could not be seen: n"), "{view}\n{text}");
    }
    check("2m7M", &["no marked row is in this view"], &[]);
}

#[test]
fn what_is_left_out_is_counted_in_each_view() {
    let all = evening().connections.len();
    for view in ["1", "3", "4", "5", "6"] {
        let mut stage = Stage::usual();
        stage.press(&format!("/pid:1464<Enter>{view}"));
        stage.paint();
        assert_eq!(stage.screen.picture.hidden, all - 2, "view {view}");
        stage.press("<Esc>");
        stage.paint();
        assert_eq!(stage.screen.picture.hidden, 0, "view {view}");
    }
    let mut stage = Stage::usual();
    stage.press("2mM");
    stage.paint();
    assert_eq!(stage.screen.picture.hidden, stage.screen.totals.open - 1);
}

#[test]
fn clicks_reach_what_is_under_them() {
    use crate::tui::columns::Kind;
    let mut stage = Stage::usual();
    stage.click("CALLS");
    assert_eq!(stage.screen.sort, Some(Kind::Calls));
    stage.click("now");
    assert_eq!(stage.screen.sort, Some(Kind::Calls));
    stage.click("  ▸ updater");
    stage.click("  ▸ updater");
    assert!(
        stage.text().contains("Program  updater"),
        "{}",
        stage.text()
    );
    stage.press("<Esc>");
    stage.click("Connections");
    assert_eq!(stage.screen.view, View::Connections);
    stage.click("REMOTE");
    assert_eq!(stage.screen.sort, Some(Kind::Remote));
    stage.click("REMOTE");
    assert!(stage.screen.reverse);
}

#[test]
fn programs_are_sorted_by_what_their_columns_say() {
    let mut stage = Stage::usual();
    let above = |stage: &mut Stage, one: &str, other: &str| {
        let text = stage.text();
        let (_, others) = text.split_once("OTHER PROGRAMS").unwrap();
        others.find(one).unwrap() < others.find(other).unwrap()
    };
    assert!(above(&mut stage, "firefox", "updater"));
    // PROGRAM, OPEN, TO, CALLS
    stage.press("ssss");
    assert!(above(&mut stage, "updater", "firefox"));
    stage.press("S");
    assert!(above(&mut stage, "firefox", "updater"));
}

#[test]
fn what_a_filter_leaves_out_counts_nowhere() {
    let mut stage = Stage::usual();
    stage.press("/dst:203.0.113.9 state:established<Enter>5");
    let text = stage.text();
    assert!(
        text.contains("203.0.113.9:443") && !text.contains("216.6.0.28"),
        "{text}"
    );
}

#[test]
fn keys_that_come_together_act_on_what_they_made() {
    let mut stage = Stage::usual();
    stage.paint();
    // No picture is painted between them.
    for key in "2m".chars() {
        let key = KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE);
        stage.screen.key(key);
    }
    let marked = stage.screen.marked.iter().next().unwrap();
    assert!(matches!(marked, Key::Connection(_)), "{marked:?}");
}

#[test]
fn a_gap_that_hides_one_kind_of_thing_does_not_hide_time() {
    let mut snapshot = evening();
    snapshot.gaps.push(Gap {
        since: Some(seconds_ago(200)),
        ..Gap::standing("name_not_visible", Source::Ebpf, "a resolver", "names")
    });
    let mut stage = Stage::usual();
    let before = stage.text();
    stage.show(snapshot);
    assert_eq!(
        stage.text().matches('░').count(),
        before.matches('░').count()
    );
}

#[test]
fn the_calls_of_a_timeline_can_be_saved() {
    let mut stage = Stage::usual();
    let reactions = stage.press("5e<Enter>");
    let Some(Reaction::Deed(Deed::Save { bytes, .. })) = reactions.last() else {
        panic!("{reactions:?}");
    };
    assert!(String::from_utf8_lossy(bytes).contains("216.6.0.28"));
    check("2m5e<Enter>", &["nothing to save"], &[]);
}

#[test]
fn what_belongs_to_a_call_is_no_more_than_that() {
    let mut stage = Stage::usual();
    stage.press("5p");
    assert_eq!(
        stage.screen.filter_text,
        "exe:\"/home/lena/.cache/updater\" dst:216.6.0.28 rport:443 proto:tcp"
    );
    stage.press("6");
    assert!(stage.text().contains("216.6.0.28"), "{}", stage.text());
}
