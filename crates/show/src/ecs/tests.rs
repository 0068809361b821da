//! The names and types of the schema, as its documentation for 8.17 gives them.

use serde_json::Value;

use crate::situation::{lines_of, situation};

/// What a value has to be.
#[derive(Clone, Copy)]
enum Kind {
    /// Also `wildcard` and `match_only_text`.
    Keyword,
    Keywords(&'static [&'static str]),
    /// An array, also where there is one only.
    Array,
    ArrayOf(&'static [&'static str]),
    Ip,
    Ips,
    Long,
    Date,
}

#[rustfmt::skip]
const FIELDS: &[(&str, Kind)] = &[
    ("@timestamp", Kind::Date),
    ("client.address", Kind::Keyword), ("client.bytes", Kind::Long), ("client.ip", Kind::Ip),
    ("client.packets", Kind::Long), ("client.port", Kind::Long),
    ("container.id", Kind::Keyword), ("container.runtime", Kind::Keyword),
    ("destination.address", Kind::Keyword), ("destination.bytes", Kind::Long), ("destination.ip", Kind::Ip),
    ("destination.packets", Kind::Long), ("destination.port", Kind::Long),
    ("ecs.version", Kind::Keyword),
    ("error.code", Kind::Keyword), ("error.message", Kind::Keyword),
    ("event.action", Kind::Keyword), ("event.category", Kind::ArrayOf(&["network"])), ("event.created", Kind::Date),
    ("event.dataset", Kind::Keyword), ("event.duration", Kind::Long), ("event.end", Kind::Date),
    ("event.id", Kind::Keyword), ("event.kind", Kind::Keywords(&["event"])), ("event.module", Kind::Keyword),
    ("event.outcome", Kind::Keywords(&["success", "failure", "unknown"])), ("event.start", Kind::Date),
    // Of the category `network`.
    ("event.type", Kind::ArrayOf(&["access", "allowed", "connection", "denied", "end", "info", "protocol", "start"])),
    ("host.boot.id", Kind::Keyword), ("host.name", Kind::Keyword),
    ("network.bytes", Kind::Long), ("network.community_id", Kind::Keyword),
    ("network.direction", Kind::Keywords(&["ingress", "egress", "inbound", "outbound", "internal", "external", "unknown"])),
    ("network.iana_number", Kind::Keyword), ("network.packets", Kind::Long), ("network.transport", Kind::Keyword),
    ("network.type", Kind::Keywords(&["ipv4", "ipv6"])),
    ("observer.hostname", Kind::Keyword), ("observer.product", Kind::Keyword), ("observer.type", Kind::Keyword),
    ("observer.version", Kind::Keyword),
    ("process.args", Kind::Array), ("process.args_count", Kind::Long), ("process.command_line", Kind::Keyword),
    ("process.end", Kind::Date), ("process.entity_id", Kind::Keyword), ("process.executable", Kind::Keyword),
    ("process.hash.sha256", Kind::Keyword), ("process.name", Kind::Keyword), ("process.parent.executable", Kind::Keyword),
    ("process.parent.name", Kind::Keyword), ("process.parent.pid", Kind::Long), ("process.pid", Kind::Long),
    ("process.start", Kind::Date),
    ("related.hosts", Kind::Array), ("related.ip", Kind::Ips),
    ("server.address", Kind::Keyword), ("server.bytes", Kind::Long), ("server.ip", Kind::Ip),
    ("server.packets", Kind::Long), ("server.port", Kind::Long),
    ("source.address", Kind::Keyword), ("source.mac", Kind::Keyword), ("source.bytes", Kind::Long), ("source.ip", Kind::Ip),
    ("source.packets", Kind::Long), ("source.port", Kind::Long),
    ("user.id", Kind::Keyword), ("user.name", Kind::Keyword),
];

fn flat(prefix: &str, value: &Value, into: &mut Vec<(String, Value)>) {
    let Value::Object(members) = value else {
        return into.push((prefix.to_owned(), value.clone()));
    };
    for (name, value) in members {
        let dot = if prefix.is_empty() { "" } else { "." };
        flat(&format!("{prefix}{dot}{name}"), value, into);
    }
}

