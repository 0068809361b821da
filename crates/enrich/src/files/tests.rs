//! What must hold of all formats, and what their own tests share.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

pub(super) fn content(text: &str, format: Format) -> Result<Content, Error> {
    match read_as(text.as_bytes().to_vec(), format, &Said::default())? {
        Loaded::Indicators(content) => Ok(content),
        Loaded::Table(_) => panic!("a table"),
    }
}

/// Also that it is recognised.
pub(super) fn check(text: &str, format: Format, expected: &[&str], skipped: u64) -> Content {
    assert_eq!(recognise::format(text.as_bytes()).unwrap(), format);
    let content = content(text, format).unwrap();
    let found: Vec<_> = content
        .indicators
        .iter()
        .map(|it| {
            let about = it.about.as_ref().map(|about| format!(" ({about})"));
            let value = &it.value;
            format!(
                "{} {value}{}",
                value.kind().word(),
                about.unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(content.skipped.count, skipped, "{:?}", content.skipped);
    content
}

fn refused(bytes: &[u8]) -> Error {
    match read(bytes, &Said::default()) {
        Err(error) => error,
        Ok(loaded) => panic!("{loaded:?}"),
    }
}

#[test]
fn what_is_no_list_is_refused_with_a_reason_and_a_help() {
    for (bytes, said) in [
        (&b""[..], "it is empty"),
        (b" \n\n", "it is empty"),
        (b"PK\x03\x04x", "it is a ZIP archive"),
        (b"<!DOCTYPE html>", "it is a web page or XML"),
        (b"a\0b\0\0\0\0\0\0c", "it is not text"),
        (
            b"{\"type\":\"bundle\",\"objects\":[",
            "it looks like JSON and is damaged at line 1, column 28: it is not complete, or not JSON",
        ),
        (
            b"hello\nworld\n",
            "read as plain list, it holds no indicator that was understood; 2 entries were skipped, the first at line 1: it is no address, name, hash, URL or path",
        ),
        (
            b"indicators:\n  -\n    type: github\n",
            "it is an index that tells where lists are published, not a list",
        ),
        (b"\x7fELF\x02", "it is a program"),
    ] {
        let error = refused(bytes);
        assert_eq!(error.to_string(), said);
        assert!(error.help().is_some());
    }
}

#[test]
fn the_encoding_does_not_matter() {
    let text = "domain,app\nb\u{fc}cher.example,Spy\n";
    let utf_16 = std::iter::once(0xfeff).chain(text.encode_utf16());
    let utf_16: Vec<u8> = utf_16.flat_map(u16::to_be_bytes).collect();
    let latin_1: Vec<u8> = text
        .chars()
        .map(|it| u8::try_from(u32::from(it)).unwrap())
        .collect();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for bytes in [text.as_bytes().to_vec(), utf_16, latin_1, marked] {
        let Loaded::Indicators(content) = read(bytes.as_slice(), &Said::default()).unwrap() else {
            panic!("a table");
        };
        assert_eq!(content.format, Format::Csv);
        assert_eq!(
            content.indicators[0].value.to_string(),
            "xn--bcher-kva.example"
        );
    }
}

#[test]
fn a_network_of_all_addresses_is_not_taken() {
    let content = content("0.0.0.0/0\n::/0\n192.0.2.0/24\n0.0.0.0\n", Format::List).unwrap();
    assert_eq!(content.indicators.len(), 1);
    assert_eq!(content.skipped.count, 3);
}

#[test]
fn a_value_that_is_too_long_is_skipped() {
    let text = format!("http://evil.example/{}\nevil.example\n", "a".repeat(3000));
    let content = content(&text, Format::List).unwrap();
    assert_eq!((content.indicators.len(), content.skipped.count), (1, 1));
}

/// Made to hurt: deep, long, of odd bytes. Each is read or refused, as every format, and what is
/// said of it is short.
#[test]
fn what_is_made_to_hurt_is_bounded() {
    const DEEP: usize = 1_000_000;
    const LONG: usize = 100_000;
    let long = "a".repeat(LONG);
    let mut files: Vec<Vec<u8>> = vec![
        "[".repeat(DEEP).into_bytes(),
        "{\"a\":".repeat(DEEP).into_bytes(),
        format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)).into_bytes(),
        format!("{{\"type\":\"bundle\",\"objects\":{}", "[".repeat(DEEP)).into_bytes(),
        format!("{{\"Event\":{}", "{\"Event\":".repeat(DEEP)).into_bytes(),
        format!("{{\"list\":{}", "[".repeat(DEEP)).into_bytes(),
        format!("{{\"iocs\":{}", "[".repeat(DEEP)).into_bytes(),
        // One line, one value, one member, one pattern; many fields, many quotes.
        long.clone().into_bytes(),
        format!("{long}.example\n").into_bytes(),
        format!("{{\"{long}\":\"{long}\"}}").into_bytes(),
        format!("{{\"type\":\"bundle\",\"objects\":[{{\"type\":\"indicator\",\"pattern\":\"[{long}\"}}]}}")
            .into_bytes(),
        format!("{{\"Event\":{{\"Orgc\":{{\"name\":\"{long}\"}},\"info\":\"{long}\"}}}}").into_bytes(),
        format!("domain,app\n{}", ",".repeat(LONG)).into_bytes(),
        "\"\n".repeat(LONG).into_bytes(),
        format!("- name: {long}\n  c2:\n    ips:\n").into_bytes(),
        format!("alert ip any any -> [{}] any (sid:1;)\n", "192.0.2.1,".repeat(10_000)).into_bytes(),
        // Bytes that are no text, or text in another way.
        vec![0; LONG],
        [&[0xff, 0xfe][..], &[0xd8; 4097]].concat(),
        [&[0xfe, 0xff][..], &[0xd8; 4097]].concat(),
        b"\xef\xbb\xbf\xef\xbb\xbfevil.example\r\n".to_vec(),
        b"evil.example\0\r\n\0worse.example\r".to_vec(),
        vec![0x80; LONG],
    ];
    // A gzip of a gzip is unpacked once.
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    packed.extend(vec![0; 100]);
    files.push(packed);
    files.push(b"PK\x03\x04".repeat(LONG));
    for bytes in files {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        // What is only deep would take long as a list of words.
        let formats = Format::ALL.into_iter().filter(|_| bytes.len() < DEEP);
        let as_any: Vec<_> = formats
            .map(|format| read_as(bytes.clone(), format, &Said::default()))
            .collect();
        for read in as_any
            .into_iter()
            .chain([read(bytes.as_slice(), &Said::default())])
        {
            match read {
                Ok(Loaded::Indicators(content)) => {
                    let said = [&content.name, &content.publisher, &content.licence];
                    for text in said.into_iter().flatten() {
                        assert!(text.len() <= 512, "{head}");
                    }
                }
                Ok(Loaded::Table(_)) => {}
                Err(error) => {
                    let text = error.to_string();
                    assert!(!text.is_empty() && text.len() < 1000, "{head}: {text}");
                }
            }
        }
    }
}

#[test]
fn ends_of_lines_marks_and_zeros_lose_nothing() {
    let check = |text: &[u8], expected: usize| {
        let Ok(Loaded::Indicators(content)) = read(text, &Said::default()) else {
            panic!("{}", String::from_utf8_lossy(text));
        };
        assert_eq!(content.indicators.len(), expected, "{content:?}");
    };
    check(b"evil.example\r\nworse.example\r\n", 2);
    check(b"\xef\xbb\xbfevil.example\r\nworse.example", 2);
    check(
        b"domain,app\r\nevil.example,\"a\r\nb\"\r\nworse.example,x\r\nc.example,x\r\nd.example,x\r\n",
        4,
    );
    let utf_16: Vec<u8> = "evil.example\r\nworse.example\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    check(&utf_16, 2);
    check(&[b"\xff\xfe".as_slice(), &utf_16].concat(), 2);
}

/// Of members with one name the first counts, everywhere.
#[test]
fn the_first_of_two_members_with_one_name_counts() {
    let text = r#"{"type":"bundle","objects":[
        {"type":"indicator","pattern":"[domain-name:value='first.example']","pattern":"[domain-name:value='other.example']"}]}"#;
    let found = content(text, Format::Stix).unwrap().indicators;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].value.to_string(), "first.example");
    let text = r#"{"Event":{"info":"x","Attribute":[
        {"type":"domain","value":"first.example","value":"other.example","to_ids":true}]}}"#;
    let found = content(text, Format::MispEvent).unwrap().indicators;
    assert_eq!(found[0].value.to_string(), "first.example");
}

