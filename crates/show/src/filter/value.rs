//! The values of a term, typed by its key.

use std::fmt;

use super::address::Addresses;
use super::error::{Fault, quoted};
use super::glob::Glob;
use super::key::{Key, Kind};
use super::lexer::Piece;
use super::number::{Numbers, Unit};
use super::words;

/// What a fact may be for a term to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// The fact is absent.
    Unknown,
    Text(Glob),
    Numbers(Numbers, Unit),
    Addresses(Addresses),
    /// A word of the public contract.
    Word(&'static str),
}

/// Absence, for every key.
const UNKNOWN: &str = "unknown";

impl Value {
    pub(super) fn parse(key: Key, piece: &Piece) -> Result<Self, Fault> {
        let text = piece.text.as_str();
        let kind = key.kind();
        // A program may be called "unknown"; a port may not.
        let literal = piece.quoted && matches!(kind, Kind::Text(_));
        if !literal && text.eq_ignore_ascii_case(UNKNOWN) {
            return Ok(Self::Unknown);
        }
        match kind {
            Kind::Text(case) => Ok(Self::Text(Glob::new(text, case))),
            Kind::Number(unit, plain) => {
                Numbers::parse(text, unit, plain).map(|numbers| Self::Numbers(numbers, unit))
            }
            Kind::Address => Addresses::parse(text, key).map(Self::Addresses),
            Kind::Word(set) => words::find(set, text).map(Self::Word).ok_or_else(|| {
                let message = format!("'{}:' cannot be {}", key.word(), quoted(text));
                Fault::new(message).help(format!("one of {}", words::list(set)))
            }),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str(UNKNOWN),
            Self::Text(glob) => {
                let pattern = glob.pattern();
                let special = |character: char| {
                    character.is_whitespace() || matches!(character, '(' | ')' | ',' | '"')
                };
                if pattern.contains(special) || pattern.eq_ignore_ascii_case(UNKNOWN) {
                    write_quoted(f, pattern)
                } else {
                    f.write_str(pattern)
                }
            }
            Self::Numbers(numbers, unit) => numbers.write(f, *unit),
            Self::Addresses(addresses) => addresses.fmt(f),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// Between quotes, so that the lexer reads back the same text.
pub(super) fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: Key, text: &str, quoted: bool, expected: &str) {
        let piece = Piece {
            text: text.to_owned(),
            quoted,
            place: 0..text.len(),
        };
        let read = match Value::parse(key, &piece) {
            Ok(value) => value.to_string(),
            Err(fault) => format!("{fault:?}"),
        };
        assert!(read.contains(expected), "{text}: {read}");
    }

    #[test]
    fn texts_are_quoted_where_they_must_be() {
        check(Key::Proc, "curl", false, "curl");
        check(Key::Proc, "my prog", true, "\"my prog\"");
        check(Key::Proc, "a\"\\ b", true, "\"a\\\"\\\\ b\"");
        check(Key::Exe, "C:\\Users\\*", false, "C:\\Users\\*");
        check(Key::Proc, "(sd-pam)", true, "\"(sd-pam)\"");
        check(Key::User, "Alice", false, "alice");
    }

    #[test]
    fn unknown_between_quotes_is_a_name() {
        check(Key::Proc, "UNKNOWN", false, "unknown");
        check(Key::Proc, "unknown", true, "\"unknown\"");
        check(Key::Port, "unknown", true, "unknown");
        check(Key::State, "unknown", true, "unknown");
    }

    #[test]
    fn closed_sets_list_their_words() {
        check(Key::State, "Estab", false, "established");
        check(
            Key::State,
            "up",
            false,
            "one of listen, syn_sent, syn_received",
        );
        check(
            Key::Dir,
            "left",
            false,
            "one of outbound, inbound, local, listening, unknown",
        );
        check(Key::Proto, "tcp6", false, "'proto:' cannot be 'tcp6'");
        check(Key::Owner, "no_rights", false, "no_rights");
    }
}
