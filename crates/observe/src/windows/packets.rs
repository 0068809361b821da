//! Packets without a driver: a raw socket for each interface that has an address of IPv4, which Windows
//! hands all IP packets of that interface (`SIO_RCVALL`). For administrators only.
//!
//! Each socket has a thread that does nothing but fetch: what is not fetched in time Windows lets go of,
//! and does not count.

mod socket;

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use model::{
    Gap, Interface, InterfaceKey, LinkType, NetworkNamespace, Packet, Source, SystemInterface,
    Timestamp,
};
use windows_sys::Win32::Networking::WinSock::{
    WSAEACCES, WSAEOPNOTSUPP, WSAEPROTONOSUPPORT, WSAESOCKTNOSUPPORT,
};

use super::host::boot_nanos;
use super::interfaces::interfaces;
use crate::Error;
use crate::packets::listened::{Listened, Place};
use crate::packets::queue::Queue;
use crate::packets::way::way;
use crate::packets::{Captured, Lender, PacketOptions, RingCounts, ends};

/// So often it is looked whether an interface has come, or has another address.
const LOOK_EACH: Duration = Duration::from_secs(10);
/// So many packets are handed on at once.
const MOST_AT_ONCE: usize = 4_096;
/// So many interfaces are listened at.
const MOST_INTERFACES: usize = 64;

/// See [`crate::packets::Packets`].
pub(crate) struct Packets {
    queue: Arc<Queue>,
    listened: Listened,
    interfaces: HashMap<u32, Interface>,
    /// To be told.
    changed: Vec<Interface>,
    gaps: Vec<Gap>,
    /// Interfaces of which it was said that they cannot be listened at.
    refused: HashMap<u32, Ipv4Addr>,
    looked: Instant,
    told_dropped: u64,
    since: Timestamp,
}

impl Packets {
    /// Listens at every interface there is. `None`: at none, and why is among the gaps.
    pub(crate) fn begin(options: PacketOptions) -> (Option<Self>, Vec<Gap>) {
        let mut packets = Self {
            queue: Arc::new(Queue::new(options, boot_nanos)),
            listened: Listened::default(),
            interfaces: HashMap::new(),
            changed: Vec::new(),
            gaps: Vec::new(),
            refused: HashMap::new(),
            looked: Instant::now(),
            told_dropped: 0,
            since: super::now(),
        };
        packets.look();
        let mut gaps = std::mem::take(&mut packets.gaps);
        if packets.listened.is_empty() {
            if gaps.is_empty() {
                gaps.push(no_packets("no interface has an address of IPv4"));
            }
            return (None, gaps);
        }
        gaps.extend(limits());
        (Some(packets), gaps)
    }

