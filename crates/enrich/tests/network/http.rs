//! HTTP, without encryption: answers and those that are none.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use enrich::network::Network;
use enrich::sources::{Key, KeyPlace, Method, Request};
use model::{Failure, OnlineSource, Question, Text};

use crate::servers::{Server, http, says, send, tcp, wait_for_end};
use crate::{SOON, ask, check, failure, get, hurried, now, settings};

fn fails(server: &Server) -> Failure {
    failure(settings(), &get(&server.url("x")))
}

#[test]
fn an_answer_comes_and_only_what_is_needed_is_said() {
    let server = says("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"a\": 1}");
    let enrichment = ask(
        settings(),
        OnlineSource::Rdap,
        &get(&server.url("ip/9.9.9.9?x=y")),
    );
    check(&enrichment, "200 from 127.0.0.1: {\"a\": 1}");
    assert_eq!(enrichment.replies[0].asked, server.url("ip/9.9.9.9?x=y"));
    assert_eq!(enrichment.asked, now());
    let expected = format!(
        "GET /ip/9.9.9.9?x=y HTTP/1.1\r\nHost: {}\r\nUser-Agent: whocalls\r\nAccept-Encoding: identity\r\n\
         Connection: close\r\nAccept: application/json\r\n\r\n",
        server.address
    );
    assert_eq!(server.heard(), [expected]);
}

#[test]
fn statuses_and_other_forms_are_for_the_source_to_read() {
    for (answer, expected) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "404 from 127.0.0.1: ",
        ),
        (
            "HTTP/1.1 500 No\r\n\r\nbroken",
            "500 from 127.0.0.1: broken",
        ),
        ("HTTP/1.1 503 Later\r\n\r\n", "503 from 127.0.0.1: "),
        (
            "HTTP/1.1 200 OK\r\n\r\n<html>",
            "200 from 127.0.0.1: <html>",
        ),
        (
            "HTTP/1.1 304 Same\r\nLocation: /x\r\n\r\n",
            "304 from 127.0.0.1: ",
        ),
    ] {
        let server = says(answer);
        let enrichment = ask(settings(), OnlineSource::InternetDb, &get(&server.url("x")));
        check(&enrichment, expected);
    }
}

