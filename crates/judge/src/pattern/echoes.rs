//! Packets between a program and one address, as rules look at them: echoes (ping), and what goes to where
//! names are asked for.

use std::net::IpAddr;

use super::asker::Asker;

/// All ICMP of a program, or of a device, with one address.
pub(crate) struct Echoes {
    pub(crate) remote: IpAddr,
    pub(crate) asker: Asker,
    pub(crate) sums: EchoSums,
}

/// All that a program, or a device, sent to the port of one server where names are asked for.
pub(crate) struct ToNameServer {
    pub(crate) remote: IpAddr,
    pub(crate) asker: Asker,
    pub(crate) sums: EchoSums,
    /// How many questions were in it.
    pub(crate) questions: u64,
}

/// Packets, and what they carry, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EchoSums {
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    /// Of these packets not all had one size: within one exchange they do not divide evenly.
    pub(crate) of_many_sizes: u64,
}

impl EchoSums {
    pub(crate) fn of(connection: &model::Connection) -> Option<Self> {
        let sums = Self {
            sent: connection.packets_sent?,
            received: connection.packets_received?,
            bytes_sent: connection.bytes_sent?,
            bytes_received: connection.bytes_received?,
            of_many_sizes: 0,
        };
        let even = |bytes: u64, packets: u64| bytes.checked_rem(packets).unwrap_or(0) == 0;
        let is_even = even(sums.bytes_sent, sums.sent) && even(sums.bytes_received, sums.received);
        let packets = sums.sent.saturating_add(sums.received);
        let of_many_sizes = if is_even { 0 } else { packets };
        Some(Self {
            of_many_sizes,
            ..sums
        })
    }

    #[must_use]
    pub(crate) fn without(self, other: Self) -> Self {
        Self {
            sent: self.sent.saturating_sub(other.sent),
            received: self.received.saturating_sub(other.received),
            bytes_sent: self.bytes_sent.saturating_sub(other.bytes_sent),
            bytes_received: self.bytes_received.saturating_sub(other.bytes_received),
            of_many_sizes: self.of_many_sizes.saturating_sub(other.of_many_sizes),
        }
    }

    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent.saturating_add(other.sent),
            received: self.received.saturating_add(other.received),
            bytes_sent: self.bytes_sent.saturating_add(other.bytes_sent),
            bytes_received: self.bytes_received.saturating_add(other.bytes_received),
            of_many_sizes: self.of_many_sizes.saturating_add(other.of_many_sizes),
        }
    }
}
