//! Captures of others, held against what tshark reads out of them. They do not come with the
//! program: `WHOCALLS_CAPTURES` names their folder (`shared/corpus/imports/pcap` beside the repository
//! if it is not set), and a test that misses one says so.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::parse::cursor::Cursor;

#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn skipped(what: &str) {
    eprintln!("skipped: {what} is not there");
}

fn capture(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("WHOCALLS_CAPTURES").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/imports/pcap"),
        PathBuf::from,
    );
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    skipped(name);
    None
}

/// Source, destination and payload; of TCP the number of its first byte too, and whether it is a SYN.
struct Segment<'a> {
    ends: [(IpAddr, u16); 2],
    tcp: Option<(u32, bool)>,
    payload: &'a [u8],
}

/// A packet of Ethernet, raw IP or Linux "cooked" v1, without fragments.
fn segment(link: u32, packet: &[u8]) -> Option<Segment<'_>> {
    let mut rest = Cursor::new(packet);
    rest.take(match link {
        1 => 14,
        113 => 16,
        _ => 0,
    })?;
    let ip = rest.rest();
    let (protocol, source, destination, header, length) = match ip.first()? >> 4 {
        4 => {
            let address =
                |at: usize| Some(IpAddr::from(<[u8; 4]>::try_from(ip.get(at..at + 4)?).ok()?));
            let length = u16::from_be_bytes([*ip.get(2)?, *ip.get(3)?]);
            let header = usize::from(ip[0] & 15) * 4;
            (
                *ip.get(9)?,
                address(12)?,
                address(16)?,
                header,
                usize::from(length),
            )
        }
        6 => {
            let address = |at: usize| {
                Some(IpAddr::from(
                    <[u8; 16]>::try_from(ip.get(at..at + 16)?).ok()?,
                ))
            };
            let length = u16::from_be_bytes([*ip.get(4)?, *ip.get(5)?]);
            (
                *ip.get(6)?,
                address(8)?,
                address(24)?,
                40,
                usize::from(length) + 40,
            )
        }
        _ => return None,
    };
    let mut rest = Cursor::new(ip.get(header..length).or(ip.get(header..))?);
    let whole = rest.rest();
    let ends = [(source, rest.u16()?), (destination, rest.u16()?)];
    match protocol {
        6 => {
            let sequence = rest.u32()?;
            let payload = whole.get(usize::from(*whole.get(12)? >> 4) * 4..)?;
            let is_syn = whole.get(13)? & 2 != 0;
            Some(Segment {
                ends,
                tcp: Some((sequence, is_syn)),
                payload,
            })
        }
        17 => Some(Segment {
            ends,
            tcp: None,
            payload: whole.get(8..)?,
        }),
        _ => None,
    }
}

enum Names {
    Tcp(TcpNames),
    Udp(UdpNames),
}

/// Everything that is told of a capture (classic pcap, little-endian).
fn read(path: &Path) -> Vec<NameSeen> {
    let bytes = std::fs::read(path).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(number(0), 0xa1b2_c3d4, "{}", path.display());
    let link = number(20);
    let mut all = Vec::new();
    let mut told = |seen| all.push(seen);
    let mut names: BTreeMap<_, (_, Names)> = BTreeMap::new();
    let mut at = 24;
    while at + 16 <= bytes.len() {
        let length = usize::try_from(number(at + 8)).unwrap();
        let packet = bytes.get(at + 16..at + 16 + length);
        at += 16 + length;
        let Some(Segment { ends, tcp, payload }) = packet.and_then(|packet| segment(link, packet))
        else {
            continue;
        };
        let mut key = ends;
        key.sort();
        let (client, names) = names.entry((key, tcp.is_some())).or_insert_with(|| {
            let (client, server) = (ends[0].1, ends[1].1);
            let names = match tcp {
                Some(_) => Names::Tcp(TcpNames::new(server)),
                None => Names::Udp(UdpNames::new(client, server)),
            };
            (ends[0], names)
        });
        let side = if *client == ends[0] {
            Side::Client
        } else {
            Side::Server
        };
        match (names, tcp) {
            (Names::Tcp(names), Some((sequence, true))) => names.syn(side, sequence),
            (Names::Tcp(names), Some((sequence, false))) => {
                names.data(side, Some(sequence), payload, &mut told);
            }
            (Names::Udp(names), _) => names.data(side, payload, &mut told),
            _ => {}
        }
    }
    all
}

/// The different values of each of some fields that tshark gives. `None`: there is no tshark.
fn tshark<const N: usize>(path: &Path, fields: [&str; N]) -> Option<[BTreeSet<String>; N]> {
    let mut command = Command::new("tshark");
    command.args([
        "-n",
        "-T",
        "fields",
        "-E",
        "separator=|",
        "-E",
        "aggregator=\t",
    ]);
    for field in fields {
        command.args(["-e", field]);
    }
    let Ok(output) = command.arg("-r").arg(path).output() else {
        skipped("tshark");
        return None;
    };
    let text = String::from_utf8(output.stdout).unwrap();
    let mut all = [const { BTreeSet::new() }; N];
    for line in text.lines() {
        for (values, all) in line.split('|').zip(&mut all) {
            let values = values.split('\t').filter(|value| !value.is_empty());
            all.extend(values.map(String::from));
        }
    }
    Some(all)
}

