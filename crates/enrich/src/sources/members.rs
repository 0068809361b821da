//! JSON of services: what is looked for in it, whatever it is written as. A member that is missing or
//! null is none; a text or number of another type is as good as none; an object or a list that is
//! something else is said, since all that was asked for lies in it.

use model::Failure;
use serde_json::{Map, Value};

use super::facts::day;

/// Deeper ones are not read.
const DEEPEST: usize = 64;
/// Of a list that is shown in one line.
const MOST_IN_A_LINE: usize = 8;

/// A whole body as JSON.
pub(super) fn document(body: &[u8]) -> Result<Value, Failure> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.trim_ascii().is_empty() {
        return Err(unreadable("it is empty"));
    }
    if is_html(body) {
        return Err(unreadable("it is a web page, not JSON"));
    }
    if is_deeper_than(body, DEEPEST) {
        return Err(unreadable(format!(
            "its JSON is nested deeper than {DEEPEST}"
        )));
    }
    serde_json::from_slice(body).map_err(|error| {
        unreadable(if error.is_eof() {
            format!("its JSON ends in the middle: {error}")
        } else {
            format!("it is no JSON: {error}")
        })
    })
}

/// No JSON begins like this.
pub(super) fn is_html(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

pub(super) fn unreadable(what: impl Into<String>) -> Failure {
    Failure::Unreadable(what.into())
}

/// Says where it is, in what has one document on each line.
pub(super) fn in_line(failure: Failure, number: usize) -> Failure {
    if let Failure::Unreadable(what) = failure {
        unreadable(format!("line {number}: {what}"))
    } else {
        failure
    }
}

/// Before anything is built of it: brackets outside of texts.
fn is_deeper_than(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_text, mut is_escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

#[derive(Clone, Copy)]
pub(super) struct Object<'a>(&'a Map<String, Value>);

impl<'a> Object<'a> {
    /// `what` it is, for the message when it is something else.
    pub(super) fn of(value: &'a Value, what: &str) -> Result<Self, Failure> {
        match value.as_object() {
            Some(members) => Ok(Self(members)),
            None => Err(wrong(what, value, "an object")),
        }
    }

    fn member(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.member(name).is_some()
    }

    pub(super) fn object(self, name: &str) -> Result<Option<Self>, Failure> {
        let member = self.member(name);
        member
            .map(|value| Self::of(value, &format!("`{name}`")))
            .transpose()
    }

    /// One without which there is no answer.
    pub(super) fn needed(self, name: &str) -> Result<Self, Failure> {
        self.object(name)?
            .ok_or_else(|| unreadable(format!("it has no `{name}`")))
    }

    /// Empty where it is missing.
    pub(super) fn list(self, name: &str) -> Result<&'a [Value], Failure> {
        match self.member(name) {
            None => Ok(&[]),
            Some(Value::Array(values)) => Ok(values),
            Some(other) => Err(wrong(&format!("`{name}`"), other, "a list")),
        }
    }

    /// The objects in a list.
    pub(super) fn objects(self, name: &str) -> Result<Vec<Self>, Failure> {
        let entry = format!("an entry of `{name}`");
        let values = self.list(name)?.iter();
        values.map(|value| Self::of(value, &entry)).collect()
    }

    /// Numbers too. `None`: it is empty, or something else.
    pub(super) fn text(self, name: &str) -> Option<String> {
        text(self.member(name)?)
    }

    /// Only what is written as a text. `None`: it is empty, or something else.
    pub(super) fn word(self, name: &str) -> Option<&'a str> {
        let word = self.member(name)?.as_str()?.trim();
        (!word.is_empty()).then_some(word)
    }

    /// A whole number, also where it is written as a text.
    pub(super) fn number(self, name: &str) -> Option<i64> {
        let member = self.member(name)?;
        match member.as_str() {
            Some(text) => text.trim().parse().ok(),
            None => member.as_i64(),
        }
    }

    pub(super) fn count(self, name: &str) -> Option<u64> {
        self.number(name).and_then(|it| it.try_into().ok())
    }

    /// Also `"true"` and 1.
    pub(super) fn truth(self, name: &str) -> Option<bool> {
        let member = self.member(name)?;
        match member.as_str() {
            Some(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Some(_) => None,
            None => member.as_bool().or(member.as_i64().map(|it| it != 0)),
        }
    }

    /// A text, or the texts in a list, each once. Empty where there are none.
    pub(super) fn texts(self, name: &str) -> Vec<String> {
        let mut texts: Vec<String> = Vec::new();
        let values = match self.member(name) {
            Some(Value::Array(values)) => values.as_slice(),
            Some(other) => std::slice::from_ref(other),
            None => &[],
        };
        for text in values.iter().filter_map(text) {
            // What nobody is shown need not be compared with all the others.
            if texts.len() > 4 * MOST_IN_A_LINE || !texts.contains(&text) {
                texts.push(text);
            }
        }
        texts
    }

    /// The same in one line. `None`: there are none.
    pub(super) fn line(self, name: &str) -> Option<String> {
        in_a_line(&self.texts(name))
    }

    /// A time, as its day in UTC.
    pub(super) fn day(self, name: &str) -> Option<String> {
        day(&self.text(name)?)
    }

    /// The names and values of its members that are texts or numbers.
    pub(super) fn pairs(self) -> impl Iterator<Item = (&'a str, String)> {
        let pairs = self.0.iter();
        pairs.filter_map(|(name, value)| Some((name.as_str(), text(value)?)))
    }

    /// Its members that are objects, with their names.
    pub(super) fn inner(self) -> impl Iterator<Item = (&'a str, Self)> {
        let members = self.0.iter();
        members.filter_map(|(name, value)| Some((name.as_str(), Self(value.as_object()?))))
    }
}

