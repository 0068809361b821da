//! Events in all their forms, and the logs of the corpus where it lies beside the repository.

use std::collections::HashSet;

use model::{Connection, Direction, Imported, Owner, Process};
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::tests::{Read, corpus, read, read_file};
use super::*;

const FIELDS: &str = r#""RuleName":"-","UtcTime":"2020-07-22 04:00:48.097","ProcessGuid":"{b59756a9-b239-5f17-5307-000000000400}","ProcessId":"9076","Image":"C:\\Windows\\powershell.exe","User":"MORDOR\\pgustavo","Protocol":"tcp","Initiated":"true","SourceIp":"172.18.39.5","SourceHostname":"liar.example","SourcePort":"50783","DestinationIp":"10.10.10.5","DestinationHostname":"-","DestinationPort":"80""#;

/// One event in each form that is known.
fn forms(event: u32, fields: &str) -> [String; 6] {
    let name = "Microsoft-Windows-Sysmon";
    [
        format!(
            "{{\"EventID\":{event},\"SourceName\":\"{name}\",\"Hostname\":\"PC\",{fields},\"ExecutionProcessID\":1}}"
        ),
        format!(
            "{{\"@timestamp\":\"2020-07-22T04:00:50Z\",\"winlog\":{{\"provider_name\":\"{name}\",\"event_id\":{event},\"computer_name\":\"PC\",\"event_data\":{{{fields}}}}}}}"
        ),
        format!(
            "{{\"event_id\":{event},\"source_name\":\"{name}\",\"computer_name\":\"PC\",\"event_data\":{{{fields}}}}}"
        ),
        format!(
            "{{\"Event\":{{\"System\":{{\"Provider\":{{\"#attributes\":{{\"Name\":\"{name}\"}}}},\"EventID\":{event},\"Computer\":\"PC\"}},\"EventData\":{{{fields}}}}}}}"
        ),
        format!(
            "{{\"System\":{{\"Provider\":{{\"Name\":\"{name}\"}},\"EventID\":{{\"Value\":{event}}},\"TimeCreated\":{{\"SystemTime\":1595390448.5}},\"Computer\":\"PC\"}},\"EventData\":{{{fields}}}}}"
        ),
        format!(
            "[{{\"EventID\":{event},\"ProviderName\":\"{name}\",\"Computer\":\"PC\",{fields}}},\n]"
        ),
    ]
}

#[test]
fn a_connection_has_its_process_in_every_form() {
    for form in forms(3, FIELDS) {
        let read = read(form.as_bytes());
        assert_eq!(read.skipped.count, 0, "{form}");
        let connection = read.connections().next().expect("a connection");
        let Connection {
            local,
            remote,
            direction,
            owner,
            opened,
            name,
            ..
        } = connection;
        assert_eq!(local.port, Some(50783));
        assert_eq!(remote.and_then(|remote| remote.port), Some(80));
        assert_eq!((*direction, name.is_none()), (Direction::Outbound, true));
        assert_eq!(
            opened.map(|time| time.to_string()).as_deref(),
            Some("2020-07-22T04:00:48.097000000Z")
        );
        let process = read.processes().next().expect("a process");
        assert!(matches!(owner, Owner::Known { process: owner, .. } if *owner == process.id));
        assert_eq!(
            (process.id.pid, process.id.start_ticks),
            (9076, 0x5f17_b239 * 100)
        );
        assert_eq!(process.name.bytes(), b"powershell.exe");
        assert_eq!(
            process.user.as_ref().map(|user| user.bytes()),
            Some(&b"MORDOR\\pgustavo"[..])
        );
        assert_eq!(
            process.started.map(|it| it.to_string()),
            Some("2020-07-22T03:27:53.000000000Z".to_owned())
        );
    }
}

fn all(events: &[(u32, String)]) -> Read {
    let lines = events
        .iter()
        .flat_map(|(event, fields)| forms(*event, fields).into_iter().take(1));
    read(lines.collect::<Vec<_>>().join("\r\n").as_bytes())
}

#[test]
fn what_is_known_of_a_process_grows() {
    let hash = "82BEC4D3E3CFE05A9CE3E107B95FCCB66349068C42D007940058C0972492925C";
    let start = format!(
        "{FIELDS},\"CommandLine\":\"powershell -enc \\\"x\\\"\",\"Hashes\":\"SHA1=95,SHA256={hash}\",\"ParentProcessGuid\":\"{{b59756a9-b238-5f17-5307-000000000400}}\",\"ParentProcessId\":\"7\",\"ParentImage\":\"C:\\\\a\\\\b.exe\""
    );
    let end = FIELDS.replace("04:00:48.097", "04:00:50.097");
    let read = all(&[(3, FIELDS.to_owned()), (1, start), (5, end)]);
    let Process {
        command_line,
        sha256,
        parents,
        ended,
        started,
        ..
    } = read.processes().last().expect("a process");
    assert_eq!(command_line.as_deref().map(|line| line.len()), Some(1));
    assert_eq!(sha256.map(|hash| hash[0]), Some(0x82));
    assert_eq!(
        parents.iter().map(|parent| parent.pid).collect::<Vec<_>>(),
        [7]
    );
    assert_eq!(
        ended.map(|ended| started.map(|it| it.until(ended).as_secs())),
        Some(Some(2))
    );
    let ids: HashSet<_> = read.processes().map(|process| process.id).collect();
    assert_eq!(ids.len(), 1);
}