fn of(all: &[NameSeen], sources: &[NameSource]) -> BTreeSet<String> {
    all.iter()
        .filter(|seen| sources.contains(&seen.source))
        .filter_map(|seen| Some(seen.name.as_ref()?.lossy().into_owned()))
        .collect()
}

fn check(name: &str) {
    let Some(path) = capture(name) else { return };
    let all = read(&path);
    let fields = [
        "tls.handshake.extensions_server_name",
        "tls.handshake.extensions_alpn_str",
        "dns.qry.name",
        "http.host",
    ];
    let Some([servers, chosen, mut asked, hosts]) = tshark(&path, fields) else {
        return;
    };
    // tshark 4.0 does not put the QUIC packets of every order together; more is no fault.
    let read = of(&all, &[NameSource::Sni]);
    assert!(
        read.is_superset(&servers),
        "{name}: {read:?}, tshark {servers:?}"
    );
    let offered: BTreeSet<String> = all
        .iter()
        .filter_map(|seen| match seen.greeting.as_deref() {
            Some(Greeting::Tls(tls)) => Some(&tls.alpn),
            _ => None,
        })
        .flatten()
        .map(|protocol| protocol.lossy().into_owned())
        .collect();
    assert!(
        offered.is_superset(&chosen),
        "{name}: {offered:?}, tshark {chosen:?}"
    );
    // Multicast has requests in datagrams (SSDP), which greet nobody.
    let hosts: BTreeSet<String> = hosts
        .into_iter()
        .filter(|host| !host.starts_with("239.") && !host.starts_with("[FF02"))
        .map(|host| {
            host.rsplit_once(':')
                .map_or(host.clone(), |(name, _)| name.into())
        })
        .collect();
    // Only the first request of each connection is read.
    let read = of(&all, &[NameSource::Host]);
    assert!(read.is_subset(&hosts), "{name}: {read:?}, tshark {hosts:?}");
    assert_eq!(
        read.is_empty(),
        hosts.is_empty(),
        "{name}: {read:?}, tshark {hosts:?}"
    );
    asked.remove("<Root>");
    let read = of(
        &all,
        &[NameSource::Dns, NameSource::Mdns, NameSource::Llmnr],
    );
    assert!(
        read.is_superset(&asked),
        "{name}: {read:?}, tshark {asked:?}"
    );
}

macro_rules! as_tshark {
    ($($test:ident $name:literal)*) => {
        $(#[test]
        fn $test() {
            check($name);
        })*
    };
}

as_tshark! {
    quic_chromium "zeek-quic-chromium-115.0.5790.110-api-cirrus-com.pcap"
    quic_in_fragments "zeek-quic-quic-multiple-initial-fragmented-crypto.pcap"
    quic_version_2 "zeek-quic-quicv2-http3-443.pcap"
    tls_chrome_kyber "zeek-tls-chrome-1250-tls-x25519-kyber.pcap"
    tls_ecdhe "zeek-tls-ecdhe.pcap"
    dns_ech "zeek-dns-ech.pcap"
    dns_long_connection "zeek-dns-long-connection.pcap"
    dns_mdns "zeek-dns-mdns.pcap"
    many_connections "slips-test-cc-capture-1.pcap"
    ftp "../../captures/agenttesla-ftp.pcap"
    smtp "../../captures/agenttesla-smtp.pcap"
    own_certificate "../../captures/asyncrat-1.pcap"
    browsers "../../captures/asyncrat-2.pcap"
    dns_texts "../../captures/dns-txt-commands.pcap"
    dns_tunnel "../../captures/dnscat2-direct.pcap"
    many_questions "../../captures/slips-test-cc-2.pcap"
    http "../../captures/njrat-live.pcap"
}

/// What the captures are known for.
#[test]
fn certificates_are_read() {
    let Some(path) = capture("../../captures/asyncrat-1.pcap") else {
        return;
    };
    assert_eq!(
        of(&read(&path), &[NameSource::Certificate]),
        BTreeSet::from(["AsyncRAT Server".into()])
    );
}

/// Addresses as tshark has them, for each name that was asked.
#[test]
fn answers_are_read() {
    let Some(path) = capture("../../captures/slips-test-cc-2.pcap") else {
        return;
    };
    let Some([expected]) = tshark(&path, ["dns.a"]) else {
        return;
    };
    let mut read_addresses = BTreeSet::new();
    let mut times: HashMap<Text, u32> = HashMap::new();
    for seen in read(&path) {
        for (address, ttl) in seen.answer.into_iter().flat_map(|answer| answer.addresses) {
            if address.is_ipv4() {
                read_addresses.insert(address.to_string());
            }
            times.insert(seen.name.clone().unwrap(), ttl);
        }
    }
    assert!(!read_addresses.is_empty() && read_addresses.is_subset(&expected));
    assert!(times.values().any(|ttl| *ttl > 0));
}