/// The first of them, and how many more there are. `None`: there are none.
pub(super) fn in_a_line(texts: &[String]) -> Option<String> {
    let first = texts.get(..MOST_IN_A_LINE).unwrap_or(texts).join(", ");
    match texts.len() {
        0 => None,
        count if count > MOST_IN_A_LINE => {
            Some(format!("{first} and {} more", count - MOST_IN_A_LINE))
        }
        _ => Some(first),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            (!text.is_empty()).then(|| text.to_owned())
        }
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn wrong(what: &str, found: &Value, wanted: &str) -> Failure {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    unreadable(format!("{what} is {found} instead of {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: &str) {
        let Err(Failure::Unreadable(found)) = document(body.as_bytes()) else {
            panic!("{body} was read");
        };
        assert!(found.starts_with(expected), "{found}");
    }

    #[test]
    fn what_is_no_json_says_what_it_is() {
        check("", "it is empty");
        check(" \n", "it is empty");
        check("\n<!DOCTYPE html>", "it is a web page");
        check("{\"a\":[1,", "its JSON ends in the middle");
        check("{]", "it is no JSON");
        check("{} {}", "it is no JSON");
        check(&"[".repeat(10_000), "its JSON is nested deeper than 64");
    }

    #[test]
    fn brackets_in_texts_do_not_count() {
        let text = format!(r#"{{"a":"\"{}\\"}}"#, "[".repeat(100));
        assert!(document(text.as_bytes()).is_ok());
        let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert!(document(deep.as_bytes()).is_ok());
    }

    #[test]
    fn members_are_taken_as_they_come() {
        let json = br#"{"n":"10","m":7,"t":"true","f":0,"null":null,"o":{},"l":["a",null,"a",3],
            "seconds":1662187624,"words":"2024-02-09 13:41:05 UTC"}"#;
        let value = document(json).unwrap();
        let object = Object::of(&value, "it").unwrap();
        assert_eq!(object.count("n"), Some(10));
        assert_eq!(object.text("m").as_deref(), Some("7"));
        assert_eq!(object.truth("t"), Some(true));
        assert_eq!(object.truth("f"), Some(false));
        assert!(!object.has("null"));
        assert!(object.object("null").unwrap().is_none());
        assert_eq!(object.number("o"), None);
        assert_eq!(object.line("l").as_deref(), Some("a, 3"));
        assert_eq!(object.day("seconds").as_deref(), Some("2022-09-03"));
        assert_eq!(object.day("words").as_deref(), Some("2024-02-09"));
        assert!(object.list("o").is_err());
        assert!(object.needed("missing").is_err());
    }
}
