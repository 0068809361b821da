//! Writes JSON (RFC 8259) member by member, straight into a buffer: a list may hold 100,000
//! connections. Control, bidi and invisible characters are written as `\uXXXX`.

use std::fmt::Display;
use std::net::IpAddr;

use model::acts_or_hides;

use crate::bytes;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// An object being written. Names are our own and need no escapes.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

/// Writes one object.
pub(crate) fn object(out: &mut Vec<u8>, write: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    write(&mut Object { out, empty: true });
    out.push(b'}');
}

/// Writes one array; `write` writes an item.
pub(crate) fn array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

impl Object<'_> {
    fn name(&mut self, name: &'static str) {
        self.out
            .extend(if self.empty { &b"\""[..] } else { b",\"" });
        self.empty = false;
        self.out.extend(name.as_bytes());
        self.out.extend(b"\":");
    }

    pub(crate) fn null(&mut self, name: &'static str) {
        self.raw(name, b"null");
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, name: &'static str, value: &[u8]) {
        self.name(name);
        self.out.extend(value);
    }

    /// Text of unknown content.
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        string(self.out, value);
    }

    pub(crate) fn optional_text(&mut self, name: &'static str, value: Option<&str>) {
        match value {
            Some(value) => self.text(name, value),
            None => self.null(name),
        }
    }

    /// A word of our own, which needs no escapes.
    pub(crate) fn word(&mut self, name: &'static str, word: &str) {
        self.name(name);
        self.out.push(b'"');
        self.out.extend(word.as_bytes());
        self.out.push(b'"');
    }

    /// Values of our own, which need no escapes: ids, times, addresses.
    pub(crate) fn plain(&mut self, name: &'static str, value: impl Display) {
        self.name(name);
        self.out.push(b'"');
        bytes::plain(self.out, value);
        self.out.push(b'"');
    }

    pub(crate) fn optional_plain(&mut self, name: &'static str, value: Option<impl Display>) {
        match value {
            Some(value) => self.plain(name, value),
            None => self.null(name),
        }
    }

    pub(crate) fn ip(&mut self, name: &'static str, ip: IpAddr) {
        self.name(name);
        self.out.push(b'"');
        bytes::ip(self.out, ip);
        self.out.push(b'"');
    }

    pub(crate) fn optional_ip(&mut self, name: &'static str, ip: Option<IpAddr>) {
        match ip {
            Some(ip) => self.ip(name, ip),
            None => self.null(name),
        }
    }

    pub(crate) fn number(&mut self, name: &'static str, value: impl itoa::Integer) {
        self.name(name);
        bytes::number(self.out, value);
    }

    pub(crate) fn optional_number(
        &mut self,
        name: &'static str,
        value: Option<impl itoa::Integer>,
    ) {
        match value {
            Some(value) => self.number(name, value),
            None => self.null(name),
        }
    }

    /// Left out where there is none, as is [`Object::given_plain`] and [`Object::given_number`].
    pub(crate) fn given_text(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub(crate) fn given_plain(&mut self, name: &'static str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.plain(name, value);
        }
    }

    pub(crate) fn given_number(&mut self, name: &'static str, value: Option<impl itoa::Integer>) {
        if let Some(value) = value {
            self.number(name, value);
        }
    }

    pub(crate) fn boolean(&mut self, name: &'static str, value: bool) {
        self.raw(name, if value { b"true" } else { b"false" });
    }

    pub(crate) fn object(&mut self, name: &'static str, write: impl FnOnce(&mut Object<'_>)) {
        self.name(name);
        object(self.out, write);
    }

    pub(crate) fn array<T>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
        write: impl FnMut(&mut Vec<u8>, T),
    ) {
        self.name(name);
        array(self.out, items, write);
    }
}

/// Writes a string with its quotes.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
    {
        out.extend(text.as_bytes());
    } else {
        for character in text.chars() {
            match character {
                '"' => out.extend(b"\\\""),
                '\\' => out.extend(b"\\\\"),
                '\n' => out.extend(b"\\n"),
                '\r' => out.extend(b"\\r"),
                '\t' => out.extend(b"\\t"),
                character if acts_or_hides(character) => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        escape(out, *unit);
                    }
                }
                character => out.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
    }
    out.push(b'"');
}

fn escape(out: &mut Vec<u8>, unit: u16) {
    out.extend(b"\\u");
    for shift in [12, 8, 4, 0] {
        let digit = usize::from(unit >> shift & 0xf);
        out.extend(HEX.get(digit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hidden_characters_are_escaped() {
        assert_eq!(
            written("a\u{202e}b\u{1b}[0m\"\\"),
            r#""a\u202eb\u001b[0m\"\\""#
        );
        assert_eq!(written("\u{e0041}"), r#""\udb40\udc41""#);
        assert_eq!(written("ü"), "\"ü\"");
    }

    proptest! {
        #[test]
        fn reads_back_what_it_wrote(text: String) {
            let read: String = serde_json::from_str(&written(&text)).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
