//! What `ss` of iproute2 writes: `Netid State Recv-Q Send-Q Local:Port Peer:Port Process`, with `-e`,
//! `-o`, `-i` and `-m` more words after it or in lines of their own, with `-O` in the same line. The
//! first column is missing where only one kind of socket was asked for, the header with `-H`.

use model::{IcmpKind, Protocol, State, Text};

use super::format::Kind;
use super::list::{
    self, End, Family, Line, List, Reading, Row, is_odd_number, number, word, words,
};

pub(super) const KIND: Kind = Kind {
    name: "ss output",
    recognises: list::recognises::<Ss>,
    open: list::open::<Ss>,
};

#[derive(Default)]
struct Ss {
    /// The line before was a row: indented lines belong to it.
    after_row: bool,
    /// The line before was a socket of no network, likewise.
    after_other: bool,
    /// Of rows that do not say of what kind they are: states that only UDP, or only TCP has.
    only_udp: bool,
    only_tcp: bool,
}

impl Reading for Ss {
    const TOOL: &'static str = "ss";

    fn line(&mut self, line: &[u8], list: &mut List) -> Line {
        if is_header(line) {
            // The column has a name since the time in which `*` is any address of either family.
            if line.trim_ascii_end().ends_with(b"Process") {
                list.any_is_v6(true);
            }
            (self.after_row, self.after_other) = (false, false);
            return Line::Header;
        }
        if line.first().is_some_and(u8::is_ascii_whitespace) {
            if self.after_row {
                told_besides(line, list);
                return Line::Known;
            }
            return if self.after_other {
                Line::Known
            } else {
                Line::Odd(ODD)
            };
        }
        let told = Told::of(line);
        (self.after_row, self.after_other) = (false, false);
        match told {
            Some(Told::Other) => {
                self.after_other = true;
                Line::Known
            }
            Some(Told::Socket(row, rest)) => {
                self.after_row = true;
                see_any(line, list);
                let capital = line.first().is_some_and(u8::is_ascii_uppercase);
                self.only_udp |= capital && row.state == State::Closed;
                self.only_tcp |=
                    capital && !matches!(row.state, State::Closed | State::Established);
                list.add(*row);
                told_besides(rest, list);
                Line::Row
            }
            None => Line::Odd(ODD),
        }
    }

    /// `ss -u` has the same columns as `ss -t`.
    fn end(&mut self, list: &mut List) {
        if self.only_udp && !self.only_tcp {
            for row in list.rows() {
                if row.protocol == Protocol::Tcp {
                    (row.protocol, row.state) = (Protocol::Udp, State::Open);
                }
            }
        }
    }
}

const ODD: &str = "it is no socket as ss writes one";

fn is_header(line: &[u8]) -> bool {
    let mut words = words(line);
    let first = words.next();
    let second = if first == Some(b"Netid") {
        words.next()
    } else {
        first
    };
    second == Some(b"State") && words.next() == Some(b"Recv-Q")
}

/// An older ss writes `:::22` and means IPv4 by `*:22`; a newer one writes `[::]:22` and `0.0.0.0:22`,
/// and means both by `*:22`.
fn see_any(line: &[u8], list: &mut List) {
    let mut ends = words(line);
    if ends
        .clone()
        .any(|end| end.starts_with(b"0.0.0.0") || end.starts_with(b"["))
    {
        list.any_is_v6(true);
    } else if ends.any(|end| end.starts_with(b":::")) {
        list.any_is_v6(false);
    }
}

enum Told<'a> {
    Socket(Box<Row>, &'a [u8]),
    /// A socket of no network: between programs, or to the kernel.
    Other,
}

