//! What name a connection has, and why.

use model::EventKind::{Accepted, Attempt, Closed, FirstPacket, Listening, Opened};
use model::NameSource::{Certificate, Host, Log, Sni};
use model::Protocol;

use super::seen::{answered, greeted, process, seen, tick};
use super::told::{check, run};
use super::{HERE, Limits, SERVER};

const IP: &str = "203.0.113.9";

/// What the connections are called in the end.
#[track_caller]
fn named(steps: impl IntoIterator<Item = super::seen::Seen>, expected: &[&str]) {
    let mut run = run(Limits::default(), steps);
    let view = run.view();
    let name = |it: &model::Connection| {
        it.name.as_ref().map_or("none".to_owned(), |name| {
            let (source, strength) = (name.source.word(), name.strength.word());
            format!("{} {source} {strength}", name.name.lossy())
        })
    };
    let names: Vec<_> = view.connections.iter().map(name).collect();
    assert_eq!(names, expected);
}

#[test]
fn a_connection_is_called_as_its_program_was_told() {
    check(
        [
            answered(10, "updates.example.com", &[IP]).by(7),
            seen(20, Attempt).tcp(1).by(7).to(SERVER),
            seen(30, Attempt).tcp(2).by(8).to(SERVER),
            seen(40, Attempt).tcp(3).to(SERVER),
        ],
        &[
            "20 opened tcp attempted outbound - > 203.0.113.9:443 by 7 updates.example.com dns answered",
            "30 opened tcp attempted outbound - > 203.0.113.9:443 by 8 updates.example.com dns answered_to_another",
            "40 opened tcp attempted outbound - > 203.0.113.9:443 by no_holder updates.example.com dns answered_to_device",
        ],
    );
}

#[test]
fn an_answer_names_nothing_that_began_before_it() {
    named(
        [
            seen(10, Attempt).tcp(1).by(7).to(SERVER),
            answered(500, "late.example.com", &[IP]).by(7),
            tick(600),
        ],
        &["none"],
    );
}

#[test]
fn the_newest_answer_before_it_counts() {
    named(
        [
            answered(10, "one.example.com", &[IP]).by(7),
            answered(20, "two.example.com", &[IP]).by(7),
            seen(1000, Attempt).tcp(1).by(7).to(SERVER),
            answered(2000, "three.example.com", &[IP]).by(7),
        ],
        &["two.example.com dns answered"],
    );
}

#[test]
fn what_was_told_to_the_program_counts_more_than_what_is_newer() {
    named(
        [
            answered(10, "own.example.com", &[IP]).by(7),
            answered(20, "other.example.com", &[IP]).by(8),
            answered(30, "anybody.example.com", &[IP]),
            seen(1000, Attempt).tcp(1).by(7).to(SERVER),
        ],
        &["own.example.com dns answered"],
    );
}

#[test]
fn a_resolver_asks_for_others() {
    let resolver = |name: &str| answered(10, name, &[IP]).by(53);
    let listens = seen(1, Listening).udp(9).by(53).from("127.0.0.53:53");
    let calls = seen(1000, Attempt).tcp(1).by(7).to(SERVER);
    named(
        [listens.clone(), resolver("a.example.com"), calls.clone()],
        &["none", "a.example.com dns answered"],
    );
    // Known by its file, where nobody but root writes.
    let file = |path| [process(53, path), resolver("a.example.com"), calls.clone()];
    named(file("/usr/sbin/nscd"), &["a.example.com dns answered"]);
    named(
        file("/tmp/nscd"),
        &["a.example.com dns answered_to_another"],
    );
    // It was for somebody else.
    named(
        [
            listens,
            resolver("a.example.com"),
            answered(11, "a.example.com", &[IP]).by(8),
            calls,
        ],
        &["none", "a.example.com dns answered_to_another"],
    );
}

