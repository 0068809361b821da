//! The two small cases that `tests/whocalls/compared/diff.trycmd` compares: one computer on a Monday and on the
//! Friday after it. What is kept there is what is made here.

use std::fs;
use std::path::Path;

use model::Timestamp;
use record::case::{
    About, Case, Clock, Consent, Depth, Kind, Limits, OpenCase, Outcome, Settings, Tool, verify,
};
use record::place::Directory;
use serde_json::{Map, Value, json};

/// Set, the cases are written in the place of those that are kept.
const UPDATE: &str = "WHOCALLS_UPDATE_PAGES";
const FOLDER: &str = "tests/whocalls/compared/diff.in";

/// A recording that is being made up.
struct Day {
    began: Timestamp,
    boot: &'static str,
    lines: Vec<Value>,
    seq: i64,
}

#[derive(Clone, Copy)]
struct Program {
    pid: u32,
    path: &'static str,
    user: (&'static str, u32),
    /// `None`: of no package.
    package: Option<(&'static str, &'static str)>,
    hash: char,
}

impl Day {
    fn new(began: &str, boot: &'static str) -> Self {
        let mut day = Self {
            began: Timestamp::parse(began).unwrap(),
            boot,
            lines: Vec::new(),
            seq: 0,
        };
        day.lines.push(json!({
            "schema": "whocalls/1", "type": "start", "segment": 1, "host": "desk", "boot": boot,
            "taken": began, "tier": "full",
        }));
        day.lines.push(json!({
            "type": "look", "taken": began, "tier": "full", "home_netns": 1,
            "users": [{"uid": 0, "name": "root"}, {"uid": 1000, "name": "lena"}],
        }));
        day.lines.push(json!({"type": "look_end"}));
        day
    }

    fn at(&self, second: i64) -> Timestamp {
        Timestamp::from_unix_nanos(self.began.unix_nanos() + second * 1_000_000_000)
    }

    fn event(&mut self, second: i64, kind: &str, program: Option<Program>, more: Value) {
        self.seq += 1;
        let mut line = json!({
            "type": "event", "seq": self.seq, "time": self.at(second).to_string(),
            "boot_ns": (second + 100) * 1_000_000_000 + self.seq, "source": "ebpf", "kind": kind,
        });
        if let Some(program) = program {
            line["process_id"] = self.id(program).into();
            line["netns"] = 1.into();
        }
        for (name, value) in more.as_object().unwrap() {
            line[name] = value.clone();
        }
        self.lines.push(line);
    }

    fn id(&self, program: Program) -> String {
        format!("{}-{}-{}", program.pid, program.pid, &self.boot[..8])
    }

    fn runs(&mut self, program: Program) {
        let name = program.path.rsplit('/').next().unwrap();
        self.lines.push(json!({
            "type": "process", "id": self.id(program), "pid": program.pid,
            "started": self.at(-60).to_string(), "name": name, "path": program.path,
            "path_state": "present", "command_line": [program.path], "user": program.user.0,
            "uid": program.user.1, "netns": 1, "sha256": String::from(program.hash).repeat(64),
        }));
        self.event(0, "process_started", Some(program), json!({}));
        let package = match program.package {
            Some((name, version)) => json!({
                "state": "intact", "name": name, "version": version, "manager": "dpkg",
            }),
            None => json!({"state": "none"}),
        };
        let examined = json!({"nothing_found": ["package"], "package": package});
        self.event(
            1,
            "process_examined",
            Some(program),
            json!({"examined": examined}),
        );
    }

    fn waits(&mut self, program: Program, ip: &str, port: u16) {
        let socket = json!({"cookie": self.seq + 1000});
        let local = json!({"ip": ip, "port": port});
        let more = json!({"socket": socket, "protocol": "tcp", "local": local});
        self.event(2, "listening", Some(program), more);
    }

    fn calls(&mut self, second: i64, program: Program, ip: &str, port: u16, name: &str) {
        let socket = json!({"cookie": self.seq + 1000});
        let local = json!({"ip": "192.168.1.23", "port": 40_000 + self.seq % 1000});
        let remote = json!({"ip": ip, "port": port});
        let ends = json!({"socket": socket, "protocol": "tcp", "local": local, "remote": remote});
        let asked = json!({"socket": socket, "protocol": "tcp", "remote": remote});
        self.event(second, "attempt", Some(program), asked);
        for kind in ["first_packet", "opened"] {
            self.event(second, kind, Some(program), ends.clone());
        }
        if !name.is_empty() {
            let mut greets = ends.clone();
            greets["name"] = name.into();
            greets["name_source"] = "sni".into();
            self.event(second, "name_seen", Some(program), greets);
        }
        let mut ends = ends;
        ends["bytes_sent"] = 900.into();
        ends["bytes_received"] = 4000.into();
        self.event(second + 3, "closed", Some(program), ends);
    }

