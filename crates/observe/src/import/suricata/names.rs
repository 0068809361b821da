//! Events with names in them.

use model::{Answer, Greeting, HttpGreeting, NameSeen, NameSource, Text, TlsGreeting};

use super::super::field;
use super::super::format::Out;
use super::super::json::Value;
use super::super::told::{self, Devices, Ends};
use super::Row;

/// Of DNS answers without a number: as the RFCs name them (RFC 6895, 2.3).
const CODES: [(&str, u8); 11] = [
    ("NOERROR", 0),
    ("FORMERR", 1),
    ("SERVFAIL", 2),
    ("NXDOMAIN", 3),
    ("NOTIMP", 4),
    ("REFUSED", 5),
    ("YXDOMAIN", 6),
    ("YXRRSET", 7),
    ("NXRRSET", 8),
    ("NOTAUTH", 9),
    ("NOTZONE", 10),
];

/// Types of DNS records by their names (RFC 6895, 3.1).
const TYPES: [(&str, u16); 17] = [
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("PTR", 12),
    ("HINFO", 13),
    ("MX", 15),
    ("TXT", 16),
    ("AAAA", 28),
    ("SRV", 33),
    ("NAPTR", 35),
    ("DS", 43),
    ("RRSIG", 46),
    ("DNSKEY", 48),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("ANY", 255),
];

pub(super) fn tell(
    row: &Row<'_>,
    ends: &Ends,
    devices: &mut Devices,
    out: &mut Out,
) -> Result<(), &'static str> {
    let about = |name| row.event.member(name).unwrap_or_default();
    let said = match row.kind {
        b"dns" => dns(about("dns"), NameSource::Dns),
        b"mdns" => dns(about("mdns"), NameSource::Mdns),
        b"llmnr" => dns(about("llmnr"), NameSource::Llmnr),
        b"tls" => tls(about("tls")),
        b"quic" => vec![quic(about("quic"))],
        b"http" => vec![http(about("http"))],
        b"ssh" => vec![ssh(about("ssh"))],
        b"dhcp" => dhcp(about("dhcp"), devices, out),
        _ => return Ok(()),
    };
    if said.is_empty() {
        return Ok(());
    }
    let time = out.time(row.time.ok_or("it has no time")?);
    let ends = match row.kind {
        b"dns" | b"mdns" | b"llmnr" => ends.asked(),
        _ => *ends,
    };
    for name in said {
        out.seen.push(ends.name(time, None, name));
    }
    Ok(())
}

/// Versions 1 (one event for each answer), 2 and 3 (several questions, all answers).
fn dns(dns: Value<'_>, source: NameSource) -> Vec<NameSeen> {
    let text = |name| dns.member(name).and_then(Value::plain);
    let is_answer = matches!(text("type"), Some(b"answer" | b"response"));
    let answer = is_answer.then(|| answer(dns));
    // Version 1 of a query is as flat as version 2, and version 3 has a list.
    let questions = dns.member("queries").or_else(|| dns.member("query"));
    let questions: Vec<_> =
        match questions.filter(|questions| questions.written().starts_with(b"[")) {
            Some(questions) => questions.items().collect(),
            None => vec![dns],
        };
    let seen = questions.into_iter().map(|question| NameSeen {
        name: question.member("rrname").and_then(Value::text),
        source,
        question: question.member("rrtype").and_then(kind),
        answer: answer.clone().map(Box::new),
        greeting: None,
    });
    seen.collect()
}

fn answer(dns: Value<'_>) -> Answer {
    let code = dns
        .member("rcode")
        .and_then(Value::plain)
        .unwrap_or_default();
    let number = field::unsigned(code).and_then(|code| u8::try_from(code).ok());
    let by_name = CODES.iter().find(|(name, _)| name.as_bytes() == code);
    let mut answer = Answer {
        code: number.or(by_name.map(|(_, code)| *code)).unwrap_or(0),
        ..Answer::default()
    };
    match dns.member("answers") {
        Some(records) => records.items().for_each(|each| record(each, &mut answer)),
        None => record(dns, &mut answer),
    }
    // Without the records themselves there are only groups of them, without their times.
    if answer.addresses.is_empty()
        && let Some(grouped) = dns.member("grouped")
    {
        for (kind, values) in grouped.members() {
            for value in values.items() {
                add(kind, value, None, &mut answer);
            }
        }
    }
    answer
}

