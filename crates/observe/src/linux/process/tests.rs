//! Real processes, made for the purpose.

mod program;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use model::{BootId, PathState, Process, Text, Timestamp};

use super::super::spawned::spawned;
use super::Processes;

const SLEEP: &str = "/bin/sleep";

fn processes() -> Processes {
    let boot_time = Timestamp::from_unix_nanos(1_000_000_000);
    Processes::open(BootId([7; 16]), boot_time).unwrap()
}

/// Reads one process, once the program that was started there has its arguments.
fn look(pid: u32) -> Process {
    let mut processes = processes();
    wait_until(|| {
        let id = processes.read(pid);
        processes.known(id.unwrap()).unwrap().command_line.is_some()
    });
    let all = processes.into_processes();
    all.into_iter()
        .find(|process| process.id.pid == pid)
        .unwrap()
}

/// A child that ends with the test.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(spawned(command))
    }

    /// Starts a program that says in one line that it is ready.
    fn ready(command: &mut Command) -> Option<Self> {
        let mut running = Self::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let mut line = String::new();
        BufReader::new(running.0.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        (line == "ready\n").then_some(running)
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sleeping(program: &Path) -> Running {
    Running::start(Command::new(program).arg("60"))
}

fn text(path: &Path) -> Text {
    path.to_str().unwrap().into()
}

#[expect(clippy::print_stderr, reason = "a test that did not run has to say so")]
fn skipped(test: &str, why: &str) {
    eprintln!("skipped: {test}: {why}");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn reads_itself() {
    let own = look(std::process::id());
    assert_eq!(own.path, Some(text(&std::env::current_exe().unwrap())));
    assert_eq!(own.path_state, PathState::Present);
    assert_eq!(own.uid, Some(rustix::process::geteuid().as_raw()));
    assert_eq!(own.started.map(|it| it.unix_nanos() % 10_000_000), Some(0));
    assert_eq!((own.ended, own.kernel_thread), (None, false));
    let netns = fs::metadata("/proc/self/ns/net").unwrap().ino();
    assert_eq!(own.netns.map(|netns| u64::from(netns.0)), Some(netns));
    let arguments = own.command_line.unwrap();
    let expected: Vec<_> = std::env::args().map(Text::from).collect();
    assert_eq!(arguments, expected);
}

#[test]
fn reads_the_effective_user_of_each() {
    let mut processes = processes();
    for pid in processes.pids().unwrap() {
        let Some(id) = processes.read(pid) else {
            continue;
        };
        let Ok(status) = fs::read(format!("/proc/{pid}/status")) else {
            continue;
        };
        let status = String::from_utf8_lossy(&status);
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:\t"))
            .unwrap();
        let effective = line.split('\t').nth(1).unwrap().parse().unwrap();
        assert_eq!(processes.known(id).unwrap().uid, Some(effective), "{pid}");
    }
}

#[test]
fn lists_pids_in_order() {
    let pids = processes().pids().unwrap();
    assert!(pids.is_sorted() && pids.contains(&std::process::id()));
}

#[test]
fn knows_its_parents() {
    let child = sleeping(Path::new(SLEEP));
    let mut processes = processes();
    let id = processes.read(child.pid()).unwrap();
    let parents = &processes.known(id).unwrap().parents;
    assert_eq!(parents.first().unwrap().pid, std::process::id());
    assert_eq!(
        parents.first().unwrap().path,
        Some(text(&std::env::current_exe().unwrap()))
    );
    let above: Vec<_> = parents.iter().skip(1).cloned().collect();
    let all = processes.into_processes();
    assert!(all.is_sorted_by_key(|process| process.id.pid));
    let own = all
        .iter()
        .find(|process| process.id.pid == std::process::id())
        .unwrap();
    assert_eq!(own.parents, above);
}

#[test]
fn cuts_long_rows_of_parents() {
    // Each shell starts the next one, and the last one says that all are there.
    let script =
        r#"if [ "$1" -gt 0 ]; then sh -c "$0" "$0" $(($1 - 1)); else echo ready; read x; fi; :"#;
    let top = Running::ready(Command::new("sh").args(["-c", script, script, "80"])).unwrap();
    let mut processes = processes();
    let mut deepest = top.pid();
    for pid in processes.pids().unwrap() {
        let id = processes.read(pid);
        let process = id.and_then(|id| processes.known(id));
        if process.is_some_and(|it| it.parents.iter().any(|parent| parent.pid == deepest)) {
            deepest = pid;
        }
    }
    let all = processes.into_processes();
    let deepest = all
        .iter()
        .find(|process| process.id.pid == deepest)
        .unwrap();
    assert_eq!(deepest.parents.len(), super::MOST_PARENTS);
}

#[test]
fn cuts_long_command_lines() {
    let zeros = "0".repeat(131_000);
    let long = Running::start(
        Command::new(SLEEP)
            .arg("60")
            .args(std::iter::repeat_n(&zeros, 8)),
    );
    let read = look(long.pid());
    let length: usize = read
        .command_line
        .unwrap()
        .iter()
        .map(|it| it.bytes().len() + 1)
        .sum();
    assert!(
        read.command_line_truncated && (32_768..=32_769).contains(&length),
        "{length}"
    );

    let many = Running::start(
        Command::new(SLEEP)
            .arg("60")
            .args(std::iter::repeat_n("0", 5_000)),
    );
    let read = look(many.pid());
    assert!(read.command_line_truncated);
    assert_eq!(read.command_line.unwrap().len(), 1024);
}

#[test]
fn keeps_a_hostile_name() {
    let script = r"printf '\033[31m) R 1\n' > /proc/$$/comm; echo ready; read x";
    let running = Running::ready(Command::new("sh").args(["-c", script])).unwrap();
    let read = look(running.pid());
    assert_eq!(read.name, Text::from("\x1b[31m) R 1\n"));
    assert_eq!(read.parents.first().unwrap().pid, std::process::id());
}

#[test]
fn reads_a_new_program_anew_and_keeps_what_the_dead_had() {
    let script = "echo ready; read x; exec sleep 0.2";
    let mut running = Running::ready(Command::new("sh").args(["-c", script])).unwrap();
    let mut processes = processes();
    let id = processes.read(running.pid()).unwrap();
    assert_eq!(processes.known(id).unwrap().name, Text::from("sh"));
    drop(running.0.stdin.take());
    let arguments = Some(vec!["sleep".into(), "0.2".into()]);
    let end = Instant::now() + Duration::from_secs(10);
    while processes.known(id).unwrap().command_line != arguments {
        assert!(Instant::now() < end, "the shell did not become sleep");
        assert_eq!(processes.read(running.pid()), Some(id));
    }
    wait_for_state(running.pid(), 'Z');
    assert_eq!(processes.read(running.pid()), Some(id));
    let read = processes.known(id).unwrap();
    assert_eq!(
        (&read.command_line, read.path_state),
        (&arguments, PathState::Present)
    );
    assert!(!read.parents.is_empty());
}

#[test]
fn reads_a_zombie() {
    let running = Running::start(Command::new("true").stdin(Stdio::null()));
    wait_for_state(running.pid(), 'Z');
    let read = look(running.pid());
    assert_eq!(read.name, Text::from("true"));
    assert_eq!((read.path, read.path_state), (None, PathState::Unknown));
    assert_eq!(read.command_line, Some(Vec::new()));
    assert_eq!(read.parents.first().unwrap().pid, std::process::id());
}

#[test]
fn tells_runs_with_the_same_pid_apart() {
    let running = sleeping(Path::new(SLEEP));
    let mut processes = processes();
    let id = processes.read(running.pid()).unwrap();
    assert_eq!(processes.read_same(id.pid, id.start_ticks), Some(id));
    assert_eq!(processes.read_same(id.pid, id.start_ticks + 1), None);
    drop(running);
    assert_eq!(processes.read(id.pid), None);
    assert_eq!(processes.read_same(id.pid, id.start_ticks), None);
    assert!(processes.known(id).is_some());
    assert_eq!(processes.read(u32::MAX), None);
    assert_eq!(processes.read(0), None);
}

#[test]
fn knows_kernel_threads() {
    // In a PID namespace of its own there are none.
    let mut processes = processes();
    let Some(id) = processes.read(2) else {
        return skipped("knows_kernel_threads", "no process 2");
    };
    let read = processes.known(id).unwrap();
    if read.name != Text::from("kthreadd") {
        return skipped("knows_kernel_threads", "process 2 is not kthreadd");
    }
    assert!(read.kernel_thread && read.path.is_none());
    assert_eq!(read.command_line, Some(Vec::new()));
}

fn wait_for_state(pid: u32, state: char) {
    wait_until(|| {
        let stat = fs::read(format!("/proc/{pid}/stat")).unwrap();
        String::from_utf8_lossy(&stat).contains(&format!(") {state} "))
    });
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < end, "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}
