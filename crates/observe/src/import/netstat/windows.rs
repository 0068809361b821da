//! `netstat -abno` of Windows. Headers, states and sentences are in the language of the computer, in
//! any encoding: a row is known by its shape. With `-b`, lines follow it: the service (`RpcSs`), then
//! the program (` [svchost.exe]`); or a sentence that nothing could be learnt. Older ones list the
//! libraries through which the program came to open it, and the program at their end.

use model::{Protocol, State, Text};

use super::super::list::{self, End, Family, Line, List, Row, is_odd_number, number, words};

#[derive(Default)]
pub(super) struct Windows {
    /// The header has no column for processes.
    without_pids: bool,
    row: Option<AfterRow>,
}

/// What belongs to the row before.
struct AfterRow {
    pid: Option<u32>,
    indented: bool,
    /// A line that is a service if a program follows, else a sentence.
    words: Option<Text>,
    paths: Vec<Text>,
}

/// A program comes through fewer libraries.
const MOST_PATHS: usize = 1024;
const ODD: &str = "it is no socket as netstat writes one";

impl Windows {
    /// Of English and the languages that have the same word for a protocol.
    pub(super) fn header(&mut self, line: &[u8]) -> Option<Line> {
        let mut words = words(line);
        let first = words.next()?;
        let is_header = first.eq_ignore_ascii_case(b"Proto") && words.clone().count() >= 3;
        if !is_header {
            return None;
        }
        self.row = None;
        self.without_pids = !words.any(|word| word == b"PID");
        Some(Line::Header)
    }

    /// Another line stands between.
    pub(super) fn forget_row(&mut self) {
        self.row = None;
    }

    pub(super) fn line(&mut self, line: &[u8], list: &mut List) -> Line {
        let indented = line.first().is_some_and(u8::is_ascii_whitespace);
        if let Some((row, pid)) = self.socket(line) {
            self.row = Some(AfterRow {
                pid,
                indented,
                words: None,
                paths: Vec::new(),
            });
            list.add(row);
            if words(line).skip(3).any(is_odd_number::<u32>) {
                list.has_odd_number();
            }
            if let Some(pid) = pid {
                list.held_by(pid);
            }
            return Line::Row;
        }
        // What begins like a socket is no name of a program.
        if words(line).next().and_then(protocol).is_some() {
            self.row = None;
            return Line::Odd(ODD);
        }
        let Some(row) = &mut self.row else {
            return Line::Odd(ODD);
        };
        let text = line.trim_ascii();
        if let Some(name) = text
            .strip_prefix(b"[")
            .and_then(|text| text.strip_suffix(b"]"))
        {
            row.is_of(name, list);
            self.row = None;
            return Line::Known;
        }
        if indented != row.indented {
            self.row = None;
            return Line::Odd(ODD);
        }
        let path = text.get(1..3) == Some(b":\\") || text.starts_with(b"\\");
        if path || text.starts_with(b"--") && text.ends_with(b"--") {
            if path && row.paths.len() < MOST_PATHS {
                row.paths.push(Text::from(text));
            }
            return Line::Known;
        }
        if row.words.is_some() || text.len() > 256 {
            self.row = None;
            return Line::Odd(ODD);
        }
        row.words = Some(Text::from(text));
        Line::Known
    }

    fn socket(&self, line: &[u8]) -> Option<(Row, Option<u32>)> {
        let mut told = words(line);
        let (protocol, family) = protocol(told.next()?)?;
        let local = End::read(told.next()?, family)?;
        let remote = End::read(told.next()?, family)?;
        let rest: Vec<_> = told.take(16).collect();
        // After the process there may be how far the network card takes over.
        // A state of another language may end in a number: `FIN WAIT 2`.
        let least = if self.without_pids { 3 } else { 0 };
        let pid_at = rest
            .iter()
            .rposition(|word| number(word).is_some_and(|pid: u32| pid >= least));
        let pid = pid_at.and_then(|at| number(rest.get(at)?));
        let word = rest.get(..pid_at.unwrap_or(rest.len()))?.join(&b' ');
        let state = list::state(&word).or_else(|| list::state(rest.first()?));
        let state = match state {
            Some(state) => state,
            // Whatever the word is: it has no other side, so it waits for one.
            None if remote.is_nobody() && !word.is_empty() => State::Listen,
            None => State::Unknown,
        };
        Some((Row::new(protocol, state, local, remote), pid))
    }
}

impl AfterRow {
    /// The program is told, and with it what the lines before it were.
    fn is_of(&mut self, name: &[u8], list: &mut List) {
        let Some(program) = self.pid.and_then(|pid| list.program(pid)) else {
            return;
        };
        program.name.get_or_insert_with(|| Text::from(name));
        if let Some(service) = self.words.take() {
            program.services.insert(service);
        }
        let is_program = |path: &&Text| {
            let file = path.bytes().rsplit(|byte| *byte == b'\\').next();
            file.is_some_and(|file| file.eq_ignore_ascii_case(name))
        };
        if program.path.is_none() {
            program.path = self.paths.iter().find(is_program).cloned();
        }
    }
}

fn protocol(word: &[u8]) -> Option<(Protocol, Family)> {
    Some(match word {
        b"TCP" => (Protocol::Tcp, Family::Unknown),
        b"UDP" => (Protocol::Udp, Family::Unknown),
        b"TCPv6" | b"TCPV6" => (Protocol::Tcp, Family::V6),
        b"UDPv6" | b"UDPV6" => (Protocol::Udp, Family::V6),
        _ => return None,
    })
}
