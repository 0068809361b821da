//! `netstat -anp` of Linux, and that of BSD and macOS. Linux writes `address:port`, and after the state
//! with `-e` user and inode, with `-p` `PID/Program name`, with `-o` a timer. BSD writes
//! `address.port`; with `-A` addresses of the kernel stand before a row, and macOS adds columns that
//! only the header explains.

use model::{Protocol, State, Text};

use super::super::list::{self, End, Family, Line, List, Row, is_odd_number, number, word, words};

#[derive(Default)]
pub(super) struct Unix {
    header: Header,
    section: Section,
    /// Longer columns are of `netstat -A`.
    narrow: bool,
}

/// Whose rows follow.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Internet,
    /// Sockets of no network, of which a row is anything.
    Other,
}

/// What the columns after the state mean, where they are known by their place only.
#[derive(Default)]
struct Header {
    columns: Vec<Column>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    BytesReceived,
    BytesSent,
    Pid,
    /// `process:pid`; the name may have blanks in it.
    ProcessAndPid,
    Other,
}

impl Unix {
    /// `None`: it is nothing that netstat of these systems writes.
    pub(super) fn line(&mut self, line: &[u8], list: &mut List) -> Option<Line> {
        if let Some(section) = title(line) {
            self.section = section;
            self.header = Header::default();
            return Some(Line::Header);
        }
        if let Some(header) = Header::read(line) {
            (self.header, self.section) = (header, Section::Internet);
            if starts_with_word(line, b"Socket") && !self.narrow {
                self.narrow = true;
                list.is_narrow();
            }
            return Some(Line::Header);
        }
        if self.row(line, list).is_some() {
            self.section = Section::Internet;
            return Some(Line::Row);
        }
        if is_header_of_no_network(line) {
            return Some(Line::Header);
        }
        if self.section == Section::Other || of_no_network(line) {
            return Some(Line::Known);
        }
        None
    }

    fn row(&self, line: &[u8], list: &mut List) -> Option<()> {
        let mut rest = line;
        let mut first = word(&mut rest)?;
        // Addresses of the kernel, and what marks the packets of the connection.
        for _ in 0..2 {
            if protocol(first).is_none() && first.iter().all(u8::is_ascii_hexdigit) {
                first = word(&mut rest)?;
            }
        }
        let (protocol, family) = protocol(first)?;
        for _queue in 0..2 {
            number::<u64>(word(&mut rest)?)?;
        }
        let (local_text, remote_text) = (word(&mut rest)?, word(&mut rest)?);
        let protocol = protocol.known(local_text)?;
        let local = End::read_perhaps_cut(local_text, family)?;
        let remote = End::read_perhaps_cut(remote_text, family)?;
        let mut after = rest;
        let state = word(&mut after).and_then(|word| {
            // States of raw sockets are numbers.
            let raw = matches!(protocol, Protocol::Raw { .. }) && word.len() <= 2;
            list::state(word).or((raw && number::<u8>(word).is_some()).then_some(State::Open))
        });
        if state.is_some() {
            rest = after;
        }
        let nobody = remote.is_nobody();
        // In TCP something stands there always; a word of another language is told by its shape.
        let state = match (state, protocol) {
            (Some(state), _) => state,
            (None, Protocol::Tcp) => {
                let mut after = rest;
                let spoken = word(&mut after).filter(|word| is_spoken(word));
                if spoken.is_some() {
                    rest = after;
                }
                match spoken {
                    Some(_) if nobody => State::Listen,
                    _ => State::Unknown,
                }
            }
            (None, _) => State::Open,
        };
        list.add(Row::new(protocol, state, local, remote));
        if self.header.columns.is_empty() {
            of_linux(rest, list);
        } else {
            self.header.read_columns(rest, list);
        }
        Some(())
    }
}

