//! What the rules say of questions below a name.

use std::sync::Arc;
use std::time::Duration;

use model::{AllNames, Kinds, Names, Shape, Text, Timestamp, Zone, ZoneKey};

use super::super::{Asker, Standing};
use super::{Domain, MadeName, MadeNames, Questions};

use crate::fit::Why;
use crate::rule::rules;

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_unix_nanos(1_000_000_000_000 + seconds * 1_000_000_000)
}

/// So many questions for texts below a name, each with a name of its own of 60 bytes, 40 of them random
/// letters, and an answer of 100 bytes.
fn zone(names: u64) -> Zone {
    let name = |number: u64| Arc::new(Text::from(format!("{number:040x}.t.evil.test")));
    let mut time = 0;
    let times = [10, 4_000, 9, 900, 20, 30_000, 300, 70]
        .iter()
        .cycle()
        .map(|pause| {
            time += pause;
            seconds(time)
        });
    let times = times.take(usize::try_from(names).unwrap().min(256));
    Zone {
        key: ZoneKey {
            program: Some(Text::from("/opt/x/x")),
            process: None,
            from: None,
            below: Text::from("evil.test"),
            resolver: None,
        },
        processes: Vec::new(),
        resolvers: vec![[192, 0, 2, 53].into()],
        on_behalf: false,
        first: seconds(0),
        last: seconds(1000),
        questions: names,
        answers: names,
        no_such_name: 0,
        failed: 0,
        unheard: 0,
        kinds: Kinds {
            text: names,
            ..Kinds::default()
        },
        names: Names {
            different: names,
            with_kinds: names,
            among: names,
            is_full: false,
        },
        shape: Shape {
            lengths: names * 60,
            long: names,
            millibits: names * 3_800,
            ..Shape::default()
        },
        answer_bytes: names * 100,
        text_ttl: None,
        odd_times: times.collect(),
        first_names: (0..names.min(8)).map(name).collect(),
        newest_names: (names.saturating_sub(8)..names).map(name).collect(),
        all: None,
    }
}

/// A program of which nothing else was found.
fn of(standing: Standing) -> Asker {
    Asker {
        standing,
        reasons: Vec::new(),
    }
}

/// What all rules say, and nothing of an unknown program of which no name of a connection is seen.
#[track_caller]
fn check(zone: &Zone, expected: &str) {
    check_of(zone, of(Standing::Unknown), None, expected);
}

#[track_caller]
fn check_of(zone: &Zone, asker: Asker, called: Option<u64>, expected: &str) {
    let domain = Domain::Registered(zone.key.below.lossy().into_owned());
    says(zone, domain, asker, called, expected);
}

#[track_caller]
fn says(zone: &Zone, domain: Domain, asker: Asker, called: Option<u64>, expected: &str) {
    let questions = Questions {
        zone,
        domain,
        asker,
        called,
    };
    let mut fits = Vec::new();
    let mut said = Vec::new();
    for rule in rules() {
        rule.questions(&questions, &mut fits);
        said.extend(fits.drain(..).map(|fit| {
            let Why::Reason(reason) = fit.why else {
                panic!("{:?}", fit.why);
            };
            let second = reason
                .facts
                .iter()
                .find(|(name, _)| *name == "second_reason");
            let second = if second.is_some() {
                " beside another"
            } else {
                ""
            };
            let (severity, confidence) = (reason.severity, reason.confidence);
            format!("{} {severity} {confidence}{second}", rule.word())
        }));
    }
    assert_eq!(said.join("; "), expected);
}

#[test]
fn a_tunnel_has_many_new_names() {
    check(&zone(24), "");
    check(&zone(25), "dns_tunnel medium medium");
    check(&zone(1000), "dns_tunnel medium high");
    let again = Zone {
        questions: 1000,
        names: Names {
            different: 200,
            with_kinds: 200,
            among: 1000,
            is_full: false,
        },
        ..zone(1000)
    };
    check(&again, "");
    // So many that they could not be told apart any more.
    let full = Zone {
        names: Names {
            different: 2049,
            with_kinds: 2049,
            among: 2049,
            is_full: true,
        },
        ..zone(90_000)
    };
    check(&full, "dns_tunnel medium high");
}

