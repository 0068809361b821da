//! Netlink attributes (`struct nlattr`, include/uapi/linux/netlink.h) and fixed fields.

/// Length of `struct nlattr`.
const HEADER: usize = 4;
/// NLA_F_NESTED and NLA_F_NET_BYTEORDER are flags in the type, not part of it.
const TYPE_MASK: u16 = 0x3fff;

/// The attributes in `bytes`, in order, as type and value. Ends at the first that is cut short.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)? & TYPE_MASK;
        let value = bytes.get(HEADER..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or(&[]);
        Some((kind, value))
    })
}

/// A field in the byte order of this computer; `None` when `bytes` is too short.
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

pub(crate) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// A field in network byte order.
pub(crate) fn be16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(offset..)?.first_chunk()?))
}

pub(crate) fn be32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(offset..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_padded_attributes() {
        let mut bytes = Vec::new();
        for (kind, value) in [(1_u16, &[7_u8][..]), (0x8002, &[1, 2, 3, 4])] {
            bytes.extend(u16::try_from(HEADER + value.len()).unwrap().to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        let read: Vec<_> = attributes(&bytes).collect();
        assert_eq!(read, [(1, &[7][..]), (2, &[1, 2, 3, 4][..])]);
    }

    proptest! {
        #[test]
        fn never_panics_and_always_ends(bytes: Vec<u8>) {
            prop_assert!(attributes(&bytes).count() <= bytes.len() / HEADER + 1);
        }
    }
}
