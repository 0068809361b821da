//! Connections as a `conn.log` of Zeek in its usual form: columns between tabs, below a head
//! (<https://docs.zeek.org/en/master/logs/conn.html>, "Zeek Log Formats").
//!
//! The columns of Zeek come first, in its order; what it does not have comes after them. `-` is not
//! known. docs/export.md says what each column comes from.

mod names;

use std::io::{self, BufWriter, Write};

use model::{
    Connection, ConnectionError, ConnectionId, Direction, Greeting, Owner, Phase, Protocol,
    Snapshot, State, Text, Timestamp, acts_or_hides,
};

pub use self::names::{DnsLog, write_tls};
use crate::devices::{Known, mac_address};
use crate::errors;
use crate::sides::{Side, Sides, community_id, ip_protocol};

/// Name and type of each column: those of Zeek 7 first, ours after `ip_proto`.
const COLUMNS: [(&str, &str); 34] = [
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("service", "string"),
    ("duration", "interval"),
    ("orig_bytes", "count"),
    ("resp_bytes", "count"),
    ("conn_state", "string"),
    ("local_orig", "bool"),
    ("local_resp", "bool"),
    ("missed_bytes", "count"),
    ("history", "string"),
    ("orig_pkts", "count"),
    ("orig_ip_bytes", "count"),
    ("resp_pkts", "count"),
    ("resp_ip_bytes", "count"),
    ("tunnel_parents", "set[string]"),
    ("ip_proto", "count"),
    ("community_id", "string"),
    ("direction", "string"),
    ("pid", "count"),
    ("process", "string"),
    ("process_id", "string"),
    ("process_path", "string"),
    ("user", "string"),
    ("owner_why", "string"),
    ("error", "string"),
    // As the script mac-logging of Zeek calls them.
    ("orig_l2_addr", "string"),
    ("resp_l2_addr", "string"),
    ("device", "string"),
];

/// A line for each connection, in the order given. What has no other end, or no addresses, has no
/// place in this form: gives how many were left out.
pub fn write<'a>(
    snapshot: &Snapshot,
    connections: impl IntoIterator<Item = &'a Connection>,
    out: &mut impl Write,
) -> io::Result<usize> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    head("conn", &COLUMNS, snapshot.taken, &mut out)?;
    let mut left_out = 0;
    for connection in connections {
        match Line::of(snapshot, connection) {
            Some(line) => line.write(&mut out)?,
            None => left_out += 1,
        }
    }
    foot(snapshot.taken, &mut out)?;
    out.flush()?;
    Ok(left_out)
}

