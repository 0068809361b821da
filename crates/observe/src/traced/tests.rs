use model::{BootId, Holder, Host, Socket, State, Text, Tier};
use proptest::prelude::*;

use super::*;
use crate::parse::etw_kernel_network::Deed;

const BOOT: BootId = BootId([7; 16]);
const SECOND: u64 = 1_000_000_000;

fn stamp() -> Stamp {
    Stamp {
        #[cfg(target_os = "linux")]
        boot: BOOT,
        boot_time: Timestamp::from_unix_nanos(0),
        #[cfg(target_os = "linux")]
        boot_time_shift: 0,
        source: Source::IpHelper,
        seq: 0,
    }
}

fn process(pid: u32, started: u64) -> Process {
    let started = Timestamp::from_unix_nanos(i64::try_from(started * SECOND).unwrap());
    let id = ProcessId {
        boot: BOOT,
        pid,
        start_ticks: ticks(started),
    };
    Process {
        started: Some(started),
        name: Text::from(format!("{pid}.exe")),
        ..Process::unknown(id)
    }
}

fn end(text: &str) -> Endpoint {
    let address: std::net::SocketAddr = text.parse().unwrap();
    Endpoint::new(address.ip(), address.port())
}

/// A row of a table: its number, its own end, the other one or nothing, its state, its process.
fn row(cookie: u64, protocol: Protocol, ends: (&str, &str), state: State, pid: u32) -> Socket {
    Socket {
        key: key(cookie),
        protocol,
        state,
        local: end(ends.0),
        remote: (!ends.1.is_empty()).then(|| end(ends.1)),
        netns: None,
        interface: None,
        uid: None,
        bytes_sent: None,
        bytes_received: None,
        opened_here: None,
        only_ipv6: None,
        holders: vec![Holder {
            process: process(pid, 1).id,
            source: Source::IpHelper,
        }],
        why_unheld: WhyUnknown::NoHolder,
    }
}

fn look(sockets: Vec<Socket>, processes: &[(u32, u64)]) -> Look {
    Look {
        host: Host {
            name: Text::from("here"),
            boot: BOOT,
        },
        home_netns: None,
        taken: Timestamp::from_unix_nanos(0),
        tier: Tier::Polling,
        sockets,
        processes: processes
            .iter()
            .map(|(pid, it)| process(*pid, *it))
            .collect(),
        users: HashMap::new(),
        remembered: Vec::new(),
        gaps: Vec::new(),
    }
}

/// What is told, a line for each, and looks in between.
struct Run {
    traced: Traced,
    processes: Processes,
    stamp: Stamp,
    seen: Vec<Observed>,
}

impl Run {
    fn begin(sockets: Vec<Socket>) -> Self {
        let mut first = look(sockets, &[(4, 0), (42, 1), (43, 1)]);
        Self {
            traced: Traced::begin(&mut first),
            processes: Processes::of(&first),
            stamp: stamp(),
            seen: Vec::new(),
        }
    }

    fn told(&mut self, time: u64, pid: u32, told: Told) {
        let held = Held {
            time,
            pid,
            thread: 9,
            told,
            facts: None,
        };
        let Self {
            traced,
            processes,
            stamp,
            seen,
        } = self;
        traced.tell(held, processes, stamp, seen);
    }

    /// As its payload has it, so that it is taken apart as well.
    fn deed(&mut self, time: u64, deed: Deed, is_udp: bool, ends: (&str, &str), size: u32) {
        self.deed_of(42, time, deed, is_udp, ends, size);
    }

    fn deed_of(
        &mut self,
        pid: u32,
        time: u64,
        deed: Deed,
        is_udp: bool,
        (local, remote): (&str, &str),
        size: u32,
    ) {
        self.told(
            time,
            pid,
            Told::Network(network::Told::Deed {
                deed,
                is_udp,
                pid,
                size,
                local: end(local),
                remote: end(remote),
            }),
        );
    }

    fn look(&mut self, began: u64, sockets: Vec<Socket>) -> (Look, bool) {
        let mut look = look(sockets, &[(4, 0), (42, 1), (43, 1)]);
        let Self {
            traced,
            processes,
            stamp,
            seen,
        } = self;
        let missing = traced.look(began, &mut look, processes, stamp, seen);
        (look, missing)
    }

