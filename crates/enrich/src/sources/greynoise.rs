//! `GreyNoise` community API: whether an address scans the whole internet, or belongs to a service
//! that everybody uses (`riot`). Nothing about servers that programs call.

use std::net::IpAddr;

use model::{Failure, Question, Reply, Said, Standing};

use super::facts::Facts;
use super::http::{self, NotFound};
use super::members::{self, Object, unreadable};
use super::place;
use super::{Conversation, KeyPlace, Request};

const BASE: &str = "https://api.greynoise.io/v3/community/";
/// It answers without one, too, but not often.
pub(super) const KEY: KeyPlace = KeyPlace::Header("key");

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let IpAddr::V4(address) = place::address(conversation.question)? else {
        return None;
    };
    place::get(conversation, BASE, &address.to_string(), Some(KEY))
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Unknown, |body| {
        let document = members::document(body)?;
        opinion(question, Object::of(&document, "it")?)
    })
}

fn opinion(question: &Question, answer: Object<'_>) -> Result<Said, Failure> {
    let (noise, riot) = (answer.truth("noise"), answer.truth("riot"));
    if noise.is_none() && riot.is_none() {
        return Err(unreadable("it has neither `noise` nor `riot`"));
    }
    let (noise, riot) = (noise == Some(true), riot == Some(true));
    if !noise && !riot {
        return Ok(Said::NoData);
    }
    let class = answer.text("classification").unwrap_or_default();
    let mut facts = Facts::default();
    facts.about(question, answer.text("ip"));
    let seen = match (riot, noise) {
        (true, true) => "a common service, and scans the internet",
        (true, false) => "a common service",
        (false, _) => "scans the internet",
    };
    facts.add("seen as", seen.to_owned());
    facts.add("class", class.clone());
    facts.add("name", answer.text("name"));
    facts.add("last seen", answer.day("last_seen"));
    Ok(facts.said(match class.as_str() {
        "malicious" | "suspicious" => Standing::Doubtful,
        _ if riot => Standing::Common,
        _ => Standing::Neutral,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    fn check(answer: &str, standing: Option<Standing>) {
        let said = read(&question("1.1.1.1"), &reply(200, &format!("{{{answer}}}")));
        let Some(standing) = standing else {
            assert_eq!(said, Said::NoData, "{answer}");
            return;
        };
        assert_eq!(
            opinion_of(OnlineSource::GreyNoise, said).0,
            standing,
            "{answer}"
        );
    }

    #[test]
    fn common_services_are_common_and_scanners_are_not() {
        check(
            r#""noise":false,"riot":true,"classification":"benign""#,
            Some(Standing::Common),
        );
        check(
            r#""noise":true,"riot":false,"classification":"malicious""#,
            Some(Standing::Doubtful),
        );
        check(
            r#""noise":true,"riot":true,"classification":"malicious""#,
            Some(Standing::Doubtful),
        );
        check(
            r#""noise":"true","classification":"benign""#,
            Some(Standing::Neutral),
        );
        check(
            r#""noise":false,"riot":false,"message":"not observed""#,
            None,
        );
    }
}
