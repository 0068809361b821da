//! JA4, a fingerprint of TLS clients (FoxIO, technical_details/JA4.md, under BSD 3-Clause; the other
//! fingerprints of JA4+ are under another licence and not here).

use std::fmt::Write;

use model::Text;
use sha2::{Digest, Sha256};

use super::cursor::Cursor;
use super::tls::{ALPN, ClientHello, SERVER_NAME, SIGNATURE_ALGORITHMS, SUPPORTED_VERSIONS};

/// What carries the greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Quic,
    /// DTLS.
    Datagrams,
}

/// The fingerprint. `None`: the greeting is not whole.
pub(crate) fn ja4(hello: &ClientHello<'_>, transport: Transport) -> Option<Text> {
    if !hello.is_whole {
        return None;
    }
    let mut ciphers = numbers(hello.ciphers);
    let mut extensions: Vec<u16> = hello
        .extensions()
        .map(|(kind, _)| kind)
        .filter(|kind| !is_grease(*kind))
        .collect();
    let transport = match transport {
        Transport::Tcp => 't',
        Transport::Quic => 'q',
        Transport::Datagrams => 'd',
    };
    let destination = if extensions.contains(&SERVER_NAME) {
        'd'
    } else {
        'i'
    };
    let mut fingerprint = String::with_capacity(36);
    // Writing to a string does not fail.
    let _ = write!(
        fingerprint,
        "{transport}{}{destination}{:02}{:02}",
        version(hello),
        ciphers.len().min(99),
        extensions.len().min(99)
    );
    fingerprint.extend(protocol(hello));
    ciphers.sort_unstable();
    push_hash(&mut fingerprint, &ciphers, &[]);
    extensions.retain(|kind| !matches!(*kind, SERVER_NAME | ALPN));
    extensions.sort_unstable();
    push_hash(&mut fingerprint, &extensions, &algorithms(hello));
    Some(fingerprint.into())
}

/// Values that mean nothing, and keep servers from choking on new ones (RFC 8701).
fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// Numbers of two bytes each that mean something.
fn numbers(bytes: &[u8]) -> Vec<u16> {
    let (pairs, _) = bytes.as_chunks();
    pairs
        .iter()
        .map(|pair| u16::from_be_bytes(*pair))
        .filter(|number| !is_grease(*number))
        .collect()
}

fn version(hello: &ClientHello<'_>) -> &'static str {
    let offered = hello
        .extensions()
        .find_map(|(kind, value)| (kind == SUPPORTED_VERSIONS).then_some(value))
        .and_then(|value| Cursor::new(value).counted8());
    let highest = offered.and_then(|list| numbers(list).into_iter().max());
    match highest.unwrap_or(hello.version) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// The first and the last character of the first protocol that is offered; of its hexadecimal
/// digits where one of the two is no letter or digit.
fn protocol(hello: &ClientHello<'_>) -> [char; 2] {
    let first = hello.protocols().next().unwrap_or_default();
    let (Some(&head), Some(&tail)) = (first.first(), first.last()) else {
        return ['0', '0'];
    };
    if head.is_ascii_alphanumeric() && tail.is_ascii_alphanumeric() {
        return [char::from(head), char::from(tail)];
    }
    [head >> 4, tail & 0x0f].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0'))
}

/// Signature algorithms, in their order.
fn algorithms(hello: &ClientHello<'_>) -> Vec<u16> {
    let list = hello
        .extensions()
        .find_map(|(kind, value)| (kind == SIGNATURE_ALGORITHMS).then_some(value))
        .and_then(|value| Cursor::new(value).counted16());
    numbers(list.unwrap_or_default())
}

/// Appends `_` and the beginning of the SHA-256 of the numbers as they are written.
fn push_hash(fingerprint: &mut String, sorted: &[u16], behind: &[u16]) {
    fingerprint.push('_');
    if sorted.is_empty() {
        fingerprint.push_str("000000000000");
        return;
    }
    let mut written = String::with_capacity(5 * (sorted.len() + behind.len()));
    for (list, before) in [(sorted, ""), (behind, "_")] {
        for (place, number) in list.iter().enumerate() {
            written.push_str(if place == 0 { before } else { "," });
            let _ = write!(written, "{number:04x}");
        }
    }
    for byte in Sha256::digest(written).iter().take(6) {
        let _ = write!(fingerprint, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests;
