use model::Text;
use proptest::prelude::*;

use super::card::Card;
use super::*;
use crate::sources::Request;

fn question(text: &str) -> Question {
    match text.parse() {
        Ok(address) => Question::Address(address),
        Err(_) => Question::Name(text.to_owned()),
    }
}

fn reply(asked: &str, host: &str, status: u16, text: &str) -> Reply {
    Reply {
        asked: asked.to_owned(),
        host: host.to_owned(),
        status: Some(status),
        bytes: text.as_bytes().to_vec(),
    }
}

fn url(question: &Question, replies: &[Reply], base: Option<&str>) -> Option<String> {
    let conversation = Conversation {
        question,
        replies,
        base,
    };
    let Request::Http {
        method: Method::Get,
        url,
        headers,
        key: None,
    } = next(conversation)?
    else {
        unreachable!()
    };
    assert!(headers[0].1.contains("application/rdap+json"));
    Some(url)
}

fn registration(question: &Question, replies: &[Reply]) -> Registration {
    let Said::Registration(registration) = read(question, replies) else {
        unreachable!("{:?}", read(question, replies))
    };
    *registration
}

#[test]
fn asks_the_registry_of_the_block() {
    let check = |asked: &str, expected: Option<&str>| {
        assert_eq!(url(&question(asked), &[], None).as_deref(), expected);
    };
    check(
        "216.6.0.28",
        Some("https://rdap.arin.net/registry/ip/216.6.0.28"),
    );
    check(
        "::ffff:216.6.0.28",
        Some("https://rdap.arin.net/registry/ip/216.6.0.28"),
    );
    check(
        "2a00:1450::1",
        Some("https://rdap.db.ripe.net/ip/2a00:1450::1"),
    );
    for asked in [
        "10.0.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "fe80::1",
        "224.0.0.1",
        "router.local",
    ] {
        check(asked, None);
    }
    let network = Network::new("216.6.0.0".parse().unwrap(), 23).unwrap();
    let asked = url(
        &Question::Network(network),
        &[],
        Some("http://127.0.0.1:8/"),
    );
    assert_eq!(asked.as_deref(), Some("http://127.0.0.1:8/ip/216.6.0.0/23"));
}

#[test]
fn asks_for_the_list_of_servers_and_then_for_what_was_registered() {
    let name = question("a.b.example.co.uk");
    assert_eq!(url(&name, &[], None).as_deref(), Some(bootstrap::NAMES_URL));
    let list = r#"{"services": [[["uk"], ["http://x.example", "https://rdap.x.example"]]]}"#;
    let list = reply(bootstrap::NAMES_URL, "data.iana.org", 200, list);
    let asked = url(&name, std::slice::from_ref(&list), None).unwrap();
    assert_eq!(asked, "https://rdap.x.example/domain/example.co.uk");
    // Nobody is named for it.
    let other = question("a.example.com");
    assert_eq!(url(&other, std::slice::from_ref(&list), None), None);
    let nobody = Said::Failed(Failure::NobodyToAsk);
    assert_eq!(read(&other, &[list]), nobody);
    let page = reply(bootstrap::NAMES_URL, "data.iana.org", 200, "<html></html>");
    assert_eq!(url(&name, std::slice::from_ref(&page), None), None);
    let said = read(&name, &[page]);
    assert!(
        matches!(said, Said::Failed(Failure::Unreadable(_))),
        "{said:?}"
    );
    let missing = reply(bootstrap::NAMES_URL, "data.iana.org", 404, "");
    assert_eq!(
        read(&name, &[missing]),
        Said::Failed(Failure::Status(404, None))
    );
    // A list is not asked for where a place is set, and public suffixes are nobody's.
    assert_eq!(
        url(&name, &[], Some("http://[::1]/")).as_deref(),
        Some("http://[::1]/domain/example.co.uk")
    );
    assert_eq!(url(&question("co.uk"), &[], None), None);
}

/// Made up after an answer of RIPE (ipwhois, BSD-2-Clause), as it was sent on from ARIN.
const UNNAMED: &str = r#"{"handle": "192.0.2.0 - 192.0.2.255", "name": "EXAMPLE-NET", "country": "de",
    "startAddress": "192.0.2.0/32", "endAddress": "192.0.2.255/32", "type": "ASSIGNED PA",
    "entities": [
        {"handle": "EX-MNT", "roles": ["registrant"], "vcardArray": ["vcard", [
            ["fn", {}, "text", "EX-MNT"], ["kind", {}, "text", "individual"]]]},
        {"handle": "ORG-EX1-RIPE", "roles": ["registrant"]},
        {"handle": "EA1-RIPE", "roles": ["abuse"], "vcardArray": ["vcard", [
            ["fn", {}, "text", "Some Person"], ["email", {}, "text", "someone@a.example"],
            ["email", {"type": "abuse"}, "text", "abuse@a.example"]]]}]}"#;

