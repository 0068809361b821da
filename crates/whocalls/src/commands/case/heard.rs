//! When the connections of a case sent, by the packets that are in it.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Result;
use model::{NetworkNamespace, Snapshot, Timestamp};
use record::case::{Kind, OpenCase};
use record::pcapng::{Item, PacketRead};
use show::quantity;
use track::{Heard, Hearing, Sent};

use super::Missing;
use super::packets::{self, Part};
use crate::output::Talk;

/// How often it is said how far the reading is.
const SHOWN_EACH: Duration = Duration::from_millis(250);

/// What the packets tell of the connections of `snapshot`, up to a moment where one is given. `progress` is
/// handed how many bytes were read, and of how many; no more is read when it says so.
///
/// Errors: the case cannot be read.
pub(in crate::commands) fn heard(
    case: &OpenCase,
    snapshot: &Snapshot,
    until: Option<Timestamp>,
    missing: &mut Missing,
    progress: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Heard> {
    let mut hearing = Hearing::of(snapshot);
    if hearing.is_empty() {
        return Ok(hearing.heard());
    }
    let total = case.segments(Kind::Packets).map(|it| it.bytes).sum();
    // Of each interface of the file where it is.
    let mut places: Vec<Option<NetworkNamespace>> = Vec::new();
    packets::each(case, missing, &mut |part| {
        match part {
            Part::File => places.clear(),
            Part::Item(Item::Interface(interface)) => places.push(interface.netns),
            Part::Item(Item::Packet(packet)) => {
                let place = usize::try_from(packet.interface).ok();
                let netns = place.and_then(|place| places.get(place).copied().flatten());
                let sent = sent(&packet, netns);
                let is_told = |sent: &Sent| until.is_none_or(|until| sent.time <= until);
                if let Some(sent) = sent.filter(is_told) {
                    hearing.sent(&sent);
                }
            }
            Part::Item(_) => {}
            Part::Read(done) => return Ok(progress(done, total)),
        }
        Ok(true)
    })?;
    Ok(hearing.heard())
}

/// `None`: it carries nothing, or has no time.
fn sent(packet: &PacketRead<'_>, netns: Option<NetworkNamespace>) -> Option<Sent> {
    let time = packet.time?;
    let ends = observe::packets::ends(packet.link, packet.bytes)?;
    let (sequence, bytes) = match ends.tcp {
        Some(segment) => (Some(segment.sequence), segment.carries?),
        None => (None, observe::packets::datagram(packet.link, packet.bytes)?),
    };
    (bytes > 0).then_some(Sent {
        time,
        netns,
        interface: packet.interface,
        protocol: ends.protocol,
        source: ends.source,
        destination: ends.destination,
        sequence,
        bytes,
    })
}

/// Says how far the reading is, where a person waits.
pub(super) struct Progress {
    begun: Instant,
    /// `None`: nobody waits.
    shown: Option<Instant>,
    was_shown: bool,
}

impl Progress {
    pub(super) fn new(talk: Talk) -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            shown: (io::stderr().is_terminal() && !talk.quiet).then_some(now),
            was_shown: false,
        }
    }

    pub(super) fn say(&mut self, done: u64, total: u64) {
        let Some(shown) = self.shown.filter(|shown| shown.elapsed() >= SHOWN_EACH) else {
            return;
        };
        self.shown = Some(shown + shown.elapsed());
        self.was_shown = true;
        let percent = done.saturating_mul(100) / total.max(1);
        let line = format!(
            "\r\x1b[K{percent:3} %  {} of {} of packets read, {} s",
            quantity::bytes(done),
            quantity::bytes(total),
            self.begun.elapsed().as_secs()
        );
        let _ = io::stderr().write_all(line.as_bytes());
    }

    pub(super) fn end(self) {
        if self.was_shown {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }
}
