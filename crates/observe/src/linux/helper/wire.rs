//! What goes over the socket: each question and each answer is one packet, in the byte order of
//! this computer.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::{FileIdentity, NetworkNamespace, PathState, Text};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

use super::Answer;

/// Kind, pid, start ticks, device, inode.
pub(super) const REQUEST: usize = 32;
/// The kernel shows no longer path.
pub(super) const LONGEST_LINK: usize = 4096;
/// Status, errno.
const HEAD: usize = 8;
/// Device, inode, links.
const PROGRAM: usize = 24;
/// What the kernel puts behind the path of a file whose name is gone (fs/d_path.c).
const DELETED: &[u8] = b" (deleted)";
/// What it puts before the name of a memfd (mm/memfd.c).
const MEMFD: &[u8] = b"/memfd:";
const LONGEST_ANSWER: usize = HEAD + PROGRAM + LONGEST_LINK;

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    /// Hashes the program file of that run, if it still is that file.
    Hash {
        pid: u32,
        start_ticks: u64,
        file: FileIdentity,
    },
    /// Which program file that run has.
    Program { pid: u32, start_ticks: u64 },
    /// The program file of that run, to be read.
    File { pid: u32, start_ticks: u64 },
    /// What that run has in its memory, as `/proc/PID/maps` tells it.
    Maps { pid: u32, start_ticks: u64 },
    /// A way to ask for the sockets of the network namespace that the process is in.
    Namespace { pid: u32 },
}

/// The program file of a process, as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProgramFile {
    /// With ` (deleted)` behind it where the kernel says so.
    pub(crate) link: Text,
    pub(crate) file: FileIdentity,
    /// How many names it has. 0: it has been deleted, or never had one.
    pub(crate) links: u64,
}

impl ProgramFile {
    /// The path, and whether it is still there.
    pub(crate) fn path(&self) -> (Text, PathState) {
        match self.link.bytes().strip_suffix(DELETED) {
            None => (self.link.clone(), PathState::Present),
            Some(path) if self.links == 0 && path.starts_with(MEMFD) => {
                (path.into(), PathState::Memfd)
            }
            Some(path) if self.links == 0 => (path.into(), PathState::Deleted),
            // It may be part of a name, or the file has another name.
            Some(_) => (self.link.clone(), PathState::Unknown),
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The process has ended, or another one has its number.
    Gone,
    /// It runs another file now.
    OtherFile,
    /// It is not an ordinary file.
    NotAFile,
    /// More than 1 GiB.
    TooLarge,
    /// It lies on a file system that somebody else answers for: another computer, or a program.
    /// Either could make us wait for ever.
    Elsewhere,
    /// It changed while it was read.
    Changed,
    /// The kernel refused.
    Failed(Errno),
}

impl Why {
    fn code(self) -> (u32, i32) {
        match self {
            Self::Gone => (1, 0),
            Self::OtherFile => (2, 0),
            Self::NotAFile => (3, 0),
            Self::TooLarge => (4, 0),
            Self::Elsewhere => (5, 0),
            Self::Changed => (6, 0),
            Self::Failed(errno) => (7, errno.raw_os_error()),
        }
    }

    fn of(code: u32, errno: i32) -> Option<Self> {
        Some(match code {
            1 => Self::Gone,
            2 => Self::OtherFile,
            3 => Self::NotAFile,
            4 => Self::TooLarge,
            5 => Self::Elsewhere,
            6 => Self::Changed,
            7 => Self::Failed(Errno::from_raw_os_error(errno)),
            _ => return None,
        })
    }
}

impl From<Errno> for Why {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::SRCH => Self::Gone,
            errno => Self::Failed(errno),
        }
    }
}

impl Request {
    pub(super) fn bytes(&self) -> [u8; REQUEST] {
        let (kind, pid, start_ticks, file) = match *self {
            Self::Hash {
                pid,
                start_ticks,
                file,
            } => (1_u32, pid, start_ticks, Some(file)),
            Self::Program { pid, start_ticks } => (2, pid, start_ticks, None),
            Self::Namespace { pid } => (3, pid, 0, None),
            Self::File { pid, start_ticks } => (5, pid, start_ticks, None),
            Self::Maps { pid, start_ticks } => (6, pid, start_ticks, None),
        };
        let mut bytes = [0; REQUEST];
        let parts: [&[u8]; 5] = [
            &kind.to_ne_bytes(),
            &pid.to_ne_bytes(),
            &start_ticks.to_ne_bytes(),
            &file.map_or(0, |file| file.device).to_ne_bytes(),
            &file.map_or(0, |file| file.inode).to_ne_bytes(),
        ];
        let source = parts.into_iter().flatten();
        for (byte, value) in bytes.iter_mut().zip(source) {
            *byte = *value;
        }
        bytes
    }

