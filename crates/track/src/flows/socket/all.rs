//! All sockets that are kept, and the runs of programs that they belong to.

use std::collections::HashMap;

use model::{ProcessId, Source, WhyNoProcess};

use super::super::facts::Written;
use super::super::key::{Class, Key};
use super::super::slots::Slots;
use super::tenure::{CLOCKS_DIFFER, Guest, SENT_BEFORE, Taking, Tenure, Whose, is_same, writer};
use super::{MOST_TENURES, Name, Socket};

/// A process ends a moment before its sockets do.
const SURVIVES: u64 = 2_000_000;

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
pub(in crate::flows) struct Sockets {
    all: Slots<Socket>,
    by_name: HashMap<Name, usize>,
    runs: Slots<Run>,
    by_process: HashMap<ProcessId, usize>,
}

impl Sockets {
    pub(in crate::flows) fn find(&self, name: Name) -> Option<usize> {
        self.by_name.get(&name).copied()
    }

    pub(in crate::flows) fn get(&self, slot: usize) -> Option<&Socket> {
        self.all.get(slot)
    }

    pub(in crate::flows) fn get_mut(&mut self, slot: usize) -> Option<&mut Socket> {
        self.all.get_mut(slot)
    }

    pub(in crate::flows) fn add(&mut self, socket: Socket) -> usize {
        let name = socket.name;
        let slot = self.all.add(socket);
        self.by_name.insert(name, slot);
        slot
    }

    pub(in crate::flows) fn remove(&mut self, slot: usize) -> Option<Socket> {
        let socket = self.all.remove(slot)?;
        self.by_name.remove(&socket.name);
        for tenure in &socket.tenures {
            self.unname(tenure.whose);
        }
        for guest in &socket.guests {
            self.unname(guest.whose);
        }
        Some(socket)
    }

    pub(in crate::flows) fn process(&self, run: usize) -> Option<ProcessId> {
        self.runs.get(run).map(|run| run.id)
    }

    /// Whose a socket was.
    pub(in crate::flows) fn whose(&self, socket: &Socket, time: u64) -> Whose {
        let tenure = socket.tenure(time);
        tenure.map_or_else(Whose::Nobody, |place| self.of_tenure(socket, place, time))
    }

    /// Who wrote what left with a socket just then.
    pub(in crate::flows) fn writer(
        &self,
        socket: &Socket,
        time: u64,
        written: Option<Written>,
    ) -> Whose {
        let tenure = socket.tenure(time);
        let writer = tenure.and_then(|place| {
            let known = socket.tenures.get(place).map(|tenure| tenure.whose);
            let is_other = |guest: &Guest| known.is_none_or(|known| !is_same(known, guest.whose));
            let mut guests = socket.guests.iter();
            if guests
                .any(|guest| is_other(guest) && guest.may_have_sent(time, self.end(guest.whose)))
            {
                return Err(WhyNoProcess::Several);
            }
            let writer = writer(&socket.tenures, place, time, written);
            writer.ok_or(WhyNoProcess::Several)
        });
        writer.map_or_else(Whose::Nobody, |place| self.of_tenure(socket, place, time))
    }

