//! Whom a certificate is for (X.509: RFC 5280, 4.1 and 4.2.1.6), out of its DER. Nothing is verified.

use model::Text;

/// Tags of DER (ITU-T X.690, 8).
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// dNSName in a GeneralName.
const DNS_NAME: u8 = 0x82;
/// BMPString: two bytes a character.
const WIDE_TEXT: u8 = 0x1e;
/// 2.5.4.3 and 2.5.29.17.
const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 29, 17];

/// More are not read of one certificate.
const MOST_NAMES: usize = 32;
const LONGEST_NAME: usize = 255;

/// The common name of the subject, and the DNS names that the certificate is for beside it; each
/// once. Empty: it is for nobody, or it is no certificate.
pub(crate) fn names(certificate: &[u8]) -> Vec<Text> {
    let mut names = Vec::new();
    // What was read before something odd is worth as much.
    let _ = read(certificate, &mut names);
    names
}

fn read(certificate: &[u8], names: &mut Vec<Text>) -> Option<()> {
    let mut outer = Der(certificate);
    let mut signed = Der(Der(outer.next_of(SEQUENCE)?).next_of(SEQUENCE)?);
    if signed.0.first() == Some(&VERSION) {
        signed.next()?;
    }
    signed.next_of(INTEGER)?;
    let _algorithm = signed.next_of(SEQUENCE)?;
    let _issuer = signed.next_of(SEQUENCE)?;
    let _validity = signed.next_of(SEQUENCE)?;
    let mut subject = Der(signed.next_of(SEQUENCE)?);
    while let Some((SET, set)) = subject.next() {
        let mut pairs = Der(set);
        while let Some((SEQUENCE, pair)) = pairs.next() {
            let mut pair = Der(pair);
            if pair.next_of(OBJECT) == Some(COMMON_NAME)
                && let Some((kind, text)) = pair.next()
            {
                if kind == WIDE_TEXT {
                    push(names, narrow(text).as_bytes());
                } else {
                    push(names, text);
                }
            }
        }
    }
    let _key = signed.next_of(SEQUENCE)?;
    while let Some((kind, value)) = signed.next() {
        if kind == EXTENSIONS {
            let mut list = Der(Der(value).next_of(SEQUENCE)?);
            while let Some((SEQUENCE, extension)) = list.next() {
                let mut extension = Der(extension);
                if extension.next_of(OBJECT) == Some(ALTERNATIVE_NAMES) {
                    alternatives(extension, names);
                }
            }
        }
    }
    Some(())
}

/// `extension` is what stands behind its OID: perhaps a BOOLEAN, then the value.
fn alternatives(mut extension: Der<'_>, names: &mut Vec<Text>) {
    while let Some((kind, value)) = extension.next() {
        if kind != OCTETS {
            continue;
        }
        let mut list = Der(Der(value).next_of(SEQUENCE).unwrap_or_default());
        while let Some((kind, name)) = list.next() {
            if kind == DNS_NAME {
                push(names, name);
            }
        }
    }
}

fn push(names: &mut Vec<Text>, name: &[u8]) {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let fits = !name.is_empty() && name.len() <= LONGEST_NAME && names.len() < MOST_NAMES;
    if fits && !names.iter().any(|known| known.bytes() == name) {
        names.push(name.into());
    }
}

fn narrow(wide: &[u8]) -> String {
    let (pairs, _) = wide.as_chunks();
    let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .take(LONGEST_NAME)
        .collect()
}

/// Values one behind the other.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// Tag and contents of the next one. `None`: the end, cut short, or a form that DER and
    /// certificates do not have.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[kind, length], rest) = self.0.split_first_chunk()?;
        if kind & 0x1f == 0x1f {
            return None;
        }
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                let length = digits
                    .iter()
                    .fold(0, |length, digit| length << 8 | usize::from(*digit));
                (length, rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((kind, value))
    }

    fn next_of(&mut self, wanted: u8) -> Option<&'a [u8]> {
        let (kind, value) = self.next()?;
        (kind == wanted).then_some(value)
    }
}

#[cfg(test)]
mod tests;
