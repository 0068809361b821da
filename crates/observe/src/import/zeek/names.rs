//! Rows of `dns`, `ssl`, `quic`, `http`, `ssh` and `dhcp`.

use model::{
    Answer, DeviceId, Direction, Greeting, HttpGreeting, NameSeen, NameSource, Protocol, Text,
    TlsGreeting,
};

use super::super::field;
use super::super::format::Out;
use super::super::told::{self, Ends};
use super::connections::{of_other_log, time};
use super::row::{Field, Row};
use super::{Known, identity};

/// Types of questions of which the answers are addresses, behind other names of the same.
const ADDRESS_QUESTIONS: [u64; 4] = [1, 5, 28, 65];
const TXT: u64 = 16;

type Told = Result<(), &'static str>;

/// The asker is the local side, whoever it is.
pub(super) fn dns(row: &Row<'_>, number: u64, known: &mut Known, out: &mut Out) -> Told {
    let protocol = match row.plain(Field::Protocol) {
        Some(b"tcp") => Protocol::Tcp,
        _ => Protocol::Udp,
    };
    let ends = of_other_log(row, protocol, number, known, out)?;
    let ends = ends.asked();
    let question = row.number(Field::QueryType);
    let port = ends.remote.and_then(|remote| remote.port);
    let name = NameSeen {
        name: row.text(Field::Query),
        source: match port {
            Some(5353) => NameSource::Mdns,
            Some(5355) => NameSource::Llmnr,
            _ => NameSource::Dns,
        },
        question: question.and_then(|question| u16::try_from(question).ok()),
        answer: answer(row, question).map(Box::new),
        greeting: None,
    };
    let rtt = row.plain(Field::RoundTrip).and_then(field::seconds);
    tell(row, rtt.unwrap_or(0), &ends, name, out)
}

/// `None`: nobody answered.
fn answer(row: &Row<'_>, question: Option<u64>) -> Option<Answer> {
    let code = row
        .number(Field::ResponseCode)
        .and_then(|code| u8::try_from(code).ok());
    if code.is_none() && !row.has(Field::Answers) {
        return None;
    }
    let mut answer = Answer {
        code: code.unwrap_or(0),
        ..Answer::default()
    };
    let mut ttls = row.items(Field::Ttls);
    for item in row.items(Field::Answers) {
        let told = ttls.next().and_then(|ttl| field::seconds(&ttl));
        let told = told.map(|ttl| u32::try_from(ttl / 1_000_000_000).unwrap_or(0));
        let ttl = told.unwrap_or(0);
        if let Some(address) = field::address(&item) {
            answer.addresses.push((address.to_canonical(), ttl));
        } else if item.starts_with(b"TXT ") || question == Some(TXT) {
            answer.texts.push(txt(&item));
            answer.text_ttl = answer.text_ttl.into_iter().chain(told).min();
        } else if question.is_none_or(|question| ADDRESS_QUESTIONS.contains(&question)) {
            answer.aliases.push(Text::from(item.into_owned()));
        }
    }
    Some(answer)
}

/// `TXT 5 hello TXT 5 world`: each string with its length. What is written otherwise stays.
fn txt(item: &[u8]) -> Text {
    let mut joined = Vec::new();
    let mut rest = item;
    while !rest.is_empty() {
        let string = rest.strip_prefix(b"TXT ").and_then(|rest| {
            let blank = rest.iter().position(|byte| *byte == b' ')?;
            let length = usize::try_from(field::unsigned(rest.get(..blank)?)?).ok()?;
            rest.get(blank + 1..)?.split_at_checked(length)
        });
        let Some((string, after)) = string else {
            return Text::from(item);
        };
        joined.extend(string);
        rest = after.strip_prefix(b" ").unwrap_or(after);
    }
    Text::from(joined)
}

