//! Facts about addresses in a file that the person has (MaxMind DB File Format Specification, 2.0):
//! whose an address is, or where. The file is kept as it is; a look-up walks its tree and decodes one
//! record. Pointers may lead anywhere and records into each other, so steps and depth are counted.

mod decode;

use std::net::IpAddr;

use model::Timestamp;

use super::Error;

use self::decode::{Data, Value, member};

/// What stands before the description of the file, which is at its end.
const MARK: &[u8] = b"\xab\xcd\xefMaxMind.com";
/// As far from the end as it may stand.
const MARK_WITHIN: usize = 128 << 10;
/// Between the tree and the records.
const SEPARATOR: usize = 16;

/// A file of facts about addresses.
pub struct Table {
    bytes: Vec<u8>,
    nodes: u64,
    /// Bits of each of the two records of a node: 24, 28 or 32.
    record_bits: u64,
    is_v6: bool,
    /// What kind of facts: `GeoLite2-City`.
    pub kind: String,
    pub description: Option<String>,
    pub published: Option<Timestamp>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({}, {} nodes)", self.kind, self.nodes)
    }
}

/// Whether it ends as such a file does.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    metadata_at(bytes).is_some()
}

fn metadata_at(bytes: &[u8]) -> Option<usize> {
    let from = bytes.len().saturating_sub(MARK_WITHIN);
    let end = bytes.get(from..)?;
    let at = end.windows(MARK.len()).rposition(|it| it == MARK)?;
    Some(from + at + MARK.len())
}

impl Table {
    /// Errors: it is damaged, or of a form that is not known.
    pub fn new(bytes: Vec<u8>) -> Result<Self, Error> {
        let damaged = |why: &str| Error::Damaged {
            format: "MMDB",
            place: "its description".to_owned(),
            why: why.to_owned(),
        };
        let at = metadata_at(&bytes).ok_or_else(|| damaged("there is none"))?;
        let description = Data::new(bytes.get(at..).unwrap_or_default()).value(0);
        let description = description.ok_or_else(|| damaged("it cannot be read"))?;
        let number = |name| member(&description, name).and_then(Value::number);
        let text = |name| member(&description, name).and_then(Value::text);
        if number("binary_format_major_version") != Some(2) {
            return Err(damaged("it is not of version 2"));
        }
        let nodes = number("node_count").ok_or_else(|| damaged("it has no number of nodes"))?;
        let record_bits = number("record_size").unwrap_or(0);
        if ![24, 28, 32].contains(&record_bits) {
            return Err(damaged("its records are not of 24, 28 or 32 bits"));
        }
        let is_v6 = match number("ip_version") {
            Some(4) => false,
            Some(6) => true,
            _ => return Err(damaged("it is neither of IPv4 nor of IPv6")),
        };
        let tree = nodes.checked_mul(record_bits / 4);
        let before = at.saturating_sub(MARK.len()) as u64;
        if tree.is_none_or(|tree| tree.saturating_add(SEPARATOR as u64) > before) {
            return Err(damaged("the file is shorter than it says"));
        }
        let english = member(&description, "description").and_then(|it| member(it, "en"));
        let built = number("build_epoch").and_then(|it| i64::try_from(it).ok());
        let built = built.and_then(|seconds| seconds.checked_mul(1_000_000_000));
        Ok(Self {
            nodes,
            record_bits,
            is_v6,
            kind: text("database_type").unwrap_or_default().to_owned(),
            description: english.and_then(Value::text).map(str::to_owned),
            published: built.map(Timestamp::from_unix_nanos),
            bytes,
        })
    }

    /// What it says of an address, by names like `country.iso_code`, in the order of the file, at most
    /// 64. Empty: nothing, or what it says is damaged.
    pub fn facts(&self, address: IpAddr) -> Vec<(String, String)> {
        let mut facts = Vec::new();
        if let Some(value) = self.value(address) {
            flatten(&value, &mut String::new(), &mut facts, 0);
        }
        facts
    }

    fn value(&self, address: IpAddr) -> Option<Value> {
        let (bits, count) = match (address.to_canonical(), self.is_v6) {
            (IpAddr::V4(address), false) => (u128::from(u32::from(address)) << 96, 32),
            (IpAddr::V4(address), true) => (u128::from(u32::from(address)), 128),
            (IpAddr::V6(address), true) => (u128::from(address), 128),
            (IpAddr::V6(_), false) => return None,
        };
        let mut node = 0;
        for bit in 0..count {
            if node >= self.nodes {
                break;
            }
            let is_right = bits >> (127 - bit) & 1 == 1;
            node = self.record(node, is_right)?;
        }
        let tree = usize::try_from(self.nodes * self.record_bits / 4).ok()?;
        let at = node
            .checked_sub(self.nodes)?
            .checked_sub(SEPARATOR as u64)?;
        let data = self.bytes.get(tree + SEPARATOR..)?;
        Data::new(data).value(usize::try_from(at).ok()?)
    }

    /// The left or the right record of a node.
    fn record(&self, node: u64, is_right: bool) -> Option<u64> {
        let at = usize::try_from(node.checked_mul(self.record_bits / 4)?).ok()?;
        let bytes = self.bytes.get(at..)?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |all, byte| all << 8 | u64::from(*byte))
        };
        Some(match (self.record_bits, is_right) {
            (24, false) => number(bytes.get(..3)?),
            (24, true) => number(bytes.get(3..6)?),
            // The byte in the middle has the highest bits of both.
            (28, false) => u64::from(bytes.get(3)? >> 4) << 24 | number(bytes.get(..3)?),
            (28, true) => u64::from(bytes.get(3)? & 15) << 24 | number(bytes.get(4..7)?),
            (_, false) => number(bytes.get(..4)?),
            (_, true) => number(bytes.get(4..8)?),
        })
    }
}

/// More facts of one address are not told.
const MOST_FACTS: usize = 64;
const DEEPEST_FACT: usize = 6;

fn flatten(value: &Value, name: &mut String, facts: &mut Vec<(String, String)>, depth: usize) {
    if facts.len() >= MOST_FACTS || depth > DEEPEST_FACT {
        return;
    }
    let length = name.len();
    let mut within = |part: &str, value: &Value| {
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(super::out::cut(part, 64));
        flatten(value, name, facts, depth + 1);
        name.truncate(length);
    };
    match value {
        Value::Map(members) => {
            for (key, value) in members {
                // Of all languages the English one is told.
                if !matches!(
                    key.as_str(),
                    "de" | "es" | "fr" | "ja" | "pt-BR" | "ru" | "zh-CN"
                ) {
                    within(key, value);
                }
            }
        }
        Value::List(items) => {
            for (number, item) in items.iter().enumerate() {
                within(&number.to_string(), item);
            }
        }
        Value::Text(text) => facts.push((name.clone(), text.clone())),
        Value::Number(number) => facts.push((name.clone(), number.to_string())),
        Value::Float(number) => facts.push((name.clone(), number.to_string())),
        Value::Boolean(value) => facts.push((name.clone(), value.to_string())),
        Value::Bytes => {}
    }
}

#[cfg(test)]
mod tests;
