//! WireGuard tunnels of the kernel, in the network namespace of the thread that asks: which interfaces they
//! are, and with whom they talk.

use std::io;

use model::Text;
use rustix::io::Errno;
use rustix::net::netlink;

use super::netlink::Netlink;
use crate::parse::generic_netlink;
use crate::parse::network_settings::interface;
use crate::parse::wireguard::{Device, FAMILY, device, device_question};

/// include/uapi/linux/rtnetlink.h
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
/// `struct ifinfomsg`, all zero: of every interface.
const ALL_INTERFACES: [u8; 16] = [0; 16];
const MOST_TUNNELS: usize = 256;
const MOST_PEERS: usize = 16_384;

/// One tunnel.
#[derive(Debug)]
pub(super) struct Tunnel {
    pub(super) name: Text,
    /// Errors: `PermissionDenied` without CAP_NET_ADMIN.
    pub(super) device: io::Result<Device>,
}

/// All of them. None of their interfaces: none of the kernel's, those of programs are theirs.
pub(super) fn tunnels() -> io::Result<Vec<Tunnel>> {
    let mut found = Vec::new();
    Netlink::open_route()?.dump(RTM_GETLINK, &ALL_INTERFACES, |kind, body| {
        let link = (kind == RTM_NEWLINK).then(|| interface(body)).flatten();
        let is_tunnel = |kind: &Text| kind.bytes() == FAMILY.as_bytes();
        let tunnel = link.filter(|link| link.kind.as_ref().is_some_and(is_tunnel));
        found.extend(tunnel.filter(|_| found.len() < MOST_TUNNELS));
    })?;
    // Asking for a family that is not there would load a module of the kernel.
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut family = family();
    let tunnels = found.into_iter().map(|link| {
        let device = match &mut family {
            Ok((netlink, family)) => ask(netlink, *family, link.index),
            Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
        };
        Tunnel {
            name: link.name,
            device,
        }
    });
    let tunnels: Vec<_> = tunnels.collect();
    if let Ok((netlink, _)) = &mut family {
        // What was told has keys in it that are nobody's business.
        netlink.forget();
    }
    Ok(tunnels)
}

fn family() -> io::Result<(Netlink, u16)> {
    let mut netlink = Netlink::open(netlink::GENERIC)?;
    let question = generic_netlink::family_question(FAMILY);
    let mut family = None;
    netlink.ask(generic_netlink::FAMILY_KIND, &question, |_, answer| {
        family = family.or(generic_netlink::family(answer));
    })?;
    Ok((netlink, family.ok_or(Errno::NOENT)?))
}

fn ask(netlink: &mut Netlink, family: u16, index: u32) -> io::Result<Device> {
    let mut all = Device::default();
    netlink.dump(family, &device_question(index), |_, answer| {
        let Some(piece) = device(answer) else {
            return;
        };
        all.port = all.port.or(piece.port);
        let left = MOST_PEERS.saturating_sub(all.peers.len());
        all.peers.extend(piece.peers.into_iter().take(left));
    })?;
    Ok(all)
}
