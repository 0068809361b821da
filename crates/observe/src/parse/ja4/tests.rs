use super::*;
use crate::parse::quic::tests::hex;
use crate::parse::tls::tests::chrome;

fn check(record: &[u8], expected: &str) {
    let mut hello = ClientHello::read(&record[9..], false).unwrap();
    let read = ja4(&hello, Transport::Tcp).unwrap();
    assert_eq!(read.as_utf8(), Some(expected));
    hello.is_whole = false;
    assert_eq!(ja4(&hello, Transport::Tcp), None);
}

/// The example of FoxIO's description.
#[test]
fn the_published_example() {
    check(&chrome(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

/// Firefox 105 of FoxIO's pcap/tls12.pcap, as CyberChef's tests have it (Apache-2.0).
#[test]
fn firefox() {
    let mut record = hex("1603010200010001fc0303ecb2691addb2bf6c599c7aaae23de5f42561cc04eb41029acc
        6fc050a16ac1d22046f8617b580ac9358e2aa44e306d52466bcc989c87c8ca64309f5faf50ba7b4d0022130113031302
        c02bc02fcca9cca8c02cc030c00ac009c013c014009c009d002f00350100019100000021001f00001c636f6e74696c65
        2e73657276696365732e6d6f7a696c6c612e636f6d00170000ff01000100000a000e000c001d00170018001901000101
        000b00020100002300000010000e000c02683208687474702f312e310005000501000000000022000a00080403050306
        0302030033006b0069001d00208909858fbeb6ed2f1248ba5b9e2978bead0e840110192c61daed0096798b1844001700
        41044d183d91f5eed35791fa982464e3b0214aaa5f5d1b78616d9b9fbebc22d11f535b2f94c686143136aa795e6e5a87
        5d6c08064ad5b76d44caad766e2483012748002b00050403040303000d00180016040305030603080408050806040105
        01060102030201002d00020101001c000240010015007a");
    record.resize(5 + 512, 0);
    check(&record, "t13d1715h2_5b57614c22b0_3d5424432f57");
}

/// A greeting with these extensions only.
fn hello(ciphers: &[u8], extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut list = Vec::new();
    for (kind, value) in extensions {
        list.extend(kind.to_be_bytes());
        list.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
        list.extend(*value);
    }
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(ciphers.len()).unwrap().to_be_bytes());
    body.extend(ciphers);
    body.extend([1, 0]);
    body.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
    body.extend(list);
    body
}

fn check_made(ciphers: &[u8], extensions: &[(u16, &[u8])], transport: Transport, expected: &str) {
    let body = hello(ciphers, extensions);
    let hello = ClientHello::read(&body, false).unwrap();
    assert_eq!(ja4(&hello, transport).unwrap().as_utf8(), Some(expected));
}

/// How the description wants the two characters of the protocol.
#[test]
fn odd_protocols() {
    for (protocol, expected) in [
        (&b""[..], "00"),
        (b"h2", "h2"),
        (b"http/1.1", "h1"),
        (b"x", "xx"),
        (b"\xab", "ab"),
        (b"\xab\xcd", "ad"),
        (b"\x30\xab", "3b"),
        (b"\x30\x31\xab\xcd", "3d"),
        (b"\x30\xab\xcd\x31", "01"),
    ] {
        let length = u8::try_from(protocol.len()).unwrap();
        let value = [&[0, length + 1, length], protocol].concat();
        check_made(
            &[],
            &[(ALPN, &value)],
            Transport::Quic,
            &format!("q12i0001{expected}_000000000000_000000000000"),
        );
    }
}

/// SHA-256 of `1301`, of `000a,002b` and of `000a,000d_0403`, by sha256sum.
#[test]
fn what_means_nothing_is_left_out() {
    check_made(
        &[0x13, 1, 0x0a, 0x0a, 0xfa, 0xfa],
        &[
            (0x1a1a, &[]),
            (SERVER_NAME, &[]),
            (10, &[]),
            (SUPPORTED_VERSIONS, &[4, 0x7a, 0x7a, 3, 2]),
        ],
        Transport::Tcp,
        "t11d010300_0f2cb44170f4_b0ac53b37fa7",
    );
    check_made(
        &[0x13, 1],
        &[(10, &[]), (SIGNATURE_ALGORITHMS, &[0, 4, 0x2a, 0x2a, 4, 3])],
        Transport::Datagrams,
        "d12i010200_0f2cb44170f4_63be3268461f",
    );
}
