//! `export`: each form is what its readers expect, and holds what the filter lets through.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::Run;
use crate::recording::{lines, packets};
use crate::room::{Room, on};
use crate::sample::{SECRET, Sample};
use crate::setting::{Need, command, lacks};

fn export(sample: &Sample, words: &[&str], filter: &[&str]) -> Run {
    let run = on(&sample.case, &[&["export"], words].concat(), filter);
    assert_eq!(run.code, Some(0), "{words:?}: {}", run.talk());
    run
}

/// Of the caller's own connections.
fn filters(sample: &Sample) -> [String; 2] {
    let port = sample.tcp.rsplit(':').next().unwrap();
    [format!("pid:{}", sample.caller), format!("port:{port}")]
}

#[test]
fn comma_separated_values_have_a_row_for_each_connection() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let text = export(sample, &["--csv"], &[]).text();
    let header = "id,process,pid,user,protocol,state,direction,local_ip,local_port,remote_ip,\
                  remote_port,remote_name,bytes_sent,bytes_received,opened,owner_why,path,device_mac,device_name,device_ip,remote_name_strength";
    assert_eq!(text.lines().next(), Some(header));
    let listed = on(&sample.case, &["list", "-a", "--json"], &[]).json();
    let connections = listed["connections"].as_array().unwrap();
    assert_eq!(text.lines().count(), connections.len() + 1);
    let [pid, port] = filters(sample);
    let own = export(sample, &["--csv"], &[&pid]).text();
    let rows: Vec<Vec<&str>> = own
        .lines()
        .skip(1)
        .map(|row| row.split(',').collect())
        .collect();
    // What it called, its socket without a peer, and whom it talked to.
    assert_eq!(rows.len(), 3, "{own}");
    assert!(
        rows.iter().all(|row| row[2] == sample.caller.to_string()),
        "{own}"
    );
    assert_eq!(
        export(sample, &["--csv"], &[&pid, &port])
            .text()
            .lines()
            .count(),
        2
    );
    assert_eq!(
        export(sample, &["--csv"], &["pid:1", "port:1"])
            .text()
            .lines()
            .count(),
        1
    );
}

