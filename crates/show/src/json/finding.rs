//! Findings in JSON.

use std::collections::HashMap;

use model::{About, Device, DeviceId, Evidence, Fact, Finding, Unchecked};

use super::connection::endpoint;
use super::writer::{Object, object, string};
use crate::findings::who;
use crate::messages::findings::{said, unchecked};

/// All members of a finding. Its sentences are those that a person reads; the facts are exact.
pub(super) fn members(
    object: &mut Object<'_>,
    finding: &Finding,
    devices: &HashMap<DeviceId, Device>,
) {
    let said = said(finding, &who(finding, devices));
    object.plain("id", finding.id);
    object.text("rule", finding.rule);
    object.word("severity", finding.severity.word());
    object.word("confidence", finding.confidence.word());
    object.text("title", &said.title);
    object.text("explanation", &said.explanation);
    object.text("innocent", &said.innocent);
    object.text("next", &said.next);
    object.object("facts", |facts| {
        for (name, value) in &finding.facts {
            fact(facts, name, value);
        }
    });
    object.array("evidence", &finding.evidence, evidence);
    object.array("attack", &finding.attack, |out, it| string(out, it));
    object.object("about", |object| about(object, &finding.about));
}

pub(super) fn fact(facts: &mut Object<'_>, name: &'static str, value: &Fact) {
    match value {
        Fact::Count(number) | Fact::Bytes(number) => facts.number(name, *number),
        Fact::Share(share) if share.is_finite() => {
            facts.raw(name, format!("{share}").as_bytes());
        }
        Fact::Share(_) => facts.null(name),
        Fact::Duration(length) => facts.number(name, length.as_nanos()),
        Fact::Time(time) => facts.optional_plain(name, time.told()),
        Fact::Text(text) => facts.text(name, text),
    }
}

pub(super) fn evidence(out: &mut Vec<u8>, evidence: &Evidence) {
    object(out, |object| match evidence {
        Evidence::Event(seq) => object.number("event", *seq),
        Evidence::Connection(id) => object.plain("connection", id),
        Evidence::Process(id) => object.plain("process", id),
    });
}

fn about(object: &mut Object<'_>, about: &About) {
    object.optional_plain("process", about.process);
    let program = about.program.as_ref().map(|it| it.lossy());
    object.optional_text("program", program.as_deref());
    object.array("connections", &about.connections, |out, id| {
        string(out, &id.to_string());
    });
    match about.remote {
        Some(remote) => object.object("remote", |object| endpoint(object, remote)),
        None => object.null("remote"),
    }
}

/// What no rule could look at.
pub(super) fn unchecked_members(object: &mut Object<'_>, it: Unchecked) {
    object.word("what", it.word());
    object.text("text", &unchecked(it));
    let count = match it {
        Unchecked::UnknownOwners(count)
        | Unchecked::NoHash(count)
        | Unchecked::NoPath(count)
        | Unchecked::NotExamined(count)
        | Unchecked::Indicators(count)
        | Unchecked::LetGo(count) => Some(count),
        Unchecked::NoNames
        | Unchecked::NamesNotSeen
        | Unchecked::Seldom(_)
        | Unchecked::Old(_)
        | Unchecked::NotFinished => None,
    };
    object.optional_number("count", count);
    if let Unchecked::Seldom(seconds) = it {
        object.number("period_ns", seconds.saturating_mul(1_000_000_000));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::findings::sample;
    use crate::tui::evening;

    #[test]
    fn a_finding_has_the_shape_of_the_contract() {
        let mut snapshot = evening();
        snapshot.findings = sample::evening(&snapshot);
        let mut out = Vec::new();
        super::super::checked(&snapshot, &["known_bad", "tor"], &mut out).unwrap();
        let read: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read["schema"], "whocalls/1");
        assert_eq!(read["rules"], json!(["known_bad", "tor"]));
        assert_eq!(read["gaps"].as_array().unwrap().len(), 2);
        assert_eq!(read["processes"].as_array().unwrap().len(), 2);
        let unchecked = &read["not_checked"][0];
        assert_eq!(
            (&unchecked["what"], &unchecked["count"]),
            (&json!("no_hash"), &json!(3))
        );
        let finding = &read["findings"][0];
        let members: Vec<&String> = finding.as_object().unwrap().keys().collect();
        let expected = [
            "id",
            "rule",
            "severity",
            "confidence",
            "title",
            "explanation",
            "innocent",
            "next",
            "facts",
            "evidence",
            "attack",
            "about",
        ];
        assert_eq!(members, expected);
        assert_eq!(finding["rule"], "known_bad");
        assert_eq!(
            (&finding["severity"], &finding["confidence"]),
            (&json!("high"), &json!("medium"))
        );
        // The facts are exact, the sentences are for people.
        assert_eq!(finding["facts"]["about"], "Example\u{202e}Spy");
        assert!(
            finding["explanation"]
                .as_str()
                .unwrap()
                .contains("Example‹U+202E›Spy")
        );
        assert_eq!(finding["facts"]["connections"], 22);
        assert_eq!(finding["about"]["program"], "/home/lena/.cache/updater");
        assert_eq!(
            finding["about"]["remote"],
            json!({"ip": "216.6.0.28", "port": 443})
        );
        let connection = &finding["about"]["connections"][0];
        assert_eq!(finding["evidence"][0]["connection"], *connection);
        assert!(!String::from_utf8(out).unwrap().contains('\u{202e}'));
    }

    #[test]
    fn a_connection_names_its_findings() {
        let mut snapshot = evening();
        snapshot.findings = sample::evening(&snapshot);
        let connections: Vec<_> = snapshot.connections.iter().collect();
        let listing = super::super::Listing {
            snapshot: &snapshot,
            connections: &connections,
            processes: &[],
            counts: None,
            remembered: None,
            extent: None,
        };
        let mut out = Vec::new();
        super::super::document(listing, &mut out).unwrap();
        let read: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(read["findings"].as_array().unwrap().len(), 5);
        let all = read["connections"].as_array().unwrap();
        let of = |ip: &str| {
            let found = all
                .iter()
                .find(|it| it["remote"]["ip"] == ip && it["process"]["pid"] != Value::Null);
            found.unwrap()["findings"].as_array().unwrap().len()
        };
        assert_eq!((of("216.6.0.28"), of("203.0.113.9")), (3, 2));
    }
}
