//! Holds an expression against what is known of a connection and its process.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use model::{
    Connection, Direction, Endpoint, Finding, Greeting, Owner, Process, Severity, State, Text,
    Timestamp,
};

use super::expression::{Expression, Term};
use super::glob::lower;
use super::key::Key;
use super::value::Value;
use crate::findings::Found;

/// What a filter is asked about.
pub(super) struct Subject<'a> {
    /// `None`: a process by itself.
    pub(super) connection: Option<&'a Connection>,
    /// `None`: not known.
    pub(super) process: Option<&'a Process>,
    /// `None`: not known. Of the process or, where that is not known, of who created the socket.
    pub(super) user: Option<&'a Text>,
    /// A name that was asked for; `None`: it is about something else, or which one is not known.
    pub(super) name: Option<&'a Text>,
    pub(super) findings: About<'a>,
    pub(super) now: Timestamp,
}

/// What rules say of it.
#[derive(Clone, Copy)]
pub(super) enum About<'a> {
    /// Nobody knows.
    Nothing,
    /// It is one among these.
    Among(&'a Found),
    /// It is about this one.
    One(&'a Finding),
}

/// One known fact.
enum Fact<'a> {
    Text(Cow<'a, str>),
    Number(u64),
    Address(IpAddr),
    /// A word of the public contract.
    Word(&'static str),
    /// Why the fact is absent, as a word of the public contract.
    Why(&'static str),
}

/// All that is known for one key; a value that matches one of them is enough. The fact is
/// absent when none of them is known.
type Facts<'a> = [Option<Fact<'a>>; 3];

/// How much of a container's id its engine shows.
const SHORT_ID: usize = 12;

impl<'a> Subject<'a> {
    pub(super) fn satisfies(&self, expression: &Expression) -> bool {
        match expression {
            Expression::All(parts) => parts.iter().all(|part| self.satisfies(part)),
            Expression::Any(parts) => parts.iter().any(|part| self.satisfies(part)),
            Expression::Not(inner) => !self.satisfies(inner),
            Expression::Term(Term::FreeText(text)) => self.says(text),
            Expression::Term(Term::Fact {
                key: key @ (Key::Rule | Key::Every),
                values,
            }) => {
                let told = self.told(*key);
                let accepted = |facts| values.iter().any(|value| accepts(value, &facts));
                if told.is_empty() {
                    return accepted(one(None));
                }
                told.into_iter().any(|fact| accepted(one(Some(fact))))
            }
            Expression::Term(Term::Fact { key, values }) => {
                let facts = self.facts(*key);
                values.iter().any(|value| accepts(value, &facts))
            }
        }
    }

    fn facts(&self, key: Key) -> Facts<'a> {
        let (connection, process) = (self.connection, self.process);
        let local = connection.map(|connection| connection.local);
        let remote = connection.and_then(|connection| connection.remote);
        match key {
            Key::Proc => [
                process.and_then(|process| text(&process.name)),
                process.and_then(file_name).map(Fact::Text),
                process.and_then(without_exe).map(Fact::Text),
            ],
            Key::Pid => one(self.pid().map(number)),
            Key::User => one(self.user.and_then(text)),
            Key::Uid => [
                process.and_then(|process| process.uid).map(number),
                connection.and_then(|connection| connection.uid).map(number),
                None,
            ],
            Key::Exe => one(process.and_then(|process| text(process.path.as_ref()?))),
            Key::Unit => {
                let unit = process.and_then(|process| Some(process.unit.as_ref()?.lossy()));
                let short = unit
                    .as_deref()
                    .and_then(|unit| unit.strip_suffix(".service"))
                    .map(str::to_owned);
                [
                    unit.map(Fact::Text),
                    short.map(|unit| Fact::Text(Cow::Owned(unit))),
                    None,
                ]
            }
            Key::Container => {
                let container = process.and_then(|process| process.container.as_ref());
                let short = container.map(|container| {
                    Cow::Owned(container.id.lossy().chars().take(SHORT_ID).collect())
                });
                [
                    container.map(|container| Fact::Text(Cow::Borrowed(container.engine))),
                    container.and_then(|container| text(&container.id)),
                    short.map(Fact::Text),
                ]
            }
            Key::Netns => {
                let netns = match connection {
                    Some(connection) => connection.netns,
                    None => process.and_then(|process| process.netns),
                };
                one(netns.map(|netns| number(netns.0)))
            }
            Key::Dst => one(remote.and_then(|remote| remote.ip).map(Fact::Address)),
            Key::Src => one(local.and_then(|local| local.ip).map(Fact::Address)),
            Key::Port => [local.and_then(port), remote.and_then(port), None],
            Key::Lport => one(local.and_then(port)),
            Key::Rport => one(remote.and_then(port)),
            Key::Proto => one(connection.map(|connection| Fact::Word(connection.protocol.word()))),
            Key::State => one(connection
                .map(|connection| connection.state)
                .filter(|state| *state != State::Unknown)
                .map(|state| Fact::Word(state.word()))),
            Key::Dir => one(connection
                .map(|connection| connection.direction)
                .filter(|direction| *direction != Direction::Unknown)
                .map(|direction| Fact::Word(direction.word()))),
            Key::Inode => one(connection
                .and_then(|connection| connection.socket.inode)
                .map(Fact::Number)),
            Key::New => one(connection
                .and_then(|connection| connection.opened)
                .and_then(|opened| u64::try_from(opened.until(self.now).as_nanos()).ok())
                .map(Fact::Number)),
            Key::Up => one(connection
                .and_then(|connection| connection.bytes_sent)
                .map(Fact::Number)),
            Key::Down => one(connection
                .and_then(|connection| connection.bytes_received)
                .map(Fact::Number)),
            Key::Owner => one(connection.map(|connection| match connection.owner {
                Owner::Known { .. } => Fact::Word("known"),
                Owner::Unknown { why } => Fact::Why(why.word()),
            })),
            Key::Name => {
                let name = connection
                    .and_then(|it| it.name.as_ref())
                    .map(|it| &it.name);
                one(self.name.or(name).and_then(text))
            }
            Key::Ja4 => match connection.and_then(|it| it.greeting.as_deref()) {
                Some(Greeting::Tls(tls)) => one(tls.ja4.as_ref().and_then(text)),
                Some(_) | None => one(None),
            },
            Key::Severity => one(self.severity().map(Fact::Number)),
            // Of these there may be more than one.
            Key::Every | Key::Rule => one(None),
        }
    }

    /// That of the worst finding, as a place among all.
    fn severity(&self) -> Option<u64> {
        let worst = match (self.findings, self.connection) {
            (About::Nothing, _) => None,
            (About::One(finding), _) => Some(finding.severity),
            (About::Among(found), Some(connection)) => found.worst(connection, self.process),
            (About::Among(found), None) => {
                let of_program = found.about_program(Some(self.process?.program()), None);
                of_program.map(|it| it.severity).max()
            }
        };
        let place = Severity::ALL.iter().position(|it| Some(*it) == worst)?;
        u64::try_from(place).ok()
    }

    /// What findings tell for a key: as many facts as there are.
    fn told(&self, key: Key) -> Vec<Fact<'a>> {
        let findings = self.about().into_iter();
        if key == Key::Every {
            return findings.flat_map(paces).map(Fact::Number).collect();
        }
        let rules = findings.map(|it| Fact::Text(Cow::Borrowed(it.rule)));
        rules.collect()
    }

    fn about(&self) -> Vec<&'a Finding> {
        match (self.findings, self.connection, self.process) {
            (About::Among(found), Some(connection), process) => {
                let found = found.about(connection, process).into_iter();
                found.map(AsRef::as_ref).collect()
            }
            (About::Among(found), None, Some(process)) => {
                let found = found.about_program(Some(process.program()), None);
                found.map(AsRef::as_ref).collect()
            }
            (About::One(finding), _, _) => vec![finding],
            (About::Nothing | About::Among(_), _, _) => Vec::new(),
        }
    }

    fn pid(&self) -> Option<u32> {
        let id = self.process.map(|process| process.id);
        let id = id.or_else(|| self.connection?.owner.process());
        id.map(|id| id.pid)
    }

    /// Whether a text, in lower case, is a part of any fact that a list shows.
    fn says(&self, wanted: &str) -> bool {
        let says = |text: &str| lower(text).contains(wanted);
        let process_says = |process: &Process| {
            let texts = [
                Some(&process.name),
                process.path.as_ref(),
                process.user.as_ref(),
            ];
            texts.into_iter().flatten().any(|text| says(&text.lossy()))
                || process.command_line.as_deref().is_some_and(|arguments| {
                    let arguments: Vec<_> = arguments.iter().map(Text::lossy).collect();
                    says(&arguments.join(" "))
                })
        };
        let connection_says = |connection: &Connection| {
            let ends = [Some(connection.local), connection.remote];
            says(connection.protocol.word())
                || says(connection.state.word())
                || ends.into_iter().flatten().any(|end| says(&written(end)))
                || connection
                    .name
                    .as_ref()
                    .is_some_and(|it| says(&it.name.lossy()))
        };
        self.connection.is_some_and(connection_says)
            || self.process.is_some_and(process_says)
            || self.name.is_some_and(|name| says(&name.lossy()))
    }
}