    fn lines(&mut self) -> Vec<String> {
        let line = |observed: Observed| match observed {
            Observed::Event(event) => {
                let pid = event.process.map_or(0, |it| it.pid);
                let bytes = event.bytes_sent.zip(event.bytes_received);
                let bytes = bytes.map(|it| format!(" {it:?}")).unwrap_or_default();
                let error = event.error.map(|it| format!(" {:?}", it.phase));
                let detail = if let Detail::Exit { status } = event.detail {
                    format!(" {status:?}")
                } else if let Detail::Name(name) = event.detail {
                    let answer = name.answer.map(|it| it.addresses.len());
                    format!(" {} {answer:?}", name.name.unwrap_or_default().lossy())
                } else {
                    String::new()
                };
                format!(
                    "{} {pid}{bytes}{}{detail}",
                    event.kind.word(),
                    error.unwrap_or_default()
                )
            }
            Observed::Process(process) => {
                let path = process.path.as_ref().map(|it| it.lossy().into_owned());
                let parents: Vec<_> = process.parents.iter().map(|it| it.pid).collect();
                let name = process.name.lossy();
                format!("process {} {name} {path:?} {parents:?}", process.id.pid)
            }
            Observed::Counts(counts) => {
                let sums: Vec<_> = counts
                    .iter()
                    .map(|it| (it.bytes_sent, it.bytes_received))
                    .collect();
                format!("counts {sums:?}")
            }
            Observed::Look(_) | Observed::Gap(_) => "other".to_owned(),
        };
        self.seen.drain(..).map(line).collect()
    }

    fn cookies(&self) -> Vec<u64> {
        let mut cookies = Vec::new();
        for observed in &self.seen {
            if let Observed::Event(event) = observed {
                cookies.extend(event.socket.and_then(|it| it.cookie));
            }
        }
        cookies
    }
}

const HERE: &str = "10.0.0.5:50000";
const THERE: &str = "192.0.2.1:443";

#[test]
fn a_short_connection_that_no_table_has_is_told_whole() {
    let mut run = Run::begin(Vec::new());
    run.deed(SECOND, Deed::Connect, false, (HERE, THERE), 0);
    run.deed(SECOND + 1, Deed::Send, false, (HERE, THERE), 100);
    run.deed(SECOND + 2, Deed::Receive, false, (HERE, THERE), 2000);
    run.deed(SECOND + 3, Deed::Copy, false, (HERE, THERE), 2000);
    run.deed(SECOND + 4, Deed::Disconnect, false, (HERE, THERE), 0);
    run.deed(SECOND + 5, Deed::Disconnect, false, (HERE, THERE), 0);
    assert_eq!(run.lines(), ["opened 42"]);
    let left = row(5, Protocol::Tcp, (HERE, THERE), State::TimeWait, 0);
    let (look, missing) = run.look(2 * SECOND, vec![left]);
    assert!(!missing);
    assert_eq!(run.lines(), ["closed 0 (100, 2000)"]);
    // What is left of it is not another one.
    assert_ne!(look.sockets[0].key.cookie, Some(5));
    let _ = run.look(3 * SECOND, Vec::new());
    assert_eq!(run.lines(), [""; 0]);
}

#[test]
fn an_event_and_a_table_give_a_connection_the_same_number() {
    // The event was told first.
    let mut run = Run::begin(Vec::new());
    run.deed(SECOND, Deed::Connect, false, (HERE, THERE), 0);
    let told = run.cookies()[0];
    let row = |cookie| row(cookie, Protocol::Tcp, (HERE, THERE), State::Established, 42);
    let (look, _) = run.look(2 * SECOND, vec![row(5)]);
    assert_eq!(look.sockets[0].key.cookie, Some(told));
    // The table was.
    let mut run = Run::begin(vec![row(5)]);
    run.deed(SECOND, Deed::Send, false, (HERE, THERE), 9);
    run.deed_of(43, SECOND + 1, Deed::Send, false, (HERE, THERE), 9);
    assert_eq!(run.cookies(), [5]);
    // That process 42 had it was not told before.
    assert_eq!(run.lines(), ["owner_changed 43"]);
    let sums = run.traced.counts(SECOND, &run.stamp);
    assert_eq!((sums[0].bytes_sent, sums[0].socket), (Some(18), key(5)));
    assert!(run.traced.counts(SECOND, &run.stamp).is_empty());
}

