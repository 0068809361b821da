//! Packets into connections, with the names, processes and devices that belong to them. A packet goes
//! in as it stands in the capture; what is finished is handed on.

use model::{Event, EventKind, Gap, IcmpKind, Imported, NameSeen, Part, Protocol, Source};

use super::super::format::Out;
use super::connection::{Shared, connection, sides, socket};
use super::conversation::{Conversation, End, Segment};
use super::devices::Devices;
use super::errors;
use super::fragments::Fragments;
use super::link::{self, Linked, Mac, Payload, Way};
use super::pktap::Told;
use super::processes::{Index, Processes};
use super::resolved::Resolved;
use super::table::{Key, Open, Place, Table};
use super::unseen::Unseen;
use crate::names::greetings_unread;
use crate::parse::packet::ip::Ip;
use crate::parse::packet::{self, ICMP, ICMPV6, TCP, UDP};

/// So many conversations are remembered at once.
const MOST_OPEN: usize = 1_000_000;
/// IP in IP in IP: more is in no packet that a person made in earnest.
const MOST_TUNNELS: usize = 4;
/// So many are handed on at once at the end.
const AT_ONCE: usize = 8192;

const IP_IN_IP: u8 = 4;
const IPV6_IN_IP: u8 = 41;
const GRE: u8 = 47;

/// A packet as it stands in a capture.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// In nanoseconds since 1970. `None`: not told.
    pub(super) time: Option<i64>,
    /// What its bytes begin with.
    pub(super) link: u16,
    pub(super) bytes: &'a [u8],
    /// How long it was; `bytes` may be fewer.
    pub(super) length: u32,
    pub(super) way: Option<Way>,
}

/// What a packet has besides its headers.
#[derive(Clone, Copy)]
struct Passing {
    time: Option<i64>,
    length: u32,
    /// So many of its bytes were not captured.
    cut: usize,
    sender: Option<Mac>,
    way: Option<Way>,
}

/// A process that the packet at hand is said to belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owned {
    pub(super) process: Index,
    pub(super) is_doubtful: bool,
}

pub(super) struct Book {
    table: Table,
    fragments: Fragments,
    pub(super) processes: Processes,
    devices: Devices,
    pub(super) resolved: Resolved,
    /// Of the packet at hand; whoever reads the file sets them first.
    pub(super) owners: Vec<Owned>,
    names: Vec<NameSeen>,
    pub(super) packets: u64,
    now: i64,
    /// When the first packet came, and the last.
    times: Option<(i64, i64)>,
    /// Those that had to go before they were over.
    forgotten: u64,
    /// Those whose greeting was not understood.
    unread: u64,
    unseen: Unseen,
    /// At the end: who is handed on next.
    next: Place,
    #[cfg(test)]
    pub(super) finished: Vec<(Key, Conversation)>,
}

impl Default for Book {
    fn default() -> Self {
        Self::new(MOST_OPEN)
    }
}

impl Book {
    /// With room for so many conversations at once.
    pub(super) fn new(most_open: usize) -> Self {
        Self {
            table: Table::new(most_open),
            fragments: Fragments::default(),
            processes: Processes::default(),
            devices: Devices::default(),
            resolved: Resolved::default(),
            owners: Vec::new(),
            names: Vec::new(),
            packets: 0,
            now: 0,
            times: None,
            forgotten: 0,
            unread: 0,
            unseen: Unseen::default(),
            next: 0,
            #[cfg(test)]
            finished: Vec::new(),
        }
    }

