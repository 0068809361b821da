//! Takes fields off the front of bytes, in network byte order.

/// What has not been taken yet. Every function gives `None` when there is too little, and then takes
/// nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<u32> {
        self.array()
            .map(|[high, middle, low]| u32::from_be_bytes([0, high, middle, low]))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Bytes with their number before them, in one byte.
    pub(crate) fn counted8(&mut self) -> Option<&'a [u8]> {
        let mut after = *self;
        let length = usize::from(after.u8()?);
        let taken = after.take(length)?;
        *self = after;
        Some(taken)
    }

    /// Likewise in two.
    pub(crate) fn counted16(&mut self) -> Option<&'a [u8]> {
        let mut after = *self;
        let length = usize::from(after.u16()?);
        let taken = after.take(length)?;
        *self = after;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_is_there_and_nothing_more() {
        let mut cursor = Cursor::new(&[1, 0, 2, 0, 0, 3, 2, 7, 8, 0, 1, 9, 0, 4, 1]);
        assert_eq!(cursor.u8(), Some(1));
        assert_eq!(cursor.u16(), Some(2));
        assert_eq!(cursor.u24(), Some(3));
        assert_eq!(cursor.counted8(), Some(&[7, 8][..]));
        assert_eq!(cursor.counted16(), Some(&[9][..]));
        assert_eq!((cursor.counted16(), cursor.u32()), (None, None));
        assert_eq!(cursor.rest(), [0, 4, 1]);
    }
}
