//! `ss` of iproute2 is asked before and after whocalls: both must tell the same.

use std::collections::BTreeSet;
use std::fmt;
use std::process::Command;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{Look, Seen, TIERS, look};
use crate::setting::{Need, command, lacks, skip};

/// How often a comparison is begun anew because sockets came and went meanwhile.
const ATTEMPTS: usize = 8;

/// What ss and whocalls both tell of a socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    protocol: String,
    state: String,
    local: String,
    remote: String,
    interface: Option<String>,
    pids: Vec<u32>,
    /// ss tells them of TCP, UDP and packet sockets.
    inode: Option<u64>,
    cookie: Option<u64>,
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

#[test]
fn every_kind_of_socket_is_as_ss_shows_it() {
    let needs = [Need::Program("python3"), Need::Program("ss")];
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&needs) {
        return;
    }
    // What is sent there comes back on the loopback and ends.
    namespace.ip(&["route", "add", "198.51.100.0/24", "dev", "lo"]);
    let (_actor, words) = Actor::start(Place::Inside(&namespace), EVERY_KIND);
    for missing in &words {
        skip(&format!("this kernel has no {missing}"));
    }
    for tier in TIERS {
        let look = compare(&namespace, tier);
        let seen: Vec<_> = look.iter().map(|row| row.state.as_str()).collect();
        for state in [
            "syn_sent",
            "syn_received",
            "established",
            "fin_wait_1",
            "fin_wait_2",
            "close_wait",
            "time_wait",
            "listen",
            "open",
        ] {
            assert!(seen.contains(&state), "the scene has no {state}");
        }
        let ping: Vec<_> = look.iter().filter(|row| row.protocol == "icmp").collect();
        let expected = if words.iter().any(|word| word == "ping_sockets") {
            0
        } else {
            3
        };
        assert_eq!(ping.len(), expected, "{ping:?}");
        for row in ping {
            assert_eq!(row.pids.len(), 1, "{row}");
        }
    }
}

#[test]
fn sockets_of_several_holders_are_as_ss_shows_them() {
    let needs = [Need::Program("python3"), Need::Program("ss")];
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&needs) {
        return;
    }
    let (actor, words) = Actor::start(Place::Inside(&namespace), SEVERAL_HOLDERS);
    let child: u32 = words[0].parse().unwrap();
    let mut both = vec![actor.pid(), child];
    both.sort_unstable();
    for tier in TIERS {
        let rows = compare(&namespace, tier);
        let pids = |local: &str| {
            let row = rows.iter().find(|row| row.local == local);
            row.unwrap_or_else(|| panic!("nothing at {local}"))
                .pids
                .clone()
        };
        assert_eq!(pids("127.0.0.1:1001"), both, "made before the fork");
        assert_eq!(pids("127.0.0.1:1002"), [child], "handed over");
        assert_eq!(pids("127.0.0.1:1003"), [0; 0], "on its way");
        assert_eq!(pids("127.0.0.1:1004"), [actor.pid()], "held twice by one");
    }
}

#[test]
fn the_sockets_of_this_namespace_are_as_ss_shows_them() {
    if lacks(&[Need::Program("python3"), Need::Program("ss")]) {
        return;
    }
    let (actor, _) = Actor::start(Place::Home, AT_HOME);
    let home =
        std::os::unix::fs::MetadataExt::ino(&std::fs::metadata("/proc/self/ns/net").unwrap());
    for tier in TIERS {
        let mut extra = BTreeSet::new();
        for _ in 0..ATTEMPTS {
            let before = rows_of_ss(command("ss"));
            let seen = look(tier);
            let after = rows_of_ss(command("ss"));
            let seen: BTreeSet<_> = seen
                .of_netns(home)
                .into_iter()
                .filter_map(Row::of)
                .collect();
            let mut stayed = before.intersection(&after).peekable();
            assert!(stayed.peek().is_some());
            for row in stayed {
                // Where ss knows no owner whocalls may know more.
                let same = |other: &Row| {
                    let pids = if row.pids.is_empty() {
                        Vec::new()
                    } else {
                        other.pids.clone()
                    };
                    *row == Row {
                        pids,
                        ..other.clone()
                    }
                };
                assert!(
                    seen.iter().any(same),
                    "{tier:?}: not seen: {row}\n{}",
                    listed(&seen)
                );
            }
            let known: BTreeSet<_> = before.union(&after).map(|row| row.cookie).collect();
            let is_extra = |row: &&Row| row.cookie.is_some() && !known.contains(&row.cookie);
            extra = seen.iter().filter(is_extra).cloned().collect();
            let ours = seen.iter().filter(|row| row.pids == [actor.pid()]);
            assert_eq!(ours.count(), 5);
            if extra.is_empty() {
                break;
            }
        }
        // Other tests open and close sockets here, but not all the time.
        assert!(
            extra.is_empty(),
            "{tier:?}: ss does not know: {}",
            listed(&extra)
        );
    }
}

