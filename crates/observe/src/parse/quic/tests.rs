use proptest::prelude::*;

use super::*;
use crate::parse::tls::ClientHello;

/// The destination of RFC 9001, appendix A, and RFC 9369, appendix A.
const DESTINATION: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

/// Bytes written in hexadecimal.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] << 4 | pair[1]).unwrap())
        .collect()
}

/// The CRYPTO frame of RFC 9001, A.2: a greeting to example.com.
pub(crate) fn greeting_frame() -> Vec<u8> {
    hex(
        "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868
        04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578
        616d706c652e636f6dff01000100000a00080006001d00170018001000070005
        04616c706e000500050100000000003300260024001d00209370b2c9caa47fba
        baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400
        0d0010000e0403050306030203080408050806002d00020101001c0002400100
        3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000
        75300901100f088394c8f03e51570806048000ffff",
    )
}

/// An Initial packet of a client: what [`Keys::open`] opens.
pub(crate) fn seal(
    version: u32,
    keys_of: &[u8],
    destination: &[u8],
    number: u32,
    payload: &[u8],
) -> Vec<u8> {
    let keys = Keys::of_client(version, keys_of).unwrap();
    let kind = if version == VERSION_2 { 1 } else { 0 };
    let mut header = vec![0xc3 | kind << 4];
    header.extend(version.to_be_bytes());
    header.push(u8::try_from(destination.len()).unwrap());
    header.extend(destination);
    header.extend([0, 0]);
    let length = u16::try_from(4 + payload.len() + TAG).unwrap();
    header.extend((length | 0x4000).to_be_bytes());
    let number_at = header.len();
    header.extend(number.to_be_bytes());
    let mut nonce = keys.nonce;
    for (place, byte) in nonce[8..].iter_mut().zip(number.to_be_bytes()) {
        *place ^= byte;
    }
    let mut sealed = payload.to_vec();
    let tag = keys
        .packet
        .encrypt_in_place_detached(&nonce.into(), &header, &mut sealed)
        .unwrap();
    sealed.extend(tag);
    let mut packet = header;
    packet.extend(sealed);
    let mask = keys.mask(&packet[number_at + SAMPLE_AFTER..]).unwrap();
    packet[0] ^= mask[0] & 0x0f;
    for (byte, mask) in packet[number_at..].iter_mut().zip(&mask[1..]) {
        *byte ^= mask;
    }
    packet
}

fn only_initial(datagram: &[u8]) -> Initial<'_> {
    let all: Vec<_> = packets(datagram).collect();
    match all[..] {
        [Packet::Initial(initial)] => initial,
        _ => panic!("{all:?}"),
    }
}

/// The packet of appendix A.2: how it begins and how it ends.
fn check_published(version: u32, beginning: &str, end: &str) {
    let mut payload = greeting_frame();
    payload.resize(1162, 0);
    let packet = seal(version, &DESTINATION, &DESTINATION, 2, &payload);
    assert_eq!(packet.len(), 1200);
    assert_eq!(packet[..32], hex(beginning));
    assert_eq!(packet[1168..], hex(end));
    let initial = only_initial(&packet);
    assert_eq!(
        (initial.version, initial.destination),
        (version, &DESTINATION[..])
    );
    let keys = Keys::of_client(version, &DESTINATION).unwrap();
    assert_eq!(keys.open(&initial), Some(payload.clone()));
    let frames: Vec<_> = crypto(&payload).collect();
    let [(0, message)] = frames[..] else {
        panic!("{frames:?}");
    };
    let hello = ClientHello::read(&message[4..], false).unwrap();
    assert_eq!(hello.server_name(), Some(&b"example.com"[..]));
}

#[test]
fn the_packet_of_rfc_9001() {
    check_published(
        VERSION_1,
        "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
        "8b4c8d169a44e55c88d4a9a7f9474241e221af44860018ab0856972e194cd934",
    );
}

#[test]
fn the_packet_of_rfc_9369() {
    check_published(
        VERSION_2,
        "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
        "9973b2172b4d21fb69745a262ccde96ba18b2faa745b6fe189cf772a9f84cbfc",
    );
}

/// Retry (RFC 9001, A.4) has no length, and nothing to read; the keys of the server are of no use.
#[test]
fn other_packets_are_passed_by() {
    let retry = hex("ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba");
    assert_eq!(packets(&retry).collect::<Vec<_>>(), [Packet::Other]);
    let negotiation = hex("80000000000008f067a5502a4262b500000001");
    assert_eq!(packets(&negotiation).collect::<Vec<_>>(), [Packet::Other]);
    assert_eq!(
        packets(&hex("4cfe4189655e5cd55c41f69080575d7999c25a5bfb")).count(),
        0
    );
    assert!(Keys::of_client(0, &DESTINATION).is_none());
}

/// RFC 9001, A.3: the first packet of the server, sealed with the server's keys.
#[test]
fn keys_of_the_server_are_others() {
    let packet = hex(
        "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a
        5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3
        dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84
        022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4
        2158407dd074ee",
    );
    let initial = only_initial(&packet);
    let keys = Keys::derive(VERSION_1, &DESTINATION, "server in").unwrap();
    let payload = keys.open(&initial).unwrap();
    let frames: Vec<_> = crypto(&payload).collect();
    assert!(matches!(frames[..], [(0, [2, ..])]), "{frames:?}");
    assert_eq!(
        Keys::of_client(VERSION_1, &DESTINATION)
            .unwrap()
            .open(&initial),
        None
    );
}

#[test]
fn frames_are_told_apart() {
    let frames = [
        &[0, 0, 1][..],                  // PADDING, PADDING, PING
        &[2, 5, 0, 1, 2, 0, 0],          // ACK of two ranges
        &[6, 0x40, 0x10, 2, b'a', b'b'], // CRYPTO
        &[3, 5, 0, 0, 1, 1, 2, 3],       // ACK with counts
        &[6, 0, 1, b'c', 0],
        &[0x1c, 6, 9, 1, b'd'], // what may not follow
    ];
    let read: Vec<_> = crypto(&frames.concat())
        .map(|(place, bytes)| (place, bytes.to_vec()))
        .collect();
    assert_eq!(read, [(16, b"ab".to_vec()), (0, b"c".to_vec())]);
    assert_eq!(crypto(&[6, 0, 2, b'c']).count(), 0);
    assert_eq!(
        crypto(&[2, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0]).count(),
        0
    );
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>) {
        let _ = packets(&bytes).count();
        let _ = crypto(&bytes).count();
    }

    #[test]
    fn damage_is_noticed(at in 0_usize..300, bit in 0_u8..8) {
        let mut packet = seal(VERSION_1, &DESTINATION, &DESTINATION, 7, &greeting_frame());
        let at = at % packet.len();
        packet[at] ^= 1 << bit;
        let keys = Keys::of_client(VERSION_1, &DESTINATION).unwrap();
        for packet in packets(&packet) {
            if let Packet::Initial(initial) = packet {
                prop_assert_eq!(keys.open(&initial), None);
            }
        }
    }
}
