//! Reads situations: what is told, and what is asked, each line with its milliseconds.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use model::{
    BootId, Detail, Endpoint, Event, EventKind, Gap, Holder, Host, IcmpKind, Interface,
    InterfaceKey, LinkType, Look, NetworkNamespace, Observed, Packet, PacketEnds, PacketOwner,
    Part, ProcessId, Protocol, Quoted, Socket, SocketKey, Source, State, TcpSegment, Text, Tier,
    Timestamp, Way, WhyNoProcess, WhyUnknown,
};

use crate::flows::Flows;

const BOOT: BootId = BootId([7; 16]);
/// The wall clock at boot.
const BEGAN: i64 = 1_000_000_000_000;

/// One line of a situation.
enum Line {
    Told(u64, Observed),
    Interface(Interface),
    Asked(Question),
}

struct Question {
    text: String,
    packet: Packet<'static>,
    answer: String,
}

/// Plays a situation twice: each question as soon as it may be asked, and all of them when
/// everything is known. The answers must be the same.
pub(super) fn check(situation: &str) {
    let joined = situation.replace("\\\n", " ");
    let lines: Vec<&str> = joined.lines().map(str::trim).collect();
    let tier = if lines.contains(&"polling") {
        Tier::Polling
    } else {
        Tier::Full
    };
    let lines = lines.into_iter();
    let lines = lines.filter(|it| !it.is_empty() && !it.starts_with('#') && *it != "polling");
    let mut told = Vec::new();
    let mut asked = Vec::new();
    let mut flows = [Flows::default(), Flows::default()];
    for line in lines {
        match read(line, tier) {
            Line::Told(time, observed) => told.push((time, observed)),
            Line::Interface(interface) => flows.iter_mut().for_each(|it| it.interface(&interface)),
            Line::Asked(question) => asked.push(question),
        }
    }
    // The first look is the first of all, whenever it was taken.
    let looks = |(_, it): &&mut (u64, Observed)| matches!(it, Observed::Look(_));
    if let Some((time, _)) = told.iter_mut().find(looks) {
        *time = 0;
    }
    told.sort_by_key(|(time, _)| *time);
    asked.sort_by_key(|question| question.packet.boot_ns);
    let [early, late] = &mut flows;
    let polls = tier == Tier::Polling;
    for (_, observed) in &told {
        late.apply(observed);
    }
    let mut rest = told.iter().peekable();
    for question in &asked {
        let now = question.packet.boot_ns + Flows::LOOK_AHEAD_NS;
        while let Some((_, observed)) = rest.next_if(|(time, observed)| {
            polls || *time <= now || matches!(observed, Observed::Gap(_))
        }) {
            early.apply(observed);
        }
        for (name, flows) in [("early", &mut *early), ("late", &mut *late)] {
            let found = answer(flows.owner(&question.packet), &question.answer);
            assert_eq!(found, question.answer, "{name}: {}", question.text);
        }
    }
}

fn answer(owner: PacketOwner, expected: &str) -> String {
    match owner {
        PacketOwner::Known {
            process, source, ..
        } => {
            let again = if process.start_ticks > 1 { "b" } else { "" };
            let name = format!("{}{again}", process.pid);
            if expected.contains(' ') {
                format!("{name} {}", source.word())
            } else {
                name
            }
        }
        PacketOwner::Unknown(why) => why.word().to_owned(),
    }
}