#[test]
fn two_signs_are_needed() {
    let plain = |names| Zone {
        kinds: Kinds {
            address: names,
            ..Kinds::default()
        },
        shape: Shape {
            lengths: names * 20,
            ..Shape::default()
        },
        ..zone(names)
    };
    // A site with many names; the same asked a thousand times; and with answers that carry much.
    check(&plain(200), "");
    check(&plain(1000), "");
    let answers = Zone {
        answer_bytes: 400_000,
        ..plain(1000)
    };
    check(&answers, "dns_tunnel medium low");
    // Nothing below it is ever called.
    check_of(
        &plain(1000),
        of(Standing::Unknown),
        Some(0),
        "dns_tunnel medium low",
    );
    let long = Zone {
        shape: zone(100).shape,
        ..plain(100)
    };
    check(&long, "dns_tunnel medium low");
}

#[test]
fn content_comes_from_where_it_was_asked_for() {
    let addresses = Zone {
        kinds: Kinds {
            address: 200,
            ..Kinds::default()
        },
        ..zone(200)
    };
    check_of(
        &addresses,
        of(Standing::Unknown),
        Some(3),
        "dns_tunnel medium low",
    );
    check_of(&addresses, of(Standing::Unknown), Some(4), "");
    // Who has a tunnel there may have a page, too.
    check_of(
        &zone(200),
        of(Standing::Unknown),
        Some(4),
        "dns_tunnel medium medium",
    );
}

#[test]
fn who_asks_about_something_has_no_tunnel() {
    let asked = |shape: Shape| Zone {
        kinds: Kinds {
            address: 300,
            ..Kinds::default()
        },
        shape: Shape {
            lengths: 300 * 60,
            long: 300,
            millibits: 300 * 3_800,
            ..shape
        },
        ..zone(300)
    };
    let shape = Shape::default();
    check(&asked(shape), "dns_tunnel medium low");
    check(
        &asked(Shape {
            reversed: 200,
            ..shape
        }),
        "",
    );
    check(
        &asked(Shape {
            hashes: 260,
            ..shape
        }),
        "",
    );
    let mut list = zone(300);
    list.key.below = Text::from("spamhaus.org");
    check(&list, "");
}

#[test]
fn it_weighs_by_who_asks() {
    let addresses = |names| Zone {
        kinds: Kinds {
            address: names,
            ..Kinds::default()
        },
        ..zone(names)
    };
    check_of(
        &addresses(30),
        of(Standing::Ordinary),
        None,
        "dns_tunnel low low",
    );
    check_of(
        &addresses(100),
        of(Standing::Ordinary),
        None,
        "dns_tunnel low low",
    );
    check_of(
        &addresses(1000),
        of(Standing::Ordinary),
        None,
        "dns_tunnel medium medium",
    );
    // No program that protects asks for these.
    check_of(
        &zone(100),
        of(Standing::Ordinary),
        None,
        "dns_tunnel medium medium",
    );
    let few = zone(30);
    let python = of(Standing::Packaged);
    check_of(&few, python, None, "dns_tunnel medium medium");
    let stranger = of(Standing::Unpackaged);
    check_of(&few, stranger, None, "dns_tunnel medium medium");
    // Whocalls itself asks nobody.
    check_of(&zone(1000), of(Standing::Ours), None, "");
    let grave = Asker {
        reasons: vec!["temporary_program"],
        ..of(Standing::Unpackaged)
    };
    check_of(
        &few,
        grave.clone(),
        None,
        "dns_tunnel medium medium beside another",
    );
    let expected = "dns_tunnel high medium beside another";
    check_of(&zone(100), grave, None, expected);
}

#[test]
fn what_only_tunnels_ask_for_is_certain() {
    let raw = Zone {
        kinds: Kinds {
            raw: 40,
            ..Kinds::default()
        },
        ..zone(40)
    };
    check(&raw, "dns_tunnel medium high");
}

