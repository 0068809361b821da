//! Names out of what sockets say first: DNS, and how connections begin. The kernel tells the bytes and
//! whose they are; `crate::names` reads them.

use std::collections::{HashMap, VecDeque};

use model::{Endpoint, NameSeen, NameSource, Protocol};

use crate::linux::events::Said;
use crate::names::{Side, TcpNames, UdpNames};
use crate::parse::socket_event::{More, SocketEvent};

/// So many exchanges are followed at once. One takes some 50 bytes, and more only while something of
/// it waits for the rest.
const MOST: usize = 65_536;
/// When there are more, the oldest of them are let go.
const PART_LET_GO: usize = 8;
/// A greeting is whole within this time, or never: nanoseconds.
const WHOLE_WITHIN: u64 = 10_000_000_000;
/// So many that are not whole are remembered.
const MOST_BEGUN: usize = 16_384;
/// So many questions wait for their answers at once, and so long: nanoseconds.
const MOST_QUESTIONS: usize = 16_384;
const ANSWERED_WITHIN: u64 = 60_000_000_000;

/// What is kept of the exchanges that have begun.
#[derive(Default)]
pub(super) struct Greetings {
    exchanges: HashMap<Exchange, Reading>,
    questions: Questions,
    /// Greetings that were not whole at first, in the order in which they began.
    begun: VecDeque<(Exchange, Box<SocketEvent>)>,
    /// How many were not understood since this was last asked.
    unread: u64,
    /// How many were let go unread since this was last asked.
    let_go: u64,
}

/// A socket; of UDP, with one of those it talks to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Exchange {
    cookie: u64,
    remote: Option<Endpoint>,
}

struct Reading {
    /// Nanoseconds since boot.
    last: u64,
    /// It is among those that were not whole.
    is_begun: bool,
    names: Names,
}

enum Names {
    Tcp(TcpNames),
    Udp(UdpNames),
}

impl Greetings {
    /// Takes what was said, and gives the names in it.
    pub(super) fn said(&mut self, said: &Said) -> Vec<NameSeen> {
        let event = &said.event;
        let Some(exchange) = Exchange::of(event) else {
            return Vec::new();
        };
        if self.exchanges.len() >= MOST {
            self.let_go();
        }
        let reading = self.exchanges.entry(exchange).or_insert_with(|| {
            let port = |end: Option<Endpoint>| end.and_then(|end| end.port).unwrap_or(0);
            let (ours, theirs) = (port(event.local), port(event.remote));
            let names = if event.protocol == Protocol::Tcp {
                Names::Tcp(TcpNames::new(theirs))
            } else {
                Names::Udp(UdpNames::new(ours, theirs))
            };
            Reading {
                last: 0,
                is_begun: false,
                names,
            }
        });
        reading.last = event.time;
        let side = match event.more {
            More::There => Side::Server,
            More::Nothing
            | More::BothVersions
            | More::OnlyIpv6
            | More::Sends
            | More::Wrote(_)
            | More::MaySend => Side::Client,
        };
        let mut seen = Vec::new();
        let questions = &mut self.questions;
        let mut told = |name: NameSeen| {
            if questions.is_asked_for(exchange, event.time, &name) {
                seen.push(name);
            }
        };
        match &mut reading.names {
            Names::Tcp(names) => {
                let wanted = names.wants(Side::Client);
                names.data(side, Some(said.sequence), &said.bytes, &mut told);
                if wanted && !names.wants(Side::Client) {
                    self.unread += u64::from(names.is_unread());
                } else if names.has_begun() && !reading.is_begun {
                    reading.is_begun = true;
                    self.begun.push_back((exchange, Box::new(event.clone())));
                }
            }
            Names::Udp(names) => names.data(side, &said.bytes, &mut told),
        }
        seen
    }

    /// The socket has ended, or what it had with one peer.
    /// Gives the names in what was not whole.
    pub(super) fn closed(&mut self, event: &SocketEvent) -> Vec<NameSeen> {
        match Exchange::of(event) {
            Some(exchange) => self.end(exchange),
            None => Vec::new(),
        }
    }

