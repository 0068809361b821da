//! `AbuseIPDB`, API version 2: who was reported for attacks that came FROM an address. A server that
//! a program here calls is reported by nobody, so this says little about those.

use model::{Failure, Question, Reply, Said, Standing};

use super::facts::{Facts, counted};
use super::http::{self, NotFound};
use super::members::{self, Object, unreadable};
use super::place;
use super::{Conversation, KeyPlace, Request};

const BASE: &str = "https://api.abuseipdb.com/api/v2/";
pub(super) const KEY: KeyPlace = KeyPlace::Header("Key");
/// Reports of so many days are asked for.
const DAYS: u32 = 90;
/// From this score on, of 100, reports come from several people. No score makes an address bad: what
/// is counted is not what is asked here.
const DOUBTFUL_FROM: u64 = 25;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let address = place::address(conversation.question)?;
    let rest = format!("check?ipAddress={address}&maxAgeInDays={DAYS}");
    place::get(conversation, BASE, &rest, Some(KEY))
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Wrong, |body| {
        let document = members::document(body)?;
        opinion(question, Object::of(&document, "it")?.needed("data")?)
    })
}

fn opinion(question: &Question, data: Object<'_>) -> Result<Said, Failure> {
    let score = data.count("abuseConfidenceScore");
    let score = score.ok_or_else(|| unreadable("it has no `abuseConfidenceScore`"))?;
    let reports = data.count("totalReports");
    let mut facts = Facts::default();
    facts.about(question, data.text("ipAddress"));
    facts.add("attacks from it", format!("{score} of 100"));
    facts.add(
        "reports",
        reports.map(|reports| said_of_reports(reports, data.count("numDistinctUsers"))),
    );
    facts.add("last report", data.day("lastReportedAt"));
    let is_trusted = data.truth("isWhitelisted") == Some(true);
    facts.add(
        "trusted",
        is_trusted.then(|| "on their list of known services".to_owned()),
    );
    facts.add("use", data.text("usageType"));
    facts.add("provider", data.text("isp"));
    facts.add("domain", data.text("domain"));
    facts.add("host names", data.line("hostnames"));
    facts.add("country", data.text("countryCode"));
    let is_exit = data.truth("isTor") == Some(true);
    facts.add("tor", is_exit.then(|| "is an exit of Tor".to_owned()));
    Ok(facts.said(if is_trusted {
        Standing::Common
    } else if score >= DOUBTFUL_FROM {
        Standing::Doubtful
    } else {
        Standing::Neutral
    }))
}

fn said_of_reports(reports: u64, reporters: Option<u64>) -> String {
    match (reports, reporters) {
        (0, _) => format!("none in {DAYS} days"),
        (_, None) => format!("{reports} in {DAYS} days"),
        (_, Some(by)) => {
            let by = counted(by, "reporter", "reporters");
            format!("{reports} by {by} in {DAYS} days")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    fn check(data: &str, standing: Standing) {
        let body = format!(r#"{{"data":{{{data}}}}}"#);
        let said = read(&question("1.1.1.1"), &reply(200, &body));
        assert_eq!(
            opinion_of(OnlineSource::AbuseIpDb, said).0,
            standing,
            "{data}"
        );
    }

    #[test]
    fn attacks_from_an_address_are_never_more_than_a_doubt() {
        check(
            r#""abuseConfidenceScore":100,"totalReports":567"#,
            Standing::Doubtful,
        );
        check(
            r#""abuseConfidenceScore":"25","isWhitelisted":null"#,
            Standing::Doubtful,
        );
        check(
            r#""abuseConfidenceScore":24,"totalReports":3"#,
            Standing::Neutral,
        );
        check(
            r#""abuseConfidenceScore":0,"totalReports":0"#,
            Standing::Neutral,
        );
        check(
            r#""abuseConfidenceScore":40,"isWhitelisted":true"#,
            Standing::Common,
        );
    }
}
