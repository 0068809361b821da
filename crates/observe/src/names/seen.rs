//! What was read, as `model::NameSeen`.

use model::{Greeting, HttpGreeting, NameSeen, NameSource, Text, TlsGreeting};

use super::super::parse::dns::message::{Said, said};
use super::super::parse::http::Request;
use super::super::parse::ja4::{Transport, ja4};
use super::super::parse::tls::ClientHello;
use super::{Side, Told};

/// Longer names are none (RFC 1035, 2.3.4).
const LONGEST_NAME: usize = 255;

pub(super) fn dns(message: &[u8], source: NameSource, told: &mut Told<'_>) {
    let among_neighbours = source != NameSource::Dns;
    said(message, among_neighbours, |Said { name, kind, answer }| {
        told(NameSeen {
            name: Some(name),
            source,
            question: Some(kind),
            answer: answer.map(Box::new),
            greeting: None,
        });
    });
}

pub(super) fn hello(hello: &ClientHello<'_>, transport: Transport, quic: Option<u32>) -> NameSeen {
    let name = hello
        .server_name()
        .map(|name| name.strip_suffix(b".").unwrap_or(name))
        .filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME);
    let greeting = TlsGreeting {
        quic,
        alpn: hello.protocols().map(Text::from).collect(),
        ech: hello.offers_ech(),
        ja4: ja4(hello, transport),
    };
    greeted(
        name.map(Text::from),
        NameSource::Sni,
        Greeting::Tls(greeting),
    )
}

pub(super) fn request(request: Request) -> NameSeen {
    let Request { host, greeting, .. } = request;
    let greeting: HttpGreeting = greeting;
    greeted(host, NameSource::Host, Greeting::Http(greeting))
}

/// Each side's first line is told when it comes.
pub(super) fn ssh(side: Side, line: Text) -> NameSeen {
    let (client, server) = match side {
        Side::Client => (Some(line), None),
        Side::Server => (None, Some(line)),
    };
    greeted(None, NameSource::Ssh, Greeting::Ssh { client, server })
}

fn greeted(name: Option<Text>, source: NameSource, greeting: Greeting) -> NameSeen {
    NameSeen {
        name,
        source,
        question: None,
        answer: None,
        greeting: Some(Box::new(greeting)),
    }
}
