//! The thread that takes packets out of the rings, finds whose they are, and makes bytes of them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::{NetworkNamespace, Packet, PacketOwner, Timestamp};
use observe::packets::{Captured, Lender, Packets};
use record::pcapng::{Header, Statistics, Writer};
use track::flows::Flows;

use super::batch::Batch;
use super::images::Images;
use super::names::{Named, Names};
use super::queue::{Closing, Queue};
use super::run::{Run, Stop};

/// How long to wait for packets before looking after everything else.
const STEP: Duration = Duration::from_millis(50);
/// Bytes are handed on when there are so many, or nothing more has come: few enough to be still in
/// the processor's memory when they are written and hashed.
const PIECE: usize = 256 * 1024;
/// Packets as long as this stay in the ring until they are written; shorter ones are copied, which
/// costs less than to write them piece by piece.
const LEAST_LENT: usize = 2 * 1024;
const COUNTED_EACH: Duration = Duration::from_secs(1);
const STATISTICS_EACH: Duration = Duration::from_secs(60);
/// What was on its way when the events ended is in the rings after this at the latest.
const ON_THE_WAY: Duration = Duration::from_millis(150);
/// What comes later than this after the end is not of this recording.
const LONGEST_REST: Duration = Duration::from_millis(400);

/// Takes packets until the events are over, and then what is left of them.
pub(super) fn take_all(packets: Packets, header: Header, queue: &Queue, run: &Run) {
    let _closing = Closing(queue);
    let mut taking = Taking {
        packets,
        encoding: Encoding {
            writer: Writer::new(header),
            images: Images::default(),
            names: Names::default(),
            batch: Vec::with_capacity(PIECE * 2).into(),
            packets: 0,
            told: 0,
            segment: 1,
            statistics: Vec::new(),
            queue,
            run,
        },
        namespaces: HashMap::new(),
    };
    if let Err(error) = taking.run() {
        run.stop(Stop::Failed(error.into()));
    }
    taking.end();
}

struct Taking<'a> {
    packets: Packets,
    encoding: Encoding<'a>,
    /// When each was first heard of.
    namespaces: HashMap<NetworkNamespace, Timestamp>,
}

struct Encoding<'a> {
    writer: Writer,
    images: Images,
    names: Names,
    batch: Batch,
    /// Of the whole case.
    packets: u64,
    /// Of these, the packets whose bytes were handed on.
    told: u64,
    /// Counted from 1.
    segment: u32,
    /// As they were counted last.
    statistics: Vec<Statistics>,
    queue: &'a Queue,
    run: &'a Run,
}

impl Taking<'_> {
    fn run(&mut self) -> Result<(), observe::Error> {
        self.encoding.start();
        let (mut counted, mut summed) = (Instant::now(), Instant::now());
        let mut over = None;
        loop {
            // An event tells of packets that are somewhat older, too.
            let until = self
                .encoding
                .run
                .until()
                .saturating_sub(Flows::LOOK_AHEAD_NS);
            let encoding = &mut self.encoding;
            let taken = self
                .packets
                .next(STEP, until, &mut |captured| encoding.take(captured))?;
            self.encoding.hand_on();
            if self.packets.is_scarce() {
                self.encoding.queue.copy_lent();
            }
            if counted.elapsed() >= COUNTED_EACH {
                counted = Instant::now();
                self.count();
                if summed.elapsed() >= STATISTICS_EACH {
                    summed = Instant::now();
                    self.encoding.write_statistics();
                }
            }
            if self.encoding.queue.is_next_due() {
                self.count();
                self.encoding.next_segment();
            }
            if self.encoding.run.are_events_over() {
                let over = *over.get_or_insert_with(Instant::now);
                // Others may go on for ever.
                let is_quiet = taken == 0 && over.elapsed() >= ON_THE_WAY;
                if is_quiet || over.elapsed() >= LONGEST_REST {
                    return Ok(());
                }
            }
        }
    }

    fn end(&mut self) {
        self.count();
        self.encoding.write_statistics();
        self.encoding.hand_on();
    }

    /// Counts what came and what was lost.
    fn count(&mut self) {
        let now = observe::now();
        let mut lost = self.packets.dropped_in_others();
        self.encoding.statistics.clear();
        for counts in self.packets.counts() {
            let began = *self.namespaces.entry(counts.netns).or_insert(now);
            lost += counts.dropped;
            self.encoding.statistics.push(Statistics {
                // 0 stands for none.
                netns: Some(counts.netns).filter(|netns| netns.0 != 0),
                interface: None,
                began,
                ended: now,
                received: counts.received,
                dropped: counts.dropped,
                delivered: counts.received.saturating_sub(counts.dropped),
            });
        }
        self.encoding.run.count_packets_lost(lost);
        self.encoding.learn();
        let run = self.encoding.run;
        if !run.are_events_over() {
            run.ownership().flows.forget(run.until());
        }
    }
}

