//! Over a real socket, with an examiner that answers on a thread, with the rights of this test.

use std::process::{Command, Stdio};
use std::thread;

use model::{Check, Outcome, Process, ProcessId};

use super::processes::Asking;
use super::*;
use crate::linux::examine::{Machine, checks};
use crate::parse::proc_pid::stat;

fn start() -> Examiner {
    let (mut examiner, there) = with_nobody();
    thread::spawn(move || answering::answer_all(there.as_fd(), Machine::new()));
    examiner.child.wait().unwrap();
    examiner
}

/// One that does not answer, and the end of the socket that it would read.
fn with_nobody() -> (Examiner, OwnedFd) {
    let (here, there) = second::pair().unwrap();
    let child = Command::new("true").spawn().unwrap();
    (Examiner::over(here, child), there)
}

fn of(pid: u32) -> Request {
    let text = std::fs::read(format!("/proc/{pid}/stat")).unwrap();
    Request {
        pid,
        start_ticks: stat(&text).unwrap().start_ticks,
        depth: Depth::Cheap,
        program: 7,
    }
}

fn answers(examiner: &mut Examiner, count: usize) -> Vec<Answer> {
    let start = Instant::now();
    let mut answers = Vec::new();
    let is_asked = |answer: &Answer| matches!(answer, Answer::Examined { .. });
    while answers.iter().filter(|it| is_asked(it)).count() < count {
        examiner.wait(Duration::from_millis(10));
        examiner.answers(&mut answers);
        assert!(examiner.ended().is_none());
        assert!(start.elapsed() < Duration::from_secs(60), "{answers:?}");
    }
    answers.retain(is_asked);
    answers
}

/// What is told when it has ended. A program that another test starts just now may hold the other
/// side open for a moment.
fn end_of(examiner: &mut Examiner) -> Gap {
    let start = Instant::now();
    loop {
        examiner.answers(&mut Vec::new());
        if let Some(gap) = examiner.ended() {
            return gap;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it never ends");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn questions_are_answered() {
    let own = of(std::process::id());
    let other = Request {
        start_ticks: own.start_ticks + 1,
        ..own
    };
    let whole = Request {
        depth: Depth::Whole,
        ..own
    };
    let mut examiner = start();
    for request in [own, other, whole] {
        assert!(examiner.ask(request));
    }
    for answer in answers(&mut examiner, 3) {
        let Answer::Examined { request, found, .. } = answer else {
            panic!("{answer:?}");
        };
        if request == other {
            assert_eq!(found, Err(Untested::Ended));
            continue;
        }
        let found = found.unwrap();
        let made: Vec<_> = found.checks.iter().map(|made| made.check).collect();
        let mut expected: Vec<_> = checks(request.depth).collect();
        expected.sort_unstable();
        assert_eq!(made, expected);
        assert_eq!(found.outcome(Check::Hidden), Some(&Outcome::NothingFound));
        assert_eq!(found.outcome(Check::Covered), Some(&Outcome::NothingFound));
    }
}

#[test]
fn that_it_ended_is_told_once() {
    let (mut examiner, there) = with_nobody();
    examiner.answers(&mut Vec::new());
    assert!(examiner.ended().is_none());
    assert!(examiner.ask(of(std::process::id())));
    drop(there);
    let gap = end_of(&mut examiner);
    assert_eq!((gap.id.as_str(), gap.count), ("examiner_ended", Some(1)));
    assert!(!examiner.ask(of(std::process::id())));
    assert!(examiner.ended().is_none());

    let (mut examiner, there) = with_nobody();
    drop(there);
    assert_eq!(end_of(&mut examiner).count, None);
}

#[test]
fn what_is_no_answer_ends_it() {
    let request = of(std::process::id());
    let other = Answer::Examined {
        request: Request {
            program: 8,
            ..request
        },
        spent: Duration::ZERO,
        found: Err(Untested::Ended),
    };
    for packet in [&b"?"[..], &[0; 40], &[1; 8], &other.bytes()] {
        let (mut examiner, there) = with_nobody();
        assert!(examiner.ask(request));
        rustix::net::send(&there, packet, SendFlags::empty()).unwrap();
        let mut answers = Vec::new();
        examiner.answers(&mut answers);
        assert!(answers.is_empty(), "{answers:?}");
        assert!(examiner.ended().is_some(), "{packet:?}");
    }
}

#[test]
fn no_more_is_asked_than_can_wait() {
    let (mut examiner, _there) = with_nobody();
    let request = of(std::process::id());
    let asked = (0..2 * MOST_WAITING).filter(|_| examiner.ask(request));
    assert_eq!(asked.count(), MOST_WAITING);
}

fn process(pid: u32) -> Process {
    let request = of(pid);
    Process::unknown(ProcessId {
        boot: model::BootId([1; 16]),
        pid,
        start_ticks: request.start_ticks,
    })
}

#[test]
fn what_is_not_finished_is_not_testable() {
    let mut processes = vec![process(std::process::id())];
    let mut asking = Asking::of(&processes, Depth::Whole);
    let (examiner, _there) = with_nobody();
    asking.go_on(examiner, Instant::now());
    assert_eq!(asking.tell(&mut processes, Depth::Whole), 1);
    let examined = processes[0].examined.as_ref().unwrap();
    assert_eq!(examined.checks.len(), checks(Depth::Whole).count());
    let why = Outcome::NotTestable(Untested::NotFinished);
    assert!(examined.checks.iter().all(|made| made.outcome == why));
}

#[test]
fn what_takes_long_is_not_asked_where_nobody_wants_to_wait() {
    let mut processes = vec![process(std::process::id())];
    let mut asking = Asking::of(&processes, Depth::Cheap);
    asking.go_on(start(), Instant::now() + Duration::from_secs(60));
    assert_eq!(asking.tell(&mut processes, Depth::Cheap), 0);
    let examined = processes[0].examined.as_ref().unwrap();
    assert_eq!(examined.checks.len(), checks(Depth::Whole).count());
    let why = Outcome::NotTestable(Untested::NotAsked);
    let not_asked = examined.checks.iter().filter(|made| made.outcome == why);
    let not_asked: Vec<_> = not_asked.map(|made| made.check).collect();
    assert_eq!(not_asked, [Check::Package, Check::StartsItself]);
}

#[test]
fn a_look_is_examined_and_who_ended_meanwhile_is_not_testable() {
    let mut child = Command::new("sleep")
        .arg("1000")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let mut processes = vec![process(std::process::id()), process(child.id())];
    child.kill().unwrap();
    child.wait().unwrap();
    let mut asking = Asking::of(&processes, Depth::Whole);
    asking.go_on(start(), Instant::now() + Duration::from_secs(60));
    assert_eq!(asking.tell(&mut processes, Depth::Whole), 0);
    // They are sorted by their numbers by now, and numbers begin again from below.
    let outcome = |pid: u32, check| {
        let process = processes.iter().find(|it| it.id.pid == pid)?;
        process.examined.as_ref()?.outcome(check).cloned()
    };
    let own = outcome(std::process::id(), Check::Hidden);
    assert_eq!(own, Some(Outcome::NothingFound));
    let ended = Outcome::NotTestable(Untested::Ended);
    assert_eq!(outcome(child.id(), Check::CodeChanged), Some(ended));
}
