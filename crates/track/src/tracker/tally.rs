//! What the kernel has counted, and what of it belongs to one connection.

use model::{Connection, Counts, Event};

/// What a socket, or a socket and its peer, have counted: bytes sent and received, packets sent
/// and received. `None`: not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tally([Option<u64>; 4]);

/// What the same socket and peer had counted for connections that are over: the kernel counts on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted([u64; 4]);

impl Tally {
    /// Whether more has been counted than the connection says.
    pub(super) fn exceeds(self, connection: &Connection, before: Counted) -> bool {
        let Self(known) = Self::from(connection);
        let Self(counted) = self.without(before);
        let mut both = counted.into_iter().zip(known);
        both.any(|(counted, known)| counted.unwrap_or(0) > known.unwrap_or(0))
    }

    /// Writes it to the connection; what is not counted stays as it is.
    pub(super) fn put(self, connection: &mut Connection, before: Counted) {
        let fields = [
            &mut connection.bytes_sent,
            &mut connection.bytes_received,
            &mut connection.packets_sent,
            &mut connection.packets_received,
        ];
        let Self(counted) = self.without(before);
        for (field, counted) in fields.into_iter().zip(counted) {
            *field = counted.or(*field);
        }
    }

    fn without(self, Counted(before): Counted) -> Self {
        let mut counted = self.0;
        for (counted, before) in counted.iter_mut().zip(before) {
            // Less than before: the kernel has begun anew.
            *counted = counted.map(|counted| counted.checked_sub(before).unwrap_or(counted));
        }
        Self(counted)
    }
}

impl Counted {
    /// With what `connection`, which is over now, has counted.
    pub(super) fn and(mut self, connection: &Connection) -> Self {
        let Tally(more) = Tally::from(connection);
        for (counted, more) in self.0.iter_mut().zip(more) {
            *counted = counted.saturating_add(more.unwrap_or(0));
        }
        self
    }
}

impl From<&Counts> for Tally {
    fn from(counts: &Counts) -> Self {
        Self([
            counts.bytes_sent,
            counts.bytes_received,
            counts.packets_sent,
            counts.packets_received,
        ])
    }
}

impl From<&Event> for Tally {
    fn from(event: &Event) -> Self {
        Self([
            event.bytes_sent,
            event.bytes_received,
            event.packets_sent,
            event.packets_received,
        ])
    }
}

impl From<&Connection> for Tally {
    fn from(connection: &Connection) -> Self {
        Self([
            connection.bytes_sent,
            connection.bytes_received,
            connection.packets_sent,
            connection.packets_received,
        ])
    }
}

impl From<[u64; 4]> for Counted {
    fn from(counted: [u64; 4]) -> Self {
        Self(counted)
    }
}

impl From<Counted> for [u64; 4] {
    fn from(Counted(counted): Counted) -> Self {
        counted
    }
}
