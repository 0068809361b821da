//! Who had a socket, and who may have used it besides.

use model::{Source, WhyNoProcess};

use super::super::Flows;
use super::super::facts::{Written, is_before};

/// A process is told of after it has sent.
pub(super) const SENT_BEFORE: u64 = 2_000_000;
/// Events and packets are not stamped by the same clock.
pub(super) const CLOCKS_DIFFER: u64 = 100_000;

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::flows) enum Whose {
    Run { run: usize, source: Source },
    Nobody(WhyNoProcess),
}

impl Whose {
    /// Why it is nobody's.
    pub(in crate::flows) fn reason(self) -> WhyNoProcess {
        match self {
            Self::Run { .. } => WhyNoProcess::NoHolder,
            Self::Nobody(why) => why,
        }
    }
}

/// How it is told that somebody has a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::flows) enum Taking {
    /// With what he asks for.
    Asked,
    /// He has used it before.
    Used,
    /// He has written to TCP before, from this number on.
    Wrote(u32),
    /// He sends from that moment on.
    Sends,
}

/// A process had a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tenure {
    pub(super) since: u64,
    pub(super) whose: Whose,
    /// So long before, what was sent may have been of him as well.
    pub(super) unsure: u64,
    /// Of TCP: where in the stream he began to write, a moment before.
    pub(super) wrote_from: Option<u32>,
    /// Until then others may have used it without being told of.
    pub(super) shared_until: u64,
}

/// Somebody else may have sent with a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guest {
    pub(super) since: u64,
    /// When it was told that the socket was his.
    pub(super) until: Option<u64>,
    pub(super) whose: Whose,
}

impl Guest {
    /// He is at it no longer. Nobody tells what he sent until then.
    pub(super) fn leaves(&mut self, time: u64) {
        let until = time.saturating_add(Flows::LOOK_AHEAD_NS);
        self.until.get_or_insert(until);
    }

    /// Whether what left then may be of him, and no tenure tells soon enough what is. `ended`: when
    /// his process did.
    pub(super) fn may_have_sent(&self, time: u64, ended: Option<u64>) -> bool {
        let ended = ended.map(|it| it.saturating_add(Flows::LOOK_AHEAD_NS));
        let until = self.until.or(ended).unwrap_or(u64::MAX);
        self.since <= time.saturating_add(CLOCKS_DIFFER)
            && time < until
            && until - time > Flows::LOOK_AHEAD_NS
    }
}

/// Who wrote what left in the time of the tenure at `place`: he, or one of those who are told of a
/// moment later, since they are told of when they have written. `None`: it may be one of several.
pub(super) fn writer(
    tenures: &[Tenure],
    place: usize,
    time: u64,
    written: Option<Written>,
) -> Option<usize> {
    let mut writer = place;
    let mut last = None;
    for (later, next) in tenures.iter().enumerate().skip(place + 1) {
        let until = next.since.saturating_sub(time);
        if until > SENT_BEFORE {
            break;
        }
        let same = tenures.get(writer).is_some_and(|it| it.whose == next.whose);
        if until > next.unsure || same {
            continue;
        }
        let (from, written) = (next.wrote_from?, written?);
        // Otherwise they wrote at the same time, and neither number is sure.
        if last.is_some_and(|last| !is_before(last, from)) {
            return None;
        }
        last = Some(from);
        if written.is_from(from) {
            writer = later;
        } else if !written.is_before(from) {
            return None;
        }
    }
    Some(writer)
}

/// Which source told of it does not matter.
pub(super) fn is_same(one: Whose, other: Whose) -> bool {
    match (one, other) {
        (Whose::Run { run: one, .. }, Whose::Run { run: other, .. }) => one == other,
        (Whose::Nobody(one), Whose::Nobody(other)) => one == other,
        (Whose::Run { .. }, Whose::Nobody(_)) | (Whose::Nobody(_), Whose::Run { .. }) => false,
    }
}
