//! Lines of a text that a tool wrote: bounded, numbered, and in UTF-8 also where the tool wrote
//! UTF-16, as PowerShell and Windows do.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use super::format::Out;
use super::input::is_damage;

/// Longer lines are skipped.
const LONGEST: usize = 1 << 20;
/// What is turned from UTF-16 into UTF-8 at once.
const PIECE: usize = 64 << 10;

pub(super) const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF_16_LE_MARK: &[u8] = b"\xff\xfe";
const UTF_16_BE_MARK: &[u8] = b"\xfe\xff";

/// Reads line after line.
#[derive(Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    number: u64,
    /// The line that was given last has no end: it is the last one, and may be cut.
    open_end: bool,
    encoding: Encoding,
    /// Of a text in UTF-16: what is UTF-8 already, and how much of it was given.
    decoded: Vec<u8>,
    given: usize,
    /// Of a text in UTF-16: the beginning of a character.
    rest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Encoding {
    /// Nothing was read yet.
    #[default]
    Unknown,
    /// Or any other in which a line ends as in ASCII.
    Utf8,
    Utf16 {
        big_endian: bool,
    },
}

impl Lines {
    /// The next line, without its end, and its number; the first is 1. `None`: there are no more. A line that is too long is skipped
    /// and counted. What is packed and ends in the middle or is damaged ends there.
    ///
    /// Errors: of the file system.
    pub(super) fn next(
        &mut self,
        input: &mut impl BufRead,
        out: &mut Out,
    ) -> io::Result<Option<(u64, &[u8])>> {
        loop {
            self.line.clear();
            match self.read_line(input) {
                Ok(Found::End) => return Ok(None),
                Ok(Found::Line) => break,
                Ok(Found::TooLong) => {
                    let number = self.number;
                    out.skip(
                        || format!("line {number}"),
                        || format!("it is longer than {} MiB", LONGEST >> 20),
                    );
                }
                Err(error) if is_damage(&error) => {
                    out.cut(format!("line {}", self.number));
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some((self.number, &self.line)))
    }

    /// The line that was given last has no end: nothing follows, and it may be cut.
    pub(super) fn open_end(&self) -> bool {
        self.open_end
    }

    /// The line that was given last was not understood. One that has no end was cut.
    pub(super) fn skip(&self, out: &mut Out, why: &str) {
        let place = || format!("line {}", self.number);
        if self.open_end {
            out.cut(place());
        }
        out.skip(place, || why.to_owned());
    }

    fn read_line(&mut self, input: &mut impl BufRead) -> io::Result<Found> {
        if self.encoding == Encoding::Unknown {
            self.encoding = skip_mark(input)?;
        }
        let mut too_long = false;
        self.number += 1;
        loop {
            let ended = match self.encoding {
                Encoding::Utf16 { big_endian } => self.read_decoded(input, big_endian)?,
                Encoding::Utf8 | Encoding::Unknown => {
                    // One more, so that a line that is too long is known by its length.
                    let room = LONGEST + 1 - self.line.len();
                    let room = u64::try_from(room).unwrap_or(u64::MAX);
                    let read = input
                        .by_ref()
                        .take(room)
                        .read_until(b'\n', &mut self.line)?;
                    self.line.ends_with(b"\n") || read == 0
                }
            };
            if ended {
                break;
            }
            if self.line.len() > LONGEST {
                too_long = true;
                self.line.clear();
            }
        }
        self.open_end = !self.line.ends_with(b"\n");
        if too_long {
            return Ok(Found::TooLong);
        }
        if self.line.is_empty() {
            return Ok(Found::End);
        }
        if !self.open_end {
            self.line.pop();
        }
        if self.line.ends_with(b"\r") {
            self.line.pop();
        }
        Ok(Found::Line)
    }

    /// Appends some of the line. `true`: the line or the file has ended.
    fn read_decoded(&mut self, input: &mut impl BufRead, big_endian: bool) -> io::Result<bool> {
        if self.given == self.decoded.len() {
            self.decoded.clear();
            self.given = 0;
            if !self.decode(input, big_endian)? {
                return Ok(true);
            }
        }
        let waiting = self.decoded.get(self.given..).unwrap_or_default();
        let end = waiting.iter().position(|byte| *byte == b'\n');
        let room = (LONGEST + 1).saturating_sub(self.line.len());
        let take = end.map_or(waiting.len(), |end| end + 1).min(room);
        self.line.extend(waiting.iter().take(take));
        self.given += take;
        Ok(end.is_some_and(|end| end < take))
    }

    /// `false`: there is no more.
    fn decode(&mut self, input: &mut impl BufRead, big_endian: bool) -> io::Result<bool> {
        let piece = u64::try_from(PIECE).unwrap_or(u64::MAX);
        let read = input.by_ref().take(piece).read_to_end(&mut self.rest)?;
        if read == 0 {
            if self.rest.is_empty() {
                return Ok(false);
            }
            // Half a character.
            self.rest.clear();
            push(&mut self.decoded, char::REPLACEMENT_CHARACTER);
            return Ok(true);
        }
        let taken = decode_utf_16(&self.rest, big_endian, &mut self.decoded);
        self.rest.drain(..taken);
        // Nothing but a beginning: the next piece ends it.
        if self.decoded.is_empty() {
            return self.decode(input, big_endian);
        }
        Ok(true)
    }
}

enum Found {
    Line,
    TooLong,
    End,
}

/// The beginning of a file as UTF-8, to recognise its kind by.
pub(super) fn decoded(head: &[u8]) -> Cow<'_, [u8]> {
    let (encoding, mark) = encoding(head);
    let text = head.get(mark..).unwrap_or_default();
    match encoding {
        Encoding::Utf16 { big_endian } => {
            let mut decoded = Vec::with_capacity(text.len() / 2);
            decode_utf_16(text, big_endian, &mut decoded);
            Cow::Owned(decoded)
        }
        Encoding::Utf8 | Encoding::Unknown => Cow::Borrowed(text),
    }
}

/// The lines of a beginning of a file. The last one may be cut.
pub(super) fn of_head(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn skip_mark(input: &mut impl BufRead) -> io::Result<Encoding> {
    let (encoding, mark) = encoding(input.fill_buf()?);
    input.consume(mark);
    Ok(encoding)
}

/// How a text that begins so is written, and how long the mark is that says it.
fn encoding(head: &[u8]) -> (Encoding, usize) {
    let utf_16 = |big_endian| Encoding::Utf16 { big_endian };
    if head.starts_with(UTF_8_MARK) {
        (Encoding::Utf8, UTF_8_MARK.len())
    } else if head.starts_with(UTF_16_LE_MARK) {
        (utf_16(false), UTF_16_LE_MARK.len())
    } else if head.starts_with(UTF_16_BE_MARK) {
        (utf_16(true), UTF_16_BE_MARK.len())
    } else if is_unmarked(head, |[low, high]| (low, high)) {
        (utf_16(false), 0)
    } else if is_unmarked(head, |[high, low]| (low, high)) {
        (utf_16(true), 0)
    } else {
        (Encoding::Utf8, 0)
    }
}

/// Whether it is UTF-16 without a mark: many letters of ASCII, each with a 0 beside it, and no 0
/// elsewhere.
fn is_unmarked(head: &[u8], order: fn([u8; 2]) -> (u8, u8)) -> bool {
    const ENOUGH: usize = 512;
    let (pairs, _) = head.as_chunks::<2>();
    let pairs = pairs.get(..pairs.len().min(ENOUGH)).unwrap_or_default();
    let letters = pairs.iter().map(|pair| order(*pair));
    let ascii = letters.clone().filter(|(_, high)| *high == 0).count();
    let text = letters
        .clone()
        .all(|(low, high)| low != 0 || high != 0 && high < 0xd8);
    pairs.len() >= 8 && text && ascii * 3 >= pairs.len()
}

/// Returns how many bytes were taken: all but the beginning of a character at the end.
fn decode_utf_16(bytes: &[u8], big_endian: bool, to: &mut Vec<u8>) -> usize {
    let unit = |pair: &[u8; 2]| {
        if big_endian {
            u16::from_be_bytes(*pair)
        } else {
            u16::from_le_bytes(*pair)
        }
    };
    let (pairs, _) = bytes.as_chunks::<2>();
    let pairs = match pairs.split_last() {
        Some((last, others)) if (0xd800..0xdc00).contains(&unit(last)) => others,
        _ => pairs,
    };
    for character in char::decode_utf16(pairs.iter().map(unit)) {
        push(to, character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    pairs.len() * 2
}

fn push(to: &mut Vec<u8>, character: char) {
    to.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    use model::BootId;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::Options;
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<String>, Out) {
        let mut out = Out::new(BootId([0; 16]), Options::default());
        let (mut lines, mut input) = (Lines::default(), bytes);
        let mut read = Vec::new();
        while let Some((number, line)) = lines.next(&mut input, &mut out).expect("memory") {
            read.push(format!("{number} {}", String::from_utf8_lossy(line)));
        }
        (read, out)
    }

    fn utf_16(text: &str, big_endian: bool) -> Vec<u8> {
        let units = text.encode_utf16();
        let mark = [0xfeffu16].into_iter();
        mark.chain(units)
            .flat_map(|unit| {
                if big_endian {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    }

    #[test]
    fn lines_end_as_unix_and_windows_end_them() {
        let expected = ["1 a", "2 ", "3 b\0c", "4 d"];
        assert_eq!(read(b"a\r\n\nb\0c\nd").0, expected);
        assert_eq!(read(b"\xef\xbb\xbfa\n\nb\0c\nd\n").0, expected);
        assert_eq!(read(&utf_16("a\r\n\r\nb\0c\nd", false)).0, expected);
        assert_eq!(read(&utf_16("a\n\nb\0c\nd\n", true)).0, expected);
        assert!(read(b"").0.is_empty());
    }

    #[test]
    fn utf_16_is_known_without_a_mark_too() {
        for big_endian in [false, true] {
            let marked = utf_16("Имя  Локальный адрес\r\n  TCP 10.0.0.1:2", big_endian);
            let unmarked = marked.get(2..).unwrap_or_default();
            assert_eq!(read(unmarked).0, read(&marked).0);
            assert_eq!(decoded(unmarked), decoded(&marked));
        }
        assert_eq!(read(b"p1\0ca\0f2\0\n").0.len(), 1);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped_and_counted() {
        let long = "x".repeat(LONGEST);
        let text = format!("a\n{long}\n{long}y\n{long}{long}{long}\nb\n");
        for bytes in [text.clone().into_bytes(), utf_16(&text, false)] {
            let (lines, out) = read(&bytes);
            let numbers: Vec<_> = lines.iter().map(|line| line.split(' ').next()).collect();
            assert_eq!(numbers, [Some("1"), Some("2"), Some("5")]);
            assert_eq!(out.skipped.count, 2);
        }
        let (lines, out) = read(long.repeat(5).as_bytes());
        assert!(lines.is_empty());
        assert_eq!(out.skipped.count, 1);
    }

    #[test]
    fn half_a_character_is_told() {
        let mut bytes = utf_16("ab", false);
        bytes.pop();
        assert_eq!(read(&bytes).0, ["1 a\u{fffd}"]);
        assert_eq!(read(b"\xff\xfea\0\x3d\xd8").0, ["1 a\u{fffd}"]);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in vec(any::<u8>(), 0..200)) {
            read(&bytes);
            decoded(&bytes);
        }

        #[test]
        fn every_encoding_reads_the_same(text in "[ -~\u{e9}\u{4e00}\u{1f600}\n]{0,300}") {
            let plain = read(text.as_bytes()).0;
            prop_assert_eq!(&read(&utf_16(&text, false)).0, &plain);
            prop_assert_eq!(&read(&utf_16(&text, true)).0, &plain);
            let decoded = decoded(&utf_16(&text, true)).into_owned();
            prop_assert_eq!(decoded, text.into_bytes());
        }
    }
}
