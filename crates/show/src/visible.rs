//! Text from outside made safe to show: what would act on a screen, hide on it or smear over it
//! becomes a mark like `‹U+202E›`. Any bytes go in; one line of harmless text comes out.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::{Text, acts_or_hides};

use self::shorten::character_width;
pub(crate) use self::shorten::{Cut, shorten};
pub use self::shorten::{display_width, shorten_end, shorten_middle, shorten_start};

mod shorten;

/// Combining marks that one letter may carry; more would smear over the lines above and below.
const COMBINING_MARKS: u8 = 4;
const MARK_OPENS: char = '‹';
const MARK_CLOSES: char = '›';

/// `text` as a person may see it, on a screen, in a table or in CSV.
///
/// Control, bidi, invisible and private-use characters become `‹U+202E›`, bytes that are not
/// UTF-8 `‹\xFF›`. So do blanks that cannot be told from the usual space or from padding (at
/// either end, a second in a row, other widths), combining marks without a letter or beyond the
/// fourth, and `‹` itself: no text can forge a mark, and the result says exactly what was there.
/// For the same reason it is applied once, not to its own result.
pub fn visible(text: &Text) -> Cow<'_, str> {
    visible_bytes(text.bytes())
}

/// As [`visible`], for text that is UTF-8 already.
pub fn visible_str(text: &str) -> Cow<'_, str> {
    visible_bytes(text.as_bytes())
}

/// Sentences of our own with words of others in them, where nothing acts or hides any more. Line
/// ends, blanks and marks that are there already stay.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if acts_or_hides(character) && !matches!(character, '\n' | MARK_OPENS) {
            let _ = write!(
                shown,
                "{MARK_OPENS}U+{:04X}{MARK_CLOSES}",
                u32::from(character)
            );
        } else {
            shown.push(character);
        }
    }
    shown
}

fn visible_bytes(bytes: &[u8]) -> Cow<'_, str> {
    if let Some(plain) = plain(bytes) {
        return Cow::Borrowed(plain);
    }
    let mut shown = Shown {
        text: String::with_capacity(bytes.len() + 16),
        marks_left: 0,
    };
    for chunk in bytes.utf8_chunks() {
        chunk
            .valid()
            .chars()
            .for_each(|character| shown.push(character));
        chunk
            .invalid()
            .iter()
            .for_each(|byte| shown.push_byte(*byte));
    }
    if shown.text.ends_with(' ') {
        shown.text.pop();
        shown.push_mark(' ');
    }
    Cow::Owned(shown.text)
}

/// The usual case: printable ASCII, with single spaces inside only.
fn plain(bytes: &[u8]) -> Option<&str> {
    let mut after_space = true;
    for byte in bytes {
        let space = *byte == b' ';
        if !(b' '..=b'~').contains(byte) || (space && after_space) {
            return None;
        }
        after_space = space;
    }
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.is_empty() || !after_space)
}

struct Shown {
    text: String,
    /// Combining marks that may still follow; 0 where there is no letter to carry them.
    marks_left: u8,
}

impl Shown {
    fn push(&mut self, character: char) {
        if acts_or_hides(character) || character == MARK_OPENS {
            self.push_mark(character);
        } else if character == ' ' {
            if self.text.is_empty() || self.text.ends_with(' ') {
                self.push_mark(character);
            } else {
                self.text.push(character);
                self.marks_left = 0;
            }
        } else if character_width(character) > 0 {
            self.text.push(character);
            self.marks_left = COMBINING_MARKS;
        } else if self.marks_left > 0 {
            self.text.push(character);
            self.marks_left -= 1;
        } else {
            self.push_mark(character);
        }
    }

    fn push_mark(&mut self, character: char) {
        let _ = write!(
            self.text,
            "{MARK_OPENS}U+{:04X}{MARK_CLOSES}",
            u32::from(character)
        );
        self.marks_left = 0;
    }

    fn push_byte(&mut self, byte: u8) {
        let _ = write!(self.text, "{MARK_OPENS}\\x{byte:02X}{MARK_CLOSES}");
        self.marks_left = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::shorten::unit_length;
    use super::*;
    use proptest::prelude::*;

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(visible(&Text::from(bytes)), expected);
    }