/// How often something comes by a finding, in nanoseconds.
fn paces(finding: &Finding) -> impl Iterator<Item = u64> {
    let facts = ["period", "mean_gap", "heartbeat"].into_iter();
    facts.filter_map(|name| match finding.fact(name) {
        Some(model::Fact::Duration(length)) => u64::try_from(length.as_nanos()).ok(),
        Some(_) | None => None,
    })
}

fn accepts(value: &Value, facts: &Facts<'_>) -> bool {
    let mut facts = facts.iter().flatten();
    match value {
        Value::Unknown => facts.all(|fact| matches!(fact, Fact::Why(_))),
        Value::Text(glob) => {
            facts.any(|fact| matches!(fact, Fact::Text(text) if glob.matches(text)))
        }
        Value::Numbers(numbers, _) => {
            facts.any(|fact| matches!(fact, Fact::Number(number) if numbers.contains(*number)))
        }
        Value::Addresses(addresses) => {
            facts.any(|fact| matches!(fact, Fact::Address(address) if addresses.contains(*address)))
        }
        Value::Word(wanted) => {
            facts.any(|fact| matches!(fact, Fact::Word(word) | Fact::Why(word) if word == wanted))
        }
    }
}

fn one(fact: Option<Fact<'_>>) -> Facts<'_> {
    [fact, None, None]
}

/// `None` when it is empty: nobody is called nothing.
fn text(text: &Text) -> Option<Fact<'_>> {
    (!text.is_empty()).then(|| Fact::Text(text.lossy()))
}

