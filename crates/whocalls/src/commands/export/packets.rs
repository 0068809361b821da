//! Packets of a case, those of some connections where that is wanted.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Result;
use model::{Connection, Endpoint, NetworkNamespace, Protocol, Snapshot, Timestamp};
use record::case::{About, Depth, OpenCase};
use record::pcapng::{Exporter, Form, Header, InterfaceRead, Item, PacketRead};

use super::journal::Events;
use super::put;
use crate::arguments::ExportArguments;
use crate::commands::case::Missing;
use crate::commands::case::packets::{self, Part};
use crate::output::{Out, Talk};

/// Bytes are handed on when there are so many.
const PIECE: usize = 1024 * 1024;
/// A packet may pass so long before a program is known to have asked, and so long after the
/// connection has ended: what is repeated and what comes late belongs to it.
const BEFORE: i64 = 1_000_000_000;
const AFTER: i64 = 130_000_000_000;

/// What packets are taken from, and how they are wanted.
pub(super) struct Export<'a> {
    pub(super) arguments: &'a ExportArguments,
    pub(super) case: &'a Arc<OpenCase>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) talk: Talk,
}

impl Export<'_> {
    /// Writes packets: those of the connections that are wanted; `None`: all. What is damaged or cut
    /// off is passed over, and goes to `missing`.
    ///
    /// Errors: the case cannot be read; of what is written to.
    pub(super) fn write(
        &self,
        wanted: Option<&[&Connection]>,
        out: &mut Out,
        missing: &mut Missing,
    ) -> Result<()> {
        let mut picking = Picking {
            wanted: wanted.map(Wanted::of),
            events: Events::of(self.arguments.with_events, self.case)?,
            exporter: Exporter::new(self.header(), self.form()),
            snapshot: self.snapshot,
            count: 0,
            has_any: false,
            bytes: Vec::new(),
            out,
        };
        picking.exporter.start(&mut picking.bytes);
        packets::each(self.case, missing, &mut |part| {
            match part {
                Part::File => picking.exporter.next_file(),
                Part::Item(item) => picking.item(&item)?,
                Part::Read(_) => {}
            }
            Ok(true)
        })?;
        picking.end()?;
        self.say(&picking, missing);
        Ok(())
    }

    /// `: why`, or nothing where the case does not say.
    fn why_none(&self) -> String {
        let gaps = self.snapshot.gaps.iter();
        let whys: BTreeSet<&str> = gaps
            .filter(|it| it.id == "no_packets")
            .map(|it| it.why.as_str())
            .collect();
        let whys: Vec<&str> = whys.into_iter().collect();
        match whys.as_slice() {
            [] => String::new(),
            whys => format!(": {}", whys.join("; ")),
        }
    }

    fn header(&self) -> Header {
        let about = self.case.about();
        Header {
            case: about.map_or_else(String::new, |about| about.id.clone()),
            hardware: None,
            os: about.map_or_else(String::new, |about| about.system.clone()),
            version: about.map_or_else(String::new, |about| about.tool.version.clone()),
            packet_bytes: None,
            command_lines: about.is_some_and(has_command_lines),
        }
    }

    fn form(&self) -> Form {
        if self.arguments.wireshark.as_deref() == Some("5") {
            Form::Wireshark5
        } else {
            Form::Own
        }
    }

    fn say(&self, picking: &Picking<'_>, missing: &mut Missing) {
        let about = self.case.about();
        let is_of_events = about.is_some_and(|about| about.depth == Depth::Events);
        self.talk.say(&match (is_of_events, picking.has_any) {
            (true, _) => {
                "There are no packets in this case: it was recorded with --depth events. What was \
                     written has none either.\n"
                    .to_owned()
            }
            (false, true) => format!("{} packets.\n", picking.count),
            (false, false) => format!(
                "There are no packets in this case{}. What was written has none either.\n",
                self.why_none()
            ),
        });
        let nameless = picking.exporter.nameless_interfaces();
        if nameless > 0 {
            missing.cut = true;
            self.talk.say(&format!(
                "{nameless} interfaces are more than can be kept in memory: their packets have no \
                 interface, and no filter finds them.\n"
            ));
        }
    }
}

