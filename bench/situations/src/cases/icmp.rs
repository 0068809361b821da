//! Echo requests with content, as a tunnel would send them.

use std::io::{self, Read as _};
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};

use crate::exchange::{CONTENT, patient};
use crate::lab::{FAR, FAR_V6, Lab, at};
use crate::truth::{Act, End};

const COUNT: u16 = 500;
const CONTENT_BYTES: usize = 1000;
/// Echo request (RFC 792, RFC 4443).
const REQUEST: u8 = 8;
const REQUEST_V6: u8 = 128;
/// The IPv4 header that a raw socket delivers too (raw(7)), without options.
const IP_HEADER: usize = 20;

pub fn flood(lab: &Lab) -> io::Result<()> {
    let (v4, v6) = (at(FAR, 0), at(FAR_V6, 0));
    let ping = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::ICMPV4))?;
    exchange(lab, "icmp", ping, v4, REQUEST, 0)?;
    let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    exchange(lab, "raw", raw, v4, REQUEST, IP_HEADER)?;
    let ping = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::ICMPV6))?;
    exchange(lab, "icmp", ping, v6, REQUEST_V6, 0)
}

fn exchange(
    lab: &Lab,
    protocol: &str,
    socket: Socket,
    remote: SocketAddr,
    kind: u8,
    header: usize,
) -> io::Result<()> {
    let mut socket = patient(socket)?;
    let mut act = Act::begin(protocol, Some(End::without_port(remote.ip())))?;
    act.ip_protocol = (protocol == "raw").then_some(1);
    let mut room = [0; 2048];
    for number in 0..COUNT {
        act.sent(socket.send_to(&message(kind, number), &remote.into())?);
        let received = socket.read(&mut room)?;
        act.received(received.saturating_sub(header));
    }
    drop(socket);
    lab.record(act)
}

/// Type, code, checksum, identifier, number (RFC 792). The kernel does the checksum of ping
/// sockets again, and gives them their identifier.
fn message(kind: u8, number: u16) -> Vec<u8> {
    let mut message = vec![kind, 0, 0, 0, 0x77, 0x63];
    message.extend(number.to_be_bytes());
    message.extend(&CONTENT[..CONTENT_BYTES]);
    let sum = checksum(&message).to_be_bytes();
    message[2..4].copy_from_slice(&sum);
    message
}

/// The Internet checksum (RFC 1071) of an even number of bytes.
pub fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks_exact(2);
    let mut sum: u32 = words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_its_checksum_sums_to_nothing() {
        assert_eq!(checksum(&message(REQUEST, 7)), 0);
    }
}
