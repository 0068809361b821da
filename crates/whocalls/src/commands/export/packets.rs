//! Packets of a case, those of some connections where that is wanted.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use model::{Connection, Endpoint, NetworkNamespace, Protocol, Snapshot, Timestamp};
use record::case::{Kind, OpenCase};
use record::pcapng::{Exporter, Form, Header, InterfaceRead, Item, PacketRead, Reader};
use show::filter::Filter;

use super::put;
use crate::arguments::ExportArguments;
use crate::exit::Exit;
use crate::output::Talk;

/// Bytes are handed on when there are so many.
const PIECE: usize = 1024 * 1024;
/// A packet may pass so long before a program is known to have asked, and so long after the
/// connection has ended: what is repeated and what comes late belongs to it.
const BEFORE: i64 = 1_000_000_000;
const AFTER: i64 = 130_000_000_000;

pub(super) fn write(
    arguments: &ExportArguments,
    case: &Arc<OpenCase>,
    snapshot: &Snapshot,
    filter: &Filter,
    wanted: &[&Connection],
    out: &mut File,
    talk: Talk,
) -> Result<Exit> {
    let wanted = (!filter.is_empty()).then(|| Wanted::of(wanted));
    let form = if arguments.wireshark.as_deref() == Some("5") {
        Form::Wireshark5
    } else {
        Form::Own
    };
    let about = case.about();
    let header = Header {
        case: about.id.clone(),
        hardware: None,
        os: about.system.clone(),
        version: about.tool.version.clone(),
        packet_bytes: None,
        command_lines: true,
    };
    let mut exporter = Exporter::new(header, form);
    let mut bytes = Vec::new();
    exporter.start(&mut bytes);
    let mut events = super::journal::Events::of(arguments.with_events, case)?;
    let (mut count, mut cut) = (0_u64, false);
    for segment in case.segments(Kind::Packets) {
        let reader = case.read(segment)?;
        let mut reader = Reader::new(reader);
        let mut interfaces = HashMap::new();
        exporter.next_file();
        loop {
            let item = reader.next().map_err(|error| match error {
                record::pcapng::Error::Read(error) => case.fault(segment, error).into(),
                error @ record::pcapng::Error::NotPcapng => {
                    anyhow!("{}: {error}", segment.name)
                }
            });
            match item? {
                None => break,
                Some(Item::Interface(interface)) => {
                    exporter.interface(&interface);
                    interfaces.insert(interface.number, interface);
                }
                Some(Item::Process(process)) => exporter.process(&process),
                Some(Item::Packet(packet)) => {
                    let is_wanted = wanted.as_ref().is_none_or(|wanted| {
                        wanted.has(&packet, interfaces.get(&packet.interface))
                    });
                    if is_wanted {
                        events.until(packet.time, snapshot, &mut exporter, &mut bytes)?;
                        exporter.packet(&packet, &mut bytes);
                        count += 1;
                    }
                    if bytes.len() >= PIECE {
                        put(out, &mut bytes)?;
                    }
                }
                Some(
                    Item::Section(_) | Item::Statistics(_) | Item::Names(_) | Item::Other { .. },
                ) => {}
            }
        }
        cut |= reader.stop().is_some();
    }
    events.until(None, snapshot, &mut exporter, &mut bytes)?;
    put(out, &mut bytes)?;
    talk.say(&format!("{count} packets.\n"));
    if cut {
        talk.say("The recording was interrupted: packets of its last moment are missing.\n");
    }
    Ok(if cut { Exit::Lost } else { Exit::Done })
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
