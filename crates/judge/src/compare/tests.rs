use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    AddressFacts, Announcer, BootId, Calls, Comparison, Connection, ConnectionId, Difference,
    DifferenceChange, Direction, Doubt, Endpoint, Examined, FileIdentity, Findings, Host,
    Knowledge, KnownAddress, KnownName, Knows, Matched, Members, NameSource, NameStrength,
    NetworkKind, NotCompared, Owner, Package, PackageState, Pair, PairKey, Process, ProcessId,
    Protocol, RemoteName, Severity, Shelf, Shows, Side, SideKind, Snapshot, SocketKey, Source,
    SpecialUse, State, Text, Tier, Timestamp, WhyUnknown,
};
use proptest::prelude::*;

use super::place::without_version;
use super::{Outline, compare};

/// 20.A.x.y is announced by network A, of which 9 rents servers to anybody; 10.x.y.z is of a home.
struct Lists;

impl Knows for Lists {
    fn address(&self, ip: IpAddr) -> KnownAddress {
        let IpAddr::V4(ip) = ip else {
            return KnownAddress::default();
        };
        let [first, second, ..] = ip.octets();
        let home = SpecialUse {
            name: "private",
            defined_in: "RFC 1918",
            is_global: false,
        };
        let facts = AddressFacts {
            announced_by: (first == 20).then(|| Announcer {
                asn: second.into(),
                organisation: format!("Network {second}").into(),
            }),
            kinds: if (first, second) == (20, 9) {
                vec![NetworkKind::Hosting]
            } else {
                Vec::new()
            },
            special: (first == 10).then_some(home),
            ..AddressFacts::default()
        };
        KnownAddress {
            facts,
            ..KnownAddress::default()
        }
    }

    fn name(&self, name: &str) -> KnownName {
        let labels: Vec<_> = name.split('.').collect();
        let registrable = labels[labels.len().saturating_sub(2)..].join(".");
        KnownName {
            registrable: Some(registrable),
            ..KnownName::default()
        }
    }

    fn url(&self, _: &str, _: &str) -> Vec<Matched> {
        Vec::new()
    }

    fn process(&self, _: &Process) -> Vec<Matched> {
        Vec::new()
    }

    fn unchecked_indicators(&self) -> u64 {
        0
    }

    fn newest(&self) -> Option<Timestamp> {
        None
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_nanos(1_700_000_000_000_000_000 + seconds * 1_000_000_000)
}

/// A computer that is being described.
#[derive(Clone, Debug)]
struct Computer {
    boot: u8,
    begun: i64,
    kind: SideKind,
    processes: Vec<Process>,
    connections: Vec<Connection>,
}

/// A program of it.
#[derive(Clone, Debug)]
struct Run(Process);

fn run(path: &str) -> Run {
    let id = ProcessId {
        boot: BootId([0; 16]),
        pid: 0,
        start_ticks: 0,
    };
    let name = path.rsplit('/').next().unwrap();
    let known = path.contains('/');
    Run(Process {
        name: name.into(),
        path: known.then(|| path.into()),
        command_line: Some(vec![name.into()]),
        uid: Some(1000),
        user: Some("lena".into()),
        ..Process::unknown(id)
    })
}

impl Run {
    fn package(mut self, state: PackageState, version: &str) -> Self {
        let package = Package {
            state,
            name: Some("a-package".into()),
            version: (!version.is_empty()).then(|| version.into()),
            manager: None,
        };
        self.0.examined = Some(Arc::new(Examined {
            package: Some(package),
            ..Examined::default()
        }));
        self
    }

    fn intact(self) -> Self {
        self.package(PackageState::Intact, "")
    }

    fn unpackaged(self) -> Self {
        self.package(PackageState::Unpackaged, "")
    }

    fn hash(mut self, byte: u8) -> Self {
        self.0.sha256 = Some([byte; 32]);
        self
    }

