//! A stream of lines, one JSON object each: `start`, what there is and what happens, `end`.

use std::io::{self, Write};
use std::sync::Arc;

use model::{
    Addresses, Connection, Event, Finding, FindingChange, Findings, Gap, Host, Process, Remembered,
    Snapshot, Tier, Timestamp,
};

use super::encoder::{Encoder, Known};
use super::writer::{Object, object};
use super::{SCHEMA, connection, event, finding, gap_members, head, process, remembered_members};

/// Makes lines, which gather until they are written out.
#[derive(Default)]
pub struct Stream {
    lines: Vec<u8>,
    processes: Encoder,
    counts: Counts,
}

/// How many lines there were of each type.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    events: u64,
    /// Each process once, however often it is told.
    processes: u64,
    /// Each connection once: those `present`, and those `opened`.
    connections: u64,
    opened: u64,
    closed: u64,
    gaps: u64,
}

/// What the last line says beside the counts.
#[derive(Clone, Copy, Debug)]
pub struct End {
    pub time: Timestamp,
    /// Events that the source gave, those without a line among them.
    pub events_seen: u64,
    /// What happened and was not seen.
    pub lost: u64,
    /// Lines that are missing because the reader was slow.
    pub dropped: u64,
    /// Those of them that told only that a connection had changed.
    pub dropped_updates: u64,
    /// The program that the run was for. `None`: there was none.
    pub program: Option<Program>,
}

/// A program that was started to be watched.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    pub pid: u32,
    /// `None`: it runs, or that is not known.
    pub status: Option<Status>,
}

/// How a program ended: one of the two.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    pub code: Option<i32>,
    pub signal: Option<i32>,
}

impl Stream {
    /// Knows all processes of a snapshot, so that lines may name them.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            processes: Encoder::of(snapshot),
            ..Self::default()
        }
    }

    /// Asks these from here on what is known of an address.
    pub fn ask(&mut self, addresses: Addresses) {
        self.processes.ask(addresses);
    }

    /// From here on connections have these findings.
    pub fn find(&mut self, findings: &Findings) {
        self.processes.find(findings);
    }

    /// What became of a finding.
    pub fn finding(&mut self, change: FindingChange, time: Timestamp, finding: &Finding) {
        line(&mut self.lines, "finding", |line| {
            line.word("change", change.word());
            line.optional_plain("time", time.told());
            finding::members(line, finding, self.processes.devices());
        });
    }

    /// The first line.
    pub fn start(&mut self, host: &Host, taken: Timestamp, tier: Tier) {
        line(&mut self.lines, "start", |line| {
            head(line, host, taken, tier);
        });
    }

    /// What is known of a process; to be told before a line names it. Nothing is written when an
    /// earlier line has said the same.
    pub fn process(&mut self, process: &Arc<Process>) {
        match self.processes.know(process) {
            Known::TheSame => {}
            Known::Otherwise => self.process_line(process, |_| {}),
            Known::Nothing => {
                self.counts.processes += 1;
                self.process_line(process, |_| {});
            }
        }
    }

    /// Processes of a list, with members of the list's own.
    pub(super) fn listed_process(
        &mut self,
        process: &Process,
        besides: impl FnOnce(&mut Object<'_>),
    ) {
        self.counts.processes += 1;
        self.process_line(process, besides);
    }

    fn process_line(&mut self, process: &Process, besides: impl FnOnce(&mut Object<'_>)) {
        line(&mut self.lines, "process", |line| {
            process::members(line, process, None);
            besides(line);
        });
    }

    /// `change` is a word of the public contract.
    pub fn connection(&mut self, change: &'static str, time: Timestamp, connection: &Connection) {
        let count = |is: &str| u64::from(change == is);
        self.counts.connections += count("present") + count("opened");
        self.counts.opened += count("opened");
        self.counts.closed += count("closed");
        line(&mut self.lines, "connection", |line| {
            line.word("change", change);
            line.optional_plain("time", time.told());
            connection::members(line, connection, &self.processes);
        });
    }

    pub fn event(&mut self, event: &Event) {
        self.counts.events += 1;
        line(&mut self.lines, "event", |line| {
            event::members(line, event);
        });
    }

    pub fn gap(&mut self, gap: &Gap) {
        self.counts.gaps += 1;
        line(&mut self.lines, "gap", |line| gap_members(line, gap));
    }

    pub(super) fn remembered(&mut self, entry: &Remembered, taken: Timestamp) {
        line(&mut self.lines, "remembered", |line| {
            remembered_members(line, entry, taken);
        });
    }

    /// The last line.
    pub fn end(&mut self, end: &End) {
        let counts = self.counts;
        line(&mut self.lines, "end", |line| {
            line.optional_plain("time", end.time.told());
            line.number("events", counts.events);
            line.number("events_seen", end.events_seen);
            line.number("processes", counts.processes);
            line.number("connections", counts.connections);
            line.number("opened", counts.opened);
            line.number("closed", counts.closed);
            line.number("gaps", counts.gaps);
            line.number("lost", end.lost);
            line.number("dropped", end.dropped);
            line.number("dropped_updates", end.dropped_updates);
            match end.program {
                Some(program) => line.object("program", |object| program_members(object, program)),
                None => line.null("program"),
            }
        });
    }

    /// Bytes that wait to be written.
    pub fn waiting_bytes(&self) -> usize {
        self.lines.len()
    }

    /// How many `gap` lines there were.
    pub fn gaps(&self) -> u64 {
        self.counts.gaps
    }

    /// Writes all lines that wait.
    pub fn write_to(&mut self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&self.lines)?;
        self.lines.clear();
        out.flush()
    }
}

