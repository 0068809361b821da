//! What others answered, as a person reads it.

use std::time::Duration;

use model::{
    Answered, Failure, Network, OnlineSource, Opinion, Organisation, Question, Registration, Said,
    SeenName, Standing, Timestamp,
};

use super::*;

/// 2026-11-24 10:15:00 UTC.
const ASKED: i64 = 1_795_515_300_000_000_000;

/// As `whois` printed it for 216.6.0.28, without the keys that have no value there.
const WHOIS: &str = "\
NetRange:       216.6.0.0 - 216.6.1.255
CIDR:           216.6.0.0/23
NetName:        SYRIAN-5
NetHandle:      NET-216-6-0-0-2
Parent:         TATAC-ARIN-9 (NET-216-6-0-0-1)
NetType:        Reassigned
Organization:   STE (Syrian Telecommunications Establishment) (SSTE)
RegDate:        2005-07-21
Updated:        2005-07-21
Comment:        Fax-no-963 11 3739765
Ref:            https://rdap.arin.net/registry/ip/216.6.0.0

OrgName:        STE (Syrian Telecommunications Establishment)
OrgId:          SSTE
Address:        Fayz Mansour St
Address:        STE Building
City:           Damascus
Country:        SY
RegDate:        2005-07-21
Updated:        2011-09-24
Ref:            https://rdap.arin.net/registry/entity/SSTE
";

fn registration() -> Registration {
    let text = |text: &str| Some(Text::from(text));
    Registration {
        range: Some(("216.6.0.0".parse().unwrap(), "216.6.1.255".parse().unwrap())),
        networks: vec![Network::new("216.6.0.0".parse().unwrap(), 23).unwrap()],
        name: text("SYRIAN-5"),
        handle: text("NET-216-6-0-0-2"),
        parent: text("TATAC-ARIN-9 (NET-216-6-0-0-1)"),
        kind: text("Reassigned"),
        organisation: Some(Organisation {
            name: text("STE (Syrian Telecommunications Establishment)"),
            handle: text("SSTE"),
            address: vec!["Fayz Mansour St".into(), "STE Building".into()],
            city: text("Damascus"),
            country: text("SY"),
            registered: text("2005-07-21"),
            changed: text("2011-09-24"),
            link: text("https://rdap.arin.net/registry/entity/SSTE"),
        }),
        registered: text("2005-07-21"),
        changed: text("2005-07-21"),
        remarks: vec!["Fax-no-963 11 3739765".into()],
        link: text("https://rdap.arin.net/registry/ip/216.6.0.0"),
        registry: text("ARIN"),
        ..Registration::default()
    }
}

fn answered(source: OnlineSource, said: Said) -> Answered {
    Answered {
        source,
        question: Question::Address("216.6.0.28".parse().unwrap()),
        asked: Timestamp::from_unix_nanos(ASKED),
        link: None,
        said,
        replies: Vec::new(),
    }
}

fn lines_of(answers: Vec<Answered>) -> String {
    lines(&LookedUp {
        answers,
        ..address("216.6.0.28", carrier())
    })
}

fn registered(registration: Registration) -> String {
    let said = Said::Registration(Box::new(registration));
    lines_of(vec![answered(OnlineSource::Rdap, said)])
}

#[test]
fn the_registration_stands_first_as_whois_prints_it() {
    let said = registered(registration());
    assert!(said.starts_with(&format!("{WHOIS}\nRDAP (")), "{said}");
    // The holder is known now; that it need not be who uses it stays said.
    assert!(!said.contains("not known here"), "{said}");
    assert!(said.contains(HOLDER_IS_NOT_USER), "{said}");
}

#[test]
#[expect(clippy::print_stderr, reason = "what is skipped is said")]
fn the_registration_is_that_of_the_seed() {
    let Ok(folder) = std::fs::read_dir("../../../shared/seed") else {
        eprintln!("skipped: the text that the block is held against is not there");
        return;
    };
    let page = folder.flatten().find_map(|it| {
        let text = std::fs::read_to_string(it.path()).ok()?;
        text.contains("NetRange:").then_some(text)
    });
    let page = page.expect("a page with a WHOIS answer");
    let block = page.split("```").find(|it| it.contains("NetRange:"));
    let pairs = |text: &str| -> Vec<(String, String)> {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        let pairs = lines.map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
        pairs.filter(|(_, value)| !value.is_empty()).collect()
    };
    assert_eq!(pairs(WHOIS), pairs(block.unwrap()));
}

