//! A packet carries the program that ran when it passed, also where its number or its connection was
//! that of another one a moment before or after.

use std::fs;
use std::path::Path;

use crate::actor::{Actor, Place, python};
use crate::network::Namespace;
use crate::program::{WHOCALLS, copy_file};
use crate::recording::{Packet, Recorded, Recording, contains};
use crate::room::{Room, on};
use crate::setting::{Need, command, lacks, run, skip};

/// Rounds of each test.
const ROUNDS: usize = 5;

/// Those with this text, by who is said to have sent them: number and program file.
fn sent(packets: &[Packet], text: &str) -> Vec<(Option<u32>, String)> {
    let sent = packets
        .iter()
        .filter(|it| contains(&it.bytes, text.as_bytes()));
    let exe = |packet: &Packet| {
        let record = packet.process.as_deref().unwrap_or_default();
        let exe = record.split(' ').find_map(|word| word.strip_prefix("exe="));
        exe.unwrap_or("none").to_owned()
    };
    sent.map(|packet| (packet.pid, exe(packet))).collect()
}

/// What this computer cannot record is not asked for.
fn is_without_events(recorded: &Recorded) -> bool {
    recorded.run.talk().contains("Much will be missed") && skip("there are no events here")
}

#[test]
fn a_process_that_runs_another_program_keeps_its_earlier_packets() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3"), Need::Program("sh")]) {
        return;
    }
    let recording = Recording::start(&[]);
    let (_actor, words) = Actor::start(Place::Inside(&namespace), BECOMES_A_SHELL);
    let recorded = recording.stop();
    recorded.went_well();
    if is_without_events(&recorded) {
        return;
    }
    let shell = fs::canonicalize("/bin/sh").unwrap();
    let programs = [python(), shell].map(|path| path.to_str().unwrap().to_owned());
    let packets = recorded.packets();
    assert_eq!(words.len(), ROUNDS);
    for (round, pid) in words.iter().enumerate() {
        let pid = Some(pid.parse().unwrap());
        for (text, program) in ["first", "second"].iter().zip(&programs) {
            let found = sent(&packets, &format!("{text}-{round}."));
            assert_eq!(found, vec![(pid, program.clone()); 3], "{text}-{round}");
        }
    }
}

/// Each sends as Python, and a moment later with the same socket as a shell.
const BECOMES_A_SHELL: &str = r"
receiver = keep(socket(AF_INET, SOCK_DGRAM))
receiver.bind(('127.0.0.1', 0))
pids = []
for number in range(5):
    pid = os.fork()
    if pid == 0:
        sender = socket(AF_INET, SOCK_DGRAM)
        sender.connect(receiver.getsockname())
        os.dup2(sender.fileno(), 7)
        for _ in range(3):
            os.write(7, b'first-%d.' % number)
        words = 'for i in 1 2 3; do printf second-%d. >&7; done' % number
        os.execv('/bin/sh', ['sh', '-c', words])
    os.waitpid(pid, 0)
    pids.append(pid)
ready(*pids)
";

#[test]
fn who_takes_a_connection_over_has_its_first_packet() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let recording = Recording::start(&[]);
    let (_actor, words) = Actor::start(Place::Inside(&namespace), TAKES_A_CONNECTION_OVER);
    let recorded = recording.stop();
    recorded.went_well();
    if is_without_events(&recorded) {
        return;
    }
    let packets = recorded.packets();
    let python = python().to_str().unwrap().to_owned();
    let (parent, heirs) = words.split_first().unwrap();
    assert_eq!(heirs.len(), ROUNDS);
    for (round, heir) in heirs.iter().enumerate() {
        for (text, pid) in [("before", parent), ("heir", heir), ("after", parent)] {
            let found = sent(&packets, &format!("{text}-{round}."));
            let expected = (Some(pid.parse().unwrap()), python.clone());
            assert_eq!(found, [expected], "{text}-{round}");
        }
    }
}