fn number<'a>(number: u32) -> Fact<'a> {
    Fact::Number(number.into())
}

fn port<'a>(end: Endpoint) -> Option<Fact<'a>> {
    end.port.map(|port| Fact::Number(port.into()))
}

/// As people call a program of Windows: `talk` for `talk.exe`.
fn without_exe(process: &Process) -> Option<Cow<'_, str>> {
    const EXE: usize = ".exe".len();
    let name = process.name.lossy();
    let (stem, end) = name.split_at_checked(name.len().checked_sub(EXE)?)?;
    let is_exe = end.eq_ignore_ascii_case(".exe") && !stem.is_empty();
    is_exe.then(|| Cow::Owned(stem.to_owned()))
}

/// The last part of the program's path; only a path without any `/` is taken apart at `\`.
fn file_name(process: &Process) -> Option<Cow<'_, str>> {
    let path = process.path.as_ref()?.lossy();
    let separator = if path.contains('/') { '/' } else { '\\' };
    let name = path.rsplit(separator).next()?.to_owned();
    (!name.is_empty()).then_some(Cow::Owned(name))
}

/// `10.0.0.1:443`, `[::1]:443`, or what there is of it.
fn written(end: Endpoint) -> String {
    match (end.ip, end.port) {
        (Some(ip), Some(port)) => SocketAddr::new(ip, port).to_string(),
        (Some(ip), None) => ip.to_string(),
        (None, Some(port)) => port.to_string(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests;