fn head(
    path: &str,
    columns: &[(&str, &str)],
    taken: Timestamp,
    out: &mut impl Write,
) -> io::Result<()> {
    out.write_all(b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n")?;
    writeln!(
        out,
        "#unset_field\t-\n#path\t{path}\n#open\t{}",
        minute(taken)
    )?;
    for (head, column) in [("#fields", 0), ("#types", 1)] {
        out.write_all(head.as_bytes())?;
        for (name, kind) in columns {
            write!(out, "\t{}", if column == 0 { name } else { kind })?;
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn foot(taken: Timestamp, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "#close\t{}", minute(taken))
}

struct Line<'a> {
    snapshot: &'a Snapshot,
    connection: &'a Connection,
    begins: Side,
    answers: Side,
}

impl<'a> Line<'a> {
    /// `None`: it has no place in this form.
    fn of(snapshot: &'a Snapshot, connection: &'a Connection) -> Option<Self> {
        let sides = Sides::of(connection);
        let (begins, answers) = (sides.source?, sides.destination?);
        begins.end.ip.and(answers.end.ip)?;
        Some(Self {
            snapshot,
            connection,
            begins,
            answers,
        })
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            connection,
            begins,
            answers,
            ..
        } = self;
        self.ends(out)?;
        write!(out, "\t{}", transport(connection.protocol))?;
        // What is spoken is known by the greeting, never by the port.
        field(connection.greeting.as_deref().map(service), out)?;
        match connection.opened.zip(connection.closed) {
            Some((opened, closed)) => {
                out.write_all(b"\t")?;
                let length = closed.unix_nanos().saturating_sub(opened.unix_nanos());
                seconds(length.max(0), out)?;
            }
            None => unset(1, out)?,
        }
        field(begins.bytes, out)?;
        field(answers.bytes, out)?;
        field(self.state(), out)?;
        for side in [begins, answers] {
            out.write_all(if side.local { b"\tT" } else { b"\tF" })?;
        }
        // Missed bytes and the history of flags are seen in packets only.
        unset(2, out)?;
        field(begins.packets, out)?;
        unset(1, out)?;
        field(answers.packets, out)?;
        unset(2, out)?;
        field(ip_protocol(connection), out)?;
        field(community_id(connection), out)?;
        write!(out, "\t{}", connection.direction.word())?;
        self.owner(out)?;
        let error = connection.error.as_ref().map(errors::word);
        text(error.map(|it| Text::from(it.as_ref())).as_ref(), out)?;
        self.device(out)?;
        out.write_all(b"\n")
    }

    /// When it was, its name and its two ends, with which every line begins.
    fn ends(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            snapshot,
            connection,
            begins,
            answers,
        } = self;
        match connection.opened.or(snapshot.taken.told()) {
            Some(opened) => seconds(opened.unix_nanos(), out)?,
            None => out.write_all(b"-")?,
        }
        write!(out, "\t{}", unique_id(connection.id))?;
        let (first, second) = self.ports();
        for (end, port) in [(begins.end, first), (answers.end, second)] {
            field(end.ip, out)?;
            field(port, out)?;
        }
        Ok(())
    }

    fn owner(&self, out: &mut impl Write) -> io::Result<()> {
        let id = self.connection.owner.process();
        let process = self.snapshot.owner_of(self.connection);
        field(id.map(|it| it.pid), out)?;
        text(process.map(|it| &it.name), out)?;
        field(id, out)?;
        text(process.and_then(|it| it.path.as_ref()), out)?;
        text(self.snapshot.user_of(self.connection), out)?;
        match self.connection.owner {
            Owner::Known { .. } => unset(1, out),
            Owner::Unknown { why } => write!(out, "\t{}", why.word()),
        }
    }

    /// The hardware address at the end where it is known, and what the device calls itself.
    fn device(&self, out: &mut impl Write) -> io::Result<()> {
        let device = Known::of(self.connection, &self.snapshot.devices);
        let mac = device.and_then(|it| it.mac).map(mac_address);
        for side in [self.begins, self.answers] {
            let is_it = side.end == self.connection.local;
            field(mac.as_deref().filter(|_| is_it), out)?;
        }
        text(device.and_then(|it| it.name), out)
    }

    /// Zeek puts type and code of an ICMP message where others have ports.
    fn ports(&self) -> (Option<u16>, Option<u16>) {
        match self.connection.protocol {
            Protocol::Icmp(icmp) => (icmp.kind.map(u16::from), icmp.code.map(u16::from)),
            Protocol::Tcp
            | Protocol::Mptcp
            | Protocol::Udp
            | Protocol::UdpLite
            | Protocol::Sctp
            | Protocol::Dccp
            | Protocol::Raw { .. }
            | Protocol::Packet { .. }
            | Protocol::Other(_) => (self.begins.end.port, self.answers.end.port),
        }
    }

    /// `conn_state` of Zeek, as far as it follows from what is known.
    fn state(&self) -> Option<&'static str> {
        match self.connection.protocol {
            Protocol::Tcp | Protocol::Mptcp => self.state_of_tcp(),
            Protocol::Udp => match (self.begins.packets?, self.answers.packets?) {
                (1.., 0) => Some("S0"),
                (1.., 1..) => Some("SF"),
                (0, 1..) => Some("SHR"),
                (0, 0) => None,
            },
            Protocol::UdpLite
            | Protocol::Sctp
            | Protocol::Dccp
            | Protocol::Icmp(_)
            | Protocol::Raw { .. }
            | Protocol::Packet { .. }
            | Protocol::Other(_) => Some("OTH"),
        }
    }

    fn state_of_tcp(&self) -> Option<&'static str> {
        let connection = self.connection;
        // Of these it is known who began; else the letters for the two sides mean nothing.
        let outbound = match connection.direction {
            Direction::Outbound => Some(true),
            Direction::Inbound => Some(false),
            Direction::Local | Direction::Listening | Direction::Unknown => None,
        };
        let by_side = |local: bool, ours: [&'static str; 2]| {
            let began = outbound? == local;
            Some(if began { ours[0] } else { ours[1] })
        };
        let midstream = connection.opened.is_none();
        match connection.state {
            State::Attempted | State::SynSent | State::SynReceived => Some("S0"),
            State::Failed => failed(connection.error.as_ref()?),
            _ if midstream => Some("OTH"),
            State::Established => Some("S1"),
            State::FinWait1 | State::FinWait2 => by_side(true, ["S2", "S3"]),
            State::CloseWait => by_side(false, ["S2", "S3"]),
            State::Closed | State::TimeWait | State::Closing | State::LastAck => {
                match connection.error.as_ref() {
                    None => Some("SF"),
                    // The other side did it.
                    Some(error) if error.errno == Some(errors::CONNECTION_RESET) => {
                        by_side(false, ["RSTO", "RSTR"])
                    }
                    Some(_) => None,
                }
            }
            State::Listen | State::Open | State::Unknown => None,
        }
    }
}

