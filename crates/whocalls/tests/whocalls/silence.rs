//! Nothing leaves: every command, in a network whose only way out ends in a trap, on a computer
//! whose settings ask for the network wherever they can.

use std::cell::RefCell;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::{Run, WHOCALLS};
use crate::room::{Room, copy_of};
use crate::screen::terminal::{Screen, TMUX};
use crate::setting::lacks;

/// Counts what arrives at the other end of the cable.
const TRAP: &str = r#"
trap = keep(socket(AF_PACKET, SOCK_RAW, htons(3)))
trap.bind(('cable', 0))
trap.setblocking(False)
def caught():
    count = 0
    while True:
        try:
            trap.recv(65535)
            count += 1
        except BlockingIOError:
            return count
caught()
ready()
ready(caught())
time.sleep(0.2)
ready(caught())
time.sleep(0.2)
ready(caught())
"#;

/// Names of users, hosts and services would be asked for over the network.
const NSSWITCH: &str = "passwd: ldap nis files\ngroup: ldap\nhosts: dns\nservices: ldap\n";
const RESOLVER: &str = "nameserver 192.0.2.2\noptions timeout:1 attempts:1\n";

/// What asks for the network wherever somebody listens to it.
const ENVIRONMENT: [&str; 6] = [
    "DISPLAY=192.0.2.2:0",
    "WAYLAND_DISPLAY=192.0.2.2",
    "http_proxy=http://192.0.2.2:8080",
    "HTTPS_PROXY=http://192.0.2.2:8080",
    "LOCALDOMAIN=trap.example",
    "RES_OPTIONS=timeout:1",
];
/// `ip netns exec` gives each command a mount namespace of its own.
const SETTINGS: &str = "mount --bind \"$1\" /etc/nsswitch.conf; \
                        mount --bind \"$2\" /etc/resolv.conf; shift 2; exec \"$@\"";

/// A computer with one way out, and what waits there.
struct Trapped {
    inside: Namespace,
    outside: Namespace,
    room: Room,
    /// Everything that was run, with its arguments.
    ran: RefCell<Vec<Vec<String>>>,
}

impl Trapped {
    /// What stands before whocalls on the command line.
    fn before(&self) -> Vec<String> {
        let settings = ["nsswitch.conf", "resolv.conf"];
        let files = settings.map(|it| self.room.file(it).to_str().unwrap().to_owned());
        let own = |words: &[&str]| words.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let mut before = own(&["ip", "netns", "exec", &self.inside.name, "env"]);
        before.extend(own(&ENVIRONMENT));
        before.extend(own(&["sh", "-c", SETTINGS, "sh"]));
        before.extend(files);
        before
    }

    fn note(&self, arguments: &[&str]) {
        let words = arguments.iter().map(|it| (*it).to_owned());
        self.ran.borrow_mut().push(words.collect());
    }

    fn command(&self, arguments: &[&str]) -> Run {
        self.note(arguments);
        let before = self.before();
        let (program, rest) = before.split_first().unwrap();
        let mut command = Command::new(program);
        Run::of(command.args(rest).arg(WHOCALLS).args(arguments))
    }

    /// On a terminal, until it is left.
    fn screen(&self, arguments: &[&str], shows: &str) {
        self.note(arguments);
        let before = self.before();
        let before: Vec<&str> = before.iter().map(String::as_str).collect();
        let screen = Screen::begin(&before, &[&[WHOCALLS], arguments].concat());
        screen.until(shows, |shown| shown.contains(shows));
        screen.press(&["q"]);
        screen.has_been_left();
    }
}

/// Every command that whocalls has, as its help tells: with the words that lead to it.
fn every_command(words: &[String]) -> Vec<Vec<String>> {
    let help = Run::of(Command::new(WHOCALLS).args(words).arg("--help")).text();
    let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let below = below.take_while(|line| !line.is_empty());
    // A name stands two blanks in; what it does may go on further in.
    let names = below.filter_map(|line| line.strip_prefix("  "));
    let names = names.filter(|line| !line.starts_with(' '));
    let names = names.filter_map(|line| line.split_whitespace().next());
    let mut all = Vec::new();
    for name in names.filter(|name| *name != "help") {
        let words = [words, &[name.to_owned()]].concat();
        let further = every_command(&words);
        if further.is_empty() {
            all.push(words);
        } else {
            all.extend(further);
        }
    }
    all
}

/// Of Zeek, with the trap and a name in it.
const LOG: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n\
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n\
#types\ttime\tstring\taddr\tport\taddr\tport\tenum\n\
1795341600.000000\tCaa\t192.0.2.1\t40001\t192.0.2.2\t443\ttcp\n";

