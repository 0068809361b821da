//! Devices, which stand in the place of processes where a source knows none.

use std::collections::HashMap;
use std::net::IpAddr;

use model::{Connection, Device, DeviceId, Text};

use crate::visible::visible;

/// What is known of the device that a connection belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// `None`: the source tells no hardware address.
    pub(crate) mac: Option<[u8; 6]>,
    /// `None`: it has not said what it is called.
    pub(crate) name: Option<&'a Text>,
    /// The one that it has in this connection.
    pub(crate) ip: Option<IpAddr>,
}

impl<'a> Known<'a> {
    /// `None`: the source knows processes, or nothing.
    pub(crate) fn of(
        connection: &Connection,
        devices: &'a HashMap<DeviceId, Device>,
    ) -> Option<Self> {
        let id = connection.device?;
        let (mac, ip) = match id {
            DeviceId::Mac(mac) => (Some(mac), connection.local.ip),
            DeviceId::Address(ip) => (None, Some(ip)),
        };
        let name = devices.get(&id).and_then(|it| it.name.as_ref());
        Some(Self { mac, name, ip })
    }
}

/// `02:00:5e:10:00:01`.
pub(crate) fn mac_address(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// In the place of a process: `device phone`, else its hardware address, else its address. It can
/// call itself like any program; what it is stands before that.
pub(crate) fn in_short(id: DeviceId, devices: &HashMap<DeviceId, Device>) -> String {
    let name = devices.get(&id).and_then(|it| it.name.as_ref());
    let called = match (name, id) {
        (Some(name), _) => visible(name).into_owned(),
        (None, DeviceId::Mac(mac)) => mac_address(mac),
        (None, DeviceId::Address(ip)) => ip.to_string(),
    };
    format!("device {called}")
}

/// The same with all that is known: `device phone 02:00:5e:10:00:01 192.168.7.2`.
pub(crate) fn in_full(id: DeviceId, devices: &HashMap<DeviceId, Device>) -> String {
    let device = devices.get(&id);
    let mut text = in_short(id, devices);
    match id {
        DeviceId::Mac(mac) => {
            if device.is_some_and(|it| it.name.is_some()) {
                text += &format!(" {}", mac_address(mac));
            }
            if let Some(ip) = device.and_then(|it| it.addresses.first()) {
                text += &format!(" {ip}");
            }
        }
        DeviceId::Address(ip) => {
            if device.is_some_and(|it| it.name.is_some()) {
                text += &format!(" {ip}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: DeviceId, name: Option<&str>, short: &str, full: &str) {
        let device = Device {
            id,
            name: name.map(Text::from),
            addresses: vec![[192, 168, 7, 2].into(), [10, 0, 0, 2].into()],
        };
        let devices = HashMap::from([(id, device)]);
        assert_eq!(
            (&*in_short(id, &devices), &*in_full(id, &devices)),
            (short, full)
        );
    }

    #[test]
    fn a_device_is_called_by_what_is_known_of_it() {
        let mac = DeviceId::Mac([2, 0, 0x5e, 0x10, 0, 1]);
        let [bare, whole] = [
            "device 02:00:5e:10:00:01",
            "device phone 02:00:5e:10:00:01 192.168.7.2",
        ];
        check(mac, Some("phone"), "device phone", whole);
        check(mac, None, bare, &format!("{bare} 192.168.7.2"));
        let ip = DeviceId::Address([192, 168, 7, 2].into());
        check(ip, None, "device 192.168.7.2", "device 192.168.7.2");
        check(ip, Some("tv"), "device tv", "device tv 192.168.7.2");
        check(
            mac,
            Some("a\u{1b}b"),
            "device a‹U+001B›b",
            "device a‹U+001B›b 02:00:5e:10:00:01 192.168.7.2",
        );
        let unknown = HashMap::new();
        assert_eq!(in_full(mac, &unknown), bare);
    }
}
