//! `ThreatFox` of abuse.ch: indicators of malware, with who uses them for what. Entries older than six
//! months are gone.

use std::net::{IpAddr, SocketAddr};

use model::{FileHash, Question, Reply, Said, Standing};
use serde_json::json;

use super::abuse_ch;
use super::facts::{Facts, counted};
use super::http::{self, NotFound};
use super::members::{self, Object};
use super::place;
use super::{Conversation, Request};

const BASE: &str = "https://threatfox-api.abuse.ch/api/v1/";
/// Of 100, as its publisher gives it. What comes in by itself has 75 and more, what somebody supposes
/// has 50 and less.
const BAD_FROM: u64 = 75;
/// Entries that are shown.
const MOST: usize = 4;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let question = conversation.question;
    // Addresses are listed with their port, so that their own text never fits exactly.
    let (what, is_exact) = match question {
        Question::Address(_) => (place::address(question)?.to_string(), false),
        Question::Name(_) => (place::name(question)?.to_owned(), true),
        Question::Hash(FileHash::Sha512(_)) | Question::Network(_) => return None,
        Question::Hash(hash) => (hash.to_string(), true),
    };
    let body = json!({"query": "search_ioc", "search_term": what, "exact_match": is_exact});
    let body = ("application/json", body.to_string());
    place::post(conversation, BASE, "", body, abuse_ch::KEY)
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Wrong, |body| {
        let document = members::document(body)?;
        let answer = Object::of(&document, "it")?;
        if !abuse_ch::has_data(answer)? {
            return Ok(Said::NoData);
        }
        let mut entries = answer.objects("data")?;
        // A search for 1.1.1.1 finds 11.1.1.10 too.
        entries.retain(|entry| {
            let listed = entry.text("ioc");
            listed.is_some_and(|listed| is_about(question, &listed))
        });
        entries.sort_by_key(|entry| std::cmp::Reverse(confidence(*entry)));
        Ok(opinion(&entries))
    })
}

/// Whether what is listed is the thing itself, with a port or within an URL, and not one that has it
/// as a part.
fn is_about(question: &Question, listed: &str) -> bool {
    let listed = listed.trim();
    let host = match listed.split_once("://") {
        Some((_, rest)) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default()
        }
        None => listed,
    };
    match question {
        Question::Address(address) => {
            let listed = host
                .parse::<IpAddr>()
                .or_else(|_| host.parse::<SocketAddr>().map(|it| it.ip()));
            listed.is_ok_and(|it| it.to_canonical() == address.to_canonical())
        }
        Question::Name(name) => {
            let host = host.split(':').next().unwrap_or_default();
            host.trim_end_matches('.').eq_ignore_ascii_case(name)
        }
        Question::Hash(hash) => FileHash::parse(listed).as_ref() == Some(hash),
        Question::Network(_) => false,
    }
}

/// 0 where it does not say.
fn confidence(entry: Object<'_>) -> u64 {
    entry.count("confidence_level").unwrap_or(0)
}

