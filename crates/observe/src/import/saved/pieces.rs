//! An object in pieces: its members, and of members that are lists of objects the items, one by one. A
//! document may be longer than memory; a piece is bounded.

use std::io::{self, BufRead};

use super::super::input::is_damage;
use super::super::lines::UTF_8_MARK;

/// Longer pieces are passed over.
const LONGEST: usize = 1 << 20;

#[derive(Debug, Default)]
pub(super) struct Pieces {
    place: Place,
    name: Vec<u8>,
    value: Vec<u8>,
    /// How many bytes were taken.
    at: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Start,
    Members,
    Items,
    End,
}

/// One piece, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A member that is no list.
    Member { name: &'a [u8], value: &'a [u8] },
    /// Of the member that is a list.
    Item { list: &'a [u8], value: &'a [u8] },
    /// It was passed over; it ended here.
    TooLong { at: u64 },
    /// It is no JSON from here on, or it ends in the middle.
    Cut { at: u64 },
    /// That was all.
    End,
}

/// Something else than was to be expected, or the end.
struct Odd;

type Taken<T> = io::Result<Result<T, Odd>>;

/// `?` for both kinds of failure.
macro_rules! take {
    ($taken:expr) => {
        match $taken? {
            Ok(taken) => taken,
            Err(Odd) => return Ok(Err(Odd)),
        }
    };
}

impl Pieces {
    /// Errors: of the file system.
    pub(super) fn next(&mut self, input: &mut impl BufRead) -> io::Result<Piece<'_>> {
        let found = match self.find(input) {
            Ok(found) => found,
            Err(error) if is_damage(&error) => Err(Odd),
            Err(error) => return Err(error),
        };
        let (name, value, at) = (&self.name, &self.value, self.at);
        Ok(match found {
            Ok(Found::Member) => Piece::Member { name, value },
            Ok(Found::Item) => Piece::Item { list: name, value },
            Ok(Found::TooLong) => Piece::TooLong { at },
            Ok(Found::End) => Piece::End,
            Err(Odd) => {
                self.place = Place::End;
                Piece::Cut { at }
            }
        })
    }

    fn find(&mut self, input: &mut impl BufRead) -> Taken<Found> {
        loop {
            match self.place {
                Place::End => return Ok(Ok(Found::End)),
                Place::Start => {
                    for marked in UTF_8_MARK {
                        if input.fill_buf()?.first() != Some(marked) {
                            break;
                        }
                        self.consume(input, 1);
                    }
                    if self.next_byte(input)? != Some(b'{') {
                        return Ok(Err(Odd));
                    }
                    self.place = Place::Members;
                }
                Place::Members => match self.past_comma(input)? {
                    Some(b'}') => {
                        self.place = Place::End;
                        return Ok(match self.peek(input)? {
                            None => Ok(Found::End),
                            Some(_) => Err(Odd),
                        });
                    }
                    Some(b'"') => {
                        if let Some(found) = take!(self.member(input)) {
                            return Ok(Ok(found));
                        }
                    }
                    Some(_) | None => return Ok(Err(Odd)),
                },
                Place::Items => match self.past_comma(input)? {
                    Some(b']') => self.place = Place::Members,
                    Some(first) => {
                        let whole = take!(self.take_value(first, input));
                        return Ok(Ok(if whole { Found::Item } else { Found::TooLong }));
                    }
                    None => return Ok(Err(Odd)),
                },
            }
        }
    }

    /// From behind the quote of its name. `None`: it is a list, whose items follow.
    fn member(&mut self, input: &mut impl BufRead) -> Taken<Option<Found>> {
        let is_short = take!(self.take_value(b'"', input));
        self.name.clear();
        // Without its quotes.
        let name = self.value.get(1..self.value.len().saturating_sub(1));
        self.name
            .extend(name.filter(|_| is_short).unwrap_or_default());
        if self.next_byte(input)? != Some(b':') {
            return Ok(Err(Odd));
        }
        Ok(Ok(match self.next_byte(input)? {
            Some(b'[') => {
                self.place = Place::Items;
                None
            }
            Some(first) => {
                let whole = take!(self.take_value(first, input));
                Some(if whole { Found::Member } else { Found::TooLong })
            }
            None => return Ok(Err(Odd)),
        }))
    }

    /// Takes a value, whose first byte is taken already, up to its end. `false`: it is too long and was
    /// passed over.
    fn take_value(&mut self, first: u8, input: &mut impl BufRead) -> Taken<bool> {
        let mut value = Open::of(first);
        self.value.clear();
        self.value.push(first);
        let mut whole = true;
        if !value.is_begun() {
            return Ok(Err(Odd));
        }
        loop {
            let waiting = input.fill_buf()?;
            if waiting.is_empty() {
                return Ok(Err(Odd));
            }
            let end = waiting.iter().position(|byte| value.ends_behind(*byte));
            let taken = match (end, value.kind) {
                // What follows a number or a word is none of it.
                (Some(end), Kind::Plain) => end,
                (Some(end), Kind::Text | Kind::Nested) => end + 1,
                (None, _) => waiting.len(),
            };
            whole &= self.value.len() + taken <= LONGEST;
            if whole {
                self.value.extend(waiting.iter().take(taken));
            }
            self.consume(input, taken);
            if end.is_some() {
                return Ok(Ok(whole));
            }
        }
    }

    /// The next byte that is neither a blank nor the comma between two values.
    fn past_comma(&mut self, input: &mut impl BufRead) -> io::Result<Option<u8>> {
        match self.next_byte(input)? {
            Some(b',') => self.next_byte(input),
            other => Ok(other),
        }
    }

    /// The next byte that is no blank, taken.
    fn next_byte(&mut self, input: &mut impl BufRead) -> io::Result<Option<u8>> {
        let byte = self.peek(input)?;
        if byte.is_some() {
            self.consume(input, 1);
        }
        Ok(byte)
    }

    /// The same, and it stays.
    fn peek(&mut self, input: &mut impl BufRead) -> io::Result<Option<u8>> {
        loop {
            let waiting = input.fill_buf()?;
            if waiting.is_empty() {
                return Ok(None);
            }
            let blanks = waiting.iter().take_while(|it| it.is_ascii_whitespace());
            let blanks = blanks.count();
            let byte = waiting.get(blanks).copied();
            self.consume(input, blanks);
            if byte.is_some() {
                return Ok(byte);
            }
        }
    }

    fn consume(&mut self, input: &mut impl BufRead, bytes: usize) {
        input.consume(bytes);
        self.at += bytes as u64;
    }
}

