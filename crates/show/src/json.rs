//! The JSON of the public contract (docs/json.md): one document, or a stream of lines.

mod comparison;
mod connection;
mod encoder;
mod event;
mod examined;
mod finding;
mod lookup;
mod name;
mod process;
mod stream;
pub(crate) mod writer;

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

use model::{
    Connection, FindingChange, Gap, Host, Process, ProcessId, Remembered, Snapshot, Text, Tier,
    Timestamp,
};

use self::encoder::Encoder;
use self::writer::{Object, object};

pub use self::comparison::compared;
pub use self::lookup::looked_up;
pub use self::stream::{End, Program, Status, Stream};

/// Name and version of the shapes; it changes only when a name changes its meaning.
pub const SCHEMA: &str = "whocalls/1";

/// The buffer is handed on whenever it holds this much.
const CHUNK: usize = 256 * 1024;

/// What a list shows: connections and processes already picked and sorted.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    pub snapshot: &'a Snapshot,
    pub connections: &'a [&'a Connection],
    pub processes: &'a [&'a Process],
    /// How many connections each process has, where processes are what is listed.
    pub counts: Option<&'a HashMap<ProcessId, usize>>,
    /// What the computer remembers; `None` when it was not asked.
    pub remembered: Option<&'a [Remembered]>,
    /// How much of what was seen this is. `None`: connections are not what is listed.
    pub extent: Option<Extent>,
}

/// How much of what was seen is listed: whoever compares two lists has to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Sockets that wait for others to call and were not wanted.
    pub waiting_left_out: usize,
    /// Others that a filter or an option did not want.
    pub others_left_out: usize,
    /// Processes without a connection are listed, too.
    pub every_process: bool,
}

/// Writes one document.
pub fn document(listing: Listing<'_>, out: &mut impl Write) -> io::Result<()> {
    let Listing {
        snapshot,
        connections,
        processes,
        counts,
        remembered,
        extent,
    } = listing;
    let encoder = Encoder::of(snapshot);
    let mut buffer = Vec::with_capacity(CHUNK + CHUNK / 4);
    let mut result = Ok(());
    object(&mut buffer, |document| {
        document.plain("schema", SCHEMA);
        head(document, &snapshot.host, snapshot.taken, snapshot.tier);
        extent_members(document, extent);
        document.array("gaps", &snapshot.gaps, gap);
        document.array("processes", processes, |out, process| {
            object(out, |object| {
                process::members(object, process, snapshot.findings.ordinary(process.id));
                connection_count(object, snapshot, process, counts);
            });
        });
        if let Some(remembered) = remembered {
            document.array("remembered", remembered, |out, entry| {
                object(out, |object| {
                    remembered_members(object, entry, snapshot.taken)
                });
            });
        }
        document.array("connections", connections, |buffer, connection| {
            object(buffer, |object| {
                connection::members(object, connection, &encoder);
            });
            if buffer.len() >= CHUNK && result.is_ok() {
                result = out.write_all(buffer);
                buffer.clear();
            }
        });
        findings(document, snapshot);
    });
    result?;
    buffer.push(b'\n');
    out.write_all(&buffer)?;
    out.flush()
}

/// Writes what `check` tells: what the rules found in a snapshot and what they could not look at.
/// `rules` are the words of all that looked.
pub fn checked(snapshot: &Snapshot, rules: &[&str], out: &mut impl Write) -> io::Result<()> {
    let mut buffer = Vec::new();
    object(&mut buffer, |document| {
        document.plain("schema", SCHEMA);
        head(document, &snapshot.host, snapshot.taken, snapshot.tier);
        document.array("gaps", &snapshot.gaps, gap);
        document.array("rules", rules, |out, rule| writer::string(out, rule));
        document.array("not_checked", snapshot.findings.unchecked(), |out, it| {
            object(out, |object| finding::unchecked_members(object, *it));
        });
        let about = snapshot.findings.iter();
        let about: BTreeSet<ProcessId> = about.filter_map(|it| it.about.process).collect();
        let processes = about.iter().filter_map(|id| snapshot.processes.get(id));
        document.array("processes", processes, |out, process| {
            let ordinary = snapshot.findings.ordinary(process.id);
            object(out, |object| process::members(object, process, ordinary));
        });
        findings(document, snapshot);
    });
    buffer.push(b'\n');
    out.write_all(&buffer)?;
    out.flush()
}

