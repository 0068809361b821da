//! A row: values of a fixed length, then values of any length, then those that few rows have.

use super::u16_at;

const FIRST_VARIABLE: u32 = 128;
const FIRST_TAGGED: u32 = 256;
/// Of the end of a value of any length: there is none.
const EMPTY: u16 = 0x8000;
/// Of the start of a tagged value, on small pages: a byte of flags stands before it.
const HAS_FLAGS: u16 = 0x4000;
/// Of tagged values: a value of any length, which is usual.
const PLAIN: u8 = 0x1;

#[derive(Clone, Copy)]
pub(crate) struct Record<'a> {
    bytes: &'a [u8],
    last_fixed: u32,
    last_variable: u32,
    variable: usize,
    is_large: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    None,
    Bytes(&'a [u8]),
    /// It is compressed, has several parts, or lies elsewhere.
    NotRead,
}

impl<'a> Record<'a> {
    /// `None`: it is too short for one.
    pub(super) fn new(bytes: &'a [u8], is_large: bool) -> Option<Self> {
        let [last_fixed, last_variable] = *bytes.first_chunk()?;
        let variable = usize::from(u16_at(bytes, 2)?);
        Some(Self {
            bytes,
            last_fixed: last_fixed.into(),
            last_variable: last_variable.into(),
            variable,
            is_large,
        })
    }

    /// The value of a column; `start` and `length` hold for those of a fixed length, `start` behind the
    /// head.
    pub(super) fn value(self, id: u32, start: usize, length: usize) -> Value<'a> {
        match id {
            0 => Value::None,
            1..FIRST_VARIABLE => self
                .fixed(id, start, length)
                .map_or(Value::None, Value::Bytes),
            FIRST_VARIABLE..FIRST_TAGGED => self.variable(id).map_or(Value::None, Value::Bytes),
            FIRST_TAGGED.. => self.tagged(id).unwrap_or(Value::None),
        }
    }

    fn fixed(self, id: u32, start: usize, length: usize) -> Option<&'a [u8]> {
        let place = usize::try_from(id.checked_sub(1)?).ok()?;
        if id > self.last_fixed {
            return None;
        }
        // One bit for each stands before the others: it has none.
        let bits = usize::try_from(self.last_fixed.div_ceil(8)).ok()?;
        let bits = self.variable.checked_sub(bits)?;
        let empty = *self.bytes.get(bits..self.variable)?.get(place / 8)?;
        if empty & (1 << (place % 8)) != 0 {
            return None;
        }
        let fixed = self.bytes.get(4..bits)?;
        fixed.get(start..)?.get(..length)
    }

    fn variable(self, id: u32) -> Option<&'a [u8]> {
        if id > self.last_variable {
            return None;
        }
        let place = usize::try_from(id - FIRST_VARIABLE).ok()?;
        let ends = self.bytes.get(self.variable..)?;
        let end = u16_at(ends, place * 2)?;
        if end & EMPTY != 0 {
            return None;
        }
        let start = match place.checked_sub(1) {
            Some(before) => u16_at(ends, before * 2)? & !EMPTY,
            None => 0,
        };
        let values = ends.get(self.variables()? * 2..)?;
        values.get(usize::from(start)..usize::from(end))
    }

    /// How many of any length it has room for.
    fn variables(self) -> Option<usize> {
        usize::try_from((self.last_variable + 1).saturating_sub(FIRST_VARIABLE)).ok()
    }

    fn tagged(self, id: u32) -> Option<Value<'a>> {
        let count = self.variables()?;
        let ends = self.bytes.get(self.variable..)?;
        let end = match count.checked_sub(1) {
            Some(last) => usize::from(u16_at(ends, last * 2)? & !EMPTY),
            None => 0,
        };
        let tagged = ends.get(count * 2..)?.get(end..)?;
        let mask = if self.is_large { 0x7fff } else { 0x3fff };
        // The first value stands behind all the starts.
        let starts = usize::from(u16_at(tagged, 2)? & mask) / 4;
        let place =
            (0..starts).find(|place| u16_at(tagged, place * 4).map(u32::from) == Some(id))?;
        let start = u16_at(tagged, place * 4 + 2)?;
        let end = if place + 1 < starts {
            usize::from(u16_at(tagged, place * 4 + 6)? & mask)
        } else {
            tagged.len()
        };
        let value = tagged.get(usize::from(start & mask)..end)?;
        if !self.is_large && start & HAS_FLAGS == 0 {
            return Some(Value::Bytes(value));
        }
        let (flags, value) = value.split_first()?;
        Some(match flags & !PLAIN {
            0 => Value::Bytes(value),
            _ => Value::NotRead,
        })
    }
}