    #[test]
    fn harmless_text_is_not_copied() {
        for text in ["", "curl", "Web Content", "/usr/lib/firefox/firefox -P x"] {
            assert!(matches!(visible_str(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn letters_of_the_world_stay() {
        for text in [
            "Überwachung",
            "браузер",
            "浏览器",
            "ガ",
            "مراقب",
            "नमस्ते",
            "한국어",
            "e\u{301}",
            "🦊",
        ] {
            check(text.as_bytes(), text);
        }
    }

    #[test]
    fn nothing_steers_the_screen() {
        check(b"\x1b[2Jcurl", "‹U+001B›[2Jcurl");
        check(
            b"a\tb\r\nc\x7f\0",
            "a‹U+0009›b‹U+000D›‹U+000A›c‹U+007F›‹U+0000›",
        );
        check("\u{9b}31m".as_bytes(), "‹U+009B›31m");
        check("cod.\u{202e}fdp".as_bytes(), "cod.‹U+202E›fdp");
        check(
            "a\u{2067}b\u{200f}c\u{61c}d".as_bytes(),
            "a‹U+2067›b‹U+200F›c‹U+061C›d",
        );
        check("a\u{2028}b".as_bytes(), "a‹U+2028›b");
    }

    #[test]
    fn nothing_hides() {
        check("ss\u{200b}h".as_bytes(), "ss‹U+200B›h");
        check("ssh\u{e0041}".as_bytes(), "ssh‹U+E0041›");
        check("ssh\u{3164}\u{ffa0}".as_bytes(), "ssh‹U+3164›‹U+FFA0›");
        check(
            "x\u{fe0f}\u{feff}\u{ad}".as_bytes(),
            "x‹U+FE0F›‹U+FEFF›‹U+00AD›",
        );
        check(
            "\u{e000}\u{fdd0}\u{1ffff}".as_bytes(),
            "‹U+E000›‹U+FDD0›‹U+1FFFF›",
        );
    }

    #[test]
    fn blanks_cannot_pass_for_padding() {
        check(b"sshd ", "sshd‹U+0020›");
        check(b" sshd", "‹U+0020›sshd");
        check(b"firefox  1464", "firefox ‹U+0020›1464");
        check(b" ", "‹U+0020›");
        check("a\u{a0}b".as_bytes(), "a‹U+00A0›b");
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_named() {
        check(b"a\xff\xc3", "a‹\\xFF›‹\\xC3›");
        // A surrogate in UTF-8's manner.
        check(b"\xed\xa0\x80", "‹\\xED›‹\\xA0›‹\\x80›");
    }

    #[test]
    fn a_mark_cannot_be_forged() {
        check("‹U+202E›".as_bytes(), "‹U+2039›U+202E›");
    }

    #[test]
    fn combining_marks_are_bounded() {
        let smear = format!("a{}", "\u{300}".repeat(6));
        check(
            smear.as_bytes(),
            "a\u{300}\u{300}\u{300}\u{300}‹U+0300›‹U+0300›",
        );
        check("\u{300}a".as_bytes(), "‹U+0300›a");
        check("\u{1b}\u{300}".as_bytes(), "‹U+001B›‹U+0300›");
        check("a \u{300}b".as_bytes(), "a ‹U+0300›b");
    }

    /// Reads the marks back; what `visible` is given must come out.
    fn restored(shown: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = shown;
        while let Some(length) = unit_length(rest) {
            let (unit, after) = rest.split_at(length);
            if let Some(hex) = unit.strip_prefix("‹\\x") {
                bytes.push(u8::from_str_radix(hex.trim_end_matches('›'), 16).unwrap());
            } else if let Some(hex) = unit.strip_prefix("‹U+") {
                let code = u32::from_str_radix(hex.trim_end_matches('›'), 16).unwrap();
                bytes.extend(char::from_u32(code).unwrap().to_string().as_bytes());
            } else {
                bytes.extend(unit.as_bytes());
            }
            rest = after;
        }
        bytes
    }

    /// Written apart from the code under test: what must never reach a screen.
    fn dangerous(character: char) -> bool {
        let code = u32::from(character);
        let ranges = [
            0..=0x1f,
            0x7f..=0x9f,
            0xad..=0xad,
            0x61c..=0x61c,
            0x115f..=0x1160,
            0x200b..=0x200f,
            0x2028..=0x202e,
            0x2060..=0x2064,
            0x2066..=0x2069,
            0x3164..=0x3164,
            0xfe00..=0xfe0f,
            0xfeff..=0xfeff,
            0xffa0..=0xffa0,
            0xfff9..=0xfffb,
            0xe0000..=0xe007f,
            0xe0100..=0xe01ef,
        ];
        ranges.iter().any(|range| range.contains(&code))
    }

    pub(super) fn hostile() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            any::<char>().prop_map(|character| character.to_string().into_bytes()),
            prop::sample::select(vec![
                " ",
                "  ",
                "‹",
                "›",
                "‹U+202E›",
                "\u{202e}",
                "\u{300}",
                "\u{300}\u{300}\u{300}",
                "漢",
                "\x1b[",
                "curl",
                "/",
                "\u{1f1e9}\u{1f1ea}",
                "한",
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn what_is_shown_is_harmless_and_exact(bytes in hostile()) {
            let text = Text::from(bytes.clone());
            let shown = visible(&text);
            prop_assert!(!shown.chars().any(dangerous), "{shown:?}");
            prop_assert!(!shown.starts_with(' ') && !shown.ends_with(' ') && !shown.contains("  "));
            prop_assert_eq!(restored(&shown), bytes);
        }
    }
}
