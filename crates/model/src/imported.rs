//! What captures and logs of other tools give. They tell of whole connections, where watching tells
//! of what happens, one thing after the other.

use std::sync::Arc;

use crate::{Connection, Device, Event, Gap, Process, Timestamp};

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
}
