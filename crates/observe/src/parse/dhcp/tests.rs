use proptest::prelude::*;

use super::*;

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];

fn message(operation: u8, assigned: [u8; 4], options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![operation, 1, 6, 0, 0, 0, 0, 7];
    bytes.extend([0; 8]);
    bytes.extend(assigned);
    bytes.extend([0; 8]);
    bytes.extend(MAC);
    bytes.extend([0; 10 + 64 + 128]);
    bytes.extend(COOKIE);
    bytes.extend(options);
    bytes
}

fn check_name(options: &[u8], expected: Option<&str>) {
    let device = four(&message(1, [0; 4], options)).unwrap();
    assert_eq!(device.name, expected.map(Text::from));
    assert_eq!(
        (device.transaction, device.is_answer, device.hardware),
        (7, false, Some(MAC))
    );
    assert_eq!(device.addresses, []);
}

#[test]
fn reads_what_a_device_calls_itself() {
    check_name(b"\x35\x01\x03\x0c\x05phone\xff", Some("phone"));
    check_name(b"\0\0\x0c\x07laptop\0\xff\x0c\x01x", Some("laptop"));
    check_name(b"\x51\x0d\x05\0\0\x04desk\x04home", Some("desk.home"));
    check_name(b"\x51\x0c\x01\0\0desk.home", Some("desk.home"));
    check_name(b"\x51\x0c\x01\0\0desk.home\x0c\x04pc-7", Some("pc-7"));
    check_name(b"\x0c\x05pho", None);
    check_name(b"\x0c\x01\0", None);
    check_name(b"", None);
}

#[test]
fn reads_the_address_of_an_answer() {
    let acknowledged = b"\x35\x01\x05\x33\x04\0\0\x0e\x10\x0c\x05phone\xff";
    let device = four(&message(2, [192, 0, 2, 9], acknowledged)).unwrap();
    assert!(device.is_answer);
    assert_eq!(device.hardware, Some(MAC));
    assert_eq!(device.addresses, [([192, 0, 2, 9].into(), 3600)]);
    // An offer is not yet taken.
    let offered = four(&message(2, [192, 0, 2, 9], b"\x35\x01\x02\xff")).unwrap();
    assert_eq!(offered.addresses, []);
}

#[test]
fn reads_ipv6() {
    let request = b"\x03\0\0\x07\0\x01\0\x0e\0\x01\0\x01\x01\x02\x03\x04\x02\0\0\0\0\x09\
        \0\x27\0\x0b\0\x04desk\x04home";
    let device = six(request).unwrap();
    assert_eq!(device.name, Some(Text::from("desk.home")));
    assert_eq!((device.hardware, device.is_answer), (Some(MAC), false));
    let mut reply = b"\x07\0\0\x07\0\x03\0\x28\0\0\0\x01\0\0\0\0\0\0\0\0\0\x05\0\x18".to_vec();
    reply.extend(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9).octets());
    reply.extend(b"\0\0\0\x0a\0\0\0\x14");
    let device = six(&reply).unwrap();
    assert_eq!(
        device.addresses,
        [(IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 9]), 20)]
    );
    // A relay puts it into a message of its own.
    let mut relayed = vec![13];
    relayed.extend([0; 33]);
    relayed.extend([0, 9]);
    relayed.extend(u16::try_from(reply.len()).unwrap().to_be_bytes());
    relayed.extend(&reply);
    assert_eq!(six(&relayed), Some(device));
}

#[test]
fn others_are_left_alone() {
    assert_eq!(four(&[1; 300]), None);
    assert_eq!(four(&message(3, [0; 4], &[])), None);
    assert_eq!(six(&[0, 1, 2, 3]), None);
    assert_eq!(six(&[]), None);
}

proptest! {
    #[test]
    fn never_panics(bytes: Vec<u8>) {
        let _ = six(&bytes);
        let _ = four(&bytes);
        let _ = four(&message(1, [0; 4], &bytes));
    }
}
