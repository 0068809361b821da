//! What the screen says of the names of connections, and of those that have none.

use std::sync::Arc;

use model::{
    Connection, Direction, Greeting, HttpGreeting, NameSource, NameStrength, RemoteName, Snapshot,
    Tier, TlsGreeting,
};

use super::stage::{Stage, seconds_ago};
use crate::table::sample;
use crate::tui::Theme;

/// What stands in the details of the only connection.
fn details(change: impl FnOnce(&mut Connection), tier: Tier) -> String {
    let mut stage = Stage::new(160, 45, Theme::default());
    stage.show(only(change, tier));
    stage.press("2<Enter>");
    let text = stage.text();
    let beside = text.lines().filter_map(|line| line.get(88..));
    beside.map(str::trim).collect::<Vec<_>>().join(" ")
}

fn only(change: impl FnOnce(&mut Connection), tier: Tier) -> Snapshot {
    let firefox = sample::process(1464, "firefox", "/usr/lib/firefox/firefox");
    let mut connection =
        sample::connection(sample::known(1464), "192.0.2.7:40512", "203.0.113.9:443");
    connection.opened = Some(seconds_ago(20));
    change(&mut connection);
    let mut snapshot = sample::snapshot(vec![firefox], vec![connection]);
    snapshot.tier = tier;
    snapshot
}

#[test]
fn why_it_is_called_so_is_said_in_plain_words() {
    use NameSource as From;
    use NameStrength as How;
    for (source, strength, said) in [
        (
            From::Sni,
            How::Greeted,
            "it greeted the server by this name",
        ),
        (
            From::Host,
            How::Greeted,
            "it asked the server for this host",
        ),
        (
            From::Dns,
            How::Answered,
            "this program, or the resolver for it, had asked",
        ),
        (
            From::Dns,
            How::AnsweredToDevice,
            "somebody on this device asked for the name",
        ),
        (
            From::Dns,
            How::AnsweredToAnother,
            "another program asked for the name",
        ),
        (
            From::Certificate,
            How::Claimed,
            "the other side calls itself so",
        ),
        (
            From::Log,
            How::Claimed,
            "the file that was read calls it so",
        ),
    ] {
        let named = |it: &mut Connection| {
            let name = RemoteName {
                name: "www.shop.example".into(),
                source,
                strength,
            };
            it.name = Some(Arc::new(name));
        };
        let text = details(named, Tier::Full);
        assert!(text.contains("name         www.shop.example"), "{text}");
        assert!(text.contains(said), "{strength:?}: {text}");
    }
}

#[test]
fn that_nobody_asked_for_a_name_is_said() {
    let nobody = "nobody was seen to ask for a name of this address";
    assert!(details(|_| {}, Tier::Full).contains(nobody));
    assert!(details(|it| it.opened = None, Tier::Import).contains(nobody));
    // What was not watched may have been asked for.
    let before = details(|it| it.opened = None, Tier::Full);
    assert!(
        before.contains("it began before whocalls looked"),
        "{before}"
    );
    let polling = details(|_| {}, Tier::Polling);
    assert!(
        polling.contains("not known: names are not seen"),
        "{polling}"
    );
    // Whoever is called goes to no address.
    let called = details(|it| it.direction = Direction::Inbound, Tier::Full);
    assert!(!called.contains("  name  "), "{called}");
}

#[test]
fn what_was_said_when_it_began() {
    let tls = TlsGreeting {
        quic: Some(1),
        alpn: vec!["h3".into(), "a\u{202e}b".into()],
        ech: true,
        ja4: Some("q13d0310h3_55b375c5d22e_cd85d2d88918".into()),
    };
    let text = details(
        |it| it.greeting = Some(Arc::new(Greeting::Tls(tls))),
        Tier::Full,
    );
    for said in [
        "greeting     TLS over QUIC",
        "with an encrypted part (ECH)",
        "alpn         h3, a‹U+202E›b",
        "ja4          q13d0310h3_55b375c5d22e_cd85d2d88918",
    ] {
        assert!(text.contains(said), "no {said:?} in {text}");
    }
    let http = HttpGreeting {
        method: Some("POST".into()),
        target: Some("/gate?id=7".into()),
        user_agent: Some("test/1".into()),
    };
    let text = details(
        |it| it.greeting = Some(Arc::new(Greeting::Http(http))),
        Tier::Full,
    );
    assert!(text.contains("request      POST /gate?id=7"), "{text}");
    assert!(text.contains("user agent   test/1"), "{text}");
}
