//! What the provider Microsoft-Windows-DNS-Client of event tracing tells: which name was asked of the
//! resolver of Windows, and what it came to. Who asked stands in the header of the event.
//!
//! Layout: the provider's manifest (version 0 of events 3006 and 3008), which Windows has from 8.1 on.
//! Numbers are little-endian; texts are UTF-16 and end with a zero. What follows is not read.

use model::{Answer, Text};

use super::windows_answer::answer;

/// `{1c95126e-7eea-49a9-a3fe-a378b03ddb4d}`.
pub(crate) const PROVIDER: u128 = 0x1c95126e_7eea_49a9_a3fe_a378b03ddb4d;

/// "DNS query is called" and "DNS query is completed".
pub(crate) const QUESTION: u16 = 3006;
pub(crate) const ANSWER: u16 = 3008;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) name: Text,
    /// As in [`model::NameSeen::question`].
    pub(crate) question: Option<u16>,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Asked,
    Answered(Answer),
    /// It came to no answer: nobody was asked, or nobody answered.
    Failed,
}

/// What an event says. `None`: not one of those known, or too short.
pub(crate) fn told(id: u16, version: u8, payload: &[u8]) -> Option<Told> {
    if version != 0 || !matches!(id, QUESTION | ANSWER) {
        return None;
    }
    let (name, rest) = text(payload)?;
    let (kind, rest) = rest.split_first_chunk()?;
    let (_options, rest): (&[u8; 8], _) = rest.split_first_chunk()?;
    let what = if id == QUESTION {
        What::Asked
    } else {
        let (status, rest) = rest.split_first_chunk()?;
        // A long line may be cut.
        let results = text(rest).map(|(line, _)| line).unwrap_or_default();
        let answer = answer(u32::from_le_bytes(*status), results.as_bytes());
        answer.map_or(What::Failed, What::Answered)
    };
    Some(Told {
        name: Text::from(name),
        question: u16::try_from(u32::from_le_bytes(*kind)).ok(),
        what,
    })
}

/// Up to a zero, and what is behind it. `None`: there is none.
fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (units, _) = bytes.as_chunks();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    let length = units.clone().position(|unit| unit == 0)?;
    let text: Vec<u16> = units.take(length).collect();
    let behind = bytes.get(length.checked_add(1)?.checked_mul(2)?..)?;
    Some((String::from_utf16_lossy(&text), behind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        let units = text.encode_utf16().chain([0]);
        units.flat_map(u16::to_le_bytes).collect()
    }

    fn question() -> Vec<u8> {
        let mut bytes = utf16("www.example.com");
        bytes.extend(28_u32.to_le_bytes());
        bytes.extend(0x4000_0000_u64.to_le_bytes());
        bytes.extend(utf16("192.0.2.53;"));
        bytes.extend([0; 16]);
        bytes
    }

    fn answered(status: u32, results: &str) -> Vec<u8> {
        let mut bytes = utf16("www.example.com");
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(status.to_le_bytes());
        bytes.extend(utf16(results));
        bytes
    }

    fn check(id: u16, payload: &[u8], expected: &str) {
        let told = told(id, 0, payload).map(|it| {
            let what = match it.what {
                What::Asked => "asked".to_owned(),
                What::Failed => "failed".to_owned(),
                What::Answered(answer) => format!("{} {:?}", answer.code, answer.addresses),
            };
            format!("{} {:?} {what}", it.name.lossy(), it.question)
        });
        assert_eq!(told.as_deref().unwrap_or("nothing"), expected);
    }

    #[test]
    fn questions_and_answers_are_told() {
        check(QUESTION, &question(), "www.example.com Some(28) asked");
        check(
            ANSWER,
            &answered(0, "type:  5 b.example;::ffff:192.0.2.1;"),
            "www.example.com Some(1) 0 [(192.0.2.1, 0)]",
        );
        check(ANSWER, &answered(9003, ""), "www.example.com Some(1) 3 []");
        check(
            ANSWER,
            &answered(1460, ""),
            "www.example.com Some(1) failed",
        );
    }

    #[test]
    fn what_is_cut_short_or_unknown_is_none() {
        let needed = 2 * "www.example.com\0".len() + 4 + 8;
        check(
            QUESTION,
            &question()[..needed],
            "www.example.com Some(28) asked",
        );
        check(QUESTION, &question()[..needed - 1], "nothing");
        check(ANSWER, &answered(0, "")[..needed + 3], "nothing");
        check(3018, &question(), "nothing");
        assert_eq!(told(QUESTION, 1, &question()), None);
        assert_eq!(PROVIDER.to_be_bytes()[..4], [0x1c, 0x95, 0x12, 0x6e]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_told_or_not(id in 3005_u16..3010, bytes in prop::collection::vec(any::<u8>(), 0..120)) {
            let _told = told(id, 0, &bytes);
        }
    }
}
