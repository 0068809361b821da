//! The interfaces of one network namespace: asked by netlink over a socket that was opened there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use model::{Interface, InterfaceKey, LinkType, NetworkNamespace, Text};

use crate::linux::netlink::Netlink;
use crate::parse::interfaces::{Link, address, link};
use crate::parse::packet_block::link_type;

/// include/uapi/linux/rtnetlink.h
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
/// RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR as bits.
const GROUPS: u32 = 1 | 1 << 4 | 1 << 8;
/// `struct ifaddrmsg`, all zero: of every interface and family.
const ALL_ADDRESSES: [u8; 8] = [0; 8];
/// IFLA_EXT_MASK with RTEXT_FILTER_SKIP_STATS, behind a `struct ifinfomsg` that is all zero.
const IFLA_EXT_MASK: u16 = 29;
const SKIP_STATISTICS: u32 = 1 << 3;
/// So many interfaces of a namespace are kept; beyond that, those that have gone are forgotten.
const MOST_INTERFACES: usize = 4_096;
const MOST_ADDRESSES: usize = 256;
/// How long what was asked is good for: when something has changed, and when an interface is not
/// known and nothing has.
const CHANGED: Duration = Duration::from_millis(10);
const UNCHANGED: Duration = Duration::from_secs(1);

pub(super) struct Interfaces {
    netns: NetworkNamespace,
    netlink: Netlink,
    known: BTreeMap<u32, Known>,
    asked: Option<Instant>,
    /// It was told that something has changed.
    changed: bool,
}

struct Known {
    interface: Interface,
    told: bool,
}

impl Interfaces {
    /// Asks nothing yet. The socket is one of netlink's routing family.
    pub(super) fn new(netns: NetworkNamespace, socket: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            netns,
            netlink: Netlink::over(socket, GROUPS)?,
            known: BTreeMap::new(),
            asked: None,
            changed: true,
        })
    }

    /// Has those told that are new or have changed. To be called before packets are looked at.
    pub(super) fn refresh(&mut self, tell: &mut dyn FnMut(&Interface)) {
        self.changed |= self.netlink.has_news();
        if self.changed {
            self.ask(CHANGED);
        }
        self.tell(tell);
    }

    /// Makes sure that this one has been told, with a link of this type.
    pub(super) fn ensure(&mut self, index: u32, link: LinkType, tell: &mut dyn FnMut(&Interface)) {
        if self.is_told(index, link) {
            return;
        }
        if !self.known.contains_key(&index) {
            let patience = if self.netlink.has_news() {
                CHANGED
            } else {
                UNCHANGED
            };
            self.ask(patience);
        }
        // It may have gone already.
        let netns = self.netns;
        let known = self.known.entry(index).or_insert_with(|| Known {
            interface: Interface {
                key: key(netns, index),
                name: Text::from(format!("interface {index}")),
                link,
                addresses: Vec::new(),
            },
            told: false,
        });
        if known.interface.link != link {
            known.interface.link = link;
            known.told = false;
        }
        self.tell(tell);
    }

    pub(super) fn is_told(&self, index: u32, link: LinkType) -> bool {
        self.known
            .get(&index)
            .is_some_and(|known| known.told && known.interface.link == link)
    }

    fn tell(&mut self, tell: &mut dyn FnMut(&Interface)) {
        for known in self.known.values_mut().filter(|known| !known.told) {
            tell(&known.interface);
            known.told = true;
        }
    }

    fn ask(&mut self, patience: Duration) {
        if self.asked.is_some_and(|asked| asked.elapsed() < patience) {
            return;
        }
        self.asked = Some(Instant::now());
        // What changes meanwhile is told again.
        self.changed = false;
        // What is known stays known where it cannot be asked.
        let Ok((links, addresses)) = self.tables() else {
            self.changed = true;
            return;
        };
        if self.known.len() > MOST_INTERFACES {
            let there: BTreeSet<u32> = links.iter().map(|link| link.index).collect();
            self.known.retain(|index, _| there.contains(index));
        }
        for found in links.into_iter().take(MOST_INTERFACES) {
            let interface = Interface {
                key: key(self.netns, found.index),
                name: Text::from(found.name),
                link: link_type(found.kind),
                addresses: addresses.get(&found.index).cloned().unwrap_or_default(),
            };
            match self.known.get_mut(&found.index) {
                Some(known) if known.interface == interface => {}
                Some(known) => {
                    known.interface = interface;
                    known.told = false;
                }
                None => {
                    let told = false;
                    self.known.insert(found.index, Known { interface, told });
                }
            }
        }
    }

    fn tables(&mut self) -> io::Result<(Vec<Link>, Addresses)> {
        let mut links = Vec::new();
        self.netlink.dump(RTM_GETLINK, &all_links(), |kind, body| {
            links.extend((kind == RTM_NEWLINK).then(|| link(body)).flatten());
        })?;
        let mut addresses = Addresses::new();
        self.netlink
            .dump(RTM_GETADDR, &ALL_ADDRESSES, |kind, body| {
                let found = (kind == RTM_NEWADDR).then(|| address(body)).flatten();
                if let Some((index, address)) = found {
                    let of_one = addresses.entry(index).or_default();
                    of_one.extend((of_one.len() < MOST_ADDRESSES).then_some(address));
                }
            })?;
        Ok((links, addresses))
    }
}

type Addresses = BTreeMap<u32, Vec<(IpAddr, u8)>>;

fn key(netns: NetworkNamespace, index: u32) -> InterfaceKey {
    InterfaceKey {
        netns: Some(netns),
        index,
    }
}

fn all_links() -> Vec<u8> {
    let header = [0; 16];
    let length = 8_u16.to_ne_bytes();
    let parts = [
        &header[..],
        &length,
        &IFLA_EXT_MASK.to_ne_bytes(),
        &SKIP_STATISTICS.to_ne_bytes(),
    ];
    parts.concat()
}