impl<'a> Told<'a> {
    fn of(line: &'a [u8]) -> Option<Self> {
        let mut rest = line;
        let mut first = word(&mut rest)?;
        let kind = kind(first);
        if kind.is_some() {
            first = word(&mut rest)?;
        }
        let state = state(first)?;
        for _queue in 0..2 {
            number::<u64>(word(&mut rest)?)?;
        }
        if let Some(Netid::Other) = kind {
            return Some(Self::Other);
        }
        if let Some(Netid::Packet) = kind {
            let protocol = word(&mut rest)?;
            let _peer = word(&mut rest);
            return Some(Self::Socket(Box::new(packet_socket(protocol)?), rest));
        }
        let (local, remote) = (word(&mut rest)?, word(&mut rest)?);
        let protocol = match kind.unwrap_or(Netid::Known(Protocol::Tcp)) {
            Netid::Known(protocol) => protocol,
            Netid::Raw => Protocol::Raw {
                ip_protocol: ip_protocol(local)?,
            },
            Netid::Icmp => Protocol::Icmp(IcmpKind {
                kind: None,
                code: None,
                id: End::read(local, Family::Unknown)?.port,
            }),
            Netid::Packet | Netid::Other => return None,
        };
        let local = End::read(local, Family::Unknown)?;
        let remote = End::read(remote, Family::Unknown)?;
        Some(Self::Socket(
            Box::new(Row::new(protocol, state, local, remote)),
            rest,
        ))
    }
}

#[derive(Clone, Copy)]
enum Netid {
    Known(Protocol),
    Raw,
    Icmp,
    Packet,
    Other,
}

fn kind(word: &[u8]) -> Option<Netid> {
    Some(match word {
        b"tcp" => Netid::Known(Protocol::Tcp),
        b"udp" => Netid::Known(Protocol::Udp),
        b"udplite" | b"udpl" => Netid::Known(Protocol::UdpLite),
        b"sctp" => Netid::Known(Protocol::Sctp),
        b"dccp" => Netid::Known(Protocol::Dccp),
        b"mptcp" => Netid::Known(Protocol::Mptcp),
        b"raw" => Netid::Raw,
        b"icmp" | b"icmp6" | b"ping" => Netid::Icmp,
        b"p_raw" | b"p_dgr" => Netid::Packet,
        b"u_str" | b"u_dgr" | b"u_seq" | b"nl" | b"v_str" | b"v_dgr" | b"v_seq" | b"xdp"
        | b"ti_st" | b"ti_dg" | b"ti_rd" | b"ti_sq" | b"tipc" | b"vsock" | b"unix" => Netid::Other,
        _ => return None,
    })
}

fn state(word: &[u8]) -> Option<State> {
    if word == b"UNKNOWN" {
        return Some(State::Unknown);
    }
    let capitals = word
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || b"-12".contains(byte));
    capitals.then(|| list::state(word)).flatten()
}

/// `*:eth0`, `arp:*`, `[35020]:eth0`, or `ETH` and the interface in the place of a port.
fn packet_socket(text: &[u8]) -> Option<Row> {
    let at = text.iter().position(|byte| *byte == b':')?;
    let (protocol, interface) = (text.get(..at)?, text.get(at + 1..)?);
    let numbered = protocol
        .strip_prefix(b"[")
        .and_then(|number| number.strip_suffix(b"]"));
    let ethertype = match (numbered, protocol) {
        (Some(digits), _) => number(digits)?,
        (None, b"*" | b"all") => 3,
        (None, b"ip" | b"ipv4") => 0x0800,
        (None, b"arp") => 0x0806,
        (None, b"ipv6") => 0x86dd,
        (None, b"802.1Q") => 0x8100,
        (None, b"802.2" | b"802_2") => 4,
        (None, b"802.3" | b"802_3") => 1,
        (None, b"ppp_disc") => 0x8863,
        (None, b"ppp_ses") => 0x8864,
        (None, b"LLDP" | b"lldp") => 0x88cc,
        (None, b"eapol" | b"EAPOL" | b"802.1X") => 0x888e,
        _ => return None,
    };
    let named = interface != b"*" && !interface.is_empty();
    let local = End::on(named.then(|| Text::from(interface)));
    let protocol = Protocol::Packet { ethertype };
    Some(Row::new(protocol, State::Open, local, End::nobody()))
}

/// What stands in the place of the port of a raw socket.
fn ip_protocol(local: &[u8]) -> Option<u8> {
    let port = local.rsplit(|byte| *byte == b':').next()?;
    list::ip_protocol(port)
}