/// Whether arguments of programs may stand in packet files: not where the recording was to leave them
/// out. Where nobody can tell, they may not.
fn has_command_lines(about: &About) -> bool {
    // Behind `--` stand the arguments of another program.
    let own = about.arguments.iter().take_while(|word| *word != "--");
    !own.into_iter().any(|word| word == "--no-cmdline")
}

/// Takes what is wanted out of one file after the other.
struct Picking<'a> {
    wanted: Option<Wanted>,
    events: Events,
    exporter: Exporter,
    snapshot: &'a Snapshot,
    count: u64,
    /// The case has packets, wanted or not.
    has_any: bool,
    bytes: Vec<u8>,
    out: &'a mut Out,
}

impl Picking<'_> {
    fn item(&mut self, item: &Item<'_>) -> Result<()> {
        match item {
            Item::Interface(interface) => self.exporter.interface(interface),
            Item::Process(process) => self.exporter.process(process),
            Item::Packet(packet) => self.packet(packet)?,
            Item::Section(_) | Item::Statistics(_) | Item::Names(_) | Item::Other { .. } => {}
        }
        Ok(())
    }

    fn packet(&mut self, packet: &PacketRead<'_>) -> Result<()> {
        self.has_any = true;
        let interface = self.exporter.interface_of(packet);
        let is_wanted = |wanted: &Wanted| wanted.has(packet, interface);
        if self.wanted.as_ref().is_none_or(is_wanted) {
            self.tell_until(packet.time)?;
            self.exporter.packet(packet, &mut self.bytes);
            self.count += 1;
        }
        if self.bytes.len() >= PIECE {
            put(self.out, &mut self.bytes)?;
        }
        Ok(())
    }

    fn tell_until(&mut self, time: Option<Timestamp>) -> Result<()> {
        let Self {
            events,
            exporter,
            bytes,
            snapshot,
            ..
        } = self;
        events.until(time, snapshot, exporter, bytes)
    }

    fn end(&mut self) -> Result<()> {
        self.tell_until(None)?;
        put(self.out, &mut self.bytes)
    }
}

/// Which packets belong to connections that are wanted: by both ends and the time.
struct Wanted(HashMap<Key, Vec<(i64, i64)>>);

#[derive(PartialEq, Eq, Hash)]
struct Key {
    netns: Option<NetworkNamespace>,
    protocol: &'static str,
    /// The lower first.
    ends: [Endpoint; 2],
}

impl Key {
    fn of(
        netns: Option<NetworkNamespace>,
        protocol: Protocol,
        one: Endpoint,
        other: Endpoint,
    ) -> Self {
        let mut ends = [one, other];
        ends.sort_unstable();
        Self {
            netns,
            protocol: protocol.word(),
            ends,
        }
    }
}

impl Wanted {
    fn of(connections: &[&Connection]) -> Self {
        let mut all: HashMap<Key, Vec<(i64, i64)>> = HashMap::new();
        for connection in connections {
            let Some(remote) = connection.remote else {
                continue;
            };
            let key = Key::of(
                connection.netns,
                connection.protocol,
                connection.local,
                remote,
            );
            let from = connection
                .opened
                .map_or(i64::MIN, |it| it.unix_nanos().saturating_sub(BEFORE));
            let until = connection
                .closed
                .map_or(i64::MAX, |it| it.unix_nanos().saturating_add(AFTER));
            all.entry(key).or_default().push((from, until));
        }
        Self(all)
    }

    fn has(&self, packet: &PacketRead<'_>, interface: Option<&InterfaceRead>) -> bool {
        let Some(ends) = observe::packets::ends(packet.link, packet.bytes) else {
            return false;
        };
        let time = packet
            .time
            .unwrap_or(Timestamp::from_unix_nanos(0))
            .unix_nanos();
        let netns = interface.and_then(|interface| interface.netns);
        // An error that is about a packet belongs to whose packet that was.
        let about = ends
            .about
            .map(|it| (it.protocol, it.source, it.destination));
        [Some((ends.protocol, ends.source, ends.destination)), about]
            .into_iter()
            .flatten()
            .any(|(protocol, source, destination)| {
                let times = self.0.get(&Key::of(netns, protocol, source, destination));
                let within = |(from, until): &(i64, i64)| (*from..=*until).contains(&time);
                times.is_some_and(|times| times.iter().any(within))
            })
    }
}
