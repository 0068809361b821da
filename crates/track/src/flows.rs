//! Whose socket a packet is from or for. All that is observed goes in; for each packet comes out
//! the process that had its socket at that time, or why there is none.
//!
//! Only what the kernel has told of a socket counts, and only for the time when it held. Packets
//! come in the order of time, and each when all events until [`Flows::LOOK_AHEAD_NS`] after it have
//! been applied: a packet is stamped a little before the kernel knows whose it is. Later events do
//! not change the answer. What is kept is bounded; what is let go is counted.

mod addresses;
mod facts;
mod flow;
mod fragments;
mod half_open;
mod key;
mod losses;
mod slots;
mod socket;
#[cfg(test)]
mod tests;
mod told;

use std::collections::HashMap;

use model::{
    ConnectionId, Interface, NetworkNamespace, Observed, Packet, PacketOwner, Part, SocketKey, Way,
    WhyNoProcess,
};

use self::addresses::Addresses;
use self::facts::Facts;
use self::flow::{Flow, Found, Use};
use self::fragments::Fragments;
use self::half_open::HalfOpen;
use self::key::{Class, Key, Place, Side};
use self::losses::Losses;
use self::socket::{Name, Socket, Sockets, Whose};

/// So many pairs of ends are kept.
const MOST_FLOWS: usize = 400_000;
/// So many sockets had the same two ends one after the other, or at once.
const MOST_USES: usize = 64;
/// TCP goes on for so long after its socket is gone (TIME_WAIT, late answers).
const LATE: u64 = 120_000_000_000;
/// Datagrams wait for so long on their way out at most.
const QUEUED: u64 = 1_000_000_000;
/// A socket with so many peers may have others that the kernel had no room to tell of.
const MANY: usize = 1_000;
/// With so many flows in all, every socket may.
const CROWDED: usize = 60_000;
/// A peer of such a socket that was silent for so long is told again when it comes back.
const SILENT: u64 = 180_000_000_000;
/// Looking for what is over takes long.
const FORGET_EACH: u64 = 5_000_000_000;

/// Knows at each time whose socket a packet is from or for.
#[derive(Debug, Default)]
pub struct Flows {
    sockets: Sockets,
    flows: HashMap<Key, Flow>,
    /// Sockets that wait for others, or have a port of their own.
    places: HashMap<Place, Vec<usize>>,
    half_open: HalfOpen,
    fragments: Fragments,
    addresses: Addresses,
    losses: Losses,
    /// UTC of the boot, in nanoseconds since 1970.
    boot_time: Option<i64>,
    /// Nothing but looks tells of sockets.
    polling: bool,
    looked: bool,
    forgot: u64,
    let_go: u64,
}

impl Flows {
    /// So much later than its packets an event may say whose they are.
    pub const LOOK_AHEAD_NS: u64 = 2_000_000;

    pub fn apply(&mut self, observed: &Observed) {
        match observed {
            Observed::Event(event) => self.event(event),
            Observed::Look(look) => self.look(look),
            Observed::Gap(gap) => self.losses.add(gap),
            Observed::Process(_) | Observed::Counts(_) => {}
        }
    }

    /// An interface has these addresses from now on.
    pub fn interface(&mut self, interface: &Interface) {
        self.addresses.set(interface);
    }

    /// How much was let go because there was too much of it.
    pub fn let_go(&self) -> u64 {
        self.let_go
    }