/// Writes the findings as a stream: what was looked at, then a line for each.
pub fn findings_as_lines(snapshot: &Snapshot, out: &mut impl Write) -> io::Result<()> {
    let mut stream = Stream::of(snapshot);
    stream.start(&snapshot.host, snapshot.taken, snapshot.tier);
    for finding in &snapshot.findings {
        stream.finding(FindingChange::New, snapshot.taken, finding);
    }
    stream.write_to(out)
}

fn findings(document: &mut Object<'_>, snapshot: &Snapshot) {
    document.array("findings", &snapshot.findings, |out, it| {
        object(out, |object| {
            finding::members(object, it, &snapshot.devices)
        });
    });
}

/// Writes one look as a stream: `start`, processes, connections, gaps, `end`.
pub fn lines(listing: Listing<'_>, out: &mut impl Write) -> io::Result<()> {
    let Listing {
        snapshot,
        connections,
        processes,
        counts,
        remembered,
        extent: _,
    } = listing;
    let mut stream = Stream::of(snapshot);
    stream.start(&snapshot.host, snapshot.taken, snapshot.tier);
    for process in processes {
        stream.listed_process(process, |line| {
            connection_count(line, snapshot, process, counts);
        });
        hand_on(&mut stream, out)?;
    }
    for connection in connections {
        stream.connection("present", snapshot.taken, connection);
        hand_on(&mut stream, out)?;
    }
    for entry in remembered.unwrap_or_default() {
        stream.remembered(entry, snapshot.taken);
    }
    for entry in &snapshot.gaps {
        stream.gap(entry);
    }
    stream.end(&End {
        time: snapshot.taken,
        events_seen: 0,
        lost: u64::try_from(snapshot.lost()).unwrap_or(u64::MAX),
        dropped: 0,
        dropped_updates: 0,
        program: None,
    });
    stream.write_to(out)
}

fn hand_on(stream: &mut Stream, out: &mut impl Write) -> io::Result<()> {
    if stream.waiting_bytes() < CHUNK {
        return Ok(());
    }
    stream.write_to(out)
}

fn head(object: &mut Object<'_>, host: &Host, taken: Timestamp, tier: Tier) {
    object.text("host", &host.name.lossy());
    object.plain("boot", host.boot);
    object.optional_plain("taken", taken.told());
    object.word("tier", tier.word());
}

fn extent_members(object: &mut Object<'_>, extent: Option<Extent>) {
    let Some(extent) = extent else {
        object.null("left_out");
        return object.null("every_process");
    };
    object.object("left_out", |object| {
        object.number("waiting", extent.waiting_left_out);
        object.number("others", extent.others_left_out);
    });
    object.boolean("every_process", extent.every_process);
}

fn connection_count(
    object: &mut Object<'_>,
    snapshot: &Snapshot,
    process: &Process,
    counts: Option<&HashMap<ProcessId, usize>>,
) {
    if let Some(counts) = counts {
        let none = snapshot.shows_sockets_of(process).then_some(0);
        object.optional_number("connections", counts.get(&process.id).copied().or(none));
    }
}

fn gap(out: &mut Vec<u8>, gap: &Gap) {
    object(out, |object| gap_members(object, gap));
}

fn gap_members(object: &mut Object<'_>, gap: &Gap) {
    object.text("id", &gap.id);
    object.word("source", gap.source.word());
    object.text("why", &gap.why);
    object.text("missed", &gap.missed);
    object.optional_plain("since", gap.since);
    object.optional_plain("until", gap.until);
    object.optional_number("count", gap.count);
}

