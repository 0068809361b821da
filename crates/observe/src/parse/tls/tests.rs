use proptest::prelude::*;

use super::*;
use crate::parse::quic::tests::hex;

/// What Chrome 106 greets with (CyberChef, tests/operations/tests/JA4.mjs, Apache-2.0): a record.
pub(crate) fn chrome() -> Vec<u8> {
    let mut record = hex("1603010200010001fc0303b2c03e7ba990ef540c316a665d4d925f8e9079ac4b15687e58
        7dc99016e75a6c20d0b0099243c9296a0c84153ea4ada7d87ad017f4211c2ea1350b0b3cc5514d5f00205a5a130113
        021303c02bc02fc02cc030cca9cca8c013c014009c009d002f003501000193fafa000000000024002200001f636f6e
        74656e742d6175746f66696c6c2e676f6f676c65617069732e636f6d0033002b00293a3a000100001d0020fb2cd8ef
        3d605b96ab03119ec4f30a6e2088cb1af86c41a81feace8706068c50000d0012001004030804040105030805050108
        06060100230000000b00020100ff01000100000a000a00083a3a001d00170018001b00030200024469000500030268
        3200120000002d000201010010000e000c02683208687474702f312e31000500050100000000002b0007060a0a0304
        0303001700001a1a000100001500b8");
    record.resize(5 + 512, 0);
    record
}

/// A greeting, with as many bytes of padding as are wanted.
pub(crate) fn greeting(name: &str, padding: u16) -> Vec<u8> {
    let name_length = u16::try_from(name.len()).unwrap();
    let mut extensions = Vec::new();
    let mut extension = |kind: u16, value: &[u8]| {
        extensions.extend(kind.to_be_bytes());
        extensions.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        extensions.extend(value);
    };
    // Padding first: the name comes late, and in a later part.
    extension(21, &vec![0; usize::from(padding)]);
    let mut list = (name_length + 3).to_be_bytes().to_vec();
    list.push(0);
    list.extend(name_length.to_be_bytes());
    list.extend(name.as_bytes());
    extension(SERVER_NAME, &list);
    extension(ALPN, b"\0\x03\x02h2");
    extension(SUPPORTED_VERSIONS, &[2, 3, 4]);
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[CLIENT_HELLO], &length[1..], &body].concat()
}

/// Puts a message into records with so many bytes of it each.
pub(crate) fn records(message: &[u8], each: usize) -> Vec<u8> {
    message
        .chunks(each)
        .flat_map(|part| {
            let length = u16::try_from(part.len()).unwrap().to_be_bytes();
            [&[HANDSHAKE, 3, 1], &length[..], part].concat()
        })
        .collect()
}

#[test]
fn reads_a_browser() {
    let record_bytes = chrome();
    assert_eq!(record(&record_bytes), Ok(Some((HANDSHAKE, 512))));
    assert_eq!(message(&record_bytes[5..]), Some((CLIENT_HELLO, 512)));
    let hello = ClientHello::read(&record_bytes[9..], false).unwrap();
    assert!(hello.is_whole && !hello.offers_ech());
    assert_eq!(
        hello.server_name(),
        Some(&b"content-autofill.googleapis.com"[..])
    );
    let protocols: Vec<_> = hello.protocols().collect();
    assert_eq!(protocols, [&b"h2"[..], b"http/1.1"]);
}

#[test]
fn a_part_gives_what_is_in_it() {
    let record = chrome();
    let cut = ClientHello::part(&record[9..200]).unwrap();
    assert_eq!(
        cut.server_name(),
        Some(&b"content-autofill.googleapis.com"[..])
    );
    assert_eq!(cut.protocols().count(), 0);
    for length in 0..record.len() - 9 {
        let hello = ClientHello::part(&record[9..9 + length]);
        assert!(hello.is_none_or(|hello| !hello.is_whole), "{length}");
    }
}

#[test]
fn old_clients_have_no_extensions() {
    let mut body = vec![3, 1];
    body.extend([7; 32]);
    body.extend([0, 0, 4, 0, 5, 0, 10, 1, 0]);
    let hello = ClientHello::read(&body, false).unwrap();
    assert!(hello.is_whole);
    assert_eq!(
        (hello.version, hello.ciphers.len(), hello.server_name()),
        (0x0301, 4, None)
    );
}

#[test]
fn what_is_no_record_is_refused() {
    assert_eq!(record(&[]), Ok(None));
    assert_eq!(record(&[22, 3, 1, 0]), Ok(None));
    for wrong in [
        &b"GET "[..],
        &[22, 2],
        &[22, 3, 9, 0, 1],
        &[22, 3, 1, 0, 0],
        &[22, 3, 1, 0xff, 0xff],
    ] {
        assert_eq!(record(wrong), Err(NotTls), "{wrong:?}");
    }
}

#[test]
fn a_server_of_tls_1_3_hides_the_rest() {
    // RFC 8448, 3: the answer of the server.
    let answer = hex("0303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e26928
        001301 00002e00330024001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f
        002b00020304");
    assert_eq!(chooses_encryption(&answer), Some(true));
    assert_eq!(chooses_encryption(&answer[..38]), Some(false));
    assert_eq!(chooses_encryption(&answer[..30]), None);
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>, is_datagram: bool) {
        let _ = record(&bytes);
        let _ = chooses_encryption(&bytes);
        let _ = first_certificate(&bytes);
        if let Some(hello) = ClientHello::read(&bytes, is_datagram) {
            let _ = (hello.server_name(), hello.protocols().count(), hello.offers_ech());
        }
    }
}
