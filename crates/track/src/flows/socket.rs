//! A socket: where it stands, and whose it was when.

mod all;
mod tenure;

use model::{Protocol, WhyNoProcess};

pub(super) use self::all::Sockets;
use self::tenure::{Guest, Tenure, is_same};
pub(super) use self::tenure::{Taking, Whose};
use super::Flows;
use super::key::{Class, Key, OTHER_VERSION, Place, Side, closeness};

/// Changes of hands that are kept of a socket.
const MOST_TENURES: usize = 64;
/// Of processes that take turns so many times within a second, the kernel tells no more for the
/// rest of it (`MOST_CHANGES`, events.bpf.c).
const MOST_CHANGES: u32 = 16;
const SECOND: u64 = 1_000_000_000;

/// What a source calls a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Cookie(u64),
    Inode { netns: u32, inode: u64 },
}

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) name: Name,
    pub(super) protocol: Protocol,
    class: Class,
    tenures: Vec<Tenure>,
    guests: Vec<Guest>,
    pub(super) closed: Option<u64>,
    /// A look showed it last then; `None`: its end would be told.
    confirmed: Option<u64>,
    /// When something was last told of it.
    heard: u64,
    /// Where it waits for others, and since when.
    waits: Option<(Place, Side)>,
    waits_since: u64,
    /// Whether it takes what comes from anybody.
    is_open: bool,
    only_ipv6: bool,
    /// Of IPv6: since when it is known that it takes IPv4, too.
    takes_ipv4: Option<u64>,
    /// When others before it took what looked like its own.
    passed_by: Option<u64>,
    /// When it last got what is its own.
    accepted: Option<u64>,
    keys: Vec<Key>,
    attempts: u32,
    changes: u32,
    changes_since: u64,
}

impl Socket {
    pub(super) fn new(name: Name, protocol: Protocol, class: Class, heard: u64) -> Self {
        Self {
            name,
            protocol,
            class,
            tenures: Vec::new(),
            guests: Vec::new(),
            closed: None,
            confirmed: None,
            heard,
            waits: None,
            waits_since: 0,
            is_open: false,
            only_ipv6: false,
            takes_ipv4: None,
            passed_by: None,
            accepted: None,
            keys: Vec::new(),
            attempts: 0,
            changes: 0,
            changes_since: 0,
        }
    }

