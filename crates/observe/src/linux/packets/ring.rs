//! The ring of one network namespace (packet_mmap.rst, TPACKET_V3): memory that the kernel fills with
//! packets, block by block. A block belongs to the kernel or to us; its status word says to whom, and
//! nobody touches it but its owner. So while we have a closed block it does not change, and a packet
//! need not be copied out of it. Whoever has taken a block may keep it for longer; dropping it gives
//! it back.

#[cfg(test)]
mod tests;

use std::io;
use std::mem::{offset_of, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::packets::Depth;
use crate::parse::packet_block::{ARPHRD_LOOPBACK, CLOSED, GIVEN_BACK, STATUS_AT};

pub(super) const BLOCK_BYTES: usize = 256 << 10;
/// A block that is not full is closed after so many milliseconds.
const RETIRED_AFTER: u32 = 20;
/// The kernel wants to know how large a frame is, and in this version does not use it.
const FRAME_BYTES: u32 = 1 << 11;
const FULL: u32 = 262_144;
const HEADERS: u32 = 128;

/// enum tpacket_versions
const TPACKET_V3: u32 = 2;
/// As htons(3) stands in memory.
const ETH_P_ALL: u16 = 3_u16.to_be();
/// include/uapi/linux/filter.h: what is said of a packet stands far behind it.
const ABOUT: i32 = -0x1000;
const PACKET_TYPE: i32 = 4;
const KIND: i32 = 28;
/// PACKET_OUTGOING
const OUTGOING: u32 = 4;

pub(super) struct Ring {
    memory: Arc<Memory>,
    socket: OwnedFd,
}

/// What the kernel has counted since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Statistics {
    pub(super) received: u32,
    pub(super) dropped: u32,
    pub(super) freezes: u32,
}

impl Ring {
    /// Makes a ring of at most so many blocks, and has it filled from now on. The socket is one that
    /// was opened for no protocol, so that nothing has come before.
    ///
    /// Errors: those of the kernel; `OutOfMemory`.
    pub(super) fn new(socket: OwnedFd, blocks: usize, depth: Depth) -> io::Result<Self> {
        set(&socket, libc::PACKET_VERSION, &[TPACKET_V3])?;
        keep_only(&socket, &filter(depth))?;
        let mut blocks = blocks.max(2);
        // Memory may be too much in pieces for a large one.
        while let Err(error) = set(&socket, libc::PACKET_RX_RING, &request(blocks)?) {
            if blocks == 2 {
                return Err(error);
            }
            blocks = (blocks / 2).max(2);
        }
        let memory = Memory::of(Some(socket.as_fd()), blocks)?;
        receive_everything(&socket)?;
        Ok(Self {
            memory: Arc::new(memory),
            socket,
        })
    }

    pub(super) fn blocks(&self) -> usize {
        self.memory.taken.len()
    }

    /// Whether this block can be taken.
    pub(super) fn is_closed(&self, block: usize) -> bool {
        self.memory.is_closed(block)
    }

    /// A block that the kernel has closed. `None`: it is the kernel's, or taken, or there is none.
    pub(super) fn take(&mut self, block: usize) -> Option<Block> {
        Memory::take(&self.memory, block)
    }

    /// Whether somebody has this block.
    pub(super) fn is_taken(&self, block: usize) -> bool {
        let taken = self.memory.taken.get(block);
        taken.is_some_and(|taken| taken.load(Ordering::Relaxed))
    }

