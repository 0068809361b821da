//! Programs that hold sockets while a test looks: Python, told line by line what to do.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::network::Namespace;
use crate::setting::{PATIENCE, command, find};

/// Every script begins with this.
const PRELUDE: &str = r#"
import array, ctypes, os, select, signal, struct, sys, threading, time
from socket import *

kept = []

def keep(thing):
    kept.append(thing)
    return thing

def listener(address, family=AF_INET, protocol=0, backlog=8):
    made = keep(socket(family, SOCK_STREAM, protocol))
    made.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    made.bind(address)
    made.listen(backlog)
    return made

def caller(address, family=AF_INET, protocol=0):
    made = keep(socket(family, SOCK_STREAM, protocol))
    made.connect(address)
    return made

def both(address, family=AF_INET, protocol=0):
    'A caller, and what its listener accepted.'
    waiting = listener(address, family, protocol)
    calling = caller(waiting.getsockname(), family, protocol)
    return calling, keep(waiting.accept()[0]), waiting

def ready(*words):
    'Tells the test that all is in place, and waits until it says to go on.'
    print('ready', *words, flush=True)
    if not sys.stdin.readline():
        os._exit(0)

def stay():
    'Waits for the end of the test.'
    end = select.poll()
    end.register(0, select.POLLHUP)
    end.poll()
    os._exit(0)
"#;

/// A running script. It ends, with all that it started, when this is dropped.
pub(crate) struct Actor {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// Where a script runs, and as whom.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Home,
    Inside(&'a Namespace),
}

impl Actor {
    /// Starts a script and waits until it is ready. Gives the words it has to say, too.
    pub(crate) fn start(place: Place<'_>, script: &str) -> (Self, Vec<String>) {
        let command = match place {
            Place::Home => Command::new(python()),
            Place::Inside(namespace) => namespace.command(python()),
        };
        Self::start_as(command, script)
    }

    /// The same, with the command that starts the interpreter.
    pub(crate) fn start_as(mut command: Command, script: &str) -> (Self, Vec<String>) {
        let mut child = command
            .args(["-I", "-c", &format!("{PRELUDE}\n{script}\nstay()\n")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let actor = Self {
            child,
            stdin,
            lines,
        };
        let words = actor.next_ready();
        (actor, words)
    }

    /// Lets the script go on, until it is ready again.
    pub(crate) fn go_on(&mut self) -> Vec<String> {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(b"\n").unwrap();
        self.next_ready()
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn next_ready(&self) -> Vec<String> {
        let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
            panic!("the script failed, or took too long; it may have said why above");
        };
        let mut words = line.split_whitespace().map(str::to_owned);
        assert_eq!(words.next().as_deref(), Some("ready"), "{line}");
        words.collect()
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        // What it started has the same stdin, and its group.
        self.stdin = None;
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// The interpreter itself; what lies in the PATH may be a script that looks for it, or lie where
/// not everyone may go.
pub(crate) fn python() -> PathBuf {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    let asked = || {
        let everyones = PathBuf::from("/usr/bin/python3");
        if everyones.exists() {
            return fs::canonicalize(&everyones).unwrap_or(everyones);
        }
        let said = command("python3")
            .args(["-c", "import sys; print(sys.executable)"])
            .output();
        let path = said.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        path.map_or_else(|_| find("python3").unwrap_or_default(), PathBuf::from)
    };
    PYTHON.get_or_init(asked).clone()
}
