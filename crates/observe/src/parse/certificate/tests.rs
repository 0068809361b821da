use proptest::prelude::*;

use super::*;

/// Made by OpenSSL: CN, three DNS names of which one is the same, an address and a mailbox.
const EXAMPLE: &[u8] = include_bytes!("../../../tests/data/certificate.der");

fn check(certificate: &[u8], expected: &[&str]) {
    let expected: Vec<_> = expected.iter().copied().map(Text::from).collect();
    assert_eq!(names(certificate), expected);
}

fn der(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[kind, 0x82], &length[..], &value].concat()
}

/// A certificate with only this subject, of version 1.
fn made(subject: &[u8]) -> Vec<u8> {
    let empty = der(SEQUENCE, &[]);
    let number = der(INTEGER, &[&[1]]);
    let signed = der(
        SEQUENCE,
        &[&number, &empty, &empty, &empty, subject, &empty],
    );
    der(SEQUENCE, &[&signed, &empty])
}

#[test]
fn reads_whom_it_is_for() {
    check(
        EXAMPLE,
        &["www.example.com", "example.com", "*.example.net"],
    );
}

#[test]
fn a_part_gives_what_is_in_it() {
    check(&EXAMPLE[..EXAMPLE.len() / 2], &[]);
    check(&[], &[]);
}

#[test]
fn texts_of_two_bytes_are_read() {
    let pair = der(
        SEQUENCE,
        &[
            &der(OBJECT, &[COMMON_NAME]),
            &der(WIDE_TEXT, &[b"\0a\x20\xac"]),
        ],
    );
    check(&made(&der(SEQUENCE, &[&der(SET, &[&pair])])), &["a€"]);
}

#[test]
fn limits_are_kept() {
    let object = der(OBJECT, &[COMMON_NAME]);
    let sets: Vec<u8> = (0..100_u8)
        .map(|number| {
            let text = der(0x0c, &[&[b'a' + number % 26, b'a' + number / 26]]);
            der(SET, &[&der(SEQUENCE, &[&object, &text])])
        })
        .collect::<Vec<_>>()
        .concat();
    assert_eq!(names(&made(&der(SEQUENCE, &[&sets]))).len(), MOST_NAMES);
    let long = der(SEQUENCE, &[&object, &der(0x0c, &[&[b'a'; 256]])]);
    check(&made(&der(SEQUENCE, &[&der(SET, &[&long])])), &[]);
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>) {
        let _ = names(&bytes);
    }

    #[test]
    fn never_panics_on_damage(at in 0..EXAMPLE.len(), byte: u8) {
        let mut bytes = EXAMPLE.to_vec();
        bytes[at] = byte;
        prop_assert!(names(&bytes).len() <= MOST_NAMES);
    }
}