fn record(record: Value<'_>, answer: &mut Answer) {
    let kind = record
        .member("rrtype")
        .and_then(Value::plain)
        .unwrap_or_default();
    let ttl = record.member("ttl").and_then(Value::number);
    let ttl = ttl.map(|ttl| u32::try_from(ttl).unwrap_or(u32::MAX));
    if let Some(data) = record.member("rdata") {
        add(kind, data, ttl, answer);
    }
}

fn add(kind: &[u8], data: Value<'_>, ttl: Option<u32>, answer: &mut Answer) {
    match kind {
        b"A" | b"AAAA" => {
            let address = data.plain().and_then(field::address);
            answer
                .addresses
                .extend(address.map(|address| (address.to_canonical(), ttl.unwrap_or(0))));
        }
        b"CNAME" => answer.aliases.extend(data.text()),
        b"TXT" => {
            answer.texts.extend(data.text());
            answer.text_ttl = answer.text_ttl.into_iter().chain(ttl).min();
        }
        _ => {}
    }
}

fn kind(value: Value<'_>) -> Option<u16> {
    let written = value.plain()?;
    let by_name = TYPES.iter().find(|(name, _)| name.as_bytes() == written);
    by_name
        .map(|(_, kind)| *kind)
        .or_else(|| field::port(written.strip_prefix(b"TYPE").unwrap_or(written)))
}

fn tls(tls: Value<'_>) -> Vec<NameSeen> {
    let ja4 = tls
        .member("ja4")
        .map(|ja4| ja4.member("hash").unwrap_or(ja4));
    let offered = tls.member("client_alpns").or_else(|| tls.member("alpn"));
    let greeting = TlsGreeting {
        quic: None,
        alpn: offered
            .unwrap_or_default()
            .items()
            .filter_map(Value::text)
            .collect(),
        ech: false,
        ja4: ja4.and_then(Value::text),
    };
    let mut seen = vec![greeted(
        tls.member("sni").and_then(Value::text),
        NameSource::Sni,
        Greeting::Tls(greeting),
    )];
    let subject = tls.member("subject").and_then(Value::string);
    if let Some(name) = subject.and_then(|subject| told::common_name(&subject)) {
        seen.push(NameSeen::only(name, NameSource::Certificate));
    }
    seen
}

fn quic(quic: Value<'_>) -> NameSeen {
    let ja4 = quic
        .member("ja4")
        .map(|ja4| ja4.member("hash").unwrap_or(ja4));
    let greeting = TlsGreeting {
        quic: quic
            .member("version")
            .and_then(Value::plain)
            .and_then(told::quic_version),
        alpn: quic
            .member("client_alpns")
            .unwrap_or_default()
            .items()
            .filter_map(Value::text)
            .collect(),
        ech: false,
        ja4: ja4.and_then(Value::text),
    };
    greeted(
        quic.member("sni").and_then(Value::text),
        NameSource::Sni,
        Greeting::Tls(greeting),
    )
}

fn http(http: Value<'_>) -> NameSeen {
    let target = http.member("url").and_then(Value::string);
    let greeting = HttpGreeting {
        method: http.member("http_method").and_then(Value::text),
        target: target.map(|target| Text::from(told::target(&target))),
        user_agent: http.member("http_user_agent").and_then(Value::text),
    };
    let host = http.member("hostname").and_then(Value::string);
    let name = host.as_deref().and_then(told::host).map(Text::from);
    greeted(name, NameSource::Host, Greeting::Http(greeting))
}

fn ssh(ssh: Value<'_>) -> NameSeen {
    // `SSH-2.0-OpenSSH_9.6` is written as its two parts.
    let banner = |side| {
        let side = ssh.member(side)?;
        let version = side.member("proto_version")?.string()?;
        let software = side.member("software_version")?.string()?;
        Some(Text::from([b"SSH-", &*version, b"-", &*software].concat()))
    };
    let (client, server) = (banner("client"), banner("server"));
    greeted(None, NameSource::Ssh, Greeting::Ssh { client, server })
}

fn dhcp(dhcp: Value<'_>, devices: &mut Devices, out: &mut Out) -> Vec<NameSeen> {
    let name = dhcp.member("hostname").and_then(Value::text);
    let address = |name| {
        dhcp.member(name)
            .and_then(Value::plain)
            .and_then(field::address)
    };
    let address = address("assigned_ip").or_else(|| address("client_ip"));
    let address = address.filter(|address| !address.is_unspecified());
    if let Some(mac) = dhcp
        .member("client_mac")
        .and_then(Value::plain)
        .and_then(field::mac)
    {
        devices.tell(model::DeviceId::Mac(mac), name.clone(), address, out);
    }
    name.map(|name| NameSeen::only(name, NameSource::Dhcp))
        .into_iter()
        .collect()
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
