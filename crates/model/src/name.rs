//! Names that were asked for or greeted, and the name of the other side of a connection.

use std::net::IpAddr;

use crate::{ProcessId, Text, Timestamp};

/// A name that was asked for, answered or greeted, and what else was said with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameSeen {
    /// `None`: something was asked or greeted, and not by a name that can be read.
    pub name: Option<Text>,
    pub source: NameSource,
    /// Type of the DNS question (RFC 1035, 3.2.2). `None`: not DNS.
    pub question: Option<u16>,
    /// `None`: it is a question, or not DNS.
    pub answer: Option<Box<Answer>>,
    /// `None`: DNS, or nothing was said with it.
    pub greeting: Option<Box<Greeting>>,
}

impl NameSeen {
    /// A name and no more.
    pub fn only(name: Text, source: NameSource) -> Self {
        Self {
            name: Some(name),
            source,
            question: None,
            answer: None,
            greeting: None,
        }
    }
}

/// How a name was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameSource {
    /// A message of DNS.
    Dns,
    /// A question to the resolver of this computer that makes no packet.
    Resolver,
    /// DNS without a server, among neighbours (RFC 6762).
    Mdns,
    /// Likewise, by Windows (RFC 4795).
    Llmnr,
    /// The server name in a TLS greeting, also over QUIC (RFC 6066, 3).
    Sni,
    /// The host in a request of HTTP/1 (RFC 9110, 7.2).
    Host,
    /// What the certificate of the other side is for; the other side says it.
    Certificate,
    /// What a device calls itself when it asks for an address (RFC 2132, 3.14; RFC 4702).
    Dhcp,
    /// The first line of SSH (RFC 4253, 4.2), which has no name in it.
    Ssh,
    /// Another program's log has it, and does not say from where.
    Log,
}

impl NameSource {
    pub const ALL: [Self; 10] = [
        Self::Dns,
        Self::Resolver,
        Self::Mdns,
        Self::Llmnr,
        Self::Sni,
        Self::Host,
        Self::Certificate,
        Self::Dhcp,
        Self::Ssh,
        Self::Log,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Resolver => "resolver",
            Self::Mdns => "mdns",
            Self::Llmnr => "llmnr",
            Self::Sni => "sni",
            Self::Host => "host",
            Self::Certificate => "certificate",
            Self::Dhcp => "dhcp",
            Self::Ssh => "ssh",
            Self::Log => "log",
        }
    }
}

/// What was answered to a DNS question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// RCODE: 0 is that all is well, 3 that there is no such name (RFC 1035, 4.1.1; RFC 6895, 2.3).
    pub code: u8,
    /// What the name is another name of, one after the other (CNAME).
    pub aliases: Vec<Text>,
    /// Addresses, each with the seconds for which the answer holds (TTL).
    pub addresses: Vec<(IpAddr, u32)>,
    /// What TXT records say, the strings of each joined.
    pub texts: Vec<Text>,
    /// For how many seconds all of the texts hold. `None`: there are none, or it is not told.
    pub text_ttl: Option<u32>,
    /// How long the message is.
    pub bytes: u32,
}

/// What a side says of itself when it begins to talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
    Tls(TlsGreeting),
    Http(HttpGreeting),
    /// The first line, as the client and as the server wrote it. `None`: not seen, or told apart from
    /// this one.
    Ssh {
        client: Option<Text>,
        server: Option<Text>,
    },
}

/// What a TLS client says first (RFC 8446, 4.1.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsGreeting {
    /// Over QUIC, of which version. `None`: over TCP.
    pub quic: Option<u32>,
    /// Protocols that it offers to speak, in its order (RFC 7301).
    pub alpn: Vec<Text>,
    /// Whether an Encrypted Client Hello is offered (RFC 9849): the name that can be read may then be
    /// that of the provider. Some clients always send one that means nothing (GREASE), and it looks
    /// the same.
    pub ech: bool,
    /// The fingerprint JA4 of the client. `None`: not whole.
    pub ja4: Option<Text>,
}

/// What a client of HTTP/1 says first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpGreeting {
    pub method: Option<Text>,
    /// The target of the request (RFC 9112, 3.2), cut after 1 KiB.
    pub target: Option<Text>,
    pub user_agent: Option<Text>,
}

/// A name that was asked for by one asker, over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub name: Text,
    pub source: NameSource,
    /// `None`: not known.
    pub process: Option<ProcessId>,
    /// Address of the asker, where no process is known. `None`: not known, or this computer.
    pub from: Option<IpAddr>,
    pub first: Timestamp,
    pub last: Timestamp,
    pub questions: u64,
    pub answers: u64,
    /// Answers that there is no such name (NXDOMAIN).
    pub no_such_name: u64,
    /// Answers of other failures (SERVFAIL, REFUSED ...).
    pub failed: u64,
    /// What the newest answer came to, as in [`Answer::code`]. `None`: no answer was seen.
    pub code: Option<u8>,
    /// Those that were answered, the newest first; a few are kept.
    pub addresses: Vec<IpAddr>,
}

/// The name of the other side of a connection, and why it is thought to be that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteName {
    pub name: Text,
    pub source: NameSource,
    pub strength: NameStrength,
}

/// How well a name belongs to a connection; the stronger is the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameStrength {
    /// The other side says it of itself in its certificate, or somebody's log has it.
    Claimed,
    /// Another program was told this name for the address.
    AnsweredToAnother,
    /// Some program of the same device was; which one is not known.
    AnsweredToDevice,
    /// This program was, or the resolver on its behalf, before it called.
    Answered,
    /// The connection itself greets by it.
    Greeted,
}

impl NameStrength {
    pub const ALL: [Self; 5] = [
        Self::Claimed,
        Self::AnsweredToAnother,
        Self::AnsweredToDevice,
        Self::Answered,
        Self::Greeted,
    ];

    /// Whether it may as well be the name of somebody else at the same address.
    pub fn is_unsure(self) -> bool {
        self < Self::AnsweredToDevice
    }

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::AnsweredToAnother => "answered_to_another",
            Self::AnsweredToDevice => "answered_to_device",
            Self::Answered => "answered",
            Self::Greeted => "greeted",
        }
    }
}

/// A device of which the source knows no processes: it stands where a process would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: DeviceId,
    /// What it calls itself (DHCP, mDNS). `None`: it has not said.
    pub name: Option<Text>,
    /// It has had them, in the order in which they were seen.
    pub addresses: Vec<IpAddr>,
}

/// What makes a device the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceId {
    /// Its hardware address.
    Mac([u8; 6]),
    /// Where the source tells no hardware address.
    Address(IpAddr),
}
