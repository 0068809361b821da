//! Names that devices give themselves when they ask for an address: DHCP for IPv4 (RFC 2131;
//! RFC 2132, 3.14; RFC 4702) and IPv6 (RFC 8415; RFC 4704).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Text;

use super::cursor::Cursor;
use super::dns;

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const LONGEST_NAME: usize = 255;
/// Relays put a message into another one (RFC 8415, 9).
const MOST_RELAYS: usize = 4;
const MOST_OPTIONS: usize = 256;

/// What a message says of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Device {
    /// Which question it belongs to.
    pub(crate) transaction: u32,
    /// The server says it, to the device.
    pub(crate) is_answer: bool,
    /// The hardware address of the device. `None`: the message does not say it.
    pub(crate) hardware: Option<[u8; 6]>,
    pub(crate) name: Option<Text>,
    /// What the device may use from now on, and for how many seconds.
    pub(crate) addresses: Vec<(IpAddr, u32)>,
}

/// A message to or from port 67. `None`: it is none.
pub(crate) fn four(message: &[u8]) -> Option<Device> {
    let mut rest = Cursor::new(message);
    let [operation, hardware_type, hardware_length, _hops] = rest.array()?;
    let transaction = rest.u32()?;
    let _seconds_and_flags = rest.u32()?;
    let _before = rest.u32()?;
    let assigned = Ipv4Addr::from(rest.array::<4>()?);
    let _next_and_relay = rest.take(8)?;
    let hardware: [u8; 6] = rest.array()?;
    let _more_hardware_server_and_file = rest.take(10 + 64 + 128)?;
    if !matches!(operation, 1 | 2) || rest.array()? != COOKIE {
        return None;
    }
    let is_ethernet = hardware_type == 1 && hardware_length == 6;
    let mut device = Device {
        transaction,
        is_answer: operation == 2,
        hardware: is_ethernet.then_some(hardware),
        ..Device::default()
    };
    let (mut kind, mut lease) = (0, 0);
    let mut full_name = None;
    for _ in 0..MOST_OPTIONS {
        let value = match rest.u8() {
            Some(0) => continue,
            None | Some(255) => break,
            Some(code) => match rest.counted8() {
                Some(value) => (code, value),
                None => break,
            },
        };
        match value {
            (12, name) => device.name = plain(name),
            (51, seconds) => lease = Cursor::new(seconds).u32().unwrap_or_default(),
            (53, [message_type]) => kind = *message_type,
            // Flags, of which 4 is the form of DNS, and two codes that mean nothing (RFC 4702, 2).
            (81, [flags, _, _, name @ ..]) => {
                full_name = if flags & 4 != 0 {
                    wire(name)
                } else {
                    plain(name)
                };
            }
            _ => {}
        }
    }
    device.name = device.name.or(full_name);
    // DHCPACK.
    if device.is_answer && kind == 5 && !assigned.is_unspecified() {
        device.addresses.push((assigned.into(), lease));
    }
    Some(device)
}

/// A message to or from port 547. `None`: it is none.
pub(crate) fn six(message: &[u8]) -> Option<Device> {
    let mut message = message;
    for _ in 0..=MOST_RELAYS {
        let mut rest = Cursor::new(message);
        let kind = rest.u8()?;
        if matches!(kind, 12 | 13) {
            let _hops_and_addresses = rest.take(33)?;
            message =
                options(rest.rest()).find_map(|(code, value)| (code == 9).then_some(value))?;
            continue;
        }
        if !(1..=11).contains(&kind) {
            return None;
        }
        let mut device = Device {
            transaction: rest.u24()?,
            // ADVERTISE, REPLY, RECONFIGURE.
            is_answer: matches!(kind, 2 | 7 | 10),
            ..Device::default()
        };
        for (code, value) in options(rest.rest()) {
            match code {
                1 => device.hardware = hardware(value),
                39 => device.name = value.get(1..).and_then(wire),
                // IA_NA, IA_TA: addresses behind a number, and times.
                3 | 4 if kind == 7 => {
                    let before = if code == 3 { 12 } else { 4 };
                    let inside = value.get(before..).unwrap_or_default();
                    device.addresses.extend(options(inside).filter_map(address));
                }
                _ => {}
            }
        }
        return Some(device);
    }
    None
}

/// IAADDR (RFC 8415, 21.6): the address, and how long it is preferred and valid.
fn address((code, value): (u16, &[u8])) -> Option<(IpAddr, u32)> {
    if code != 5 {
        return None;
    }
    let mut rest = Cursor::new(value);
    let address = Ipv6Addr::from(rest.array::<16>()?);
    let _preferred = rest.u32()?;
    let valid = rest.u32()?;
    (valid != 0).then_some((address.into(), valid))
}

/// The hardware address in a DUID with or without a time (RFC 8415, 11.2 and 11.4).
fn hardware(duid: &[u8]) -> Option<[u8; 6]> {
    match duid {
        [0, 1, 0, 1, _, _, _, _, address @ ..] | [0, 3, 0, 1, address @ ..] => {
            address.try_into().ok()
        }
        _ => None,
    }
}

fn options(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = Cursor::new(bytes);
    std::iter::from_fn(move || {
        let code = rest.u16()?;
        Some((code, rest.counted16()?))
    })
    .take(MOST_OPTIONS)
}

/// A name as a text; some end it with NUL.
fn plain(name: &[u8]) -> Option<Text> {
    let end = name.iter().position(|byte| *byte == 0);
    let name = name.get(..end.unwrap_or(name.len()))?;
    let name = name.strip_suffix(b".").unwrap_or(name);
    (!name.is_empty() && name.len() <= LONGEST_NAME).then(|| name.into())
}

/// A name in the form of DNS; without its end when it is not a full one (RFC 4702, 2.3.1).
fn wire(name: &[u8]) -> Option<Text> {
    let mut whole = name.to_vec();
    whole.push(0);
    let (text, _) = dns::name(&whole, 0)?;
    (text.bytes() != b".").then_some(text)
}

#[cfg(test)]
mod tests;
