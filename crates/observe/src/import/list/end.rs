//! One end of a connection, as tools write it: `10.0.0.1:443`, `[fe80::1%eth0]:22`, `*:ssh`,
//! `10.0.0.1.443`, `desktop:https`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{Endpoint, Text};

use super::{is_odd_number, services};

/// What is known of an end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct End {
    /// `None`: any address, or one that is not told.
    pub(in super::super) ip: Option<IpAddr>,
    /// `None`: any port, or one that is not told.
    pub(in super::super) port: Option<u16>,
    /// What stands in the place of an address.
    pub(in super::super) name: Option<Text>,
    /// `*` stands in the place of an address, and nothing tells of which family.
    pub(in super::super) any: bool,
    pub(in super::super) interface: Option<Text>,
    /// Characters of the address and of all of it, where the tool may have cut them.
    host_length: usize,
    length: usize,
    dotted: bool,
}

/// Of which family an address is, where the line tells it in another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Family {
    V4,
    V6,
    Unknown,
}

impl End {
    /// Address and port with a colon or, as BSD has it, a dot between them. `None`: it is not an end
    /// of a connection.
    pub(in super::super) fn read(text: &[u8], family: Family) -> Option<Self> {
        let whole = Self::read_perhaps_cut(text, family)?;
        Some(Self {
            host_length: 0,
            length: 0,
            ..whole
        })
    }

    /// The same of a tool that cuts what is too long for its column.
    pub(in super::super) fn read_perhaps_cut(text: &[u8], family: Family) -> Option<Self> {
        let colon = text.iter().rposition(|byte| *byte == b':');
        let after = colon.and_then(|at| text.get(at + 1..));
        let with_colon = after.is_some_and(is_port);
        let at = if with_colon {
            colon
        } else {
            text.iter().rposition(|byte| *byte == b'.')
        }?;
        let (host, port) = (text.get(..at)?, text.get(at + 1..)?);
        let mut end = Self::of(host, port, family)?;
        (end.host_length, end.length, end.dotted) = (host.len(), text.len(), !with_colon);
        // A dot alone is in many words.
        let certain = with_colon
            || end.ip.is_some()
            || host == b"*"
            || end.port.is_some()
            || port == b"*"
            || host.ends_with(b":");
        certain.then_some(end)
    }

    /// An address and a port that stand in two fields.
    pub(in super::super) fn of(host: &[u8], port: &[u8], family: Family) -> Option<Self> {
        let mut end = Self::host(host, family)?;
        (is_port(port) || port.is_empty()).then_some(())?;
        if port.iter().all(u8::is_ascii_digit) && !port.is_empty() {
            end.port = Some(str::from_utf8(port).ok()?.parse().ok()?);
        } else if port != b"*" {
            end.port = services::port(port);
        }
        Some(end)
    }

    /// An address without a port.
    pub(in super::super) fn host(host: &[u8], family: Family) -> Option<Self> {
        let mut end = Self::default();
        let (address, after) = match host.strip_prefix(b"[") {
            Some(inside) => {
                let at = inside.iter().position(|byte| *byte == b']')?;
                (inside.get(..at)?, inside.get(at + 1..)?)
            }
            None => (host, &b""[..]),
        };
        let (address, interface) = match address.iter().position(|byte| *byte == b'%') {
            Some(at) => (address.get(..at)?, address.get(at + 1..)?),
            None => (address, after.strip_prefix(b"%").unwrap_or(after)),
        };
        // Windows has a number there, which is no name.
        let named = !interface.iter().all(u8::is_ascii_digit);
        end.interface = named.then(|| Text::from(interface));
        if address == b"*" {
            end.ip = match family {
                Family::V4 => Some(Ipv4Addr::UNSPECIFIED.into()),
                Family::V6 => Some(Ipv6Addr::UNSPECIFIED.into()),
                Family::Unknown => None,
            };
            end.any = end.ip.is_none();
            return Some(end);
        }
        end.ip = str::from_utf8(address).ok().and_then(|ip| ip.parse().ok());
        if end.ip.is_none() {
            is_name(address).then_some(())?;
            // `localhost` stays a name too: whoever answers for an address may call it so. What has a
            // colon is an address that was cut.
            end.name = (!address.contains(&b':')).then(|| Text::from(address));
        }
        Some(end)
    }

    /// The remote side of a socket that waits.
    pub(in super::super) fn nobody() -> Self {
        Self {
            any: true,
            ..Self::default()
        }
    }

    /// An end without an address: an interface.
    pub(in super::super) fn on(interface: Option<Text>) -> Self {
        Self {
            interface,
            ..Self::default()
        }
    }

    /// It stands for nobody: the remote side of a socket that waits.
    pub(in super::super) fn is_nobody(&self) -> bool {
        let any = self.any || self.ip.is_some_and(|ip| ip.to_canonical().is_unspecified());
        any && self.port.unwrap_or(0) == 0
    }

    pub(in super::super) fn endpoint(&self) -> Endpoint {
        Endpoint {
            ip: self.ip.map(|ip| ip.to_canonical()),
            port: self.port,
        }
    }

    /// Takes back what the tool may have cut, by the longest end of the list: an address that lost
    /// its last letters looks like another one.
    ///
    /// netstat of BSD cuts the address to 16 characters, and all of it to 22, or with `-A` to 18; that
    /// of Linux cuts the address so that it has 22 characters with the port (each without `-W`).
    pub(super) fn forget_what_is_cut(&mut self, longest: Longest) {
        let short = self.ip.is_some_and(|ip| ip.is_ipv4());
        if self.dotted {
            let width = if longest.narrow { 18 } else { 22 };
            if longest.dotted > width {
                return;
            }
            if self.host_length >= 16 && !short {
                (self.ip, self.name) = (None, None);
            }
            // A dot and five digits are whole.
            if self.length == width && self.length.saturating_sub(self.host_length) < 6 {
                self.port = None;
            }
        } else if self.length == 23 && longest.colon == 23 && !short {
            (self.ip, self.name) = (None, None);
        }
    }
}