    pub(crate) fn next(
        &mut self,
        wait: Duration,
        until: u64,
        taken: &mut dyn FnMut(Captured<'_>),
    ) -> Result<usize, Error> {
        if self.looked.elapsed() >= LOOK_EACH {
            self.look();
            self.tell_losses();
        }
        for interface in self.changed.drain(..) {
            taken(Captured::Interface(&interface));
        }
        for gap in self.gaps.drain(..) {
            taken(Captured::Gap(gap));
        }
        let ripe = self.queue.take(wait, until, MOST_AT_ONCE);
        for kept in &ripe {
            let own = self.interfaces.get(&kept.interface);
            let own = own.map(|it| &*it.addresses).unwrap_or_default();
            let ends = ends(LinkType::RAW_IP, &kept.bytes);
            let packet = Packet {
                time: kept.time,
                boot_ns: kept.boot_ns,
                interface: key(kept.interface),
                link: LinkType::RAW_IP,
                way: way(ends.as_ref(), own),
                loopback: false,
                length: kept.length,
                bytes: &kept.bytes,
                ends,
            };
            taken(Captured::Packet(&packet, Lender::new(None)));
        }
        Ok(ripe.len())
    }

    pub(crate) fn is_scarce(&mut self) -> bool {
        false
    }

    pub(crate) fn counts(&mut self) -> Vec<RingCounts> {
        let (received, dropped) = self.queue.counts();
        vec![RingCounts {
            netns: NetworkNamespace(0),
            received,
            dropped,
            freezes: 0,
        }]
    }

    pub(crate) fn dropped_in_others(&self) -> u64 {
        0
    }

    /// Listens at interfaces that have come, and again where the address has changed.
    fn look(&mut self) {
        self.looked = Instant::now();
        for (place, why) in self.queue.ended() {
            if self.listened.ended(place) {
                let (interface, _) = place;
                let since = Some(super::now());
                let why = format!("interface {interface} can no longer be listened at: {why}");
                self.gaps.push(Gap {
                    since,
                    ..no_packets(&why)
                });
            }
        }
        let all = match interfaces() {
            Ok(all) => all,
            Err(error) => {
                let why = format!("the interfaces of Windows cannot be read: {error}");
                return self.gaps.push(no_packets(&why));
            }
        };
        let places: Vec<Place> = all
            .iter()
            .filter_map(|told| Some((told.index, address_of(told)?)))
            .collect();
        // One that comes back is listened at anew.
        self.listened.keep(&places);
        for told in all {
            let Some(address) = address_of(&told) else {
                continue;
            };
            self.describe(&told);
            let place = (told.index, address);
            let is_same = self.listened.has(place);
            let has_room =
                self.listened.has_interface(told.index) || self.listened.len() < MOST_INTERFACES;
            if is_same || !has_room {
                continue;
            }
            match self.listen(place) {
                Ok(stop) => {
                    self.refused.remove(&told.index);
                    self.listened.put(place, stop);
                }
                Err(error) => {
                    // An address that was just given may be of use in a moment. Why not, is said once.
                    if self.refused.insert(told.index, address) == Some(address) {
                        continue;
                    }
                    let name = told.name.lossy();
                    let why = reason(&error);
                    self.gaps
                        .push(no_packets(&format!("{name} ({address}): {why}")));
                }
            }
        }
    }

    /// Gives what stops it.
    fn listen(&self, place: Place) -> io::Result<Arc<AtomicBool>> {
        let (_, address) = place;
        let socket = socket::open(address)?;
        let stop = Arc::new(AtomicBool::new(false));
        Queue::fill(&self.queue, socket, place, Arc::clone(&stop))?;
        Ok(stop)
    }

    fn describe(&mut self, told: &SystemInterface) {
        let interface = Interface {
            key: key(told.index),
            name: told.name.clone(),
            link: LinkType::RAW_IP,
            addresses: told
                .addresses
                .iter()
                .map(|it| (it.address, it.prefix))
                .collect(),
        };
        if self.interfaces.get(&told.index) != Some(&interface) {
            self.changed.push(interface.clone());
            self.interfaces.insert(told.index, interface);
        }
    }

    fn tell_losses(&mut self) {
        let (_, dropped) = self.queue.counts();
        let count = dropped.saturating_sub(self.told_dropped);
        let now = super::now();
        if count > 0 {
            self.gaps.push(Gap {
                since: Some(self.since),
                until: Some(now),
                count: Some(count),
                ..Gap::standing(
                    "packets_lost",
                    Source::Capture,
                    "packets came faster than they could be taken",
                    "packets of that time; the connections are in the events",
                )
            });
        }
        (self.told_dropped, self.since) = (dropped, now);
    }
}

impl Drop for Packets {
    fn drop(&mut self) {
        self.queue.end();
    }
}

/// The first address of IPv4 of an interface that others can be reached by.
fn address_of(interface: &SystemInterface) -> Option<Ipv4Addr> {
    let mut all = interface
        .addresses
        .iter()
        .filter_map(|it| match it.address {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => None,
        });
    all.find(|ip| interface.is_up && !ip.is_loopback() && !ip.is_unspecified())
}

fn key(index: u32) -> InterfaceKey {
    InterfaceKey { netns: None, index }
}

/// Why there is no raw socket, and what would mend it.
fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(WSAEACCES) => {
            "capturing packets is for administrators: start whocalls as administrator".to_owned()
        }
        Some(WSAEPROTONOSUPPORT | WSAESOCKTNOSUPPORT | WSAEOPNOTSUPP) => {
            "there are no raw sockets here".to_owned()
        }
        _ => format!("it cannot be listened at: {error}"),
    }
}

/// What raw sockets cannot see.
fn limits() -> [Gap; 2] {
    [
        Gap::standing(
            "packets_ipv4_only",
            Source::Capture,
            "raw sockets of Windows (SIO_RCVALL) get the packets of IPv4 that pass an interface, and \
             nothing else",
            "packets of IPv6, and those of this computer to itself; whatever is no IP (ARP ...); the \
             connections of IPv6 are in the events",
        ),
        Gap::standing(
            "packets_uncounted",
            Source::Capture,
            "Windows does not count what its raw sockets have no room for, and its firewall may keep \
             packets from them that are for others than whocalls",
            "packets that come in while the firewall lets nothing in to whocalls.exe, and some while \
             very many come",
        ),
    ]
}

pub(super) fn no_packets(why: &str) -> Gap {
    Gap::standing(
        "no_packets",
        Source::Capture,
        why,
        "what was said: packets, and names and sizes in them",
    )
}