enum Found {
    Member,
    Item,
    TooLong,
    End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Nested,
    /// A number or a word.
    Plain,
}

/// A value that is being taken.
struct Open {
    kind: Kind,
    depth: usize,
    in_text: bool,
    escaped: bool,
    begun: bool,
}

impl Open {
    fn of(first: u8) -> Self {
        let kind = match first {
            b'"' => Kind::Text,
            b'{' | b'[' => Kind::Nested,
            _ => Kind::Plain,
        };
        Self {
            kind,
            depth: usize::from(kind == Kind::Nested),
            in_text: kind == Kind::Text,
            escaped: false,
            begun: matches!(
                first,
                b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'
            ),
        }
    }

    /// Whether a value begins so.
    fn is_begun(&self) -> bool {
        self.begun
    }

    /// Whether it ends with this byte, which is the next one; before it where it is plain.
    fn ends_behind(&mut self, byte: u8) -> bool {
        if self.kind == Kind::Plain {
            return matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
        }
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return !self.in_text && self.kind == Kind::Text;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// All pieces, read in buffers of this size.
    fn pieces(text: &[u8], buffer: usize) -> Vec<String> {
        let mut input = io::BufReader::with_capacity(buffer, text);
        let mut pieces = Pieces::default();
        let mut all = Vec::new();
        loop {
            let lossy = |bytes| String::from_utf8_lossy(bytes).into_owned();
            let piece = pieces.next(&mut input).expect("memory");
            let (said, is_over) = match piece {
                Piece::Member { name, value } => {
                    (format!("{}={}", lossy(name), lossy(value)), false)
                }
                Piece::Item { list, value } => {
                    (format!("{}: {}", lossy(list), lossy(value)), false)
                }
                Piece::TooLong { .. } => ("too long".to_owned(), false),
                Piece::Cut { at } => (format!("cut at {at}"), true),
                Piece::End => ("end".to_owned(), true),
            };
            all.push(said);
            if is_over {
                return all;
            }
        }
    }

    fn check(text: &str, expected: &[&str]) {
        for buffer in [1, 2, 3, 7, 4096] {
            assert_eq!(pieces(text.as_bytes(), buffer), expected, "{text}");
        }
    }

    #[test]
    fn members_and_items_come_one_by_one() {
        check(
            r#" { "a" : 1 , "b":{"c":["}"]},"d":["x", {"y":"\"]"} ,[1,2]], "e":[],"f":null } "#,
            &[
                "a=1",
                r#"b={"c":["}"]}"#,
                r#"d: "x""#,
                r#"d: {"y":"\"]"}"#,
                "d: [1,2]",
                "f=null",
                "end",
            ],
        );
        check("\u{feff}{}", &["end"]);
    }

    #[test]
    fn what_is_cut_is_told_with_its_place() {
        check(
            r#"{"a":1,"b":[{"c":2},{"c""#,
            &["a=1", r#"b: {"c":2}"#, "cut at 24"],
        );
        check(r#"{"a":1"#, &["cut at 6"]);
        check("[]", &["cut at 1"]);
        check("{} x", &["cut at 3"]);
        check(r#"{"a":}"#, &["cut at 6"]);
    }

    #[test]
    fn a_piece_that_is_too_long_is_passed_over() {
        let long = "x".repeat(LONGEST);
        let text = format!(r#"{{"a":["{long}",1],"b":"{long}","c":2}}"#);
        assert_eq!(
            pieces(text.as_bytes(), 4096),
            ["too long", "a: 1", "too long", "c=2", "end"]
        );
    }

    proptest! {
        #[test]
        fn never_panics_and_ends(bytes in vec(prop_oneof![Just(b'"'), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'\\'), Just(b':'), Just(b','), Just(b'1'), any::<u8>()], 0..80), buffer in 1_usize..9) {
            let mut whole = bytes.clone();
            whole.insert(0, b'{');
            prop_assert_eq!(pieces(&whole, buffer), pieces(&whole, 4096));
        }

        #[test]
        fn every_member_is_met(object in proptest::collection::btree_map("[a-z]{1,4}", any::<String>(), 0..6), pretty: bool) {
            let value = serde_json::json!(object);
            let text = match pretty {
                true => serde_json::to_string_pretty(&value),
                false => serde_json::to_string(&value),
            };
            let met = pieces(text.expect("a text").as_bytes(), 5);
            prop_assert_eq!(met.len(), object.len() + 1);
            prop_assert_eq!(met.last().map(String::as_str), Some("end"));
        }
    }
}
