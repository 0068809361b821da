//! Against the head of Zeek itself, and what a reader takes from the lines.

use std::collections::HashMap;

use model::ConnectionId;

use crate::situation::situation;

/// The head of a `conn.log` of current Zeek (testing/btest/Baseline/core.pppoe/conn.log of
/// zeek/zeek, BSD-3-Clause), without the time.
const HEAD: &str = "#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tconn
";
const FIELDS: &str = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\tip_proto";
const TYPES: &str = "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tbool\tbool\tcount\tstring\tcount\tcount\tcount\tcount\tset[string]\tcount";

fn log() -> (String, usize) {
    let snapshot = situation();
    let mut out = Vec::new();
    let left_out = super::write(&snapshot, &snapshot.connections, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), left_out)
}

/// As Zeek's own readers do it: columns by the names in the head, escapes undone.
pub(super) fn rows(log: &str) -> Vec<HashMap<String, String>> {
    let fields = log.lines().find_map(|it| it.strip_prefix("#fields\t"));
    let fields: Vec<&str> = fields.unwrap().split('\t').collect();
    let lines = log.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let values: Vec<&str> = line.split('\t').collect();
        assert_eq!(values.len(), fields.len(), "{line:?}");
        let pairs = fields.iter().zip(values);
        pairs
            .map(|(name, value)| ((*name).to_owned(), value.to_owned()))
            .collect()
    };
    lines.map(row).collect()
}

#[test]
fn the_head_is_that_of_zeek() {
    let (log, _) = log();
    assert!(
        log.starts_with(&format!("{HEAD}#open\t2026-11-22-10-15-00\n{FIELDS}\t")),
        "{log}"
    );
    let types = log.lines().find(|it| it.starts_with("#types")).unwrap();
    assert!(types.starts_with(&format!("{TYPES}\t")), "{types}");
    assert!(log.ends_with("#close\t2026-11-22-10-15-00\n"));
}

#[test]
fn a_device_stands_where_a_process_would() {
    let (log, _) = log();
    let rows = rows(&log);
    let of_it = rows.iter().find(|it| it["id.orig_p"] == "41000").unwrap();
    let columns = ["orig_l2_addr", "resp_l2_addr", "device", "process"];
    let values = columns.map(|name| of_it[name].as_str());
    assert_eq!(values, ["02:00:5e:10:00:01", "-", "phone", "-"]);
}

#[test]
fn every_value_has_the_type_of_its_column() {
    let (log, _) = log();
    let kinds: HashMap<&str, &str> = super::COLUMNS.into_iter().collect();
    for (name, value) in rows(&log).iter().flatten() {
        let digits = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
        let seconds = |it: &str| {
            it.split_once('.')
                .is_some_and(|(one, other)| digits(one) && digits(other) && other.len() == 6)
        };
        let fits = value == "-"
            || match kinds[name.as_str()] {
                "time" | "interval" => seconds(value),
                "count" => digits(value),
                "port" => value.parse::<u16>().is_ok(),
                "addr" => value.parse::<std::net::IpAddr>().is_ok(),
                "bool" => ["T", "F"].contains(&value.as_str()),
                "enum" => ["tcp", "udp", "icmp", "unknown_transport"].contains(&value.as_str()),
                _ => !value.contains(['\t', '\n']),
            };
        assert!(fits, "{name}: {value}");
    }
}

#[test]
fn what_each_connection_becomes() {
    let (log, left_out) = log();
    // What waits, and the socket that reads all frames.
    assert_eq!(left_out, 2);
    let shown = rows(&log)
        .iter()
        .map(|row| {
            let names = [
                "id.orig_h",
                "id.orig_p",
                "id.resp_h",
                "id.resp_p",
                "proto",
                "duration",
                "orig_bytes",
                "resp_bytes",
                "conn_state",
                "local_orig",
                "local_resp",
                "ip_proto",
                "direction",
                "pid",
                "process",
                "owner_why",
            ];
            names.map(|name| row[name].as_str()).join(" ")
        })
        .collect::<Vec<_>>()
        .join("\n");
    insta::assert_snapshot!(shown);
}

#[test]
fn nothing_from_outside_makes_a_column_or_a_line() {
    let (log, _) = log();
    let rows = rows(&log);
    let hostile = rows.iter().find(|it| it["pid"] == "666").unwrap();
    assert_eq!(hostile["process"], "\\x2d");
    assert_eq!(
        hostile["process_path"],
        "/tmp/\\x09x\\x0a\\xff\\x5cy\\xe2\\x80\\xae"
    );
}

#[test]
fn a_number_is_written_in_the_digits_of_zeek() {
    let of = |last: u8| {
        let mut id = [0; 16];
        id[15] = last;
        super::unique_id(ConnectionId(id))
    };
    assert_eq!([of(0), of(61), of(62)], ["C0", "Cz", "C10"]);
    assert_eq!(super::unique_id(ConnectionId([255; 16])).len(), 23);
}

proptest::proptest! {
    #[test]
    fn text_reads_back_as_it_was(bytes: Vec<u8>) {
        let mut out = Vec::new();
        super::text(Some(&bytes.clone().into()), &mut out).unwrap();
        let written = String::from_utf8(out).unwrap();
        let written = written.strip_prefix('\t').unwrap();
        proptest::prop_assert!(!written.contains(['\t', '\n', '\r', '\x1b']) && written != "-");
        // As readers of Zeek undo it.
        let mut read = Vec::new();
        let mut rest = written;
        while let Some((before, after)) = rest.split_once("\\x") {
            read.extend(before.bytes());
            let (digits, after) = after.split_at(2);
            read.push(u8::from_str_radix(digits, 16).unwrap());
            rest = after;
        }
        read.extend(rest.bytes());
        let expected: &[u8] = if bytes.is_empty() { b"(empty)" } else { &bytes };
        proptest::prop_assert_eq!(read, expected);
    }
}
