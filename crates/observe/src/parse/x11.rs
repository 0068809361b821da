//! The protocol of X displays, as far as it takes to ask one since when nobody has used it, and whose windows
//! it shows (X Window System Protocol, version 11, appendix B; MIT-SCREEN-SAVER, version 1.1). Bytes go in the
//! order of least significant first, which the one who asks may choose.

pub(crate) mod windows;

use std::time::Duration;

use super::xauthority::COOKIE;

/// What a server says first, before it is known how much follows.
pub(crate) const HEAD: usize = 8;
/// Every answer, event and error has at least so many bytes.
pub(crate) const PACKET: usize = 32;
/// The name of the extension.
pub(crate) const SCREEN_SAVER: &str = "MIT-SCREEN-SAVER";

const PROTOCOL: &[u8] = b"MIT-MAGIC-COOKIE-1";
const QUERY_EXTENSION: u8 = 98;
const QUERY_INFO: u8 = 1;
const ERROR: u8 = 0;
const REPLY: u8 = 1;
const GENERIC_EVENT: u8 = 35;
/// Of what the server says of itself: before the name of its maker.
const ABOUT: usize = 32;
const FORMAT: usize = 8;

/// How one begins to talk to a display.
pub(crate) fn greeting(cookie: Option<&[u8; COOKIE]>) -> Vec<u8> {
    let name: &[u8] = cookie.map_or(&[], |_| PROTOCOL);
    let data: &[u8] = cookie.map_or(&[], |cookie| cookie);
    let mut out = vec![b'l', 0, 11, 0, 0, 0];
    out.extend(short(name.len()));
    out.extend(short(data.len()));
    out.extend([0, 0]);
    out.extend(padded(name));
    out.extend(padded(data));
    out
}

/// How many bytes follow the head. `None`: it lets nobody in.
pub(crate) fn length_of_about(head: [u8; HEAD]) -> Option<usize> {
    let [status, _, major, major_high, _, _, low, high] = head;
    let lets_in = status == 1 && u16::from_le_bytes([major, major_high]) == 11;
    lets_in.then(|| usize::from(u16::from_le_bytes([low, high])) * 4)
}

/// The window behind all others of the first screen, out of what follows the head. `None`: cut short.
pub(crate) fn root(about: &[u8]) -> Option<u32> {
    let maker = usize::from(u16::from_le_bytes([*about.get(16)?, *about.get(17)?]));
    let formats = usize::from(*about.get(21)?);
    let at = ABOUT + maker.next_multiple_of(4) + formats * FORMAT;
    u32_at(about, at)
}

/// Asks whether there is an extension.
pub(crate) fn query_extension(name: &str) -> Vec<u8> {
    let name = name.as_bytes();
    let mut body = short(name.len()).to_vec();
    body.extend([0, 0]);
    body.extend(padded(name));
    request(QUERY_EXTENSION, 0, &body)
}

/// By what number the extension is asked. `None`: there is none.
pub(crate) fn extension(reply: &[u8]) -> Option<u8> {
    let is_there = *reply.get(8)? == 1;
    reply.get(9).copied().filter(|_| is_there)
}

/// Asks since when nobody has used the display.
pub(crate) fn query_idle(screen_saver: u8, root: u32) -> Vec<u8> {
    request(screen_saver, QUERY_INFO, &root.to_le_bytes())
}

pub(crate) fn idle(reply: &[u8]) -> Option<Duration> {
    u32_at(reply, 16).map(|it| Duration::from_millis(it.into()))
}

/// What a packet of 32 bytes begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packet {
    /// With so many bytes behind it.
    Reply(usize),
    Error,
    /// Nobody has asked for it; so many bytes behind it.
    Event(usize),
}

pub(crate) fn packet(head: &[u8; PACKET]) -> Packet {
    let more = || {
        let more = u32_at(head, 4).and_then(|it| usize::try_from(it).ok());
        more.unwrap_or(usize::MAX).saturating_mul(4)
    };
    match head.first().copied() {
        Some(REPLY) => Packet::Reply(more()),
        Some(ERROR) | None => Packet::Error,
        Some(GENERIC_EVENT) => Packet::Event(more()),
        Some(_) => Packet::Event(0),
    }
}

/// `body`: whole words.
fn request(major: u8, minor: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![major, minor];
    out.extend(short(1 + body.len() / 4));
    out.extend(body);
    out
}

/// Nothing that we say is longer.
fn short(number: usize) -> [u8; 2] {
    u16::try_from(number).unwrap_or_default().to_le_bytes()
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(4), 0);
    padded
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_what_the_protocol_asks_for() {
        assert_eq!(greeting(None), [b'l', 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let with_cookie = greeting(Some(&[7; COOKIE]));
        assert_eq!(with_cookie.len(), 12 + 20 + 16);
        assert_eq!(with_cookie[6..12], [18, 0, 16, 0, 0, 0]);
        assert_eq!(with_cookie[12..30], *PROTOCOL);
        assert_eq!(with_cookie[32..], [7; 16]);
        let asked = query_extension(SCREEN_SAVER);
        assert_eq!(asked[..8], [98, 0, 6, 0, 16, 0, 0, 0]);
        assert_eq!(query_idle(144, 0x1a3), [144, 1, 2, 0, 0xa3, 1, 0, 0]);
    }

    #[test]
    fn who_is_let_in_hears_of_the_root_window() {
        assert_eq!(length_of_about([1, 0, 11, 0, 0, 0, 10, 0]), Some(40));
        assert_eq!(length_of_about([0, 2, 11, 0, 0, 0, 10, 0]), None);
        assert_eq!(length_of_about([2, 2, 11, 0, 0, 0, 10, 0]), None);
        let mut about = vec![0; ABOUT];
        (about[16], about[21]) = (5, 2);
        about.extend(*b"maker\0\0\0");
        about.extend([0; 2 * FORMAT]);
        assert_eq!(root(&about), None);
        about.extend(0x1a3_u32.to_le_bytes());
        assert_eq!(root(&about), Some(0x1a3));
    }

    #[test]
    fn answers_and_what_nobody_asked_for() {
        let mut reply = [0; PACKET];
        reply[0] = 1;
        (reply[8], reply[9]) = (1, 144);
        assert_eq!(packet(&reply), Packet::Reply(0));
        assert_eq!(extension(&reply), Some(144));
        reply[8] = 0;
        assert_eq!(extension(&reply), None);
        reply[16..20].copy_from_slice(&301_000_u32.to_le_bytes());
        assert_eq!(idle(&reply), Some(Duration::from_secs(301)));
        reply[4] = 3;
        assert_eq!(packet(&reply), Packet::Reply(12));
        reply[0] = 0;
        assert_eq!(packet(&reply), Packet::Error);
        reply[0] = 35;
        assert_eq!(packet(&reply), Packet::Event(12));
        reply[0] = 2;
        assert_eq!(packet(&reply), Packet::Event(0));
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>, head: [u8; HEAD], one: [u8; PACKET]) {
            length_of_about(head);
            root(&bytes);
            extension(&bytes);
            idle(&bytes);
            packet(&one);
        }
    }
}
