//! `lsof -F`: a field in each line, its letter first (lsof(8), OUTPUT FOR OTHER PROGRAMS): `p` process,
//! `f` descriptor, `t` type, `P` protocol, `n` name. With `-F0` a NUL stands after each field, and a
//! line has all fields of a process or of a file.

use model::{State, Text};

use super::super::list::{Family, Line, List, Reading, is_odd_number, number};
use super::{ends_of, family, protocol, row};

#[derive(Default)]
pub(super) struct Fields {
    process: Process,
    file: File,
}

#[derive(Default)]
struct Process {
    pid: Option<u32>,
    name: Option<Text>,
    user: Option<Text>,
    uid: Option<u32>,
}

#[derive(Default)]
struct File {
    family: Option<Family>,
    protocol: Vec<u8>,
    name: Vec<u8>,
    state: Option<State>,
    inode: Option<u64>,
}

const ODD: &str = "it is no field as lsof writes one";
const ODD_FILE: &str = "it is no socket as lsof writes one";

impl Reading for Fields {
    const TOOL: &'static str = "lsof";

    fn line(&mut self, line: &[u8], list: &mut List) -> Line {
        let fields = line
            .split(|byte| *byte == 0)
            .filter(|field| !field.is_empty());
        let mut told = Line::Known;
        for field in fields.take(256) {
            match self.field(field, list) {
                Line::Known => {}
                other @ (Line::Row | Line::Header | Line::Odd(_)) => told = other,
            }
        }
        told
    }

    fn end(&mut self, list: &mut List) {
        self.end_of_file(list);
    }
}

impl Fields {
    fn field(&mut self, field: &[u8], list: &mut List) -> Line {
        let Some((letter, text)) = field.split_first() else {
            return Line::Known;
        };
        if *letter == b'p' {
            let told = self.end_of_file(list);
            self.process = Process {
                pid: number(text),
                ..Process::default()
            };
            return if self.process.pid.is_some() {
                told
            } else {
                Line::Odd(ODD)
            };
        }
        if self.process.pid.is_none() {
            return Line::Odd(ODD);
        }
        match letter {
            b'f' => return self.end_of_file(list),
            b'c' => self.process.name = Some(super::unescaped(text)),
            b'L' => self.process.user = Some(Text::from(text)),
            b'u' => self.process.uid = number(text),
            b't' => self.file.family = family(text),
            b'P' => self.file.protocol = text.to_vec(),
            b'n' => self.file.name = text.to_vec(),
            b'd' => self.file.inode = number(text),
            b'T' => {
                if let Some(state) = text.strip_prefix(b"ST=") {
                    self.file.state = super::list::state(state);
                }
            }
            letter if letter.is_ascii_alphabetic() => {}
            _ => return Line::Odd(ODD),
        }
        Line::Known
    }

    /// The fields of a file are all there.
    fn end_of_file(&mut self, list: &mut List) -> Line {
        let file = std::mem::take(&mut self.file);
        let (Some(family), Some(pid)) = (file.family, self.process.pid) else {
            return Line::Known;
        };
        let is_odd_port = |part: &[u8]| {
            let arrow = part.windows(2).position(|two| two == b"->");
            part.get(..arrow.unwrap_or(part.len()))
                .is_some_and(is_odd_number::<u16>)
        };
        if file.name.split(|byte| *byte == b':').any(is_odd_port) {
            list.has_odd_number();
        }
        let protocol = protocol(&file.protocol, family);
        let row = protocol.and_then(|protocol| {
            row(protocol, family, &file.name).or_else(|| ends_of(protocol, family, b"*:*"))
        });
        let Some(mut row) = row else {
            return Line::Odd(ODD_FILE);
        };
        row.inode = file.inode;
        if let Some(state) = file.state.filter(|_| row.protocol.has_connections()) {
            row.state = state;
        }
        list.add(row);
        list.held_by(pid);
        if let Some(program) = list.program(pid) {
            program.name = program.name.take().or(self.process.name.clone());
            program.user = program.user.take().or(self.process.user.clone());
            program.uid = program.uid.or(self.process.uid);
        }
        Line::Row
    }
}
