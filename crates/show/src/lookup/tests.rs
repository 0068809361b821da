//! What is said of an item, and what never is.

use model::{Announcer, Country, SpecialUse, Text};

use super::*;

fn address(ip: &str, facts: AddressFacts) -> LookedUp {
    LookedUp {
        item: ip.to_owned(),
        what: Item::Address(AddressItem {
            ip: ip.parse().unwrap(),
            port: None,
            facts,
        }),
        known: Vec::new(),
        told: Vec::new(),
        answers: Vec::new(),
    }
}

fn carrier() -> AddressFacts {
    AddressFacts {
        announced_by: Some(Announcer {
            asn: 6453,
            organisation: Text::from("TATA \u{202e}evil"),
        }),
        block_country: Country::new(*b"US"),
        ..AddressFacts::default()
    }
}

#[test]
fn an_answer_on_an_address_ends_with_the_holder() {
    let private = AddressFacts {
        special: Some(SpecialUse {
            name: "private use",
            defined_in: "RFC 1918",
            is_global: false,
        }),
        ..AddressFacts::default()
    };
    for facts in [AddressFacts::default(), carrier(), private] {
        let said = lines(&address("192.0.2.7", facts));
        let last = said.lines().last().unwrap().trim();
        assert_eq!(
            last,
            "Holder of this address: not known here. It may have been passed on to someone else; ask \
             WHOIS/RDAP from another computer."
        );
    }
}

#[test]
fn a_country_never_stands_alone() {
    let said = lines(&address("216.6.0.28", carrier()));
    let line = said.lines().find(|line| line.contains("US")).unwrap();
    assert!(
        line.contains("where the large block was allocated"),
        "{said}"
    );
    assert!(said.contains("AS6453 TATA ‹U+202E›evil"), "{said}");
    assert!(said.contains("\"216.6.0.28\"\n"), "{said}");
    assert!(
        said.contains("never type it into the address bar."),
        "{said}"
    );
    assert!(said.contains("216[.]6[.]0[.]28"), "{said}");
}

#[test]
fn what_passes_for_another_letter_is_escaped() {
    let name = NameItem {
        ascii: "xn--pypal-4ve.com".to_owned(),
        unicode: "p\u{430}ypal.com".to_owned(),
        lookalikes: vec![('\u{430}', 'a')],
        public_suffix: "com".to_owned(),
        registrable: Some("xn--pypal-4ve.com".to_owned()),
        suffix_by: SuffixBy::Registry,
        platform: None,
        special: None,
    };
    let said = lines(&LookedUp {
        item: "p\u{430}ypal.com".to_owned(),
        what: Item::Name(name),
        known: Vec::new(),
        told: Vec::new(),
        answers: Vec::new(),
    });
    assert!(
        said.contains("xn--pypal-4ve.com, which is written p‹U+0430›ypal.com"),
        "{said}"
    );
    assert!(said.contains("‹U+0430› is easily taken for 'a'"), "{said}");
}
