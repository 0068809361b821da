//! The members of an object, found by their names, and what their values mean.

use std::net::IpAddr;

use model::{Endpoint, Text, Timestamp};

use super::super::field;
use super::super::format::Out;
use super::super::json::Value;

/// An object that is gone through once.
pub(super) struct Members<'a>(Vec<(&'a [u8], Value<'a>)>);

impl<'a> Members<'a> {
    pub(super) fn of(object: Value<'a>) -> Self {
        Self(object.members().collect())
    }

    /// A value that stands alone, as the one member of no name.
    pub(super) fn only(value: Value<'a>) -> Self {
        Self(vec![(b"", value)])
    }

    /// The first of this name. Null: there is none.
    pub(super) fn value(&self, name: &str) -> Value<'a> {
        let mut named = self.0.iter().filter(|(key, _)| *key == name.as_bytes());
        named.next().map(|(_, value)| *value).unwrap_or_default()
    }

    /// `None`: there is none, or it is null.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        let value = self.value(name);
        (!value.is_null()).then(|| Self::of(value))
    }

    /// Text, by the exact bytes where it is not UTF-8: they stand beside it.
    pub(super) fn text(&self, name: &str, hex_name: &str) -> Option<Text> {
        let exact = self.value(hex_name).plain().and_then(bytes);
        exact.map(Text::from).or_else(|| {
            self.value(name)
                .string()
                .map(|it| Text::from(it.into_owned()))
        })
    }

    pub(super) fn number<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        T::try_from(self.value(name).number()?).ok()
    }

    pub(super) fn is_true(&self, name: &str) -> Option<bool> {
        match self.value(name).plain()? {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    pub(super) fn time(&self, name: &str, out: &Out) -> Option<Timestamp> {
        let text = self.value(name).plain()?;
        Some(out.time(field::time(text)?))
    }

    /// The one of `all` that has this word. `None`: no word of ours.
    pub(super) fn word<T: Copy>(
        &self,
        name: &str,
        all: &[T],
        word: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let text = self.value(name).plain()?;
        all.iter().copied().find(|it| word(*it).as_bytes() == text)
    }

    pub(super) fn address(&self, name: &str) -> Option<IpAddr> {
        Some(field::address(self.value(name).plain()?)?.to_canonical())
    }

    /// `ip` and `port`.
    pub(super) fn end(&self) -> Endpoint {
        Endpoint {
            ip: self.address("ip"),
            port: self.number("port"),
        }
    }
}

/// Of hexadecimal digits. `None`: it is something else.
pub(super) fn bytes(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |it: u8| u8::try_from(char::from(it).to_digit(16)?).ok();
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    pairs.iter().map(byte).collect()
}
