//! Who is asked about, in time that is made up.

use super::*;
use model::BootId;

const CHEAP: Duration = Duration::from_millis(1);

fn id(pid: u32) -> ProcessId {
    ProcessId {
        boot: BootId([1; 16]),
        pid,
        start_ticks: 5,
    }
}

fn process(pid: u32) -> Process {
    Process::unknown(id(pid))
}

/// All that may be asked at one moment.
fn asked(schedule: &mut Schedule, now: Instant) -> Vec<Question> {
    std::iter::from_fn(|| schedule.next(now)).collect()
}

/// The same, and each is answered at once.
fn told(schedule: &mut Schedule, now: Instant, spent: Duration) -> Vec<(u32, Depth)> {
    let mut all = Vec::new();
    loop {
        let questions = asked(schedule, now);
        if questions.is_empty() {
            return all;
        }
        for question in questions {
            all.push((question.id.pid, question.depth));
            schedule.answered(question, spent, true, now);
        }
    }
}

fn cheap(pids: impl IntoIterator<Item = u32>) -> Vec<(u32, Depth)> {
    pids.into_iter().map(|pid| (pid, Depth::Cheap)).collect()
}

#[test]
fn all_that_run_are_asked_about_cheaply_before_anything_dear() {
    let now = Instant::now();
    let mut schedule = Schedule::new(now);
    for pid in 1..=300 {
        schedule.was_there(&process(pid));
    }
    let mut kernel_thread = process(301);
    kernel_thread.kernel_thread = true;
    schedule.was_there(&kernel_thread);
    let first = asked(&mut schedule, now);
    assert_eq!(first.len(), MOST_OUT);
    for question in first {
        schedule.answered(question, CHEAP, true, now);
    }
    let rest = told(&mut schedule, now, CHEAP);
    let (cheap_ones, dear): (Vec<_>, Vec<_>) = rest
        .into_iter()
        .partition(|(_, depth)| *depth == Depth::Cheap);
    assert_eq!(cheap_ones.len(), 300 - MOST_OUT);
    // Whole ones follow one by one, with rests.
    assert_eq!(dear, [(1, Depth::Whole)]);
    assert_eq!(asked(&mut schedule, now), []);
    let later = now + CHEAP * REST;
    assert_eq!(told(&mut schedule, later, CHEAP), [(2, Depth::Whole)]);
}

#[test]
fn whoever_begins_a_program_is_asked_about_at_once_and_when_it_has_settled() {
    let now = Instant::now();
    let mut schedule = Schedule::new(now);
    assert!(schedule.meet(&process(7)));
    assert_eq!(asked(&mut schedule, now), []);
    schedule.began_program(id(7), now);
    assert_eq!(told(&mut schedule, now, CHEAP), cheap([7]));
    assert_eq!(asked(&mut schedule, now + SETTLED / 2), []);
    let settled = told(&mut schedule, now + SETTLED, CHEAP);
    assert_eq!(settled, [(7, Depth::Cheap), (7, Depth::Whole)]);
    assert_eq!(asked(&mut schedule, now + SETTLED * 100), []);
}

#[test]
fn what_was_asked_about_a_former_program_says_nothing() {
    let now = Instant::now();
    let mut schedule = Schedule::new(now);
    schedule.was_there(&process(7));
    let [question] = asked(&mut schedule, now)[..] else {
        panic!();
    };
    schedule.began_program(id(7), now);
    // It is asked about again when that is answered.
    assert_eq!(asked(&mut schedule, now), []);
    assert!(schedule.answered(question, CHEAP, true, now).is_none());
    let [question] = asked(&mut schedule, now)[..] else {
        panic!();
    };
    assert!(schedule.answered(question, CHEAP, true, now).is_some());
}

#[test]
fn whoever_uses_the_network_is_asked_about_again_and_again() {
    let now = Instant::now();
    let mut schedule = Schedule::new(now);
    // It has begun no program of its own.
    schedule.meet(&process(7));
    schedule.meet(&process(8));
    schedule.talks(id(7));
    schedule.talks(id(7));
    schedule.talks(id(9));
    let first = told(&mut schedule, now, CHEAP);
    assert_eq!(first, [(7, Depth::Cheap), (7, Depth::Whole)]);
    assert_eq!(asked(&mut schedule, now + EACH / 2), []);
    for round in 1..10 {
        let now = now + EACH * round;
        assert_eq!(told(&mut schedule, now, CHEAP), cheap([7]));
    }
    schedule.ended(id(7));
    assert_eq!(asked(&mut schedule, now + EACH * 20), []);
    assert_eq!(schedule.runs.len(), 1);
}

