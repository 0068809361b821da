use model::{IndicatorKind, ListOrigin};

use super::*;
use crate::files::{Loaded, Said, read};

fn list(
    name: &str,
    text: &str,
    meaning: ListMeaning,
    kind: Option<IndicatorKind>,
) -> IndicatorList {
    let said = Said {
        file: String::new(),
        kind,
    };
    let Ok(Loaded::Indicators(content)) = read(text.as_bytes(), &said) else {
        panic!("{text}");
    };
    let list = content.into_list(name.to_owned(), ListOrigin::Embedded);
    IndicatorList { meaning, ..list }
}

fn bad(text: &str) -> Matcher {
    Matcher::new(vec![list("bad", text, ListMeaning::KnownBad, None)])
}

fn check(found: &[Match<'_>], expected: &[&str]) {
    let found: Vec<_> = found
        .iter()
        .map(|it| format!("{} {} {}", it.list.name, it.indicator.value, it.by.word()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_name_fits_itself_and_the_domain_that_is_registered() {
    let matcher =
        bad("evil.example\nsub.worse.example\n1ca43.appspot.com\nappspot.com\nevil.co.uk\n");
    check(&matcher.of_name("evil.example"), &["bad evil.example name"]);
    check(
        &matcher.of_name("EVIL.example."),
        &["bad evil.example name"],
    );
    check(
        &matcher.of_name("a.b.evil.example"),
        &["bad evil.example registered_domain"],
    );
    check(
        &matcher.of_name("www.evil.co.uk"),
        &["bad evil.co.uk registered_domain"],
    );
    check(
        &matcher.of_name("sub.worse.example"),
        &["bad sub.worse.example name"],
    );
    check(&matcher.of_name("worse.example"), &[]);
    check(&matcher.of_name("a.sub.worse.example"), &[]);
    check(&matcher.of_name("notevil.example"), &[]);
    check(
        &matcher.of_name("1ca43.appspot.com"),
        &["bad 1ca43.appspot.com name"],
    );
    check(&matcher.of_name("x.1ca43.appspot.com"), &[]);
    check(&matcher.of_name("innocent.appspot.com"), &[]);
    check(&matcher.of_name(""), &[]);
}

#[test]
fn a_list_of_what_is_below_holds_for_all_below() {
    let matcher = bad("*.dyn.example\n");
    check(
        &matcher.of_name("a.b.dyn.example"),
        &["bad dyn.example registered_domain"],
    );
    let matcher = bad("*.b.dyn.example\n");
    check(
        &matcher.of_name("a.b.dyn.example"),
        &["bad b.dyn.example name_below"],
    );
    check(&matcher.of_name("dyn.example"), &[]);
}

#[test]
fn an_address_fits_itself_and_the_networks_around_it() {
    let text =
        "203.0.113.0/24\n203.0.113.128/25\n203.0.113.200\n10.0.0.0/8\n10.0.0.5\n2001:db8::/32\n";
    let matcher = bad(text);
    check(
        &matcher.of("203.0.113.200"),
        &[
            "bad 203.0.113.200 address",
            "bad 203.0.113.128/25 in_network",
            "bad 203.0.113.0/24 in_network",
        ],
    );
    check(
        &matcher.of("::ffff:203.0.113.1"),
        &["bad 203.0.113.0/24 in_network"],
    );
    check(
        &matcher.of("2001:db8::7"),
        &["bad 2001:db8::/32 in_network"],
    );
    // Lists of what must not be routed hold for nobody's home; a single address was meant.
    check(&matcher.of("10.0.0.7"), &[]);
    check(&matcher.of("10.0.0.5"), &["bad 10.0.0.5 address"]);
    let home = Matcher::new(vec![list(
        "home",
        "10.0.0.0/8\n",
        ListMeaning::Ordinary,
        None,
    )]);
    check(&home.of("10.0.0.7"), &["home 10.0.0.0/8 in_network"]);
}

#[test]
fn each_list_that_has_it_is_told() {
    let one = list("one", "evil.example\n", ListMeaning::KnownBad, None);
    let other = list(
        "other",
        "evil.example\nevil.example\n",
        ListMeaning::KnownBad,
        None,
    );
    let matcher = Matcher::new(vec![one, other]);
    check(
        &matcher.of("evil.example"),
        &[
            "other evil.example name",
            "other evil.example name",
            "one evil.example name",
        ],
    );
}

#[test]
fn a_url_is_found_among_thousands_of_its_host() {
    let urls: String = (0..3000)
        .map(|it| format!("https://files.example/{it}\n"))
        .collect();
    let matcher = bad(&urls);
    for number in [0, 1, 1500, 2999] {
        let found = matcher.of_url(&format!("http://files.example/{number}"), "files.example");
        let whole: Vec<_> = found.iter().filter(|it| it.by == MatchedBy::Url).collect();
        let [whole] = whole.as_slice() else {
            panic!("{number}: {found:?}");
        };
        assert_eq!(
            whole.indicator.value.to_string(),
            format!("https://files.example/{number}")
        );
    }
    assert!(
        matcher
            .of_url("http://files.example/3000", "files.example")
            .iter()
            .all(|it| it.by == MatchedBy::UrlHost)
    );
}

#[test]
fn the_host_of_a_url_is_a_weak_sign_and_the_url_a_strong_one() {
    let matcher = bad("https://share.example/evil?x\nhttp://192.0.2.1/a\n");
    let found = matcher.of("share.example");
    check(&found, &["bad https://share.example/evil?x url_host"]);
    assert_eq!(found[0].confidence, Confidence::Low);
    let found = matcher.of("http://SHARE.example/evil?x");
    check(&found, &["bad https://share.example/evil?x url"]);
    assert_eq!(found[0].confidence, Confidence::Medium);
    check(
        &matcher.of("192.0.2.1"),
        &["bad http://192.0.2.1/a url_host"],
    );
    check(&matcher.of("x.share.example"), &[]);
}

#[test]
fn files_fit_by_hash_path_folder_and_name() {
    let hash = "ab".repeat(32);
    let matcher = bad(&format!("{hash}\n/opt/spy\nC:\\Spy\\x.exe\n"));
    check(
        &matcher.of(&hash.to_uppercase()),
        &[&format!("bad {hash} hash")],
    );
    check(&matcher.of_path("/opt/spy"), &["bad /opt/spy path"]);
    check(
        &matcher.of_path("/opt/spy/bin/x"),
        &["bad /opt/spy path_below"],
    );
    check(&matcher.of_path("/opt/spyware"), &[]);
    check(
        &matcher.of_path(r"C:\Spy\x.exe"),
        &[r"bad C:\Spy\x.exe path"],
    );
    let names = list(
        "names",
        "rce.js\n",
        ListMeaning::KnownBad,
        Some(IndicatorKind::FileName),
    );
    check(
        &Matcher::new(vec![names]).of_path("/tmp/rce.js"),
        &["names rce.js file_name"],
    );
}

#[test]
fn a_process_is_known_by_what_the_kernel_leaves_of_its_name() {
    let kind = Some(IndicatorKind::ProcessName);
    let names = list(
        "names",
        "bh\ncom.apple.rapports.events\n",
        ListMeaning::KnownBad,
        kind,
    );
    let matcher = Matcher::new(vec![names]);
    check(&matcher.of_process_name("bh"), &["names bh process_name"]);
    let cut = "com.apple.rapports.events".get(..15).unwrap();
    let found = matcher.of_process_name(cut);
    check(&found, &["names com.apple.rapports.events process_name"]);
    assert_eq!(found[0].confidence, Confidence::Low);
    check(&matcher.of_process_name("bhx"), &[]);
}
