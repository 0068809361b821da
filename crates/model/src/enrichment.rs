//! What sources outside this computer say of an address, a name or a hash, and how they were asked.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::{FileHash, Network, Registration, Text, Timestamp};

/// Whom a person can ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnlineSource {
    /// Registration data of the registries, as JSON (RFC 9083).
    Rdap,
    /// The same as text, over port 43 (RFC 3912).
    Whois,
    /// The name that whoever runs the zone gives to an address.
    ReverseDns,
    /// Team Cymru: who announces an address, by DNS.
    Cymru,
    VirusTotal,
    AbuseIpDb,
    GreyNoise,
    /// `LevelBlue` Open Threat Exchange.
    Otx,
    ThreatFox,
    UrlHaus,
    /// Shodan `InternetDB`.
    InternetDb,
    /// CIRCL hashlookup.
    Hashlookup,
    /// CIRCL passive DNS.
    PassiveDns,
    /// Team Cymru's Malware Hash Registry, by DNS.
    MalwareHashes,
    IpInfo,
    /// The list of all exits of Tor, fetched as a whole.
    TorExits,
    /// Spamhaus DROP, fetched as a whole.
    Drop,
    /// Feodo Tracker, fetched as a whole.
    Feodo,
}

impl OnlineSource {
    pub const ALL: [Self; 18] = [
        Self::Rdap,
        Self::Whois,
        Self::ReverseDns,
        Self::Cymru,
        Self::VirusTotal,
        Self::AbuseIpDb,
        Self::GreyNoise,
        Self::Otx,
        Self::ThreatFox,
        Self::UrlHaus,
        Self::InternetDb,
        Self::Hashlookup,
        Self::PassiveDns,
        Self::MalwareHashes,
        Self::IpInfo,
        Self::TorExits,
        Self::Drop,
        Self::Feodo,
    ];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rdap => "rdap",
            Self::Whois => "whois",
            Self::ReverseDns => "rdns",
            Self::Cymru => "cymru",
            Self::VirusTotal => "virustotal",
            Self::AbuseIpDb => "abuseipdb",
            Self::GreyNoise => "greynoise",
            Self::Otx => "otx",
            Self::ThreatFox => "threatfox",
            Self::UrlHaus => "urlhaus",
            Self::InternetDb => "internetdb",
            Self::Hashlookup => "hashlookup",
            Self::PassiveDns => "pdns",
            Self::MalwareHashes => "mhr",
            Self::IpInfo => "ipinfo",
            Self::TorExits => "tor",
            Self::Drop => "drop",
            Self::Feodo => "feodo",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }

    /// Who it is, for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rdap => "RDAP",
            Self::Whois => "WHOIS",
            Self::ReverseDns => "reverse DNS",
            Self::Cymru => "Team Cymru",
            Self::VirusTotal => "VirusTotal",
            Self::AbuseIpDb => "AbuseIPDB",
            Self::GreyNoise => "GreyNoise",
            Self::Otx => "OTX",
            Self::ThreatFox => "ThreatFox",
            Self::UrlHaus => "URLhaus",
            Self::InternetDb => "Shodan InternetDB",
            Self::Hashlookup => "CIRCL hashlookup",
            Self::PassiveDns => "CIRCL passive DNS",
            Self::MalwareHashes => "Malware Hash Registry",
            Self::IpInfo => "ipinfo",
            Self::TorExits => "Tor exits",
            Self::Drop => "Spamhaus DROP",
            Self::Feodo => "Feodo Tracker",
        }
    }

    /// Whether it is asked for a whole list, so that it does not learn the question.
    pub fn is_list(self) -> bool {
        matches!(self, Self::TorExits | Self::Drop | Self::Feodo)
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    Address(IpAddr),
    Network(Network),
    /// A-labels, in lower case, no dot at the end.
    Name(String),
    /// MD5, SHA-1 or SHA-256.
    Hash(FileHash),
}

impl Question {
    /// The word of the public contract.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Address(_) | Self::Network(_) => "address",
            Self::Name(_) => "name",
            Self::Hash(_) => "hash",
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Network(network) => write!(f, "{network}"),
            Self::Name(name) => f.write_str(name),
            Self::Hash(hash) => write!(f, "{hash}"),
        }
    }
}