#[test]
fn shells_near_who_uses_the_network_are_asked_about_now_and_then() {
    let now = Instant::now();
    let mut schedule = Schedule::new(now);
    let below = |pid, parent, path: &str| Process {
        path: Some(path.into()),
        parents: vec![model::Parent {
            pid: parent,
            name: "x".into(),
            path: None,
        }],
        ..process(pid)
    };
    let all = [
        below(7, 3, "/usr/bin/nc"),
        // Beside it, below it, and elsewhere; and others that are no shells.
        below(8, 3, "/usr/bin/dash"),
        below(9, 7, "/usr/bin/python3.11"),
        below(10, 4, "/usr/bin/dash"),
        below(11, 3, "/usr/bin/sleep"),
        below(12, 3, "/usr/bin/sleep"),
    ];
    for process in &all {
        schedule.was_there(process);
    }
    told(&mut schedule, now, CHEAP);
    let rest = |schedule: &mut Schedule, now| {
        let all = told(schedule, now, CHEAP).into_iter();
        let cheap = all.filter(|(_, depth)| *depth == Depth::Cheap);
        cheap.map(|(pid, _)| pid).collect::<Vec<_>>()
    };
    schedule.talks_near(id(7), now);
    schedule.talks(id(7));
    assert!(rest(&mut schedule, now + EACH / 2).is_empty());
    assert_eq!(rest(&mut schedule, now + EACH), [8, 9, 7]);
    schedule.talks_near(id(7), now + NEAR_EACH);
    assert_eq!(rest(&mut schedule, now + NEAR_EACH), [7]);
    let now = now + EACH;
    // By now that one is a shell, too.
    schedule.meet(&below(12, 3, "/usr/bin/bash"));
    let later = now + NEAR_EACH;
    schedule.talks_near(id(7), later);
    schedule.talks_near(id(7), later);
    assert_eq!(rest(&mut schedule, later), [7, 8, 12, 9]);
    // Once, and not before some time has passed.
    assert_eq!(rest(&mut schedule, later + EACH), [7]);
    schedule.talks_near(id(7), later + EACH);
    assert_eq!(rest(&mut schedule, later + 2 * EACH), [7]);
    schedule.ended(id(8));
    schedule.meet(&below(12, 3, "/usr/bin/sleep"));
    let last = later + 2 * NEAR_EACH;
    schedule.talks_near(id(7), last);
    assert_eq!(rest(&mut schedule, last), [7, 9]);
    assert!(schedule.shells.values().all(|it| !it.contains(&id(8))));
}

#[test]
fn what_was_found_while_it_began_is_of_interest_when_it_talks() {
    let now = Instant::now();
    let mut schedule = Schedule::new(now);
    schedule.meet(&process(7));
    schedule.began_program(id(7), now);
    let [question] = asked(&mut schedule, now)[..] else {
        panic!();
    };
    let run = schedule.answered(question, CHEAP, true, now).unwrap();
    assert!(run.is_of_no_interest());
    run.held = Some(Examined::default());
    assert_eq!(schedule.talks(id(7)), Some(Examined::default()));
    assert_eq!(schedule.talks(id(7)), None);
    assert!(!schedule.run(id(7)).unwrap().is_of_no_interest());
    // The whole of it does not wait until it has settled.
    assert_eq!(told(&mut schedule, now, CHEAP), [(7, Depth::Whole)]);
}

#[test]
fn those_that_talk_take_turns_within_the_allowance() {
    let begun = Instant::now();
    let mut schedule = Schedule::new(begun);
    for pid in 1..=100 {
        schedule.was_there(&process(pid));
        schedule.talks(id(pid));
    }
    let first = told(&mut schedule, begun, CHEAP).into_iter();
    assert_eq!(first.filter(|it| it.1 == Depth::Cheap).count(), 100);
    let mut times = HashMap::<u32, u32>::new();
    let (seconds, each) = (60, Duration::from_millis(40));
    for step in 1..=seconds * 25 {
        for (pid, depth) in told(&mut schedule, begun + each * step, CHEAP) {
            *times.entry(pid).or_default() += u32::from(depth == Depth::Cheap);
        }
    }
    let all: u32 = times.values().sum();
    // One millisecond each, and one percent of the time.
    let allowed = seconds * 10 + 60;
    assert!((seconds * 9..=allowed).contains(&all), "{all}");
    let (least, most) = (times.values().min(), times.values().max());
    assert!(least.unwrap() + 1 >= *most.unwrap(), "{least:?} {most:?}");
}

