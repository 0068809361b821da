use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    AddressFacts, Asked, BootId, Calls, Confidence, Connection, ConnectionId, Direction, Endpoint,
    Finding, Gap, Host, Indicator, IndicatorValue, KnownAddress, KnownName, ListMeaning,
    ListedKind, Matched, MatchedBy, Members, NameSource, NameStrength, NetworkKind, Owner, Pair,
    PairKey, Place, Protocol, RemoteName, Severity, Shelf, SocketKey, Source, State, Text, Tier,
    Timestamp, WhyUnknown,
};
use proptest::prelude::*;

use super::*;

/// 20.0.0.x is: 1 known bad, 2 on a drop list, 3 a relay of Tor, 4 hosting, 5 a sinkhole, 6 a public
/// resolver; `bad.example.test`, and a program that is called `badness`, are known bad.
struct Lists;

fn matched(value: IndicatorValue, meaning: ListMeaning, by: MatchedBy) -> Matched {
    Matched {
        list: "a list".into(),
        publisher: Some("somebody".into()),
        meaning,
        published: None,
        indicator: Indicator {
            value,
            about: None,
            confidence: Confidence::High,
            published: None,
        },
        by,
        confidence: Confidence::High,
    }
}

/// Two labels below `test`; no registry has other ends.
fn registered(name: &str) -> Option<String> {
    let above = name.strip_suffix(".test")?;
    let last = above.rsplit('.').next()?;
    Some(format!("{last}.test"))
}

fn listed(kind: NetworkKind) -> ListedKind {
    ListedKind {
        list: "a table".to_owned(),
        publisher: "somebody".to_owned(),
        date: "2026-01-01".to_owned(),
        kind,
        provider: String::new(),
        entry: String::new(),
    }
}

impl model::Knows for Lists {
    fn address(&self, ip: IpAddr) -> KnownAddress {
        let value = IndicatorValue::Address(ip);
        let (kind, meaning) = match ip.to_string().strip_prefix("20.0.0.") {
            Some("1") => (None, Some(ListMeaning::KnownBad)),
            Some("2") => (None, Some(ListMeaning::Drop)),
            Some("3") => (Some(NetworkKind::Tor), None),
            Some("4") => (Some(NetworkKind::Hosting), None),
            Some("5") => (Some(NetworkKind::Sinkhole), None),
            Some("6") => (Some(NetworkKind::PublicResolver), None),
            _ => (None, None),
        };
        KnownAddress {
            facts: AddressFacts {
                kinds: kind.into_iter().collect(),
                ..AddressFacts::default()
            },
            listed: kind.map(listed).into_iter().collect(),
            matched: meaning
                .map(|it| matched(value, it, MatchedBy::Address))
                .into_iter()
                .collect(),
        }
    }

    fn name(&self, name: &str) -> KnownName {
        let value = IndicatorValue::Name {
            name: name.to_owned(),
            below: false,
        };
        let bad = name == "bad.example.test";
        KnownName {
            matched: bad
                .then(|| matched(value, ListMeaning::KnownBad, MatchedBy::Name))
                .into_iter()
                .collect(),
            registered: registered(name),
            ..KnownName::default()
        }
    }

    fn url(&self, _: &str, _: &str) -> Vec<Matched> {
        Vec::new()
    }

    fn process(&self, process: &Process) -> Vec<Matched> {
        let value = IndicatorValue::ProcessName("badness".to_owned());
        let bad = process.name == Text::from("badness");
        bad.then(|| matched(value, ListMeaning::KnownBad, MatchedBy::ProcessName))
            .into_iter()
            .collect()
    }

    fn unchecked_indicators(&self) -> u64 {
        3
    }

    fn newest(&self) -> Option<Timestamp> {
        None
    }
}

fn knowledge() -> Knowledge {
    Knowledge::of(Arc::new(Lists))
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_unix_nanos(1_000_000_000_000 + seconds * 1_000_000_000)
}

fn nothing() -> Snapshot {
    Snapshot {
        host: Host {
            name: Text::default(),
            boot: BootId([0; 16]),
        },
        home_netns: None,
        taken: seconds(100),
        since: Timestamp::UNTOLD,
        tier: Tier::Full,
        connections: Shelf::default(),
        processes: Arc::default(),
        pairs: Shelf::default(),
        users: HashMap::new(),
        remembered: Vec::new(),
        devices: Arc::default(),
        asked: Shelf::default(),
        zones: Shelf::default(),
        attendance: Arc::default(),
        gaps: Vec::new(),
        let_go: 0,
        addresses: model::Addresses::default(),
        findings: Findings::default(),
    }
}

