//! Questions to one resolver (RFC 1035): over UDP, and over TCP where the answer is too long for that
//! or a proxy lies between.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use model::{Failure, OnlineSource, Reply};

use super::channel::{Channel, Wire};
use super::deadline::{Deadline, End};
use super::settings::ProxyKind;
use super::{Network, tls};
use crate::sources::RecordKind;

const TRIES: u32 = 2;
/// RFC 1035, 3.1.
const MOST_NAME_BYTES: usize = 255;
const MOST_LABEL_BYTES: usize = 63;
/// More than any answer over UDP has that was not asked to be longer (RFC 1035, 2.3.4).
const MOST_DATAGRAM_BYTES: usize = 4096;

impl Network {
    /// A question that is itself what a source is asked.
    pub(super) fn question(
        &self,
        source: OnlineSource,
        name: &str,
        kind: RecordKind,
        deadline: Deadline<'_>,
    ) -> Result<Reply, End> {
        let resolver = self.settings.resolver;
        let proxy = self.settings.proxy(source);
        let (resolver, message) = match (resolver, proxy) {
            (None, None) => {
                let why = "no resolver was chosen, and this computer's own is not asked";
                return Err(Failure::NotResolved(format!("{name}: {why}")).into());
            }
            (None, Some(proxy)) => {
                let why = "it carries questions for names only to a resolver, and none was chosen";
                return Err(Failure::Proxy(format!("{proxy}: {why}")).into());
            }
            (Some(_), Some(proxy)) if proxy.kind == ProxyKind::Http => {
                let why = "an HTTP proxy carries no questions for names; SOCKS5 does";
                return Err(Failure::Proxy(format!("{proxy}: {why}")).into());
            }
            (Some(resolver), Some(proxy)) => {
                let query = Query::new(name, kind)?;
                let to = resolver.ip().to_string();
                let mut wire = self.through(proxy, (&to, resolver.port()), deadline)?;
                (resolver, over_stream(&query, &mut wire, deadline)?)
            }
            (Some(resolver), None) => {
                let try_for = self.settings.limits.resolver;
                (resolver, ask(resolver, name, kind, try_for, deadline)?)
            }
        };
        let code = message.get(3).map(|byte| u16::from(byte & 0x0f));
        Ok(Reply {
            asked: format!("{name} {}", word(kind)),
            host: resolver.ip().to_string(),
            status: code,
            bytes: message,
        })
    }
}

/// The whole message that answers it.
pub(super) fn ask(
    resolver: SocketAddr,
    name: &str,
    kind: RecordKind,
    try_for: Duration,
    deadline: Deadline<'_>,
) -> Result<Vec<u8>, End> {
    let mut last = None;
    for _ in 0..TRIES {
        // Another id and another port each time.
        let query = Query::new(name, kind)?;
        match over_datagrams(&query, resolver, deadline.part(try_for)) {
            Ok(message) if is_cut(&message) => {
                let part = deadline.part(try_for);
                let mut wire =
                    Wire::connect(resolver, part).map_err(|error| part.end_of_try(&error))?;
                return over_stream(&query, &mut wire, part);
            }
            Ok(message) => return Ok(message),
            Err(End::Failed(Failure::TimedOut(_))) => {
                last = Some(Failure::TimedOut(try_for * TRIES))
            }
            Err(end) => return Err(end),
        }
        deadline.left()?;
    }
    Err(last.unwrap_or(Failure::TimedOut(try_for)).into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is enrich, and a person wants it"
)]
fn over_datagrams(
    query: &Query,
    resolver: SocketAddr,
    deadline: Deadline<'_>,
) -> Result<Vec<u8>, End> {
    let end = |error: io::Error| deadline.end_of_try(&error);
    let any: IpAddr = if resolver.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    // The system takes a port that nobody can guess, and nobody but the resolver can send to it.
    let socket = UdpSocket::bind((any, 0)).map_err(end)?;
    socket.connect(resolver).map_err(end)?;
    socket.send(&query.bytes).map_err(end)?;
    let mut buffer = vec![0; MOST_DATAGRAM_BYTES];
    loop {
        deadline.left()?;
        let slice = deadline.slice().map_err(end)?;
        socket.set_read_timeout(Some(slice)).map_err(end)?;
        match socket.recv(&mut buffer) {
            Ok(length) => {
                let message = buffer.get(..length).unwrap_or_default();
                if query.is_answered_by(message) {
                    return Ok(message.to_vec());
                }
            }
            Err(error)
                if [
                    io::ErrorKind::WouldBlock,
                    io::ErrorKind::TimedOut,
                    io::ErrorKind::Interrupted,
                ]
                .contains(&error.kind()) => {}
            Err(error) => return Err(end(error)),
        }
    }
}