#[test]
fn an_organisation_that_is_only_a_handle_is_asked_for() {
    let asked = question("192.0.2.7");
    let base = "https://rdap.arin.net/registry/";
    let answer = reply("", "rdap.db.ripe.net", 200, UNNAMED);
    // Documentation addresses are asked for nowhere else.
    let at_base = url(&asked, std::slice::from_ref(&answer), Some(base)).unwrap();
    assert_eq!(at_base, format!("{base}entity/ORG-EX1-RIPE"));
    let sent_on = organisation(&asked, &answer, base, false);
    assert!(
        matches!(sent_on, Some(Request::Http { url, .. }) if url == "https://rdap.db.ripe.net/entity/ORG-EX1-RIPE")
    );
    let elsewhere = reply("", "rdap.evil.example", 200, UNNAMED);
    assert_eq!(organisation(&asked, &elsewhere, base, false), None);
    let entity = r#"{"objectClassName": "entity", "handle": "ORG-EX1-RIPE", "vcardArray": ["vcard", [
        ["fn", {}, "text", "Example Ltd"], ["kind", {}, "text", "org"],
        ["adr", {"label": "Street 1\nTown\nGERMANY"}, "text", ["", "", "", "", "", "", ""]]]]}"#;
    let entity = reply("", "rdap.db.ripe.net", 200, entity);
    let replies = [answer.clone(), entity];
    assert_eq!(url(&asked, &replies, Some(base)), None);
    let registration = registration(&asked, &replies);
    let holder = registration.organisation.unwrap();
    assert_eq!(holder.name, Some("Example Ltd".into()));
    assert_eq!(holder.country, Some("DE".into()));
    assert_eq!(holder.address, ["Street 1".into(), Text::from("Town")]);
    assert_eq!(registration.country, Some("DE".into()));
    assert_eq!(registration.abuse, ["abuse@a.example".into()]);
    // What is wrong with the second answer spoils nothing.
    for (status, text) in [(429, ""), (404, "{}"), (200, "<html>"), (200, "")] {
        let replies = [answer.clone(), reply("", "rdap.db.ripe.net", status, text)];
        let registration = self::registration(&asked, &replies);
        let handle = registration.organisation.unwrap().handle;
        assert_eq!(handle, Some("ORG-EX1-RIPE".into()));
    }
}

#[test]
fn says_why_there_is_no_answer() {
    let check = |status: u16, text: &str, expected: Said| {
        assert_eq!(
            read(
                &question("192.0.2.7"),
                &[reply("", "a.example", status, text)]
            ),
            expected
        );
    };
    let status = |code, text: &str| Said::Failed(Failure::Status(code, Some(text.into())));
    check(404, "", Said::NoData);
    check(404, "<html>not here</html>", status(404, "a web page"));
    check(
        200,
        r#"{"errorCode": 404, "title": "Not Found"}"#,
        Said::NoData,
    );
    check(
        429,
        "<html>slow down</html>",
        Said::Failed(Failure::AskedTooOften(None)),
    );
    check(503, "", Said::Failed(Failure::Status(503, None)));
    check(
        400,
        r#"{"errorCode": 400, "title": "Bad", "description": ["a", "b"]}"#,
        status(400, "Bad: a: b"),
    );
    check(
        200,
        r#"{"errorCode": "501", "title": "Not Implemented"}"#,
        status(501, "Not Implemented"),
    );
    for (text, why) in [
        ("<!doctype html><p>", "a web page came where JSON should be"),
        ("", "nothing came where JSON should be"),
        (
            r#"{"handle": "#,
            "JSON that ends in the middle: line 1, column 10",
        ),
        ("nothing", "no JSON: line 1, column 2"),
        ("{}", "JSON without registration data"),
        ("[]", "JSON without registration data"),
    ] {
        check(200, text, Said::Failed(Failure::Unreadable(why.to_owned())));
    }
    assert_eq!(
        read(&question("192.0.2.7"), &[]),
        Said::Failed(Failure::NobodyToAsk)
    );
}

#[test]
fn an_answer_about_something_else_says_so() {
    let answer = reply("", "rdap.db.ripe.net", 200, UNNAMED);
    let registration = registration(&question("198.51.100.1"), &[answer]);
    let expected = "The answer is about 192.0.2.0 - 192.0.2.255, and not about 198.51.100.1.";
    assert_eq!(registration.remarks, [expected.into()]);
}

#[test]
fn what_is_now_counts_among_what_was() {
    let records = r#"{"records": [
        {"applicableUntil": "2020-01-01T00:00:00Z", "content": {"objectClassName": "ip network", "name": "OLD"}},
        {"applicableFrom": "2020-01-01T00:00:00Z", "content": {"objectClassName": "ip network", "name": "NEW"}}]}"#;
    let registration = registration(
        &question("192.0.2.7"),
        &[reply("", "a.example", 200, records)],
    );
    assert_eq!(registration.name, Some("NEW".into()));
}