pub(super) fn tls(row: &Row<'_>, number: u64, known: &mut Known, out: &mut Out) -> Told {
    let datagrams = row
        .plain(Field::Version)
        .is_some_and(|version| version.starts_with(b"DTLS"));
    let protocol = if datagrams {
        Protocol::Udp
    } else {
        Protocol::Tcp
    };
    let greeting = TlsGreeting {
        quic: None,
        // The one that was taken: it had been offered.
        alpn: row.text(Field::NextProtocol).into_iter().collect(),
        ech: false,
        ja4: row.text(Field::Ja4),
    };
    let ends = of_other_log(row, protocol, number, known, out)?;
    let name = NameSeen {
        name: row.text(Field::ServerName),
        source: NameSource::Sni,
        question: None,
        answer: None,
        greeting: Some(Box::new(Greeting::Tls(greeting))),
    };
    tell(row, 0, &ends, name, out)?;
    let subject = row.string(Field::Subject);
    match subject.and_then(|subject| told::common_name(&subject)) {
        Some(name) => tell(
            row,
            0,
            &ends,
            NameSeen::only(name, NameSource::Certificate),
            out,
        ),
        None => Ok(()),
    }
}

pub(super) fn quic(row: &Row<'_>, number: u64, known: &mut Known, out: &mut Out) -> Told {
    let ends = of_other_log(row, Protocol::Udp, number, known, out)?;
    let greeting = TlsGreeting {
        quic: row.plain(Field::Version).and_then(told::quic_version),
        alpn: row.text(Field::ClientProtocol).into_iter().collect(),
        ech: false,
        ja4: row.text(Field::Ja4),
    };
    let name = NameSeen {
        name: row.text(Field::ServerName),
        source: NameSource::Sni,
        question: None,
        answer: None,
        greeting: Some(Box::new(Greeting::Tls(greeting))),
    };
    tell(row, 0, &ends, name, out)
}

pub(super) fn http(row: &Row<'_>, number: u64, known: &mut Known, out: &mut Out) -> Told {
    let ends = of_other_log(row, Protocol::Tcp, number, known, out)?;
    let host = row.string(Field::Host);
    let target = row.string(Field::Uri);
    let greeting = HttpGreeting {
        method: row.text(Field::Method),
        target: target.map(|target| Text::from(told::target(&target))),
        user_agent: row.text(Field::UserAgent),
    };
    let name = NameSeen {
        name: host.as_deref().and_then(told::host).map(Text::from),
        source: NameSource::Host,
        question: None,
        answer: None,
        greeting: Some(Box::new(Greeting::Http(greeting))),
    };
    tell(row, 0, &ends, name, out)
}

pub(super) fn ssh(row: &Row<'_>, number: u64, known: &mut Known, out: &mut Out) -> Told {
    let ends = of_other_log(row, Protocol::Tcp, number, known, out)?;
    let greeting = Greeting::Ssh {
        client: row.text(Field::Client),
        server: row.text(Field::Server),
    };
    let name = NameSeen {
        name: None,
        source: NameSource::Ssh,
        question: None,
        answer: None,
        greeting: Some(Box::new(greeting)),
    };
    tell(row, 0, &ends, name, out)
}

/// What a device is called, and the address that it was given.
pub(super) fn dhcp(row: &Row<'_>, number: u64, known: &mut Known, out: &mut Out) -> Told {
    let name = row
        .text(Field::HostName)
        .or_else(|| row.text(Field::ClientName));
    let address = |field| row.plain(field).and_then(field::address);
    let client = address(Field::AssignedAddress).or_else(|| address(Field::ClientAddress));
    if let Some(mac) = row.plain(Field::Mac).and_then(field::mac) {
        known
            .devices
            .tell(DeviceId::Mac(mac), name.clone(), client, out);
    }
    let (Some(name), Some(client)) = (name, client) else {
        return Ok(());
    };
    let server = address(Field::ServerAddress);
    let uid = row.items(Field::Uids).next();
    let (_, socket) = identity(uid.as_deref(), number, out);
    let ends = Ends {
        socket,
        protocol: Protocol::Udp,
        local: model::Endpoint::new(client, 68),
        remote: server.map(|server| model::Endpoint::new(server, 67)),
        direction: Direction::Outbound,
    };
    tell(row, 0, &ends, NameSeen::only(name, NameSource::Dhcp), out)
}

fn tell(row: &Row<'_>, later_ns: i64, ends: &Ends, name: NameSeen, out: &mut Out) -> Told {
    let time = time(row, later_ns, out).ok_or("it has no time")?;
    let name = ends.name(time, None, name);
    out.seen.push(name);
    Ok(())
}
