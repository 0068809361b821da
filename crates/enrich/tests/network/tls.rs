//! Encrypted servers, of which some cannot show who they are.

use enrich::network::{Network, Settings};
use model::{Failure, OnlineSource, Question, Timestamp};

use crate::servers::{Server, https, resolves_to, send, tcp, wait_for_end};
use crate::{SOON, ask, check, failure, get, hurried, settings, with_resolver};

fn registry() -> Server {
    https(|stream, _| send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
}

fn url(host: &str, server: &Server) -> String {
    format!("https://{host}:{}/x", server.address.port())
}

/// At another time.
fn failure_at(time: &'static str, url: &str) -> Failure {
    let now: fn() -> Timestamp = match time {
        "2000" => || Timestamp::parse("2000-01-01T00:00:00.000000000Z").unwrap(),
        _ => || Timestamp::parse("2200-01-01T00:00:00.000000000Z").unwrap(),
    };
    let network = Network::new(settings(), now).unwrap();
    let question = Question::Name("question.example".to_owned());
    let next = |_: &[model::Reply]| Some(get(url));
    let enrichment = network.converse(OnlineSource::Hashlookup, &question, &next, &|| false);
    enrichment.unwrap().failure.unwrap()
}

#[test]
fn a_server_that_shows_who_it_is_is_asked() {
    let (server, dns) = (registry(), resolves_to(&[[127, 0, 0, 1]]));
    let settings = with_resolver(dns.address);
    for host in ["registry.example", "127.0.0.1"] {
        let url = url(host, &server);
        let enrichment = ask(settings.clone(), OnlineSource::Rdap, &get(&url));
        check(&enrichment, &format!("200 from {host}: {{}}"));
    }
    assert!(server.heard()[0].contains(&format!(
        "Host: registry.example:{}\r\n",
        server.address.port()
    )));
}

#[test]
fn one_that_cannot_is_not_told_the_question() {
    let (server, dns) = (registry(), resolves_to(&[[127, 0, 0, 1]]));
    let certificate = |why: &str| Failure::Certificate(why.to_owned());
    let other = failure(
        with_resolver(dns.address),
        &get(&url("other.example", &server)),
    );
    assert_eq!(other, certificate("it is for others than other.example"));
    let untrusted = Settings {
        root_certificates: Vec::new(),
        ..settings()
    };
    let said = failure(untrusted, &get(&url("127.0.0.1", &server)));
    assert_eq!(said, certificate("nobody who is trusted vouches for it"));
    let here = url("127.0.0.1", &server);
    assert_eq!(failure_at("2200", &here), certificate("its time is over"));
    let early = "its time has not come; is this computer's clock right?";
    assert_eq!(failure_at("2000", &here), certificate(early));
    assert_eq!(server.heard(), [""; 4]);
}

#[test]
fn a_server_without_encryption_is_said() {
    let server = tcp(|stream, _| {
        send(stream, b"HTTP/1.1 400 Bad\r\n\r\n");
        wait_for_end(stream);
    });
    let Failure::Unreachable(why) = failure(settings(), &get(&url("127.0.0.1", &server))) else {
        panic!();
    };
    assert!(
        why.starts_with("no encrypted connection with 127.0.0.1: "),
        "{why}"
    );
    let closes = tcp(|_, _| {});
    assert_eq!(
        failure(settings(), &get(&url("127.0.0.1", &closes))),
        Failure::Cut
    );
    let silent = tcp(|stream, _| {
        wait_for_end(stream);
    });
    let said = failure(hurried(), &get(&url("127.0.0.1", &silent)));
    assert_eq!(said, Failure::TimedOut(SOON));
}

#[test]
fn an_encrypted_answer_can_be_cut_too() {
    let server =
        https(|stream, _| send(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}"));
    assert_eq!(
        failure(settings(), &get(&url("127.0.0.1", &server))),
        Failure::Cut
    );
}

#[test]
fn what_is_no_certificate_is_said_at_once() {
    for text in [
        "nothing",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let settings = Settings {
            root_certificates: text.as_bytes().to_vec(),
            ..settings()
        };
        assert!(Network::new(settings, crate::now).is_err(), "{text}");
    }
}