#[test]
fn sockets_of_a_cable_are_as_ss_shows_them() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else {
        return;
    };
    if lacks(&[Need::Program("python3"), Need::Program("ss")]) || !here.connect(&there) {
        return;
    }
    // Link-local addresses belong to an interface.
    let (_actor, words) = Actor::start(Place::Inside(&here), ON_A_CABLE);
    for tier in TIERS {
        let rows = compare(&here, tier);
        let local = rows.iter().filter(|row| row.local.starts_with("[fe80:"));
        let names: Vec<_> = local.map(|row| row.interface.as_deref()).collect();
        assert_eq!(names, [Some("cable"); 4], "{tier:?}");
        assert_eq!(rows.len(), words[0].parse::<usize>().unwrap());
    }
}

#[test]
fn what_stays_is_seen_amid_what_comes_and_goes() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (actor, _) = Actor::start(Place::Inside(&namespace), COMING_AND_GOING);
    for tier in TIERS {
        for _ in 0..4 {
            let look = look(tier);
            let seen = look.inside(&namespace);
            let staying = |seen: &&Seen<'_>| {
                seen.local().starts_with("127.0.0.9:") || seen.remote().starts_with("127.0.0.9:")
            };
            let staying: Vec<_> = seen.iter().filter(staying).collect();
            assert_eq!(staying.len(), 1 + 2 * 50, "{tier:?}");
            for seen in staying {
                assert_eq!(seen.pids(), [actor.pid()], "{tier:?}: {seen:#?}");
            }
            let cookies = seen.iter().map(|seen| seen.0["socket"]["cookie"].as_u64());
            let cookies: Vec<_> = cookies.flatten().collect();
            let different: BTreeSet<_> = cookies.iter().collect();
            assert_eq!(cookies.len(), different.len(), "{tier:?}");
        }
    }
}

#[test]
fn bpf_and_netlink_tell_the_same() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    namespace.ip(&["route", "add", "198.51.100.0/24", "dev", "lo"]);
    let (_actor, _) = Actor::start(Place::Inside(&namespace), EVERY_KIND);
    let (full, polling) = (look(None), look(Some("--polling")));
    assert_eq!(polling.tier(), "polling");
    if full.tier() != "full" {
        let gap = full.gap("no_ebpf").expect("a gap that says why");
        skip(&format!("no BPF here: {}", gap["why"]));
        return;
    }
    let facts = |look: &Look| {
        let mut all: Vec<_> = look
            .inside(&namespace)
            .iter()
            .map(|seen| comparable(*seen))
            .collect();
        all.sort();
        all
    };
    let (full, polling) = (facts(&full), facts(&polling));
    assert!(full.len() > 40, "{}", full.len());
    for (full, polling) in full.iter().zip(&polling) {
        assert_eq!(full, polling);
    }
    assert_eq!(full.len(), polling.len());
}

/// All of a connection but what belongs to the way it was read.
fn comparable(seen: Seen<'_>) -> String {
    let mut facts = seen.0.clone();
    let own = facts.as_object_mut().unwrap();
    own.remove("owner");
    // The wall clock moves on between the two runs.
    own["process"]
        .as_object_mut()
        .map(|process| process.remove("started"));
    // Text tables know no cookies, and ids are made from them.
    if own["protocol"] == "icmp" || own["protocol"] == "raw" {
        own.remove("id");
        own.remove("socket");
    }
    format!(
        "{} {} {} {facts}",
        seen.word("protocol"),
        seen.local(),
        seen.remote()
    )
}

