//! Handshake messages of TLS out of a stream: over several records, and several in one.

use model::{NameSeen, NameSource};

use super::super::parse::certificate;
use super::super::parse::ja4::Transport;
use super::super::parse::tls::{
    CERTIFICATE, CLIENT_HELLO, ClientHello, HANDSHAKE, MESSAGE_HEADER, RECORD_HEADER, SERVER_HELLO,
    chooses_encryption, first_certificate, message, record,
};
use super::{Side, Told, seen};

/// Longer greetings are none; of a longer list of certificates the first is enough.
const LONGEST_MESSAGE: usize = 32 * 1024;

/// What was done with bytes.
pub(super) enum Step {
    /// So many of them are not needed any more.
    Used(usize),
    /// There must be more of them.
    More,
    /// Nothing more will come of this side.
    Done,
}

/// Takes a record, if it is there. `begun` holds what records before it had of a message.
pub(super) fn step(side: Side, bytes: &[u8], begun: &mut Vec<u8>, told: &mut Told<'_>) -> Step {
    let length = match record(bytes) {
        Ok(Some((HANDSHAKE, length))) => length,
        // A server that goes on with what was agreed earlier shows no certificate.
        Ok(Some(_)) | Err(_) => return Step::Done,
        Ok(None) => return Step::More,
    };
    // Refused before it has come, so that nothing is kept of what only looks like it.
    let wanted = |kind: &u8| match side {
        Side::Client => *kind == CLIENT_HELLO,
        Side::Server => *kind == SERVER_HELLO,
    };
    if begun.is_empty() && side == Side::Client && !bytes.get(RECORD_HEADER).is_none_or(wanted) {
        return Step::Done;
    }
    let Some(fragment) = bytes.get(RECORD_HEADER..RECORD_HEADER + length) else {
        return Step::More;
    };
    let used = Step::Used(RECORD_HEADER + length);
    if begun.is_empty() {
        return match read(side, fragment, told) {
            Read::Done => Step::Done,
            Read::More(from) => {
                begun.extend_from_slice(fragment.get(from..).unwrap_or_default());
                used
            }
        };
    }
    begun.extend_from_slice(fragment);
    match read(side, begun, told) {
        Read::Done => Step::Done,
        Read::More(_) if begun.len() > LONGEST_MESSAGE => Step::Done,
        Read::More(from) => {
            begun.drain(..from);
            used
        }
    }
}

/// What is left when nothing more comes: `bytes` are of a record that is cut short.
pub(super) fn give_up(side: Side, bytes: &[u8], begun: &mut Vec<u8>, told: &mut Told<'_>) {
    if let Ok(Some((HANDSHAKE, length))) = record(bytes) {
        let fragment = bytes.get(RECORD_HEADER..).unwrap_or_default();
        begun.extend_from_slice(fragment.get(..length).unwrap_or(fragment));
    }
    if side == Side::Client
        && begun.first() == Some(&CLIENT_HELLO)
        && let Some(hello) = ClientHello::part(begun.get(MESSAGE_HEADER..).unwrap_or_default())
    {
        told(seen::hello(&hello, Transport::Tcp, None));
    }
}

enum Read {
    Done,
    /// From here on it is not read yet.
    More(usize),
}

/// Reads the messages that are whole.
fn read(side: Side, bytes: &[u8], told: &mut Told<'_>) -> Read {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some((kind, length)) = message(rest) else {
            return Read::More(at);
        };
        let whole = rest.get(MESSAGE_HEADER..length);
        match (side, kind) {
            (Side::Client, CLIENT_HELLO) => {
                if length > LONGEST_MESSAGE {
                    return Read::Done;
                }
                let Some(body) = whole else {
                    return Read::More(at);
                };
                if let Some(hello) = ClientHello::read(body, false) {
                    told(seen::hello(&hello, Transport::Tcp, None));
                }
                return Read::Done;
            }
            (Side::Server, SERVER_HELLO) => {
                let Some(body) = whole else {
                    return Read::More(at);
                };
                if chooses_encryption(body) != Some(false) {
                    return Read::Done;
                }
                at += length;
            }
            (Side::Server, CERTIFICATE) => {
                let body = rest.get(MESSAGE_HEADER..).unwrap_or_default();
                let body = body.get(..length - MESSAGE_HEADER).unwrap_or(body);
                let Some(certificate) = first_certificate(body) else {
                    return if whole.is_some() {
                        Read::Done
                    } else {
                        Read::More(at)
                    };
                };
                for name in certificate::names(certificate) {
                    told(NameSeen::only(name, NameSource::Certificate));
                }
                return Read::Done;
            }
            _ => return Read::Done,
        }
    }
}
