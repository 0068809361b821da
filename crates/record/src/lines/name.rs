//! What a line of a name has besides the name: the answer, what was greeted, and how a connection
//! came to be called so.

use std::sync::Arc;

use model::{
    Answer, DeviceId, Greeting, HttpGreeting, NameSource, NameStrength, NetworkNamespace,
    RemoteName, RestatedAnswer, Text, TlsGreeting,
};
use serde::{Deserialize, Serialize};

use super::Fault;
use super::value::{Bytes, Hex, Ip, ProcessName, Str, Time, Word, is_no};

/// A text within a list: as it is, or its bytes where these are not UTF-8.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Listed<'a> {
    Text(#[serde(borrow)] Str<'a>),
    Exactly { hex: Bytes },
}

impl<'a> Listed<'a> {
    fn of(text: &'a Text) -> Self {
        match Str::of(text) {
            (_, Some(hex)) => Self::Exactly { hex },
            (text, None) => Self::Text(text),
        }
    }

    fn text(self) -> Text {
        match self {
            Self::Text(text) => text.text(None),
            Self::Exactly { hex } => Text::from(hex.0),
        }
    }

    fn all(texts: &'a [Text]) -> Vec<Self> {
        texts.iter().map(Self::of).collect()
    }

    fn texts(all: Vec<Self>) -> Vec<Text> {
        all.into_iter().map(Self::text).collect()
    }
}

/// `answer` of an event.
#[derive(Serialize, Deserialize)]
pub(super) struct AnswerObject<'a> {
    #[serde(default, skip_serializing_if = "is_all_well")]
    code: u8,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<Listed<'a>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    addresses: Vec<(Ip, u32)>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    texts: Vec<Listed<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text_ttl: Option<u32>,
    bytes: u32,
}

impl<'a> AnswerObject<'a> {
    pub(super) fn of(answer: &'a Answer) -> Self {
        let addresses = answer.addresses.iter();
        Self {
            code: answer.code,
            aliases: Listed::all(&answer.aliases),
            addresses: addresses.map(|(ip, ttl)| (Ip(*ip), *ttl)).collect(),
            texts: Listed::all(&answer.texts),
            text_ttl: answer.text_ttl,
            bytes: answer.bytes,
        }
    }

    pub(super) fn answer(self) -> Answer {
        let addresses = self.addresses.into_iter();
        Answer {
            code: self.code,
            aliases: Listed::texts(self.aliases),
            addresses: addresses.map(|(Ip(ip), ttl)| (ip, ttl)).collect(),
            texts: Listed::texts(self.texts),
            text_ttl: self.text_ttl,
            bytes: self.bytes,
        }
    }
}

fn is_all_well(code: &u8) -> bool {
    *code == 0
}

/// `greeting` of an event or a connection: one member, by what was spoken.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum GreetingObject<'a> {
    Tls {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quic: Option<u32>,
        #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
        alpn: Vec<Listed<'a>>,
        #[serde(default, skip_serializing_if = "is_no")]
        ech: bool,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        ja4: Option<Listed<'a>>,
    },
    Http {
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        method: Option<Listed<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        target: Option<Listed<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        user_agent: Option<Listed<'a>>,
    },
    Ssh {
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        client: Option<Listed<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        server: Option<Listed<'a>>,
    },
}

impl<'a> GreetingObject<'a> {
    pub(super) fn of(greeting: &'a Greeting) -> Self {
        let listed = |text: &'a Option<Text>| text.as_ref().map(Listed::of);
        match greeting {
            Greeting::Tls(TlsGreeting {
                quic,
                alpn,
                ech,
                ja4,
            }) => Self::Tls {
                quic: *quic,
                alpn: Listed::all(alpn),
                ech: *ech,
                ja4: listed(ja4),
            },
            Greeting::Http(HttpGreeting {
                method,
                target,
                user_agent,
            }) => Self::Http {
                method: listed(method),
                target: listed(target),
                user_agent: listed(user_agent),
            },
            Greeting::Ssh { client, server } => Self::Ssh {
                client: listed(client),
                server: listed(server),
            },
        }
    }

