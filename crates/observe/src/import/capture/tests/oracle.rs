//! The same conversations as tshark finds, where it is installed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use model::NameSource;

use super::super::super::Options;
use super::super::super::format::{Format, Out};
use super::super::super::input::Input;
use super::super::super::tests::{corpus, read_file};
use super::super::{Capture, Records, pcap, pcapng};

const FILES: [&str; 30] = [
    "captures/agenttesla-ftp.pcap",
    "captures/agenttesla-smtp.pcap",
    "captures/asyncrat-1.pcap",
    "captures/asyncrat-2.pcap",
    "captures/caldera-manx-udp.pcap",
    "captures/caldera-sandcat.pcap",
    "captures/dns-txt-commands.pcap",
    "captures/dnscat2-direct.pcap",
    "captures/icmp-tunnel.pcap",
    "captures/long-connection.pcap",
    "captures/njrat-live.pcap",
    "captures/slips-test-cc-2.pcap",
    "captures/strrat.pcap",
    "imports/pcap/gopacket-pktap.pcap",
    "imports/pcap/pcapng-test001-be.pcapng",
    "imports/pcap/pcapng-test001-le.pcapng",
    "imports/pcap/pcapng-test016-be.pcapng",
    "imports/pcap/ptcpdump-curl-thread.pcapng",
    "imports/pcap/ptcpdump-curl-user.pcapng",
    "imports/pcap/ptcpdump-tcp.pcapng",
    "imports/pcap/slips-test-cc-capture-1.pcap",
    "imports/pcap/slips-test8-malicious.pcap",
    "imports/pcap/zeek-dns-ech.pcap",
    "imports/pcap/zeek-dns-long-connection.pcap",
    "imports/pcap/zeek-dns-mdns.pcap",
    "imports/pcap/zeek-quic-chromium-115.0.5790.110-api-cirrus-com.pcap",
    "imports/pcap/zeek-quic-quic-multiple-initial-fragmented-crypto.pcap",
    "imports/pcap/zeek-quic-quicv2-http3-443.pcap",
    "imports/pcap/zeek-tls-chrome-1250-tls-x25519-kyber.pcap",
    "imports/pcap/zeek-tls-ecdhe.pcap",
];

type End = (IpAddr, u16);

/// What each end sent: packets, their bytes with all headers, and payload that counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Sent {
    packets: u64,
    frame_bytes: u64,
    bytes: u64,
}

/// Every conversation: its ends, the lesser first, and what each sent. TCP has one for each time
/// that it opened; those of UDP between the same ends stand together, since tshark does not part
/// them when they were silent.
type Conversations = Vec<((End, End), [Sent; 2])>;

#[test]
fn conversations_are_those_of_tshark() {
    if Command::new("tshark").arg("-v").output().is_err() {
        left_out("tshark");
        return;
    }
    for file in FILES {
        let Some(path) = corpus(file) else { continue };
        let is_pcapng = file.contains("pcapng");
        let ours = if is_pcapng {
            ours::<pcapng::Records>(&path)
        } else {
            ours::<pcap::Records>(&path)
        };
        for (protocol, ours) in [("tcp", ours.0), ("udp", ours.1)] {
            assert_eq!(ours, theirs(&path, protocol), "{protocol} of {file}");
        }
    }
}

#[test]
fn names_are_those_of_tshark() {
    if Command::new("tshark").arg("-v").output().is_err() {
        left_out("tshark");
        return;
    }
    for file in FILES {
        let Some(path) = corpus(file) else { continue };
        let read = read_file(&path);
        let of = |sources: &[NameSource]| -> BTreeSet<String> {
            let names = read.names().map(|(_, seen)| seen);
            let names = names.filter(|seen| sources.contains(&seen.source));
            let names = names.filter_map(|seen| seen.name.as_ref());
            names.map(|name| name.lossy().to_lowercase()).collect()
        };
        let (greeted, asked) = tshark_names(&path);
        let mut found = of(&[NameSource::Sni]);
        if file.ends_with("ptcpdump-curl-user.pcapng") {
            // The greeting is longer than what was captured of it; there tshark 4.0 reads nothing.
            assert!(found.remove("kernel.org"));
        }
        assert_eq!(found, greeted, "SNI of {file}");
        let found = of(&[NameSource::Dns, NameSource::Mdns, NameSource::Llmnr]);
        let missing: Vec<_> = asked.difference(&found).collect();
        assert!(missing.is_empty(), "DNS of {file}: {missing:?}");
    }
}

/// Names that TLS greeted by, and names that DNS asked for.
fn tshark_names(path: &Path) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-E", "aggregator= "]);
    tshark.args(["-e", "tls.handshake.extensions_server_name"]);
    tshark.args(["-e", "dns.qry.name", "-r"]);
    let output = tshark.arg(path).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
    let words = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
    let (mut greeted, mut asked) = (BTreeSet::new(), BTreeSet::new());
    for (first, second) in text.lines().filter_map(|line| line.split_once('\t')) {
        greeted.extend(words(first));
        asked.extend(words(second));
    }
    greeted.remove("");
    asked.remove("");
    (greeted, asked)
}