#[test]
fn bytes_that_come_after_the_wish_to_end_are_counted() {
    let mut run = Run::begin(Vec::new());
    run.deed(SECOND, Deed::Connect, false, (HERE, THERE), 0);
    run.deed(SECOND + 1, Deed::Disconnect, false, (HERE, THERE), 0);
    let half = |state| vec![row(5, Protocol::Tcp, (HERE, THERE), state, 42)];
    let _ = run.look(2 * SECOND, half(State::FinWait2));
    run.deed(3 * SECOND, Deed::Receive, false, (HERE, THERE), 7);
    let _ = run.look(4 * SECOND, half(State::TimeWait));
    assert_eq!(run.lines(), ["opened 42", "closed 0 (0, 7)"]);
}

#[test]
fn the_same_ends_again_are_another_connection() {
    let mut run = Run::begin(Vec::new());
    run.deed(SECOND, Deed::Connect, false, (HERE, THERE), 0);
    run.deed(SECOND + 1, Deed::Disconnect, false, (HERE, THERE), 0);
    run.deed(SECOND + 2, Deed::Connect, false, (HERE, THERE), 0);
    let cookies = run.cookies();
    assert_eq!(run.lines(), ["opened 42", "closed 0 (0, 0)", "opened 42"]);
    assert_eq!(cookies[0], cookies[1]);
    assert_ne!(cookies[0], cookies[2]);
}

#[test]
fn an_attempt_that_nobody_answers_is_told() {
    let mut run = Run::begin(Vec::new());
    run.deed(SECOND, Deed::Reconnect, false, (HERE, THERE), 0);
    run.deed(2 * SECOND, Deed::Reconnect, false, (HERE, THERE), 0);
    run.deed(3 * SECOND, Deed::Disconnect, false, (HERE, THERE), 0);
    let expected = ["attempt 42", "first_packet 42", "closed 42 Handshake"];
    assert_eq!(run.lines(), expected);
    // One that is only told to be over.
    run.deed(
        4 * SECOND,
        Deed::Disconnect,
        false,
        (HERE, "192.0.2.2:443"),
        0,
    );
    assert_eq!(run.lines(), expected);
}

#[test]
fn who_is_called_is_told_to_be_called() {
    let listener = row(1, Protocol::Tcp, ("0.0.0.0:443", ""), State::Listen, 42);
    let mut run = Run::begin(vec![listener]);
    run.deed(
        SECOND,
        Deed::Accept,
        false,
        ("10.0.0.5:443", "192.0.2.9:4000"),
        0,
    );
    // Its beginning was lost.
    run.deed(
        SECOND,
        Deed::Send,
        false,
        ("10.0.0.5:443", "192.0.2.9:4001"),
        3,
    );
    run.deed(
        SECOND,
        Deed::Disconnect,
        false,
        ("10.0.0.5:443", "192.0.2.9:4001"),
        0,
    );
    assert_eq!(run.lines(), ["accepted 42", "accepted 42"]);
}

#[test]
fn what_a_table_no_longer_has_is_counted_to_the_end() {
    let standing = || row(5, Protocol::Tcp, (HERE, THERE), State::Established, 42);
    let mut run = Run::begin(vec![standing()]);
    run.deed(SECOND, Deed::Send, false, (HERE, THERE), 8);
    let (_, missing) = run.look(2 * SECOND, Vec::new());
    assert!(missing);
    assert_eq!(run.lines(), ["counts [(Some(8), Some(0))]"]);
    // And one that was heard of since the look was begun is not missing.
    let mut run = Run::begin(vec![standing()]);
    run.deed(3 * SECOND, Deed::Send, false, (HERE, THERE), 8);
    assert!(!run.look(2 * SECOND, Vec::new()).1);
}

