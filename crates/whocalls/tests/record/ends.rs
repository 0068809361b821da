//! How a recording ends: as it should, or not.

use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::talking;
use crate::actor::python;
use crate::network::Namespace;
use crate::program::{Look, Run, WHOCALLS, whocalls};
use crate::recording::{Recorded, Recording, kill, packets};
use crate::room::{Room, on, tree};
use crate::setting::{Need, command, lacks};

#[test]
fn a_killed_recording_keeps_what_is_older_than_a_second() {
    let Some(namespace) = Namespace::new() else {
        return;
    };
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    let recording = Recording::start(&[]);
    let (actor, words) = talking(&namespace);
    thread::sleep(Duration::from_millis(1200));
    let pid = recording.pid();
    let case = recording.case();
    let packed = recording.room.file("packed.zip");
    let into = ["-o", packed.to_str().unwrap()];
    for (reader, after, code) in [("verify", &[][..], 3), ("list", &[], 3), ("pack", &into, 1)] {
        let run = on(&case, &[reader], after);
        let said = format!("{}{}", run.text(), run.talk());
        assert_eq!(run.code, Some(code), "{reader}: {said}");
        let is_said = said.to_lowercase().contains("still being recorded");
        assert!(is_said && !said.contains("interrupted"), "{reader}: {said}");
    }
    let recorded = recording.kill();
    let run = on(&recorded.case, &["pack"], &into);
    assert_eq!(run.code, Some(3), "{}", run.talk());
    assert!(run.talk().contains("never sealed"), "{}", run.talk());
    std::fs::remove_file(packed).unwrap();
    assert_eq!(recorded.run.code, None);
    let status = whocalls(&["record", "status"]);
    assert_eq!(status.code, Some(0), "{}", status.talk());
    assert!(
        !status.text().contains(&pid.to_string()),
        "{}",
        status.text()
    );
    let part = recorded.case.join("packets/000001.pcapng.part");
    assert!(part.is_file(), "{:#?}", tree(&recorded.case).keys());
    cut_but_readable(&recorded, &[], actor.pid(), &words[0]);
}

