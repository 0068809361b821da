//! What package managers write down of the packages that they installed: which files, and what is in
//! them.

pub(crate) mod apk;
pub(crate) mod dpkg;
pub(crate) mod flatpak;
pub(crate) mod pacman;
pub(crate) mod rpm;

/// What a list says is in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Digest {
    Md5([u8; 16]),
    Sha1([u8; 20]),
    Sha256([u8; 32]),
}

/// The bytes of digits in pairs. `None`: something else.
fn hexadecimal<const LENGTH: usize>(text: &[u8]) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    if text.len() != LENGTH * 2 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The bytes of a text in base64 (RFC 4648, section 4). `None`: something else, or of another length.
fn base64<const LENGTH: usize>(text: &[u8]) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let text = text.trim_ascii_end();
    let unpadded = text.iter().rposition(|byte| *byte != b'=')? + 1;
    let text = text.get(..unpadded)?;
    // Each character is 6 bits; what is left over at the end is less than a byte.
    if text.len().checked_mul(6)? / 8 != LENGTH {
        return None;
    }
    let mut places = bytes.iter_mut();
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            *places.next()? = u8::try_from(bits >> held & 0xff).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_in_pairs() {
        assert_eq!(hexadecimal(b"00fFa1"), Some([0x00, 0xff, 0xa1]));
        assert_eq!(hexadecimal::<3>(b"00ff"), None);
        assert_eq!(hexadecimal::<2>(b"00fg"), None);
    }

    #[test]
    fn base64_of_a_known_length() {
        // RFC 4648, section 10.
        assert_eq!(base64(b"Zm9vYmE="), Some(*b"fooba"));
        assert_eq!(base64(b"Zm9vYmFy"), Some(*b"foobar"));
        assert_eq!(base64::<5>(b"Zm9vYmFy"), None);
        assert_eq!(base64::<5>(b"Zm9v*mE="), None);
        assert_eq!(base64::<5>(b"===="), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = base64::<20>(&bytes);
            let _ = hexadecimal::<16>(&bytes);
        }
    }
}
