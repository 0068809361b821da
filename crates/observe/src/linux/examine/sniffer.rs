//! Whether it reads the packets of all: packet sockets (packet(7)). Those that the kernel gives no
//! packets, because they are made for sending only, do not count.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

use model::{Outcome, Sign, Text, Trace, Untested};
use rustix::fs::{Mode, OFlags};

use super::{Kept, Subject};
use crate::parse::packet_table::{PacketSocket, interface_line, packet_line};
use crate::parse::proc_pid::namespace;

/// include/uapi/linux/if_ether.h
const ETH_P_ALL: u16 = 3;
/// include/uapi/linux/if.h
const IFF_PROMISC: u32 = 0x100;
/// How long what was read is good for.
const GOOD_FOR: Duration = Duration::from_secs(1);
const MOST_TABLE_BYTES: u64 = 1024 * 1024;
/// So many network namespaces are remembered.
const MOST_NAMESPACES: usize = 1024;

/// The packet sockets of all network namespaces.
#[derive(Debug, Default)]
pub(crate) struct PacketSockets {
    /// By the number of the namespace.
    tables: HashMap<u32, Table>,
}

#[derive(Debug)]
struct Table {
    read: Instant,
    sockets: Vec<PacketSocket>,
}

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    match traces(subject, &mut kept.packet_sockets) {
        Ok(traces) => Outcome::of(traces),
        Err(why) => Outcome::NotTestable(why),
    }
}

fn traces(subject: &Subject, kept: &mut PacketSockets) -> Result<Vec<Trace>, Untested> {
    if subject.stat().kernel_thread {
        return Err(Untested::KernelThread);
    }
    let netns = namespace(subject.link(c"ns/net")?.bytes()).ok_or(Untested::Unreadable)?;
    let table = kept.of(subject, netns)?;
    // Mostly there are none, and nobody's files need to be looked through.
    if table.is_empty() {
        return Ok(Vec::new());
    }
    let sockets = subject.sockets()?;
    let own: Vec<_> = table.iter().filter(|it| sockets.has(it.inode)).collect();
    if own.is_empty() {
        return if sockets.cut {
            Err(Untested::TooLarge)
        } else {
            Ok(Vec::new())
        };
    }
    let names = names(subject);
    let is_own_namespace = own_namespace() == Some(netns);
    let mut traces: Vec<Trace> = Vec::new();
    for socket in own {
        let name = Some(name(socket, &names, is_own_namespace));
        if !traces.iter().any(|it| it.name == name) {
            traces.push(Trace {
                name,
                ..Trace::new(Sign::PacketSocket)
            });
        }
    }
    Ok(traces)
}

impl PacketSockets {
    fn of(&mut self, subject: &Subject, netns: u32) -> Result<&[PacketSocket], Untested> {
        let now = Instant::now();
        let known = self.tables.get(&netns);
        let is_new = known.is_none_or(|table| now.duration_since(table.read) > GOOD_FOR);
        if is_new {
            if self.tables.len() >= MOST_NAMESPACES {
                self.tables.clear();
            }
            // Of the namespace that the process is in.
            let text = subject.file(c"net/packet", MOST_TABLE_BYTES)?;
            let lines = text.split(|byte| *byte == b'\n').filter_map(packet_line);
            let sockets = lines.filter(|it| it.runs || it.protocol != 0).collect();
            self.tables.insert(netns, Table { read: now, sockets });
        }
        let table = self.tables.get(&netns);
        Ok(table.map_or(&[], |table| &table.sockets))
    }
}

/// `eth0`, `any`; `eth0, only 0x888e` for one kind of packets; `eth0, promiscuous` where also those come
/// in that are for others.
fn name(socket: &PacketSocket, names: &HashMap<u32, Text>, is_own_namespace: bool) -> Text {
    let mut name = match (socket.interface, names.get(&socket.interface)) {
        (0, _) => b"any".to_vec(),
        (_, Some(name)) => name.bytes().to_vec(),
        (index, None) => format!("interface {index}").into_bytes(),
    };
    if socket.protocol != ETH_P_ALL {
        name.extend(format!(", only 0x{:04x}", socket.protocol).into_bytes());
    } else if is_own_namespace && names.get(&socket.interface).is_some_and(is_promiscuous) {
        name.extend(b", promiscuous");
    }
    name.into()
}

/// What the interfaces of its namespace are called, by index.
fn names(subject: &Subject) -> HashMap<u32, Text> {
    let mut names = HashMap::new();
    for file in [c"net/igmp", c"net/dev_mcast"] {
        let text = subject.file(file, MOST_TABLE_BYTES).unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n');
        names.extend(lines.filter_map(interface_line));
    }
    names
}

/// Whether an interface of our own namespace takes in what is for others. Also where a bridge wants it.
fn is_promiscuous(name: &Text) -> bool {
    let Some(name) = name.as_utf8().filter(|name| !name.contains('/')) else {
        return false;
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let path = format!("/sys/class/net/{name}/flags");
    let Ok(file) = rustix::fs::open(path, flags, Mode::empty()) else {
        return false;
    };
    let mut text = String::new();
    let read = File::from(file).take(64).read_to_string(&mut text);
    let number = text.trim_ascii().strip_prefix("0x");
    let number = number.and_then(|number| u32::from_str_radix(number, 16).ok());
    read.is_ok() && number.is_some_and(|flags| flags & IFF_PROMISC != 0)
}

/// The number of the network namespace that we are in.
pub(super) fn own_namespace() -> Option<u32> {
    let mut buffer = [0; 64];
    let (cwd, path) = (rustix::fs::CWD, c"/proc/thread-self/ns/net");
    let length = rustix::fs::readlinkat_raw(cwd, path, &mut buffer[..]).ok()?;
    namespace(buffer.get(..length)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::examine::victim::Victim;

    const WAITS: &str = "print('ready', flush=True); input()";

    fn start(before: &str, code: &str) -> Option<Victim> {
        let code = format!("import socket, struct; {code}; {WAITS}");
        Victim::of(&format!("{before}python3 -c CODE"), &code)
    }

    fn check(before: &str, code: &str, expected: &[&str]) {
        let Some(victim) = start(before, code) else {
            return;
        };
        let found = traces(&victim.subject(), &mut PacketSockets::default()).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|it| it.name.as_ref().unwrap().lossy())
            .collect();
        assert_eq!(found, expected, "{code}");
    }

    #[test]
    fn one_that_reads_all() {
        let socket = "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))";
        check("", socket, &["any"]);
        check("", &format!("{socket}; s.bind(('lo', 3))"), &["lo"]);
        check("unshare -n ", socket, &["any"]);
        let promiscuous = format!(
            "{socket}; s.bind(('lo', 3)); i = socket.if_nametoindex('lo'); \
             s.setsockopt(263, 1, struct.pack('iHH8s', i, 1, 0, b''))"
        );
        check("", &promiscuous, &["lo, promiscuous"]);
    }

    #[test]
    fn one_that_reads_a_kind_and_one_that_sends() {
        let socket = "s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM";
        check(
            "",
            &format!("{socket}, socket.htons(0x888e))"),
            &["any, only 0x888e"],
        );
        check("", &format!("{socket}, 0)"), &[]);
    }

    #[test]
    fn others_while_one_reads() {
        let reads = "s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))";
        let _reads = start("", reads);
        check(
            "",
            "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
            &[],
        );
    }
}