    /// How many pairs of ends it has had.
    pub(super) fn uses(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub(super) fn used_by(&mut self, key: Key) {
        self.keys.push(key);
    }

    pub(super) fn place(&self) -> Option<Place> {
        self.waits.map(|(place, _)| place)
    }

    /// Gives the place where it stood before, when that was another one.
    pub(super) fn stands_at(&mut self, place: Place, local: Side, since: u64) -> Option<Place> {
        let before = self.waits.replace((place, local)).map(|(before, _)| before);
        if before != Some(place) {
            self.waits_since = since;
        }
        before.filter(|it| *it != place)
    }

    /// Whether it waits where it stands, at this time or a little later.
    pub(super) fn waits(&self, time: u64) -> bool {
        time < self.until() && self.waits_since <= time.saturating_add(Flows::LOOK_AHEAD_NS)
    }

    /// The same, or a little earlier: it is not known that nobody was there.
    pub(super) fn may_wait(&self, time: u64) -> bool {
        self.waits(time) || self.waits(time.saturating_sub(Flows::LOOK_AHEAD_NS))
    }

    pub(super) fn pass_by(&mut self, time: u64) {
        self.passed_by = Some(time);
    }

    pub(super) fn accepts(&mut self, time: u64) {
        self.accepted = Some(time);
    }

    /// Somebody else may take what looks like its own.
    pub(super) fn is_passed_by(&self, time: u64) -> bool {
        let accepted = self.accepted.filter(|accepted| *accepted <= time);
        self.passed_by.is_some() && accepted <= self.passed_by
    }

    pub(super) fn waits_for_anybody(&mut self) {
        self.is_open = true;
    }

    /// Whether it takes what comes from anybody; with two peers at least it does.
    pub(super) fn takes_any(&self) -> bool {
        self.is_open || self.keys.len() >= 2
    }

    pub(super) fn closeness(&self, to: Side) -> u8 {
        let closeness = self
            .waits
            .map_or(0, |(_, bound)| closeness(bound.ip, to.ip));
        if closeness == OTHER_VERSION && self.only_ipv6 {
            0
        } else {
            closeness
        }
    }

    /// Whether it is known that it takes what comes to an end that it is as close to.
    pub(super) fn takes(&self, closeness: u8, time: u64) -> bool {
        let known = time.saturating_add(Flows::LOOK_AHEAD_NS);
        closeness > OTHER_VERSION || self.takes_ipv4.is_some_and(|since| since <= known)
    }

    /// It was seen to take IPv4.
    pub(super) fn takes_ipv4(&mut self, since: u64) {
        self.takes_ipv4.get_or_insert(since);
    }

    /// What is told of it. `None`: nothing is.
    pub(super) fn learn_only_ipv6(&mut self, only_ipv6: Option<bool>) {
        self.only_ipv6 |= only_ipv6 == Some(true);
        if only_ipv6 == Some(false) {
            self.takes_ipv4 = Some(0);
        }
    }

    /// The first moment when it is not known to be there.
    pub(super) fn until(&self) -> u64 {
        let confirmed = self.confirmed.map(|it| it.saturating_add(1));
        self.closed.or(confirmed).unwrap_or(u64::MAX)
    }

    /// It ends, and with it what others did with it. It may begin another connection.
    pub(super) fn closes(&mut self, time: u64) {
        self.heard(time);
        self.closed.get_or_insert(time);
        for guest in &mut self.guests {
            guest.leaves(time);
        }
    }

    fn is_there(&self, time: u64) -> bool {
        time < self.until()
    }

    /// Whether it is known when it ended; of one that only looks tell of it is not.
    pub(super) fn end_is_known(&self) -> bool {
        self.closed.is_some() || self.confirmed.is_none()
    }

    pub(super) fn heard(&mut self, time: u64) {
        self.heard = self.heard.max(time);
    }

    pub(super) fn last_heard(&self) -> u64 {
        self.heard
    }

    pub(super) fn confirm(&mut self, confirmed: Option<u64>) {
        self.confirmed = confirmed;
    }

    /// A program begins a connection with it. True: another one before.
    pub(super) fn attempted(&mut self) -> bool {
        self.attempts = self.attempts.saturating_add(1);
        self.attempts > 1
    }

    /// How many connections it had before this one.
    pub(super) fn times(&self) -> u32 {
        self.attempts.saturating_sub(1)
    }

    /// In whose time something is.
    fn tenure(&self, time: u64) -> Result<usize, WhyNoProcess> {
        let begun = self.tenures.partition_point(|tenure| tenure.since <= time);
        let place = begun.saturating_sub(1);
        match self.tenures.get(place) {
            None => Err(WhyNoProcess::NoHolder),
            Some(tenure) if begun > 0 && time < tenure.shared_until => Err(WhyNoProcess::Several),
            Some(_) => Ok(place),
        }
    }

    /// Gives whose tenure is not kept any more: his own, when it was his before.
    fn begin(&mut self, tenure: Tenure) -> Option<Whose> {
        let tenures = &mut self.tenures;
        let place = tenures.partition_point(|it| it.since <= tenure.since);
        let before = place.checked_sub(1).and_then(|place| tenures.get(place));
        if before.is_some_and(|before| {
            is_same(before.whose, tenure.whose) && before.shared_until >= tenure.shared_until
        }) {
            return Some(tenure.whose);
        }
        tenures.insert(place, tenure);
        (tenures.len() > MOST_TENURES).then(|| tenures.remove(0).whose)
    }

    /// Counts what the kernel tells of turns. Gives until when it may leave out others; 0: it does not.
    fn turn_is_told(&mut self, time: u64) -> u64 {
        if time.saturating_sub(self.changes_since) >= SECOND {
            self.changes_since = time;
            self.changes = 0;
        }
        self.changes = self.changes.saturating_add(1);
        if self.changes < MOST_CHANGES {
            return 0;
        }
        // A little longer, for the time between the kernel's clock and its event.
        self.changes_since + SECOND + SECOND / 100
    }

    /// The same, of a turn that may only begin: whoever has it shares it from then on.
    fn shared_from(&mut self, time: u64) -> Option<Tenure> {
        let shared_until = self.turn_is_told(time);
        let begun = self.tenures.partition_point(|tenure| tenure.since <= time);
        let now = self.tenures.get(begun.checked_sub(1)?)?;
        (shared_until > 0).then_some(Tenure {
            since: time,
            whose: now.whose,
            unsure: 0,
            wrote_from: None,
            shared_until,
        })
    }

    pub(super) fn has_owner(&self) -> bool {
        let last = self.tenures.last();
        last.is_some_and(|last| matches!(last.whose, Whose::Run { .. }))
    }
}
