//! System calls that neither std nor socket2 has: a safe function around each.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::ptr;

use socket2::SockAddr;

/// Runs `child` in a forked process, which ends with it. Gives its pid.
///
/// To be called before this program starts any thread.
pub fn fork(child: impl FnOnce() -> io::Result<()>) -> io::Result<libc::pid_t> {
    // SAFETY: this program has one thread when it forks, so no lock is held by another one.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => end(match child() {
            Ok(()) => 0,
            Err(error) => {
                eprintln!("child: {error}");
                1
            }
        }),
        pid => Ok(pid),
    }
}

/// Ends this process at once.
pub fn end(code: i32) -> ! {
    // SAFETY: _exit(2) takes a number and does not come back.
    unsafe { libc::_exit(code) }
}

/// Waits for a child; that it ended badly is an error.
pub fn wait(pid: libc::pid_t) -> io::Result<()> {
    let mut status = 0;
    // SAFETY: `status` outlives the call, which writes an int to it.
    checked(unsafe { libc::waitpid(pid, &mut status, 0) })?;
    match libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
        true => Ok(()),
        false => Err(io::Error::other("a child ended badly")),
    }
}

/// Waits for all children, and for theirs if `adopt_orphans` was called.
pub fn wait_for_all() -> io::Result<()> {
    loop {
        match wait(-1) {
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => return Ok(()),
            other => other?,
        }
    }
}

/// Children of children that lose their parent become ours.
pub fn adopt_orphans() -> io::Result<()> {
    // SAFETY: this option of prctl(2) takes one number and no pointer.
    checked(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) }).map(drop)
}

/// Begins a session of its own, as daemons do.
pub fn new_session() -> io::Result<()> {
    // SAFETY: setsid(2) takes nothing.
    checked(unsafe { libc::setsid() }).map(drop)
}

/// `flags`: CLONE_NEWNET and the like.
pub fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: unshare(2) takes a number; only namespaces are unshared here, no memory.
    checked(unsafe { libc::unshare(flags) }).map(drop)
}

/// Moves this thread into a network namespace.
pub fn enter_network(namespace: &impl AsFd) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as it is borrowed.
    checked(unsafe { libc::setns(namespace.as_fd().as_raw_fd(), libc::CLONE_NEWNET) }).map(drop)
}

/// What is mounted from now on is not seen outside of this mount namespace.
pub fn keep_mounts_private() -> io::Result<()> {
    mount(
        Path::new("none"),
        Path::new("/"),
        None,
        libc::MS_REC | libc::MS_PRIVATE,
    )
}

pub fn mount_over(source: &Path, target: &Path) -> io::Result<()> {
    mount(source, target, None, libc::MS_BIND)
}

pub fn mount_proc() -> io::Result<()> {
    mount(
        Path::new("proc"),
        Path::new("/proc"),
        Some(c"proc".into()),
        0,
    )
}

fn mount(
    source: &Path,
    target: &Path,
    kind: Option<CString>,
    flags: libc::c_ulong,
) -> io::Result<()> {
    let source = CString::new(source.as_os_str().as_bytes())?;
    let target = CString::new(target.as_os_str().as_bytes())?;
    let kind = kind.as_ref().map_or(ptr::null(), |kind| kind.as_ptr());
    // SAFETY: the three texts end in NUL and outlive the call, the fourth may be null (mount(2)).
    checked(unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind, flags, ptr::null()) })
        .map(drop)
}

/// Sends up to `bytes` of a file, from where it stands. Gives how many.
pub fn send_file(socket: &impl AsFd, file: &File, bytes: usize) -> io::Result<usize> {
    let (to, from) = (socket.as_fd().as_raw_fd(), file.as_raw_fd());
    // SAFETY: both descriptors are open as long as they are borrowed; no offset is given.
    count(unsafe { libc::sendfile(to, from, ptr::null_mut(), bytes) })
}

/// Moves up to `bytes` between two descriptors, one of which is a pipe. 0: nothing comes any more.
pub fn splice(from: &impl AsFd, to: &impl AsFd, bytes: usize) -> io::Result<usize> {
    let (from, to) = (from.as_fd().as_raw_fd(), to.as_fd().as_raw_fd());
    // SAFETY: both descriptors are open as long as they are borrowed; no offsets are given.
    count(unsafe { libc::splice(from, ptr::null_mut(), to, ptr::null_mut(), bytes, 0) })
}