/// One after the other writes to a connection, as fast as one knows of the other.
const TAKES_A_CONNECTION_OVER: &str = r"
pids = []
for number in range(5):
    sender, _, _ = both(('127.0.0.1', 0))
    sender.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    turn, done = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(turn[0], 1)
        sender.send(b'heir-%d.' % number)
        os.write(done[1], b'x')
        os._exit(0)
    sender.send(b'before-%d.' % number)
    os.write(turn[1], b'x')
    os.read(done[0], 1)
    sender.send(b'after-%d.' % number)
    os.waitpid(pid, 0)
    pids.append(pid)
ready(os.getpid(), *pids)
";

#[test]
fn who_sends_for_long_with_the_connection_of_another_is_not_taken_for_him() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let recording = Recording::start(&[]);
    let (_actor, words) = Actor::start(Place::Inside(&namespace), SENDS_FOR_LONG);
    let recorded = recording.stop();
    recorded.went_well();
    if is_without_events(&recorded) {
        return;
    }
    let [parent, heir] = [0, 1].map(|place: usize| words[place].parse().ok());
    let packets = recorded.packets();
    let whose = |text: &str| -> Vec<Option<u32>> {
        let sent = packets
            .iter()
            .filter(|it| contains(&it.bytes, text.as_bytes()));
        sent.map(|packet| packet.pid).collect()
    };
    assert_eq!(whose("short-before."), [parent]);
    assert_eq!(whose("short-after."), [heir]);
    let during = whose("long-during.");
    assert!(during.len() > 10, "{during:?}");
    assert!(during.iter().all(|it| *it != parent), "{during:?}");
    assert!(during.contains(&None), "{during:?}");
}

/// One call that lasts for as long as the other side takes its time.
const SENDS_FOR_LONG: &str = r"
sender, receiver, _ = both(('127.0.0.1', 0))
sender.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
sender.send(b'short-before.')
heir = os.fork()
if heir == 0:
    sender.send(b'long-during.' * 600_000)
    sender.send(b'short-after.')
    os._exit(0)
taken = 0
while taken < 7_200_025:
    taken += len(receiver.recv(100_000))
    time.sleep(.005)
os.waitpid(heir, 0)
ready(os.getpid(), heir)
";

/// Of turns that are too many not all are told; what is sent when they are over has its process.
#[test]
fn who_sends_alone_after_many_turns_is_known() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let recording = Recording::start(&[]);
    let (_actor, words) = Actor::start(Place::Inside(&namespace), TAKE_MANY_TURNS);
    let recorded = recording.stop();
    recorded.went_well();
    if is_without_events(&recorded) {
        return;
    }
    let [parent, heir] = [0, 1].map(|place: usize| words[place].parse::<u32>().ok());
    let packets = recorded.packets();
    let whose = |text: &str| -> Vec<Option<u32>> {
        let sent = packets
            .iter()
            .filter(|it| contains(&it.bytes, text.as_bytes()));
        sent.map(|packet| packet.pid).collect()
    };
    let (of_parent, of_heir) = (whose("turn-of-parent."), whose("turn-of-heir."));
    assert!(of_parent.iter().all(|it| *it != heir), "{of_parent:?}");
    assert!(of_heir.iter().all(|it| *it != parent), "{of_heir:?}");
    assert!(
        of_heir.contains(&heir) && of_heir.contains(&None),
        "{of_heir:?}"
    );
    assert_eq!(whose("alone-again."), [parent; 5]);
}

/// The other one stays alive, and holds the connection.
const TAKE_MANY_TURNS: &str = r"
sender, receiver, _ = both(('127.0.0.1', 0))
sender.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
mine, his = socketpair()
heir = os.fork()
if heir == 0:
    while his.recv(1):
        sender.send(b'turn-of-heir.')
        his.send(b'x')
for turn in range(100):
    sender.send(b'turn-of-parent.')
    mine.send(b'x')
    mine.recv(1)
time.sleep(2.2)
for turn in range(5):
    sender.send(b'alone-again.')
    time.sleep(.05)
os.kill(heir, 9)
os.waitpid(heir, 0)
ready(os.getpid(), heir)
";