/// `None`: no packet left, or what came back is not known.
fn failed(error: &ConnectionError) -> Option<&'static str> {
    match (error.errno?, error.phase) {
        (errors::CONNECTION_REFUSED, _) => Some("REJ"),
        (errors::TIMED_OUT, Phase::Handshake) => Some("S0"),
        _ => None,
    }
}

fn service(greeting: &Greeting) -> &'static str {
    match greeting {
        Greeting::Tls(tls) if tls.quic.is_some() => "quic,ssl",
        Greeting::Tls(_) => "ssl",
        Greeting::Http(_) => "http",
        Greeting::Ssh { .. } => "ssh",
    }
}

fn transport(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp | Protocol::Mptcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Icmp(_) => "icmp",
        Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Raw { .. }
        | Protocol::Packet { .. }
        | Protocol::Other(_) => "unknown_transport",
    }
}

/// `C` and the id in the digits that Zeek uses.
fn unique_id(id: ConnectionId) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = u128::from_be_bytes(id.0);
    let mut digits = Vec::new();
    while number > 0 || digits.is_empty() {
        let digit = usize::try_from(number % 62).unwrap_or_default();
        digits.push(char::from(DIGITS.get(digit).copied().unwrap_or(b'0')));
        number /= 62;
    }
    digits.push('C');
    digits.into_iter().rev().collect()
}

/// Seconds with six digits after the point.
fn seconds(nanos: i64, out: &mut impl Write) -> io::Result<()> {
    let (seconds, rest) = (
        nanos.div_euclid(1_000_000_000),
        nanos.rem_euclid(1_000_000_000),
    );
    write!(out, "{seconds}.{:06}", rest / 1000)
}

fn minute(time: Timestamp) -> String {
    let Some(time) = time.told() else {
        return "-".to_owned();
    };
    let text = time.to_string();
    let text = text.get(..19).unwrap_or_default();
    text.replace(['T', ':'], "-")
}

fn unset(times: usize, out: &mut impl Write) -> io::Result<()> {
    (0..times).try_for_each(|_| out.write_all(b"\t-"))
}

/// A value of our own.
fn field(value: Option<impl std::fmt::Display>, out: &mut impl Write) -> io::Result<()> {
    match value {
        Some(value) => write!(out, "\t{value}"),
        None => unset(1, out),
    }
}

/// Text from outside. What would be taken for something else, and what acts on a terminal, is written
/// as `\xHH`, as Zeek does it.
fn text(text: Option<&Text>, out: &mut impl Write) -> io::Result<()> {
    let Some(text) = text else {
        return unset(1, out);
    };
    out.write_all(b"\t")?;
    element(text, false, out)
}

/// Texts of a set or a vector.
fn text_in_set<'a>(
    mut texts: impl Iterator<Item = &'a Text>,
    out: &mut impl Write,
) -> io::Result<()> {
    let Some(first) = texts.next() else {
        return out.write_all(b"\t(empty)");
    };
    out.write_all(b"\t")?;
    element(first, true, out)?;
    texts.try_for_each(|text| {
        out.write_all(b",")?;
        element(text, true, out)
    })
}

fn element(text: &Text, in_set: bool, out: &mut impl Write) -> io::Result<()> {
    let bytes = text.bytes();
    let escaped = |bytes: &[u8], out: &mut dyn Write| {
        bytes
            .iter()
            .try_for_each(|byte| write!(out, "\\x{byte:02x}"))
    };
    match bytes {
        b"" => return out.write_all(b"(empty)"),
        b"-" | b"(empty)" => return escaped(bytes, out),
        _ => {}
    }
    for chunk in bytes.utf8_chunks() {
        for (place, character) in chunk.valid().char_indices() {
            let mut encoded = [0; 4];
            let encoded = character.encode_utf8(&mut encoded).as_bytes();
            // A line that begins with `#` is one of the head.
            let first = place == 0 && character == '#';
            let parts = in_set && character == ',';
            if acts_or_hides(character) || character == '\\' || first || parts {
                escaped(encoded, out)?;
            } else {
                out.write_all(encoded)?;
            }
        }
        escaped(chunk.invalid(), out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
