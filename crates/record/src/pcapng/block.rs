//! What blocks are made of: their numbers, options, and the length that stands at both ends.

use std::borrow::Cow;

use model::acts_or_hides;

/// The types of blocks (draft-ietf-opsawg-pcapng, 11.1).
pub(super) mod kind {
    pub(crate) const SECTION: u32 = 0x0A0D_0D0A;
    pub(crate) const INTERFACE: u32 = 1;
    pub(crate) const OLD_PACKET: u32 = 2;
    pub(crate) const SIMPLE_PACKET: u32 = 3;
    pub(crate) const NAMES: u32 = 4;
    pub(crate) const STATISTICS: u32 = 5;
    pub(crate) const PACKET: u32 = 6;
    pub(crate) const JOURNAL: u32 = 9;
    /// A custom block that may be copied to a changed file.
    pub(crate) const CUSTOM: u32 = 0x0BAD;
    /// Apple's block of a process (Wireshark, `wiretap/pcapng.c`: "Darwin Process Information Block").
    pub(crate) const PROCESS: u32 = 0x8000_0001;
}

/// The codes of options. Most mean another thing in each type of block.
pub(super) mod code {
    pub(crate) const END: u16 = 0;
    pub(crate) const COMMENT: u16 = 1;

    pub(crate) const HARDWARE: u16 = 2;
    pub(crate) const SYSTEM: u16 = 3;
    pub(crate) const APPLICATION: u16 = 4;

    pub(crate) const INTERFACE_NAME: u16 = 2;
    pub(crate) const INTERFACE_DESCRIPTION: u16 = 3;
    pub(crate) const INTERFACE_IPV4: u16 = 4;
    pub(crate) const INTERFACE_IPV6: u16 = 5;
    pub(crate) const INTERFACE_RESOLUTION: u16 = 9;
    pub(crate) const INTERFACE_FILTER: u16 = 11;
    pub(crate) const INTERFACE_SYSTEM: u16 = 12;
    pub(crate) const INTERFACE_OFFSET: u16 = 14;

    pub(crate) const FLAGS: u16 = 2;
    pub(crate) const DROPPED: u16 = 4;
    pub(crate) const PACKET_ID: u16 = 5;
    /// Process and thread, two numbers.
    pub(crate) const PROCESS_AND_THREAD: u16 = 8;
    /// Number of the process block in the file (Apple).
    pub(crate) const PROCESS_INDEX: u16 = 0x8001;

    pub(crate) const BEGAN: u16 = 2;
    pub(crate) const ENDED: u16 = 3;
    pub(crate) const RECEIVED: u16 = 4;
    pub(crate) const DROPPED_BY_INTERFACE: u16 = 5;
    pub(crate) const DROPPED_BY_SYSTEM: u16 = 7;
    pub(crate) const DELIVERED: u16 = 8;

    pub(crate) const PROCESS_NAME: u16 = 2;
}

/// Records of a block of names.
pub(super) mod name {
    pub(crate) const END: u16 = 0;
    pub(crate) const IPV4: u16 = 1;
    pub(crate) const IPV6: u16 = 2;
}

/// What every section begins with; read the other way round, its numbers are big-endian.
pub(super) const BYTE_ORDER: u32 = 0x1A2B_3C4D;

/// Bytes after which no part of a block has to be filled up to a multiple of four.
#[inline]
pub(super) fn padding(length: usize) -> usize {
    length.wrapping_neg() & 3
}

/// Begins a block; [`end`] needs what it returns.
#[inline]
pub(super) fn begin(kind: u32, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    start
}

/// Ends the block that began at `start`.
#[inline]
pub(super) fn end(start: usize, out: &mut Vec<u8>) {
    end_around(start, 0, out);
}

/// The same, with so many bytes of it that lie elsewhere.
#[inline]
pub(super) fn end_around(start: usize, elsewhere: usize, out: &mut Vec<u8>) {
    let length = u32::try_from(out.len() + 4 - start + elsewhere).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    if let Some(field) = out.get_mut(start + 4..start + 8) {
        field.copy_from_slice(&length.to_le_bytes());
    }
}

/// An option whose value is at most 65,535 bytes; what is more is left out.
pub(super) fn option(code: u16, value: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    let value = value.get(..usize::from(length)).unwrap_or(value);
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(value);
    pad(value.len(), out);
}

/// An option that is a number of four bytes.
#[inline]
pub(super) fn option_u32(code: u16, value: u32, out: &mut Vec<u8>) {
    let ([a, b], [c, d, e, f]) = (code.to_le_bytes(), value.to_le_bytes());
    out.extend_from_slice(&[a, b, 4, 0, c, d, e, f]);
}

/// An option that is a number of eight bytes.
#[inline]
pub(super) fn option_u64(code: u16, value: u64, out: &mut Vec<u8>) {
    let ([a, b], [c, d, e, f, g, h, i, j]) = (code.to_le_bytes(), value.to_le_bytes());
    out.extend_from_slice(&[a, b, 8, 0, c, d, e, f, g, h, i, j]);
}

/// An option that is text of ours or of the system: valid UTF-8, no line breaks.
pub(super) fn text_option(code: u16, value: &str, out: &mut Vec<u8>) {
    let mut length = value.len().min(4096);
    while !value.is_char_boundary(length) {
        length -= 1;
    }
    let value = value.get(..length).unwrap_or_default();
    option(code, plain(value).as_bytes(), out);
}

#[inline]
pub(super) fn end_of_options(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0; 4]);
}

#[inline]
pub(super) fn pad(length: usize, out: &mut Vec<u8>) {
    if let Some(zeros) = [0; 3].get(..padding(length)) {
        out.extend_from_slice(zeros);
    }
}

/// The same text, with U+FFFD in place of what acts on a screen or cannot be seen.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.contains(acts_or_hides) {
        Cow::Owned(text.replace(acts_or_hides, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}
