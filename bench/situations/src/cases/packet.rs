//! Below TCP and UDP: another IP protocol, and whole frames.

use std::io::{self, Read as _};

use socket2::{Domain, Protocol, Socket, Type};

use super::icmp::checksum;
use crate::exchange::{CONTENT, patient};
use crate::lab::{EXPERIMENT, FAR, FAR_MAC, Lab, NEAR, NEAR_INTERFACE, NEAR_MAC, SINK, at};
use crate::sys;
use crate::truth::{Act, End};

pub fn experiment(lab: &Lab) -> io::Result<()> {
    let protocol = Protocol::from(i32::from(EXPERIMENT));
    let mut socket = patient(Socket::new(Domain::IPV4, Type::RAW, Some(protocol))?)?;
    let mut act = Act::begin("raw", Some(End::without_port(FAR.into())))?;
    act.ip_protocol = Some(EXPERIMENT);
    let mut room = [0; 2048];
    for _ in 0..200 {
        act.sent(socket.send_to(&CONTENT[..1000], &at(FAR, 0).into())?);
        let received = socket.read(&mut room)?;
        // The IPv4 header comes with it (raw(7)); its first byte tells its length.
        act.received(received - usize::from(room[0] & 15) * 4);
    }
    drop(socket);
    lab.record(act)
}

pub fn injection(lab: &Lab) -> io::Result<()> {
    let mut act = Act::begin("packet", None)?;
    let frames = (0..200).map(frame);
    act.sent(sys::inject(NEAR_INTERFACE, frames)?);
    lab.record(act)
}

/// A datagram to the sink in IPv4 in Ethernet, made by hand.
fn frame(number: u16) -> Vec<u8> {
    const BYTES: usize = 1000;
    let (udp_length, length) = (8 + BYTES as u16, 28 + BYTES as u16);
    // RFC 791, 3.1: version and length, service; total length; identification; do not fragment;
    // time to live, UDP; checksum; both ends.
    let mut header = vec![0x45, 0];
    header.extend(length.to_be_bytes());
    header.extend(number.to_be_bytes());
    header.extend([0x40, 0, 64, 17, 0, 0]);
    header.extend(NEAR.octets());
    header.extend(FAR.octets());
    let sum = checksum(&header).to_be_bytes();
    header[10..12].copy_from_slice(&sum);

    let mut frame = [FAR_MAC, NEAR_MAC].concat();
    frame.extend([0x08, 0x00]);
    frame.extend(header);
    // RFC 768: ports, length, no checksum.
    frame.extend(40_000u16.to_be_bytes());
    frame.extend(SINK.to_be_bytes());
    frame.extend(udp_length.to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(&CONTENT[..BYTES]);
    frame
}
