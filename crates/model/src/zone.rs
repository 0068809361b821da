//! What one asker asked the name system below one name, over time: what rules about tunnels through it
//! read.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{ProcessId, Text, Timestamp};

/// Whose questions they are, and below which name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneKey {
    /// Path of the program, its name where the path is not known: some start anew for each question.
    /// `None`: no process is known, or nothing of it.
    pub program: Option<Text>,
    /// Where nothing of it is known but who it is.
    pub process: Option<ProcessId>,
    /// Address of the asker, where no process is known. `None`: not known, or this computer.
    pub from: Option<IpAddr>,
    /// The last one, two or three labels of the names, in lower case, without a dot at the end. Empty:
    /// these are all names.
    pub below: Text,
    /// Who was asked, of all names. `None`: not known, or anybody.
    pub resolver: Option<IpAddr>,
}

/// Questions of one asker for names below one name. Who knows where names end tells which of them belong
/// to somebody. Left out: neighbours (mDNS, LLMNR, `.local`) and the names of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub key: ZoneKey,
    /// The first runs of the program that asked; a few are kept.
    pub processes: Vec<ProcessId>,
    /// The first that were asked; a few are kept.
    pub resolvers: Vec<IpAddr>,
    /// The asker takes questions of others: they may be theirs.
    pub on_behalf: bool,
    pub first: Timestamp,
    pub last: Timestamp,
    /// Of a source that tells questions and answers in one, each is a question as well.
    pub questions: u64,
    pub answers: u64,
    /// Answers that there is no such name (NXDOMAIN).
    pub no_such_name: u64,
    /// Answers of other failures (SERVFAIL, REFUSED ...).
    pub failed: u64,
    /// Questions of which no answer can be seen: they made no packet.
    pub unheard: u64,
    pub kinds: Kinds,
    pub names: Names,
    pub shape: Shape,
    /// How long all messages with answers were. 0: the source does not tell.
    pub answer_bytes: u64,
    /// For how many seconds texts that were answered hold, at most. `None`: none was, or it is not told.
    pub text_ttl: Option<u32>,
    /// When texts and other odd kinds were asked for, but for those of `service` names; the newest, in
    /// their order.
    pub odd_times: Vec<Timestamp>,
    /// The first names, and the newest, each once.
    pub first_names: Vec<Arc<Text>>,
    pub newest_names: VecDeque<Arc<Text>>,
    /// `None`: these are not all names.
    pub all: Option<Box<AllNames>>,
}

/// How many questions of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// For addresses (A).
    pub address: u64,
    /// For addresses of IPv6 (AAAA).
    pub address6: u64,
    /// For texts (TXT, SPF).
    pub text: u64,
    /// NULL and kinds for private use: nothing but tunnels is known to use them.
    pub raw: u64,
    /// CNAME, MX, SRV, KEY and others that can carry much and that few programs ask for.
    pub other_odd: u64,
    /// All others: HTTPS, NS, SOA ...
    pub plain: u64,
}

impl Kinds {
    /// Those that can carry much and that few programs ask for.
    pub fn odd(&self) -> u64 {
        self.text + self.raw + self.other_odd
    }
}

/// How many names there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Different ones, upper and lower case being the same.
    pub different: u64,
    /// Different ones with their kinds: programs ask for both kinds of addresses of a name.
    pub with_kinds: u64,
    /// Among so many questions: fewer than all, when there were more names than can be told apart. Then
    /// `different` is at least so many.
    pub among: u64,
    pub is_full: bool,
}

/// What names look like: the sums over all questions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of the names.
    pub lengths: u64,
    /// Those with a label of 20 bytes and more, left of what is common to all.
    pub long: u64,
    /// Of the longest label of these the bits that each letter tells (Shannon), in thousandths.
    pub millibits: u64,
    /// An address stands there backwards, as in lists of senders (RFC 5782).
    pub reversed: u64,
    /// A label is the hash of something or the number of something, in hexadecimal digits, and no other
    /// one is long.
    pub hashes: u64,
    /// A label begins with `_` (RFC 8552): services, keys of mail, proofs for certificates.
    pub service: u64,
}

/// What is kept of all names of an asker besides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllNames {
    /// How many different last labels there were: at least so many, when they are very many.
    pub ends: u64,
    /// The newest names that had a last label of their own.
    pub with_new_ends: VecDeque<Arc<Text>>,
    /// The newest names that do not exist, and when that was told.
    pub missing: VecDeque<(Timestamp, Arc<Text>)>,
    /// The newest names of which nobody has told yet whether they exist, and when each was asked for
    /// last.
    pub pending: VecDeque<(Timestamp, Arc<Text>)>,
    /// When somebody told last whether a name exists. `None`: never.
    pub told: Option<Timestamp>,
}
