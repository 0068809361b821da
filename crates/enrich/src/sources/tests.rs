//! What holds for every source that gives its answer over HTTP.

use model::{Failure, FileHash, Network, OnlineSource, Opinion, Standing};
use proptest::prelude::*;

use super::facts::{LONGEST, MOST};
use super::http::reply;
use super::*;

/// Those of this kind: the others speak the languages of registries, or DNS.
const SOURCES: [OnlineSource; 13] = [
    OnlineSource::VirusTotal,
    OnlineSource::AbuseIpDb,
    OnlineSource::GreyNoise,
    OnlineSource::Otx,
    OnlineSource::ThreatFox,
    OnlineSource::UrlHaus,
    OnlineSource::InternetDb,
    OnlineSource::Hashlookup,
    OnlineSource::PassiveDns,
    OnlineSource::IpInfo,
    OnlineSource::TorExits,
    OnlineSource::Drop,
    OnlineSource::Feodo,
];
const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ASKED: [&str; 5] = [
    "1.1.1.1",
    "2606:4700::1111",
    "gist.github.com",
    HASH,
    "1.1.1.0/24",
];

pub(super) fn question(text: &str) -> Question {
    if let Ok(address) = text.parse() {
        return Question::Address(address);
    }
    if let Some(hash) = FileHash::parse(text) {
        return Question::Hash(hash);
    }
    if let Some((first, prefix)) = text.split_once('/') {
        let network = Network::new(first.parse().unwrap(), prefix.parse().unwrap());
        return Question::Network(network.unwrap());
    }
    Question::Name(text.to_owned())
}

pub(super) fn begin(question: &Question) -> Conversation<'_> {
    Conversation {
        question,
        replies: &[],
        base: None,
    }
}

