//! Recordings that the tests make, and what stands in the folder that they leave.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::program::{Run, WHOCALLS};
use crate::room::{Room, on};
use crate::setting::{PATIENCE, wait_for};

/// A recording that runs. It ends with this value.
pub(crate) struct Recording {
    pub(crate) child: Child,
    pub(crate) room: Room,
}

/// A recording that is over.
pub(crate) struct Recorded {
    pub(crate) run: Run,
    pub(crate) room: Room,
    pub(crate) case: PathBuf,
}

impl Recording {
    /// Begins one, and waits until it sees what happens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_as(Command::new(WHOCALLS), Room::new(), arguments)
    }

    /// The same, with the command that starts whocalls.
    pub(crate) fn start_as(command: Command, room: Room, arguments: &[&str]) -> Self {
        let mut recording = Self::spawn(command, room, arguments);
        wait_for("the recording to begin", || {
            if let Some(code) = recording.child.try_wait().unwrap() {
                panic!("it has ended: {code}: {}", recording.talk());
            }
            recording.has_begun().then_some(())
        });
        recording
    }

    /// The same, without waiting.
    pub(crate) fn spawn(mut command: Command, room: Room, arguments: &[&str]) -> Self {
        let file = |name| fs::File::create(room.file(name)).unwrap();
        let usual: &[_] = match arguments.contains(&"--copy-programs") {
            true => &[],
            false => &["--copy-programs", "none"],
        };
        let child = command
            .args(["record", "--into"])
            .arg(room.path())
            .args(usual)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(file("said"))
            .stderr(file("talk"))
            .spawn()
            .unwrap();
        Self { child, room }
    }

    /// Whether the first look is in the case.
    fn has_begun(&self) -> bool {
        let Some(case) = self.room.case() else {
            return false;
        };
        let events = case.join("events");
        let plain = fs::read_to_string(events.join("000001.ndjson.part"));
        plain.is_ok_and(|text| text.contains("\"look_end\""))
            || fs::metadata(events.join("000001.ndjson.part.000001.age"))
                .is_ok_and(|file| file.len() > 1000)
    }

    pub(crate) fn talk(&self) -> String {
        fs::read_to_string(self.room.file("talk")).unwrap()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn case(&self) -> PathBuf {
        self.room.case().expect("a case")
    }

    /// The process that makes files, or the one that helps.
    pub(crate) fn process(&self, name: &str) -> u32 {
        let found = self.processes().into_iter().find(|pid| {
            let comm = fs::read_to_string(format!("/proc/{pid}/comm"));
            comm.is_ok_and(|comm| comm.trim() == name)
        });
        found.unwrap_or_else(|| panic!("no {name}"))
    }

    /// Itself, and what it has started.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let pid = self.pid();
        let mut all = vec![pid];
        for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let children = fs::read_to_string(thread.unwrap().path().join("children"));
            let children = children.unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .map(|it| it.parse::<u32>().unwrap()),
            );
        }
        all
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal);
    }

    /// The same, of one that may be over; nobody else has its number before it was waited for.
    pub(crate) fn signal_if_it_runs(&self, signal: Signal) {
        let _ = kill_process(Pid::from_child(&self.child), signal);
    }

    /// Waits until it has seen what happened until now, and asks it to end.
    pub(crate) fn stop(self) -> Recorded {
        thread::sleep(Duration::from_millis(400));
        self.signal(Signal::INT);
        self.end()
    }

    pub(crate) fn kill(self) -> Recorded {
        self.signal(Signal::KILL);
        self.end()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Recorded {
        let asked = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => thread::sleep(Duration::from_millis(20)),
            }
            // Whatever others do to this computer, it is all written before it ends.
            assert!(
                asked.elapsed() < 4 * PATIENCE,
                "it does not end: {}",
                self.talk()
            );
        };
        let room = self.room.take();
        let run = Run {
            code: status.code(),
            out: fs::read(room.file("said")).unwrap(),
            err: fs::read(room.file("talk")).unwrap(),
        };
        let case = room.case().unwrap_or_default();
        Recorded { run, room, case }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Recorded {
    pub(crate) fn went_well(&self) {
        let talk = self.run.talk();
        assert_eq!(self.run.code, Some(expected_code(&talk)), "{talk}");
        assert!(!talk.contains("panicked"), "{talk}");
        assert_eq!(self.run.text(), format!("{}\n", self.case.display()));
        let verified = on(&self.case, &["verify"], &[]);
        assert_eq!(
            verified.code,
            Some(0),
            "{}{}",
            verified.text(),
            verified.talk()
        );
    }

    /// What each line of the log says.
    pub(crate) fn log(&self) -> Vec<Value> {
        lines(&fs::read_to_string(self.case.join("log.ndjson")).unwrap())
    }

    /// The line that says who or what has ended it.
    pub(crate) fn ended(&self) -> Value {
        let mut log = self.log();
        log.pop();
        let ended = log.pop().unwrap();
        assert_eq!(ended["what"], "ended", "{ended}");
        ended
    }

    pub(crate) fn packets(&self) -> Vec<Packet> {
        packets(&fs::read(self.case.join("packets/000001.pcapng")).unwrap())
    }
}

