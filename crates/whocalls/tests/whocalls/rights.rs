//! What a watch may still do when it has begun: the main process nothing, its helper a little.

mod helper;

use std::fs;
use std::io::{BufRead, BufReader, IoSlice};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType, recv, send, sendmsg, socketpair,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::actor::{Actor, Place, python};
use crate::network::Namespace;
use crate::program::{Look, Run, Seen, WHOCALLS, copy_to};
use crate::setting::{Folder, Need, PATIENCE, command, lacks, run, skip, wait_for};

const NOBODY: &str = "65534";
const DAC_READ_SEARCH: u64 = 1 << 2;
const NET_ADMIN: u64 = 1 << 12;
const SYS_PTRACE: u64 = 1 << 19;
const SYS_ADMIN: u64 = 1 << 21;
const CHECKPOINT_RESTORE: u64 = 1 << 40;

#[test]
fn no_thread_of_a_watch_has_rights() {
    let Some(watch) = Watch::with_events() else {
        return;
    };
    let threads = watch.threads();
    assert!(threads.len() >= 2, "{threads:?}");
    for status in &threads {
        status.has_given_up(0);
    }
    // What it has already is open to nobody, not even to others who are the user nobody.
    let descriptors = format!("/proc/{}/fd", watch.pid());
    let mut other = command("setpriv");
    other.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "ls"]);
    let listed = Run::of(other.arg(descriptors));
    assert_ne!(listed.code, Some(0), "{}", listed.text());
}

#[test]
fn the_helper_has_what_it_needs() {
    let Some(watch) = Watch::with_events() else {
        return;
    };
    let helper = watch.helper();
    let status = Status::of(&format!("/proc/{helper}/status"));
    status.has_given_up(SYS_PTRACE | DAC_READ_SEARCH | SYS_ADMIN);
    assert_eq!(
        fs::read_dir(format!("/proc/{helper}/task"))
            .unwrap()
            .count(),
        1
    );
    // While it answers it has one file of another process open, too.
    wait_for("it to have only its socket and its way home", || {
        let mut open: Vec<_> = fs::read_dir(format!("/proc/{helper}/fd"))
            .unwrap()
            .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
            .map(|path| path.to_string_lossy().split(':').next().unwrap().to_owned())
            .collect();
        open.sort();
        (open == ["/dev/null", "/dev/null", "net", "socket"]).then_some(())
    });
    let stat = fs::read_to_string(format!("/proc/{helper}/stat")).unwrap();
    let nice = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_ascii_whitespace()
        .nth(16);
    assert_eq!(nice, Some("10"));
    assert_eq!(fs::read(format!("/proc/{helper}/environ")).unwrap(), b"");
}

#[test]
fn without_events_it_keeps_what_looks_need() {
    if lacks(&[Need::Root]) {
        return;
    }
    let mut watch = Watch::start(&mut watching(Path::new(WHOCALLS), &["--polling"]));
    let kept = watch.until(|line| line["id"] == "rights_kept");
    let why = kept["why"].as_str().unwrap();
    assert!(
        why.contains("CAP_SYS_PTRACE") && why.contains("CAP_SYS_ADMIN"),
        "{why}"
    );
    watch.until(|line| line["kind"] == "tick");
    for status in watch.threads() {
        status.has_given_up(SYS_PTRACE | DAC_READ_SEARCH | SYS_ADMIN | NET_ADMIN);
    }
    let mut children = watch.children();
    // Where there is a display.
    children
        .retain(|pid| Status::of(&format!("/proc/{pid}/status")).text("Name") != "whocalls-seats");
    assert_eq!(children, [watch.examiner()]);
}

#[test]
fn the_examiner_has_what_it_needs() {
    if lacks(&[Need::Root]) {
        return;
    }
    for polling in [&[][..], &["--polling"]] {
        let mut watch = Watch::start(&mut watching(Path::new(WHOCALLS), polling));
        watch.until(|line| line["kind"] == "process_examined");
        let threads = threads_of(watch.examiner());
        assert_eq!(threads.len(), 2);
        for status in threads {
            status.has_given_up(SYS_PTRACE | DAC_READ_SEARCH | CHECKPOINT_RESTORE);
        }
        let environment = fs::read(format!("/proc/{}/environ", watch.examiner()));
        assert_eq!(environment.unwrap(), b"");
    }
}

