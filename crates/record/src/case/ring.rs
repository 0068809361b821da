//! Ring mode: what a case lets go of when it may not grow any more.

use model::Timestamp;
use serde_json::{Value, json};

use super::{Error, Inner, Kind, Shared, log};

/// Of the greatest size packets keep one part in so many, whatever else there is: two of their
/// segments, and more of those of an encrypted case (`LEAST_SEGMENTS`, segment.rs).
const SHARE_OF_PACKETS: u64 = 4;

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
    /// Lets go of one segment. Its line goes from the manifest to the log before it goes itself, so
    /// that a crash in between leaves nothing unexplained. `false`: there is none.
    ///
    /// Errors: of the place.
    pub(super) fn drop_oldest(&mut self, shared: &Shared) -> Result<bool, Error> {
        let Some(index) = self.first_to_go(shared) else {
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

    /// The oldest of packets as long as they take more than their share, then the oldest of all. So
    /// the newest packets, about as many as their share holds, stay however many events there are.
    fn first_to_go(&self, shared: &Shared) -> Option<usize> {
        let packets = |closed: &&Closed| closed.kind == Kind::Packets;
        let bytes: u64 = self.closed.iter().filter(packets).map(|it| it.bytes).sum();
        let share = shared.max_size.unwrap_or(0) / SHARE_OF_PACKETS;
        let has_several = self.closed.iter().filter(packets).nth(1).is_some();
        if bytes > share && has_several {
            return self.closed.iter().position(|it| packets(&it));
        }
        (!self.closed.is_empty()).then_some(0)
    }
}