/// Sends `datagram` to `remote` `times` times by one call. Gives how often it was sent.
pub fn send_many(
    socket: &impl AsFd,
    remote: &SockAddr,
    datagram: &[u8],
    times: usize,
) -> io::Result<usize> {
    let mut part = libc::iovec {
        iov_base: datagram.as_ptr().cast_mut().cast(),
        iov_len: datagram.len(),
    };
    let mut message = empty_message(&mut part);
    message.msg_name = remote.as_ptr().cast_mut().cast();
    message.msg_namelen = remote.len();
    let mut messages = vec![
        libc::mmsghdr {
            msg_hdr: message,
            msg_len: 0
        };
        times
    ];
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: `messages`, and the address and content they all point to, outlive the call, which
    // only reads the latter two.
    let sent = unsafe { libc::sendmmsg(socket, messages.as_mut_ptr(), times as _, 0) };
    count(sent as isize)
}

/// Receives up to `times` datagrams by one call, waiting for the first. Gives their lengths.
pub fn receive_many(socket: &impl AsFd, times: usize) -> io::Result<Vec<usize>> {
    let mut rooms = vec![[0u8; 2048]; times];
    let mut parts: Vec<_> = rooms
        .iter_mut()
        .map(|room| libc::iovec {
            iov_base: room.as_mut_ptr().cast(),
            iov_len: room.len(),
        })
        .collect();
    let mut messages: Vec<_> = parts
        .iter_mut()
        .map(|part| libc::mmsghdr {
            msg_hdr: empty_message(part),
            msg_len: 0,
        })
        .collect();
    let socket = socket.as_fd().as_raw_fd();
    // SAFETY: `messages` and the rooms they point to outlive the call and are not used elsewhere.
    let received = unsafe {
        libc::recvmmsg(
            socket,
            messages.as_mut_ptr(),
            times as _,
            libc::MSG_WAITFORONE,
            ptr::null_mut(),
        )
    };
    let received = count(received as isize)?;
    Ok(messages
        .iter()
        .take(received)
        .map(|message| message.msg_len as usize)
        .collect())
}

/// A message with one part and neither address nor control data.
fn empty_message(part: &mut libc::iovec) -> libc::msghdr {
    // SAFETY: all bits zero is a valid msghdr: its pointers may be null (recvmsg(2)).
    let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    message.msg_iov = part;
    message.msg_iovlen = 1;
    message
}

/// Room for one descriptor in control data, aligned as cmsg(3) wants it.
#[repr(C, align(8))]
struct OneDescriptor {
    header: libc::cmsghdr,
    descriptor: libc::c_int,
    padding: u32,
}

impl OneDescriptor {
    fn new(descriptor: libc::c_int) -> Self {
        let header = libc::cmsghdr {
            cmsg_len: size_of::<libc::cmsghdr>() + size_of::<libc::c_int>(),
            cmsg_level: libc::SOL_SOCKET,
            cmsg_type: libc::SCM_RIGHTS,
        };
        Self {
            header,
            descriptor,
            padding: 0,
        }
    }
}

/// Gives a descriptor to the process at the other end, with a text (unix(7), SCM_RIGHTS).
pub fn pass(way: &UnixStream, descriptor: &impl AsFd, text: &[u8]) -> io::Result<()> {
    let mut part = libc::iovec {
        iov_base: text.as_ptr().cast_mut().cast(),
        iov_len: text.len(),
    };
    let mut control = OneDescriptor::new(descriptor.as_fd().as_raw_fd());
    let mut message = empty_message(&mut part);
    message.msg_control = ptr::from_mut(&mut control).cast();
    message.msg_controllen = size_of::<OneDescriptor>();
    // SAFETY: the text and the control data outlive the call, which only reads them.
    count(unsafe { libc::sendmsg(way.as_raw_fd(), &message, 0) }).map(drop)
}

/// Takes what `pass` gave; the text may be up to `longest` bytes long.
pub fn take(way: &UnixStream, longest: usize) -> io::Result<(OwnedFd, Vec<u8>)> {
    let mut text = vec![0; longest];
    let mut part = libc::iovec {
        iov_base: text.as_mut_ptr().cast(),
        iov_len: longest,
    };
    let mut control = OneDescriptor::new(-1);
    let mut message = empty_message(&mut part);
    message.msg_control = ptr::from_mut(&mut control).cast();
    message.msg_controllen = size_of::<OneDescriptor>();
    // SAFETY: the rooms for text and control data outlive the call and are not used elsewhere.
    let length =
        count(unsafe { libc::recvmsg(way.as_raw_fd(), &mut message, libc::MSG_CMSG_CLOEXEC) })?;
    if control.descriptor < 0 {
        return Err(io::Error::other("no descriptor came"));
    }
    text.truncate(length);
    // SAFETY: the kernel has just put this descriptor into our table, and nobody else owns it.
    Ok((unsafe { OwnedFd::from_raw_fd(control.descriptor) }, text))
}

