//! Lists that TCPView of Sysinternals saves: columns with tabs or commas between them. Version 4 has a
//! header, and its columns are taken by their names; versions 2 and 3 have none, and are known by
//! where the protocol stands.
//!
//! Bytes and packets are what TCPView saw since it was started. Ports may be names of services.

use model::{State, Text};

use super::format::Kind;
use super::list::{self, End, Family, Line, List, Reading, Row, When, is_odd_number, number};
use super::tcpvcon::protocol;

pub(super) const KIND: Kind = Kind {
    name: "TCPView list",
    recognises: list::recognises::<TcpView>,
    open: list::open::<TcpView>,
};

#[derive(Default)]
struct TcpView {
    /// Empty: no header has come.
    columns: Vec<Option<Column>>,
}

/// What a column tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Process,
    Pid,
    Protocol,
    State,
    LocalAddress,
    LocalPort,
    RemoteAddress,
    RemotePort,
    Created,
    Path,
    PacketsSent,
    PacketsReceived,
    BytesSent,
    BytesReceived,
}

use Column as C;

/// Version 4.
const VERSION_4: [Option<Column>; 14] = [
    Some(C::Process),
    Some(C::Pid),
    Some(C::Protocol),
    Some(C::State),
    Some(C::LocalAddress),
    Some(C::LocalPort),
    Some(C::RemoteAddress),
    Some(C::RemotePort),
    Some(C::Created),
    // The module may be a service, or the program again.
    None,
    Some(C::PacketsSent),
    Some(C::PacketsReceived),
    Some(C::BytesSent),
    Some(C::BytesReceived),
];

/// Version 3.
const VERSION_3: [Option<Column>; 12] = [
    Some(C::Process),
    Some(C::Pid),
    Some(C::Protocol),
    Some(C::LocalAddress),
    Some(C::LocalPort),
    Some(C::RemoteAddress),
    Some(C::RemotePort),
    Some(C::State),
    Some(C::PacketsSent),
    Some(C::BytesSent),
    Some(C::PacketsReceived),
    Some(C::BytesReceived),
];

/// Version 2 has both ends with their ports, and `name:pid`.
const VERSION_2: [Option<Column>; 5] = [
    Some(C::Process),
    Some(C::Protocol),
    Some(C::LocalAddress),
    Some(C::RemoteAddress),
    Some(C::State),
];

const ODD: &str = "it is no socket as TCPView writes one";
const MOST_COLUMNS: usize = 64;

impl Reading for TcpView {
    const TOOL: &'static str = "tcpview";

    fn line(&mut self, line: &[u8], list: &mut List) -> Line {
        let fields = fields(line);
        if let Some(columns) = header(&fields) {
            self.columns = columns;
            return Line::Header;
        }
        let known = [&self.columns[..], columns_of(&fields).unwrap_or_default()];
        let told = known
            .into_iter()
            .find_map(|columns| Told::read(&fields, columns));
        let Some(told) = told else {
            return Line::Odd(ODD);
        };
        list.add(told.row);
        if told.has_odd_number {
            list.has_odd_number();
        }
        list.held_by(told.pid);
        if let Some(program) = list.program(told.pid) {
            program.name.get_or_insert(told.name);
            program.path = program.path.take().or(told.path);
        }
        Line::Row
    }
}

/// What a line tells.
struct Told {
    row: Row,
    pid: u32,
    name: Text,
    path: Option<Text>,
    /// What stands in the place of a number is none.
    has_odd_number: bool,
}

impl Told {
    fn read(fields: &[Vec<u8>], columns: &[Option<Column>]) -> Option<Self> {
        let field = |wanted| {
            let at = columns.iter().position(|column| *column == Some(wanted))?;
            fields.get(at).map(|field| field.trim_ascii())
        };
        let (protocol, family) = protocol(field(C::Protocol)?)?;
        let mut name = field(C::Process).unwrap_or_default();
        let mut pid = field(C::Pid).and_then(number);
        if !columns.contains(&Some(C::Pid)) {
            let at = name.iter().rposition(|byte| *byte == b':')?;
            pid = number(name.get(at + 1..)?);
            name = name.get(..at)?;
        }
        let local = end(field(C::LocalAddress)?, field(C::LocalPort), family)?;
        let remote = end(
            field(C::RemoteAddress).unwrap_or(b"*"),
            field(C::RemotePort),
            family,
        )?;
        let word = field(C::State).unwrap_or_default();
        let state = match list::state(word) {
            Some(state) => state,
            None if remote.is_nobody() && !word.is_empty() => State::Listen,
            None => State::Unknown,
        };
        let mut row = Row::new(protocol, state, local, remote);
        let is_odd = |column| {
            let told = field(column).filter(|text| text.iter().any(u8::is_ascii_digit));
            told.is_some_and(|text| self::count(text).is_none())
        };
        let counts = [
            C::BytesSent,
            C::BytesReceived,
            C::PacketsSent,
            C::PacketsReceived,
        ];
        let is_odd_pid = field(C::Pid).is_some_and(is_odd_number::<u32>);
        let has_odd_number = is_odd_pid || counts.into_iter().any(is_odd);
        let count = |column| field(column).and_then(count);
        row.opened = field(C::Created).and_then(When::read);
        (row.bytes_sent, row.bytes_received) = (count(C::BytesSent), count(C::BytesReceived));
        (row.packets_sent, row.packets_received) =
            (count(C::PacketsSent), count(C::PacketsReceived));
        // It is not there of a connection that nobody holds any more.
        let pid = pid.unwrap_or(0);
        let path = field(C::Path)
            .filter(|path| !path.is_empty())
            .map(Text::from);
        let name = Text::from(name);
        Some(Self {
            row,
            pid,
            name,
            path,
            has_odd_number,
        })
    }
}

