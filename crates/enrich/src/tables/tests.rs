//! The tables in the program, and files that are none.

use std::net::IpAddr;

use super::*;
use proptest::prelude::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// `AS6453 US kinds`, as far as known.
fn check(address: &str, expected: &str) {
    let facts = Tables::embedded().address(ip(address));
    let mut told = Vec::new();
    told.extend(facts.announced_by.map(|it| format!("AS{}", it.asn)));
    told.extend(facts.block_country.map(|it| it.to_string()));
    told.extend(facts.kinds.iter().map(|it| it.word().to_owned()));
    told.extend(facts.special.map(|it| it.defined_in.to_owned()));
    assert_eq!(told.join(" "), expected, "{address}");
}

#[test]
fn the_program_knows_addresses() {
    check("216.6.0.28", "AS6453 US");
    check("::ffff:216.6.0.28", "AS6453 US");
    check("10.0.0.1", "RFC 1918");
    check("255.255.255.255", "RFC 8190");
    check("2001:db8::1", "RFC 3849");
    check("52.94.236.248", "AS16509 US cloud hosting");
    // Many places at once, or computers elsewhere: no country.
    check("1.1.1.1", "AS13335 anycast public_resolver");
    check("104.16.0.1", "AS13335 cdn");
    check("2606:4700::1", "AS13335 cdn");
    check("104.28.28.1", "AS13335 relay");
    check("::ffff:104.16.0.1", "AS13335 cdn");
}

#[test]
fn the_program_knows_names_and_hashes() {
    let tables = Tables::embedded();
    let kinds = |name: &str| -> Vec<_> {
        let lists = tables.lists_of_name(name);
        lists
            .filter_map(|it| it.kind)
            .map(NetworkKind::word)
            .collect()
    };
    assert_eq!(kinds("a.b.duckdns.org"), ["dynamic_dns", "shared_platform"]);
    assert_eq!(kinds("api.ipify.org"), ["address_echo", "address_echo"]);
    assert_eq!(kinds("apple.com"), ["captive_portal"]);
    // This list has exactly these names, and not those below them.
    assert!(kinds("nothing-of-it.apple.com").is_empty());
    assert!(kinds("notduckdns.org").is_empty());
    let empty = "d41d8cd98f00b204e9800998ecf8427e";
    assert!(
        tables
            .lists_of_hash(empty)
            .any(|it| it.title == "an empty file")
    );
    assert_eq!(tables.lists_of_hash(&"0".repeat(32)).count(), 0);
}

#[test]
fn the_tables_in_the_program_are_whole() {
    let tables = Tables::read(EMBEDDED.to_vec()).unwrap();
    tables.check().unwrap();
    assert_eq!(tables.hash(), Tables::embedded().hash());
    assert!(!tables.date().is_empty());
    for source in tables.sources() {
        let day = format!("{}T00:00:00.000000000Z", source.date);
        assert!(model::Timestamp::parse(&day).is_some(), "{source:?}");
        let by = source.licence.starts_with("CC-BY") || source.licence == "MIT";
        assert!(!by || !source.credit.is_empty(), "{source:?}");
    }
}

#[test]
fn networks_tell_who_announces_their_parts() {
    let within = Tables::embedded().within(ip("8.8.8.0"), ip("8.8.8.255"));
    let announcers: Vec<_> = within.announcers.iter().map(|it| (it.0, it.2)).collect();
    assert_eq!((announcers, within.has_holes), (vec![(15169, 1)], false));
    let nobody = Tables::embedded().within(ip("10.0.0.0"), ip("10.255.255.255"));
    assert!(nobody.announcers.is_empty() && nobody.has_holes);
}

#[test]
fn a_file_that_was_changed_is_not_read() {
    let file = Contents::default().write();
    assert!(Tables::read(file.clone()).is_ok());
    for place in 0..file.len() {
        let mut changed = file.clone();
        changed[place] ^= 1;
        assert!(Tables::read(changed).is_err(), "{place}");
    }
    for length in 0..file.len() {
        assert!(Tables::read(file[..length].to_vec()).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn no_directory_fails(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut file = Contents::default().write();
        file.truncate(56);
        file.extend(bytes);
        if let Ok(tables) = Tables::read_unchecked(file.into()) {
            let _ = tables.check();
            let _ = tables.address(ip("192.0.2.7"));
        }
    }

    #[test]
    fn no_block_fails(places in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4)) {
        let contents = Contents {
            organisations: (0..300).map(|it| (it, format!("organisation {it}"))).collect(),
            announcers: [(0..300).map(|it| (it * 777, it as u32)).collect(), Vec::new()],
            names: vec![("com.example".to_owned(), 0), ("com.example.www".to_owned(), 0)],
            ..Contents::default()
        };
        let mut file = contents.write();
        for (place, byte) in places {
            let place = 56 + place.index(file.len() - 56);
            file[place] = byte;
        }
        if let Ok(tables) = Tables::read_unchecked(file.into()) {
            let _ = tables.check();
            let _ = tables.address(ip("0.0.3.9"));
            let _ = tables.lists_of_name("www.example.com").count();
        }
    }
}
