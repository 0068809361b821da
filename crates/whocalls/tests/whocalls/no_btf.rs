//! The tier `no-btf`: a kernel that gives no type information of itself. The sandbox of the real
//! thing is a mount namespace where nothing lies in `/sys/kernel/btf`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::actor::{Actor, Place, python};
use crate::network::Namespace;
use crate::program::{Seen, WHOCALLS};
use crate::setting::{Need, command, lacks, skip};

/// Tracepoints tell of processes.
const WITH_TRACEPOINTS: &str = "mount -t tracefs none /sys/kernel/tracing";
/// They cannot be had, so that the process connector has to.
const WITHOUT_TRACEPOINTS: &str =
    "mount -t tmpfs none /sys/kernel/tracing && mount -t tmpfs none /sys/kernel/debug";

#[test]
fn short_connections_and_failures_are_all_there_with_their_process() {
    if lacks(&[
        Need::Root,
        Need::Program("unshare"),
        Need::Program("python3"),
    ]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    for sandbox in [WITH_TRACEPOINTS, WITHOUT_TRACEPOINTS] {
        let Some(run) = Run::of_program(sandbox, &namespace, STORM) else {
            return;
        };
        assert_eq!(run.lines[0]["tier"], "no-btf");
        assert!(run.gap("no_btf").is_some());
        let gap = run.gap("no_process_events");
        assert_eq!(gap.is_some(), sandbox == WITHOUT_TRACEPOINTS, "{gap:?}");
        if gap.is_some_and(|gap| gap["why"].to_string().contains("process connector:")) {
            skip("the process connector tells nothing here");
            continue;
        }
        let did: Vec<_> = run.talk.lines().filter_map(Did::read).collect();
        assert_eq!(did.len(), 1000, "{}", run.talk);
        let seen = run.connections();
        let missing = |did: &&Did<'_>| !seen.get(&did.name()).is_some_and(|seen| did.is(seen));
        let missing: Vec<_> = did.iter().filter(missing).collect();
        let first = missing.first().map(|did| (did, seen.get(&did.name())));
        assert!(
            missing.is_empty(),
            "{sandbox}: {}, as {first:?}",
            missing.len()
        );
        assert_eq!(run.lines.last().unwrap()["lost"], 0);
    }
}

#[test]
fn processes_have_the_start_that_proc_shows() {
    if lacks(&[
        Need::Root,
        Need::Program("unshare"),
        Need::Program("python3"),
    ]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let Some(run) = Run::of_program(WITH_TRACEPOINTS, &namespace, STARTS) else {
        return;
    };
    let did: Vec<Vec<&str>> = run
        .talk
        .lines()
        .filter(|line| line.starts_with("start "))
        .map(|line| line.split(' ').skip(1).collect())
        .collect();
    assert_eq!(did.len(), 100, "{}", run.talk);
    let mut later = 0;
    for words in did {
        let [pid, ticks, port] = words.as_slice() else {
            panic!("{words:?}");
        };
        let seen = run.lines.iter().find(|line| {
            line["type"] == "connection" && line["local"]["port"].as_u64() == port.parse().ok()
        });
        let process = seen.unwrap()["process"]["id"].as_str().unwrap();
        let ticks: u64 = ticks.parse().unwrap();
        let is = |ticks: u64| process.starts_with(&format!("{pid}-{ticks}-"));
        // Of one that is over before it can be asked for, only the time is known when it was told:
        // where a tick ends meanwhile, that is the next one.
        later += usize::from(is(ticks + 1));
        assert!(is(ticks) || is(ticks + 1), "{process}, not {pid}-{ticks}");
    }
    assert!(later <= 10, "{later} of 100");
}

#[test]
fn sockets_that_were_there_before_keep_their_holder() {
    if lacks(&[
        Need::Root,
        Need::Program("unshare"),
        Need::Program("python3"),
    ]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let (mut actor, words) = Actor::start(Place::Inside(&namespace), BEFORE);
    let Some(mut child) = start(WITH_TRACEPOINTS, &["--for", "3"], None) else {
        return;
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("no-btf"), "{first}");
    actor.go_on();
    let lines: Vec<Value> = lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    assert!(child.wait().unwrap().success());
    let last = |local: &str, state: &str| {
        let mut all = lines.iter().rev();
        let found = all.find(|line| {
            line["type"] == "connection"
                && line["netns"] == namespace.number
                && Seen(line).local() == local
                && line["state"] == state
        });
        Seen(found.unwrap_or_else(|| panic!("{local} {state}")))
    };
    let [waiting, calling, asked] = words.as_slice() else {
        panic!("{words:?}");
    };
    // What is accepted inherits the holder of its listener.
    let accepted = lines
        .iter()
        .find(|line| line["kind"] == "accepted" && line["netns"] == namespace.number);
    let process = accepted.unwrap()["process_id"].as_str().unwrap();
    assert!(
        process.starts_with(&format!("{}-", actor.pid())),
        "{process}"
    );
    for local in [waiting, calling, asked] {
        assert_eq!(last(local, "closed").pids(), [actor.pid()], "{local}");
    }
    assert_eq!(last(asked, "closed").0["bytes_received"], 7);
    assert_eq!(last(calling, "established").0["bytes_sent"], 1000);
}

/// As a port scanner makes its packets: the kernel has no connection for them.
#[test]
fn a_raw_socket_for_tcp_is_raw_and_has_its_process() {
    if lacks(&[
        Need::Root,
        Need::Program("unshare"),
        Need::Program("python3"),
    ]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let Some(run) = Run::of_program(WITH_TRACEPOINTS, &namespace, RAW) else {
        return;
    };
    let did = run.talk.lines().find_map(Did::read).unwrap();
    let sent = run.lines.iter().rev().find(|line| {
        line["type"] == "connection" && line["remote"]["ip"] == did.remote.trim_end_matches(":0")
    });
    let sent = sent.unwrap_or_else(|| panic!("{:?}", run.lines));
    assert_eq!(sent["protocol"], "raw");
    assert_eq!(sent["ip_protocol"], 6);
    assert_eq!(sent["process"]["pid"].to_string(), did.pid);
    assert_eq!(sent["packets_sent"], 3);
    assert_eq!(sent["bytes_sent"], 60);
}

/// What a script says it did.
#[derive(Debug)]
struct Did<'a> {
    what: &'a str,
    pid: &'a str,
    /// 0: not known.
    local_port: &'a str,
    remote: &'a str,
}

impl<'a> Did<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let words: Vec<_> = line.strip_prefix("did ")?.split(' ').collect();
        let [what, pid, local_port, remote] = *words.as_slice() else {
            return None;
        };
        Some(Self {
            what,
            pid,
            local_port,
            remote,
        })
    }

    fn name(&self) -> Name {
        let words = [self.pid, self.local_port, self.remote];
        words.map(str::to_owned)
    }

    fn is(&self, seen: &Seen<'_>) -> bool {
        let error = &seen.0["error"];
        match self.what {
            "tcp" | "udp" => seen.word("state") == "closed" && error.is_null(),
            "refused" => error["errno"] == 111 && error["phase"] == "handshake",
            "no_route" => error["phase"] == "connect",
            _ => false,
        }
    }
}

/// Pid, local port, remote end.
type Name = [String; 3];

/// All that a run said.
struct Run {
    lines: Vec<Value>,
    talk: String,
}

impl Run {
    /// Watches a program in a network namespace. `None`: there is no such sandbox here; then that
    /// has been said.
    fn of_program(sandbox: &str, namespace: &Namespace, script: &str) -> Option<Self> {
        let mut child = start(sandbox, &["--until-exit", "--"], Some((namespace, script)))?;
        let mut stderr = child.stderr.take().unwrap();
        let talk = std::thread::spawn(move || {
            let mut talk = String::new();
            stderr.read_to_string(&mut talk).unwrap();
            talk
        });
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let lines = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap());
        let lines: Vec<Value> = lines.collect();
        let talk = talk.join().unwrap();
        assert!(child.wait().unwrap().success(), "{talk}");
        Some(Self { lines, talk })
    }

    fn gap(&self, id: &str) -> Option<&Value> {
        self.lines
            .iter()
            .find(|line| line["type"] == "gap" && line["id"] == id)
    }

    /// The last that was said of each outgoing connection.
    fn connections(&self) -> HashMap<Name, Seen<'_>> {
        let mut all = HashMap::new();
        for line in &self.lines {
            if line["type"] == "connection" && line["direction"] == "outbound" {
                let port = line["local"]["port"].as_u64().unwrap_or(0);
                let pid = line["process"]["pid"].to_string();
                let name = [pid, port.to_string(), Seen(line).remote()];
                // As long as it has no port it is another one.
                all.remove(&[name[0].clone(), "0".to_owned(), name[2].clone()]);
                all.insert(name, Seen(line));
            }
        }
        all
    }
}

