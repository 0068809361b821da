//! Real answers of services, as others recorded them. They are not kept in the project: WHOCALLS_CORPUS
//! names the folder that they lie in, and without it these tests say that they are skipped.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test is a panic, and a skipped one says so"
)]

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use enrich::sources;
use model::{Failure, OnlineSource, Question, Reply, Said, Standing};
use serde_json::Value;

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("WHOCALLS_CORPUS").map(|it| PathBuf::from(it).join("intel/api"));
    if folder.is_none() {
        let test = std::thread::current();
        let name = test.name().unwrap_or("a test");
        let line =
            format!("skipped: {name}: WHOCALLS_CORPUS does not name the folder of real answers\n");
        // Past what the harness keeps of a test that succeeds.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    folder
}

/// How whoever recorded it wrote it down.
#[derive(Clone, Copy)]
enum Form {
    /// As it came.
    Raw,
    /// `{"<what was asked>": answer}`.
    Wrapped,
    /// The same, of what stood in `data`.
    WrappedData,
}

fn said(source: OnlineSource, asked: &str, file: &str, form: Form) -> Option<Said> {
    let bytes = fs::read(corpus()?.join(file)).unwrap();
    let bytes = match form {
        Form::Raw => bytes,
        Form::Wrapped | Form::WrappedData => {
            let wrapped: Value = serde_json::from_slice(&bytes).unwrap();
            let Value::Object(mut members) = wrapped else {
                panic!("{file} is no object");
            };
            let answer = members.remove(asked).unwrap();
            let answer = match form {
                Form::WrappedData => serde_json::json!({ "data": answer }),
                Form::Raw | Form::Wrapped => answer,
            };
            serde_json::to_vec(&answer).unwrap()
        }
    };
    let question = match asked.parse() {
        Ok(address) => Question::Address(address),
        Err(_) => Question::Name(asked.to_owned()),
    };
    let reply = Reply {
        asked: String::new(),
        host: "recorded".to_owned(),
        status: Some(200),
        bytes,
    };
    Some(sources::read(source, &question, &[reply]))
}

/// All that it must say, in that order.
fn check(
    source: OnlineSource,
    (asked, file, form): (&str, &str, Form),
    standing: Standing,
    expected: &[(&str, &str)],
) {
    let Some(said) = said(source, asked, file, form) else {
        return;
    };
    let Said::Opinion(opinion) = said else {
        panic!("{file}: {said:?}");
    };
    assert_eq!(opinion.standing, standing, "{file}");
    let facts = opinion
        .facts
        .iter()
        .map(|(name, text)| (*name, text.lossy()));
    let expected = expected.iter().map(|(name, text)| (*name, (*text).into()));
    assert_eq!(
        facts.collect::<Vec<_>>(),
        expected.collect::<Vec<_>>(),
        "{file}"
    );
}

#[test]
fn virustotal_of_an_address_and_of_names() {
    let source = OnlineSource::VirusTotal;
    check(
        source,
        ("1.1.1.1", "vt_ip_1.1.1.1.json", Form::Raw),
        Standing::Doubtful,
        &[
            ("detections", "4 of 94 call it malicious"),
            ("last change", "2022-09-03"),
            ("votes", "64 for harmless, 9 for malicious"),
            ("reputation", "134"),
            ("network", "1.1.1.0/24"),
            ("owner", "AS13335 CLOUDFLARENET"),
            (
                "jarm",
                "27d3ed3ed0003ed1dc42d43d00041d6183ff1bfae51ebd88d70384363d525c",
            ),
        ],
    );
    check(
        source,
        ("gist.github.com", "vt_domain_gist.json", Form::Raw),
        Standing::Neutral,
        &[
            ("detections", "0 of 94 call it malicious"),
            ("last change", "2022-08-16"),
            ("reputation", "0"),
            ("registrar", "MarkMonitor Inc."),
            ("created", "2007-10-09"),
            (
                "categories",
                "File Sharing/Storage, Information Technology, advice, information technology, media sharing, social networks",
            ),
            ("rank", "532 of Majestic, 39463 of Cisco Umbrella"),
            (
                "jarm",
                "27d27d27d29d27d00041d41d0000000be49cc25222308abd09720df24eb301",
            ),
        ],
    );
    check(
        source,
        ("google.com", "vt_domain_google.json", Form::Raw),
        Standing::Doubtful,
        &[
            ("detections", "1 of 94 calls it malicious"),
            ("last change", "2022-08-17"),
            ("votes", "258 for harmless, 42 for malicious"),
            ("reputation", "448"),
            ("registrar", "MarkMonitor Inc."),
            ("created", "1997-09-15"),
            (
                "categories",
                "Search Engines/Portals, mobile communications, search engines, search engines and portals, searchengines",
            ),
            (
                "rank",
                "1 of Alexa, 1 of Majestic, 1 of Quantcast, 1 of Statvoo",
            ),
            (
                "jarm",
                "27d40d40d29d40d1dc42d43d00041d4689ee210389f4f6b4b5b1b93f92252d",
            ),
        ],
    );
}