/// What every reader says of a case that was interrupted.
pub(super) fn cut_but_readable(recorded: &Recorded, key: &[&str], pid: u32, local: &str) {
    let before = tree(&recorded.case);
    let verified = on(&recorded.case, &["verify"], &[]);
    assert_eq!(verified.code, Some(3), "{verified:?}");
    assert!(
        verified.text().contains("was being written"),
        "{}",
        verified.text()
    );
    let filter = format!("pid:{pid}");
    let with = |words: &[&'static str]| [words, key].concat();
    let listed = on(&recorded.case, &with(&["list", "-a", "--json"]), &[&filter]);
    assert_eq!(listed.code, Some(3), "{}", listed.talk());
    assert!(listed.talk().contains("interrupted"), "{}", listed.talk());
    let listed = Look(serde_json::from_slice(&listed.out).unwrap());
    assert!(
        listed.connections().any(|seen| seen.local() == local),
        "{:#}",
        listed.0
    );
    for form in ["--csv", "--ecs", "--ocsf", "--zeek", "--ndjson"] {
        let exported = on(&recorded.case, &with(&["export", form]), &[]);
        assert_eq!(exported.code, Some(3), "{form}: {}", exported.talk());
        assert!(
            exported.talk().contains("interrupted"),
            "{}",
            exported.talk()
        );
        let port = local.rsplit(':').next().unwrap();
        assert!(exported.text().contains(port), "{form}");
    }
    let exported = on(&recorded.case, &with(&["export", "--pcapng"]), &[&filter]);
    assert_eq!(exported.code, Some(3), "{}", exported.talk());
    let own = packets(&exported.out);
    let sent = own
        .iter()
        .filter(|it| it.ends().is_some_and(|ends| ends.1 == local));
    let sent = sent.count();
    assert!(sent >= 10, "{sent} of 15: {}", exported.talk());
    assert_eq!(tree(&recorded.case), before, "reading has written");
}

#[test]
fn without_the_process_that_makes_files_it_breaks_off() {
    if lacks(&[Need::Root]) {
        return;
    }
    let recording = Recording::start(&["--for", "20"]);
    kill(recording.process("whocalls-files"), Signal::KILL);
    // It needs no new file just now: at the latest it notices at its end.
    thread::sleep(Duration::from_millis(1500));
    let _ = rustix::process::kill_process(
        rustix::process::Pid::from_child(&recording.child),
        Signal::INT,
    );
    let recorded = recording.end();
    assert_eq!(recorded.run.code, Some(1), "{}", recorded.run.talk());
    assert!(
        recorded.run.talk().contains("broke off"),
        "{}",
        recorded.run.talk()
    );
    assert!(
        !recorded.run.talk().contains("panicked"),
        "{}",
        recorded.run.talk()
    );
    let verified = on(&recorded.case, &["verify"], &[]);
    assert_eq!(verified.code, Some(3), "{verified:?}");
    assert_eq!(on(&recorded.case, &["list"], &["-a"]).code, Some(3));
}

#[test]
fn without_its_helper_it_goes_on_and_says_so() {
    if lacks(&[Need::Root]) {
        return;
    }
    let recording = Recording::start(&[]);
    // Itself, what makes files, and what looks into processes.
    if recording.processes().len() < 4 {
        crate::setting::skip("there is no full tier here, and so no helper");
        return;
    }
    kill(recording.process("whocalls-helper"), Signal::KILL);
    thread::sleep(Duration::from_millis(600));
    let recorded = recording.stop();
    recorded.went_well();
    let listed = Look(on(&recorded.case, &["list", "--json"], &[]).json());
    assert!(
        listed.gap("helper_ended").is_some(),
        "{:#}",
        listed.0["gaps"]
    );
}

#[test]
fn signals_end_it_cleanly() {
    if lacks(&[Need::Root]) {
        return;
    }
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let recording = Recording::start(&["--depth", "events"]);
        recording.signal(signal);
        let recorded = recording.end();
        recorded.went_well();
        let ended = recorded.ended();
        let sender = &ended["sender"];
        let name = format!("SIG{}", name(signal));
        assert_eq!(
            (&ended["by"], &ended["signal"], &sender["pid"]),
            (&"signal".into(), &name.into(), &std::process::id().into()),
            "{ended}"
        );
        let own = std::fs::read_to_string("/proc/self/comm").unwrap();
        assert_eq!(
            (&sender["uid"], &sender["user"], &sender["name"]),
            (&0.into(), &"root".into(), &own.trim().into()),
            "{ended}"
        );
        assert_eq!(sender["certain"], true, "{ended}");
        let words = format!("from {} (process {})", own.trim(), std::process::id());
        let talk = recorded.run.talk();
        assert!(talk.contains(&words), "{talk}");
    }
    // A terminal that is closed tells its shell, and both tell us; only a second Ctrl-C is one of a
    // person who does not want to wait.
    for (first, then) in [
        (Signal::HUP, Signal::HUP),
        (Signal::TERM, Signal::TERM),
        (Signal::TERM, Signal::INT),
        (Signal::INT, Signal::HUP),
    ] {
        let recording = Recording::start(&[]);
        recording.signal(first);
        for _ in 0..20 {
            thread::sleep(Duration::from_millis(5));
            recording.signal_if_it_runs(then);
            if then == Signal::INT {
                break;
            }
        }
        recording.end().went_well();
    }
    let recording = Recording::start(&[]);
    recording.signal(Signal::INT);
    recording.signal(Signal::INT);
    let recorded = recording.end();
    // It may already be over when the second one comes.
    assert!(
        [Some(130), Some(0)].contains(&recorded.run.code),
        "{:?}",
        recorded.run
    );
    let code = on(&recorded.case, &["verify"], &[]).code;
    assert!([Some(3), Some(0)].contains(&code), "{code:?}");
}

fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::HUP => "HUP",
        Signal::INT => "INT",
        _ => "TERM",
    }
}

#[test]
fn what_its_terminal_does_is_told_from_what_others_do() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    for (deed, by) in [("key", "keyboard"), ("close", "terminal_closed")] {
        let mut terminal = Command::new(python());
        terminal.args(["-I", "-c", TERMINAL, deed, WHOCALLS]);
        let recording = Recording::start_as(terminal, Room::new(), &["--depth", "events"]);
        recording.signal(Signal::USR1);
        let recorded = recording.end();
        let verified = on(&recorded.case, &["verify"], &[]);
        assert_eq!(verified.code, Some(0), "{deed}: {verified:?}");
        let ended = recorded.ended();
        assert_eq!((&ended["by"], &ended["sender"]), (&by.into(), &Value::Null));
    }
}

/// Runs what it is told in a terminal of its own, and presses Ctrl-C or closes it when it gets a
/// signal.
const TERMINAL: &str = r"
import os, pty, select, signal, sys
asked = False
def ask(*_):
    global asked
    asked = True
signal.signal(signal.SIGUSR1, ask)
deed, program = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program[0], program)
while not asked:
    if select.select([terminal], [], [], 0.05)[0]:
        os.read(terminal, 4096)
if deed == 'key':
    os.write(terminal, b'\x03')
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass
else:
    os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
";

