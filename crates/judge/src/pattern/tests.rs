//! Programs that call home, and people who browse, made by dice that fall the same each time. What they
//! are made of is that of `bench/patterns.py`.

use model::{
    AddressFacts, Attendance, Call, Calls, Confidence, Fact, Idle, KnownAddress, NetworkKind, Pair,
    PairKey, Protocol, Severity, Talks, Timestamp,
};

use super::dice::random;
use super::{Callers, Habit, Standing, look};

const HOUR: f64 = 3600.0;

/// When somebody calls, in seconds.
struct Caller {
    seconds: f64,
    /// As a part of it, evenly to both sides.
    jitter: f64,
    /// So many of the beats are missing.
    missing: f64,
}

impl Caller {
    fn calls(&self, watched: f64, seed: u64) -> Vec<f64> {
        let mut dice = random(seed);
        let mut at = dice() * self.seconds.min(watched / 4.0);
        let mut times = Vec::new();
        while at < watched {
            if dice() >= self.missing {
                times.push(at);
            }
            // Whatever sleeps does so after it has called.
            at += self.seconds * (1.0 + self.jitter * (2.0 * dice() - 1.0)) + 0.02 + 0.15 * dice();
        }
        times
    }
}

fn at(seconds: f64) -> Timestamp {
    let whole = std::time::Duration::from_secs_f64(seconds);
    let nanos = i64::try_from(whole.as_nanos()).unwrap();
    Timestamp::from_unix_nanos(1_700_000_000_000_000_000 + nanos)
}

/// Calls at these times, each with what it sends and gets.
fn pair(times: &[(f64, u64, u64)]) -> Pair {
    let mut calls = Calls::default();
    let (mut sent, mut received) = (0, 0);
    for (time, up, down) in times {
        calls.add(Call {
            opened: at(*time),
            closed: Some(at(*time + 0.3)),
            failed: false,
            bytes_sent: *up,
            bytes_received: *down,
        });
        sent += up;
        received += down;
    }
    let first = times.first().map_or(0.0, |it| it.0);
    let last = times.last().map_or(0.0, |it| it.0);
    Pair {
        key: PairKey {
            program: Some("/home/lena/.cache/update".into()),
            device: None,
            destination: "203.0.113.9".to_owned(),
            port: Some(443),
            local_port: None,
            protocol: Protocol::Tcp,
        },
        first: at(first),
        last: at(last + 0.3),
        connections: u64::try_from(times.len()).unwrap(),
        failed: 0,
        open: 0,
        bytes_sent: sent,
        bytes_received: received,
        calls,
        let_go: 0,
        talks: Talks::default(),
        members: std::sync::Arc::default(),
    }
}

/// The worst that any rule says.
fn worst(pair: &Pair, standing: Standing, watched: f64) -> Option<(Severity, Confidence)> {
    worst_of(&habit(pair, standing, watched))
}

fn habit(pair: &Pair, standing: Standing, watched: f64) -> Habit<'_> {
    Habit {
        label: "203.0.113.9",
        pairs: vec![pair],
        known: vec![std::sync::Arc::default()],
        name: None,
        standing,
        shows: false,
        reasons: Vec::new(),
        callers: Callers::default(),
        names_seen: true,
        runs_for: Some(std::time::Duration::from_secs(3600)),
        attendance: std::sync::Arc::default(),
        logs_in: false,
        usual_sent: None,
        since: at(0.0),
        taken: at(watched),
    }
}

fn worst_of(habit: &Habit<'_>) -> Option<(Severity, Confidence)> {
    let fits = look(habit).into_iter();
    let weights = fits.filter_map(|(_, fit)| {
        let crate::fit::Why::Reason(reason) = fit.why else {
            return None;
        };
        Some((reason.severity, reason.confidence))
    });
    weights.max()
}

fn is_found(caller: &Caller, standing: Standing, watched: f64, seed: u64) -> bool {
    let mut dice = random(seed + 1);
    let times = caller.calls(watched, seed).into_iter();
    let times: Vec<_> = times
        .map(|time| {
            let more = if dice() < 0.2 { 160 } else { 0 };
            (time, 420 + more, 900)
        })
        .collect();
    worst(&pair(&times), standing, watched).is_some_and(|it| it.0 >= Severity::Medium)
}

/// Bursts of pages, and pauses between them, to one place.
fn browsing(watched: f64, seed: u64) -> Vec<(f64, u64, u64)> {
    let mut dice = random(seed);
    let mut times = Vec::new();
    let mut time = dice() * watched / 2.0;
    while time < watched && times.len() < 400 {
        let pages = 1.0 - 6.0 * (1.0 - dice()).ln();
        let mut page = 0.0;
        while page < pages && time < watched {
            let up = 400.0 - 500.0 * (1.0 - dice()).ln();
            let down = 600.0 * (1.0 - dice()).powf(-0.9);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            times.push((time, up as u64, down.min(1e9) as u64));
            let pause = if dice() < 0.8 { 0.4 } else { 25.0 };
            time += -pause * (1.0 - dice()).ln();
            page += 1.0;
        }
        time += -900.0 * (1.0 - dice()).ln();
    }
    times
}

