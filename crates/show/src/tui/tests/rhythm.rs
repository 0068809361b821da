//! The rhythm panel.

use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use model::{
    Call, Calls, Confidence, ConnectionId, Fact, Findings, Gap, Members, NameSource, NameStrength,
    Named, Pair, PairKey, Protocol, Severity, Snapshot, Source, Talk, Talks, Timestamp, Unchecked,
};
use proptest::prelude::*;

use super::stage::{Stage, evening, seconds_ago, status, theme};
use crate::findings::sample::{FIREFOX, UPDATER, finding};
use crate::table::sample::TAKEN;
use crate::tui::{Colors, Status, Theme};
use crate::visible::display_width;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn millis_ago(millis: i64) -> Timestamp {
    Timestamp::from_unix_nanos(TAKEN - millis * 1_000_000)
}

/// Numbers below `most` that look random, the same each time.
fn dice(mut state: u64) -> impl FnMut(i64) -> i64 {
    move |most| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(state >> 33).unwrap() % most
    }
}

/// Each began so many milliseconds ago, lasted a second, and sent so much.
fn pair(program: &str, destination: &str, calls: &[(i64, u64)]) -> Pair {
    let mut row = Calls::default();
    for (ago, sent) in calls {
        row.add(Call {
            opened: millis_ago(*ago),
            closed: Some(millis_ago(ago - 1000)),
            failed: false,
            bytes_sent: *sent,
            bytes_received: sent * 3,
        });
    }
    let count = u64::try_from(calls.len()).unwrap();
    let times = || calls.iter().map(|it| millis_ago(it.0));
    Pair {
        key: PairKey {
            device: None,
            program: Some(program.into()),
            destination: destination.to_owned(),
            port: Some(443),
            local_port: None,
            protocol: Protocol::Tcp,
        },
        first: times().min().unwrap_or(Timestamp::UNTOLD),
        last: times().max().unwrap_or(Timestamp::UNTOLD),
        connections: count,
        failed: 0,
        open: 0,
        bytes_sent: calls.iter().map(|it| it.1).sum(),
        bytes_received: 0,
        calls: row,
        let_go: 0,
        talks: Talks::default(),
        members: Arc::default(),
    }
}

fn since(millis: i64) -> Status {
    Status {
        since: millis_ago(millis),
        ..status()
    }
}

fn secs(seconds: f64) -> Fact {
    Fact::Duration(Duration::from_secs_f64(seconds))
}

fn text(text: &str) -> Fact {
    Fact::Text(text.to_owned())
}

/// What a rule says of a program that calls 216.6.0.28.
fn judged(snapshot: &mut Snapshot, found: &[(&'static str, Vec<(&'static str, Fact)>)]) {
    let weight = (Severity::Medium, Confidence::Medium);
    let all = found.iter().map(|(rule, facts)| {
        let facts = facts.clone();
        let remote = "216.6.0.28:443";
        Arc::new(finding(rule, weight, UPDATER, remote, facts, snapshot))
    });
    let all = all.collect();
    snapshot.findings = Findings::new(1, all, vec![Unchecked::Seldom(600)]);
}

fn beat(beats: u64, expected: u64, period: f64) -> Vec<(&'static str, Fact)> {
    vec![
        ("beats", Fact::Count(beats)),
        ("expected", Fact::Count(expected)),
        ("period", secs(period)),
        ("jitter", Fact::Share(0.021)),
        ("chance", Fact::Share(3e-12)),
        ("active", secs(3480.0)),
        ("alike", Fact::Share(0.96)),
        ("bytes_each", Fact::Bytes(420)),
        ("points", Fact::Count(88)),
        ("seen", text("216.6.0.28")),
        ("port", text("443")),
        ("watched", secs(3600.0)),
        ("program_is", text("unpackaged")),
    ]
}

