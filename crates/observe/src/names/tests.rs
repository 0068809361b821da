use proptest::prelude::*;

use model::{Greeting, NameSeen, NameSource, Text};

use super::*;
use crate::parse::quic::tests::{greeting_frame, seal};
use crate::parse::tls::tests::{chrome, greeting, records};

mod captures;
mod udp;

/// The certificate's names, and what they come from.
const CERTIFICATE: &[u8] = include_bytes!("../../tests/data/certificate.der");

/// One thing that is told, in a line.
fn line(seen: &NameSeen) -> String {
    let name = seen.name.as_ref().map_or("-".into(), |name| name.lossy());
    let more = match seen.greeting.as_deref() {
        None => String::new(),
        Some(Greeting::Tls(tls)) => {
            let alpn: Vec<_> = tls.alpn.iter().map(Text::lossy).collect();
            let ja4 = tls.ja4.as_ref().map_or("-".into(), Text::lossy);
            format!(" {} {ja4}", alpn.join(","))
        }
        Some(Greeting::Http(http)) => {
            let text = |text: &Option<Text>| {
                text.as_ref()
                    .map_or("-".into(), |text| text.lossy().into_owned())
            };
            format!(
                " {} {} {}",
                text(&http.method),
                text(&http.target),
                text(&http.user_agent)
            )
        }
        Some(Greeting::Ssh { client, server }) => {
            let text = |text: &Option<Text>| {
                text.as_ref()
                    .map_or("-".into(), |text| text.lossy().into_owned())
            };
            format!(" {} {}", text(client), text(server))
        }
    };
    let question = seen
        .question
        .map_or(String::new(), |kind| format!(" ?{kind}"));
    format!("{} {name}{question}{more}", seen.source.word())
}

/// What is told of whole streams: in one call for each side, the client first.
fn tcp(port: u16, client: &[u8], server: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    let mut told = |seen: NameSeen| all.push(line(&seen));
    let mut names = TcpNames::new(port);
    names.data(Side::Client, None, client, &mut told);
    names.data(Side::Server, None, server, &mut told);
    all.sort();
    all
}

/// Likewise of parts that come in any order, some of them again, by their numbers.
fn tcp_in_parts(
    port: u16,
    client: &[u8],
    server: &[u8],
    cuts: &[usize],
    order: &[usize],
    first: u32,
) -> Vec<String> {
    let mut all = Vec::new();
    let mut told = |seen: NameSeen| all.push(line(&seen));
    let mut names = TcpNames::new(port);
    let mut parts = Vec::new();
    for (side, bytes) in [(Side::Client, client), (Side::Server, server)] {
        names.syn(side, first.wrapping_sub(1));
        let (mut start, mut turn) = (0, 0);
        while start < bytes.len() {
            let length = cuts
                .get(turn % cuts.len().max(1))
                .copied()
                .unwrap_or(bytes.len());
            let end = (start + length.max(1)).min(bytes.len());
            parts.push((side, start, &bytes[start..end]));
            (start, turn) = (end, turn + 1);
        }
    }
    for place in order {
        let length = parts.len();
        if length > 0 {
            // Changes places, and now and then sends one twice.
            parts.swap(place % length, (place / 7) % length);
            if place % 5 == 0 {
                parts.push(parts[place % length]);
            }
        }
    }
    for (side, start, bytes) in parts {
        let sequence = first.wrapping_add(u32::try_from(start).unwrap());
        names.data(side, Some(sequence), bytes, &mut told);
    }
    all.sort();
    all
}

fn check(port: u16, client: &[u8], server: &[u8], expected: &[&str]) {
    assert_eq!(tcp(port, client, server), expected);
    // One byte at a time.
    assert_eq!(tcp_in_parts(port, client, server, &[1], &[], 77), expected);
}

/// A greeting to a.example with so much padding, in records of so many bytes each.
fn hello(padding: u16, each: usize) -> Vec<u8> {
    records(&greeting("a.example", padding), each)
}

