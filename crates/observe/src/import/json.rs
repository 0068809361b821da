//! JSON as logs have it (RFC 8259): one object after the other, of which a few members are wanted.
//!
//! Nothing is built: an object is gone through member by member, and a value stays the bytes that it
//! is written with until it is asked for. What is nested is passed over without recursion, so that no
//! depth can hurt. Of the values that nobody asks for, only their ends are looked for.

use std::borrow::Cow;

use model::Text;

/// A value, as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Value<'a>(&'a [u8]);

impl<'a> Value<'a> {
    /// A whole line, or a whole file. `None`: it is no object, or it does not end, or something
    /// follows it.
    pub(super) fn object(text: &'a [u8]) -> Option<Self> {
        let text = text.trim_ascii();
        (text.first() == Some(&b'{') && end_of_value(text) == Some(text.len()))
            .then_some(Self(text))
    }

    /// Its members, in their order. Of anything but an object: none. They end where it is not JSON.
    pub(super) fn members(self) -> Members<'a> {
        Members {
            rest: self.0.strip_prefix(b"{").unwrap_or_default(),
        }
    }

    /// The first member of this name.
    pub(super) fn member(self, name: &str) -> Option<Value<'a>> {
        let mut members = self.members();
        members
            .find(|(key, _)| *key == name.as_bytes())
            .map(|(_, value)| value)
    }

    /// What stands in a list. Of anything else but null: itself.
    pub(super) fn items(self) -> Items<'a> {
        match self.0.strip_prefix(b"[") {
            Some(rest) => Items { rest, alone: false },
            None if self.is_null() => Items {
                rest: b"",
                alone: false,
            },
            None => Items {
                rest: self.0,
                alone: true,
            },
        }
    }

    /// Its bytes, with quotes and brackets.
    pub(super) fn written(self) -> &'a [u8] {
        self.0
    }

    /// The other way round.
    pub(super) fn of(written: &'a [u8]) -> Self {
        Self(written)
    }

    pub(super) fn is_null(self) -> bool {
        self.0.is_empty() || self.0 == b"null"
    }

    /// A text without its quotes, a number or a word as it is written. `None`: null, a list, an
    /// object. What is escaped stays escaped: enough for numbers, addresses, times and words.
    pub(super) fn plain(self) -> Option<&'a [u8]> {
        match self.0.first()? {
            b'"' => self.0.get(1..self.0.len().checked_sub(1)?),
            b'{' | b'[' => None,
            _ if self.is_null() => None,
            _ => Some(self.0),
        }
    }

    /// The same with nothing escaped.
    pub(super) fn string(self) -> Option<Cow<'a, [u8]>> {
        Some(unescaped(self.plain()?))
    }

    /// Likewise; `None` also where it is empty.
    pub(super) fn text(self) -> Option<Text> {
        let string = self.string()?;
        (!string.is_empty()).then(|| Text::from(string.into_owned()))
    }

    pub(super) fn number(self) -> Option<u64> {
        super::field::unsigned(self.plain()?)
    }
}

/// Names as they are written, and values.
pub(super) struct Members<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = std::mem::take(&mut self.rest).trim_ascii_start();
        let key_end = end_of_string(key)?;
        let name = key.get(1..key_end - 1)?;
        let value = key.get(key_end..)?.trim_ascii_start();
        let value = value.strip_prefix(b":")?.trim_ascii_start();
        let (value, rest) = value.split_at_checked(end_of_value(value)?)?;
        let rest = rest.trim_ascii_start();
        self.rest = rest.strip_prefix(b",").unwrap_or_default();
        Some((name, Value(value)))
    }
}

/// The values of a list.
pub(super) struct Items<'a> {
    rest: &'a [u8],
    alone: bool,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = std::mem::take(&mut self.rest).trim_ascii_start();
        if self.alone {
            return (!item.is_empty()).then_some(Value(item));
        }
        let (item, rest) = item.split_at_checked(end_of_value(item)?)?;
        let rest = rest.trim_ascii_start();
        self.rest = rest.strip_prefix(b",").unwrap_or_default();
        Some(Value(item))
    }
}

/// Where the value that stands at the beginning ends. `None`: there is none, or it does not end.
fn end_of_value(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => end_of_string(text),
        b'{' | b'[' => end_of_nested(text),
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => Some(
            text.iter()
                .position(
                    |byte| !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E'),
                )
                .unwrap_or(text.len()),
        ),
        _ => None,
    }
}