fn ours<R: Records>(path: &Path) -> (Conversations, Conversations) {
    let mut input = Input::open(File::open(path).expect("it is there")).expect("readable");
    let mut out = Out::new(input.source(), Options::default());
    let mut capture = Capture::<R>::default();
    while capture.read(&mut input, &mut out).expect("readable") {}
    let (mut tcp, mut udp) = (Vec::new(), BTreeMap::new());
    for (key, conversation) in &capture.book.finished {
        let end = |end| (key.ip(end), key.port(end));
        let mut ends = [0, 1].map(|place| {
            let sent = conversation.of(place);
            let sent = Sent {
                packets: sent.packets,
                frame_bytes: sent.frame_bytes,
                bytes: sent.bytes,
            };
            (end(place), sent)
        });
        ends.sort_by_key(|(end, _)| *end);
        let [first, second] = ends;
        if key.is_tcp() {
            tcp.push(((first.0, second.0), [first.1, second.1]));
        } else if key.is_udp() {
            let sum: &mut [Sent; 2] = udp.entry((first.0, second.0)).or_default();
            for (sum, sent) in sum.iter_mut().zip([first.1, second.1]) {
                sum.packets += sent.packets;
                sum.frame_bytes += sent.frame_bytes;
                sum.bytes += sent.bytes;
            }
        }
    }
    tcp.sort_unstable();
    (tcp, udp.into_iter().collect())
}

fn theirs(path: &Path, protocol: &str) -> Conversations {
    let length = if protocol == "tcp" {
        "tcp.len"
    } else {
        "udp.length"
    };
    let fields = [
        format!("{protocol}.stream"),
        "ip.src".to_owned(),
        "ipv6.src".to_owned(),
        format!("{protocol}.srcport"),
        "ip.dst".to_owned(),
        "ipv6.dst".to_owned(),
        format!("{protocol}.dstport"),
        "frame.len".to_owned(),
        length.to_owned(),
        "tcp.seq_raw".to_owned(),
        "tcp.flags.syn".to_owned(),
    ];
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-E", "occurrence=f", "-r"]);
    tshark.arg(path).arg("-Y");
    // What an ICMP error quotes did not pass by.
    tshark.arg(format!("{protocol} && !icmp && !icmpv6"));
    for field in &fields {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().expect("it runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let mut parts: BTreeMap<(String, bool), Vec<(u64, u64)>> = BTreeMap::new();
    let mut streams: BTreeMap<String, ((End, End), [Sent; 2])> = BTreeMap::new();
    for line in text.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [
            stream,
            from4,
            from6,
            from_port,
            to4,
            to6,
            to_port,
            frame_bytes,
            bytes,
            sequence,
            syn,
        ] = columns[..]
        else {
            panic!("{line}");
        };
        let end = |v4: &str, v6: &str, port: &str| -> End {
            let ip: IpAddr = if v4.is_empty() { v6 } else { v4 }
                .parse()
                .expect("an address");
            (ip.to_canonical(), port.parse().expect("a port"))
        };
        let (from, to) = (end(from4, from6, from_port), end(to4, to6, to_port));
        let ends = (from.min(to), from.max(to));
        let stream = match protocol {
            "tcp" => stream.to_owned(),
            _ => format!("{ends:?}"),
        };
        let (_, sent) = streams
            .entry(stream.clone())
            .or_insert((ends, Default::default()));
        let sent = &mut sent[usize::from(from > to)];
        let number = |text: &str| text.parse::<u64>().expect("a number");
        sent.packets += 1;
        sent.frame_bytes += number(frame_bytes);
        if protocol == "udp" {
            sent.bytes += number(bytes) - 8;
        } else {
            let begin = number(sequence) + number(syn);
            let parts: &mut Vec<_> = parts.entry((stream, from > to)).or_default();
            parts.push((begin, begin + number(bytes)));
        }
    }
    for ((stream, is_second), parts) in parts {
        if let Some((_, sent)) = streams.get_mut(&stream) {
            sent[usize::from(is_second)].bytes = covered(parts);
        }
    }
    let mut conversations: Conversations = streams.into_values().collect();
    conversations.sort_unstable();
    conversations
}

/// How many bytes these parts are together, each counted once; none goes once around.
fn covered(mut parts: Vec<(u64, u64)>) -> u64 {
    parts.sort_unstable();
    let (mut bytes, mut until) = (0, 0);
    for (begin, end) in parts {
        bytes += end.saturating_sub(begin.max(until));
        until = until.max(end);
    }
    bytes
}

#[expect(clippy::print_stderr, reason = "a test says when it is left out")]
fn left_out(what: &str) {
    eprintln!("left out: {what} is not here");
}
