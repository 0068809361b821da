//! Names as Zeek's `dns.log`, and greetings as its `ssl.log`.
//! (<https://docs.zeek.org/en/master/logs/dns.html>, `logs/ssl.html`)

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};

use model::{
    BootId, Connection, ConnectionId, Detail, Endpoint, Event, Greeting, NameSeen, NameSource,
    Protocol, Snapshot, SocketKey, Text, Timestamp,
};

use super::{Line, field, foot, head, seconds, text, text_in_set, transport, unique_id, unset};

/// Those of Zeek 6.
const DNS: [(&str, &str); 24] = [
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("trans_id", "count"),
    ("rtt", "interval"),
    ("query", "string"),
    ("qclass", "count"),
    ("qclass_name", "string"),
    ("qtype", "count"),
    ("qtype_name", "string"),
    ("rcode", "count"),
    ("rcode_name", "string"),
    ("AA", "bool"),
    ("TC", "bool"),
    ("RD", "bool"),
    ("RA", "bool"),
    ("Z", "count"),
    ("answers", "vector[string]"),
    ("TTLs", "vector[interval]"),
    ("rejected", "bool"),
];

/// Those of Zeek 6, and `ja4` after them.
const TLS: [(&str, &str); 20] = [
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("version", "string"),
    ("cipher", "string"),
    ("curve", "string"),
    ("server_name", "string"),
    ("resumed", "bool"),
    ("last_alert", "string"),
    ("next_protocol", "string"),
    ("established", "bool"),
    ("ssl_history", "string"),
    ("cert_chain_fps", "vector[string]"),
    ("client_cert_chain_fps", "vector[string]"),
    ("sni_matches_cert", "bool"),
    ("whocalls_alpn", "set[string]"),
    ("ja4", "string"),
];

/// So many questions wait for their answers, at most.
const MOST_WAITING: usize = 65_536;

/// A line for each connection that greeted with TLS, in the order given.
pub fn write_tls<'a>(
    snapshot: &Snapshot,
    connections: impl IntoIterator<Item = &'a Connection>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    head("ssl", &TLS, snapshot.taken, &mut out)?;
    for connection in connections {
        let Some(Greeting::Tls(tls)) = connection.greeting.as_deref() else {
            continue;
        };
        let Some(line) = Line::of(snapshot, connection) else {
            continue;
        };
        line.ends(&mut out)?;
        unset(3, &mut out)?;
        let name = connection.name.as_ref();
        let name = name.filter(|name| name.source == NameSource::Sni);
        text(name.map(|name| &name.name), &mut out)?;
        // What was agreed on is not read.
        unset(8, &mut out)?;
        text_in_set(tls.alpn.iter(), &mut out)?;
        text(tls.ja4.as_ref(), &mut out)?;
        out.write_all(b"\n")?;
    }
    foot(snapshot.taken, &mut out)?;
    out.flush()
}

/// Between which ends a question was asked, and what.
type Question = (Option<Endpoint>, Option<Endpoint>, Text, Option<u16>);

/// Makes a `dns.log` of events, in their order: a line for each answer, and in the end one for each
/// question that none was seen to.
pub struct DnsLog<W: Write> {
    out: BufWriter<W>,
    boot: BootId,
    taken: Timestamp,
    /// With the connection of each, as far as it is known.
    waiting: HashMap<Question, (Event, Option<ConnectionId>)>,
}

impl<W: Write> DnsLog<W> {
    /// Writes the head. `boot` is whose events these are.
    pub fn new(boot: BootId, taken: Timestamp, out: W) -> io::Result<Self> {
        let mut out = BufWriter::with_capacity(1 << 16, out);
        head("dns", &DNS, taken, &mut out)?;
        Ok(Self {
            out,
            boot,
            taken,
            waiting: HashMap::new(),
        })
    }

    /// Anything but questions and answers is left out. `connection` is the one that it was seen on,
    /// `None` where that is not known.
    pub fn add(&mut self, event: &Event, connection: Option<ConnectionId>) -> io::Result<()> {
        let Detail::Name(seen) = &event.detail else {
            return Ok(());
        };
        let asked = matches!(
            seen.source,
            NameSource::Dns | NameSource::Resolver | NameSource::Mdns | NameSource::Llmnr
        );
        let (true, Some(name)) = (asked, &seen.name) else {
            return Ok(());
        };
        let question = (event.local, event.remote, name.clone(), seen.question);
        if seen.answer.is_some() {
            let asked = self.waiting.remove(&question);
            let asked = asked.as_ref().map(|(event, _)| event);
            return self.line(event, connection, seen, asked);
        }
        if self.waiting.len() < MOST_WAITING {
            self.waiting.insert(question, (event.clone(), connection));
            return Ok(());
        }
        self.line(event, connection, seen, None)
    }