#[test]
fn the_seal_waits_for_nobody() {
    if lacks(&[Need::Program("python3")]) {
        return;
    }
    for (deed, seals, left_out) in [("answer", 2, false), ("key", 1, true), ("close", 1, true)] {
        let room = Room::new();
        let mut terminal = command(python().to_str().unwrap());
        terminal
            .args(["-I", "-c", QUESTIONS, deed])
            .arg(room.path());
        terminal.args([WHOCALLS, "record", "--for", "1", "--copy-programs", "none"]);
        let run = Run::of(&mut terminal);
        let text = run.text();
        assert_eq!(run.code, Some(0), "{deed}: {text}{}", run.talk());
        // While the question stood.
        assert!(text.contains("verified 0\n"), "{deed}: {text}");
        let was_left_out = text.contains("was left out");
        assert_eq!(was_left_out, left_out && deed != "close", "{deed}: {text}");
        let case = room.case().unwrap();
        let verified = on(&case, &["verify"], &[]);
        assert_eq!(verified.code, Some(0), "{deed}: {verified:?}");
        let lines = verified.text();
        let told: Vec<_> = lines.lines().filter(|it| it.starts_with("seal")).collect();
        assert_eq!(told.len(), seals, "{deed}: {told:?}");
        if deed != "close" {
            let last = told.last().unwrap();
            let last = last.split("  ").nth(1).unwrap();
            assert!(text.contains(last), "{deed}: {text}");
        }
        let phone = case.join("snapshots/last-phone.json");
        assert_eq!(phone.exists(), deed == "answer", "{deed}");
    }
}

/// Records in a terminal of its own, answers what is asked at the beginning, and at the end answers,
/// presses Ctrl-C or closes it.
const QUESTIONS: &str = r#"
import glob, os, pty, select, subprocess, sys, time
deed, room, program = sys.argv[1], sys.argv[2], sys.argv[3:]
pid, terminal = pty.fork()
if pid == 0:
    os.execv(program[0], program)
said = ''
def until(*words):
    global said
    end = time.time() + 100
    while not any(word in said for word in words):
        if time.time() > end:
            sys.exit('it did not say ' + repr(words) + ': ' + said)
        if select.select([terminal], [], [], 1)[0]:
            try:
                said += os.read(terminal, 4096).decode()
            except OSError:
                break
def say(text):
    global said
    os.write(terminal, text.encode())
until('Enter to stop:'); said = ''; say(room + '/missing\n')
until('cannot record into'); until('Enter to stop:'); said = ''; say(room + '\n')
until('Which?'); said = ''; say('half\n')
until("'half' is none of"); said = ''; say('Headers\n')
until('telephone show'); said = ''; say('half past\n')
until("'half past' is not a time"); said = ''; say('12:00:00\n')
until('closed and sealed.', 'Recorded.')
case = glob.glob(room + '/whocalls-*')[0]
print('verified', subprocess.run([program[0], 'verify', case], stdout=subprocess.DEVNULL).returncode)
if deed == 'answer':
    say('12:00\n')
elif deed == 'key':
    say('\x03')
else:
    os.close(terminal)
if deed != 'close':
    until('no such words')
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(said)
sys.exit(0 if deed == 'close' else code)
"#;

#[test]
fn a_sender_that_has_ended_is_known_all_the_same() {
    if lacks(&[Need::Root, Need::Program("kill")]) {
        return;
    }
    let recording = Recording::start(&["--depth", "events"]);
    let is_full = !recording.talk().contains("Much will be missed");
    let pid = recording.pid().to_string();
    crate::setting::run("kill", &["-TERM", &pid]).unwrap();
    let recorded = recording.end();
    recorded.went_well();
    let ended = recorded.ended();
    assert_eq!(
        (&ended["by"], &ended["sender"]["uid"]),
        (&"signal".into(), &0.into())
    );
    if is_full {
        assert_eq!(ended["sender"]["name"], "kill", "{ended}");
    }
}

#[test]
fn it_ends_after_its_time() {
    let recording = Recording::spawn(
        Command::new(WHOCALLS),
        Room::new(),
        &["--depth", "events", "--for", "1"],
    );
    let recorded = recording.end();
    recorded.went_well();
    assert_eq!(recorded.ended()["by"], "time");
}

#[test]
fn it_ends_with_its_program() {
    if lacks(&[Need::Root]) {
        return;
    }
    let recording = Recording::spawn(
        Command::new(WHOCALLS),
        Room::new(),
        &["--depth", "events", "--", "sh", "-c", "sleep 0.3; exit 7"],
    );
    let recorded = recording.end();
    recorded.went_well();
    let log = recorded.log();
    let closed = log.last().unwrap();
    assert_eq!(closed["program"]["code"], 7, "{closed}");
    assert_eq!(recorded.ended()["by"], "program");
    for cannot_start in ["/nowhere/at/all", "/etc/passwd", "/etc"] {
        let missing = Recording::spawn(Command::new(WHOCALLS), Room::new(), &["--", cannot_start]);
        let missing = missing.end();
        let talk = missing.run.talk();
        assert_eq!(missing.run.code, Some(1), "{talk}");
        assert!(talk.contains(cannot_start), "{talk}");
        // Nothing is left of it.
        assert!(missing.room.case().is_none(), "{cannot_start}");
    }
}