fn process(number: u8) -> ProcessId {
    ProcessId {
        boot: BootId([0; 16]),
        pid: number.into(),
        start_ticks: number.into(),
    }
}

fn connection(number: u8, last: u8, name: Option<&str>) -> Connection {
    let ip = IpAddr::from([20, 0, 0, last]);
    Connection {
        id: ConnectionId([number; 16]),
        protocol: Protocol::Tcp,
        state: State::Established,
        direction: Direction::Outbound,
        local: Endpoint::new(IpAddr::from([192, 0, 2, 7]), 40_000),
        remote: Some(Endpoint::new(ip, 443)),
        netns: None,
        interface: None,
        socket: SocketKey {
            inode: None,
            cookie: None,
        },
        uid: None,
        opened: Some(seconds(number.into())),
        closed: None,
        error: None,
        bytes_sent: None,
        bytes_received: None,
        packets_sent: None,
        packets_received: None,
        owner: if number.is_multiple_of(3) {
            let why = WhyUnknown::NoHolder;
            Owner::Unknown { why }
        } else {
            let (process, source) = (process(number % 4), Source::Ebpf);
            Owner::Known { process, source }
        },
        also_held_by: Vec::new(),
        name: name.map(|name| {
            Arc::new(RemoteName {
                name: Text::from(name),
                source: NameSource::Sni,
                strength: NameStrength::Greeted,
            })
        }),
        greeting: None,
        device: None,
        talk: None,
    }
}

fn pair(program: Option<&str>, connections: &[Connection], port: Option<u16>) -> Pair {
    let mut members = Members::default();
    connections.iter().for_each(|it| members.learn(it));
    let remote = connections[0].remote.unwrap().ip.unwrap();
    Pair {
        key: PairKey {
            program: program.map(Text::from),
            device: None,
            destination: remote.to_string(),
            port,
            local_port: None,
            protocol: Protocol::Tcp,
        },
        first: connections[0].opened.unwrap(),
        last: seconds(100),
        connections: u64::try_from(connections.len()).unwrap(),
        failed: 0,
        open: 0,
        bytes_sent: 0,
        bytes_received: 0,
        calls: Calls::default(),
        let_go: 0,
        talks: model::Talks::default(),
        members: Arc::new(members),
    }
}

fn asked(name: &str, by: Option<ProcessId>) -> Asked {
    Asked {
        name: Text::from(name),
        source: NameSource::Dns,
        process: by,
        from: by.is_none().then(|| IpAddr::from([192, 0, 2, 7])),
        first: seconds(1),
        last: seconds(1),
        questions: 1,
        answers: 0,
        no_such_name: 0,
        failed: 0,
        code: None,
        addresses: Vec::new(),
    }
}

/// All findings, each as rule, severity and confidence, in a line.
fn said(snapshot: &Snapshot) -> String {
    let line = |it: &Arc<Finding>| format!("{} {} {}", it.rule, it.severity, it.confidence);
    let findings = crate::judge(snapshot, knowledge());
    findings.iter().map(line).collect::<Vec<_>>().join(", ")
}

fn check(pair: Pair, expected: &str) {
    let mut snapshot = nothing();
    snapshot.pairs.put(pair);
    assert_eq!(said(&snapshot), expected);
}

const CURL: Option<&str> = Some("/usr/bin/curl");

#[test]
fn an_address_of_a_list_is_known_bad_at_most_with_medium_confidence() {
    let one = connection(1, 1, Some("a.example"));
    check(pair(CURL, &[one], Some(443)), "known_bad high medium");
}

#[test]
fn who_calls_here_from_one_is_found_too_and_a_raw_address_is_not() {
    let expected = "known_bad high medium";
    check(pair(CURL, &[connection(1, 1, None)], None), expected);
    check(pair(CURL, &[connection(1, 9, None)], None), "");
}

#[test]
fn networks_that_nobody_should_call_are_worse_when_they_are_called() {
    let one = [connection(1, 2, Some("a.example"))];
    check(pair(CURL, &one, Some(443)), "drop_list medium medium");
    check(pair(CURL, &one, None), "drop_list low medium");
}

#[test]
fn tor_is_to_know_of_where_its_program_calls() {
    let one = [connection(1, 3, None)];
    check(
        pair(Some("/usr/bin/tor"), &one, Some(443)),
        "tor informational low",
    );
    check(pair(CURL, &one, Some(443)), "tor low low");
    check(pair(CURL, &one, None), "");
}