    /// Whose socket sent a packet, or was to get it.
    pub fn owner(&mut self, packet: &Packet<'_>) -> PacketOwner {
        if self.boot_time.is_none() {
            let since_boot = i64::try_from(packet.boot_ns).unwrap_or(i64::MAX);
            self.boot_time = Some(packet.time.unix_nanos().saturating_sub(since_boot));
        }
        if packet.way == Way::OtherHost {
            return PacketOwner::Unknown(WhyNoProcess::OtherHost);
        }
        let Some(facts) = Facts::of(packet) else {
            return PacketOwner::Unknown(WhyNoProcess::Kernel);
        };
        if let Part::Later(number) = facts.part {
            let first = self.fragments.first(&facts.key, number, facts.time);
            return first.unwrap_or_else(|| self.reason(&facts, WhyNoProcess::NoSocket));
        }
        let owner = match facts.icmp {
            Some(_) => self.icmp(&facts),
            None => self
                .in_flow(&facts, facts.key)
                .unwrap_or_else(|| self.without_flow(&facts)),
        };
        let owner = match owner {
            PacketOwner::Unknown(why) => self.reason(&facts, why),
            PacketOwner::Known { .. } => owner,
        };
        if let Part::First(number) = facts.part {
            self.fragments.begin(&facts.key, number, facts.time, owner);
        }
        owner
    }

    /// Lets go of what ended long before `now`, in nanoseconds since boot.
    pub fn forget(&mut self, now: u64) {
        if now.saturating_sub(self.forgot) < FORGET_EACH {
            return;
        }
        self.forgot = now;
        for slot in self.sockets.over_since(now.saturating_sub(LATE)) {
            self.remove(slot);
        }
        let long_ago = now.saturating_sub(SILENT);
        for (slot, mut keys) in self.sockets.with_uses(MANY) {
            // The first one stays: the kernel tells of it once only.
            let mut first = true;
            keys.retain(|key| {
                let stays = std::mem::take(&mut first) || self.used_since(key, slot, long_ago);
                if !stays {
                    self.remove_use(key, slot);
                }
                stays
            });
            self.sockets.put_uses(slot, keys);
        }
    }

    /// The owner by both ends. `None`: no socket had them then.
    fn in_flow(&mut self, facts: &Facts, key: Key) -> Option<PacketOwner> {
        let flow = self.flows.get_mut(&key)?;
        match flow.find(&self.sockets, facts)? {
            Found::Use(place, whose) => {
                let it = flow.uses.get_mut(place)?;
                it.used = facts.time;
                let Whose::Run { run, source } = whose else {
                    return Some(PacketOwner::Unknown(whose.reason()));
                };
                let process = self.sockets.process(run)?;
                let socket = self.sockets.get(it.socket)?;
                let connection = *it
                    .connection
                    .get_or_insert_with(|| connection(socket, process.boot, key, it.times));
                Some(PacketOwner::Known {
                    process,
                    source,
                    connection: Some(connection),
                })
            }
            Found::Several => Some(PacketOwner::Unknown(WhyNoProcess::Several)),
            Found::Nobody(why) => Some(PacketOwner::Unknown(why)),
        }
    }

    /// The owner of a packet whose two ends no socket had.
    fn without_flow(&mut self, facts: &Facts) -> PacketOwner {
        let owner = match facts.key.class() {
            Class::TCP => self.tcp_without_flow(facts),
            Class::UDP | Class::UDP_LITE => self.datagram_without_flow(facts),
            _ => Err(WhyNoProcess::NoSocket),
        };
        let unknown = matches!(
            owner,
            Err(WhyNoProcess::NoSocket | WhyNoProcess::ClosedPort)
        );
        if unknown
            && let Some(PacketOwner::Unknown(why)) = self.in_flow(facts, facts.key.anywhere())
        {
            return PacketOwner::Unknown(why);
        }
        match owner {
            Ok(socket) => self.owner_of(socket, facts.time),
            Err(WhyNoProcess::NoSocket) if facts.is_out => self
                .forged(facts)
                .unwrap_or(PacketOwner::Unknown(WhyNoProcess::NoSocket)),
            Err(why) => PacketOwner::Unknown(why),
        }
    }

