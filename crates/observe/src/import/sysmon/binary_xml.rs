//! Binary XML, in which events stand in EVTX ([MS-EVEN6], 2.2.12 to 2.2.17): elements, mostly of a
//! template that is written once in a chunk, and the values of each event. Only what is in elements
//! and attributes comes out, as text.
//!
//! Hostile bytes: templates may hold each other, so depth and number of steps are bounded.

use super::chunk::{file_time, le16, le32, le64};

/// How deep elements and templates may be nested, and how many steps an event may take.
const DEEPEST: usize = 32;
const MOST_STEPS: usize = 10_000;
/// How many values a template may have, and how long all texts of an event may be.
const MOST_VALUES: usize = 4096;
const LONGEST: usize = 256 << 10;

/// Takes what is read, in its order. `element` is the innermost; `attribute` is `None` for the text of
/// the element itself. Text may come in several parts.
pub(super) trait Sink {
    fn element(&mut self, name: &str);
    fn value(&mut self, attribute: Option<&str>, text: &str);
    fn end(&mut self);
}

/// It is not what it should be, or too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ruined;

/// Reads the event that stands there.
///
/// Errors: it is ruined; what was read before was handed on.
pub(super) fn read(
    chunk: &[u8],
    from: usize,
    to: usize,
    sink: &mut dyn Sink,
) -> Result<(), Ruined> {
    let mut reader = Reader {
        chunk,
        steps: MOST_STEPS,
        length: LONGEST,
        sink,
    };
    reader.fragment(from, to, Template::NONE, 0)?;
    Ok(())
}

struct Reader<'a> {
    chunk: &'a [u8],
    steps: usize,
    length: usize,
    sink: &'a mut dyn Sink,
}

/// The values that are filled in, where a template is read.
#[derive(Clone, Copy)]
struct Template<'a> {
    is_one: bool,
    values: &'a [Value],
}

impl Template<'_> {
    const NONE: Template<'static> = Template {
        is_one: false,
        values: &[],
    };
}

/// Where in the chunk a value stands, and of which type it is.
#[derive(Clone, Copy, Debug)]
struct Value {
    kind: u8,
    from: usize,
    to: usize,
}

/// Types of values ([MS-EVEN6], 2.2.12).
mod kind {
    pub(super) const NULL: u8 = 0x00;
    pub(super) const STRING: u8 = 0x01;
    pub(super) const ANSI: u8 = 0x02;
    pub(super) const BOOL: u8 = 0x0d;
    pub(super) const GUID: u8 = 0x0f;
    pub(super) const SIZE: u8 = 0x10;
    pub(super) const FILE_TIME: u8 = 0x11;
    pub(super) const HEX_32: u8 = 0x14;
    pub(super) const HEX_64: u8 = 0x15;
    pub(super) const BINARY_XML: u8 = 0x21;
    pub(super) const STRINGS: u8 = 0x81;
}

