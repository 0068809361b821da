//! The first packets of QUIC, versions 1 and 2 (RFC 9000, 17.2 and 19; RFC 9001, 5; RFC 9369): they
//! are encrypted with keys that anybody can make from what stands in them, and carry the greeting of
//! TLS.

use aes_gcm::aead::AeadInPlace;
use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::BlockEncrypt;
use aes_gcm::{Aes128Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;

use super::cursor::Cursor;

pub(crate) const VERSION_1: u32 = 1;
pub(crate) const VERSION_2: u32 = 0x6b33_43cf;
/// RFC 9000, 17.2.
const LONGEST_ID: usize = 20;
const LONG_HEADER: u8 = 0x80;
const TAG: usize = 16;
/// The sample that hides the header begins so far behind the beginning of the packet number
/// (RFC 9001, 5.4.2).
const SAMPLE_AFTER: usize = 4;

/// A packet with a long header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    Initial(Initial<'a>),
    /// It carries no greeting: keys for it cannot be made. Or it is of another version.
    Other,
}

/// An encrypted packet with a part of a greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Initial<'a> {
    pub(crate) version: u32,
    /// Who it is for. Of the first one, the keys are made of this.
    pub(crate) destination: &'a [u8],
    /// All of it.
    bytes: &'a [u8],
    /// Where its number begins.
    number_at: usize,
}

/// The packets of a datagram that have long headers (RFC 9000, 12.2), up to the first that is not
/// understood.
pub(crate) fn packets(datagram: &[u8]) -> impl Iterator<Item = Packet<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || {
        let (packet, after) = packet(rest)?;
        rest = after;
        Some(packet)
    })
}

fn packet(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let mut rest = Cursor::new(bytes);
    let first = rest.u8()?;
    if first & LONG_HEADER == 0 {
        return None;
    }
    let version = rest.u32()?;
    let destination = rest.counted8()?;
    let source = rest.counted8()?;
    if destination.len() > LONGEST_ID || source.len() > LONGEST_ID {
        return None;
    }
    // Initial, 0-RTT, Handshake, Retry: RFC 9000, 17.2; RFC 9369, 3.2.
    let kind = (first >> 4) & 3;
    let kind = match version {
        VERSION_1 => kind,
        VERSION_2 => kind.wrapping_sub(1) & 3,
        _ => return Some((Packet::Other, &[])),
    };
    match kind {
        0 => {
            let token = length(&mut rest)?;
            rest.take(token)?;
        }
        3 => return Some((Packet::Other, &[])),
        _ => {}
    }
    let length = length(&mut rest)?;
    let number_at = bytes.len() - rest.rest().len();
    rest.take(length)?;
    let (whole, after) = bytes.split_at_checked(number_at + length)?;
    let packet = match kind {
        0 => Packet::Initial(Initial {
            version,
            destination,
            bytes: whole,
            number_at,
        }),
        _ => Packet::Other,
    };
    Some((packet, after))
}

/// A number of 1, 2, 4 or 8 bytes (RFC 9000, 16).
fn number(rest: &mut Cursor<'_>) -> Option<u64> {
    let first = rest.u8()?;
    let more = (1_usize << (first >> 6)) - 1;
    let bytes = rest.take(more)?;
    Some(bytes.iter().fold(u64::from(first & 0x3f), |number, byte| {
        number << 8 | u64::from(*byte)
    }))
}

fn length(rest: &mut Cursor<'_>) -> Option<usize> {
    usize::try_from(number(rest)?).ok()
}

/// What a client encrypts its first packets with.
pub(crate) struct Keys {
    version: u32,
    packet: Aes128Gcm,
    nonce: [u8; 12],
    header: Aes128,
}

impl Keys {
    /// The keys of a client whose first packet was for `destination`. `None`: a version that is not
    /// known.
    pub(crate) fn of_client(version: u32, destination: &[u8]) -> Option<Self> {
        Self::derive(version, destination, "client in")
    }

