//! What Tcpvcon of Sysinternals writes: for each socket `[TCP] svchost.exe` and, indented, process,
//! state and both ends; with `-c` one line, `TCP,svchost.exe,1234,ESTABLISHED,here:1,there:2`.

use model::{Protocol, State, Text};

use super::format::Kind;
use super::list::{self, End, Family, Line, List, Reading, Row, number};

pub(super) const KIND: Kind = Kind {
    name: "Tcpvcon output",
    recognises: list::recognises::<Tcpvcon>,
    open: list::open::<Tcpvcon>,
};

/// A socket whose lines are being read.
#[derive(Default)]
struct Tcpvcon {
    socket: Option<Socket>,
}

struct Socket {
    protocol: Protocol,
    family: Family,
    program: Text,
    pid: Option<u32>,
    state: Option<State>,
    local: Option<End>,
}

const ODD: &str = "it is no socket as Tcpvcon writes one";

impl Reading for Tcpvcon {
    const TOOL: &'static str = "tcpvcon";

    fn line(&mut self, line: &[u8], list: &mut List) -> Line {
        let text = line.trim_ascii();
        if let Some(socket) = Socket::begin(text) {
            let before = self.socket.replace(socket);
            return before.map_or(Line::Known, |before| before.without_remote(list));
        }
        if self.socket.is_some() {
            if let Some(told) = self.of_socket(text, list) {
                return told;
            }
            self.socket = None;
        }
        if let Some((row, pid, name)) = comma_separated(text) {
            add(row, pid, name, list);
            return Line::Row;
        }
        if is_banner(text) {
            return Line::Known;
        }
        Line::Odd(ODD)
    }

    fn end(&mut self, list: &mut List) {
        if let Some(socket) = self.socket.take() {
            socket.without_remote(list);
        }
    }
}

impl Tcpvcon {
    /// `PID:     1234` and so on. The remote end is the last.
    fn of_socket(&mut self, text: &[u8], list: &mut List) -> Option<Line> {
        let socket = self.socket.as_mut()?;
        let at = text.iter().position(|byte| *byte == b':')?;
        let (key, value) = (text.get(..at)?, text.get(at + 1..)?.trim_ascii());
        match key {
            b"PID" => socket.pid = Some(number(value)?),
            b"State" => socket.state = list::state(value),
            b"Local" => socket.local = Some(end(value, socket.family)?),
            b"Remote" => {
                let remote = end(value, socket.family)?;
                let socket = self.socket.take()?;
                let state = state_of(socket.state, &remote);
                let row = Row::new(socket.protocol, state, socket.local?, remote);
                add(row, socket.pid.unwrap_or(0), socket.program, list);
                return Some(Line::Row);
            }
            _ => return None,
        }
        Some(Line::Known)
    }
}

impl Socket {
    fn begin(text: &[u8]) -> Option<Self> {
        let inside = text.strip_prefix(b"[")?;
        let at = inside.iter().position(|byte| *byte == b']')?;
        let (protocol, family) = protocol(inside.get(..at)?)?;
        Some(Self {
            protocol,
            family,
            program: Text::from(inside.get(at + 1..)?.trim_ascii()),
            pid: None,
            state: None,
            local: None,
        })
    }

    /// No line told of a remote end: there is none, or the list was cut.
    fn without_remote(self, list: &mut List) -> Line {
        let Some(local) = self.local else {
            return Line::Odd(ODD);
        };
        let remote = End::nobody();
        let row = Row::new(
            self.protocol,
            self.state.unwrap_or(State::Unknown),
            local,
            remote,
        );
        add(row, self.pid.unwrap_or(0), self.program, list);
        Line::Row
    }
}

/// The name of the program may have commas in it, and newer versions add columns: the ends are known
/// by the first column after which process, state and two ends follow.
fn comma_separated(text: &[u8]) -> Option<(Row, u32, Text)> {
    let fields: Vec<_> = text.split(|byte| *byte == b',').take(64).collect();
    let (protocol, family) = protocol(fields.first()?)?;
    (2..fields.len()).find_map(|at| {
        let [pid, state, local, remote] = fields.get(at..)?.first_chunk()?;
        let (pid, state) = (number(pid)?, list::state(state));
        let (local, remote) = (end(local, family)?, end(remote, family)?);
        let row = Row::new(protocol, state_of(state, &remote), local, remote);
        Some((row, pid, Text::from(fields.get(1..at)?.join(&b','))))
    })
}

fn add(row: Row, pid: u32, name: Text, list: &mut List) {
    list.add(row);
    list.held_by(pid);
    if let Some(program) = list.program(pid) {
        program.name.get_or_insert(name);
    }
}

/// An end; the port is left out where it is 0 or any.
fn end(text: &[u8], family: Family) -> Option<End> {
    End::read(text, family).or_else(|| End::host(text, family))
}

fn state_of(state: Option<State>, remote: &End) -> State {
    state.unwrap_or(if remote.is_nobody() {
        State::Listen
    } else {
        State::Unknown
    })
}

pub(super) fn protocol(word: &[u8]) -> Option<(Protocol, Family)> {
    Some(match word {
        b"TCP" => (Protocol::Tcp, Family::Unknown),
        b"UDP" => (Protocol::Udp, Family::Unknown),
        b"TCPV6" | b"TCPv6" | b"TCP6" => (Protocol::Tcp, Family::V6),
        b"UDPV6" | b"UDPv6" | b"UDP6" => (Protocol::Udp, Family::V6),
        _ => return None,
    })
}

/// What it says of itself before the list.
fn is_banner(text: &[u8]) -> bool {
    let begins = |word: &[u8]| {
        text.get(..word.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(word))
    };
    begins(b"Tcpvcon v")
        || begins(b"TCPView v")
        || begins(b"Copyright (C)")
        || begins(b"Sysinternals")
}