/// An hour of calls every minute; each tenth is missing.
fn beacon() -> (Snapshot, Status) {
    let mut dice = dice(7);
    let beats = (1..59).filter(|number| number % 10 != 0);
    let calls: Vec<(i64, u64)> = beats
        .map(|number| {
            (
                number * MINUTE + dice(3_000),
                if number == 5 { 1_800 } else { 420 },
            )
        })
        .collect();
    let mut pair = pair(UPDATER, "216.6.0.28", &calls);
    let missed = pair.calls.open(Timestamp::UNTOLD).is_none();
    assert!(missed);
    pair.failed = 2;
    pair.members = Arc::new(Members {
        names: vec![Named {
            name: "updates.example".into(),
            source: NameSource::Sni,
            strength: NameStrength::Greeted,
            count: 52,
            connections: model::FirstConnections::default(),
            targets: Vec::new(),
        }],
        ..Members::default()
    });
    let mut snapshot = evening();
    snapshot.pairs = [pair].into_iter().collect();
    judged(&mut snapshot, &[("beacon", beat(53, 58, 60.0))]);
    (snapshot, since(HOUR))
}

/// Somebody reads pages: many calls at once, then long pauses, and no size like another.
fn person() -> (Snapshot, Status) {
    let mut dice = dice(3);
    let mut at = 50 * MINUTE;
    let mut calls = Vec::new();
    while at > 2_000 && calls.len() < 80 {
        calls.push((at, 300 + u64::try_from(dice(9_000)).unwrap()));
        at -= match dice(5) {
            0 => 20_000 + dice(240_000),
            _ => 40 + dice(2_500),
        };
    }
    let few = [(40 * MINUTE, 900), (12 * MINUTE, 17_000)];
    let mut snapshot = evening();
    snapshot.pairs = [
        pair(FIREFOX, "203.0.113.10", &few),
        pair(FIREFOX, "203.0.113.9", &calls),
    ]
    .into_iter()
    .collect();
    judged(&mut snapshot, &[]);
    (snapshot, since(HOUR))
}

/// One connection that stands open, in which something is said every half a minute.
fn heartbeat() -> (Snapshot, Status) {
    let mut dice = dice(11);
    let (mut steady, mut uneven) = (Talk::new(Duration::ZERO), Talk::new(Duration::ZERO));
    for number in (1..40).rev() {
        let at = millis_ago(number * 30_000 + dice(400));
        steady.sent(at, if number == 20 { 900 } else { 64 });
        uneven.sent(millis_ago(number * 30_000 + dice(25_000)), 5_000);
    }
    let mut snapshot = evening();
    let connections = snapshot.connections.iter();
    let mut tried = connections.filter(|it| it.remote.is_some_and(|it| it.port == Some(443)));
    let id = tried
        .find(|it| it.state == model::State::Failed)
        .unwrap()
        .id;
    let mut pair = pair(UPDATER, "216.6.0.28", &[]);
    pair.talks.put(ConnectionId([9; 16]), &Arc::new(uneven));
    pair.talks.put(id, &Arc::new(steady));
    pair.connections = 2;
    pair.open = 2;
    pair.members = Arc::new(Members {
        present: 2,
        ..Members::default()
    });
    snapshot.pairs = [pair].into_iter().collect();
    judged(&mut snapshot, &[("heartbeat", beat(39, 39, 30.0))]);
    (snapshot, since(20 * MINUTE))
}

/// Two calls while somebody watched for a minute.
fn too_few() -> (Snapshot, Status) {
    let mut snapshot = evening();
    snapshot.pairs = [pair(UPDATER, "216.6.0.28", &[(50_000, 100), (20_000, 130)])]
        .into_iter()
        .collect();
    judged(&mut snapshot, &[]);
    snapshot.findings = Findings::new(1, Vec::new(), vec![Unchecked::Seldom(10)]);
    (snapshot, since(MINUTE))
}

/// Three days, of which nobody watched the nights.
fn days() -> (Snapshot, Status) {
    let mut calls = Vec::new();
    let mut gaps = Vec::new();
    for day in 0..3 {
        let night = millis_ago(day * 24 * HOUR + 10 * HOUR);
        gaps.push(Gap {
            since: Some(night),
            until: Some(millis_ago(day * 24 * HOUR + HOUR)),
            ..Gap::standing("resumed", Source::Ebpf, "the computer slept", "a night")
        });
        for number in 0..13 {
            calls.push((
                day * 24 * HOUR + 10 * HOUR + number * HOUR + 7 * MINUTE,
                5_000,
            ));
        }
    }
    let mut snapshot = evening();
    snapshot.gaps = gaps;
    snapshot.pairs = [pair(UPDATER, "216.6.0.28", &calls)].into_iter().collect();
    judged(&mut snapshot, &[("beacon", beat(39, 39, 3600.0))]);
    (snapshot, since(70 * HOUR))
}