/// Makes a descriptor ours that was inherited by number over an exec.
pub fn inherited(descriptor: i32) -> io::Result<OwnedFd> {
    // SAFETY: F_GETFD takes no argument and only tells whether the descriptor is open.
    checked(unsafe { libc::fcntl(descriptor, libc::F_GETFD) })?;
    // SAFETY: it is open, and the program that started us left it to us.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Sends frames on an interface, each by one call. Gives how many bytes.
pub fn inject(interface: &str, frames: impl Iterator<Item = Vec<u8>>) -> io::Result<usize> {
    let interface = CString::new(interface)?;
    // SAFETY: the name ends in NUL and outlives the call, which only reads it.
    let index = unsafe { libc::if_nametoindex(interface.as_ptr()) };
    if index == 0 {
        return Err(io::Error::last_os_error());
    }
    // Protocol 0: nothing is ever received (packet(7)).
    let socket = socket2::Socket::new(socket2::Domain::PACKET, socket2::Type::RAW, None)?;
    // SAFETY: all bits zero is a valid sockaddr_ll; the fields that matter are set below.
    let mut to: libc::sockaddr_ll = unsafe { MaybeUninit::zeroed().assume_init() };
    to.sll_family = libc::AF_PACKET as u16;
    to.sll_ifindex = index as i32;
    let mut bytes = 0;
    for frame in frames {
        let (room, length) = (frame.as_ptr().cast(), frame.len());
        let (name, size) = (ptr::from_ref(&to).cast(), size_of_val(&to) as u32);
        // SAFETY: frame and address outlive the call, which only reads them.
        bytes += count(unsafe { libc::sendto(socket.as_raw_fd(), room, length, 0, name, size) })?;
    }
    Ok(bytes)
}

/// How often a lost SYN is sent again by this socket (tcp(7), TCP_SYNCNT).
pub fn set_syn_retries(socket: &impl AsFd, times: i32) -> io::Result<()> {
    set_option(socket, libc::IPPROTO_TCP, libc::TCP_SYNCNT, times)
}

/// Lets a listener take data with the SYN (tcp(7), TCP_FASTOPEN).
pub fn accept_fast(socket: &impl AsFd) -> io::Result<()> {
    set_option(socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN, 256)
}

/// Room for datagrams that wait, beyond what the computer allows others.
pub fn set_receive_room(socket: &impl AsFd, bytes: i32) -> io::Result<()> {
    set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)
}

fn set_option(socket: &impl AsFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    let (room, size) = (ptr::from_ref(&value).cast(), size_of_val(&value) as u32);
    // SAFETY: the value outlives the call, which reads `size` bytes of it.
    checked(unsafe { libc::setsockopt(socket.as_fd().as_raw_fd(), level, name, room, size) })
        .map(drop)
}

/// Whether the data that went with the SYN was taken (linux/tcp.h, TCPI_OPT_SYN_DATA).
pub fn was_fast(socket: &impl AsFd) -> io::Result<bool> {
    const OPTIONS: usize = 5;
    const SYN_DATA: u8 = 32;
    let mut info = [0u8; 104];
    let mut size = info.len() as u32;
    let (socket, room) = (socket.as_fd().as_raw_fd(), info.as_mut_ptr().cast());
    // SAFETY: the room outlives the call, which writes at most `size` bytes to it.
    checked(unsafe {
        libc::getsockopt(socket, libc::IPPROTO_TCP, libc::TCP_INFO, room, &mut size)
    })?;
    Ok(info[OPTIONS] & SYN_DATA != 0)
}

/// Waits until the socket can be written to, which after connect(2) means: it is decided.
pub fn wait_writable(socket: &impl AsFd, patience: std::time::Duration) -> io::Result<()> {
    let mut poll = libc::pollfd {
        fd: socket.as_fd().as_raw_fd(),
        events: libc::POLLOUT,
        revents: 0,
    };
    // SAFETY: `poll` outlives the call, and one is how many there are.
    match checked(unsafe { libc::poll(&mut poll, 1, patience.as_millis() as i32) })? {
        0 => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

fn checked(result: libc::c_int) -> io::Result<libc::c_int> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(result),
    }
}

fn count(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}
