//! Processes to examine: those of the distribution, and those that a small program does something to
//! (`bench/injections`).

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use model::{Outcome, Sign};

use super::{Kept, Subject};
use crate::parse::proc_pid::stat;

/// One that runs.
pub(super) fn subject_of(pid: u32) -> Subject {
    let text = std::fs::read(format!("/proc/{pid}/stat")).unwrap();
    Subject::open(pid, stat(&text).unwrap().start_ticks).unwrap()
}

/// A process that ends with this.
pub(super) struct Victim {
    child: Child,
    /// The one to be examined; the child itself, or one of its own.
    pub(super) pid: u32,
}

impl Victim {
    /// A program of the distribution, once it waits. `None`: it is not here, or does not run.
    pub(super) fn program(program: &str, arguments: &[&str]) -> Option<Self> {
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            skip(&format!("{program} is not here"));
            return None;
        };
        let pid = child.id();
        let mut victim = Self { child, pid };
        if victim.is_waiting() {
            return Some(victim);
        }
        skip(&format!("{program} does not run"));
        None
    }

    /// One that something was done to. `None`: it cannot be done here.
    pub(super) fn injection(name: &str) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/injections");
        let mut child = Command::new("sh")
            .arg(folder.join("run.sh"))
            .arg(name)
            .env("INJECTIONS", built())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let told = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line);
        let pid = told.ok().and_then(|_| line.trim().parse().ok());
        let mut victim = Self { child, pid: 0 };
        match pid {
            Some(pid) => victim.pid = pid,
            None => {
                skip(&format!("{name}: {}", line.trim()));
                return None;
            }
        }
        Some(victim)
    }

    pub(super) fn subject(&self) -> Subject {
        subject_of(self.pid)
    }

    pub(super) fn outcome(&self, check: fn(&Subject, &mut Kept) -> Outcome) -> Outcome {
        check(&self.subject(), &mut Kept::default())
    }

    /// Whether it has come to wait for something. It counts as started before its memory is filled.
    fn is_waiting(&mut self) -> bool {
        let mut asleep = 0;
        for _ in 0..2000 {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            let text = std::fs::read(format!("/proc/{}/stat", self.pid)).unwrap();
            let state = String::from_utf8_lossy(&text);
            let state = state
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .trim_start()
                .chars()
                .next();
            asleep = if state == Some('S') { asleep + 1 } else { 0 };
            // Runtimes sleep now and then while they start.
            if asleep > 40 {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // The victim of an injector ends with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::print_stderr, reason = "a test that did not run has to say so")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

pub(super) fn signs(outcome: &Outcome) -> Vec<Sign> {
    let Outcome::Found { traces, .. } = outcome else {
        assert_eq!(*outcome, Outcome::NothingFound);
        return Vec::new();
    };
    let mut signs: Vec<_> = traces.iter().map(|trace| trace.sign).collect();
    signs.dedup();
    signs
}

/// Innocent ones, as far as they are here: small ones, and those that make code while they run.
pub(super) fn innocents() -> Vec<Victim> {
    let busy = "let a=[];for(let i=0;i<3e5;i++)a.push(i*i);setInterval(()=>{},1e6)";
    let ruby = "x=0; 200000.times{|i| x+=i}; sleep 1000";
    let lua = "local x=0 for i=1,1e7 do x=x+i%7 end local ffi=require'ffi' \
        ffi.cdef[[int poll(void*,int,int);]] ffi.C.poll(nil,0,1000000)";
    let php = "$x=0; for($i=0;$i<1000000;$i++){$x+=$i%7;} sleep(1000);";
    let jit = [
        "-dopcache.enable_cli=1",
        "-dopcache.jit_buffer_size=16M",
        "-dopcache.jit=tracing",
    ];
    let php: Vec<_> = jit.into_iter().chain(["-r", php]).collect();
    std::fs::create_dir_all(built()).unwrap();
    let java = built().join(format!("Sleeps{}.java", std::process::id()));
    let text = "class Sleeps { public static void main(String[] a) throws Exception { \
        Thread.sleep(1L << 40); } }";
    std::fs::write(&java, text).unwrap();
    let guile = "(let loop ((i 0)) (if (< i 10000000) (loop (+ i 1)))) (sleep 1000)";
    let lisp = "(sleep 1000)";
    let erlang = "lists:sum(lists:seq(1, 1000000)), timer:sleep(infinity).";
    let programs: [(&str, &[&str]); 12] = [
        ("sleep", &["1000"]),
        ("python3", &["-c", "import ctypes,time; time.sleep(1000)"]),
        ("perl", &["-e", "sleep 1000"]),
        ("node", &["-e", busy]),
        ("php", &php),
        ("ruby", &["-e", ruby]),
        ("luajit", &["-e", lua]),
        ("java", &[java.to_str().unwrap()]),
        ("guile", &["-c", guile]),
        ("pypy3", &["-c", "import time; time.sleep(1000)"]),
        ("sbcl", &["--noinform", "--eval", lisp]),
        ("erl", &["-noinput", "-eval", erlang]),
    ];
    let found = programs.into_iter();
    let found = found
        .filter_map(|(program, arguments)| Victim::program(program, arguments))
        .collect();
    let _ = std::fs::remove_file(java);
    found
}

/// Where the injectors are built, beside the tests.
fn built() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().unwrap().join("injections")
}
