//! Sockets, and whose they were when.

use std::collections::HashMap;

use model::{ProcessId, Protocol, Source, WhyNoProcess};

use super::Flows;
use super::key::{Class, Key, OTHER_VERSION, Place, Side, closeness};
use super::slots::Slots;

/// Changes of hands that are kept of a socket.
const MOST_TENURES: usize = 64;
/// A process is told of after it has sent.
const SENT_BEFORE: u64 = 2_000_000;
/// Events and packets are not stamped by the same clock.
const CLOCKS_DIFFER: u64 = 100_000;
/// A process ends a moment before its sockets do.
const SURVIVES: u64 = 2_000_000;
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

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Run { run: usize, source: Source },
    Nobody(WhyNoProcess),
}

impl Whose {
    /// Why it is nobody's.
    pub(super) fn reason(self) -> WhyNoProcess {
        match self {
            Self::Run { .. } => WhyNoProcess::NoHolder,
            Self::Nobody(why) => why,
        }
    }
}

/// How it is told that somebody has a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taking {
    /// With what he asks for.
    Asked,
    /// He has used it before.
    Used,
    /// He sends from that moment on.
    Sends,
}

/// A process had a socket.
#[derive(Clone, Copy, Debug)]
struct Tenure {
    since: u64,
    whose: Whose,
    /// So long before, what was sent may have been of him as well.
    unsure: u64,
    /// Until then others may have used it without being told of.
    shared_until: u64,
}

#[derive(Debug)]
pub(super) struct Socket {
    pub(super) name: Name,
    pub(super) protocol: Protocol,
    class: Class,
    tenures: Vec<Tenure>,
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

    pub(super) fn has_owner(&self) -> bool {
        let last = self.tenures.last();
        last.is_some_and(|last| matches!(last.whose, Whose::Run { .. }))
    }
}

/// One run of a program that has sockets.
#[derive(Debug)]
struct Run {
    id: ProcessId,
    ended: Option<u64>,
    /// So many tenures name it.
    named: usize,
}

/// All sockets that are kept, and the processes they belong to.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    all: Slots<Socket>,
    by_name: HashMap<Name, usize>,
    runs: Slots<Run>,
    by_process: HashMap<ProcessId, usize>,
}

