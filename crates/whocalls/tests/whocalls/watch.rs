//! `watch --ndjson`: what happens while it happens, in both tiers.

mod programs;

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::actor::{Actor, Place, python};
use crate::contract::{CONNECTION, DETAILS, END, GAP, PROCESS, PROCESS_AS_WELL, check, check_time};
use crate::program::{Seen, TIERS, WHOCALLS, whocalls};
use crate::setting::{Need, PATIENCE, lacks, skip, wait_for};

#[test]
fn it_begins_with_what_is_there() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (actor, words) = Actor::start(Place::Home, SOME);
    for tier in TIERS {
        let ended = Stream::start(&["--for", "1"], tier).end();
        ended.went_well();
        for local in &words {
            let lines = ended.connections_of(local);
            assert!(!lines.is_empty(), "{local} in {tier:?}");
            assert_eq!(lines[0].0["change"], "present");
            assert_eq!(lines[0].pids(), [actor.pid()]);
            assert_eq!(lines[0].0["opened"], Value::Null);
        }
    }
}

#[test]
fn a_connection_is_seen_from_its_beginning_to_its_end() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    for tier in TIERS {
        let (mut actor, words) = Actor::start(Place::Home, CALL);
        let mut stream = Stream::start(&["--refresh", "0.2"], tier);
        let waiting = stream.until(|line| is_connection(line, &words[0]));
        assert_eq!(waiting["change"], "present");
        let words = actor.go_on();
        let open =
            stream.until(|line| is_connection(line, &words[0]) && line["state"] == "established");
        assert_eq!(Seen(&open).pids(), [actor.pid()]);
        assert_eq!(Seen(&open).remote(), words[1]);
        assert_eq!(open["direction"], "outbound");
        actor.go_on();
        let closed =
            stream.until(|line| is_connection(line, &words[0]) && line["change"] == "closed");
        check_time(&closed["closed"]);
        assert_eq!(closed["state"], "closed");
        assert_eq!(closed["bytes_sent"], 1000, "{closed}");
        assert_eq!(
            (&closed["id"], Seen(&closed).pids()),
            (&open["id"], vec![actor.pid()])
        );
        stream.interrupt(Signal::INT);
        stream.end().went_well();
    }
}

#[test]
fn the_end_of_what_stood_before_is_told() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    const BEFORE: &str = r"
calling, called, waiting = both(('127.0.0.1', 0))
bound = keep(socket(AF_INET, SOCK_DGRAM))
bound.bind(('127.0.0.1', 0))
name = lambda it: '%s:%d' % it.getsockname()
ready(name(calling), name(waiting), name(bound))
calling.send(b'x' * 300)
called.recv(1000)
for each in kept: each.close()
ready()
";
    for tier in TIERS {
        let (mut actor, words) = Actor::start(Place::Home, BEFORE);
        let mut stream = Stream::start(&["--refresh", "0.2"], tier);
        let mut left: HashSet<&str> = words.iter().map(String::as_str).collect();
        while !left.is_empty() {
            let line = stream.until(|line| line["change"] == "present");
            left.retain(|local| !is_connection(&line, local));
        }
        actor.go_on();
        for local in &words {
            let is_closed = |line: &Value| line["change"] == "closed" && is_connection(line, local);
            let seen_already = stream.seen.iter().find(|line| is_closed(line)).cloned();
            let closed = seen_already.unwrap_or_else(|| stream.until(is_closed));
            assert_eq!(Seen(&closed).pids(), [actor.pid()], "{closed}");
        }
        stream.interrupt(Signal::INT);
        stream.end().went_well();
    }
}

#[test]
fn what_did_not_come_about_is_seen_where_events_are() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (mut actor, words) = Actor::start(Place::Home, REFUSED);
    let mut stream = Stream::start(&["state:failed"], None);
    let start = stream.until(|line| line["type"] == "start");
    if start["tier"] != "full" {
        skip("attempts need the full tier");
        return;
    }
    actor.go_on();
    let failed =
        stream.until(|line| line["type"] == "connection" && Seen(line).remote() == words[0]);
    assert_eq!(
        (&failed["change"], &failed["state"]),
        (&"closed".into(), &"failed".into())
    );
    assert_eq!(failed["error"]["word"], "refused");
    assert_eq!(failed["error"]["phase"], "handshake");
    assert_eq!(Seen(&failed).pids(), [actor.pid()]);
    stream.interrupt(Signal::TERM);
    let ended = stream.end();
    ended.went_well();
    for line in &ended.lines {
        assert!(
            line["type"] != "connection" || line["state"] == "failed",
            "{line}"
        );
    }
}

