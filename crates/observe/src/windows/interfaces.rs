//! The network interfaces of this computer and their addresses.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::io;
use std::ptr::null;

use model::SystemInterface;
use windows_sys::Win32::Foundation::{ERROR_BUFFER_OVERFLOW, ERROR_NO_DATA, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_MULTICAST, GetAdaptersAddresses,
};
use windows_sys::Win32::Networking::WinSock::AF_UNSPEC;

use crate::parse::windows_adapters::interfaces as taken_apart;
use crate::parse::windows_memory::Memory;

/// What is asked for first, and the most, in bytes.
const FIRST_BYTES: u32 = 32 * 1024;
const MOST_BYTES: u32 = 16 * 1024 * 1024;
/// There may be more of them each time it is asked.
const TRIES: usize = 8;

/// Errors: they are not told.
pub(super) fn interfaces() -> io::Result<Vec<SystemInterface>> {
    let mut size = FIRST_BYTES;
    for _ in 0..TRIES {
        // Of numbers of 64 bits, so that the structures are aligned as they have to be.
        let units = usize::try_from(size / 8).map_err(io::Error::other)?;
        let mut room = vec![0_u64; units + 1];
        // SAFETY: `room` has at least `size` bytes to write to, and both outlive the call.
        let result = unsafe {
            GetAdaptersAddresses(
                u32::from(AF_UNSPEC),
                GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST,
                null(),
                room.as_mut_ptr().cast(),
                &raw mut size,
            )
        };
        match result {
            NO_ERROR => {
                let bytes: Vec<u8> = room.iter().flat_map(|it| it.to_le_bytes()).collect();
                let base = u64::try_from(room.as_ptr().addr()).map_err(io::Error::other)?;
                return Ok(taken_apart(Memory {
                    bytes: &bytes,
                    base,
                }));
            }
            ERROR_NO_DATA => return Ok(Vec::new()),
            ERROR_BUFFER_OVERFLOW if size <= MOST_BYTES => {}
            other => return Err(io::Error::from_raw_os_error(other.cast_signed())),
        }
    }
    Err(io::Error::other("there are more than can be read"))
}
