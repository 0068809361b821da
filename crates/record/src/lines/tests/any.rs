//! Anything that can be observed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{
    Answer, BootId, Check, Connection, ConnectionError, ConnectionId, Container, Counts, Detail,
    DeviceId, Direction, Endpoint, Event, EventKind, Examined, FileIdentity, Gap, Greeting, Holder,
    Host, HttpGreeting, IcmpKind, Idle, Look, NameSeen, NetworkNamespace, Observed, Outcome, Owner,
    Package, Parent, PathState, Process, ProcessId, Protocol, Remembered, RememberedBy, RemoteName,
    Restated, RestatedAnswer, RestatedConnection, Sign, Socket, SocketKey, Source, State, Text,
    Tier, Timestamp, TlsGreeting, Trace, WhyUnknown,
};
use proptest::collection::{hash_map, vec};
use proptest::option;
use proptest::prelude::*;

use crate::lines::value::Words;

pub(super) const HOST: &str = "lena-laptop";
const BOOT: BootId = BootId([7; 16]);

pub(super) fn host() -> Host {
    Host {
        name: Text::from(HOST),
        boot: BOOT,
    }
}

pub(super) fn time(nanos: i64) -> Timestamp {
    Timestamp::from_unix_nanos(1_795_342_500_000_000_000 + nanos)
}

fn word<T: Words + std::fmt::Debug>() -> impl Strategy<Value = T> {
    prop::sample::select(T::ALL)
}

fn any_time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_unix_nanos)
}

fn any_text() -> impl Strategy<Value = Text> {
    prop_oneof![
        3 => "[a-z/]{0,9}".prop_map(Text::from),
        1 => any::<String>().prop_map(Text::from),
        1 => vec(any::<u8>(), 0..9).prop_map(Text::from),
    ]
}

fn any_boot() -> impl Strategy<Value = BootId> {
    prop_oneof![4 => Just(BOOT), 1 => any::<[u8; 16]>().prop_map(BootId)]
}

/// Often the same one.
fn any_id() -> impl Strategy<Value = ProcessId> {
    let id = |(boot, pid, start_ticks)| ProcessId {
        boot,
        pid,
        start_ticks,
    };
    prop_oneof![
        3 => (Just(BOOT), 1..4_u32, Just(5)).prop_map(id),
        1 => (any_boot(), any::<u32>(), any::<u64>()).prop_map(id),
    ]
}

fn any_end() -> impl Strategy<Value = Endpoint> {
    (option::of(any::<IpAddr>()), any::<Option<u16>>()).prop_map(|(ip, port)| Endpoint { ip, port })
}

fn any_key() -> impl Strategy<Value = SocketKey> {
    any::<(Option<u64>, Option<u64>)>().prop_map(|(inode, cookie)| SocketKey { inode, cookie })
}

fn any_netns() -> impl Strategy<Value = Option<NetworkNamespace>> {
    any::<Option<u32>>().prop_map(|netns| netns.map(NetworkNamespace))
}

fn any_protocol() -> impl Strategy<Value = Protocol> {
    let icmp = |(kind, code, id)| Protocol::Icmp(IcmpKind { kind, code, id });
    prop_oneof![
        6 => word::<Protocol>(),
        1 => any::<(Option<u8>, Option<u8>, Option<u16>)>().prop_map(icmp),
        1 => any::<u8>().prop_map(|ip_protocol| Protocol::Raw { ip_protocol }),
        1 => any::<u16>().prop_map(|ethertype| Protocol::Packet { ethertype }),
        1 => any::<u16>().prop_map(Protocol::Other),
    ]
}

fn any_error() -> impl Strategy<Value = Option<ConnectionError>> {
    option::of(
        (any::<Option<i32>>(), word()).prop_map(|(errno, phase)| ConnectionError { errno, phase }),
    )
}

