//! Answers of DNS (RFC 1035, section 4; AAAA: RFC 3596), as a resolver gave them: the records that were
//! asked for, of the name that was asked for or of one that it stands for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Failure, Reply, Said};

use super::RecordKind;

/// More records than this are not read.
const MOST_RECORDS: usize = 256;
/// RFC 1035, 3.1; and the pointers of one name, each of which goes back.
const MOST_NAME_BYTES: usize = 255;
const MOST_POINTERS: usize = 64;
/// Names that stand for others, one behind the other.
const MOST_ALIASES: usize = 16;

/// What a record has in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Address(IpAddr),
    /// Labels with dots between them, none at the end; written as zone files have it (RFC 1035, 5.1).
    Pointer(String),
    /// All its parts in one.
    Text(Vec<u8>),
}

/// A whole message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// That of the first question.
    pub(crate) name: String,
    pub(crate) response_code: u16,
    /// The server had more than it could send.
    pub(crate) is_cut: bool,
    pub(crate) records: Vec<Record>,
}

/// The records of a reply, of the kind that was asked for.
///
/// Errors: what is said instead, the name that nobody has among it.
pub(crate) fn records(reply: &Reply, kind: RecordKind) -> Result<Vec<Record>, Said> {
    let unreadable = || Said::Failed(Failure::Unreadable("no answer of DNS".to_owned()));
    let message = match read(&reply.bytes, kind) {
        Some(message) => Ok(message),
        // Some hand on the code alone.
        None => match reply.status {
            Some(code) if code != NO_ERROR && reply.bytes.is_empty() => Err(refused(code)),
            _ => Err(unreadable()),
        },
    }?;
    match reply.status.unwrap_or(message.response_code) {
        NO_ERROR if !message.records.is_empty() => Ok(message.records),
        NO_ERROR if message.is_cut => Err(Said::Failed(Failure::Cut)),
        NO_ERROR => Err(Said::NoData),
        code => Err(refused(code)),
    }
}

/// RFC 1035, 4.1.1; RFC 6895, 2.3.
const NO_ERROR: u16 = 0;
const NO_SUCH_NAME: u16 = 3;

fn refused(code: u16) -> Said {
    let word = match code {
        NO_SUCH_NAME => return Said::NoData,
        1 => "FORMERR",
        2 => "SERVFAIL",
        4 => "NOTIMP",
        5 => "REFUSED",
        _ => return Said::Failed(Failure::Status(code, None)),
    };
    Said::Failed(Failure::Status(code, Some(word.into())))
}

/// `None`: it is no answer, or ends in the middle of a record.
pub(crate) fn read(message: &[u8], kind: RecordKind) -> Option<Message> {
    let (header, _) = message.split_first_chunk::<12>()?;
    let &[_, _, high, low, q0, q1, a0, a1, ..] = header;
    let is_answer = high & 0x80 != 0;
    if !is_answer {
        return None;
    }
    let (questions, answers) = (u16::from_be_bytes([q0, q1]), u16::from_be_bytes([a0, a1]));
    let mut at = header.len();
    let mut asked = None;
    for _ in 0..usize::from(questions).min(MOST_RECORDS) {
        let (name, behind) = name(message, at)?;
        at = behind.checked_add(4)?;
        message.get(behind..at)?;
        asked.get_or_insert(name);
    }
    let is_cut = high & 0x02 != 0;
    let mut found = Vec::new();
    let mut aliases = Vec::new();
    for _ in 0..usize::from(answers).min(MOST_RECORDS) {
        let Some((record, behind)) = resource(message, at) else {
            if is_cut {
                break;
            }
            return None;
        };
        at = behind;
        match (record.kind, kind) {
            (CNAME, _) => {
                let (target, _) = name(message, record.data_at)?;
                aliases.push((record.owner, target));
            }
            (A, RecordKind::A) => {
                let address: [u8; 4] = record.data.try_into().ok()?;
                let address = Record::Address(Ipv4Addr::from(address).into());
                found.push((record.owner, address));
            }
            (AAAA, RecordKind::Aaaa) => {
                let address: [u8; 16] = record.data.try_into().ok()?;
                let address = Record::Address(Ipv6Addr::from(address).into());
                found.push((record.owner, address));
            }
            (PTR, RecordKind::Ptr) => {
                let (target, _) = name(message, record.data_at)?;
                found.push((record.owner, Record::Pointer(target)));
            }
            (TXT, RecordKind::Txt) => {
                found.push((record.owner, Record::Text(parts(record.data)?)));
            }
            _ => {}
        }
    }
    let asked = asked.unwrap_or_default();
    let names = same(&asked, &aliases);
    let is_asked = |owner: &String| {
        asked.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(owner))
    };
    let records = found.into_iter().filter(|(owner, _)| is_asked(owner));
    let records = records.map(|(_, record)| record).collect();
    Some(Message {
        name: asked,
        response_code: u16::from(low & 0x0f),
        is_cut,
        records,
    })
}

