//! `--until-exit`: a program that is started, watched and waited for.

use super::*;

#[test]
fn a_program_is_watched_with_all_that_it_starts() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    for tier in TIERS {
        let (mut other, _) = Actor::start(Place::Home, CALL);
        let python = python();
        let program = [
            "--until-exit",
            "--",
            python.to_str().unwrap(),
            "-I",
            "-c",
            FAMILY,
        ];
        let arguments = [&["--refresh", "0.2"], &program[..]].concat();
        let mut stream = Stream::start(&arguments, tier);
        let root = stream.until(|line| line["type"] == "process");
        let others = other.go_on();
        let ended = stream.end();
        ended.went_well();
        let program = &ended.last()["program"];
        assert_eq!(program["status"]["code"], 3, "{program}");
        assert_eq!(program["status"]["signal"], Value::Null);
        let talked: Vec<_> = ended.talk.split_whitespace().collect();
        let [child, local] = talked.as_slice() else {
            panic!("{talked:?}");
        };
        assert!(ended.connections_of(&others[0]).is_empty());
        // The child has lived on for a second after the program itself ended.
        let lines = ended.connections_of(local);
        let pids: HashSet<_> = lines.iter().flat_map(|line| line.pids()).collect();
        assert!(pids.contains(&child.parse().unwrap()), "{pids:?}");
        assert_eq!(lines.last().unwrap().0["change"], "closed");
        assert!(root["pid"].is_u64());
    }
}

#[test]
fn how_a_program_ended_is_told() {
    for (script, code, signal) in [
        ("exit 0", Value::from(0), Value::Null),
        ("exit 7", Value::from(7), Value::Null),
        ("kill -9 $$", Value::Null, Value::from(9)),
    ] {
        let program = ["--until-exit", "--", "sh", "-c", script];
        let ended = Stream::start(&program, Some("--polling")).end();
        ended.went_well();
        let status = &ended.last()["program"]["status"];
        assert_eq!(
            (&status["code"], &status["signal"]),
            (&code, &signal),
            "{script}"
        );
    }
    let program = ["--for", "1", "--until-exit", "--", "sh", "-c", SLEEPER];
    let ended = Stream::start(&program, Some("--polling")).end();
    let program = &ended.last()["program"];
    assert_eq!((ended.code, &program["status"]), (Some(0), &Value::Null));
    let pid = i32::try_from(program["pid"].as_i64().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_program_runs_as_if_it_were_started_in_our_place() {
    let mut command = Command::new(WHOCALLS);
    command.args([
        "watch",
        "--ndjson",
        "--polling",
        "--until-exit",
        "--",
        "sh",
        "-c",
        PLACE,
    ]);
    command
        .env("WHOCALLS_TEST", "as-it-was")
        .current_dir("/usr");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"input\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let talk = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = talk.lines().collect();
    assert_eq!(lines[..3], ["as-it-was", "/usr", "input"], "{talk}");
    assert_eq!(
        lines[3],
        rustix::process::getpgrp().as_raw_nonzero().to_string()
    );
    let descriptors: Vec<_> = lines.iter().filter(|line| line.contains(':')).collect();
    assert!(
        descriptors.iter().all(|it| it.starts_with("pipe:")),
        "{talk}"
    );
    let blocked = lines.iter().find_map(|line| line.strip_prefix("SigBlk"));
    assert_eq!(blocked, Some(" 0000000000000000"), "{talk}");
    let ignored = |status: &str| {
        let mut lines = status.lines();
        let signals = lines.find_map(|line| line.strip_prefix("SigIgn")).unwrap();
        u64::from_str_radix(signals.trim_matches([':', '\t', ' ']), 16).unwrap()
    };
    // As here, but for SIGPIPE, which this program ignores itself. Bit 0 is of signal 1.
    let (interrupt, pipe, terminate) = (1 << 1, 1 << 12, 1 << 14);
    let here = ignored(&std::fs::read_to_string("/proc/self/status").unwrap());
    assert_eq!(
        ignored(&talk) & (interrupt | pipe | terminate),
        here & (interrupt | terminate),
        "{talk}"
    );
    assert!(!String::from_utf8_lossy(&output.stdout).contains("as-it-was"));
}

#[test]
fn a_program_that_cannot_be_started_is_a_failure() {
    for (program, said) in [
        ("no-such-program", "no-such-program"),
        ("/no/such/program", "No such file"),
        ("/etc/passwd", "ermission denied"),
        ("/", "ermission denied"),
    ] {
        let run = whocalls(&[
            "watch",
            "--ndjson",
            "--polling",
            "--until-exit",
            "--",
            program,
        ]);
        assert_eq!(run.code, Some(1), "{program}");
        assert!(run.out.is_empty(), "{program}: {}", run.text());
        assert!(run.talk().contains(said), "{program}: {}", run.talk());
    }
}

/// Ends with 3; its child lives a second longer, and tells its number and its call.
const FAMILY: &str = r#"
import os, sys, time
from socket import *
time.sleep(1)
waiting = socket(); waiting.bind(('127.0.0.1', 0)); waiting.listen()
if os.fork():
    os._exit(3)
calling = socket(); calling.connect(waiting.getsockname())
print(os.getpid(), '%s:%d' % calling.getsockname(), flush=True)
time.sleep(1)
calling.close()
time.sleep(0.5)
"#;

const PLACE: &str = r#"
echo "$WHOCALLS_TEST"
pwd
read line
echo "$line"
cut -d' ' -f5 /proc/self/stat
for one in /proc/$$/fd/*; do readlink "$one"; done
sed -n 's/^\(Sig...\):\t/\1 /p' /proc/self/status
"#;

/// Keeps nothing open that a test waits for.
const SLEEPER: &str = "exec sleep 100 >/dev/null 2>&1";
