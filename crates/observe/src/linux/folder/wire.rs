//! What goes over the socket: of a request its kind, the length of the first name, and the names; of
//! an answer the errno, the room, and the descriptor of a new file.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, retry_on_intr};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recv, recvmsg, send, sendmsg,
};

use crate::folder::{Answer, Request, Space};

/// Two names; none is longer than its parts may be.
pub(super) const LONGEST_REQUEST: usize = HEAD + 2 * 3 * 129;
/// Kind, length of the first name.
const HEAD: usize = 8;
/// Errno (0: it was done), free bytes, all bytes.
const ANSWER: usize = 24;

impl Answer {
    pub(super) const NOTHING: Self = Self {
        file: None,
        space: Space {
            free_bytes: 0,
            total_bytes: 0,
        },
    };
}

pub(super) fn bytes(request: Request<'_>) -> Vec<u8> {
    let (kind, first, second) = match request {
        Request::MakeFolder(name) => (1_u32, name, ""),
        Request::Create(name) => (2, name, ""),
        Request::Rename(from, to) => (3, from, to),
        Request::Replace(from, to) => (4, from, to),
        Request::Remove(name) => (5, name, ""),
        Request::Sync => (6, "", ""),
        Request::Space => (7, "", ""),
    };
    let length = u32::try_from(first.len()).unwrap_or(u32::MAX);
    let head = [kind.to_ne_bytes(), length.to_ne_bytes()].concat();
    [&head, first.as_bytes(), second.as_bytes()].concat()
}

/// `None`: that is none. What a request does not use has to be empty.
pub(super) fn request(bytes: &[u8]) -> Option<Request<'_>> {
    let (&kind, rest) = bytes.split_first_chunk()?;
    let (&length, names) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_ne_bytes(length)).ok()?;
    let (first, second) = str::from_utf8(names).ok()?.split_at_checked(length)?;
    Some(match (u32::from_ne_bytes(kind), first, second) {
        (1, name, "") => Request::MakeFolder(name),
        (2, name, "") => Request::Create(name),
        (3, from, to) => Request::Rename(from, to),
        (4, from, to) => Request::Replace(from, to),
        (5, name, "") => Request::Remove(name),
        (6, "", "") => Request::Sync,
        (7, "", "") => Request::Space,
        _ => return None,
    })
}

/// Errors: of the socket; or what came was no answer.
pub(super) fn exchange(
    socket: BorrowedFd<'_>,
    request: Request<'_>,
) -> Result<Result<Answer, Errno>, Errno> {
    let bytes = bytes(request);
    retry_on_intr(|| send(socket, &bytes, SendFlags::NOSIGNAL))?;
    let answer = receive_answer(socket)?;
    let is_file = answer.as_ref().is_ok_and(|answer| answer.file.is_some());
    let wants_file = answer.is_ok() && matches!(request, Request::Create(_));
    if is_file == wants_file {
        Ok(answer)
    } else {
        Err(Errno::BADMSG)
    }
}

/// The length of a packet; 0: there will be no more.
pub(super) fn receive(socket: BorrowedFd<'_>, packet: &mut [u8]) -> Result<usize, Errno> {
    retry_on_intr(|| recv(socket, &mut *packet, RecvFlags::empty())).map(|(length, _)| length)
}

pub(super) fn send_answer(
    socket: BorrowedFd<'_>,
    answer: &Result<Answer, Errno>,
) -> Result<(), Errno> {
    let (errno, space, file) = match answer {
        Ok(answer) => (0, answer.space, answer.file.as_ref()),
        Err(errno) => (errno.raw_os_error(), Answer::NOTHING.space, None),
    };
    let packet = [
        i64::from(errno).to_ne_bytes(),
        space.free_bytes.to_ne_bytes(),
        space.total_bytes.to_ne_bytes(),
    ]
    .concat();
    let passed: Vec<_> = file.into_iter().map(AsFd::as_fd).collect();
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut room);
    if !passed.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&passed));
    }
    let slices = [IoSlice::new(&packet)];
    retry_on_intr(|| sendmsg(socket, &slices, &mut control, SendFlags::NOSIGNAL)).map(drop)
}

pub(super) fn receive_answer(socket: BorrowedFd<'_>) -> Result<Result<Answer, Errno>, Errno> {
    let mut bytes = [0; ANSWER];
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut room);
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let received =
        retry_on_intr(|| recvmsg(socket, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC))?;
    let passed: Option<OwnedFd> = control.drain().find_map(|message| {
        if let RecvAncillaryMessage::ScmRights(mut passed) = message {
            passed.next()
        } else {
            None
        }
    });
    if received.bytes != ANSWER || received.flags.contains(ReturnFlags::TRUNC) {
        return Err(Errno::BADMSG);
    }
    answer(&bytes, passed.map(File::from)).ok_or(Errno::BADMSG)
}

fn answer(bytes: &[u8; ANSWER], file: Option<File>) -> Option<Result<Answer, Errno>> {
    let (&errno, rest) = bytes.split_first_chunk()?;
    let (&free, total) = rest.split_first_chunk()?;
    let errno = i32::try_from(i64::from_ne_bytes(errno)).ok()?;
    if errno != 0 {
        return (1..4096)
            .contains(&errno)
            .then(|| Err(Errno::from_raw_os_error(errno)));
    }
    let space = Space {
        free_bytes: u64::from_ne_bytes(free),
        total_bytes: u64::from_ne_bytes(total.try_into().ok()?),
    };
    Some(Ok(Answer { file, space }))
}
