//! Where names end, by the rules in the program.

use super::*;

/// The suffix, what was registered, and by whom.
fn check(name: &str, suffix: &str, registrable: &str, section: Section) {
    let name = Name::parse(name).unwrap().ascii;
    let tables = Tables::embedded();
    let found = tables.suffix(&name);
    assert_eq!(found.suffix, suffix, "{name}");
    assert_eq!(found.registrable.unwrap_or("none"), registrable, "{name}");
    assert_eq!(found.section, section, "{name}");
}

#[test]
fn names_end_where_the_list_says() {
    use Section::{NotListed, Platform, Registry};
    check("www.Example.com", "com", "example.com", Registry);
    check("com", "com", "none", Registry);
    check("www.example.co.uk", "co.uk", "example.co.uk", Registry);
    // All below it, and an exception.
    check("a.b.c.kobe.jp", "c.kobe.jp", "b.c.kobe.jp", Registry);
    check("www.city.kobe.jp", "kobe.jp", "city.kobe.jp", Registry);
    check("c.kobe.jp", "c.kobe.jp", "none", Registry);
    check("me.github.io", "github.io", "me.github.io", Platform);
    check("github.io", "github.io", "none", Platform);
    check(
        "1ca43.appspot.com",
        "appspot.com",
        "1ca43.appspot.com",
        Platform,
    );
    check(
        "食狮.公司.cn",
        "xn--55qx5d.cn",
        "xn--85x722f.xn--55qx5d.cn",
        Registry,
    );
    check(
        "printer.nosuchsuffix",
        "nosuchsuffix",
        "printer.nosuchsuffix",
        NotListed,
    );
    let tables = Tables::embedded();
    let registered = tables.registry_suffix("1ca43.appspot.com").registrable;
    assert_eq!(registered, Some("appspot.com"));
}

#[test]
fn names_are_written_both_ways() {
    let name = Name::parse("BÜCHER.example.").unwrap();
    assert_eq!(name.ascii, "xn--bcher-kva.example");
    assert_eq!(name.unicode, "bücher.example");
    assert_eq!(Name::parse("xn--bcher-kva.example").unwrap(), name);
    // What does not decode stays as it is.
    let odd = Name::parse("xn--99999999.example").unwrap();
    assert_eq!(odd.unicode, odd.ascii);
    for wrong in ["", ".", "a..b", "a b", "a\u{202e}b", "a/b", &"x".repeat(64)] {
        assert!(Name::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_name_that_was_asked_for_keeps_what_was_registered() {
    let check = |text: &str, expected: Option<&str>| {
        let seen = Name::seen(text).map(|it| it.ascii);
        assert_eq!(seen.as_deref(), expected, "{text}");
    };
    check("Www.Evil.Example.", Some("www.evil.example"));
    check("a b.evil.example", Some("_.evil.example"));
    check("\u{1b}[2J.\0.evil.example.", Some("_._.evil.example"));
    check("xn--a\u{202e}.evil.example", Some("_.evil.example"));
    // A dot within a label ends none.
    check(r"a\.evil.example", Some("_.example"));
    check(r"a\\.evil.example", Some("_.evil.example"));
    check(
        &format!("{}.evil.example", "a".repeat(64)),
        Some("_.evil.example"),
    );
    check("a b", None);
    check("", None);
}

proptest::proptest! {
    #[test]
    fn no_seen_name_fails(text in "\\PC{0,60}", odd in "[a.\\\\ \u{202e}]{0,300}") {
        for text in [&text, &odd] {
            if let Some(name) = Name::seen(text) {
                proptest::prop_assert!(Name::parse(&name.ascii).is_ok(), "{}", name.ascii);
            }
        }
    }

    #[test]
    fn no_text_fails(text in "\\PC{0,300}") {
        if let Ok(name) = Name::parse(&text) {
            let tables = Tables::default();
            proptest::prop_assert!(name.ascii.ends_with(tables.suffix(&name.ascii).suffix));
        }
    }
}
