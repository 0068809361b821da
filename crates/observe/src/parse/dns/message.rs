//! Whole messages of DNS (RFC 1035, 4.1): what was asked, and what was answered to it. The same
//! among neighbours: mDNS (RFC 6762), where answers come without a question, and LLMNR (RFC 4795).
//!
//! A message that is cut short gives what can be read of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use model::{Answer, Text};

use super::super::attributes::{be16_at, be32_at};
use super::HEADER;
use super::name::name;

/// QR, and OPCODE, of which 0 is a standard query.
const ANSWER: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const CODE: u16 = 0x000f;
/// More are not read of one message.
const MOST_QUESTIONS: u16 = 32;
const MOST_RECORDS: u32 = 512;
const MOST_ALIASES: usize = 16;
const MOST_NAMES: usize = 64;

/// Types of records (RFC 1035, 3.2.2; RFC 3596, 2.1).
const A: u16 = 1;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const AAAA: u16 = 28;

/// One name of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) name: Text,
    /// What is asked about it, or where nothing was asked, what is told.
    pub(crate) kind: u16,
    /// `None`: it is only asked.
    pub(crate) answer: Option<Answer>,
}

/// Tells what a message says. `among_neighbours`: several may be asked at once, and answers need no
/// question. Nothing is told of what is not DNS.
pub(crate) fn said(message: &[u8], among_neighbours: bool, mut told: impl FnMut(Said)) {
    let Some(flags) = be16_at(message, 2) else {
        return;
    };
    let Some(counts) = counts(message) else {
        return;
    };
    let [questions, answers, authorities, additional] = counts;
    if flags & OPCODE != 0 {
        return;
    }
    let is_answer = flags & ANSWER != 0;
    let mut at = HEADER;
    let mut first = None;
    for number in 0..questions.min(MOST_QUESTIONS) {
        let Some((asked, kind, after)) = question_at(message, at) else {
            return;
        };
        at = after;
        if number == 0 && is_answer {
            first = Some((asked, kind));
        } else if number == 0 || (among_neighbours && !is_answer) {
            told(Said {
                name: asked,
                kind,
                answer: None,
            });
        }
    }
    if !is_answer || questions > MOST_QUESTIONS {
        return;
    }
    let bytes = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let code = u8::try_from(flags & CODE).unwrap_or_default();
    match first {
        Some((asked, kind)) => {
            let records = Records::new(message, at, u32::from(answers));
            let mut answer = Answer {
                code,
                bytes,
                ..Answer::default()
            };
            fill(message, &asked, records, &mut answer);
            told(Said {
                name: asked,
                kind,
                answer: Some(answer),
            });
        }
        None if among_neighbours => {
            let all = [answers, authorities, additional]
                .map(u32::from)
                .iter()
                .sum();
            let records = Records::new(message, at, all);
            for (name, kind, mut answer) in announced(message, records) {
                answer.code = code;
                answer.bytes = bytes;
                told(Said {
                    name,
                    kind,
                    answer: Some(answer),
                });
            }
        }
        None => {}
    }
}

/// How many questions, answers, authorities and additional records there are.
fn counts(message: &[u8]) -> Option<[u16; 4]> {
    Some([
        be16_at(message, 4)?,
        be16_at(message, 6)?,
        be16_at(message, 8)?,
        be16_at(message, 10)?,
    ])
}

/// The name, the type, and where the next one begins.
fn question_at(message: &[u8], at: usize) -> Option<(Text, u16, usize)> {
    let (name, after) = name(message, at)?;
    let kind = be16_at(message, after)?;
    let _class = be16_at(message, after.checked_add(2)?)?;
    Some((name, kind, after.checked_add(4)?))
}

/// A resource record (RFC 1035, 4.1.3).
#[derive(Clone, Debug)]
struct Record {
    owner: Text,
    kind: u16,
    ttl: u32,
    data: Range<usize>,
}

/// The records of a message; ends at the first that is cut short.
struct Records<'a> {
    message: &'a [u8],
    at: usize,
    left: u32,
}

