//! Lines of events, counts and gaps.

use std::sync::Arc;
use std::time::Duration;

use model::{
    BootId, ConnectionError, Counts, Detail, Event, EventKind, Gap, IcmpKind, Idle, IdleSource,
    NameSeen, NameSource, NetworkNamespace, Phase, Protocol, SocketKey, Source, WhyUnknown,
};
use serde::{Deserialize, Serialize};

use super::Fault;
use super::examined::ExaminedObject;
use super::name::{AnswerObject, GreetingObject};
use super::value::{Bytes, End, ProcessName, Str, Time, Word, is_no, missing, optional};

/// `event`: one thing that one source saw at one time.
#[derive(Serialize, Deserialize)]
pub(super) struct EventLine<'a> {
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    /// See [`super::restated`].
    #[serde(default, skip_serializing_if = "is_no")]
    pub(super) restated: bool,
    seq: u64,
    time: Time,
    boot_ns: u64,
    source: Word<Source>,
    kind: Word<EventKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_id: Option<ProcessName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_why: Option<Word<WhyUnknown>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    netns: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    socket: Option<SocketObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<Word<Protocol>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp: Option<Icmp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_protocol: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ethertype: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    local: Option<End>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<End>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_received: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets_received: Option<u64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    name: Option<Str<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_source: Option<Word<NameSource>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<u16>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    answer: Option<AnswerObject<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    greeting: Option<GreetingObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_ns: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    only_ipv6: Option<bool>,
    #[serde(default, skip_serializing_if = "is_no")]
    sends: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrote_from: Option<u32>,
    #[serde(default, skip_serializing_if = "is_no")]
    may_send: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_status: Option<ExitStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle: Option<IdleObject>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    examined: Option<Box<ExaminedObject<'a>>>,
}

impl<'a> EventLine<'a> {
    pub(super) fn of(event: &'a Event, home: BootId) -> Self {
        let details = event.protocol.map(details).unwrap_or_default();
        let mut line = Self {
            line: "event",
            restated: false,
            seq: event.seq,
            time: Time(event.time),
            boot_ns: event.boot_ns,
            source: Word::Known(event.source),
            kind: Word::Known(event.kind),
            process_id: event.process.map(|id| ProcessName::of(id, home)),
            owner_why: None,
            thread: event.thread,
            netns: event.netns.map(|netns| netns.0),
            socket: event.socket.map(SocketObject::from),
            protocol: event.protocol.map(Word::Known),
            icmp: details.icmp,
            ip_protocol: details.ip_protocol,
            ethertype: details.ethertype,
            local: event.local.map(End::from),
            remote: event.remote.map(End::from),
            error: event.error.as_ref().map(ErrorObject::from),
            bytes_sent: event.bytes_sent,
            bytes_received: event.bytes_received,
            packets_sent: event.packets_sent,
            packets_received: event.packets_received,
            name: None,
            name_hex: None,
            name_source: None,
            question: None,
            answer: None,
            greeting: None,
            step_ns: None,
            only_ipv6: None,
            sends: false,
            wrote_from: None,
            may_send: false,
            exit_status: None,
            idle: None,
            examined: None,
        };
        match &event.detail {
            Detail::Nothing => {}
            Detail::NoProcess { why } => line.owner_why = Some(Word::Known(*why)),
            Detail::Name(seen) => {
                (line.name, line.name_hex) = Str::optional(seen.name.as_ref());
                line.name_source = Some(Word::Known(seen.source));
                line.question = seen.question;
                line.answer = seen.answer.as_deref().map(AnswerObject::of);
                line.greeting = seen.greeting.as_deref().map(GreetingObject::of);
            }
            Detail::Clock { step_ns } => line.step_ns = Some(*step_ns),
            Detail::Listens { only_ipv6 } => line.only_ipv6 = Some(*only_ipv6),
            Detail::Sends => line.sends = true,
            Detail::Wrote { from } => line.wrote_from = Some(*from),
            Detail::MaySend => line.may_send = true,
            Detail::Examined(examined) => {
                line.examined = Some(Box::new(ExaminedObject::of(examined)));
            }
            Detail::Idle(idle) => line.idle = Some(IdleObject::of(idle)),
            Detail::Exit { status } => line.exit_status = status.map(ExitStatus::of),
        }
        line
    }

    /// A name that waits for its connection where a segment begins.
    pub(super) fn restated(event: &'a Event, home: BootId) -> Self {
        Self {
            restated: true,
            ..Self::of(event, home)
        }
    }