impl Sockets {
    pub(super) fn find(&self, name: Name) -> Option<usize> {
        self.by_name.get(&name).copied()
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Socket> {
        self.all.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Socket> {
        self.all.get_mut(slot)
    }

    pub(super) fn add(&mut self, socket: Socket) -> usize {
        let name = socket.name;
        let slot = self.all.add(socket);
        self.by_name.insert(name, slot);
        slot
    }

    pub(super) fn remove(&mut self, slot: usize) -> Option<Socket> {
        let socket = self.all.remove(slot)?;
        self.by_name.remove(&socket.name);
        for tenure in &socket.tenures {
            self.unname(tenure.whose);
        }
        Some(socket)
    }

    pub(super) fn process(&self, run: usize) -> Option<ProcessId> {
        self.runs.get(run).map(|run| run.id)
    }

    /// Whose a socket was. `sends`: the packet was written by a process just before.
    pub(super) fn whose(&self, socket: &Socket, time: u64, sends: bool) -> Whose {
        let tenures = &socket.tenures;
        let begun = tenures.partition_point(|tenure| tenure.since <= time);
        let place = begun.saturating_sub(1);
        let Some(tenure) = tenures.get(place) else {
            return Whose::Nobody(WhyNoProcess::NoHolder);
        };
        if begun > 0 && time < tenure.shared_until {
            return Whose::Nobody(WhyNoProcess::Several);
        }
        if sends && let Some(next) = tenures.get(place + 1) {
            let unsure = next.since.saturating_sub(time) <= next.unsure;
            if unsure && next.whose != tenure.whose {
                return Whose::Nobody(WhyNoProcess::Several);
            }
        }
        let Whose::Run { run, .. } = tenure.whose else {
            return tenure.whose;
        };
        let ended = self.runs.get(run).and_then(|run| run.ended);
        let is_left_behind = ended.is_some_and(|ended| {
            if socket.class == Class::TCP && socket.waits.is_none() {
                // The kernel goes on with what the process has left; but one that it had no more
                // time to accept is of another.
                tenure.since > ended
            } else {
                time > ended.saturating_add(SURVIVES) && socket.is_there(time)
            }
        });
        if is_left_behind {
            // Somebody else holds it, and has not used it yet.
            return Whose::Nobody(WhyNoProcess::NoHolder);
        }
        tenure.whose
    }

    pub(super) fn by(&mut self, process: ProcessId, source: Source) -> Whose {
        let Self {
            runs, by_process, ..
        } = self;
        let run = *by_process.entry(process).or_insert_with(|| {
            runs.add(Run {
                id: process,
                ended: None,
                named: 0,
            })
        });
        Whose::Run { run, source }
    }

    /// A socket is somebody's from `time` on.
    pub(super) fn belongs(&mut self, slot: usize, time: u64, whose: Whose, taking: Taking) {
        if let Whose::Run { run, .. } = whose
            && let Some(run) = self.runs.get_mut(run)
        {
            run.named += 1;
        }
        let dropped = self.take_over(slot, time, whose, taking);
        if let Some(whose) = dropped {
            self.unname(whose);
        }
    }

    /// Gives who is not named any more by it.
    fn take_over(&mut self, slot: usize, time: u64, whose: Whose, taking: Taking) -> Option<Whose> {
        let Some(socket) = self.all.get_mut(slot) else {
            return Some(whose);
        };
        let mut shared_until = 0;
        if taking != Taking::Asked {
            if time.saturating_sub(socket.changes_since) >= SECOND {
                socket.changes_since = time;
                socket.changes = 0;
            }
            socket.changes = socket.changes.saturating_add(1);
            if socket.changes >= MOST_CHANGES {
                // A little longer, for the time between the kernel's clock and its event.
                shared_until = socket.changes_since + SECOND + SECOND / 100;
            }
        }
        let tenures = &mut socket.tenures;
        let place = tenures.partition_point(|tenure| tenure.since <= time);
        let before = place
            .checked_sub(1)
            .and_then(|place| tenures.get_mut(place));
        if let Some(before) = before
            && is_same(before.whose, whose)
        {
            before.shared_until = before.shared_until.max(shared_until);
            return Some(whose);
        }
        tenures.insert(
            place,
            Tenure {
                since: time,
                whose,
                unsure: match taking {
                    Taking::Asked => 0,
                    Taking::Used => SENT_BEFORE,
                    Taking::Sends => CLOCKS_DIFFER,
                },
                shared_until,
            },
        );
        (tenures.len() > MOST_TENURES).then(|| tenures.remove(0).whose)
    }

    /// Nobody was known to have it, and now it is known who had it all the time.
    pub(super) fn belonged(&mut self, slot: usize, time: u64, whose: Whose) {
        let before = self
            .all
            .get_mut(slot)
            .map(|it| std::mem::take(&mut it.tenures));
        for tenure in before.into_iter().flatten() {
            self.unname(tenure.whose);
        }
        self.belongs(slot, time, whose, Taking::Asked);
    }

    /// Whether the last owner is one of these.
    pub(super) fn is_held_by(
        &self,
        slot: usize,
        holders: impl IntoIterator<Item = ProcessId>,
    ) -> bool {
        let tenure = self.all.get(slot).and_then(|socket| socket.tenures.last());
        let Some(Whose::Run { run, .. }) = tenure.map(|tenure| tenure.whose) else {
            return false;
        };
        let owner = self.process(run);
        holders.into_iter().any(|holder| Some(holder) == owner)
    }

    pub(super) fn ended(&mut self, process: ProcessId, time: u64) {
        let run = self.by_process.get(&process);
        if let Some(run) = run.and_then(|run| self.runs.get_mut(*run)) {
            run.ended.get_or_insert(time);
        }
    }

    /// A number that is used again within the same tick has the same id: what is told from now on is
    /// about another run.
    pub(super) fn started(&mut self, process: ProcessId) {
        let run = self.by_process.get(&process);
        let run = run.and_then(|run| self.runs.get(*run));
        if run.is_some_and(|run| run.ended.is_some()) {
            self.by_process.remove(&process);
        }
    }

    fn unname(&mut self, whose: Whose) {
        let Whose::Run { run, .. } = whose else {
            return;
        };
        let Some(named) = self.runs.get_mut(run) else {
            return;
        };
        named.named = named.named.saturating_sub(1);
        if named.named == 0
            && let Some(gone) = self.runs.remove(run)
            // Another run may have its id meanwhile.
            && self.by_process.get(&gone.id) == Some(&run)
        {
            self.by_process.remove(&gone.id);
        }
    }

    /// Those that were over by then.
    pub(super) fn over_since(&self, time: u64) -> Vec<usize> {
        let over = |socket: &Socket| socket.until() <= time && socket.heard <= time;
        let all = self.all.iter();
        all.filter(|(_, it)| over(it))
            .map(|(slot, _)| slot)
            .collect()
    }

    /// The pairs of ends of those that have at least so many, taken out of them.
    pub(super) fn with_uses(&mut self, at_least: usize) -> Vec<(usize, Vec<Key>)> {
        let all = self.all.iter_mut();
        all.filter(|(_, it)| it.keys.len() >= at_least)
            .map(|(slot, it)| (slot, std::mem::take(&mut it.keys)))
            .collect()
    }

    pub(super) fn put_uses(&mut self, slot: usize, keys: Vec<Key>) {
        if let Some(socket) = self.all.get_mut(slot) {
            socket.keys = keys;
        }
    }

    /// Keeps the pairs of ends of which this is true.
    pub(super) fn keep_uses(&mut self, is_kept: impl Fn(usize, &Key) -> bool) {
        for (slot, socket) in self.all.iter_mut() {
            socket.keys.retain(|key| is_kept(slot, key));
        }
    }

    /// When there are more than `limit`: an eighth, those that are over before the others, and those
    /// first of which nothing was told for longest.
    pub(super) fn oldest_beyond(&self, limit: usize) -> Vec<usize> {
        if self.all.len() <= limit {
            return Vec::new();
        }
        let rank = |(slot, it): (usize, &Socket)| (it.closed.is_none(), it.heard, slot);
        let mut all: Vec<_> = self.all.iter().map(rank).collect();
        let part = all.len() / 8;
        all.select_nth_unstable(part);
        all.truncate(part);
        all.into_iter().map(|(.., slot)| slot).collect()
    }

    /// Those of which no look has told since, nor anything else.
    pub(super) fn not_heard_since(&self, time: u64) -> Vec<usize> {
        let missing = |socket: &Socket| socket.closed.is_none() && socket.heard < time;
        let all = self.all.iter();
        all.filter(|(_, it)| missing(it))
            .map(|(slot, _)| slot)
            .collect()
    }
}

/// Which source told of it does not matter.
fn is_same(one: Whose, other: Whose) -> bool {
    match (one, other) {
        (Whose::Run { run: one, .. }, Whose::Run { run: other, .. }) => one == other,
        (Whose::Nobody(one), Whose::Nobody(other)) => one == other,
        (Whose::Run { .. }, Whose::Nobody(_)) | (Whose::Nobody(_), Whose::Run { .. }) => false,
    }
}
