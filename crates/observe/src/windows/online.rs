//! Whether this computer has a way to anywhere. Only its own routes are asked; nothing is sent.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::net::{Ipv4Addr, Ipv6Addr};

use windows_sys::Win32::Foundation::{
    ERROR_HOST_UNREACHABLE, ERROR_NETWORK_UNREACHABLE, ERROR_NOT_FOUND, NO_ERROR,
};
use windows_sys::Win32::NetworkManagement::IpHelper::GetBestInterfaceEx;
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6,
};

/// Two that stand for anywhere (RFC 5737, RFC 3849): only a default route leads there.
const ANYWHERE4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ANYWHERE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// `None`: it cannot be asked.
pub(crate) fn is_online() -> Option<bool> {
    let mut ipv4 = SOCKADDR_IN {
        sin_family: AF_INET,
        ..SOCKADDR_IN::default()
    };
    ipv4.sin_addr.S_un.S_addr = u32::from_ne_bytes(ANYWHERE4.octets());
    let mut ipv6 = SOCKADDR_IN6 {
        sin6_family: AF_INET6,
        ..SOCKADDR_IN6::default()
    };
    ipv6.sin6_addr.u.Byte = ANYWHERE6.octets();
    let mut interface = 0;
    // SAFETY: `ipv4` is an address of its family, and both outlive the call.
    let way4 =
        unsafe { GetBestInterfaceEx((&raw const ipv4).cast::<SOCKADDR>(), &raw mut interface) };
    // SAFETY: as above.
    let way6 =
        unsafe { GetBestInterfaceEx((&raw const ipv6).cast::<SOCKADDR>(), &raw mut interface) };
    let ways = [way4, way6].map(is_way);
    if ways.contains(&Some(true)) {
        Some(true)
    } else if ways.contains(&None) {
        None
    } else {
        Some(false)
    }
}

fn is_way(result: u32) -> Option<bool> {
    match result {
        NO_ERROR => Some(true),
        ERROR_NETWORK_UNREACHABLE | ERROR_HOST_UNREACHABLE | ERROR_NOT_FOUND => Some(false),
        _ => None,
    }
}