#[test]
fn people_are_not_kept() {
    let domain = r#"{"objectClassName": "domain", "ldhName": "EXAMPLE.ORG", "entities": [
        {"roles": ["registrant"], "vcardArray": ["vcard", [["fn", {}, "text", "Ann Example"],
            ["adr", {}, "text", ["", "", "Street 1", "Town", "", "123", "DE"]],
            ["email", {}, "text", "ann@example.org"]]]},
        {"roles": ["registrar"], "vcardArray": ["vcard", [["fn", {}, "text", "Seller Ltd"]]],
            "entities": [{"roles": ["abuse"], "vcardArray": ["vcard", [["email", {}, "text", "abuse@s.example"]]]}]}],
        "redacted": [{"name": {"type": "Registrant Name"}}]}"#;
    let registration = registration(
        &question("example.org"),
        &[reply("", "rdap.x.example", 200, domain)],
    );
    assert!(!format!("{registration:?}").contains("Ann"));
    assert!(!format!("{registration:?}").contains("Street"));
    assert_eq!(registration.registrar, Some("Seller Ltd".into()));
    assert_eq!(registration.abuse, ["abuse@s.example".into()]);
    assert_eq!(registration.registry, Some("rdap.x.example".into()));
    assert!(registration.is_redacted);
}

#[test]
fn reads_cards_of_both_forms() {
    let jcard = r#"["vcard", [["KIND", {}, "text", "Org"], ["fn", {}, "text", ""], ["fn", {}, "text", "A Ltd"],
        ["org", {"type": "work"}, "text", ["B Ltd", "Part"]], ["adr", {"cc": "KG"}, "text", null],
        ["email", {}, "text", "x@a.example"], ["email", {"pref": "1"}, "uri", "mailto:abuse@a.example"],
        ["tel", {}, "uri", "tel:+1"], 7, ["version"], ["adr", [], 5, 6], ["email", {}, "text", 5]]]"#;
    let card = Card::jcard(&serde_json::from_str(jcard).unwrap()).unwrap();
    assert_eq!(card.kind.as_deref(), Some("org"));
    assert_eq!(card.name.as_deref(), Some("A Ltd"));
    assert_eq!(card.organisation.as_deref(), Some("B Ltd"));
    assert_eq!(card.country.as_deref(), Some("KG"));
    let mailboxes: Vec<_> = card
        .mailboxes
        .iter()
        .map(|it| (it.text.as_str(), it.is_for_abuse, it.is_preferred))
        .collect();
    assert_eq!(
        mailboxes,
        [
            ("x@a.example", false, false),
            ("abuse@a.example", true, true)
        ]
    );
    let contact = r#"{"jscard_card": {"@type": "Card", "kind": "org", "name": {"full": "C Ltd"},
        "organizations": {"o": {"name": "C Group"}}, "emails": {"e": {"address": "c@c.example"}},
        "addresses": {"a": {"countryCode": "SY", "components": [{"kind": "name", "value": "Street 1"},
            {"kind": "locality", "value": "Damascus"}]}}}}"#;
    let entity: Value = serde_json::from_str(contact).unwrap();
    let card = Card::of(entity.as_object().unwrap());
    assert_eq!(card.name.as_deref(), Some("C Ltd"));
    assert_eq!(card.city.as_deref(), Some("Damascus"));
    assert_eq!(card.address, ["Street 1", "Damascus"]);
    assert_eq!(card.mailboxes.len(), 1);
}

#[test]
fn hosts_of_urls() {
    assert_eq!(host_of("https://a.example:8443/x?y"), Some("a.example"));
    assert_eq!(host_of("http://[2001:db8::1]:80"), Some("2001:db8::1"));
    for wrong in [
        "ftp://a.example/",
        "https:///x",
        "https://u@a.example/",
        "http://a.example/%%",
        "https://a b/",
    ] {
        assert_eq!(host_of(wrong), None, "{wrong}");
    }
}

/// Any JSON of a few members that mean something.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|it| it.to_string()),
        "[a-zA-Z0-9@./: -]{0,20}".prop_map(|it| format!("\"{it}\"")),
        Just("\"registrant\"".to_owned()),
        Just("\"vcard\"".to_owned()),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        let names = prop_oneof![
            Just("entities"),
            Just("vcardArray"),
            Just("roles"),
            Just("handle"),
            Just("startAddress"),
            Just("endAddress"),
            Just("objectClassName"),
            Just("cidr0_cidrs"),
            Just("events"),
            Just("links"),
            Just("records"),
            Just("content"),
            Just("services"),
            Just("jscard"),
            Just("remarks"),
            Just("errorCode"),
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6)
                .prop_map(|it| format!("[{}]", it.join(","))),
            proptest::collection::vec((names, inner), 0..6).prop_map(|it| {
                let members: Vec<_> = it
                    .iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn never_panics(text in json(), any: String, status in 0_u16..600) {
        for text in [text, any] {
            for asked in ["192.0.2.7", "a.example.com"] {
                let asked = question(asked);
                let replies = [reply("", "a.example", status, &text), reply("", "", 200, &text)];
                let _ = read(&asked, &replies);
                let conversation = Conversation { question: &asked, replies: &replies[..1], base: Some("http://x/") };
                let _ = next(conversation);
                let list = [reply(bootstrap::NAMES_URL, "", 200, &text)];
                let _ = read(&asked, &list);
                let _ = next(Conversation { question: &asked, replies: &list, base: None });
            }
            if let Ok(value) = serde_json::from_str(&text) {
                Card::jcard(&value);
            }
        }
    }
}