#[test]
fn each_peer_of_a_socket_is_told_with_it() {
    let own = || row(8, Protocol::Udp, ("0.0.0.0:5353", ""), State::Open, 42);
    let mut run = Run::begin(vec![own()]);
    let here = "10.0.0.5:5353";
    run.deed(SECOND, Deed::Send, true, (here, "192.0.2.1:53"), 30);
    run.deed(SECOND, Deed::Receive, true, (here, "192.0.2.1:53"), 90);
    run.deed(
        SECOND,
        Deed::Receive,
        true,
        ("224.0.0.251:5353", "10.0.0.9:5353"),
        70,
    );
    // Somebody else with the same port.
    run.deed_of(43, SECOND, Deed::Send, true, (here, "192.0.2.1:53"), 30);
    let cookies = run.cookies();
    assert_eq!(
        run.lines(),
        ["first_packet 42", "accepted 42", "first_packet 43"]
    );
    assert_eq!(cookies[..2], [8, 8]);
    assert_ne!(cookies[2], 8);
    let counts = run.traced.counts(SECOND, &run.stamp);
    let of_first = counts
        .iter()
        .find(|it| it.remote == Some(end("192.0.2.1:53")) && it.socket == key(8));
    let sums = of_first.map(|it| (it.bytes_sent, it.bytes_received, it.packets_sent));
    assert_eq!(sums, Some((Some(30), Some(90), Some(1))));
    // The socket is closed: what was counted last, and nothing is kept.
    let (_, missing) = run.look(2 * SECOND, Vec::new());
    assert!(missing);
    run.lines();
    run.deed(3 * SECOND, Deed::Send, true, (here, "192.0.2.1:53"), 30);
    assert_ne!(run.cookies(), [8]);
    assert_eq!(run.lines(), ["first_packet 42"]);
}

#[test]
fn a_socket_that_sent_before_it_was_in_a_table_keeps_its_number() {
    let mut run = Run::begin(Vec::new());
    run.deed(
        SECOND,
        Deed::Send,
        true,
        ("10.0.0.5:5000", "192.0.2.1:53"),
        30,
    );
    let told = run.cookies()[0];
    let own = row(8, Protocol::Udp, ("[::]:5000", ""), State::Open, 42);
    let (look, missing) = run.look(2 * SECOND, vec![own]);
    assert_eq!((look.sockets[0].key.cookie, missing), (Some(told), false));
    run.deed(
        3 * SECOND,
        Deed::Send,
        true,
        ("10.0.0.5:5000", "192.0.2.1:53"),
        30,
    );
    assert_eq!(run.lines(), ["first_packet 42"]);
}

#[test]
fn events_and_looks_come_in_the_order_of_time() {
    let mut first = look(Vec::new(), &[(42, 1)]);
    let mut order = Order::begin(0, &mut first);
    let mut processes = Processes::of(&first);
    let (mut stamp, mut seen) = (stamp(), Vec::new());
    let deed = |time, deed, remote| Held {
        time,
        pid: 42,
        thread: 9,
        told: Told::Network(network::Told::Deed {
            deed,
            is_udp: false,
            pid: 42,
            size: 5,
            local: end(HERE),
            remote: end(remote),
        }),
        facts: None,
    };
    // They come in another order, and one that was before the look comes after it.
    order.hold(deed(4 * SECOND, Deed::Connect, "192.0.2.2:80"));
    order.hold(deed(SECOND, Deed::Connect, THERE));
    let rows = vec![row(5, Protocol::Tcp, (HERE, THERE), State::Established, 42)];
    order.put(2 * SECOND, 3 * SECOND, look(rows, &[(42, 1)]));
    order.tell_until(2 * SECOND, false, &mut processes, &mut stamp, &mut seen);
    assert!(order.has_look());
    order.hold(deed(3 * SECOND / 2, Deed::Send, THERE));
    order.tell_until(5 * SECOND, false, &mut processes, &mut stamp, &mut seen);
    assert!(!order.has_look());
    let kinds: Vec<_> = seen
        .iter()
        .map(|observed| match observed {
            Observed::Event(event) => (event.kind.word(), event.boot_ns / SECOND),
            Observed::Look(look) => {
                let event = seen.iter().find_map(|it| match it {
                    Observed::Event(event) => event.socket,
                    Observed::Process(_)
                    | Observed::Look(_)
                    | Observed::Counts(_)
                    | Observed::Gap(_) => None,
                });
                assert_eq!(look.sockets.first().map(|it| it.key), event);
                ("look", 3)
            }
            Observed::Process(_) | Observed::Counts(_) | Observed::Gap(_) => ("other", 0),
        })
        .collect();
    assert_eq!(kinds, [("opened", 1), ("look", 3), ("opened", 4)]);
    // The same again says nothing new; without the rows it does.
    let mut looks_told = |time: u64, remotes: &[&str]| {
        let rows = remotes.iter().enumerate().map(|(at, remote)| {
            let cookie = u64::try_from(at + 5).unwrap();
            row(
                cookie,
                Protocol::Tcp,
                (HERE, remote),
                State::Established,
                42,
            )
        });
        let look = look(rows.collect(), &[(42, 1)]);
        assert_eq!(rows_of(&look), remotes.len());
        order.put(time * SECOND, time * SECOND, look);
        let until = (time + 1) * SECOND;
        seen.clear();
        order.tell_until(until, false, &mut processes, &mut stamp, &mut seen);
        assert!(order.has_room());
        let looks = seen.iter().filter(|it| matches!(it, Observed::Look(_)));
        looks.count()
    };
    let both = [THERE, "192.0.2.2:80"];
    assert_eq!(looks_told(6, &both), 1);
    assert_eq!(looks_told(7, &both), 0);
    assert_eq!(looks_told(8, &[]), 1);
    // Now and then all the same.
    assert_eq!(looks_told(9, &[]), 0);
    assert_eq!(looks_told(18, &[]), 1);
}