fn stage((snapshot, status): (Snapshot, Status), width: u16, height: u16) -> Stage {
    let mut stage = Stage::new(width, height, Theme::default());
    stage.show_as(snapshot, status);
    stage.press("5");
    stage
}

#[test]
fn what_stands_in_the_panel() {
    for (name, (width, height), what) in [
        ("beacon_80x24", (80, 24), beacon()),
        ("beacon_80x60", (80, 60), beacon()),
        ("beacon_60x24", (60, 24), beacon()),
        ("person_80x60", (80, 60), person()),
        ("heartbeat_80x60", (80, 60), heartbeat()),
        ("too_few_80x24", (80, 24), too_few()),
        ("days_80x60", (80, 60), days()),
        ("days_40x60", (40, 60), days()),
    ] {
        let mut stage = stage(what, width, height);
        stage.press("b");
        assert_snapshot!(format!("rhythm_{name}"), stage.text());
    }
}

#[test]
fn a_filter_asks_for_the_pace() {
    let (snapshot, status) = beacon();
    let mut stage = Stage::new(80, 24, Theme::default());
    stage.show_as(snapshot, status);
    for (filter, is_shown) in [
        ("every:1s-5m", true),
        ("every:60s", true),
        ("-every:unknown", true),
        ("every:5m-1h", false),
        ("every:unknown", false),
    ] {
        stage.press(&format!("7/{filter}<Enter>"));
        let text = stage.text();
        assert_eq!(
            text.contains("Calls at a steady pace"),
            is_shown,
            "{filter}: {text}"
        );
        stage.press(&format!("<Esc>6/{filter}<Enter>"));
        let text = stage.text();
        assert_eq!(
            text.contains("216.6.0.28:443"),
            is_shown,
            "{filter}: {text}"
        );
        stage.press("<Esc>");
    }
}

#[test]
fn it_opens_from_every_row_with_calls_and_closes() {
    let (mut snapshot, status) = beacon();
    snapshot.connections.put({
        let owner = crate::table::sample::known(2210);
        let mut call = crate::table::sample::connection(owner, "192.0.2.7:41007", "216.6.0.28:443");
        call.opened = Some(seconds_ago(3));
        call
    });
    for keys in [
        "1",
        "1.<Down><Enter><Esc>",
        "2/dst:216.6.0.28<Enter>",
        "3/proc:updater<Enter><Down>",
        "4/dst:216.6.0.28<Enter>",
        "5",
        "6/proc:updater<Enter>",
        "7",
    ] {
        let mut stage = Stage::new(120, 30, Theme::default());
        stage.show_as(snapshot.clone(), status.clone());
        stage.press(keys);
        let before = stage.text();
        for close in ["b", "<Esc>", "q", "<Enter>"] {
            stage.press("b");
            let open = stage.text();
            assert!(
                open.contains("RHYTHM  updater → 216.6.0.28:443 tcp")
                    && open.contains("← every 60 s"),
                "{keys}: {open}\n{before}"
            );
            stage.press(close);
            assert_eq!(stage.text(), before, "{keys} {close}");
        }
    }
    let mut stage = Stage::usual();
    stage.press("8b");
    assert!(!stage.text().contains("RHYTHM"), "{}", stage.text());
    // Of a name: what called it.
    stage.show(super::stage::evening_with_names());
    stage.press("8/name:www.shop.example<Enter>b");
    assert!(
        stage.text().contains("RHYTHM  firefox → 203.0.113.9:443"),
        "{}",
        stage.text()
    );
}

#[test]
fn a_row_without_calls_says_so() {
    let mut stage = Stage::usual();
    stage.press("2/state:listen<Enter>b");
    assert!(
        stage.text().contains("no calls to look at"),
        "{}",
        stage.text()
    );
}