#[test]
fn answers_to_other_questions_of_virustotal_are_not_taken_for_these() {
    for file in [
        "vt_resolutions_gist.json",
        "vt_resolutions_no_result.json",
        "vt_whois_gist.json",
    ] {
        let source = OnlineSource::VirusTotal;
        let Some(said) = said(source, "gist.github.com", file, Form::Raw) else {
            return;
        };
        let why = "`data` is a list instead of an object".to_owned();
        assert_eq!(said, Said::Failed(Failure::Unreadable(why)), "{file}");
    }
}

#[test]
fn abuseipdb_of_an_address() {
    for (file, form) in [
        ("abuseipdb_1.1.1.1_raw.json", Form::Raw),
        ("abuseipdb_1.1.1.1_red.json", Form::WrappedData),
    ] {
        check(
            OnlineSource::AbuseIpDb,
            ("1.1.1.1", file, form),
            Standing::Doubtful,
            &[
                ("attacks from it", "100 of 100"),
                ("reports", "567 by 123 reporters in 90 days"),
                ("last report", "2018-12-20"),
                ("use", "Data Center/Web Hosting/Transit"),
                ("provider", "Acme, Inc."),
                ("domain", "example.com"),
                ("country", "US"),
            ],
        );
    }
}

#[test]
fn greynoise_of_an_address() {
    for (file, standing, seen, class) in [
        (
            "greynoise_1.1.1.1.json",
            Standing::Common,
            "a common service",
            "benign",
        ),
        (
            "greynoise_1.1.1.1_malicious.json",
            Standing::Doubtful,
            "scans the internet",
            "malicious",
        ),
        (
            "greynoise_1.1.1.1_unknown.json",
            Standing::Common,
            "a common service",
            "unknown",
        ),
    ] {
        check(
            OnlineSource::GreyNoise,
            ("1.1.1.1", file, Form::Wrapped),
            standing,
            &[
                ("seen as", seen),
                ("class", class),
                ("name", "Cloudflare Public DNS"),
                ("last seen", "2023-02-18"),
            ],
        );
    }
}

#[test]
fn urlhaus_of_a_host_of_its_own_and_of_one_that_is_shared() {
    check(
        OnlineSource::UrlHaus,
        ("1.1.1.1", "urlhaus_1.1.1.1.json", Form::Wrapped),
        Standing::Bad,
        &[
            ("urls with malware", "10"),
            ("still online", "10 of the 10 told of"),
            ("first seen", "2024-02-09"),
            ("last added", "2024-02-09"),
            ("threats", "malware_download"),
            ("tags", "elf, mirai"),
            ("spamhaus dbl", "not listed"),
            ("surbl", "not listed"),
        ],
    );
    check(
        OnlineSource::UrlHaus,
        ("gist.github.com", "urlhaus_gist.json", Form::Wrapped),
        Standing::Doubtful,
        &[
            ("urls with malware", "3248"),
            ("still online", "1 of the 1 told of"),
            ("first seen", "2024-02-09"),
            ("last added", "2023-02-09"),
            ("threats", "malware_download"),
            ("tags", "Pikabot, TA577, foo, zip"),
            ("spamhaus dbl", "abused legit malware"),
            ("surbl", "listed"),
            ("shared", "others have files there, too"),
        ],
    );
}

#[test]
fn ipinfo_and_shodan_of_an_address() {
    check(
        OnlineSource::IpInfo,
        ("1.1.1.1", "ipinfo_1.1.1.1.json", Form::Wrapped),
        Standing::Neutral,
        &[
            ("network", "AS13335 Cloudflare, Inc."),
            ("host name", "one.one.one.one"),
            ("place", "many, it is announced from several"),
        ],
    );
    // Of the service that wants a key; the free one has its ports under the same name.
    check(
        OnlineSource::InternetDb,
        ("1.1.1.1", "shodan_1.1.1.1.json", Form::Wrapped),
        Standing::Neutral,
        &[(
            "open ports",
            "53, 69, 80, 161, 443, 2082, 2083, 2086, 2087, 8080, 8443, 8880",
        )],
    );
}

#[test]
fn a_real_answer_that_was_cut_anywhere_is_no_answer() {
    let Some(corpus) = corpus() else { return };
    let bytes = fs::read(corpus.join("vt_ip_1.1.1.1.json")).unwrap();
    let question = Question::Address("1.1.1.1".parse().unwrap());
    for end in (0..bytes.trim_ascii_end().len()).step_by(97) {
        let reply = Reply {
            asked: String::new(),
            host: "recorded".to_owned(),
            status: Some(200),
            bytes: bytes.get(..end).unwrap().to_vec(),
        };
        let said = sources::read(OnlineSource::VirusTotal, &question, &[reply]);
        assert!(
            matches!(said, Said::Failed(Failure::Unreadable(_))),
            "{end}: {said:?}"
        );
    }
}