/// What numbers stand behind.
const KEYS: [&[u8]; 7] = [
    b"uid:",
    b"ino:",
    b"bytes_sent:",
    b"bytes_retrans:",
    b"bytes_received:",
    b"segs_out:",
    b"segs_in:",
];

/// What stands after the ends, or in the indented lines after a row.
fn told_besides(text: &[u8], list: &mut List) {
    let (before, after) = holders(text, list);
    let values = || words(before).chain(words(after));
    let is_odd = |word: &[u8]| {
        let value = KEYS.iter().find_map(|key| word.strip_prefix(*key));
        value.is_some_and(is_odd_number::<u64>)
    };
    if values().any(is_odd) {
        list.has_odd_number();
    }
    let told = |word: &[u8], key: &[u8]| word.strip_prefix(key).and_then(number);
    let Some(row) = list.last() else { return };
    for word in values() {
        if let Some(uid) = told(word, b"uid:") {
            row.uid = u32::try_from(uid).ok();
        } else if let Some(inode) = told(word, b"ino:") {
            row.inode = Some(inode);
            // It leaves out the user where it is root; a socket that is over has neither.
            row.uid = row.uid.or((inode != 0).then_some(0));
        } else if let Some(bytes) = told(word, b"bytes_sent:") {
            row.bytes_sent = Some(bytes);
        } else if let Some(again) = told(word, b"bytes_retrans:") {
            row.bytes_sent = row.bytes_sent.map(|sent| sent.saturating_sub(again));
        } else if let Some(bytes) = told(word, b"bytes_received:") {
            row.bytes_received = Some(bytes);
        } else if let Some(packets) = told(word, b"segs_out:") {
            row.packets_sent = Some(packets);
        } else if let Some(packets) = told(word, b"segs_in:") {
            row.packets_received = Some(packets);
        }
    }
}

/// `users:(("sshd",pid=1,fd=3),("sshd",pid=2,fd=3))`, without `pid=` and `fd=` in older versions. The
/// name is what the process calls itself: it may have quotes, brackets and commas in it. Returns what
/// stands before and after it.
fn holders<'a>(text: &'a [u8], list: &mut List) -> (&'a [u8], &'a [u8]) {
    const BEGINNING: &[u8] = b"users:(";
    let at = text
        .windows(BEGINNING.len())
        .position(|bytes| bytes == BEGINNING);
    let Some((before, after)) = at.and_then(|at| text.split_at_checked(at)) else {
        return (text, b"");
    };
    let mut rest = after.get(BEGINNING.len()..).unwrap_or_default();
    while let Some((name, pid, after)) = holder(rest) {
        list.held_by(pid);
        if let Some(program) = list.program(pid) {
            program.name.get_or_insert_with(|| Text::from(name));
        }
        rest = after.strip_prefix(b",").unwrap_or(after);
    }
    if rest.starts_with(b"(\"") {
        // One that has no such pid as a process has.
        list.has_odd_number();
    }
    (before, rest)
}

/// The first quotation mark after which all that must follow does follow ends the name.
fn holder(text: &[u8]) -> Option<(&[u8], u32, &[u8])> {
    // The kernel keeps 15 bytes of a name; a path may stand there in versions to come.
    const LONGEST: usize = 4096;
    let text = text.strip_prefix(b"(\"")?;
    let quotes = text
        .iter()
        .take(LONGEST)
        .enumerate()
        .filter(|(_, byte)| **byte == b'"');
    quotes.into_iter().find_map(|(at, _)| {
        let after = text.get(at + 1..)?.strip_prefix(b",")?;
        let after = after.strip_prefix(b"pid=").unwrap_or(after);
        let digits = after
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let pid = number(after.get(..digits)?)?;
        let after = after.get(digits..)?.strip_prefix(b",")?;
        let end = after.iter().take(LONGEST).position(|byte| *byte == b')')?;
        let (besides, after) = (after.get(..end)?, after.get(end + 1..)?);
        let ends = matches!(after, [b')', ..] | [b',', b'(', b'"', ..]);
        (ends && !besides.contains(&b'"')).then(|| (text.get(..at).unwrap_or_default(), pid, after))
    })
}