fn start(sandbox: &str, arguments: &[&str], program: Option<(&Namespace, &str)>) -> Option<Child> {
    if !Path::new("/sys/kernel/btf").exists() {
        skip("there is no /sys/kernel/btf to cover");
        return None;
    }
    let cover = format!("mount -t tmpfs none /sys/kernel/btf && {sandbox}");
    let can = |cover: &str| {
        let tried = command("unshare").args(["-m", "sh", "-c", cover]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    if !can(&cover) {
        skip("no mount namespaces here");
        return None;
    }
    let mut run = command("unshare");
    run.args(["-m", "sh", "-c", &format!("{cover} && exec \"$@\""), "sh"])
        .args([WHOCALLS, "watch", "--ndjson", "--refresh", "0.2"])
        .args(arguments);
    if let Some((namespace, script)) = program {
        let inside = namespace.command(python());
        run.arg(inside.get_program()).args(inside.get_args());
        run.args(["-I", "-c", &format!("{PRELUDE}\n{script}")]);
    }
    run.stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(if program.is_some() {
            Stdio::piped()
        } else {
            Stdio::inherit()
        });
    Some(Command::spawn(&mut run).unwrap())
}

const PRELUDE: &str = r#"
import os, time
from socket import *

def say(*words):
    os.write(1, (' '.join(map(str, words)) + '\n').encode())

waiting = socket()
waiting.bind(('127.0.0.1', 0))
waiting.listen(256)

def call():
    calling = socket()
    calling.connect(waiting.getsockname())
    port = calling.getsockname()[1]
    waiting.accept()[0].close()
    calling.close()
    return port

def children(number, work):
    for _ in range(number):
        if not os.fork():
            work()
            os._exit(0)
        os.wait()
"#;

/// A thousand in all.
const STORM: &str = r#"
def tcp():
    say('did tcp', os.getpid(), call(), '127.0.0.1:%d' % waiting.getsockname()[1])

def refused():
    made = socket()
    made.bind(('127.0.0.1', 0))
    port = made.getsockname()[1]
    made.connect_ex(('127.0.0.1', 1))
    made.close()
    say('did refused', os.getpid(), port, '127.0.0.1:1')

def no_route(number):
    made = socket()
    made.connect_ex(('203.0.113.9', number))
    made.close()
    say('did no_route', os.getpid(), 0, '203.0.113.9:%d' % number)

def datagram():
    made = socket(AF_INET, SOCK_DGRAM)
    made.sendto(b'once', ('127.0.0.1', 9))
    port = made.getsockname()[1]
    made.close()
    say('did udp', os.getpid(), port, '127.0.0.1:9')

for number in range(400): tcp()
for number in range(100): refused()
for number in range(100): no_route(1000 + number)
for number in range(100): datagram()
children(100, tcp)
children(100, refused)
children(50, lambda: no_route(2000))
children(50, datagram)
"#;

const RAW: &str = r#"
made = socket(AF_INET, SOCK_RAW, IPPROTO_TCP)
for _ in range(3):
    made.sendto(bytes([156, 64, 0, 81, 0, 0, 0, 1, 0, 0, 0, 0, 80, 2, 4, 0, 0, 0, 0, 0]), ('127.0.0.9', 0))
made.close()
say('did raw', os.getpid(), 0, '127.0.0.9:0')
"#;

const STARTS: &str = r#"
def work():
    ticks = open('/proc/self/stat').read().rsplit(')')[1].split()[19]
    say('start', os.getpid(), ticks, call())
children(100, work)
"#;

const BEFORE: &str = r#"
name = lambda made: '%s:%d' % made.getsockname()
calling, accepted, waiting = both(('127.0.0.1', 0))
asked = keep(socket(AF_INET, SOCK_DGRAM)); asked.bind(('127.0.0.1', 0))
ready(name(waiting), name(calling), name(asked))
calling.sendall(b'x' * 1000)
caller(waiting.getsockname()).close()
waiting.accept()[0].close()
socket(AF_INET, SOCK_DGRAM).sendto(b'7 bytes', asked.getsockname())
time.sleep(1)
for made in (calling, accepted, waiting, asked): made.close()
ready()
"#;