/// A word in capitals that is no user, number or program.
fn is_spoken(word: &[u8]) -> bool {
    word != b"-"
        && !word.contains(&b'/')
        && !word
            .iter()
            .any(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// `[User Inode] [PID/Program name] [Timer]`.
fn of_linux(rest: &[u8], list: &mut List) {
    let rest = without_timer(rest);
    let Some(row) = list.last() else { return };
    let mut after = rest;
    let mut numbers = rest;
    // User and inode; the user is a name without `-n`.
    let user = word(&mut numbers);
    let inode = word(&mut numbers).and_then(number::<u64>);
    if let (Some(user), Some(inode)) = (user.filter(|user| !user.contains(&b'/')), inode) {
        row.uid = number(user);
        row.inode = Some(inode);
        after = numbers;
    }
    let program = after.trim_ascii();
    let slash = program.iter().position(|byte| *byte == b'/');
    let before = slash.and_then(|at| program.get(..at));
    if before.is_some_and(is_odd_number::<u32>) {
        list.has_odd_number();
        return;
    }
    let digits = program
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let Some((pid, name)) = program.split_at_checked(digits) else {
        return;
    };
    if let (Some(pid), Some(name)) = (number::<u32>(pid), name.strip_prefix(b"/")) {
        list.held_by(pid);
        if let Some(program) = list.program(pid) {
            program.name.get_or_insert_with(|| Text::from(name));
        }
    }
}

/// `keepalive (7187.05/0/0)` ends a line.
fn without_timer(rest: &[u8]) -> &[u8] {
    let rest = rest.trim_ascii_end();
    let Some(open) = rest.iter().rposition(|byte| *byte == b'(') else {
        return rest;
    };
    let inside = rest
        .get(open + 1..)
        .and_then(|inside| inside.strip_suffix(b")"));
    let is_timer = inside.is_some_and(|inside| {
        inside.iter().filter(|byte| **byte == b'/').count() == 2
            && inside
                .iter()
                .all(|byte| byte.is_ascii_digit() || b"./-".contains(byte))
    });
    let before = rest.get(..open).unwrap_or_default().trim_ascii_end();
    let name = before
        .iter()
        .rposition(u8::is_ascii_whitespace)
        .map_or(0, |at| at + 1);
    let kind = before.get(name..).unwrap_or_default();
    let known = matches!(kind, b"off" | b"on" | b"keepalive" | b"timewait" | b"probe")
        || kind.starts_with(b"unkn-");
    if is_timer && known {
        before.get(..name).unwrap_or_default()
    } else {
        rest
    }
}

/// Titles of sections, in English; those of other languages are known by what follows them.
fn title(line: &[u8]) -> Option<Section> {
    let mut words = words(line);
    match (words.next()?, words.next()?) {
        (b"Registered", b"kernel") => return Some(Section::Other),
        (b"Active", _) => {}
        _ => return None,
    }
    match self::words(line).nth(1)? {
        b"Internet" | b"Connections" | b"UNIX" => Some(Section::Internet),
        b"LOCAL" | b"Multipath" | b"IPX" | b"AX.25" | b"NETROM" | b"kernel" | b"Kernel"
        | b"Bluetooth" | b"X.25" => Some(Section::Other),
        _ => None,
    }
}

/// Sockets of no network.
fn of_no_network(line: &[u8]) -> bool {
    let mut words = words(line);
    words.next() == Some(b"unix")
        && words
            .next()
            .is_some_and(|word| number::<u64>(word).is_some())
}

fn is_header_of_no_network(line: &[u8]) -> bool {
    let mut words = words(line);
    matches!(
        (words.next(), words.next()),
        (Some(b"Proto"), Some(b"RefCnt")) | (Some(b"Address"), Some(b"Type"))
    )
}

fn starts_with_word(line: &[u8], word: &[u8]) -> bool {
    words(line).next() == Some(word)
}

impl Header {
    /// The header of Linux has no columns here: what follows the state is known by its shape.
    fn read(line: &[u8]) -> Option<Self> {
        let mut words = words(line);
        words.find(|word| *word == b"Proto")?;
        (words.next()? == b"Recv-Q").then_some(())?;
        let mut columns = Vec::new();
        if words.any(|word| word == b"(state)") {
            columns.extend(words.take(64).map(|word| match word {
                b"rxbytes" => Column::BytesReceived,
                b"txbytes" => Column::BytesSent,
                b"pid" => Column::Pid,
                b"process:pid" => Column::ProcessAndPid,
                _ => Column::Other,
            }));
        }
        Some(Self { columns })
    }

    fn read_columns(&self, rest: &[u8], list: &mut List) {
        let mut told = words(rest);
        for column in &self.columns {
            if *column == Column::ProcessAndPid {
                process_and_pid(&mut told, list);
                continue;
            }
            let Some(word) = told.next() else { return };
            let is_odd = match column {
                Column::Pid => is_odd_number::<u32>(word),
                Column::BytesReceived | Column::BytesSent => is_odd_number::<u64>(word),
                Column::Other | Column::ProcessAndPid => false,
            };
            if is_odd {
                list.has_odd_number();
            }
            match (column, number::<u64>(word), list.last()) {
                (Column::BytesReceived, bytes, Some(row)) => row.bytes_received = bytes,
                (Column::BytesSent, bytes, Some(row)) => row.bytes_sent = bytes,
                (Column::Pid, Some(pid), _) => {
                    if let Ok(pid) = u32::try_from(pid) {
                        list.held_by(pid);
                    }
                }
                (Column::Pid | Column::Other | Column::ProcessAndPid, ..)
                | (Column::BytesReceived | Column::BytesSent, _, None) => {}
            }
        }
    }
}

/// Takes words up to one that ends in `:pid`.
fn process_and_pid<'a>(told: &mut impl Iterator<Item = &'a [u8]>, list: &mut List) {
    let mut name = Vec::new();
    for word in told.by_ref().take(16) {
        if !name.is_empty() {
            name.push(b' ');
        }
        let at = word.iter().rposition(|byte| *byte == b':');
        let split = at.and_then(|at| Some((word.get(..at)?, number(word.get(at + 1..)?)?)));
        let Some((end, pid)) = split else {
            name.extend(word);
            continue;
        };
        name.extend(end);
        list.held_by(pid);
        if let Some(program) = list.program(pid) {
            program.name.get_or_insert_with(|| Text::from(name));
        }
        return;
    }
}

enum Kind {
    Known(Protocol),
    Raw,
}

impl Kind {
    fn known(self, local: &[u8]) -> Option<Protocol> {
        match self {
            Self::Known(protocol) => Some(protocol),
            Self::Raw => {
                let port = local.rsplit(|byte| b":.".contains(byte)).next()?;
                let ip_protocol = list::ip_protocol(port)?;
                Some(Protocol::Raw { ip_protocol })
            }
        }
    }
}

fn protocol(word: &[u8]) -> Option<(Kind, Family)> {
    const RAW: Kind = Kind::Raw;
    let known = Kind::Known;
    Some(match word {
        b"tcp" | b"tcp4" => (known(Protocol::Tcp), Family::V4),
        b"tcp6" | b"tcp46" => (known(Protocol::Tcp), Family::V6),
        b"udp" | b"udp4" => (known(Protocol::Udp), Family::V4),
        b"udp6" | b"udp46" => (known(Protocol::Udp), Family::V6),
        b"udplite" | b"udpl" => (known(Protocol::UdpLite), Family::V4),
        b"udplite6" | b"udpl6" => (known(Protocol::UdpLite), Family::V6),
        b"sctp" | b"sctp4" => (known(Protocol::Sctp), Family::V4),
        b"sctp6" => (known(Protocol::Sctp), Family::V6),
        b"dccp" => (known(Protocol::Dccp), Family::V4),
        b"dccp6" => (known(Protocol::Dccp), Family::V6),
        b"raw" | b"raw4" | b"ip" | b"ip4" => (RAW, Family::V4),
        b"raw6" | b"ip6" => (RAW, Family::V6),
        b"icm4" | b"icmp" => (known(icmp(1)), Family::V4),
        b"icm6" | b"icmp6" => (known(icmp(58)), Family::V6),
        _ => return None,
    })
}

/// Of BSD these are raw sockets of ICMP.
fn icmp(ip_protocol: u8) -> Protocol {
    Protocol::Raw { ip_protocol }
}