#[test]
fn a_day_of_a_program_that_calls_home() {
    let mut missed = Vec::new();
    for seconds in [60.0, 300.0, HOUR] {
        for jitter in [0.0, 0.3, 0.5, 0.9] {
            for missing in [0.0, 0.1, 0.4] {
                let caller = Caller {
                    seconds,
                    jitter,
                    missing,
                };
                let found = (0..5).filter(|seed| {
                    is_found(&caller, Standing::Unpackaged, 24.0 * HOUR, seed * 100 + 7)
                });
                if found.count() < 3 {
                    missed.push((seconds, jitter, missing));
                }
            }
        }
    }
    assert!(missed.len() <= 1, "not found: {missed:?}");
}

#[test]
fn a_day_of_people() {
    let found = (0..600).filter(|seed| {
        let times = browsing(24.0 * HOUR, seed * 31 + 5);
        let worst = worst(&pair(&times), Standing::Unpackaged, 24.0 * HOUR);
        // A large upload is no rhythm.
        let sent: u64 = times.iter().map(|it| it.1).sum();
        sent < 1_000_000 && worst.is_some_and(|it| it.0 >= Severity::Medium)
    });
    let found = found.count();
    assert!(found <= 1, "{found} of 600 people");
}

#[test]
fn a_few_beats_are_enough() {
    let after = |beats: u32, jitter: f64| {
        let found = (0..20).filter(|seed| {
            let caller = Caller {
                seconds: 60.0,
                jitter,
                missing: 0.0,
            };
            let watched = f64::from(beats) * 60.0;
            is_found(&caller, Standing::Unpackaged, watched, seed * 17 + 3)
        });
        found.count()
    };
    assert!(after(7, 0.0) >= 18, "{}", after(7, 0.0));
    assert!(after(7, 0.2) >= 15, "{}", after(7, 0.2));
    assert!(after(13, 0.5) >= 15, "{}", after(13, 0.5));
}

/// Before there is a rhythm: what is said is the same each time, or little.
#[test]
fn who_has_nobody_else_to_talk_to() {
    let said = |calls: &[(f64, u64, u64)], shows: bool, names_seen: bool| {
        let pair = pair(calls);
        let habit = Habit {
            shows,
            names_seen,
            ..habit(&pair, Standing::Unpackaged, 300.0)
        };
        worst_of(&habit).map(|it| it.0)
    };
    let medium = Some(Severity::Medium);
    let low = Some(Severity::Low);
    let alike = [(40.0, 420, 180), (190.0, 560, 180)];
    assert_eq!(said(&alike, false, true), medium);
    assert_eq!(said(&alike, true, true), low);
    assert_eq!(said(&alike, false, false), low);
    assert_eq!(said(&alike[..1], false, true), medium);
    assert_eq!(said(&[(40.0, 420, 90_000)], false, true), low);
    let pages = [(40.0, 420, 9000), (190.0, 560, 31_000)];
    assert_eq!(said(&pages, false, true), low);
    let answers = [(40.0, 420, 180), (190.0, 425, 31_000)];
    assert_eq!(said(&answers, false, true), medium);
    // One piece of work.
    let at_once = [(40.0, 420, 180), (41.0, 420, 180)];
    assert_eq!(said(&at_once, false, true), low);
    let twice = pair(&alike);
    let calls_others = Habit {
        callers: Callers {
            of_program: 2,
            ..Callers::default()
        },
        ..habit(&twice, Standing::Unpackaged, 300.0)
    };
    assert_eq!(worst_of(&calls_others).map(|it| it.0), low);
}

/// With few points, a program that calls many or shows itself by a name is not looked at; one that is told to
/// log in does what it is told.
#[test]
fn who_lives_in_the_open_and_who_logs_in() {
    let caller = Caller {
        seconds: 60.0,
        jitter: 0.3,
        missing: 0.0,
    };
    let times = caller.calls(420.0, 11).into_iter();
    let times: Vec<_> = times.map(|time| (time, 420, 900)).collect();
    let few = pair(&times);
    let said = |standing, of_program, logs_in| {
        let habit = Habit {
            callers: Callers {
                of_program,
                ..Callers::default()
            },
            logs_in,
            ..habit(&few, standing, 420.0)
        };
        worst_of(&habit).map(|it| it.0)
    };
    assert_eq!(said(Standing::Unpackaged, 3, false), Some(Severity::Medium));
    assert_eq!(said(Standing::Unpackaged, 4, false), Some(Severity::Low));
    let steady: Vec<_> = (0..30).map(|it| (f64::from(it) * 15.0, 52, 52)).collect();
    let steady = pair(&steady);
    let said = |logs_in| {
        let habit = Habit {
            logs_in,
            ..habit(&steady, Standing::Packaged, 450.0)
        };
        worst_of(&habit).map(|it| it.0)
    };
    assert_eq!(said(false), Some(Severity::Medium));
    assert_eq!(said(true), Some(Severity::Low));
}

