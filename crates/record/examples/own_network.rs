//! Makes a case of a case: only what happened in the network namespace of the recording computer. Of
//! the others that are on the same kernel, and of what they say to each other, nothing stays. For
//! cases that are to be shown to others:
//!
//!     cargo run --release -p record --example own_network -- CASE FOLDER
//!
//! The folder has to be there and empty. Prints the new seal; the log says that something was left out.

use std::collections::HashSet;
use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use model::Timestamp;
use record::case::{Case, Entry, Kind, Limits, OpenCase, Settings};
use record::place::Directory;
use serde_json::{Map, Value};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return Err("usage: own_network CASE FOLDER".into());
    };
    let from = OpenCase::open(Path::new(from), None)?;
    let case = Case::begin(
        Box::new(Directory::new(Path::new(to))),
        Settings {
            about: from.about().ok_or("its case.json is damaged")?.clone(),
            limits: Limits::default(),
            recipients: None,
        },
    )?;
    let mut entries = Vec::new();
    from.log(&mut |entry| entries.push(entry))?;
    let mut copying = Copying {
        own: Own::of(&from)?,
        from,
        case,
        left_out: 0,
    };
    let mut closed = None;
    for entry in entries {
        match entry.what.as_str() {
            "begun" => {}
            "file_added" => copying.file(&entry)?,
            "segment_closed" => copying.segment(&entry)?,
            "closed" => closed = Some(entry),
            _ => copying.case.log(entry.time, &entry.what, entry.facts)?,
        }
    }
    let Entry {
        time, mut facts, ..
    } = closed.ok_or("the case was not closed")?;
    let left_out = Map::from_iter([
        ("events".to_owned(), copying.left_out.into()),
        ("why".to_owned(), "of other network namespaces".into()),
    ]);
    copying.case.log(time, "left_out", left_out)?;
    if let Some(events) = facts.get("events").and_then(Value::as_u64) {
        facts.insert(
            "events".to_owned(),
            events.saturating_sub(copying.left_out).into(),
        );
    }
    let seal = copying.case.finish(time, facts)?;
    Ok(writeln!(io::stdout(), "{seal}")?)
}

struct Copying {
    from: OpenCase,
    case: Case,
    own: Own,
    /// Events.
    left_out: u64,
}

impl Copying {
    fn file(&mut self, entry: &Entry) -> Result<()> {
        let name = entry.text("file").ok_or("a file without a name")?;
        let mut bytes = Vec::new();
        self.from.file(name)?.read_to_end(&mut bytes)?;
        match name {
            // The new case has written its own.
            "START-HERE.txt" | "case.json" => {}
            "snapshots/first.json" | "snapshots/last.json" => {
                let snapshot = self.own.snapshot(serde_json::from_slice(&bytes)?);
                let bytes = serde_json::to_vec(&snapshot)?;
                self.case.add(entry.time, name, &mut bytes.as_slice())?;
            }
            _ if name.starts_with("programs/") && !name.ends_with(".maps") => {
                self.case.add_program(entry.time, &mut bytes.as_slice())?;
            }
            _ => self.case.add(entry.time, name, &mut bytes.as_slice())?,
        }
        Ok(())
    }

    fn segment(&mut self, entry: &Entry) -> Result<()> {
        let name = entry.text("file").ok_or("a segment without a name")?;
        let time = |fact| {
            let time = entry.text(fact).and_then(Timestamp::parse);
            time.ok_or("a segment without a time")
        };
        let mut bytes = Vec::new();
        self.from.file(name)?.read_to_end(&mut bytes)?;
        let (kind, count) = if name.starts_with("events/") {
            (Kind::Events, "events")
        } else {
            (Kind::Packets, "packets")
        };
        let mut count = entry.facts.get(count).and_then(Value::as_u64).unwrap_or(0);
        if kind == Kind::Events {
            let (own, left_out) = self.own.lines(&bytes)?;
            bytes = own;
            count = count.saturating_sub(left_out);
            self.left_out += left_out;
        }
        let mut stream = self.case.stream(kind);
        stream.begin(time("began")?)?;
        stream.write(&bytes)?;
        Ok(stream.close(time("ended")?, count)?)
    }
}

/// What is of our network namespace.
struct Own {
    netns: Value,
    /// Sockets of others; some of their events do not say where they are.
    foreign: HashSet<u64>,
}

impl Own {
    fn of(case: &OpenCase) -> Result<Self> {
        let mut own = Self {
            netns: Value::Null,
            foreign: HashSet::new(),
        };
        for segment in case.segments(Kind::Events) {
            let mut text = String::new();
            case.read(segment)?.read_to_string(&mut text)?;
            for line in text.lines() {
                let line: Value = serde_json::from_str(line)?;
                if let Some(netns) = line.get("home_netns") {
                    own.netns = netns.clone();
                }
                if let Some(cookie) = cookie(&line)
                    && own.is_foreign(&line)
                {
                    own.foreign.insert(cookie);
                }
            }
        }
        Ok(own)
    }

    fn is_foreign(&self, line: &Value) -> bool {
        let owner_is_outside = ["/owner_why", "/owner/why"]
            .iter()
            .filter_map(|place| line.pointer(place))
            .any(|why| *why == "outside_namespace");
        // The kernel took it for a socket that none of our programs has.
        let is_nobodys = line.get("netns").is_none()
            && line.get("owner_why").is_some_and(|why| *why == "kernel");
        owner_is_outside
            || is_nobodys
            || line.get("netns").is_some_and(|netns| *netns != self.netns)
            || cookie(line).is_some_and(|cookie| self.foreign.contains(&cookie))
    }

    /// The lines that stay, as they are, and how many events do not.
    fn lines(&self, bytes: &[u8]) -> Result<(Vec<u8>, u64)> {
        let (mut own, mut left_out) = (Vec::new(), 0);
        for text in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut line: Value = serde_json::from_slice(text)?;
            match line.get("type").and_then(Value::as_str) {
                Some("event") if self.is_foreign(&line) => left_out += 1,
                Some("socket") if self.is_foreign(&line) => {}
                Some("counts") => {
                    let mut any = false;
                    if let Some(counts) = line.get_mut("counts").and_then(Value::as_array_mut) {
                        counts.retain(|count| !self.is_foreign(count));
                        any = !counts.is_empty();
                    }
                    if any {
                        serde_json::to_writer(&mut own, &line)?;
                        own.push(b'\n');
                    }
                }
                Some("end") => {
                    if let Some(events) = line.get_mut("events") {
                        *events = (events.as_u64().unwrap_or(0).saturating_sub(left_out)).into();
                    }
                    serde_json::to_writer(&mut own, &line)?;
                    own.push(b'\n');
                }
                _ => own.extend_from_slice(text),
            }
        }
        Ok((own, left_out))
    }

    fn snapshot(&self, mut snapshot: Value) -> Value {
        if let Some(connections) = snapshot
            .get_mut("connections")
            .and_then(Value::as_array_mut)
        {
            connections.retain(|connection| !self.is_foreign(connection));
        }
        snapshot
    }
}

fn cookie(line: &Value) -> Option<u64> {
    line.get("socket")?.get("cookie")?.as_u64()
}
