//! Which device has an address, where a capture comes from a router, a hotspot or a switch and knows
//! no processes.
//!
//! Who sends frames from an address has it, unless the frames are handed on by a router: it sends
//! from the addresses of many. Of a router's own addresses only ARP tells.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use model::{Device, DeviceId, Imported, NameSeen, NameSource, Text};

use super::super::format::Out;
use super::super::sides;
use super::link::Mac;

/// More are in no network that is captured at one place; later ones are known by their addresses.
const MOST_DEVICES: usize = 1 << 16;
const MOST_ADDRESSES: usize = 1 << 18;
/// A device has an address, and others before or beside it.
const MOST_IPV4: usize = 3;
/// It has many of IPv6, which change (RFC 8981).
const MOST_IPV6: usize = 16;

#[derive(Default)]
pub(super) struct Devices {
    by_mac: HashMap<Mac, Seen>,
    by_address: HashMap<IpAddr, Holder>,
    /// Those that stand in the place of an owner.
    wanted: HashSet<DeviceId>,
}

/// What is known of a hardware address.
#[derive(Default)]
struct Seen {
    name: Option<Text>,
    /// In the order in which they were seen, no more than tell it from a router.
    addresses: Vec<IpAddr>,
    is_router: bool,
}

#[derive(Clone, Copy)]
struct Holder {
    mac: Mac,
    /// ARP says so.
    is_sure: bool,
}

impl Devices {
    /// A frame from this hardware address had a packet from this address.
    pub(super) fn sent(&mut self, mac: Mac, ip: IpAddr) {
        self.learn(mac, ip, false);
    }

    /// This hardware address says of itself that it has this address.
    pub(super) fn claimed(&mut self, mac: Mac, ip: IpAddr) {
        self.learn(mac, ip, true);
    }

    fn learn(&mut self, mac: Mac, ip: IpAddr, is_sure: bool) {
        // Of many, or of none.
        if mac[0] & 1 == 1 || mac == [0; 6] || ip.is_unspecified() || sides::is_of_many(ip) {
            return;
        }
        if self.by_mac.len() >= MOST_DEVICES && !self.by_mac.contains_key(&mac) {
            return;
        }
        let seen = self.by_mac.entry(mac).or_default();
        if !seen.addresses.contains(&ip) && !seen.is_router {
            seen.addresses.push(ip);
            seen.is_router = seen.hands_on();
        }
        if self.by_address.len() >= MOST_ADDRESSES && !self.by_address.contains_key(&ip) {
            return;
        }
        let holder = self.by_address.entry(ip).or_insert(Holder { mac, is_sure });
        if is_sure || !holder.is_sure {
            *holder = Holder { mac, is_sure };
        }
    }

    /// A device has said a name: its own, when it asks for an address or tells its neighbours which
    /// one it has.
    pub(super) fn named(&mut self, mac: Mac, ip: IpAddr, seen: &NameSeen) {
        let is_its_own = match seen.source {
            NameSource::Dhcp => true,
            NameSource::Mdns | NameSource::Llmnr => seen
                .answer
                .as_ref()
                .is_some_and(|answer| answer.addresses.iter().any(|(address, _)| *address == ip)),
            NameSource::Dns
            | NameSource::Resolver
            | NameSource::Sni
            | NameSource::Host
            | NameSource::Certificate
            | NameSource::Ssh
            | NameSource::Log => false,
        };
        let Some(name) = seen.name.as_ref().filter(|_| is_its_own) else {
            return;
        };
        if mac[0] & 1 == 1 || (self.by_mac.len() >= MOST_DEVICES && !self.by_mac.contains_key(&mac))
        {
            return;
        }
        let device = self.by_mac.entry(mac).or_default();
        // What it says when it asks for an address is shorter and is said first.
        if device.name.is_none() || seen.source == NameSource::Dhcp {
            device.name = Some(name.clone());
        }
    }

    /// The device that has an address, which is from now on wanted. `None`: no address.
    pub(super) fn of(&mut self, ip: Option<IpAddr>) -> Option<DeviceId> {
        let ip = ip?;
        let holder = self.by_address.get(&ip).filter(|holder| {
            let seen = self.by_mac.get(&holder.mac);
            holder.is_sure || seen.is_some_and(|seen| !seen.is_router)
        });
        let id = holder.map_or(DeviceId::Address(ip), |holder| DeviceId::Mac(holder.mac));
        if self.wanted.len() < MOST_DEVICES {
            self.wanted.insert(id);
        }
        Some(id)
    }