    /// `side` is the label of whoever encrypts.
    fn derive(version: u32, destination: &[u8], side: &str) -> Option<Self> {
        let (salt, prefix) = match version {
            VERSION_1 => (SALT_1, "quic"),
            VERSION_2 => (SALT_2, "quicv2"),
            _ => return None,
        };
        let initial = Hkdf::<Sha256>::new(Some(&salt), destination);
        let mut secret = [0; 32];
        expand(&initial, &[side], &mut secret)?;
        let secret = Hkdf::<Sha256>::from_prk(&secret).ok()?;
        let (mut packet, mut nonce, mut header) = ([0; 16], [0; 12], [0; 16]);
        expand(&secret, &[prefix, " key"], &mut packet)?;
        expand(&secret, &[prefix, " iv"], &mut nonce)?;
        expand(&secret, &[prefix, " hp"], &mut header)?;
        Some(Self {
            version,
            packet: Aes128Gcm::new(&packet.into()),
            nonce,
            header: Aes128::new(&header.into()),
        })
    }

    pub(crate) fn version(&self) -> u32 {
        self.version
    }

    /// What the packet carries. `None`: it was not encrypted with these keys, or is broken.
    pub(crate) fn open(&self, initial: &Initial<'_>) -> Option<Vec<u8>> {
        if initial.version != self.version {
            return None;
        }
        let protected = initial.bytes.get(initial.number_at..)?;
        let mask = self.mask(protected.get(SAMPLE_AFTER..)?)?;
        let [mask_first, mask_number @ ..] = mask;
        let mut header = initial.bytes.get(..initial.number_at)?.to_vec();
        let first = header.first_mut()?;
        *first ^= mask_first & 0x0f;
        let length = usize::from(*first & 3) + 1;
        let (number, payload) = protected.split_at_checked(length)?;
        let mut nonce = self.nonce;
        // The number stands at the end of both.
        let places = nonce.iter_mut().rev().take(length).rev();
        for ((byte, mask), place) in number.iter().zip(mask_number).zip(places) {
            header.push(byte ^ mask);
            *place ^= byte ^ mask;
        }
        let (payload, tag) = payload.split_at_checked(payload.len().checked_sub(TAG)?)?;
        let mut payload = payload.to_vec();
        self.packet
            .decrypt_in_place_detached(
                &nonce.into(),
                &header,
                &mut payload,
                GenericArray::from_slice(tag),
            )
            .ok()?;
        Some(payload)
    }

    /// What hides the header (RFC 9001, 5.4.3).
    fn mask(&self, sample: &[u8]) -> Option<[u8; 5]> {
        let mut block = GenericArray::from(*sample.first_chunk::<16>()?);
        self.header.encrypt_block(&mut block);
        block.first_chunk().copied()
    }
}

/// Keys are nobody's to read.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446, 7.1).
fn expand(secret: &Hkdf<Sha256>, label: &[&str], out: &mut [u8]) -> Option<()> {
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    let label_length = 6 + label.iter().map(|part| part.len()).sum::<usize>();
    let label_length = [u8::try_from(label_length).ok()?];
    let mut info = vec![&length[..], &label_length, b"tls13 "];
    info.extend(label.iter().map(|part| part.as_bytes()));
    info.push(&[0]);
    secret.expand_multi_info(&info, out).ok()
}

/// RFC 9001, 5.2, and RFC 9369, 3.3.1.
const SALT_1: [u8; 20] = [
    0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad,
    0xcc, 0xbb, 0x7f, 0x0a,
];
const SALT_2: [u8; 20] = [
    0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb,
    0xf9, 0xbd, 0x2e, 0xd9,
];

/// The parts of the greeting in a packet, with their places in it (CRYPTO frames: RFC 9000, 19.6).
/// Ends at the first frame that an Initial packet may not have.
pub(crate) fn crypto(payload: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut rest = Cursor::new(payload);
    std::iter::from_fn(move || {
        loop {
            match rest.u8()? {
                // PADDING, PING.
                0 | 1 => {}
                // ACK, the second kind with counts of marked packets.
                kind @ (2 | 3) => {
                    let _largest = number(&mut rest)?;
                    let _delay = number(&mut rest)?;
                    let ranges = number(&mut rest)?;
                    let _first = number(&mut rest)?;
                    for _ in 0..ranges {
                        let _gap = number(&mut rest)?;
                        let _length = number(&mut rest)?;
                    }
                    for _ in 0..if kind == 3 { 3 } else { 0 } {
                        let _count = number(&mut rest)?;
                    }
                }
                6 => {
                    let place = number(&mut rest)?;
                    let length = length(&mut rest)?;
                    return Some((place, rest.take(length)?));
                }
                _ => return None,
            }
        }
    })
}

#[cfg(test)]
pub(crate) mod tests;
