//! The resolver that was chosen: names of hosts, and questions that are themselves what is asked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use enrich::network::Settings;
use enrich::sources::{RecordKind, Request};
use model::{Failure, OnlineSource};

use crate::servers::{POINTER, answer, record, resolver, resolves_to, says};
use crate::{ask, check, failure, get, settings, with_resolver};

fn text_of(name: &str) -> Request {
    Request::Dns {
        name: name.to_owned(),
        kind: RecordKind::Txt,
    }
}

fn not_resolved(settings: Settings) -> String {
    let said = failure(settings, &get("http://registry.example:9/"));
    let Failure::NotResolved(why) = said else {
        panic!("{said:?}");
    };
    why
}

#[test]
fn a_host_is_found_by_the_resolver_that_was_chosen() {
    let server = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let dns = resolves_to(&[[127, 0, 0, 1]]);
    let port = server.address.port();
    let requests = [
        get(&format!("http://registry.example:{port}/a")),
        get(&format!("http://registry.example:{port}/b")),
    ];
    let source = OnlineSource::Hashlookup;
    let enrichment = crate::ask_all(with_resolver(dns.address), source, &requests);
    check(&enrichment, "200 from registry.example: {}");
    // Both kinds once, and kept.
    assert_eq!(dns.heard(), ["registry.example 1", "registry.example 28"]);
}

#[test]
fn an_alias_is_followed_and_the_next_address_tried() {
    let server = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let dns = resolver(
        |question| {
            let alias = b"\x05alias\x07example\0";
            vec![answer(
                question,
                0,
                &[
                    record(&POINTER, 5, alias),
                    // Nobody listens there.
                    record(alias, 1, &[127, 255, 0, 9]),
                    record(alias, 1, &[127, 0, 0, 1]),
                    record(b"\x05other\0", 1, &[127, 0, 0, 77]),
                ],
            )]
        },
        |_| Vec::new(),
    );
    let url = format!("http://registry.example:{}/", server.address.port());
    let enrichment = ask(with_resolver(dns.address), OnlineSource::Rdap, &get(&url));
    check(&enrichment, "200 from registry.example: {}");
}

#[test]
fn a_circle_of_aliases_has_no_address() {
    let dns = resolver(
        |question| {
            let alias = b"\x05alias\x07example\0";
            let circle = [record(&POINTER, 5, alias), record(alias, 5, &POINTER)];
            vec![answer(question, 0, &circle)]
        },
        |_| Vec::new(),
    );
    let why = not_resolved(with_resolver(dns.address));
    assert_eq!(why, "registry.example: it has no address");
}

#[test]
fn what_the_resolver_does_not_know_is_said() {
    for (code, expected) in [
        (3, "registry.example: there is no such name".to_owned()),
        (0, "registry.example: it has no address".to_owned()),
        (
            2,
            "registry.example: the resolver RESOLVER answers with code 2".to_owned(),
        ),
    ] {
        let dns = resolver(
            move |question| vec![answer(question, code, &[])],
            |_| Vec::new(),
        );
        let expected = expected.replace("RESOLVER", &dns.address.to_string());
        assert_eq!(not_resolved(with_resolver(dns.address)), expected);
    }
    let why = not_resolved(settings());
    let expected = "registry.example: no resolver was chosen, and this computer's own is not asked";
    assert_eq!(why, expected);
}

#[test]
fn a_silent_resolver_is_asked_twice() {
    let dns = resolver(|_| Vec::new(), |_| Vec::new());
    let mut settings = with_resolver(dns.address);
    settings.limits.resolver = Duration::from_millis(250);
    let expected = format!(
        "registry.example: the resolver {} did not answer within 0.5 s",
        dns.address
    );
    assert_eq!(not_resolved(settings.clone()), expected);
    assert_eq!(dns.heard(), ["registry.example 1"; 2]);
    let said = ask(settings, OnlineSource::Cymru, &text_of("a.example")).failure;
    assert_eq!(said, Some(Failure::TimedOut(Duration::from_millis(500))));
}

