//! Names out of what two sides say to each other: DNS, the greetings of TLS, QUIC, HTTP and SSH,
//! DHCP. The first bytes of a connection go in, however they were cut up and reordered;
//! `model::NameSeen` comes out. The formats are taken apart in `parse`.
//!
//! What a side says is kept only until it can be read, and no more than a bound of it.

mod ahead;
mod prelude;
mod seen;
mod tcp;
mod tls;
mod udp;

use model::{Gap, NameSeen, Source};

pub(crate) use self::tcp::TcpNames;
pub(crate) use self::udp::UdpNames;

/// Which side said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// It opened the connection.
    Client,
    Server,
}

/// Connections whose client began a greeting that was not understood.
pub(crate) fn greetings_unread(source: Source) -> Gap {
    Gap::standing(
        "greetings_unread",
        source,
        "connections began with a greeting of TLS or HTTP that is too long, not whole or damaged, or \
         on a port of the web with something else",
        "the names that these connections may have greeted by",
    )
}

/// Whoever takes what was read.
pub(crate) type Told<'a> = dyn FnMut(NameSeen) + 'a;

#[cfg(test)]
mod tests;