#[test]
fn a_hostile_answer_is_harmless_and_short() {
    let evil = || Text::from("\u{1b}[2J\u{202e}evil\u{7}\n\r\u{200b}Forged: line");
    let many = || vec![evil(); 5_000];
    let hostile = Registration {
        networks: vec![Network::new("216.6.0.0".parse().unwrap(), 24).unwrap(); 5_000],
        name: Some(evil()),
        handle: Some(evil()),
        parent: Some(evil()),
        kind: Some(evil()),
        origins: (0..5_000).collect(),
        organisation: Some(Organisation {
            name: Some(evil()),
            handle: Some(evil()),
            address: many(),
            city: Some(evil()),
            country: Some(evil()),
            registered: Some(evil()),
            changed: Some(evil()),
            link: Some(evil()),
        }),
        country: Some(evil()),
        abuse: many(),
        statuses: many(),
        name_servers: many(),
        remarks: many(),
        link: Some(evil()),
        registry: Some(evil()),
        is_redacted: true,
        ..registration()
    };
    let opinion = Opinion {
        standing: Standing::Bad,
        facts: vec![("tags", evil()); 5_000],
    };
    let name = SeenName {
        name: evil(),
        first_seen: None,
        last_seen: None,
    };
    let mut rdap = answered(OnlineSource::Rdap, Said::Registration(Box::new(hostile)));
    rdap.link = Some(evil().lossy().into_owned());
    let said = lines_of(vec![
        rdap,
        answered(OnlineSource::Otx, Said::Opinion(opinion)),
        answered(OnlineSource::PassiveDns, Said::Names(vec![name; 5_000])),
    ]);
    let bad = |it: char| it.is_control() && it != '\n' || "\u{202e}\u{200b}".contains(it);
    assert!(!said.contains(bad), "{said}");
    let forged = |line: &str| line.trim_start().starts_with("Forged");
    assert!(!said.lines().any(forged), "{said}");
    assert!(said.contains("and 4988 more"), "{said}");
    assert!(said.lines().count() < 200, "{} lines", said.lines().count());
    assert!(said.len() < 20_000, "{} bytes", said.len());
}

#[test]
fn each_failure_has_a_sentence() {
    let evil = || "\u{1b}[31mno\u{202e}".to_owned();
    let failures = [
        Failure::TimedOut(Duration::from_secs(20)),
        Failure::AskedTooOften(None),
        Failure::AskedTooOften(Some(Duration::from_secs(60))),
        Failure::Status(500, Some(evil().into())),
        Failure::Status(404, None),
        Failure::Refused(None),
        Failure::Refused(Some(evil().into())),
        Failure::Unreadable(evil()),
        Failure::TooLarge(1 << 20),
        Failure::Cut,
        Failure::Redirected {
            to: evil(),
            why: evil(),
        },
        Failure::Certificate(evil()),
        Failure::Unreachable(evil()),
        Failure::Proxy(evil()),
        Failure::NotResolved(evil()),
        Failure::NobodyToAsk,
        Failure::NoKey,
    ];
    let mut sentences = std::collections::BTreeSet::new();
    for failure in failures {
        let sentence = super::super::answers::failed(&failure);
        assert!(sentence.contains(' '), "{failure:?}: {sentence}");
        assert!(!sentence.contains(char::is_control), "{sentence}");
        assert!(!sentence.contains('\u{202e}'), "{sentence}");
        let said = lines_of(vec![answered(OnlineSource::Rdap, Said::Failed(failure))]);
        assert!(said.contains(&sentence), "{said}");
        // Nobody has told it.
        assert!(said.contains("Holder of this address: not known here."));
        assert!(sentences.insert(sentence));
    }
}

#[test]
fn rdap_stands_before_whois_and_each_says_when() {
    let whois = Registration {
        name: Some("OTHER".into()),
        ..registration()
    };
    let said = lines_of(vec![
        answered(OnlineSource::Whois, Said::Registration(Box::new(whois))),
        answered(
            OnlineSource::Rdap,
            Said::Registration(Box::new(registration())),
        ),
    ]);
    assert!(said.contains("NetName:        SYRIAN-5\n"), "{said}");
    assert!(!said.contains("NetName:        OTHER"), "{said}");
    for title in ["WHOIS (2026-11-24T", "RDAP (2026-11-24T"] {
        assert!(said.contains(title), "{said}");
    }
}
