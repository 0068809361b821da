//! What events and looks tell of sockets.

use std::collections::HashSet;

use model::{
    Detail, Endpoint, Event, EventKind, Look, NetworkNamespace, ProcessId, Protocol,
    Socket as Seen, SocketKey, State, Tier, Timestamp, WhyNoProcess, WhyUnknown,
};

use super::Flows;
use super::key::{Class, Key, OTHER_VERSION, Place, Side};
use super::socket::{Name, Socket, Taking, Whose};

/// A look takes some time.
const LOOK_TAKES: u64 = 2_000_000_000;

impl Flows {
    pub(super) fn event(&mut self, event: &Event) {
        let since_boot = i64::try_from(event.boot_ns).unwrap_or(i64::MAX);
        self.boot_time = Some(event.time.unix_nanos().saturating_sub(since_boot));
        match event.kind {
            EventKind::Attempt
            | EventKind::FirstPacket
            | EventKind::Opened
            | EventKind::Accepted
            | EventKind::Listening
            | EventKind::OwnerChanged => self.lives(event),
            EventKind::Closed => self.closed(event),
            EventKind::ProcessEnded => {
                if let Some(process) = event.process {
                    self.sockets.ended(process, event.boot_ns);
                }
            }
            EventKind::ProcessStarted => {
                if let Some(process) = event.process {
                    self.sockets.started(process);
                }
            }
            EventKind::Error
            | EventKind::NameSeen
            | EventKind::ProcessExec
            | EventKind::ProcessExamined
            | EventKind::Tick
            | EventKind::ClockStep
            | EventKind::Resumed
            | EventKind::Idle => {}
        }
    }

    fn lives(&mut self, event: &Event) {
        let Some(protocol) = event.protocol else {
            return;
        };
        let is_v4 = is_v4(event.local, event.remote);
        let (Some(name), Some(class)) =
            (name(event.socket, event.netns), Class::of(protocol, is_v4))
        else {
            return;
        };
        let (kind, time) = (event.kind, event.boot_ns);
        let slot = self.slot(name, protocol, class, time);
        let Some(socket) = self.sockets.get_mut(slot) else {
            return;
        };
        // What is told of one that has ended is about what it left, unless it begins again.
        if let Some(closed) = socket.closed.filter(|closed| *closed <= time) {
            if matches!(kind, EventKind::OwnerChanged | EventKind::Accepted) {
                return;
            }
            socket.closed = None;
            self.end_uses(slot, closed);
        }
        if kind == EventKind::Attempt
            && class == Class::TCP
            && let Some(socket) = self.sockets.get_mut(slot)
            && socket.attempted()
        {
            self.end_uses(slot, time);
        }
        self.learn_owner(slot, event);
        self.learn_ends(slot, event, class);
    }

    fn learn_owner(&mut self, slot: usize, event: &Event) {
        let taking = match (event.kind, &event.detail) {
            (EventKind::OwnerChanged, Detail::Sends) => Taking::Sends,
            (EventKind::OwnerChanged, Detail::Wrote { from }) => Taking::Wrote(*from),
            (EventKind::OwnerChanged, Detail::MaySend) => return self.may_send(slot, event),
            (EventKind::OwnerChanged, _) => Taking::Used,
            _ => Taking::Asked,
        };
        if let Some(process) = event.process {
            let whose = self.sockets.by(process, event.source);
            self.sockets.belongs(slot, event.boot_ns, whose, taking);
            return;
        }
        // Before it was known, the kernel's programs took a socket that was there for its own.
        let known = self.sockets.get(slot).is_some_and(Socket::has_owner);
        let why = match event.detail {
            Detail::NoProcess { why } => why_no_process(why),
            Detail::Nothing
            | Detail::Name(_)
            | Detail::Clock { .. }
            | Detail::Idle(_)
            | Detail::Listens { .. }
            | Detail::Sends
            | Detail::Wrote { .. }
            | Detail::MaySend
            | Detail::Examined(_)
            | Detail::Exit { .. } => WhyNoProcess::NoHolder,
        };
        if !known || why == WhyNoProcess::OutsideNamespace {
            let whose = Whose::Nobody(why);
            self.sockets.belongs(slot, event.boot_ns, whose, taking);
        }
    }

    /// Somebody else may be sending with it.
    fn may_send(&mut self, slot: usize, event: &Event) {
        let whose = match (event.process, &event.detail) {
            (Some(process), _) => self.sockets.by(process, event.source),
            (None, _) => Whose::Nobody(WhyNoProcess::OutsideNamespace),
        };
        self.sockets.may_send(slot, event.boot_ns, whose);
    }