#[test]
fn an_address_that_nobody_asked_a_name_for() {
    let named = Some("a.example");
    let (nameless, one) = (connection(1, 9, None), connection(2, 9, named));
    check(
        pair(CURL, std::slice::from_ref(&nameless), Some(443)),
        "raw_address low low",
    );
    check(pair(CURL, &[nameless, one], Some(443)), "");
    let stood = Connection {
        opened: None,
        ..connection(1, 9, None)
    };
    let mut before = pair(CURL, &[connection(1, 9, None)], Some(443));
    let mut members = Members::default();
    members.learn(&stood);
    before.members = Arc::new(members);
    check(before, "");
    check(pair(CURL, &[connection(1, 9, None)], Some(123)), "");
    let resolver = pair(CURL, &[connection(1, 6, None)], Some(853));
    check(resolver, "raw_address informational low");
    check(pair(CURL, &[connection(1, 6, None)], Some(53)), "");
}

#[test]
fn no_address_is_without_a_name_where_names_cannot_be_seen() {
    let mut snapshot = nothing();
    snapshot
        .pairs
        .put(pair(CURL, &[connection(1, 9, None)], Some(443)));
    let mut judge = Judge::new(knowledge());
    assert_eq!(judge.update(&snapshot).len(), 1);
    snapshot
        .gaps
        .push(Gap::standing("name_not_visible", Source::Ebpf, "", ""));
    assert_eq!(judge.update(&snapshot).len(), 0);
    snapshot.gaps.clear();
    assert_eq!(judge.update(&snapshot).len(), 1);
    snapshot.tier = Tier::Polling;
    assert_eq!(said(&snapshot), "");
    // A file of another tool, without any name.
    snapshot.tier = Tier::Import;
    assert_eq!(said(&snapshot), "");
    snapshot.asked.put(asked("a.example", None));
    assert_eq!(said(&snapshot), "raw_address low low");
}

#[test]
fn a_name_has_time_to_come() {
    let mut snapshot = nothing();
    snapshot.taken = seconds(3);
    let place = snapshot
        .pairs
        .put(pair(CURL, &[connection(1, 9, None)], Some(443)));
    let mut judge = Judge::new(knowledge());
    assert_eq!(judge.update(&snapshot).len(), 0);
    snapshot.taken = seconds(7);
    assert_eq!(judge.update(&snapshot).len(), 1);
    let late = pair(CURL, &[connection(1, 9, Some("a.example"))], Some(443));
    *snapshot.pairs.change(place).unwrap() = late;
    assert_eq!(judge.update(&snapshot).len(), 0);
}

#[test]
fn a_name_that_is_asked_for_is_enough() {
    let mut snapshot = nothing();
    snapshot.asked.put(asked("BAD.example.test.", None));
    assert_eq!(said(&snapshot), "known_bad high high");
}

#[test]
fn a_name_of_somebody_else_says_little() {
    let mut one = connection(1, 9, Some("bad.example.test"));
    let other = |strength| {
        Some(Arc::new(RemoteName {
            name: Text::from("bad.example.test"),
            source: NameSource::Dns,
            strength,
        }))
    };
    check(pair(CURL, &[one.clone()], Some(443)), "known_bad high high");
    one.name = other(NameStrength::AnsweredToDevice);
    check(
        pair(CURL, &[one.clone()], Some(443)),
        "known_bad high medium",
    );
    one.name = other(NameStrength::AnsweredToAnother);
    check(pair(CURL, &[one], Some(443)), "known_bad high low");
}

#[test]
fn one_finding_for_each_program_and_entry() {
    let mut snapshot = nothing();
    let connections: Vec<_> = (1..50)
        .map(|it| connection(it, 1, Some("a.example")))
        .collect();
    snapshot.pairs.put(pair(CURL, &connections, Some(443)));
    snapshot.pairs.put(pair(CURL, &connections[..9], Some(80)));
    snapshot.pairs.put(pair(None, &connections[..1], Some(80)));
    let findings = crate::judge(&snapshot, knowledge());
    assert_eq!(findings.len(), 2);
    let of_curl = findings
        .iter()
        .find(|it| it.about.program.is_some())
        .unwrap();
    assert_eq!(of_curl.fact("connections"), Some(&model::Fact::Count(58)));
    assert_eq!(
        (of_curl.about.connections.len(), of_curl.about.remote),
        (32, None)
    );
    let one = &connections[48];
    let curl = Process {
        path: CURL.map(Text::from),
        ..Process::unknown(process(1))
    };
    assert!(!of_curl.about.connections.contains(&one.id));
    assert_eq!(findings.of(one, Some(&curl)).count(), 1);
    assert_eq!(
        findings.of(&connection(49, 9, None), Some(&curl)).count(),
        0
    );
}

