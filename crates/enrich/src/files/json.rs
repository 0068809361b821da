//! JSON of which a few members are wanted, read in one pass: what nobody asks for is passed over, and
//! an entry is let go before the next one comes, so that memory does not grow with the document.
//! A member of another type than usual is as good as none; a document that is no JSON is damaged.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Error;

/// Goes through a whole document.
///
/// Errors: it is no JSON, or something follows it.
pub(super) fn document<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    format: &'static str,
    seed: S,
) -> Result<S::Value, Error> {
    let damaged = |error: serde_json::Error| Error::Damaged {
        format,
        place: format!("line {}, column {}", error.line(), error.column()),
        why: why(&error),
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = seed.deserialize(&mut reader).map_err(damaged)?;
    reader.end().map_err(damaged)?;
    Ok(value)
}

fn why(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = text.rfind(" at line ").unwrap_or(text.len());
    text.get(..place).unwrap_or_default().to_owned()
}

/// What a visitor says of all that it does not want.
macro_rules! passes_over {
    ($nothing:expr; $($what:ident),*) => { $(passes_over!(@ $nothing, $what);)* };
    (@ $nothing:expr, scalars) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok($nothing) }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok($nothing) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok($nothing) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok($nothing) }
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok($nothing) }
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok($nothing) }
    };
    (@ $nothing:expr, lists) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            while list.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            Ok($nothing)
        }
    };
    (@ $nothing:expr, objects) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
            while object.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
            Ok($nothing)
        }
    };
}
pub(super) use passes_over;

/// What a visitor is asked for in messages that nobody sees.
pub(super) fn anything(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("any value")
}

/// A text, a number or a yes or no, as text.
pub(super) struct Scalar;

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scalar {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Some(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    passes_over!(None; lists, objects);
}

/// The wanted members of an object, each once, in the order of the document.
#[derive(Debug, Default)]
pub(super) struct Row(Vec<(&'static str, String)>);

impl Row {
    pub(super) fn member(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads an object; `None`: it is none.
#[derive(Clone, Copy)]
pub(super) struct RowOf(pub(super) &'static [&'static str]);

impl RowOf {
    /// Of a member of an object that is being read.
    pub(super) fn wanted(self, key: &str) -> Option<&'static str> {
        self.0.iter().find(|wanted| **wanted == key).copied()
    }
}

impl<'de> DeserializeSeed<'de> for RowOf {
    type Value = Option<Row>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RowOf {
    type Value = Option<Row>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut row = Row::default();
        while let Some(key) = object.next_key_seed(Key(self))? {
            match key {
                Some(key) => {
                    if let Some(value) = object.next_value_seed(Scalar)?
                        && row.member(key).is_none()
                    {
                        row.0.push((key, value));
                    }
                }
                None => {
                    object.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Some(row))
    }

    passes_over!(None; scalars, lists);
}

/// Which of the wanted members a key is; nothing is kept of another one.
struct Key(RowOf);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        value.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.wanted(key))
    }
}

/// A list of objects, one after the other. What is no object is handed on as `None`; what is no list
/// is passed over.
pub(super) struct Rows<'a> {
    pub(super) of: RowOf,
    pub(super) each: &'a mut dyn FnMut(Option<Row>),
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(row) = list.next_element_seed(self.of)? {
            (self.each)(row);
        }
        Ok(())
    }

    passes_over!((); scalars, objects);
}

/// One member of a document that is a list of objects.
pub(super) struct Member<'a> {
    pub(super) name: &'static str,
    pub(super) of: RowOf,
    pub(super) each: &'a mut dyn FnMut(Option<Row>),
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        anything(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut document: A) -> Result<(), A::Error> {
        while let Some(key) = document.next_key::<String>()? {
            if key == self.name {
                document.next_value_seed(Rows {
                    of: self.of,
                    each: self.each,
                })?;
            } else {
                document.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    passes_over!((); scalars, lists);
}