/// Its standing and facts; every fact is bounded.
pub(super) fn opinion_of(
    source: OnlineSource,
    said: Said,
) -> (Standing, Vec<(&'static str, String)>) {
    let Said::Opinion(Opinion { standing, facts }) = said else {
        panic!("{source:?} has no opinion: {said:?}");
    };
    assert!(facts.len() <= MOST);
    let facts = facts.into_iter().map(|(name, text)| {
        let text = text.lossy().into_owned();
        assert!(text.chars().count() <= LONGEST, "{source:?} {name} {text}");
        assert!(name.chars().all(|it| it.is_ascii_lowercase() || it == ' '));
        (name, text)
    });
    (standing, facts.collect())
}

fn sent(source: OnlineSource, asked: &str, base: Option<&str>) -> Option<(String, Request)> {
    let question = question(asked);
    let request = next(
        source,
        Conversation {
            base,
            ..begin(&question)
        },
    )?;
    let Request::Http { url, .. } = &request else {
        panic!("{source:?} does not ask over HTTP: {request:?}");
    };
    Some((url.clone(), request))
}

fn check(source: OnlineSource, asked: &str, expected: Option<&str>) {
    let url = sent(source, asked, None).map(|it| it.0);
    assert_eq!(url.as_deref(), expected, "{source:?} {asked}");
}

#[test]
fn each_is_asked_where_it_answers() {
    let (v4, v6, name) = ("1.1.1.1", "2606:4700::1111", "gist.github.com");
    let virustotal = OnlineSource::VirusTotal;
    check(
        virustotal,
        v4,
        Some("https://www.virustotal.com/api/v3/ip_addresses/1.1.1.1"),
    );
    check(
        virustotal,
        name,
        Some("https://www.virustotal.com/api/v3/domains/gist.github.com"),
    );
    check(
        virustotal,
        HASH,
        Some(&format!("https://www.virustotal.com/api/v3/files/{HASH}")),
    );
    check(virustotal, "1.1.1.0/24", None);
    let abuse = OnlineSource::AbuseIpDb;
    check(
        abuse,
        v6,
        Some("https://api.abuseipdb.com/api/v2/check?ipAddress=2606:4700::1111&maxAgeInDays=90"),
    );
    check(abuse, name, None);
    let greynoise = OnlineSource::GreyNoise;
    check(
        greynoise,
        v4,
        Some("https://api.greynoise.io/v3/community/1.1.1.1"),
    );
    check(greynoise, v6, None);
    check(
        OnlineSource::Otx,
        v6,
        Some("https://otx.alienvault.com/api/v1/indicators/IPv6/2606:4700::1111/general"),
    );
    check(
        OnlineSource::Otx,
        name,
        Some("https://otx.alienvault.com/api/v1/indicators/hostname/gist.github.com/general"),
    );
    check(
        OnlineSource::ThreatFox,
        v4,
        Some("https://threatfox-api.abuse.ch/api/v1/"),
    );
    check(
        OnlineSource::UrlHaus,
        v4,
        Some("https://urlhaus-api.abuse.ch/v1/host/"),
    );
    check(OnlineSource::UrlHaus, HASH, None);
    check(
        OnlineSource::InternetDb,
        v4,
        Some("https://internetdb.shodan.io/1.1.1.1"),
    );
    check(
        OnlineSource::Hashlookup,
        HASH,
        Some(&format!("https://hashlookup.circl.lu/lookup/sha256/{HASH}")),
    );
    check(OnlineSource::Hashlookup, v4, None);
    check(
        OnlineSource::PassiveDns,
        name,
        Some("https://www.circl.lu/pdns/query/gist.github.com"),
    );
    check(
        OnlineSource::IpInfo,
        v4,
        Some("https://api.ipinfo.io/lite/1.1.1.1"),
    );
    check(
        OnlineSource::TorExits,
        v4,
        Some("https://check.torproject.org/torbulkexitlist"),
    );
    check(
        OnlineSource::Drop,
        v6,
        Some("https://www.spamhaus.org/drop/drop_v6.json"),
    );
    check(
        OnlineSource::Feodo,
        v4,
        Some("https://feodotracker.abuse.ch/downloads/ipblocklist.json"),
    );
}

#[test]
fn another_place_takes_the_place_of_the_usual_one() {
    for source in SOURCES {
        for asked in ASKED {
            let Some((usual, _)) = sent(source, asked, None) else {
                continue;
            };
            let (other, _) = sent(source, asked, Some("http://127.0.0.1:9/x/")).unwrap();
            let rest = other.strip_prefix("http://127.0.0.1:9/x/").unwrap();
            assert!(usual.ends_with(rest) && !rest.starts_with('/'), "{other}");
        }
    }
}

#[test]
fn one_request_is_all() {
    for source in SOURCES {
        for asked in ASKED {
            let question = question(asked);
            let replies = reply(200, "{}");
            let conversation = Conversation {
                replies: &replies,
                ..begin(&question)
            };
            assert_eq!(next(source, conversation), None, "{source:?} {asked}");
        }
    }
}

#[test]
fn nobody_is_asked_about_what_belongs_to_a_network_of_its_own() {
    for source in SOURCES {
        for asked in [
            "10.0.0.1",
            "192.168.1.1",
            "127.0.0.1",
            "169.254.7.7",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:192.168.1.1",
            "192.168.0.0/16",
            "printer.local",
            "localhost",
            "a.home.arpa",
        ] {
            assert_eq!(sent(source, asked, None), None, "{source:?} {asked}");
        }
    }
}

#[test]
fn a_list_is_fetched_in_the_same_way_for_every_question() {
    for source in SOURCES.into_iter().filter(|it| it.is_list()) {
        let one = sent(source, "1.1.1.1", None);
        assert_eq!(one, sent(source, "8.8.8.0/24", None), "{source:?}");
    }
}

#[test]
fn what_is_no_answer_is_said_to_be_none() {
    let nested = "[".repeat(10_000);
    let objects = r#"{"data":"#.repeat(10_000);
    let wrong = [
        r#"{"data":[],"pulse_info":[],"query_status":[],"noise":{},"ports":7,"FileName":[],"asn":{}}"#,
        r#"{"data":{"attributes":7,"abuseConfidenceScore":[]},"pulse_info":{"count":{}},"query_status":{},"ports":{}}"#,
        r#"{"data":{"attributes":{"last_analysis_stats":[1]}},"query_status":"ok","urls":7,"pulse_info":{"pulses":7}}"#,
        r#"[{"ip_address":{}}]"#,
        r#"{"cidr":7}"#,
        r#"{"rrname":7,"rrtype":"A","rdata":{}}"#,
    ];
    let bodies = [
        "",
        "null",
        "[]",
        "{}",
        "7",
        "\"text\"",
        "<!DOCTYPE html><html><title>Sign in</title></html>",
        r#"{"data":{"attributes":{"last_analysis_stats":{"harml"#,
        nested.as_str(),
        objects.as_str(),
        "\u{0}\u{1}",
    ];
    for source in SOURCES {
        for asked in ASKED {
            for body in bodies.iter().copied().chain(wrong) {
                let said = read(source, &question(asked), &reply(200, body));
                let shown: String = body.chars().take(40).collect();
                if let Said::Failed(Failure::Unreadable(why)) = &said {
                    assert!(!why.is_empty() && why.len() < 300, "{source:?}: {why}");
                } else {
                    assert_eq!(said, Said::NoData, "{source:?} {asked} of {shown}");
                }
            }
        }
    }
}

#[test]
fn a_status_that_is_no_answer_is_never_read_as_one() {
    for source in SOURCES {
        let read = |status| read(source, &question("1.1.1.1"), &reply(status, "{}"));
        assert_eq!(read(429), Said::Failed(Failure::AskedTooOften(None)));
        assert_eq!(read(401), Said::Failed(Failure::Refused(None)));
        assert_eq!(read(403), Said::Failed(Failure::Refused(None)));
        assert_eq!(read(500), Said::Failed(Failure::Status(500, None)));
        let is_unknown = matches!(
            source,
            OnlineSource::VirusTotal
                | OnlineSource::GreyNoise
                | OnlineSource::Otx
                | OnlineSource::InternetDb
                | OnlineSource::Hashlookup
                | OnlineSource::PassiveDns
        );
        let expected = if is_unknown {
            Said::NoData
        } else {
            Said::Failed(Failure::Status(404, None))
        };
        assert_eq!(read(404), expected, "{source:?}");
    }
}

/// Whatever comes: bounded facts, bounded names.
fn check_bounds(source: OnlineSource, said: Said) {
    match said {
        Said::Opinion(_) => {
            opinion_of(source, said);
        }
        Said::Names(names) => assert!(!names.is_empty() && names.len() <= 64),
        Said::NoData | Said::Failed(_) => {}
        Said::Registration(_) | Said::Announced(_) => panic!("{source:?} has no such answers"),
    }
}

/// JSON of the members that are looked for, with values of any kind.
fn answers() -> impl Strategy<Value = String> {
    const NAMES: [&str; 40] = [
        "data",
        "attributes",
        "last_analysis_stats",
        "malicious",
        "harmless",
        "total_votes",
        "categories",
        "popularity_ranks",
        "rank",
        "known_distributors",
        "distributors",
        "signature_info",
        "tags",
        "abuseConfidenceScore",
        "totalReports",
        "numDistinctUsers",
        "noise",
        "riot",
        "classification",
        "pulse_info",
        "count",
        "pulses",
        "author",
        "validation",
        "query_status",
        "ioc",
        "confidence_level",
        "urls",
        "url_count",
        "blacklists",
        "spamhaus_dbl",
        "ports",
        "vulns",
        "hashlookup:trust",
        "KnownMalicious",
        "rrname",
        "rrtype",
        "rdata",
        "cidr",
        "ip_address",
    ];
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("\"ok\"".to_owned()),
        Just("\"1.1.1.1:443\"".to_owned()),
        Just("\"A\"".to_owned()),
        any::<i64>().prop_map(|it| it.to_string()),
        Just("1e300".to_owned()),
        "\"[a-z0-9äß ]{0,300}\"".prop_map(|it| it),
    ];
    scalar.prop_recursive(6, 64, 8, |inner| {
        let name = proptest::sample::select(&NAMES[..]);
        let member = (name, inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            proptest::collection::vec(inner, 0..8).prop_map(|it| format!("[{}]", it.join(","))),
            proptest::collection::vec(member, 0..8).prop_map(|it| format!("{{{}}}", it.join(","))),
        ]
    })
}