const A: u16 = 1;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const INTERNET: u16 = 1;

struct Resource<'a> {
    owner: String,
    /// 0 for another class than the internet's.
    kind: u16,
    data: &'a [u8],
    /// Where its data begins in the message: names in it may point back.
    data_at: usize,
}

/// A record, and where the next one begins (RFC 1035, 4.1.3).
fn resource(message: &[u8], at: usize) -> Option<(Resource<'_>, usize)> {
    let (owner, behind) = name(message, at)?;
    let (fixed, _) = message.get(behind..)?.split_first_chunk::<10>()?;
    let &[k0, k1, c0, c1, _, _, _, _, l0, l1] = fixed;
    let data_at = behind.checked_add(fixed.len())?;
    let end = data_at.checked_add(usize::from(u16::from_be_bytes([l0, l1])))?;
    let is_internet = u16::from_be_bytes([c0, c1]) == INTERNET;
    let kind = if is_internet {
        u16::from_be_bytes([k0, k1])
    } else {
        0
    };
    let data = message.get(data_at..end)?;
    let resource = Resource {
        owner,
        kind,
        data,
        data_at,
    };
    Some((resource, end))
}

/// A name and where what follows it begins (RFC 1035, 4.1.4).
fn name(message: &[u8], at: usize) -> Option<(String, usize)> {
    let (mut text, mut bytes, mut at) = (String::new(), 0, at);
    let mut behind = None;
    for _ in 0..MOST_NAME_BYTES + MOST_POINTERS {
        let length = *message.get(at)?;
        match length >> 6 {
            0 if length == 0 => return Some((text, behind.unwrap_or(at + 1))),
            0 => {
                let end = at + 1 + usize::from(length);
                bytes += 1 + usize::from(length);
                if bytes >= MOST_NAME_BYTES {
                    return None;
                }
                if !text.is_empty() {
                    text.push('.');
                }
                push_label(&mut text, message.get(at + 1..end)?);
                at = end;
            }
            3 => {
                let low = *message.get(at + 1)?;
                behind.get_or_insert(at + 2);
                let target = usize::from(u16::from_be_bytes([length & 0x3f, low]));
                // Only what stands before it, so that no name goes round in a circle.
                if target >= at {
                    return None;
                }
                at = target;
            }
            _ => return None,
        }
    }
    None
}

fn push_label(text: &mut String, label: &[u8]) {
    for byte in label {
        match byte {
            b'.' | b'\\' => text.extend(['\\', char::from(*byte)]),
            b'!'..=b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("\\{byte:03}")),
        }
    }
}

/// Texts with a length in front of each (RFC 1035, 3.3.14), as one.
fn parts(mut data: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(data.len());
    while let Some((length, rest)) = data.split_first() {
        let (part, rest) = rest.split_at_checked(usize::from(*length))?;
        text.extend_from_slice(part);
        data = rest;
    }
    Some(text)
}

