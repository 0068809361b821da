//! Whether somebody is at the computer: by real terminals and a real X server, in a namespace where there are
//! no others.

use serde_json::Value;

use crate::network::Namespace;
use crate::program::{Run, WHOCALLS};
use crate::room::{Room, on};
use crate::setting::{Need, lacks, skip};

/// Makes a terminal that was used so many seconds ago, and with a further argument a display: `open` with its
/// cookie, `closed` without; a program is connected to it. Then runs whocalls.
const SCRIPT: &str = r#"
import os, socket, struct, subprocess, sys, tempfile, time

seconds, display, room, program = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
master, slave = os.openpty()
os.write(master, b"x\n")
os.read(slave, 8)
now = time.time()
if seconds:
    os.utime(os.ttyname(slave), (now - seconds, now))
server = client = None
if display != "none":
    cookie = bytes(range(16))
    name = b"MIT-MAGIC-COOKIE-1"
    file = os.path.join(room, "cookies")
    with open(file, "wb") as out:
        out.write(b"\xff\xff\0\0\0\0" + struct.pack(">H", 18) + name + struct.pack(">H", 16) + cookie)
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-screen", "0", "640x480x8", "-auth", file],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    number = server.stdout.readline().decode().strip()
    client = socket.socket(socket.AF_UNIX)
    client.connect("/tmp/.X11-unix/X" + number)
    client.sendall(struct.pack("<BxHHHHxx", 0x6c, 11, 0, 18, 16) + name + b"\0\0" + cookie)
    assert client.recv(1) == b"\1"
    if display == "closed":
        os.remove(file)
try:
    code = subprocess.run(program).returncode
finally:
    if server:
        server.terminate()
        server.wait()
sys.exit(code)
"#;

/// What a recording tells first of whether somebody is there, and the same out of its case. `None`: not here.
fn told(seconds: u32, display: &str) -> Option<Value> {
    let namespace = Namespace::new()?;
    if lacks(&[Need::Program("python3")]) {
        return None;
    }
    let room = Room::new();
    let path = room.path().to_str().unwrap();
    let seconds = seconds.to_string();
    let own = "mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts && exec python3 \"$@\"";
    let run = Run::of(namespace.command("sh").args(["-c", own, "sh", "-c"]).args([
        SCRIPT,
        &seconds,
        display,
        path,
        WHOCALLS,
        "record",
        "--depth",
        "events",
        "--for",
        "3",
        "--into",
        path,
        "--copy-programs",
        "none",
    ]));
    let Some(case) = room.case() else {
        panic!("{}{}", run.text(), run.talk());
    };
    let exported = on(&case, &["export"], &["--ndjson"]);
    let lines = exported.text();
    let mut lines = lines
        .lines()
        .map(|it| serde_json::from_str::<Value>(it).unwrap());
    let line = lines.find(|line| line["kind"] == "idle");
    let line = line.unwrap_or_else(|| panic!("nothing is told: {}", run.talk()));
    assert_eq!(line["source"], "proc", "{line}");
    let known = &line["idle"];
    let is_used = known["source"] == "tty" && known["idle_ns"].as_u64() < Some(600_000_000_000);
    if seconds == "600" && is_used {
        skip("somebody is at a console of this computer");
        return None;
    }
    Some(known.clone())
}

#[test]
fn a_terminal_tells_when_somebody_typed() {
    if let Some(known) = told(0, "none") {
        assert_eq!(known["state"], "active", "{known}");
        assert_eq!(
            (&known["source"], &known["unasked_displays"]),
            (&"tty".into(), &0.into())
        );
    }
    if let Some(known) = told(600, "none") {
        assert_eq!(known["state"], "idle", "{known}");
        assert!(
            known["idle_ns"].as_u64() >= Some(600_000_000_000),
            "{known}"
        );
    }
}

#[test]
fn a_display_is_asked_where_its_cookie_can_be_read() {
    if lacks(&[Need::Program("Xvfb")]) {
        return;
    }
    if let Some(known) = told(600, "open") {
        assert_eq!(known["state"], "active", "{known}");
        assert_eq!(
            (&known["source"], &known["unasked_displays"]),
            (&"x11".into(), &0.into())
        );
    }
    // Nobody has typed, and who may be at the display is not known.
    if let Some(known) = told(600, "closed") {
        assert_eq!(known["state"], "not known", "{known}");
        assert_eq!(
            (&known["source"], &known["unasked_displays"]),
            (&"tty".into(), &1.into())
        );
    }
}