/// Questions of a process, or of an address, below `evil.test`, `nobodys.end` or all names.
fn zone(below: u8, by: Option<u8>, names: u64, on_behalf: bool) -> model::Zone {
    let below = ["evil.test", "nobodys.end", "", "end"][usize::from(below)];
    let made = |it: u64| Arc::new(Text::from(format!("x{it}qzjkxv{it}.test")));
    let name = |it: u64| match below {
        "" => made(it),
        _ => Arc::new(Text::from(format!("{it:040x}.{it}.{below}"))),
    };
    let missing = (0..names.min(64)).map(|it| (seconds(1), made(it)));
    let program = by.filter(|it| *it < 2).map(|it| format!("/opt/{it}"));
    model::Zone {
        key: model::ZoneKey {
            process: by.filter(|_| program.is_none()).map(process),
            from: by.is_none().then(|| IpAddr::from([192, 0, 2, 7])),
            program: program.map(Text::from),
            below: Text::from(below),
            resolver: below.is_empty().then(|| IpAddr::from([20, 0, 0, 3])),
        },
        processes: by.map(process).into_iter().collect(),
        resolvers: Vec::new(),
        on_behalf,
        first: seconds(1),
        last: seconds(2),
        questions: names,
        answers: names,
        no_such_name: names,
        failed: 0,
        unheard: 0,
        kinds: model::Kinds {
            address: names,
            ..model::Kinds::default()
        },
        names: model::Names {
            different: names,
            with_kinds: names,
            among: names,
            is_full: false,
        },
        shape: model::Shape {
            lengths: names * 60,
            long: names,
            millibits: names * 3_900,
            ..model::Shape::default()
        },
        answer_bytes: names * 100,
        text_ttl: None,
        odd_times: Vec::new(),
        first_names: (0..names.min(8)).map(name).collect(),
        newest_names: std::collections::VecDeque::new(),
        all: below.is_empty().then(|| {
            Box::new(model::AllNames {
                ends: 1,
                missing: missing.collect(),
                told: Some(seconds(1)),
                ..model::AllNames::default()
            })
        }),
    }
}

/// Packets of a size, or of several, with an address; to where names are asked for with 20.0.0.3.
fn echo(number: u8, last: u8, packets: u64, of_many_sizes: bool) -> Connection {
    let icmp = model::IcmpKind {
        kind: Some(8),
        code: Some(0),
        id: Some(7),
    };
    let remote = IpAddr::from([20, 0, 0, last]);
    let (protocol, remote) = match last {
        3 => (Protocol::Udp, Endpoint::new(remote, 53)),
        _ => (Protocol::Icmp(icmp), Endpoint::without_port(remote)),
    };
    Connection {
        protocol,
        remote: Some(remote),
        packets_sent: Some(packets),
        packets_received: Some(packets),
        bytes_sent: Some(packets * 64),
        bytes_received: Some(packets * 64 + if of_many_sizes { packets * 5 + 1 } else { 0 }),
        ..connection(number, last, None)
    }
}

#[test]
fn questions_below_a_name_are_found() {
    let check = |zones: &[model::Zone], expected: &str| {
        let mut snapshot = nothing();
        for zone in zones {
            snapshot.zones.put(Arc::new(zone.clone()));
        }
        assert_eq!(said(&snapshot), expected);
    };
    let two = |one: &str, other: &str| format!("{one}, {other}");
    let found = "dns_tunnel medium medium";
    check(&[zone(0, Some(1), 30, false)], found);
    check(&[zone(0, None, 30, false)], found);
    // No registry has it; and what all names have in common.
    check(&[zone(1, Some(1), 30, false)], found);
    check(&[zone(2, Some(1), 30, false)], "dga medium medium");
    check(&[zone(0, Some(1), 24, false)], "");
    // Somebody asks on behalf of the other, or of somebody who was not seen.
    let (own, behalf) = (zone(0, Some(1), 30, false), zone(0, Some(2), 30, true));
    check(&[own.clone(), behalf.clone()], found);
    check(&[behalf], found);
    let few = zone(0, Some(2), 90, true);
    check(&[own.clone(), few], &two(found, found));
    check(&[own, zone(0, Some(0), 30, false)], &two(found, found));
}