    fn tcp_without_flow(&mut self, facts: &Facts) -> Result<usize, WhyNoProcess> {
        let key = facts.key;
        if (!facts.is_out && facts.asks()) || (facts.is_out && facts.answers()) {
            let listener = self.waiting(facts, |socket| !socket.is_passed_by(facts.time));
            if let Ok(slot) = listener
                && let Some(socket) = self.sockets.get(slot)
            {
                self.half_open.begin(key, socket.name, facts.time);
            }
            return match listener {
                Err(WhyNoProcess::NoSocket) if facts.is_out => Err(WhyNoProcess::NoSocket),
                Err(WhyNoProcess::NoSocket) if self.is_waited_at(facts) => {
                    Err(WhyNoProcess::NoSocket)
                }
                Err(WhyNoProcess::NoSocket) => Err(WhyNoProcess::ClosedPort),
                found => found,
            };
        }
        let listener = self.half_open.end(&key, facts.time);
        let listener = listener.and_then(|name| self.sockets.find(name));
        if facts.is_out {
            // The kernel says that there is nobody, or that it has given up.
            let why = if facts.resets() {
                WhyNoProcess::ClosedPort
            } else {
                WhyNoProcess::NoSocket
            };
            return Err(why);
        }
        match listener {
            Some(slot) if !facts.has_payload => Ok(slot),
            Some(slot) => {
                // It was agreed upon, and the listener knows nothing of it: somebody before it, as
                // a container behind the same address, has taken it.
                if let Some(socket) = self.sockets.get_mut(slot) {
                    socket.pass_by(facts.time);
                }
                Err(WhyNoProcess::NoSocket)
            }
            None => Err(WhyNoProcess::NoSocket),
        }
    }

    fn datagram_without_flow(&self, facts: &Facts) -> Result<usize, WhyNoProcess> {
        let crowded = self.polling || self.flows.len() >= CROWDED;
        // The kernel tells of each new peer, as long as it has room for them; so that one it has
        // not told of was met by no socket: it is of a container behind the same address, or was
        // thrown away.
        let may_have_others =
            |socket: &Socket| (crowded || socket.uses() >= MANY) && socket.takes_any();
        if facts.is_to_many {
            return Err(WhyNoProcess::NoSocket);
        }
        match self.waiting(facts, may_have_others) {
            Err(WhyNoProcess::NoSocket) if !facts.is_out && !self.is_waited_at(facts) => {
                Err(WhyNoProcess::ClosedPort)
            }
            found => found,
        }
    }

    /// Most of ICMP is the kernel's own. What came back is for whom it is about.
    fn icmp(&mut self, facts: &Facts) -> PacketOwner {
        if let (Some(about), false) = (facts.about, facts.is_out)
            && let Some(owner @ PacketOwner::Known { .. }) =
                self.in_flow(&facts.was_sent(about), about)
        {
            return owner;
        }
        if facts.is_of_kernel() {
            return PacketOwner::Unknown(WhyNoProcess::Kernel);
        }
        if let Some(owner) = self.in_flow(facts, facts.key) {
            return owner;
        }
        let forged = facts.is_out.then(|| self.forged(facts)).flatten();
        let why = if facts.is_out {
            WhyNoProcess::NoSocket
        } else {
            WhyNoProcess::Kernel
        };
        forged.unwrap_or(PacketOwner::Unknown(why))
    }

    /// A raw socket that wrote the heads of the packet itself.
    fn forged(&mut self, facts: &Facts) -> Option<PacketOwner> {
        let classes = [facts.key.class().raw(), Class::ANY_RAW];
        let keys = classes.map(|class| facts.key.of_raw(class));
        keys.into_iter().find_map(|key| self.in_flow(facts, key))
    }

