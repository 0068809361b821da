//! Memory that Windows filled in one piece, with addresses in it that lead to other places of the same
//! piece. An address that leads out of it leads nowhere.

use model::Text;

/// A copy of the piece, and where it lay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory<'a> {
    pub(crate) bytes: &'a [u8],
    /// The address of the first byte.
    pub(crate) base: u64,
}

impl<'a> Memory<'a> {
    /// What begins at an address. `None`: it is none of this piece, as 0 is not.
    pub(crate) fn at(self, address: u64) -> Option<&'a [u8]> {
        let offset = address.checked_sub(self.base)?;
        let rest = self.bytes.get(usize::try_from(offset).ok()?..)?;
        (address != 0 && !rest.is_empty()).then_some(rest)
    }

    /// The UTF-16 from an address to the next zero, at most `most` units. What is no UTF-16 becomes a
    /// replacement character.
    pub(crate) fn text(self, address: u64, most: usize) -> Option<Text> {
        let pairs = self.at(address)?.as_chunks().0.iter();
        let units = pairs.map(|pair| u16::from_le_bytes(*pair));
        let units: Vec<u16> = units.take_while(|unit| *unit != 0).take(most).collect();
        Some(Text::from(String::from_utf16_lossy(&units)))
    }
}

pub(crate) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

pub(crate) fn address(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_into_the_piece_or_nowhere() {
        let memory = Memory {
            bytes: b"a\0b\0\0\0c\0",
            base: 1000,
        };
        let text = |address| memory.text(address, 9).map(|it| it.lossy().into_owned());
        assert_eq!(text(1000).as_deref(), Some("ab"));
        assert_eq!(text(1006).as_deref(), Some("c"));
        for address in [0, 999, 1008, u64::MAX] {
            assert_eq!(text(address), None, "{address}");
        }
    }
}
