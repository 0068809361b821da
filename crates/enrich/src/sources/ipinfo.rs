//! ipinfo Lite: who announces an address, and in which country it is. It takes no side.

use model::{Failure, Question, Reply, Said, Standing};

use super::facts::Facts;
use super::http::{self, NotFound};
use super::members::{self, Object, unreadable};
use super::place;
use super::{Conversation, KeyPlace, Request};

const BASE: &str = "https://api.ipinfo.io/lite/";
pub(super) const KEY: KeyPlace = KeyPlace::Query("token");

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let address = place::address(conversation.question)?;
    place::get(conversation, BASE, &address.to_string(), Some(KEY))
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Wrong, |body| {
        let document = members::document(body)?;
        opinion(question, Object::of(&document, "it")?)
    })
}

fn opinion(question: &Question, answer: Object<'_>) -> Result<Said, Failure> {
    if answer.truth("bogon") == Some(true) {
        return Ok(Said::NoData);
    }
    let network = [answer.text("asn"), answer.text("as_name")];
    let network: Vec<String> = network.into_iter().flatten().collect();
    // The older service has both in one member, and the country as two letters in `country`.
    let network = answer.text("org").unwrap_or_else(|| network.join(" "));
    let country = answer
        .text("country_code")
        .or_else(|| answer.text("country"));
    if network.is_empty() && country.is_none() {
        return Err(unreadable("it has neither `asn` nor `country_code`"));
    }
    let mut facts = Facts::default();
    facts.about(question, answer.text("ip"));
    facts.add("network", network);
    facts.add("domain", answer.text("as_domain"));
    facts.add("host name", answer.text("hostname"));
    // Where one of many computers with that address stands says nothing.
    if answer.truth("anycast") == Some(true) {
        facts.add("place", "many, it is announced from several".to_owned());
    } else {
        facts.add("country", country);
        let continent = answer
            .text("continent_code")
            .or_else(|| answer.text("continent"));
        facts.add("continent", continent);
        facts.add("city", answer.text("city"));
    }
    Ok(facts.said(Standing::Neutral))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    #[test]
    fn who_announces_it_is_said_in_one_line() {
        // Made up after the fields of the service.
        let body = r#"{"ip":"1.1.1.1","asn":"AS13335","as_name":"Cloudflare, Inc.","as_domain":"cloudflare.com",
            "country_code":"AU","country":"Australia","continent_code":"OC","continent":"Oceania"}"#;
        let said = read(&question("1.1.1.1"), &reply(200, body));
        let (standing, facts) = opinion_of(OnlineSource::IpInfo, said);
        assert_eq!(standing, Standing::Neutral);
        let expected = [
            ("network", "AS13335 Cloudflare, Inc."),
            ("domain", "cloudflare.com"),
            ("country", "AU"),
            ("continent", "OC"),
        ];
        let expected = expected.map(|(name, text)| (name, text.to_owned()));
        assert_eq!(facts, expected);
        let bogon = read(
            &question("1.1.1.1"),
            &reply(200, r#"{"ip":"10.0.0.1","bogon":true}"#),
        );
        assert_eq!(bogon, Said::NoData);
    }
}
