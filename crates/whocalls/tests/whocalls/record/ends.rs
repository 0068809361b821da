//! How a recording ends: as it should, or not.

use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use super::talking;
use crate::network::Namespace;
use crate::program::{Look, Run, WHOCALLS, whocalls};
use crate::recording::{Recorded, Recording, kill, on, packets, tree};
use crate::setting::{Need, lacks, wait_for};

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
    let recorded = recording.kill();
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
    if recording.processes().len() < 3 {
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

#[test]
fn it_ends_with_its_program() {
    if lacks(&[Need::Root]) {
        return;
    }
    let recording = Recording::spawn(
        Command::new(WHOCALLS),
        crate::recording::Room::new(),
        &["--depth", "events", "--", "sh", "-c", "sleep 0.3; exit 7"],
    );
    let recorded = recording.end();
    recorded.went_well();
    let log = recorded.log();
    let closed = log.last().unwrap();
    assert_eq!(closed["program"]["code"], 7, "{closed}");
    let missing = Recording::spawn(
        Command::new(WHOCALLS),
        crate::recording::Room::new(),
        &["--", "/nowhere/at/all"],
    );
    let missing = missing.end();
    assert_eq!(missing.run.code, Some(1), "{}", missing.run.talk());
    assert!(
        missing.run.talk().contains("/nowhere/at/all"),
        "{}",
        missing.run.talk()
    );
    assert!(missing.room.case().is_none());
}

#[test]
fn others_can_ask_how_far_it_is_and_end_it() {
    if lacks(&[Need::Root]) {
        return;
    }
    let first = Recording::start(&["--depth", "events"]);
    let second = Recording::start(&[]);
    let line = |pid: u32| {
        let status = whocalls(&["record", "status"]);
        assert_eq!(status.code, Some(0), "{}", status.talk());
        let text = status.text();
        let line = text
            .lines()
            .position(|line| line.split_whitespace().next() == Some(pid.to_string().as_str()));
        line.map(|line| {
            text.lines()
                .skip(line)
                .take(2)
                .collect::<Vec<_>>()
                .join("\n")
        })
    };
    for recording in [&first, &second] {
        let name = recording
            .case()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let shown = wait_for("numbers", || {
            line(recording.pid()).filter(|shown| shown.contains("events"))
        });
        assert!(shown.contains(&name), "{shown}");
    }
    let several = whocalls(&["record", "stop"]);
    assert_eq!(several.code, Some(1), "{}", several.talk());
    for recording in [&first, &second] {
        assert!(
            several.talk().contains(&recording.pid().to_string()),
            "{}",
            several.talk()
        );
    }
    let nobody = whocalls(&["record", "stop", "1"]);
    assert_ne!(nobody.code, Some(0), "{}", nobody.talk());

    let pid = first.pid();
    let stopped = stop(pid, first);
    stopped.went_well();
    assert!(line(pid).is_none());
    assert!(line(second.pid()).is_some());
    let pid = second.pid();
    stop(pid, second).went_well();
    assert!(line(pid).is_none());
}

/// Ends it from outside.
fn stop(pid: u32, mut recording: Recording) -> Recorded {
    let mut command = Command::new(WHOCALLS);
    command.args(["record", "stop", &pid.to_string()]);
    let asking = thread::spawn(move || Run::of(&mut command));
    // Nobody else fetches it: it would be there for ever.
    wait_for("its end", || recording.child.try_wait().unwrap());
    let asked = asking.join().unwrap();
    assert_eq!(asked.code, Some(0), "{}", asked.talk());
    recording.end()
}