/// What is told of it.
fn greeted() -> String {
    let all = tcp(443, &hello(0, 5000), &[]);
    assert!(
        all[0].starts_with("sni a.example h2 t13d0104h2_0f2cb44170f4_"),
        "{all:?}"
    );
    all[0].clone()
}

/// What a server of TLS 1.2 says first.
fn server_flight(each: usize) -> Vec<u8> {
    let mut server_hello = vec![3, 3];
    server_hello.extend([9; 32]);
    server_hello.extend([0, 0xc0, 0x2b, 0]);
    let length = u32::try_from(CERTIFICATE.len()).unwrap();
    let list = [
        &(length + 3).to_be_bytes()[1..],
        &length.to_be_bytes()[1..],
        CERTIFICATE,
    ]
    .concat();
    let message = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind], &length[1..], body].concat()
    };
    records(
        &[
            message(2, &server_hello),
            message(11, &list),
            message(14, &[]),
        ]
        .concat(),
        each,
    )
}

const CERTIFIED: [&str; 3] = [
    "certificate *.example.net",
    "certificate example.com",
    "certificate www.example.com",
];

#[test]
fn it_is_small() {
    assert!(size_of::<TcpNames>() <= 48, "{}", size_of::<TcpNames>());
    assert!(size_of::<UdpNames>() <= 24, "{}", size_of::<UdpNames>());
}

#[test]
fn reads_tls() {
    check(443, &hello(0, 5000), &[], &[&greeted()]);
    check(
        8443,
        &chrome(),
        &[],
        &["sni content-autofill.googleapis.com h2,http/1.1 t13d1516h2_8daaf6152771_e5627efa2ab1"],
    );
    // Over several records, and as long as post-quantum ones are.
    for (padding, each) in [
        (0, 1),
        (1500, 900),
        (16_000, 16_384),
        (16_000, 400),
        (20_000, 16_384),
    ] {
        assert_eq!(
            tcp(443, &hello(padding, each), &[]),
            [greeted()],
            "{padding} {each}"
        );
    }
    let longer = tcp(443, &hello(40_000, 16_384), &[]);
    assert_eq!(longer, [""; 0]);
}

#[test]
fn reads_certificates_of_old_servers() {
    for each in [5000, 100, 7] {
        let mut expected: Vec<String> = CERTIFIED.map(String::from).to_vec();
        expected.push(greeted());
        assert_eq!(tcp(443, &hello(0, 5000), &server_flight(each)), expected);
    }
}

#[test]
fn reads_http() {
    check(
        80,
        b"GET /x HTTP/1.1\r\nHost: a.example\r\nUser-Agent: curl/8\r\n\r\nGET /y HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        &["host a.example GET /x curl/8"],
    );
    // What is greeted behind a proxy.
    let connect = b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
    check(
        3128,
        &[&connect[..], &hello(0, 5000)].concat(),
        b"HTTP/1.1 200 OK\r\n\r\n",
        &["host a.example CONNECT a.example:443 -", &greeted()],
    );
}

#[test]
fn a_later_request_may_say_the_host() {
    check(
        80,
        b"GET /x HTTP/1.0\r\n\r\nGET /y HTTP/1.0\r\n\r\nGET /z HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"",
        &["host - GET /x -", "host a.example GET /z -"],
    );
}

#[test]
fn says_that_a_greeting_was_not_understood() {
    let check = |port, client: &[u8], expected: bool| {
        let mut names = TcpNames::new(port);
        names.data(Side::Client, None, client, &mut |_| {});
        names.end(&mut |_| {});
        let beginning = client.get(..20).unwrap_or(client);
        assert_eq!(names.is_unread(), expected, "{port} {beginning:x?}");
    };
    let whole = hello(0, 5000);
    check(443, &whole, false);
    check(443, &hello(40_000, 16_384), true);
    check(4444, &hello(40_000, 16_384), true);
    check(443, &whole[..50], true);
    check(80, b"GET / HTTP/1.1\r\nX: 1\r\n", true);
    check(80, b"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n", false);
    check(80, b"GET / HTTP/1.0\r\n\r\n", false);
    // What stands before it is nothing that belongs there.
    check(443, &[&b"\0"[..], &whole].concat(), true);
    check(4444, &[&b"\0"[..], &whole].concat(), false);
    check(8080, &[&b"A"[..], &whole].concat(), true);
    check(80, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false);
    check(80, b"POST / HTTP/1.0\r\n\r\nbody", false);
    // It goes on with what was said before.
    check(443, b"\x17\x03\x03\0\x20", false);
}