/// Both other users' processes and other namespaces are still looked into.
#[test]
fn without_events_it_sees_on() {
    if lacks(&[Need::Root, Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let refresh = ["--polling", "--refresh", "0.2"];
    let mut watch = Watch::start(&mut watching(Path::new(WHOCALLS), &refresh));
    watch.until(|line| line["kind"] == "tick");
    let (actor, words) = Actor::start(Place::Inside(&namespace), LISTENER);
    let seen = watch.until(|line| is_connection(line, &words[0], actor.pid()));
    assert_eq!(Seen(&seen).pids(), [actor.pid()]);
    assert_eq!(seen["process"]["path"], python().to_str().unwrap());
}

#[test]
fn events_and_counts_come_without_rights() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let Some(mut watch) = Watch::with_events() else {
        return;
    };
    let (mut actor, words) = Actor::start(Place::Home, CALLER);
    let opened = watch.until(|line| is_connection(line, &words[0], actor.pid()));
    assert_eq!(Seen(&opened).pids(), [actor.pid()]);
    assert_eq!(opened["process"]["path"], python().to_str().unwrap());
    actor.go_on();
    // It stays open, so that only a BPF iterator tells.
    let counted = watch.until(|line| {
        is_connection(line, &words[0], actor.pid()) && line["bytes_sent"].as_u64() > Some(0)
    });
    assert_eq!(counted["bytes_sent"], 1000);
    assert_eq!(counted["state"], "established");
    for gap in watch.seen.iter().filter(|line| line["type"] == "gap") {
        let id = gap["id"].as_str().unwrap();
        let about_rights = ["rights", "right_", "counts_not", "helper", "examin"];
        assert!(!about_rights.iter().any(|it| id.starts_with(it)), "{gap}");
    }
}

#[test]
fn its_helpers_end_with_the_watch() {
    for signal in [Signal::KILL, Signal::INT] {
        let Some(mut watch) = Watch::with_events() else {
            return;
        };
        let helpers = [watch.helper(), watch.examiner()];
        kill(watch.pid(), signal);
        wait_for("the end of the watch", || watch.child.try_wait().unwrap());
        wait_for("the end of its helpers", || {
            let is_over = helpers.iter().all(|helper| {
                let stat = fs::read_to_string(format!("/proc/{helper}/stat"));
                // Whoever inherits it may take its time to fetch it.
                stat.map_or(true, |stat| stat.contains(") Z "))
            });
            is_over.then_some(())
        });
    }
}

#[test]
fn a_watch_goes_on_without_its_helper_and_says_so() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let Some(mut watch) = Watch::with_events() else {
        return;
    };
    kill(watch.helper(), Signal::KILL);
    let gap = watch.until(|line| line["type"] == "gap" && line["id"] == "helper_ended");
    assert!(gap["missed"].as_str().unwrap().contains("hashes"), "{gap}");
    let (actor, words) = Actor::start(Place::Home, CALLER);
    let opened = watch.until(|line| is_connection(line, &words[0], actor.pid()));
    assert_eq!(Seen(&opened).pids(), [actor.pid()]);
}

#[test]
fn a_watch_goes_on_without_its_examiner_and_says_so() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let Some(mut watch) = Watch::with_events() else {
        return;
    };
    kill(watch.examiner(), Signal::KILL);
    let gap = watch.until(|line| line["type"] == "gap" && line["id"] == "examiner_ended");
    assert!(gap["missed"].as_str().unwrap().contains("hide"), "{gap}");
    let (actor, words) = Actor::start(Place::Home, CALLER);
    let opened = watch.until(|line| is_connection(line, &words[0], actor.pid()));
    assert_eq!(Seen(&opened).pids(), [actor.pid()]);
}