/// What a recording that went well ends with: whoever else floods this computer just now is recorded
/// as well, as far as the memory for it goes.
pub(crate) fn expected_code(talk: &str) -> i32 {
    let lost_packets_only = talk.lines().any(|line| {
        line.starts_with("Lost: 0 events and ")
            && line.contains(" that came too fast, 0 that the disk had no room for.")
    });
    if lost_packets_only { 3 } else { 0 }
}

pub(crate) fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub(crate) fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

pub(crate) fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// A packet of a file, as `docs/case-format.md` describes it, read without the help of whocalls.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) netns: u64,
    pub(crate) bytes: Vec<u8>,
    /// The number that it has in the case.
    pub(crate) id: Option<u64>,
    /// Of the process block that it names.
    pub(crate) pid: Option<u32>,
    /// What the same block tells of the process.
    pub(crate) process: Option<String>,
    /// Of the option for pid and thread.
    pub(crate) own_pid: Option<u32>,
    pub(crate) comment: String,
}

impl Packet {
    /// `udp 127.0.0.1:1 127.0.0.2:2`, source first. `None`: it is neither TCP nor UDP over IPv4.
    pub(crate) fn ends(&self) -> Option<(&'static str, String, String)> {
        let ip = self
            .bytes
            .strip_prefix(self.bytes.get(..12)?)?
            .strip_prefix(&[8, 0])?;
        let header = usize::from(ip.first()? & 0xf) * 4;
        let protocol = match ip.get(9)? {
            6 => "tcp",
            17 => "udp",
            _ => return None,
        };
        let ports = ip.get(header..header + 4)?;
        let end = |ip: &[u8], port: &[u8]| {
            let port = u16::from_be_bytes([port[0], port[1]]);
            format!("{}.{}.{}.{}:{port}", ip[0], ip[1], ip[2], ip[3])
        };
        let source = end(ip.get(12..16)?, &ports[..2]);
        let destination = end(ip.get(16..20)?, &ports[2..]);
        Some((protocol, source, destination))
    }
}

/// Packets of a pcapng file of one section (draft-ietf-opsawg-pcapng).
pub(crate) fn packets(mut file: &[u8]) -> Vec<Packet> {
    let number = |bytes: &[u8]| u32::from_le_bytes(bytes[..4].try_into().unwrap());
    let (mut interfaces, mut processes, mut packets) = (Vec::new(), Vec::new(), Vec::new());
    while !file.is_empty() {
        let (kind, length) = (number(file), number(&file[4..]) as usize);
        let (block, rest) = file.split_at(length);
        assert_eq!(number(&block[length - 4..]) as usize, length);
        file = rest;
        let body = &block[8..length - 4];
        match kind {
            1 => {
                let description = options(&body[8..]).remove(&3).unwrap();
                let description = String::from_utf8(description).unwrap();
                let netns = description.split("network namespace ").nth(1).unwrap();
                let digits: String = netns.chars().take_while(char::is_ascii_digit).collect();
                interfaces.push(digits.parse().unwrap());
            }
            0x8000_0001 => {
                let record = options(&body[4..]).remove(&1).unwrap_or_default();
                processes.push((number(body), String::from_utf8(record).unwrap()));
            }
            6 => {
                let captured = number(&body[12..]) as usize;
                let options = options(&body[20 + captured.next_multiple_of(4)..]);
                let id = options
                    .get(&5)
                    .map(|id| u64::from_le_bytes(id[..].try_into().unwrap()));
                let process = options
                    .get(&0x8001)
                    .map(|index| processes[number(index) as usize].clone());
                packets.push(Packet {
                    netns: interfaces[number(body) as usize],
                    bytes: body[20..20 + captured].to_vec(),
                    id,
                    pid: process.as_ref().map(|it| it.0),
                    process: process.map(|it| it.1),
                    own_pid: options.get(&8).map(|it| number(it)),
                    comment: options
                        .get(&1)
                        .map_or_else(String::new, |text| String::from_utf8(text.clone()).unwrap()),
                });
            }
            _ => {}
        }
    }
    packets
}

/// Options by their code; of several with the same code the last.
fn options(mut bytes: &[u8]) -> BTreeMap<u16, Vec<u8>> {
    let mut all = BTreeMap::new();
    while let Some((head, rest)) = bytes.split_at_checked(4) {
        let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let (code, length) = (half(0), usize::from(half(2)));
        if code == 0 {
            break;
        }
        all.insert(code, rest[..length].to_vec());
        bytes = &rest[length.next_multiple_of(4).min(rest.len())..];
    }
    all
}
