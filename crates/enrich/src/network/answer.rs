//! Answers of HTTP/1.1 (RFC 9112), read to their end and not a byte further than was agreed on.

use std::io::{self, BufRead, Read};

/// Of the status line and the headers together, and of the trailers.
const MOST_HEAD_BYTES: usize = 64 << 10;
/// Answers that only say that there will be one.
const MOST_INTERIM: usize = 8;
/// A line that tells how long the next chunk is.
const MOST_CHUNK_LINE_BYTES: usize = 4096;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub retry_after: Option<String>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Fault {
    Io(io::Error),
    /// It ends before its end.
    Cut,
    /// More than so many bytes.
    TooLarge(usize),
    /// It is not of the form that it should have.
    Malformed(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Cut
        } else {
            Self::Io(error)
        }
    }
}

/// The answer to a request that was no `HEAD`, with at most `most` bytes of body.
pub fn read(from: &mut impl BufRead, most: usize) -> Result<Answer, Fault> {
    let mut head = head(from)?;
    for _ in 0..MOST_INTERIM {
        if head.status / 100 == 1 {
            head = self::head(from)?;
        }
    }
    let body = match (head.status, head.is_chunked, head.length) {
        (204 | 304, ..) => Vec::new(),
        (100..200, ..) => {
            return Err(Fault::Malformed(
                "it only says that there will be an answer",
            ));
        }
        (_, true, _) => chunks(from, most)?,
        (_, false, Some(length)) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > most {
                return Err(Fault::TooLarge(most));
            }
            exactly(from, length)?
        }
        (_, false, None) => to_the_end(from, most)?,
    };
    if head.is_packed && !body.is_empty() {
        return Err(Fault::Malformed("it is packed, which was not asked for"));
    }
    Ok(Answer {
        status: head.status,
        location: head.location,
        retry_after: head.retry_after,
        body,
    })
}

/// Up to the end of the headers; nothing behind them is read.
pub(super) fn status(from: &mut impl BufRead) -> Result<u16, Fault> {
    head(from).map(|head| head.status)
}

#[derive(Default)]
struct Head {
    status: u16,
    location: Option<String>,
    retry_after: Option<String>,
    length: Option<u64>,
    is_chunked: bool,
    is_packed: bool,
}

fn head(from: &mut impl BufRead) -> Result<Head, Fault> {
    let mut left = MOST_HEAD_BYTES;
    let first = line(from, &mut left)?;
    let mut head = Head {
        status: status_of(&first).ok_or(Fault::Malformed("it is no answer of HTTP"))?,
        ..Head::default()
    };
    loop {
        let line = line(from, &mut left)?;
        if line.is_empty() {
            return Ok(head);
        }
        let Some((name, value)) = line.split_once(':') else {
            return Err(Fault::Malformed("a header has no name"));
        };
        let value = value.trim();
        let is = |header: &str| name.eq_ignore_ascii_case(header);
        if is("content-length") {
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
            let length = value.parse().ok().filter(|_| is_number);
            let length = length.ok_or(Fault::Malformed("its length is no number"))?;
            if head.length.is_some_and(|before| before != length) {
                return Err(Fault::Malformed("it has two lengths"));
            }
            head.length = Some(length);
        } else if is("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") || head.is_chunked {
                return Err(Fault::Malformed(
                    "it is sent in a way that was not agreed on",
                ));
            }
            head.is_chunked = true;
        } else if is("content-encoding") {
            head.is_packed |= !value.eq_ignore_ascii_case("identity") && !value.is_empty();
        } else if is("location") {
            head.location.get_or_insert(value.to_owned());
        } else if is("retry-after") {
            head.retry_after.get_or_insert(value.to_owned());
        }
    }
}

/// `HTTP/1.1 200 OK`
fn status_of(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.")?;
    let (_, rest) = rest.split_once(' ')?;
    let status = rest.split(' ').next()?;
    let is_status = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    status
        .parse()
        .ok()
        .filter(|status| is_status && *status >= 100)
}

/// A line without its end. What is no UTF-8 in it stands as U+FFFD.
fn line(from: &mut impl BufRead, left: &mut usize) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let most = u64::try_from(*left).unwrap_or(u64::MAX);
    let count = from.take(most).read_until(b'\n', &mut bytes)?;
    let is_whole = bytes.pop() == Some(b'\n');
    if !is_whole && count == *left {
        return Err(Fault::TooLarge(MOST_HEAD_BYTES));
    }
    if !is_whole {
        return Err(Fault::Cut);
    }
    *left -= count;
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn exactly(from: &mut impl Read, length: usize) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    let wanted = u64::try_from(length).unwrap_or(u64::MAX);
    from.take(wanted).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(Fault::Cut);
    }
    Ok(body)
}