#[test]
fn it_is_scrolled_and_turned_to_other_calls() {
    let mut stage = stage(person(), 80, 24);
    // Of the program: those with the most calls come first.
    stage.press("1<Down><Down>b");
    let text = stage.text();
    assert!(
        text.contains("203.0.113.9:443") && text.contains("1 of 2"),
        "{text}"
    );
    for keys in ["<Right>", "<Left>", "<Tab>"] {
        stage.press(keys);
        let text = stage.text();
        let second = keys != "<Left>";
        assert_eq!(text.contains("203.0.113.10:443"), second, "{keys}: {text}");
    }
    stage.press("<Left>");
    assert!(stage.text().contains("more lines ↓"));
    let top = stage.text();
    stage.press("<PgDn><PgDn><PgDn><PgDn><PgDn>");
    let end = stage.text();
    assert!(!end.contains("more lines ↓") && end != top, "{end}");
    // Who reads past the end is back with the first key that goes up.
    stage.press("<Up>");
    assert!(stage.text().contains("1 more line ↓"), "{}", stage.text());
}

#[test]
fn a_filter_of_rows_leaves_out_none_of_the_calls() {
    let mut stage = stage(beacon(), 80, 24);
    stage.press("5b");
    let whole = stage.text();
    stage.press("<Esc>/proc:updater<Enter>5b");
    assert_eq!(stage.text(), whole);
}

#[test]
fn what_a_finding_puts_together_is_one() {
    let (mut snapshot, status) = beacon();
    let [one, other, third] = ["216.6.0.28", "216.6.0.29", "216.6.0.30"].map(|to| {
        let calls: Vec<(i64, u64)> = (0..12).map(|it| (it * 3 * MINUTE + 5_000, 420)).collect();
        pair(UPDATER, to, &calls)
    });
    let mut called = pair("/usr/sbin/sshd", "192.0.2.44", &[(30_000, 7), (20_000, 7)]);
    (called.key.port, called.key.local_port) = (None, Some(22));
    snapshot.pairs = [other, one, third, called].into_iter().collect();
    let first = snapshot.findings.iter().next().unwrap();
    let mut finding = (**first).clone();
    finding.about.reach = model::Reach::Remotes {
        addresses: ["216.6.0.28", "216.6.0.29"]
            .map(|it| it.parse().unwrap())
            .to_vec(),
        names: Vec::new(),
        service: None,
    };
    // Another one about the same is told in a word.
    let mut other = finding.clone();
    other.rule = "raw_address";
    other.facts.clear();
    other.id = model::FindingId([8; 16]);
    snapshot.findings = Findings::new(1, vec![Arc::new(finding), Arc::new(other)], Vec::new());
    let mut stage = stage((snapshot, status), 80, 60);
    stage.press("/dst:216.6.0.29<Enter>");
    stage.press("<Esc>5b");
    let text = stage.text();
    for part in [
        "updater → 216.6.0.28:443 +1 tcp",
        "Gaps  23 between calls",
        "addresses    216.6.0.28:443, 216.6.0.29:443",
        "also found   Address without a name (7)",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    // The row says it in a word, too; and who called here is told the other way round.
    stage.press("<Esc><Enter>");
    assert!(
        stage.text().contains("every 60 s; b shows it"),
        "{}",
        stage.text()
    );
    stage.press("<Esc><Down><Down><Down>b");
    let text = stage.text();
    assert!(text.contains("192.0.2.44 → sshd:22 tcp"), "{text}");
}

#[test]
fn what_is_not_judged_is_not_called_without_a_rhythm() {
    let (mut snapshot, status) = beacon();
    snapshot.findings = Findings::default();
    let mut stage = stage((snapshot, status), 80, 24);
    stage.press("b");
    let text = stage.text();
    assert!(text.contains("has not been judged yet"), "{text}");
    assert!(!text.contains("No rhythm"), "{text}");
}

#[test]
fn a_terminal_that_knows_ascii_only_gets_nothing_else() {
    for what in [beacon(), person(), heartbeat(), too_few(), days()] {
        let mut stage = Stage::new(80, 60, theme(Colors::Mono, true));
        stage.show_as(what.0, what.1);
        stage.press("5b");
        let text = stage.text();
        assert!(text.is_ascii() && text.contains("RHYTHM"), "{text}");
    }
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![
        0..4 * HOUR,
        (0..90_i64).prop_map(|it| it * MINUTE),
        -HOUR..2_000 * HOUR,
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z/.]{0,12}",
        "(\\x1b\\[2J|\u{202e}|\u{9b}|\n|\t|\u{200b}|[a-z]|ж|中){0,60}",
    ]
}

