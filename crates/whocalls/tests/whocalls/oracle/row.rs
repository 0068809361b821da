//! A socket in the words that ss and whocalls share, and how each of them tells of it.

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;

use crate::program::Seen;

/// What ss and whocalls both tell of a socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) protocol: String,
    pub(super) state: String,
    pub(super) local: String,
    pub(super) remote: String,
    pub(super) interface: Option<String>,
    pub(super) pids: Vec<u32>,
    /// ss tells them of TCP, UDP and packet sockets.
    pub(super) inode: Option<u64>,
    pub(super) cookie: Option<u64>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            protocol,
            state,
            local,
            remote,
            interface,
            pids,
            inode,
            cookie,
        } = self;
        write!(
            f,
            "{protocol} {state} {local} {remote} {interface:?} {pids:?} {inode:?} {cookie:?}"
        )
    }
}

impl Row {
    /// As whocalls shows it. `None`: ss was not asked for such.
    pub(super) fn of(seen: Seen<'_>) -> Option<Self> {
        let protocol = seen.word("protocol");
        let told = matches!(protocol, "tcp" | "udp" | "packet");
        let number = |name: &str| seen.0["socket"][name].as_u64().filter(|_| told);
        let local = match protocol {
            "tcp" | "udp" => seen.local(),
            "icmp" => format!("{} {}", seen.local(), seen.0["icmp"]["id"]),
            "raw" => format!("{} {}", seen.local(), seen.0["ip_protocol"]),
            "packet" => seen.0["ethertype"].to_string(),
            _ => return None,
        };
        Some(Self {
            protocol: protocol.to_owned(),
            state: seen.word("state").to_owned(),
            local,
            remote: seen.remote(),
            interface: seen.0["interface"].as_str().map(str::to_owned),
            pids: seen.pids(),
            inode: number("inode"),
            cookie: number("cookie"),
        })
    }

    /// As ss shows it: `tcp ESTAB 0 0 127.0.0.1:80 127.0.0.1:5000 users:(...) ino:7 sk:9 ...`
    fn of_ss(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [protocol, state, _, _, local, remote, rest @ ..] = words.as_slice() else {
            panic!("not understood: {line}");
        };
        let protocol = match *protocol {
            "p_raw" | "p_dgr" => "packet",
            other => other,
        };
        let state = match (protocol, *state) {
            ("tcp", "ESTAB") => "established",
            ("tcp", "SYN-SENT") => "syn_sent",
            ("tcp", "SYN-RECV") => "syn_received",
            ("tcp", "FIN-WAIT-1") => "fin_wait_1",
            ("tcp", "FIN-WAIT-2") => "fin_wait_2",
            ("tcp", "TIME-WAIT") => "time_wait",
            ("tcp", "CLOSE-WAIT") => "close_wait",
            ("tcp", "LAST-ACK") => "last_ack",
            ("tcp", "CLOSING") => "closing",
            ("tcp", "LISTEN") => "listen",
            // Neither bound to a port nor connected: nothing that could be shown.
            ("tcp" | "udp", "UNCONN") if local.ends_with(":0") => return None,
            ("tcp", _) => panic!("not understood: {line}"),
            _ => "open",
        };
        let (local, interface) = match protocol {
            "packet" => of_packet(local),
            _ => of_address(local),
        };
        let (local, remote) = if protocol == "raw" {
            let (ip, number) = local.rsplit_once(':').unwrap();
            let ip = ip.trim_matches(['[', ']']);
            let remote = of_address(remote).0;
            let remote = match remote.rsplit_once(':') {
                Some((ip, "*")) if !is_anyone(ip) => ip.trim_matches(['[', ']']).to_owned(),
                _ => "-".to_owned(),
            };
            (format!("{ip} {number}"), remote)
        } else if protocol == "packet" || remote.ends_with(":*") {
            (local, "-".to_owned())
        } else {
            (local, of_address(remote).0)
        };
        let told = |name: &str, radix: u32| {
            let text = rest.iter().find_map(|word| word.strip_prefix(name))?;
            u64::from_str_radix(text, radix).ok()
        };
        let mut pids: Vec<u32> = rest
            .iter()
            .filter(|word| word.starts_with("users:"))
            .flat_map(|word| word.split("pid=").skip(1))
            .map(|text| text.split(',').next().unwrap().parse().unwrap())
            .collect();
        pids.sort_unstable();
        pids.dedup();
        Some(Self {
            protocol: protocol.to_owned(),
            state: state.to_owned(),
            local,
            remote,
            interface,
            pids,
            // 0: none.
            inode: told("ino:", 10).filter(|inode| *inode != 0),
            cookie: told("sk:", 16),
        })
    }
}

/// `127.0.0.1:80`, `127.0.0.1%lo:80`, `[::ffff:127.0.0.1]:80`, `*:80`
fn of_address(text: &str) -> (String, Option<String>) {
    let (ip, port) = text.rsplit_once(':').unwrap();
    let (ip, interface) = match ip.split_once('%') {
        Some((ip, interface)) => (ip, Some(interface.trim_end_matches(']').to_owned())),
        None => (ip, None),
    };
    let ip = ip.trim_matches(['[', ']']);
    let ip = match ip.strip_prefix("::ffff:") {
        Some(mapped) => mapped,
        None if ip == "*" => "::",
        None => ip,
    };
    let text = if ip.contains(':') {
        format!("[{ip}]:{port}")
    } else {
        format!("{ip}:{port}")
    };
    (text, interface)
}

/// `[2054]:lo`, `*:*`: the type of the frames, and the interface.
fn of_packet(text: &str) -> (String, Option<String>) {
    let (kind, interface) = text.rsplit_once(':').unwrap();
    let kind = match kind.trim_matches(['[', ']']) {
        // ETH_P_ALL
        "*" => "3",
        kind => kind,
    };
    let interface = Some(interface).filter(|name| *name != "*");
    (kind.to_owned(), interface.map(str::to_owned))
}

fn is_anyone(ip: &str) -> bool {
    matches!(ip, "0.0.0.0" | "*" | "::" | "[::]")
}

pub(super) fn rows_of_ss(mut ss: Command) -> BTreeSet<Row> {
    let output = ss.args(["-HOnape", "-t", "-u", "-w", "-0"]).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(Row::of_ss).collect()
}
