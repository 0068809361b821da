//! What `lsof` writes: `COMMAND PID [TID ...] USER FD TYPE DEVICE SIZE/OFF NODE NAME`, of which only
//! files of type IPv4 and IPv6 are sockets of a network. With `-F` each field has a line of its own.

mod fields;

use std::ops::Range;

use model::{Protocol, State, Text};

use self::fields::Fields;
use super::format::Kind;
use super::list::{self, End, Family, Line, List, Reading, Row, number, words};

pub(super) const KIND: Kind = Kind {
    name: "lsof output",
    recognises: list::recognises::<Lsof>,
    open: list::open::<Lsof>,
};

/// The same with `-F`.
pub(super) const FIELDS: Kind = Kind {
    name: "lsof -F output",
    recognises: list::recognises::<Fields>,
    open: list::open::<Fields>,
};

#[derive(Default)]
struct Lsof {
    headed: bool,
}

const ODD: &str = "it is no file as lsof writes one";
/// In which word the type of a file can stand: after command, process, its threads and groups, user
/// and descriptor.
const TYPE_AT: Range<usize> = 4..11;

impl Reading for Lsof {
    const TOOL: &'static str = "lsof";

    fn line(&mut self, line: &[u8], list: &mut List) -> Line {
        let mut told = words(line);
        if told.next() == Some(b"COMMAND") && told.next() == Some(b"PID") {
            self.headed = true;
            return Line::Header;
        }
        if told.next_back() == Some(b"NAME") && words(line).any(|word| word == b"FD") {
            self.headed = true;
            return Line::Header;
        }
        if let Some(file) = File::read(line) {
            file.add(list);
            return Line::Row;
        }
        if is_warning(line) || self.headed && is_other_file(line) {
            return Line::Known;
        }
        Line::Odd(ODD)
    }
}

/// A socket of a network.
struct File<'a> {
    command: &'a [u8],
    pid: u32,
    user: &'a [u8],
    row: Row,
}

impl<'a> File<'a> {
    fn read(line: &'a [u8]) -> Option<Self> {
        let mut told = words(line);
        let command = told.next()?;
        let pid = number(told.next()?)?;
        let before: Vec<_> = words(line).take(TYPE_AT.end).collect();
        let at = TYPE_AT
            .clone()
            .find(|at| matches!(before.get(*at), Some(&b"IPv4" | &b"IPv6")))?;
        let user = before.get(at - 2)?;
        let mut after = words(line).skip(at);
        let family = family(after.next()?)?;
        let device = after.next()?;
        let mut protocol = after.next()?;
        // Size or offset is left out where there is none.
        let known = |word: &[u8]| self::protocol(word, family);
        if known(protocol).is_none() {
            protocol = after.next()?;
        }
        let name: Vec<_> = after.take(16).collect();
        let mut row = row(known(protocol)?, family, &name.join(&b' '))?;
        // Of Linux; other systems write an address of the kernel.
        row.inode = number(device);
        Some(Self {
            command,
            pid,
            user,
            row,
        })
    }

    fn add(self, list: &mut List) {
        list.add(self.row);
        list.held_by(self.pid);
        if let Some(program) = list.program(self.pid) {
            program.name.get_or_insert_with(|| unescaped(self.command));
            match number(self.user) {
                Some(uid) => program.uid = Some(uid),
                None => program.user = Some(Text::from(self.user)),
            }
        }
    }
}

fn family(word: &[u8]) -> Option<Family> {
    match word {
        b"IPv4" => Some(Family::V4),
        b"IPv6" => Some(Family::V6),
        _ => None,
    }
}

fn protocol(word: &[u8], family: Family) -> Option<Protocol> {
    Some(match word {
        b"TCP" => Protocol::Tcp,
        b"UDP" => Protocol::Udp,
        b"UDPLITE" => Protocol::UdpLite,
        b"SCTP" => Protocol::Sctp,
        b"ICMP" if family == Family::V6 => Protocol::Raw { ip_protocol: 58 },
        _ => Protocol::Raw {
            ip_protocol: word.is_ascii().then(|| list::ip_protocol(word)).flatten()?,
        },
    })
}

/// `10.0.0.1:22->10.0.0.2:5555 (ESTABLISHED)`, `*:22 (LISTEN)`, `*:*`; words in brackets may tell more:
/// `(ST=ESTABLISHED QR=0 QS=0)`.
fn row(protocol: Protocol, family: Family, name: &[u8]) -> Option<Row> {
    let (ends, told) = match name.iter().position(|byte| *byte == b'(') {
        Some(at) => name.split_at_checked(at)?,
        None => (name, &b""[..]),
    };
    let mut row = ends_of(protocol, family, ends.trim_ascii())?;
    for word in told
        .split(|byte| b"() ".contains(byte))
        .filter(|word| !word.is_empty())
    {
        see_state(&mut row, word.strip_prefix(b"ST=").unwrap_or(word));
    }
    Some(row)
}

/// Both ends, without a state.
fn ends_of(protocol: Protocol, family: Family, ends: &[u8]) -> Option<Row> {
    let arrow = ends.windows(2).position(|bytes| bytes == b"->");
    let (local, remote) = match arrow {
        Some(at) => (ends.get(..at)?, End::read(ends.get(at + 2..)?, family)?),
        None => (ends, End::read(b"*:*", family)?),
    };
    let local = match protocol {
        Protocol::Raw { .. } => End::read(local, family).unwrap_or_default(),
        Protocol::Tcp
        | Protocol::Mptcp
        | Protocol::Udp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Icmp(_)
        | Protocol::Packet { .. }
        | Protocol::Other(_) => End::read(local, family)?,
    };
    Some(Row::new(protocol, State::Unknown, local, remote))
}

fn see_state(row: &mut Row, word: &[u8]) {
    if row.protocol.has_connections()
        && let Some(state) = list::state(word)
    {
        row.state = state;
    }
}

/// `\x20` stands for a blank, and likewise for every byte that would do harm.
fn unescaped(command: &[u8]) -> Text {
    let mut bytes = Vec::with_capacity(command.len());
    let mut rest = command;
    while let Some((byte, after)) = rest.split_first() {
        let escaped = rest.strip_prefix(b"\\x").and_then(|digits| {
            let (digits, after) = digits.split_at_checked(2)?;
            let byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
            Some((byte, after))
        });
        let (byte, after) = escaped.unwrap_or((*byte, after));
        bytes.push(byte);
        rest = after;
    }
    Text::from(bytes)
}

/// A file that is no socket of a network: command, process, user, descriptor, type.
fn is_other_file(line: &[u8]) -> bool {
    let mut told = words(line);
    let process = told.next().is_some() && told.next().and_then(number::<u32>).is_some();
    let type_of_network = told
        .clone()
        .take(TYPE_AT.end)
        .any(|word| family(word).is_some());
    process && told.count() >= 3 && !type_of_network
}

/// `lsof: WARNING: can't stat() ...`, and the indented lines that go on with it.
fn is_warning(line: &[u8]) -> bool {
    line.starts_with(b"lsof: ")
        || line.first().is_some_and(u8::is_ascii_whitespace)
            && line
                .trim_ascii_start()
                .starts_with(b"Output information may be incomplete")
}
