//! How many bytes a TCP connection has moved (`GetPerTcpConnectionEStats`). Windows counts only where somebody
//! has asked it to, so that counts begin when a watch has first seen the connection: never too high, but too
//! low for one that was there before. To ask for it needs the rights of an administrator.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::net::{IpAddr, Ipv6Addr};

use model::{Gap, Source, State};
use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    MIB_TCP_STATE_ESTAB, MIB_TCP6ROW, MIB_TCPROW_LH, TCP_ESTATS_DATA_ROD_v0, TCP_ESTATS_TYPE,
    TcpConnectionEstatsData,
};

use super::library::Library;
use super::native;
use crate::parse::windows_tables::Row;

/// `GetPerTcpConnectionEStats` and the same of IPv6; the row is of either family.
type Get = unsafe extern "system" fn(
    *const u8,
    TCP_ESTATS_TYPE,
    *mut u8,
    u32,
    u32,
    *mut u8,
    u32,
    u32,
    *mut u8,
    u32,
    u32,
) -> u32;
type Set = unsafe extern "system" fn(*const u8, TCP_ESTATS_TYPE, *const u8, u32, u32, u32) -> u32;

pub(super) struct Counters {
    ipv4: (Get, Set),
    ipv6: (Get, Set),
    /// Windows is asked to count; it has not refused yet.
    asks: bool,
    refused: bool,
}

impl Counters {
    /// `None`: this Windows does not count.
    pub(super) fn open() -> Option<Self> {
        // Wine names the functions, and ends the program that calls them (dlls/iphlpapi/iphlpapi.spec).
        if native::is_wine() {
            return None;
        }
        let library = Library::of_system("iphlpapi.dll")?;
        let pair = |get, set| {
            let (get, set) = (library.function(get)?, library.function(set)?);
            // SAFETY: that is the type of the function of this name.
            let get =
                unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Get>(get) };
            // SAFETY: likewise.
            let set =
                unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Set>(set) };
            Some((get, set))
        };
        Some(Self {
            ipv4: pair(c"GetPerTcpConnectionEStats", c"SetPerTcpConnectionEStats")?,
            ipv6: pair(c"GetPerTcp6ConnectionEStats", c"SetPerTcp6ConnectionEStats")?,
            asks: false,
            refused: false,
        })
    }

    /// From now on Windows is asked to count for each connection that it does not count for.
    pub(super) fn ask(&mut self) {
        self.asks = true;
    }

    /// Sent and received. `None`: it is not counted.
    pub(super) fn of(&mut self, row: &Row) -> Option<(u64, u64)> {
        let (local, remote) = (row.local, row.remote?);
        if row.state != State::Established {
            return None;
        }
        match (local.ip?, remote.ip?) {
            (IpAddr::V4(local_ip), IpAddr::V4(remote_ip)) => {
                let mut entry = MIB_TCPROW_LH {
                    dwLocalAddr: u32::from_ne_bytes(local_ip.octets()),
                    dwLocalPort: u32::from(local.port?.to_be()),
                    dwRemoteAddr: u32::from_ne_bytes(remote_ip.octets()),
                    dwRemotePort: u32::from(remote.port?.to_be()),
                    ..MIB_TCPROW_LH::default()
                };
                entry.Anonymous.dwState = MIB_TCP_STATE_ESTAB.cast_unsigned();
                self.count(self.ipv4, (&raw const entry).cast())
            }
            (IpAddr::V6(local_ip), IpAddr::V6(remote_ip)) => {
                // The table's number of the interface would be needed.
                if local_ip.is_unicast_link_local() || remote_ip.is_unicast_link_local() {
                    return None;
                }
                let mut entry = MIB_TCP6ROW {
                    State: MIB_TCP_STATE_ESTAB,
                    dwLocalPort: u32::from(local.port?.to_be()),
                    dwRemotePort: u32::from(remote.port?.to_be()),
                    ..MIB_TCP6ROW::default()
                };
                entry.LocalAddr.u.Byte = Ipv6Addr::octets(&local_ip);
                entry.RemoteAddr.u.Byte = Ipv6Addr::octets(&remote_ip);
                self.count(self.ipv6, (&raw const entry).cast())
            }
            _ => None,
        }
    }

    /// `entry` is a row of the family that the functions are for.
    fn count(&mut self, (get, set): (Get, Set), entry: *const u8) -> Option<(u64, u64)> {
        // `TCP_ESTATS_DATA_RW_v0`: one byte, whether it is counted.
        let mut is_counted = 0_u8;
        let mut counts = TCP_ESTATS_DATA_ROD_v0::default();
        let size = u32::try_from(size_of_val(&counts)).ok()?;
        // SAFETY: all three outlive the call, and their sizes are those that are said.
        let result = unsafe {
            get(
                entry,
                TcpConnectionEstatsData,
                &raw mut is_counted,
                0,
                1,
                std::ptr::null_mut(),
                0,
                0,
                (&raw mut counts).cast(),
                0,
                size,
            )
        };
        if result != NO_ERROR {
            return None;
        }
        if is_counted != 0 {
            // `DataBytes...` count what was sent again as well.
            return Some((counts.ThruBytesAcked, counts.ThruBytesReceived));
        }
        if self.asks {
            let wanted = 1_u8;
            // SAFETY: both outlive the call; the size is that of the byte.
            let result = unsafe { set(entry, TcpConnectionEstatsData, &raw const wanted, 0, 1, 0) };
            if result == ERROR_ACCESS_DENIED {
                self.refused = true;
                self.asks = false;
            }
        }
        None
    }

    /// What is not counted.
    pub(super) fn gap(counters: Option<&Self>) -> Gap {
        let (why, missed) = match counters {
            None => (
                "this Windows does not count the bytes of a connection",
                "how much each connection moved",
            ),
            Some(it) if it.refused => (
                "Windows counts the bytes of connections only when an administrator asks for it; start \
                 whocalls as administrator",
                "how much each connection moved",
            ),
            Some(_) => (
                "Windows counts the bytes of a connection only from when somebody asks for it, and a watch \
                 asks when it first sees the connection",
                "bytes of TCP before that, of UDP, and of IPv6 within the local network",
            ),
        };
        Gap::standing("bytes_not_counted", Source::IpHelper, why, missed)
    }
}
