use std::collections::BTreeMap;
use std::io::Write as _;

use model::{BootId, Endpoint};
use proptest::prelude::*;

use super::*;

const SMALL: Most = Most {
    young: 32,
    grown: 8,
    names_each: 20,
    names: 60,
};

fn zones(most: Most) -> Zones {
    Zones {
        most,
        ..Zones::new(true)
    }
}

fn millis(at: i64) -> Timestamp {
    Timestamp::from_unix_nanos(at * 1_000_000)
}

fn by(pid: u32) -> Asker<'static> {
    Asker {
        process: Some(ProcessId {
            boot: BootId([0; 16]),
            pid,
            start_ticks: 7,
        }),
        program: None,
        from: None,
        on_behalf: false,
    }
}

/// What one asker asks of one resolver: when, the name, the type, and the code of the answer.
struct Script<'a> {
    asker: Asker<'a>,
    source: NameSource,
    port: u16,
}

impl Default for Script<'_> {
    fn default() -> Self {
        Self {
            asker: by(7),
            source: NameSource::Dns,
            port: 53,
        }
    }
}

impl Script<'_> {
    fn add(&self, zones: &mut Zones, at: i64, name: &str, question: u16, answer: Option<&Answer>) {
        zones.add(&Asked {
            time: millis(at),
            name: &Text::from(name),
            source: self.source,
            question: Some(question),
            answer,
            asker: self.asker,
            resolver: Some(Endpoint::new([192, 0, 2, 53].into(), self.port)),
        });
    }
}

fn code(code: u8) -> Answer {
    Answer {
        code,
        bytes: 100,
        ..Answer::default()
    }
}

fn zone<'a>(zones: &'a Zones, below: &str) -> Option<&'a Zone> {
    let below = Text::from(below);
    let mut all = zones.shelf().iter().map(Arc::as_ref);
    all.find(|zone| zone.key.below == below)
}

#[test]
fn each_name_counts_below_all_that_it_ends_in() {
    let mut zones = zones(MOST);
    let script = Script::default();
    script.add(&mut zones, 1, "a.b.Example.COM.", 1, None);
    script.add(&mut zones, 2, "c.b.example.com", 16, None);
    script.add(&mut zones, 3, "example.com", 16, None);
    let counts = |below| {
        let zone = zone(&zones, below)?;
        Some((zone.questions, zone.names.different, zone.odd_times.len()))
    };
    assert_eq!(counts("com"), Some((3, 3, 2)));
    assert_eq!(counts("example.com"), Some((3, 3, 2)));
    assert_eq!(counts("b.example.com"), Some((2, 2, 1)));
    assert_eq!(counts(""), Some((3, 3, 2)));
    let all = zone(&zones, "").unwrap();
    assert_eq!(all.key.resolver, Some([192, 0, 2, 53].into()));
    assert_eq!(zone(&zones, "com").unwrap().key.resolver, None);
    assert_eq!(zones.shelf().len(), 4);
}

#[test]
fn neighbours_are_left_out() {
    let mut zones = zones(MOST);
    for (source, port) in [
        (NameSource::Mdns, 5353),
        (NameSource::Llmnr, 5355),
        (NameSource::Sni, 443),
        (NameSource::Dns, 137),
    ] {
        let script = Script {
            source,
            port,
            ..Script::default()
        };
        script.add(&mut zones, 1, "x.example.com", 1, None);
    }
    assert!(zones.shelf().is_empty());
}

#[test]
fn names_are_told_apart_with_their_kinds() {
    let mut zones = zones(SMALL);
    let script = Script::default();
    for name in ["a.example.com", "A.example.com", "b.example.com"] {
        for question in [1, 28, 1] {
            script.add(&mut zones, 1, name, question, None);
        }
    }
    let names = zone(&zones, "example.com").unwrap().names;
    assert_eq!((names.different, names.with_kinds, names.among), (2, 4, 9));
    for number in 0..40 {
        script.add(&mut zones, 1, &format!("{number}.example.com"), 1, None);
    }
    let full = zone(&zones, "example.com").unwrap();
    assert!(full.names.is_full);
    assert_eq!((full.names.different, full.names.among), (21, 28));
    assert_eq!(full.questions, 49);
}

#[test]
fn an_answer_is_a_question_where_none_was_told() {
    let mut zones = zones(MOST);
    let script = Script::default();
    // As packets tell it.
    script.add(&mut zones, 1, "a.example.com", 1, None);
    script.add(&mut zones, 2, "a.example.com", 1, Some(&code(0)));
    // As a log does.
    script.add(&mut zones, 3, "b.example.com", 16, Some(&code(3)));
    script.add(&mut zones, 4, "c.example.com", 16, Some(&code(2)));
    let zone = zone(&zones, "example.com").unwrap();
    let codes = (zone.answers, zone.no_such_name, zone.failed);
    assert_eq!((zone.questions, codes), (3, (3, 1, 1)));
    assert_eq!((zone.answer_bytes, zone.odd_times.len()), (300, 2));
    assert_eq!((zone.kinds.address, zone.kinds.text), (1, 2));
}