    pub(super) fn greeting(self) -> Greeting {
        let text = |listed: Option<Listed<'_>>| listed.map(Listed::text);
        match self {
            Self::Tls {
                quic,
                alpn,
                ech,
                ja4,
            } => Greeting::Tls(TlsGreeting {
                quic,
                alpn: Listed::texts(alpn),
                ech,
                ja4: text(ja4),
            }),
            Self::Http {
                method,
                target,
                user_agent,
            } => Greeting::Http(HttpGreeting {
                method: text(method),
                target: text(target),
                user_agent: text(user_agent),
            }),
            Self::Ssh { client, server } => Greeting::Ssh {
                client: text(client),
                server: text(server),
            },
        }
    }
}

/// `name` of a restated connection.
#[derive(Serialize, Deserialize)]
pub(super) struct NameObject<'a> {
    #[serde(borrow)]
    name: Listed<'a>,
    source: Word<NameSource>,
    strength: Word<NameStrength>,
}

impl<'a> NameObject<'a> {
    pub(super) fn of(name: &'a RemoteName) -> Self {
        Self {
            name: Listed::of(&name.name),
            source: Word::Known(name.source),
            strength: Word::Known(name.strength),
        }
    }

    pub(super) fn name(self) -> Result<Arc<RemoteName>, Fault> {
        Ok(Arc::new(RemoteName {
            name: self.name.text(),
            source: self.source.known()?,
            strength: self.strength.known()?,
        }))
    }
}

/// `device` of a restated connection.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DeviceObject {
    Mac(Hex<6>),
    Ip(Ip),
}

impl From<DeviceId> for DeviceObject {
    fn from(id: DeviceId) -> Self {
        match id {
            DeviceId::Mac(mac) => Self::Mac(Hex(mac)),
            DeviceId::Address(ip) => Self::Ip(Ip(ip)),
        }
    }
}

impl From<DeviceObject> for DeviceId {
    fn from(object: DeviceObject) -> Self {
        match object {
            DeviceObject::Mac(Hex(mac)) => Self::Mac(mac),
            DeviceObject::Ip(Ip(ip)) => Self::Address(ip),
        }
    }
}

/// `answered`: a name that an asker was told for an address, restated.
#[derive(Serialize, Deserialize)]
pub(super) struct AnsweredLine<'a> {
    #[serde(rename = "type", skip_deserializing)]
    line: &'static str,
    #[serde(default)]
    restated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    netns: Option<u32>,
    ip: Ip,
    #[serde(borrow)]
    name: Listed<'a>,
    name_source: Word<NameSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    process_id: Option<ProcessName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Ip>,
    first: Time,
    /// Absent: it was told once.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Time>,
}

impl<'a> AnsweredLine<'a> {
    pub(super) fn of(answer: &'a RestatedAnswer, home: model::BootId) -> Self {
        Self {
            line: "answered",
            restated: true,
            netns: answer.netns.map(|netns| netns.0),
            ip: Ip(answer.ip),
            name: Listed::of(&answer.name),
            name_source: Word::Known(answer.source),
            process_id: answer.process.map(|id| ProcessName::of(id, home)),
            from: answer.from.map(Ip),
            first: Time(answer.first),
            last: Some(Time(answer.last)).filter(|last| last.0 != answer.first),
        }
    }

    pub(super) fn answer(self, home: model::BootId) -> Result<RestatedAnswer, Fault> {
        Ok(RestatedAnswer {
            netns: self.netns.map(NetworkNamespace),
            ip: self.ip.0,
            name: self.name.text(),
            source: self.name_source.known()?,
            process: self.process_id.map(|id| id.id(home)).transpose()?,
            from: self.from.map(|Ip(ip)| ip),
            first: self.first.0,
            last: self.last.unwrap_or(self.first).0,
        })
    }
}
