//! Bytes as text: UTF-8, UTF-16 with a mark or without one, and what is none of these as Windows-1252
//! (a superset of the letters of Latin-1).

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16_LE_MARK: &[u8] = b"\xff\xfe";
const UTF_16_BE_MARK: &[u8] = b"\xfe\xff";

/// Never fails: half characters become U+FFFD.
pub(super) fn decoded(bytes: Vec<u8>) -> String {
    if let Some(rest) = bytes.strip_prefix(UTF_16_LE_MARK) {
        return with_lines(utf_16(rest, u16::from_le_bytes));
    }
    if let Some(rest) = bytes.strip_prefix(UTF_16_BE_MARK) {
        return utf_16(rest, u16::from_be_bytes);
    }
    if is_unmarked(&bytes, 1) {
        return utf_16(&bytes, u16::from_le_bytes);
    }
    if is_unmarked(&bytes, 0) {
        return utf_16(&bytes, u16::from_be_bytes);
    }
    let bytes = match bytes.strip_prefix(UTF_8_MARK) {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    let text = String::from_utf8(bytes).unwrap_or_else(|error| windows_1252(error.as_bytes()));
    with_lines(text)
}

/// Old Macs, and some spreadsheets, end lines by a carriage return alone.
fn with_lines(text: String) -> String {
    if text.contains('\n') || !text.contains('\r') {
        return text;
    }
    text.replace('\r', "\n")
}

/// The beginning of a file as text, to recognise its format by.
pub(super) fn of_head(bytes: &[u8], most: usize) -> String {
    let head = bytes.get(..most.min(bytes.len())).unwrap_or_default();
    // A character may be cut at the end, which would make all of it look like another encoding.
    match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() && bytes.len() > most => {
            decoded(head.get(..error.valid_up_to()).unwrap_or_default().to_vec())
        }
        _ => decoded(head.to_vec()),
    }
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let characters = char::decode_utf16(units);
    let mut text: String = characters
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !rest.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

/// Whether each second byte of the beginning, from `zero` on, is 0 and no other is: ASCII in UTF-16.
fn is_unmarked(bytes: &[u8], zero: usize) -> bool {
    const ENOUGH: usize = 64;
    let (pairs, _) = bytes.as_chunks::<2>();
    let pairs = pairs.get(..pairs.len().min(ENOUGH)).unwrap_or_default();
    pairs.len() >= 4
        && pairs
            .iter()
            .all(|pair| pair.get(zero) == Some(&0) && pair.get(1 - zero) != Some(&0))
}

/// 0x80 to 0x9f, where it differs from Latin-1 (the Encoding Standard, index windows-1252).
const WINDOWS_1252: [char; 32] = [
    '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}', '\u{2021}',
    '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}', '\u{8f}',
    '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}', '\u{2014}',
    '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}', '\u{178}',
];

fn windows_1252(bytes: &[u8]) -> String {
    let special = |byte: u8| WINDOWS_1252.get(usize::from(byte.wrapping_sub(0x80)));
    bytes
        .iter()
        .map(|byte| special(*byte).copied().unwrap_or(char::from(*byte)))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mark = mark.then_some(0xfeff).into_iter();
        mark.chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "bad.example\nb\u{fc}cher.example \u{1f600}\n";
        for bytes in [
            text.as_bytes().to_vec(),
            [UTF_8_MARK, text.as_bytes()].concat(),
            encoded(text, true, u16::to_le_bytes),
            encoded(text, true, u16::to_be_bytes),
        ] {
            assert_eq!(decoded(bytes), text);
        }
        let ascii = "bad.example\n".repeat(20);
        assert_eq!(decoded(encoded(&ascii, false, u16::to_le_bytes)), ascii);
        assert_eq!(decoded(encoded(&ascii, false, u16::to_be_bytes)), ascii);
        assert_eq!(decoded(b"b\xfccher \x80".to_vec()), "b\u{fc}cher \u{20ac}");
        assert_eq!(decoded(b"\xff\xfea\0b".to_vec()), "a\u{fffd}");
        assert_eq!(decoded(b"a\rb\r".to_vec()), "a\nb\n");
        assert_eq!(decoded(b"a\rb\r\n".to_vec()), "a\rb\r\n");
    }

    #[test]
    fn a_cut_head_keeps_its_encoding() {
        assert_eq!(of_head("\u{e4}\u{e4}".as_bytes(), 3), "\u{e4}");
        assert_eq!(of_head("ab".as_bytes(), 10), "ab");
    }

    proptest! {
        #[test]
        fn never_panics(bytes in vec(any::<u8>(), 0..200), most in 0_usize..250) {
            decoded(bytes.clone());
            of_head(&bytes, most);
        }
    }
}
