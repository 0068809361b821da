//! When connections sent, by the packets that were recorded beside them: exact to the packet, where counters
//! are as exact as they are read. A snapshot and packets go in; the same snapshot comes out, with what packets
//! tell in the place of what counters told.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{
    Burst, Connection, ConnectionId, Direction, Endpoint, Gap, Mix, NetworkNamespace, PairKey,
    Place, Protocol, Snapshot, Source, Talk, Timestamp,
};

use crate::tracker;

const SECOND: i64 = 1_000_000_000;
/// Of what is shorter nobody asks how it talked.
const LASTED: i64 = 3 * SECOND;
/// So far the time of a packet may be from that of an event.
const AROUND: i64 = SECOND;
/// On its way out a datagram passes several interfaces within this.
const PASSING: i64 = 2_000_000;
/// So many bytes may be on their way (RFC 7323, 2.3).
const WINDOW: u32 = 1 << 30;
/// So many connections between the same ends may go on at a time.
const AT_ONCE: usize = 4;
/// Each takes up to 6 KB.
const MOST: usize = 100_000;

/// A packet that carries something.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub time: Timestamp,
    /// `None`: that of whoever recorded.
    pub netns: Option<NetworkNamespace>,
    /// Tells interfaces of a namespace apart.
    pub interface: u32,
    pub protocol: Protocol,
    pub source: Endpoint,
    pub destination: Endpoint,
    /// Of the first byte, where they are numbered.
    pub sequence: Option<u32>,
    pub bytes: u32,
}

/// Listens to the connections of a snapshot.
#[derive(Debug)]
pub struct Hearing {
    home: Option<NetworkNamespace>,
    /// In the order of their beginning.
    voices: HashMap<Key, Vec<Voice>, Mix>,
    heard: usize,
    most: usize,
    /// Packets of connections for which there was no room.
    unheard: u64,
}

/// What connections have said.
#[derive(Debug, Default)]
pub struct Heard {
    talks: HashMap<ConnectionId, Arc<Talk>, Mix>,
    unheard: u64,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    netns: Option<NetworkNamespace>,
    is_tcp: bool,
    local_port: u16,
    remote: Endpoint,
}

/// One connection, and where it is.
#[derive(Debug)]
struct Voice {
    id: ConnectionId,
    /// `None`: bound to none.
    local: Option<IpAddr>,
    /// In nanoseconds since 1970.
    opened: Option<i64>,
    closed: i64,
    /// The number that comes next.
    next: Option<u32>,
    /// When, where and how much it sent last.
    last: Option<(i64, u32, u32)>,
    talk: Option<Talk>,
}

impl Hearing {
    /// Listens to those that have lasted, and that nobody from outside has opened.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut voices: HashMap<Key, Vec<Voice>, Mix> = HashMap::default();
        for connection in &snapshot.connections {
            if let Some((key, voice)) = listened(connection, snapshot.home_netns) {
                let row = voices.entry(key);
                row.or_insert_with(|| Vec::with_capacity(1)).push(voice);
            }
        }
        for row in voices.values_mut() {
            row.sort_by_key(|voice| voice.begun());
        }
        Self {
            home: snapshot.home_netns,
            voices,
            heard: 0,
            most: MOST,
            unheard: 0,
        }
    }

    /// There is nobody to listen to.
    pub fn is_empty(&self) -> bool {
        self.voices.is_empty()
    }

    /// Takes packets, those of a network namespace in their order. What belongs to nobody is passed over.
    pub fn sent(&mut self, sent: &Sent) {
        let Some(local_port) = sent.source.port else {
            return;
        };
        let key = Key {
            netns: sent.netns.or(self.home),
            is_tcp: is_tcp(sent.protocol),
            local_port,
            remote: sent.destination,
        };
        let time = sent.time.unix_nanos();
        let Some(row) = self.voices.get_mut(&key) else {
            return;
        };
        let later = row.partition_point(|voice| voice.begun() <= time);
        let begun = row.iter_mut().take(later).rev().take(AT_ONCE);
        let own = |voice: &&mut Voice| {
            let is_its = voice.local.is_none_or(|ip| sent.source.ip == Some(ip));
            is_its && time <= voice.closed.saturating_add(AROUND)
        };
        let Some(voice) = begun.into_iter().find(own) else {
            return;
        };
        let Some(bytes) = voice.new_bytes(sent) else {
            return;
        };
        if voice.talk.is_none() {
            if self.heard >= self.most {
                self.unheard += 1;
                return;
            }
            self.heard += 1;
        }
        let talk = voice.talk.get_or_insert_with(|| Talk::new(Duration::ZERO));
        talk.sent(sent.time, bytes);
    }

    pub fn heard(self) -> Heard {
        let voices = self.voices.into_values().flatten();
        let talks = voices.filter_map(|voice| Some((voice.id, Arc::new(voice.talk?))));
        Heard {
            talks: talks.collect(),
            unheard: self.unheard,
        }
    }
}

impl Voice {
    /// From then on a packet can be its own.
    fn begun(&self) -> i64 {
        self.opened
            .map_or(i64::MIN, |opened| opened.saturating_sub(AROUND))
    }