    fn inode(mut self, inode: u64) -> Self {
        self.0.file = Some(FileIdentity { device: 1, inode });
        self
    }

    fn root(mut self) -> Self {
        (self.0.uid, self.0.user) = (Some(0), Some("root".into()));
        self
    }

    fn arguments(mut self, arguments: &[&str]) -> Self {
        self.0.command_line = Some(arguments.iter().map(|it| Text::from(*it)).collect());
        self
    }
}

impl Computer {
    fn new(boot: u8) -> Self {
        Self {
            boot,
            begun: i64::from(boot) * 100_000,
            kind: SideKind::Recording,
            processes: Vec::new(),
            connections: Vec::new(),
        }
    }

    fn kind(self, kind: SideKind) -> Self {
        Self { kind, ..self }
    }

    /// The program of what is said next.
    fn runs(mut self, run: Run) -> Self {
        // Other numbers than the other side has.
        let number = u32::try_from(self.processes.len()).unwrap() + 100 * u32::from(self.boot);
        let id = ProcessId {
            boot: BootId([self.boot; 16]),
            pid: number,
            start_ticks: number.into(),
        };
        self.processes.push(Process {
            id,
            started: Some(at(self.begun)),
            ..run.0
        });
        self
    }

    fn connection(&self, direction: Direction, local: u16, remote: Option<Endpoint>) -> Connection {
        let number = self.connections.len();
        let mut id = [self.boot; 16];
        id[0] = u8::try_from(number % 256).unwrap();
        id[1] = u8::try_from(number / 256).unwrap();
        let owner = self.processes.last().map(|it| it.id);
        Connection {
            id: ConnectionId(id),
            protocol: Protocol::Tcp,
            state: State::Established,
            direction,
            local: Endpoint::new(IpAddr::from([10, 0, 0, 7]), local),
            remote,
            netns: None,
            interface: None,
            socket: SocketKey {
                inode: None,
                cookie: None,
            },
            uid: None,
            opened: Some(at(self.begun + 10 + i64::try_from(number).unwrap())),
            closed: None,
            error: None,
            bytes_sent: None,
            bytes_received: None,
            packets_sent: None,
            packets_received: None,
            owner: match owner {
                Some(process) => Owner::Known {
                    process,
                    source: Source::Ebpf,
                },
                None => Owner::Unknown {
                    why: WhyUnknown::NoRights,
                },
            },
            also_held_by: Vec::new(),
            name: None,
            greeting: None,
            device: None,
            talk: None,
        }
    }

    fn calls(mut self, ip: &str, port: u16, name: &str) -> Self {
        let remote = Endpoint::new(ip.parse().unwrap(), port);
        let local = 40_000 + u16::from(self.boot);
        let mut connection = self.connection(Direction::Outbound, local, Some(remote));
        connection.name = (!name.is_empty()).then(|| {
            Arc::new(RemoteName {
                name: name.into(),
                source: NameSource::Sni,
                strength: NameStrength::Greeted,
            })
        });
        self.connections.push(connection);
        self
    }

    fn called_by(mut self, ip: &str, port: u16) -> Self {
        let remote = Endpoint::new(ip.parse().unwrap(), 50_000);
        let connection = self.connection(Direction::Inbound, port, Some(remote));
        self.connections.push(connection);
        self
    }

    fn waits(mut self, ip: &str, port: u16) -> Self {
        let mut connection = self.connection(Direction::Listening, port, None);
        connection.local = Endpoint::new(ip.parse().unwrap(), port);
        connection.state = State::Listen;
        self.connections.push(connection);
        self
    }

    fn datagrams(mut self, ip: &str, port: u16) -> Self {
        let mut connection = self.connection(Direction::Listening, port, None);
        connection.local = Endpoint::new(ip.parse().unwrap(), port);
        connection.protocol = Protocol::Udp;
        connection.state = State::Open;
        self.connections.push(connection);
        self
    }

