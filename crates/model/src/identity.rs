//! What makes a process, a socket and a connection the same one in every source.

use std::fmt;
use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::hex::write_hex;
use crate::{Endpoint, Protocol};

/// One start of the computer: Linux `/proc/sys/kernel/random/boot_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootId(pub [u8; 16]);

impl BootId {
    /// Reads the usual form with hyphens; `None` when it is not 32 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut digits = text.trim().chars().filter(|character| *character != '-');
        let mut bytes = [0; 16];
        for byte in &mut bytes {
            let (high, low) = (digits.next()?.to_digit(16)?, digits.next()?.to_digit(16)?);
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        digits.next().is_none().then_some(Self(bytes))
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// One run of a program. Pids are reused, so the start belongs to it.
///
/// Prints as `PID-STARTTICKS-BOOT` with the first eight digits of the boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    pub boot: BootId,
    /// In the PID namespace of whocalls.
    pub pid: u32,
    /// Start, in whole units of 10 ms since boot, suspend included (proc(5), `stat` field 22).
    pub start_ticks: u64,
}

impl ProcessId {
    /// What one start tick is (`USER_HZ` is 100 on all that Linux runs on).
    pub const NANOS_PER_TICK: u64 = 10_000_000;
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-", self.pid, self.start_ticks)?;
        let [first, second, third, fourth, ..] = self.boot.0;
        write_hex(f, &[first, second, third, fourth])
    }
}

/// Inode number of a network namespace, as `/proc/PID/ns/net` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkNamespace(pub u32);

/// How the kernel tells one socket from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketKey {
    /// `None`: it has no inode (any more): TIME_WAIT, half-open, not accepted, orphaned.
    pub inode: Option<u64>,
    /// Never reused while the computer runs. `None`: the source does not tell.
    pub cookie: Option<u64>,
}

/// A connection's name in every output: 16 bytes, printed as hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub [u8; 16]);

impl ConnectionId {
    /// SHA-256 over boot, network namespace, socket and protocol, cut to 16 bytes. For
    /// everything without connections of its own (UDP, ICMP, raw) the remote side belongs to it.
    ///
    /// Without a cookie the inode and both endpoints take its place.
    pub fn of(
        boot: BootId,
        netns: Option<NetworkNamespace>,
        socket: SocketKey,
        protocol: Protocol,
        local: Endpoint,
        remote: Option<Endpoint>,
    ) -> Self {
        let mut hash = Sha256::new();
        hash.update(boot.0);
        hash.update(netns.map_or(0, |netns| netns.0).to_le_bytes());
        hash.update(protocol.word().as_bytes());
        if let Some(cookie) = socket.cookie {
            hash.update([1]);
            hash.update(cookie.to_le_bytes());
        } else {
            hash.update([2]);
            hash.update(socket.inode.unwrap_or(0).to_le_bytes());
            hash_endpoint(&mut hash, local);
        }
        if let Some(remote) =
            remote.filter(|_| socket.cookie.is_none() || !protocol.has_connections())
        {
            hash_endpoint(&mut hash, remote);
        }
        Self(cut(hash))
    }

    /// Of a later connection that would have the same id: the socket was used again after `times`
    /// others had ended. SHA-256 over the id of the first one and the number.
    #[must_use]
    pub fn again(self, times: u32) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(times.to_le_bytes());
        Self(cut(hash))
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

pub(crate) fn cut(hash: Sha256) -> [u8; 16] {
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    id
}

fn hash_endpoint(hash: &mut Sha256, endpoint: Endpoint) {
    match endpoint.ip {
        Some(IpAddr::V4(ip)) => hash.update(ip.octets()),
        Some(IpAddr::V6(ip)) => hash.update(ip.octets()),
        None => {}
    }
    hash.update(endpoint.port.unwrap_or(0).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOT: BootId = BootId([0xab; 16]);

    fn id(cookie: Option<u64>, protocol: Protocol, port: u16) -> String {
        let remote = Endpoint::new(IpAddr::from([203, 0, 113, 9]), port);
        let local = Endpoint::new(IpAddr::from([192, 0, 2, 7]), 40512);
        let socket = SocketKey {
            inode: Some(1),
            cookie,
        };
        ConnectionId::of(
            BOOT,
            Some(NetworkNamespace(7)),
            socket,
            protocol,
            local,
            Some(remote),
        )
        .to_string()
    }

    #[test]
    fn a_tcp_connection_is_its_socket() {
        assert_eq!(
            id(Some(2), Protocol::Tcp, 443),
            id(Some(2), Protocol::Tcp, 80)
        );
        assert_ne!(
            id(Some(2), Protocol::Tcp, 443),
            id(Some(3), Protocol::Tcp, 443)
        );
        assert_eq!(id(Some(2), Protocol::Tcp, 443).len(), 32);
    }

    #[test]
    fn a_udp_connection_is_its_socket_and_its_peer() {
        assert_ne!(
            id(Some(2), Protocol::Udp, 443),
            id(Some(2), Protocol::Udp, 80)
        );
    }

    #[test]
    fn without_a_cookie_the_endpoints_tell_connections_apart() {
        assert_ne!(id(None, Protocol::Tcp, 443), id(None, Protocol::Tcp, 80));
    }

    #[test]
    fn a_socket_that_is_used_again_is_another_connection() {
        let first = ConnectionId([7; 16]);
        assert_eq!(first.again(1), first.again(1));
        assert_ne!(first.again(1), first);
        assert_ne!(first.again(1), first.again(2));
    }

    #[test]
    fn boot_ids_read_back() {
        let boot = BootId::parse("9f3c1a2b-0000-4000-8000-00000000000f\n").unwrap();
        assert_eq!(boot.to_string(), "9f3c1a2b00004000800000000000000f");
        assert_eq!(BootId::parse("9f3c"), None);
        assert_eq!(BootId::parse("zz3c1a2b-0000-4000-8000-00000000000f"), None);
        let process = ProcessId {
            boot,
            pid: 4242,
            start_ticks: 1534,
        };
        assert_eq!(process.to_string(), "4242-1534-9f3c1a2b");
    }
}
