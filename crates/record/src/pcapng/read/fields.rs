//! Numbers, bytes and options, one after the other, in the byte order of their section.

use super::super::block;
use super::super::block::code;

/// Bytes in the order of their section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_big_endian: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    /// With the bytes that fill it up to a multiple of four.
    pub(super) fn padded(&mut self, length: u32) -> Option<&'a [u8]> {
        let length = usize::try_from(length).ok()?;
        let taken = self.take(length)?;
        self.take(block::padding(length).min(self.bytes.len()))?;
        Some(taken)
    }

    /// The bytes of a number, the lowest first.
    fn little_endian<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        let mut bytes = *taken;
        if self.is_big_endian {
            bytes.reverse();
        }
        Some(bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.little_endian().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.little_endian().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.little_endian().map(u64::from_le_bytes)
    }

    pub(super) fn options(self) -> Options<'a> {
        Options { rest: self }
    }
}

/// Codes and values, up to the end mark or to where they make no sense any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options<'a> {
    rest: Fields<'a>,
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (code, length) = (self.rest.u16()?, self.rest.u16()?);
        if code == code::END {
            self.rest.bytes = &[];
            return None;
        }
        Some((code, self.rest.padded(u32::from(length))?))
    }
}
