//! Programs that look for who looks at them: they end when whocalls begins, and come back under another
//! name or when it has gone. A renamed copy of whocalls is not what they look for, and sees it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;
use std::{fs, thread};

use serde_json::Value;

use crate::actor::python;
use crate::alone;
use crate::program::copy_to;
use crate::setting::{Folder, Need, PATIENCE, lacks, unique};

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../bench/injections/ends_when_watched.py"
);
const RULE: &str = "ended_when_we_started";
/// A program that has not run for so long when whocalls begins may end by itself.
const A_WHILE: Duration = Duration::from_millis(2500);

/// A process whose lines are read as they come. It ends with this value.
struct Talker {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Talker {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let out: Box<dyn Read + Send> = Box::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            let mut lines = BufReader::new(out).lines().map_while(Result::ok);
            lines.all(|line| sender.send(line).is_ok())
        });
        let stdin = child.stdin.take();
        Self {
            child,
            stdin,
            lines,
        }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    fn until(&self, what: &str) {
        while !self.line().starts_with(what) {}
    }

    fn go_on(&mut self) {
        self.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// whocalls under another name, while it watches.
struct Watch {
    talker: Talker,
    seen: Vec<Value>,
}

impl Watch {
    fn start(program: &Path) -> Self {
        Self {
            talker: Talker::start(Command::new(program).args(["watch", "--ndjson"])),
            seen: Vec::new(),
        }
    }

    fn until(&mut self, what: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line: Value = serde_json::from_str(&self.talker.line()).unwrap();
            self.seen.push(line.clone());
            if what(&line) {
                return line;
            }
        }
    }

    /// It holds a connection.
    fn knows(&mut self, victim: &Victim) {
        let pid = victim.talker.child.id();
        self.until(|line| {
            line["type"] == "connection" && line["process"]["pid"].as_u64() == Some(pid.into())
        });
    }

    /// What it finds of it: with this severity, be it the first thing or news.
    fn finds(&mut self, victim: &Victim, severity: &str) -> Value {
        let is_it = |line: &Value| victim.is_of(line) && line["severity"] == severity;
        if let Some(line) = self.seen.iter().find(|line| is_it(line)) {
            return line.clone();
        }
        self.until(is_it)
    }

    fn finding_of(&self, victim: &Victim) -> Option<&Value> {
        self.seen.iter().rev().find(|line| victim.is_of(line))
    }
}

/// A program that looks for `watcher`, under a name of its own.
struct Victim {
    talker: Talker,
    script: PathBuf,
}

impl Victim {
    fn start(folder: &Folder, name: &str, watcher: &str, then: &str) -> Self {
        let script = folder.file(format!("{name}.py"));
        fs::copy(SCRIPT, &script).unwrap();
        let talker = Talker::start(
            Command::new(python())
                .arg(&script)
                .args(["--names", watcher, "--then", then, "--wait", "--for", "600"])
                // What it starts again ends with the folder.
                .arg("--as-long-as")
                .arg(folder.path())
                .stderr(Stdio::null()),
        );
        talker.until("ready");
        Self { talker, script }
    }

    fn is_of(&self, line: &Value) -> bool {
        line["type"] == "finding"
            && line["rule"] == RULE
            && line["facts"]["path"] == self.script.to_str().unwrap()
    }
}

fn renamed(folder: &Folder, name: &str) -> (PathBuf, String) {
    let name = format!("{name}-{}", unique());
    let program = folder.file(&name);
    fs::rename(copy_to(folder.path()), &program).unwrap();
    (program, name)
}

/// A process, and what it has started.
fn processes(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let children = fs::read_to_string(thread.unwrap().path().join("children")).unwrap();
        let children = children.split_whitespace();
        all.extend(children.map(|it| it.parse::<u32>().unwrap()));
    }
    all
}

#[test]
fn who_ends_when_we_begin_is_noted() {
    let _alone = alone();
    if lacks(&[Need::Root, Need::Program("python3")]) {
        return;
    }
    let folder = Folder::new();
    let (program, name) = renamed(&folder, "calls");
    let mut ends = Victim::start(&folder, "ends", &name, "end");
    let stays = Victim::start(&folder, "stays", &name, "stay");
    thread::sleep(A_WHILE);
    let mut watch = Watch::start(&program);
    ends.talker.until("seen");
    stays.talker.until("seen");
    watch.knows(&ends);
    ends.talker.go_on();
    let found = watch.finds(&ends, "low");
    assert_eq!(found["facts"]["again"], Value::Null, "{found:#}");
    watch.until(|line| line["kind"] == "tick");
    assert_eq!(watch.finding_of(&stays), None);
}

#[test]
fn who_comes_back_is_seen_by_a_renamed_copy() {
    let _alone = alone();
    if lacks(&[Need::Root, Need::Program("python3")]) {
        return;
    }
    let folder = Folder::new();
    let (quiet, _) = renamed(&folder, "quiet");
    let (loud, name) = renamed(&folder, "loud");
    let start = |of: &str, then| Victim::start(&folder, of, &name, then);
    let (mut renames, mut returns) = (start("renames", "rename"), start("returns", "return"));
    let (mut waits, mut hurries) = (start("waits", "end"), start("hurries", "end"));
    let all = [&renames, &returns, &waits, &hurries];
    let mut watch = Watch::start(&quiet);
    for victim in all {
        watch.knows(victim);
    }
    let all_of_it = processes(watch.talker.child.id());
    assert!(all_of_it.len() >= 2, "{all_of_it:?}");
    for pid in all_of_it {
        for file in ["comm", "cmdline"] {
            let called = fs::read(format!("/proc/{pid}/{file}")).unwrap();
            let called = String::from_utf8_lossy(&called).into_owned();
            let first = called.split('\0').next().unwrap();
            let name = Path::new(first).file_name().unwrap().to_string_lossy();
            assert!(name.starts_with("quiet"), "{pid} is called {called:?}");
        }
    }
    thread::sleep(A_WHILE);
    // Nobody has noticed it.
    for victim in all {
        assert!(victim.talker.lines.try_recv().is_err());
    }
    let listed = Watch::start(&loud);
    for victim in [&mut renames, &mut returns, &mut waits, &mut hurries] {
        victim.talker.until("seen");
        victim.talker.go_on();
    }
    let found = watch.finds(&renames, "medium");
    let again = found["facts"]["again"].as_str().unwrap();
    assert!(again.ends_with("/updater.py"), "{found:#}");
    for victim in [&waits, &hurries] {
        watch.finds(victim, "low");
    }
    // It runs again while we are there, as what is started over and over does.
    let soon = start("hurries", "stay");
    watch.until(|line| line["pid"].as_u64() == Some(soon.talker.child.id().into()));
    drop(listed);
    let found = watch.finds(&returns, "medium");
    let again = found["facts"]["again"].as_str().unwrap();
    assert!(again.ends_with("/returns.py"), "{found:#}");
    let _late = start("waits", "stay");
    let found = watch.finds(&waits, "medium");
    assert!(found["facts"]["after_us"].is_u64(), "{found:#}");
    let explained = found["explanation"].as_str().unwrap();
    assert!(
        explained.contains("after whocalls had ended"),
        "{explained}"
    );
    let found = watch.finding_of(&hurries).unwrap();
    assert_eq!(found["severity"], "low", "{found:#}");
}