    pub(super) fn event(self, home: BootId) -> Result<Event, Fault> {
        let kind = self.kind.known()?;
        let detail = if let Some(why) = optional(self.owner_why)? {
            Detail::NoProcess { why }
        } else if let Some(source) = optional(self.name_source)? {
            Detail::Name(NameSeen {
                name: self.name.map(|name| name.text(self.name_hex)),
                source,
                question: self.question,
                answer: self.answer.map(|it| Box::new(it.answer())),
                greeting: self.greeting.map(|it| Box::new(it.greeting())),
            })
        } else if let Some(step_ns) = self.step_ns {
            Detail::Clock { step_ns }
        } else if let Some(only_ipv6) = self.only_ipv6 {
            Detail::Listens { only_ipv6 }
        } else if self.sends {
            Detail::Sends
        } else if let Some(from) = self.wrote_from {
            Detail::Wrote { from }
        } else if self.may_send {
            Detail::MaySend
        } else if let Some(examined) = self.examined {
            Detail::Examined(Arc::new(examined.examined()?))
        } else if let Some(idle) = self.idle {
            Detail::Idle(idle.idle()?)
        } else if kind == EventKind::ProcessEnded {
            Detail::Exit {
                status: self.exit_status.and_then(ExitStatus::status),
            }
        } else {
            Detail::Nothing
        };
        let details = Details {
            icmp: self.icmp,
            ip_protocol: self.ip_protocol,
            ethertype: self.ethertype,
        };
        Ok(Event {
            seq: self.seq,
            time: self.time.0,
            boot_ns: self.boot_ns,
            source: self.source.known()?,
            kind,
            process: self.process_id.map(|id| id.id(home)).transpose()?,
            thread: self.thread,
            netns: self.netns.map(NetworkNamespace),
            socket: self.socket.map(SocketKey::from),
            protocol: self.protocol.map(|word| details.of(word)).transpose()?,
            local: self.local.map(Into::into),
            remote: self.remote.map(Into::into),
            error: self.error.map(ErrorObject::error).transpose()?,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            packets_sent: self.packets_sent,
            packets_received: self.packets_received,
            detail,
        })
    }
}

/// What some protocols have besides their word.
#[derive(Default)]
pub(super) struct Details {
    pub(super) icmp: Option<Icmp>,
    pub(super) ip_protocol: Option<u16>,
    pub(super) ethertype: Option<u16>,
}

/// See [`Details::of`].
pub(super) fn details(protocol: Protocol) -> Details {
    let mut details = Details::default();
    match protocol {
        Protocol::Icmp(kind) => {
            let known = kind != IcmpKind::default();
            details.icmp = known.then(|| Icmp::from(kind));
        }
        Protocol::Raw { ip_protocol } => details.ip_protocol = Some(ip_protocol.into()),
        Protocol::Packet { ethertype } => details.ethertype = Some(ethertype),
        Protocol::Other(number) => details.ip_protocol = Some(number),
        Protocol::Tcp
        | Protocol::Mptcp
        | Protocol::Udp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp => {}
    }
    details
}

impl Details {
    /// The protocol again, from its word.
    pub(super) fn of(&self, word: Word<Protocol>) -> Result<Protocol, Fault> {
        let ip_protocol = || self.ip_protocol.ok_or_else(|| missing("ip_protocol"));
        Ok(match word.known()? {
            Protocol::Icmp(none) => Protocol::Icmp(self.icmp.map_or(none, IcmpKind::from)),
            Protocol::Raw { .. } => Protocol::Raw {
                ip_protocol: u8::try_from(ip_protocol()?)
                    .map_err(|_| Fault::Wrong("ip_protocol is over 255"))?,
            },
            Protocol::Packet { .. } => Protocol::Packet {
                ethertype: self.ethertype.ok_or_else(|| missing("ethertype"))?,
            },
            Protocol::Other(_) => Protocol::Other(ip_protocol()?),
            plain @ (Protocol::Tcp
            | Protocol::Mptcp
            | Protocol::Udp
            | Protocol::UdpLite
            | Protocol::Sctp
            | Protocol::Dccp) => plain,
        })
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Icmp {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u16>,
}

impl From<IcmpKind> for Icmp {
    fn from(IcmpKind { kind, code, id }: IcmpKind) -> Self {
        Self { kind, code, id }
    }
}

impl From<Icmp> for IcmpKind {
    fn from(Icmp { kind, code, id }: Icmp) -> Self {
        Self { kind, code, id }
    }
}

/// A socket by what the kernel knows it by.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct SocketObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    inode: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookie: Option<u64>,
}

impl From<SocketKey> for SocketObject {
    fn from(SocketKey { inode, cookie }: SocketKey) -> Self {
        Self { inode, cookie }
    }
}

impl From<SocketObject> for SocketKey {
    fn from(SocketObject { inode, cookie }: SocketObject) -> Self {
        Self { inode, cookie }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct ErrorObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    errno: Option<i32>,
    phase: Word<Phase>,
}

impl From<&ConnectionError> for ErrorObject {
    fn from(error: &ConnectionError) -> Self {
        Self {
            errno: error.errno,
            phase: Word::Known(error.phase),
        }
    }
}

impl ErrorObject {
    pub(super) fn error(self) -> Result<ConnectionError, Fault> {
        Ok(ConnectionError {
            errno: self.errno,
            phase: self.phase.known()?,
        })
    }
}

/// `None` of all: nothing could be asked, and there was no display that could not be.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct IdleObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Word<IdleSource>>,
    #[serde(default, skip_serializing_if = "is_none")]
    unasked_displays: u32,
}

impl IdleObject {
    fn of(idle: &Idle) -> Self {
        let nanos = |it: Duration| u64::try_from(it.as_nanos()).unwrap_or(u64::MAX);
        Self {
            idle_ns: idle.idle.map(nanos),
            source: idle.source.map(Word::Known),
            unasked_displays: idle.unasked_displays,
        }
    }

