//! A packet carries the program that ran when it passed, also where the same number was that of
//! another one a moment before or after.

use std::fs;

use crate::actor::{Actor, Place, python};
use crate::network::Namespace;
use crate::program::WHOCALLS;
use crate::recording::{Packet, Recorded, Recording, contains};
use crate::room::Room;
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
        fs::copy("/bin/sh", room.file(name)).unwrap();
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