    fn of_tenure(&self, socket: &Socket, place: usize, time: u64) -> Whose {
        let Some(tenure) = socket.tenures.get(place) else {
            return Whose::Nobody(WhyNoProcess::NoHolder);
        };
        let ended = self.end(tenure.whose);
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

    /// When its process ended, if it has.
    fn end(&self, whose: Whose) -> Option<u64> {
        let Whose::Run { run, .. } = whose else {
            return None;
        };
        self.runs.get(run)?.ended
    }

    pub(in crate::flows) fn by(&mut self, process: ProcessId, source: Source) -> Whose {
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

    /// Nobody may be named by what is known of a process.
    pub(in crate::flows) fn let_go_unnamed(&mut self, whose: Whose) {
        self.name(whose);
        self.unname(whose);
    }

    /// Somebody else may be sending with it from `time` on, until it is told to be his or his
    /// process ends.
    pub(in crate::flows) fn may_send(&mut self, slot: usize, time: u64, whose: Whose) {
        self.name(whose);
        let shared = self.all.get_mut(slot).and_then(|it| it.shared_from(time));
        if let Some(tenure) = shared {
            self.name(tenure.whose);
            let gone = self.all.get_mut(slot).and_then(|it| it.begin(tenure));
            gone.into_iter().for_each(|gone| self.unname(gone));
        }
        let gone = self.host(slot, time, whose);
        gone.into_iter().for_each(|gone| self.unname(gone));
    }

    /// Gives who is not named any more by it.
    fn host(&mut self, slot: usize, time: u64, whose: Whose) -> Option<Whose> {
        let Self { all, runs, .. } = self;
        let Some(socket) = all.get_mut(slot) else {
            return Some(whose);
        };
        let guests = &mut socket.guests;
        let is_known = |guest: &Guest| guest.until.is_none() && is_same(guest.whose, whose);
        if guests.iter().any(is_known) {
            return Some(whose);
        }
        let has_ended = |whose| match whose {
            Whose::Run { run, .. } => runs.get(run).is_none_or(|run| run.ended.is_some()),
            Whose::Nobody(_) => false,
        };
        let is_over = |guest: &Guest| guest.until.is_some() || has_ended(guest.whose);
        let gone = if guests.len() < MOST_TENURES {
            None
        } else if let Some(place) = guests.iter().position(is_over) {
            Some(guests.remove(place).whose)
        } else {
            // So many others are at it that one more makes no difference.
            return Some(whose);
        };
        guests.push(Guest {
            since: time,
            until: None,
            whose,
        });
        gone
    }

    /// A socket is somebody's from `time` on.
    pub(in crate::flows) fn belongs(
        &mut self,
        slot: usize,
        time: u64,
        whose: Whose,
        taking: Taking,
    ) {
        self.name(whose);
        if let Some(socket) = self.all.get_mut(slot) {
            for guest in &mut socket.guests {
                if is_same(guest.whose, whose) {
                    guest.until.get_or_insert(time);
                }
            }
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
        let shared_until = match taking {
            Taking::Asked => 0,
            Taking::Used | Taking::Wrote(_) | Taking::Sends => socket.turn_is_told(time),
        };
        socket.begin(Tenure {
            since: time,
            whose,
            unsure: match taking {
                Taking::Asked => 0,
                Taking::Used | Taking::Wrote(_) => SENT_BEFORE,
                Taking::Sends => CLOCKS_DIFFER,
            },
            wrote_from: match taking {
                Taking::Wrote(from) => Some(from),
                Taking::Asked | Taking::Used | Taking::Sends => None,
            },
            shared_until,
        })
    }

    /// Nobody was known to have it, and now it is known who had it all the time; unless several had
    /// it meanwhile.
    pub(in crate::flows) fn belonged(&mut self, slot: usize, time: u64, whose: Whose) {
        let several = Whose::Nobody(WhyNoProcess::Several);
        let before = self.all.get_mut(slot).and_then(|it| {
            let alone = it.tenures.iter().all(|tenure| tenure.whose != several);
            alone.then(|| std::mem::take(&mut it.tenures))
        });
        // It is named first: a run that nobody names is let go, and its place given to another.
        self.belongs(slot, time, whose, Taking::Asked);
        for tenure in before.into_iter().flatten() {
            self.unname(tenure.whose);
        }
    }

    /// Whether the last owner is one of these.
    pub(in crate::flows) fn is_held_by(
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

    pub(in crate::flows) fn ended(&mut self, process: ProcessId, time: u64) {
        let run = self.by_process.get(&process);
        if let Some(run) = run.and_then(|run| self.runs.get_mut(*run)) {
            run.ended.get_or_insert(time);
        }
    }

    /// A number that is used again within the same tick has the same id: what is told from now on is
    /// about another run.
    pub(in crate::flows) fn started(&mut self, process: ProcessId) {
        let run = self.by_process.get(&process);
        let run = run.and_then(|run| self.runs.get(*run));
        if run.is_some_and(|run| run.ended.is_some()) {
            self.by_process.remove(&process);
        }
    }

    fn name(&mut self, whose: Whose) {
        if let Whose::Run { run, .. } = whose
            && let Some(run) = self.runs.get_mut(run)
        {
            run.named += 1;
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
    pub(in crate::flows) fn over_since(&self, time: u64) -> Vec<usize> {
        let over = |socket: &Socket| socket.until() <= time && socket.heard <= time;
        let all = self.all.iter();
        all.filter(|(_, it)| over(it))
            .map(|(slot, _)| slot)
            .collect()
    }

    /// The pairs of ends of those that have at least so many, taken out of them.
    pub(in crate::flows) fn with_uses(&mut self, at_least: usize) -> Vec<(usize, Vec<Key>)> {
        let all = self.all.iter_mut();
        all.filter(|(_, it)| it.keys.len() >= at_least)
            .map(|(slot, it)| (slot, std::mem::take(&mut it.keys)))
            .collect()
    }

    pub(in crate::flows) fn put_uses(&mut self, slot: usize, keys: Vec<Key>) {
        if let Some(socket) = self.all.get_mut(slot) {
            socket.keys = keys;
        }
    }

    /// Keeps the pairs of ends of which this is true.
    pub(in crate::flows) fn keep_uses(&mut self, is_kept: impl Fn(usize, &Key) -> bool) {
        for (slot, socket) in self.all.iter_mut() {
            socket.keys.retain(|key| is_kept(slot, key));
        }
    }

    /// When there are more than `limit`: an eighth, those that are over before the others, and those
    /// first of which nothing was told for longest.
    pub(in crate::flows) fn oldest_beyond(&self, limit: usize) -> Vec<usize> {
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
    pub(in crate::flows) fn not_heard_since(&self, time: u64) -> Vec<usize> {
        let missing = |socket: &Socket| socket.closed.is_none() && socket.heard < time;
        let all = self.all.iter();
        all.filter(|(_, it)| missing(it))
            .map(|(slot, _)| slot)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{BootId, Protocol};

    #[test]
    fn who_is_named_by_nothing_is_let_go() {
        let mut sockets = Sockets::default();
        let named = Name::Cookie(1);
        let slot = sockets.add(Socket::new(named, Protocol::Tcp, Class::TCP, 0));
        for pid in 1..=200 {
            let process = ProcessId {
                boot: BootId([0; 16]),
                pid,
                start_ticks: 1,
            };
            let whose = sockets.by(process, Source::Ebpf);
            sockets.may_send(slot, 1, whose);
            // Of those who have ended, the next one gets the place.
            if pid > 150 {
                assert_eq!(sockets.runs.len(), MOST_TENURES, "{pid}");
            }
            if pid == 160 {
                let first = sockets.process(0).unwrap();
                sockets.ended(first, 2);
                assert!(sockets.by_process.contains_key(&first));
            }
            if pid == 161 {
                assert!(sockets.by_process.contains_key(&process));
            }
        }
        assert_eq!(sockets.by_process.len(), MOST_TENURES);
        sockets.remove(slot);
        assert_eq!((sockets.runs.len(), sockets.by_process.len()), (0, 0));
    }
}