fn rows_of(look: &Look) -> usize {
    let rows: Rows = rows(look);
    rows.len()
}

fn start(pid: u32, started: u64, parent: u32, image: &str) -> Told {
    Told::Process(etw_kernel_process::Told::Start {
        pid,
        started: process(pid, started).started,
        parent,
        image: Text::from(image),
    })
}

fn stop(pid: u32, started: u64, code: u32) -> Told {
    Told::Process(etw_kernel_process::Told::Stop {
        pid,
        started: process(pid, started).started,
        code,
    })
}

#[test]
fn a_short_process_is_told_whole() {
    let mut run = Run::begin(Vec::new());
    let image = r"\Device\HarddiskVolume2\Temp\a.exe";
    run.told(5 * SECOND, 42, start(50, 5, 42, image));
    run.deed_of(50, 5 * SECOND, Deed::Connect, false, (HERE, THERE), 0);
    run.told(5 * SECOND + 9, 50, stop(50, 5, 3));
    let path = format!("{:?}", Some(image));
    let line = format!("process 50 a.exe {path} [42]");
    let ended = "process_ended 50 Some(768)";
    let expected = [&line, "process_started 50", "opened 50", &line, ended];
    assert_eq!(run.lines(), expected);
    // A look that was begun before still has it, and one with the same number is another.
    let old = look(Vec::new(), &[(4, 0), (42, 1), (43, 1), (50, 5)]);
    run.processes.look(
        (5 * SECOND, 6 * SECOND),
        &old,
        false,
        &mut run.stamp,
        &mut run.seen,
    );
    assert_eq!(run.lines(), [""; 0]);
    let new = look(Vec::new(), &[(4, 0), (42, 1), (43, 1), (50, 6)]);
    run.processes.look(
        (5 * SECOND, 6 * SECOND),
        &new,
        false,
        &mut run.stamp,
        &mut run.seen,
    );
    assert_eq!(
        run.lines(),
        ["process 50 50.exe None []", "process_started 50"]
    );
}

#[test]
fn who_runs_after_its_end_was_told_is_told_anew() {
    let mut run = Run::begin(Vec::new());
    run.told(5 * SECOND, 42, stop(42, 1, 0));
    let _ = run.lines();
    let there = look(Vec::new(), &[(4, 0), (42, 1), (43, 1)]);
    let mut lines_after = |began| {
        let times = (began, began);
        run.processes
            .look(times, &there, false, &mut run.stamp, &mut run.seen);
        let is_gap =
            |it: &Observed| matches!(it, Observed::Gap(gap) if gap.id == "end_contradicted");
        let gaps = run.seen.iter().filter(|it| is_gap(it)).count();
        let lines = run.lines();
        run.told(began + 1, 42, stop(42, 1, 0));
        let ends = run.lines().len();
        (lines, gaps, ends)
    };
    // It may not have been gone yet.
    assert_eq!(lines_after(6 * SECOND), (Vec::new(), 0, 0));
    let anew = ["process 42 42.exe None []", "process_started 42"].map(str::to_owned);
    let (lines, gaps, ends) = lines_after(8 * SECOND);
    assert_eq!((&lines[1..], gaps, ends), (&anew[..], 1, 2));
    // And again, of which is said no more why.
    assert_eq!(lines_after(12 * SECOND), (anew.to_vec(), 0, 2));
}

