//! How single values stand in a line: words, times, addresses, identities, bytes.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use model::{
    BootId, ConnectionId, Direction, Endpoint, EventKind, IcmpKind, IdleSource, NameSource,
    NameStrength, PathState, Phase, ProcessId, Protocol, RememberedBy, Source, State, Text, Tier,
    Timestamp, WhyUnknown, hex,
};
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::{Serialize, Serializer};

use super::Fault;

/// A word of a closed list, which a newer build may have added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word<T> {
    Known(T),
    Strange,
}

impl<T> Word<T> {
    pub(super) fn known(self) -> Result<T, Fault> {
        match self {
            Self::Known(known) => Ok(known),
            Self::Strange => Err(Fault::Strange),
        }
    }
}

/// What is known of a word that may be absent.
pub(super) fn optional<T>(word: Option<Word<T>>) -> Result<Option<T>, Fault> {
    word.map(Word::known).transpose()
}

/// Nouns that stand as one word of the public contract.
pub(super) trait Words: Copy + 'static {
    const ALL: &'static [Self];
    fn text(self) -> &'static str;
}

macro_rules! words {
    ($type:ident, $word:expr, [$($name:ident),* $(,)?]) => {
        impl Words for $type {
            const ALL: &'static [Self] = &[$(Self::$name),*];
            fn text(self) -> &'static str {
                $word(self)
            }
        }
    };
}

words!(
    EventKind,
    EventKind::word,
    [
        FirstPacket,
        Attempt,
        Opened,
        Closed,
        Accepted,
        Listening,
        OwnerChanged,
        Error,
        NameSeen,
        ProcessStarted,
        ProcessExec,
        ProcessEnded,
        ProcessExamined,
        Tick,
        ClockStep,
        Resumed,
        Idle,
    ]
);
words!(IdleSource, IdleSource::word, [Tty, X11]);
words!(
    Source,
    Source::word,
    [Ebpf, Netlink, Proc, IpHelper, Etw, Capture, Log]
);
words!(
    WhyUnknown,
    WhyUnknown::word,
    [
        NoRights,
        NoHolder,
        BeforeStart,
        Kernel,
        WireGuard,
        Forwarded,
        OutsideNamespace,
        NotInSource,
        Lost,
    ]
);
words!(
    NameSource,
    NameSource::word,
    [
        Dns,
        Resolver,
        Mdns,
        Llmnr,
        Sni,
        Host,
        Certificate,
        Dhcp,
        Ssh,
        Log
    ]
);
words!(
    NameStrength,
    NameStrength::word,
    [
        Greeted,
        Answered,
        AnsweredToDevice,
        AnsweredToAnother,
        Claimed
    ]
);
words!(Tier, Tier::word, [Full, NoBtf, Polling, Import]);
words!(
    RememberedBy,
    RememberedBy::word,
    [
        TcpMetrics,
        Conntrack,
        Neighbours,
        ResolverCache,
        TcpTable,
        Srum
    ]
);
words!(
    PathState,
    |state: PathState| state.word().unwrap_or_default(),
    [Present, Deleted, Memfd]
);
words!(Phase, phase, [Connect, Handshake, Established, Send]);

impl Words for State {
    const ALL: &'static [Self] = &Self::ALL;
    fn text(self) -> &'static str {
        self.word()
    }
}

impl Words for Direction {
    const ALL: &'static [Self] = &Self::ALL;
    fn text(self) -> &'static str {
        self.word()
    }
}

/// What some protocols have besides the word stands in members of its own.
impl Words for Protocol {
    const ALL: &'static [Self] = &[
        Self::Tcp,
        Self::Udp,
        Self::Mptcp,
        Self::UdpLite,
        Self::Sctp,
        Self::Dccp,
        Self::Icmp(IcmpKind {
            kind: None,
            code: None,
            id: None,
        }),
        Self::Raw { ip_protocol: 0 },
        Self::Packet { ethertype: 0 },
        Self::Other(0),
    ];
    fn text(self) -> &'static str {
        self.word()
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Connect => "connect",
        Phase::Handshake => "handshake",
        Phase::Established => "established",
        Phase::Send => "send",
    }
}

impl<T: Words> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(known) => serializer.serialize_str(known.text()),
            Self::Strange => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let find = |text: &str| {
            let found = T::ALL.iter().find(|it| it.text() == text);
            Some(found.map_or(Self::Strange, |known| Self::Known(*known)))
        };
        deserializer.deserialize_str(Reader("a word", find))
    }
}

/// Reads a text with a function that gives `None` when it is not what is expected.
struct Reader<F>(&'static str, F);

impl<'de, T, F: Fn(&str) -> Option<T>> Visitor<'de> for Reader<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        let Self(expected, read) = self;
        read(text).ok_or_else(|| E::custom(format_args!("expected {expected}")))
    }
}

/// A time in RFC 3339 with nine digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Time(pub(super) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.rfc_3339();
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| Timestamp::parse(text).map(Self);
        deserializer.deserialize_str(Reader("a time like 2026-11-22T10:15:00.123456789Z", read))
    }
}