    /// `None`: that is none. What a question does not use has to be 0.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first_chunk()?;
        let (&pid, rest) = rest.split_first_chunk()?;
        let (start_ticks, rest) = take(rest)?;
        let (device, rest) = take(rest)?;
        let (inode, rest) = take(rest)?;
        let pid = u32::from_ne_bytes(pid);
        let unused = match u32::from_ne_bytes(kind) {
            1 => [0; 3],
            2 | 5 | 6 => [0, device, inode],
            3 => [start_ticks, device, inode],
            _ => return None,
        };
        let is_pid = i32::try_from(pid).is_ok_and(|pid| pid > 0);
        if !rest.is_empty() || unused != [0; 3] || !is_pid {
            return None;
        }
        let file = FileIdentity { device, inode };
        Some(match u32::from_ne_bytes(kind) {
            1 => Self::Hash {
                pid,
                start_ticks,
                file,
            },
            2 => Self::Program { pid, start_ticks },
            5 => Self::File { pid, start_ticks },
            6 => Self::Maps { pid, start_ticks },
            _ => Self::Namespace { pid },
        })
    }
}

impl Answer {
    fn parse(request: Request, bytes: &[u8], socket: Option<OwnedFd>) -> Option<Self> {
        let (&code, rest) = bytes.split_first_chunk()?;
        let (&errno, rest) = rest.split_first_chunk()?;
        let code = u32::from_ne_bytes(code);
        let why = match code {
            0 => None,
            code => Some(Why::of(code, i32::from_ne_bytes(errno))?),
        };
        Some(match request {
            Request::Hash { .. } => {
                let hash = match why {
                    Some(why) => Err(why),
                    None => Ok(rest.try_into().ok()?),
                };
                Self::Hash(request, hash)
            }
            Request::Program { .. } => {
                let file = match why {
                    Some(why) => Err(why),
                    None => Ok(program_file(rest)?),
                };
                Self::Program(request, file)
            }
            Request::File { .. } | Request::Maps { .. } => {
                let open = match why {
                    Some(why) => Err(why),
                    None if !rest.is_empty() => return None,
                    None => Ok(socket?),
                };
                Self::Open(request, open)
            }
            Request::Namespace { .. } => {
                let found = match why {
                    Some(why) => Err(why),
                    None => {
                        let number = NetworkNamespace(u32::from_ne_bytes(rest.try_into().ok()?));
                        Ok((number, socket?))
                    }
                };
                Self::Namespace(request, found)
            }
        })
    }

    /// As a packet, and the descriptor that goes with it.
    fn packet(&self) -> (Vec<u8>, Option<BorrowedFd<'_>>) {
        let (why, mut body, socket) = match self {
            Self::Hash(_, Ok(hash)) => (None, hash.to_vec(), None),
            Self::Program(_, Ok(program)) => {
                let parts = [
                    &program.file.device.to_ne_bytes()[..],
                    &program.file.inode.to_ne_bytes(),
                    &program.links.to_ne_bytes(),
                    program.link.bytes(),
                ];
                (None, parts.concat(), None)
            }
            Self::Namespace(_, Ok((number, socket))) => {
                (None, number.0.to_ne_bytes().to_vec(), Some(socket.as_fd()))
            }
            Self::Open(_, Ok(open)) => (None, Vec::new(), Some(open.as_fd())),
            Self::Hash(_, Err(why))
            | Self::Program(_, Err(why))
            | Self::Open(_, Err(why))
            | Self::Namespace(_, Err(why)) => (Some(why), Vec::new(), None),
        };
        let (code, errno) = why.map_or((0, 0), |why| why.code());
        let mut packet = [code.to_ne_bytes(), errno.to_ne_bytes()].concat();
        packet.append(&mut body);
        (packet, socket)
    }
}

fn program_file(bytes: &[u8]) -> Option<ProgramFile> {
    let (device, rest) = take(bytes)?;
    let (inode, rest) = take(rest)?;
    let (links, link) = take(rest)?;
    Some(ProgramFile {
        link: link.into(),
        file: FileIdentity { device, inode },
        links,
    })
}

fn take(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (&number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_ne_bytes(number), rest))
}

