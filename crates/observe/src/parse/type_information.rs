//! The kernel's type information (BTF, Documentation/bpf/btf.rst), cut down to what fitting our
//! BPF programs needs. A kernel describes 100,000 types and more; reading all of them costs more
//! time than reading the sockets.

use super::attributes::{u16_at, u32_at};

const MAGIC: u16 = 0xeb9f;
const HEADER: usize = 24;
/// `struct btf_type`
const TYPE: usize = 12;

const KIND_INT: u32 = 1;
const KIND_ARRAY: u32 = 3;
const KIND_STRUCT: u32 = 4;
const KIND_UNION: u32 = 5;
const KIND_ENUM: u32 = 6;
const KIND_TYPEDEF: u32 = 8;
const KIND_FUNC: u32 = 12;
const KIND_FUNC_PROTO: u32 = 13;
const KIND_VAR: u32 = 14;
const KIND_DATASEC: u32 = 15;
const KIND_DECL_TAG: u32 = 17;
const KIND_ENUM64: u32 = 19;
const NEWEST_KIND: u32 = KIND_ENUM64;

/// The same types under the same numbers, but nameless and empty unless `wanted` says yes to the
/// name of a structure, function or typedef. Structures without a name keep their members, as they may be
/// part of a wanted one.
///
/// `None`: this is not type information as far as we know it, and has to be taken whole.
pub(crate) fn cut_down(whole: &[u8], wanted: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    if u16_at(whole, 0)? != MAGIC {
        return None;
    }
    let header = usize_at(whole, 4)?;
    let types = section(whole, header, 8)?;
    let strings = section(whole, header, 16)?;
    if header < HEADER {
        return None;
    }
    let mut kept = Vec::with_capacity(types.len() / 2);
    let mut rest = types;
    while !rest.is_empty() {
        let (name, info) = (usize_at(rest, 0)?, u32_at(rest, 4)?);
        let (kind, members) = (info >> 24 & 0x1f, usize::try_from(info & 0xffff).ok()?);
        let length = TYPE.checked_add(tail(kind, members)?)?;
        let (this, after) = rest.split_at_checked(length)?;
        rest = after;
        let named =
            matches!(kind, KIND_STRUCT | KIND_UNION | KIND_FUNC | KIND_TYPEDEF) && name != 0;
        let is_wanted = named && wanted(string(strings, name)?);
        let is_part = matches!(kind, KIND_STRUCT | KIND_UNION) && name == 0;
        if is_wanted || is_part {
            kept.extend(this);
        } else {
            kept.extend([0; 4]);
            let empty = has_members(kind) && members > 0;
            let info = if empty { info & !0xffff } else { info };
            kept.extend(info.to_ne_bytes());
            kept.extend(this.get(8..if empty { TYPE } else { length })?);
        }
    }
    let mut result = whole.get(..HEADER)?.to_vec();
    let mut set = |offset: usize, value: usize| {
        let value = u32::try_from(value).ok()?;
        result
            .get_mut(offset..offset + 4)?
            .copy_from_slice(&value.to_ne_bytes());
        Some(())
    };
    set(4, HEADER)?;
    set(8, 0)?;
    set(12, kept.len())?;
    set(16, kept.len())?;
    set(20, strings.len())?;
    result.extend(kept);
    result.extend(strings);
    Some(result)
}

/// What follows `struct btf_type`, in bytes. `None`: a kind we do not know.
fn tail(kind: u32, members: usize) -> Option<usize> {
    let length = match kind {
        KIND_INT | KIND_VAR | KIND_DECL_TAG => 4,
        KIND_ARRAY => 12,
        KIND_STRUCT | KIND_UNION | KIND_DATASEC | KIND_ENUM64 => members * 12,
        KIND_ENUM | KIND_FUNC_PROTO => members * 8,
        1..=NEWEST_KIND => 0,
        _ => return None,
    };
    Some(length)
}

fn has_members(kind: u32) -> bool {
    matches!(
        kind,
        KIND_STRUCT | KIND_UNION | KIND_DATASEC | KIND_ENUM | KIND_ENUM64 | KIND_FUNC_PROTO
    )
}

/// A section whose offset and length stand in the header at `field`.
fn section(whole: &[u8], header: usize, field: usize) -> Option<&[u8]> {
    let start = header.checked_add(usize_at(whole, field)?)?;
    whole.get(start..start.checked_add(usize_at(whole, field + 4)?)?)
}

fn string(strings: &[u8], offset: usize) -> Option<&[u8]> {
    strings.get(offset..)?.split(|byte| *byte == 0).next()
}

fn usize_at(bytes: &[u8], offset: usize) -> Option<usize> {
    usize::try_from(u32_at(bytes, offset)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `struct sock { int a; }`, `struct page { int a; }` and `int`.
    fn small() -> Vec<u8> {
        let strings = b"\0sock\0page\0a\0";
        let mut types = Vec::new();
        let mut words = |words: &[u32]| {
            words
                .iter()
                .for_each(|word| types.extend(word.to_ne_bytes()))
        };
        words(&[1, KIND_STRUCT << 24 | 1, 4, 11, 3, 0]);
        words(&[6, KIND_STRUCT << 24 | 1, 4, 11, 3, 0]);
        words(&[0, KIND_INT << 24, 4, 32]);
        let mut whole = MAGIC.to_ne_bytes().to_vec();
        whole.extend([1, 0]);
        for word in [HEADER, 0, types.len(), types.len(), strings.len()] {
            whole.extend(u32::try_from(word).unwrap().to_ne_bytes());
        }
        whole.extend(types);
        whole.extend(strings);
        whole
    }

    #[test]
    fn keeps_numbers_and_what_is_wanted() {
        let whole = small();
        let cut = cut_down(&whole, |name| name == b"sock").unwrap();
        // One member less, and everything in its place.
        assert_eq!(cut.len(), whole.len() - 12);
        assert_eq!(cut_down(&cut, |_| true).as_deref(), Some(&*cut));
        assert_eq!(u32_at(&cut, HEADER + 24), Some(0));
        assert_eq!(u32_at(&cut, HEADER + 28), Some(KIND_STRUCT << 24));
    }

    #[test]
    fn what_it_does_not_know_is_none() {
        let mut whole = small();
        whole[HEADER + 7] = 31;
        assert_eq!(cut_down(&whole, |_| true), None);
        assert_eq!(cut_down(b"not BTF at all, but long enough", |_| true), None);
    }

    proptest! {
        #[test]
        fn never_panics(mut bytes: Vec<u8>, at in 0..80_usize, value: u8) {
            let _ = cut_down(&bytes, |_| false);
            bytes = small();
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
            let _ = cut_down(&bytes, |_| false);
        }
    }
}