/// An address as it is, mapped ones too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ip(pub(super) IpAddr);

impl Serialize for Ip {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| text.parse().ok().map(Self);
        deserializer.deserialize_str(Reader("an address", read))
    }
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, Serialize, serde::Deserialize)]
pub(super) struct End {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<Ip>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

impl From<Endpoint> for End {
    fn from(Endpoint { ip, port }: Endpoint) -> Self {
        Self {
            ip: ip.map(Ip),
            port,
        }
    }
}

impl From<End> for Endpoint {
    fn from(End { ip, port }: End) -> Self {
        Self {
            ip: ip.map(|Ip(ip)| ip),
            port,
        }
    }
}

/// A process by its id: the boot in eight digits when it is the one of the first line, else whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessName {
    pid: u32,
    start_ticks: u64,
    boot: Boot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boot {
    Short([u8; 4]),
    Whole(BootId),
}

impl ProcessName {
    pub(super) fn of(id: ProcessId, home: BootId) -> Self {
        let [first, second, third, fourth, ..] = id.boot.0;
        Self {
            pid: id.pid,
            start_ticks: id.start_ticks,
            boot: if id.boot == home {
                Boot::Short([first, second, third, fourth])
            } else {
                Boot::Whole(id.boot)
            },
        }
    }

    /// Errors: it names another boot than the first line, and only in short.
    pub(super) fn id(self, home: BootId) -> Result<ProcessId, Fault> {
        let boot = match self.boot {
            Boot::Short(short) if home.0.starts_with(&short) => home,
            Boot::Short(_) => return Err(Fault::Wrong("a process id is of another boot")),
            Boot::Whole(boot) => boot,
        };
        Ok(ProcessId {
            boot,
            pid: self.pid,
            start_ticks: self.start_ticks,
        })
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (pid, rest) = text.split_once('-')?;
        let (start_ticks, boot) = rest.split_once('-')?;
        Some(Self {
            pid: number(pid)?.try_into().ok()?,
            start_ticks: number(start_ticks)?,
            boot: match boot.len() {
                8 => Boot::Short(hex_array(boot)?),
                _ => Boot::Whole(BootId(hex_array(boot)?)),
            },
        })
    }
}

/// Digits only: `parse` of the standard library takes a sign, too.
fn number(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

impl fmt::Display for ProcessName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-", self.pid, self.start_ticks)?;
        match self.boot {
            Boot::Short(short) => write!(f, "{:08x}", u32::from_be_bytes(short)),
            Boot::Whole(boot) => boot.fmt(f),
        }
    }
}

impl Serialize for ProcessName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProcessName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Reader("the id of a process", Self::parse))
    }
}

/// So many bytes as hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hex<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Serialize for Hex<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| hex_array(text).map(Self);
        deserializer.deserialize_str(Reader("hex digits, as many as it always has", read))
    }
}

impl From<ConnectionId> for Hex<16> {
    fn from(id: ConnectionId) -> Self {
        Self(id.0)
    }
}

/// Bytes of any number as hex digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &str| {
            let pairs = text.as_bytes().chunks(2);
            pairs.map(byte).collect::<Option<_>>().map(Self)
        };
        deserializer.deserialize_str(Reader("hex digits", read))
    }
}

fn hex_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (to, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *to = byte(pair)?;
    }
    Some(bytes)
}

/// Two hex digits in lower case.
fn byte(pair: &[u8]) -> Option<u8> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    }
}

/// A text that is not copied where it stands in a line as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Str<'a>(pub(super) Cow<'a, str>);

impl Serialize for Str<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Str<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowed;
        impl<'de> Visitor<'de> for Borrowed {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: serde::de::Error>(
                self,
                text: &'de str,
            ) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Borrowed).map(Self)
    }
}

impl<'a> Str<'a> {
    /// What can be read, and the exact bytes besides when that is not all.
    pub(super) fn of(text: &'a Text) -> (Self, Option<Bytes>) {
        let lossy = text.lossy();
        let exact = text.as_utf8().is_none();
        let bytes = exact.then(|| Bytes(text.bytes().to_vec()));
        (Self(lossy), bytes)
    }

    pub(super) fn optional(text: Option<&'a Text>) -> (Option<Self>, Option<Bytes>) {
        let (text, bytes) = text.map(Self::of).unzip();
        (text, bytes.flatten())
    }

    /// The text again, of what [`Str::of`] gave.
    pub(super) fn text(self, bytes: Option<Bytes>) -> Text {
        match bytes {
            Some(Bytes(bytes)) => Text::from(bytes),
            None => Text::from(self.0.into_owned()),
        }
    }
}

pub(super) fn is_no(yes: &bool) -> bool {
    !yes
}

/// A word of a list that is not one of ours, for an error.
pub(super) fn missing(name: &'static str) -> Fault {
    Fault::Json(serde_json::Error::custom(format_args!("{name} is missing")))
}