    /// The one socket that waits at the packet's local end; the closest to its address counts.
    fn waiting(
        &self,
        facts: &Facts,
        counts: impl Fn(&Socket) -> bool,
    ) -> Result<usize, WhyNoProcess> {
        let key = facts.key;
        let waiting = self.places.get(&key.place());
        let mut best: Option<(u8, usize, Whose)> = None;
        let mut several = false;
        // Of the best.
        let mut takes = false;
        for slot in waiting.into_iter().flatten().copied() {
            let Some(socket) = self.sockets.get(slot) else {
                continue;
            };
            let closeness = socket.closeness(key.local());
            if closeness == 0 || !socket.waits(facts.time) || !counts(socket) {
                continue;
            }
            let whose = self.sockets.whose(socket, facts.time);
            match best {
                Some((other, ..)) if other > closeness => {}
                Some((other, _, known)) if other == closeness => {
                    several |= known != whose;
                    takes |= socket.takes(closeness, facts.time);
                }
                _ => {
                    best = Some((closeness, slot, whose));
                    several = false;
                    takes = socket.takes(closeness, facts.time);
                }
            }
        }
        match best {
            Some(_) if several => Err(WhyNoProcess::Several),
            // It may be one that takes nothing of IPv4.
            Some(_) if !takes => Err(WhyNoProcess::NoSocket),
            Some((_, slot, _)) => Ok(slot),
            None => Err(WhyNoProcess::NoSocket),
        }
    }

    /// Whether any socket may have been at the local end of a packet.
    fn is_waited_at(&self, facts: &Facts) -> bool {
        let waiting = self.places.get(&facts.key.place());
        waiting.into_iter().flatten().any(|slot| {
            let socket = self.sockets.get(*slot);
            socket.is_some_and(|it| it.may_wait(facts.time) && it.closeness(facts.key.local()) > 0)
        })
    }

    /// The owner of a socket, for a packet that is of no connection yet.
    fn owner_of(&self, slot: usize, time: u64) -> PacketOwner {
        let Some(socket) = self.sockets.get(slot) else {
            return PacketOwner::Unknown(WhyNoProcess::NoSocket);
        };
        match self.sockets.whose(socket, time) {
            Whose::Run { run, source } => match self.sockets.process(run) {
                Some(process) => PacketOwner::Known {
                    process,
                    source,
                    connection: None,
                },
                None => PacketOwner::Unknown(WhyNoProcess::NoHolder),
            },
            Whose::Nobody(why) => PacketOwner::Unknown(why),
        }
    }

    /// Why no process belongs to a packet, when something else may be the cause.
    fn reason(&self, facts: &Facts, why: WhyNoProcess) -> PacketOwner {
        let unseen = matches!(why, WhyNoProcess::NoSocket | WhyNoProcess::ClosedPort);
        let why = if (unseen || why == WhyNoProcess::Kernel) && self.addresses.are_foreign(facts) {
            WhyNoProcess::Forwarded
        } else if unseen && self.losses.have(facts.time, self.boot_time) {
            WhyNoProcess::Lost
        } else {
            why
        };
        PacketOwner::Unknown(why)
    }

    /// Notes that a socket has these two ends from now on.
    fn begin_use(&mut self, slot: usize, key: Key, since: u64, inbound: bool) {
        let Some(socket) = self.sockets.get_mut(slot) else {
            return;
        };
        let flow = self.flows.entry(key).or_default();
        let mut same = flow.uses.iter_mut().filter(|it| it.socket == slot);
        if same.any(|it| it.until.is_none()) {
            return;
        }
        let times = socket.times();
        if flow.uses.len() >= MOST_USES {
            let over = flow.uses.iter().position(|it| it.until.is_some());
            flow.uses.remove(over.unwrap_or(0));
            self.let_go += 1;
        }
        flow.uses.push(Use {
            socket: slot,
            since,
            until: None,
            used: since,
            inbound,
            times,
            connection: None,
        });
        socket.used_by(key);
        if key.local().is_ipv4() {
            socket.takes_ipv4(since);
        }
        if self.flows.len() > MOST_FLOWS {
            self.make_room();
        }
    }

