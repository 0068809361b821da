//! The attributes of class 4001 in OCSF 1.7.0 with the profiles for hosts and containers, as its
//! schema gives them.

use serde_json::Value;

use crate::situation::{lines_of, situation};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    /// One of these numbers.
    Number(&'static [i64]),
    Boolean,
    Texts,
    Ip,
    /// Milliseconds of our time.
    Time,
    Object(&'static [Attribute]),
    Objects(&'static [Attribute]),
    Anything,
}

struct Attribute {
    name: &'static str,
    required: bool,
    kind: Kind,
}

const fn must(name: &'static str, kind: Kind) -> Attribute {
    Attribute {
        name,
        required: true,
        kind,
    }
}

const fn may(name: &'static str, kind: Kind) -> Attribute {
    Attribute {
        name,
        required: false,
        kind,
    }
}

use Kind::{Anything, Boolean, Integer, Ip, Number, Object, Objects, Text, Texts, Time};

#[rustfmt::skip]
const EVENT: &[Attribute] = &[
    must("activity_id", Number(&[0, 1, 2, 3, 4, 5, 6, 7, 99])), may("activity_name", Text),
    may("actor", Object(&[may("process", Object(PROCESS))])),
    must("category_uid", Number(&[4])), may("category_name", Text),
    must("class_uid", Number(&[4001])), may("class_name", Text),
    may("connection_info", Object(&[
        must("direction_id", Number(&[0, 1, 2, 3, 4, 99])), may("direction", Text),
        may("community_uid", Text), may("protocol_name", Text), may("protocol_num", Integer),
        may("protocol_ver", Text), may("protocol_ver_id", Number(&[0, 4, 6, 99])), may("uid", Text),
    ])),
    may("device", Object(&[must("type_id", Number(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 99])), may("type", Text), may("hostname", Text), may("ip", Ip), may("mac", Text)])),
    may("dst_endpoint", Object(ENDPOINT)),
    may("duration", Integer), may("end_time", Time),
    may("is_src_dst_assignment_known", Boolean),
    must("metadata", Object(&[
        must("product", Object(&[may("name", Text), may("vendor_name", Text), may("version", Text)])),
        must("version", Text), may("profiles", Texts), may("uid", Text), may("logged_time", Time),
    ])),
    must("severity_id", Number(&[0, 1, 2, 3, 4, 5, 6, 99])), may("severity", Text),
    may("src_endpoint", Object(ENDPOINT)),
    may("start_time", Time),
    may("status", Text), may("status_code", Text), may("status_detail", Text), may("status_id", Number(&[0, 1, 2, 99])),
    must("time", Time),
    may("traffic", Object(&[
        may("bytes", Integer), may("bytes_in", Integer), may("bytes_out", Integer),
        may("packets", Integer), may("packets_in", Integer), may("packets_out", Integer),
    ])),
    must("type_uid", Number(&[400_100, 400_101, 400_102, 400_103, 400_104, 400_105, 400_106, 400_107, 400_199])),
    may("unmapped", Anything),
];

const ENDPOINT: &[Attribute] = &[
    may("ip", Ip),
    may("port", Integer),
    may("hostname", Text),
    may("mac", Text),
];

#[rustfmt::skip]
const FILE: &[Attribute] = &[
    must("name", Text), must("type_id", Number(&[0, 1, 2, 3, 4, 5, 6, 7, 99])), may("type", Text), may("path", Text),
    may("hashes", Objects(&[must("algorithm_id", Number(&[0, 1, 2, 3, 4, 5, 6, 7, 99])), may("algorithm", Text), must("value", Text)])),
];

#[rustfmt::skip]
const PROCESS: &[Attribute] = &[
    may("cmd_line", Text), may("container", Object(&[may("uid", Text), may("runtime", Text)])), may("created_time", Time),
    may("file", Object(FILE)), may("name", Text),
    may("parent_process", Object(&[may("pid", Integer), may("name", Text), may("file", Object(FILE))])),
    may("pid", Integer), may("terminated_time", Time), may("uid", Text),
    may("user", Object(&[may("name", Text), may("uid", Text)])),
];

fn check(attributes: &[Attribute], value: &Value, place: &str) {
    let members = value
        .as_object()
        .unwrap_or_else(|| panic!("{place} is no object"));
    for attribute in attributes.iter().filter(|it| it.required) {
        assert!(
            members.contains_key(attribute.name),
            "{place}.{}: required",
            attribute.name
        );
    }
    for (name, value) in members {
        let place = format!("{place}.{name}");
        let known = attributes.iter().find(|it| it.name == name);
        let known = known.unwrap_or_else(|| panic!("{place} is not in the schema"));
        let whole = |value: &Value| value.is_i64() || value.is_u64();
        let fits = match known.kind {
            Anything => true,
            Text => value.as_str().is_some_and(|it| !it.is_empty()),
            Integer => whole(value),
            Number(numbers) => value.as_i64().is_some_and(|it| numbers.contains(&it)),
            Boolean => value.is_boolean(),
            Texts => value
                .as_array()
                .is_some_and(|it| it.iter().all(Value::is_string)),
            Ip => value
                .as_str()
                .is_some_and(|it| it.parse::<std::net::IpAddr>().is_ok()),
            Time => value
                .as_i64()
                .is_some_and(|it| (1_700_000_000_000..1_900_000_000_000).contains(&it)),
            Object(attributes) => {
                check(attributes, value, &place);
                true
            }
            Objects(attributes) => {
                value
                    .as_array()
                    .unwrap()
                    .iter()
                    .for_each(|it| check(attributes, it, &place));
                true
            }
        };
        assert!(fits, "{place}: {value}");
    }
}

fn documents() -> Vec<Value> {
    let snapshot = situation();
    let mut out = Vec::new();
    super::write(&snapshot, &snapshot.connections, &mut out).unwrap();
    lines_of(&out)
}

#[test]
fn every_event_is_one_of_the_schema() {
    for event in documents() {
        check(EVENT, &event, "event");
        let id = event["activity_id"].as_i64().unwrap();
        assert_eq!(event["type_uid"], 400_100 + id);
        // At least one of the ends, and each with something that names it (constraints).
        let ends = ["src_endpoint", "dst_endpoint"].map(|name| &event[name]);
        assert!(ends.iter().any(|it| !it.is_null()), "{event}");
        for end in ends.into_iter().filter(|it| !it.is_null()) {
            assert!(
                end["ip"].is_string() || end["hostname"].is_string(),
                "{end}"
            );
        }
    }
}

#[test]
fn what_happened_is_told_by_its_number() {
    let documents = documents();
    let of = |remote: &str| {
        let is_it = |it: &&Value| {
            [&it["dst_endpoint"], &it["src_endpoint"]]
                .iter()
                .any(|it| it["ip"] == remote)
        };
        let event = documents.iter().find(is_it).unwrap();
        (
            event["activity_id"].as_i64().unwrap(),
            event["status_id"].as_i64().unwrap(),
            event["connection_info"]["direction_id"].as_i64().unwrap(),
        )
    };
    assert_eq!(of("203.0.113.9"), (2, 1, 2));
    assert_eq!(of("198.51.100.9"), (1, 1, 1));
    assert_eq!(of("203.0.113.10"), (5, 2, 2));
    assert_eq!(of("216.6.0.28"), (4, 2, 2));
    assert_eq!(of("0.0.0.0"), (7, 1, 99));
}

#[test]
fn a_device_stands_where_a_process_would() {
    let documents = documents();
    let of_it = documents
        .iter()
        .find(|it| it["src_endpoint"]["port"] == 41_000);
    let of_it = of_it.unwrap();
    let expected = serde_json::json!({
        "hostname": "phone", "mac": "02:00:5e:10:00:01", "ip": "192.168.7.2", "type_id": 0, "type": "Unknown"
    });
    assert_eq!(of_it["device"], expected);
    assert_eq!(of_it["src_endpoint"]["mac"], "02:00:5e:10:00:01");
    assert_eq!(of_it["src_endpoint"]["hostname"], "phone");
    assert_eq!(of_it["actor"], Value::Null);
}

#[test]
fn a_connection_that_ended() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&documents()[0]).unwrap());
}