    /// Takes a packet.
    #[inline]
    pub(super) fn packet(&mut self, frame: &Frame<'_>, out: &mut Out) {
        self.packets += 1;
        let Some(linked) = Linked::of(frame.link, frame.bytes) else {
            self.skip("it is cut short in the header of its link", out);
            return;
        };
        if let Some(told) = linked.told {
            self.told(told);
        }
        if let Some(time) = frame.time {
            self.now = time;
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first.min(time), last.max(time)));
        }
        let length = usize::try_from(frame.length).unwrap_or(usize::MAX);
        self.unseen.cut += u64::from(length > frame.bytes.len());
        let passing = Passing {
            time: frame.time,
            length: frame.length,
            cut: length.saturating_sub(frame.bytes.len()),
            sender: linked.sender,
            way: linked.way.or(frame.way),
        };
        match linked.payload {
            Payload::Ip(bytes) => self.ip(bytes, passing, out),
            Payload::Arp(bytes) => {
                if let Some((mac, ip)) = link::arp(bytes) {
                    self.devices.claimed(mac, ip.into());
                }
            }
            Payload::Other => self.unseen.others += 1,
            Payload::UnknownLink(number) => out.skip(
                || format!("packet {}", self.packets),
                || format!("links of type {number} are not known"),
            ),
        }
        if let Some(place) = self.table.silent(self.now) {
            self.finish(place, true, out);
        }
    }

    /// Hands on what is left, a part at a time. `false`: that was all.
    pub(super) fn end(&mut self, out: &mut Out) -> bool {
        let until = (self.next + AT_ONCE).min(self.table.slots());
        for place in self.next..until {
            let is_over = self.table.is_over(place, self.now);
            self.finish(place, is_over, out);
        }
        self.next = until;
        self.processes.flush(out);
        if until < self.table.slots() {
            return true;
        }
        self.devices.flush(out);
        if let Some((first, last)) = self.times {
            out.seen
                .push(Imported::Span(out.time(first), out.time(last)));
        }
        out.seen.extend(self.processes.gaps().map(Imported::Gap));
        if self.forgotten > 0 {
            let gap = Gap::standing(
                "too_many_connections",
                Source::Capture,
                format!("more than {MOST_OPEN} connections were open at once"),
                "what was said later on those that had been silent for long stands as further connections",
            );
            let count = Some(self.forgotten);
            out.seen.push(Imported::Gap(Gap { count, ..gap }));
        }
        self.unseen.tell(out);
        if self.unread > 0 {
            let count = Some(self.unread);
            let gap = greetings_unread(Source::Capture);
            out.seen.push(Imported::Gap(Gap { count, ..gap }));
        }
        false
    }

    fn skip(&self, why: &str, out: &mut Out) {
        out.skip(|| format!("packet {}", self.packets), || why.to_owned());
    }

    fn told(&mut self, told: Told<'_>) {
        if let Some(effective) = told.effective {
            self.processes.named(effective.pid, effective.name);
        }
        let process = told
            .owner
            .and_then(|owner| self.processes.named(owner.pid, owner.name));
        self.owners.extend(process.map(|process| Owned {
            process,
            is_doubtful: false,
        }));
    }

    #[inline]
    fn ip(&mut self, bytes: &[u8], passing: Passing, out: &mut Out) {
        let Some(mut ip) = Ip::of(bytes) else {
            self.skip("its IP header makes no sense, or is cut short", out);
            return;
        };
        for _ in 0..MOST_TUNNELS {
            let Some(inner) = tunnelled(&ip) else { break };
            self.unseen.tunnelled(ip.source, ip.destination);
            ip = inner;
        }
        let there = ip.payload.len() + passing.cut;
        // A packet does not carry more than it is long.
        let length = ip.length.map_or(there, |length| length.min(there));
        let part = ip.part;
        let whole = (ip.source, ip.destination, ip.number);
        if let Part::Later(id) = part {
            let length = ip.length.unwrap_or(0);
            let length = length.min(usize::try_from(passing.length).unwrap_or(0));
            if let Some((key, sender)) = self.fragments.first(whole, id) {
                let place = self.enter(key, sender, None, passing, out);
                self.payload(place, sender, length);
            } else {
                self.unseen.fragments += 1;
            }
            return;
        }
        let (key, sender) = match ip.number {
            TCP => {
                let Some((key, sender)) = with_ports(&ip) else {
                    self.skip("it is cut short before its ports", out);
                    return;
                };
                self.tcp(&ip, key, sender, length, passing, out);
                (key, sender)
            }
            UDP => {
                let Some((key, sender)) = with_ports(&ip) else {
                    self.skip("it is cut short before its ports", out);
                    return;
                };
                let place = self.enter(key, sender, None, passing, out);
                self.payload(place, sender, length.saturating_sub(8));
                let said = ip.payload.get(8..).filter(|_| part == Part::Whole);
                self.said(place, sender, None, said.unwrap_or_default(), passing, out);
                (key, sender)
            }
            ICMP | ICMPV6 => {
                self.icmp(&ip, length, passing, out);
                return;
            }
            number => {
                let (_, ports) = ip.transport();
                let ports = ports.unwrap_or_default();
                let (key, sender) = Key::of(ip.source, ip.destination, ports, number.into());
                let place = self.enter(key, sender, None, passing, out);
                self.payload(place, sender, length);
                (key, sender)
            }
        };
        if let Part::First(id) = part {
            self.unseen.in_parts += 1;
            self.fragments.began(whole, id, key, sender);
        }
    }

    #[inline]
    fn tcp(
        &mut self,
        ip: &Ip<'_>,
        key: Key,
        sender: End,
        length: usize,
        passing: Passing,
        out: &mut Out,
    ) {
        let Some((header, _)) = ip.payload.split_first_chunk::<14>() else {
            // Its flags are cut off.
            self.enter(key, sender, None, passing, out);
            return;
        };
        let &[_, _, _, _, a, b, c, d, _, _, _, _, offset, flags] = header;
        let header = usize::from(offset >> 4) * 4;
        let length = u32::try_from(length.saturating_sub(header)).unwrap_or(0);
        let segment = Segment {
            flags,
            sequence: u32::from_be_bytes([a, b, c, d]),
            length,
        };
        let place = self.enter(key, sender, Some(segment), passing, out);
        let time = passing.time.unwrap_or(self.now);
        if let Some(open) = self.table.get(place) {
            open.conversation.segment(sender, segment, time);
        }
        if length > 0 && header >= 20 {
            let bytes = ip.payload.get(header..).unwrap_or_default();
            // What a SYN carries stands behind it.
            let sequence = segment
                .sequence
                .wrapping_add(u32::from(flags & super::conversation::SYN != 0));
            self.said(place, sender, Some(sequence), bytes, passing, out);
        }
    }

    fn icmp(&mut self, ip: &Ip<'_>, length: usize, passing: Passing, out: &mut Out) {
        let (Protocol::Icmp(kind), _) = ip.transport() else {
            return;
        };
        if let Some(about) = packet::quoted(ip) {
            let place = quoted_key(&about, ip).and_then(|key| self.table.place(&key));
            if let Some(open) = place.and_then(|place| self.table.get(place)) {
                if let Some(errno) = errors::of(ip.number, kind) {
                    let time = passing.time.unwrap_or(self.now);
                    open.conversation.failed(errno, time);
                }
                return;
            }
        }
        let (kind, is_answer) = errors::question(ip.number, kind);
        let (key, sender) = Key::of(
            ip.source,
            ip.destination,
            (kind.id.unwrap_or(0), kind.id.unwrap_or(0)),
            u16::from_le_bytes([ip.number, kind.kind.unwrap_or(0)]),
        );
        let place = self.enter(key, sender, None, passing, out);
        if let Some(open) = self.table.get(place) {
            let conversation = &mut open.conversation;
            if is_answer && conversation.of(1 - sender).packets == 0 {
                // Who asked has said nothing that was captured.
                conversation.opener = None;
                conversation.first_sender = 1 - sender;
            }
            conversation.kind = kind;
        }
        self.payload(place, sender, length.saturating_sub(8));
    }

    /// The conversation of a packet, which is counted; it begins with it where there is none.
    #[inline]
    fn enter(
        &mut self,
        key: Key,
        sender: End,
        segment: Option<Segment>,
        passing: Passing,
        out: &mut Out,
    ) -> Place {
        let mut found = self.table.place(&key);
        if let Some(place) = found
            && let Some(open) = self.table.get(place)
        {
            let conversation = &open.conversation;
            let is_over = match segment {
                Some(segment) => conversation.is_reopened(sender, segment),
                None => {
                    !key.is_tcp()
                        && conversation.is_timed
                        && passing.time.is_some_and(|time| {
                            let silence = time.saturating_sub(conversation.last);
                            silence > conversation.ends_after(false)
                        })
                }
            };
            if is_over {
                self.finish(place, true, out);
                found = None;
            }
        }
        let place = match found {
            Some(place) => place,
            None => self.begin(key, sender, passing, out),
        };
        let Some(open) = self.table.get(place) else {
            return place;
        };
        let conversation = &mut open.conversation;
        if conversation.of(sender).packets == 0
            && let Some(mac) = passing.sender
        {
            self.devices.sent(mac, key.ip(sender));
        }
        conversation.packet(sender, passing.time, passing.length);
        if let Some(way) = passing.way {
            let local = match way {
                Way::Out => sender,
                Way::In => 1 - sender,
            };
            if let Some(count) = conversation.local.get_mut(local) {
                *count += 1;
            }
        }
        for owner in &self.owners {
            conversation.claim(owner.process, sender, owner.is_doubtful);
        }
        place
    }

    fn begin(&mut self, key: Key, sender: End, passing: Passing, out: &mut Out) -> Place {
        if self.table.is_full()
            && let Some(place) = self.table.silent_for_long()
        {
            self.forgotten += 1;
            self.finish(place, false, out);
        }
        // An answer to a question that nobody saw: from the port of a server, to one of a client.
        let is_answer = key.port(sender) < 1024 && key.port(1 - sender) >= 1024;
        let is_seen_open = !key.is_udp() || !is_answer;
        let opens = !key.is_tcp() && is_seen_open;
        let conversation = Conversation::begin(self.packets, sender, opens, passing.time, self.now);
        self.table.add(key, conversation)
    }

    fn payload(&mut self, place: Place, sender: End, length: usize) {
        let now = self.now;
        if let Some(open) = self.table.get(place) {
            let length = u32::try_from(length).unwrap_or(0);
            open.conversation.payload(sender, length, now);
        }
    }

    /// Reads names out of what was said.
    #[inline]
    fn said(
        &mut self,
        place: Place,
        sender: End,
        sequence: Option<u32>,
        bytes: &[u8],
        passing: Passing,
        out: &mut Out,
    ) {
        let Some((key, open)) = self.table.known(place) else {
            return;
        };
        if bytes.is_empty() || open.reading.is_over() {
            return;
        }
        let Open {
            conversation,
            reading,
        } = open;
        let names = &mut self.names;
        let is_unread = reading.said(key, conversation, sender, sequence, bytes, names);
        self.unread += u64::from(is_unread);
        if self.names.is_empty() {
            return;
        }
        if let Some(mac) = passing.sender {
            for seen in &self.names {
                self.devices.named(mac, key.ip(sender), seen);
            }
        }
        let time = passing.time.unwrap_or(self.now);
        let processes = &self.processes;
        hand_on(key, conversation, time, &mut self.names, processes, out);
    }

    fn finish(&mut self, place: Place, is_over: bool, out: &mut Out) {
        let Some((key, open)) = self.table.take(place) else {
            return;
        };
        let Open {
            mut conversation,
            reading,
        } = open;
        let is_unread = reading.end(&conversation, &mut self.names);
        self.unread += u64::from(is_unread);
        let time = conversation.last;
        let names = &mut self.names;
        hand_on(key, &mut conversation, time, names, &self.processes, out);
        let mut shared = Shared {
            processes: &self.processes,
            devices: &mut self.devices,
            resolved: &self.resolved,
        };
        let connection = connection(key, &mut conversation, is_over, &mut shared, out);
        out.seen.push(Imported::Connection(Box::new(connection)));
        #[cfg(test)]
        self.finished.push((key, conversation));
    }
}