#[test]
fn what_nobody_told_is_kept_apart() {
    let mut zones = zones(MOST);
    let script = Script::default();
    let names = |row: &std::collections::VecDeque<(Timestamp, Arc<Text>)>| {
        let names = row.iter().map(|(_, name)| name.lossy().into_owned());
        names.collect::<Vec<_>>().join(" ")
    };
    for name in ["a.example", "b.example", "c.example", "d.example"] {
        script.add(&mut zones, 1, name, 1, None);
    }
    script.add(&mut zones, 2, "a.example", 1, Some(&code(0)));
    script.add(&mut zones, 3, "b.example", 1, Some(&code(3)));
    script.add(&mut zones, 4, "c.example", 1, Some(&code(2)));
    let all = zone(&zones, "").unwrap().all.as_deref().unwrap();
    assert_eq!(names(&all.missing), "b.example");
    assert_eq!(names(&all.pending), "c.example d.example");
    assert_eq!(all.told, Some(millis(3)));
    // Only the newest are kept, each once.
    for number in 0..100 {
        let name = format!("{}.example", number % 70);
        script.add(&mut zones, 5, &name, 1, Some(&code(3)));
    }
    let all = zone(&zones, "").unwrap().all.as_deref().unwrap();
    assert_eq!(all.missing.len(), 64);
}

#[test]
fn ends_that_nobody_had_before() {
    let mut zones = zones(MOST);
    let script = Script::default();
    for number in 0..100 {
        script.add(&mut zones, 1, &format!("www{number}.example.com"), 1, None);
        script.add(&mut zones, 1, &format!("dnscat.{number:032x}"), 16, None);
    }
    let all = zone(&zones, "").unwrap().all.as_deref().unwrap();
    assert_eq!((all.ends, all.with_new_ends.len()), (101, 32));
}

#[test]
fn a_resolver_that_makes_no_packet_tells_no_answer() {
    let mut zones = zones(MOST);
    let script = Script {
        source: NameSource::Resolver,
        ..Script::default()
    };
    script.add(&mut zones, 1, "a.example", 1, None);
    let all = zone(&zones, "").unwrap();
    assert_eq!((all.questions, all.unheard), (1, 1));
    assert!(all.all.as_deref().unwrap().pending.is_empty());
}

#[test]
fn what_the_resolver_is_told_is_told_to_who_asked_it() {
    let mut zones = zones(MOST);
    let program = Script {
        source: NameSource::Resolver,
        ..Script::default()
    };
    let resolver = Script {
        asker: Asker {
            on_behalf: true,
            ..by(3)
        },
        ..Script::default()
    };
    for number in 0..12 {
        let name = format!("x{number}.example");
        let told_before = number % 2 == 0;
        if told_before {
            program.add(&mut zones, number * 1000, &name, 1, None);
        }
        resolver.add(&mut zones, number * 1000 + 10, &name, 1, None);
        resolver.add(&mut zones, number * 1000 + 20, &name, 1, Some(&code(3)));
        if !told_before {
            program.add(&mut zones, number * 1000 + 30, &name, 1, None);
        }
    }
    // Nobody has asked for it, or too long ago.
    resolver.add(&mut zones, 60_000, "own.example", 1, Some(&code(3)));
    resolver.add(&mut zones, 60_000, "x1.example", 1, Some(&code(3)));
    let counts = zones.shelf().iter().filter(|it| it.key.below.is_empty());
    let counts = counts.map(|it| {
        let missing = it.all.as_deref().unwrap().missing.len();
        (it.processes[0].pid, it.questions, it.answers, missing)
    });
    let counts: Vec<_> = counts.collect();
    assert_eq!(counts, [(7, 12, 12, 12), (3, 14, 14, 13)]);
}

#[test]
fn a_program_that_starts_anew_for_each_question_is_one_asker() {
    let mut zones = zones(MOST);
    let dig = Text::from("/usr/bin/dig");
    for pid in 1..100 {
        let script = Script {
            asker: Asker {
                program: Some(&dig),
                ..by(pid)
            },
            ..Script::default()
        };
        script.add(&mut zones, 1, &format!("{pid}.evil.example"), 16, None);
    }
    let zone = zone(&zones, "evil.example").unwrap();
    assert_eq!((zone.questions, zone.processes.len()), (99, 16));
    assert_eq!((&zone.key.program, zone.key.process), (&Some(dig), None));
}

