//! Names that programs ask for and greet by: real DNS, TLS, HTTP and SSH inside of a namespace, seen
//! while they pass.

use std::process::Command;

use serde_json::Value;

use crate::actor::python;
use crate::network::Namespace;
use crate::program::{Run, Seen, WHOCALLS};
use crate::setting::{Need, lacks, skip};

/// A name server, servers that listen and say nothing, and a program that asks and greets. What is
/// asked is `www.shop.example`, another name of an address of its own.
const TALK: &str = r#"
import os, socket, ssl, struct, subprocess, threading
from socket import AF_INET, SOCK_DGRAM, SOCK_STREAM
def labels(name):
    return b''.join(bytes([len(part)]) + part.encode() for part in name.split('.')) + b'\0'
def question(name, kind):
    return b'\x12\x34\x01\x00\0\x01\0\0\0\0\0\0' + labels(name) + struct.pack('>HH', kind, 1)
def answer(asked):
    name, kind = asked[12:-4], struct.unpack('>H', asked[-4:-2])[0]
    if b'nowhere' in name:
        return asked[:2] + b'\x81\x83\0\x01\0\0\0\0\0\0' + asked[12:]
    other = labels('edge.cdn.example')
    rows = b'\xc0\x0c' + struct.pack('>HHIH', 5, 1, 300, len(other)) + other
    rows += other + struct.pack('>HHIH', 1, 1, 60, 4) + bytes([127, 0, 0, 5 if b'tcp' in name else 2])
    return asked[:2] + b'\x81\x80\0\x01\0\x02\0\0\0\0' + asked[12:] + rows
def listening(address, kind=SOCK_STREAM):
    made = socket.socket(AF_INET, kind); made.bind(address)
    if kind == SOCK_STREAM: made.listen()
    return made
def serve_udp(made):
    while True:
        asked, whom = made.recvfrom(4096); made.sendto(answer(asked), whom)
def serve_tcp(made):
    while True:
        one, _ = made.accept(); asked = b''
        while len(asked) < 2 or len(asked) < 2 + struct.unpack('>H', asked[:2])[0]:
            asked += one.recv(4096)
        given = answer(asked[2:]); given = struct.pack('>H', len(given)) + given
        one.sendall(given[:5]); one.sendall(given[5:]); one.recv(1)
def swallow(made):
    def one(it):
        while it.recv(65536): pass
    while True: threading.Thread(target=one, args=(made.accept()[0],), daemon=True).start()
def run(what, *made): threading.Thread(target=what, args=made, daemon=True).start()
there, here = os.pipe()
server = os.fork()
if server == 0:
    run(serve_udp, listening(('127.0.0.9', 53), SOCK_DGRAM)); made = listening(('127.0.0.9', 53))
    os.write(here, b'x'); serve_tcp(made)
os.read(there, 1)
for port in 443, 8443, 22, 993: run(swallow, listening(('127.0.0.2', port)))
run(swallow, listening(('127.0.0.3', 80)))
asking = socket.socket(AF_INET, SOCK_DGRAM); asking.settimeout(10)
asking.sendto(question('www.shop.example', 1), ('127.0.0.9', 53)); asking.recv(4096)
asking.sendto(question('nowhere.example', 28), ('127.0.0.9', 53)); asking.recv(4096)
over_tcp = socket.create_connection(('127.0.0.9', 53))
asked = question('tcp.shop.example', 1)
over_tcp.sendall(struct.pack('>H', len(asked))); over_tcp.sendall(asked); over_tcp.recv(4096)
def hello(name):
    context = ssl.create_default_context(); context.set_alpn_protocols(['h2', 'http/1.1'])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try: wrapped.do_handshake()
    except ssl.SSLWantReadError: pass
    return outgoing.read()
one = socket.create_connection(('127.0.0.2', 443)); one.sendall(hello('secure.shop.example'))
slow = socket.create_connection(('127.0.0.2', 8443))
slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
greeting = hello('slow.shop.example')
for at in range(0, len(greeting), 100): slow.sendall(greeting[at:at + 100])
web = socket.create_connection(('127.0.0.3', 80))
web.sendall(b'GET /a HTTP/1.1\r\nHost: plain.shop.example\r\nUser-Agent: test/1\r\n\r\n')
shell = socket.create_connection(('127.0.0.2', 22)); shell.sendall(b'SSH-2.0-tested\r\n')
subprocess.run(['bash', '-c', 'exec 3<>/dev/tcp/127.0.0.2/993'], check=True)
os.kill(server, 9)
"#;

