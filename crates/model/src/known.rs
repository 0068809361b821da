//! What lists and tables tell of something that was seen.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::{
    AddressFacts, Confidence, Indicator, ListMeaning, MatchedBy, NetworkKind, Process, Timestamp,
};

/// Who knows addresses, names and programs without asking anybody. A rule asks it, and does not know
/// who answers. What it answers does not change while it lives.
pub trait Knows: Send + Sync {
    fn address(&self, ip: IpAddr) -> KnownAddress;

    /// `name` as it was seen, of whatever case.
    fn name(&self, name: &str) -> KnownName;

    /// A request to a host, whose name or address it may be.
    fn url(&self, url: &str, host: &str) -> Vec<Matched>;

    /// Its file, by hash, path and name.
    fn process(&self, process: &Process) -> Vec<Matched>;

    /// Indicators that nothing seen here can be compared with.
    fn unchecked_indicators(&self) -> u64;

    /// When the newest of all lists and tables was made. `None`: none says.
    fn newest(&self) -> Option<Timestamp>;
}

/// What is known of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownAddress {
    pub facts: AddressFacts,
    /// The tables that have it, as a list.
    pub listed: Vec<ListedKind>,
    /// The indicators that it fits.
    pub matched: Vec<Matched>,
}

/// What is known of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownName {
    pub listed: Vec<ListedKind>,
    pub matched: Vec<Matched>,
    /// The part of it that somebody registered. `None`: it is no name, or a suffix itself.
    pub registrable: Option<String>,
    /// The same by the rules of registries alone. `None`: no registry has names that end so, or it is
    /// one of these ends itself.
    pub registered: Option<String>,
    /// As people write it, where letters of it pass for others, with what it can be taken for. `None`:
    /// none does.
    pub lookalike: Option<(String, String)>,
    /// Whether a standard sets it apart: it is no name of the internet.
    pub is_special: bool,
}

/// Something that was seen fits an indicator of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    pub list: Arc<str>,
    /// `None`: nobody said.
    pub publisher: Option<Arc<str>>,
    pub meaning: ListMeaning,
    /// When the list was published. `None`: it does not say.
    pub published: Option<Timestamp>,
    pub indicator: Indicator,
    pub by: MatchedBy,
    /// That of the indicator, and low where only a part of it was seen.
    pub confidence: Confidence,
}

/// What can be asked, handed on. The default knows nothing.
#[derive(Clone, Default)]
pub struct Knowledge(Option<Arc<dyn Knows>>);

impl Knowledge {
    pub fn of(source: Arc<dyn Knows>) -> Self {
        Self(Some(source))
    }

    /// `None`: nobody is there to be asked.
    pub fn ask(&self) -> Option<&dyn Knows> {
        self.0.as_deref()
    }
}

impl fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Knowledge({})", self.0.is_some())
    }
}

/// Which list of the tables says what kind of network it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKind {
    pub list: String,
    pub publisher: String,
    /// When it was made: `2026-08-22`.
    pub date: String,
    pub kind: NetworkKind,
    /// Whose network it is. Empty: of many.
    pub provider: String,
    /// The name that is on the list: the one that was asked about, or one above it. Empty: it was an
    /// address.
    pub entry: String,
}