    /// The two ends that a socket had are its own no longer.
    fn end_uses(&mut self, slot: usize, time: u64) {
        let keys = self.sockets.get(slot).map(|socket| socket.keys());
        for key in keys.into_iter().flatten() {
            let Some(flow) = self.flows.get_mut(key) else {
                continue;
            };
            for it in &mut flow.uses {
                if it.socket == slot && it.until.is_none() {
                    it.until = Some(time.max(it.since));
                }
            }
        }
    }

    /// Puts a socket where packets for its port find it.
    fn place(&mut self, slot: usize, place: Place, local: Side, since: u64) {
        let Some(socket) = self.sockets.get_mut(slot) else {
            return;
        };
        if let Some(before) = socket.stands_at(place, local, since) {
            leave(&mut self.places, &before, slot);
        }
        let there = self.places.entry(place).or_default();
        if !there.contains(&slot) {
            there.push(slot);
        }
    }

    fn remove(&mut self, slot: usize) {
        let Some(socket) = self.sockets.remove(slot) else {
            return;
        };
        for key in socket.keys() {
            self.remove_use(key, slot);
        }
        if let Some(place) = socket.place() {
            leave(&mut self.places, &place, slot);
        }
    }

    fn remove_use(&mut self, key: &Key, slot: usize) {
        if let Some(flow) = self.flows.get_mut(key) {
            flow.uses.retain(|it| it.socket != slot);
            if flow.uses.is_empty() {
                self.flows.remove(key);
            }
        }
    }

    fn used_since(&self, key: &Key, slot: usize, time: u64) -> bool {
        let uses = self.flows.get(key).map(|flow| &flow.uses);
        let mut uses = uses.into_iter().flatten();
        uses.any(|it| it.socket == slot && it.used >= time)
    }

    /// Lets go of the eighth that was not used for longest.
    fn make_room(&mut self) {
        let mut all: Vec<(u64, Key)> = self
            .flows
            .iter()
            .map(|(key, flow)| (flow.uses.iter().map(|it| it.used).max().unwrap_or(0), *key))
            .collect();
        let part = all.len() / 8;
        all.select_nth_unstable(part);
        for (_, key) in all.into_iter().take(part) {
            self.flows.remove(&key);
            self.let_go += 1;
        }
        let Self { sockets, flows, .. } = self;
        let has = |slot, key: &Key| {
            flows
                .get(key)
                .is_some_and(|flow| flow.uses.iter().any(|it| it.socket == slot))
        };
        sockets.keep_uses(has);
        self.let_go_sockets();
    }

    /// Sockets that have come to nothing are many, too.
    fn let_go_sockets(&mut self) {
        for slot in self.sockets.oldest_beyond(MOST_FLOWS) {
            let uses = self.sockets.get(slot).map_or(0, Socket::uses);
            self.remove(slot);
            self.let_go += u64::try_from(uses).unwrap_or(u64::MAX);
        }
    }
}

fn leave(places: &mut HashMap<Place, Vec<usize>>, place: &Place, slot: usize) {
    if let Some(there) = places.get_mut(place) {
        there.retain(|other| *other != slot);
        if there.is_empty() {
            places.remove(place);
        }
    }
}

/// The id that the connection has everywhere. Those of datagrams that go on after a long silence
/// have that of the first.
fn connection(socket: &Socket, boot: model::BootId, key: Key, times: u32) -> ConnectionId {
    let cookie_only = match socket.name {
        Name::Cookie(cookie) => SocketKey {
            inode: None,
            cookie: Some(cookie),
        },
        Name::Inode { inode, .. } => SocketKey {
            inode: Some(inode),
            cookie: None,
        },
    };
    let netns = Some(key.netns())
        .filter(|netns| *netns != 0)
        .map(NetworkNamespace);
    let class = key.class();
    let local = key.local().endpoint(class);
    let remote = key.remote().endpoint(class);
    let first = ConnectionId::of(
        boot,
        netns,
        cookie_only,
        socket.protocol,
        local,
        Some(remote),
    );
    if times == 0 {
        first
    } else {
        first.again(times)
    }
}