/// What goes on without a pause, and only as long as somebody is there.
#[test]
fn what_a_person_does_stops_with_the_person() {
    let mut dice = random(3);
    let times: Vec<_> = (0..400)
        .map(|turn| (f64::from(turn) * 2.0 + 1.5 * dice(), 420, 900))
        .collect();
    let worked = pair(&times);
    let idle = |seconds| Idle {
        idle: Some(std::time::Duration::from_secs(seconds)),
        source: None,
        unasked_displays: 0,
    };
    let said = |told: &[(f64, u64)]| {
        let mut attendance = Attendance::default();
        for (time, seconds) in told {
            attendance.note(at(*time), &idle(*seconds));
        }
        let habit = Habit {
            attendance: std::sync::Arc::new(attendance),
            ..habit(&worked, Standing::Unknown, 1600.0)
        };
        let points = look(&habit).into_iter().find_map(|(_, fit)| {
            let crate::fit::Why::Reason(reason) = fit.why else {
                return None;
            };
            let facts = reason.facts.into_iter();
            let counts = facts.filter(|it| ["points", "while_away"].contains(&it.0));
            Some(counts.map(|it| it.1).collect::<Vec<_>>())
        });
        points.unwrap_or_default()
    };
    let unknown = said(&[]);
    let [Fact::Count(points)] = unknown[..] else {
        panic!("{unknown:?}");
    };
    // Somebody left just before it stopped, or half way through.
    let stops = said(&[(0.0, 0), (1400.0, 595)]);
    let goes_on = said(&[(0.0, 0), (800.0, 400)]);
    let less = Fact::Count(points * 6 / 10);
    assert_eq!(stops, [less], "{points}");
    assert_eq!(goes_on.first(), Some(&Fact::Count(points)), "{goes_on:?}");
    assert_eq!(goes_on.len(), 2, "{goes_on:?}");
}

/// What stands, and has nobody else to talk to, need not stand for hours.
#[test]
fn who_stands_with_nobody_else_to_talk_to() {
    let mut standing = pair(&[]);
    standing.calls.add(Call {
        opened: at(20.0),
        closed: None,
        failed: false,
        bytes_sent: 0,
        bytes_received: 0,
    });
    standing.first = at(20.0);
    (standing.connections, standing.open) = (1, 1);
    let said = |watched, shows, of_program| {
        let habit = Habit {
            shows,
            callers: Callers {
                of_program,
                ..Callers::default()
            },
            ..habit(&standing, Standing::Unpackaged, watched)
        };
        worst_of(&habit).map(|it| it.0)
    };
    let low = Some(Severity::Low);
    assert_eq!(said(340.0, false, 1), Some(Severity::Medium));
    assert_eq!(said(300.0, false, 1), low);
    assert_eq!(said(340.0, true, 1), low);
    assert_eq!(said(340.0, false, 2), low);
}

/// Its heartbeat protects somebody.
#[test]
fn a_vpn_keeps_its_way_open() {
    let times: Vec<_> = (0..30).map(|it| (f64::from(it) * 15.0, 68, 68)).collect();
    let of_provider = KnownAddress {
        facts: AddressFacts {
            kinds: vec![NetworkKind::Vpn],
            ..AddressFacts::default()
        },
        ..KnownAddress::default()
    };
    let of_provider = std::sync::Arc::new(of_provider);
    let said = |protocol| {
        let mut pair = pair(&times);
        pair.key.protocol = protocol;
        let habit = Habit {
            known: vec![std::sync::Arc::clone(&of_provider)],
            ..habit(&pair, Standing::Unpackaged, 450.0)
        };
        worst_of(&habit).map(|it| it.0)
    };
    assert_eq!(said(Protocol::Tcp), Some(Severity::Medium));
    assert_eq!(said(Protocol::Udp), Some(Severity::Informational));
}

/// The agents of a cloud call an address that each of its machines has.
#[test]
fn what_a_machine_of_a_cloud_tells_its_platform() {
    let caller = Caller {
        seconds: 12.0,
        jitter: 0.3,
        missing: 0.1,
    };
    let times = caller.calls(240.0, 7).into_iter();
    let times: Vec<_> = times.map(|time| (time, 420, 900)).collect();
    let worst_at = |destination: &str, standing| {
        let mut pair = pair(&times);
        pair.key.destination = destination.to_owned();
        worst(&pair, standing, 240.0).map(|it| it.0)
    };
    assert_eq!(
        worst_at("168.63.129.17", Standing::Unknown),
        Some(Severity::Medium)
    );
    let of_platform = worst_at("168.63.129.16", Standing::Unknown);
    assert!(of_platform < Some(Severity::Medium), "{of_platform:?}");
    assert_eq!(
        worst_at("168.63.129.16", Standing::Unpackaged),
        Some(Severity::Medium)
    );
}
