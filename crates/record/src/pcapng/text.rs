//! What is known of a process or of the owner of a packet, on one line: `whocalls/1 name=curl
//! pid=1234 ...`. It stands in comments, the one place that survives every tool.

use std::io::Write as _;

use model::{
    PacketOwner, PathState, Process, ProcessId, Text, Timestamp, WhyNoProcess, acts_or_hides,
};

/// What every text begins with. The number changes when a key changes its meaning.
const BEGIN: &str = "whocalls/1";

// Encoded bytes of each value. Together with the keys and the short values they stay below 4 KiB.
const MOST_NAME: usize = 128;
const MOST_PATH: usize = 1024;
const MOST_ARGUMENTS: usize = 1536;
const MOST_USER: usize = 128;
const MOST_UNIT: usize = 256;
const MOST_CONTAINER: usize = 256;

/// Facts that do not depend on how the owner is known.
pub(super) fn of_process(process: &Process, command_lines: bool) -> Vec<u8> {
    let mut text = Encoder::new();
    text.value("name", process.name.bytes(), MOST_NAME);
    text.number("pid", process.id.pid);
    if let Some(started) = process.started {
        text.short("start", &milliseconds(started));
    }
    if let Some(path) = &process.path {
        text.value("exe", path.bytes(), MOST_PATH);
    }
    if let Some(arguments) = process.command_line.as_ref().filter(|_| command_lines) {
        let joined = arguments.iter().map(Text::bytes).collect::<Vec<_>>();
        text.value("cmd", &joined.join(&b' '), MOST_ARGUMENTS);
        text.cut |= process.command_line_truncated;
    }
    if let Some(uid) = process.uid {
        match &process.user {
            Some(user) => text.named("user", user.bytes(), MOST_USER, uid),
            None => text.number("user", uid),
        }
    }
    if let Some(parent) = process.parents.first() {
        text.begin("ppid");
        text.bytes.extend(format!("{}(", parent.pid).bytes());
        text.encode(parent.name.bytes(), MOST_NAME);
        text.bytes.push(b')');
    }
    if let Some(unit) = &process.unit {
        text.value("unit", unit.bytes(), MOST_UNIT);
    }
    if let Some(container) = &process.container {
        text.begin("container");
        text.bytes.extend(container.engine.bytes());
        text.bytes.push(b':');
        text.encode(container.id.bytes(), MOST_CONTAINER);
    }
    if let Some(hash) = process.sha256 {
        text.short("sha256", &model::hex(&hash));
    }
    match process.path_state {
        PathState::Present => text.short("deleted", "0"),
        PathState::Deleted => text.short("deleted", "1"),
        PathState::Memfd => text.short("memfd", "1"),
        PathState::Unknown => {}
    }
    text.short("process", &process.id.to_string());
    if text.cut {
        text.short("trunc", "1");
    }
    text.bytes
}

/// Facts of a process of which only the identity is known.
pub(super) fn of_stranger(process: ProcessId) -> Vec<u8> {
    let mut text = Encoder::new();
    text.number("pid", process.pid);
    text.short("process", &process.to_string());
    text.bytes
}

/// Adds how the owner is known.
pub(super) fn how_known(owner: &PacketOwner, connections: bool, text: &mut Vec<u8>) {
    let PacketOwner::Known {
        source, connection, ..
    } = owner
    else {
        return;
    };
    text.extend(b" conf=exact src=");
    text.extend(source.word().bytes());
    if let Some(connection) = connection.filter(|_| connections) {
        // Writing to a vector does not fail.
        let _ = write!(text, " connection={connection}");
    }
}

/// Of a packet without a process.
pub(super) fn of_nobody(why: WhyNoProcess) -> Vec<u8> {
    format!("{BEGIN} owner=none why={}", why.word()).into_bytes()
}

/// `2026-11-22T10:15:00.123Z`: never later than the time itself.
fn milliseconds(time: Timestamp) -> String {
    let mut text = time.to_string();
    if let Some(rest) = text.len().checked_sub("456789Z".len()) {
        text.truncate(rest);
        text.push('Z');
    }
    text
}

struct Encoder {
    bytes: Vec<u8>,
    /// A value was longer than we keep.
    cut: bool,
}

impl Encoder {
    fn new() -> Self {
        Self {
            bytes: BEGIN.as_bytes().to_vec(),
            cut: false,
        }
    }