    /// How much of a packet was not sent before. `None`: nothing, or it has not lasted yet.
    fn new_bytes(&mut self, sent: &Sent) -> Option<u64> {
        let time = sent.time.unix_nanos();
        let last = self.last.replace((time, sent.interface, sent.bytes));
        let opened = *self.opened.get_or_insert(time);
        let new = match (sent.sequence, last) {
            (Some(sequence), _) => {
                let end = sequence.wrapping_add(sent.bytes);
                let next = *self.next.get_or_insert(sequence);
                let beyond = end.wrapping_sub(next).cast_signed();
                let beyond = u32::try_from(beyond).unwrap_or(0);
                // At first, packets of the connection before may come between the same ends; and beyond a window
                // it is not sent again (RFC 7323, 2.3).
                let is_anew = time.saturating_sub(opened) < LASTED
                    || next.wrapping_sub(end) > WINDOW && beyond == 0;
                if beyond > 0 || is_anew {
                    self.next = Some(end);
                }
                if is_anew {
                    sent.bytes
                } else {
                    beyond.min(sent.bytes)
                }
            }
            (None, Some((before, interface, bytes))) => {
                let apart = time.saturating_sub(before);
                let elsewhere = interface != sent.interface && bytes == sent.bytes;
                match elsewhere && apart <= PASSING {
                    true => 0,
                    false => sent.bytes,
                }
            }
            (None, None) => sent.bytes,
        };
        let has_lasted = time.saturating_sub(opened) >= LASTED;
        (new > 0 && has_lasted).then_some(u64::from(new))
    }
}

impl Heard {
    /// Puts it in the place of what counters told, or as much of it as was said by a moment. Where packets
    /// are missing, counters have more, and stay.
    #[must_use]
    pub fn put(&self, mut snapshot: Snapshot, at: Option<Timestamp>) -> Snapshot {
        snapshot.gaps.extend(self.gap());
        if self.talks.is_empty() {
            return snapshot;
        }
        let fuller = snapshot.connections.places().filter_map(|(place, it)| {
            let talk = self.talks.get(&it.id)?;
            let talk = match at {
                Some(at) => Arc::new(talk.until(at)?),
                None => Arc::clone(talk),
            };
            is_fuller(&talk, it.talk.as_deref()).then_some((place, talk))
        });
        let fuller: Vec<(Place, Arc<Talk>)> = fuller.collect();
        let mut by_talk: HashMap<ConnectionId, Place, Mix> = HashMap::default();
        let mut by_key: HashMap<PairKey, Place, Mix> = HashMap::default();
        for (place, pair) in snapshot.pairs.places() {
            by_talk.extend(pair.talks.iter().map(|(id, _)| (id, place)));
            by_key.insert(pair.key.clone(), place);
        }
        for (place, talk) in fuller {
            let Some(connection) = snapshot.connections.change(place) else {
                continue;
            };
            let of_talk = by_talk.get(&connection.id).copied();
            let pair = of_talk.or_else(|| {
                let key = tracker::pair_of(connection, &snapshot.processes)?;
                by_key.get(&key).copied()
            });
            if let Some(pair) = pair.and_then(|pair| snapshot.pairs.change(pair)) {
                pair.talks.put(connection.id, &talk);
            }
            connection.talk = Some(talk);
        }
        snapshot
    }

    fn gap(&self) -> Option<Gap> {
        (self.unheard > 0).then(|| {
            let why = format!(
                "of {MOST} connections it is kept when their packets passed; there were more"
            );
            let missed = "rhythms inside the others that are too fast for counters";
            Gap::standing("packets_unheard", Source::Capture, why, missed)
        })
    }
}

/// Counters that are read now and then see fewer bursts, or as many; one more where the first of them took
/// three seconds. Who never pauses has one, and where readings come late counters see many of it. Packets that
/// have but a small part of the bytes are those of the end: the others were let go.
fn is_fuller(heard: &Talk, counted: Option<&Talk>) -> bool {
    let has_most = |counted: &Talk| heard.count() + 1 >= counted.count();
    let has_bytes = |counted: &Talk| heard.bytes().saturating_mul(10) >= counted.bytes();
    counted
        .is_none_or(|counted| has_bytes(counted) && (has_most(counted) || covers(heard, counted)))
}

/// Whether packets passed during most of what counters saw.
fn covers(heard: &Talk, counted: &Talk) -> bool {
    let mut packets = heard.bursts().peekable();
    let covered = counted.bursts().filter(|burst| {
        let is_before = |it: &&Burst| it.last.until(burst.first) > counted.pause();
        while packets.next_if(is_before).is_some() {}
        packets.peek().is_some_and(|it| it.first <= burst.last)
    });
    covered.count() * 4 >= counted.bursts().len() * 3
}

/// `None`: nobody would ask how it talked.
fn listened(connection: &Connection, home: Option<NetworkNamespace>) -> Option<(Key, Voice)> {
    let remote = connection.remote?;
    let ip = remote.ip?;
    remote.port?;
    let is_inside = ip.is_loopback() || ip.is_unspecified() || ip.is_multicast();
    let is_called = matches!(
        connection.direction,
        Direction::Inbound | Direction::Listening
    );
    let has_payload = matches!(
        connection.protocol,
        Protocol::Tcp | Protocol::Mptcp | Protocol::Udp
    );
    // Questions for names are no talk.
    let is_question = connection.protocol == Protocol::Udp && remote.port == Some(53);
    let time = |time: Timestamp| time.told().map(Timestamp::unix_nanos);
    let opened = connection.opened.and_then(time);
    let closed = connection.closed.and_then(time).unwrap_or(i64::MAX);
    let is_short = opened.is_some_and(|opened| closed.saturating_sub(opened) < LASTED);
    if is_inside || is_called || !has_payload || is_question || is_short {
        return None;
    }
    let key = Key {
        netns: connection.netns.or(home),
        is_tcp: is_tcp(connection.protocol),
        local_port: connection.local.port?,
        remote,
    };
    let voice = Voice {
        id: connection.id,
        local: connection.local.ip.filter(|ip| !ip.is_unspecified()),
        opened,
        closed,
        next: None,
        last: None,
        talk: None,
    };
    Some((key, voice))
}

fn is_tcp(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Tcp | Protocol::Mptcp)
}
