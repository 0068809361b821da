//! Sources that send us elsewhere.

use enrich::sources::{Key, KeyPlace, Method, Request};
use model::{Failure, OnlineSource};

use crate::servers::{Server, http, https, resolves_to, says, send};
use crate::{ask, ask_all, check, failure, get, settings, with_resolver};

fn sends_to(location: String) -> Server {
    http(move |stream, _| {
        let answer =
            format!("HTTP/1.1 302 There\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        send(stream, answer.as_bytes());
    })
}

#[track_caller]
fn refused(failure: &Failure, expected_to: &str, expected_why: &str) {
    let Failure::Redirected { to, why } = failure else {
        panic!("{failure:?}");
    };
    assert_eq!((&**to, &**why), (expected_to, expected_why));
}

#[test]
fn a_registry_sends_us_to_another() {
    let there = says("HTTP/1.1 200 OK\r\n\r\nthere");
    let here = sends_to(there.url("ip/9.9.9.9"));
    let enrichment = ask(
        settings(),
        OnlineSource::Rdap,
        &get(&here.url("ip/9.9.9.9")),
    );
    check(&enrichment, "200 from 127.0.0.1: there");
    assert_eq!(enrichment.replies[0].asked, here.url("ip/9.9.9.9"));
}

#[test]
fn nobody_sends_us_to_a_private_address() {
    let dns = resolves_to(&[[10, 0, 0, 1]]);
    let settings = with_resolver(dns.address);
    let to = sends_to("https://inside.whocalls-tests.net/secret?x".to_owned());
    let said = ask(settings.clone(), OnlineSource::Rdap, &get(&to.url(""))).failure;
    refused(
        &said.unwrap(),
        "https://inside.whocalls-tests.net/secret",
        "inside.whocalls-tests.net: 10.0.0.1 is set apart: private use (RFC 1918)",
    );
    let to = sends_to("https://169.254.169.254/latest".to_owned());
    let said = ask(settings, OnlineSource::Rdap, &get(&to.url(""))).failure;
    refused(
        &said.unwrap(),
        "https://169.254.169.254/latest",
        "169.254.169.254 is set apart: this link only (RFC 3927)",
    );
}

#[test]
fn a_second_question_does_not_go_to_a_private_address_either() {
    let first = says("HTTP/1.1 200 OK\r\n\r\n{}");
    let requests = [
        get(&first.url("")),
        get("https://192.168.1.1/rdap/domain/a"),
    ];
    let enrichment = ask_all(settings(), OnlineSource::Rdap, &requests);
    refused(
        &enrichment.failure.unwrap(),
        "https://192.168.1.1/rdap/domain/a",
        "192.168.1.1 is set apart: private use (RFC 1918)",
    );
    assert_eq!(enrichment.replies.len(), 1);
}

#[test]
fn a_circle_ends() {
    let here = sends_to("/again?a=b".to_owned());
    let said = failure(settings(), &get(&here.url("")));
    refused(
        &said,
        &here.url("again"),
        "that is more than 5 times one after the other",
    );
    assert_eq!(here.heard().len(), 6);
}

#[test]
fn nobody_takes_the_encryption_away() {
    let plain = says("HTTP/1.1 200 OK\r\n\r\nread by all");
    let to = format!(
        "http://elsewhere.whocalls-tests.net:{}/",
        plain.address.port()
    );
    let location = to.clone();
    let here = https(move |stream, _| {
        let answer =
            format!("HTTP/1.1 301 There\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        send(stream, answer.as_bytes());
    });
    let url = format!("https://127.0.0.1:{}/", here.address.port());
    let said = ask(settings(), OnlineSource::Rdap, &get(&url))
        .failure
        .unwrap();
    refused(&said, &to, "it is not encrypted");
    assert!(plain.heard().is_empty());
}

#[test]
fn others_than_registries_stay_with_themselves() {
    let here = sends_to("https://elsewhere.whocalls-tests.net/x".to_owned());
    let said = failure(settings(), &get(&here.url("")));
    refused(
        &said,
        "https://elsewhere.whocalls-tests.net/x",
        "it is somebody else's",
    );
}

#[test]
fn a_place_that_cannot_be_read_is_said() {
    let here = sends_to("https://[::1".to_owned());
    let said = failure(settings(), &get(&here.url("")));
    refused(
        &said,
        "a place that cannot be read",
        "its host cannot be read",
    );
}

#[test]
fn a_key_goes_to_nobody_else() {
    let dns = resolves_to(&[[127, 0, 0, 1]]);
    let there = says("HTTP/1.1 200 OK\r\n\r\nthere");
    let here = sends_to(format!("http://other.example:{}/x", there.address.port()));
    let mut settings = with_resolver(dns.address);
    settings.keys.insert(OnlineSource::Rdap, Key::new("sesame"));
    let request = Request::Http {
        method: Method::Get,
        url: here.url(""),
        headers: Vec::new(),
        key: Some(KeyPlace::Header("x-apikey")),
    };
    let enrichment = ask(settings, OnlineSource::Rdap, &request);
    check(&enrichment, "200 from other.example: there");
    assert!(here.heard().concat().contains("sesame"));
    assert!(!there.heard().concat().contains("sesame"));
}

#[test]
fn a_key_that_is_echoed_is_not_shown() {
    let here = http(|stream, head| {
        let target = head.split(' ').nth(1).unwrap();
        let answer = format!(
            "HTTP/1.1 302 There\r\nLocation: https://other.whocalls-tests.net{target}\r\n\r\n"
        );
        send(stream, answer.as_bytes());
    });
    let mut settings = settings();
    settings
        .keys
        .insert(OnlineSource::IpInfo, Key::new("sesame"));
    let request = Request::Http {
        method: Method::Get,
        url: here.url("lite"),
        headers: Vec::new(),
        key: Some(KeyPlace::Query("token")),
    };
    let enrichment = ask(settings, OnlineSource::IpInfo, &request);
    assert!(here.heard().concat().contains("token=sesame"));
    assert!(
        !format!("{enrichment:?}").contains("sesame"),
        "{enrichment:?}"
    );
}

#[test]
fn a_form_is_not_sent_on() {
    let here = sends_to("/elsewhere".to_owned());
    let request = Request::Http {
        method: Method::Post {
            content_type: "application/json",
            body: "{}".to_owned(),
        },
        url: here.url(""),
        headers: Vec::new(),
        key: None,
    };
    let said = failure(settings(), &request);
    refused(
        &said,
        &here.url("elsewhere"),
        "what is asked there was meant for somebody else",
    );
}
