//! Whose something is, and the list of what to ask from another computer.

use model::{AddressFacts, AddressItem, FileHash, Item, LookedUp, Question, Snapshot};

use super::stage::{Stage, evening, evening_with_names};
use crate::table::sample;
use crate::tui::screen::Reaction;
use crate::tui::{Deed, Found, Kept, Known, Mode, Recording, Theme, ToAsk, ToAskItem, Told};

/// The only deed among what came of keys.
fn deed(reactions: &[Reaction]) -> Deed {
    let deeds = reactions.iter().filter_map(|it| match it {
        Reaction::Deed(deed) => Some(deed.clone()),
        Reaction::Nothing | Reaction::Quit | Reaction::Redraw | Reaction::Copy(_) => None,
    });
    let deeds: Vec<_> = deeds.collect();
    assert_eq!(deeds.len(), 1, "{reactions:?}");
    deeds.into_iter().next().unwrap()
}

/// As whoever looks it up would answer.
fn answer(stage: &mut Stage, deed: &Deed) -> (String, bool) {
    let Deed::LookUp { item, adds } = deed else {
        panic!("{deed:?}");
    };
    let ip: Option<std::net::IpAddr> = item.parse().ok();
    let is_private = ip.is_some_and(|it| it.is_loopback());
    let question = match ip {
        Some(ip) => Question::Address(ip),
        None => FileHash::parse(item).map_or(Question::Name(item.to_lowercase()), Question::Hash),
    };
    let looked_up = LookedUp {
        item: item.clone(),
        what: Item::Address(AddressItem {
            ip: ip.unwrap_or([192, 0, 2, 1].into()),
            port: None,
            facts: AddressFacts::default(),
        }),
        known: Vec::new(),
        told: Vec::new(),
        answers: Vec::new(),
        is_wanted: false,
    };
    let question = match is_private {
        true => Err("it is no address of the internet".to_owned()),
        false => Ok(question),
    };
    let is_added = *adds && question.is_ok();
    stage.screen.tell(Told::Known(Box::new(Known {
        item: item.clone(),
        found: Ok(Box::new(Found {
            looked_up,
            question,
        })),
        is_added,
    })));
    (item.clone(), *adds)
}

fn stage(snapshot: Snapshot) -> Stage {
    let mut stage = Stage::new(120, 30, Theme::default());
    stage.show(snapshot);
    stage
}

fn check(text: &str, shown: &[&str]) {
    let words: Vec<_> = text.split_whitespace().collect();
    let words = words.join(" ");
    for part in shown {
        assert!(words.contains(part), "no {part:?} in\n{text}");
    }
}

/// The one whose file is known.
fn with_hash() -> Snapshot {
    let mut snapshot = evening();
    let id = sample::process_id(2210);
    let mut process = (*snapshot.processes[&id]).clone();
    process.sha256 = Some([0xab; 32]);
    std::sync::Arc::make_mut(&mut snapshot.processes).insert(id, process.into());
    snapshot
}

#[test]
fn what_is_at_the_other_end_is_shown_and_put_on_the_list() {
    let mut stage = stage(evening());
    let looked_up = deed(&stage.press("6/dst:216.6.0.28<Enter>gw"));
    check(&stage.text(), &["WHOSE IS IT 216.6.0.28", "looking it up"]);
    assert_eq!(
        answer(&mut stage, &looked_up),
        ("216.6.0.28".to_owned(), true)
    );
    check(
        &stage.text(),
        &[
            "Added to the list of what to ask from another computer: 1 item, kept in memory only",
            "Nothing was sent",
            "Holder of this address: not known here.",
            "d take off",
        ],
    );
    // Off again, and on.
    let off = deed(&stage.press("d"));
    assert!(matches!(off, Deed::AskNoMore(Question::Address(_))));
    check(&stage.text(), &["Not on the list", "a add"]);
    let on = deed(&stage.press("a"));
    assert!(matches!(on, Deed::AskElsewhere(Question::Address(_))));
    stage.press("w");
    check(
        &stage.text(),
        &[
            "TO ASK FROM ANOTHER COMPUTER 1 item",
            "216.6.0.28 address, first",
            "updater /home/lena/.cache/updater",
        ],
    );
    stage.press("<Esc>");
    assert!(!stage.text().contains("TO ASK"));
}

#[test]
fn what_is_not_of_the_internet_is_shown_and_not_added() {
    let mut snapshot = evening();
    let own = sample::known(2210);
    snapshot
        .connections
        .put(sample::connection(own, "127.0.0.1:4000", "127.0.0.1:631"));
    let mut stage = stage(snapshot);
    let looked_up = deed(&stage.press("2/dst:127.0.0.1<Enter>gw"));
    answer(&mut stage, &looked_up);
    check(
        &stage.text(),
        &["Not added to the list", "it is no address of the internet"],
    );
    assert!(
        stage
            .press("d")
            .iter()
            .all(|it| matches!(it, Reaction::Nothing))
    );
    assert!(
        stage
            .press("a")
            .iter()
            .all(|it| matches!(it, Reaction::Nothing))
    );
    assert!(stage.screen.list.items.is_empty());
}