#[test]
fn reads_ssh() {
    check(
        2222,
        b"SSH-2.0-Go\r\n\0\0\0",
        b"SSH-2.0-OpenSSH_9.2\r\n\0\0\0",
        &["ssh - - SSH-2.0-OpenSSH_9.2", "ssh - SSH-2.0-Go -"],
    );
    check(22, b"", b"hello\r\nSSH-2.0-x\n", &["ssh - - SSH-2.0-x"]);
}

#[test]
fn reads_dns_with_several_messages() {
    let message = |name: u8| {
        [
            b"\0\x1b\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01",
            &[name][..],
            b"\x07example\0\0\x01\0\x01",
        ]
        .concat()
    };
    let all = [message(b'a'), message(b'b'), message(b'c')].concat();
    check(
        53,
        &all,
        &[],
        &["dns a.example ?1", "dns b.example ?1", "dns c.example ?1"],
    );
}

/// The greeting that comes after plain text.
#[test]
fn reads_what_comes_after_text() {
    let tls = hello(0, 5000);
    let rdp = b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0";
    let confirmed = b"\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x0f\x08\0\x02\0\0\0";
    let ldap = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
    let xmpp = b"<?xml version='1.0'?><stream:stream to='a'><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
    for (port, client, server) in [
        (
            587,
            &b"EHLO me\r\nSTARTTLS\r\n"[..],
            &b"220 a ESMTP\r\n250-STARTTLS\r\n250 OK\r\n220 go\r\n"[..],
        ),
        (
            143,
            b"a1 CAPABILITY\r\na2 starttls\r\n",
            b"* OK\r\na1 OK\r\na2 OK\r\n",
        ),
        (110, b"STLS\r\n", b"+OK\r\n+OK\r\n"),
        (21, b"AUTH TLS\r\n", b"220 x\r\n234 y\r\n"),
        (5222, xmpp, b"<stream:stream><features/><proceed/>"),
        (
            389,
            ldap,
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0",
        ),
        (
            5432,
            b"\0\0\0\x08\x04\xd2\x16\x30\0\0\0\x08\x04\xd2\x16\x2f",
            b"NS",
        ),
        (3389, rdp, confirmed),
        (13389, rdp, confirmed),
    ] {
        let server = [server, &server_flight(5000)].concat();
        let mut expected: Vec<&str> = CERTIFIED.to_vec();
        let greeted = greeted();
        expected.push(&greeted);
        check(port, &[client, &tls].concat(), &server, &expected);
    }
}

#[test]
fn what_only_looks_like_it_is_left_alone() {
    let tls = hello(0, 5000);
    for (port, before) in [
        (587, &b"EHLO me\r\n"[..]),
        (587, b"EHLO me\r\nSTARTTLS"),
        (587, b"DATA\r\nSTARTTLS\r\n>"),
        (5222, b"<stream:stream>"),
        (
            3389,
            b"\x03\0\0\x13\x0e\xf0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
        ),
        (5432, b"\0\0\0\x08\0\x03\0\0"),
        (4444, b"xxxx"),
        (80, b"GET / HTTP/1.1\r\n\r\n"),
    ] {
        let all = tcp(port, &[before, &tls].concat(), &[]);
        assert!(
            all.iter().all(|line| !line.starts_with("sni")),
            "{port} {all:?}"
        );
    }
    let mut names = TcpNames::new(443);
    names.data(
        Side::Client,
        Some(1),
        b"\x16\x03\x01\x02\0\x02",
        &mut |seen| panic!("{seen:?}"),
    );
    assert!(!names.wants(Side::Client) && names.wants(Side::Server));
    names.data(Side::Server, Some(1), b"HTTP", &mut |seen| {
        panic!("{seen:?}")
    });
    assert!(!names.wants(Side::Server));
}