/// Hands on names that were read.
fn hand_on(
    key: Key,
    conversation: &mut Conversation,
    time: i64,
    names: &mut Vec<NameSeen>,
    processes: &Processes,
    out: &mut Out,
) {
    if names.is_empty() {
        return;
    }
    let (local, _) = sides(key, conversation);
    let socket = socket(conversation, out);
    let owner = conversation.claims.iter().find(|claim| !claim.is_doubtful);
    let process = owner.and_then(|claim| processes.id(claim.process, out.source()));
    for seen in names.drain(..) {
        let event = Event {
            seq: 0,
            time: out.time(time),
            boot_ns: 0,
            source: Source::Capture,
            kind: EventKind::NameSeen,
            process,
            thread: None,
            netns: None,
            socket: Some(socket),
            protocol: Some(key.protocol(conversation.kind)),
            local: Some(key.endpoint(local)),
            remote: Some(key.endpoint(1 - local)),
            error: None,
            bytes_sent: None,
            bytes_received: None,
            packets_sent: None,
            packets_received: None,
            detail: model::Detail::Name(seen),
        };
        out.seen.push(Imported::Name(Box::new(event)));
    }
}

#[inline]
fn with_ports(ip: &Ip<'_>) -> Option<(Key, End)> {
    let &[a, b, c, d] = ip.payload.first_chunk()?;
    let ports = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    Some(Key::of(ip.source, ip.destination, ports, ip.number.into()))
}

