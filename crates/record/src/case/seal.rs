//! The seal: what a person writes down or reads out.

use std::fmt;

/// The first 128 bits of the SHA-256 of the manifest as it was when the case was sealed.
///
/// Prints as 32 hexadecimal digits in groups of four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Seal(pub [u8; 16]);

impl Seal {
    /// As a person typed it: case, blanks and hyphens do not matter. `None`: not 32 hexadecimal
    /// digits.
    pub fn parse(text: &str) -> Option<Self> {
        let is_between = |character: &char| character.is_whitespace() || *character == '-';
        let mut digits = text.chars().filter(|character| !is_between(character));
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }

    pub(super) fn of(manifest_sha256: &[u8]) -> Self {
        let mut bytes = [0; 16];
        for (byte, from) in bytes.iter_mut().zip(manifest_sha256) {
            *byte = *from;
        }
        Self(bytes)
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, [high, low]) in self.0.as_chunks().0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{high:02x}{low:02x}")?;
        }
        Ok(())
    }
}

/// Whether it is a SHA-256 as [`model::hex`] writes it.
pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let read = Seal::parse(text).map(|seal| seal.to_string());
        assert_eq!(read.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn is_read_as_a_person_types_it() {
        let seal = "0123 4567 89ab cdef 0000 1111 2222 ffff";
        check(seal, Some(seal));
        check("0123456789ABCDEF000011112222FFFF", Some(seal));
        check(" 0123-4567-89ab-cdef\n0000-1111-2222-ffff ", Some(seal));
        check("", None);
        check("0123 4567 89ab cdef 0000 1111 2222 fff", None);
        check("0123 4567 89ab cdef 0000 1111 2222 ffff 0", None);
        check("0123 4567 89ab cdef 0000 1111 2222 fffg", None);
    }
}
