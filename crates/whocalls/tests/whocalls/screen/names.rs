//! The view of the names that were asked for, in a terminal: while they are asked, and of a file.

use std::fs;

use super::terminal::{Screen, TMUX, rows};
use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::WHOCALLS;
use crate::setting::{Folder, Need, lacks, skip};

#[test]
fn who_asked_for_a_name_and_what_followed() {
    if lacks(&[TMUX, Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let (_server, _) = Actor::start(Place::Inside(&namespace), SERVER);
    let (mut client, _) = Actor::start(Place::Inside(&namespace), CLIENT);
    let pid = client.pid();
    let screen = Screen::start(&[], &[WHOCALLS, "watch", &format!("pid:{pid}")]);
    screen.press(&["8"]);
    let before = screen.until("the view", |shown| shown.contains("8 Names"));
    client.go_on();
    if before.contains("MISSES MUCH") {
        skip("names are not read live here");
        return;
    }
    let has = |shown: &str, name: &str, parts: &[&str]| {
        let rows = rows(shown);
        let mut lines = rows.lines().filter(|line| line.contains(name));
        lines.any(|line| parts.iter().all(|part| line.contains(part)))
    };
    screen.until("both names", |shown| {
        has(shown, "www.shop.example", &["127.0.0.2", "1 call"])
            && has(shown, "nowhere.example", &["no such name", "no call"])
    });
    // The one that was asked for first is the last one.
    screen.press(&["G", "Right", "Down", "Right"]);
    screen.until("who asked, and the connection", |shown| {
        has(shown, &pid.to_string(), &["1 call"]) && has(shown, "127.0.0.2:8443", &["tcp"])
    });
    screen.press(&["Enter"]);
    screen.until("the details", |shown| {
        shown.contains("asked over") && shown.contains("Calls to it after it was asked for")
    });
    screen.press(&["q"]);
    screen.has_been_left();
}

#[test]
fn a_file_of_another_tool_tells_who_asked() {
    if lacks(&[TMUX]) {
        return;
    }
    let folder = Folder::new();
    let [dns, conn] = ["dns.log", "conn.log"].map(|name| folder.file(name));
    fs::write(&dns, DNS_LOG).unwrap();
    fs::write(&conn, CONN_LOG).unwrap();
    let files = [&conn, &dns].map(|it| it.to_str().unwrap());
    let screen = Screen::begin(&[], &[WHOCALLS, "open", files[0], files[1]]);
    screen.until("what was read", |shown| shown.contains("192.168.7.2"));
    screen.press(&["8"]);
    screen.until("a name, who asked, and what followed", |shown| {
        let rows = rows(shown);
        let row = rows.lines().find(|line| line.contains("www.shop.example"));
        let parts = ["device 192.168.7", " 1 ", "198.51.100.71", "1 call"];
        row.is_some_and(|row| parts.iter().all(|part| row.contains(part)))
    });
    screen.press(&["q"]);
    screen.has_been_left();
}

/// A name server that knows one name, and a server that listens at its address.
const SERVER: &str = r"
waiting = listener(('127.0.0.2', 8443))
names = keep(socket(AF_INET, SOCK_DGRAM)); names.bind(('127.0.0.9', 53))
def answers():
    while True:
        asked, whom = names.recvfrom(4096)
        found = b'\x81\x80\0\x01\0\x01\0\0\0\0', b'\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\x04\x7f\0\0\x02'
        head, row = found if b'shop' in asked else (b'\x81\x83\0\x01\0\0\0\0\0\0', b'')
        names.sendto(asked[:2] + head + asked[12:] + row, whom)
threading.Thread(target=answers, daemon=True).start()
ready()
";

/// Asks for a name, calls what was answered, and asks for one that does not exist.
const CLIENT: &str = r"
ready()
def ask(name):
    labels = b''.join(bytes([len(part)]) + part for part in name.split(b'.')) + b'\0'
    with socket(AF_INET, SOCK_DGRAM) as made:
        made.settimeout(10)
        made.sendto(b'\x12\x34\x01\0\0\x01\0\0\0\0\0\0' + labels + b'\0\x01\0\x01', ('127.0.0.9', 53))
        made.recv(4096)
ask(b'www.shop.example')
caller(('127.0.0.2', 8443))
ask(b'nowhere.example')
ready()
";

const DNS_LOG: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n\
#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqtype\trcode\t\
answers\tTTLs\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tcount\tcount\t\
vector[string]\tvector[interval]\n\
1795341599.000000\tCdd\t192.168.7.2\t40000\t192.168.7.1\t53\tudp\twww.shop.example\t1\t0\t\
198.51.100.71\t60.0\n";

const CONN_LOG: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n\
#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\t\
orig_bytes\tresp_bytes\tconn_state\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\t\
interval\tcount\tcount\tstring\n\
1795341600.000000\tCaa\t192.168.7.2\t40001\t198.51.100.71\t443\ttcp\tssl\t10.0\t111\t222\tSF\n";