/// Brackets are counted, not told apart.
fn end_of_nested(text: &[u8]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        match text.get(at)? {
            b'"' => {
                at += end_of_string(text.get(at..)?)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

fn end_of_string(text: &[u8]) -> Option<usize> {
    text.first().filter(|byte| **byte == b'"')?;
    let mut at = 1;
    loop {
        let rest = text.get(at..)?;
        let next = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
        at += next + 1;
        if rest.get(next) == Some(&b'"') {
            return Some(at);
        }
        // Whatever was escaped.
        at += 1;
    }
}

/// Escapes that are none stay as they are written.
fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'\\') {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        let (before, escaped) = rest.split_at(at);
        plain.extend(before);
        rest = match unescape(escaped) {
            Some((character, rest)) => {
                plain.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
                rest
            }
            None => {
                plain.push(b'\\');
                escaped.get(1..).unwrap_or_default()
            }
        };
    }
    plain.extend(rest);
    Cow::Owned(plain)
}

fn unescape(escaped: &[u8]) -> Option<(char, &[u8])> {
    let (letter, rest) = escaped.get(1..)?.split_first()?;
    let character = match letter {
        b'"' | b'\\' | b'/' => char::from(*letter),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return unescape_unit(rest),
        _ => return None,
    };
    Some((character, rest))
}

fn unescape_unit(text: &[u8]) -> Option<(char, &[u8])> {
    let unit = |text: &[u8]| -> Option<u16> {
        let digits = text.get(..4)?;
        digits.iter().try_fold(0, |unit, digit| {
            let digit = u16::try_from(char::from(*digit).to_digit(16)?).ok()?;
            Some(unit << 4 | digit)
        })
    };
    let first = unit(text)?;
    let rest = text.get(4..)?;
    let second = rest.strip_prefix(b"\\u");
    let second = second.and_then(|text| Some((unit(text)?, text.get(4..)?)));
    if let Some((second, rest)) = second.filter(|_| (0xd800..0xdc00).contains(&first))
        && let Some(Ok(character)) = char::decode_utf16([first, second]).next()
    {
        return Some((character, rest));
    }
    // Half of a pair is no character.
    let character = char::from_u32(u32::from(first));
    Some((character.unwrap_or(char::REPLACEMENT_CHARACTER), rest))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn member(object: &str, name: &str) -> Option<String> {
        let value = Value::object(object.as_bytes())?.member(name)?;
        Some(String::from_utf8_lossy(&value.string()?).into_owned())
    }

    #[test]
    fn members_are_found_in_whatever_order_they_stand() {
        let object = r#" { "a" : 1, "b":{"a":2,"c":"}\""}, "c" : "x\u0041\ud83d\ude00\n\/", "d":[1,"b",{}] ,"e":null}"#;
        assert_eq!(member(object, "a").as_deref(), Some("1"));
        assert_eq!(member(object, "c").as_deref(), Some("xA\u{1f600}\n/"));
        assert_eq!(member(object, "b"), None);
        assert_eq!(member(object, "e"), None);
        let whole = Value::object(object.as_bytes()).expect("an object");
        let nested = whole.member("b").and_then(|nested| nested.member("a"));
        assert_eq!(nested.and_then(Value::number), Some(2));
        let items: Vec<_> = whole
            .member("d")
            .map(|list| list.items().collect())
            .unwrap_or_default();
        assert_eq!(items, [Value(b"1"), Value(b"\"b\""), Value(b"{}")]);
    }

    #[test]
    fn what_is_no_whole_object_is_refused() {
        for text in [
            "",
            "{",
            "[]",
            "{\"a\":1",
            "{\"a\":\"}",
            "{} {}",
            "1",
            "\"a\"",
            "}{",
        ] {
            assert_eq!(Value::object(text.as_bytes()), None, "{text}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(1 << 20));
        assert_eq!(Value::object(deep.as_bytes()), None);
    }

    #[test]
    fn half_a_pair_and_no_escapes_are_kept_visible() {
        assert_eq!(
            member(r#"{"a":"\ud83dx\q\u12"}"#, "a").as_deref(),
            Some("\u{fffd}x\\q\\u12")
        );
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<u64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..5).prop_map(Into::into),
                vec((any::<String>(), inner), 0..5)
                    .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn check(value: Value<'_>, expected: &serde_json::Value) {
        match expected {
            serde_json::Value::Object(members) => {
                let mut seen = value.members();
                for (name, expected) in members {
                    let (key, value) = seen.next().expect("as many members");
                    assert_eq!(unescaped(key), name.as_bytes());
                    check(value, expected);
                }
                assert!(seen.next().is_none());
            }
            serde_json::Value::Array(items) => {
                let mut seen = value.items();
                for expected in items {
                    check(seen.next().expect("as many items"), expected);
                }
                assert!(seen.next().is_none());
            }
            serde_json::Value::String(text) => {
                assert_eq!(value.string().as_deref(), Some(text.as_bytes()));
            }
            serde_json::Value::Null => assert!(value.is_null()),
            serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
                assert_eq!(value.plain(), Some(expected.to_string().as_bytes()));
            }
        }
    }

    proptest! {
        #[test]
        fn reads_what_another_library_wrote(inner in any_json(), pretty: bool) {
            let expected = serde_json::json!({ "a": inner });
            let text = if pretty {
                serde_json::to_string_pretty(&expected)
            } else {
                serde_json::to_string(&expected)
            };
            let text = text.expect("a text");
            check(Value::object(text.as_bytes()).expect("an object"), &expected);
        }

        #[test]
        fn never_panics(bytes in vec(prop_oneof![Just(b'"'), Just(b'{'), Just(b'}'), Just(b'['), Just(b']'), Just(b'\\'), Just(b':'), Just(b','), Just(b'u'), any::<u8>()], 0..60)) {
            let mut whole = bytes.clone();
            whole.insert(0, b'{');
            if let Some(object) = Value::object(&whole) {
                for (_, value) in object.members() {
                    value.text();
                    value.items().for_each(|item| { item.string(); });
                }
            }
            unescaped(&bytes);
        }
    }
}