/// The line of `doctor` does what it says: an ordinary user has the full tier.
#[test]
fn rights_can_be_given_to_the_file() {
    let needs = ["setpriv", "setcap", "python3"].map(Need::Program);
    if lacks(&[Need::Root]) || lacks(&needs) {
        return;
    }
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let doctor = Run::of(Command::new(&program).arg("doctor")).text();
    let line = doctor
        .lines()
        .find_map(|line| line.split_once("sudo setcap "));
    let Some((_, words)) = line else {
        assert!(doctor.contains("nosuid"), "{doctor}");
        skip("the temporary folder is mounted nosuid");
        return;
    };
    let words: Vec<_> = words.split(' ').collect();
    if let Err(why) = run("setcap", &words) {
        skip(&format!("file capabilities cannot be set here: {why}"));
        return;
    }
    let list = Run::of(as_nobody(&program).args(["list", "--json"]));
    let look = Look(list.json());
    if look.tier() != "full" && full_tier_lacks() {
        return;
    }
    assert_eq!(look.tier(), "full", "{:#}", look.0["gaps"]);
    let mut watch = Watch::start(as_nobody(&program).args(["watch", "--ndjson"]));
    let start = watch.until(|line| line["type"] == "start");
    assert_eq!(start["tier"], "full");
    watch.until(|line| line["kind"] == "tick");
    let missing = |line: &&Value| {
        line["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("right"))
    };
    assert_eq!(watch.seen.iter().find(missing), None);
    for status in watch.threads() {
        assert_eq!((status.number("CapEff"), status.number("CapPrm")), (0, 0));
        assert_eq!(
            (status.text("NoNewPrivs"), status.text("Seccomp")),
            ("1", "2")
        );
    }
    let helper = Status::of(&format!("/proc/{}/status", watch.helper()));
    assert_eq!(
        helper.number("CapEff"),
        SYS_PTRACE | DAC_READ_SEARCH | SYS_ADMIN
    );
    // The program of another user.
    let (actor, words) = Actor::start(Place::Home, CALLER);
    let opened = watch.until(|line| is_connection(line, &words[0], actor.pid()));
    assert_eq!(Seen(&opened).pids(), [actor.pid()]);
    assert_eq!(opened["process"]["path"], python().to_str().unwrap());
}

#[test]
fn each_missing_right_is_a_gap_of_its_own() {
    if lacks(&[Need::Root, Need::Program("setpriv")]) {
        return;
    }
    for (rights, missing) in [
        ("-sys_ptrace", vec!["right_missing_sys_ptrace"]),
        (
            "-dac_read_search,-net_admin",
            vec!["right_missing_dac_read_search", "right_missing_net_admin"],
        ),
        // It includes two others.
        ("-sys_admin", vec!["right_missing_sys_admin"]),
        ("-bpf,-perfmon", vec![]),
        (
            "-sys_admin,-bpf",
            vec!["right_missing_bpf", "right_missing_sys_admin"],
        ),
    ] {
        let mut less = command("setpriv");
        less.args(["--bounding-set", rights, "--inh-caps", rights, WHOCALLS]);
        let mut watch = Watch::start(less.args(["watch", "--ndjson"]));
        watch.until(|line| line["kind"] == "tick");
        let ids = watch.seen.iter().filter_map(|line| line["id"].as_str());
        let mut found: Vec<_> = ids.filter(|id| id.starts_with("right_missing")).collect();
        found.sort_unstable();
        assert_eq!(found, missing, "{rights}");
        drop(watch);
        let mut doctor = command("setpriv");
        doctor.args([
            "--bounding-set",
            rights,
            "--inh-caps",
            rights,
            WHOCALLS,
            "doctor",
        ]);
        let doctor = Run::of(&mut doctor).text();
        let limits = doctor
            .lines()
            .filter(|line| line.starts_with("LIMITS  CAP_"));
        assert_eq!(limits.count(), missing.len(), "{rights}: {doctor}");
    }
}

#[test]
fn an_ordinary_user_gives_up_what_can_be_given_up() {
    if lacks(&[Need::Root, Need::Program("setpriv")]) {
        return;
    }
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let mut watch = Watch::start(as_nobody(&program).args(["watch", "--ndjson"]));
    watch.until(|line| line["kind"] == "tick");
    for status in watch.threads() {
        assert_eq!(status.number("CapPrm"), 0);
        assert_eq!(
            (status.text("NoNewPrivs"), status.text("Seccomp")),
            ("1", "2")
        );
    }
    let ids: Vec<_> = watch
        .seen
        .iter()
        .filter_map(|line| line["id"].as_str())
        .collect();
    assert!(ids.contains(&"right_missing_bpf"), "{ids:?}");
    assert!(!ids.contains(&"rights_kept"), "{ids:?}");
}

/// What systemd says of the unit that is delivered.
#[test]
fn the_unit_is_in_order() {
    if lacks(&[Need::Program("systemd-analyze")]) {
        return;
    }
    let folder = Folder::new();
    let unit = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../packaging/whocalls.service"
    );
    let text = fs::read_to_string(unit).unwrap();
    // The program is not installed here.
    let text = text.replace("/usr/local/bin/whocalls", WHOCALLS);
    assert!(text.contains(WHOCALLS));
    let copy = folder.file("whocalls.service");
    fs::write(&copy, &text).unwrap();
    let checked = Run::of(command("systemd-analyze").arg("verify").arg(&copy));
    assert_eq!((checked.code, checked.talk().as_str()), (Some(0), ""));
    let program = Run::of(Command::new(WHOCALLS).arg("doctor")).text();
    let line = program.lines().find_map(|line| line.split_once("setcap "));
    let Some((_, rights)) = line else {
        skip("doctor knows no line for setcap here");
        return;
    };
    let (rights, _) = rights.split_once('+').unwrap();
    // To record packets, which this unit does not.
    let rights = rights.strip_suffix(",cap_net_raw").unwrap();
    for setting in ["AmbientCapabilities", "CapabilityBoundingSet"] {
        let given = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{setting}=")));
        let given = given.unwrap().to_ascii_lowercase().replace(' ', ",");
        assert_eq!(given, rights, "{setting}");
    }
}

/// A watch whose lines are read as they come. It ends with this value.
pub(crate) struct Watch {
    child: Child,
    lines: Receiver<String>,
    pub(crate) seen: Vec<Value>,
}