#[test]
fn a_name_that_was_looked_up_is_of_its_process() {
    let query = format!(
        "{FIELDS},\"QueryName\":\"a.example\",\"QueryStatus\":\"0\",\"QueryResults\":\"type:  5 b.example;::ffff:192.0.2.1;2001:db8::1;\""
    );
    let none = query
        .replace("\"QueryStatus\":\"0\"", "\"QueryStatus\":\"9003\"")
        .replace("type:  5 b.example;::ffff:192.0.2.1;2001:db8::1;", "-");
    let late = none.replace("9003", "1460");
    let read = all(&[(22, query), (22, none), (22, late)]);
    let names: Vec<_> = read
        .names()
        .map(|(event, name)| (event.process.is_some(), format!("{:?}", name.answer)))
        .collect();
    let process = true;
    assert_eq!(names, [
        (process, "Some(Answer { code: 0, aliases: [\"b.example\"], addresses: [(192.0.2.1, 0), (2001:db8::1, 0)], texts: [], text_ttl: None, bytes: 0 })".to_owned()),
        (process, "Some(Answer { code: 3, aliases: [], addresses: [], texts: [], text_ttl: None, bytes: 0 })".to_owned()),
        (process, "None".to_owned()),
    ]);
}

#[test]
fn a_connection_from_elsewhere_has_the_end_of_this_computer_first() {
    let inbound = |source: &str, source_port: u16, other: &str, port: u16| {
        let event = FIELDS
            .replace("\"Initiated\":\"true\"", "\"Initiated\":\"false\"")
            .replace("172.18.39.5", source)
            .replace("10.10.10.5", other)
            .replace("50783", &source_port.to_string())
            .replace("\"80\"", &format!("\"{port}\""));
        let read = all(&[(3, FIELDS.to_owned()), (3, event)]);
        let last = read.connections().last().expect("a connection");
        assert_eq!(last.direction, Direction::Inbound);
        last.local.ip.map(|ip| ip.to_string())
    };
    assert_eq!(
        inbound("172.18.39.5", 50000, "9.9.9.9", 5000).as_deref(),
        Some("172.18.39.5")
    );
    assert_eq!(
        inbound("9.9.9.9", 50, "172.18.39.5", 50000).as_deref(),
        Some("172.18.39.5")
    );
    assert_eq!(
        inbound("9.9.9.9", 50000, "8.8.8.8", 445).as_deref(),
        Some("8.8.8.8")
    );
}

#[test]
fn what_the_firewall_let_through_is_told_where_sysmon_did_not() {
    let allowed = |port: u16| {
        format!(
            "{{\"EventID\":5156,\"SourceName\":\"Microsoft-Windows-Security-Auditing\",\"Hostname\":\"PC\",\"Direction\":\"%%14593\",\"Application\":\"\\\\device\\\\a.exe\",\"ProcessID\":4,\"SourceAddress\":\"172.18.39.5\",\"SourcePort\":\"50783\",\"DestAddress\":\"10.10.10.5\",\"DestPort\":\"{port}\",\"Protocol\":\"6\",\"ProcessId\":\"9076\"}}\n"
        )
    };
    let [sysmon, ..] = forms(3, FIELDS);
    let read = read(format!("{}{sysmon}\n{}", allowed(80), allowed(81)).as_bytes());
    let ports: Vec<_> = read
        .connections()
        .map(|one| one.remote.and_then(|remote| remote.port))
        .collect();
    assert_eq!(ports, [Some(80), Some(81)]);
}

#[test]
fn fields_that_were_lost_are_in_the_message() {
    let lost = FIELDS.replace("\"ProcessId\":\"9076\",", "");
    let event = format!(
        "{{\"EventID\":3,\"SourceName\":\"Microsoft-Windows-Sysmon\",\"ProcessID\":1,{lost},\"Message\":\"Network:\\r\\nProcessId: 716\\r\\nImage: x\"}}"
    );
    assert_eq!(
        read(event.as_bytes())
            .processes()
            .next()
            .map(|process| process.id.pid),
        Some(716)
    );
}

