//! What had the same two ends: one socket after the other, or several at once.

use model::{ConnectionId, WhyNoProcess};

use super::facts::Facts;
use super::key::Class;
use super::socket::{Socket, Sockets, Whose};
use super::{Flows, LATE, QUEUED};

/// All that had the same two ends.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) uses: Vec<Use>,
    /// Somebody else began anew with these ends: what ended before has nothing to do with it.
    pub(super) renewed: u64,
}

/// A socket had these two ends.
#[derive(Debug)]
pub(super) struct Use {
    pub(super) socket: usize,
    pub(super) since: u64,
    /// `None`: as long as the socket is there.
    pub(super) until: Option<u64>,
    /// The last packet.
    pub(super) used: u64,
    /// The other side opened it.
    pub(super) inbound: bool,
    /// Which connection of its socket this is: 0, the first.
    pub(super) times: u32,
    /// Found out with the first packet.
    pub(super) connection: Option<ConnectionId>,
}

/// What was found of one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The place of its use among all of the flow.
    Use(usize, Whose),
    Several,
    Nobody(WhyNoProcess),
}

impl Flow {
    /// Which use a packet belongs to. `None`: none.
    pub(super) fn find(&mut self, sockets: &Sockets, facts: &Facts) -> Option<Found> {
        let time = facts.time;
        let mut now: Option<Found> = None;
        let mut next: Option<(u64, Found)> = None;
        let mut past: Option<(u64, usize, &Socket)> = None;
        for (place, it) in self.uses.iter().enumerate() {
            let Some(socket) = sockets.get(it.socket) else {
                continue;
            };
            let until = it.until.unwrap_or(u64::MAX).min(socket.until());
            let whose = || {
                let whose = if facts.is_sent() {
                    sockets.writer(socket, time, facts.written)
                } else {
                    sockets.whose(socket, time)
                };
                Found::Use(place, whose)
            };
            if time < it.since {
                if it.since - time <= Flows::LOOK_AHEAD_NS {
                    // Several sockets may get the same datagram, one after the other.
                    let first = next.map_or(it.since, |(since, _)| since.min(it.since));
                    let all = next.map_or_else(whose, |(_, other)| other.and(whose()));
                    next = Some((first, all));
                }
            } else if time < until {
                now = Some(now.map_or_else(whose, |other| other.and(whose())));
            } else if past.is_none_or(|(latest, ..)| latest <= until) {
                past = Some((until, place, socket));
            }
        }
        if now.is_some() {
            return now;
        }
        let renewed = self.renewed;
        // What was stamped late is no new beginning.
        let just_now = facts.is_out
            && facts.asks()
            && past.is_some_and(|(until, ..)| time - until <= Flows::LOOK_AHEAD_NS);
        let begins = facts.key.class() == Class::TCP && facts.begins() && !just_now;
        if begins {
            self.renewed = self.renewed.max(time);
        }
        let past = past.and_then(|(until, place, socket)| {
            if until <= renewed {
                return None;
            }
            let ago = time - until;
            if !socket.end_is_known() {
                return (ago <= LATE).then_some(Found::Nobody(WhyNoProcess::NoHolder));
            }
            let belongs = if facts.key.class() == Class::TCP {
                ago <= LATE && !begins
            } else if facts.is_out {
                ago <= QUEUED
            } else {
                ago <= Flows::LOOK_AHEAD_NS
            };
            let whose = sockets.whose(socket, time);
            belongs.then_some(Found::Use(place, whose))
        });
        let next = next.map(|(_, found)| found);
        match (next, past) {
            (Some(next), Some(past)) => Some(self.between(next, past, facts)),
            (next, past) => next.or(past),
        }
    }

    /// A packet after one socket and a little before the next one with the same two ends.
    fn between(&self, next: Found, past: Found, facts: &Facts) -> Found {
        if next.and(past) != Found::Several {
            return next;
        }
        let inbound = match next {
            Found::Use(place, _) => self.uses.get(place).is_some_and(|it| it.inbound),
            Found::Several | Found::Nobody(_) => false,
        };
        if facts.key.class() != Class::TCP {
            return if facts.is_out { Found::Several } else { next };
        }
        if facts.begins() {
            next
        } else if !inbound || facts.ends() {
            // The first packet of a connection that is opened here comes after its event.
            past
        } else {
            Found::Several
        }
    }
}

impl Found {
    /// Both of them.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Use(_, one), Self::Use(_, another)) if one == another => self,
            (Self::Nobody(one), Self::Nobody(another)) if one == another => self,
            _ => Self::Several,
        }
    }
}
