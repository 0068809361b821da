//! JSON (RFC 8259) in which nothing acts or hides: control, bidi and invisible characters are
//! written as `\uXXXX`, as everywhere in the public contract.

use std::io::{self, Write};

use model::acts_or_hides;
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};

/// Writes `value` and the end of the line.
pub(super) fn line(out: &mut Vec<u8>, value: &impl Serialize) {
    let mut serializer = Serializer::with_formatter(&mut *out, Visible);
    // Writing to memory does not fail, nor do our own structs.
    let _ = value.serialize(&mut serializer);
    out.push(b'\n');
}

/// A whole document on many lines, and the end of the last.
pub(crate) fn document(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Outside of texts there is nothing that acts but the ends of lines, and within none of these.
    for character in format!("{value:#}\n").chars() {
        if acts_or_hides(character) && character != '\n' {
            // Writing to memory does not fail.
            let _ = escape(character, &mut out);
        } else {
            out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    out
}

fn escape<W: ?Sized + Write>(character: char, out: &mut W) -> io::Result<()> {
    for unit in character.encode_utf16(&mut [0; 2]) {
        write!(out, "\\u{unit:04x}")?;
    }
    Ok(())
}

struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return out.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if acts_or_hides(character) {
                escape(character, out)?;
            } else {
                out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        line(&mut out, &text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_acts_or_hides() {
        assert_eq!(
            written("a\u{202e}b\u{1b}\u{7f}\n\"\\"),
            "\"a\\u202eb\\u001b\\u007f\\n\\\"\\\\\"\n"
        );
        assert_eq!(written("\u{e0041}ü"), "\"\\udb40\\udc41ü\"\n");
    }

    #[test]
    fn nothing_acts_or_hides_in_a_document() {
        let value = serde_json::json!({ "a": "\u{9b}31m\u{202e}ü\n" });
        let written = String::from_utf8(document(&value)).unwrap();
        assert_eq!(written, "{\n  \"a\": \"\\u009b31m\\u202eü\\n\"\n}\n");
    }

    proptest! {
        #[test]
        fn a_document_reads_back(text: String) {
            let value = serde_json::json!([{ "text": text }]);
            let written = document(&value);
            prop_assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), value);
        }

        #[test]
        fn reads_back_what_it_wrote(text: String) {
            let written = written(&text);
            prop_assert!(!written.trim_end().chars().any(acts_or_hides));
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
        }
    }
}