#[test]
fn not_one_packet_leaves() {
    let (Some(inside), Some(outside)) = (Namespace::new(), Namespace::new()) else {
        return;
    };
    for namespace in [&inside, &outside] {
        // The kernel itself would greet its neighbours by IPv6.
        let script = "echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; \
                      echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6";
        let _ = namespace.command("sh").args(["-c", script]).status();
    }
    if !inside.connect(&outside) {
        return;
    }
    inside.ip(&["route", "add", "default", "via", "192.0.2.2"]);
    let trapped = Trapped {
        inside,
        outside,
        room: Room::new(),
        ran: RefCell::default(),
    };
    fs::write(trapped.room.file("nsswitch.conf"), NSSWITCH).unwrap();
    fs::write(trapped.room.file("resolv.conf"), RESOLVER).unwrap();
    let (mut trap, _) = Actor::start(Place::Inside(&trapped.outside), TRAP);

    let into = trapped.room.path().to_str().unwrap();
    let run = trapped.command(&["record", "--into", into, "--for", "1s"]);
    assert!([Some(0), Some(3)].contains(&run.code), "{}", run.talk());
    let case = trapped.room.case().unwrap();
    let case = case.to_str().unwrap();
    let file = |name: &str| trapped.room.file(name).to_str().unwrap().to_owned();
    let (packed, pcapng, kept) = (file("packed.zip"), file("packets.pcapng"), file("kept"));
    let (list, log) = (file("bad.txt"), file("conn.log"));
    fs::write(&list, "evil.duckdns.org\nhttp://198.51.100.7/x\n").unwrap();
    fs::write(&log, LOG).unwrap();
    let story = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/story");
    let story = copy_of(&story, &trapped.room);
    let story = story.to_str().unwrap();
    let commands: &[(&[&str], &[i32])] = &[
        (
            &[
                "lookup",
                "216.6.0.28",
                "198.51.100.7:443",
                "[2001:db8::7]:443",
            ],
            &[0],
        ),
        (
            &["lookup", "--json", "www.example.com", "evil.duckdns.org"],
            &[0],
        ),
        (
            &["lookup", "d41d8cd98f00b204e9800998ecf8427e", "8.8.8.0/24"],
            &[0],
        ),
        (&["lookup", "https://192.0.2.2/"], &[2]),
        (&["lookup", "--sources"], &[0]),
        // It was recorded just now: from here nobody is asked.
        (&["lookup", "216.6.0.28", "--online"], &[1]),
        (&["lookup", "--case", case, "--online", "--yes"], &[1]),
        (&["data", "show"], &[0]),
        (&["check"], &[0, 3]),
        (&["check", "--json", "--fail-on", "low"], &[0, 3, 10]),
        (&["check", case], &[0, 1, 3]),
        (&["diff", case], &[0, 1, 3]),
        (&["diff", case, case, "--json"], &[0, 1, 3]),
        (&["data", "build", "--from", "/nowhere"], &[1]),
        (&["list"], &[0, 3]),
        (&["list", "-a", "--json"], &[0, 3]),
        (&["list", "-a", "--polling", "--group", "remote"], &[0, 3]),
        (&["list", "--processes"], &[0, 3]),
        (&["list", "--before"], &[0, 3]),
        (&["watch", "--ndjson", "--for", "1s"], &[0, 3]),
        (&["watch", "--ndjson", "--polling", "--for", "1s"], &[0, 3]),
        (&["list", &log], &[0]),
        (&["record", "status"], &[0, 1]),
        (&["record", "stop"], &[0, 1]),
        (&["import", story, &log], &[0]),
        (&["lookup", "--case", story], &[0]),
        (&["indicators", "add", "--into", &kept, &list], &[0]),
        (&["indicators", "list", "--from", &kept], &[0]),
        (&["lookup", "--indicators", &kept, "evil.duckdns.org"], &[0]),
        (&["indicators", "remove", "--from", &kept, "bad.txt"], &[0]),
        (&["verify", case], &[0, 1, 3, 4]),
        (&["list", case], &[0, 1, 3]),
        (&["export", case, "--ndjson"], &[0, 1, 2, 3]),
        (&["export", case, "--zeek"], &[0, 1, 2, 3]),
        (&["export", case, "--csv"], &[0, 3]),
        (&["export", case, "--ecs"], &[0, 3]),
        (&["export", case, "--ocsf"], &[0, 3]),
        (&["export", case, "--pcapng", "-o", &pcapng], &[0, 3]),
        (&["export", story, "--zeek"], &[0]),
        (&["pack", case, "-o", &packed], &[0, 1, 2, 3]),
        (&["close", "192.0.2.2:443"], &[0, 1, 2]),
        (&["end", "1"], &[0, 1, 2]),
        (&["doctor"], &[0]),
        (&["completions", "bash"], &[0]),
        (&["man", "lookup"], &[0]),
        (&["--help"], &[0]),
    ];
    for (arguments, codes) in commands {
        let run = trapped.command(arguments);
        assert!(!run.talk().contains("panicked"), "{}", run.talk());
        let code = run.code.unwrap();
        assert!(
            codes.contains(&code),
            "{arguments:?}: {code}: {}",
            run.talk()
        );
    }
    if !lacks(&[TMUX]) {
        trapped.screen(&["open", story], "iexplore");
        trapped.screen(&["watch"], "NOT SEEN");
        trapped.screen(&[], "NOT SEEN");
        let ran = trapped.ran.borrow();
        for command in every_command(&[]) {
            let was_run = ran.iter().any(|words| words.starts_with(&command));
            assert!(
                was_run,
                "{command:?} was not run: it belongs into this test"
            );
        }
    }
    let caught = trap.go_on();
    assert_eq!(caught, ["0"], "packets left");

    // Whoever insists is heard.
    let insists = [
        "lookup",
        "216.6.0.28",
        "--online=rdap",
        "--from-this-computer",
    ];
    let asked = trapped.command(&insists);
    assert_eq!(asked.code, Some(1), "{}", asked.talk());
    assert_ne!(trap.go_on(), ["0"], "{}", asked.text());

    // The trap works: a single datagram is caught, with the question for its way.
    let send = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\
                .sendto(b'x', ('198.51.100.7', 53))";
    let sent = trapped
        .inside
        .command(crate::actor::python())
        .args(["-c", send])
        .status();
    assert!(sent.unwrap().success());
    let caught = trap.go_on();
    assert_ne!(caught, ["0"], "the trap catches nothing");
    // Not println, which `cargo test` keeps to itself when a test passes.
    let _ = writeln!(
        io::stderr(),
        "{} commands: 0 packets sent; of one datagram that was sent on purpose the trap has {}",
        trapped.ran.borrow().len(),
        caught.concat()
    );
}
