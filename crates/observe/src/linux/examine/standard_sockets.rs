//! Whether standard input or output is a socket of a network: what a shell has that somebody else types
//! into. Unix sockets are none of these: services write what they have to say to one, and programs start
//! others so. A shell may have pipes instead, to somebody who has the socket.

mod over_pipes;
#[cfg(test)]
mod tests;

use model::{Outcome, Sign, Text, Trace};
use rustix::io::Errno;

use super::descriptors::socket_inode;
use super::network_sockets::{self, RAW, RAW6, TCP, TCP6, Table, UDP, UDP6};
use super::{Kept, Subject};

/// Descriptor, and what it is called. Standard error goes with the output.
const STANDARD: [(u32, Sign); 3] = [
    (0, Sign::InputSocket),
    (1, Sign::OutputSocket),
    (2, Sign::OutputSocket),
];

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
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
    if !traces.is_empty() {
        return Outcome::of(traces);
    }
    match over_pipes::traces(subject, kept) {
        Ok(traces) => Outcome::of(traces),
        Err(why) => Outcome::NotTestable(why),
    }
}

/// Kind and other side: `tcp 203.0.113.9:4444`. `None`: a socket within this computer.
fn name(subject: &Subject, number: u32, inode: u64) -> Option<Text> {
    let kind = kind(subject, number).ok();
    let kind = kind.as_deref().unwrap_or_default();
    if kind.starts_with(b"UNIX") || kind == b"NETLINK" {
        return None;
    }
    // By the name that the kernel has for it.
    let tables: &[Table] = match kind {
        b"TCP" => &[TCP],
        b"TCPv6" => &[TCP6],
        b"UDP" => &[UDP],
        b"UDPv6" => &[UDP6],
        b"RAW" => &[RAW],
        b"RAWv6" => &[RAW6],
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
    for table in tables {
        let mut remote = None;
        // None: of another network namespace, or closed meanwhile.
        let _ = network_sockets::any(subject, *table, |entry| {
            let is_it = entry.socket.key.inode == Some(inode);
            if is_it {
                remote = network_sockets::remote(entry);
            }
            is_it
        });
        if let Some(remote) = remote {
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