    /// The next greeting that should be whole by `now`: what its first event told of its connection, and the
    /// names in what there is of it, if it is not. The kernel tells only how a connection begins.
    pub(super) fn overdue(&mut self, now: u64) -> Option<(SocketEvent, Vec<NameSeen>)> {
        let too_many = self.begun.len() > MOST_BEGUN;
        let (_, event) = self.begun.front()?;
        if !too_many && now < event.time.saturating_add(WHOLE_WITHIN) {
            return None;
        }
        let (exchange, event) = self.begun.pop_front()?;
        let reading = self.exchanges.get(&exchange);
        let waits = reading.is_some_and(|reading| match &reading.names {
            Names::Tcp(names) => names.has_begun(),
            Names::Udp(_) => false,
        });
        let names = if waits {
            self.end(exchange)
        } else {
            Vec::new()
        };
        Some((
            SocketEvent {
                time: now,
                ..*event
            },
            names,
        ))
    }

    fn end(&mut self, exchange: Exchange) -> Vec<NameSeen> {
        let mut seen = Vec::new();
        if let Some(reading) = self.exchanges.remove(&exchange)
            && let Names::Tcp(mut names) = reading.names
            && names.has_begun()
        {
            names.end(&mut |name| seen.push(name));
            self.unread += u64::from(names.is_unread());
        }
        seen
    }

    /// How many greetings were not understood since this was last asked. `None`: none.
    pub(super) fn lately_unread(&mut self) -> Option<u64> {
        let count = std::mem::take(&mut self.unread);
        (count > 0).then_some(count)
    }

    /// How many were let go unread since this was last asked. `None`: none.
    pub(super) fn lately_let_go(&mut self) -> Option<u64> {
        let count = std::mem::take(&mut self.let_go);
        (count > 0).then_some(count)
    }

    fn let_go(&mut self) {
        let mut times: Vec<_> = self.exchanges.values().map(|it| it.last).collect();
        let place = times.len() / PART_LET_GO;
        let (_, newest, _) = times.select_nth_unstable(place);
        let newest = *newest;
        let mut unread = 0;
        self.exchanges.retain(|_, reading| {
            let stays = reading.last > newest;
            let waits = match &reading.names {
                Names::Tcp(names) => names.wants(Side::Client),
                Names::Udp(_) => false,
            };
            unread += u64::from(!stays && waits);
            stays
        });
        self.let_go += unread;
    }
}

/// What was asked and may be answered. Anybody may send an answer to a socket that is bound to no
/// peer: one that was not asked for says nothing, and would name whatever its sender likes.
#[derive(Default)]
struct Questions {
    asked: HashMap<Question, u64>,
    in_time: VecDeque<(u64, Question)>,
}

/// The name in lower case, by the socket it was asked with and whom: DNS among neighbours is answered
/// by others than those who are asked.
type Question = (Exchange, Vec<u8>);

impl Questions {
    /// Remembers a question; whether an answer is one to a question. All else may pass.
    fn is_asked_for(&mut self, exchange: Exchange, time: u64, seen: &NameSeen) -> bool {
        let to_all = matches!(seen.source, NameSource::Mdns | NameSource::Llmnr);
        let (NameSource::Dns | NameSource::Mdns | NameSource::Llmnr, Some(name)) =
            (seen.source, &seen.name)
        else {
            return true;
        };
        let exchange = Exchange {
            remote: exchange.remote.filter(|_| !to_all),
            ..exchange
        };
        let question = (exchange, name.bytes().to_ascii_lowercase());
        if seen.answer.is_some() {
            return self
                .asked
                .get(&question)
                .is_some_and(|asked| time.saturating_sub(*asked) <= ANSWERED_WITHIN);
        }
        self.asked.insert(question.clone(), time);
        self.in_time.push_back((time, question));
        while self.in_time.len() > MOST_QUESTIONS
            && let Some((time, oldest)) = self.in_time.pop_front()
        {
            if self.asked.get(&oldest) == Some(&time) {
                self.asked.remove(&oldest);
            }
        }
        true
    }
}

