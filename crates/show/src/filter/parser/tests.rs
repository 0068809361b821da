//! The grammar, its limits, and the two promises for any text: no panic, and what is read
//! prints as a text that reads the same.

use std::net::IpAddr;

use proptest::prelude::*;

use super::super::address::Addresses;
use super::super::glob::{Glob, lower};
use super::super::key::{Kind, NOT_KNOWN_AT_ONE_MOMENT};
use super::super::number::{Numbers, Plain, Relation, Unit};
use super::super::value::Value;
use super::*;

/// `expected` is the filter as it prints, or after `! ` a part of the error.
fn check(text: &str, expected: &str) {
    let read = match parse(text, &[]) {
        Ok(expression) => expression.map_or_else(String::new, |all| all.to_string()),
        Err(error) => error.to_string(),
    };
    if let Some(expected) = expected.strip_prefix("! ") {
        assert!(read.contains(expected), "{text}: {read}");
    } else {
        assert_eq!(read, expected, "{text}");
    }
}

#[test]
fn and_binds_tighter_than_or() {
    check("a b or c and d", r#""a" "b" or "c" "d""#);
    check("a (b or c) d", r#""a" ("b" or "c") "d""#);
    check("a OR (b or c)", r#""a" or "b" or "c""#);
    check("(a (b)) AND c", r#""a" "b" "c""#);
}

#[test]
fn not_takes_one_term_or_bracket() {
    check("-a b", r#"-"a" "b""#);
    check("not a or b", r#"-"a" or "b""#);
    check("not (a or b)", r#"-("a" or "b")"#);
    check("not -a", r#""a""#);
    check("-(-(a b))", r#""a" "b""#);
    check("a -not not b", r#""a" -"b""#);
}

#[test]
fn the_whole_language() {
    check(
        "proc:curl pid:1234 user:alice exe:/tmp/* dst:10.0.0.0/8 port:443 name:*.example.com \
         state:established dir:out proto:udp new:1h up:>10MB down:>1k every:<120s \
         severity:>=medium owner:unknown -proc:firefox \"free text\"",
        "proc:curl pid:1234 user:alice exe:/tmp/* dst:10.0.0.0/8 port:443 name:*.example.com \
         state:established dir:outbound proto:udp new:<=1h up:>10M down:>1k every:<2m \
         severity:>=medium owner:unknown -proc:firefox \"free text\"",
    );
    check(
        "src:::1 uid:0 netns:4026531840 unit:ssh container:docker inode:1 lport:1-2 rport:80,unknown",
        "src:::1 uid:0 netns:4026531840 unit:ssh container:docker inode:1 lport:1-2 rport:80,unknown",
    );
}

#[test]
fn says_what_is_missing_and_where() {
    check("a or", "! nothing follows 'or'\n  a or\n    ^^");
    check("or a", "! nothing stands before 'or'\n  or a\n  ^^");
    check(
        "a and or b",
        "! nothing stands before 'or'\n  a and or b\n        ^^",
    );
    check("not", "! nothing follows 'not'");
    check("(a or) b", "! nothing follows 'or'");
    check("()", "! nothing stands between the brackets");
    check("a (b", "! this bracket is not closed\n  a (b\n    ^");
    check("(", "! nothing follows '('");
    check("a) b", "! no bracket is open here\n  a) b\n   ^");
    check(")", "! no bracket is open here");
    check(
        "port:80,abc",
        "! 'abc' is not a number\n  port:80,abc\n          ^^^",
    );
    check("port:abc prco:x", "! 'abc' is not a number");
}

#[test]
fn has_limits() {
    let nested = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    check(&nested(MOST_NESTING), r#""a""#);
    check(
        &nested(MOST_NESTING + 1),
        "! brackets are nested deeper than 64",
    );
    check(
        &"(".repeat(MOST_BYTES),
        "! brackets are nested deeper than 64",
    );
    check(&"-(".repeat(9_000), "! brackets are nested deeper than 64");
    check(&"not ".repeat(9_000), "! nothing follows 'not'");
    assert!(parse(&"a ".repeat(MOST_TERMS), &[]).is_ok());
    check(
        &"a ".repeat(MOST_TERMS + 1),
        "! there are more than 1024 terms",
    );
    check(&" ".repeat(MOST_BYTES), "");
    check(
        &"é".repeat(MOST_BYTES),
        "! the filter is longer than 65536 bytes",
    );
}

fn check_not_known(text: &str, not_known_here: bool, expected: &str) {
    let error = parse(text, &NOT_KNOWN_AT_ONE_MOMENT).unwrap_err();
    assert_eq!(error.not_known_here, not_known_here, "{text}");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn what_this_build_cannot_know_is_told_last() {
    check_not_known(
        "a every:<120s",
        true,
        "'every:' is not known here: what rules find",
    );
    check_not_known(
        "a -(new:1h or name:a)",
        true,
        "  a -(new:1h or name:a)\n      ^^^^^^",
    );
    check_not_known("severity:unknown", true, "'severity:' is not known here");
    check_not_known("every:often", false, "'often' is not a duration");
    check_not_known("name:a port:b", false, "'b' is not a number");
    check_not_known("name:a (", false, "nothing follows '('");
}

fn check_reads_back(expression: &Expression) -> Result<(), TestCaseError> {
    let text = expression.to_string();
    prop_assert_eq!(parse(&text, &[]), Ok(Some(expression.clone())), "{}", text);
    Ok(())
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z*?.]{1,6}",
        r#"["\\, ():*-]{1,6}"#,
        "unknown|UNKNOWN|and|or|not|<5",
        any::<String>().prop_filter("empty", |text| !text.is_empty()),
    ]
}

fn numbers(unit: Unit) -> impl Strategy<Value = Numbers> {
    let most = match unit {
        Unit::U16 => u16::MAX.into(),
        Unit::U32 => u32::MAX.into(),
        Unit::U64 | Unit::Bytes | Unit::Time => u64::MAX,
        Unit::Severity => 4,
    };
    let number = prop_oneof![0..=most, 0..=most.min(4000)];
    let relation = prop_oneof![
        Just(Relation::Above),
        Just(Relation::AtLeast),
        Just(Relation::Below),
        Just(Relation::AtMost),
    ];
    prop_oneof![
        (relation, number.clone()).prop_map(|(relation, limit)| Numbers::Compared(relation, limit)),
        (number.clone(), number)
            .prop_map(|(one, other)| { Numbers::Between(one.min(other), one.max(other)) }),
    ]
}

fn addresses() -> impl Strategy<Value = Addresses> {
    let address = any::<IpAddr>().prop_map(|address| address.to_canonical());
    let block = (address.clone(), 0..=32_u8)
        .prop_map(|(address, length)| ipnet::IpNet::new(address, length).unwrap().trunc());
    prop_oneof![
        address.prop_map(Addresses::One),
        block.prop_map(Addresses::Block),
        "[0-9*]{0,3}[.][*?]".prop_map(|text| Addresses::parse(&text, Key::Dst).unwrap()),
    ]
}

fn value(key: Key) -> BoxedStrategy<Value> {
    let known = match key.kind() {
        Kind::Text(case) => texts()
            .prop_map(move |text| Value::Text(Glob::new(&text, case)))
            .boxed(),
        Kind::Number(unit, Plain::Exactly) => {
            prop_oneof![numbers(unit), Just(Numbers::Compared(Relation::Equal, 3)),]
                .prop_map(move |numbers| Value::Numbers(numbers, unit))
                .boxed()
        }
        Kind::Number(unit, Plain::AtMost | Plain::About) => numbers(unit)
            .prop_map(move |numbers| Value::Numbers(numbers, unit))
            .boxed(),
        Kind::Address => addresses().prop_map(Value::Addresses).boxed(),
        Kind::Word(set) => proptest::sample::select(set)
            .prop_map(|(word, _)| Value::Word(word))
            .boxed(),
    };
    prop_oneof![1 => Just(Value::Unknown), 9 => known].boxed()
}

fn expressions() -> impl Strategy<Value = Expression> {
    let fact = proptest::sample::select(&Key::ALL[..]).prop_flat_map(|key| {
        proptest::collection::vec(value(key), 1..4)
            .prop_map(move |values| Expression::Term(Term::Fact { key, values }))
    });
    let free_text = texts().prop_map(|text| Expression::Term(Term::FreeText(lower(&text))));
    prop_oneof![3 => fact, 1 => free_text].prop_recursive(5, 40, 4, |inner| {
        let parts = proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            parts.clone().prop_map(Expression::all),
            parts.prop_map(Expression::any),
            inner.prop_map(Expression::negated),
        ]
    })
}

/// Texts made of what a filter is made of, so that many of them can be read.
fn near_filters() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        proptest::sample::select(&Key::ALL[..]).prop_map(|key| format!("{}:", key.word())),
        r#"[()"\\,:*<>=. -]"#,
        "and | or |not |unknown|established|out|10|1.5k|60s|10[.]0[.]0[.]0/8|fe80::1|medium| ",
        "[a-f0-9é日\u{202e}]{1,3}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn check_any_text(text: &str) -> Result<(), TestCaseError> {
    match parse(text, &[]) {
        Ok(None) => prop_assert!(text.trim().is_empty()),
        Ok(Some(expression)) => check_reads_back(&expression)?,
        Err(error) => {
            prop_assert!(text.get(error.start..error.end).is_some(), "{error:?}");
            let shown = error.to_string();
            prop_assert!(
                !shown.contains(|c: char| c.is_control() && c != '\n'),
                "{shown:?}"
            );
            prop_assert!(!shown.contains('\u{202e}'), "{shown:?}");
            prop_assert!(shown.lines().count() <= 4, "{shown:?}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        check_any_text(&text)?;
    }

    #[test]
    fn what_looks_like_a_filter_is_read_or_refused(text in near_filters()) {
        check_any_text(&text)?;
    }

    #[test]
    fn every_filter_reads_back(expression in expressions()) {
        check_reads_back(&expression)?;
    }
}