fn read(line: &str, tier: Tier) -> Line {
    if let Some(addresses) = line.strip_prefix("interface ") {
        let ips = addresses.split(' ').map(|ip| ip.parse().unwrap());
        return Line::Interface(Interface {
            key: interface(1),
            name: Text::from("eth0"),
            link: LinkType::ETHERNET,
            addresses: ips.map(|ip: IpAddr| (ip, 24)).collect(),
        });
    }
    let (time, rest) = line.split_once(' ').unwrap();
    let time = nanos(time);
    if let Some((packet, answer)) = rest.split_once(" = ") {
        return Line::Asked(Question {
            text: line.to_owned(),
            packet: packet_of(time, packet),
            answer: answer.to_owned(),
        });
    }
    let (kind, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let observed = match kind {
        "look" => look(time, rest, tier),
        "lost" => gap(nanos(rest), time),
        kind => Observed::Event(event(time, kind, rest)),
    };
    Line::Told(time, observed)
}

fn event(time: u64, kind: &str, rest: &str) -> Event {
    let all = [
        EventKind::Attempt,
        EventKind::FirstPacket,
        EventKind::Opened,
        EventKind::Accepted,
        EventKind::Listening,
        EventKind::OwnerChanged,
        EventKind::Closed,
        EventKind::ProcessStarted,
        EventKind::ProcessEnded,
        EventKind::Tick,
    ];
    let kind = all.into_iter().find(|it| it.word() == kind);
    let words: Vec<&str> = rest.split_whitespace().collect();
    let why = words.iter().find_map(|word| match *word {
        "kernel" => Some(WhyUnknown::Kernel),
        "outside" => Some(WhyUnknown::OutsideNamespace),
        _ => None,
    });
    Event {
        seq: 0,
        time: stamp(time),
        boot_ns: time,
        source: Source::Ebpf,
        kind: kind.expect(rest),
        process: after(&words, "by").map(process),
        thread: None,
        netns: Some(NetworkNamespace(1)).filter(|_| !words.contains(&"nowhere")),
        socket: socket_key(&words),
        protocol: words.first().and_then(|word| protocol(word)),
        local: after(&words, "from").map(endpoint),
        remote: after(&words, "to").map(endpoint),
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        detail: match (why, only_ipv6(&words)) {
            (Some(why), _) => Detail::NoProcess { why },
            (_, Some(only_ipv6)) => Detail::Listens { only_ipv6 },
            _ if words.contains(&"sends") => Detail::Sends,
            _ if words.contains(&"may_send") => Detail::MaySend,
            _ => match after(&words, "wrote") {
                Some(from) => Detail::Wrote {
                    from: from.parse().unwrap(),
                },
                None => Detail::Nothing,
            },
        },
    }
}

fn look(time: u64, sockets: &str, tier: Tier) -> Observed {
    let sockets = sockets.split('&').map(str::trim);
    Observed::Look(Box::new(Look {
        host: Host {
            name: Text::from("here"),
            boot: BOOT,
        },
        home_netns: None,
        taken: stamp(time),
        tier,
        sockets: sockets.filter(|it| !it.is_empty()).map(held).collect(),
        processes: Vec::new(),
        users: HashMap::new(),
        remembered: Vec::new(),
        gaps: Vec::new(),
    }))
}

fn held(text: &str) -> Socket {
    let words: Vec<&str> = text.split_whitespace().collect();
    let holders = after(&words, "by").unwrap_or_default().split(',');
    let kind = words[0];
    Socket {
        key: socket_key(&words).unwrap(),
        protocol: protocol(kind).unwrap_or(Protocol::Tcp),
        state: match kind {
            "listen" => State::Listen,
            "udp" => State::Open,
            _ => State::Established,
        },
        local: endpoint(after(&words, "from").unwrap()),
        remote: after(&words, "to").map(endpoint),
        netns: Some(NetworkNamespace(1)),
        interface: None,
        uid: None,
        bytes_sent: None,
        bytes_received: None,
        opened_here: None,
        only_ipv6: only_ipv6(&words),
        holders: holders
            .filter(|it| !it.is_empty())
            .map(|holder| Holder {
                process: process(holder),
                source: Source::Ebpf,
            })
            .collect(),
        why_unheld: WhyUnknown::NoHolder,
    }
}

/// Of a socket of IPv6.
fn only_ipv6(words: &[&str]) -> Option<bool> {
    words.iter().find_map(|word| match *word {
        "both" => Some(false),
        "only_ipv6" => Some(true),
        _ => None,
    })
}

fn gap(since: u64, until: u64) -> Observed {
    Observed::Gap(Gap {
        id: "events_lost".into(),
        source: Source::Ebpf,
        why: String::new(),
        missed: String::new(),
        since: Some(stamp(since)),
        until: Some(stamp(until)),
        count: Some(1),
    })
}

/// `WAY PROTOCOL SOURCE > DESTINATION [FLAGS or ICMP type] [first N | later N] [ns N] [seq FIRST[+COUNT]]
/// [about ...]`
fn packet_of(time: u64, text: &str) -> Packet<'static> {
    let (text, about) = text.split_once(" about ").unwrap_or((text, ""));
    let words: Vec<&str> = text.split_whitespace().collect();
    let quoted: Vec<&str> = about.split_whitespace().collect();
    let about = match quoted[..] {
        [kind, source, ">", destination] => Some(Quoted {
            protocol: protocol(kind).unwrap(),
            source: endpoint(source),
            destination: endpoint(destination),
        }),
        _ => None,
    };
    let flags = words.get(5).copied().unwrap_or_default();
    let part = |word| after(&words, word).map(|number| number.parse().unwrap());
    let ends = match words[..] {
        [_, kind, source, ">", destination, ..] => Some(PacketEnds {
            protocol: match kind {
                "icmp" => Protocol::Icmp(IcmpKind {
                    kind: flags.parse().ok(),
                    code: None,
                    id: None,
                }),
                kind => protocol(kind).unwrap(),
            },
            source: endpoint(source),
            destination: endpoint(destination),
            part: match (part("first"), part("later")) {
                (Some(number), _) => Part::First(number),
                (_, Some(number)) => Part::Later(number),
                _ => Part::Whole,
            },
            tcp: (kind == "tcp").then(|| segment(flags, after(&words, "seq"))),
            about,
        }),
        _ => None,
    };
    let netns = after(&words, "ns").map_or(1, |number| number.parse().unwrap());
    packet(time, words[0], netns, ends)
}