#[test]
fn a_form_is_sent_with_its_key() {
    let server = http(|stream, _| {
        let mut body = [0; 12];
        std::io::Read::read_exact(stream, &mut body).unwrap();
        assert_eq!(&body, b"host=9.9.9.9");
        send(stream, b"HTTP/1.1 200 OK\r\n\r\n{}");
    });
    let request = Request::Http {
        method: Method::Post {
            content_type: "application/x-www-form-urlencoded",
            body: "host=9.9.9.9".to_owned(),
        },
        url: server.url("v1/host/"),
        headers: Vec::new(),
        key: Some(KeyPlace::Header("Auth-Key")),
    };
    let mut with_key = settings();
    with_key
        .keys
        .insert(OnlineSource::UrlHaus, Key::new("sesame"));
    let enrichment = ask(with_key, OnlineSource::UrlHaus, &request);
    check(&enrichment, "200 from 127.0.0.1: {}");
    let heard = server.heard().concat();
    assert!(heard.starts_with("POST /v1/host/ HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("\r\nAuth-Key: sesame\r\n"), "{heard}");
    assert!(heard.contains("\r\nContent-Length: 12\r\n"), "{heard}");
}

#[test]
fn keys_stand_where_they_belong_and_nowhere_else() {
    for (place, expected) in [
        (
            KeyPlace::Query("token"),
            "GET /x?a=b&token=se%20%26same HTTP/1.1",
        ),
        (KeyPlace::Basic, "Authorization: Basic c2UgJnNhbWU="),
    ] {
        let server = says("HTTP/1.1 429 Slow\r\n\r\n");
        let mut with_key = settings();
        with_key
            .keys
            .insert(OnlineSource::IpInfo, Key::new("se &same"));
        let shown = format!("{with_key:?}");
        let network = Network::new(with_key.clone(), now).unwrap();
        assert!(!format!("{shown} {network:?}").contains("same"), "{shown}");
        let request = Request::Http {
            method: Method::Get,
            url: server.url("x?a=b"),
            headers: Vec::new(),
            key: Some(place),
        };
        let enrichment = ask(with_key, OnlineSource::IpInfo, &request);
        assert!(
            server.heard().concat().contains(expected),
            "{:?}",
            server.heard()
        );
        check(&enrichment, "AskedTooOften(None)");
        assert!(!format!("{enrichment:?}").contains("same"));
    }
}

#[test]
fn without_its_key_a_source_is_not_asked() {
    let server = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let request = Request::Http {
        method: Method::Get,
        url: server.url("x"),
        headers: Vec::new(),
        key: Some(KeyPlace::Header("x-apikey")),
    };
    check(
        &ask(settings(), OnlineSource::VirusTotal, &request),
        "NoKey",
    );
    assert!(server.heard().is_empty());
    check(
        &ask(settings(), OnlineSource::GreyNoise, &request),
        "200 from 127.0.0.1: {}",
    );
    let mut odd = settings();
    odd.keys
        .insert(OnlineSource::VirusTotal, Key::new("a\r\nHost: other"));
    let expected = Failure::Refused(Some(Text::from("the key has characters that no key has")));
    let enrichment = ask(odd, OnlineSource::VirusTotal, &request);
    assert_eq!(enrichment.failure, Some(expected));
    assert_eq!(server.heard().len(), 1);
}

#[test]
fn half_an_answer_is_none() {
    let cut = says("HTTP/1.1 200 OK\r\nContent-Length: 800\r\n\r\n{\"a\"");
    assert_eq!(fails(&cut), Failure::Cut);
    let head = says("HTTP/1.1 200 OK\r\nContent-");
    assert_eq!(fails(&head), Failure::Cut);
    let nothing = tcp(|_, _| {});
    assert_eq!(fails(&nothing), Failure::Cut);
    let chunk = says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n{\"a\"");
    assert_eq!(fails(&chunk), Failure::Cut);
}

#[test]
fn another_protocol_is_unreadable() {
    let server = says("220 mail.example ESMTP\r\n");
    let expected = Failure::Unreadable("it is no answer of HTTP".to_owned());
    assert_eq!(fails(&server), expected);
}

#[test]
fn no_more_is_read_than_an_answer_has() {
    let megabyte = 1 << 20;
    let told = says("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n{}");
    assert_eq!(fails(&told), Failure::TooLarge(megabyte));
    let endless = |begin: &'static str, more: &'static str| {
        http(move |stream, _| {
            send(stream, begin.as_bytes());
            let more = more.repeat(1000);
            // Bounded: 40 MB, of which nobody may take more than one.
            for _ in 0..40_000 {
                if std::io::Write::write_all(stream, more.as_bytes()).is_err() {
                    break;
                }
            }
        })
    };
    let body = endless("HTTP/1.1 200 OK\r\n\r\n", "a");
    assert_eq!(fails(&body), Failure::TooLarge(megabyte));
    let chunks = endless(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "8\r\n12345678\r\n",
    );
    assert_eq!(fails(&chunks), Failure::TooLarge(megabyte));
    let headers = endless("HTTP/1.1 200 OK\r\n", "a: b\r\n");
    assert_eq!(fails(&headers), Failure::TooLarge(64 << 10));
    let line = endless("HTTP/1.1 200 OK\r\na: ", "b");
    assert_eq!(fails(&line), Failure::TooLarge(64 << 10));
    let list = http(|stream, _| {
        send(stream, b"HTTP/1.1 200 OK\r\n\r\n");
        send(stream, &vec![b'a'; 3_000_000]);
    });
    let enrichment = ask(settings(), OnlineSource::TorExits, &get(&list.url("")));
    assert_eq!(enrichment.replies[0].bytes.len(), 3_000_000);
}

#[test]
fn time_runs_out_for_silence_and_for_slow_drops() {
    let silent = http(|stream, _| wait_for_end(stream));
    assert_eq!(
        failure(hurried(), &get(&silent.url("x"))),
        Failure::TimedOut(SOON)
    );
    let slow = http(|stream, _| {
        send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n");
        for _ in 0..600 {
            thread::sleep(Duration::from_millis(20));
            send(stream, b"a");
        }
    });
    assert_eq!(
        failure(hurried(), &get(&slow.url("x"))),
        Failure::TimedOut(SOON)
    );
}

#[test]
fn nobody_there_is_said() {
    let address = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let said = failure(settings(), &get(&format!("http://{address}/")));
    assert_eq!(said, Failure::Unreachable("connection refused".to_owned()));
}

#[test]
fn it_comes_back_once_if_it_is_soon() {
    let calls = AtomicUsize::new(0);
    let server = http(move |stream, _| {
        if calls.fetch_add(1, Ordering::SeqCst) == 0 {
            send(stream, b"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\n\r\n");
        } else {
            send(stream, b"HTTP/1.1 200 OK\r\n\r\n{}");
        }
    });
    let enrichment = ask(settings(), OnlineSource::Hashlookup, &get(&server.url("x")));
    check(&enrichment, "200 from 127.0.0.1: {}");
    assert_eq!((enrichment.replies.len(), server.heard().len()), (1, 2));

    let often = says("HTTP/1.1 503 Later\r\nRetry-After: 0\r\n\r\n");
    assert_eq!(fails(&often), Failure::AskedTooOften(Some(Duration::ZERO)));
    assert_eq!(often.heard().len(), 2);
}

#[test]
fn it_does_not_come_back_late() {
    for (after, expected) in [
        ("300", Some(300)),
        ("Tue, 01 Jan 2030 00:02:00 GMT", Some(120)),
        ("whenever", None),
    ] {
        let server = http(move |stream, _| {
            let answer = format!("HTTP/1.1 429 Slow\r\nRetry-After: {after}\r\n\r\n");
            send(stream, answer.as_bytes());
        });
        let expected = expected.map(Duration::from_secs);
        assert_eq!(fails(&server), Failure::AskedTooOften(expected));
        assert_eq!(server.heard().len(), 1);
    }
}

#[test]
fn it_can_be_stopped_while_it_waits() {
    static HEARD: AtomicBool = AtomicBool::new(false);
    let question = Question::Name("question.example".to_owned());
    let wanted = |url: String| move |_: &[model::Reply]| Some(get(&url));
    let stop = || HEARD.load(Ordering::SeqCst);

    let silent = http(|stream, _| {
        HEARD.store(true, Ordering::SeqCst);
        wait_for_end(stream);
    });
    let network = Network::new(settings(), now).unwrap();
    let source = OnlineSource::Hashlookup;
    let stopped = network.converse(source, &question, &wanted(silent.url("x")), &stop);
    assert_eq!(stopped, None);

    HEARD.store(false, Ordering::SeqCst);
    let later = http(|stream, _| {
        send(stream, b"HTTP/1.1 429 Slow\r\nRetry-After: 60\r\n\r\n");
        HEARD.store(true, Ordering::SeqCst);
    });
    let stopped = network.converse(source, &question, &wanted(later.url("x")), &stop);
    assert_eq!(stopped, None);
}

#[test]
fn a_conversation_ends() {
    let server = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let url = server.url("x");
    let network = Network::new(settings(), now).unwrap();
    let question = Question::Name("question.example".to_owned());
    let source = OnlineSource::ReverseDns;
    let endless = |_: &[model::Reply]| Some(get(&url));
    let enrichment = network
        .converse(source, &question, &endless, &|| false)
        .unwrap();
    assert_eq!((enrichment.replies.len(), enrichment.failure), (8, None));
    let nobody = |_: &[model::Reply]| None;
    let enrichment = network
        .converse(source, &question, &nobody, &|| false)
        .unwrap();
    assert_eq!(enrichment.failure, Some(Failure::NobodyToAsk));
}

#[test]
fn what_came_before_a_failure_is_kept() {
    let good = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let bad = says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}");
    let requests = [get(&good.url("x")), get(&bad.url("x"))];
    let enrichment = crate::ask_all(settings(), OnlineSource::Hashlookup, &requests);
    assert_eq!(
        (enrichment.replies.len(), enrichment.failure),
        (1, Some(Failure::Cut))
    );
}

#[test]
fn what_is_set_apart_is_not_connected_to_unless_a_person_named_it() {
    let server = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let port = server.address.port();
    let mut strict = settings();
    strict.own_servers.clear();
    for (url, expected) in [
        (
            format!("https://127.0.0.1:{port}/"),
            "127.0.0.1 is set apart: this computer itself (RFC 1122, 3.2.1.3)",
        ),
        (
            "https://[fd00::1]/".to_owned(),
            "fd00::1 is set apart: private use (unique local) (RFC 4193)",
        ),
        (
            "https://printer.local/".to_owned(),
            "printer.local is set apart: ",
        ),
        ("https://router/".to_owned(), "router is no whole name"),
        (server.url(""), "127.0.0.1: it is not encrypted"),
        (
            "gopher://a/".to_owned(),
            "there is no such place: it is neither http nor https",
        ),
    ] {
        let Failure::Unreachable(why) = failure(strict.clone(), &get(&url)) else {
            panic!("{url}");
        };
        assert!(why.starts_with(expected), "{url}: {why}");
    }
    assert!(server.heard().is_empty());
    strict
        .bases
        .insert(OnlineSource::Hashlookup, server.url(""));
    let enrichment = ask(strict, OnlineSource::Hashlookup, &get(&server.url("")));
    check(&enrichment, "200 from 127.0.0.1: {}");
}