/// Texts of three names, asked for every so many seconds.
fn texts(count: u64, pause: i64) -> Zone {
    let times = (0..i64::try_from(count).unwrap()).map(|it| seconds(it * pause));
    Zone {
        questions: count,
        answers: count,
        kinds: Kinds {
            text: count,
            ..Kinds::default()
        },
        names: Names {
            different: 3,
            with_kinds: 3,
            among: count,
            is_full: false,
        },
        shape: Shape {
            lengths: count * 20,
            ..Shape::default()
        },
        odd_times: times.collect(),
        ..zone(3)
    }
}

#[test]
fn commands_are_asked_for_at_a_steady_pace() {
    check(&texts(19, 30), "");
    check(&texts(20, 30), "dns_commands medium low");
    let unsteady = Zone {
        odd_times: zone(40).odd_times,
        ..texts(40, 30)
    };
    check(&unsteady, "");
}

#[test]
fn texts_that_others_ask_for() {
    let kept = |ttl| Zone {
        text_ttl: Some(ttl),
        ..texts(40, 300)
    };
    // The resolver asks again when what it kept is over.
    check(&kept(300), "");
    check(&kept(0), "dns_commands medium low");
    check(&kept(3_600), "dns_commands medium low");
    let service = Zone {
        shape: Shape {
            service: 40,
            ..Shape::default()
        },
        ..texts(40, 30)
    };
    check(&service, "");
    let one_name = Zone {
        names: Names {
            different: 1,
            with_kinds: 1,
            among: 40,
            is_full: false,
        },
        ..texts(40, 30)
    };
    check(&one_name, "dns_commands low low");
    let updater = of(Standing::Ordinary);
    check_of(&one_name, updater, None, "dns_commands low low");
    let stranger = of(Standing::Unpackaged);
    check_of(&one_name, stranger, None, "dns_commands medium low");
}

fn made(names: &[String], registered: bool) -> Vec<MadeName> {
    let made = names.iter().map(|name| MadeName {
        time: seconds(10),
        name: Arc::new(Text::from(name.as_str())),
        registered: registered.then(|| name.clone()),
    });
    made.collect()
}

fn all_of(ends: u64) -> Zone {
    let mut zone = zone(ends);
    zone.key.below = Text::default();
    zone.all = Some(Box::new(AllNames {
        ends,
        told: Some(seconds(5)),
        ..AllNames::default()
    }));
    zone
}

#[test]
fn names_that_end_as_no_name_does() {
    let names = |length: usize, count: u64| -> Vec<String> {
        let name = |it: u64| format!("{:0>length$}.x{it:x}", "");
        (0..count).map(name).collect()
    };
    let check = |zone: &Zone, with_new_ends, expected| {
        let made = MadeNames {
            with_new_ends,
            ..MadeNames::default()
        };
        says(
            zone,
            Domain::All(Box::new(made)),
            of(Standing::Unknown),
            None,
            expected,
        );
    };
    let long = names(40, 32);
    check(&all_of(60), made(&long, false), "dns_direct medium medium");
    check(&all_of(19), made(&long[..19], false), "");
    // They end as names of the internet do.
    check(&all_of(60), made(&long, true), "");
    // Computers at home, which are asked for by their addresses.
    let home = Zone {
        kinds: Kinds {
            address: 60,
            ..Kinds::default()
        },
        ..all_of(60)
    };
    check(&home, made(&names(6, 32), false), "");
}

#[test]
fn names_with_one_end_that_is_nobodys() {
    let check = |zone: &Zone, expected| {
        let end = Domain::UnlistedEnd("dnscat".to_owned());
        says(zone, end, of(Standing::Unknown), None, expected);
    };
    let names = |zone: &mut Zone, name: fn(u64) -> String| {
        zone.first_names = (0..8).map(|it| Arc::new(Text::from(name(it)))).collect();
        zone.newest_names = (8..16).map(|it| Arc::new(Text::from(name(it)))).collect();
    };
    let mut tunnel = zone(60);
    names(&mut tunnel, |it| format!("{it:030x}.dnscat"));
    check(&tunnel, "dns_direct medium medium");
    // All are below one name, which another rule looks at.
    names(&mut tunnel, |it| format!("{it:030x}.t.dnscat"));
    check(&tunnel, "");
    let mut directory = zone(60);
    names(&mut directory, |it| format!("_ldap._tcp.{it}.corp"));
    directory.shape.service = 60;
    check(&directory, "");
}