#[test]
fn names_are_read_while_they_pass() {
    let Some(lines) = watched(&[]) else {
        return;
    };
    let names: Vec<_> = lines
        .iter()
        .filter(|it| it["kind"] == "name_seen")
        .collect();
    let seen = |name: &str, source: &str| {
        let found = names
            .iter()
            .find(|it| it["name"] == name && it["name_source"] == source);
        *found.unwrap_or_else(|| panic!("{name} by {source} in {names:#?}"))
    };
    let asked = seen("www.shop.example", "dns");
    assert_eq!(asked["question"], 1);
    let answered = names.iter().find(|it| {
        it["name"] == "www.shop.example" && it["answer"]["addresses"][0]["ip"] == "127.0.0.2"
    });
    let answered = answered.unwrap_or_else(|| panic!("no answer in {names:#?}"));
    assert_eq!(answered["answer"]["aliases"][0], "edge.cdn.example");
    // The asker and the server's side are told apart.
    assert_eq!(answered["remote"]["ip"], "127.0.0.9");
    assert_eq!(answered["process_id"], asked["process_id"]);
    let missing = names
        .iter()
        .any(|it| it["name"] == "nowhere.example" && it["answer"]["code"] == 3);
    assert!(missing, "{names:#?}");
    seen("tcp.shop.example", "dns");
    let greeting = seen("secure.shop.example", "sni");
    assert_eq!(greeting["greeting"]["tls"]["alpn"][0], "h2", "{greeting}");
    assert!(greeting["greeting"]["tls"]["ja4"].is_string(), "{greeting}");
    seen("slow.shop.example", "sni");
    let host = seen("plain.shop.example", "host");
    assert_eq!(host["greeting"]["http"]["user_agent"], "test/1", "{host}");
}

#[test]
fn a_connection_has_the_strongest_of_its_names() {
    let Some(lines) = watched(&[]) else {
        return;
    };
    let name_of = |remote: &str| {
        let mut all = lines
            .iter()
            .filter(|it| it["type"] == "connection" && Seen(it).remote() == remote);
        let last = all
            .rfind(|it| it["direction"] == "outbound")
            .unwrap_or_else(|| panic!("no connection to {remote}"));
        let of = |field: &str| last["remote"][field].as_str().unwrap_or("none").to_owned();
        (of("name"), of("name_source"), of("name_strength"))
    };
    let is = |name: &str, source: &str, strength: &str| {
        (name.to_owned(), source.to_owned(), strength.to_owned())
    };
    let greeted = |name, source| is(name, source, "greeted");
    assert_eq!(
        name_of("127.0.0.2:443"),
        greeted("secure.shop.example", "sni")
    );
    assert_eq!(
        name_of("127.0.0.2:8443"),
        greeted("slow.shop.example", "sni")
    );
    assert_eq!(
        name_of("127.0.0.3:80"),
        greeted("plain.shop.example", "host")
    );
    // A greeting without a name: the answer that this process had.
    let www = "www.shop.example";
    assert_eq!(name_of("127.0.0.2:22"), is(www, "dns", "answered"));
    // It has not asked itself.
    assert_eq!(
        name_of("127.0.0.2:993"),
        is(www, "dns", "answered_to_another")
    );
    // Nobody asked for it.
    assert_eq!(name_of("127.0.0.9:53"), is("none", "none", "none"));
}

/// What a watch tells while the program talks. `None` where that cannot be seen; then that was said.
fn watched(options: &[&str]) -> Option<Vec<Value>> {
    if lacks(&[Need::Program("python3"), Need::Program("bash")]) {
        return None;
    }
    let namespace = Namespace::new()?;
    let mut command = Command::new(WHOCALLS);
    command.args(["watch", "--ndjson", "--until-exit"]);
    command.args(options).args(["--", "ip", "netns", "exec"]);
    command
        .arg(&namespace.name)
        .arg(python())
        .args(["-c", TALK]);
    let run = Run::of(&mut command);
    let text = run.text();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    if lines
        .first()
        .is_some_and(|start| start["tier"] == "polling")
    {
        skip("names are read where events are");
        return None;
    }
    Some(lines)
}