/// A name, and those that it stands for.
fn same<'a>(asked: &'a str, aliases: &'a [(String, String)]) -> Vec<&'a str> {
    let mut names = vec![asked];
    while names.len() <= MOST_ALIASES {
        let next = aliases.iter().find_map(|(owner, target)| {
            let is_known = |name: &str| names.iter().any(|it| it.eq_ignore_ascii_case(name));
            (is_known(owner) && !is_known(target)).then_some(target.as_str())
        });
        match next {
            Some(next) => names.push(next),
            None => break,
        }
    }
    names
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A message with one question and these answers: owner, type, data.
    pub(in crate::sources) fn message(
        asked: &str,
        kind: u16,
        answers: &[(&str, u16, Vec<u8>)],
    ) -> Vec<u8> {
        let mut message = vec![0x12, 0x34, 0x81, 0x80, 0, 1];
        message.extend(u16::try_from(answers.len()).unwrap().to_be_bytes());
        message.extend([0, 0, 0, 0]);
        message.extend(wire(asked));
        message.extend(kind.to_be_bytes());
        message.extend([0, 1]);
        for (owner, kind, data) in answers {
            message.extend(wire(owner));
            message.extend(kind.to_be_bytes());
            message.extend([0, 1, 0, 0, 0x0e, 0x10]);
            message.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            message.extend(data);
        }
        message
    }

    pub(in crate::sources) fn wire(name: &str) -> Vec<u8> {
        let mut wire = Vec::new();
        for label in name.split('.').filter(|label| !label.is_empty()) {
            wire.push(u8::try_from(label.len()).unwrap());
            wire.extend(label.bytes());
        }
        wire.push(0);
        wire
    }

    pub(in crate::sources) fn text(parts: &[&str]) -> Vec<u8> {
        let part = |part: &&str| {
            let length = u8::try_from(part.len()).unwrap();
            [vec![length], part.as_bytes().to_vec()].concat()
        };
        parts.iter().flat_map(part).collect()
    }

    pub(in crate::sources) fn reply(status: u16, bytes: Vec<u8>) -> Reply {
        Reply {
            asked: String::new(),
            host: "192.0.2.53".to_owned(),
            status: Some(status),
            bytes,
        }
    }

    #[test]
    fn reads_records_of_the_name_and_of_what_it_stands_for() {
        let answers = [
            ("a.example", CNAME, wire("b.example")),
            ("B.example", A, vec![192, 0, 2, 1]),
            ("other.example", A, vec![192, 0, 2, 66]),
            ("b.example", AAAA, vec![0; 16]),
        ];
        let message = read(&message("A.example", A, &answers), RecordKind::A).unwrap();
        let address = "192.0.2.1".parse().unwrap();
        assert_eq!(message.records, [Record::Address(address)]);
    }

    #[test]
    fn texts_in_parts_are_one() {
        let answers = [("a.example", TXT, text(&["one ", "two"]))];
        let message = read(&message("a.example", TXT, &answers), RecordKind::Txt).unwrap();
        assert_eq!(message.records, [Record::Text(b"one two".to_vec())]);
    }

    #[test]
    fn names_point_back_and_never_forward() {
        // The owner of the answer is a pointer to the question.
        let mut bytes = message("a.b.example", PTR, &[]);
        bytes[7] = 1;
        bytes.extend([0xc0, 12, 0, 12, 0, 1, 0, 0, 0, 0, 0, 4, 1, b'x', 0xc0, 14]);
        let answer = read(&bytes, RecordKind::Ptr).unwrap();
        assert_eq!(answer.records, [Record::Pointer("x.b.example".to_owned())]);
        let own_place = u8::try_from(bytes.len() - 2).unwrap();
        *bytes.last_mut().unwrap() = own_place;
        assert_eq!(read(&bytes, RecordKind::Ptr), None);
    }

    #[test]
    fn what_is_no_text_is_escaped() {
        let mut name = String::new();
        push_label(&mut name, b"a.b\\c\x1b\xff");
        assert_eq!(name, "a\\.b\\\\c\\027\\255");
    }

    #[test]
    fn says_what_is_there_instead_of_records() {
        let said = |status, bytes| records(&reply(status, bytes), RecordKind::A).unwrap_err();
        let empty = message("a.example", A, &[]);
        assert_eq!(said(3, empty.clone()), Said::NoData);
        assert_eq!(said(0, empty.clone()), Said::NoData);
        assert_eq!(said(3, Vec::new()), Said::NoData);
        let failed = Failure::Status(2, Some("SERVFAIL".into()));
        assert_eq!(said(2, empty.clone()), Said::Failed(failed));
        let mut cut = empty.clone();
        cut[2] |= 0x02;
        assert_eq!(said(0, cut), Said::Failed(Failure::Cut));
        let question = [vec![0; 3], empty[3..].to_vec()].concat();
        assert!(matches!(
            said(0, question),
            Said::Failed(Failure::Unreadable(_))
        ));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for kind in [RecordKind::A, RecordKind::Aaaa, RecordKind::Ptr, RecordKind::Txt] {
                read(&bytes, kind);
                let mut answer = bytes.clone();
                if let Some(flags) = answer.get_mut(2) {
                    *flags |= 0x80;
                }
                read(&answer, kind);
            }
        }
    }
}