impl Encoding<'_> {
    fn start(&mut self) {
        self.writer.start(self.segment, &mut self.batch.bytes);
    }

    fn next_segment(&mut self) {
        self.write_statistics();
        self.hand_on();
        self.queue.begin_next();
        self.segment += 1;
        self.start();
        self.repeat_names();
    }

    fn write_statistics(&mut self) {
        for statistics in &self.statistics {
            let bytes = &mut self.batch.bytes;
            self.writer.statistics(statistics.ended, statistics, bytes);
        }
    }

    fn take(&mut self, captured: Captured<'_>) {
        match captured {
            Captured::Packet(packet, lender) => self.packet(packet, lender),
            Captured::Interface(interface) => {
                self.run.ownership().flows.interface(interface);
                self.writer.interface(interface);
            }
            Captured::Gap(gap) => self.run.add_gap(gap),
        }
    }

    fn packet(&mut self, packet: &Packet<'_>, lender: Lender<'_>) {
        let owner = self.owner(packet);
        self.packets += 1;
        let (seq, bytes) = (self.packets, &mut self.batch.bytes);
        let is_large = packet.bytes.len() >= LEAST_LENT;
        let lent = is_large.then(|| lender.lend(packet.bytes)).flatten();
        let placed = lent.and_then(|lent| {
            let place = self.writer.packet_around(packet, &owner, seq, 0, bytes);
            Some((place?, lent))
        });
        match placed {
            Some((place, lent)) => self.batch.lend(place, lent),
            None => self.writer.packet(packet, &owner, seq, 0, bytes),
        }
        if self.batch.len() >= PIECE {
            self.hand_on();
            // Rings hold more than a case of limited size: it is not to wait until they are empty.
            if self.queue.is_next_due() {
                self.next_segment();
            }
        }
    }

    fn owner(&mut self, packet: &Packet<'_>) -> PacketOwner {
        let mut ownership = self.run.ownership();
        for image in ownership.processes.drain(..) {
            self.images.learn(image, &mut self.writer);
        }
        let owner = ownership.flows.owner(packet);
        let names = std::mem::take(&mut ownership.names);
        drop(ownership);
        self.name(&names);
        if let PacketOwner::Known { process, .. } = owner {
            self.images.at(process, packet.boot_ns, &mut self.writer);
        }
        owner
    }

    /// Takes over what is known of processes, also where no packet asks for it.
    fn learn(&mut self) {
        let mut ownership = self.run.ownership();
        let images = std::mem::take(&mut ownership.processes);
        // Before the first packet there may be no interface, with which a file has to begin.
        let names = match self.packets {
            0 => Vec::new(),
            _ => std::mem::take(&mut ownership.names),
        };
        drop(ownership);
        for image in images {
            self.images.learn(image, &mut self.writer);
        }
        self.name(&names);
        if !self.run.are_events_over() {
            self.images.forget(self.run.until(), &mut self.writer);
        }
    }

    /// Writes the names of addresses that are news.
    fn name(&mut self, named: &[Named]) {
        let news = named.iter().filter(|named| self.names.learn(named));
        let news: Vec<_> = news.map(|(ip, name)| (*ip, &**name)).collect();
        if !news.is_empty() {
            self.writer.names(&news, &mut self.batch.bytes);
        }
    }

    /// Has a file that begins tell the names that those before it told.
    fn repeat_names(&mut self) {
        let known: Vec<_> = self.names.all().collect();
        self.writer.names(&known, &mut self.batch.bytes);
    }

    fn hand_on(&mut self) {
        let count = self.packets - self.told;
        self.told = self.packets;
        self.run.count_packets(self.packets);
        self.queue.put_batch(&mut self.batch, count);
    }
}
