//! Values straight into bytes: quicker than by `write!`, where there are millions of them.

use std::fmt::Display;
use std::io::Write as _;
use std::net::IpAddr;

pub(crate) fn number(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

pub(crate) fn ip(out: &mut Vec<u8>, ip: IpAddr) {
    let IpAddr::V4(ip) = ip else {
        return plain(out, ip);
    };
    for (index, octet) in ip.octets().into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        number(out, octet);
    }
}

/// A hardware address.
pub(crate) fn mac(out: &mut Vec<u8>, mac: [u8; 6]) {
    let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
    for (index, byte) in mac.into_iter().enumerate() {
        if index > 0 {
            out.push(b':');
        }
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// As it is printed.
pub(crate) fn plain(out: &mut Vec<u8>, value: impl Display) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{value}");
}