    fn snapshot(&self) -> Snapshot {
        let processes = self.processes.iter();
        let processes: HashMap<_, _> = processes.map(|it| (it.id, Arc::new(it.clone()))).collect();
        let mut pairs: Vec<(PairKey, Vec<&Connection>)> = Vec::new();
        for connection in self.connections.iter().filter(|it| it.remote.is_some()) {
            let owner = connection.owner.process().and_then(|id| processes.get(&id));
            let remote = connection.remote.unwrap();
            let key = PairKey {
                program: owner.map(|it| it.program().clone()),
                device: None,
                destination: remote.ip.unwrap().to_string(),
                port: remote
                    .port
                    .filter(|_| connection.direction != Direction::Inbound),
                local_port: connection
                    .local
                    .port
                    .filter(|_| connection.direction == Direction::Inbound),
                protocol: connection.protocol,
            };
            match pairs.iter_mut().find(|(known, _)| *known == key) {
                Some((_, all)) => all.push(connection),
                None => pairs.push((key, vec![connection])),
            }
        }
        Snapshot {
            host: Host {
                name: "desk".into(),
                boot: BootId([self.boot; 16]),
            },
            home_netns: None,
            taken: at(self.begun + 3600),
            since: at(self.begun),
            tier: Tier::Full,
            connections: self.connections.iter().cloned().collect(),
            processes: Arc::new(processes),
            pairs: pairs
                .into_iter()
                .map(|(key, all)| pair(key, &all))
                .collect(),
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

    fn outline(&self) -> Outline {
        let mut snapshot = self.snapshot();
        let knowledge = Knowledge::of(Arc::new(Lists));
        snapshot.findings = crate::judge(&snapshot, knowledge.clone());
        let side = Side {
            name: format!("side {}", self.boot),
            kind: self.kind,
            host: Some("desk".into()),
            boot: Some(BootId([self.boot; 16])),
            span: Some((at(self.begun), at(self.begun + 3600))),
            tier: Some(Tier::Full),
            shows: Shows {
                listeners: true,
                every_process: true,
                ..Shows::default()
            },
            gaps: Vec::new(),
        };
        Outline::of(&snapshot, side, &knowledge)
    }
}

fn pair(key: PairKey, connections: &[&Connection]) -> Pair {
    let mut members = Members::default();
    connections.iter().for_each(|it| members.learn(it));
    Pair {
        key,
        first: connections.iter().filter_map(|it| it.opened).min().unwrap(),
        last: at(0),
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

fn compared(before: &Computer, after: &Computer) -> Comparison {
    compare(before.outline(), after.outline())
}

/// In a line each; ordinary ones, and what rules say, are left out.
fn said(comparison: &Comparison) -> Vec<String> {
    let wanted = |it: &&Difference| !it.ordinary && it.finding.is_none();
    let told = comparison.differences.iter().filter(wanted);
    let line = |it: &Difference| {
        let program = it.program.as_ref().map(Text::lossy).unwrap_or_default();
        let program = program.rsplit('/').next().unwrap_or_default().to_owned();
        let words = [
            it.severity.word(),
            it.change.word(),
            it.kind.word(),
            &program,
            &it.thing,
        ];
        words.join(" ").trim_end().to_owned()
    };
    told.map(line).collect()
}

#[track_caller]
fn check(before: &Computer, after: &Computer, expected: &[&str]) -> Comparison {
    let comparison = compared(before, after);
    assert_eq!(said(&comparison), expected);
    comparison
}

/// With something that goes on as it did: both sides show names and programs.
fn usual(boot: u8) -> Computer {
    Computer::new(boot)
        .runs(run("/usr/sbin/sshd").intact().root())
        .waits("0.0.0.0", 22)
        .waits("::", 22)
        .runs(run("/usr/bin/mail").intact())
        .calls("20.1.0.1", 993, "imap.mail.example")
}

fn browser(computer: Computer, sites: std::ops::Range<u8>) -> Computer {
    let computer = computer.runs(run("/opt/browser").unpackaged());
    sites.fold(computer, |computer, site| {
        let ip = format!("20.{}.0.1", 20 + site);
        computer.calls(&ip, 443, &format!("www.site{site}.example"))
    })
}

#[test]
fn another_start_of_the_computer_is_no_difference() {
    let comparison = check(&usual(1), &usual(2), &[]);
    assert_eq!(comparison.differences, []);
    assert_eq!(comparison.same.programs, 2);
    assert_eq!(comparison.same.listeners, 1);
    assert_eq!(comparison.same.destinations, 1);
}

#[test]
fn a_new_program_that_no_package_answers_for_comes_first() {
    let after = usual(2)
        .runs(run("/usr/bin/chat").intact())
        .calls("20.3.0.1", 443, "chat.example")
        .runs(run("/home/lena/.cache/updater").unpackaged())
        .calls("20.2.0.1", 443, "");
    let comparison = check(&usual(1), &after, &["medium new program updater"]);
    // The one of a package is counted.
    let mut all = comparison.differences.iter();
    let chat = all
        .find(|it| it.program == Some("/usr/bin/chat".into()))
        .unwrap();
    assert!(chat.ordinary);
    assert_eq!(chat.confidence, model::Confidence::High);
    check(&after, &usual(3), &["informational gone program updater"]);
}

#[test]
fn a_program_that_talks_to_its_own_computer_only_weighs_less() {
    let after = usual(2)
        .runs(run("/opt/tool").unpackaged())
        .calls("127.0.0.1", 631, "");
    check(&usual(1), &after, &["low new program tool"]);
}

#[test]
fn what_ran_before_without_calling_is_said_to() {
    let before = usual(1).runs(run("/opt/tool").unpackaged());
    let after = before.clone().calls("20.2.0.1", 443, "");
    let comparison = check(&before, &after, &["medium new program tool"]);
    let difference = &comparison.differences[0];
    assert!(difference.fact("ran").is_some(), "{difference:?}");
}

#[test]
fn a_new_program_without_a_connection_is_told_where_no_package_answers_for_it() {
    let after = usual(2)
        .runs(run("/usr/bin/ls").intact())
        .runs(run("/tmp/x").unpackaged());
    let comparison = check(&usual(1), &after, &["low new program x"]);
    assert_eq!(
        comparison
            .differences
            .iter()
            .filter(|it| it.finding.is_none())
            .count(),
        2
    );
}

#[test]
fn a_look_of_one_moment_says_little_of_what_is_missing_in_it() {
    let after = usual(2)
        .runs(run("/opt/tool").unpackaged())
        .calls("20.2.0.1", 443, "");
    let comparison = compared(&usual(1).kind(SideKind::Look), &after);
    let tool = comparison
        .differences
        .iter()
        .find(|it| it.program == Some("/opt/tool".into()));
    assert_eq!(tool.unwrap().doubts, [Doubt::TooShort]);
    let moment = NotCompared::Moment(model::Which::Before);
    assert!(
        comparison.not_compared.contains(&moment),
        "{:?}",
        comparison.not_compared
    );
}

#[test]
fn a_new_listener_to_the_outside_is_told_and_one_that_is_given_out_is_not() {
    let before = usual(1)
        .runs(run("/usr/bin/share").intact())
        .waits("0.0.0.0", 41_000);
    let innocent = usual(2)
        .runs(run("/usr/bin/share").intact())
        .waits("0.0.0.0", 52_000);
    check(&before, &innocent, &[]);
    let guilty = usual(2)
        .runs(run("/usr/bin/share").intact())
        .waits("0.0.0.0", 41_000)
        .waits("0.0.0.0", 8080);
    check(
        &before,
        &guilty,
        &["low new listener share tcp 8080 outside"],
    );
    let control = usual(2)
        .runs(run("/usr/bin/share").intact())
        .waits("0.0.0.0", 41_000)
        .waits("0.0.0.0", 5900);
    check(
        &before,
        &control,
        &["medium new listener share tcp 5900 outside"],
    );
}

#[test]
fn ports_for_datagrams_that_are_chosen_at_random_are_no_news() {
    let browser = |boot, ports: &[u16]| {
        let computer = usual(boot).runs(run("/opt/browser").unpackaged());
        let computer = computer.calls("20.2.0.1", 443, "a.example");
        ports
            .iter()
            .fold(computer, |it, port| it.datagrams("0.0.0.0", *port))
    };
    check(
        &browser(1, &[4968, 9498]),
        &browser(2, &[7000, 18_531, 5000]),
        &[],
    );
    check(&browser(1, &[4968, 9498]), &browser(2, &[7000]), &[]);
    check(&browser(1, &[7000]), &browser(2, &[4968, 9498]), &[]);
    check(
        &browser(1, &[]),
        &browser(2, &[7000]),
        &["low new listener browser udp 7000 outside"],
    );
    check(
        &browser(1, &[4968, 9498]),
        &browser(2, &[4968, 9498, 161]),
        &["medium new listener browser udp 161 outside"],
    );
}

#[test]
fn a_listener_that_others_can_reach_now_says_that_it_was_there_before() {
    let before = usual(1)
        .runs(run("/opt/db").unpackaged())
        .waits("127.0.0.1", 5432);
    let after = usual(2)
        .runs(run("/opt/db").unpackaged())
        .waits("0.0.0.0", 5432);
    let comparison = check(
        &before,
        &after,
        &["medium new listener db tcp 5432 outside"],
    );
    assert!(comparison.differences[0].fact("was_loopback").is_some());
}

#[test]
fn another_program_at_the_same_port_is_said_to_have_taken_it() {
    let before = usual(1)
        .runs(run("/usr/bin/web").intact())
        .waits("0.0.0.0", 80);
    let after = usual(2)
        .runs(run("/tmp/web").unpackaged())
        .waits("0.0.0.0", 80);
    let comparison = compared(&before, &after);
    let first = comparison
        .differences
        .iter()
        .find(|it| it.finding.is_none())
        .unwrap();
    assert_eq!(first.severity, Severity::High);
    assert_eq!(
        first.fact("held_before_by"),
        Some(&model::Fact::Text("/usr/bin/web".to_owned()))
    );
}

#[test]
fn a_replaced_file_is_told_by_what_is_known_of_it() {
    let (intact, modified) = (PackageState::Intact, PackageState::Modified);
    let with = |boot, it: Run| {
        Computer::new(boot)
            .runs(it)
            .calls("20.1.0.1", 443, "a.example")
    };
    let tool = || run("/usr/bin/tool");
    let update = (
        tool().package(intact, "1").hash(1),
        tool().package(intact, "2").hash(2),
    );
    check(&with(1, update.0), &with(2, update.1), &[]);
    let swapped = (
        tool().package(intact, "1").hash(1),
        tool().package(modified, "1").hash(2),
    );
    check(
        &with(1, swapped.0),
        &with(2, swapped.1),
        &["high changed program_file tool"],
    );
    let own = || run("/opt/own").unpackaged();
    check(&with(1, own().hash(1)), &with(2, own().hash(1)), &[]);
    check(
        &with(1, own().hash(1)),
        &with(2, own().hash(2)),
        &["medium changed program_file own"],
    );
    // Where there are no hashes, the number of the file is a sign, and no proof.
    check(&with(1, tool().inode(5)), &with(2, tool().inode(5)), &[]);
    let numbers = check(
        &with(1, tool().inode(5)),
        &with(2, tool().inode(6)),
        &["low changed program_file tool"],
    );
    assert_eq!(numbers.differences[0].doubts, [Doubt::ByFileNumber]);
    // A hash that is the same is a proof.
    check(
        &with(1, own().hash(1).inode(5)),
        &with(2, own().hash(1).inode(6)),
        &[],
    );
}

#[test]
fn two_versions_of_a_program_are_the_same_program() {
    let snap = |boot, revision: u32| {
        let path = format!("/snap/mail/{revision}/bin/mail");
        Computer::new(boot)
            .runs(run(&path).intact())
            .calls("20.1.0.1", 993, "a.example")
    };
    let comparison = check(&snap(1, 41), &snap(2, 42), &[]);
    assert_eq!(comparison.same.destinations, 1);
    assert!(comparison.differences[0].fact("was").is_some());
    // Where there are two, nobody can tell which is which.
    let two = snap(2, 42)
        .runs(run("/snap/mail/43/bin/mail").unpackaged())
        .calls("20.2.0.1", 1, "");
    let comparison = compared(&snap(1, 41), &two);
    assert!(said(&comparison).contains(&"medium new program mail".to_owned()));
}

#[test]
fn a_bare_name_is_the_path_that_ends_so() {
    let named = |boot, path: &str| {
        Computer::new(boot)
            .runs(run(path))
            .calls("20.1.0.1", 443, "")
    };
    check(&named(1, "curl"), &named(2, "/usr/bin/curl"), &[]);
}

#[test]
fn each_script_is_a_program_of_its_own() {
    let python = |script: &str| {
        run("/usr/bin/python3.11")
            .intact()
            .arguments(&["python3", script])
    };
    let before = usual(1)
        .runs(python("/usr/share/a.py"))
        .calls("20.1.0.1", 443, "a.example");
    let after = usual(2)
        .runs(python("/usr/share/a.py"))
        .calls("20.1.0.1", 443, "a.example")
        .runs(python("/home/lena/b.py"))
        .calls("20.2.0.1", 443, "b.example");
    check(
        &before,
        &after,
        &["low new program python3.11 /home/lena/b.py"],
    );
}

#[test]
fn a_new_destination_is_told_of_who_calls_few() {
    let updater = || run("/opt/updater").unpackaged();
    let with = |boot| {
        usual(boot)
            .runs(updater())
            .calls("20.2.0.1", 443, "a.vendor.example")
    };
    // Another name below the same domain, another address of the same network.
    let innocent = with(2).calls("20.2.0.9", 443, "b.vendor.example");
    check(&with(1), &innocent, &[]);
    let guilty = with(2).calls("20.3.0.1", 443, "other.test");
    check(
        &with(1),
        &guilty,
        &["low new destination updater other.test"],
    );
    let nameless = with(2).calls("20.3.0.1", 443, "");
    check(&with(1), &nameless, &["medium new destination updater AS3"]);
    let port = with(2).calls("20.2.0.1", 4444, "a.vendor.example");
    check(
        &with(1),
        &port,
        &["low new destination_port updater vendor.example 4444/tcp"],
    );
    // What a program of a package calls is folded away.
    let mail = usual(2).calls("20.3.0.1", 443, "other.test");
    check(&usual(1), &mail, &[]);
}

#[test]
fn who_calls_everywhere_calls_one_more() {
    let comparison = check(&browser(usual(1), 0..30), &browser(usual(2), 2..40), &[]);
    let all = comparison
        .differences
        .iter()
        .filter(|it| it.finding.is_none());
    assert_eq!(all.count(), 12);
}

#[test]
fn where_one_side_has_no_names_addresses_and_networks_are_compared() {
    let with = |boot, name: &str, ip: &str| {
        Computer::new(boot)
            .runs(run("/opt/x").unpackaged())
            .calls(ip, 443, name)
    };
    check(
        &with(1, "a.example", "20.2.0.1"),
        &with(2, "", "20.2.0.1"),
        &[],
    );
    check(
        &with(1, "a.example", "20.2.0.1"),
        &with(2, "", "20.2.0.2"),
        &[],
    );
    check(
        &with(1, "", "20.2.0.2"),
        &with(2, "a.example", "20.2.0.1"),
        &[],
    );
    check(
        &with(1, "a.example", "20.2.0.1"),
        &with(2, "", "20.3.0.2"),
        &["low new destination x AS3"],
    );
    // In a network where anybody can rent a server the next one may be anybody's.
    let rented = check(
        &with(1, "a.example", "20.9.0.1"),
        &with(2, "", "20.9.0.2"),
        &["low changed destination x AS9"],
    );
    assert!(
        rented
            .differences
            .iter()
            .any(|it| it.doubts == [Doubt::ByNetwork])
    );
}

#[test]
fn what_runs_as_root_now_is_told() {
    let with = |boot, it: Run| usual(boot).runs(it).calls("20.2.0.1", 443, "a.example");
    check(
        &with(1, run("/usr/bin/tool").intact()),
        &with(2, run("/usr/bin/tool").intact().root()),
        &["low new program_user tool root"],
    );
}

#[test]
fn a_new_caller_of_a_way_in_is_told() {
    let before = usual(1);
    let mut after = usual(2);
    after.processes.rotate_right(1);
    let sshd = after
        .processes
        .iter()
        .position(|it| it.path == Some("/usr/sbin/sshd".into()));
    let last = after.processes.len() - 1;
    after.processes.swap(sshd.unwrap(), last);
    let after = after.called_by("20.4.0.1", 22);
    check(&before, &after, &["low new caller sshd AS4"]);
    check(&after, &after.clone().called_by("20.4.0.2", 22), &[]);
}

#[test]
fn what_somebody_unknown_did_before_is_no_news() {
    // Without rights nobody could be named.
    let mut before = Computer::new(1)
        .waits("0.0.0.0", 22)
        .calls("20.1.0.1", 993, "");
    before = before
        .runs(run("/opt/own").unpackaged())
        .calls("20.5.0.1", 443, "");
    let after = usual(2)
        .runs(run("/opt/own").unpackaged())
        .calls("20.5.0.1", 443, "");
    let comparison = compared(&before, &after);
    let said = said(&comparison);
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn without_owners_all_is_held_against_all() {
    let log = |boot| Computer::new(boot).calls("20.1.0.1", 443, "a.example");
    let after = usual(2)
        .calls("20.1.0.1", 443, "a.example")
        .calls("20.3.0.1", 443, "b.example");
    let comparison = compared(&log(1), &after);
    assert!(
        said(&comparison).contains(&"low new destination  b.example".to_owned()),
        "{:?}",
        said(&comparison)
    );
    let no_owners = NotCompared::NoOwners(model::Which::Before);
    assert!(comparison.not_compared.contains(&no_owners));
}

// Any computer.

const PATHS: [&str; 9] = [
    "/usr/bin/mail",
    "/opt/own",
    "/opt/x1/x",
    "/opt/x2/x",
    "curl",
    "/usr/bin/curl",
    "/usr/bin/python3.11",
    "/usr/bin/python3.12",
    "/home/lena/.cache/updater",
];
const SCRIPTS: [&str; 3] = ["", "/a1.py", "/a2.py"];
const NAMES: [&str; 4] = ["", "www.a.example", "b.example", "c.test"];

#[derive(Clone, Debug)]
enum Does {
    Runs(usize, usize, u8),
    Calls(u8, u8, usize),
    Waits(bool, u16),
    Datagrams(bool, u16),
    IsCalled(u8),
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        (0..PATHS.len(), 0..SCRIPTS.len(), 0_u8..4).prop_map(|(a, b, c)| Does::Runs(a, b, c)),
        (0_u8..12, 0_u8..3, 0..NAMES.len()).prop_map(|(a, b, c)| Does::Calls(a, b, c)),
        (
            any::<bool>(),
            prop_oneof![Just(22_u16), Just(80), 32_000_u16..34_000]
        )
            .prop_map(|(a, b)| Does::Waits(a, b)),
        (any::<bool>(), prop_oneof![Just(53_u16), 5_000_u16..5_003])
            .prop_map(|(a, b)| Does::Datagrams(a, b)),
        (0_u8..6).prop_map(Does::IsCalled),
    ]
}

fn computer(boot: u8, all: &[Does]) -> Computer {
    all.iter()
        .fold(Computer::new(boot), |computer, it| match *it {
            Does::Runs(path, script, file) => {
                let state = [
                    PackageState::Intact,
                    PackageState::Modified,
                    PackageState::Unpackaged,
                    PackageState::NotTestable,
                ];
                let mut it = run(PATHS[path])
                    .package(state[usize::from(file)], "")
                    .inode(file.into());
                if !SCRIPTS[script].is_empty() {
                    it = it.arguments(&["x", SCRIPTS[script]]);
                }
                if file % 2 == 0 {
                    it = it.hash(file);
                }
                computer.runs(it)
            }
            Does::Calls(network, host, name) => {
                computer.calls(&format!("20.{network}.0.{host}"), 443, NAMES[name])
            }
            Does::Waits(outside, port) => {
                computer.waits(if outside { "0.0.0.0" } else { "127.0.0.1" }, port)
            }
            Does::Datagrams(outside, port) => {
                computer.datagrams(if outside { "0.0.0.0" } else { "127.0.0.1" }, port)
            }
            Does::IsCalled(network) => computer.called_by(&format!("20.{network}.0.1"), 22),
        })
}

/// What is told, whichever of two versions names it.
fn told(comparison: &Comparison, turned: bool) -> Vec<String> {
    let turn = |change| match (change, turned) {
        (DifferenceChange::New, true) => DifferenceChange::Gone,
        (DifferenceChange::Gone, true) => DifferenceChange::New,
        (change, _) => change,
    };
    let line = |it: &Difference| {
        let program = it.program.clone().unwrap_or_default();
        let place = without_version(&program).unwrap_or(program.lossy().into_owned());
        let thing = without_version(&it.thing.as_str().into()).unwrap_or(it.thing.clone());
        let finding = it.finding.as_ref().map(|it| it.rule);
        format!(
            "{} {} {place} {thing} {finding:?}",
            it.kind.word(),
            turn(it.change).word()
        )
    };
    let mut told: Vec<_> = comparison.differences.iter().map(line).collect();
    told.sort();
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_same_is_no_difference(all in prop::collection::vec(does(), 0..24)) {
        let (one, other) = (computer(1, &all), computer(2, &all));
        prop_assert_eq!(compared(&one, &one).differences, vec![]);
        prop_assert_eq!(compared(&one, &other).differences, vec![]);
    }

    #[test]
    fn turned_round_it_says_the_same(
        one in prop::collection::vec(does(), 0..20),
        other in prop::collection::vec(does(), 0..20),
        common in prop::collection::vec(does(), 0..10),
    ) {
        let one = computer(1, &[&common[..], &one].concat());
        let other = computer(2, &[&common[..], &other].concat());
        let (there, back) = (compared(&one, &other), compared(&other, &one));
        prop_assert_eq!(told(&there, false), told(&back, true));
        prop_assert_eq!(there.same, back.same);
    }

    #[test]
    fn no_order_matters(
        one in prop::collection::vec(does(), 0..20),
        other in prop::collection::vec(does(), 0..20),
    ) {
        let (one, other) = (computer(1, &one), computer(2, &other));
        let mut turned = other.clone();
        turned.connections.reverse();
        turned.processes.reverse();
        let (a, b) = (compared(&one, &other), compared(&one, &turned));
        prop_assert_eq!(a.differences, b.differences);
    }
}