#[test]
fn what_is_lost_gives_the_part_that_came() {
    let mut all = Vec::new();
    let mut told = |seen: NameSeen| all.push(line(&seen));
    let mut names = TcpNames::new(443);
    let bytes = chrome();
    names.data(Side::Client, Some(5), &bytes[..300], &mut told);
    names.data(Side::Client, Some(405), &bytes[400..], &mut told);
    names.end(&mut told);
    assert!(!names.wants(Side::Client));
    assert_eq!(all, ["sni content-autofill.googleapis.com h2,http/1.1 -"]);
}

/// No more is kept than a bound, and whoever feeds it learns that he may stop.
#[test]
fn endless_input_ends() {
    for (port, first) in [
        (443, &b"\x16\x03\x01\x40\0\x01\0\x7f\xff"[..]),
        (80, b"GET /"),
        (587, b"a\n"),
        (22, b"SSH-"),
    ] {
        for gap in [0, 1] {
            let mut names = TcpNames::new(port);
            let mut sequence = 1;
            for part in [first]
                .into_iter()
                .chain(std::iter::repeat_n(&[b'a'; 1400][..], 200))
            {
                names.data(Side::Client, Some(sequence), part, &mut |seen| {
                    panic!("{seen:?}")
                });
                sequence += u32::try_from(part.len()).unwrap() + gap;
            }
            assert!(!names.wants(Side::Client), "{port} {gap}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_cut_and_order_gives_the_same(
        which in 0_usize..7,
        padding in 0_u16..3000,
        each in 50_usize..3000,
        cuts in proptest::collection::vec(1_usize..1460, 1..6),
        order in proptest::collection::vec(0_usize..10_000, 0..40),
        first: u32,
    ) {
        let tls = hello(padding, each);
        let dns = [&b"\0\x1b\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01"[..]; 9].concat();
        let (port, client, server) = match which {
            0 => (443, tls, server_flight(each)),
            1 => (80, b"POST http://a.example/ HTTP/1.1\r\nUser-Agent: x\r\n\r\n".to_vec(), b"HTTP/1.1".to_vec()),
            2 => (25, [b"EHLO me\r\nSTARTTLS\r\n", &tls[..]].concat(), [b"220 x\r\n220 y\r\n", &server_flight(each)[..]].concat()),
            3 => (53, dns.clone(), dns),
            4 => (22, b"SSH-2.0-a\r\n".to_vec(), b"SSH-2.0-b\r\n".to_vec()),
            5 => (5432, [b"\0\0\0\x08\x04\xd2\x16\x2f", &tls[..]].concat(), [b"S", &server_flight(each)[..]].concat()),
            _ => (25, b"GET / HTTP/1.0\r\nHost: a.example\r\n\r\n".to_vec(), Vec::new()),
        };
        let whole = tcp(port, &client, &server);
        prop_assert!(!whole.is_empty());
        prop_assert_eq!(tcp_in_parts(port, &client, &server, &cuts, &order, first), whole);
    }

    #[test]
    fn never_panics(
        port: u16,
        parts in proptest::collection::vec((any::<bool>(), proptest::option::of(0_u32..300), any::<Vec<u8>>()), 0..20),
    ) {
        let ports = [21, 22, 25, 53, 80, 389, 443, 3389, 5222, 5432];
        let mut names = TcpNames::new(ports[usize::from(port) % ports.len()]);
        for (is_client, sequence, bytes) in parts {
            let side = if is_client { Side::Client } else { Side::Server };
            names.data(side, sequence, &bytes, &mut |_| {});
        }
        names.end(&mut |_| {});
    }
}
