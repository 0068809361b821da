//! Numbers and options out of bytes, in the order that their file has. Nothing is read beyond the
//! end; what is not there is `None`.

/// Bytes that are taken from the front.
#[derive(Clone, Copy, Debug)]
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
    pub(super) fn padded(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.take(length)?;
        let padding = (4 - length % 4) % 4;
        self.take(padding.min(self.bytes.len()))?;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*taken)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let bytes = self.array()?;
        Some(if self.is_big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        let bytes = self.array()?;
        Some(if self.is_big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        let bytes = self.array()?;
        Some(if self.is_big_endian {
            u64::from_be_bytes(bytes)
        } else {
            u64::from_le_bytes(bytes)
        })
    }

    /// As a length.
    pub(super) fn size(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }

    /// The same bytes as codes and values, up to the end mark or to where they make no sense.
    pub(super) fn options(self) -> Options<'a> {
        Options(self)
    }

    /// Other bytes of the same file.
    pub(super) fn with(self, bytes: &'a [u8]) -> Self {
        Self { bytes, ..self }
    }
}

/// Options of a pcapng block (draft-ietf-opsawg-pcapng, 3.5), and what looks like them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options<'a>(Fields<'a>);

impl<'a> Iterator for Options<'a> {
    type Item = (u16, Fields<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (code, length) = (self.0.u16()?, self.0.u16()?);
        if code == 0 {
            self.0.bytes = &[];
            return None;
        }
        let value = self.0.padded(usize::from(length))?;
        Some((code, self.0.with(value)))
    }
}