impl Reader<'_> {
    /// Reads tokens until the end; returns where it is.
    fn fragment(
        &mut self,
        from: usize,
        to: usize,
        template: Template<'_>,
        depth: usize,
    ) -> Result<usize, Ruined> {
        if depth > DEEPEST {
            return Err(Ruined);
        }
        let mut at = from;
        let mut open = 0_usize;
        // The attribute of which the value follows.
        let mut attribute: Option<String> = None;
        while at < to {
            self.steps = self.steps.checked_sub(1).ok_or(Ruined)?;
            let token = *self.chunk.get(at).ok_or(Ruined)?;
            at += 1;
            // 0x40: more of the same follows, or an element has attributes.
            match token & !0x40 {
                0x00 => break,
                0x01 => {
                    // Only templates say on which of their values an element depends.
                    at += if template.is_one { 6 } else { 4 };
                    let (name, after) = self.name(at)?;
                    at = after + if token & 0x40 == 0 { 0 } else { 4 };
                    open += 1;
                    if open + depth > DEEPEST {
                        return Err(Ruined);
                    }
                    attribute = None;
                    self.sink.element(&name);
                }
                0x02 => attribute = None,
                0x03 | 0x04 => {
                    attribute = None;
                    open = open.checked_sub(1).ok_or(Ruined)?;
                    self.sink.end();
                }
                0x05 => {
                    let kind = *self.chunk.get(at).ok_or(Ruined)?;
                    // Other types do not stand in elements as they are.
                    if kind != kind::STRING {
                        return Err(Ruined);
                    }
                    at = self.counted(at + 1, attribute.as_deref())?;
                }
                0x06 => {
                    let (name, after) = self.name(at)?;
                    (attribute, at) = (Some(name), after);
                }
                0x07 => at = self.counted(at, attribute.as_deref())?,
                0x08 => {
                    let unit = le16(self.chunk, at).ok_or(Ruined)?;
                    self.text(&utf_16([unit].into_iter()), attribute.as_deref())?;
                    at += 2;
                }
                0x09 => {
                    let (name, after) = self.name(at)?;
                    self.text(entity(&name), attribute.as_deref())?;
                    at = after;
                }
                0x0a => at = self.name(at)?.1,
                0x0b => {
                    let units = usize::from(le16(self.chunk, at).ok_or(Ruined)?);
                    at += 2 + units * 2;
                }
                0x0c => at = self.template(at, depth)?,
                0x0d | 0x0e => {
                    let index = usize::from(le16(self.chunk, at).ok_or(Ruined)?);
                    at += 3;
                    if let Some(value) = template.values.get(index) {
                        self.value(*value, attribute.as_deref(), depth)?;
                    }
                }
                0x0f => at += 3,
                _ => return Err(Ruined),
            }
        }
        for _ in 0..open {
            self.sink.end();
        }
        Ok(at)
    }

    /// A template, here or elsewhere in the chunk, and its values, which stand here.
    fn template(&mut self, at: usize, depth: usize) -> Result<usize, Ruined> {
        let definition = offset(le32(self.chunk, at + 5))?;
        let mut at = at + 9;
        let length = offset(le32(self.chunk, definition + 20))?;
        let body = definition + 24;
        if definition == at {
            at = body + length;
        }
        let count = offset(le32(self.chunk, at))?;
        at += 4;
        if count > MOST_VALUES {
            return Err(Ruined);
        }
        let mut values = Vec::with_capacity(count);
        let mut from = at + count * 4;
        for _ in 0..count {
            let size = usize::from(le16(self.chunk, at).ok_or(Ruined)?);
            let kind = *self.chunk.get(at + 2).ok_or(Ruined)?;
            at += 4;
            let to = from + size;
            values.push(Value { kind, from, to });
            from = to;
        }
        let end = (body + length).min(self.chunk.len());
        let template = Template {
            is_one: true,
            values: &values,
        };
        self.fragment(body, end, template, depth + 1)?;
        Ok(from)
    }

    fn value(&mut self, value: Value, attribute: Option<&str>, depth: usize) -> Result<(), Ruined> {
        let Value { kind, from, to } = value;
        if kind == kind::BINARY_XML {
            return self.fragment(from, to, Template::NONE, depth + 1).map(drop);
        }
        let bytes = self.chunk.get(from..to).ok_or(Ruined)?;
        let text = match kind {
            kind::NULL => return Ok(()),
            kind::STRING => units(bytes),
            kind::STRINGS => units(bytes).replace('\0', "\n"),
            kind::ANSI => bytes.iter().map(|byte| char::from(*byte)).collect(),
            kind::BOOL => (le32(bytes, 0).ok_or(Ruined)? != 0).to_string(),
            kind::GUID => guid(bytes).ok_or(Ruined)?,
            kind::FILE_TIME => {
                let time = le64(bytes, 0).and_then(file_time).ok_or(Ruined)?;
                model::Timestamp::from_unix_nanos(time).to_string()
            }
            kind::HEX_32 | kind::HEX_64 | kind::SIZE => {
                format!("0x{:x}", unsigned(bytes).ok_or(Ruined)?)
            }
            0x04 | 0x06 | 0x08 | 0x0a => unsigned(bytes).ok_or(Ruined)?.to_string(),
            0x03 | 0x05 | 0x07 | 0x09 => signed(bytes).ok_or(Ruined)?.to_string(),
            // Of the others nothing is needed.
            _ => return Ok(()),
        };
        self.text(text.trim_end_matches('\0'), attribute)
    }

    /// A text with its length before it.
    fn counted(&mut self, at: usize, attribute: Option<&str>) -> Result<usize, Ruined> {
        let length = usize::from(le16(self.chunk, at).ok_or(Ruined)?) * 2;
        let from = at + 2;
        let bytes = self.chunk.get(from..from + length).ok_or(Ruined)?;
        self.text(&units(bytes), attribute)?;
        Ok(from + length)
    }

    fn text(&mut self, text: &str, attribute: Option<&str>) -> Result<(), Ruined> {
        self.length = self.length.checked_sub(text.len()).ok_or(Ruined)?;
        if !text.is_empty() {
            self.sink.value(attribute, text);
        }
        Ok(())
    }

    /// A name, which stands anywhere in the chunk; and where to go on.
    fn name(&mut self, at: usize) -> Result<(String, usize), Ruined> {
        let place = offset(le32(self.chunk, at))?;
        let count = usize::from(le16(self.chunk, place + 6).ok_or(Ruined)?);
        let from = place + 8;
        let bytes = self.chunk.get(from..from + count * 2).ok_or(Ruined)?;
        self.length = self.length.checked_sub(bytes.len()).ok_or(Ruined)?;
        let mut after = at + 4;
        if place == after {
            after += 10 + count * 2;
        }
        Ok((units(bytes), after))
    }
}

fn offset(number: Option<u32>) -> Result<usize, Ruined> {
    // So that sums of some of them stay small.
    let number = number.filter(|number| *number <= 1 << 24);
    number
        .and_then(|number| usize::try_from(number).ok())
        .ok_or(Ruined)
}

fn units(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    utf_16(pairs.iter().map(|pair| u16::from_le_bytes(*pair)))
}

fn utf_16(units: impl Iterator<Item = u16>) -> String {
    let characters = char::decode_utf16(units);
    characters
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn entity(name: &str) -> &str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

fn unsigned(bytes: &[u8]) -> Option<u64> {
    let mut whole = [0; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    (!bytes.is_empty()).then(|| u64::from_le_bytes(whole))
}

fn signed(bytes: &[u8]) -> Option<i64> {
    // More than eight bytes are none, too.
    let unsigned = unsigned(bytes)?;
    let unused = 64 - u32::try_from(bytes.len()).ok()?.checked_mul(8)?;
    Some((unsigned << unused).cast_signed() >> unused)
}

/// As Windows writes it: `{b59756a9-b239-5f17-5307-000000000400}`.
fn guid(bytes: &[u8]) -> Option<String> {
    let (first, second, third) = (le32(bytes, 0)?, le16(bytes, 4)?, le16(bytes, 6)?);
    let fourth = u16::from_be_bytes(*bytes.get(8..)?.first_chunk()?);
    let rest: &[u8; 6] = bytes.get(10..)?.first_chunk()?;
    let rest = model::hex(rest);
    Some(format!(
        "{{{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{rest}}}"
    ))
}
