//! How something that was seen fits a rule.

use std::net::IpAddr;

use model::{
    Confidence, ConnectionId, DeviceId, Endpoint, Fact, ListedKind, Matched, ProcessId, Service,
    Severity, Text, Timestamp,
};

use crate::reason::Reason;

/// What a rule says of one thing that was seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fit {
    /// What belongs together in one finding: an entry of a list, an address, a kind.
    pub(crate) thing: String,
    /// What was seen, in words: an address, a name, a path.
    pub(crate) seen: String,
    pub(crate) confidence: Confidence,
    pub(crate) why: Why,
    /// The other side called here.
    pub(crate) inbound: bool,
}

/// Why it fits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Why {
    Matched(Matched),
    Listed(ListedKind),
    /// It looks like this.
    LooksLike {
        shown: String,
        like: String,
    },
    /// Names end here.
    Suffix(String),
    /// A rule says it with its weight: of a process, or of a habit.
    Reason(Box<Reason>),
    Nothing,
}

/// A fit, and where in what was seen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Piece {
    pub(crate) fit: Fit,
    pub(crate) first: Timestamp,
    pub(crate) processes: Vec<ProcessId>,
    pub(crate) connections: Vec<ConnectionId>,
    /// All of them.
    pub(crate) count: u64,
    pub(crate) remote: Option<Endpoint>,
    pub(crate) part: Part,
    /// `None`: whatever its connections are for.
    pub(crate) service: Option<Service>,
}

/// What of a program a piece is about.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    Address(IpAddr),
    Name(Text),
    Program,
    /// Of its runs those that the piece names.
    Process,
}

/// Whose finding it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Whose {
    pub(crate) program: Option<Text>,
    pub(crate) device: Option<DeviceId>,
}

impl Whose {
    /// The last part of the path. Empty: not known.
    pub(crate) fn file_name(&self) -> String {
        let path = self.program.as_ref().map(Text::lossy).unwrap_or_default();
        let name = path.rsplit(['/', '\\']).next();
        name.unwrap_or_default().to_owned()
    }
}

/// What a rule says of all that fits together.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) facts: Vec<(&'static str, Fact)>,
    pub(crate) attack: Vec<&'static str>,
}