fn check(
    file: &str,
    connections: usize,
    tuples: usize,
    processes: usize,
    names: &[&str],
    skipped: u64,
) {
    let Some(path) = corpus(file) else { return };
    let read = read_file(&path);
    let of_sysmon: Vec<_> = read.connections().collect();
    assert_eq!(of_sysmon.len(), connections, "{file}");
    let distinct: HashSet<_> = of_sysmon
        .iter()
        .map(|one| (one.protocol, one.local, one.remote))
        .collect();
    assert_eq!(distinct.len(), tuples, "{file}");
    let owners: HashSet<_> = of_sysmon
        .iter()
        .filter_map(|one| one.owner.process())
        .map(|one| one.pid)
        .collect();
    assert_eq!(owners.len(), processes, "{file}");
    let asked: Vec<_> = read
        .names()
        .filter_map(|(_, name)| name.name.as_ref()?.as_utf8())
        .collect();
    assert_eq!(asked, names, "{file}");
    assert_eq!(read.skipped.count, skipped, "{file}: {:?}", read.skipped);
}

#[test]
fn the_logs_of_the_corpus_give_what_their_notes_say() {
    check("imports/sysmon/rdp-tun.evtx", 42, 40, 5, &[], 0);
    check("imports/sysmon/panache.evtx", 8, 8, 6, &[], 0);
    check("imports/sysmon/userhunter.evtx", 9, 9, 2, &[], 0);
    check("imports/sysmon/uacme64-id22.evtx", 0, 0, 0, &["wpad"], 0);
    check("imports/sysmon/evtx-sysmon.evtx", 2, 2, 1, &[], 8);
}

#[test]
fn the_processes_of_the_corpus_have_started() {
    for (file, starts) in [
        ("rdp-tun", 13),
        ("panache", 96),
        ("userhunter", 0),
        ("uacme64-id22", 3),
        ("evtx-sysmon", 227),
    ] {
        let Some(path) = corpus(&format!("imports/sysmon/{file}.evtx")) else {
            return;
        };
        let read = read_file(&path);
        let started: HashSet<_> = read
            .processes()
            .filter(|one| one.command_line.is_some())
            .map(|one| one.id)
            .collect();
        assert_eq!(started.len(), starts, "{file}");
        assert!(
            read.processes()
                .all(|one| one.id.start_ticks > 0 && one.path.is_some()),
            "{file}"
        );
    }
}

#[test]
fn a_file_that_is_cut_gives_what_is_whole() {
    let Some(path) = corpus("imports/sysmon/rdp-tun.evtx") else {
        return;
    };
    let whole = std::fs::read(path).expect("a file");
    for length in [0, 8, 4000, 4096, 4608, 5000, 30_000, 60_000] {
        let cut = read(whole.get(..length).expect("shorter"));
        assert!(cut.connections().count() <= 42);
        assert!(
            length < 8 || length == 4096 || cut.skipped.cut.is_some(),
            "{length}"
        );
    }
    let mut ruined = whole.clone();
    for at in (20_000..whole.len()).step_by(7919) {
        if let Some(byte) = ruined.get_mut(at) {
            *byte ^= 0x55;
        }
    }
    let read = read(&ruined);
    assert!(
        read.seen
            .iter()
            .any(|seen| matches!(seen, Imported::Connection(_)))
    );
}

#[test]
fn what_was_changed_does_not_fit_its_checksum() {
    let Some(path) = corpus("imports/sysmon/panache.evtx") else {
        return;
    };
    let whole = std::fs::read(path).expect("a file");
    let told = |at: usize| {
        let mut changed = whole.clone();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 1;
        }
        let read = read(&changed);
        let first = read.skipped.first.into_iter();
        first.map(|part| part.place).collect::<Vec<_>>()
    };
    // What the head has of its own version, a number of the chunk, the time of a record.
    assert_eq!(told(38), ["head of the file"]);
    assert_eq!(told(chunk::HEAD + 8), ["chunk 1"]);
    assert_eq!(told(chunk::HEAD + 512 + 16), ["chunk 1"]);
}

proptest! {
    #[test]
    fn never_panics(bytes in vec(any::<u8>(), 0..400), json in "[a-z:,\"{}\\[\\]0-9]{0,60}") {
        let mut file = chunk::FILE.to_vec();
        file.resize(chunk::HEAD, 0);
        file.extend(b"ElfChnk\0");
        file.resize(chunk::HEAD + 48, 0);
        file.extend(65536_u32.to_le_bytes());
        file.resize(chunk::HEAD + 512, 0);
        file.extend(b"**\0\0\x80\x01\0\0................");
        file.extend(&bytes);
        file.resize(chunk::HEAD + chunk::CHUNK, 1);
        read(&file);
        let [flat, ..] = forms(3, FIELDS);
        read(format!("{flat}\n{json}\n{{\"EventID\":3,{json}}}").as_bytes());
    }
}

#[test]
fn a_log_that_was_not_closed_is_said_to_be() {
    let mut head = vec![0; chunk::HEAD];
    head[..chunk::FILE.len()].copy_from_slice(chunk::FILE);
    for (flags, expected) in [(0, 0), (1, 1), (2, 0), (3, 1)] {
        head[120] = flags;
        let seen = read(&head).seen;
        let is_it =
            |seen: &&Imported| matches!(seen, Imported::Gap(gap) if gap.id == "log_not_closed");
        let gaps = seen.iter().filter(is_it).count();
        assert_eq!(gaps, expected, "flags {flags}");
    }
}
