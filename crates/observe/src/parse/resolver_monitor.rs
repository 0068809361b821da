//! What systemd-resolved was asked, as its method
//! `io.systemd.Resolve.Monitor.SubscribeQueryResults` tells it since version 252 (systemd,
//! src/resolve/resolved-manager.c, manager_monitor_send). Messages are JSON and end in NUL
//! (varlink.org).
//!
//! A message begins with the question and goes on with the answer, which the other side chose and
//! which can be megabytes long. So only the beginning of a message is kept, and only the question
//! is read.

use model::Text;
use serde_json::Value;

/// Asks for everything that is asked from now on.
pub(crate) const SUBSCRIPTION: &[u8] = b"{\"method\":\"io.systemd.Resolve.Monitor.\
    SubscribeQueryResults\",\"parameters\":{},\"more\":true}\0";

/// So much of a message is kept; a question takes some 5,000 bytes at the most.
const LONGEST_BEGINNING: usize = 16 * 1024;
/// Each type counts: usually two, and four where a name is not ASCII.
const MOST_NAMES: usize = 16;

/// A name, and the type of the question (RFC 1035, 3.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AskedName {
    /// Without the dot at the end; odd bytes and dots within a label stand as `\DDD` or `\.`.
    pub(crate) name: Text,
    pub(crate) kind: u16,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// Comes when the answer does, or when there will be none.
    Asked(Vec<AskedName>),
    /// It follows an alias of a name that has been told, or tells nothing.
    Other,
    /// The error it named.
    Refused(String),
}

/// Reads a message, of which the beginning is enough.
pub(crate) fn message(beginning: &[u8]) -> Message {
    let Some(question) = member(beginning, "question") else {
        return match member(beginning, "error") {
            Some(Value::String(error)) => Message::Refused(error),
            _ => Message::Other,
        };
    };
    // The question that led to this one was told when it was answered.
    if position(beginning, "collectedQuestions").is_some() {
        return Message::Other;
    }
    let keys = question.as_array().map(Vec::as_slice).unwrap_or_default();
    let names = keys.iter().filter_map(asked_name).take(MOST_NAMES);
    Message::Asked(names.collect())
}

fn asked_name(key: &Value) -> Option<AskedName> {
    Some(AskedName {
        name: key.get("name")?.as_str()?.into(),
        kind: key.get("type")?.as_u64()?.try_into().ok()?,
    })
}

/// The value of the first member with this name, however deep. `None` also when it is cut short.
fn member(json: &[u8], name: &str) -> Option<Value> {
    let value = json.get(position(json, name)?..)?;
    let mut values = serde_json::Deserializer::from_slice(value).into_iter();
    values.next()?.ok()
}

/// Where that value begins. Within a string there is a `\` before a quote, so that the name in
/// quotes and a colon are a member and nothing else.
fn position(json: &[u8], name: &str) -> Option<usize> {
    let name = format!("\"{name}\"");
    let mut from = 0;
    while let Some(rest) = json.get(from..) {
        let found = rest
            .windows(name.len())
            .position(|window| window == name.as_bytes())?;
        from += found + name.len();
        let after = json.get(from..)?;
        let spaces = after
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        if after.get(spaces) == Some(&b':') {
            return Some(from + spaces + 1);
        }
    }
    None
}

/// Takes a stream of bytes apart into messages, of which it keeps the beginnings.
#[derive(Debug, Default)]
pub(crate) struct Beginnings(Vec<u8>);