fn line(lines: &mut Vec<u8>, kind: &'static str, write: impl FnOnce(&mut Object<'_>)) {
    object(lines, |line| {
        if kind == "start" {
            line.plain("schema", SCHEMA);
        }
        line.word("type", kind);
        write(line);
    });
    lines.push(b'\n');
}

fn program_members(object: &mut Object<'_>, program: Program) {
    object.number("pid", program.pid);
    match program.status {
        Some(status) => object.object("status", |object| {
            object.optional_number("code", status.code);
            object.optional_number("signal", status.signal);
        }),
        None => object.null("status"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::example;

    const END: End = End {
        time: Timestamp::from_unix_nanos(1),
        events_seen: 5,
        lost: 0,
        dropped: 3,
        dropped_updates: 2,
        program: Some(Program {
            pid: 4242,
            status: Some(Status {
                code: Some(3),
                signal: None,
            }),
        }),
    };

    fn lines(tell: impl FnOnce(&mut Stream)) -> Vec<Value> {
        let (mut stream, mut out) = (Stream::default(), Vec::new());
        tell(&mut stream);
        stream.write_to(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    #[test]
    fn a_process_is_told_again_when_it_has_become_another_program() {
        let (curl, connection) = (example::process(), example::connection());
        let mut wget = curl.clone();
        wget.path = Some("/usr/bin/wget".into());
        let (curl, wget) = (Arc::new(curl), Arc::new(wget));
        let lines = lines(|stream| {
            for process in [&curl, &curl, &wget] {
                stream.process(process);
                stream.connection(
                    "updated",
                    connection.opened.unwrap_or(END.time),
                    &connection,
                );
            }
            stream.end(&END);
        });
        let of = |kind: &str| {
            let lines = lines.iter().filter(|line| line["type"] == kind);
            lines.cloned().collect::<Vec<_>>()
        };
        let paths: Vec<_> = of("process").iter().map(|it| it["path"].clone()).collect();
        assert_eq!(paths, ["/usr/bin/curl", "/usr/bin/wget"]);
        let last = &of("connection")[2];
        assert_eq!(last["process"]["path"], "/usr/bin/wget");
        assert_eq!(of("end")[0]["processes"], 1);
    }

    #[test]
    fn a_process_nobody_told_of_keeps_its_number() {
        let connection = example::connection();
        let lines = lines(|stream| stream.connection("closed", END.time, &connection));
        let process = &lines[0]["process"];
        assert_eq!(process["pid"], 4242);
        assert_eq!(process["path"], Value::Null);
    }

    #[test]
    fn the_end_counts() {
        let connection = example::connection();
        let lines = lines(|stream| {
            for change in ["present", "opened", "updated", "closed"] {
                stream.connection(change, END.time, &connection);
            }
            stream.end(&END);
        });
        let expected = serde_json::json!({
            "type": "end",
            "time": "1970-01-01T00:00:00.000000001Z",
            "events": 0,
            "events_seen": 5,
            "processes": 0,
            "connections": 2,
            "opened": 1,
            "closed": 1,
            "gaps": 0,
            "lost": 0,
            "dropped": 3,
            "dropped_updates": 2,
            "program": {"pid": 4242, "status": {"code": 3, "signal": null}},
        });
        assert_eq!(lines[4], expected);
    }
}