pub(super) fn to_the_end(from: &mut impl Read, most: usize) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    let one_more = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    from.take(one_more).read_to_end(&mut body)?;
    if body.len() > most {
        return Err(Fault::TooLarge(most));
    }
    Ok(body)
}

/// RFC 9112, 7.1. Extensions and trailers are passed over.
fn chunks(from: &mut impl BufRead, most: usize) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    loop {
        let length = line(from, &mut MOST_CHUNK_LINE_BYTES.clone())?;
        let length = length.split(';').next().unwrap_or_default().trim();
        let is_number = length.bytes().all(|byte| byte.is_ascii_hexdigit());
        let length = usize::from_str_radix(length, 16).ok().filter(|_| is_number);
        let length = length.ok_or(Fault::Malformed("the length of a part is no number"))?;
        if length == 0 {
            break;
        }
        if length > most.saturating_sub(body.len()) {
            return Err(Fault::TooLarge(most));
        }
        body.append(&mut exactly(from, length)?);
        if !line(from, &mut 2)?.is_empty() {
            return Err(Fault::Malformed("a part is longer than it says"));
        }
    }
    let mut left = MOST_HEAD_BYTES;
    while !line(from, &mut left)?.is_empty() {}
    Ok(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let said = match read(&mut text.as_bytes(), 10) {
            Ok(answer) => format!(
                "{} {}",
                answer.status,
                String::from_utf8_lossy(&answer.body)
            ),
            Err(Fault::Io(error)) => error.to_string(),
            Err(Fault::Cut) => "cut".to_owned(),
            Err(Fault::TooLarge(most)) => format!("more than {most}"),
            Err(Fault::Malformed(why)) => why.to_owned(),
        };
        assert_eq!(said, expected, "{text:?}");
    }

    #[test]
    fn reads_answers_to_their_end() {
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more",
            "200 hi",
        );
        check("HTTP/1.0 200\r\n\r\nto the end", "200 to the end");
        check("HTTP/1.1 200 OK\n\nhi", "200 hi");
        check(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\ncontent-length:0\r\n\r\n",
            "404 ",
        );
        check("HTTP/1.1 204 Nothing\r\nContent-Length: 5\r\n\r\n", "204 ");
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhi\r\nA0\r\n",
            "more than 10",
        );
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\nA: b\r\n\r\nmore",
            "200 hi!",
        );
    }

    #[test]
    fn says_what_is_wrong_with_others() {
        check("", "cut");
        check("HTTP/1.1 200 OK\r\n", "cut");
        check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", "cut");
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
            "cut",
        );
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
            "cut",
        );
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n",
            "more than 10",
        );
        check("HTTP/1.1 200 OK\r\n\r\nmore than ten", "more than 10");
        check("SSH-2.0-OpenSSH\r\n", "it is no answer of HTTP");
        check("HTTP/1.1 20 OK\r\n\r\n", "it is no answer of HTTP");
        check("HTTP/1.1 200 OK\r\nnothing\r\n\r\n", "a header has no name");
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
            "its length is no number",
        );
        check(
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!",
            "it has two lengths",
        );
        check(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi",
            "it is packed, which was not asked for",
        );
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+2\r\nhi\r\n",
            "the length of a part is no number",
        );
        let endless = format!("HTTP/1.1 200 OK\r\n{}", "A: b\r\n".repeat(20_000));
        let said = read(&mut endless.as_bytes(), 10);
        assert!(
            matches!(said, Err(Fault::TooLarge(MOST_HEAD_BYTES))),
            "{said:?}"
        );
        let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(20);
        check(&interim, "it only says that there will be an answer");
    }

    proptest! {
        #[test]
        fn never_panics_and_never_takes_more(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let begin = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            for bytes in [bytes.clone(), [&begin[..], &bytes].concat()] {
                if let Ok(answer) = read(&mut bytes.as_slice(), 64) {
                    prop_assert!(answer.body.len() <= 64);
                }
            }
        }

        #[test]
        fn chunks_give_back_what_was_cut(parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..8)) {
            let mut sent = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            for part in &parts {
                sent.extend(format!("{:x}\r\n", part.len()).bytes());
                sent.extend(part);
                sent.extend(b"\r\n");
            }
            sent.extend(b"0\r\n\r\n");
            let answer = read(&mut sent.as_slice(), 1000).unwrap();
            prop_assert_eq!(answer.body, parts.concat());
        }
    }
}