#[test]
fn a_flood_of_names_lets_no_other_zone_go() {
    let mut zones = zones(SMALL);
    let script = Script::default();
    for number in 0..2_000 {
        // Each makes three zones; one question in a hundred goes to the other domain.
        let name = format!("{number}.{number}a.{number}b.example");
        script.add(&mut zones, number, &name, 1, None);
        if number % 100 == 0 || number < 12 {
            script.add(&mut zones, number, "poll.slow.example", 16, None);
        }
    }
    assert_eq!(zone(&zones, "slow.example").unwrap().questions, 31);
    assert_eq!(zones.let_go(), 0);
    assert!(zones.shelf().len() <= SMALL.young + SMALL.grown);
}

#[test]
fn those_of_which_there_are_too_many_are_counted() {
    let mut zones = zones(SMALL);
    for pid in 0..100 {
        let script = Script {
            asker: by(pid),
            ..Script::default()
        };
        for number in 0..12 {
            script.add(&mut zones, 1, &format!("{number}.example"), 1, None);
        }
    }
    let grown = zones.shelf().iter().filter(|it| it.questions >= GROWN);
    let grown = u64::try_from(grown.count()).unwrap();
    // All names of each asker, and those below the one end.
    assert_eq!(zones.let_go() + grown, 200);
}

proptest! {
    #[test]
    fn it_is_bounded_whatever_comes(
        asked in prop::collection::vec(
            (0..4_u32, "[ab]{1,2}(\\.[ab]{1,2}){0,4}", 0..40_u16, proptest::option::of(0..5_u8)),
            0..300,
        ),
    ) {
        let mut zones = zones(SMALL);
        let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
        for (at, (pid, name, question, answered)) in (0..).zip(asked) {
            let script = Script { asker: by(pid), ..Script::default() };
            let answer = answered.map(code);
            script.add(&mut zones, at, &name, question, answer.as_ref());
            *counts.entry(pid).or_default() += 1;
            let known: usize = zones.of.values().filter(|it| it.is_grown).map(|it| it.known.len()).sum();
            prop_assert_eq!(known, zones.names);
            prop_assert_eq!(zones.of.values().filter(|it| it.is_grown).count(), zones.grown);
            prop_assert_eq!(zones.of.len(), zones.shelf().len());
            prop_assert!(zones.grown <= SMALL.grown + 3);
            prop_assert!(zones.of.len() - zones.grown <= SMALL.young);
        }
        for zone in zones.shelf() {
            let (names, kinds) = (zone.names, zone.kinds);
            prop_assert!(names.different <= names.with_kinds && names.with_kinds <= names.among);
            prop_assert!(names.among <= zone.questions);
            let all = kinds.address + kinds.address6 + kinds.odd() + kinds.plain;
            prop_assert_eq!(all, zone.questions);
            let pid = zone.key.process.unwrap().pid;
            prop_assert!(zone.questions <= counts[&pid]);
            prop_assert!(zone.odd_times.is_sorted());
            if let Some(all) = &zone.all {
                prop_assert!(all.ends <= zone.questions);
            }
        }
    }
}

/// Run it with `--release -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn what_a_question_costs() {
    let browser = Text::from("/usr/lib/firefox-esr/firefox-esr");
    let asker = Asker {
        program: Some(&browser),
        ..by(7)
    };
    let count = 400_000_u64;
    let measure = |what: &str, name: &dyn Fn(u64) -> String| {
        let mut zones = zones(MOST);
        let names: Vec<_> = (0..count).map(|it| Text::from(name(it))).collect();
        let answer = code(0);
        let mut views = Vec::new();
        let start = std::time::Instant::now();
        for (at, name) in (0..).zip(&names) {
            for answer in [None, Some(&answer)] {
                zones.add(&Asked {
                    time: millis(at),
                    name,
                    source: NameSource::Dns,
                    question: Some(1),
                    answer,
                    asker,
                    resolver: Some(Endpoint::new([192, 0, 2, 53].into(), 53)),
                });
            }
            // A snapshot a second, at a thousand questions a second.
            if at % 1000 == 0 {
                views = vec![zones.shelf().clone()];
            }
        }
        let spent = start.elapsed() / u32::try_from(count).unwrap();
        let mut out = std::io::stderr();
        let kept = views.len();
        let _ = writeln!(
            out,
            "{what}: {spent:?} a question with its answer, {kept} kept"
        );
    };
    measure("a few sites", &|it| {
        format!("www{}.site{}.example", it % 3, it % 50)
    });
    measure("many domains", &|it| format!("www.site{it}.com"));
    measure("a tunnel", &|it| {
        format!("{it:060x}.{it:050x}.t.evil.example")
    });
}
