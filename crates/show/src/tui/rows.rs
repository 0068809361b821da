//! The rows of each view, made from a snapshot and what the person has chosen. A row names what it
//! shows; its text is made only when it is drawn.

mod connections;
mod destinations;
mod findings;
mod names;
mod overview;
mod processes;
mod timeline;
mod wanted;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use model::{
    Asked, Connection, ConnectionId, DeviceId, FindingId, Pair, PairKey, Place, Process, ProcessId,
    Shelf, Snapshot, State, Text, Timestamp,
};

pub(super) use self::findings::FoundRow;
pub(super) use self::names::{Asker, Askers, Name, times};
pub(super) use self::overview::{clock, not_seen, not_seen_count};
pub(super) use self::wanted::{connections as connections_of_pairs, key_of};
use super::Status;
use super::changes::Changes;
use super::columns::Kind;
use super::programs::{self, Program};
use super::sums::{self, Sums};
use super::theme::Tone;
use super::view::View;
use crate::filter::Filter;
use crate::findings::Found;
use crate::messages::{frame, rows as sentences};

/// What stays the same about a row from one snapshot to the next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A line of ours, by its number in the view.
    Line(usize),
    /// What has no place in the usual order is folded under this.
    Rest,
    Program(Option<Text>),
    Process(ProcessId),
    Connection(ConnectionId),
    Pair(Box<PairKey>),
    /// Everything with one other end, by its address.
    Destination(String),
    /// All from a process to one other end.
    Toward(ProcessId, String),
    /// A program among those with a reason to look at them.
    StandsOut(Option<Text>),
    /// All from a program, or from a device where no processes are known, to one other end.
    Caller(String, Option<Text>, Option<DeviceId>),
    Group(String),
    /// A name that was asked for, in lower case.
    Name(Text),
    /// The same, by one asker.
    Asker(Text, Asker),
    Finding(FindingId),
}

/// Whether a row has others under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Leaf,
    Open,
    Closed,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) key: Key,
    pub(super) depth: usize,
    pub(super) fold: Fold,
    pub(super) item: Item,
}

/// What a row shows; numbers are places in the [`Picture`].
#[derive(Clone, Debug)]
pub(super) enum Item {
    Text(String, Tone),
    /// The columns have their headings here; above them all where none of the rows is like this.
    Headings(String),
    /// A program with a reason to look at it.
    StandsOut(usize),
    Program(usize),
    Process(ProcessId),
    Gathered(usize),
    Name(usize),
    Pair(Place),
    Connection(Place),
    Finding(usize),
}

impl Row {
    fn leaf(key: Key, depth: usize, item: Item) -> Self {
        Self {
            key,
            depth,
            fold: Fold::Leaf,
            item,
        }
    }

    fn text(number: usize, text: impl Into<String>, tone: Tone) -> Self {
        Self::leaf(Key::Line(number), 0, Item::Text(text.into(), tone))
    }

    /// Single connections that stand below another row.
    fn of_connections(context: &Context<'_>, places: Vec<Place>, depth: usize) -> Vec<Self> {
        let connection = |place| context.snapshot.connections.get(place);
        let rows = places.into_iter().filter_map(|place| {
            let key = Key::Connection(connection(place)?.id);
            Some(Self::leaf(key, depth, Item::Connection(place)))
        });
        rows.collect()
    }

    /// Whether the cursor can stand on it.
    pub(super) fn is_chosen(&self) -> bool {
        !matches!(self.key, Key::Line(_))
    }
}

/// Several connections under one heading.
#[derive(Clone, Debug, Default)]
pub(super) struct Gathered {
    pub(super) title: String,
    /// Who is at the other side of it: programs of a destination.
    pub(super) who: String,
    pub(super) sums: Sums,
    pub(super) connections: Vec<Place>,
    pub(super) pairs: Vec<Place>,
}

/// The rows of a view, and what they name.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    pub(super) rows: Vec<Row>,
    pub(super) programs: Vec<Program>,
    /// The calls that count here.
    pub(super) pairs: Shelf<Pair>,
    pub(super) gathered: Vec<Gathered>,
    pub(super) names: Vec<Name>,
    pub(super) findings: Vec<FoundRow>,
    /// Of processes, with all below them.
    pub(super) sums: HashMap<ProcessId, Sums>,
    /// Connections of processes, their own only.
    pub(super) held: HashMap<ProcessId, Vec<Place>>,
    /// Connections that the filter or a switch leaves out.
    pub(super) hidden: usize,
    /// Which row has the headings of the columns. `None`: they stand above all.
    pub(super) headings: Option<usize>,
}