#[test]
fn each_run_that_asked_is_evidence() {
    let mut snapshot = nothing();
    let mut zone = zone(0, Some(1), 30, false);
    zone.processes = vec![process(1), process(4)];
    snapshot.zones.put(Arc::new(zone));
    let findings = crate::judge(&snapshot, knowledge());
    let evidence = findings.iter().flat_map(|it| it.evidence.clone());
    let runs = [process(1), process(4)].map(model::Evidence::Process);
    assert_eq!(evidence.collect::<Vec<_>>(), runs);
}

#[test]
fn echoes_of_one_address_count_together() {
    let check = |all: &[Connection], expected: &str| {
        let mut snapshot = nothing();
        for connection in all {
            snapshot.connections.put(connection.clone());
        }
        assert_eq!(said(&snapshot), expected);
    };
    let found = "icmp_tunnel medium low";
    check(&[echo(1, 9, 40, true)], found);
    check(&[echo(1, 9, 40, false)], "");
    check(&[echo(1, 9, 18, true), echo(5, 9, 18, true)], found);
    check(&[echo(1, 9, 18, true), echo(5, 8, 18, true)], "");
    check(&[connection(1, 9, None)], "");
}

#[test]
fn other_things_go_to_where_names_are_asked_for() {
    let check = |packets, asked: Option<u64>, tier, expected: &str| {
        let mut snapshot = nothing();
        snapshot.tier = tier;
        snapshot.connections.put(echo(1, 3, packets, false));
        let owner = Process {
            path: Some(Text::from("/opt/1")),
            ..Process::unknown(process(1))
        };
        Arc::make_mut(&mut snapshot.processes).insert(owner.id, Arc::new(owner));
        snapshot.asked.put(asked_by_somebody());
        if let Some(questions) = asked {
            let mut zone = zone(2, Some(1), 3, false);
            zone.questions = questions;
            snapshot.zones.put(Arc::new(zone));
        }
        assert_eq!(said(&snapshot), expected);
    };
    let found = "not_dns medium medium";
    check(100, Some(3), Tier::Full, found);
    check(100, None, Tier::Full, found);
    check(100, Some(90), Tier::Full, "");
    check(30, None, Tier::Full, "");
    // A log of names may not be there at all.
    check(100, Some(3), Tier::Import, found);
    check(100, None, Tier::Import, "");
}

fn asked_by_somebody() -> Asked {
    asked("a.example", None)
}

/// What may happen to what is known.
#[derive(Clone, Debug)]
enum Step {
    /// Questions below a name: which, by whom, how many names, whether on behalf of others.
    Zone(u8, Option<u8>, u8, bool),
    /// There are so many more.
    ZoneAgain(usize, u8),
    LetGoZone(usize),
    /// Packets with an address, of many sizes or of one.
    Echo(u8, u8, bool),
    /// They go on, or are let go.
    EchoAgain(usize, bool),
    /// A pair of a program and an address, with so many connections; the last has a name or none.
    Pair(u8, u8, u8, Option<bool>, bool),
    /// Another connection of it, or more is known of all.
    Again(usize, Option<bool>),
    LetGo(usize),
    Asked(bool, Option<u8>),
    LetGoAsked(usize),
    /// It is called so now.
    Process(u8, bool),
    ForgetProcess(u8),
    /// What is found in it, of what package it is, whether it has ended.
    Examined(u8, Looked, bool),
    /// It listens, for this computer or for all.
    Listens(u8, bool),
    ListensNoMore(usize),
    /// A device comes to be known, or is another one.
    Device(u8),
    Time(u8),
    Gap(bool),
    Look,
}

/// What may be found in a process.
#[derive(Clone, Copy, Debug)]
enum Looked {
    Nothing,
    Shell,
    Browser,
    /// Below a process of the same browser that was told to be without a window.
    BelowBrowser,
    Headless,
    StartsItself,
    /// Below a process of the same program.
    BelowItself,
    Changed,
    Unpackaged,
    /// Of the first process.
    Child,
    ThisTool,
}

