//! An event in JSON.

use model::{Detail, Event, Idle};

use super::connection::{endpoint, optional_error, protocol_details, socket};
use super::process::text_or_hex;
use super::writer::Object;
use super::{examined, name};

/// All that one source saw at one time. Some kinds have members of their own.
pub(super) fn members(object: &mut Object<'_>, event: &Event) {
    object.number("seq", event.seq);
    object.plain("time", event.time);
    object.number("boot_ns", event.boot_ns);
    object.word("source", event.source.word());
    object.word("kind", event.kind.word());
    object.optional_plain("process_id", event.process);
    object.optional_number("thread", event.thread);
    object.optional_number("netns", event.netns.map(|netns| netns.0));
    match event.socket {
        Some(key) => object.object("socket", |object| socket(object, key)),
        None => object.null("socket"),
    }
    object.optional_plain("protocol", event.protocol.map(|protocol| protocol.word()));
    if let Some(protocol) = event.protocol {
        protocol_details(object, protocol);
    }
    for (name, end) in [("local", event.local), ("remote", event.remote)] {
        match end {
            Some(end) => object.object(name, |object| endpoint(object, end)),
            None => object.null(name),
        }
    }
    optional_error(object, event.error.as_ref());
    object.optional_number("bytes_sent", event.bytes_sent);
    object.optional_number("bytes_received", event.bytes_received);
    object.optional_number("packets_sent", event.packets_sent);
    object.optional_number("packets_received", event.packets_received);
    detail(object, &event.detail);
}

fn detail(object: &mut Object<'_>, detail: &Detail) {
    match detail {
        Detail::Nothing
        | Detail::Listens { .. }
        | Detail::Sends
        | Detail::Wrote { .. }
        | Detail::MaySend => {}
        Detail::Examined(examined) => {
            object.object("examined", |object| examined::members(object, examined))
        }
        Detail::NoProcess { why } => object.word("owner_why", why.word()),
        Detail::Name(seen) => {
            text_or_hex(object, "name", "name_hex", seen.name.as_ref());
            object.word("name_source", seen.source.word());
            object.optional_number("question", seen.question);
            name::answer(object, seen.answer.as_deref());
            name::greeting(object, seen.greeting.as_deref());
        }
        Detail::Clock { step_ns } => object.number("step_ns", *step_ns),
        Detail::Idle(known) => object.object("idle", |object| idle(object, known)),
        Detail::Exit { status } => match status {
            Some(status) => object.object("exit_status", |object| exit_status(object, *status)),
            None => object.null("exit_status"),
        },
    }
}

fn idle(object: &mut Object<'_>, idle: &Idle) {
    object.word("state", idle.presence().word());
    object.optional_number("idle_ns", idle.idle.map(|it| it.as_nanos()));
    object.optional_plain("source", idle.source.map(|it| it.word()));
    object.number("unasked_displays", idle.unasked_displays);
}

/// As wait(2) gives it: the low seven bits are the signal; without one, the next byte is the code.
fn exit_status(object: &mut Object<'_>, status: i32) {
    let signal = Some(status & 0x7f).filter(|signal| *signal != 0);
    let code = (status >> 8) & 0xff;
    object.optional_number("code", signal.is_none().then_some(code));
    object.optional_number("signal", signal);
}

#[cfg(test)]
mod tests {
    use model::{
        ConnectionError, Endpoint, EventKind, IdleSource, NameSeen, NameSource, Phase, Protocol,
        SocketKey, Source, Text, Timestamp, WhyUnknown,
    };
    use serde_json::{Value, json};
    use std::time::Duration;

    use super::*;
    use crate::example;
    use crate::json::writer::object;

    fn event(kind: EventKind, detail: Detail) -> Event {
        Event {
            seq: 7,
            time: Timestamp::from_unix_nanos(1_795_342_500_123_456_789),
            boot_ns: 15_340_000_000,
            source: Source::Ebpf,
            kind,
            process: None,
            thread: None,
            netns: None,
            socket: None,
            protocol: None,
            local: None,
            remote: None,
            error: None,
            bytes_sent: None,
            bytes_received: None,
            packets_sent: None,
            packets_received: None,
            detail,
        }
    }

    fn written(event: &Event) -> Value {
        let mut out = Vec::new();
        object(&mut out, |object| members(object, event));
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn an_event_has_the_shape_of_the_contract() {
        let attempt = Event {
            process: Some(example::PROCESS),
            thread: Some(4243),
            socket: Some(SocketKey {
                inode: None,
                cookie: Some(2),
            }),
            protocol: Some(Protocol::Tcp),
            remote: Some(Endpoint::new([203, 0, 113, 9].into(), 443)),
            error: Some(ConnectionError {
                errno: Some(101),
                phase: Phase::Connect,
            }),
            ..event(EventKind::Error, Detail::Nothing)
        };
        let expected = json!({
            "seq": 7,
            "time": "2026-11-22T10:15:00.123456789Z",
            "boot_ns": 15_340_000_000_u64,
            "source": "ebpf",
            "kind": "error",
            "process_id": "4242-1534-9f9f9f9f",
            "thread": 4243,
            "netns": null,
            "socket": {"inode": null, "cookie": 2},
            "protocol": "tcp",
            "local": null,
            "remote": {"ip": "203.0.113.9", "port": 443},
            "error": {"errno": 101, "word": "no route: never left this computer", "phase": "connect"},
            "bytes_sent": null,
            "bytes_received": null,
            "packets_sent": null,
            "packets_received": null,
        });
        assert_eq!(written(&attempt), expected);
    }

    fn check(kind: EventKind, detail: Detail, expected: &Value) {
        let written = written(&event(kind, detail));
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(&written[name], value, "{name}: {written}");
        }
    }

    #[test]
    fn some_kinds_have_members_of_their_own() {
        let name = Detail::Name(NameSeen {
            name: Some(Text::from(&b"a\xff.example.com"[..])),
            source: NameSource::Dns,
            question: Some(28),
            answer: None,
            greeting: None,
        });
        let expected = json!({
            "name": "a\u{fffd}.example.com",
            "name_hex": "61ff2e6578616d706c652e636f6d",
            "name_source": "dns",
            "question": 28,
        });
        check(EventKind::NameSeen, name, &expected);
        let nobody = Detail::NoProcess {
            why: WhyUnknown::Kernel,
        };
        let expected = json!({"owner_why": "kernel", "process_id": null});
        check(EventKind::Attempt, nobody, &expected);
        let step = Detail::Clock {
            step_ns: -3_600_000_000_000,
        };
        let expected = json!({"step_ns": -3_600_000_000_000_i64});
        check(EventKind::ClockStep, step, &expected);
        let idle = Detail::Idle(Idle {
            idle: Some(Duration::from_secs(301)),
            source: Some(IdleSource::X11),
            unasked_displays: 1,
        });
        let expected = json!({"idle": {
            "state": "not known", "idle_ns": 301_000_000_000_u64, "source": "x11", "unasked_displays": 1,
        }});
        check(EventKind::Idle, idle, &expected);
        for (status, expected) in [
            (Some(0), json!({"code": 0, "signal": null})),
            (Some(3 << 8), json!({"code": 3, "signal": null})),
            (Some(9), json!({"code": null, "signal": 9})),
            (Some(0x80 | 11), json!({"code": null, "signal": 11})),
            (None, Value::Null),
        ] {
            let expected = json!({"exit_status": expected});
            check(EventKind::ProcessEnded, Detail::Exit { status }, &expected);
        }
    }
}
