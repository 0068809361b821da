//! The conversations that are open, found by their two ends. There are never more than a bound: who
//! was silent for long enough is over, and where that is not enough, one that has been silent for
//! long has to go.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr};

use model::{Endpoint, IcmpKind, Mix, Protocol};

use super::conversation::{Conversation, End};
use super::reading::Reading;
use crate::parse::packet::{ICMP, ICMPV6, TCP, UDP};

const DCCP: u8 = 33;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;
/// Of so many that are looked at, the one that has been silent for the longest has to go.
const LOOKED_AT: usize = 64;

/// Two ends and what they speak. The lesser end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    first: u128,
    second: u128,
    /// Those of both, or the number of an ICMP exchange in both places.
    ports: u32,
    /// The number of the protocol; of ICMP the type besides, in the upper byte.
    protocol: u16,
}

impl Key {
    /// With the end that is the source.
    #[inline]
    pub(super) fn of(
        source: IpAddr,
        destination: IpAddr,
        ports: (u16, u16),
        protocol: u16,
    ) -> (Self, End) {
        let (from, to) = (bits(source), bits(destination));
        let (sent, received) = (u32::from(ports.0), u32::from(ports.1));
        let is_first = (from, sent) <= (to, received);
        let key = if is_first {
            Self {
                first: from,
                second: to,
                ports: sent << 16 | received,
                protocol,
            }
        } else {
            Self {
                first: to,
                second: from,
                ports: received << 16 | sent,
                protocol,
            }
        };
        (key, usize::from(!is_first))
    }

    #[inline]
    pub(super) fn is_tcp(self) -> bool {
        self.protocol == u16::from(TCP)
    }

    pub(super) fn is_udp(self) -> bool {
        self.protocol == u16::from(UDP)
    }

    fn number(self) -> u8 {
        self.protocol.to_le_bytes()[0]
    }

    fn has_ports(self) -> bool {
        matches!(self.number(), TCP | UDP | DCCP | SCTP | UDP_LITE)
    }

    /// 0 where there are none.
    pub(super) fn port(self, end: End) -> u16 {
        let [a, b, c, d] = self.ports.to_be_bytes();
        u16::from_be_bytes(if end == 0 { [a, b] } else { [c, d] })
    }

    pub(super) fn ip(self, end: End) -> IpAddr {
        let bits = if end == 0 { self.first } else { self.second };
        IpAddr::from(Ipv6Addr::from(bits)).to_canonical()
    }

    pub(super) fn endpoint(self, end: End) -> Endpoint {
        Endpoint {
            ip: Some(self.ip(end)),
            port: self.has_ports().then(|| self.port(end)),
        }
    }

    pub(super) fn protocol(self, kind: IcmpKind) -> Protocol {
        match self.number() {
            TCP => Protocol::Tcp,
            UDP => Protocol::Udp,
            UDP_LITE => Protocol::UdpLite,
            SCTP => Protocol::Sctp,
            DCCP => Protocol::Dccp,
            ICMP | ICMPV6 => Protocol::Icmp(kind),
            number => Protocol::Other(number.into()),
        }
    }
}

impl Hash for Key {
    #[inline]
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write(&self.first.to_le_bytes());
        hasher.write(&self.second.to_le_bytes());
        hasher.write_u64(u64::from(self.ports) << 16 | u64::from(self.protocol));
    }
}

#[inline]
fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)) | 0xffff << 32,
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Its place in the [`Table`].
pub(super) type Place = usize;

#[derive(Default)]
pub(super) struct Open {
    pub(super) conversation: Conversation,
    pub(super) reading: Reading,
}

struct Slot {
    /// `None`: it is free.
    key: Option<Key>,
    open: Open,
}

pub(super) struct Table {
    most: usize,
    places: HashMap<Key, u32, Mix>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Who is looked at next.
    hand: Place,
}

impl Table {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            places: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
        }
    }

    #[inline]
    pub(super) fn place(&self, key: &Key) -> Option<Place> {
        let place = self.places.get(key)?;
        usize::try_from(*place).ok()
    }

    #[inline]
    pub(super) fn get(&mut self, place: Place) -> Option<&mut Open> {
        self.slots.get_mut(place).map(|slot| &mut slot.open)
    }

    /// With its key.
    #[inline]
    pub(super) fn known(&mut self, place: Place) -> Option<(Key, &mut Open)> {
        let slot = self.slots.get_mut(place)?;
        Some((slot.key?, &mut slot.open))
    }

    /// Adds one. There has to be room.
    pub(super) fn add(&mut self, key: Key, conversation: Conversation) -> Place {
        let slot = Slot {
            key: Some(key),
            open: Open {
                conversation,
                reading: Reading::default(),
            },
        };
        let free = self.free.pop().and_then(|free| usize::try_from(free).ok());
        let place = free.unwrap_or(self.slots.len());
        match self.slots.get_mut(place) {
            Some(place) => *place = slot,
            None => self.slots.push(slot),
        }
        self.places.insert(key, u32::try_from(place).unwrap_or(0));
        place
    }

    /// Takes one out.
    pub(super) fn take(&mut self, place: Place) -> Option<(Key, Open)> {
        let slot = self.slots.get_mut(place)?;
        let key = slot.key.take()?;
        let open = std::mem::take(&mut slot.open);
        self.places.remove(&key);
        self.free.push(u32::try_from(place).ok()?);
        Some((key, open))
    }

    pub(super) fn is_full(&self) -> bool {
        self.places.len() >= self.most
    }

    /// Looks at one, each in its turn: whether it has been silent for longer than it can be.
    #[inline]
    pub(super) fn silent(&mut self, now: i64) -> Option<Place> {
        self.hand += 1;
        if self.hand >= self.slots.len() {
            self.hand = 0;
        }
        let slot = self.slots.get(self.hand)?;
        let key = slot.key?;
        slot.is_over(key, now).then_some(self.hand)
    }

    /// One that has been silent for long.
    pub(super) fn silent_for_long(&mut self) -> Option<Place> {
        let looked_at = 0..LOOKED_AT.min(self.slots.len());
        let looked_at = looked_at.map(|step| (self.hand + step) % self.slots.len());
        let last = |place: &Place| {
            let slot = self.slots.get(*place);
            slot.map_or(i64::MAX, |slot| slot.open.conversation.last)
        };
        let place = looked_at
            .filter(|place| {
                self.slots
                    .get(*place)
                    .is_some_and(|slot| slot.key.is_some())
            })
            .min_by_key(last);
        self.hand += LOOKED_AT;
        place
    }

    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    /// Whether it has been silent for longer than it can be.
    pub(super) fn is_over(&self, place: Place, now: i64) -> bool {
        let slot = self.slots.get(place);
        slot.is_some_and(|slot| slot.key.is_some_and(|key| slot.is_over(key, now)))
    }
}

impl Slot {
    #[inline]
    fn is_over(&self, key: Key, now: i64) -> bool {
        let conversation = &self.open.conversation;
        conversation.is_timed
            && now.saturating_sub(conversation.last) > conversation.ends_after(key.is_tcp())
    }
}