#[test]
fn a_lost_question_is_asked_again() {
    let calls = AtomicUsize::new(0);
    let dns = resolver(
        move |question| {
            if calls.fetch_add(1, Ordering::SeqCst) == 0 {
                return Vec::new();
            }
            vec![answer(question, 0, &[record(&POINTER, 16, b"\x02hi")])]
        },
        |_| Vec::new(),
    );
    let enrichment = ask(
        with_resolver(dns.address),
        OnlineSource::Cymru,
        &text_of("a.example"),
    );
    assert_eq!(enrichment.failure, None);
    assert_eq!(dns.heard().len(), 2);
}

#[test]
fn what_answers_something_else_is_passed_over() {
    let dns = resolver(
        |question| {
            let right = answer(question, 0, &[record(&POINTER, 16, b"\x05right")]);
            let mut other_id = answer(question, 0, &[record(&POINTER, 16, b"\x05wrong")]);
            other_id[0] ^= 0xff;
            let mut other_name = answer(question, 0, &[record(&POINTER, 16, b"\x05wrong")]);
            other_name[13] = b'b';
            vec![
                other_id,
                other_name,
                question.to_vec(),
                vec![0; 3],
                Vec::new(),
                right,
            ]
        },
        |_| Vec::new(),
    );
    let enrichment = ask(
        with_resolver(dns.address),
        OnlineSource::Cymru,
        &text_of("a.example"),
    );
    let reply = &enrichment.replies[0];
    assert!(reply.bytes.ends_with(b"right"));
    assert_eq!(reply.asked, "a.example TXT");
    assert_eq!((reply.host.as_str(), reply.status), ("127.0.0.1", Some(0)));
}

#[test]
fn a_wrong_number_alone_is_no_answer() {
    let dns = resolver(
        |question| {
            let mut other_id = answer(question, 0, &[]);
            other_id[1] ^= 1;
            vec![other_id]
        },
        |_| Vec::new(),
    );
    let mut settings = with_resolver(dns.address);
    settings.limits.resolver = Duration::from_millis(250);
    let said = ask(settings, OnlineSource::Cymru, &text_of("a.example")).failure;
    assert_eq!(said, Some(Failure::TimedOut(Duration::from_millis(500))));
}

#[test]
fn a_long_answer_comes_over_tcp() {
    let long = |question: &[u8]| {
        let text = [&[200; 1], &[b'a'; 200][..]].concat();
        answer(question, 0, &vec![record(&POINTER, 16, &text); 30])
    };
    let cut = |question: &[u8]| {
        let mut message = answer(question, 0, &[]);
        message[2] |= 0x02;
        vec![message]
    };
    let dns = resolver(cut, long);
    let enrichment = ask(
        with_resolver(dns.address),
        OnlineSource::Cymru,
        &text_of("a.example"),
    );
    assert!(enrichment.replies[0].bytes.len() > 6000);
    let heard = dns.heard();
    assert!(
        heard.contains(&"over TCP: a.example 16".to_owned()),
        "{heard:?}"
    );

    let dns = resolver(cut, |question| answer(&question[..20], 0, &[]));
    let said = ask(
        with_resolver(dns.address),
        OnlineSource::Cymru,
        &text_of("a.example"),
    )
    .failure;
    let expected = Failure::Unreadable("what came answers another question".to_owned());
    assert_eq!(said, Some(expected));
}

#[test]
fn a_name_that_nobody_has_is_an_answer() {
    let dns = resolver(|question| vec![answer(question, 3, &[])], |_| Vec::new());
    let enrichment = ask(
        with_resolver(dns.address),
        OnlineSource::Cymru,
        &text_of("a.example"),
    );
    assert_eq!(
        (enrichment.failure, enrichment.replies[0].status),
        (None, Some(3))
    );
}

#[test]
fn a_host_with_one_public_address_is_not_asked_at_its_private_one() {
    let dns = resolves_to(&[[10, 0, 0, 1], [192, 168, 0, 1]]);
    let said = failure(
        with_resolver(dns.address),
        &get("https://rdap.whocalls-tests.net/"),
    );
    let expected = "rdap.whocalls-tests.net: 192.168.0.1 is set apart: private use (RFC 1918)";
    assert_eq!(said, Failure::Unreachable(expected.to_owned()));
}

#[test]
fn nobody_at_the_resolver_is_said() {
    let address = std::net::UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let why = not_resolved(with_resolver(address));
    assert_eq!(
        why,
        format!("registry.example: the resolver {address}: connection refused")
    );
}