fn fits(kind: Kind, value: &Value) -> bool {
    let is_ip = |it: &Value| {
        it.as_str()
            .is_some_and(|it| it.parse::<std::net::IpAddr>().is_ok())
    };
    let all =
        |test: &dyn Fn(&Value) -> bool| value.as_array().is_some_and(|it| it.iter().all(test));
    match kind {
        Kind::Keyword => value.is_string(),
        Kind::Keywords(words) => value.as_str().is_some_and(|it| words.contains(&it)),
        Kind::Array => all(&Value::is_string),
        Kind::ArrayOf(words) => all(&|it| it.as_str().is_some_and(|it| words.contains(&it))),
        Kind::Ip => is_ip(value),
        Kind::Ips => all(&is_ip),
        Kind::Long => value.is_i64() || value.is_u64(),
        Kind::Date => value
            .as_str()
            .is_some_and(|it| it.len() == 30 && it.ends_with('Z')),
    }
}

fn documents() -> Vec<Value> {
    let snapshot = situation();
    let mut out = Vec::new();
    super::write(&snapshot, &snapshot.connections, &mut out).unwrap();
    lines_of(&out)
}

#[test]
fn every_name_and_type_is_one_of_the_schema() {
    let mut used = std::collections::BTreeSet::new();
    for document in documents() {
        let mut fields = Vec::new();
        flat("", &document, &mut fields);
        for (name, value) in fields {
            if name.starts_with("whocalls.") {
                continue;
            }
            let known = FIELDS.iter().find(|it| it.0 == name);
            let (_, kind) = known.unwrap_or_else(|| panic!("{name} is not in the schema"));
            assert!(fits(*kind, &value), "{name}: {value}");
            used.insert(name);
        }
    }
    // The table is no longer than what is written.
    let unused: Vec<_> = FIELDS.iter().filter(|it| !used.contains(it.0)).collect();
    assert!(
        unused.is_empty(),
        "{:?}",
        unused.iter().map(|it| it.0).collect::<Vec<_>>()
    );
}

#[test]
fn nothing_absent_is_written() {
    for document in documents() {
        let mut fields = Vec::new();
        flat("", &document, &mut fields);
        let absent = |value: &Value| value.is_null() || *value == Value::String(String::new());
        let absent = fields.iter().find(|it| absent(&it.1));
        assert_eq!(absent, None);
    }
}

#[test]
fn a_connection_that_ended() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&documents()[0]).unwrap());
}

#[test]
fn a_device_stands_where_a_process_would() {
    let documents = documents();
    let of_it = documents.iter().find(|it| it["source"]["port"] == 41_000);
    let of_it = of_it.unwrap();
    assert_eq!(of_it["source"]["mac"], "02-00-5E-10-00-01");
    assert_eq!(of_it["destination"]["mac"], Value::Null);
    assert_eq!(of_it["related"]["hosts"], serde_json::json!(["phone"]));
    assert_eq!(of_it["process"], Value::Null);
    let device = &of_it["whocalls"]["device"];
    let expected = serde_json::json!({
        "mac": "02:00:5e:10:00:01", "name": "phone", "ip": "192.168.7.2"
    });
    assert_eq!(*device, expected);
}

#[test]
fn who_called_is_the_source_and_the_client() {
    let documents = documents();
    let of = |port: u64| {
        let is_it = |it: &&Value| it["source"]["port"] == port || it["destination"]["port"] == port;
        documents.iter().find(is_it).unwrap()
    };
    let incoming = of(22);
    assert_eq!(incoming["source"]["ip"], "198.51.100.9");
    assert_eq!(incoming["client"]["ip"], "198.51.100.9");
    assert_eq!(incoming["network"]["direction"], "ingress");
    // What it received is what the source sent.
    assert_eq!(incoming["source"]["bytes"], 900);
    let unknown = of(41_999);
    assert_eq!(unknown["network"]["direction"], "unknown");
    assert_eq!(unknown["client"], Value::Null);
    let listener = of(8080);
    assert_eq!(listener["source"], Value::Null);
    assert_eq!(listener["server"]["port"], 8080);
    assert_eq!(listener["event"]["type"], serde_json::json!(["info"]));
}