impl Exchange {
    /// `None`: the event is of no socket.
    fn of(event: &SocketEvent) -> Option<Self> {
        let remote = event.remote.filter(|_| !event.protocol.has_connections());
        (event.cookie != 0).then_some(Self {
            cookie: event.cookie,
            remote,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Answer, Text};

    use crate::parse::socket_event::{Flags, SocketEventKind};
    use crate::parse::tls::tests::chrome;

    fn says(greetings: &mut Greetings, cookie: u64, sequence: u32, bytes: &[u8]) -> Vec<NameSeen> {
        let end = |port| Some(Endpoint::new([192, 0, 2, 1].into(), port));
        let event = SocketEvent {
            time: 5,
            cookie,
            local: end(40_000),
            remote: end(443),
            kind: SocketEventKind::Said,
            flags: Flags::default(),
            owner: None,
            netns: None,
            protocol: Protocol::Tcp,
            peer: [0; 4],
            error: 0,
            bytes_sent: 0,
            bytes_received: 0,
            packets_sent: 0,
            packets_received: 0,
            more: More::Nothing,
        };
        let bytes = bytes.to_vec();
        greetings.said(&Said {
            event,
            sequence,
            bytes,
        })
    }

    #[test]
    fn a_greeting_that_is_not_whole_in_time_is_counted() {
        let hello = chrome();
        let mut greetings = Greetings::default();
        // Whole in two parts; the beginning only, with and without the name; nothing of the web.
        assert!(says(&mut greetings, 1, 1, &hello[..300]).is_empty());
        assert_eq!(says(&mut greetings, 1, 301, &hello[300..]).len(), 1);
        for (cookie, length) in [(2, hello.len() - 1), (3, 20)] {
            assert!(says(&mut greetings, cookie, 1, &hello[..length]).is_empty());
        }
        assert!(says(&mut greetings, 4, 1, b"\0junk").is_empty());
        assert_eq!(greetings.lately_unread(), Some(1));
        assert!(greetings.overdue(5).is_none());
        let mut names = Vec::new();
        while let Some((event, seen)) = greetings.overdue(WHOLE_WITHIN + 5) {
            names.push((event.cookie, seen.len()));
        }
        assert_eq!(names, [(1, 0), (2, 1), (3, 0)]);
        assert_eq!(greetings.lately_unread(), Some(1));
        assert_eq!(greetings.lately_unread(), None);
    }

    #[test]
    fn an_answer_that_nobody_asked_for_is_none() {
        let server = |last| Some(Endpoint::new([192, 0, 2, last].into(), 53));
        let exchange = |cookie, remote| Exchange { cookie, remote };
        let seen = |name: &str, source, answered: bool| NameSeen {
            name: Some(Text::from(name)),
            source,
            question: Some(1),
            answer: answered.then(Box::<Answer>::default),
            greeting: None,
        };
        let mut questions = Questions::default();
        let mut check = |exchange, time, name, source, answered, expected| {
            let passes = questions.is_asked_for(exchange, time, &seen(name, source, answered));
            assert_eq!(passes, expected, "{name} {source:?} at {time}");
        };
        let (dns, mdns) = (NameSource::Dns, NameSource::Mdns);
        check(exchange(1, server(1)), 0, "a.example", dns, true, false);
        check(exchange(1, server(1)), 1, "A.example", dns, false, true);
        check(exchange(1, server(1)), 2, "a.example", dns, true, true);
        // Another server, another socket, too late.
        check(exchange(1, server(2)), 2, "a.example", dns, true, false);
        check(exchange(2, server(1)), 2, "a.example", dns, true, false);
        check(
            exchange(1, server(1)),
            70_000_000_000,
            "a.example",
            dns,
            true,
            false,
        );
        check(exchange(3, server(1)), 5, "b.local", mdns, false, true);
        check(exchange(3, server(9)), 6, "b.local", mdns, true, true);
        check(exchange(3, server(9)), 6, "c.local", mdns, true, false);
        check(
            exchange(4, None),
            6,
            "shop.example",
            NameSource::Sni,
            false,
            true,
        );
    }

    #[test]
    fn questions_are_bounded() {
        let mut questions = Questions::default();
        let exchange = Exchange {
            cookie: 1,
            remote: None,
        };
        for number in 0..MOST_QUESTIONS as u64 + 100 {
            let seen = NameSeen {
                name: Some(Text::from(format!("{number}.example"))),
                source: NameSource::Dns,
                question: Some(1),
                answer: None,
                greeting: None,
            };
            assert!(questions.is_asked_for(exchange, number, &seen));
        }
        assert!(questions.asked.len() <= MOST_QUESTIONS);
        assert!(questions.in_time.len() <= MOST_QUESTIONS);
    }
}
