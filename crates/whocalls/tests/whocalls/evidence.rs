//! Files of other tools: what they do not tell is said, and nothing is put in its place.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::program::{Run, whocalls};
use crate::room::Room;

const NETSTAT: &str = "\
Active Internet connections (w/o servers)
Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name
tcp        0      0 192.0.2.5:48424         203.0.113.9:443         ESTABLISHED 812/curl
";

const ZEEK: &str = "\
#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tconn
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state
#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring
1795341600.000000\tCwJUV31\t192.168.1.5\t41000\t203.0.113.9\t443\ttcp\tssl\t10.0\t100\t200\tSF
";

/// A file in a room of its own.
fn file(room: &Room, name: &str, text: &str) -> PathBuf {
    let path = room.file(name);
    fs::write(&path, text).unwrap();
    path
}

fn list(files: &[&PathBuf], options: &[&str]) -> Run {
    let files = files.iter().map(|path| path.to_str().unwrap());
    let arguments: Vec<&str> = ["list"]
        .into_iter()
        .chain(files)
        .chain(options.iter().copied())
        .collect();
    whocalls(&arguments)
}

#[test]
fn a_list_without_times_gets_none() {
    let room = Room::new();
    let netstat = file(&room, "netstat.txt", NETSTAT);
    let run = list(&[&netstat], &["--json"]);
    let look = run.json();
    assert!(look["taken"].is_null(), "{look}");
    assert!(look["processes"][0]["started"].is_null(), "{look}");
    assert!(look["connections"][0]["process"]["started"].is_null());
    let processes = list(&[&netstat], &["--processes"]);
    for form in ["--ecs", "--ocsf", "--zeek"] {
        let name = netstat.to_str().unwrap();
        let exported = whocalls(&["export", name, form]).text();
        let lines = exported.lines().filter(|line| line.contains("203.0.113.9"));
        for line in lines {
            let begins_with_a_time = line.starts_with("0.0") || line.starts_with("1970");
            assert!(!begins_with_a_time, "{line}");
            assert!(
                !line.contains("1970-") && !line.contains("\"time\":0"),
                "{line}"
            );
        }
    }
    for text in [
        run.text(),
        processes.text(),
        list(&[&netstat], &["--ndjson"]).text(),
    ] {
        assert!(!text.contains("1970"), "{text}");
    }
}

#[test]
fn a_moment_that_no_file_tells_of_is_a_gap() {
    let room = Room::new();
    let zeek = file(&room, "conn.log", ZEEK);
    let netstat = file(&room, "netstat.txt", NETSTAT);
    let check = |files: &[&PathBuf], at: &str, expected: bool| {
        let run = list(files, &["--at", at, "--json"]);
        assert_eq!(run.code, Some(0), "{}", run.talk());
        let look = run.json();
        let gaps = look["gaps"].as_array().unwrap();
        let told = gaps.iter().any(|gap| gap["id"] == "moment_not_covered");
        assert_eq!(told, expected, "{at} {look}");
    };
    check(&[&zeek], "2026-11-22T10:00:05Z", false);
    check(&[&zeek], "2026-11-22T09:59:59Z", true);
    check(&[&zeek], "2026-11-22T10:00:11Z", true);
    check(&[&netstat], "2026-11-22T10:00:05Z", true);
    check(&[&zeek, &netstat], "2026-11-22T10:00:05Z", false);
}

#[test]
fn of_a_moment_only_that_is_told_which_was_known_then() {
    let room = Room::new();
    // What stood open when the log was written, ten seconds after it began; and a row of later.
    let open = ZEEK
        .replace("#path\tconn", "#path\topen_conn")
        .replace("\tSF", "\tS1");
    let later = ZEEK
        .replace("V31", "V32")
        .replace("1795341600", "1795341900");
    let open = file(&room, "open_conn.log", &open);
    let later = file(&room, "conn.log", &later);
    let run = list(
        &[&open, &later],
        &["--at", "2026-11-22T10:00:05Z", "--json"],
    );
    let look = run.json();
    let connection = &look["connections"][0];
    assert_eq!(connection["state"], "unknown", "{look}");
    assert!(connection["bytes_sent"].is_null(), "{look}");
    assert!(connection["packets_sent"].is_null(), "{look}");
}