    fn idle(self) -> Result<Idle, Fault> {
        Ok(Idle {
            idle: self.idle_ns.map(Duration::from_nanos),
            source: optional(self.source)?,
            unasked_displays: self.unasked_displays,
        })
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives it so")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

/// How a process ended: `code` or `signal`, and `wait` where these do not say all that wait(2) gave.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct ExitStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait: Option<i32>,
}

impl ExitStatus {
    fn of(status: i32) -> Self {
        let [low, code, ..] = status.to_le_bytes();
        let signal = Some(low & 0x7f).filter(|signal| *signal != 0);
        let short = Self {
            code: signal.is_none().then_some(code),
            signal,
            wait: None,
        };
        Self {
            wait: Some(status).filter(|_| short.status() != Some(status)),
            ..short
        }
    }

    fn status(self) -> Option<i32> {
        let code = self.code.map(|code| i32::from(code) << 8);
        self.wait.or(code).or(self.signal.map(i32::from))
    }
}

/// `counts`: what open connections have counted since.
#[derive(Serialize, Deserialize)]
pub(super) struct CountsLine {
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    /// Of those that have none of their own.
    time: Time,
    counts: Vec<Count>,
}

#[derive(Serialize, Deserialize)]
struct Count {
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Time>,
    socket: SocketObject,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<End>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_received: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets_sent: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets_received: Option<u64>,
}

impl CountsLine {
    /// `None`: there are none.
    pub(super) fn of(counts: &[Counts]) -> Option<Self> {
        let time = counts.first()?.time;
        let count = |count: &Counts| Count {
            time: Some(Time(count.time)).filter(|own| own.0 != time),
            socket: count.socket.into(),
            remote: count.remote.map(End::from),
            bytes_sent: count.bytes_sent,
            bytes_received: count.bytes_received,
            packets_sent: count.packets_sent,
            packets_received: count.packets_received,
        };
        Some(Self {
            line: "counts",
            time: Time(time),
            counts: counts.iter().map(count).collect(),
        })
    }

    pub(super) fn counts(self) -> Vec<Counts> {
        let time = self.time;
        let counts = self.counts.into_iter();
        let count = |count: Count| Counts {
            time: count.time.unwrap_or(time).0,
            socket: count.socket.into(),
            remote: count.remote.map(Into::into),
            bytes_sent: count.bytes_sent,
            bytes_received: count.bytes_received,
            packets_sent: count.packets_sent,
            packets_received: count.packets_received,
        };
        counts.map(count).collect()
    }
}

/// `gap`: something that could not be seen.
#[derive(Serialize, Deserialize)]
pub(super) struct GapLine<'a> {
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    /// See [`super::restated`].
    #[serde(default, skip_serializing_if = "super::value::is_no")]
    restated: bool,
    /// Only where it is restated: it came up after the newest look.
    #[serde(default, skip_serializing_if = "super::value::is_no")]
    pub(super) later: bool,
    #[serde(borrow)]
    id: Str<'a>,
    source: Word<Source>,
    #[serde(borrow)]
    why: Str<'a>,
    #[serde(borrow)]
    missed: Str<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

impl<'a> GapLine<'a> {
    pub(super) fn of(gap: &'a Gap, restated: bool, later: bool) -> Self {
        Self {
            line: "gap",
            restated,
            later,
            id: Str(gap.id.as_str().into()),
            source: Word::Known(gap.source),
            why: Str(gap.why.as_str().into()),
            missed: Str(gap.missed.as_str().into()),
            since: gap.since.map(Time),
            until: gap.until.map(Time),
            count: gap.count,
        }
    }

    pub(super) fn gap(self) -> Result<Gap, Fault> {
        Ok(Gap {
            id: self.id.0.into_owned(),
            source: self.source.known()?,
            why: self.why.0.into_owned(),
            missed: self.missed.0.into_owned(),
            since: self.since.map(|Time(time)| time),
            until: self.until.map(|Time(time)| time),
            count: self.count,
        })
    }
}