/// Waits for a question. `None`: there will be no more.
///
/// Errors: what came is none.
pub(super) fn receive_request(socket: BorrowedFd<'_>) -> io::Result<Option<Request>> {
    // One byte more tells whether it was longer.
    let mut bytes = [0; REQUEST + 1];
    loop {
        let length = match rustix::net::recv(socket, &mut bytes, RecvFlags::empty()) {
            Ok((0, _)) => return Ok(None),
            Ok((length, _)) => length,
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let request = Request::parse(bytes.get(..length).unwrap_or_default());
        return request
            .map(Some)
            .ok_or_else(|| io::ErrorKind::InvalidData.into());
    }
}

pub(super) fn send_answer(socket: BorrowedFd<'_>, answer: &Answer) -> io::Result<()> {
    let (packet, passed) = answer.packet();
    let passed: Vec<_> = passed.into_iter().collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !passed.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(&passed));
    }
    loop {
        let slices = [IoSlice::new(&packet)];
        match rustix::net::sendmsg(socket, &slices, &mut control, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The answer to a question. `None`: not yet.
///
/// Errors: the helper has ended, or what came is no answer.
pub(super) fn receive_answer(
    socket: BorrowedFd<'_>,
    request: &Request,
) -> io::Result<Option<Answer>> {
    let mut bytes = vec![0; LONGEST_ANSWER];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let received = match rustix::net::recvmsg(socket, &mut slices, &mut control, flags) {
        Ok(received) => received,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let passed = control.drain().find_map(|message| {
        if let RecvAncillaryMessage::ScmRights(mut passed) = message {
            passed.next()
        } else {
            None
        }
    });
    let not_understood = || io::Error::from(io::ErrorKind::InvalidData);
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let whole = !received.flags.contains(ReturnFlags::TRUNC);
    if !whole {
        return Err(not_understood());
    }
    let bytes = bytes.get(..received.bytes).unwrap_or_default();
    let answer = Answer::parse(*request, bytes, passed);
    answer.map(Some).ok_or_else(not_understood)
}

/// Whether the other side has gone, as far as nothing else is left to be read.
pub(super) fn is_closed(socket: BorrowedFd<'_>) -> bool {
    let flags = RecvFlags::DONTWAIT | RecvFlags::PEEK;
    match rustix::net::recv(socket, &mut [0_u8; 1], flags) {
        Ok((length, _)) => length == 0,
        Err(errno) => !matches!(errno, Errno::AGAIN | Errno::INTR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: FileIdentity = FileIdentity {
        device: 3,
        inode: 4,
    };

    #[test]
    fn questions_come_back_as_they_were() {
        for request in [
            Request::Hash {
                pid: 1,
                start_ticks: 2,
                file: FILE,
            },
            Request::Program {
                pid: 1,
                start_ticks: 2,
            },
            Request::Namespace { pid: 1 },
            Request::File {
                pid: 1,
                start_ticks: 2,
            },
            Request::Maps {
                pid: 1,
                start_ticks: 2,
            },
        ] {
            assert_eq!(Request::parse(&request.bytes()), Some(request));
        }
    }

    #[test]
    fn nothing_else_is_a_question() {
        let good = Request::Namespace { pid: 1 }.bytes();
        for (at, value) in [(0, 4), (0, 0), (4, 0), (7, 0x80), (8, 1), (16, 1), (31, 1)] {
            let mut bytes = good;
            bytes[at] = value;
            assert_eq!(Request::parse(&bytes), None, "{at}");
        }
        assert_eq!(Request::parse(&good[1..]), None);
        assert_eq!(Request::parse(&[&good[..], &[0]].concat()), None);
    }

    fn check(answer: &Answer, request: Request) {
        let (packet, _) = answer.packet();
        let back = Answer::parse(request, &packet, None).unwrap();
        assert_eq!(format!("{back:?}"), format!("{answer:?}"));
    }

    #[test]
    fn answers_come_back_as_they_were() {
        let hash = Request::Hash {
            pid: 1,
            start_ticks: 2,
            file: FILE,
        };
        check(&Answer::Hash(hash, Ok([7; 32])), hash);
        for why in [
            Why::Gone,
            Why::OtherFile,
            Why::NotAFile,
            Why::TooLarge,
            Why::Elsewhere,
            Why::Changed,
            Why::Failed(Errno::ACCESS),
        ] {
            check(&Answer::Hash(hash, Err(why)), hash);
        }
        let program = Request::Program {
            pid: 1,
            start_ticks: 2,
        };
        let found = ProgramFile {
            link: "/usr/bin/x (deleted)".into(),
            file: FILE,
            links: 1,
        };
        check(&Answer::Program(program, Ok(found)), program);
    }

    #[test]
    fn a_path_says_whether_it_is_still_there() {
        let check = |link: &str, links, path: &str, state| {
            let program = ProgramFile {
                link: link.into(),
                file: FILE,
                links,
            };
            assert_eq!(program.path(), (path.into(), state), "{link}");
        };
        check("/usr/bin/x", 1, "/usr/bin/x", PathState::Present);
        check("/tmp/x (deleted)", 0, "/tmp/x", PathState::Deleted);
        check("/memfd:x (deleted)", 0, "/memfd:x", PathState::Memfd);
        check(
            "/tmp/x (deleted)",
            2,
            "/tmp/x (deleted)",
            PathState::Unknown,
        );
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = Request::parse(&bytes);
            for request in [
                Request::Hash { pid: 1, start_ticks: 2, file: FILE },
                Request::Program { pid: 1, start_ticks: 2 },
                Request::Namespace { pid: 1 },
            ] {
                let _ = Answer::parse(request, &bytes, None);
            }
        }
    }
}