fn remembered_members(object: &mut Object<'_>, entry: &Remembered, taken: Timestamp) {
    object.object("remote", |remote| {
        remote.optional_ip("ip", entry.ip);
        remote.optional_number("port", entry.port);
        remote.optional_text(
            "name",
            entry.name.as_ref().map(|name| name.lossy()).as_deref(),
        );
        remote.optional_plain("name_source", entry.name.as_ref().map(|_| "dns"));
    });
    object.optional_plain("protocol", entry.protocol.map(|protocol| protocol.word()));
    object.word("source", entry.by.word());
    object.optional_number("netns", entry.netns.map(|netns| netns.0));
    object.optional_plain("seen", entry.seen);
    let age = entry.seen.map(|seen| seen.until(taken).as_nanos());
    object.optional_number("age_ns", age);
    object.optional_number("bytes_sent", entry.bytes_sent);
    object.optional_number("bytes_received", entry.bytes_received);
    let lossy = |text: &Option<Text>| text.as_ref().map(|text| text.lossy().into_owned());
    object.optional_text("program", lossy(&entry.program).as_deref());
    object.optional_text("user", lossy(&entry.user).as_deref());
    object.object("owner", |owner| connection::owner(owner, entry.owner));
    object.null("process");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{Shelf, Source, Text};
    use serde_json::{Value, json};

    use super::*;
    use crate::example;

    fn snapshot() -> Snapshot {
        let process = example::process();
        Snapshot {
            host: Host {
                name: Text::from("lena-laptop"),
                boot: process.id.boot,
            },
            home_netns: None,
            taken: process.started.unwrap_or(Timestamp::UNTOLD),
            since: Timestamp::UNTOLD,
            tier: Tier::Full,
            connections: Shelf::from_iter([example::connection()]),
            processes: Arc::new(HashMap::from([(process.id, Arc::new(process))])),
            pairs: Shelf::default(),
            users: HashMap::new(),
            remembered: Vec::new(),
            devices: Arc::default(),
            asked: Shelf::default(),
            zones: Shelf::default(),
            attendance: Arc::default(),
            gaps: vec![Gap::standing("no_rights", Source::Proc, "why", "missed").counted(3)],
            let_go: 0,
            addresses: model::Addresses::default(),
            findings: model::Findings::default(),
        }
    }

    fn listing(snapshot: &Snapshot, write: impl Fn(Listing<'_>, &mut Vec<u8>)) -> String {
        let connections: Vec<_> = snapshot.connections.iter().collect();
        let processes: Vec<_> = snapshot.processes.values().map(Arc::as_ref).collect();
        let mut out = Vec::new();
        let listing = Listing {
            snapshot,
            connections: &connections,
            processes: &processes,
            counts: None,
            remembered: None,
            extent: Some(Extent::default()),
        };
        write(listing, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_document_has_the_shape_of_the_contract() {
        let text = listing(&snapshot(), |listing, out| document(listing, out).unwrap());
        let read: Value = serde_json::from_str(&text).unwrap();
        let connection = &read["connections"][0];
        let expected = json!({
            "id": connection["id"],
            "protocol": "tcp",
            "state": "established",
            "direction": "outbound",
            "local": {"ip": "192.0.2.7", "port": 40512},
            "remote": {"ip": "203.0.113.9", "port": 443, "name": null, "name_source": null, "name_strength": null},
            "netns": 4_026_531_840_u32,
            "interface": null,
            "socket": {"inode": 1, "cookie": 2},
            "uid": 1000,
            "opened": null,
            "closed": null,
            "error": null,
            "bytes_sent": 512,
            "bytes_received": 2048,
            "packets_sent": null,
            "packets_received": null,
            "community_id": connection["community_id"],
            "owner": {"known": true, "source": "ebpf", "why": null},
            "process": {
                "id": "4242-1534-9f9f9f9f",
                "pid": 4242,
                "started": "2026-11-22T10:15:00.123456789Z",
                "name": "curl",
                "path": "/usr/bin/curl",
                "uid": 1000,
                "user": "alice",
            },
            "also_held_by": [],
            "device": null,
            "greeting": null,
            "address": null,
            "findings": [],
        });
        assert_eq!(connection, &expected);
        assert_eq!(read["schema"], "whocalls/1");
        assert_eq!(read["gaps"][0]["count"], 3);
        assert_eq!(
            read["processes"][0]["command_line"],
            json!(["curl", "https://example.com/"])
        );
        assert_eq!(read["findings"], json!([]));
    }

    #[test]
    fn every_line_of_a_stream_has_its_type() {
        let text = listing(&snapshot(), |listing, out| lines(listing, out).unwrap());
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let types: Vec<_> = lines
            .iter()
            .map(|line| line["type"].as_str().unwrap())
            .collect();
        assert_eq!(types, ["start", "process", "connection", "gap", "end"]);
        assert_eq!(lines[0]["schema"], "whocalls/1");
        assert_eq!(lines[2]["change"], "present");
        assert_eq!(lines[4]["connections"], 1);
    }

    #[test]
    fn names_that_are_not_utf8_keep_their_bytes() {
        let mut snapshot = snapshot();
        for process in Arc::make_mut(&mut snapshot.processes).values_mut() {
            let process = Arc::make_mut(process);
            process.path = Some(Text::from(&b"/tmp/\xff\x1b[2J"[..]));
            process.command_line = Some(vec![Text::from(&b"\xfe"[..])]);
        }
        let text = listing(&snapshot, |listing, out| document(listing, out).unwrap());
        assert!(!text.contains('\u{1b}'));
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["processes"][0]["path"], "/tmp/\u{fffd}\u{1b}[2J");
        assert_eq!(read["processes"][0]["path_hex"], "2f746d702fff1b5b324a");
        assert_eq!(read["processes"][0]["command_line_hex"], json!(["fe"]));
    }
}