    fn begin(&mut self, key: &str) {
        self.bytes.push(b' ');
        self.bytes.extend(key.bytes());
        self.bytes.push(b'=');
    }

    fn value(&mut self, key: &str, value: &[u8], most: usize) {
        self.begin(key);
        self.encode(value, most);
    }

    /// A value of ours that needs no encoding.
    fn short(&mut self, key: &str, value: &str) {
        self.begin(key);
        self.bytes.extend(value.bytes());
    }

    fn number(&mut self, key: &str, value: u32) {
        self.short(key, &value.to_string());
    }

    /// `alice(1000)`
    fn named(&mut self, key: &str, name: &[u8], most: usize, number: u32) {
        self.value(key, name, most);
        self.bytes.extend(format!("({number})").bytes());
    }

    fn encode(&mut self, value: &[u8], most: usize) {
        let end = self.bytes.len() + most;
        for chunk in value.utf8_chunks() {
            for character in chunk.valid().chars() {
                let mut utf8 = [0; 4];
                let utf8 = character.encode_utf8(&mut utf8).as_bytes();
                let encoded = character == ' ' || character == '%' || acts_or_hides(character);
                let length = utf8.len() * if encoded { 3 } else { 1 };
                if self.bytes.len() + length > end {
                    self.cut = true;
                    return;
                }
                if encoded {
                    utf8.iter().for_each(|byte| self.percent(*byte));
                } else {
                    self.bytes.extend(utf8);
                }
            }
            for byte in chunk.invalid() {
                if self.bytes.len() + 3 > end {
                    self.cut = true;
                    return;
                }
                self.percent(*byte);
            }
        }
    }

    fn percent(&mut self, byte: u8) {
        let _ = write!(self.bytes, "%{byte:02X}");
    }
}

/// A line of facts as it was written: keys and values in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordText {
    facts: Vec<(String, Text)>,
}

impl RecordText {
    /// `None`: the text is not one of ours.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let facts = text.strip_prefix(BEGIN.as_bytes())?;
        if !facts.is_empty() && !facts.starts_with(b" ") {
            return None;
        }
        let facts = facts
            .split(|byte| *byte == b' ')
            .filter_map(|fact| {
                let equals = fact.iter().position(|byte| *byte == b'=')?;
                let (key, value) = fact.split_at_checked(equals)?;
                Some((
                    std::str::from_utf8(key).ok()?.to_owned(),
                    Text::from(decode(value.get(1..)?)),
                ))
            })
            .collect();
        Some(Self { facts })
    }

    /// The first value with this key.
    pub fn fact(&self, key: &str) -> Option<&Text> {
        let (_, value) = self.facts.iter().find(|(name, _)| name == key)?;
        Some(value)
    }

    pub fn facts(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.facts.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// When the process started, to the millisecond.
    pub fn started(&self) -> Option<Timestamp> {
        parse_time(self.fact("start")?.as_utf8()?)
    }

    /// The user's name, when it is known, and number.
    pub fn user(&self) -> Option<(Option<Text>, u32)> {
        let bytes = self.fact("user")?.bytes();
        if let Some(inner) = bytes.strip_suffix(b")") {
            let open = inner.iter().rposition(|byte| *byte == b'(')?;
            let (name, number) = inner.split_at_checked(open)?;
            return Some((Some(Text::from(name)), number_of(number.get(1..)?)?));
        }
        Some((None, number_of(bytes)?))
    }

    /// Number and name of the process above it.
    pub fn parent(&self) -> Option<(u32, Text)> {
        let bytes = self.fact("ppid")?.bytes().strip_suffix(b")")?;
        let open = bytes.iter().position(|byte| *byte == b'(')?;
        let (number, name) = bytes.split_at_checked(open)?;
        Some((number_of(number)?, Text::from(name.get(1..)?)))
    }
}

fn number_of(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn decode(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let byte = (*first == b'%')
            .then(|| after.split_first_chunk())
            .flatten();
        match byte.and_then(|([high, low], after)| Some((hex(*high)? * 16 + hex(*low)?, after))) {
            Some((byte, after)) => {
                decoded.push(byte);
                rest = after;
            }
            None => decoded.push(*first),
        }
    }
    decoded
}

fn hex(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

/// Reads `2026-11-22T10:15:00.123Z`, which is what [`milliseconds`] makes.
fn parse_time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(&format!("{}000000Z", text.strip_suffix('Z')?))
}