/// Names as a rule makes them up, and such as people have.
fn made_up(count: usize) -> Vec<String> {
    let letters = b"qxjzkvbwpgfhmdlc";
    let mut state = 7_usize;
    let mut letter = || {
        state = (state * 1_103_515_245 + 12_345) % 0x8000_0000;
        char::from(letters[state >> 20 & 15])
    };
    let mut name = || (0..9).map(|_| letter()).chain(".com".chars()).collect();
    (0..count).map(|_| name()).collect()
}

fn of_people() -> Vec<String> {
    let words = [
        "garden", "window", "morning", "bakery", "travel", "market", "radio", "school", "doctor",
        "river", "summer", "village", "letter", "kitchen", "mountain", "library", "station",
    ];
    words
        .iter()
        .map(|word| format!("my{word}shop.com"))
        .collect()
}

#[test]
fn names_that_do_not_exist() {
    let check = |missing: Vec<MadeName>, pending: Vec<MadeName>, expected| {
        let made = MadeNames {
            missing,
            pending,
            ..MadeNames::default()
        };
        says(
            &all_of(5),
            Domain::All(Box::new(made)),
            of(Standing::Unknown),
            None,
            expected,
        );
    };
    let few = made(&made_up(12), true);
    check(few.clone(), Vec::new(), "dga medium low");
    check(made(&made_up(40), true), Vec::new(), "dga medium medium");
    check(made(&made_up(9), true), Vec::new(), "");
    check(made(&of_people(), true), Vec::new(), "");
    // Nobody has answered since: offline.
    check(Vec::new(), made(&made_up(40), true), "dga medium low");
    check(Vec::new(), made(&of_people(), true), "");
    // Somebody has, to others.
    let earlier = few.iter().map(|it| MadeName {
        time: seconds(1),
        ..it.clone()
    });
    check(Vec::new(), earlier.collect(), "");
    // Words that a browser asks for to see who answers for all.
    check(made(&made_up(40), false), Vec::new(), "");
}

#[test]
fn names_that_can_be_spoken_and_are_of_one_length() {
    let name = |it: usize| {
        let pick = |letters: &str, by: usize| letters.chars().nth(by % letters.len()).unwrap();
        let consonants = "gqlpvr";
        let name = [
            pick(consonants, it),
            'y',
            pick(consonants, it / 6 + 1),
            pick("aeiou", it),
            pick(consonants, it / 2),
            'y',
            pick(consonants, it / 3),
        ];
        name.into_iter().chain(".com".chars()).collect::<String>()
    };
    let names: Vec<String> = (0..40).map(name).collect();
    let check = |names: &[String], expected| {
        let made = MadeNames {
            missing: made(names, true),
            ..MadeNames::default()
        };
        says(
            &all_of(5),
            Domain::All(Box::new(made)),
            of(Standing::Unknown),
            None,
            expected,
        );
    };
    check(&names, "dga medium medium");
}

#[test]
fn a_pace_is_told_with_its_pause() {
    let questions = Questions {
        zone: &texts(30, 45),
        domain: Domain::Registered("evil.test".to_owned()),
        asker: of(Standing::Unknown),
        called: None,
    };
    let mut fits = Vec::new();
    for rule in rules() {
        rule.questions(&questions, &mut fits);
    }
    let Why::Reason(reason) = &fits[0].why else {
        panic!("{fits:?}");
    };
    let pause = reason.facts.iter().find(|(name, _)| *name == "pause");
    assert_eq!(
        pause,
        Some(&("pause", model::Fact::Duration(Duration::from_secs(45))))
    );
}