#[test]
fn findings_of_a_moment_are_about_what_had_begun() {
    let room = Room::new();
    // An address of a network where anybody can rent a server, by the tables within the program.
    let first = ZEEK.replace("203.0.113.9", "52.1.2.3");
    let later = first
        .replace("V31", "V32")
        .replace("1795341600", "1795341900");
    let files = [
        &file(&room, "first.log", &first),
        &file(&room, "later.log", &later),
    ];
    let check = |arguments: &[&str], expected: u64| {
        let look = list(&files, &[arguments, &["--json"]].concat()).json();
        let findings = look["findings"].as_array().unwrap();
        let hosting = findings.iter().find(|it| it["rule"] == "hosting");
        let Some(hosting) = hosting else {
            assert_eq!(expected, 0, "{look}");
            return;
        };
        assert_eq!(hosting["facts"]["connections"], expected, "{look}");
        let about = hosting["about"]["connections"].as_array().unwrap();
        assert_eq!(about.len() as u64, expected, "{look}");
    };
    check(&["--at", "2026-11-22T09:59:59Z"], 0);
    check(&["--at", "2026-11-22T10:00:05Z"], 1);
    check(&[], 2);
}

#[test]
fn the_same_file_given_twice_is_read_once() {
    let room = Room::new();
    let first = file(&room, "a.log", ZEEK);
    let again = file(&room, "b.log", ZEEK);
    let run = list(&[&first, &again], &["--json"]);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    assert_eq!(run.json()["connections"].as_array().unwrap().len(), 1);
    assert!(run.talk().contains("the same content as"), "{}", run.talk());
    // One of them cannot have another time.
    let offset = format!("--clock-offset={}=+1h", again.display());
    let run = list(&[&first, &again], &[&offset]);
    assert_eq!(run.code, Some(2), "{}", run.talk());
    assert!(run.talk().contains("the same content as"), "{}", run.talk());
    let run = list(&[&first, &again], &["--clock-offset=+1h", "--json"]);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    // The same length is not enough.
    let other = file(
        &room,
        "c.log",
        &ZEEK.replace("41000", "41001").replace("V31", "V32"),
    );
    let run = list(&[&first, &other], &["--json"]);
    assert_eq!(run.json()["connections"].as_array().unwrap().len(), 2);
    assert!(!run.talk().contains("the same content"), "{}", run.talk());
}

#[test]
fn what_stands_where_a_number_should_is_counted() {
    let room = Room::new();
    let eve = r#"{"timestamp":"2026-11-22T10:00:00.000000+0000","flow_id":7,"event_type":"flow","src_ip":"192.168.1.5","src_port":PORT,"dest_ip":"203.0.113.9","dest_port":443,"proto":"TCP","flow":{"pkts_toserver":3,"pkts_toclient":COUNT}}"#;
    let eve = |port: &str, count: &str| eve.replace("PORT", port).replace("COUNT", count) + "\n";
    let sysmon = |port: &str| {
        format!(
            r#"{{"@timestamp":"2026-11-22T10:00:00.000Z","winlog":{{"channel":"Microsoft-Windows-Sysmon/Operational","provider_name":"Microsoft-Windows-Sysmon","event_id":3,"computer_name":"PC","event_data":{{"UtcTime":"2026-11-22 10:00:00.000","ProcessId":"812","Image":"C:\\\\a.exe","Protocol":"tcp","Initiated":"true","SourceIp":"192.168.1.5","SourcePort":"{port}","DestinationIp":"203.0.113.9","DestinationPort":"443"}}}}}}"#
        ) + "\n"
    };
    let check = |name: &str, text: &str, code: i32| {
        let run = list(&[&file(&room, name, text)], &["--json"]);
        assert_eq!(run.code, Some(code), "{name} {}", run.talk());
        // The rest of it is kept.
        let look: Value = serde_json::from_str(&run.text()).unwrap();
        assert_eq!(
            look["connections"][0]["remote"]["ip"], "203.0.113.9",
            "{name} {look}"
        );
        let is_said = run.talk().contains("is no number");
        assert_eq!(is_said, code == 3, "{name} {}", run.talk());
    };
    check("whole.log", ZEEK, 0);
    check("port.log", &ZEEK.replace("41000", "99999"), 3);
    check("bytes.log", &ZEEK.replace("\t100\t", "\tabc\t"), 3);
    check("whole.json", &eve("41000", "2"), 0);
    check("port.json", &eve("99999", "2"), 3);
    check("count.json", &eve("41000", "\"abc\""), 3);
    check("sysmon.json", &sysmon("41000"), 0);
    check("sysmon-port.json", &sysmon("99999"), 3);
}