impl Picture {
    fn gather(&mut self, gathered: Gathered) -> Item {
        self.gathered.push(gathered);
        Item::Gathered(self.gathered.len() - 1)
    }

    fn name(&mut self, name: Name) -> Item {
        self.names.push(name);
        Item::Name(self.names.len() - 1)
    }
}

/// What the person does not want to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hide {
    pub(super) listeners: bool,
    pub(super) loopback: bool,
    pub(super) local_network: bool,
}

/// What rows of connections are put together by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Grouping {
    #[default]
    None,
    Process,
    Destination,
    User,
    Port,
}

impl Grouping {
    pub(super) fn next(self) -> Self {
        match self {
            Self::None => Self::Process,
            Self::Process => Self::Destination,
            Self::Destination => Self::User,
            Self::User => Self::Port,
            Self::Port => Self::None,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::None => frame::NOT_GROUPED,
            Self::Process => frame::BY_PROCESS,
            Self::Destination => frame::BY_DESTINATION,
            Self::User => frame::BY_USER,
            Self::Port => frame::BY_PORT,
        }
    }
}

/// All that rows are made from.
pub(super) struct Context<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) status: &'a Status,
    pub(super) filter: &'a Filter,
    pub(super) hide: Hide,
    /// The column that rows are put in order by.
    pub(super) sort: Option<Kind>,
    pub(super) reverse: bool,
    pub(super) grouping: Grouping,
    pub(super) unfolded: &'a HashSet<Key>,
    pub(super) changes: &'a Changes,
    pub(super) found: &'a Found,
    /// Only these. `None`: all.
    pub(super) marked: Option<&'a HashSet<Key>>,
    /// Columns of the screen.
    pub(super) width: usize,
}

pub(super) fn picture(view: View, context: &Context<'_>) -> Picture {
    let mut picture = match view {
        View::Overview => overview::picture(context),
        View::Connections => connections::live(context),
        View::Processes => processes::picture(context),
        View::Destinations => destinations::picture(context),
        View::Timeline => timeline::picture(context),
        View::History => connections::history(context),
        View::Findings => findings::picture(context),
        View::Names => names::picture(context),
    };
    if let Some(marked) = context.marked {
        let connections = |picture: &Picture| {
            let rows = picture.rows.iter();
            rows.filter(|row| matches!(row.item, Item::Connection(_)))
                .count()
        };
        let before = connections(&picture);
        picture.rows.retain(|row| marked.contains(&row.key));
        if view.is_of_connections() {
            picture.hidden += before - connections(&picture);
        }
    }
    let no_programs = view == View::Overview && picture.programs.is_empty();
    if picture.rows.is_empty() || no_programs {
        let lines = nothing_here(view, context, picture.hidden);
        let lines = (NOTHING..).zip(lines);
        let rows = lines.map(|(number, line)| Row::text(number, line, Tone::Dim));
        picture.rows.extend(rows);
    }
    if view == View::Overview {
        let mut rows = picture.rows.iter();
        picture.headings = rows.position(|row| matches!(row.item, Item::Headings(_)));
    }
    picture
}

/// Numbers of lines from here on are those of a view without rows.
const NOTHING: usize = 20_000;

/// What a view without rows says: why it may have none.
fn nothing_here(view: View, context: &Context<'_>, hidden: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if context.marked.is_some() {
        lines.push(sentences::NOTHING_IS_MARKED.to_owned());
    }
    if !context.filter.is_empty() {
        lines.push(sentences::NOTHING_MATCHES.to_owned());
    }
    let switches = context.hide.switches();
    if hidden > 0 && !switches.is_empty() {
        lines.push(sentences::all_is_hidden(&switches, hidden));
    }
    if lines.is_empty() {
        let what = match view {
            View::Overview => sentences::NO_PROGRAMS,
            View::Connections => sentences::NO_CONNECTIONS,
            View::Processes => sentences::NO_PROCESSES,
            View::Destinations => sentences::NO_DESTINATIONS,
            View::Timeline => sentences::NO_CALLS,
            View::History | View::Findings => sentences::NO_HISTORY,
            View::Names => sentences::NO_NAMES,
        };
        lines.push(what.to_owned());
        lines.push(sentences::SEE_WHAT_WAS_NOT_SEEN.to_owned());
    }
    lines
}

/// What calls within the first half minute was probably there before us: nanoseconds.
const SETTLING: i64 = 30_000_000_000;

