//! `case.json`: what was recorded, where, by whom and with what.

use model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::FORMAT;
use crate::lines;

/// Longer ones are not read.
pub(super) const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The facts that stand in `case.json`. Texts are as the computer or a person gave them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// What tells this case from others of the same computer: the last part of the folder's name.
    pub id: String,
    #[serde(with = "as_text")]
    pub began: Timestamp,
    pub host: String,
    /// As `model::BootId` prints it.
    pub boot: String,
    /// Operating system and kernel.
    pub system: String,
    /// Of the recording computer; all times in the case are UTC.
    pub time_zone: Option<String>,
    pub tool: Tool,
    /// As they were typed, without the program.
    pub arguments: Vec<String>,
    pub case_number: Option<String>,
    pub examiner: Option<String>,
    pub owner_consent: Consent,
    pub purpose: Option<String>,
    pub clock: Clock,
    pub depth: Depth,
    /// In bytes. `None`: it may grow. Beyond it the oldest segments are let go.
    pub max_size: Option<u64>,
    /// The public keys it is encrypted to. Empty: it is not.
    pub recipients: Vec<String>,
    /// What else the program wants to keep: the tier, limits of rules and the like.
    #[serde(flatten)]
    pub more: Map<String, Value>,
}

/// What recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    pub version: String,
    /// Of its own file. `None`: it could not be read.
    pub sha256: Option<String>,
}

/// How far the clock of the computer can be trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// What a telephone showed, less what this computer showed. `None`: nobody looked.
    pub phone_offset_ns: Option<i64>,
    /// What the computer says of itself about keeping time. `None`: not known.
    pub synchronized: Option<bool>,
    /// Time less time since boot, in nanoseconds: what makes UTC of the times of the kernel.
    pub boot_offset_ns: Option<i64>,
}

/// Whether the owner of the computer has agreed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consent {
    Yes,
    No,
    #[default]
    Unknown,
}

/// How much of each packet is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    Full,
    /// The first 128 bytes.
    Headers,
    /// No packets.
    Events,
}

impl About {
    /// As it stands in the file.
    pub fn to_json(&self) -> Vec<u8> {
        let mut document = Map::new();
        document.insert("schema".to_owned(), json!("whocalls/1"));
        document.insert("format".to_owned(), json!(FORMAT));
        // Texts, numbers and lists of them always have a form in JSON.
        if let Ok(Value::Object(facts)) = serde_json::to_value(self) {
            document.extend(facts);
        }
        lines::document(&Value::Object(document))
    }

    /// Reads the file. Members that it does not know go to `more`.
    pub fn read(text: &[u8]) -> Result<Self, AboutFault> {
        let mut document: Map<String, Value> = serde_json::from_slice(text)
            .map_err(|error| AboutFault::Unreadable(error.to_string()))?;
        document.remove("schema");
        let format = document.remove("format").and_then(|value| value.as_u64());
        match format.map(u32::try_from) {
            Some(Ok(1..=FORMAT)) => {}
            Some(Ok(0)) | None => return Err(AboutFault::Unreadable("it names no format".into())),
            Some(Ok(newer)) => return Err(AboutFault::TooNew(newer)),
            Some(Err(_)) => return Err(AboutFault::TooNew(u32::MAX)),
        }
        serde_json::from_value(Value::Object(document))
            .map_err(|error| AboutFault::Unreadable(error.to_string()))
    }
}

/// Why a `case.json` cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub enum AboutFault {
    /// The format that it names.
    TooNew(u32),
    Unreadable(String),
}

/// A [`Timestamp`] in the form that it prints in.
pub(super) mod as_text {
    use model::Timestamp;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        time: &Timestamp,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(time)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse(&text).ok_or_else(|| D::Error::custom("a time is not in its form"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = About::read(&bytes);
        }
    }

    fn check(text: &str, expected: &str) {
        let read = About::read(text.as_bytes());
        assert!(format!("{read:?}").contains(expected), "{read:?}");
    }

    #[test]
    fn other_forms_and_formats_are_told_apart() {
        check("", "Unreadable");
        check("{}", "names no format");
        check("{\"format\": 2}", "TooNew(2)");
        check("{\"format\": 99999999999}", "TooNew");
        check("{\"format\": 1}", "missing field");
        check("{\"format\": -1}", "names no format");
    }
}
