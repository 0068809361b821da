//! Closing connections, ending processes, saving files: by command, and by the processes that do it
//! for a watch which has no rights any more.

mod apart;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair,
};
use serde_json::Value;

use crate::actor::{Actor, Place, python};
use crate::network::Namespace;
use crate::program::{Run, Seen, WHOCALLS, copy_to, look, whocalls};
use crate::setting::{Folder, Need, PATIENCE, command, lacks, skip, wait_for};

const NOBODY: &str = "65534";

#[test]
fn close_closes_exactly_one_of_two() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let (mut actor, words) = Actor::start(Place::Inside(&namespace), TWO);
    let id = id_of(&words[0]);
    let closed = whocalls(&["close", &id, "--yes"]);
    if closed.code == Some(1) && closed.talk().contains("CONFIG_INET_DIAG_DESTROY") {
        skip("this kernel cannot close connections");
        return;
    }
    assert_eq!(closed.code, Some(0), "{}", closed.talk());
    let said = closed.text();
    assert!(
        said.starts_with("20") && said.contains("Z closed: "),
        "{said}"
    );
    assert!(said.contains(&words[0]) && said.contains(&id), "{said}");
    assert!(said.contains(&format!("({})", actor.pid())), "{said}");
    assert_eq!(said.lines().count(), 1);
    // Both sides of the first one, and none of the second.
    assert_eq!(actor.go_on(), ["over", "over", "open", "open"]);

    let again = whocalls(&["close", &id, "--yes"]);
    assert_eq!(again.code, Some(1));
    assert!(
        again.talk().contains("no such connection"),
        "{}",
        again.talk()
    );
}

#[test]
fn several_are_listed_and_none_is_closed() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (mut actor, words) = Actor::start(Place::Home, TWO);
    let filter = format!("pid:{}", actor.pid());
    let closed = whocalls(&["close", &filter, "--yes"]);
    assert_eq!((closed.code, closed.text().as_str()), (Some(2), ""));
    let said = closed.talk();
    assert!(said.contains("4 connections match"), "{said}");
    for end in &words[..2] {
        assert!(said.contains(&id_of(end)) && said.contains(end), "{said}");
    }
    assert_eq!(actor.go_on(), ["open"; 4]);
}

#[test]
fn what_is_no_tcp_connection_is_not_closed() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let (_actor, words) = Actor::start(Place::Home, OTHERS);
    for (local, why) in words
        .iter()
        .zip(["only TCP connections", "waits for others"])
    {
        let closed = whocalls(&["close", &id_of(local), "--yes"]);
        assert_eq!(closed.code, Some(1));
        assert!(closed.talk().contains(why), "{}", closed.talk());
    }
    let none = whocalls(&["close", &"0".repeat(32), "--yes"]);
    assert_eq!(none.code, Some(1));
    let nothing = whocalls(&["close", "--yes"]);
    assert_eq!(nothing.code, Some(2));
}

