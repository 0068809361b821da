//! Records of an MMDB: a control byte, a size, and what it says.

/// Values of one record, in all.
const MOST_VALUES: usize = 4096;
const DEEPEST: usize = 16;
const LONGEST_TEXT: usize = 4096;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Number(u64),
    Float(f64),
    Boolean(bool),
    Map(Vec<(String, Value)>),
    List(Vec<Value>),
    /// Bytes, and numbers that do not fit.
    Bytes,
}

impl Value {
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self {
            return Some(text);
        }
        None
    }

    pub(super) fn number(&self) -> Option<u64> {
        if let Self::Number(number) = self {
            return Some(*number);
        }
        None
    }
}

/// A member of a map.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let Value::Map(members) = value else {
        return None;
    };
    let found = members.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value)
}

/// The section of records, and how many values may still be decoded.
pub(super) struct Data<'a> {
    bytes: &'a [u8],
    left: usize,
}

impl<'a> Data<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            left: MOST_VALUES,
        }
    }

    /// `None`: it is damaged, or more than one record may be.
    pub(super) fn value(&mut self, at: usize) -> Option<Value> {
        let mut cursor = Cursor { at };
        self.decode(&mut cursor, 0)
    }

    fn decode(&mut self, cursor: &mut Cursor, depth: usize) -> Option<Value> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        let control = *self.take(cursor, 1)?.first()?;
        let kind = match control >> 5 {
            0 => 7_u8.checked_add(*self.take(cursor, 1)?.first()?)?,
            kind => kind,
        };
        if kind == 1 {
            let target = self.pointer(cursor, control)?;
            return self.decode(&mut Cursor { at: target }, depth + 1);
        }
        let size = self.size(cursor, control & 0x1f)?;
        Some(match kind {
            2 => {
                let text = self.take(cursor, size)?;
                let text = text.get(..LONGEST_TEXT).unwrap_or(text);
                Value::Text(String::from_utf8_lossy(text).into_owned())
            }
            3 => {
                let bytes: [u8; 8] = self.take(cursor, size)?.try_into().ok()?;
                Value::Float(f64::from_be_bytes(bytes))
            }
            5 | 6 | 9 | 10 => match self.take(cursor, size)? {
                bytes if bytes.len() <= 8 => Value::Number(number(bytes)),
                _ => Value::Bytes,
            },
            8 => {
                let bytes = self.take(cursor, size)?;
                match bytes.len() <= 3 || bytes.first().is_some_and(|it| *it < 0x80) {
                    true if bytes.len() <= 4 => Value::Number(number(bytes)),
                    _ => Value::Bytes,
                }
            }
            4 => {
                self.take(cursor, size)?;
                Value::Bytes
            }
            7 => {
                let mut members = Vec::new();
                for _ in 0..size {
                    let key = self.decode(cursor, depth + 1)?;
                    let value = self.decode(cursor, depth + 1)?;
                    members.push((key.text()?.to_owned(), value));
                }
                Value::Map(members)
            }
            11 => {
                let mut items = Vec::new();
                for _ in 0..size {
                    items.push(self.decode(cursor, depth + 1)?);
                }
                Value::List(items)
            }
            14 => Value::Boolean(size != 0),
            15 => {
                let bytes: [u8; 4] = self.take(cursor, size)?.try_into().ok()?;
                Value::Float(f64::from(f32::from_be_bytes(bytes)))
            }
            _ => return None,
        })
    }

    fn size(&mut self, cursor: &mut Cursor, bits: u8) -> Option<usize> {
        let (more, base) = match bits {
            29 => (1, 29),
            30 => (2, 285),
            31 => (3, 65_821),
            size => return Some(size.into()),
        };
        let more = number(self.take(cursor, more)?);
        usize::try_from(more).ok()?.checked_add(base)
    }

    fn pointer(&mut self, cursor: &mut Cursor, control: u8) -> Option<usize> {
        let high = u64::from(control & 7);
        let (bytes, base) = match control >> 3 & 3 {
            0 => (1, 0),
            1 => (2, 2048),
            2 => (3, 526_336),
            _ => (4, 0),
        };
        let low = number(self.take(cursor, bytes)?);
        let high = if bytes == 4 { 0 } else { high << (8 * bytes) };
        usize::try_from(high + low + base).ok()
    }

    fn take(&self, cursor: &mut Cursor, count: usize) -> Option<&'a [u8]> {
        let end = cursor.at.checked_add(count)?;
        let taken = self.bytes.get(cursor.at..end)?;
        cursor.at = end;
        Some(taken)
    }
}

struct Cursor {
    at: usize,
}

/// At most eight bytes, the highest first.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
