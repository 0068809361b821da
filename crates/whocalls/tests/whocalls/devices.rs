//! A capture from a hotspot: no process is known, and in every form the device stands in its place.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::program::{Run, WHOCALLS};
use crate::setting::Folder;

const PHONE: [u8; 6] = [2, 0, 0x5e, 0x10, 0, 1];
const ROUTER: [u8; 6] = [2, 0, 0x5e, 0x10, 0, 9];
const MAC: &str = "02:00:5e:10:00:01";

/// A frame of Ethernet with a packet of IPv4 in it; checksums are left out.
fn frame(from: [u8; 4], to: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).unwrap().to_be_bytes();
    let mut frame = [ROUTER, PHONE].concat();
    frame.extend([
        8, 0, 0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, protocol, 0, 0,
    ]);
    frame.extend(from);
    frame.extend(to);
    frame.extend(payload);
    frame
}

/// What it says of itself when it asks for an address (RFC 2131, 2; RFC 2132, 3.14 and 9.6).
fn dhcp() -> Vec<u8> {
    let mut message = vec![1, 1, 6, 0, 0, 0, 0, 1];
    message.resize(28, 0);
    message.extend(PHONE);
    message.resize(236, 0);
    message.extend([99, 130, 83, 99, 53, 1, 3, 12, 5]);
    message.extend(b"phone");
    message.extend([50, 4, 192, 168, 7, 2, 255]);
    let length = u16::try_from(8 + message.len()).unwrap().to_be_bytes();
    let udp = [&[0, 68, 0, 67, length[0], length[1], 0, 0][..], &message].concat();
    frame([0; 4], [255; 4], 17, &udp)
}

/// The first packet of a connection (RFC 9293, 3.1).
fn syn() -> Vec<u8> {
    let tcp = [
        160, 40, 1, 187, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
    ];
    frame([192, 168, 7, 2], [203, 0, 113, 9], 6, &tcp)
}

fn capture(path: &Path) {
    // The head of a pcap file: its number, version 2.4, 64 KiB of each packet, Ethernet.
    let mut bytes = Vec::new();
    for number in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_536, 1] {
        bytes.extend(number.to_le_bytes());
    }
    for (number, packet) in (0_u32..).zip([dhcp(), syn()]) {
        let length = u32::try_from(packet.len()).unwrap();
        for field in [1_795_341_600 + number, 0, length, length] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(packet);
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_device_stands_where_a_process_would() {
    let folder = Folder::new();
    let file = folder.file("hotspot.pcap");
    capture(&file);
    let run = |command: &str, form: &[&str]| {
        let mut whocalls = Command::new(WHOCALLS);
        let run = Run::of(whocalls.arg(command).args(form).arg(&file).arg("port:443"));
        assert_eq!(run.code, Some(0), "{}", run.talk());
        run.text()
    };
    let last_line = |text: &str| -> Value {
        let line = text.lines().find(|line| line.contains("203.0.113.9"));
        serde_json::from_str(line.unwrap_or_else(|| panic!("{text}"))).unwrap()
    };
    let table = run("list", &[]);
    assert!(table.contains("device phone  -"), "{table}");
    let csv = run("list", &["--csv"]);
    let end = format!(",not_in_source,,{MAC},phone,192.168.7.2,");
    assert!(csv.trim_end().ends_with(&end), "{csv}");
    let json: Value = serde_json::from_str(&run("list", &["--json"])).unwrap();
    for connection in [
        &json["connections"][0],
        &last_line(&run("list", &["--ndjson"])),
    ] {
        assert_eq!(connection["device"]["mac"], MAC, "{connection}");
        assert_eq!(connection["device"]["name"], "phone");
        assert_eq!(connection["device"]["ip"], "192.168.7.2");
        assert_eq!(connection["process"], Value::Null);
    }
    let ecs = last_line(&run("export", &["--ecs"]));
    assert_eq!(ecs["source"]["mac"], "02-00-5E-10-00-01");
    assert_eq!(ecs["whocalls"]["device"]["name"], "phone");
    let ocsf = last_line(&run("export", &["--ocsf"]));
    assert_eq!(ocsf["device"]["hostname"], "phone");
    assert_eq!(ocsf["device"]["mac"], MAC);
    let zeek = run("export", &["--zeek"]);
    assert!(zeek.contains(&format!("\t{MAC}\t-\tphone\n")), "{zeek}");
}