#[test]
fn a_code_of_windows_itself_is_no_status() {
    let mut run = Run::begin(Vec::new());
    run.told(5 * SECOND, 42, stop(42, 1, 0xc000_0005));
    assert_eq!(run.lines()[1], "process_ended 42 None");
}

#[test]
fn who_does_not_tell_its_start_is_the_same_as_before() {
    let mut run = Run::begin(Vec::new());
    let standing = row(5, Protocol::Tcp, (HERE, THERE), State::Established, 42);
    let mut silent = look(vec![standing], &[(4, 0), (42, 1), (43, 1)]);
    let id = silent.processes[1].id;
    let unknown = ProcessId {
        start_ticks: 0,
        ..id
    };
    silent.processes[1].id = unknown;
    silent.processes[1].started = None;
    silent.sockets[0].holders[0].process = unknown;
    run.processes.recognise(&mut silent);
    assert_eq!(silent.sockets[0].holders[0].process, id);
    run.processes.look(
        (SECOND, SECOND),
        &silent,
        true,
        &mut run.stamp,
        &mut run.seen,
    );
    assert_eq!(run.lines(), [""; 0]);
}

#[test]
fn who_is_in_no_look_has_ended() {
    let without = look(Vec::new(), &[(4, 0), (43, 1)]);
    let ended = ["process 42 42.exe None []", "process_ended 42 None"];
    let mut run = Run::begin(Vec::new());
    run.processes.look(
        (SECOND, SECOND),
        &without,
        true,
        &mut run.stamp,
        &mut run.seen,
    );
    assert_eq!(run.lines(), ended);
    // An event may still tell how.
    let mut run = Run::begin(Vec::new());
    run.processes.look(
        (SECOND, SECOND),
        &without,
        false,
        &mut run.stamp,
        &mut run.seen,
    );
    assert_eq!(run.lines(), [""; 0]);
    run.processes.look(
        (SECOND, SECOND),
        &without,
        false,
        &mut run.stamp,
        &mut run.seen,
    );
    assert_eq!(run.lines(), ended);
}

#[test]
fn names_are_told_with_who_asked() {
    let mut run = Run::begin(Vec::new());
    let named = |what| {
        Told::Name(dns::Told {
            name: Text::from("www.example.com"),
            question: Some(1),
            what,
        })
    };
    run.told(SECOND, 42, named(dns::What::Asked));
    run.told(SECOND, 42, named(dns::What::Failed));
    let answer = model::Answer {
        addresses: vec![("192.0.2.1".parse().unwrap(), 0)],
        ..model::Answer::default()
    };
    run.told(SECOND, 42, named(dns::What::Answered(answer)));
    let expected = [
        "name_seen 42 www.example.com None",
        "name_seen 42 www.example.com Some(1)",
    ];
    assert_eq!(run.lines(), expected);
}

#[test]
fn what_is_not_told_is_counted() {
    let mut run = Run::begin(Vec::new());
    let failed = || {
        Told::Network(network::Told::Failed {
            is_udp: false,
            protocol: 2,
            code: 1,
        })
    };
    run.told(SECOND, 0, failed());
    run.told(SECOND, 0, failed());
    run.traced.not_understood(SECOND);
    let counts = |run: &mut Run, now| -> Vec<_> {
        let gaps = run.traced.gaps(now, &run.stamp);
        gaps.into_iter().map(|it| (it.id, it.count)).collect()
    };
    let both = [("attempts_untold", 2), ("events_lost", 1)];
    let both = both.map(|(id, count)| (id.to_owned(), Some(count)));
    assert_eq!(counts(&mut run, SECOND), both);
    run.told(SECOND, 0, failed());
    assert_eq!(counts(&mut run, 2 * SECOND), []);
    let more = ("attempts_untold".to_owned(), Some(1));
    assert_eq!(counts(&mut run, 61 * SECOND), [more]);
}

