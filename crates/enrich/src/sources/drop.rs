//! Spamhaus DROP: networks that were taken over, or belong to those who live on crime. One JSON object
//! a line, `{"cidr":..,"sblid":..,"rir":..}`; the last line tells of the list itself, and is how a
//! whole list is told from half of one. Its publisher wants to be named, with the date.

use model::{Failure, Network, Question, Reply, Said, Standing};

use super::facts::{Facts, counted};
use super::http::{self, NotFound};
use super::listed;
use super::members::{self, Object, unreadable};
use super::place;
use super::{Conversation, Request};

const BASE: &str = "https://www.spamhaus.org/drop/";
/// Networks that are named where one was asked for that has several.
const MOST: usize = 4;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let wanted = listed::wanted(conversation.question)?;
    let list = if wanted.first().is_ipv4() {
        "drop_v4.json"
    } else {
        "drop_v6.json"
    };
    place::lines(conversation, BASE, list, None)
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Wrong, |body| look(question, body))
}

struct Hit {
    network: Network,
    record: Option<String>,
    registry: Option<String>,
}

fn look(question: &Question, body: &[u8]) -> Result<Said, Failure> {
    if members::is_html(body) {
        return Err(unreadable("it is a web page, not lines of JSON"));
    }
    let wanted = listed::wanted(question);
    let (mut all, mut hits) = (0, Vec::new());
    let (mut is_whole, mut day, mut credit) = (false, None, None);
    let lines = body.split(|byte| *byte == b'\n').zip(1_usize..);
    for (line, number) in lines.filter(|(line, _)| !line.trim_ascii().is_empty()) {
        let named = |failure| members::in_line(failure, number);
        let document = members::document(line).map_err(named)?;
        let entry = Object::of(&document, "it").map_err(named)?;
        if entry.has("type") {
            is_whole = true;
            day = entry.day("timestamp");
            credit = entry.text("copyright");
            continue;
        }
        let network = entry.text("cidr").as_deref().and_then(listed::network);
        let Some(network) = network else {
            return Err(named(unreadable("it has no `cidr`")));
        };
        all += 1;
        if wanted.is_some_and(|wanted| listed::touches(wanted, network)) {
            hits.push(Hit {
                network,
                record: entry.text("sblid"),
                registry: entry.text("rir"),
            });
        }
    }
    if hits.is_empty() {
        return if is_whole {
            Ok(Said::NoData)
        } else {
            Err(unreadable(
                "its last line, which tells of the list, is missing",
            ))
        };
    }
    let mut facts = Facts::default();
    for hit in hits.iter().take(MOST) {
        let record = hit.record.as_ref().map(|it| format!(", record {it}"));
        let registry = hit.registry.as_ref().map(|it| format!(", at {it}"));
        let text = format!(
            "{}{}{}",
            hit.network,
            record.unwrap_or_default(),
            registry.unwrap_or_default()
        );
        facts.add("listed", text);
    }
    facts.add("list of", day);
    facts.add("on the list", counted(all, "network", "networks"));
    facts.add("credit", credit);
    Ok(facts.said(Standing::Bad))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    /// Made up after the form of the list.
    const LIST: &str = r#"{"cidr":"1.10.16.0/20","sblid":"SBL256894","rir":"apnic"}
{"cidr":"2.56.192.0/22","sblid":"SBL459831","rir":null}
{"type":"metadata","timestamp":1786614242,"size":123,"records":2,"copyright":"(c) 2026 The Spamhaus Project SLU"}
"#;

    #[test]
    fn what_lies_in_a_listed_network_is_bad_and_the_credit_is_kept() {
        let said = read(&question("1.10.31.255"), &reply(200, LIST));
        let (standing, facts) = opinion_of(OnlineSource::Drop, said);
        assert_eq!(standing, Standing::Bad);
        let expected = [
            ("listed", "1.10.16.0/20, record SBL256894, at apnic"),
            ("list of", "2026-08-13"),
            ("on the list", "2 networks"),
            ("credit", "(c) 2026 The Spamhaus Project SLU"),
        ];
        assert_eq!(facts, expected.map(|(name, text)| (name, text.to_owned())));
        assert_eq!(
            read(&question("1.10.32.0"), &reply(200, LIST)),
            Said::NoData
        );
        let said = read(&question("2.56.0.0/16"), &reply(200, LIST));
        assert_eq!(opinion_of(OnlineSource::Drop, said).0, Standing::Bad);
    }

    #[test]
    fn what_is_not_on_half_a_list_is_not_known() {
        let half = LIST.lines().next().unwrap();
        for body in [half, "", &LIST[..80]] {
            let said = read(&question("1.1.1.1"), &reply(200, body));
            assert!(
                matches!(said, Said::Failed(Failure::Unreadable(_))),
                "{body}: {said:?}"
            );
        }
    }

    #[test]
    fn each_kind_of_address_has_its_list() {
        for (asked, expected) in [
            ("1.1.1.1", Some("drop_v4.json")),
            ("2606:4700::/32", Some("drop_v6.json")),
            ("10.0.0.0/8", None),
            ("github.com", None),
        ] {
            let question = question(asked);
            let begin = Conversation {
                question: &question,
                replies: &[],
                base: None,
            };
            let url = match next(begin) {
                Some(Request::Http { url, .. }) => Some(url),
                _ => None,
            };
            let expected = expected.map(|list| format!("{BASE}{list}"));
            assert_eq!(url, expected, "{asked}");
        }
    }
}
