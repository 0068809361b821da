//! What stands before TLS where it is agreed upon in the clear (STARTTLS): lines of SMTP, IMAP, POP3
//! and FTP (RFC 3207, 2595, 4217), tags of XMPP (RFC 6120, 5), messages of LDAP (RFC 4511, 4.14), the
//! request of PostgreSQL (its protocol, "SSL Session Encryption"), the first packet of RDP
//! (MS-RDPBCGR, 1.3.1.1).
//!
//! TLS is looked for only where one of these units ends.

use super::super::parse::cursor::Cursor;
use super::Side;

/// Longer lines, tags and messages end the search.
const LONGEST_UNIT: usize = 2048;
/// The first byte of TLS.
const TLS: u8 = super::super::parse::tls::HANDSHAKE;

/// How a connection begins before TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prelude {
    Lines,
    Tags,
    Ldap,
    Postgres,
    Rdp,
}

/// What stands at the beginning of some bytes.
pub(super) enum Unit {
    /// One unit, so long; it asks for TLS.
    Asks(usize),
    Other(usize),
    /// TLS.
    Tls,
    More,
    /// Nothing that belongs there.
    Wrong,
}

impl Prelude {
    /// The one that a port is for.
    pub(super) fn of_port(port: u16) -> Option<Self> {
        match port {
            21 | 24 | 25 | 110 | 119 | 143 | 587 | 2525 | 4190 => Some(Self::Lines),
            5222 | 5269 => Some(Self::Tags),
            389 | 3268 => Some(Self::Ldap),
            5432 => Some(Self::Postgres),
            3389 => Some(Self::Rdp),
            _ => None,
        }
    }

    /// The one that may begin with this byte on any port.
    pub(super) fn of_first_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Postgres),
            3 => Some(Self::Rdp),
            _ => None,
        }
    }

    /// What stands at the beginning of `bytes`. `asked`: this side has asked for TLS before.
    pub(super) fn unit(self, side: Side, bytes: &[u8], asked: bool) -> Unit {
        let Some(&first) = bytes.first() else {
            return Unit::More;
        };
        if first == TLS {
            let expected = match (self, side) {
                (Self::Lines | Self::Tags, Side::Server) | (Self::Ldap, _) => true,
                (Self::Lines | Self::Tags | Self::Postgres | Self::Rdp, _) => asked,
            };
            return if expected { Unit::Tls } else { Unit::Wrong };
        }
        match self {
            Self::Lines => until(bytes, b'\n', asks_in_line),
            Self::Tags => until(bytes, b'>', asks_in_tag),
            Self::Ldap => ldap(bytes),
            Self::Postgres => postgres(side, bytes, first),
            Self::Rdp if asked => Unit::Wrong,
            Self::Rdp => rdp(side, bytes),
        }
    }
}

fn until(bytes: &[u8], end: u8, asks: fn(&[u8]) -> bool) -> Unit {
    let beginning = bytes.get(..LONGEST_UNIT).unwrap_or(bytes);
    let Some(end) = beginning.iter().position(|byte| *byte == end) else {
        return if bytes.len() < LONGEST_UNIT {
            Unit::More
        } else {
            Unit::Wrong
        };
    };
    let unit = beginning.get(..end).unwrap_or_default();
    if asks(unit) {
        Unit::Asks(end + 1)
    } else {
        Unit::Other(end + 1)
    }
}

fn asks_in_line(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let is = |word: &[u8]| line.eq_ignore_ascii_case(word);
    // IMAP has a word of the client before it.
    let last = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    last.eq_ignore_ascii_case(b"STARTTLS")
        || is(b"STLS")
        || is(b"AUTH TLS")
        || is(b"AUTH TLS-C")
        || is(b"AUTH SSL")
}

fn asks_in_tag(tag: &[u8]) -> bool {
    tag.trim_ascii().starts_with(b"<starttls")
}

/// A message in BER: LDAP has only short and definite lengths here.
fn ldap(bytes: &[u8]) -> Unit {
    let mut rest = Cursor::new(bytes);
    if rest.u8() != Some(0x30) {
        return Unit::Wrong;
    }
    let Some(length) = rest.u8() else {
        return Unit::More;
    };
    let digits = match length {
        0..=0x7f => 0,
        0x81..=0x84 => usize::from(length & 0x7f),
        _ => return Unit::Wrong,
    };
    let Some(written) = rest.take(digits) else {
        return Unit::More;
    };
    let length = match digits {
        0 => usize::from(length),
        _ => written
            .iter()
            .fold(0, |length: usize, byte| length << 8 | usize::from(*byte)),
    };
    if length > LONGEST_UNIT {
        return Unit::Wrong;
    }
    match rest.take(length) {
        Some(_) => Unit::Other(2 + digits + length),
        None => Unit::More,
    }
}

fn postgres(side: Side, bytes: &[u8], first: u8) -> Unit {
    /// SSLRequest, GSSENCRequest.
    const REQUESTS: [[u8; 8]; 2] = [
        [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f],
        [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30],
    ];
    match side {
        Side::Server if first == b'S' => Unit::Asks(1),
        Side::Server if first == b'N' => Unit::Other(1),
        Side::Server => Unit::Wrong,
        Side::Client => {
            let beginning = bytes.get(..8).unwrap_or(bytes);
            match REQUESTS.map(|request| request.starts_with(beginning)) {
                [true, false] => Unit::Asks(8),
                [false, true] => Unit::Other(8),
                [false, false] => Unit::Wrong,
                [true, true] => Unit::More,
            }
        }
    }
}

/// A TPKT (RFC 1006, 6) with the request for a connection or its confirmation (X.224, 13.3).
fn rdp(side: Side, bytes: &[u8]) -> Unit {
    let wanted = match side {
        Side::Client => 0xe0,
        Side::Server => 0xd0,
    };
    let mut rest = Cursor::new(bytes);
    let right = rest.u8() == Some(3) && rest.u8().is_none_or(|reserved| reserved == 0);
    if !right {
        return Unit::Wrong;
    }
    let (Some(length), Some(_), Some(kind)) = (rest.u16(), rest.u8(), rest.u8()) else {
        return Unit::More;
    };
    let length = usize::from(length);
    if kind & 0xf0 != wanted || !(11..=512).contains(&length) {
        return Unit::Wrong;
    }
    if bytes.len() < length {
        return Unit::More;
    }
    Unit::Asks(length)
}
