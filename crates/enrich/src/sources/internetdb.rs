//! Shodan `InternetDB`: which ports of an address answered to a scan, at most some weeks ago. It takes
//! no side.

use std::net::IpAddr;

use model::{Failure, Question, Reply, Said, Standing};

use super::facts::{Facts, counted};
use super::http::{self, NotFound};
use super::members::{self, Object, unreadable};
use super::place;
use super::{Conversation, Request};

const BASE: &str = "https://internetdb.shodan.io/";
const MEMBERS: [&str; 5] = ["ports", "hostnames", "tags", "cpes", "vulns"];

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let IpAddr::V4(address) = place::address(conversation.question)? else {
        return None;
    };
    place::get(conversation, BASE, &address.to_string(), None)
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Unknown, |body| {
        let document = members::document(body)?;
        opinion(question, Object::of(&document, "it")?)
    })
}

fn opinion(question: &Question, answer: Object<'_>) -> Result<Said, Failure> {
    if !MEMBERS.iter().any(|name| answer.has(name)) {
        return Err(unreadable("it has neither `ports` nor `hostnames`"));
    }
    for name in MEMBERS {
        answer.list(name)?;
    }
    if MEMBERS.iter().all(|name| answer.texts(name).is_empty()) {
        return Ok(Said::NoData);
    }
    let mut facts = Facts::default();
    let ip = answer.text("ip").or_else(|| answer.text("ip_str"));
    facts.about(question, ip);
    let mut ports: Vec<u64> = answer
        .texts("ports")
        .iter()
        .filter_map(|port| port.parse().ok())
        .collect();
    ports.sort_unstable();
    let ports: Vec<String> = ports.iter().map(u64::to_string).collect();
    facts.add("open ports", ports.join(", "));
    facts.add("host names", answer.line("hostnames"));
    facts.add("tags", answer.line("tags"));
    facts.add("software", answer.line("cpes"));
    let weak = u64::try_from(answer.texts("vulns").len()).unwrap_or(u64::MAX);
    facts.add(
        "weaknesses",
        answer.line("vulns").map(|line| {
            let count = counted(weak, "supposed by version", "supposed by versions");
            format!("{count}: {line}")
        }),
    );
    Ok(facts.said(Standing::Neutral))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    #[test]
    fn open_ports_are_no_opinion() {
        // Made up after the fields of the service.
        let body = r#"{"cpes":["cpe:/a:openbsd:openssh:9.6"],"hostnames":["one.one.one.one"],"ip":"1.1.1.1",
            "ports":[443,53,80],"tags":[],"vulns":["CVE-2024-6387"]}"#;
        let said = read(&question("1.1.1.1"), &reply(200, body));
        let (standing, facts) = opinion_of(OnlineSource::InternetDb, said);
        assert_eq!(standing, Standing::Neutral);
        let expected = [
            ("open ports", "53, 80, 443"),
            ("host names", "one.one.one.one"),
            ("software", "cpe:/a:openbsd:openssh:9.6"),
            ("weaknesses", "1 supposed by version: CVE-2024-6387"),
        ];
        let expected = expected.map(|(name, text)| (name, text.to_owned()));
        assert_eq!(facts, expected);
    }

    #[test]
    fn nothing_in_it_is_no_data() {
        let body = r#"{"cpes":[],"hostnames":[],"ip":"1.1.1.1","ports":[],"tags":[],"vulns":[]}"#;
        let said = read(&question("1.1.1.1"), &reply(200, body));
        assert_eq!(said, Said::NoData);
    }
}