    pub fn finish(mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut unanswered: Vec<_> = waiting.into_values().collect();
        unanswered.sort_by_key(|(event, _)| (event.time, event.seq));
        for (event, connection) in &unanswered {
            if let Detail::Name(seen) = &event.detail {
                self.line(event, *connection, seen, None)?;
            }
        }
        foot(self.taken, &mut self.out)?;
        self.out.flush()
    }

    fn line(
        &mut self,
        event: &Event,
        connection: Option<ConnectionId>,
        seen: &NameSeen,
        asked: Option<&Event>,
    ) -> io::Result<()> {
        let id = connection.unwrap_or_else(|| own_id(self.boot, event));
        line(id, event, seen, asked, &mut self.out)
    }
}

/// What stands for a connection that is not known.
fn own_id(boot: BootId, event: &Event) -> ConnectionId {
    let protocol = event.protocol.unwrap_or(Protocol::Udp);
    let socket = event.socket.unwrap_or(SocketKey {
        inode: None,
        cookie: None,
    });
    let local = event.local.unwrap_or(Endpoint::NONE);
    ConnectionId::of(boot, event.netns, socket, protocol, local, event.remote)
}

fn line(
    id: ConnectionId,
    event: &Event,
    seen: &NameSeen,
    asked: Option<&Event>,
    out: &mut impl Write,
) -> io::Result<()> {
    let begun = asked.map_or(event.time, |asked| asked.time);
    seconds(begun.unix_nanos(), out)?;
    write!(out, "\t{}", unique_id(id))?;
    for end in [event.local, event.remote] {
        field(end.and_then(|end| end.ip), out)?;
        field(end.and_then(|end| end.port), out)?;
    }
    match event.protocol {
        Some(protocol) => write!(out, "\t{}", transport(protocol))?,
        None => unset(1, out)?,
    }
    unset(1, out)?;
    match asked {
        Some(asked) => {
            out.write_all(b"\t")?;
            let rtt = event
                .time
                .unix_nanos()
                .saturating_sub(asked.time.unix_nanos());
            seconds(rtt.max(0), out)?;
        }
        None => unset(1, out)?,
    }
    text(seen.name.as_ref(), out)?;
    // The class is that of the Internet: others are not read.
    out.write_all(b"\t1\tC_INTERNET")?;
    field(seen.question, out)?;
    field(seen.question.map(type_name), out)?;
    let answer = seen.answer.as_deref();
    field(answer.map(|it| it.code), out)?;
    field(answer.map(|it| code_name(it.code)), out)?;
    // Flags are not kept.
    unset(5, out)?;
    match answer {
        Some(answer) => {
            let addresses = answer.addresses.iter();
            let addresses: Vec<_> = addresses
                .map(|(ip, _)| Text::from(ip.to_string()))
                .collect();
            let all = answer.aliases.iter().chain(&addresses).chain(&answer.texts);
            text_in_set(all, out)?;
            // Of an alias and of a text the time is not kept.
            let whole = answer.aliases.is_empty() && answer.texts.is_empty();
            if whole && !answer.addresses.is_empty() {
                for (place, (_, ttl)) in answer.addresses.iter().enumerate() {
                    write!(out, "{}{ttl}.000000", if place == 0 { '\t' } else { ',' })?;
                }
            } else {
                unset(1, out)?;
            }
            let refused = answer.code == 5;
            out.write_all(if refused { b"\tT\n" } else { b"\tF\n" })
        }
        None => out.write_all(b"\t-\t-\tF\n"),
    }
}

/// As Zeek calls it; the number where it has no name here.
fn type_name(number: u16) -> String {
    let name = match number {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        64 => "SVCB",
        65 => "HTTPS",
        255 => "*",
        _ => return format!("query-{number}"),
    };
    name.to_owned()
}

fn code_name(code: u8) -> String {
    let name = match code {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        _ => return format!("rcode-{code}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests;
