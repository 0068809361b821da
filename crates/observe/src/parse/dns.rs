//! Questions to a name server (RFC 1035, 4.1): the name and the type that somebody asks for, and
//! nothing else of the message. Whole messages are read in `message`.
//!
//! Names come out as people write them, without the dot at the end. What the asker wrote stays as
//! it is, upper and lower case and odd bytes too; only `.` and `\` within a label get a `\` before
//! them (RFC 1035, 5.1), so that the labels can be told apart.

pub(crate) mod message;
mod name;

use model::Text;

use self::name::push_label;
use super::attributes::be16_at;

pub(crate) use self::name::name;

const HEADER: usize = 12;
/// QR and OPCODE: set in an answer, and in anything but a standard query.
const NOT_A_QUERY: u16 = 0xf800;
/// Bytes of a name with its lengths, and of one label (RFC 1035, 2.3.4).
const LONGEST_NAME: usize = 255;
const LONGEST_LABEL: usize = 63;

/// The first question of a message; clients ask only one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    /// Chosen by the asker, to know the answer by.
    pub(crate) id: u16,
    /// `.` is the root.
    pub(crate) name: Text,
    /// QTYPE: 1 is A, 28 AAAA.
    pub(crate) kind: u16,
}

/// Reads the question of a query. The first 271 bytes of a message are enough.
///
/// `None`: an answer, not DNS, or cut short. A name that points elsewhere (RFC 1035, 4.1.4) is
/// refused: before the first question there is nothing that it could point at.
pub(crate) fn question(message: &[u8]) -> Option<Question> {
    let id = be16_at(message, 0)?;
    let flags = be16_at(message, 2)?;
    let questions = be16_at(message, 4)?;
    if flags & NOT_A_QUERY != 0 || questions == 0 {
        return None;
    }
    let (name, rest) = take_name(message.get(HEADER..)?)?;
    let kind = be16_at(rest, 0)?;
    let _class = be16_at(rest, 2)?;
    Some(Question { id, name, kind })
}

/// As [`question`], of what TCP carries: the length stands before the message (RFC 1035, 4.2.2).
/// `None` also when only the length has come yet.
#[cfg_attr(not(test), expect(dead_code, reason = "used by the watch"))]
pub(crate) fn tcp_question(stream: &[u8]) -> Option<Question> {
    let length = usize::from(be16_at(stream, 0)?);
    let rest = stream.get(2..)?;
    question(rest.get(..length).unwrap_or(rest))
}

