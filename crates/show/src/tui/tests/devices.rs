//! A capture from a router: no processes are known, and devices stand in their place.

use std::collections::HashMap;
use std::sync::Arc;

use model::{
    Asked, Call, Calls, Connection, Device, DeviceId, NameSource, Owner, Pair, PairKey, Protocol,
    Snapshot, Tier, WhyUnknown,
};

use super::stage::{Stage, seconds_ago};
use crate::table::sample;
use crate::tui::Theme;

const PHONE: DeviceId = DeviceId::Mac([2, 0, 0x5e, 0x10, 0, 1]);
const OTHER: DeviceId = DeviceId::Mac([2, 0, 0x5e, 0x10, 0, 2]);

fn call(device: DeviceId, local: &str, remote: &str) -> Connection {
    let why = WhyUnknown::NotInSource;
    let mut call = sample::connection(Owner::Unknown { why }, local, remote);
    call.device = Some(device);
    call.opened = Some(seconds_ago(60));
    call.uid = None;
    call
}

fn pair(device: DeviceId, destination: &str) -> Pair {
    let mut calls = Calls::default();
    calls.add(Call {
        opened: seconds_ago(60),
        closed: None,
        failed: false,
        bytes_sent: 0,
        bytes_received: 0,
    });
    Pair {
        key: PairKey {
            program: None,
            device: Some(device),
            destination: destination.to_owned(),
            port: Some(443),
            local_port: None,
            protocol: Protocol::Tcp,
        },
        first: seconds_ago(60),
        last: seconds_ago(60),
        connections: 1,
        failed: 0,
        open: 1,
        bytes_sent: 0,
        bytes_received: 0,
        calls,
        let_go: 0,
        talks: model::Talks::default(),
        members: std::sync::Arc::default(),
    }
}

/// A phone that calls itself like a program, and something without a name.
fn hotspot() -> Snapshot {
    let connections = vec![
        call(PHONE, "192.168.7.2:41000", "203.0.113.9:443"),
        call(PHONE, "[fd00::2]:41001", "[2001:db8::9]:443"),
        call(OTHER, "192.168.7.3:41002", "203.0.113.9:443"),
    ];
    let mut snapshot = sample::snapshot(Vec::new(), connections);
    snapshot.tier = Tier::Import;
    let device = |id, name: Option<&str>, addresses: &[&str]| Device {
        id,
        name: name.map(Into::into),
        addresses: addresses.iter().map(|it| it.parse().unwrap()).collect(),
    };
    snapshot.devices = Arc::new(HashMap::from([
        (
            PHONE,
            device(PHONE, Some("firefox"), &["192.168.7.2", "fd00::2"]),
        ),
        (OTHER, device(OTHER, None, &["192.168.7.3"])),
    ]));
    snapshot.pairs = [
        pair(PHONE, "203.0.113.9"),
        pair(PHONE, "2001:db8::9"),
        pair(OTHER, "203.0.113.9"),
    ]
    .into_iter()
    .collect();
    let asked = Asked {
        name: "www.shop.example".into(),
        source: NameSource::Dns,
        process: None,
        from: Some([192, 168, 7, 2].into()),
        first: seconds_ago(61),
        last: seconds_ago(61),
        questions: 0,
        answers: 1,
        no_such_name: 0,
        failed: 0,
        code: Some(0),
        addresses: vec![[203, 0, 113, 9].into()],
    };
    snapshot.asked = [asked].into_iter().collect();
    snapshot
}

fn shown(keys: &str) -> String {
    let mut stage = Stage::new(140, 30, Theme::default());
    stage.show(hotspot());
    stage.press(keys);
    stage.text()
}

#[test]
fn the_device_stands_in_every_view() {
    insta::assert_snapshot!("hotspot_overview", shown("1"));
    insta::assert_snapshot!("hotspot_details", shown("1<Down><Enter>"));
    for keys in ["2", "4", "5", "6", "8", "2c"] {
        let text = shown(keys);
        let is_asked = keys != "8" || text.contains("     1 61 s");
        assert!(is_asked, "{text}");
        assert!(text.contains("device firefox"), "{keys}: {text}");
        let unknown = ["? not in source", "? no process known"];
        assert!(
            !unknown.iter().any(|it| text.contains(it)),
            "{keys}: {text}"
        );
    }
    let details = shown("2<Enter>");
    assert!(details.contains("knows no processes"), "{details}");
}

#[test]
fn what_belongs_to_a_device_is_picked_by_its_addresses() {
    // Device 02:00:5e:10:00:01 is the first: it has a name.
    for (keys, filter, left) in [
        ("1<Down>p", "src:192.168.7.2,fd00::2", "2001:db8::9"),
        ("5p", "src:", "dst:"),
        ("4<Right><Down>p", "src:", "dst:203.0.113.9"),
    ] {
        let text = shown(keys);
        assert!(
            text.contains(filter) && text.contains(left),
            "{keys}: {text}"
        );
        assert!(!text.contains("nothing matches"), "{keys}: {text}");
    }
    let only = shown("1<Down>p");
    assert!(!only.contains("192.168.7.3"), "{only}");
}