fn any_detail(kind: EventKind) -> BoxedStrategy<Detail> {
    if kind == EventKind::ProcessEnded {
        let status = prop_oneof![any::<Option<i32>>(), (0..0xffff).prop_map(Some)];
        return status.prop_map(|status| Detail::Exit { status }).boxed();
    }
    let name = (
        option::of(any_text()),
        word(),
        any::<Option<u16>>(),
        option::of(any_answer()),
        option::of(any_greeting()),
    );
    prop_oneof![
        Just(Detail::Nothing),
        word().prop_map(|why| Detail::NoProcess { why }),
        any::<i64>().prop_map(|step_ns| Detail::Clock { step_ns }),
        any::<bool>().prop_map(|only_ipv6| Detail::Listens { only_ipv6 }),
        Just(Detail::Sends),
        Just(Detail::MaySend),
        any::<u32>().prop_map(|from| Detail::Wrote { from }),
        any_examined().prop_map(|it| Detail::Examined(Arc::new(it))),
        any_idle().prop_map(Detail::Idle),
        name.prop_map(|(name, source, question, answer, greeting)| {
            Detail::Name(NameSeen {
                name,
                source,
                question,
                answer: answer.map(Box::new),
                greeting: greeting.map(Box::new),
            })
        }),
    ]
    .boxed()
}

fn any_idle() -> impl Strategy<Value = Idle> {
    let all = (any::<Option<u64>>(), option::of(word()), any::<u32>());
    all.prop_map(|(nanos, source, unasked_displays)| Idle {
        idle: nanos.map(Duration::from_nanos),
        source,
        unasked_displays,
    })
}

fn any_examined() -> impl Strategy<Value = Examined> {
    let bytes = || option::of(vec(any::<u8>(), 0..Trace::MOST_BYTES));
    let trace = (
        word::<Sign>(),
        vec(option::of(any_text()), 3),
        any::<(Option<u64>, Option<u64>, Option<u32>)>(),
        bytes(),
        bytes(),
    );
    let trace = trace.prop_map(|(sign, mut texts, numbers, bytes, expected)| Trace {
        path: texts.pop().flatten(),
        package: texts.pop().flatten(),
        name: texts.pop().flatten(),
        address: numbers.0,
        length: numbers.1,
        pid: numbers.2,
        bytes,
        expected,
        ..Trace::new(sign)
    });
    let outcome = prop_oneof![
        3 => Just(Outcome::NothingFound),
        1 => word().prop_map(Outcome::NotTestable),
        1 => (vec(trace, 1..3), any::<u32>())
            .prop_map(|(traces, more)| Outcome::Found { traces, more }),
    ];
    let texts = (option::of(any_text()), option::of(any_text()));
    let package = (word(), texts, option::of(word())).prop_map(|(state, texts, manager)| Package {
        state,
        name: texts.0,
        version: texts.1,
        manager,
    });
    let checks = vec((word::<Check>(), outcome), 0..5);
    (checks, option::of(package), option::of(word())).prop_map(|(checks, package, display)| {
        let mut examined = Examined {
            checks: Vec::new(),
            package,
            display,
        };
        for (check, outcome) in checks {
            examined.put(check, outcome);
        }
        examined
    })
}

/// Boxed: what all strategies together take of the stack is much.
fn any_answer() -> BoxedStrategy<Answer> {
    let code = prop_oneof![Just(0), any::<u8>()];
    let aliases = vec(any_text(), 0..3);
    let addresses = vec(any::<(IpAddr, u32)>(), 0..3);
    let texts = (vec(any_text(), 0..2), any::<Option<u32>>());
    let answer = (code, aliases, addresses, texts, any::<u32>()).prop_map(
        |(code, aliases, addresses, (texts, text_ttl), bytes)| Answer {
            code,
            aliases,
            addresses,
            texts,
            text_ttl,
            bytes,
        },
    );
    answer.boxed()
}