#[test]
fn a_number_that_is_used_again_is_another_process() {
    if lacks(&[Need::Root, Need::Program("python3"), Need::Program("ip")]) {
        return;
    }
    const APART: [&str; 4] = ["--pid", "--fork", "--mount-proc", "--net"];
    let number = "test -w /proc/sys/kernel/ns_last_pid";
    if lacks(&[Need::Program("unshare")])
        || run("unshare", &[&APART[..], &["sh", "-c", number]].concat()).is_err()
            && skip("no number of a process can be chosen here")
    {
        return;
    }
    let room = Room::new();
    for name in ["one", "two"] {
        copy_file(Path::new("/bin/sh"), &room.file(name));
    }
    // The first process of the namespace is not whocalls itself: it ends all others with it.
    let script = "ip link set lo up; \"$@\" & until grep -qs look_end INTO/*/events/*.part; do sleep \
                  0.1; done; PYTHON -I -c \"$REUSED\" INTO >INTO/words; sleep 0.4; kill -INT $!; \
                  wait $!";
    let script = script
        .replace("INTO", room.path().to_str().unwrap())
        .replace("PYTHON", python().to_str().unwrap());
    let mut unshare = command("unshare");
    unshare
        .args(APART)
        .args(["sh", "-c", &script, "sh", WHOCALLS])
        .env("REUSED", REUSED);
    let recorded = Recording::spawn(unshare, room, &[]).end();
    recorded.went_well();
    if is_without_events(&recorded) {
        return;
    }
    let words = fs::read_to_string(recorded.room.file("words")).unwrap();
    let pids: Vec<u32> = words
        .split_whitespace()
        .map(|it| it.parse().unwrap())
        .collect();
    assert_eq!(pids.len(), 2 * ROUNDS, "{words}");
    let packets = recorded.packets();
    for (place, pid) in pids.iter().enumerate() {
        let (round, name) = (place / 2, ["one", "two"][place % 2]);
        // Every second one gets the number of the one before.
        assert_eq!(*pid, pids[place / 2 * 2], "{words}");
        let program = recorded.room.file(name).to_str().unwrap().to_owned();
        let found = sent(&packets, &format!("{name}-{round}."));
        assert_eq!(found, vec![(Some(*pid), program); 3], "{name}-{round}");
    }
}

/// Two programs with the same number, one right after the other; prints the numbers.
const REUSED: &str = r"
import os, sys
from socket import *
receiver = socket(AF_INET, SOCK_DGRAM)
receiver.bind(('127.0.0.1', 0))
for number in range(5):
    wanted = None
    for name in 'one', 'two':
        if wanted:
            with open('/proc/sys/kernel/ns_last_pid', 'w') as last:
                last.write(str(wanted - 1))
        pid = os.fork()
        if pid == 0:
            sender = socket(AF_INET, SOCK_DGRAM)
            sender.connect(receiver.getsockname())
            os.dup2(sender.fileno(), 7)
            words = 'for i in 1 2 3; do printf %s-%d. >&7; done' % (name, number)
            os.execv(sys.argv[1] + '/' + name, [name, '-c', words])
        os.waitpid(pid, 0)
        wanted = pid
        print(pid)
";

