//! Whether it reads the packets of all.

use model::{Outcome, Untested};

use super::{Kept, Subject};

/// The packet sockets of all network namespaces.
#[derive(Debug, Default)]
pub(crate) struct PacketSockets {}

pub(super) fn check(_: &Subject, _: &mut Kept) -> Outcome {
    Outcome::NotTestable(Untested::NotFinished)
}