/// Compares all of a quiet namespace; gives what was seen.
fn compare(namespace: &Namespace, tier: Option<&str>) -> BTreeSet<Row> {
    for _ in 0..ATTEMPTS {
        let before = rows_of_ss(namespace.command("ss"));
        let seen = look(tier);
        let after = rows_of_ss(namespace.command("ss"));
        if before != after {
            continue;
        }
        let seen: Vec<_> = seen
            .inside(namespace)
            .into_iter()
            .filter_map(Row::of)
            .collect();
        let count = seen.len();
        let seen: BTreeSet<_> = seen.into_iter().collect();
        assert_eq!(seen.len(), count, "{tier:?}: some are there twice");
        // ss has no word for ping sockets.
        let known: BTreeSet<_> = seen
            .iter()
            .filter(|row| row.protocol != "icmp")
            .cloned()
            .collect();
        let missing: BTreeSet<_> = before.difference(&known).cloned().collect();
        let extra: BTreeSet<_> = known.difference(&before).cloned().collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "{tier:?}\nonly ss shows:\n{}only whocalls shows:\n{}",
            listed(&missing),
            listed(&extra)
        );
        return seen;
    }
    panic!("the namespace does not come to rest");
}

fn listed(rows: &BTreeSet<Row>) -> String {
    rows.iter().map(|row| format!("  {row}\n")).collect()
}

impl Row {
    /// As whocalls shows it. `None`: ss was not asked for such.
    fn of(seen: Seen<'_>) -> Option<Self> {
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

fn rows_of_ss(mut ss: Command) -> BTreeSet<Row> {
    let output = ss.args(["-HOnape", "-t", "-u", "-w", "-0"]).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().filter_map(Row::of_ss).collect()
}

/// One of each. What this kernel does not have is named.
const EVERY_KIND: &str = r#"
missing = []

def tried(what, make):
    try:
        make()
    except OSError:
        missing.append(what)

def datagrams(family, protocol=0, bind=None, connect=None, kind=SOCK_DGRAM):
    made = keep(socket(family, kind, protocol))
    if bind:
        made.bind(bind)
    if connect:
        made.connect(connect)
    return made

# Listeners and what they accepted, in both families and across them.
both(('127.0.0.1', 1001))
both(('::1', 1002), AF_INET6)
dual = keep(create_server(('::', 1003), family=AF_INET6, dualstack_ipv6=True))
caller(('127.0.0.1', 1003)); keep(dual.accept()[0])
caller(('::ffff:127.0.0.1', 1003), AF_INET6); keep(dual.accept()[0])
on_loopback = keep(socket())
on_loopback.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, b'lo')
on_loopback.bind(('0.0.0.0', 1004)); on_loopback.listen()

# Never accepted.
listener(('127.0.0.1', 1010)); caller(('127.0.0.1', 1010))
listener(('::1', 1011), AF_INET6); caller(('::1', 1011), AF_INET6)
# Half-open: without data the listener does not take the last step.
deferred = keep(socket())
deferred.setsockopt(IPPROTO_TCP, TCP_DEFER_ACCEPT, 100)
deferred.bind(('127.0.0.1', 1012)); deferred.listen(); caller(('127.0.0.1', 1012))
# Nobody answers.
calling = keep(socket()); calling.setblocking(False); calling.connect_ex(('198.51.100.9', 80))
# FIN_WAIT_2 and CLOSE_WAIT, with a program and without.
calling, accepted, _ = both(('127.0.0.1', 1013)); calling.shutdown(SHUT_WR)
calling, accepted, _ = both(('127.0.0.1', 1014)); calling.close()
# TIME_WAIT.
calling, accepted, _ = both(('127.0.0.1', 1015)); calling.close(); accepted.close()
calling, accepted, _ = both(('::1', 1016), AF_INET6); calling.close(); accepted.close()
# Its program is gone, and there is still something to send.
calling, accepted, _ = both(('127.0.0.1', 1017))
calling.setblocking(False)
try:
    while True:
        calling.send(bytes(65536))
except BlockingIOError:
    calling.close()
# Bound and no more: not in use.
keep(socket()).bind(('127.0.0.1', 1018))

# UDP.
datagrams(AF_INET, bind=('127.0.0.1', 2001))
datagrams(AF_INET, connect=('127.0.0.1', 2001))
datagrams(AF_INET)
datagrams(AF_INET6, bind=('::1', 2002))
datagrams(AF_INET6, bind=('::', 2003))
datagrams(AF_INET6, connect=('::1', 2002))
datagrams(AF_INET6, connect=('::ffff:127.0.0.1', 2001))
bound = keep(socket(AF_INET, SOCK_DGRAM))
bound.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, b'lo'); bound.bind(('0.0.0.0', 2004))

# Ping.
def ping():
    with open('/proc/sys/net/ipv4/ping_group_range', 'w') as group:
        group.write('0 2147483647')
    datagrams(AF_INET, IPPROTO_ICMP, bind=('127.0.0.1', 77))
    datagrams(AF_INET, IPPROTO_ICMP, bind=('0.0.0.0', 78), connect=('127.0.0.1', 0))
    datagrams(AF_INET6, IPPROTO_ICMPV6, bind=('::1', 79))