/// The IP packet within another one. `None`: there is none.
#[inline]
fn tunnelled<'a>(ip: &Ip<'a>) -> Option<Ip<'a>> {
    if ip.part != Part::Whole {
        return None;
    }
    match ip.number {
        IP_IN_IP | IPV6_IN_IP => Ip::of(ip.payload),
        // RFC 2784, 2.1 and RFC 2890, 2: a checksum, a key and a number may follow the kind.
        GRE => {
            let &[flags, version, high, low] = ip.payload.first_chunk()?;
            let is_ip = matches!([high, low], [0x08, 0x00] | [0x86, 0xdd]) && version & 7 == 0;
            let more = (flags & 0b1011_0000).count_ones() * 4 + 4;
            let inner = ip.payload.get(usize::try_from(more).ok()?..)?;
            is_ip.then(|| Ip::of(inner)).flatten()
        }
        _ => None,
    }
}

/// Which conversation an ICMP error is about.
fn quoted_key(about: &model::Quoted, error: &Ip<'_>) -> Option<Key> {
    let (source, destination) = (about.source.ip?, about.destination.ip?);
    let ports = about.source.port.zip(about.destination.port);
    let (ports, number) = match about.protocol {
        Protocol::Tcp => (ports?, u16::from(TCP)),
        Protocol::Udp => (ports?, u16::from(UDP)),
        Protocol::Icmp(kind) => {
            let (kind, _) = errors::question(error.number, kind);
            let IcmpKind { kind, id, .. } = kind;
            let id = id.unwrap_or(0);
            let number = u16::from_le_bytes([error.number, kind.unwrap_or(0)]);
            ((id, id), number)
        }
        Protocol::Mptcp
        | Protocol::UdpLite
        | Protocol::Sctp
        | Protocol::Dccp
        | Protocol::Raw { .. }
        | Protocol::Packet { .. }
        | Protocol::Other(_) => return None,
    };
    Some(Key::of(source, destination, ports, number).0)
}
