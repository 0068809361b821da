//! Exchanges over UDP.

use super::*;
use crate::parse::quic::{VERSION_1, VERSION_2};

const ID: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn udp(port: u16, datagrams: &[(Side, Vec<u8>)]) -> Vec<String> {
    let mut all = Vec::new();
    let mut told = |seen: NameSeen| all.push(line(&seen));
    let mut names = UdpNames::new(40000, port);
    for (side, bytes) in datagrams {
        names.data(*side, bytes, &mut told);
    }
    names.end(&mut told);
    all
}

/// Datagrams of a client with one payload each.
fn client(version: u32, payloads: &[Vec<u8>]) -> Vec<(Side, Vec<u8>)> {
    payloads
        .iter()
        .zip(0..)
        .map(|(payload, number)| (Side::Client, seal(version, &ID, &ID, number, payload)))
        .collect()
}

fn frame(place: usize, bytes: &[u8]) -> Vec<u8> {
    let number = |number: usize| (u32::try_from(number).unwrap() | 0x8000_0000).to_be_bytes();
    [&[6][..], &number(place), &number(bytes.len()), bytes].concat()
}

const GREETED: &str = "sni a.example h2 q13d0104h2_0f2cb44170f4_";

fn check(all: &[String]) {
    assert!(matches!(all, [one] if one.starts_with(GREETED)), "{all:?}");
}

#[test]
fn reads_both_versions() {
    for version in [VERSION_1, VERSION_2] {
        let all = udp(443, &client(version, &[greeting_frame()]));
        assert!(
            matches!(&all[..], [one] if one.starts_with("sni example.com alpn q13d0211an_")),
            "{all:?}"
        );
    }
}

#[test]
fn puts_packets_together() {
    let hello = greeting("a.example", 1700);
    // The end first, then the beginning in two frames, of which one comes twice.
    let payloads = [
        frame(1200, &hello[1200..]),
        [frame(600, &hello[600..1200]), frame(600, &hello[600..1000])].concat(),
        frame(0, &hello[..700]),
    ];
    check(&udp(8443, &client(VERSION_1, &payloads)));
    // All in one datagram, behind each other.
    let one: Vec<u8> = client(VERSION_1, &payloads)
        .into_iter()
        .flat_map(|(_, bytes)| bytes)
        .collect();
    check(&udp(443, &[(Side::Client, one)]));
}

#[test]
fn a_retry_changes_the_keys() {
    let hello = greeting("a.example", 1700);
    let other = [9; 12];
    let first = frame(0, &hello[..1000]);
    let datagrams = [
        (Side::Client, seal(VERSION_1, &ID, &ID, 0, &first)),
        (
            Side::Server,
            [&[0xf0, 0, 0, 0, 1, 0, 12][..], &other, &[7; 30]].concat(),
        ),
        (Side::Client, seal(VERSION_1, &other, &other, 1, &first)),
        // The server's own name for the connection makes no keys.
        (
            Side::Client,
            seal(VERSION_1, &other, &[3; 4], 2, &frame(1000, &hello[1000..])),
        ),
    ];
    check(&udp(443, &datagrams));
}

#[test]
fn what_is_lost_gives_the_part_that_came() {
    let mut hello = greeting("a.example", 0);
    let length = hello.len();
    // More stands behind, by what the lengths say.
    hello[2] += 1;
    let all = udp(443, &client(VERSION_1, &[frame(0, &hello[..length])]));
    assert!(
        matches!(&all[..], [one] if one.starts_with("sni a.example h2")),
        "{all:?}"
    );
}

#[test]
fn reads_dtls() {
    let hello = greeting("a.example", 0);
    let body = [&hello[4..4 + 34], &[0, 0], &hello[4 + 35..]].concat();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    let datagram = |from: usize, to: usize| {
        let place = u32::try_from(from).unwrap().to_be_bytes();
        let part = u32::try_from(to - from).unwrap().to_be_bytes();
        let message = [
            &[1],
            &length[1..],
            &[0, 0],
            &place[1..],
            &part[1..],
            &body[from..to],
        ]
        .concat();
        let message_length = u16::try_from(message.len()).unwrap().to_be_bytes();
        [&[22, 0xfe, 0xff], &[0; 8][..], &message_length, &message].concat()
    };
    let end = body.len();
    let all = udp(
        5684,
        &[
            (Side::Client, datagram(40, end)),
            (Side::Client, datagram(0, 50)),
        ],
    );
    assert!(
        matches!(&all[..], [one] if one.starts_with("sni a.example h2 d13d0104h2_")),
        "{all:?}"
    );
}