#[test]
fn only_what_is_understood_is_taken() {
    assert!(is_wanted(network::PROVIDER, 10) && is_wanted(dns::PROVIDER, 3008));
    assert!(!is_wanted(dns::PROVIDER, 3018) && !is_wanted(0, 1));
    assert!(!is_wanted(etw_kernel_process::PROVIDER, 15));
    for (provider, _) in PROVIDERS {
        assert!((0..4_000).any(|id| is_wanted(provider, id)));
    }
    let raw = Raw {
        provider: network::PROVIDER,
        id: 17,
        version: 0,
        pid: 4,
        thread: 9,
        time: Timestamp::from_unix_nanos(70),
        payload: vec![2, 0, 3, 1],
    };
    let anchors = Anchors::new(Timestamp::from_unix_nanos(50));
    let held = raw.held(&anchors, 30).unwrap();
    assert_eq!((held.time, held.pid, held.thread), (20, 4, 9));
    assert!(matches!(held.told, Told::Network(_)));
    assert_eq!(Raw { id: 1, ..raw }.held(&anchors, 30).err(), Some(20));
}

/// Many ports, so that there is no room for all of them.
#[test]
fn what_there_is_no_room_for_is_counted() {
    let mut run = Run::begin(Vec::new());
    for port in 0..=u16::MAX {
        for host in 1..3 {
            let remote = format!("192.0.2.{host}:{port}");
            run.deed(SECOND, Deed::Send, true, ("10.0.0.5:5000", &remote), 1);
        }
    }
    assert_eq!(run.traced.left_out(), 65_536);
}

proptest! {
    /// Whatever comes in whatever order: each connection begins before it ends, and ends once.
    #[test]
    fn each_number_begins_before_it_ends(
        deeds in prop::collection::vec((0_usize..8, 0_u16..3, any::<bool>(), 0_u8..4), 0..60)
    ) {
        const DEEDS: [Deed; 8] = [
            Deed::Send, Deed::Receive, Deed::Connect, Deed::Disconnect,
            Deed::Retransmit, Deed::Accept, Deed::Reconnect, Deed::Copy,
        ];
        let mut run = Run::begin(Vec::new());
        for (at, (deed, port, is_udp, look)) in deeds.into_iter().enumerate() {
            let time = SECOND * u64::try_from(at + 1).unwrap();
            let local = format!("10.0.0.5:{}", 50_000 + port);
            run.deed(time, DEEDS[deed], is_udp, (&local, THERE), 1);
            if look == 0 {
                let _ = run.look(time, Vec::new());
            }
        }
        let mut open = std::collections::HashSet::new();
        let mut ended = std::collections::HashSet::new();
        for observed in &run.seen {
            let Observed::Event(event) = observed else { continue };
            let cookie = event.socket.unwrap().cookie.unwrap();
            prop_assert!(!ended.contains(&cookie));
            if event.kind == EventKind::Closed {
                prop_assert!(open.remove(&cookie));
                ended.insert(cookie);
            } else {
                open.insert(cookie);
            }
        }
    }
}

#[test]
fn who_only_sends_between_two_looks_is_told_at_its_first_byte() {
    let mut run = Run::begin(Vec::new());
    run.deed(SECOND, Deed::Copy, false, (HERE, THERE), 9);
    run.deed(SECOND, Deed::Send, false, (HERE, THERE), 0);
    assert_eq!(run.lines(), [""; 0]);
    run.deed(SECOND + 1, Deed::Send, false, (HERE, THERE), 100);
    run.deed(SECOND + 2, Deed::Receive, false, (HERE, THERE), 5);
    // An event that was written down on another processor.
    run.deed(SECOND + 3, Deed::Connect, false, (HERE, THERE), 0);
    assert_eq!(run.lines(), ["opened 42"]);
    let (_, missing) = run.look(2 * SECOND, Vec::new());
    assert!(missing);
    assert_eq!(run.lines(), ["counts [(Some(100), Some(5))]"]);
    // The same ends, much later.
    run.deed(90 * SECOND, Deed::Receive, false, (HERE, THERE), 5);
    run.deed(95 * SECOND, Deed::Connect, false, (HERE, THERE), 0);
    assert_eq!(run.lines(), ["opened 42", "closed 0 (0, 5)", "opened 42"]);
}

#[test]
fn what_says_nothing_is_let_go_of() {
    let mut run = Run::begin(Vec::new());
    run.deed(SECOND, Deed::Copy, false, (HERE, THERE), 9);
    let _ = run.look(50 * SECOND, Vec::new());
    assert_eq!(run.traced.streams.count(), 1);
    let _ = run.look(62 * SECOND, Vec::new());
    assert_eq!(run.traced.streams.count(), 0);
}
