//! Lines of events as nearly all of them are: the members that every event may have, in the order in
//! which we write them, without spaces and escapes. They are read without a reader of JSON, which
//! takes several times as long; a large case is millions of them. Of any other line nothing is said:
//! it is for [`super::event`], and what that makes of these is the same.

use std::str;

use model::{
    BootId, Detail, Endpoint, Event, EventKind, NetworkNamespace, Protocol, SocketKey, Timestamp,
};

use super::value::{ProcessName, Words};

/// How such a line begins.
pub(super) const EVENT: &[u8] = b"{\"type\":\"event\",";

/// What a time begins with, to the minute.
const MINUTE: usize = 17;

/// Reads one line after the other.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// How the last time began, and when that was: most lines are of the same minute.
    minute: Option<([u8; MINUTE], i64)>,
}

impl Plain {
    /// The event of a line. `None`: it is another line, or not as it is written mostly.
    pub(super) fn event(&mut self, line: &[u8], home: BootId) -> Option<Event> {
        let mut rest = Rest(line.strip_prefix(EVENT)?);
        rest.expect(b"\"seq\":")?;
        let seq = rest.number()?;
        rest.expect(b",\"time\":\"")?;
        let time = self.time(rest.text()?)?;
        rest.expect(b",\"boot_ns\":")?;
        let boot_ns = rest.number()?;
        rest.expect(b",\"source\":\"")?;
        let source = word(rest.text()?)?;
        rest.expect(b",\"kind\":\"")?;
        let kind = word(rest.text()?).filter(|kind| *kind != EventKind::ProcessEnded)?;
        let process = match rest.passes(b",\"process_id\":\"") {
            true => {
                let name = ProcessName::parse(str::from_utf8(rest.text()?).ok()?)?;
                Some(name.id(home).ok()?)
            }
            false => None,
        };
        let thread = rest.small(b",\"thread\":")?;
        let netns = rest.small(b",\"netns\":")?;
        let socket = match rest.passes(b",\"socket\":{") {
            true => Some(rest.socket()?),
            false => None,
        };
        let protocol = match rest.passes(b",\"protocol\":\"") {
            // Others may have more to say of themselves.
            true => Some(match rest.text()? {
                b"tcp" => Protocol::Tcp,
                b"udp" => Protocol::Udp,
                _ => return None,
            }),
            false => None,
        };
        let local = rest.end(b",\"local\":{")?;
        let remote = rest.end(b",\"remote\":{")?;
        let event = Event {
            seq,
            time,
            boot_ns,
            source,
            kind,
            process,
            thread,
            netns: netns.map(NetworkNamespace),
            socket,
            protocol,
            local,
            remote,
            error: None,
            bytes_sent: rest.optional(b",\"bytes_sent\":")?,
            bytes_received: rest.optional(b",\"bytes_received\":")?,
            packets_sent: rest.optional(b",\"packets_sent\":")?,
            packets_received: rest.optional(b",\"packets_received\":")?,
            detail: Detail::Nothing,
        };
        (rest.0 == b"}").then_some(event)
    }

    fn time(&mut self, text: &[u8]) -> Option<Timestamp> {
        let (minute, rest) = text.split_first_chunk::<MINUTE>()?;
        if let (Some((last, begin)), [tens, ones, b'.', nanos @ .., b'Z']) = (self.minute, rest)
            && last == *minute
            && nanos.len() == 9
            && (b'0'..=b'5').contains(tens)
        {
            let second = digits(&[*tens, *ones])?;
            let nanos = second * 1_000_000_000 + digits(nanos)?;
            let since = begin.checked_add(i64::try_from(nanos).ok()?)?;
            return Some(Timestamp::from_unix_nanos(since));
        }
        let mut begin = *b"0000-00-00T00:00:00.000000000Z";
        begin.first_chunk_mut::<MINUTE>()?.copy_from_slice(minute);
        let read = |text: &[u8]| Timestamp::parse(str::from_utf8(text).ok()?);
        self.minute = read(&begin).map(|begin| (*minute, begin.unix_nanos()));
        read(text)
    }
}