    /// Starts anew with each call.
    pub(super) fn statistics(&self) -> io::Result<Statistics> {
        let [received, dropped, freezes] = take(&self.socket, libc::PACKET_STATISTICS)?;
        Ok(Statistics {
            received,
            dropped,
            freezes,
        })
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The memory that we share with the kernel. It outlives the ring where blocks of it are kept; the
/// kernel counts the mapping as a use of the socket, and lets go of neither before it ends.
struct Memory {
    start: NonNull<u8>,
    bytes: usize,
    /// Of each block, whether there is a [`Block`]. Its status word says "closed" all that time, and
    /// that alone would have us read it once more when its turn comes again.
    taken: Box<[AtomicBool]>,
}

#[expect(unsafe_code, reason = "a pointer says nothing of threads")]
// SAFETY: the memory belongs to this process, not to a thread, and only this value points to it.
unsafe impl Send for Memory {}
#[expect(unsafe_code, reason = "a pointer says nothing of threads")]
// SAFETY: through `&self` the memory is reached by atomics only, and by the one `Block` that there is
// of each block at a time.
unsafe impl Sync for Memory {}

impl Memory {
    /// That of a ring; without a socket, for tests, memory that no kernel fills.
    #[expect(unsafe_code, reason = "no safe function maps the ring of a socket")]
    fn of(socket: Option<BorrowedFd<'_>>, blocks: usize) -> io::Result<Self> {
        let bytes = blocks
            .checked_mul(BLOCK_BYTES)
            .ok_or(io::ErrorKind::InvalidInput)?;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let (flags, descriptor) = match socket {
            Some(socket) => (libc::MAP_SHARED, socket.as_raw_fd()),
            None => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1),
        };
        // SAFETY: the kernel chooses where, so that nothing that is in use is replaced.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, descriptor, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let taken = (0..blocks).map(|_| AtomicBool::new(false)).collect();
        Ok(Self {
            start,
            bytes,
            taken,
        })
    }

    fn is_closed(&self, block: usize) -> bool {
        // In this order: who sees that the block is no longer taken sees also that it was given back
        // (`Block::drop`), and takes it only when the kernel has closed it again.
        let is_taken = self.taken.get(block).map(|it| it.load(Ordering::Acquire));
        let status = self.status(block).map(|it| it.load(Ordering::Acquire));
        is_taken == Some(false) && status.is_some_and(|status| status & CLOSED != 0)
    }

    /// A closed block that nobody has.
    fn take(memory: &Arc<Self>, number: usize) -> Option<Block> {
        let taken = memory.taken.get(number)?;
        // First the mark, so that of several who ask only one has it; then the status, as above.
        if taken.swap(true, Ordering::Acquire) {
            return None;
        }
        let status = memory.status(number).map(|it| it.load(Ordering::Acquire));
        if status.is_none_or(|status| status & CLOSED == 0) {
            taken.store(false, Ordering::Release);
            return None;
        }
        let memory = Arc::clone(memory);
        Some(Block { memory, number })
    }

    /// Where a block begins. `None`: there is no such block.
    fn begin(&self, block: usize) -> Option<*mut u8> {
        let offset = block.checked_mul(BLOCK_BYTES)?;
        let is_inside = offset.checked_add(BLOCK_BYTES)? <= self.bytes;
        is_inside.then(|| self.start.as_ptr().wrapping_add(offset))
    }

    #[expect(unsafe_code, reason = "the word is in memory that we share")]
    fn status(&self, block: usize) -> Option<&AtomicU32> {
        let word = self.begin(block)?.wrapping_add(STATUS_AT).cast();
        // SAFETY: the word lies in the memory of this value, which is mapped as long as it lives, at
        // a multiple of 8 of a page's begin. The kernel writes it whole, and we only by atomics.
        Some(unsafe { AtomicU32::from_ptr(word) })
    }
}

impl Drop for Memory {
    #[expect(unsafe_code, reason = "the reverse of mapping it")]
    fn drop(&mut self) {
        // SAFETY: exactly this was mapped, and nothing borrows it any more.
        let unmapped = unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
        // It fails only for what was never mapped.
        let _ = unmapped;
    }
}

/// A closed block that belongs to us until this is dropped.
pub(super) struct Block {
    memory: Arc<Memory>,
    number: usize,
}

impl AsRef<[u8]> for Block {
    #[expect(unsafe_code, reason = "so that no packet has to be copied")]
    fn as_ref(&self) -> &[u8] {
        let Some(start) = self.memory.begin(self.number) else {
            return &[];
        };
        // SAFETY: the bytes lie in memory that is mapped and filled (with zeros at first) as long as
        // this value lives, which has a part in it. It was made for a closed block, of which it is
        // the only one (`taken`), and the kernel does not write to it before the status word says
        // that it was given back: dropping this value does that, and nobody else. The word itself is
        // among the bytes; nobody writes it meanwhile.
        unsafe { std::slice::from_raw_parts(start, BLOCK_BYTES) }
    }
}

impl Drop for Block {
    /// Lets the kernel fill it anew.
    fn drop(&mut self) {
        // What was read of it, by whatever thread, was read before: whoever shares this value ends
        // its use before it is dropped, and "release" keeps that order for the kernel.
        if let Some(status) = self.memory.status(self.number) {
            status.store(GIVEN_BACK, Ordering::Release);
        }
        // Only then: who saw that it is not taken any more and that it is still closed would read
        // again what it has read.
        if let Some(taken) = self.memory.taken.get(self.number) {
            taken.store(false, Ordering::Release);
        }
    }
}

/// `struct tpacket_req3`: what the ring is to be like.
fn request(blocks: usize) -> io::Result<[u32; 7]> {
    let number = |number: usize| u32::try_from(number).map_err(io::Error::other);
    let (block, count) = (number(BLOCK_BYTES)?, number(blocks)?);
    let frames = (block / FRAME_BYTES)
        .checked_mul(count)
        .ok_or(io::ErrorKind::InvalidInput)?;
    Ok([block, count, FRAME_BYTES, frames, RETIRED_AFTER, 0, 0])
}

/// Cuts packets, and drops those that a loopback interface gives a second time, as they arrive.
fn filter(depth: Depth) -> [libc::sock_filter; 6] {
    let kept = match depth {
        Depth::Full => FULL,
        Depth::Headers => HEADERS,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let jump = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let give = libc::BPF_RET | libc::BPF_K;
    let step = |code: u32, jt, jf, k: u32| libc::sock_filter {
        // Every code fits in 16 bits.
        code: u16::try_from(code).unwrap_or(u16::MAX),
        jt,
        jf,
        k,
    };
    [
        step(load, 0, 0, (ABOUT + KIND).cast_unsigned()),
        step(jump, 0, 2, u32::from(ARPHRD_LOOPBACK)),
        step(load, 0, 0, (ABOUT + PACKET_TYPE).cast_unsigned()),
        step(jump, 0, 1, OUTGOING),
        step(give, 0, 0, kept),
        step(give, 0, 0, 0),
    ]
}

fn length_of<T>() -> libc::socklen_t {
    libc::socklen_t::try_from(size_of::<T>()).unwrap_or(0)
}

#[expect(unsafe_code, reason = "no safe function knows this option")]
fn keep_only(socket: &OwnedFd, steps: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(steps.len()).map_err(io::Error::other)?,
        filter: steps.as_ptr().cast_mut(),
    };
    // SAFETY: the kernel copies the program, whose length is given, and the steps, whose number
    // stands in it; both live until then. It writes to neither.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            ptr::from_ref(&program).cast(),
            length_of::<libc::sock_fprog>(),
        )
    };
    checked(result)
}