/// Pieces of all formats, in any order.
fn any_text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("{\"type\":\"bundle\",\"objects\":[".to_owned()),
        Just("{\"type\":\"indicator\",\"pattern\":\"[domain-name:value='".to_owned()),
        Just("{\"Attribute\":[{\"type\":\"domain\",\"value\":\"a.b\"}".to_owned()),
        Just("{\"iocs\":[".to_owned()),
        Just("{\"list\":[\"a.b\"],\"type\":\"hostname\"".to_owned()),
        Just("- name: x\n  c2:\n    ips:\n    - ".to_owned()),
        Just("alert ip any any -> [192.0.2.1] any (msg:\"x\"; sid:1;)\n".to_owned()),
        Just("\"a\",\"b.c\"\n".to_owned()),
        Just("0.0.0.0 ".to_owned()),
        Just("192.0.2.0/24".to_owned()),
        Just("]}".to_owned()),
        "[\\[\\]{}\":,;'# \n.a-c0-3=()|\u{e4}-]{0,12}",
    ];
    vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn never_panics(text in any_text(), bytes in vec(any::<u8>(), 0..80)) {
        let _ = read(text.as_bytes(), &Said::default());
        let _ = read(bytes.as_slice(), &Said::default());
        for format in Format::ALL {
            let _ = read_as(text.clone().into_bytes(), format, &Said::default());
            let _ = read_as(bytes.clone(), format, &Said::default());
        }
    }
}
