//! The way to Wireshark: its display filter for a connection (wireshark-filter(4)), and the command
//! that opens recorded packets with it.

use std::fmt::Write as _;
use std::net::IpAddr;

use model::{Connection, Endpoint, IcmpKind, Protocol, Text, Timestamp};

use crate::visible::visible_str;

/// A file of packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketFile {
    /// As a shell finds it.
    pub path: Text,
    pub from: Timestamp,
    /// `None`: it is still being written.
    pub until: Option<Timestamp>,
}

/// Packets and events have clocks that differ by less than this.
const MARGIN: i64 = 1_000_000_000;

/// Picks the packets of a connection. `None`: it has nothing that packets could be known by.
///
/// The time belongs to it where it is known, since ports are used again.
pub fn display_filter(connection: &Connection) -> Option<String> {
    let (local, remote) = (connection.local, connection.remote);
    let mut terms = Vec::new();
    let known = |end: Endpoint| end.ip.filter(|ip| !ip.is_unspecified());
    for ip in [known(local), remote.and_then(known)].into_iter().flatten() {
        terms.push(match ip {
            IpAddr::V4(ip) => format!("ip.addr=={ip}"),
            IpAddr::V6(ip) => format!("ipv6.addr=={ip}"),
        });
    }
    let ports = [local.port, remote.and_then(|it| it.port)];
    of_protocol(connection.protocol, local, ports, &mut terms);
    if terms.is_empty() {
        return None;
    }
    let (from, until) = (connection.opened, connection.closed);
    terms.extend(from.map(|it| format!("frame.time_epoch>={}", seconds(it, -MARGIN))));
    terms.extend(until.map(|it| format!("frame.time_epoch<={}", seconds(it, MARGIN))));
    Some(terms.join(" && "))
}

fn of_protocol(
    protocol: Protocol,
    local: Endpoint,
    ports: [Option<u16>; 2],
    terms: &mut Vec<String>,
) {
    let is_v6 = local.ip.is_some_and(|ip| ip.is_ipv6());
    let name = match protocol {
        Protocol::Tcp | Protocol::Mptcp => "tcp",
        // One dissector serves both, under the names of UDP.
        Protocol::Udp | Protocol::UdpLite => "udp",
        Protocol::Sctp => "sctp",
        Protocol::Dccp => "dccp",
        Protocol::Icmp(IcmpKind { id, .. }) => {
            let name = if is_v6 { "icmpv6" } else { "icmp" };
            terms.push(match id.filter(|id| *id != 0) {
                Some(id) if is_v6 => format!("icmpv6.echo.identifier=={id}"),
                Some(id) => format!("icmp.ident=={id}"),
                None => name.to_owned(),
            });
            return;
        }
        Protocol::Raw { ip_protocol } => return terms.push(of_number(is_v6, ip_protocol.into())),
        Protocol::Other(number) => return terms.push(of_number(is_v6, number)),
        // 3 is every kind of frame.
        Protocol::Packet { ethertype: 3 } => return,
        Protocol::Packet { ethertype } => {
            return terms.push(format!("eth.type==0x{ethertype:04x}"));
        }
    };
    match ports {
        // The same number at both ends would be satisfied by one of them.
        [Some(one), Some(other)] if one == other => {
            terms.push(format!("{name}.srcport=={one} && {name}.dstport=={one}"));
        }
        _ => {
            let ports = ports.into_iter().flatten().filter(|port| *port != 0);
            terms.extend(ports.map(|port| format!("{name}.port=={port}")));
        }
    }
}

fn of_number(is_v6: bool, number: u16) -> String {
    let field = if is_v6 { "ipv6.nxt" } else { "ip.proto" };
    format!("{field}=={number}")
}

/// Seconds since 1970, with a point.
fn seconds(time: Timestamp, shift: i64) -> String {
    let nanos = time.unix_nanos().saturating_add(shift);
    let (seconds, rest) = (
        nanos.div_euclid(1_000_000_000),
        nanos.rem_euclid(1_000_000_000),
    );
    format!("{seconds}.{rest:09}")
}

/// A command for each file that holds packets of the connection's time, the oldest first. Empty:
/// there is none, or nothing to pick packets by.
///
/// One command for each, because merging files loses the blocks that name processes.
pub fn commands(connection: &Connection, files: &[PacketFile]) -> Vec<String> {
    let Some(filter) = display_filter(connection) else {
        return Vec::new();
    };
    let begin = connection.opened.map_or(i64::MIN, Timestamp::unix_nanos);
    let end = connection.closed.map_or(i64::MAX, Timestamp::unix_nanos);
    let overlaps = |file: &&PacketFile| {
        let until = file.until.map_or(i64::MAX, Timestamp::unix_nanos);
        file.from.unix_nanos() <= end.saturating_add(MARGIN)
            && until >= begin.saturating_sub(MARGIN)
    };
    let files = files.iter().filter(overlaps);
    let command = |file: &PacketFile| {
        let (file, filter) = (quoted(file.path.bytes()), quoted(filter.as_bytes()));
        format!("wireshark -r {file} -Y {filter}")
    };
    files.map(command).collect()
}

/// As the shell of this system takes it for one word that does nothing.
pub fn quoted(word: &[u8]) -> String {
    if cfg!(windows) {
        quoted_for_console(word)
    } else {
        quoted_for_shell(word)
    }
}

/// In quotation marks as programs of Windows read them (`CommandLineToArgvW`). A console still puts in what stands
/// between two `%`.
fn quoted_for_console(word: &[u8]) -> String {
    let text = String::from_utf8_lossy(word);
    let text = visible_str(&text);
    let is_plain = |it: char| it.is_alphanumeric() || r"/\._-+,:@".contains(it);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into_owned();
    }
    format!("\"{}\"", text.replace('"', "\\\""))
}