#[test]
fn forms_of_other_programs_can_be_read() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let [pid, port] = filters(sample);
    let one = |form: &str| lines(&export(sample, &[form], &[&pid, &port]).text());
    let ends = |line: &Value, names: [&str; 4]| {
        names.map(|name| {
            let value = line.pointer(name).unwrap_or(&Value::Null);
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    let (ip, own_port) = sample.tcp.split_once(':').unwrap();
    let expected = [ip, own_port, "192.0.2.2", "8080"];
    let ecs = one("--ecs");
    let [line] = &ecs[..] else {
        panic!("{ecs:#?}");
    };
    let names = [
        "/source/ip",
        "/source/port",
        "/destination/ip",
        "/destination/port",
    ];
    assert_eq!(ends(line, names), expected, "{line:#}");
    assert_eq!(
        line.pointer("/process/pid"),
        Some(&sample.caller.into()),
        "{line:#}"
    );
    let ocsf = one("--ocsf");
    let [line] = &ocsf[..] else {
        panic!("{ocsf:#?}");
    };
    assert_eq!(line["class_uid"], 4001, "{line:#}");
    let names = [
        "/src_endpoint/ip",
        "/src_endpoint/port",
        "/dst_endpoint/ip",
        "/dst_endpoint/port",
    ];
    assert_eq!(ends(line, names), expected, "{line:#}");

    let zeek = export(sample, &["--zeek"], &[&pid, &port]).text();
    assert!(zeek.starts_with("#separator \\x09\n"), "{zeek}");
    let fields = zeek
        .lines()
        .find_map(|line| line.strip_prefix("#fields\t"))
        .unwrap();
    let types = zeek
        .lines()
        .find_map(|line| line.strip_prefix("#types\t"))
        .unwrap();
    let rows: Vec<_> = zeek.lines().filter(|line| !line.starts_with('#')).collect();
    let [row] = rows[..] else {
        panic!("{zeek}");
    };
    let fields: Vec<_> = fields.split('\t').collect();
    let row: Vec<_> = row.split('\t').collect();
    assert_eq!(
        (fields.len(), types.split('\t').count()),
        (row.len(), row.len())
    );
    let value = |name: &str| row[fields.iter().position(|field| *field == name).unwrap()];
    let names = ["id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto"];
    assert_eq!(names.map(value), [ip, own_port, "192.0.2.2", "8080", "tcp"]);
}

/// Some columns of a log of Zeek.
fn columns<const N: usize>(log: &str, names: [&str; N]) -> Vec<[String; N]> {
    let mut lines = log.lines();
    let fields = lines.find_map(|line| line.strip_prefix("#fields\t"));
    let fields: Vec<_> = fields.unwrap().split('\t').collect();
    let places = names.map(|name| fields.iter().position(|it| *it == name).unwrap());
    let rows = lines.filter(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let row: Vec<_> = line.split('\t').collect();
        places.map(|place| row[place].to_owned())
    };
    rows.map(row).collect()
}

#[test]
fn names_that_were_asked_for_are_a_log_of_their_own() {
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/story");
    let asked = |filter: &[&str]| {
        let run = on(&story, &["export", "--zeek=dns"], filter);
        assert_eq!(run.code, Some(0), "{}", run.talk());
        run.text()
    };
    let all = asked(&[]);
    assert!(all.contains("\n#path\tdns\n"), "{all}");
    let names = ["uid", "query", "qtype_name", "id.resp_h", "id.resp_p"];
    let rows = columns(&all, names);
    assert_eq!(
        rows[1][1..],
        ["updates.example", "A", "192.168.1.1", "53"],
        "{all}"
    );
    let seen = fs::read_to_string(story.join("events/000001.ndjson")).unwrap();
    let is_asked = |line: &&Value| line["name_source"] == "dns";
    let seen = lines(&seen);
    assert_eq!(rows.len(), seen.iter().filter(is_asked).count());
    // They are told with the connections that they went over.
    let connections = on(&story, &["export", "--zeek=conn"], &[]).text();
    let connections: BTreeSet<_> = columns(&connections, ["uid"]).into_iter().collect();
    let known = |row: &[String; 5]| connections.contains(&[row[0].clone()]);
    assert!(rows.iter().all(known), "{all}");

    let some = columns(&asked(&["name:updates.example"]), ["query"]);
    let expected = rows.iter().filter(|row| row[1] == "updates.example");
    assert_eq!(some.len(), expected.count());
    assert!(!some.is_empty() && some.len() < rows.len(), "{some:?}");
    let counts = ["dst:192.168.1.1", "dst:192.168.1.2", "--filter=-port:53"]
        .map(|filter| columns(&asked(&[filter]), ["ts"]).len());
    assert_eq!(counts, [rows.len(), 0, 0]);
    let early = on(
        &story,
        &["export", "--zeek=dns", "--at", "2026-11-22T23:49:27Z"],
        &[],
    );
    assert_eq!(columns(&early.text(), ["ts"]).len(), 2, "{}", early.text());

    // What whocalls reads of it is the same.
    let room = Room::new();
    let log = room.file("dns.log");
    fs::write(&log, &all).unwrap();
    let again = on(&log, &["export", "--zeek=dns"], &[]);
    assert_eq!(again.code, Some(0), "{}", again.talk());
    let facts = ["ts", "query", "qtype", "rcode", "id.orig_h", "id.orig_p"];
    assert_eq!(columns(&again.text(), facts), columns(&all, facts));

    let greetings = on(&story, &["export", "--zeek=ssl"], &[]).text();
    assert!(greetings.contains("\n#path\tssl\n"), "{greetings}");
    let unknown = on(&story, &["export", "--zeek=http"], &[]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.talk());
}

#[test]
fn lines_are_those_of_a_watch() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let all = lines(&export(sample, &["--ndjson"], &[]).text());
    assert_eq!(
        (&all[0]["type"], &all[0]["schema"]),
        (&"start".into(), &"whocalls/1".into())
    );
    assert_eq!(all.last().unwrap()["type"], "end");
    let kinds: BTreeSet<_> = all
        .iter()
        .filter_map(|line| line["type"].as_str())
        .collect();
    for kind in ["process", "event", "connection"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
    let [pid, _] = filters(sample);
    let own = lines(&export(sample, &["--ndjson"], &[&pid]).text());
    let connections = own.iter().filter(|line| line["type"] == "connection");
    let owners: BTreeSet<_> = connections
        .map(|line| line["process"]["pid"].to_string())
        .collect();
    assert_eq!(owners, BTreeSet::from([sample.caller.to_string()]));
}

#[test]
fn packets_of_a_filter_are_those_of_its_connections() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let room = Room::new();
    let [pid, port] = filters(sample);
    let all = export(sample, &["--pcapng"], &[]);
    assert_eq!(packets(&all.out).len(), sample.packets.len());

    let file = room.file("one.pcapng");
    let out = file.to_str().unwrap();
    let one = on(
        &sample.case,
        &["export", "--pcapng", "-o", out],
        &[&pid, &port],
    );
    assert_eq!(one.code, Some(0), "{}", one.talk());
    let own = packets(&fs::read(&file).unwrap());
    let netns = sample.netns[0];
    let expected = sample.packets.iter().filter(|packet| {
        packet.netns == netns
            && packet
                .ends()
                .is_some_and(|ends| ends.1 == sample.tcp || ends.2 == sample.tcp)
    });
    let expected: Vec<_> = expected
        .map(|packet| (packet.id, &packet.bytes, packet.pid))
        .collect();
    let own: Vec<_> = own
        .iter()
        .map(|packet| (packet.id, &packet.bytes, packet.pid))
        .collect();
    assert!(own.len() > 50, "{}", own.len());
    assert_eq!(own, expected);
    assert!(
        one.talk().contains(&format!("{} packets", own.len())),
        "{}",
        one.talk()
    );

    let again = on(&sample.case, &["export", "--pcapng", "-o", out], &[]);
    assert_eq!(again.code, Some(1), "{}", again.talk());
    assert!(again.talk().contains(out), "{}", again.talk());
    assert_eq!(packets(&fs::read(&file).unwrap()).len(), own.len());

    if lacks(&[Need::Program("tshark")]) {
        return;
    }
    let number = sample.tcp.rsplit(':').next().unwrap();
    let filter = format!("tcp.port == {number} && !icmp");
    let counted = tshark(&["-r", out, "-Y", &filter]);
    assert_eq!(counted.lines().count(), own.len());
    let stream = tshark(&["-q", "-r", out, "-z", "follow,tcp,ascii,0"]);
    assert!(stream.contains(SECRET), "{stream}");
    for form in [&["--wireshark", "5"][..], &["--with-events"]] {
        let file = room.file(form.last().unwrap());
        let out = ["-o", file.to_str().unwrap()];
        export(sample, &[&["--pcapng"], form, &out].concat(), &[]);
        let rows = tshark(&["-r", out[1], "-T", "fields", "-e", "frame.number"]);
        let count = rows.lines().count();
        assert!(count >= sample.packets.len(), "{form:?}: {count}");
    }
}

/// What it writes; it warns of nothing.
fn tshark(arguments: &[&str]) -> String {
    let run = Run::of(command("tshark").arg("-n").args(arguments));
    assert_eq!(run.code, Some(0), "{}", run.talk());
    let talk = run.talk();
    let warnings: Vec<_> = talk
        .lines()
        .filter(|line| !line.starts_with("Running as"))
        .collect();
    assert_eq!(warnings, [""; 0], "{arguments:?}");
    run.text()
}

#[test]
fn files_of_others_are_not_overwritten() {
    let Some(sample) = Sample::get() else {
        return;
    };
    let room = Room::new();
    let file = room.file("there");
    let link = room.file("link");
    fs::write(&file, "something").unwrap();
    std::os::unix::fs::symlink(room.file("leads-here"), &link).unwrap();
    for form in ["--csv", "--ndjson", "--ecs", "--ocsf", "--zeek", "--pcapng"] {
        for out in [&file, &link] {
            let run = on(
                &sample.case,
                &["export", form, "-o", out.to_str().unwrap()],
                &[],
            );
            assert_eq!(run.code, Some(1), "{form}: {}", run.talk());
            assert!(run.talk().contains(out.to_str().unwrap()), "{}", run.talk());
        }
    }
    assert_eq!(fs::read(&file).unwrap(), b"something");
    assert!(!room.file("leads-here").exists());
    let none = on(&sample.case, &["export"], &[]);
    assert_eq!(none.code, Some(2), "{}", none.talk());
    let two = on(&sample.case, &["export", "--csv", "--zeek"], &[]);
    assert_eq!(two.code, Some(2), "{}", two.talk());
    let filter = on(&sample.case, &["export", "--csv"], &["port:many"]);
    assert_eq!(filter.code, Some(2), "{}", filter.talk());
}