/// As it was found, of the file number `number`.
fn looked_into(number: u8, looked: Looked, ended: bool) -> Process {
    use model::{Check, Display, Examined, Outcome, Package, PackageState, Sign, Trace};
    let (path, state, found) = match looked {
        Looked::Nothing => ("/usr/bin/sleep", PackageState::Intact, None),
        Looked::Shell => (
            "/usr/bin/dash",
            PackageState::Intact,
            Some((Check::StandardSockets, Sign::InputSocket)),
        ),
        Looked::Browser | Looked::BelowBrowser | Looked::Headless => {
            ("/usr/bin/firefox", PackageState::Intact, None)
        }
        Looked::StartsItself | Looked::BelowItself => (
            "/home/lena/x",
            PackageState::Unpackaged,
            Some((Check::StartsItself, Sign::Cron)),
        ),
        Looked::Changed => (
            "/usr/bin/sleep",
            PackageState::Intact,
            Some((Check::CodeChanged, Sign::Differs)),
        ),
        Looked::Unpackaged | Looked::Child => ("/home/lena/y", PackageState::Unpackaged, None),
        Looked::ThisTool => ("/home/lena/whocalls", PackageState::ThisTool, None),
    };
    let mut examined = Examined {
        package: Some(Package {
            state,
            name: None,
            version: None,
            manager: None,
        }),
        display: Some(Display::NoConnection),
        ..Examined::default()
    };
    if let Some((check, sign)) = found {
        examined.put(check, Outcome::of(vec![Trace::new(sign)]));
    }
    Process {
        path: Some(Text::from(path)),
        command_line: matches!(looked, Looked::Headless)
            .then(|| vec![Text::from("firefox"), Text::from("--headless")]),
        parents: match looked {
            Looked::BelowBrowser => vec![parent(1, path), parent(9, "/usr/bin/bash")],
            Looked::Headless => vec![parent(9, "/usr/bin/bash")],
            Looked::Child => vec![parent(1, "/home/lena/y")],
            Looked::BelowItself => vec![parent(1, path)],
            Looked::Nothing
            | Looked::Shell
            | Looked::Browser
            | Looked::StartsItself
            | Looked::Changed
            | Looked::Unpackaged
            | Looked::ThisTool => Vec::new(),
        },
        started: Some(seconds(i64::from(number) * 3)),
        ended: ended.then(|| {
            let is_ours = matches!(looked, Looked::ThisTool);
            seconds(i64::from(number) * 3 + if is_ours { 4 } else { 7 })
        }),
        sha256: Some([0; 32]),
        examined: Some(Arc::new(examined)),
        ..Process::unknown(process(number))
    }
}

fn parent(pid: u32, path: &str) -> model::Parent {
    model::Parent {
        pid,
        name: Text::default(),
        path: Some(Text::from(path)),
    }
}

fn looked() -> impl Strategy<Value = Looked> {
    prop_oneof![
        Just(Looked::Nothing),
        Just(Looked::Shell),
        Just(Looked::Browser),
        Just(Looked::BelowBrowser),
        Just(Looked::Headless),
        Just(Looked::StartsItself),
        Just(Looked::BelowItself),
        Just(Looked::Changed),
        Just(Looked::Unpackaged),
        Just(Looked::Child),
        Just(Looked::ThisTool),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8, 1..10_u8, 1..4_u8, any::<Option<bool>>(), any::<bool>())
            .prop_map(|(program, last, count, name, inbound)| Step::Pair(program, last, count, name, inbound)),
        3 => (any::<usize>(), any::<Option<bool>>()).prop_map(|(place, name)| Step::Again(place, name)),
        2 => any::<usize>().prop_map(Step::LetGo),
        2 => (any::<bool>(), proptest::option::of(0..4_u8)).prop_map(|(bad, by)| Step::Asked(bad, by)),
        1 => any::<usize>().prop_map(Step::LetGoAsked),
        2 => (0..4_u8, any::<bool>()).prop_map(|(number, bad)| Step::Process(number, bad)),
        1 => (0..4_u8).prop_map(Step::ForgetProcess),
        4 => (0..4_u8, looked(), any::<bool>())
            .prop_map(|(number, looked, ended)| Step::Examined(number, looked, ended)),
        1 => (0..4_u8, any::<bool>()).prop_map(|(number, here)| Step::Listens(number, here)),
        1 => any::<usize>().prop_map(Step::ListensNoMore),
        1 => (0..2_u8).prop_map(Step::Device),
        3 => (0..4_u8, proptest::option::of(0..4_u8), 15..60_u8, any::<bool>())
            .prop_map(|(below, by, names, behalf)| Step::Zone(below, by, names, behalf)),
        2 => (any::<usize>(), 0..90_u8).prop_map(|(place, more)| Step::ZoneAgain(place, more)),
        1 => any::<usize>().prop_map(Step::LetGoZone),
        2 => (1..4_u8, 5..60_u8, any::<bool>())
            .prop_map(|(last, packets, many)| Step::Echo(last, packets, many)),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(place, gone)| Step::EchoAgain(place, gone)),
        2 => (0..9_u8).prop_map(Step::Time),
        1 => any::<bool>().prop_map(Step::Gap),
        3 => Just(Step::Look),
    ]
}

