use proptest::prelude::*;

use super::*;

/// A message with these counts; what is written follows.
fn message(flags: u16, counts: [u16; 4], rest: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0, 7];
    bytes.extend(flags.to_be_bytes());
    bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    bytes.extend(rest.concat());
    bytes
}

fn record(owner: &[u8], kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = owner.to_vec();
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(ttl.to_be_bytes());
    bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(data);
    bytes
}

const ASKED: &[u8] = b"\x01a\x07example\0\0\x01\0\x01";
/// The name of the question, and `example` in it.
const THERE: &[u8] = b"\xc0\x0c";

fn read(bytes: &[u8], among_neighbours: bool) -> Vec<Said> {
    let mut all = Vec::new();
    said(bytes, among_neighbours, |said| all.push(said));
    all
}

fn check(bytes: &[u8], name: &str, kind: u16, expected: Option<Answer>) {
    let expected = expected.map(|answer| Answer {
        bytes: u32::try_from(bytes.len()).unwrap(),
        ..answer
    });
    assert_eq!(
        read(bytes, false),
        [Said {
            name: name.into(),
            kind,
            answer: expected,
        }]
    );
}

fn addresses(all: &[(&str, u32)]) -> Vec<(IpAddr, u32)> {
    all.iter()
        .map(|(address, ttl)| (address.parse().unwrap(), *ttl))
        .collect()
}

#[test]
fn reads_a_question() {
    check(
        &message(0x0100, [1, 0, 0, 0], &[ASKED]),
        "a.example",
        1,
        None,
    );
}

#[test]
fn follows_aliases_in_any_order() {
    // a.example is b.example is c.example, of which the addresses are.
    let records = [
        record(THERE, CNAME, 60, b"\x01B\xc0\x0e"),
        record(b"\x01b\xc0\x0e", CNAME, 50, b"\x01c\xc0\x0e"),
        record(b"\x01C\x07Example\0", A, 300, &[192, 0, 2, 7]),
        record(b"\x01c\xc0\x0e", AAAA, 20, &[0x20; 16]),
        // Somebody else's.
        record(b"\x04bank\xc0\x0e", A, 9, &[192, 0, 2, 66]),
    ];
    let expected = Answer {
        aliases: vec!["B.example".into(), "c.example".into()],
        addresses: addresses(&[
            ("192.0.2.7", 300),
            ("2020:2020:2020:2020:2020:2020:2020:2020", 20),
        ]),
        ..Answer::default()
    };
    let mut parts: Vec<&[u8]> = vec![ASKED];
    parts.extend(records.iter().map(Vec::as_slice));
    check(
        &message(0x8180, [1, 5, 0, 0], &parts),
        "a.example",
        1,
        Some(expected.clone()),
    );
    parts[1..].reverse();
    let reversed = message(0x8180, [1, 5, 0, 0], &parts);
    let answer = read(&reversed, false).remove(0).answer.unwrap();
    assert_eq!(answer.aliases, expected.aliases);
    assert_eq!(answer.addresses.len(), 2);
}

#[test]
fn aliases_end() {
    let circle = [
        record(THERE, CNAME, 60, b"\x01b\xc0\x0e"),
        record(b"\x01b\xc0\x0e", CNAME, 60, b"\x01A\xc0\x0e"),
    ];
    let bytes = message(0x8180, [1, 2, 0, 0], &[ASKED, &circle[0], &circle[1]]);
    let aliases = vec!["b.example".into()];
    check(
        &bytes,
        "a.example",
        1,
        Some(Answer {
            aliases,
            ..Answer::default()
        }),
    );
}

