//! All connections of one program to one destination, over time.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::{ConnectionId, DeviceId, Members, Protocol, Talk, Text, Timestamp};

/// Which connections belong together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PairKey {
    /// Path of the program, its name where the path is not known. `None`: the owner is not known.
    pub program: Option<Text>,
    /// Stands in the place of the program, where the source knows devices and no processes.
    pub device: Option<DeviceId>,
    /// The address. Names are shown beside it: one that becomes known late must not split a pair.
    pub destination: String,
    /// `None`: the protocol has no ports, or the other side called and its port says nothing.
    pub port: Option<u16>,
    /// Where the other side called: the port here. `None`: this side called, or there are no ports.
    pub local_port: Option<u16>,
    pub protocol: Protocol,
}

/// All connections of one program to one destination, port and protocol: what pattern rules read.
/// The series is bounded; what was let go is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub key: PairKey,
    /// When the first of them was seen.
    pub first: Timestamp,
    /// When one of them last began or ended.
    pub last: Timestamp,
    /// All there were, those that failed and those still open among them.
    pub connections: u64,
    pub failed: u64,
    pub open: u64,
    /// Of all that have ended.
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// The newest calls, in the order of their start; without those that began before we looked.
    pub calls: Calls,
    /// Calls no longer in `calls`.
    pub let_go: u64,
    /// When this side sent, inside the connections with the most bursts.
    pub talks: Talks,
    /// Which runs, connections and names there were.
    pub members: Arc<Members>,
}

/// One connection of a [`Pair`], ended or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub opened: Timestamp,
    /// `None`: still open, or not known.
    pub closed: Option<Timestamp>,
    pub failed: bool,
    /// 0 while it is open.
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

/// Of which connections of a pair it is kept when they sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Talks(Vec<(ConnectionId, Arc<Talk>)>);

impl Talks {
    /// So many of a pair.
    const MOST: usize = 4;
    /// Fewer bursts have no rhythm.
    const FEWEST_BURSTS: u64 = 6;

    /// In the place of what was known of this connection. Those with the most bursts stay.
    pub fn put(&mut self, id: ConnectionId, talk: &Arc<Talk>) {
        if let Some((_, known)) = self.0.iter_mut().find(|it| it.0 == id) {
            *known = Arc::clone(talk);
        } else if talk.count() >= Self::FEWEST_BURSTS {
            if self.0.len() >= Self::MOST {
                let least = self.0.iter().enumerate();
                let least = least.min_by_key(|(_, (id, it))| (it.count(), *id));
                match least.map(|(place, (_, it))| (place, it.count())) {
                    Some((place, count)) if count < talk.count() => self.0.remove(place),
                    Some(_) | None => return,
                };
            }
            self.0.push((id, Arc::clone(talk)));
        }
    }

    pub fn forget(&mut self, id: ConnectionId) {
        self.0.retain(|it| it.0 != id);
    }

    pub fn iter(&self) -> impl Iterator<Item = (ConnectionId, &Talk)> {
        self.0.iter().map(|(id, talk)| (*id, talk.as_ref()))
    }
}

/// How many calls are copied when one of them changes after a view was taken.
const CHUNK: usize = 16;

/// Calls in the order of their start. A clone shares them; changing one later copies its
/// neighbours only.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// None is empty.
    chunks: VecDeque<Arc<Vec<Call>>>,
    filled: usize,
}

impl Calls {
    pub fn len(&self) -> usize {
        self.filled
    }

    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Call> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// Adds a call where it belongs; of several that began at once the last.
    pub fn add(&mut self, call: Call) {
        self.filled += 1;
        let newest = self.chunks.back().and_then(|chunk| chunk.last());
        let is_newest = newest.is_none_or(|newest| newest.opened <= call.opened);
        if is_newest {
            match self.chunks.back_mut() {
                Some(chunk) if chunk.len() < CHUNK => Arc::make_mut(chunk).push(call),
                Some(_) | None => self.chunks.push_back(Arc::new(vec![call])),
            }
            return;
        }
        let later = |chunk: &Arc<Vec<Call>>| first_of(chunk).is_some_and(|it| it > call.opened);
        let chunk = self.chunks.partition_point(|chunk| !later(chunk));
        if let Some(chunk) = self.chunks.get_mut(chunk.saturating_sub(1)) {
            let place = chunk.partition_point(|it| it.opened <= call.opened);
            Arc::make_mut(chunk).insert(place, call);
        }
    }

    /// For changing the first call that began at this time and has not ended.
    pub fn open(&mut self, opened: Timestamp) -> Option<&mut Call> {
        let (chunk, place) = self.place(opened)?;
        Arc::make_mut(self.chunks.get_mut(chunk)?).get_mut(place)
    }