    fn learn_ends(&mut self, slot: usize, event: &Event, class: Class) {
        let netns = event.netns.map_or(0, |netns| netns.0);
        let Some(local) = event.local.and_then(|local| Side::of(local, class)) else {
            return;
        };
        let listens = event.kind == EventKind::Listening;
        if class.has_ports() && (listens || class != Class::TCP) {
            let known = self
                .sockets
                .get(slot)
                .is_some_and(|it| it.place().is_some());
            if listens || !known {
                self.place(
                    slot,
                    Place::new(class, netns, local.port),
                    local,
                    event.boot_ns,
                );
            }
            if let Some(socket) = self.sockets.get_mut(slot).filter(|_| listens) {
                socket.waits_for_anybody();
                if let Detail::Listens { only_ipv6 } = event.detail {
                    socket.learn_only_ipv6(Some(only_ipv6));
                }
            }
        }
        let remote = event.remote.filter(|_| !listens);
        let Some(remote) = remote.and_then(|remote| Side::of(remote, class)) else {
            return;
        };
        if local.is_any() && event.kind == EventKind::OwnerChanged {
            return;
        }
        let inbound = event.kind == EventKind::Accepted;
        let key = Key::new(class, netns, local, remote);
        self.begin_use(slot, key, event.boot_ns, inbound);
        if inbound && class == Class::TCP {
            self.accepted(slot, key, event.boot_ns);
        }
    }

    /// What waits at this end gets its connections after all.
    fn accepted(&mut self, slot: usize, key: Key, time: u64) {
        let there = self.places.get(&key.place());
        for slot in there.into_iter().flatten() {
            if let Some(socket) = self.sockets.get_mut(*slot) {
                socket.accepts(time);
            }
        }
        self.learn_versions(slot, key, time);
    }

    /// What a listener of IPv6 has accepted may show that it takes IPv4.
    fn learn_versions(&mut self, accepted: usize, key: Key, time: u64) {
        let there = self.places.get(&key.place());
        let close = |slot: &usize| {
            let socket = self.sockets.get(*slot)?;
            let whose = self.sockets.whose(socket, time);
            let closeness = socket.closeness(key.local());
            (closeness > 0 && socket.waits(time)).then_some((*slot, closeness, whose))
        };
        let close: Vec<_> = there.into_iter().flatten().filter_map(close).collect();
        let Some(socket) = self.sockets.get(accepted) else {
            return;
        };
        let its = self.sockets.whose(socket, time);
        if close
            .iter()
            .any(|(_, closeness, _)| *closeness > OTHER_VERSION)
        {
            return;
        }
        for (slot, _, whose) in close {
            if whose == its
                && let Some(listener) = self.sockets.get_mut(slot)
            {
                listener.takes_ipv4(time);
            }
        }
    }

    fn closed(&mut self, event: &Event) {
        let name = name(event.socket, event.netns);
        let Some(slot) = name.and_then(|name| self.sockets.find(name)) else {
            return;
        };
        let connected = event.protocol.is_none_or(Protocol::has_connections);
        // One peer of several.
        if event.remote.is_some() && !connected {
            return;
        }
        if let Some(socket) = self.sockets.get_mut(slot) {
            socket.closes(event.boot_ns);
        }
    }

    fn slot(&mut self, name: Name, protocol: Protocol, class: Class, time: u64) -> usize {
        if let Some(slot) = self.sockets.find(name) {
            if let Some(socket) = self.sockets.get_mut(slot) {
                socket.heard(time);
            }
            return slot;
        }
        self.let_go_sockets();
        self.sockets.add(Socket::new(name, protocol, class, time))
    }

    pub(super) fn look(&mut self, look: &Look) {
        self.polling = look.tier == Tier::Polling;
        let first = !std::mem::replace(&mut self.looked, true);
        // What the first look shows was there before.
        let taken = if first { 0 } else { self.boot_ns(look.taken) };
        let confirmed = self.polling.then(|| self.boot_ns(look.taken));
        let mut seen = HashSet::with_capacity(look.sockets.len());
        for socket in &look.sockets {
            seen.extend(self.seen(socket, taken, confirmed));
        }
        if self.polling || first {
            return;
        }
        // Its end was lost.
        for slot in self
            .sockets
            .not_heard_since(taken.saturating_sub(LOOK_TAKES))
        {
            if !seen.contains(&slot)
                && let Some(socket) = self.sockets.get_mut(slot)
            {
                let heard = socket.last_heard();
                socket.closed = Some(heard.saturating_add(1));
            }
        }
    }