tried('ping_sockets', ping)

# Raw IP.
datagrams(AF_INET, IPPROTO_ICMP, kind=SOCK_RAW)
datagrams(AF_INET, 253, kind=SOCK_RAW)
datagrams(AF_INET, 254, bind=('127.0.0.1', 0), connect=('127.0.0.2', 0), kind=SOCK_RAW)
datagrams(AF_INET6, IPPROTO_ICMPV6, kind=SOCK_RAW)

# Whole frames.
def packets():
    keep(socket(AF_PACKET, SOCK_RAW, htons(3))).bind(('lo', 3))
    keep(socket(AF_PACKET, SOCK_DGRAM, htons(0x806)))
    keep(socket(AF_PACKET, SOCK_RAW, 0))
tried('packet_sockets', packets)

# MPTCP at both ends, and at one.
def mptcp():
    both(('127.0.0.1', 3001), protocol=262)
    waiting = listener(('127.0.0.1', 3002), protocol=262)
    caller(('127.0.0.1', 3002)); keep(waiting.accept()[0])
    listener(('127.0.0.1', 3003)); caller(('127.0.0.1', 3003), protocol=262)
    listener(('127.0.0.1', 3004), protocol=262); caller(('127.0.0.1', 3004), protocol=262)
tried('mptcp', mptcp)
ready(*missing)
"#;

const SEVERAL_HOLDERS: &str = r#"
listener(('127.0.0.1', 1001))
twice = listener(('127.0.0.1', 1004)); keep(twice.dup())
here, there = socketpair(AF_UNIX, SOCK_DGRAM)
child = os.fork()
if child == 0:
    twice.close(); kept[-1].close()
    message, descriptors, *_ = recv_fds(there, 1, 1)
    there.send(b'got it')
    stay()
given = listener(('127.0.0.1', 1002)); send_fds(here, [b'x'], [given.fileno()]); given.close()
here.recv(10)
left, right = socketpair(AF_UNIX, SOCK_DGRAM)
flying = listener(('127.0.0.1', 1003)); send_fds(left, [b'x'], [flying.fileno()]); flying.close()
ready(child)
"#;

const AT_HOME: &str = r#"
both(('127.0.0.1', 0))
asked = keep(socket(AF_INET, SOCK_DGRAM)); asked.bind(('127.0.0.1', 0))
asking = keep(socket(AF_INET, SOCK_DGRAM)); asking.connect(asked.getsockname())
ready()
"#;

const ON_A_CABLE: &str = r#"
def own_address():
    with open('/proc/net/if_inet6') as file:
        for line in file:
            digits, *_, flags, name = line.split()
            TENTATIVE = 0x40
            if digits.startswith('fe80') and name == 'cable' and not int(flags, 16) & TENTATIVE:
                return inet_ntop(AF_INET6, bytes.fromhex(digits))
# Whether nobody else has the address is tried for a second or two.
for _ in range(1000):
    address = own_address()
    if address:
        break
    time.sleep(0.01)
index = if_nametoindex('cable')
calling, accepted, waiting = both((address, 1001, 0, index), AF_INET6)
keep(socket(AF_INET6, SOCK_DGRAM)).bind((address, 1002, 0, index))
both(('192.0.2.1', 1003))
group = keep(socket(AF_INET, SOCK_DGRAM)); group.bind(('224.0.0.251', 5353))
keep(socket(AF_PACKET, SOCK_RAW, htons(3))).bind(('cable', 3))
ready(9)
"#;

const COMING_AND_GOING: &str = r#"
waiting = listener(('127.0.0.9', 1001), backlog=100)
for _ in range(50):
    caller(('127.0.0.9', 1001)); keep(waiting.accept()[0])
def come_and_go():
    busy = socket(); busy.bind(('127.0.0.1', 1002)); busy.listen()
    # Without TIME_WAIT there is no end of ports.
    linger = struct.pack('ii', 1, 0)
    while True:
        calling = socket(); calling.connect(('127.0.0.1', 1002)); accepted, _ = busy.accept()
        datagram = socket(AF_INET, SOCK_DGRAM); datagram.bind(('127.0.0.1', 0))
        calling.setsockopt(SOL_SOCKET, SO_LINGER, linger); calling.close(); accepted.close()
        datagram.close()
        time.sleep(0.0005)
child = os.fork()
if child == 0:
    for made in kept:
        made.close()
    come_and_go()
ready()
"#;