#[test]
fn address_and_name_can_both_be_chosen() {
    let mut stage = stage(evening_with_names());
    let first = deed(&stage.press("6/name:www.shop.example<Enter>gw"));
    assert_eq!(answer(&mut stage, &first).0, "203.0.113.9");
    check(&stage.text(), &["1 of 2: address"]);
    let second = deed(&stage.press("<Right>"));
    // Only shown: it is the person who adds it.
    assert_eq!(
        answer(&mut stage, &second),
        ("www.shop.example".to_owned(), false)
    );
    check(&stage.text(), &["2 of 2: name", "Not on the list"]);
    stage.press("aw");
    check(&stage.text(), &["2 items", "www.shop.example name"]);
    // The one under the cursor is taken off.
    let off = deed(&stage.press("<Down>d"));
    assert!(matches!(off, Deed::AskNoMore(Question::Name(name)) if name == "www.shop.example"));
    check(&stage.text(), &["1 item"]);
}

#[test]
fn each_kind_of_row_has_its_item() {
    let first_of = |snapshot: Snapshot, keys: &str| {
        let mut stage = stage(snapshot);
        let reactions = stage.press(keys);
        let Deed::LookUp { item, adds: true } = deed(&reactions) else {
            panic!("{reactions:?}");
        };
        item
    };
    let filter = "/proc:updater<Enter>g";
    for keys in ["4gw", "5gw"] {
        assert_eq!(
            first_of(evening(), &keys.replace('g', filter)),
            "216.6.0.28",
            "{keys}"
        );
    }
    assert_eq!(
        first_of(evening_with_names(), "8/name:cdn.example<Enter>gw"),
        "cdn.example"
    );
    let hash = "ab".repeat(32);
    assert_eq!(first_of(with_hash(), "1g<Down>w"), hash);
    assert_eq!(first_of(with_hash(), "3/proc:updater<Enter>gw"), hash);
}

#[test]
fn that_asking_for_a_hash_tells_its_maker_is_said() {
    let mut stage = stage(with_hash());
    let looked_up = deed(&stage.press("1g<Down>w"));
    answer(&mut stage, &looked_up);
    check(&stage.text(), &["tells its maker that it was found"]);
    let page = saved(&mut stage);
    assert!(
        page.contains("may tell its maker that it was found"),
        "{page}"
    );
}

#[test]
fn a_row_without_an_item_says_so() {
    let mut stage = stage(evening());
    stage.press("3/proc:firefox<Enter>gw");
    check(&stage.text(), &["no address, name or program file"]);
}