fn any_greeting() -> impl Strategy<Value = Greeting> {
    let some_text = || option::of(any_text());
    let tls = (
        any::<Option<u32>>(),
        vec(any_text(), 0..3),
        any::<bool>(),
        some_text(),
    );
    prop_oneof![
        tls.prop_map(|(quic, alpn, ech, ja4)| Greeting::Tls(TlsGreeting {
            quic,
            alpn,
            ech,
            ja4,
        })),
        (some_text(), some_text(), some_text()).prop_map(|(method, target, user_agent)| {
            Greeting::Http(HttpGreeting {
                method,
                target,
                user_agent,
            })
        }),
        (some_text(), some_text()).prop_map(|(client, server)| Greeting::Ssh { client, server }),
    ]
}

fn any_name() -> impl Strategy<Value = RemoteName> {
    (any_text(), word(), word()).prop_map(|(name, source, strength)| RemoteName {
        name,
        source,
        strength,
    })
}

fn any_device() -> impl Strategy<Value = DeviceId> {
    prop_oneof![
        any::<[u8; 6]>().prop_map(DeviceId::Mac),
        any::<IpAddr>().prop_map(DeviceId::Address),
    ]
}

fn any_restated_answer() -> impl Strategy<Value = RestatedAnswer> {
    let asker = (any_netns(), option::of(any_id()), any::<Option<IpAddr>>());
    let times = prop_oneof![
        any_time().prop_map(|time| (time, time)),
        (any_time(), any_time())
    ];
    (asker, any::<IpAddr>(), any_text(), word(), times).prop_map(
        |((netns, process, from), ip, name, source, (first, last))| RestatedAnswer {
            netns,
            ip,
            name,
            source,
            process,
            from,
            first,
            last,
        },
    )
}

pub(in crate::lines) fn any_event() -> impl Strategy<Value = Event> {
    let what = word::<EventKind>().prop_flat_map(|kind| (Just(kind), any_detail(kind)));
    let when = (any::<u64>(), any_time(), any::<u64>());
    let who = (
        word(),
        option::of(any_id()),
        any::<Option<u32>>(),
        any_netns(),
    );
    let ends = (
        option::of(any_key()),
        option::of(any_protocol()),
        option::of(any_end()),
        option::of(any_end()),
        any_error(),
    );
    let counts = any::<[Option<u64>; 4]>();
    (when, what, who, ends, counts).prop_map(|(when, what, who, ends, counts)| Event {
        seq: when.0,
        time: when.1,
        boot_ns: when.2,
        source: who.0,
        kind: what.0,
        process: who.1,
        thread: who.2,
        netns: who.3,
        socket: ends.0,
        protocol: ends.1,
        local: ends.2,
        remote: ends.3,
        error: ends.4,
        bytes_sent: counts[0],
        bytes_received: counts[1],
        packets_sent: counts[2],
        packets_received: counts[3],
        detail: what.1,
    })
}

fn any_process() -> impl Strategy<Value = Process> {
    let parent = (any::<u32>(), any_text(), option::of(any_text()));
    let parent = parent.prop_map(|(pid, name, path)| Parent { pid, name, path });
    let engine = prop::sample::select(vec!["docker", "cri-o", "systemd-nspawn"]);
    let container = (engine, any_text()).prop_map(|(engine, id)| Container { engine, id });
    let file = any::<(u64, u64)>().prop_map(|(device, inode)| FileIdentity { device, inode });
    let state = prop_oneof![word(), Just(PathState::Unknown)];
    let when = (any_id(), any_time(), option::of(any_time()));
    let program = (any_text(), option::of(any_text()), state, option::of(file));
    let arguments = (
        option::of(vec(any_text(), 0..4)),
        any::<bool>(),
        any::<Option<[u8; 32]>>(),
    );
    let who = (
        any::<Option<u32>>(),
        option::of(any_text()),
        vec(parent, 0..3),
    );
    let place = (option::of(container), option::of(any_text()), any_netns());
    let examined = (any::<bool>(), option::weighted(0.2, any_examined()));
    (when, program, arguments, who, place, examined).prop_map(
        |(when, program, arguments, who, place, (kernel_thread, examined))| Process {
            id: when.0,
            started: Some(when.1).filter(|_| kernel_thread || when.2.is_some()),
            ended: when.2,
            name: program.0,
            path: program.1,
            path_state: program.2,
            file: program.3,
            sha256: arguments.2,
            command_line: arguments.0,
            command_line_truncated: arguments.1,
            uid: who.0,
            user: who.1,
            parents: who.2,
            container: place.0,
            unit: place.1,
            netns: place.2,
            kernel_thread,
            examined: examined.map(Arc::new),
        },
    )
}

