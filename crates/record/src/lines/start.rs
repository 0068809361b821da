//! The first line of a segment, and the last line of a run.

use model::{BootId, Host, Tier, Timestamp};
use serde::{Deserialize, Serialize};

use super::value::{Bytes, Hex, Str, Time, Word};
use super::{End, Fault, Start};

/// Name and version of the shapes, as in all streams of the public contract.
const SCHEMA: &str = "whocalls/1";
const NAME: &str = "whocalls/";

/// `start`
#[derive(Serialize, Deserialize)]
pub(super) struct StartLine<'a> {
    #[serde(borrow)]
    schema: Str<'a>,
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    segment: u32,
    #[serde(borrow)]
    host: Str<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_hex: Option<Bytes>,
    boot: Hex<16>,
    taken: Time,
    tier: Word<Tier>,
}

impl<'a> StartLine<'a> {
    pub(super) fn of(host: &'a Host, taken: Timestamp, tier: Tier, segment: u32) -> Self {
        let (name, host_hex) = Str::of(&host.name);
        Self {
            schema: Str(SCHEMA.into()),
            line: "start",
            segment,
            host: name,
            host_hex,
            boot: Hex(host.boot.0),
            taken: Time(taken),
            tier: Word::Known(tier),
        }
    }

    pub(super) fn start(self) -> Result<Start, Fault> {
        Ok(Start {
            segment: self.segment,
            host: Host {
                name: self.host.text(self.host_hex),
                boot: BootId(self.boot.0),
            },
            taken: self.taken.0,
            tier: self.tier.known()?,
        })
    }
}

/// What tells a file of ours from every other: the first line in any version.
#[derive(Deserialize)]
struct Schema<'a> {
    #[serde(borrow)]
    schema: Option<Str<'a>>,
}

/// Whether `line` may be the first line of a segment.
///
/// Errors: it is not one of ours, or of a newer version.
pub(super) fn check_schema(line: &[u8]) -> Result<(), Fault> {
    let Ok(Schema {
        schema: Some(schema),
    }) = serde_json::from_slice(line)
    else {
        return Err(Fault::Foreign);
    };
    match schema.0.strip_prefix(NAME) {
        _ if schema.0 == SCHEMA => Ok(()),
        Some(_) => Err(Fault::TooNew(schema.0.into_owned())),
        None => Err(Fault::Foreign),
    }
}

/// `end`
#[derive(Serialize, Deserialize)]
pub(super) struct EndLine {
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    time: Time,
    events: u64,
    gaps: u64,
    lost: u64,
}

impl EndLine {
    pub(super) fn of(time: Timestamp, events: u64, gaps: u64, lost: u64) -> Self {
        Self {
            line: "end",
            time: Time(time),
            events,
            gaps,
            lost,
        }
    }

    pub(super) fn end(self) -> End {
        End {
            time: self.time.0,
            events: self.events,
            gaps: self.gaps,
            lost: self.lost,
        }
    }
}
