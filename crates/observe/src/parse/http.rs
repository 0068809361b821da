//! The head of a request of HTTP/1 (RFC 9112, 2 and 3).

use model::{HttpGreeting, Text};

/// Longer methods are none.
const LONGEST_METHOD: usize = 24;
/// So much is kept of a target, and of what a client calls itself.
const LONGEST_TEXT: usize = 1024;
const LONGEST_HOST: usize = 255;

/// How far the head of a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// It is no request of HTTP/1.
    Other,
    Incomplete,
    /// It is so long.
    Whole(usize),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The host that it is for, without the port: of the target where that has one, as requests to a
    /// proxy have, else of the header `Host`. `None`: it says none.
    pub(crate) host: Option<Text>,
    pub(crate) greeting: HttpGreeting,
    /// It asks a proxy for a way through; what comes behind it is for the host.
    pub(crate) is_connect: bool,
}

/// Looks whether the head is there. The first `looked` bytes of it were there at the last time.
pub(crate) fn head(bytes: &[u8], looked: usize) -> Head {
    if looked == 0
        || !bytes
            .get(..looked)
            .is_some_and(|seen| seen.contains(&b'\n'))
    {
        match method(bytes) {
            Method::None => return Head::Other,
            Method::Incomplete => return Head::Incomplete,
            Method::Is => {}
        }
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            return Head::Incomplete;
        };
        let line = bytes.get(..end).unwrap_or_default();
        if !is_request_line(line.trim_ascii_end()) {
            return Head::Other;
        }
    }
    // The end may have begun in what was looked at.
    let from = looked.saturating_sub(3);
    let mut rest = bytes.get(from..).unwrap_or_default();
    let mut at = from;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        at += end + 1;
        rest = rest.get(end + 1..).unwrap_or_default();
        let empty = match rest {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => continue,
        };
        return Head::Whole(at + empty);
    }
    Head::Incomplete
}

enum Method {
    None,
    Incomplete,
    Is,
}

/// Whether the bytes begin with a method and a blank. The methods that there are have upper case.
fn method(bytes: &[u8]) -> Method {
    let beginning = bytes.get(..LONGEST_METHOD).unwrap_or(bytes);
    let end = beginning
        .iter()
        .position(|byte| !(byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_')));
    match end {
        Some(end) if end > 0 && beginning.get(end) == Some(&b' ') => Method::Is,
        None if bytes.len() < LONGEST_METHOD => Method::Incomplete,
        _ => Method::None,
    }
}

fn is_request_line(line: &[u8]) -> bool {
    matches!(line.last_chunk(), Some([b' ', b'H', b'T', b'T', b'P', b'/', b'1', b'.', digit]) if digit.is_ascii_digit())
}

/// Reads a head, also when its end is missing. `None`: not even the first line is there, or it is
/// none of HTTP/1.
pub(crate) fn request(head: &[u8]) -> Option<Request> {
    let mut lines = head.split_inclusive(|byte| *byte == b'\n');
    let line = lines.next()?.strip_suffix(b"\n")?.trim_ascii_end();
    if !matches!(method(line), Method::Is) || !is_request_line(line) {
        return None;
    }
    let mut words = line.splitn(2, |byte| *byte == b' ');
    let method = words.next()?;
    let (target, _version) = words.next()?.split_last_chunk::<9>()?;
    let target = target.trim_ascii();
    let (mut host, mut user_agent) = (None, None);
    for line in lines {
        // A line that is cut short may have another host than it seems.
        let Some(line) = line.strip_suffix(b"\n") else {
            break;
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            continue;
        };
        let value = value.trim_ascii();
        if host.is_none() && name.eq_ignore_ascii_case(b"host") {
            host = Some(value);
        } else if user_agent.is_none() && name.eq_ignore_ascii_case(b"user-agent") {
            user_agent = Some(value);
        }
    }
    let is_connect = method == b"CONNECT";
    let authority = if is_connect {
        Some(target)
    } else {
        authority(target).or(host)
    };
    Some(Request {
        host: authority.and_then(host_of),
        greeting: HttpGreeting {
            method: Some(method.into()),
            target: Some(cut(target)),
            user_agent: user_agent.map(cut),
        },
        is_connect,
    })
}

/// What stands between `//` and the path in a target in absolute form (RFC 9112, 3.2.2).
fn authority(target: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = target.split_at_checked(target.iter().position(|byte| *byte == b':')?)?;
    if scheme.is_empty() || !scheme.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let rest = rest.strip_prefix(b"://")?;
    rest.split(|byte| matches!(byte, b'/' | b'?' | b'#')).next()
}

/// An authority without user, port and the dot at the end (RFC 3986, 3.2).
fn host_of(authority: &[u8]) -> Option<Text> {
    let host = authority.rsplit(|byte| *byte == b'@').next()?;
    let host = match host.strip_prefix(b"[") {
        // An IPv6 address.
        Some(inside) => inside.split(|byte| *byte == b']').next()?,
        None => match host.iter().rposition(|byte| *byte == b':') {
            Some(colon) => {
                let (name, port) = host.split_at_checked(colon)?;
                let is_port = port.iter().skip(1).all(u8::is_ascii_digit);
                if is_port { name } else { host }
            }
            None => host,
        },
    };
    let host = host.strip_suffix(b".").unwrap_or(host);
    (!host.is_empty() && host.len() <= LONGEST_HOST).then(|| host.into())
}

fn cut(text: &[u8]) -> Text {
    text.get(..LONGEST_TEXT).unwrap_or(text).into()
}

#[cfg(test)]
mod tests;