/// RFC 1035, 4.2.2.
fn over_stream(
    query: &Query,
    wire: &mut impl Channel,
    deadline: Deadline<'_>,
) -> Result<Vec<u8>, End> {
    let length = u16::try_from(query.bytes.len()).unwrap_or_default();
    let mut exchange = || {
        wire.write_all(&[&length.to_be_bytes(), query.bytes.as_slice()].concat())?;
        let mut length = [0; 2];
        wire.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        wire.read_exact(&mut message)?;
        Ok(message)
    };
    let message = exchange().map_err(|error: io::Error| deadline.end(&error))?;
    if query.is_answered_by(&message) {
        Ok(message)
    } else {
        Err(Failure::Unreadable("what came answers another question".to_owned()).into())
    }
}

fn is_cut(message: &[u8]) -> bool {
    message.get(2).is_some_and(|flags| flags & 0x02 != 0)
}

fn word(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::A => "A",
        RecordKind::Aaaa => "AAAA",
        RecordKind::Ptr => "PTR",
        RecordKind::Txt => "TXT",
    }
}

/// One question as it is sent (RFC 1035, 4.1).
struct Query {
    bytes: Vec<u8>,
}

const HEADER_BYTES: usize = 12;

impl Query {
    /// Errors: the name cannot be asked for.
    fn new(name: &str, kind: RecordKind) -> Result<Self, Failure> {
        let not = |why: &str| Failure::NotResolved(format!("{name}: {why}"));
        let [high, low] = tls::random().ok_or_else(|| not("the system has no random numbers"))?;
        Self::with_id([high, low], name, kind).ok_or_else(|| not("it is no name that DNS can have"))
    }

    fn with_id(id: [u8; 2], name: &str, kind: RecordKind) -> Option<Self> {
        let mut bytes = id.to_vec();
        // The resolver is to ask others; one question.
        bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        for label in name.strip_suffix('.').unwrap_or(name).split('.') {
            let is_label = !label.is_empty() && label.len() <= MOST_LABEL_BYTES;
            let length = u8::try_from(label.len()).ok().filter(|_| is_label)?;
            if !label.bytes().all(|byte| byte.is_ascii_graphic()) {
                return None;
            }
            bytes.push(length);
            bytes.extend(label.bytes());
        }
        bytes.push(0);
        if bytes.len() - HEADER_BYTES > MOST_NAME_BYTES {
            return None;
        }
        let kind: u16 = match kind {
            RecordKind::A => 1,
            RecordKind::Ptr => 12,
            RecordKind::Txt => 16,
            RecordKind::Aaaa => 28,
        };
        bytes.extend(kind.to_be_bytes());
        bytes.extend([0, 1]);
        Some(Self { bytes })
    }

    /// Whether it has our number, and says that it answers exactly what was asked.
    fn is_answered_by(&self, message: &[u8]) -> bool {
        let asked = self.bytes.get(HEADER_BYTES..).unwrap_or_default();
        let (Some(ours), Some(theirs)) = (self.bytes.get(..2), message.get(..2)) else {
            return false;
        };
        let is_answer = message.get(2).is_some_and(|flags| flags & 0xf8 == 0x80);
        let has_one_question = message.get(4..6) == Some(&[0, 1]);
        let rest = message.get(HEADER_BYTES..).unwrap_or_default();
        let question = rest.get(..asked.len()).unwrap_or_default();
        ours == theirs && is_answer && has_one_question && question.eq_ignore_ascii_case(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_written_as_the_document_has_it() {
        let query = Query::with_id([1, 2], "a.example.", RecordKind::Txt).unwrap();
        let expected = b"\x01\x02\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x10\0\x01";
        assert_eq!(query.bytes, expected);
    }

    #[test]
    fn what_is_no_name_is_not_asked_for() {
        let long = "a.".repeat(200);
        let label = "a".repeat(64);
        for name in ["", "a..b", ".", "a b", "\u{e4}.example", &long, &label] {
            assert!(
                Query::with_id([0, 0], name, RecordKind::A).is_none(),
                "{name}"
            );
        }
    }

    #[test]
    fn only_the_answer_to_the_question_counts() {
        let query = Query::with_id([1, 2], "a.example", RecordKind::A).unwrap();
        let answer = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut message = query.bytes.clone();
            message[2] |= 0x80;
            change(&mut message);
            query.is_answered_by(&message)
        };
        assert!(answer(&|_| {}));
        assert!(answer(&|message| message.extend([0; 20])));
        assert!(answer(&|message| message[13] = b'A'));
        assert!(!answer(&|message| message[0] = 9));
        assert!(!answer(&|message| message[2] = 1));
        assert!(!answer(&|message| message[13] = b'b'));
        assert!(!answer(&|message| message.truncate(20)));
        assert!(!answer(&|message| message.clear()));
    }
}