/// The longest ends of a list, in characters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Longest {
    dotted: usize,
    colon: usize,
    /// `netstat -A` of BSD made the list.
    narrow: bool,
}

impl Longest {
    pub(super) fn see(&mut self, end: &End) {
        let longest = if end.dotted {
            &mut self.dotted
        } else {
            &mut self.colon
        };
        *longest = (*longest).max(end.length);
    }

    pub(super) fn is_narrow(&mut self) {
        self.narrow = true;
    }
}

fn is_port(text: &[u8]) -> bool {
    let service = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/".contains(byte);
    let is_word = !text.is_empty() && text.len() <= 64 && text.iter().all(service);
    text == b"*" || is_word && !is_odd_number::<u16>(text)
}

/// The name of a computer, or an address that was cut.
fn is_name(text: &[u8]) -> bool {
    let letter =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte) || !byte.is_ascii();
    !text.is_empty() && text.len() <= 255 && text.iter().all(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let end = End::read(text.as_bytes(), Family::Unknown);
        let told = end.map_or("nothing".to_owned(), |end| {
            let part = |text: Option<String>| text.unwrap_or("-".to_owned());
            let lossy = |text: &Text| text.lossy().into_owned();
            format!(
                "{} {} {} {}",
                if end.any {
                    "any".to_owned()
                } else {
                    part(end.ip.map(|ip| ip.to_string()))
                },
                part(end.port.map(|port| port.to_string())),
                part(end.name.as_ref().map(lossy)),
                part(end.interface.as_ref().map(lossy)),
            )
        });
        assert_eq!(told, expected, "{text}");
    }

    #[test]
    fn reads_every_way_of_writing_an_end() {
        check("10.0.0.1:443", "10.0.0.1 443 - -");
        check("127.0.0.53%lo:53", "127.0.0.53 53 - lo");
        check("[::1]:631", "::1 631 - -");
        check("[fe80::1]%eth0:546", "fe80::1 546 - eth0");
        check("[fe80::1%12]:546", "fe80::1 546 - -");
        check("[fe80::1%eth0]:546", "fe80::1 546 - eth0");
        check("fe80::1%eth0:546", "fe80::1 546 - eth0");
        check("::ffff:10.0.0.1:22", "::ffff:10.0.0.1 22 - -");
        check(":::22", ":: 22 - -");
        check("*:22", "any 22 - -");
        check("*%lo:68", "any 68 - lo");
        check("*:*", "any - - -");
        check("desktop:https", "- 443 desktop -");
        check("büro-pc:8080", "- 8080 büro-pc -");
        check("desktop:what-is-it", "- - desktop -");
        check("10.0.0.1.443", "10.0.0.1 443 - -");
        check("10.0.0.1.https", "10.0.0.1 443 - -");
        check("*.5353", "any 5353 - -");
        check("*.*", "any - - -");
        check("::1.631", "::1 631 - -");
        check("fe80::1%lo0.123", "fe80::1 123 - lo0");
        check("fe80::dead.ssh", "fe80::dead 22 - -");
        check("fe80::aede:48ff:.5", "- 5 - -");
        check("server.example.https", "- 443 server.example -");
        check("10.0.0.1:66000", "nothing");
        check("word", "nothing");
        check("read.me", "nothing");
        check(":", "nothing");
        check("c:\\windows", "nothing");
    }

    #[test]
    fn what_may_be_cut_is_forgotten() {
        let check = |text: &str, narrow, longest: &str, expected: (Option<&str>, Option<u16>)| {
            let read = |text: &str| {
                End::read_perhaps_cut(text.as_bytes(), Family::Unknown).expect("an end")
            };
            let mut seen = Longest::default();
            if narrow {
                seen.is_narrow();
            }
            let mut end = read(text);
            seen.see(&read(longest));
            seen.see(&end);
            end.forget_what_is_cut(seen);
            let ip = expected.0.map(|ip| ip.parse().expect("an address"));
            assert_eq!((end.ip, end.port), (ip, expected.1), "{text}");
        };
        let short = "10.0.0.1:80";
        check(
            "192.168.1.221.5486",
            true,
            short,
            (Some("192.168.1.221"), None),
        );
        check(
            "192.168.1.22.54860",
            true,
            short,
            (Some("192.168.1.22"), Some(54860)),
        );
        check(
            "192.168.1.221.5486",
            false,
            short,
            (Some("192.168.1.221"), Some(5486)),
        );
        check("2001:db8::1:2:33.54860", false, short, (None, Some(54860)));
        let long = "2001:db8:1111:2222::1:2.443";
        check(
            "2001:db8::1:2:33.54860",
            false,
            long,
            (Some("2001:db8::1:2:33"), Some(54860)),
        );
        check("2001:db8::1:2:333:12345", false, short, (None, Some(12345)));
        check(
            "2001:db8::1:2:333:1234",
            false,
            short,
            (Some("2001:db8::1:2:333"), Some(1234)),
        );
        let long = "2001:db8:1111:2222:3333::1:443";
        check(
            "2001:db8::1:2:333:12345",
            false,
            long,
            (Some("2001:db8::1:2:333"), Some(12345)),
        );
    }
}