impl Context<'_> {
    fn wants(&self, connection: &Connection) -> bool {
        self.hide.shows(connection) && self.matches(connection)
    }

    /// By its owner, or by any other process that holds it.
    fn matches(&self, connection: &Connection) -> bool {
        let (snapshot, now) = (self.snapshot, self.snapshot.taken);
        let owner = || (snapshot.owner_of(connection), snapshot.user_of(connection));
        let matches = |(process, user)| {
            self.filter
                .matches_among(Some(connection), process, user, self.found, now)
        };
        let holders = connection.also_held_by.iter();
        let mut holders = holders.filter_map(|it| snapshot.processes.get(it).map(Arc::as_ref));
        self.filter.is_empty()
            || matches(owner())
            || holders.any(|it| matches((Some(it), it.user.as_ref())))
    }

    fn matches_asked(&self, asked: &Asked) -> bool {
        let process = asked
            .process
            .and_then(|id| self.snapshot.processes.get(&id));
        let process = process.map(Arc::as_ref);
        self.filter
            .matches_asked(asked, process, self.snapshot.taken)
    }

    fn matches_process(&self, process: &Process) -> bool {
        let (user, now) = (process.user.as_ref(), self.snapshot.taken);
        self.filter
            .matches_among(None, Some(process), user, self.found, now)
    }

    /// Whether something is left out that a pair would count.
    fn is_picky(&self) -> bool {
        // Whoever waits for others makes no calls.
        !self.filter.is_empty() || self.hide.loopback || self.hide.local_network
    }

    /// All of them, and the calls that they make.
    fn programs(&self) -> (Vec<Program>, Shelf<Pair>) {
        let settled = self.status.since.unix_nanos().saturating_add(SETTLING);
        let settled = Timestamp::from_unix_nanos(settled);
        let pairs = wanted::pairs(self);
        let wanted = |it: &Connection| self.wants(it);
        let mut programs = programs::all(self.snapshot, &pairs, settled, wanted);
        if let Some(kind) = self.sort {
            let rank = |it: &Program| {
                if kind == Kind::Destinations {
                    sums::rank_of_number(it.destinations as u64)
                } else {
                    it.sums.rank(kind, &it.name)
                }
            };
            programs.sort_by_cached_key(rank);
            if self.reverse {
                programs.reverse();
            }
        }
        (programs, pairs)
    }

    /// How many connections are in none of the programs.
    fn left_out(&self, programs: &[Program]) -> usize {
        let shown: usize = programs.iter().map(|it| it.connections.len()).sum();
        self.snapshot.connections.len().saturating_sub(shown)
    }

    fn fold(&self, key: &Key) -> Fold {
        if self.unfolded.contains(key) {
            Fold::Open
        } else {
            Fold::Closed
        }
    }
}

impl Hide {
    /// What is hidden, and by which key.
    pub(super) fn switches(self) -> Vec<(&'static str, &'static str)> {
        let switches = [
            (self.listeners, frame::NO_LISTENERS, "L"),
            (self.loopback, frame::NO_LOOPBACK, "B"),
            (self.local_network, frame::NO_LOCAL_NETWORK, "N"),
        ];
        let switches = switches.into_iter().filter(|it| it.0);
        switches.map(|(_, word, key)| (word, key)).collect()
    }

    pub(super) fn shows(self, connection: &Connection) -> bool {
        let Some(remote) = connection.remote else {
            return !self.listeners;
        };
        let local = connection.local.ip.is_some_and(|ip| ip.is_loopback());
        match remote.ip {
            Some(ip) if ip.is_loopback() || local || connection.local.ip == Some(ip) => {
                !self.loopback
            }
            Some(ip) if is_local_network(ip) => !self.local_network,
            Some(_) | None => true,
        }
    }
}

/// RFC 1918, RFC 3927, RFC 4193, RFC 4291: private and link-local addresses, and multicast.
fn is_local_network(ip: std::net::IpAddr) -> bool {
    match ip {
        std::net::IpAddr::V4(ip) => {
            ip.is_private() || ip.is_link_local() || ip.is_multicast() || ip.is_broadcast()
        }
        std::net::IpAddr::V6(ip) => {
            ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_multicast()
        }
    }
}

/// The address of the other end, as a key and for a person.
fn remote_of(connection: &Connection) -> String {
    match connection.remote.and_then(|remote| remote.ip) {
        Some(ip) => ip.to_string(),
        None if connection.state == State::Listen => sentences::WAITS_FOR_OTHERS.to_owned(),
        None => sentences::ANYONE.to_owned(),
    }
}