proptest! {
    #[test]
    fn no_answer_makes_it_fail(body in answers(), which in 0..13_usize, asked in 0..5_usize) {
        let source = SOURCES[which];
        check_bounds(source, read(source, &question(ASKED[asked]), &reply(200, &body)));
    }

    #[test]
    fn no_bytes_make_it_fail(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        status in 100..600_u16,
        which in 0..13_usize,
        asked in 0..5_usize,
    ) {
        let source = SOURCES[which];
        let replies = [Reply { bytes, ..reply(status, "").remove(0) }];
        check_bounds(source, read(source, &question(ASKED[asked]), &replies));
    }

    #[test]
    fn no_name_leads_elsewhere(name in "\\PC{0,40}", which in 0..13_usize) {
        let source = SOURCES[which];
        let question = Question::Name(format!("{name}.com"));
        let usual = sent(source, "gist.github.com", None).map(|it| it.0);
        if let Some(Request::Http { url, .. }) = next(source, begin(&question)) {
            prop_assert!(url.is_ascii());
            let host = |url: &str| url.split('/').nth(2).map(str::to_owned);
            prop_assert_eq!(host(&url), usual.as_deref().and_then(host));
            prop_assert!(!url.contains(['?', '#', ' ', '\\', '@']) || !url.contains(".."));
        }
    }
}