/// Saves the list that is there, and gives the page.
fn saved(stage: &mut Stage) -> String {
    let reactions = stage.press("e<Enter>");
    let Deed::SaveList { name, bytes } = deed(&reactions) else {
        panic!("{reactions:?}");
    };
    assert_eq!(name, "ask-elsewhere.txt");
    stage
        .screen
        .tell(Told::ListSaved(Ok("saved: ask-elsewhere.txt".to_owned())));
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_page_is_what_lookup_reads() {
    let mut stage = stage(evening());
    let looked_up = deed(&stage.press("6/dst:216.6.0.28<Enter>gw"));
    answer(&mut stage, &looked_up);
    let page = saved(&mut stage);
    check(
        &page,
        &[
            "# # whocalls lookup --online - < ask-elsewhere.txt",
            "Do not open any of these in a browser",
            "no evidence and has no seal",
            "watched and not recorded",
            "216.6.0.28 # address, first 20",
            "updater /home/lena/.cache/updater",
        ],
    );
    let items = page.lines().filter(|line| !line.starts_with('#'));
    let items: Vec<_> = items.filter_map(|line| line.split(" #").next()).collect();
    assert_eq!(items.join("").trim(), "216.6.0.28");
}

#[test]
fn forty_items_are_one_page_and_hostile_text_is_harmless() {
    let mut snapshot = evening();
    snapshot.host.name = "evil\u{1b}[2J\u{202e}\nhost".into();
    let evil = sample::process(3000, "a\n# b\u{1b}c", "/tmp/\u{202e}x\n1.2.3.4\n/y");
    std::sync::Arc::make_mut(&mut snapshot.processes).insert(evil.id, evil.into());
    let mut items = Vec::new();
    for number in 0..40_u8 {
        let ip = [198, 51, 100, number].into();
        items.push(match number % 4 {
            0 => Question::Hash(FileHash::Sha256([number; 32])),
            1 => Question::Name(format!("{}{number}.example", "a".repeat(50))),
            _ => Question::Address(ip),
        });
        let mut call = sample::connection(
            sample::known(3000),
            "192.0.2.7:40000",
            &format!("198.51.100.{number}:443"),
        );
        call.id = model::ConnectionId([number + 100; 16]);
        snapshot.connections.put(call);
    }
    let mut stage = stage(snapshot);
    for question in items {
        let item = question.to_string();
        stage.screen.tell(Told::Known(Box::new(Known {
            found: Ok(Box::new(Found {
                looked_up: LookedUp {
                    item: item.clone(),
                    what: Item::Hash(model::HashKind::Sha256),
                    known: Vec::new(),
                    told: Vec::new(),
                    answers: Vec::new(),
                    is_wanted: false,
                },
                question: Ok(question),
            })),
            item,
            is_added: true,
        })));
    }
    stage.press("3/proc:firefox<Enter>gw");
    let page = saved(&mut stage);
    // A4 at six lines an inch has 66 and some margin.
    assert!(page.lines().count() <= 60, "{page}");
    assert_eq!(
        page.lines()
            .filter(|it| !it.is_empty() && !it.starts_with('#'))
            .count(),
        40
    );
    for line in page.lines() {
        assert!(crate::visible::display_width(line) <= 110, "{line}");
        let is_bad = |it: char| it.is_control() || it == '\u{202e}';
        assert!(!line.contains(is_bad), "{line:?}");
        assert!(!line.starts_with("1.2.3.4"), "{page}");
    }
}

#[test]
fn who_ends_is_asked_once_whether_the_list_is_to_be_saved() {
    let mut stage = stage(evening());
    assert!(matches!(stage.press("q")[..], [Reaction::Quit]));
    let looked_up = deed(&stage.press("6/dst:216.6.0.28<Enter>gw"));
    answer(&mut stage, &looked_up);
    assert!(matches!(
        stage.press("<Esc>q").last(),
        Some(Reaction::Nothing)
    ));
    check(&stage.text(), &["(1 item) is kept nowhere", "save as"]);
    // A name that does not do is no end.
    stage.press("a.csv<Enter>");
    check(&stage.text(), &["has to end in .txt", "save as"]);
    for _ in 0..5 {
        stage.press("<Back>");
    }
    let Deed::SaveList { .. } = deed(&stage.press("list.txt<Enter>")) else {
        panic!("no file");
    };
    // It could not be saved: nothing ends.
    stage
        .screen
        .tell(Told::ListSaved(Err("not saved".to_owned())));
    assert!(!stage.screen.has_ended());
    deed(&stage.press("q<Enter>"));
    stage.screen.tell(Told::ListSaved(Ok("saved".to_owned())));
    assert!(stage.screen.has_ended());
}

#[test]
fn who_does_not_want_it_ends_without_it() {
    let mut stage = stage(evening());
    let looked_up = deed(&stage.press("6/dst:216.6.0.28<Enter>gw"));
    answer(&mut stage, &looked_up);
    let reactions = stage.press("<Esc>q<Esc>");
    assert!(matches!(reactions.last(), Some(Reaction::Quit)));
    assert!(stage.screen.into_log().is_empty());
}

#[test]
fn what_nobody_was_asked_about_is_printed_at_the_end() {
    let mut stage = stage(evening());
    let looked_up = deed(&stage.press("6/dst:216.6.0.28<Enter>gw"));
    answer(&mut stage, &looked_up);
    let log = stage.screen.into_log();
    assert_eq!(
        log,
        ["to ask from another computer, and saved nowhere: 216.6.0.28"]
    );
}

#[test]
fn a_list_beside_a_case_is_not_asked_about() {
    let mut stage = stage(evening());
    stage.screen.list.kept = Kept::AtTheEnd("case.review.sqlite".to_owned());
    let looked_up = deed(&stage.press("6/dst:216.6.0.28<Enter>gw"));
    answer(&mut stage, &looked_up);
    check(
        &stage.text(),
        &["put into case.review.sqlite when the recording ends"],
    );
    assert!(matches!(stage.press("<Esc>q").last(), Some(Reaction::Quit)));
    stage.screen.tell(Told::NotKept("no room".to_owned()));
    check(&stage.text(), &["is not kept: no room"]);
}

#[test]
fn what_was_on_the_list_before_is_on_it() {
    let question = Question::Address([216, 6, 0, 28].into());
    let item = ToAskItem {
        question,
        answered: Some(model::Timestamp::from_unix_nanos(1_795_515_300_000_000_000)),
    };
    let mut stage = stage(evening());
    stage.screen.list = crate::tui::screen::List::new(ToAsk {
        items: vec![item],
        kept: Kept::AtOnce("case.review.sqlite".to_owned()),
    });
    let mut status = super::stage::status();
    status.mode = Mode::Live {
        recording: Some(Recording {
            name: "case-1".to_owned(),
            since: super::stage::seconds_ago(10),
            events: 0,
            packets: None,
            lost: 0,
            bytes: 0,
        }),
    };
    stage.show_as(evening(), status);
    stage.press("3/proc:firefox<Enter>gw");
    check(
        &stage.text(),
        &[
            "1 item, kept in case.review.sqlite",
            "answered on 2026-11-24",
        ],
    );
    let page = saved(&mut stage);
    assert!(page.contains("Case: case-1."), "{page}");
}
