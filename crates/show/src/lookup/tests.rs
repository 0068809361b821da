//! What is said of an item, and what never is.

mod answers;

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
        is_wanted: false,
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
fn a_holder_that_a_registry_has_told_stands_with_source_and_day() {
    let facts = AddressFacts {
        holder: Some(RegisteredHolder {
            name: "STE \u{202e}evil".into(),
            country: Some("SY".into()),
            source: model::OnlineSource::Rdap,
            asked: model::Timestamp::from_unix_nanos(1_795_515_300_000_000_000),
        }),
        ..carrier()
    };
    let looked_up = address("216.6.0.28", facts);
    let said = lines(&looked_up);
    let line = said.lines().find(|line| line.contains("  holder "));
    assert!(
        line.is_some_and(|it| it.ends_with("STE ‹U+202E›evil (SY), as RDAP said on 2026-11-24")),
        "{said}"
    );
    assert!(!said.contains("not known here"), "{said}");
    assert!(said.ends_with(&format!("{HOLDER_IS_NOT_USER}\n")), "{said}");
    assert!(not_known(&looked_up).is_empty());
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
        is_wanted: false,
    });
    assert!(
        said.contains("xn--pypal-4ve.com, which is written p‹U+0430›ypal.com"),
        "{said}"
    );
    assert!(said.contains("‹U+0430› is easily taken for 'a'"), "{said}");
}
