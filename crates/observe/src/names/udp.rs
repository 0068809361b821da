//! The names of a UDP exchange.

use model::{Answer, NameSeen, NameSource, Text};

use super::super::parse::cursor::Cursor;
use super::super::parse::dhcp;
use super::super::parse::ja4::Transport;
use super::super::parse::quic::{Initial, Keys, Packet, crypto, packets};
use super::super::parse::tls::{CLIENT_HELLO, ClientHello, HANDSHAKE, MESSAGE_HEADER, message};
use super::ahead::Ahead;
use super::{Side, Told, seen};

/// So many datagrams of a client are looked at for the greeting.
const MOST_DATAGRAMS: u8 = 24;
/// So many packets of each: a client puts few into one.
const MOST_PACKETS: usize = 8;
const LONGEST_HELLO: usize = 32 * 1024;

/// What is kept of one UDP exchange until its greeting could be read.
#[derive(Debug)]
pub(crate) struct UdpNames {
    kind: Kind,
    /// So many datagrams of the client were looked at for its greeting.
    looked: u8,
    waiting: Option<Box<Waiting>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Dns,
    Mdns,
    Llmnr,
    Dhcp4,
    Dhcp6,
    /// A greeting of TLS, perhaps: by QUIC or DTLS.
    Greeting,
    Done,
}

#[derive(Debug, Default)]
struct Waiting {
    /// How a device calls itself, and its transaction: the answer does not have to repeat it.
    device: Option<(u32, Text)>,
    hello: Hello,
}

/// A greeting in parts.
#[derive(Debug, Default)]
struct Hello {
    keys: Option<Keys>,
    whole: Vec<u8>,
    ahead: Ahead,
}

impl UdpNames {
    pub(crate) fn new(client_port: u16, server_port: u16) -> Self {
        // Answers of neighbours go from the port of the service to any port.
        let kind = [server_port, client_port]
            .into_iter()
            .find_map(|port| match port {
                53 => Some(Kind::Dns),
                5353 => Some(Kind::Mdns),
                5355 => Some(Kind::Llmnr),
                67 | 68 => Some(Kind::Dhcp4),
                546 | 547 => Some(Kind::Dhcp6),
                _ => None,
            });
        Self {
            kind: kind.unwrap_or(Kind::Greeting),
            looked: 0,
            waiting: None,
        }
    }

    /// A datagram that one side sent.
    pub(crate) fn data(&mut self, side: Side, bytes: &[u8], told: &mut Told<'_>) {
        match self.kind {
            Kind::Dns => seen::dns(bytes, NameSource::Dns, told),
            Kind::Mdns => seen::dns(bytes, NameSource::Mdns, told),
            Kind::Llmnr => seen::dns(bytes, NameSource::Llmnr, told),
            Kind::Dhcp4 => self.dhcp(dhcp::four(bytes), told),
            Kind::Dhcp6 => self.dhcp(dhcp::six(bytes), told),
            Kind::Greeting if side == Side::Client => {
                self.looked += 1;
                if !self.greeting(bytes, told) || self.looked >= MOST_DATAGRAMS {
                    self.give_up(told);
                }
            }
            Kind::Greeting | Kind::Done => {}
        }
    }

    /// Nothing more comes: tells what can be read of a greeting that was cut short.
    pub(crate) fn end(&mut self, told: &mut Told<'_>) {
        if self.kind == Kind::Greeting {
            self.give_up(told);
        }
    }

    /// Whether more of this side may be read. `false`: whoever feeds it may stop.
    pub(crate) fn wants(&self, side: Side) -> bool {
        match self.kind {
            Kind::Greeting => side == Side::Client,
            Kind::Done => false,
            Kind::Dns | Kind::Mdns | Kind::Llmnr | Kind::Dhcp4 | Kind::Dhcp6 => true,
        }
    }

    fn dhcp(&mut self, device: Option<dhcp::Device>, told: &mut Told<'_>) {
        let Some(device) = device else {
            return;
        };
        let mut name = device.name;
        if let Some(name) = &name {
            let waiting = self.waiting.get_or_insert_default();
            waiting.device = Some((device.transaction, name.clone()));
        } else if device.is_answer
            && let Some((transaction, earlier)) = self
                .waiting
                .as_ref()
                .and_then(|waiting| waiting.device.as_ref())
            && *transaction == device.transaction
        {
            name = Some(earlier.clone());
        }
        let Some(name) = name else {
            return;
        };
        let mut seen = NameSeen::only(name, NameSource::Dhcp);
        if !device.addresses.is_empty() {
            seen.answer = Some(Box::new(Answer {
                addresses: device.addresses,
                ..Answer::default()
            }));
        }
        told(seen);
    }