impl Watch {
    /// As root, with events, when it has begun. `None`: not here, and that has been said.
    pub(crate) fn with_events() -> Option<Self> {
        if lacks(&[Need::Root, Need::Program("setpriv")]) {
            return None;
        }
        let refresh = ["--refresh", "0.2"];
        let mut watch = Self::start(&mut watching(Path::new(WHOCALLS), &refresh));
        let start = watch.until(|line| line["type"] == "start");
        if start["tier"] != "full" && full_tier_lacks() {
            return None;
        }
        watch.until(|line| line["kind"] == "tick");
        Some(watch)
    }

    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = out.lines().map_while(Result::ok);
            lines.all(|line| sender.send(line).is_ok())
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    pub(crate) fn until(&mut self, meant: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(start.elapsed());
            let Ok(line) = self.lines.recv_timeout(left) else {
                let gaps: Vec<_> = self.seen.iter().filter(|it| it["type"] == "gap").collect();
                panic!("no such line; gaps: {gaps:#?}");
            };
            let line: Value = serde_json::from_str(&line).unwrap();
            self.seen.push(line.clone());
            if meant(&line) {
                return line;
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn threads(&self) -> Vec<Status> {
        threads_of(self.pid())
    }

    fn children(&self) -> Vec<u32> {
        let pid = self.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children
            .split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }

    fn helper(&self) -> u32 {
        self.child_called("whocalls-helper")
    }

    pub(crate) fn examiner(&self) -> u32 {
        self.child_called("whocalls-exam")
    }

    fn child_called(&self, name: &str) -> u32 {
        let is_it = |pid: &u32| {
            let comm = fs::read_to_string(format!("/proc/{pid}/comm"));
            comm.is_ok_and(|comm| comm.trim_end() == name)
        };
        let found = self.children().into_iter().find(is_it);
        found.unwrap_or_else(|| panic!("no {name}: {:?}", self.children()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `/proc/PID/status`
#[derive(Debug)]
struct Status(String);

impl Status {
    fn of(path: &str) -> Self {
        Self(fs::read_to_string(path).unwrap())
    }

    fn text(&self, name: &str) -> &str {
        let mut lines = self.0.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(key, _)| *key == name);
        found
            .unwrap_or_else(|| panic!("{name}: {}", self.0))
            .1
            .trim()
    }

    fn number(&self, name: &str) -> u64 {
        u64::from_str_radix(self.text(name), 16).unwrap()
    }

    /// All but these rights.
    fn has_given_up(&self, kept: u64) {
        let all = ["CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"].map(|set| self.number(set));
        assert_eq!(all, [kept, kept, 0, 0, 0], "{}", self.0);
        assert_eq!((self.text("NoNewPrivs"), self.text("Seccomp")), ("1", "2"));
        // A user of its own.
        let pid: u32 = self.text("Tgid").parse().unwrap();
        let own = (0x7100_0000 + pid).to_string();
        let own = [own.as_str(); 4].join("\t");
        assert_eq!(
            (self.text("Uid"), self.text("Gid")),
            (own.as_str(), own.as_str())
        );
        assert_eq!(self.text("Groups"), "");
    }
}

fn threads_of(pid: u32) -> Vec<Status> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads
        .map(|thread| Status::of(thread.unwrap().path().join("status").to_str().unwrap()))
        .collect()
}

pub(crate) fn watching(program: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(["watch", "--ndjson"]).args(arguments);
    command
}

pub(crate) fn as_nobody(program: &Path) -> Command {
    let mut command = command("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
    command.arg("--inh-caps=-all").arg(program);
    command
}

/// Whether root has no full tier either. True, for the sake of its callers.
fn full_tier_lacks() -> bool {
    let doctor = Run::of(Command::new(WHOCALLS).arg("doctor")).text();
    assert!(!doctor.contains("how events are seen: full"), "{doctor}");
    skip("there is no full tier here")
}

fn kill(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Whether it tells of the connection from there in the network namespace of that process: others may
/// use the same address and port in theirs.
fn is_connection(line: &Value, local: &str, pid: u32) -> bool {
    use std::os::unix::fs::MetadataExt;
    let namespace = fs::metadata(format!("/proc/{pid}/ns/net")).unwrap().ino();
    line["type"] == "connection" && line["netns"] == namespace && Seen(line).local() == local
}

const LISTENER: &str = r#"
made = listener(('127.0.0.1', 0))
ready('%s:%d' % made.getsockname())
stay()
"#;

/// Sends when told to, and hangs up at the end of the test.
const CALLER: &str = r#"
calling, accepted, _ = both(('127.0.0.1', 0))
ready('%s:%d' % calling.getsockname())
calling.sendall(b'x' * 1000)
assert len(accepted.recv(1000, MSG_WAITALL)) == 1000
ready()
stay()
"#;
