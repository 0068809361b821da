//! Names of addresses in the files with packets: a program asks a name server and greets a server, and
//! tshark shows the names without asking anybody.

use std::fs;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::Run;
use crate::recording::{Recorded, Recording};
use crate::room::on;
use crate::setting::{Need, command, lacks, skip};

/// A name server, and a server that listens.
const SERVER: &str = r"
waiting = listener(('192.0.2.2', 8080))
udp = keep(socket(AF_INET, SOCK_DGRAM))
udp.bind(('192.0.2.2', 53))

def answer():
    while True:
        asked, sender = udp.recvfrom(4096)
        ip = bytes([192, 0, 2, 7]) if b'shop' in asked else bytes([192, 0, 2, 8])
        row = b'\xc0\x0c' + struct.pack('>HHIH', 1, 1, 60, 4) + ip
        udp.sendto(asked[:2] + b'\x81\x80\0\x01\0\x01\0\0\0\0' + asked[12:] + row, sender)

def serve():
    made, _ = waiting.accept()
    while made.recv(4096):
        pass

threading.Thread(target=answer, daemon=True).start()
threading.Thread(target=serve, daemon=True).start()
ready()
";

/// Asks for a name that may be shown and for one that may not, greets, and then sends to them.
const CALLER: &str = r"
labels = lambda parts: b''.join(bytes([len(part)]) + part for part in parts) + b'\0'
asking = keep(socket(AF_INET, SOCK_DGRAM))
asking.connect(('192.0.2.2', 53))
for parts in [(b'www', b'shop', b'example'), (b'odd \x1b', b'example')]:
    asking.send(b'\x12\x34\x01\x00\0\x01\0\0\0\0\0\0' + labels(parts) + struct.pack('>HH', 1, 1))
    asking.recv(4096)
web = caller(('192.0.2.2', 8080))
web.sendall(b'GET / HTTP/1.1\r\nHost: plain.example\r\n\r\n')
sending = keep(socket(AF_INET, SOCK_DGRAM))
for number in range(10):
    time.sleep(0.2)
    for ip in '192.0.2.7', '192.0.2.8':
        sending.sendto(b'later', (ip, 9999))
    web.sendall(b'more')
ready()
";

#[test]
fn packets_come_with_the_names_of_their_addresses() {
    if lacks(&[Need::Program("python3"), Need::Program("tshark")]) {
        return;
    }
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else {
        return;
    };
    if !here.connect(&there) {
        return;
    }
    for ip in ["192.0.2.7/24", "192.0.2.8/24"] {
        there.ip(&["address", "add", ip, "dev", "cable"]);
    }
    let (_server, _) = Actor::start(Place::Inside(&there), SERVER);
    let recording = Recording::start(&[]);
    let (_caller, _) = Actor::start(Place::Inside(&here), CALLER);
    let recorded = recording.stop();
    if recorded.run.talk().contains("Much will be missed") {
        skip("names are read where events are");
        return;
    }
    recorded.went_well();
    let Recorded { case, room, .. } = recorded;
    let file = case.join("packets/000001.pcapng");
    let shown = shown(&file);
    let name_of = |ip: &str| {
        let mut rows = shown.iter().filter(|row| row[0] == ip);
        rows.next_back().unwrap_or_else(|| panic!("{shown:?}"))[1].clone()
    };
    assert_eq!(name_of("192.0.2.7"), "www.shop.example");
    assert_eq!(name_of("192.0.2.2"), "plain.example");
    // It would act on a terminal.
    assert_eq!(name_of("192.0.2.8"), "192.0.2.8");

    let some = room.file("some.pcapng");
    let out = some.to_str().unwrap();
    let exported = on(&case, &["export", "--pcapng", "-o", out], &["rport:9999"]);
    assert_eq!(exported.code, Some(0), "{}", exported.talk());
    assert!(fs::metadata(&some).unwrap().len() > 0);
}

/// To which address each packet goes, and the name that stands there.
fn shown(file: &std::path::Path) -> Vec<[String; 2]> {
    let mut tshark = command("tshark");
    let fields = ["-T", "fields", "-e", "ip.dst", "-e", "ip.dst_host"];
    // Names out of the file only: nobody is asked.
    let read = Run::of(tshark.args(["-N", "n", "-r"]).arg(file).args(fields));
    assert_eq!(read.code, Some(0), "{}", read.talk());
    let talk = read.talk();
    let warnings: Vec<_> = talk
        .lines()
        .filter(|line| !line.starts_with("Running as"))
        .collect();
    assert_eq!(warnings, [""; 0]);
    let text = read.text();
    let rows = text.lines().filter_map(|line| {
        let (ip, name) = line.split_once('\t')?;
        Some([ip.to_owned(), name.to_owned()])
    });
    rows.collect()
}