    /// Reads a datagram of a client. `false`: no more of them are wanted.
    fn greeting(&mut self, datagram: &[u8], told: &mut Told<'_>) -> bool {
        if datagram.first() == Some(&HANDSHAKE) {
            return self.datagram_tls(datagram, told);
        }
        let mut is_quic = false;
        for packet in packets(datagram).take(MOST_PACKETS) {
            is_quic = true;
            if let Packet::Initial(initial) = packet
                && self.initial(&initial, told)
            {
                return false;
            }
        }
        is_quic
    }

    /// `true`: the greeting is told.
    fn initial(&mut self, initial: &Initial<'_>, told: &mut Told<'_>) -> bool {
        let hello = self.hello();
        let opened = hello.keys.as_ref().and_then(|keys| keys.open(initial));
        let payload = match opened {
            Some(payload) => payload,
            None => {
                // The first one; or the server sent a Retry, which changes the keys; or this is
                // another try with another version.
                let Some(keys) = Keys::of_client(initial.version, initial.destination) else {
                    return false;
                };
                let Some(payload) = keys.open(initial) else {
                    return false;
                };
                *hello = Hello {
                    keys: Some(keys),
                    ..Hello::default()
                };
                payload
            }
        };
        for (place, bytes) in crypto(&payload) {
            hello.put(place, bytes);
        }
        let Some(body) = hello.body() else {
            return false;
        };
        if let Some(client) = ClientHello::read(body, false) {
            told(seen::hello(&client, Transport::Quic, Some(initial.version)));
        }
        self.waiting = None;
        true
    }

    /// DTLS (RFC 6347, 4.1 and 4.2.2): records with numbers, and messages with their places.
    /// `false`: no more are wanted.
    fn datagram_tls(&mut self, datagram: &[u8], told: &mut Told<'_>) -> bool {
        let mut rest = Cursor::new(datagram);
        while let Some((HANDSHAKE, record)) = datagram_record(&mut rest) {
            let mut record = Cursor::new(record);
            let header = (|| {
                let kind = record.u8()?;
                let length = record.array::<3>()?;
                let _number = record.u16()?;
                Some((kind, length, record.u24()?, record.u24()?))
            })();
            let Some((CLIENT_HELLO, [high, middle, low], place, part)) = header else {
                return false;
            };
            let part = usize::try_from(part)
                .ok()
                .and_then(|part| record.take(part));
            let Some(part) = part else {
                return false;
            };
            let hello = self.hello();
            hello.put(0, &[CLIENT_HELLO, high, middle, low]);
            hello.put(u64::from(place) + 4, part);
            if let Some(body) = hello.body() {
                if let Some(client) = ClientHello::read(body, true) {
                    told(seen::hello(&client, Transport::Datagrams, None));
                }
                self.waiting = None;
                return false;
            }
        }
        self.waiting.is_some()
    }

    fn hello(&mut self) -> &mut Hello {
        &mut self.waiting.get_or_insert_default().hello
    }

    fn give_up(&mut self, told: &mut Told<'_>) {
        self.kind = Kind::Done;
        let Some(waiting) = self.waiting.take() else {
            return;
        };
        let Hello {
            keys: Some(keys),
            whole,
            ..
        } = &waiting.hello
        else {
            return;
        };
        if whole.first() == Some(&CLIENT_HELLO)
            && let Some(client) = ClientHello::part(whole.get(MESSAGE_HEADER..).unwrap_or_default())
        {
            told(seen::hello(&client, Transport::Quic, Some(keys.version())));
        }
    }
}

/// Type and contents of a record of DTLS.
fn datagram_record<'a>(rest: &mut Cursor<'a>) -> Option<(u8, &'a [u8])> {
    let kind = rest.u8()?;
    let [major, _minor] = rest.array()?;
    let _epoch_and_number = rest.take(8)?;
    (major == 0xfe).then_some((kind, rest.counted16()?))
}

impl Hello {
    fn put(&mut self, place: u64, bytes: &[u8]) {
        let Ok(place) = u32::try_from(place) else {
            return;
        };
        let limit = u32::try_from(LONGEST_HELLO).unwrap_or(u32::MAX);
        if place < limit && self.ahead.keep(place, bytes) {
            let taken = u32::try_from(self.whole.len()).unwrap_or(u32::MAX);
            self.whole
                .extend(self.ahead.take(taken).unwrap_or_default());
        }
    }

    /// The greeting behind its header. `None`: it is not whole.
    fn body(&self) -> Option<&[u8]> {
        let (kind, length) = message(&self.whole)?;
        if kind != CLIENT_HELLO {
            return Some(&[]);
        }
        self.whole.get(MESSAGE_HEADER..length)
    }
}