#[expect(unsafe_code, reason = "no safe function knows these options")]
fn set<const COUNT: usize>(socket: &OwnedFd, option: i32, value: &[u32; COUNT]) -> io::Result<()> {
    // SAFETY: the kernel copies as many bytes as the numbers have.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            value.as_ptr().cast(),
            length_of::<[u32; COUNT]>(),
        )
    };
    checked(result)
}

#[expect(unsafe_code, reason = "no safe function knows these options")]
fn take<const COUNT: usize>(socket: &OwnedFd, option: i32) -> io::Result<[u32; COUNT]> {
    let mut value = [0; COUNT];
    let mut length = length_of::<[u32; COUNT]>();
    // SAFETY: the kernel writes at most as many bytes as `length` says, which is what the numbers
    // have; any bytes are numbers.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            value.as_mut_ptr().cast(),
            ptr::from_mut(&mut length),
        )
    };
    checked(result).map(|()| value)
}

/// Gives the socket its protocol, on all interfaces: from here on packets come.
#[expect(unsafe_code, reason = "no safe function knows this kind of address")]
fn receive_everything(socket: &OwnedFd) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: u16::try_from(libc::AF_PACKET).map_err(io::Error::other)?,
        sll_protocol: ETH_P_ALL,
        sll_ifindex: 0,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    const { assert!(offset_of!(libc::sockaddr_ll, sll_addr) + 8 == size_of::<libc::sockaddr_ll>()) };
    // SAFETY: the kernel copies as many bytes as the address has.
    let result = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            ptr::from_ref(&address).cast(),
            length_of::<libc::sockaddr_ll>(),
        )
    };
    checked(result)
}

fn checked(result: i32) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
