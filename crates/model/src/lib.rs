//! The nouns that all of whocalls shares. Nothing here reads, writes or waits; the verbs
//! (`observe`, `track`, `show` ...) import this crate and no other verb.
//!
//! An absent fact is `None`, never 0 or an empty text. Times are UTC.
#![forbid(unsafe_code)]

mod connection;
mod doctor;
mod event;
mod finding;
mod gap;
mod identity;
mod imported;
mod look;
mod name;
mod owner;
mod packet;
mod pair;
mod process;
mod protocol;
mod restated;
mod shelf;
mod snapshot;
mod system;
mod text;
mod time;

pub use connection::{Connection, ConnectionError, Direction, Endpoint, Phase, State};
pub use doctor::{Check, Condition, Doctor};
pub use event::{Counts, Detail, Event, EventKind, Observed};
pub use finding::{About, Confidence, Evidence, Fact, Finding, FindingId, Severity};
pub use gap::Gap;
pub use identity::{BootId, ConnectionId, NetworkNamespace, ProcessId, SocketKey};
pub use imported::Imported;
pub use look::{Holder, Host, Look, Remembered, RememberedBy, Socket, Tier};
pub use name::{
    Answer, Asked, Device, DeviceId, Greeting, HttpGreeting, NameSeen, NameSource, NameStrength,
    RemoteName, TlsGreeting,
};
pub use owner::{Owner, Source, WhyUnknown};
pub use packet::{
    Interface, InterfaceKey, LinkType, Packet, PacketEnds, PacketOwner, Part, Quoted, Way,
    WhyNoProcess,
};
pub use pair::{Call, Calls, Pair, PairKey};
pub use process::{Container, FileIdentity, Parent, PathState, Process};
pub use protocol::{IcmpKind, Protocol};
pub use restated::{Restated, RestatedAnswer, RestatedConnection};
pub use shelf::{Place, Shelf};
pub use snapshot::Snapshot;
pub use system::{
    Clock, Firewall, FirewallChain, FirewallHook, InterfaceAddress, Neighbour, ResolverFiles,
    Route, RouteRule, RouteWay, System, SystemInterface,
};
pub use text::{Text, acts_or_hides};
pub use time::Timestamp;
