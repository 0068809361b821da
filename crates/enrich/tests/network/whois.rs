//! WHOIS: a line, and what comes until the other side closes.

use enrich::sources::Request;
use model::{Failure, OnlineSource};

use crate::servers::{Server, send, tcp, wait_for_end};
use crate::{SOON, ask, ask_all, check, hurried, settings};

fn whois(answer: &'static [u8]) -> Server {
    tcp(move |stream, hear| {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            let mut byte = [0];
            std::io::Read::read_exact(stream, &mut byte).unwrap();
            line.extend(byte);
        }
        hear(std::str::from_utf8(&line).unwrap());
        send(stream, answer);
    })
}

fn line(host: &str, port: u16, line: &str) -> Request {
    Request::Line {
        host: host.to_owned(),
        port,
        line: line.to_owned(),
    }
}

#[test]
fn a_line_is_answered() {
    let server = whois(b"NetRange: 9.0.0.0 - 9.255.255.255\n\xe9\n");
    let request = line("127.0.0.1", server.address.port(), "n + 9.9.9.9");
    let enrichment = ask(settings(), OnlineSource::Whois, &request);
    assert_eq!(server.heard(), ["n + 9.9.9.9\r\n"]);
    let reply = &enrichment.replies[0];
    assert_eq!((reply.asked.as_str(), reply.status), ("n + 9.9.9.9", None));
    // As it came: whoever reads it knows that it is Latin-1.
    assert!(reply.bytes.ends_with(b"\n\xe9\n"));
}

#[test]
fn it_does_not_take_for_ever_and_not_everything() {
    let silent = tcp(|stream, _| {
        wait_for_end(stream);
    });
    let request = line("127.0.0.1", silent.address.port(), "9.9.9.9");
    let said = ask(hurried(), OnlineSource::Whois, &request).failure;
    assert_eq!(said, Some(Failure::TimedOut(SOON)));
    static MUCH: [u8; 300_000] = [b'a'; 300_000];
    let much = whois(&MUCH);
    let request = line("127.0.0.1", much.address.port(), "9.9.9.9");
    let said = ask(settings(), OnlineSource::Whois, &request).failure;
    assert_eq!(said, Some(Failure::TooLarge(256 << 10)));
}

#[test]
fn a_second_line_cannot_be_put_into_the_first() {
    let server = whois(b"");
    let request = line("127.0.0.1", server.address.port(), "a\r\nb");
    let said = ask(settings(), OnlineSource::Whois, &request).failure;
    let expected = Failure::Unreachable("it cannot be asked for in one line".to_owned());
    assert_eq!(said, Some(expected));
    assert!(server.heard().is_empty());
}

#[test]
fn nobody_refers_us_to_a_private_address() {
    let server = whois(b"refer: 10.0.0.1\n");
    let requests = [
        line("127.0.0.1", server.address.port(), "9.9.9.9"),
        line("10.0.0.1", 43, "9.9.9.9"),
    ];
    let enrichment = ask_all(settings(), OnlineSource::Whois, &requests);
    check(
        &enrichment,
        r#"Redirected { to: "10.0.0.1:43", why: "10.0.0.1 is set apart: private use (RFC 1918)" }"#,
    );
}
