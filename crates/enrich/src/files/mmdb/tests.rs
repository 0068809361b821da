use proptest::collection::vec;
use proptest::prelude::*;

use super::super::Loaded;
use super::super::{Said, read};
use super::*;

fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 29);
    [&[0x40 | length], text.as_bytes()].concat()
}

fn number(number: u32) -> Vec<u8> {
    [&[0xc4][..], &number.to_be_bytes()].concat()
}

fn map(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![0xe0 | u8::try_from(members.len()).unwrap()];
    for (name, value) in members {
        bytes.extend(text(name));
        bytes.extend(value);
    }
    bytes
}

/// A table in which every address of 128.0.0.0/1 has one record.
fn table(record_bits: u32, data: &[u8]) -> Vec<u8> {
    // One node: left is nothing (1), right is the first record (1 + 16).
    let mut bytes = match record_bits {
        24 => vec![0, 0, 1, 0, 0, 17],
        28 => vec![0, 0, 1, 0, 0, 0, 17],
        _ => vec![0, 0, 0, 1, 0, 0, 0, 17],
    };
    bytes.extend([0; SEPARATOR]);
    bytes.extend(data);
    bytes.extend(MARK);
    bytes.extend(map(&[
        ("binary_format_major_version", number(2)),
        ("node_count", number(1)),
        ("record_size", number(record_bits)),
        ("ip_version", number(4)),
        ("database_type", text("Own-Country")),
        ("build_epoch", number(1_700_000_000)),
    ]));
    bytes
}

#[test]
fn facts_are_found_by_address() {
    let data = map(&[
        ("country", map(&[("iso_code", text("DE"))])),
        ("as", number(64_496)),
    ]);
    for bits in [24, 28, 32] {
        let bytes = table(bits, &data);
        let Loaded::Table(table) = read(bytes.as_slice(), &Said::default()).unwrap() else {
            panic!("no table");
        };
        assert_eq!(table.kind, "Own-Country");
        assert!(table.published.is_some());
        let facts = table.facts(IpAddr::from([192, 0, 2, 1]));
        let facts: Vec<_> = facts
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(facts, ["country.iso_code=DE", "as=64496"]);
        assert!(table.facts(IpAddr::from([10, 0, 0, 1])).is_empty());
        assert!(table.facts(IpAddr::from([0; 16])).is_empty());
    }
}

#[test]
fn records_that_lead_into_each_other_end() {
    // A pointer to itself.
    let own = table(24, &[0x20, 0]);
    assert!(
        Table::new(own)
            .unwrap()
            .facts(IpAddr::from([192, 0, 2, 1]))
            .is_empty()
    );
    // Each list has thirty pointers to the next one.
    let mut bomb = Vec::new();
    for level in 1..16_u8 {
        bomb.extend([28, 4]);
        for _ in 0..28 {
            let next = u16::from(level) * 58;
            bomb.extend([0x20 | (next >> 8) as u8, (next & 0xff) as u8]);
        }
    }
    assert!(
        Table::new(table(24, &bomb))
            .unwrap()
            .facts(IpAddr::from([192, 0, 2, 1]))
            .is_empty()
    );
}

#[test]
fn what_is_shorter_than_it_says_is_damaged() {
    let whole = table(24, &text("x"));
    let at = whole.len() - 40;
    let error = Table::new(whole[10..].to_vec()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("it looks like MMDB and is damaged"),
        "{error}"
    );
    assert!(Table::new(whole[..at].to_vec()).is_err());
}

proptest! {
    #[test]
    fn never_panics(data in vec(any::<u8>(), 0..100), change in 0_usize..300, to: u8) {
        let mut bytes = table(28, &data);
        if let Some(byte) = bytes.get_mut(change) {
            *byte = to;
        }
        if let Ok(table) = Table::new(bytes) {
            table.facts(IpAddr::from([192, 0, 2, 1]));
            table.facts(IpAddr::from([0; 16]));
        }
    }
}