/// Findings as the world sees them.
fn picture(findings: &Findings) -> String {
    format!(
        "{:#?} {:?}",
        findings.iter().collect::<Vec<_>>(),
        findings.unchecked()
    )
}

fn name_of(bad: Option<bool>) -> Option<&'static str> {
    bad.map(|bad| {
        if bad {
            "bad.example.test"
        } else {
            "www.evil.test"
        }
    })
}

proptest! {
    #[test]
    fn what_is_found_step_by_step_is_what_is_found_at_once(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut snapshot = nothing();
        let mut judge = Judge::new(knowledge());
        let mut pairs: BTreeMap<Place, ()> = BTreeMap::new();
        let mut names: BTreeMap<Place, ()> = BTreeMap::new();
        let mut listening: BTreeMap<Place, ()> = BTreeMap::new();
        let mut zones: BTreeMap<Place, ()> = BTreeMap::new();
        let mut echoes: BTreeMap<Place, ()> = BTreeMap::new();
        let mut number = 0_u8;
        let nth = |all: &BTreeMap<Place, ()>, place: usize| {
            (!all.is_empty()).then(|| *all.keys().nth(place % all.len()).unwrap())
        };
        for step in steps.into_iter().chain([Step::Look]) {
            match step {
                Step::Pair(program, last, count, name, inbound) => {
                    let program = [None, CURL, Some("/usr/bin/tor")][usize::from(program)];
                    let connections: Vec<_> = (0..count)
                        .map(|_| {
                            number = number.wrapping_add(1);
                            connection(number, last, name_of(name))
                        })
                        .collect();
                    let port = (!inbound).then_some(443);
                    pairs.insert(snapshot.pairs.put(pair(program, &connections, port)), ());
                }
                Step::Again(place, name) => {
                    if let Some(place) = nth(&pairs, place) {
                        number = number.wrapping_add(1);
                        let pair = snapshot.pairs.change(place).unwrap();
                        let last = pair.key.destination.rsplit('.').next().unwrap();
                        let one = connection(number, last.parse().unwrap(), name_of(name));
                        pair.connections += 1;
                        Arc::make_mut(&mut pair.members).learn(&one);
                    }
                }
                Step::LetGo(place) => {
                    if let Some(place) = nth(&pairs, place) {
                        snapshot.pairs.take(place);
                        pairs.remove(&place);
                        snapshot.let_go += 1;
                    }
                }
                Step::Asked(bad, by) => {
                    let name = name_of(Some(bad)).unwrap();
                    names.insert(snapshot.asked.put(asked(name, by.map(process))), ());
                }
                Step::LetGoAsked(place) => {
                    if let Some(place) = nth(&names, place) {
                        snapshot.asked.take(place);
                        names.remove(&place);
                    }
                }
                Step::Zone(below, by, names, on_behalf) => {
                    let one = Arc::new(zone(below, by, names.into(), on_behalf));
                    zones.insert(snapshot.zones.put(one), ());
                }
                Step::ZoneAgain(place, more) => {
                    if let Some(place) = nth(&zones, place) {
                        let zone = Arc::make_mut(snapshot.zones.change(place).unwrap());
                        zone.names.different += u64::from(more);
                        zone.names.with_kinds += u64::from(more);
                        zone.names.among += u64::from(more);
                        zone.on_behalf |= more < 9;
                    }
                }
                Step::LetGoZone(place) => {
                    if let Some(place) = nth(&zones, place) {
                        snapshot.zones.take(place);
                        zones.remove(&place);
                    }
                }
                Step::Echo(last, packets, many) => {
                    number = number.wrapping_add(1);
                    let one = echo(number, last, packets.into(), many);
                    echoes.insert(snapshot.connections.put(one), ());
                }
                Step::EchoAgain(place, gone) => {
                    if let Some(place) = nth(&echoes, place) {
                        if gone {
                            snapshot.connections.take(place);
                            echoes.remove(&place);
                        } else {
                            let one = snapshot.connections.change(place).unwrap();
                            *one.packets_sent.as_mut().unwrap() += 20;
                            *one.bytes_sent.as_mut().unwrap() += 2_001;
                        }
                    }
                }
                Step::Process(number, bad) => {
                    let one = Process {
                        name: Text::from(if bad { "badness" } else { "goodness" }),
                        ..Process::unknown(process(number))
                    };
                    Arc::make_mut(&mut snapshot.processes).insert(one.id, Arc::new(one));
                }
                Step::ForgetProcess(number) => {
                    Arc::make_mut(&mut snapshot.processes).remove(&process(number));
                }
                Step::Examined(number, looked, ended) => {
                    let one = looked_into(number, looked, ended);
                    Arc::make_mut(&mut snapshot.processes).insert(one.id, Arc::new(one));
                }
                Step::Listens(by, here) => {
                    let ip: IpAddr = if here { "127.0.0.1" } else { "192.0.2.7" }.parse().unwrap();
                    number = number.wrapping_add(1);
                    let (process, source) = (process(by), Source::Ebpf);
                    let one = Connection {
                        state: State::Listen,
                        local: Endpoint::new(ip, 8384),
                        remote: None,
                        owner: Owner::Known { process, source },
                        ..connection(number, 9, None)
                    };
                    listening.insert(snapshot.connections.put(one), ());
                }
                Step::ListensNoMore(place) => {
                    if let Some(place) = nth(&listening, place) {
                        snapshot.connections.take(place);
                        listening.remove(&place);
                    }
                }
                Step::Device(number) => {
                    let id = DeviceId::Mac([number; 6]);
                    let device = Device {
                        id,
                        name: None,
                        addresses: vec![IpAddr::from([192, 0, 2, 7])],
                    };
                    snapshot.devices = Arc::new(HashMap::from([(id, device)]));
                }
                Step::Time(seconds) => {
                    let taken = snapshot.taken.unix_nanos() + i64::from(seconds) * 1_000_000_000;
                    snapshot.taken = Timestamp::from_unix_nanos(taken);
                }
                Step::Gap(there) => {
                    snapshot.gaps.clear();
                    if there {
                        snapshot.gaps.push(Gap::standing("events_lost", Source::Ebpf, "", ""));
                    }
                }
                Step::Look => {
                    let (one, other) = (judge.update(&snapshot), crate::judge(&snapshot, knowledge()));
                    prop_assert_eq!(picture(&one), picture(&other));
                }
            }
        }
    }

    #[test]
    fn the_order_in_which_things_are_kept_means_nothing(
        lasts in prop::collection::vec(1..10_u8, 1..12),
        rotate in 0_usize..12,
    ) {
        let all: Vec<_> = (1_u8..)
            .zip(&lasts)
            .map(|(number, last)| pair(CURL, &[connection(number, *last, None)], Some(443)))
            .collect();
        let judged = |pairs: Vec<Pair>| {
            let mut snapshot = nothing();
            snapshot.pairs = pairs.into_iter().collect();
            picture(&crate::judge(&snapshot, knowledge()))
        };
        let mut turned = all.clone();
        turned.rotate_left(rotate % all.len());
        prop_assert_eq!(judged(all), judged(turned));
    }
}