#[test]
fn reads_codes_and_texts() {
    let missing = Answer {
        code: 3,
        ..Answer::default()
    };
    check(
        &message(0x8183, [1, 0, 0, 0], &[ASKED]),
        "a.example",
        1,
        Some(missing),
    );
    let text = record(THERE, TXT, 5, b"\x03v=x\x02 y");
    let longer = record(THERE, TXT, 60, b"\x01z");
    let bytes = message(
        0x8180,
        [1, 2, 0, 0],
        &[b"\x01a\x07example\0\0\x10\0\x01", &text, &longer],
    );
    let texts = vec!["v=x y".into(), "z".into()];
    check(
        &bytes,
        "a.example",
        16,
        Some(Answer {
            texts,
            text_ttl: Some(5),
            ..Answer::default()
        }),
    );
}

#[test]
fn what_is_cut_gives_what_is_there() {
    let one = record(THERE, A, 300, &[192, 0, 2, 7]);
    let bytes = message(0x8180, [1, 2, 0, 0], &[ASKED, &one, &one[..9]]);
    let addresses = addresses(&[("192.0.2.7", 300)]);
    check(
        &bytes,
        "a.example",
        1,
        Some(Answer {
            addresses,
            ..Answer::default()
        }),
    );
}

#[test]
fn pointers_go_back_only() {
    for target in [12_u8, 14, 40, 255] {
        let bytes = message(
            0x0100,
            [1, 0, 0, 0],
            &[b"\x01a\xc0", &[target], b"\0\x01\0\x01"],
        );
        assert_eq!(read(&bytes, false), [], "{target}");
    }
    // A name that grows with each pointer is still no longer than a name may be.
    let mut parts = vec![[&[63][..], &[b'a'; 63], &[0]].concat()];
    for number in 0..10_u16 {
        let target = (0xc000 + 12 + number * 66_u16.min(65 + number.min(1))).to_be_bytes();
        parts.push([&[63][..], &[b'b'; 63], &target].concat());
    }
    let bytes = [&[0; 12][..], &parts.concat()].concat();
    for at in 12..bytes.len() {
        if let Some((name, _)) = name(&bytes, at) {
            assert!(name.bytes().len() <= 254);
        }
    }
}

#[test]
fn neighbours_announce_without_a_question() {
    let records = [
        record(b"\x05phone\x05local\0", A, 120, &[192, 0, 2, 7]),
        record(b"\x05Phone\x05local\0", A, 120, &[192, 0, 2, 8]),
        record(b"\xc0\x0c", AAAA, 120, &[0x20; 16]),
        record(b"\xc0\x0c", 47, 120, b""),
    ];
    let bytes = message(0x8400, [0, 1, 0, 3], &[&records.concat()]);
    let all = read(&bytes, true);
    let told: Vec<_> = all
        .iter()
        .map(|said| {
            let answer = said.answer.as_ref().unwrap();
            (
                said.name.as_utf8().unwrap(),
                said.kind,
                answer.addresses.len(),
            )
        })
        .collect();
    assert_eq!(told, [("phone.local", 1, 2), ("phone.local", 28, 1)]);
    assert_eq!(read(&bytes, false), []);
}

#[test]
fn neighbours_ask_several_at_once() {
    let bytes = message(0, [2, 0, 0, 0], &[ASKED, b"\x01b\xc0\x0e\0\x1c\x80\x01"]);
    let names: Vec<_> = read(&bytes, true)
        .into_iter()
        .map(|said| said.name)
        .collect();
    assert_eq!(names, ["a.example".into(), "b.example".into()]);
    assert_eq!(read(&bytes, false).len(), 1);
}

#[test]
fn others_are_left_alone() {
    assert_eq!(read(&message(0x2800, [1, 0, 0, 0], &[ASKED]), false), []);
    assert_eq!(read(&message(0x0100, [0; 4], &[]), false), []);
    assert_eq!(read(b"GET / HTTP/1.1\r\n\r\n", false), []);
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, among_neighbours: bool) {
        let _ = read(&bytes, among_neighbours);
        let counted = message(0x8180, [1, 9, 9, 9], &[&bytes]);
        prop_assert!(read(&counted, among_neighbours).len() <= MOST_NAMES);
    }
}