#[test]
fn others_are_left_alone() {
    let mut names = UdpNames::new(40000, 9999);
    assert!(names.wants(Side::Client) && !names.wants(Side::Server));
    names.data(Side::Client, b"hello", &mut |seen| panic!("{seen:?}"));
    assert!(!names.wants(Side::Client));
    // Endless packets of a version that nobody knows.
    let mut names = UdpNames::new(40000, 443);
    for _ in 0..100 {
        names.data(Side::Client, &[0xc0, 9, 9, 9, 9, 0, 0, 0], &mut |seen| {
            panic!("{seen:?}")
        });
    }
    assert!(!names.wants(Side::Client));
}

#[test]
fn ports_tell_who_speaks_dns() {
    let asked = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01".to_vec();
    for (port, expected) in [(53, "dns"), (5353, "mdns"), (5355, "llmnr")] {
        assert_eq!(
            udp(port, &[(Side::Client, asked.clone())]),
            [format!("{expected} a.example ?1")]
        );
    }
    assert_eq!(udp(54, &[(Side::Client, asked)]), [""; 0]);
}

/// An answer to a device that said its name keeps it, though it does not repeat it.
#[test]
fn dhcp_knows_who_asked() {
    let message = |operation: u8, assigned: u8, options: &[u8]| {
        let mut bytes = vec![operation, 1, 6, 0, 0, 0, 0, 7];
        bytes.extend([0; 8]);
        bytes.extend([192, 0, 2, assigned]);
        bytes.extend([0; 8 + 16 + 64 + 128]);
        bytes.extend([99, 130, 83, 99]);
        bytes.extend(options);
        (
            if operation == 1 {
                Side::Client
            } else {
                Side::Server
            },
            bytes,
        )
    };
    let mut all = Vec::new();
    let mut names = UdpNames::new(68, 67);
    for (side, bytes) in [
        message(1, 0, b"\x35\x01\x03\x0c\x05phone\xff"),
        message(2, 9, b"\x35\x01\x05\x33\x04\0\0\0\x0a\xff"),
    ] {
        names.data(side, &bytes, &mut |seen| all.push(seen));
    }
    assert_eq!(all.iter().map(line).collect::<Vec<_>>(), ["dhcp phone"; 2]);
    assert!(all[0].answer.is_none() && all[0].source == NameSource::Dhcp);
    let answer = all[1].answer.as_ref().unwrap();
    assert_eq!(answer.addresses, [([192, 0, 2, 9].into(), 10)]);
}

proptest! {
    #[test]
    fn any_cut_and_order_gives_the_same(
        padding in 0_u16..3000,
        cuts in proptest::collection::vec(1_usize..900, 1..6),
        order in proptest::collection::vec(0_usize..10_000, 0..40),
    ) {
        let hello = greeting("a.example", padding);
        let (mut start, mut frames) = (0, Vec::new());
        while start < hello.len() {
            let end = (start + cuts[frames.len() % cuts.len()].max(200)).min(hello.len());
            frames.push(frame(start, &hello[start..end]));
            start = end;
        }
        for place in order {
            let length = frames.len();
            frames.swap(place % length, (place / 7) % length);
        }
        check(&udp(443, &client(VERSION_1, &frames)));
    }

    #[test]
    fn never_panics(port in 0_usize..9, parts in proptest::collection::vec((any::<bool>(), any::<Vec<u8>>()), 0..20)) {
        let ports = [53, 67, 68, 443, 546, 547, 5353, 5355, 9999];
        let mut names = UdpNames::new(40000, ports[port]);
        for (is_client, bytes) in parts {
            let side = if is_client { Side::Client } else { Side::Server };
            names.data(side, &bytes, &mut |_| {});
        }
        names.end(&mut |_| {});
    }
}