/// Syncthing looks after itself: the process that listens is another one than that which was started.
#[test]
fn a_page_of_one_process_is_that_of_all_in_its_row() {
    for (below, here, expected) in [
        (Looked::BelowItself, true, Severity::Low),
        (Looked::BelowItself, false, Severity::Medium),
        // Of another program.
        (Looked::Unpackaged, true, Severity::Medium),
    ] {
        let mut snapshot = nothing();
        let all = [
            looked_into(1, Looked::StartsItself, false),
            looked_into(2, below, false),
        ];
        let processes = Arc::make_mut(&mut snapshot.processes);
        processes.extend(all.map(|it| (it.id, Arc::new(it))));
        let ip: IpAddr = if here { "127.0.0.1" } else { "192.0.2.7" }
            .parse()
            .unwrap();
        snapshot.connections.put(Connection {
            state: State::Listen,
            local: Endpoint::new(ip, 8384),
            remote: None,
            owner: Owner::Known {
                process: process(2),
                source: Source::Ebpf,
            },
            ..connection(1, 9, None)
        });
        let findings = crate::judge(&snapshot, knowledge());
        let found: Vec<_> = findings
            .iter()
            .filter(|it| it.rule == "starts_itself")
            .map(|it| it.severity)
            .collect();
        assert_eq!(found, [expected], "{below:?} {here}");
    }
}

#[test]
fn severity_is_never_critical_by_itself() {
    let mut snapshot = nothing();
    for last in 1..10 {
        snapshot
            .pairs
            .put(pair(CURL, &[connection(last, last, None)], Some(443)));
    }
    let findings = crate::judge(&snapshot, knowledge());
    assert!(findings.iter().all(|it| it.severity < Severity::Critical));
    assert!(findings.len() >= 5, "{findings:?}");
}
