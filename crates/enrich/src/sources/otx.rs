//! `LevelBlue` Open Threat Exchange: in which reports ("pulses") it is named. Anyone may publish one.

use std::net::IpAddr;

use model::{Failure, FileHash, Question, Reply, Said, Standing};

use super::facts::{Facts, counted};
use super::http::{self, NotFound};
use super::members::{self, Object, unreadable};
use super::place::{self, encoded};
use super::{Conversation, KeyPlace, Request};

const BASE: &str = "https://otx.alienvault.com/api/v1/indicators/";
pub(super) const KEY: KeyPlace = KeyPlace::Header("X-OTX-API-KEY");
/// Reports that are named.
const MOST_PULSES: usize = 4;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let (kind, what) = section(conversation.question)?;
    let rest = format!("{kind}/{what}/general");
    place::get(conversation, BASE, &rest, Some(KEY))
}

/// In which part of it something lies, and under which name.
pub(super) fn section(question: &Question) -> Option<(&'static str, String)> {
    Some(match question {
        Question::Address(_) => match place::address(question)? {
            IpAddr::V4(address) => ("IPv4", address.to_string()),
            IpAddr::V6(address) => ("IPv6", address.to_string()),
        },
        Question::Name(_) => {
            let name = place::name(question)?;
            let kind = if is_registered(name) {
                "domain"
            } else {
                "hostname"
            };
            (kind, encoded(name))
        }
        Question::Hash(FileHash::Sha512(_)) | Question::Network(_) => return None,
        Question::Hash(hash) => ("file", hash.to_string()),
    })
}

/// Whether it looks like a name that somebody registered, and not like one below it: `a.example`, or
/// `a.co.uk`. A rule of thumb, for the list of suffixes is not at hand here; it only chooses the part
/// of the service.
fn is_registered(name: &str) -> bool {
    let labels: Vec<&str> = name.split('.').collect();
    match labels.as_slice() {
        [_, _] => true,
        [_, second, last] => {
            last.len() == 2
                && matches!(
                    *second,
                    "ac" | "co" | "com" | "edu" | "gob" | "gov" | "ne" | "net" | "or" | "org"
                )
        }
        _ => false,
    }
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Unknown, |body| {
        let document = members::document(body)?;
        opinion(question, Object::of(&document, "it")?)
    })
}

fn opinion(question: &Question, answer: Object<'_>) -> Result<Said, Failure> {
    let info = answer.needed("pulse_info")?;
    let pulses = info.objects("pulses")?;
    let listed = u64::try_from(pulses.len()).unwrap_or(u64::MAX);
    let count = match info.count("count") {
        Some(count) => count,
        None if info.has("pulses") => listed,
        None => return Err(unreadable("`pulse_info` has no `count`")),
    };
    let known: Vec<String> = answer
        .objects("validation")?
        .iter()
        .filter_map(|it| it.text("message").or_else(|| it.text("name")))
        .collect();
    if count == 0 && known.is_empty() {
        return Ok(Said::NoData);
    }
    let mut facts = Facts::default();
    facts.about(question, answer.text("indicator"));
    facts.add("reports", counted(count, "names it", "name it"));
    facts.add("known as", members::in_a_line(&known));
    for pulse in pulses.iter().take(MOST_PULSES) {
        facts.add("report", title(*pulse)?);
    }
    let tags = pulses.iter().flat_map(|pulse| pulse.texts("tags"));
    let mut tags: Vec<String> = tags.take(64).collect();
    tags.sort_unstable();
    tags.dedup();
    facts.add("tags", members::in_a_line(&tags));
    facts.add("network", answer.text("asn"));
    facts.add("country", answer.text("country_code"));
    Ok(facts.said(if known.is_empty() {
        Standing::Doubtful
    } else {
        Standing::Common
    }))
}

/// Name, author and day of a report.
fn title(pulse: Object<'_>) -> Result<Option<String>, Failure> {
    let Some(name) = pulse.text("name") else {
        return Ok(None);
    };
    let author = match pulse.text("author_name") {
        Some(author) => Some(author),
        // An object in the answers of the service, a text in older ones.
        None => pulse.text("author").or(match pulse.object("author") {
            Ok(author) => author.and_then(|it| it.text("username")),
            Err(error) => return Err(error),
        }),
    };
    let more: Vec<String> = [author, pulse.day("modified")]
        .into_iter()
        .flatten()
        .collect();
    Ok(Some(if more.is_empty() {
        name
    } else {
        format!("{name} ({})", more.join(", "))
    }))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    #[test]
    fn reports_of_anybody_are_a_doubt() {
        // Made up after the fields of the service.
        let body = r#"{"indicator":"1.1.1.1","type":"IPv4","asn":"AS13335 cloudflare","country_code":"AU",
            "reputation":0,"validation":[],"false_positive":[],"pulse_info":{"count":2,"pulses":[
            {"name":"Scanners of May","author":{"username":"someone","id":"7"},"modified":"2026-05-03T10:00:00.000000","tags":["ssh","scan"]},
            {"name":"Nameless","author_name":"other","tags":["scan"]}]}}"#;
        let said = read(&question("1.1.1.1"), &reply(200, body));
        let (standing, facts) = opinion_of(OnlineSource::Otx, said);
        assert_eq!(standing, Standing::Doubtful);
        let expected = [
            ("reports", "2 name it"),
            ("report", "Scanners of May (someone, 2026-05-03)"),
            ("report", "Nameless (other)"),
            ("tags", "scan, ssh"),
            ("network", "AS13335 cloudflare"),
            ("country", "AU"),
        ];
        let expected = expected.map(|(name, text)| (name, text.to_owned()));
        assert_eq!(facts, expected);
    }

    #[test]
    fn what_it_knows_as_common_is_common_and_nothing_is_nothing() {
        let body = r#"{"pulse_info":{"count":50,"pulses":[]},
            "validation":[{"source":"whitelist","message":"Whitelisted domain"}]}"#;
        let said = read(&question("gist.github.com"), &reply(200, body));
        assert_eq!(opinion_of(OnlineSource::Otx, said).0, Standing::Common);
        let body = r#"{"pulse_info":{"count":0,"pulses":[]},"validation":[]}"#;
        let said = read(&question("1.1.1.1"), &reply(200, body));
        assert_eq!(said, Said::NoData);
    }

    #[test]
    fn names_below_a_registered_one_are_hosts() {
        for (name, expected) in [
            ("github.com", "domain"),
            ("gist.github.com", "hostname"),
            ("bbc.co.uk", "domain"),
            ("news.bbc.co.uk", "hostname"),
        ] {
            let found = section(&question(name)).map(|it| it.0);
            assert_eq!(found, Some(expected), "{name}");
        }
    }
}