/// A process with the number of the one that made a connection has inherited it.
#[test]
fn an_heir_with_the_same_number_is_another_process() {
    if lacks(&[Need::Root, Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let recording = Recording::start(&[]);
    let (_actor, words) = Actor::start(Place::Inside(&namespace), HEIR_WITH_THE_SAME_NUMBER);
    let recorded = recording.stop();
    recorded.went_well();
    if is_without_events(&recorded) {
        return;
    }
    let [number, again] = &words[..] else {
        panic!("{words:?}");
    };
    if again == "-1" && skip("no number of a process can be chosen here") {
        return;
    }
    assert_eq!(number, again);
    let packets = recorded.packets();
    let run = |text: &str| {
        let sent = packets
            .iter()
            .find(|it| contains(&it.bytes, text.as_bytes()));
        let packet = sent.unwrap_or_else(|| panic!("{text} is missing"));
        assert_eq!(packet.pid, Some(number.parse().unwrap()), "{text}");
        packet.process.clone()
    };
    for protocol in ["udp", "tcp"] {
        let [before, first, second] =
            ["before", "first", "second"].map(|text| run(&format!("{protocol}-{text}.")));
        assert_ne!(before, second, "{protocol}");
        assert_eq!(first, second, "{protocol}");
    }
}

/// Prints the number of the one that called, and that of the heir, or -1.
const HEIR_WITH_THE_SAME_NUMBER: &str = r"
def clone_as(pid):
    wanted = (ctypes.c_int * 1)(pid)
    words = struct.pack('11Q', 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(wanted), 1, 0)
    arguments = ctypes.create_string_buffer(words, len(words))
    return ctypes.CDLL(None).syscall(435, arguments, len(words))

tcp, _, _ = both(('127.0.0.1', 0))
tcp.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
receiver = keep(socket(AF_INET, SOCK_DGRAM))
receiver.bind(('127.0.0.1', 0))
udp = socket(AF_INET, SOCK_DGRAM)
udp.connect(receiver.getsockname())

def send(text):
    udp.send(b'udp-%s.' % text)
    tcp.send(b'tcp-%s.' % text)

first = os.fork()
if first == 0:
    send(b'before')
    os._exit(0)
os.waitpid(first, 0)
time.sleep(.3)
heir = clone_as(first)
if heir == 0:
    send(b'first')
    time.sleep(.1)
    send(b'second')
    os._exit(0)
if heir > 0:
    os.waitpid(heir, 0)
ready(first, heir)
";

/// What begins while a recording begins: each starts other programs before it runs the one that
/// calls.
#[test]
fn what_begins_with_the_recording_has_its_own_program() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3"), Need::Program("sh")]) {
        return;
    }
    for _ in 0..2 {
        let (mut actor, words) = Actor::start(Place::Inside(&namespace), KEEPS_CALLING);
        let recording = Recording::start(&["--depth", "headers"]);
        actor.go_on();
        let recorded = recording.stop();
        recorded.went_well();
        if is_without_events(&recorded) {
            return;
        }
        let port: u64 = words[0].parse().unwrap();
        let listed = on(&recorded.case, &["list"], &["--json"]).json();
        let connections = listed["connections"].as_array().unwrap();
        let calls = connections
            .iter()
            .filter(|it| it["netns"] == namespace.number && it["remote"]["port"] == port);
        let owned = calls.filter(|it| !it["process"].is_null());
        let (mut right, mut wrong) = (0, Vec::new());
        for call in owned {
            let path = call["process"]["path"].as_str();
            if path == python().to_str() {
                right += 1;
            } else {
                wrong.push(call);
            }
        }
        assert!(wrong.is_empty(), "{}, {:#?}", wrong.len(), wrong.first());
        assert!(right > 5, "{right}");
        let callers = recorded.packets().into_iter().filter(|packet| {
            let ends = packet.ends().filter(|_| packet.netns == namespace.number);
            ends.is_some_and(|(_, _, to)| to.ends_with(&format!(":{port}")))
        });
        let python = format!("exe={} ", python().display());
        for packet in callers {
            let record = packet.process.unwrap_or_default();
            assert!(record.is_empty() || record.contains(&python), "{record}");
        }
    }
}

/// A shell that runs Python, which calls and stays for a moment; a new one each 50 ms, as long as
/// the computer can follow.
const KEEPS_CALLING: &str = r#"
import subprocess
waiting = listener(('127.0.0.1', 0), backlog=500)
port = waiting.getsockname()[1]
def accept():
    while True:
        keep(waiting.accept()[0])
threading.Thread(target=accept, daemon=True).start()
calls = '''
import sys, time
from socket import *
calling = socket()
calling.connect(("127.0.0.1", int(sys.argv[1])))
calling.send(b"x")
time.sleep(0.5)
calling.send(b"y")
'''
over = threading.Event()
def call():
    running = []
    while not over.is_set():
        call = [sys.executable, '-I', '-S', '-c', calls, str(port)]
        running = [each for each in running if each.poll() is None]
        if len(running) < 16:
            running.append(subprocess.Popen(['sh', '-c', 'exec "$@"', 'sh'] + call))
        time.sleep(0.05)
calling = threading.Thread(target=call)
calling.start()
time.sleep(0.7)
ready(port)
time.sleep(0.3)
over.set()
calling.join()
ready()
"#;