    /// Takes the first call out that began at this time and has not ended.
    pub fn take(&mut self, opened: Timestamp) -> Option<Call> {
        self.remove(self.place(opened)?)
    }

    /// Takes one such call out, ended or not. `None`: there is none.
    pub fn take_same(&mut self, call: &Call) -> Option<Call> {
        self.remove(self.find(call.opened, |it| it == call)?)
    }

    fn remove(&mut self, (at, place): (usize, usize)) -> Option<Call> {
        let chunk = Arc::make_mut(self.chunks.get_mut(at)?);
        let call = chunk.remove(place);
        if chunk.is_empty() {
            self.chunks.remove(at);
        }
        self.filled -= 1;
        Some(call)
    }

    /// Lets go of the oldest so that at most so many are left. Gives how many it let go.
    pub fn keep_newest(&mut self, most: usize) -> usize {
        let surplus = self.filled.saturating_sub(most);
        let mut left = surplus;
        while left > 0 {
            match self.chunks.front_mut() {
                Some(chunk) if chunk.len() > left => {
                    Arc::make_mut(chunk).drain(..left);
                    left = 0;
                }
                Some(chunk) => {
                    left -= chunk.len();
                    self.chunks.pop_front();
                }
                None => left = 0,
            }
        }
        self.filled -= surplus;
        surplus
    }

    /// Its chunk, and its place there.
    fn place(&self, opened: Timestamp) -> Option<(usize, usize)> {
        self.find(opened, |call| call.closed.is_none())
    }

    fn find(&self, opened: Timestamp, wanted: impl Fn(&Call) -> bool) -> Option<(usize, usize)> {
        let earlier = |chunk: &Arc<Vec<Call>>| chunk.last().is_some_and(|it| it.opened < opened);
        let from = self.chunks.partition_point(earlier);
        for (number, chunk) in self.chunks.iter().enumerate().skip(from) {
            if first_of(chunk).is_none_or(|it| it > opened) {
                return None;
            }
            let is_it = |call: &Call| call.opened == opened && wanted(call);
            let from = chunk.partition_point(|call| call.opened < opened);
            if let Some(place) = chunk.iter().skip(from).position(is_it) {
                return Some((number, from + place));
            }
        }
        None
    }
}

impl PartialEq for Calls {
    fn eq(&self, other: &Self) -> bool {
        self.filled == other.filled && self.iter().eq(other.iter())
    }
}

impl Eq for Calls {}

fn first_of(chunk: &[Call]) -> Option<Timestamp> {
    chunk.first().map(|call| call.opened)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn call(opened: i64) -> Call {
        Call {
            opened: Timestamp::from_unix_nanos(opened),
            closed: None,
            failed: false,
            bytes_sent: 0,
            bytes_received: 0,
        }
    }

    #[test]
    fn a_view_keeps_the_calls_it_saw() {
        let mut calls = Calls::default();
        (0..200).for_each(|opened| calls.add(call(opened)));
        let view = calls.clone();
        calls.open(call(70).opened).unwrap().failed = true;
        assert_eq!(calls.iter().filter(|call| call.failed).count(), 1);
        assert_eq!(view.iter().filter(|call| call.failed).count(), 0);
        let shared = view.chunks.iter().zip(&calls.chunks);
        let shared = shared.filter(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!(shared.count(), view.chunks.len() - 1);
    }

    proptest! {
        #[test]
        fn it_is_a_sorted_row(
            steps in prop::collection::vec((0_u8..4, 0_i64..300), 0..600),
            most in 0_usize..300,
        ) {
            let (mut calls, mut row) = (Calls::default(), Vec::<i64>::new());
            for (what, opened) in steps {
                match what {
                    0 => {
                        let there = row.iter().position(|it| *it == opened);
                        prop_assert_eq!(calls.open(call(opened).opened).is_some(), there.is_some());
                        let taken = calls.take(call(opened).opened);
                        prop_assert_eq!(taken.is_some(), there.is_some());
                        there.map(|place| row.remove(place));
                    }
                    _ => {
                        calls.add(call(opened));
                        row.insert(row.partition_point(|it| *it <= opened), opened);
                    }
                }
                let surplus = row.len().saturating_sub(most);
                prop_assert_eq!(calls.keep_newest(most), surplus);
                row.drain(..surplus);
            }
            let opened: Vec<_> = calls.iter().map(|call| call.opened.unix_nanos()).collect();
            prop_assert_eq!(calls.len(), row.len());
            prop_assert_eq!(opened, row);
        }
    }
}