pub(super) fn packet(
    time: u64,
    way: &str,
    netns: u32,
    ends: Option<PacketEnds>,
) -> Packet<'static> {
    Packet {
        time: stamp(time),
        boot_ns: time,
        interface: interface(netns),
        link: LinkType::ETHERNET,
        way: match way {
            "in" => Way::In,
            "many" => Way::Multicast,
            "other" => Way::OtherHost,
            _ => Way::Out,
        },
        loopback: way == "lo",
        length: 60,
        bytes: &[],
        ends,
    }
}

fn interface(netns: u32) -> InterfaceKey {
    InterfaceKey {
        netns: Some(NetworkNamespace(netns)),
        index: 2,
    }
}

fn segment(flags: &str, bytes: Option<&str>) -> TcpSegment {
    let bytes = bytes.unwrap_or("0");
    let (first, count) = bytes.split_once('+').unwrap_or((bytes, ""));
    TcpSegment {
        flags: tcp_flags(flags),
        sequence: first.parse().unwrap(),
        carries: count.parse().ok(),
    }
}

fn tcp_flags(letters: &str) -> u8 {
    let bit = |letter| match letter {
        'F' => 1,
        'S' => 2,
        'R' => 4,
        'P' => 8,
        'A' => 16,
        _ => 0,
    };
    letters.chars().map(bit).fold(0, |flags, bit| flags | bit)
}

fn after<'a>(words: &[&'a str], word: &str) -> Option<&'a str> {
    let at = words.iter().position(|it| *it == word)?;
    words.get(at + 1).copied()
}

fn protocol(word: &str) -> Option<Protocol> {
    match word {
        "tcp" | "listen" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        "raw1" => Some(Protocol::Raw { ip_protocol: 1 }),
        "raw255" => Some(Protocol::Raw { ip_protocol: 255 }),
        _ => None,
    }
}

/// `7`, or `7b` for a later process with the same pid.
pub(super) fn process(name: &str) -> ProcessId {
    let (pid, start_ticks) = name.strip_suffix('b').map_or((name, 1), |pid| (pid, 2));
    ProcessId {
        boot: BOOT,
        pid: pid.parse().unwrap(),
        start_ticks,
    }
}

fn socket_key(words: &[&str]) -> Option<SocketKey> {
    let cookie = words.iter().find_map(|word| word.strip_prefix('#'))?;
    Some(SocketKey {
        inode: None,
        cookie: cookie.parse().ok(),
    })
}

fn endpoint(text: &str) -> Endpoint {
    match text.parse::<SocketAddr>() {
        Ok(address) => Endpoint::new(address.ip(), address.port()),
        Err(_) => Endpoint::without_port(text.parse().unwrap()),
    }
}

fn nanos(millis: &str) -> u64 {
    let (whole, part) = millis.split_once('.').unwrap_or((millis, ""));
    let part: u64 = format!("{part:0<6}").parse().unwrap();
    whole.parse::<u64>().unwrap() * 1_000_000 + part
}

fn stamp(nanos: u64) -> Timestamp {
    Timestamp::from_unix_nanos(BEGAN + i64::try_from(nanos).unwrap())
}

/// All words that say why there is no process.
pub(super) fn words() -> Vec<&'static str> {
    WhyNoProcess::ALL.map(WhyNoProcess::word).to_vec()
}
