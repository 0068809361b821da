//! The answer to a question about one address, network, name or hash.

use std::net::IpAddr;

use crate::{
    AddressFacts, Announcer, Confidence, ListMeaning, MatchedBy, NetworkKind, OnlineSource,
    Question, Said, Timestamp,
};

/// What is known of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedUp {
    /// As it was asked for.
    pub item: String,
    pub what: Item,
    /// The lists that have it.
    pub known: Vec<Listed>,
    /// What files of facts about addresses say that a person has added.
    pub told: Vec<FileFacts>,
    /// What others said who were asked, now or before; the newest of each.
    pub answers: Vec<Answered>,
    /// Whether a person has put it on the list of what to ask from another computer.
    pub is_wanted: bool,
}

/// What one source said, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub source: OnlineSource,
    /// It may differ from the item: of a name, registries know only what was registered.
    pub question: Question,
    pub asked: Timestamp,
    /// A page about it that a person can open.
    pub link: Option<String>,
    pub said: Said,
    pub replies: Vec<ReplyFacts>,
}

/// A message from outside, without what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyFacts {
    pub asked: String,
    pub host: String,
    pub status: Option<u16>,
    pub sha256: [u8; 32],
    pub bytes: usize,
}

/// What the item is, and what the tables tell of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Address(AddressItem),
    Network(NetworkItem),
    Name(NameItem),
    Hash(HashKind),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressItem {
    pub ip: IpAddr,
    /// `None`: asked for without one.
    pub port: Option<u16>,
    pub facts: AddressFacts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkItem {
    pub first: IpAddr,
    pub length: u8,
    /// What is known of its first address; the others may differ.
    pub facts: AddressFacts,
    /// Who announces parts of it and in how many ranges, those with most first.
    pub announcers: Vec<(Announcer, usize)>,
    /// Announcers beyond these.
    pub more_announcers: usize,
    /// Whether it has addresses that nobody is known to announce.
    pub has_holes: bool,
}

/// A name, with its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameItem {
    /// A-labels, in lower case.
    pub ascii: String,
    /// As people write it; the same where nothing differs.
    pub unicode: String,
    /// Characters that pass for letters of ASCII, and for which.
    pub lookalikes: Vec<(char, char)>,
    pub public_suffix: String,
    /// What somebody registered. `None`: the name is a suffix itself.
    pub registrable: Option<String>,
    pub suffix_by: SuffixBy,
    /// The platform that gives out the names below it. `None`: it is of no platform.
    pub platform: Option<String>,
    /// What a standard sets it apart for, and which. `None`: nothing.
    pub special: Option<(&'static str, &'static str)>,
}

/// Who says where a name ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuffixBy {
    Registry,
    Platform,
    Nobody,
}

impl SuffixBy {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Registry => "registry",
            Self::Platform => "platform",
            Self::Nobody => "nobody",
        }
    }
}

/// By how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashKind {
    Md5,
    Sha1,
    Sha256,
}

impl HashKind {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }
}

/// A list that has the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub list: String,
    /// `None`: it does not tell.
    pub publisher: Option<String>,
    /// When it was made: `2026-08-22`. `None`: it does not tell.
    pub date: Option<String>,
    pub listed_as: ListedAs,
}

/// What it is on a list for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListedAs {
    /// A list of the tables. `provider` says whose network it is; empty when it is of many.
    Kind { kind: NetworkKind, provider: String },
    /// A list of indicators.
    Indicator {
        meaning: ListMeaning,
        /// As the list has it.
        indicator: String,
        by: MatchedBy,
        confidence: Confidence,
        /// What the list says of it. `None`: nothing.
        about: Option<String>,
    },
}

/// Facts about an address that somebody else's file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    pub list: String,
    pub publisher: Option<String>,
    /// When it was made: `2026-08-22`. `None`: it does not tell.
    pub date: Option<String>,
    /// Names like `country.iso_code`, as the file has them.
    pub facts: Vec<(String, String)>,
}
