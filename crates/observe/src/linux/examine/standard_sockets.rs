//! Whether standard input or output is a socket of a network: what a shell has that somebody else types
//! into. Unix sockets are none of these: services write what they have to say to one, and programs start
//! others so.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;

use model::{Outcome, Sign, Text, Trace, Untested};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::descriptors::socket_inode;
use super::subject::untested;
use super::{Kept, Subject};
use crate::parse::proc_net::table_line;

/// Of each table: some 100,000 sockets.
const MOST_TABLE_BYTES: u64 = 16 * 1024 * 1024;
const LONGEST_LINE: usize = 512;

/// Descriptor, and what it is called. Standard error goes with the output.
const STANDARD: [(u32, Sign); 3] = [
    (0, Sign::InputSocket),
    (1, Sign::OutputSocket),
    (2, Sign::OutputSocket),
];

pub(super) fn check(subject: &Subject, _: &mut Kept) -> Outcome {
    let mut traces: Vec<Trace> = Vec::new();
    let mut seen: Vec<(u64, Option<Text>)> = Vec::new();
    for (number, sign) in STANDARD {
        let link = match subject.descriptor(number) {
            Ok(link) => link,
            Err(why) => return Outcome::NotTestable(why),
        };
        let Some(inode) = link.and_then(|link| socket_inode(link.bytes())) else {
            continue;
        };
        let known = seen.iter().find(|(known, _)| *known == inode);
        let name = match known {
            Some((_, name)) => name.clone(),
            None => {
                let name = name(subject, number, inode);
                seen.push((inode, name.clone()));
                name
            }
        };
        let Some(name) = name else {
            continue;
        };
        if !traces
            .iter()
            .any(|it| it.sign == sign && it.name.as_ref() == Some(&name))
        {
            let name = Some(name);
            traces.push(Trace {
                name,
                ..Trace::new(sign)
            });
        }
    }
    Outcome::of(traces)
}

/// Kind and other side: `tcp 203.0.113.9:4444`. `None`: a socket within this computer.
fn name(subject: &Subject, number: u32, inode: u64) -> Option<Text> {
    let kind = kind(subject, number).ok();
    let kind = kind.as_deref().unwrap_or_default();
    if kind.starts_with(b"UNIX") || kind == b"NETLINK" {
        return None;
    }
    // (kind, protocol) as in socket(2), by the name that the kernel has for it.
    let tables: &[(&str, u16, Option<u16>)] = match kind {
        b"TCP" => &[("tcp", 1, Some(6))],
        b"TCPv6" => &[("tcp6", 1, Some(6))],
        b"UDP" => &[("udp", 2, Some(17))],
        b"UDPv6" => &[("udp6", 2, Some(17))],
        b"RAW" => &[("raw", 3, None)],
        b"RAWv6" => &[("raw6", 3, None)],
        _ => &[],
    };
    let word = kind
        .strip_suffix(b"v6")
        .unwrap_or(kind)
        .to_ascii_lowercase();
    let word = if word.is_empty() {
        b"socket".to_vec()
    } else {
        word
    };
    for (table, kind, protocol) in tables {
        // None: of another network namespace, or closed meanwhile.
        if let Ok(Some(remote)) = remote(subject, table, *kind, *protocol, inode) {
            let remote = remote.to_string();
            return Some([&word, &b" "[..], remote.as_bytes()].concat().into());
        }
    }
    Some(word.into())
}

/// What the kernel calls its protocol: `TCPv6`, `UNIX-STREAM` (net/socket.c, sockfs_xattr_get).
fn kind(subject: &Subject, number: u32) -> Result<Vec<u8>, Errno> {
    let mut buffer = [0; 64];
    // From its folder, held open: the number may be of another process by now.
    let folder = std::os::fd::AsRawFd::as_raw_fd(&subject.folder());
    let path = format!("/proc/self/fd/{folder}/fd/{number}");
    let length = rustix::fs::getxattr(path, c"system.sockprotoname", &mut buffer[..])?;
    let name = buffer.get(..length).unwrap_or_default();
    Ok(name.strip_suffix(&[0]).unwrap_or(name).to_vec())
}

/// The other side of a socket. `None`: it has none, or is not in that table.
fn remote(
    subject: &Subject,
    table: &str,
    kind: u16,
    protocol: Option<u16>,
    inode: u64,
) -> Result<Option<SocketAddr>, Untested> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(
        subject.folder(),
        format!("net/{table}"),
        flags,
        Mode::empty(),
    );
    let file = File::from(file.map_err(untested)?);
    let mut lines = BufReader::with_capacity(64 * 1024, file.take(MOST_TABLE_BYTES));
    let mut line = Vec::with_capacity(LONGEST_LINE);
    loop {
        line.clear();
        let read = lines.read_until(b'\n', &mut line);
        if read.map_err(|_| Untested::Unreadable)? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line);
        let entry = table_line(&text, kind, protocol);
        let Some(entry) = entry.filter(|it| it.socket.key.inode == Some(inode)) else {
            continue;
        };
        let remote = entry.socket.remote;
        return Ok(remote.and_then(|it| Some(SocketAddr::new(it.ip?, it.port?))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::examine::victim::{Victim, skipped, subject};
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::process::{Command, Stdio};

    /// What is seen of a process that has these as its standard input and output.
    fn seen(input: impl Into<OwnedFd>, output: impl Into<OwnedFd>) -> Vec<(Sign, String)> {
        let mut command = Command::new("sleep");
        command
            .arg("1000")
            .stdin(Stdio::from(input.into()))
            .stdout(Stdio::from(output.into()));
        let victim = Victim(command.stderr(Stdio::null()).spawn().unwrap());
        match check(&subject(victim.0.id()), &mut Kept::default()) {
            Outcome::NothingFound => Vec::new(),
            Outcome::Found { traces, .. } => traces
                .into_iter()
                .map(|it| (it.sign, it.name.unwrap().lossy().into_owned()))
                .collect(),
            Outcome::NotTestable(why) => panic!("{why}"),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "to a listener of this test")]
    fn check_tcp(address: &str) {
        let Ok(listener) = TcpListener::bind((address, 0)) else {
            return skipped(&format!("no {address} here"));
        };
        let there = listener.local_addr().unwrap();
        let socket = TcpStream::connect(there).unwrap();
        let expected = format!("tcp {there}");
        assert_eq!(
            seen(socket.try_clone().unwrap(), socket),
            [
                (Sign::InputSocket, expected.clone()),
                (Sign::OutputSocket, expected),
            ]
        );
    }

    #[test]
    fn a_connection() {
        check_tcp("127.0.0.1");
        check_tcp("::1");
    }

    #[test]
    fn a_socket_without_connection() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(seen(socket, null), [(Sign::InputSocket, "udp".to_owned())]);
    }

    #[test]
    fn what_is_within_this_computer() {
        let (one, other) = UnixStream::pair().unwrap();
        assert_eq!(seen(one, other), []);
        let null = || std::fs::File::open("/dev/null").unwrap();
        assert_eq!(seen(null(), null()), []);
    }
}