impl<'a> Records<'a> {
    fn new(message: &'a [u8], at: usize, count: u32) -> Self {
        Self {
            message,
            at,
            left: count.min(MOST_RECORDS),
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.left = self.left.checked_sub(1)?;
        let (owner, after) = name(self.message, self.at)?;
        let kind = be16_at(self.message, after)?;
        let ttl = be32_at(self.message, after.checked_add(4)?)?;
        let length = be16_at(self.message, after.checked_add(8)?)?;
        let start = after.checked_add(10)?;
        let data = start..start.checked_add(usize::from(length))?;
        self.message.get(data.clone())?;
        self.at = data.end;
        Some(Record {
            owner,
            kind,
            ttl,
            data,
        })
    }
}

/// Follows the aliases from `asked` on, in whatever order the records stand, and takes the addresses
/// and texts of the names on the way; other records are nobody's answer.
fn fill(message: &[u8], asked: &Text, records: Records<'_>, answer: &mut Answer) {
    let records: Vec<_> = records
        .filter(|record| matches!(record.kind, A | AAAA | CNAME | TXT))
        .collect();
    let mut current = asked.clone();
    loop {
        let mut next = None;
        for record in records
            .iter()
            .filter(|record| same(&record.owner, &current))
        {
            if record.kind == CNAME {
                next = name(message, record.data.start).map(|(name, _)| name);
            } else {
                take(message, record, answer);
            }
        }
        match next {
            Some(name)
                if answer.aliases.len() < MOST_ALIASES
                    && !same(&name, asked)
                    && !answer.aliases.iter().any(|alias| same(alias, &name)) =>
            {
                answer.aliases.push(name.clone());
                current = name;
            }
            _ => return,
        }
    }
}

/// What neighbours tell of themselves: each name and type once.
fn announced(message: &[u8], records: Records<'_>) -> Vec<(Text, u16, Answer)> {
    let mut all: Vec<(Text, u16, Answer)> = Vec::new();
    // OPT and NSEC (RFC 6762, 6.1) are no names.
    for record in records.filter(|record| !matches!(record.kind, 41 | 47)) {
        let known = all
            .iter()
            .position(|(name, kind, _)| *kind == record.kind && same(name, &record.owner));
        let place = match known {
            Some(place) => place,
            None if all.len() < MOST_NAMES => {
                all.push((record.owner.clone(), record.kind, Answer::default()));
                all.len() - 1
            }
            None => continue,
        };
        if let Some((_, _, answer)) = all.get_mut(place) {
            take(message, &record, answer);
        }
    }
    all
}

fn take(message: &[u8], record: &Record, answer: &mut Answer) {
    let data = message.get(record.data.clone()).unwrap_or_default();
    match record.kind {
        A => {
            if let Ok(bytes) = <[u8; 4]>::try_from(data) {
                let address = IpAddr::V4(Ipv4Addr::from(bytes));
                answer.addresses.push((address, record.ttl));
            }
        }
        AAAA => {
            if let Ok(bytes) = <[u8; 16]>::try_from(data) {
                let address = IpAddr::V6(Ipv6Addr::from(bytes));
                answer.addresses.push((address, record.ttl));
            }
        }
        TXT => {
            answer.texts.push(joined(data).into());
            let shortest = answer.text_ttl.map_or(record.ttl, |it| it.min(record.ttl));
            answer.text_ttl = Some(shortest);
        }
        _ => {}
    }
}

/// The strings of a TXT record, one behind the other (RFC 1035, 3.3.14).
fn joined(mut data: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(data.len());
    while let Some((length, rest)) = data.split_first() {
        let (string, rest) = rest
            .split_at_checked(usize::from(*length))
            .unwrap_or((rest, &[]));
        text.extend(string);
        data = rest;
    }
    text
}

/// Names are the same in upper and lower case (RFC 4343).
fn same(one: &Text, other: &Text) -> bool {
    one.bytes().eq_ignore_ascii_case(other.bytes())
}

#[cfg(test)]
mod tests;
