//! The nouns that all of whocalls shares. Nothing here reads, writes or waits; the verbs
//! (`observe`, `track`, `show` ...) import this crate and no other verb.
//!
//! An absent fact is `None`, never 0 or an empty text. Times are UTC.
#![forbid(unsafe_code)]

mod address;
mod comparison;
mod connection;
mod doctor;
mod enrichment;
mod event;
mod examined;
mod finding;
mod findings;
mod gap;
mod hex;
mod identity;
mod idle;
mod imported;
mod indicator;
mod known;
mod look;
mod looked_up;
mod members;
mod mix;
mod name;
mod owner;
mod packet;
mod pair;
mod process;
mod protocol;
mod registration;
mod restated;
mod shelf;
mod snapshot;
mod system;
mod talk;
mod text;
mod time;
mod zone;

pub use address::{
    AddressFacts, Addresses, Announcer, Country, KnowsAddresses, NetworkKind, RegisteredHolder,
    SpecialUse, translated,
};
pub use comparison::{
    Comparison, Difference, DifferenceChange, DifferenceKind, Doubt, NotCompared, Same, Shows,
    Side, SideKind, Which,
};
pub use connection::{Connection, ConnectionError, Direction, Endpoint, Phase, State};
pub use doctor::{Condition, Diagnosis, Doctor};
pub use enrichment::{
    Announcement, Enrichment, Failure, OnlineSource, Opinion, Question, Reply, Said, SeenName,
    Standing,
};
pub use event::{Counts, Detail, Event, EventKind, Observed};
pub use examined::{
    Check, Checked, Display, Examined, Outcome, Package, PackageManager, PackageState, Sign, Trace,
    Untested,
};
pub use finding::{
    About, Confidence, Evidence, Fact, Finding, FindingId, Reach, Service, Severity,
};
pub use findings::{FindingChange, Findings, Ordinary, Unchecked};
pub use gap::Gap;
pub use hex::hex;
pub use identity::{BootId, ConnectionId, NetworkNamespace, ProcessId, SocketKey};
pub use idle::{Attendance, Idle, IdleSource, Presence};
pub use imported::{Imported, SavedLook};
pub use indicator::{
    FileHash, Indicator, IndicatorKind, IndicatorList, IndicatorValue, ListMeaning, ListOrigin,
    MatchedBy, Network, UncheckedKind,
};
pub use known::{Knowledge, KnownAddress, KnownName, Knows, ListedKind, Matched};
pub use look::{Holder, Host, Look, Remembered, RememberedBy, Socket, Tier};
pub use looked_up::{
    AddressItem, Answered, FileFacts, HashKind, Item, Listed, ListedAs, LookedUp, NameItem,
    NetworkItem, ReplyFacts, SuffixBy,
};
pub use members::{FirstConnections, Members, Named};
pub use mix::{Mix, Mixer};
pub use name::{
    Answer, Asked, Device, DeviceId, Greeting, HttpGreeting, NameSeen, NameSource, NameStrength,
    RemoteName, TlsGreeting,
};
pub use owner::{Owner, Source, WhyUnknown};
pub use packet::{
    Interface, InterfaceKey, LinkType, Packet, PacketEnds, PacketOwner, Part, Quoted, TcpSegment,
    Way, WhyNoProcess,
};
pub use pair::{Call, Calls, Pair, PairKey, Talks};
pub use process::{Container, FileIdentity, Parent, PathState, Process};
pub use protocol::{IcmpKind, Protocol};
pub use registration::{Organisation, Registration};
pub use restated::{Restated, RestatedAnswer, RestatedConnection};
pub use shelf::{Place, Shelf};
pub use snapshot::Snapshot;
pub use system::{
    Clock, Firewall, FirewallChain, FirewallHook, InterfaceAddress, Neighbour, ResolverFiles,
    Route, RouteRule, RouteWay, System, SystemInterface,
};
pub use talk::{Burst, Talk};
pub use text::{Text, acts_or_hides};
pub use time::Timestamp;
pub use zone::{AllNames, Kinds, Names, Shape, Zone, ZoneKey};