    /// Hands on what is known of those that are wanted, once all is known.
    pub(super) fn flush(&mut self, out: &mut Out) {
        let mut wanted: Vec<_> = self.wanted.drain().collect();
        wanted.sort_unstable();
        out.seen.extend(
            wanted
                .into_iter()
                .map(|id| Imported::Device(self.device(id))),
        );
    }

    fn device(&self, id: DeviceId) -> Device {
        match id {
            DeviceId::Address(ip) => Device {
                id,
                name: None,
                addresses: vec![ip],
            },
            DeviceId::Mac(mac) => {
                let seen = self.by_mac.get(&mac);
                let has = |ip: &IpAddr| {
                    let holder = self.by_address.get(ip);
                    holder.is_some_and(|holder| holder.mac == mac)
                };
                let is_router = seen.is_some_and(|seen| seen.is_router);
                let is_sure = |ip: &IpAddr| {
                    let holder = self.by_address.get(ip);
                    !is_router || holder.is_some_and(|holder| holder.is_sure)
                };
                let addresses = seen.map(|seen| seen.addresses.iter().copied());
                Device {
                    id,
                    name: seen.and_then(|seen| seen.name.clone()),
                    addresses: addresses
                        .into_iter()
                        .flatten()
                        .filter(|ip| has(ip) && is_sure(ip))
                        .collect(),
                }
            }
        }
    }
}

impl Seen {
    /// Whether it sends from addresses that no device has at once.
    fn hands_on(&self) -> bool {
        let ipv4 = self.addresses.iter().filter(|ip| ip.is_ipv4());
        let outside = ipv4.clone().any(|ip| !sides::is_inside(*ip));
        let ipv4 = ipv4.count();
        (ipv4 > 1 && outside) || ipv4 > MOST_IPV4 || self.addresses.len() > ipv4 + MOST_IPV6
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Answer;

    const PHONE: Mac = [2, 0, 0, 0, 0, 7];
    const ROUTER: Mac = [2, 0, 0, 0, 0, 1];

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn who_sends_from_an_address_has_it() {
        let mut devices = Devices::default();
        devices.sent(PHONE, ip("192.168.0.7"));
        devices.sent(PHONE, ip("fe80::7"));
        for address in ["192.168.0.7", "fe80::7"] {
            assert_eq!(devices.of(Some(ip(address))), Some(DeviceId::Mac(PHONE)));
        }
        let other = ip("192.168.0.8");
        assert_eq!(devices.of(Some(other)), Some(DeviceId::Address(other)));
        assert_eq!(devices.of(None), None);
    }

    #[test]
    fn a_router_does_not_have_what_it_hands_on() {
        let mut devices = Devices::default();
        devices.sent(ROUTER, ip("10.9.0.5"));
        devices.sent(ROUTER, ip("93.184.216.34"));
        let behind = ip("10.9.0.5");
        assert_eq!(devices.of(Some(behind)), Some(DeviceId::Address(behind)));
        devices.claimed(ROUTER, ip("192.168.0.1"));
        let own = devices.of(Some(ip("192.168.0.1")));
        assert_eq!(own, Some(DeviceId::Mac(ROUTER)));
    }

    #[test]
    fn a_device_has_the_name_that_it_says() {
        let mut devices = Devices::default();
        devices.sent(PHONE, ip("192.168.0.7"));
        let said = |source, name: &str, address: &str| NameSeen {
            name: Some(Text::from(name)),
            source,
            question: None,
            answer: Some(Box::new(Answer {
                addresses: vec![(ip(address), 120)],
                ..Answer::default()
            })),
            greeting: None,
        };
        let own = ip("192.168.0.7");
        let mut check = |seen: &NameSeen, expected: Option<&str>| {
            devices.named(PHONE, own, seen);
            let device = devices.device(DeviceId::Mac(PHONE));
            assert_eq!(device.name, expected.map(Text::from));
            assert_eq!(device.addresses, [own]);
        };
        check(&said(NameSource::Dns, "example.com", "192.168.0.7"), None);
        check(&said(NameSource::Mdns, "tv.local", "192.168.0.9"), None);
        let mdns = said(NameSource::Mdns, "phone.local", "192.168.0.7");
        check(&mdns, Some("phone.local"));
        let dhcp = said(NameSource::Dhcp, "phone", "192.168.0.7");
        check(&dhcp, Some("phone"));
        check(&mdns, Some("phone"));
    }
}