impl Beginnings {
    /// Hands on each message that ends within `bytes`.
    pub(crate) fn take(&mut self, bytes: &[u8], mut message: impl FnMut(&[u8])) {
        let mut parts = bytes.split(|byte| *byte == 0).peekable();
        while let Some(part) = parts.next() {
            let room = LONGEST_BEGINNING.saturating_sub(self.0.len());
            self.0.extend(part.iter().take(room));
            if parts.peek().is_some() {
                message(&self.0);
                self.0.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // All of systemd 252.39.
    const READY: &str = r#"{"parameters":{"ready":true},"continues":true}"#;
    const OFFLINE: &str = r#"{"parameters":{"state":"network-down","question":[{"class":1,"type":1,"name":"xn--bcher-kva.example"},{"class":1,"type":28,"name":"xn--bcher-kva.example"},{"class":1,"type":1,"name":"bücher.example"},{"class":1,"type":28,"name":"bücher.example"}]},"continues":true}"#;
    const DOT_IN_LABEL: &str = r#"{"parameters":{"state":"network-down","question":[{"class":1,"type":16,"name":"st\\.b.example"}]},"continues":true}"#;
    const ALIAS: &str = r#"{"parameters":{"state":"success","question":[{"class":1,"type":1,"name":"calls.example"},{"class":1,"type":28,"name":"calls.example"}],"answer":[{"rr":{"key":{"class":1,"type":5,"name":"calls.example"},"name":"edge.cdn.example"},"raw":"BWNhbGxzB2V4YW1wbGUAAAUAAQAAADwAEgRlZGdlA2NkbgdleGFtcGxlAA==","ifindex":3}]},"continues":true}"#;
    const WHAT_IT_LEADS_TO: &str = r#"{"parameters":{"state":"success","question":[{"class":1,"type":1,"name":"edge.cdn.example"},{"class":1,"type":28,"name":"edge.cdn.example"}],"collectedQuestions":[{"class":1,"type":1,"name":"calls.example"},{"class":1,"type":28,"name":"calls.example"}],"answer":[{"rr":{"key":{"class":1,"type":5,"name":"edge.cdn.example"},"name":"last.cdn.example"},"raw":"BGVkZ2UDY2RuB2V4YW1wbGUAAAUAAQAAADwAEgRsYXN0A2NkbgdleGFtcGxlAA==","ifindex":3}]},"continues":true}"#;
    const REFUSED: &str = r#"{"error":"org.varlink.service.MethodNotFound","parameters":{"method":"io.systemd.Resolve.Monitor.Nope"}}"#;

    fn check(json: &str, expected: &[(&str, u16)]) {
        let asked = |(name, kind): &(&str, u16)| AskedName {
            name: (*name).into(),
            kind: *kind,
        };
        let expected = expected.iter().map(asked).collect();
        assert_eq!(message(json.as_bytes()), Message::Asked(expected));
    }

    #[test]
    fn names_that_were_asked() {
        check(ALIAS, &[("calls.example", 1), ("calls.example", 28)]);
        check(
            OFFLINE,
            &[
                ("xn--bcher-kva.example", 1),
                ("xn--bcher-kva.example", 28),
                ("bücher.example", 1),
                ("bücher.example", 28),
            ],
        );
        check(DOT_IN_LABEL, &[("st\\.b.example", 16)]);
    }

    #[test]
    fn what_an_alias_leads_to_was_not_asked() {
        assert_eq!(message(WHAT_IT_LEADS_TO.as_bytes()), Message::Other);
    }

    #[test]
    fn other_messages_are_told_apart() {
        assert_eq!(message(READY.as_bytes()), Message::Other);
        assert_eq!(message(b""), Message::Other);
        let refused = "org.varlink.service.MethodNotFound".to_owned();
        assert_eq!(message(REFUSED.as_bytes()), Message::Refused(refused));
    }

    #[test]
    fn a_name_cannot_be_taken_for_a_member() {
        let json = r#"{ "question" : [{"type":1,"name":"\"collectedQuestions\":[x"}] }"#;
        check(json, &[("\"collectedQuestions\":[x", 1)]);
        check(
            r#"{"state":"question","question":[{"type":1,"name":"question"}]}"#,
            &[("question", 1)],
        );
    }

    #[test]
    fn a_beginning_is_enough() {
        let end = ALIAS.find("\"answer\"").unwrap();
        check(
            &ALIAS[..end],
            &[("calls.example", 1), ("calls.example", 28)],
        );
        let end = ALIAS.find("],").unwrap();
        assert_eq!(message(&ALIAS.as_bytes()[..end]), Message::Other);
    }

    #[test]
    fn messages_may_come_in_pieces() {
        let stream = [READY, "\0", ALIAS, "\0", REFUSED].concat();
        let mut beginnings = Beginnings::default();
        let mut messages = Vec::new();
        for piece in stream.as_bytes().chunks(7) {
            beginnings.take(piece, |message| messages.push(message.to_vec()));
        }
        assert_eq!(messages, [READY.as_bytes(), ALIAS.as_bytes()]);
        beginnings.take(b"\0", |message| messages.push(message.to_vec()));
        assert_eq!(messages[2], REFUSED.as_bytes());
    }

    #[test]
    fn long_messages_are_cut() {
        let mut beginnings = Beginnings::default();
        for _ in 0..3 * LONGEST_BEGINNING {
            beginnings.take(b"xyz", |_| panic!("it has no end"));
        }
        let mut lengths = Vec::new();
        beginnings.take(b"\0short\0", |message| lengths.push(message.len()));
        assert_eq!(lengths, [LONGEST_BEGINNING, 5]);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = message(&bytes);
            Beginnings::default().take(&bytes, |_| {});
        }

        #[test]
        fn never_panics_on_damage(at in 0..ALIAS.len(), byte: u8) {
            let mut damaged = ALIAS.as_bytes().to_vec();
            damaged[at] = byte;
            let _ = message(&damaged);
        }

        #[test]
        fn reads_back_what_was_asked(name: String, kind: u16) {
            let question = serde_json::json!([{"class": 1, "type": kind, "name": name}]);
            let json = serde_json::json!({"parameters": {"question": question}}).to_string();
            let name = Text::from(name);
            prop_assert_eq!(message(json.as_bytes()), Message::Asked(vec![AskedName { name, kind }]));
        }
    }
}