#[test]
fn what_is_greeted_counts_most() {
    check(
        [
            answered(10, "cdn.example.com", &[IP]).by(7),
            seen(20, Attempt).tcp(1).by(7).to(SERVER),
            seen(21, FirstPacket).tcp(1).from(HERE),
            greeted(30, Host, "host.example.com").tcp(1),
            greeted(31, Sni, "sni.example.com").tcp(1),
            greeted(32, Host, "weaker.example.com").tcp(1),
            greeted(33, Certificate, "weaker.example.com").tcp(1),
        ],
        &[
            "20 opened tcp attempted outbound - > 203.0.113.9:443 by 7 cdn.example.com dns answered",
            "21 updated tcp syn_sent outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 cdn.example.com dns answered",
            "30 updated tcp syn_sent outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 host.example.com host greeted",
            "31 updated tcp syn_sent outbound 192.0.2.7:40512 > 203.0.113.9:443 by 7 sni.example.com sni greeted",
        ],
    );
}

#[test]
fn a_greeting_is_known_by_its_two_ends() {
    let greeting = |at| {
        greeted(at, Sni, "sni.example.com")
            .without_cookie(Protocol::Tcp)
            .from(HERE)
            .to(SERVER)
    };
    let begins = |at| seen(at, Opened).tcp(1).by(7).from(HERE).to(SERVER);
    named([begins(10), greeting(20)], &["sni.example.com sni greeted"]);
    // It was seen first.
    named([greeting(20), begins(10)], &["sni.example.com sni greeted"]);
    // It is of one between the same ends that is over.
    named([greeting(20), begins(5000)], &["none"]);
    let ends = seen(30, Closed).tcp(1);
    named(
        [begins(10), ends, greeting(40)],
        &["sni.example.com sni greeted"],
    );
}

#[test]
fn what_is_no_name_of_the_other_side_names_nothing() {
    let calls = || seen(1000, Attempt).tcp(1).by(7).to(SERVER);
    named(
        [
            answered(10, "9.113.0.203.in-addr.arpa", &[IP]).by(7),
            calls(),
        ],
        &["none"],
    );
    named(
        [
            answered(10, "x.example.com", &[IP]).by(7).asks_for_name(),
            calls(),
        ],
        &["none"],
    );
    named(
        [calls(), greeted(1001, Host, "203.0.113.9:443").tcp(1)],
        &["none"],
    );
    // Whoever calls here greets us, not himself.
    let called = seen(10, Accepted).tcp(1).by(7).from(HERE).to(SERVER);
    named(
        [called, greeted(20, Sni, "we.example.com").tcp(1)],
        &["none"],
    );
}

#[test]
fn what_others_say_counts_least() {
    let calls = || seen(1000, Attempt).tcp(1).by(7).to(SERVER);
    named(
        [calls(), greeted(1001, Log, "log.example.com").tcp(1)],
        &["log.example.com log claimed"],
    );
    named(
        [
            answered(10, "other.example.com", &[IP]).by(8),
            calls(),
            greeted(1001, Certificate, "certificate.example.com").tcp(1),
        ],
        &["other.example.com dns answered_to_another"],
    );
}

#[test]
fn names_that_are_asked_for_are_counted() {
    let mut run = run(
        Limits::default(),
        [
            greeted(10, model::NameSource::Dns, "x.example.com").by(7),
            answered(11, "x.example.com", &[IP]).by(7),
            greeted(20, model::NameSource::Dns, "x.example.com").by(7),
            greeted(30, model::NameSource::Dns, "x.example.com").by(8),
        ],
    );
    let view = run.view();
    let all = view.asked.iter();
    let counts: Vec<_> = all
        .map(|it| {
            (
                it.process.map(|it| it.pid),
                it.questions,
                it.answers,
                it.addresses.len(),
            )
        })
        .collect();
    assert_eq!(counts, [(Some(7), 2, 1, 1), (Some(8), 1, 0, 0)]);
}

#[test]
fn what_is_kept_is_bounded() {
    let mut run = run(Limits::default(), []);
    for number in 0..40_u32 {
        let name = format!("{number}.example.com");
        run.step(answered(number.into(), &name, &[IP]).by(100 + number));
        let far = format!("10.0.0.{number}:1");
        let greeting = greeted(i64::from(number), Sni, &name);
        run.step(greeting.without_cookie(Protocol::Tcp).from(HERE).to(&far));
    }
    for number in 0..6000_u64 {
        run.step(greeted(50, Sni, "x").tcp(number + 100));
    }
    let state = run.tracker.restate();
    assert_eq!((state.answers.len(), state.names.len()), (16, 4096));
}