/// POSIX.1-2024, 2.2. Bytes that a terminal would act on, or show wrongly, are written as numbers.
fn quoted_for_shell(word: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%".contains(byte);
    let text = String::from_utf8_lossy(word);
    if !word.is_empty() && word.iter().all(is_plain) {
        return text.into_owned();
    }
    let harmless = word.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let mut quoted = String::new();
    if harmless {
        quoted.push('\'');
        quoted.push_str(&text.replace('\'', r"'\''"));
    } else {
        quoted.push_str("$'");
        for byte in word {
            match byte {
                b'\'' | b'\\' => quoted.extend(['\\', char::from(*byte)]),
                b' '..=b'~' => quoted.push(char::from(*byte)),
                // Three digits, so that a digit after it is not taken for a part of it.
                _ => drop(write!(quoted, "\\{byte:03o}")),
            }
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::sample::{TAKEN, connection, known};
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_nanos(TAKEN + seconds * 1_000_000_000)
    }

    fn example() -> Connection {
        let mut connection = connection(known(1), "192.0.2.7:40512", "203.0.113.9:443");
        connection.opened = Some(at(0));
        connection.closed = Some(at(10));
        connection
    }

    fn check(change: impl Fn(&mut Connection), expected: &str) {
        let mut connection = example();
        (connection.opened, connection.closed) = (None, None);
        change(&mut connection);
        let filter = display_filter(&connection);
        assert_eq!(filter.as_deref().unwrap_or_default(), expected);
    }

    #[test]
    fn a_console_of_windows_has_other_marks() {
        let check =
            |word: &str, expected| assert_eq!(quoted_for_console(word.as_bytes()), expected);
        check(r"E:\cases\whocalls-büro-1", r"E:\cases\whocalls-büro-1");
        check(r"E:\my cases", "\"E:\\my cases\"");
        check("tcp.port==443 && x", "\"tcp.port==443 && x\"");
        check("a\"b", "\"a\\\"b\"");
        check("", "\"\"");
    }

    #[test]
    fn a_connection_is_picked_by_its_ends_and_its_time() {
        assert_eq!(
            display_filter(&example()).unwrap(),
            "ip.addr==192.0.2.7 && ip.addr==203.0.113.9 && tcp.port==40512 && tcp.port==443 \
             && frame.time_epoch>=1795342499.000000000 && frame.time_epoch<=1795342511.000000000"
        );
    }

    #[test]
    fn what_is_not_known_is_not_asked_for() {
        check(
            |it| it.local.ip = Some("0.0.0.0".parse().unwrap()),
            "ip.addr==203.0.113.9 && tcp.port==40512 && tcp.port==443",
        );
        check(
            |it| it.remote = None,
            "ip.addr==192.0.2.7 && tcp.port==40512",
        );
        check(
            |it| {
                it.local = Endpoint::new("fe80::1".parse().unwrap(), 546);
                it.remote = Some(Endpoint::new("fe80::2".parse().unwrap(), 546));
                it.protocol = Protocol::Udp;
            },
            "ipv6.addr==fe80::1 && ipv6.addr==fe80::2 && udp.srcport==546 && udp.dstport==546",
        );
        check(
            |it| {
                it.protocol = Protocol::Icmp(IcmpKind {
                    id: Some(77),
                    ..IcmpKind::default()
                });
            },
            "ip.addr==192.0.2.7 && ip.addr==203.0.113.9 && icmp.ident==77",
        );
        check(
            |it| {
                it.protocol = Protocol::Packet { ethertype: 3 };
                (it.local, it.remote) = (Endpoint::NONE, None);
            },
            "",
        );
    }

    fn file(path: &str, from: i64, until: Option<i64>) -> PacketFile {
        PacketFile {
            path: path.into(),
            from: at(from),
            until: until.map(at),
        }
    }

    #[test]
    fn only_files_of_its_time_are_opened() {
        let files = [
            file("packets/000001.pcapng", -100, Some(-50)),
            file("packets/000002.pcapng", -50, Some(5)),
            file("it's/000003.pcapng", 5, Some(50)),
            file("packets/000004.pcapng.part", 50, None),
        ];
        let commands = commands(&example(), &files);
        let begins: Vec<_> = commands.iter().map(|it| it.split(" -Y ").next()).collect();
        let expected = [
            "wireshark -r packets/000002.pcapng",
            r"wireshark -r 'it'\''s/000003.pcapng'",
        ];
        assert_eq!(begins, expected.map(Some));
        let filter = display_filter(&example()).unwrap();
        assert!(commands[0].ends_with(&format!("-Y '{filter}'")));
    }

    #[test]
    fn nothing_in_a_name_acts_on_a_terminal() {
        assert_eq!(quoted_for_shell(b"a\x1b[2Jb"), r"$'a\033[2Jb'");
        assert_eq!(quoted_for_shell("ü'".as_bytes()), r"$'\303\274\''");
        assert_eq!(quoted_for_shell(b""), "''");
        assert_eq!(quoted_for_shell(b"$(reboot)"), "'$(reboot)'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_shell_reads_back_what_was_quoted_for_shell(word in prop::collection::vec(1_u8.., 0..30)) {
            let line = format!("printf %s {}", quoted_for_shell(&word));
            // Without it there is nobody to ask.
            if let Ok(read) = std::process::Command::new("bash").args(["-c", &line]).output() {
                prop_assert_eq!(read.stdout, word);
            }
        }
    }
}