fn any_socket() -> impl Strategy<Value = Socket> {
    let holder = (any_id(), word()).prop_map(|(process, source)| Holder { process, source });
    let what = (any_key(), any_protocol(), word());
    let ends = (any_end(), option::of(any_end()), any_netns());
    let who = (
        option::of(any_text()),
        any::<(Option<u32>, Option<u64>, Option<u64>)>(),
        any::<(Option<bool>, Option<bool>)>(),
    );
    let held = (vec(holder, 0..3), word::<WhyUnknown>());
    (what, ends, who, held).prop_map(|(what, ends, who, held)| Socket {
        key: what.0,
        protocol: what.1,
        state: what.2,
        local: ends.0,
        remote: ends.1,
        netns: ends.2,
        interface: who.0,
        uid: who.1.0,
        bytes_sent: who.1.1,
        bytes_received: who.1.2,
        opened_here: who.2.0,
        only_ipv6: who.2.1,
        holders: held.0,
        why_unheld: held.1,
    })
}

fn any_owner() -> impl Strategy<Value = Owner> {
    prop_oneof![
        (any_id(), word()).prop_map(|(process, source)| Owner::Known { process, source }),
        word().prop_map(|why| Owner::Unknown { why }),
    ]
}

fn any_remembered() -> impl Strategy<Value = Remembered> {
    let what = (
        any::<Option<IpAddr>>(),
        any::<Option<u16>>(),
        option::of(any_text()),
    );
    let program = (option::of(any_text()), option::of(any_text()));
    let by = (option::of(any_protocol()), word::<RememberedBy>(), program);
    let counted = any::<[Option<u64>; 2]>();
    let more = (any_netns(), option::of(any_time()), counted);
    (what, by, more, any_owner()).prop_map(|(what, by, more, owner)| Remembered {
        ip: what.0,
        port: what.1,
        name: what.2,
        protocol: by.0,
        by: by.1,
        netns: more.0,
        seen: more.1,
        bytes_sent: more.2[0],
        bytes_received: more.2[1],
        program: by.2.0,
        user: by.2.1,
        owner,
    })
}

fn any_gap() -> impl Strategy<Value = Gap> {
    let times = (
        option::of(any_time()),
        option::of(any_time()),
        any::<Option<u64>>(),
    );
    (any::<[String; 3]>(), word::<Source>(), times).prop_map(
        |([id, why, missed], source, (since, until, count))| Gap {
            id,
            source,
            why,
            missed,
            since,
            until,
            count,
        },
    )
}

fn any_look() -> impl Strategy<Value = Look> {
    let host = prop_oneof![
        Just(host()),
        (any_text(), any_boot()).prop_map(|(name, boot)| Host { name, boot })
    ];
    let head = (host, any_netns(), any_time(), word::<Tier>());
    let things = (vec(any_socket(), 0..4), vec(any_process(), 0..3));
    let more = (
        hash_map(any::<u32>(), any_text(), 0..3),
        vec(any_remembered(), 0..3),
        vec(any_gap(), 0..2),
    );
    (head, things, more).prop_map(|(head, things, more)| Look {
        host: head.0,
        home_netns: head.1,
        taken: head.2,
        tier: head.3,
        sockets: things.0,
        processes: things.1,
        users: more.0,
        remembered: more.1,
        gaps: more.2,
    })
}

fn any_counts() -> impl Strategy<Value = Counts> {
    let when = prop_oneof![Just(time(0)), any_time()];
    let counted = any::<[Option<u64>; 4]>();
    (when, any_key(), option::of(any_end()), counted).prop_map(|(time, socket, remote, counted)| {
        Counts {
            time,
            socket,
            remote,
            bytes_sent: counted[0],
            bytes_received: counted[1],
            packets_sent: counted[2],
            packets_received: counted[3],
        }
    })
}