    /// Takes over what a look shows of one socket.
    fn seen(&mut self, seen: &Seen, taken: u64, confirmed: Option<u64>) -> Option<usize> {
        let class = Class::of(seen.protocol, is_v4(Some(seen.local), seen.remote))?;
        let name = name(Some(seen.key), seen.netns)?;
        let known = self.sockets.find(name);
        // What only the kernel remembers has no process.
        let is_over = matches!(
            seen.state,
            State::TimeWait | State::Closed | State::SynReceived
        );
        let has_ended = known.and_then(|slot| self.sockets.get(slot)?.closed);
        if is_over || has_ended.is_some() {
            return known;
        }
        let slot = self.slot(name, seen.protocol, class, taken);
        let socket = self.sockets.get_mut(slot)?;
        socket.confirm(confirmed);
        socket.learn_only_ipv6(seen.only_ipv6);
        self.held_by(slot, seen, taken, known.is_some());
        let netns = seen.netns.map_or(0, |netns| netns.0);
        let Some(local) = Side::of(seen.local, class) else {
            return Some(slot);
        };
        let listens = seen.state == State::Listen || (seen.remote.is_none() && class != Class::TCP);
        if class.has_ports() && (listens || class != Class::TCP) {
            self.place(slot, Place::new(class, netns, local.port), local, taken);
            if listens {
                self.sockets.get_mut(slot)?.waits_for_anybody();
            }
        }
        let remote = seen.remote.filter(|_| !listens);
        if let Some(remote) = remote.and_then(|remote| Side::of(remote, class))
            && !local.is_any()
        {
            let inbound = seen.opened_here == Some(false);
            let key = Key::new(class, netns, local, remote);
            self.begin_use(slot, key, taken, inbound);
        }
        Some(slot)
    }

    fn held_by(&mut self, slot: usize, seen: &Seen, taken: u64, known: bool) {
        let holders: Vec<ProcessId> = seen.holders.iter().map(|holder| holder.process).collect();
        // The kernel's programs take the oldest one, too, until another one is seen to use it.
        let oldest = seen
            .holders
            .iter()
            .min_by_key(|holder| (holder.process.start_ticks, holder.process.pid));
        let whose = match oldest {
            // Nobody tells which of them uses it.
            Some(_) if self.polling && holders.len() > 1 => Whose::Nobody(WhyNoProcess::Several),
            Some(holder) => self.sockets.by(holder.process, holder.source),
            None => Whose::Nobody(why_no_process(seen.why_unheld)),
        };
        let has_owner = self.sockets.get(slot).is_some_and(Socket::has_owner);
        if !known {
            self.sockets.belongs(slot, taken, whose, Taking::Asked);
        } else if !has_owner && oldest.is_some() {
            self.sockets.belonged(slot, taken, whose);
        } else if oldest.is_some() && (self.polling || !self.sockets.is_held_by(slot, holders)) {
            self.sockets.belongs(slot, taken, whose, Taking::Asked);
        }
        self.sockets.let_go_unnamed(whose);
    }

    /// Since boot, of a time of day.
    fn boot_ns(&self, time: Timestamp) -> u64 {
        let since_boot = self
            .boot_time
            .map(|boot| time.unix_nanos().saturating_sub(boot));
        since_boot
            .and_then(|it| u64::try_from(it).ok())
            .unwrap_or(0)
    }
}

fn name(key: Option<SocketKey>, netns: Option<NetworkNamespace>) -> Option<Name> {
    let SocketKey { inode, cookie } = key?;
    let netns = netns.map_or(0, |netns| netns.0);
    let by_inode = inode.map(|inode| Name::Inode { netns, inode });
    cookie.map(Name::Cookie).or(by_inode)
}

/// One end that is known is enough to say.
fn is_v4(local: Option<Endpoint>, remote: Option<Endpoint>) -> bool {
    let known = [remote, local].into_iter().flatten();
    let mut ips = known.filter_map(|endpoint| endpoint.ip);
    ips.next().is_some_and(|ip| ip.is_ipv4())
}

fn why_no_process(why: WhyUnknown) -> WhyNoProcess {
    match why {
        WhyUnknown::Kernel | WhyUnknown::WireGuard => WhyNoProcess::Kernel,
        WhyUnknown::Forwarded => WhyNoProcess::Forwarded,
        WhyUnknown::OutsideNamespace => WhyNoProcess::OutsideNamespace,
        WhyUnknown::Lost => WhyNoProcess::Lost,
        WhyUnknown::NoRights
        | WhyUnknown::NoHolder
        | WhyUnknown::BeforeStart
        | WhyUnknown::NotInSource => WhyNoProcess::NoHolder,
    }
}
