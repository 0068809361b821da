//! Ring mode: what a case lets go of when it may not grow any more.

use model::Timestamp;
use serde_json::{Value, json};

use super::{Error, Inner, Kind, Shared, log};

/// A segment that is closed.
#[derive(Clone, Debug)]
pub(super) struct Closed {
    pub(super) kind: Kind,
    /// As it lies on the disk.
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
    /// Events or packets.
    pub(super) count: u64,
}

impl Closed {
    /// What the log tells of it.
    pub(super) fn facts(&self) -> Value {
        let mut facts = json!({
            "file": self.name,
            "sha256": self.sha256,
            "bytes": self.bytes,
            "began": self.began.to_string(),
            "ended": self.ended.to_string(),
        });
        if let Some(facts) = facts.as_object_mut() {
            facts.insert(self.kind.word().to_owned(), json!(self.count));
        }
        facts
    }
}

impl Inner {
    /// Lets go of one segment: the oldest of packets, and of events when there are no packets. Its
    /// line goes from the manifest to the log before it goes itself, so that a crash in between
    /// leaves nothing unexplained. `false`: there is none.
    ///
    /// Errors: of the place.
    pub(super) fn drop_oldest(&mut self, shared: &Shared) -> Result<bool, Error> {
        let oldest = |kind| self.closed.iter().position(|closed| closed.kind == kind);
        let Some(index) = oldest(Kind::Packets).or_else(|| oldest(Kind::Events)) else {
            return Ok(false);
        };
        let closed = self.closed.remove(index);
        self.tell(self.now, log::SEGMENT_DROPPED, closed.facts())?;
        self.manifest.remove(&closed.name);
        self.write_manifest(&shared.spare)?;
        self.place
            .remove(&closed.name)
            .map_err(Error::write(&closed.name))?;
        self.used = self.used.saturating_sub(closed.bytes);
        Ok(true)
    }
}