    /// In the order of time, as a recording has it.
    fn text(mut self, until: i64) -> Vec<u8> {
        self.event(until, "tick", None, json!({}));
        let (mut events, mut lines): (Vec<Value>, Vec<Value>) =
            self.lines.into_iter().partition(|it| it["type"] == "event");
        events.sort_by_key(|it| it["boot_ns"].as_i64());
        for (seq, event) in events.iter_mut().enumerate() {
            event["seq"] = (seq + 1).into();
        }
        let time = events.last().unwrap()["time"].clone();
        let count = events.len();
        lines.extend(events);
        lines.push(json!({"type": "end", "time": time, "events": count, "gaps": 0, "lost": 0}));
        let lines = lines.iter().map(|line| format!("{line}\n"));
        lines.collect::<String>().into_bytes()
    }
}

const SSHD: Program = Program {
    pid: 400,
    path: "/usr/sbin/sshd",
    user: ("root", 0),
    package: Some(("openssh-server", "1:9.2p1-2")),
    hash: '1',
};
const MAIL: Program = Program {
    pid: 500,
    path: "/usr/lib/thunderbird/thunderbird",
    user: ("lena", 1000),
    package: Some(("thunderbird", "1:140.5.0")),
    hash: '2',
};
const SYNC: Program = Program {
    pid: 600,
    path: "/opt/sync/syncd",
    user: ("lena", 1000),
    package: None,
    hash: '3',
};
const UPDATER: Program = Program {
    pid: 700,
    path: "/home/lena/.cache/updater",
    user: ("lena", 1000),
    package: None,
    hash: '4',
};

fn monday() -> (Day, i64) {
    let mut day = Day::new(
        "2026-11-16T09:00:00.000000000Z",
        "9f3c1a2b000040008000000000000001",
    );
    day.runs(SSHD);
    day.waits(SSHD, "0.0.0.0", 22);
    day.runs(MAIL);
    day.calls(10, MAIL, "198.51.100.40", 993, "imap.mail.example");
    day.runs(SYNC);
    day.waits(SYNC, "127.0.0.1", 8384);
    day.calls(20, SYNC, "198.51.100.80", 443, "a.sync.example");
    (day, 1200)
}

fn friday() -> (Day, i64) {
    let mut day = Day::new(
        "2026-11-20T09:00:00.000000000Z",
        "41d05e77000040008000000000000002",
    );
    let update = ("thunderbird", "1:140.6.0");
    let mail = Program {
        pid: 812,
        package: Some(update),
        hash: 'a',
        ..MAIL
    };
    let sync = Program {
        pid: 813,
        hash: 'b',
        ..SYNC
    };
    day.runs(SSHD);
    day.waits(SSHD, "0.0.0.0", 22);
    day.runs(mail);
    day.calls(10, mail, "198.51.100.41", 993, "imap.mail.example");
    day.calls(11, mail, "198.51.100.99", 443, "start.other.example");
    day.runs(sync);
    day.waits(sync, "0.0.0.0", 8384);
    day.calls(20, sync, "198.51.100.81", 443, "b.sync.example");
    day.runs(UPDATER);
    for beat in 0..8 {
        day.calls(30 + beat * 60, UPDATER, "203.0.113.9", 8443, "");
    }
    (day, 1500)
}

fn about(day: &Day) -> About {
    About {
        id: "0a1b2c".to_owned(),
        began: day.began,
        host: "desk".to_owned(),
        boot: day.boot.to_owned(),
        system: "Debian 12".to_owned(),
        time_zone: None,
        tool: Tool {
            version: "0.1.0".to_owned(),
            sha256: None,
        },
        arguments: vec!["record".to_owned()],
        case_number: None,
        examiner: None,
        owner_consent: Consent::Unknown,
        purpose: Some("made up for a test".to_owned()),
        clock: Clock::default(),
        depth: Depth::Events,
        max_size: None,
        recipients: Vec::new(),
        more: Map::new(),
    }
}

fn write(folder: &Path, day: Day, until: i64) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    let settings = Settings {
        about: about(&day),
        limits: Limits::default(),
        recipients: None,
    };
    let (begin, end) = (day.began, day.at(until));
    let case = Case::begin(Box::new(Directory::new(folder)), settings).unwrap();
    let mut events = case.stream(Kind::Events);
    events.begin(begin).unwrap();
    let text = day.text(until);
    events.write(&text).unwrap();
    let count = text.iter().filter(|it| **it == b'\n').count() as u64;
    events.close(end, count).unwrap();
    drop(events);
    case.finish(end, Map::new()).unwrap();
}

fn check(name: &str, (day, until): (Day, i64)) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(FOLDER)
        .join(name);
    let events = "events/000001.ndjson";
    if std::env::var_os(UPDATE).is_some() {
        write(&kept, day, until);
    } else {
        let expected = day.text(until);
        let kept = fs::read(kept.join(events)).unwrap();
        assert_eq!(
            String::from_utf8(kept).unwrap(),
            String::from_utf8(expected).unwrap()
        );
    }
    assert_eq!(verify(&kept, None).unwrap().outcome, Outcome::Sealed);
    let case = OpenCase::open(&kept, None).unwrap();
    assert_eq!(case.problems(), []);
}

#[test]
fn the_cases_of_the_pages_are_these() {
    check("monday", monday());
    check("friday", friday());
}