#[test]
fn a_storm_of_programs_takes_no_more_than_it_may() {
    let begun = Instant::now();
    let mut schedule = Schedule::new(begun);
    let mut asked = 0;
    let (seconds, each) = (20, Duration::from_millis(20));
    let mut pid = 0;
    for step in 1..=seconds * 50 {
        let now = begun + each * step;
        for _ in 0..40 {
            pid += 1;
            schedule.meet(&process(pid));
            schedule.began_program(id(pid), now);
        }
        let all = told(&mut schedule, now, CHEAP);
        asked += all.iter().filter(|it| it.1 == Depth::Cheap).count();
        assert!(schedule.fresh.len() <= MOST_FRESH && schedule.settling.len() <= MOST_FRESH);
    }
    assert!(schedule.runs.len() <= MOST_RUNS && schedule.met.len() <= 2 * MOST_RUNS);
    // A tenth of the time, and what was saved.
    assert!((1_900..=2_700).contains(&asked), "{asked}");
    assert!(schedule.lately_left_out() > 0);
    assert_eq!(schedule.lately_left_out(), 0);
}

#[test]
fn who_ended_is_let_go_when_its_answer_has_come() {
    let now = Instant::now();
    let mut schedule = Schedule::new(now);
    schedule.was_there(&process(7));
    let [question] = asked(&mut schedule, now)[..] else {
        panic!();
    };
    schedule.ended(id(7));
    assert!(schedule.answered(question, CHEAP, true, now).is_some());
    schedule.is_told(id(7));
    assert!(schedule.runs.is_empty());
    assert_eq!(asked(&mut schedule, now + EACH), []);
}

#[test]
fn another_program_is_noticed_where_nobody_tells_of_it() {
    let file = |inode| FileIdentity { device: 1, inode };
    let with = |inode| Process {
        file: Some(file(inode)),
        ..process(7)
    };
    let now = Instant::now();
    let mut schedule = Schedule::new(now);
    schedule.was_there(&with(1));
    let first = told(&mut schedule, now, CHEAP);
    assert_eq!(first, [(7, Depth::Cheap), (7, Depth::Whole)]);
    schedule.is_there(&with(1), now);
    assert_eq!(asked(&mut schedule, now), []);
    schedule.is_there(&with(2), now);
    assert_eq!(told(&mut schedule, now, CHEAP), cheap([7]));
    // One that is new.
    schedule.is_there(&process(8), now);
    assert_eq!(told(&mut schedule, now, CHEAP), cheap([8]));
    assert_eq!(schedule.last_with(8), Some(id(8)));
    assert_eq!(schedule.last_with(9), None);
}

/// One of which the file is known.
fn of_file(pid: u32) -> Process {
    Process {
        path: Some("/usr/bin/snmpget".into()),
        path_state: PathState::Present,
        file: Some(FileIdentity {
            device: 1,
            inode: 2,
        }),
        started: Some(model::Timestamp::from_unix_nanos(1)),
        ..process(pid)
    }
}

#[test]
fn whoever_used_the_network_and_is_over_is_asked_about_by_its_file() {
    let now = Instant::now();
    let check = |process: Process, talks: bool, expected: &[(u32, Depth)]| {
        let mut schedule = Schedule::new(now);
        schedule.meet(&process);
        if talks {
            schedule.talks(process.id);
        }
        schedule.ended(process.id);
        let all = asked(&mut schedule, now);
        let told: Vec<_> = all.iter().map(|it| (it.id.pid, it.depth)).collect();
        assert_eq!(told, expected);
        for question in all {
            assert_eq!(
                schedule.ran(question.id).unwrap().path,
                "/usr/bin/snmpget".into()
            );
            schedule.answered(question, CHEAP, true, now);
            schedule.is_told(question.id);
        }
        assert!(schedule.runs.is_empty());
    };
    check(of_file(7), true, &[(7, Depth::Whole)]);
    check(of_file(7), false, &[]);
    check(process(7), true, &[]);
    let deleted = Process {
        path_state: PathState::Deleted,
        ..of_file(7)
    };
    check(deleted, true, &[]);
}

#[test]
fn no_more_that_are_over_wait_than_there_is_room_for() {
    let now = Instant::now();
    let mut schedule = Schedule::new(now);
    for pid in 1..=5_000 {
        schedule.meet(&of_file(pid));
        schedule.talks(id(pid));
        schedule.ended(id(pid));
    }
    assert!(schedule.runs.len() <= MOST_LEFT);
}

#[test]
fn one_that_is_over_is_asked_about_by_what_it_ran_last() {
    let mut schedule = Schedule::new(Instant::now());
    schedule.meet(&of_file(7));
    // As it is just ending.
    schedule.meet(&process(7));
    assert!(schedule.ran(id(7)).is_some());
    let mut other = of_file(7);
    other.path = None;
    other.file = Some(FileIdentity {
        device: 1,
        inode: 3,
    });
    schedule.meet(&other);
    assert_eq!(schedule.ran(id(7)), None);
}
