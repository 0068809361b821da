//! What captures and logs of other tools give. They tell of whole connections, where watching tells
//! of what happens, one thing after the other.

use std::sync::Arc;

use crate::{BootId, Connection, Device, Event, Gap, Process, Text, Tier, Timestamp};

/// What an import hands on. The order means nothing: a name may come after the connection that it
/// belongs to, and a process after both.
#[derive(Clone, Debug)]
pub enum Imported {
    /// A connection as a whole: when it began and ended, and what went over it. One of the same id
    /// comes again when more is known of it; the last holds.
    Connection(Box<Connection>),
    /// A name that was seen (`NameSeen`), with the socket of its connection or with both ends of it.
    Name(Box<Event>),
    /// Comes again when more is known of it.
    Process(Arc<Process>),
    /// Likewise.
    Device(Device),
    Gap(Gap),
    /// From when until when the source saw what passed, whether or not anything did.
    Span(Timestamp, Timestamp),
    /// The file is a look that whocalls took itself. Comes again when more is known of it.
    Look(Box<SavedLook>),
}

/// What a look that was saved says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedLook {
    /// Name of the computer. `None`: it does not say.
    pub host: Option<Text>,
    /// `None`: it does not say, or it was a file itself.
    pub boot: Option<BootId>,
    /// When it was taken, or begun.
    pub taken: Option<Timestamp>,
    /// Until when it was watched. `None`: it is one moment.
    pub until: Option<Timestamp>,
    pub tier: Option<Tier>,
    /// How many sockets that wait for others were left out of it. `None`: it does not say.
    pub waiting_left_out: Option<u64>,
    /// How many others were, since a filter or an option did not want them.
    pub others_left_out: Option<u64>,
    /// Whether processes without a connection are in it, too.
    pub every_process: Option<bool>,
}
