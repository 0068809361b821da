//! Addresses on the local network: the table of neighbours of the IP helper.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ffi::c_void;
use std::io;

use model::RememberedBy;
use windows_sys::Win32::Foundation::{ERROR_NOT_FOUND, NO_ERROR};
use windows_sys::Win32::Networking::WinSock::AF_UNSPEC;

use super::super::library::Library;
use super::{LIMIT, Memory};
use crate::parse::windows_neighbours as table;

/// `GetIpNetTable2`: Windows Vista and later.
type Ask = unsafe extern "system" fn(u16, *mut *const u8) -> u32;
/// `FreeMibTable`.
type Free = unsafe extern "system" fn(*const c_void);

pub(super) fn neighbours(memory: &mut Memory) {
    const MISSED: &str = "addresses on the local network that this computer sent to";
    match read() {
        Ok((rows, whole)) => {
            let by = RememberedBy::Neighbours;
            let kept = table::neighbours(&rows).all(|ip| memory.add(by, ip, None));
            if !kept || !whole {
                let why = format!("this computer remembers more than {LIMIT} addresses");
                memory.gap("remembered_let_go", why, "the others of them");
            }
        }
        Err(error) => {
            let why = format!("the neighbours cannot be read: {error}");
            memory.gap("neighbours_unreadable", why, MISSED);
        }
    }
}

/// The rows, and whether these are all.
fn read() -> io::Result<(Vec<u8>, bool)> {
    let missing = || io::Error::from(io::ErrorKind::Unsupported);
    let library = Library::of_system("iphlpapi.dll").ok_or_else(missing)?;
    let ask = library.function(c"GetIpNetTable2").ok_or_else(missing)?;
    let free = library.function(c"FreeMibTable").ok_or_else(missing)?;
    // SAFETY: this is the type of the function of that name.
    let ask = unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Ask>(ask) };
    // SAFETY: as above.
    let free = unsafe { std::mem::transmute::<unsafe extern "system" fn() -> isize, Free>(free) };
    let mut start: *const u8 = std::ptr::null();
    // SAFETY: `start` outlives the call, which writes an address there.
    let result = unsafe { ask(AF_UNSPEC, &raw mut start) };
    match result {
        NO_ERROR if !start.is_null() => {}
        ERROR_NOT_FOUND => return Ok((Vec::new(), true)),
        other => return Err(io::Error::from_raw_os_error(other.cast_signed())),
    }
    // SAFETY: a table begins with the number of its rows.
    let head = unsafe { start.cast::<[u8; 4]>().read() };
    let count = table::count(head);
    let taken = count.min(LIMIT);
    let rows = if taken == 0 {
        Vec::new()
    } else {
        // SAFETY: there is a row behind the head.
        let first = unsafe { start.add(table::HEAD) };
        // SAFETY: the table has at least `taken` rows, each of that length, until it is freed.
        unsafe { std::slice::from_raw_parts(first, taken * table::ROW) }.to_vec()
    };
    // SAFETY: it was made by `GetIpNetTable2` and is not used any more.
    unsafe { free(start.cast()) };
    Ok((rows, taken == count))
}