#[test]
fn a_line_comes_at_once() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (mut actor, words) = Actor::start(Place::Home, CALL);
    let pid = format!("pid:{}", actor.pid());
    let mut stream = Stream::start(&[&pid, "--refresh", "60"], None);
    let start = stream.until(|line| line["type"] == "start");
    if start["tier"] != "full" {
        skip("lines that come at once need the full tier");
        return;
    }
    stream.until(|line| is_connection(line, &words[0]));
    let words = actor.go_on();
    let told = Instant::now();
    stream.until(|line| is_connection(line, &words[0]));
    // 100 ms are promised; the rest is for a busy computer.
    assert!(
        told.elapsed() < Duration::from_secs(1),
        "{:?}",
        told.elapsed()
    );
}

#[test]
fn a_run_for_some_time_ends_by_itself() {
    let start = Instant::now();
    let ended = Stream::start(&["--for", "1s"], Some("--polling")).end();
    ended.went_well();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(ended.talk, "");
    let strict = Stream::start(&["--for", "0.1", "--strict"], Some("--polling")).end();
    assert_eq!(strict.code, Some(3), "the polling tier has gaps");
}

#[test]
fn ctrl_c_and_sigterm_end_it_cleanly() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut stream = Stream::start(&[], Some("--polling"));
        stream.until(|line| line["type"] == "start");
        stream.interrupt(signal);
        let ended = stream.end();
        ended.went_well();
    }
}

#[test]
fn a_closed_pipe_ends_it() {
    // Also when there is nothing to write.
    for (arguments, tier) in [
        (&[][..], None),
        (&[], TIERS[1]),
        (&["pid:0"], None),
        (&["pid:0"], TIERS[1]),
    ] {
        let mut child = start(arguments, tier);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().contains("\"start\""));
        drop(lines);
        let status = wait_for("its end", || child.try_wait().unwrap());
        assert_eq!(status.code(), Some(0));
    }
}