#[test]
fn end_ends_the_run_that_was_meant() {
    let mut asleep = Asleep::start();
    let (id, started) = asleep.seen();
    let pid = asleep.pid().to_string();
    for wrong in [
        ["--id", &id.replacen('-', "-1", 1)],
        ["--started", "2020-01-01T00:00:00Z"],
    ] {
        let ended = whocalls(&["end", &pid, wrong[0], wrong[1], "--yes"]);
        assert_eq!((ended.code, ended.text().as_str()), (Some(1), ""));
        assert!(ended.talk().contains("sleep"), "{}", ended.talk());
    }
    assert!(asleep.runs());
    let ended = whocalls(&["end", &pid, "--started", &started, "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.talk());
    let said = ended.text();
    let expected = format!("Z ended: sleep ({pid}), process {id}, asked to (SIGTERM)\n");
    assert!(
        said.starts_with("20") && said.ends_with(&expected),
        "{said}"
    );
    assert!(!asleep.runs());

    let mut asleep = Asleep::start();
    let (id, _) = asleep.seen();
    let pid = asleep.pid().to_string();
    let ended = whocalls(&["end", &pid, "--id", &id, "--yes"]);
    assert_eq!(ended.code, Some(0), "{}", ended.talk());
    assert!(!asleep.runs());
}

#[test]
fn one_that_does_not_listen_is_said_to_run_and_ended_hard() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let script = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nready()\nstay()";
    let (actor, _) = Actor::start(Place::Home, script);
    let pid = actor.pid().to_string();
    let ended = whocalls(&["end", &pid, "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.text().contains("Z still runs: "), "{}", ended.text());
    assert!(ended.talk().contains("--hard"), "{}", ended.talk());
    let ended = whocalls(&["end", &pid, "--yes", "--hard"]);
    assert_eq!(ended.code, Some(0), "{}", ended.talk());
    assert!(ended.text().contains("(SIGKILL)"), "{}", ended.text());
}

#[test]
fn some_processes_are_never_ended() {
    let first = whocalls(&["end", "1", "--yes"]);
    assert_eq!(first.code, Some(1));
    assert!(first.talk().contains("process 1 is"), "{}", first.talk());
    let none = whocalls(&["end", "2147483640", "--yes"]);
    assert_eq!(none.code, Some(1));
    assert!(none.talk().contains("there is none"), "{}", none.talk());
}

#[test]
fn without_a_terminal_nothing_is_done_unasked() {
    let mut asleep = Asleep::start();
    let pid = asleep.pid().to_string();
    for arguments in [["end", &pid], ["close", "proc:nobody-has-this-name"]] {
        let run = whocalls(&arguments);
        assert_eq!((run.code, run.text().as_str()), (Some(2), ""));
        assert!(run.talk().contains("--yes"), "{}", run.talk());
    }
    assert!(asleep.runs());
}

/// A terminal of its own, of which this answers the question.
#[test]
fn on_a_terminal_it_asks_before() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let mut asleep = Asleep::start();
    let pid = asleep.pid().to_string();
    for (answer, code) in [("", 1), ("end", 1), ("yes", 1), ("END", 0)] {
        assert!(asleep.runs(), "{answer}");
        let mut asking = Command::new(python());
        asking.args(["-I", "-c", ASKED, answer, WHOCALLS, "end", &pid]);
        let asked = Run::of(&mut asking);
        assert_eq!(asked.code, Some(code), "{answer}: {}", asked.text());
        let question = format!("End sleep ({pid})? The other side sees it at once");
        assert!(asked.text().contains(&question), "{}", asked.text());
    }
    assert!(!asleep.runs());
}

#[test]
fn without_rights_it_says_which_is_missing() {
    if lacks(&[
        Need::Root,
        Need::Program("setpriv"),
        Need::Program("python3"),
    ]) {
        return;
    }
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let nobody = |arguments: &[&str]| {
        let mut command = command("setpriv");
        command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        Run::of(command.arg("--inh-caps=-all").arg(&program).args(arguments))
    };
    let mut asleep = Asleep::start();
    let ended = nobody(&["end", &asleep.pid().to_string(), "--yes"]);
    assert_eq!((ended.code, ended.text().as_str()), (Some(1), ""));
    let said = ended.talk();
    assert!(said.contains("CAP_KILL") && said.contains("sudo"), "{said}");
    assert!(asleep.runs());

    let (mut actor, words) = Actor::start(Place::Home, TWO);
    let closed = nobody(&["close", &id_of(&words[0]), "--yes"]);
    assert_eq!((closed.code, closed.text().as_str()), (Some(1), ""));
    let said = closed.talk();
    assert!(
        said.contains("CAP_NET_ADMIN") && said.contains("sudo"),
        "{said}"
    );
    assert_eq!(actor.go_on(), ["open"; 4]);
}

/// Two connections between the same ends, but for a port; each has two sides here.
const TWO: &str = r#"
first, accepted, waiting = both(('127.0.0.1', 0))
second = caller(waiting.getsockname())
also = keep(waiting.accept()[0])

def state(made):
    try:
        made.setblocking(False)
        return 'over' if made.recv(1) == b'' else 'data'
    except BlockingIOError:
        return 'open'
    except OSError:
        return 'over'

ready(*('%s:%d' % made.getsockname() for made in (first, second)))
ready(*(state(made) for made in (first, accepted, second, also)))
"#;

/// A UDP socket with a peer, and a listener.
const OTHERS: &str = r#"
talking = keep(socket(AF_INET, SOCK_DGRAM))
talking.connect(('127.0.0.1', 9))
waiting = listener(('127.0.0.1', 0))
ready(*('%s:%d' % made.getsockname() for made in (talking, waiting)))
"#;

/// Starts a program on a terminal, gives it an answer when it has asked, and ends as it does.
const ASKED: &str = r#"
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
said, answered = b'', False
while True:
    try:
        read = os.read(terminal, 4096)
    except OSError:
        break
    if not read:
        break
    said += read
    if not answered and b'to go on.' in said:
        answered = True
        os.write(terminal, sys.argv[1].encode() + b'\n')
sys.stdout.buffer.write(said)
sys.stdout.flush()
os._exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

/// The id of the connection or listener with this local end.
fn id_of(local: &str) -> String {
    let seen = look(None);
    let found = seen.connections().find(|seen| seen.local() == *local);
    let found: Seen<'_> = found.unwrap_or_else(|| panic!("{local} is not among them"));
    found.word("id").to_owned()
}

/// A process that does nothing, ended with this value.
struct Asleep(Child);

impl Asleep {
    fn start() -> Self {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        let asleep = Self(child);
        // Until then it is a copy of this test.
        wait_for("its program", || {
            let name = fs::read_to_string(format!("/proc/{}/comm", asleep.pid())).ok()?;
            (name == "sleep\n").then_some(())
        });
        asleep
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Its id and its start, as whocalls shows them.
    fn seen(&self) -> (String, String) {
        let filter = format!("pid:{}", self.pid());
        let list = whocalls(&["list", "--processes", "--json", &filter]).json();
        let process = &list["processes"][0];
        let word = |name: &str| process[name].as_str().unwrap().to_owned();
        (word("id"), word("started"))
    }
}

impl Drop for Asleep {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Of `PID-TICKS-BOOT`.
fn ticks(id: &str) -> u64 {
    id.split('-').nth(1).unwrap().parse().unwrap()
}