prop_compose! {
    fn any_pair()(
        program in any_text(),
        destination in prop_oneof![Just("216.6.0.28".to_owned()), Just("2001:db8::1".to_owned()), any_text()],
        name in any_text(),
        calls in prop::collection::vec((any_time(), any::<u64>(), any::<bool>(), any::<bool>()), 0..60),
        bursts in prop::collection::vec(any_time(), 0..30),
        ports in (any::<Option<u16>>(), any::<Option<u16>>()),
        counts in (any::<u64>(), any::<u64>(), any::<u64>()),
        resolution in 0_u64..3_000,
    ) -> Pair {
        let mut made = pair(&program, &destination, &[]);
        (made.key.port, made.key.local_port) = ports;
        for (ago, bytes, failed, open) in calls {
            made.calls.add(Call {
                opened: millis_ago(ago),
                closed: (!open).then(|| millis_ago(ago - 500)),
                failed,
                bytes_sent: bytes,
                bytes_received: bytes / 7,
            });
        }
        let mut talk = Talk::new(Duration::from_millis(resolution));
        bursts.iter().for_each(|ago| talk.sent(millis_ago(*ago), 64));
        made.talks.put(ConnectionId([1; 16]), &Arc::new(talk));
        (made.open, made.let_go, made.failed) = counts;
        made.members = Arc::new(Members {
            names: vec![Named {
                name: name.as_str().into(),
                source: NameSource::Dns,
                strength: NameStrength::Answered,
                count: 1,
                connections: model::FirstConnections::default(),
                targets: Vec::new(),
            }],
            ..Members::default()
        });
        made
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn whatever_is_there_is_shown_within_its_room(
        pairs in prop::collection::vec(any_pair(), 1..4),
        rule in prop_oneof![Just("beacon"), Just("heartbeat"), Just("permanent"), Just("other")],
        // Long ones are cut in the sentence itself.
        seen in "(\\x1b\\[2J|\u{202e}|\u{9b}|\n|\t|[a-z]|中){0,6}",
        length in any::<u64>(),
        fact in prop_oneof![Just("period"), Just("mean_gap"), Just("heartbeat"), Just("seen")],
        (width, height) in (0_u16..170, 0_u16..70),
        back in any_time(),
        keys in "([145]b|[hljkgb ]|<Esc>|<PgDn>|<Right>){0,12}",
    ) {
        let mut snapshot = evening();
        let mut about = finding(
            rule,
            (Severity::High, Confidence::Low),
            UPDATER,
            "216.6.0.28:443",
            vec![(fact, Fact::Duration(Duration::from_nanos(length))), ("seen", text(&seen))],
            &snapshot,
        );
        about.about.program = pairs[0].key.program.clone();
        snapshot.pairs = pairs.into_iter().collect();
        snapshot.findings = Findings::new(1, vec![Arc::new(about)], Vec::new());
        let mut stage = Stage::new(width, height, Theme::default());
        stage.show_as(snapshot, since(back));
        stage.press("5b");
        stage.press(&keys);
        for keys in ["", "<Esc>5b", "<Right>"] {
            stage.press(keys);
            let text = stage.text();
            for line in text.lines() {
                let acts = |it: char| it.is_control() || ('\u{202a}'..='\u{202e}').contains(&it);
                prop_assert!(!line.chars().any(acts), "{line:?}");
                // Behind a wide one there is a cell that nobody sees.
                let wide = line.chars().filter(|it| *it == '中').count();
                prop_assert!(display_width(line) <= usize::from(width) + wide, "{line:?}");
            }
            // In 60 columns nothing is cut off but the title.
            if width >= 60 {
                let cut = text.lines().skip(1).filter(|it| it.trim_end().ends_with('…'));
                let in_panel = text.starts_with("RHYTHM");
                let cut = cut.filter(|it| it.trim() != "…").count();
                prop_assert!(!in_panel || cut == 0, "{text}");
            }
        }
    }
}