#[test]
fn a_filter_picks_lines() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    for tier in TIERS {
        let (mut other, _) = Actor::start(Place::Home, CALL);
        let (mut actor, _) = Actor::start(Place::Home, CALL);
        let pid = format!("pid:{}", actor.pid());
        let filter = [&pid, "state:established,closed", "--refresh", "0.2"];
        let mut stream = Stream::start(&filter, tier);
        stream.until(|line| line["type"] == "start");
        other.go_on();
        let words = actor.go_on();
        stream.until(|line| is_connection(line, &words[0]));
        other.go_on();
        actor.go_on();
        stream.until(|line| is_connection(line, &words[0]) && line["change"] == "closed");
        stream.interrupt(Signal::INT);
        let ended = stream.end();
        ended.went_well();
        let own = u64::from(actor.pid());
        for line in &ended.lines {
            match line["type"].as_str().unwrap() {
                "connection" => assert_eq!(line["process"]["pid"], own, "{line}"),
                "process" => assert_eq!(line["pid"], own, "{line}"),
                "event" => {
                    // Some sources do not tell whose it is.
                    let process = line["process_id"].as_str();
                    let is_own = |id: &str| id.starts_with(&format!("{own}-"));
                    assert!(process.is_none_or(is_own), "{line}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn what_a_slow_reader_misses_is_counted() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (actor, _) = Actor::start(Place::Home, BUSY);
    let pid = format!("pid:{}", actor.pid());
    for tier in TIERS {
        let mut child = start(&[&pid, "--queue", "16", "--refresh", "0.1"], tier);
        let stdout = child.stdout.take().unwrap();
        // Of 64 KiB; what comes from then on waits in the queue, and soon has no room there.
        wait_for("a full pipe", || {
            (rustix::io::ioctl_fionread(&stdout).unwrap() > 48 << 10).then_some(())
        });
        thread::sleep(Duration::from_secs(4));
        interrupt(&child, Signal::INT);
        let ended = Stream::of(child, stdout).end();
        assert_eq!(ended.code, Some(3), "{tier:?}: {}", ended.talk);
        let gaps = ended.lines.iter().filter(|it| it["id"] == "slow_reader");
        let missing: u64 = gaps
            .inspect(|gap| {
                check_time(&gap["since"]);
                assert!(gap["since"].as_str() <= gap["until"].as_str(), "{gap}");
            })
            .map(|gap| gap["count"].as_u64().unwrap())
            .sum();
        let last = ended.last();
        assert!(missing > 0);
        assert_eq!(last["dropped"], missing, "{last}");
        assert!(last["dropped_updates"].as_u64().unwrap() > 0, "{last}");
    }
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (_actor, _) = Actor::start(Place::Home, BUSY);
    // Nobody reads, so the first one cannot come to its end.
    let mut child = start(&["--refresh", "0.1"], Some("--polling"));
    thread::sleep(Duration::from_secs(3));
    interrupt(&child, Signal::INT);
    thread::sleep(Duration::from_secs(1));
    assert_eq!(child.try_wait().unwrap(), None);
    interrupt(&child, Signal::INT);
    let status = wait_for("its end", || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(130));
}

/// A run whose lines are read as they come.
struct Stream {
    child: Child,
    lines: Receiver<String>,
    talk: Option<ChildStderr>,
    seen: Vec<Value>,
}

/// All that a run said.
struct Ended {
    code: Option<i32>,
    lines: Vec<Value>,
    talk: String,
}

impl Stream {
    fn start(arguments: &[&str], tier: Option<&str>) -> Self {
        let mut child = start(arguments, tier);
        let stdout = child.stdout.take().unwrap();
        Self::of(child, stdout)
    }

    fn of(mut child: Child, stdout: impl Read + Send + 'static) -> Self {
        let talk = child.stderr.take();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            talk,
            seen: Vec::new(),
        }
    }

    /// The next line that is meant.
    fn until(&mut self, meant: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(start.elapsed());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let seen: Vec<_> = self.seen.iter().map(Value::to_string).collect();
                panic!("no such line among these:\n{}", seen.join("\n"));
            };
            let line = self.read(&line);
            if meant(&line) {
                return line;
            }
        }
    }

    fn read(&mut self, line: &str) -> Value {
        let line: Value = serde_json::from_str(line).unwrap();
        check_line(&line);
        self.seen.push(line.clone());
        line
    }

    fn interrupt(&self, signal: Signal) {
        interrupt(&self.child, signal);
    }

    /// Reads to the end. What must hold of every stream is held against this one.
    fn end(mut self) -> Ended {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.read(&line);
        }
        let status = wait_for("its end", || self.child.try_wait().unwrap());
        let mut talk = String::new();
        self.talk.unwrap().read_to_string(&mut talk).unwrap();
        let ended = Ended {
            code: status.code(),
            lines: self.seen,
            talk,
        };
        ended.check();
        ended
    }
}

impl Ended {
    /// Nothing failed. Where the computer was too busy, that has been said.
    fn went_well(&self) {
        let last = self.last();
        let missed = last["lost"] != 0 || last["dropped"] != 0;
        let expected = if missed { 3 } else { 0 };
        assert_eq!(self.code, Some(expected), "{last}: {}", self.talk);
    }

    fn last(&self) -> &Value {
        self.lines.last().unwrap()
    }

    fn connections_of(&self, local: &str) -> Vec<Seen<'_>> {
        let lines = self.lines.iter().filter(|line| is_connection(line, local));
        lines.map(Seen).collect()
    }

    fn check(&self) {
        let (first, last) = (self.lines.first().unwrap(), self.last());
        assert_eq!(first["type"], "start", "{first}");
        assert_eq!(first["schema"], "whocalls/1");
        assert_eq!(last["type"], "end", "{last}");
        let count =
            |wanted: &dyn Fn(&Value) -> bool| self.lines.iter().filter(|line| wanted(line)).count();
        for (member, kind) in [("events", "event"), ("gaps", "gap")] {
            assert_eq!(last[member], count(&|line| line["type"] == kind), "{kind}");
        }
        for change in ["opened", "closed"] {
            assert_eq!(
                last[change],
                count(&|line| line["change"] == change),
                "{change}"
            );
        }
        let begun = count(&|line| line["change"] == "opened" || line["change"] == "present");
        assert_eq!(last["connections"], begun);
        self.check_processes(last);
        let seqs: Vec<_> = self
            .lines
            .iter()
            .filter_map(|it| it["seq"].as_u64())
            .collect();
        assert!(seqs.is_sorted_by(|one, next| one < next));
    }

    /// A process comes before what is said of it.
    fn check_processes(&self, last: &Value) {
        let mut known = HashSet::new();
        for line in &self.lines {
            if line["type"] == "process" {
                known.insert(line["id"].as_str().unwrap());
            }
            let owner = line["process"]["id"].as_str();
            let holders = line["also_held_by"].as_array().into_iter().flatten();
            let mut named = owner
                .into_iter()
                .chain(holders.filter_map(|it| it["id"].as_str()));
            assert!(named.all(|id| known.contains(id)), "{line}");
        }
        assert_eq!(last["processes"], known.len());
    }
}