pub(super) fn any_observed() -> impl Strategy<Value = Observed> {
    prop_oneof![
        // Each apart: together they would need more room than a thread of a test has.
        4 => any_event().prop_map(Observed::Event).boxed(),
        4 => any_process().prop_map(|process| Observed::Process(Arc::new(process))).boxed(),
        1 => any_look().prop_map(|look| Observed::Look(Box::new(look))).boxed(),
        1 => vec(any_counts(), 1..5).prop_map(Observed::Counts),
        1 => any_gap().prop_map(Observed::Gap),
    ]
}

fn any_connection() -> impl Strategy<Value = Connection> {
    let what = (
        any::<[u8; 16]>(),
        any_protocol(),
        word::<State>(),
        word::<Direction>(),
    );
    let ends = (any_end(), option::of(any_end()), any_netns(), any_key());
    let who = (
        option::of(any_text()),
        any::<Option<u32>>(),
        any_owner(),
        vec(any_id(), 0..3),
    );
    let when = (option::of(any_time()), option::of(any_time()), any_error());
    let counted = any::<[Option<u64>; 4]>();
    let named = (
        option::of(any_name().prop_map(Arc::new)),
        option::of(any_greeting().prop_map(Arc::new)),
        option::of(any_device()),
    );
    let all = (what, ends, who, when, counted, named);
    all.prop_map(|(what, ends, who, when, counted, named)| Connection {
        id: ConnectionId(what.0),
        protocol: what.1,
        state: what.2,
        direction: what.3,
        local: ends.0,
        remote: ends.1,
        netns: ends.2,
        interface: who.0,
        socket: ends.3,
        uid: who.1,
        opened: when.0,
        closed: when.1,
        error: when.2,
        bytes_sent: counted[0],
        bytes_received: counted[1],
        packets_sent: counted[2],
        packets_received: counted[3],
        owner: who.2,
        also_held_by: who.3,
        name: named.0,
        greeting: named.1,
        device: named.2,
        talk: None,
    })
}

fn any_restated_connection() -> impl Strategy<Value = RestatedConnection> {
    let first = prop_oneof![Just(None), any::<[u8; 16]>().prop_map(Some)];
    let counted = prop_oneof![Just([0; 4]), any::<[u64; 4]>()];
    let numbers = (any::<u32>(), counted, any::<u64>(), any::<Option<u64>>());
    (any_connection(), first, numbers, any::<[bool; 3]>()).prop_map(
        |(connection, first, numbers, [looked_at, missing, gone])| RestatedConnection {
            first: first.map_or(connection.id, ConnectionId),
            connection,
            before: numbers.0,
            counted_before: numbers.1,
            used_ns: numbers.2,
            looked_at,
            missing,
            gone,
            deadline_ns: numbers.3,
        },
    )
}

pub(super) fn any_restated() -> impl Strategy<Value = Restated> {
    let clock = (any_time(), any_time(), any::<u64>());
    let seen = (
        hash_map(any::<u32>(), any_text(), 0..3),
        vec(any_remembered(), 0..2),
    );
    let gaps = (vec(any_gap(), 0..2), vec(any_gap(), 0..2), any::<bool>());
    let things = (
        vec(any_process().prop_map(Arc::new), 0..3),
        vec(any_restated_connection(), 0..3),
        vec(any_restated_answer(), 0..3),
        vec(any_event(), 0..2),
    );
    (clock, any_netns(), seen, gaps, things).prop_map(|(clock, home_netns, seen, gaps, things)| {
        Restated {
            taken: clock.0,
            time: clock.1,
            boot_ns: clock.2,
            home_netns,
            users: seen.0,
            remembered: seen.1,
            gaps: gaps.0,
            later_gaps: gaps.1,
            lost: gaps.2,
            processes: things.0,
            connections: things.1,
            answers: things.2,
            names: things.3,
        }
    })
}