/// A name, and what stands behind it.
fn take_name(bytes: &[u8]) -> Option<(Text, &[u8])> {
    let mut name = Vec::new();
    let mut rest = bytes;
    loop {
        let (length, after) = rest.split_first()?;
        let length = usize::from(*length);
        if length > LONGEST_LABEL {
            return None;
        }
        let (label, after) = after.split_at_checked(length)?;
        rest = after;
        if bytes.len() - rest.len() > LONGEST_NAME {
            return None;
        }
        if label.is_empty() {
            break;
        }
        push_label(&mut name, label);
    }
    if name.is_empty() {
        name.push(b'.');
    }
    Some((name.into(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What glibc 2.36 sends for the IPv4 addresses of www.example.com.
    const ASKED: &[u8] = b"\x2f\x12\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
        \x03www\x07example\x03com\x00\x00\x01\x00\x01";

    /// A query for `labels`, as RFC 1035 has it.
    fn encode(id: u16, labels: &[Vec<u8>], kind: u16) -> Vec<u8> {
        let mut message = id.to_be_bytes().to_vec();
        message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        for label in labels {
            message.push(u8::try_from(label.len()).unwrap());
            message.extend(label);
        }
        message.push(0);
        message.extend(kind.to_be_bytes());
        message.extend([0, 1]);
        message
    }

    /// Reads a written name back into labels.
    fn labels(name: &Text) -> Vec<Vec<u8>> {
        if name.bytes() == b"." {
            return Vec::new();
        }
        let mut labels = vec![Vec::new()];
        let mut bytes = name.bytes().iter();
        while let Some(byte) = bytes.next() {
            match byte {
                b'.' => labels.push(Vec::new()),
                b'\\' => labels.last_mut().unwrap().push(*bytes.next().unwrap()),
                _ => labels.last_mut().unwrap().push(*byte),
            }
        }
        labels
    }

    fn check(message: &[u8], expected: Option<(&[u8], u16)>) {
        let read = question(message);
        let read = read
            .as_ref()
            .map(|question| (question.name.bytes(), question.kind));
        assert_eq!(read, expected);
    }

    fn check_labels(given: &[&[u8]], expected: Option<&[u8]>) {
        let given: Vec<_> = given.iter().map(|label| label.to_vec()).collect();
        check(&encode(7, &given, 28), expected.map(|name| (name, 28)));
    }

    #[test]
    fn reads_a_query() {
        check(ASKED, Some((b"www.example.com", 1)));
        assert_eq!(question(ASKED).unwrap().id, 0x2f12);
    }

    #[test]
    fn leaves_answers_and_others_alone() {
        let changed = |at: usize, byte: u8| {
            let mut message = ASKED.to_vec();
            message[at] = byte;
            message
        };
        // An answer; an update (RFC 2136); no question.
        check(&changed(2, 0x81), None);
        check(&changed(2, 0x29), None);
        check(&changed(5, 0), None);
        check(&[0; 64], None);
        check(&[b'x'; 64], None);
    }

    #[test]
    fn leaves_short_ones_alone() {
        for length in 0..ASKED.len() {
            check(&ASKED[..length], None);
        }
    }

    #[test]
    fn more_may_stand_behind_it() {
        let mut message = ASKED.to_vec();
        // EDNS (RFC 6891).
        message.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]);
        check(&message, Some((b"www.example.com", 1)));
    }

    #[test]
    fn names_stay_as_they_are() {
        check_labels(&[], Some(b"."));
        check_labels(&[b"ExAmPlE", b"CoM"], Some(b"ExAmPlE.CoM"));
        check_labels(&[b"a.b", b"c\\d"], Some(b"a\\.b.c\\\\d"));
        check_labels(&[b".", b"."], Some(b"\\..\\."));
        check_labels(
            &[b"b\xc3\xbccher\x1b[2J", b"\0"],
            Some(b"b\xc3\xbccher\x1b[2J.\0"),
        );
    }

    #[test]
    fn limits_are_kept() {
        let (longest, last) = ([b'a'; 63], [b'b'; 61]);
        let name = [&longest[..], &longest, &longest, &last].join(&b'.');
        check_labels(&[&longest, &longest, &longest, &last], Some(&name));
        check_labels(&[&longest, &longest, &longest, &[b'b'; 62]], None);
        check_labels(&[&[b'a'; 64]], None);
    }

    #[test]
    fn pointers_are_refused() {
        for pointer in [[0xc0, 0x0c], [0xc0, 0x00], [0xff, 0xff]] {
            let mut message = ASKED[..16].to_vec();
            message.extend(pointer);
            message.extend([0, 1, 0, 1]);
            check(&message, None);
        }
    }

    #[test]
    fn tcp_has_a_length_before_it() {
        let mut stream = u16::try_from(ASKED.len()).unwrap().to_be_bytes().to_vec();
        stream.extend(ASKED);
        assert_eq!(tcp_question(&stream), question(ASKED));
        // The next message is not taken for this one's; a first part is enough.
        stream.extend([0, 60, 1, 2]);
        assert_eq!(tcp_question(&stream), question(ASKED));
        stream[0] = 4;
        assert_eq!(tcp_question(&stream), question(ASKED));
        stream[..2].copy_from_slice(&[0, 20]);
        assert_eq!(tcp_question(&stream), None);
        assert_eq!(tcp_question(&stream[..2]), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = question(&bytes);
            let _ = tcp_question(&bytes);
        }

        #[test]
        fn never_panics_on_damage(at in 0..ASKED.len(), byte: u8) {
            let mut message = ASKED.to_vec();
            message[at] = byte;
            let _ = question(&message);
        }

        #[test]
        fn reads_back_what_was_asked(
            id: u16,
            kind: u16,
            asked in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..64), 0..5),
        ) {
            let message = encode(id, &asked, kind);
            let too_long = message.len() - HEADER - 4 > LONGEST_NAME;
            match question(&message) {
                None => prop_assert!(too_long),
                Some(read) => {
                    prop_assert!(!too_long);
                    prop_assert_eq!((read.id, read.kind), (id, kind));
                    prop_assert_eq!(labels(&read.name), asked);
                }
            }
        }
    }
}