fn check_line(line: &Value) {
    match line["type"].as_str().unwrap() {
        "start" => check(line, "schema type host boot taken tier", ""),
        "process" => check(line, &format!("type {PROCESS}"), PROCESS_AS_WELL),
        "connection" => {
            check(line, &format!("type change time {CONNECTION}"), DETAILS);
            let changes = ["present", "opened", "updated", "closed"];
            assert!(
                changes.contains(&line["change"].as_str().unwrap()),
                "{line}"
            );
            check_time(&line["time"]);
        }
        "event" => {
            check(
                line,
                &format!("type {EVENT}"),
                &format!("{DETAILS} {EVENT_DETAILS}"),
            );
            check_time(&line["time"]);
        }
        // What else runs on this computer may be worth one.
        "finding" => check(line, &format!("type change time {FINDING}"), ""),
        "gap" => check(line, &format!("type {GAP}"), ""),
        "end" => {
            check(line, END, "");
            if !line["program"].is_null() {
                check(&line["program"], "pid status", "");
            }
        }
        other => panic!("{other}: {line}"),
    }
}

/// Whether it tells of the connection from there in our own network namespace: other tests use the same
/// addresses and ports in theirs.
fn is_connection(line: &Value, local: &str) -> bool {
    let home = fs::metadata("/proc/self/ns/net").unwrap().ino();
    line["type"] == "connection" && line["netns"] == home && Seen(line).local() == local
}

fn start(arguments: &[&str], tier: Option<&str>) -> Child {
    Command::new(WHOCALLS)
        .args(["watch", "--ndjson", "--quiet"])
        .args(tier)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn interrupt(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

const EVENT: &str = "seq time boot_ns source kind process_id thread netns socket protocol local \
                     remote error bytes_sent bytes_received packets_sent packets_received";
const FINDING: &str = "id rule severity confidence title explanation innocent next facts evidence \
                       attack about";
/// Only of some kinds.
const EVENT_DETAILS: &str = "owner_why name name_hex name_source question answer greeting step_ns exit_status idle \
     examined";

const SOME: &str = r#"
calling, accepted, waiting = both(('127.0.0.1', 0))
asked = keep(socket(AF_INET, SOCK_DGRAM)); asked.bind(('127.0.0.1', 0))
ready(*('%s:%d' % made.getsockname() for made in (waiting, calling, asked)))
"#;

/// Calls when told to, and hangs up when told to.
const CALL: &str = r#"
name = lambda address: '%s:%d' % address
waiting = listener(('127.0.0.1', 0))
ready(name(waiting.getsockname()))
calling = socket()
calling.connect(waiting.getsockname())
accepted = waiting.accept()[0]
calling.sendall(b'x' * 1000)
assert len(accepted.recv(1000, MSG_WAITALL)) == 1000
own = name(calling.getsockname())
ready(own, name(calling.getpeername()))
# Who hangs up first is kept for a while by the kernel.
accepted.close()
assert calling.recv(1) == b''
calling.close()
ready()
"#;

const REFUSED: &str = r#"
made = socket(); made.bind(('127.0.0.1', 0))
address = made.getsockname()
made.close()
ready('%s:%d' % address)
try: caller(address)
except ConnectionRefusedError: pass
ready()
"#;

/// Five hundred connections that never rest.
const BUSY: &str = r#"
waiting = listener(('127.0.0.1', 0), backlog=128)
pairs = []
for _ in range(250):
    calling = caller(waiting.getsockname())
    pairs.append((calling, keep(waiting.accept()[0])))
def talk():
    while True:
        for calling, accepted in pairs:
            calling.send(b'x' * 10)
            accepted.recv(100)
        time.sleep(0.02)
threading.Thread(target=talk, daemon=True).start()
ready()
"#;