/// `entries` begin with the surest.
fn opinion(entries: &[Object<'_>]) -> Said {
    let Some(surest) = entries.first() else {
        return Said::NoData;
    };
    let mut facts = Facts::default();
    for entry in entries.iter().take(MOST) {
        facts.add("listed as", said_of(*entry));
    }
    let more = entries.len().saturating_sub(MOST);
    let more = u64::try_from(more).unwrap_or(u64::MAX);
    let more = (more > 0).then(|| counted(more, "more entry", "more entries"));
    facts.add("and", more);
    facts.add("first seen", surest.day("first_seen"));
    facts.add("last seen", surest.day("last_seen"));
    facts.add("tags", surest.line("tags"));
    facts.add("reported by", surest.text("reporter"));
    facts.add("reference", surest.text("reference"));
    facts.said(if confidence(*surest) >= BAD_FROM {
        Standing::Bad
    } else {
        Standing::Doubtful
    })
}

/// `Cobalt Strike, botnet_cc, 75 of 100 sure: 192.0.2.1:443`.
fn said_of(entry: Object<'_>) -> String {
    let malware = entry
        .text("malware_printable")
        .or_else(|| entry.text("malware"));
    let sure = entry.count("confidence_level");
    let parts = [
        malware,
        entry.text("threat_type"),
        sure.map(|sure| format!("{sure} of 100 sure")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let listed = entry.text("ioc").unwrap_or_default();
    format!("{}: {listed}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::super::{Method, Request};
    use super::*;
    use model::{Failure, OnlineSource};

    /// Made up after the fields of the service.
    fn entry(ioc: &str, confidence: &str) -> String {
        format!(
            r#"{{"id":"12","ioc":"{ioc}","ioc_type":"ip:port","threat_type":"botnet_cc",
            "malware":"win.cobalt_strike","malware_printable":"Cobalt Strike","confidence_level":{confidence},
            "first_seen":"2026-09-27 06:55:05 UTC","last_seen":null,"reporter":"someone","tags":["c2",null]}}"#
        )
    }

    fn check(asked: &str, entries: &[String], expected: Option<Standing>) {
        let body = format!(r#"{{"query_status":"ok","data":[{}]}}"#, entries.join(","));
        let said = read(&question(asked), &reply(200, &body));
        match expected {
            None => assert_eq!(said, Said::NoData, "{body}"),
            Some(standing) => {
                let (found, facts) = opinion_of(OnlineSource::ThreatFox, said);
                assert_eq!(found, standing, "{body}");
                assert!(facts.contains(&("first seen", "2026-09-27".to_owned())));
            }
        }
    }

    #[test]
    fn what_is_surely_listed_is_bad_and_what_is_supposed_a_doubt() {
        check(
            "1.1.1.1",
            &[entry("1.1.1.1:443", "75")],
            Some(Standing::Bad),
        );
        check(
            "1.1.1.1",
            &[entry("1.1.1.1:443", "\"100\"")],
            Some(Standing::Bad),
        );
        check(
            "1.1.1.1",
            &[entry("1.1.1.1:443", "50")],
            Some(Standing::Doubtful),
        );
        check(
            "1.1.1.1",
            &[entry("1.1.1.1:443", "null")],
            Some(Standing::Doubtful),
        );
        check(
            "1.1.1.1",
            &[entry("1.1.1.1:1", "50"), entry("http://1.1.1.1/a", "90")],
            Some(Standing::Bad),
        );
        check(
            "evil.github.com",
            &[entry("evil.github.com", "90")],
            Some(Standing::Bad),
        );
    }

    #[test]
    fn what_only_has_it_as_a_part_is_something_else() {
        check("1.1.1.1", &[entry("11.1.1.1:443", "100")], None);
        check("1.1.1.1", &[entry("1.1.1.10:443", "100")], None);
        check("github.com", &[entry("evil.github.com", "100")], None);
        check("1.1.1.1", &[], None);
    }

    #[test]
    fn what_it_says_instead_of_an_answer_is_kept_apart() {
        for (body, expected) in [
            (
                r#"{"query_status":"no_result","data":"Your search did not yield any results"}"#,
                Said::NoData,
            ),
            (
                r#"{"query_status":"unknown_auth_key"}"#,
                Said::Failed(Failure::Refused(Some("unknown_auth_key".into()))),
            ),
            (
                r#"{"query_status":"rate_limited"}"#,
                Said::Failed(Failure::AskedTooOften(None)),
            ),
            (
                r#"{"query_status":"illegal_search_term"}"#,
                Said::Failed(Failure::Unreadable(
                    "it does not take the question: illegal_search_term".to_owned(),
                )),
            ),
        ] {
            let said = read(&question("1.1.1.1"), &reply(200, body));
            assert_eq!(said, expected, "{body}");
        }
    }

    #[test]
    fn a_name_cannot_end_the_text_that_it_stands_in() {
        let question = Question::Name("a\".github.com".to_owned());
        let begin = Conversation {
            question: &question,
            replies: &[],
            base: None,
        };
        let Some(Request::Http {
            method: Method::Post { body, .. },
            ..
        }) = next(begin)
        else {
            panic!("nothing is asked");
        };
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["search_term"], "a\".github.com");
    }
}