/// What one source was asked once, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrichment {
    pub source: OnlineSource,
    pub question: Question,
    /// When it was over.
    pub asked: Timestamp,
    /// What came, in the order in which it came; the source may have sent us on.
    pub replies: Vec<Reply>,
    /// Why it ended before there was an answer. `None`: there is one.
    pub failure: Option<Failure>,
}

/// One message from outside, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What was asked: an URL without keys, a line for WHOIS, a name and a type for DNS.
    pub asked: String,
    /// Who answered in the end: a name, or an address in text.
    pub host: String,
    /// That of HTTP, or the response code of DNS. `None`: its protocol has none.
    pub status: Option<u16>,
    pub bytes: Vec<u8>,
}

/// What the replies in an [`Enrichment`] say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Who it belongs to.
    Registration(Box<Registration>),
    /// Who tells others that it is to be reached through them.
    Announced(Vec<Announcement>),
    /// Names of an address, or addresses of a name, as whoever answers has them.
    Names(Vec<SeenName>),
    Opinion(Opinion),
    /// It was asked, and knows nothing of it. Never a sign of harmlessness.
    NoData,
    Failed(Failure),
}

/// One of the networks that announce an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub asn: u32,
    pub network: Option<Network>,
    pub country: Option<Text>,
    pub registry: Option<Text>,
    /// As it is written there: a day.
    pub allocated: Option<Text>,
    pub organisation: Option<Text>,
}

/// A name or an address that belongs, or belonged, to what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenName {
    pub name: Text,
    /// As it is written there. `None`: it does not say.
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
}

/// What a source makes of it. One opinion is a sign and no proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opinion {
    pub standing: Standing,
    /// In the order in which they are to be shown.
    pub facts: Vec<(&'static str, Text)>,
}

/// Where a source places what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// It is on its list of what is harmful, or most of its judges say so.
    Bad,
    /// Some of it speaks against it.
    Doubtful,
    /// It has data and takes no side.
    Neutral,
    /// It names it as common and known; that is not the same as harmless.
    Common,
}

impl Standing {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Doubtful => "doubtful",
            Self::Neutral => "neutral",
            Self::Common => "common",
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing came for so long.
    TimedOut(Duration),
    /// It wants to be asked less often; so long, if it says.
    AskedTooOften(Option<Duration>),
    /// An HTTP status that is no answer, and what it says of it.
    Status(u16, Option<Text>),
    /// The key is missing, wrong or not allowed to.
    Refused(Option<Text>),
    /// What came is not of the form that it should have; what is wrong with it.
    Unreadable(String),
    /// More bytes than are read of an answer.
    TooLarge(usize),
    /// The connection ended in the middle of the answer.
    Cut,
    /// It sends us where we do not go: where to, and why not.
    Redirected { to: String, why: String },
    /// Its certificate does not show that it is who it should be.
    Certificate(String),
    /// No connection: what the computer says.
    Unreachable(String),
    /// The way that was set for it does not work; it was not asked directly instead.
    Proxy(String),
    /// Its name, or that of the way to it, could not be turned into an address.
    NotResolved(String),
    /// No registry is named for it.
    NobodyToAsk,
    /// A person has not given the key that it wants.
    NoKey,
}

impl Failure {
    /// The word of the public contract.
    pub fn word(&self) -> &'static str {
        match self {
            Self::TimedOut(_) => "timed_out",
            Self::AskedTooOften(_) => "asked_too_often",
            Self::Status(..) => "status",
            Self::Refused(_) => "refused",
            Self::Unreadable(_) => "unreadable",
            Self::TooLarge(_) => "too_large",
            Self::Cut => "cut",
            Self::Redirected { .. } => "redirected",
            Self::Certificate(_) => "certificate",
            Self::Unreachable(_) => "unreachable",
            Self::Proxy(_) => "proxy",
            Self::NotResolved(_) => "not_resolved",
            Self::NobodyToAsk => "nobody_to_ask",
            Self::NoKey => "no_key",
        }
    }
}