/// What is left of a line.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// Whether these bytes are next; then they are behind.
    fn passes(&mut self, bytes: &[u8]) -> bool {
        match self.0.strip_prefix(bytes) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, bytes: &[u8]) -> Option<()> {
        self.passes(bytes).then_some(())
    }

    /// A number that is whole and not negative. What else JSON has for numbers does not pass behind.
    fn number(&mut self) -> Option<u64> {
        let length = self.0.iter().take_while(|it| it.is_ascii_digit()).count();
        let (number, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        match number {
            [] | [b'0', _, ..] => None,
            number => digits(number),
        }
    }

    /// What stands before the next quotation mark, which is behind then.
    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.0.iter().position(|byte| *byte == b'"')?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest.get(1..)?;
        Some(text)
    }

    /// A member that may be there. `None`: what stands there is no such number.
    fn optional(&mut self, name: &[u8]) -> Option<Option<u64>> {
        match self.passes(name) {
            true => self.number().map(Some),
            false => Some(None),
        }
    }

    fn small<T: TryFrom<u64>>(&mut self, name: &[u8]) -> Option<Option<T>> {
        match self.optional(name)? {
            Some(number) => T::try_from(number).ok().map(Some),
            None => Some(None),
        }
    }

    fn socket(&mut self) -> Option<SocketKey> {
        let inode = self.optional(b"\"inode\":")?;
        let name: &[u8] = match inode {
            Some(_) => b",\"cookie\":",
            None => b"\"cookie\":",
        };
        let cookie = self.optional(name)?;
        self.expect(b"}")?;
        Some(SocketKey { inode, cookie })
    }

    fn end(&mut self, name: &[u8]) -> Option<Option<Endpoint>> {
        if !self.passes(name) {
            return Some(None);
        }
        let ip = match self.passes(b"\"ip\":\"") {
            true => Some(str::from_utf8(self.text()?).ok()?.parse().ok()?),
            false => None,
        };
        let name: &[u8] = match ip {
            Some(_) => b",\"port\":",
            None => b"\"port\":",
        };
        let port = self.small(name)?;
        self.expect(b"}")?;
        Some(Some(Endpoint { ip, port }))
    }
}

fn word<T: Words>(text: &[u8]) -> Option<T> {
    let mut all = T::ALL.iter().copied();
    all.find(|word| word.text().as_bytes() == text)
}

/// `None`: it is no number, or too large.
fn digits(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit - b'0')?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::event::EventLine;
    use super::super::json;
    use super::super::tests::any::any_event;
    use super::*;

    const HOME: BootId = BootId([0xa1; 16]);

    /// As JSON, whatever it is.
    fn by_json(line: &[u8]) -> Option<Event> {
        let read = serde_json::from_slice::<EventLine<'_>>(line).ok()?;
        read.event(HOME).ok()
    }

    fn written(event: &Event) -> Vec<u8> {
        let mut line = Vec::new();
        json::line(&mut line, &EventLine::of(event, HOME));
        line.pop();
        line
    }

    #[test]
    fn what_connections_do_is_read() {
        let begin = r#"{"type":"event","seq":97,"time":"2026-11-22T22:42:34.203212770Z","#;
        let lines = [
            r#""boot_ns":1,"source":"ebpf","kind":"tick"}"#,
            r#""boot_ns":37344882729868,"source":"ebpf","kind":"first_packet","process_id":"3243-3734484-a1a1a1a1","thread":3243,"netns":4026532321,"socket":{"cookie":23721501},"protocol":"tcp","local":{"ip":"127.0.0.1","port":38746},"remote":{"ip":"2001:db8::1","port":8123}}"#,
            r#""boot_ns":37344893231937,"source":"netlink","kind":"closed","socket":{"inode":7,"cookie":0},"protocol":"udp","local":{"port":1},"bytes_sent":78,"bytes_received":656,"packets_sent":0,"packets_received":18446744073709551615}"#,
        ];
        for line in lines {
            let line = format!("{begin}{line}");
            let read = Plain::default().event(line.as_bytes(), HOME);
            assert!(read.is_some(), "{line}");
            assert_eq!(read, by_json(line.as_bytes()));
        }
    }

    #[test]
    fn times_of_a_minute_are_those_that_they_say() {
        let mut plain = Plain::default();
        for time in [
            "2026-11-22T22:42:34.203212770Z",
            "2026-11-22T22:42:59.999999999Z",
            "2026-11-22T22:42:60.000000000Z",
            "2026-11-22T22:42:5:.000000000Z",
            "2026-11-22T22:42:34.20321277Z",
            "2026-11-22T22:43:00.000000000Z",
            "2026-11-22T22:42:00.000000000Z",
            "2026-11-31T22:42:00.000000000Z",
            "2026-11-31T22:42:00.000000000Z",
            "1969-12-31T23:59:59.500000000Z",
            "1969-12-31T23:59:58.500000000Z",
        ] {
            assert_eq!(
                plain.time(time.as_bytes()),
                Timestamp::parse(time),
                "{time}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_json_says(event in any_event(), at: Index, byte: u8, other: bool) {
            let mut line = written(&event);
            if other {
                // Digits, commas and quotation marks are where it is decided.
                let place = at.index(line.len());
                line[place] = if byte < 128 { b"0123456789,\"{}:-. "[usize::from(byte % 18)] } else { byte };
            }
            let mut plain = Plain::default();
            for _ in 0..2 {
                if let Some(read) = plain.event(&line, HOME) {
                    prop_assert_eq!(Some(read), by_json(&line));
                }
            }
        }

        #[test]
        fn never_panics(line: Vec<u8>, event in any_event(), at: Index) {
            let _ = Plain::default().event(&line, HOME);
            let whole = written(&event);
            let _ = Plain::default().event(&whole[..at.index(whole.len())], HOME);
        }
    }
}
