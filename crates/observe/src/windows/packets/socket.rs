//! A raw socket that gets all packets of IPv4 of one interface.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::windows::io::FromRawSocket as _;
use std::ptr::null;
use std::time::Duration;

use windows_sys::Win32::Networking::WinSock::{
    AF_INET, INVALID_SOCKET, IPPROTO_IP, RCVALL_IPLEVEL, SIO_RCVALL, SO_RCVBUF, SOCK_RAW,
    SOCKADDR_IN, SOCKET, SOL_SOCKET, WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED, WSADATA,
    WSAGetLastError, WSASocketW, WSAStartup, bind, ioctlsocket, setsockopt,
};

/// So soon a thread hears that it is to end.
const HEARS_EACH: Duration = Duration::from_millis(500);
/// What Windows keeps until it is fetched.
const ROOM_BYTES: i32 = 8 * 1024 * 1024;

/// What comes is a packet each, from its IP header on. Reading waits for half a second at most.
///
/// Errors: no right to, or this Windows has no such sockets.
pub(super) fn open(address: Ipv4Addr) -> io::Result<UdpSocket> {
    /// Version 2.2.
    const VERSION: u16 = 0x0202;

    let mut about = WSADATA::default();
    // SAFETY: `about` outlives the call. It is never taken back: the library stays until the end.
    let result = unsafe { WSAStartup(VERSION, &raw mut about) };
    if result != 0 {
        return Err(io::Error::from_raw_os_error(result));
    }
    // Windows 7 knows the flag from its first service pack on.
    let raw = match raw_socket(WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT) {
        INVALID_SOCKET => raw_socket(WSA_FLAG_OVERLAPPED),
        raw => raw,
    };
    if raw == INVALID_SOCKET {
        return Err(last_error());
    }
    let number = u64::try_from(raw).map_err(io::Error::other)?;
    // SAFETY: it was made here, and nobody else closes it. Of what the type can do only that is used which
    // every socket can.
    let owned = unsafe { UdpSocket::from_raw_socket(number) };
    let mut own = SOCKADDR_IN {
        sin_family: AF_INET,
        ..SOCKADDR_IN::default()
    };
    own.sin_addr.S_un.S_addr = u32::from_ne_bytes(address.octets());
    let length = i32::try_from(size_of::<SOCKADDR_IN>()).map_err(io::Error::other)?;
    // SAFETY: the socket is open; `own` has `length` bytes and outlives the call.
    if unsafe { bind(raw, (&raw const own).cast(), length) } != 0 {
        return Err(last_error());
    }
    let room = ROOM_BYTES.to_ne_bytes();
    let length = i32::try_from(room.len()).map_err(io::Error::other)?;
    // SAFETY: the socket is open; `room` has `length` bytes and outlives the call. With less room more is
    // lost, and no less is seen.
    let _ = unsafe { setsockopt(raw, SOL_SOCKET, SO_RCVBUF, room.as_ptr(), length) };
    // Not `RCVALL_ON`: the network card would hand on what is for other computers as well, which some of
    // them can only do by losing what is for this one.
    let mut wanted = RCVALL_IPLEVEL.cast_unsigned();
    // SAFETY: the socket is open; `wanted` outlives the call, which reads it.
    let result = unsafe { ioctlsocket(raw, SIO_RCVALL.cast_signed(), &raw mut wanted) };
    if result != 0 {
        return Err(last_error());
    }
    owned.set_read_timeout(Some(HEARS_EACH))?;
    Ok(owned)
}

/// `WSA_FLAG_NO_HANDLE_INHERIT`: no process that is started meanwhile gets it as well.
fn raw_socket(flags: u32) -> SOCKET {
    // SAFETY: nothing but numbers is passed, and no pointer.
    unsafe { WSASocketW(i32::from(AF_INET), SOCK_RAW, IPPROTO_IP, null(), 0, flags) }
}

fn last_error() -> io::Error {
    // SAFETY: nothing is passed.
    io::Error::from_raw_os_error(unsafe { WSAGetLastError() })
}