/// An address with its port in another field or behind a colon. Of one that stands for nobody both
/// may be empty.
fn end(address: &[u8], port: Option<&[u8]>, family: Family) -> Option<End> {
    let address = if address.is_empty() { b"*" } else { address };
    match port {
        Some(port) => End::of(address, port, family),
        None => End::read(address, family).or_else(|| End::host(address, family)),
    }
}

/// A number with any marks between its thousands.
fn count(text: &[u8]) -> Option<u64> {
    let digits: Vec<_> = text.iter().copied().filter(u8::is_ascii_digit).collect();
    let marks = text
        .iter()
        .all(|byte| byte.is_ascii_digit() || b",.' ".contains(byte) || !byte.is_ascii());
    marks.then(|| number(&digits)).flatten()
}

/// The columns of a line without a header.
fn columns_of(fields: &[Vec<u8>]) -> Option<&'static [Option<Column>]> {
    let is_protocol = |at: usize| {
        fields
            .get(at)
            .is_some_and(|field| protocol(field).is_some())
    };
    if is_protocol(1) {
        return Some(&VERSION_2);
    }
    is_protocol(2).then_some(())?;
    let third = fields.get(3)?.trim_ascii();
    let is_state = third.is_empty() || list::state(third).is_some();
    Some(if is_state { &VERSION_4 } else { &VERSION_3 })
}

/// A line of names of columns. `None`: it is none.
fn header(fields: &[Vec<u8>]) -> Option<Vec<Option<Column>>> {
    let columns: Vec<_> = fields.iter().map(|name| column(name)).collect();
    let has = |column| columns.contains(&Some(column));
    (has(C::Protocol) && has(C::LocalAddress) && has(C::Process)).then_some(columns)
}

fn column(name: &[u8]) -> Option<Column> {
    let letters = name.iter().filter(|byte| byte.is_ascii_alphabetic());
    let name: Vec<_> = letters.map(u8::to_ascii_lowercase).collect();
    Some(match name.as_slice() {
        b"process" | b"processname" => C::Process,
        b"pid" | b"processid" => C::Pid,
        b"protocol" => C::Protocol,
        b"state" => C::State,
        b"localaddress" => C::LocalAddress,
        b"localport" => C::LocalPort,
        b"remoteaddress" => C::RemoteAddress,
        b"remoteport" => C::RemotePort,
        b"createtime" | b"created" => C::Created,
        b"processpath" | b"path" => C::Path,
        b"sentpackets" => C::PacketsSent,
        b"recvpackets" | b"rcvdpackets" | b"receivedpackets" => C::PacketsReceived,
        b"sentbytes" => C::BytesSent,
        b"recvbytes" | b"rcvdbytes" | b"receivedbytes" => C::BytesReceived,
        _ => return None,
    })
}

/// The fields of a line: between tabs, else between commas, where quotation marks hold one together.
fn fields(line: &[u8]) -> Vec<Vec<u8>> {
    if line.contains(&b'\t') {
        let fields = line.split(|byte| *byte == b'\t').take(MOST_COLUMNS);
        return fields.map(|field| unquoted(field).to_vec()).collect();
    }
    let (mut fields, mut field, mut quoted) = (Vec::new(), Vec::new(), false);
    let mut bytes = line.iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if quoted && bytes.peek() == Some(&&b'"') => {
                bytes.next();
                field.push(b'"');
            }
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                if fields.len() < MOST_COLUMNS {
                    fields.push(std::mem::take(&mut field));
                }
                field.clear();
            }
            _ => field.push(*byte),
        }
    }
    fields.push(field);
    fields
}

fn unquoted(field: &[u8]) -> &[u8] {
    let inside = field
        .strip_prefix(b"\"")
        .and_then(|field| field.strip_suffix(b"\""));
    inside.unwrap_or(field)
}
