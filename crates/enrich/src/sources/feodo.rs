//! Feodo Tracker of abuse.ch: servers that commanded botnets. All but empty by now, since those botnets
//! were taken down; an empty list is a list.

use model::{Failure, Question, Reply, Said, Standing};
use serde_json::Value;

use super::facts::Facts;
use super::http::{self, NotFound};
use super::listed;
use super::members::{self, Object, unreadable};
use super::place;
use super::{Conversation, Request};

const BASE: &str = "https://feodotracker.abuse.ch/downloads/";
/// Servers that are named where a network was asked for.
const MOST: usize = 4;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let wanted = listed::wanted(conversation.question)?;
    // There are no others on it, so that it could say nothing.
    wanted.first().is_ipv4().then_some(())?;
    place::lines(conversation, BASE, "ipblocklist.json", None)
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Wrong, |body| {
        let document = members::document(body)?;
        let Value::Array(entries) = &document else {
            return Err(unreadable("it is no list"));
        };
        look(question, entries)
    })
}

fn look(question: &Question, entries: &[Value]) -> Result<Said, Failure> {
    let wanted = listed::wanted(question);
    let mut hits = Vec::new();
    for entry in entries {
        let entry = Object::of(entry, "an entry of the list")?;
        let address = entry.text("ip_address");
        let address = address.as_deref().and_then(listed::network);
        let address =
            address.ok_or_else(|| unreadable("an entry of the list has no `ip_address`"))?;
        if wanted.is_some_and(|wanted| listed::touches(wanted, address)) {
            hits.push((address, entry));
        }
    }
    let Some((_, first)) = hits.first() else {
        return Ok(Said::NoData);
    };
    let mut facts = Facts::default();
    for (address, entry) in hits.iter().take(MOST) {
        let port = entry.text("port").map(|port| format!(" port {port}"));
        let malware = entry
            .text("malware")
            .unwrap_or_else(|| "a botnet".to_owned());
        let text = format!(
            "{}{} commanded {malware}",
            address.first(),
            port.unwrap_or_default()
        );
        facts.add("listed", text);
    }
    facts.add("state", first.text("status"));
    facts.add("first seen", first.day("first_seen"));
    facts.add("last online", first.day("last_online"));
    facts.add("host name", first.text("hostname"));
    let network = [
        first.text("as_number").map(|asn| format!("AS{asn}")),
        first.text("as_name"),
    ];
    let network: Vec<String> = network.into_iter().flatten().collect();
    facts.add("network", network.join(" "));
    facts.add("country", first.text("country"));
    Ok(facts.said(Standing::Bad))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    /// Made up after the form of the list.
    const LIST: &str = r#"[{"ip_address":"162.243.103.246","port":8080,"status":"offline","hostname":null,
        "as_number":14061,"as_name":"DIGITALOCEAN-ASN","country":"US","first_seen":"2022-06-04 21:24:53",
        "last_online":"2026-03-11","malware":"Emotet"}]"#;

    #[test]
    fn what_is_on_the_list_is_bad() {
        let said = read(&question("162.243.103.246"), &reply(200, LIST));
        let (standing, facts) = opinion_of(OnlineSource::Feodo, said);
        assert_eq!(standing, Standing::Bad);
        let expected = [
            ("listed", "162.243.103.246 port 8080 commanded Emotet"),
            ("state", "offline"),
            ("first seen", "2022-06-04"),
            ("last online", "2026-03-11"),
            ("network", "AS14061 DIGITALOCEAN-ASN"),
            ("country", "US"),
        ];
        assert_eq!(facts, expected.map(|(name, text)| (name, text.to_owned())));
    }

    #[test]
    fn an_empty_list_is_a_list() {
        for body in [LIST, "[]"] {
            let said = read(&question("1.1.1.1"), &reply(200, body));
            assert_eq!(said, Said::NoData, "{body}");
        }
        let said = read(&question("1.1.1.1"), &reply(200, "{}"));
        assert!(matches!(said, Said::Failed(_)), "{said:?}");
    }
}
