//! What goes over the socket: each question and each answer is one packet, in the byte order of
//! this computer.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use model::{FileIdentity, Timestamp};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::examined::{self, Reader, code, of_code};
use super::{Answer, Request, Unasked};
use crate::Depth;
use crate::linux::examine::Ran;

/// Pid, depth, start ticks, program, nothing.
pub(super) const REQUEST: usize = 24;
/// Device, inode, when the process began.
const RAN: usize = 24;
/// The kernel takes no longer path (PATH_MAX).
const LONGEST_PATH: usize = 4096;
const LONGEST_QUESTION: usize = REQUEST + RAN + LONGEST_PATH;
/// No answer is longer.
pub(super) const LONGEST_ANSWER: usize = 64 * 1024;
/// No user has this number (chown(2)).
const NO_USER: u32 = u32::MAX;
/// Kind, question, CPU time, status.
const HEAD: usize = 1 + REQUEST + 8 + 1;

impl Request {
    pub(super) fn bytes(&self) -> [u8; REQUEST] {
        let depth = match self.depth {
            Depth::Cheap => 1_u32,
            Depth::Whole => 2,
        };
        let mut bytes = [0; REQUEST];
        let parts: [&[u8]; 4] = [
            &self.pid.to_ne_bytes(),
            &depth.to_ne_bytes(),
            &self.start_ticks.to_ne_bytes(),
            &self.program.to_ne_bytes(),
        ];
        for (byte, value) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *byte = *value;
        }
        bytes
    }

    /// `None`: that is none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let pid = reader.u32()?;
        let depth = match reader.u32()? {
            1 => Depth::Cheap,
            2 => Depth::Whole,
            _ => return None,
        };
        let request = Self {
            pid,
            depth,
            start_ticks: reader.u64()?,
            program: reader.u32()?,
        };
        let is_pid = i32::try_from(pid).is_ok_and(|pid| pid > 0);
        (is_pid && reader.u32()? == 0 && reader.is_empty()).then_some(request)
    }
}

/// A question as it goes over the socket: the request, and what the process ran: device, inode, when it
/// began, path.
pub(super) fn question(request: Request, ran: Option<&Ran>) -> Vec<u8> {
    let mut bytes = request.bytes().to_vec();
    // A longer path is none that could be asked for.
    if let Some(ran) = ran.filter(|ran| ran.path.bytes().len() <= LONGEST_PATH) {
        bytes.extend(ran.file.device.to_ne_bytes());
        bytes.extend(ran.file.inode.to_ne_bytes());
        bytes.extend(ran.started.unix_nanos().to_ne_bytes());
        bytes.extend(ran.path.bytes());
    }
    bytes
}

/// `None`: that is none.
pub(super) fn parse_question(bytes: &[u8]) -> Option<(Request, Option<Ran>)> {
    let (request, rest) = bytes.split_at_checked(REQUEST)?;
    let request = Request::parse(request)?;
    if rest.is_empty() {
        return Some((request, None));
    }
    let (numbers, path) = rest.split_first_chunk::<RAN>()?;
    let mut reader = Reader::new(numbers);
    let file = FileIdentity {
        device: reader.u64()?,
        inode: reader.u64()?,
    };
    let started = Timestamp::from_unix_nanos(reader.u64()?.cast_signed());
    let is_path = path.starts_with(b"/") && path.len() <= LONGEST_PATH;
    let ran = Ran {
        file,
        started,
        path: path.into(),
    };
    is_path.then_some((request, Some(ran)))
}

impl Answer {
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Examined {
                request,
                spent,
                found,
            } => {
                let spent = u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX);
                let mut bytes = vec![1];
                bytes.extend(request.bytes());
                bytes.extend(spent.to_ne_bytes());
                match found {
                    Ok(found) => {
                        bytes.push(u8::MAX);
                        bytes.extend(examined::bytes(found, LONGEST_ANSWER - HEAD));
                    }
                    Err(why) => bytes.push(code(*why)),
                }
                bytes
            }
            Self::Unasked(unasked) => {
                let mut bytes = vec![2];
                bytes.extend(unasked.pid.to_ne_bytes());
                bytes.extend(unasked.start_ticks.unwrap_or_default().to_ne_bytes());
                examined::put_text(unasked.name.as_ref(), &mut bytes);
                examined::put_text(unasked.path.as_ref(), &mut bytes);
                bytes.extend(unasked.uid.unwrap_or(NO_USER).to_ne_bytes());
                let left = LONGEST_ANSWER.saturating_sub(bytes.len());
                bytes.extend(examined::bytes(&unasked.examined, left));
                bytes
            }
            Self::Swept => vec![3],
        }
    }

    /// `None`: that is none.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&kind, rest) = bytes.split_first()?;
        match kind {
            1 => {
                let (request, rest) = rest.split_at_checked(REQUEST)?;
                let request = Request::parse(request)?;
                let mut reader = Reader::new(rest);
                let spent = Duration::from_nanos(reader.u64()?);
                let found = match reader.u8()? {
                    u8::MAX => Ok(examined::parse(&mut reader)?),
                    why => Err(of_code(why)?),
                };
                reader.is_empty().then_some(Self::Examined {
                    request,
                    spent,
                    found,
                })
            }
            2 => {
                let mut reader = Reader::new(rest);
                let unasked = Unasked {
                    pid: reader.u32()?,
                    start_ticks: Some(reader.u64()?).filter(|ticks| *ticks > 0),
                    name: reader.text()?,
                    path: reader.text()?,
                    uid: Some(reader.u32()?).filter(|uid| *uid != NO_USER),
                    examined: examined::parse(&mut reader)?,
                };
                reader.is_empty().then_some(Self::Unasked(unasked))
            }
            3 if rest.is_empty() => Some(Self::Swept),
            _ => None,
        }
    }
}

/// The next question; the socket has something to say. `None`: there will be no more.
///
/// Errors: what came is none.
pub(super) fn receive_request(
    socket: BorrowedFd<'_>,
) -> io::Result<Option<(Request, Option<Ran>)>> {
    // One byte more tells whether it was longer.
    let mut bytes = [0; LONGEST_QUESTION + 1];
    loop {
        let length = match rustix::net::recv(socket, &mut bytes, RecvFlags::empty()) {
            Ok((0, _)) => return Ok(None),
            Ok((length, _)) => length,
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        let question = parse_question(bytes.get(..length).unwrap_or_default());
        return question
            .map(Some)
            .ok_or_else(|| io::ErrorKind::InvalidData.into());
    }
}

pub(super) fn send_answer(socket: BorrowedFd<'_>, answer: &Answer) -> io::Result<()> {
    let packet = answer.bytes();
    loop {
        match rustix::net::send(socket, &packet, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// The next answer. `None`: not yet.
///
/// Errors: the examiner has ended, or what came is no answer.
pub(super) fn receive_answer(socket: BorrowedFd<'_>) -> io::Result<Option<Answer>> {
    // One byte more tells whether it was longer.
    let mut bytes = vec![0; LONGEST_ANSWER + 1];
    let length = match rustix::net::recv(socket, &mut bytes[..], RecvFlags::DONTWAIT) {
        Ok((0, _)) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Ok((length, _)) => length,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let answer = bytes.get(..length).filter(|_| length <= LONGEST_ANSWER);
    let answer = answer.and_then(Answer::parse);
    let not_understood = || io::Error::from(io::ErrorKind::InvalidData);
    answer.map(Some).ok_or_else(not_understood)
}

#[cfg(test)]
mod tests {
    use super::super::examined::tests::examined;
    use super::*;
    use model::Untested;
    use proptest::prelude::*;

    fn request() -> impl Strategy<Value = Request> {
        let depth = prop_oneof![Just(Depth::Cheap), Just(Depth::Whole)];
        let pid = 1..=0x7fff_ffff_u32;
        (pid, any::<u64>(), depth, any::<u32>()).prop_map(|(pid, start_ticks, depth, program)| {
            Request {
                pid,
                start_ticks,
                depth,
                program,
            }
        })
    }

    #[test]
    fn nothing_else_is_a_question() {
        let good = Request {
            pid: 1,
            start_ticks: 2,
            depth: Depth::Whole,
            program: 3,
        };
        let bytes = good.bytes();
        assert_eq!(Request::parse(&bytes), Some(good));
        for (at, value) in [(0, 0), (3, 0x80), (4, 0), (4, 3), (20, 1), (23, 1)] {
            let mut other = bytes;
            other[at] = value;
            assert_eq!(Request::parse(&other), None, "{at}");
        }
        assert_eq!(Request::parse(&bytes[1..]), None);
        assert_eq!(Request::parse(&[&bytes[..], &[0]].concat()), None);
        let whole = question(good, Some(&ran(b"/x")));
        assert_eq!(parse_question(&whole), Some((good, Some(ran(b"/x")))));
        assert_eq!(parse_question(&whole[..REQUEST]), Some((good, None)));
        for length in 1..RAN + 1 {
            assert_eq!(parse_question(&whole[..REQUEST + length]), None, "{length}");
        }
        let relative = question(good, Some(&ran(b"x")));
        assert_eq!(parse_question(&relative), None);
        let long = [b'/'; LONGEST_PATH + 1];
        let without = question(good, Some(&ran(&long)));
        assert_eq!(parse_question(&without), Some((good, None)));
        assert_eq!(parse_question(&[&whole[..], &long].concat()), None);
    }

    fn ran(path: &[u8]) -> Ran {
        Ran {
            file: FileIdentity {
                device: 3,
                inode: u64::MAX,
            },
            started: Timestamp::from_unix_nanos(-5),
            path: path.into(),
        }
    }

    proptest! {
        #[test]
        fn questions_come_back_as_they_were(request in request()) {
            prop_assert_eq!(Request::parse(&request.bytes()), Some(request));
            prop_assert_eq!(parse_question(&question(request, None)), Some((request, None)));
        }

        #[test]
        fn answers_come_back_as_they_were(
            request in request(),
            spent: u32,
            found in examined(),
            why in proptest::sample::select(Untested::ALL),
            name: Option<Vec<u8>>,
            start in proptest::option::of(1_u64..),
        ) {
            let spent = Duration::from_nanos(spent.into());
            let name = name.map(|name| name.as_slice().into());
            let unasked = Unasked {
                pid: request.pid,
                start_ticks: start,
                path: None,
                uid: start.and_then(|it| u32::try_from(it % 7).ok()),
                name,
                examined: found.clone(),
            };
            let examined = |found| Answer::Examined { request, spent, found };
            for answer in [
                examined(Ok(found)),
                examined(Err(why)),
                Answer::Unasked(unasked),
                Answer::Swept,
            ] {
                let bytes = answer.bytes();
                prop_assert!(bytes.len() <= LONGEST_ANSWER);
                prop_assert_eq!(Answer::parse(&bytes), Some(answer));
            }
        }

        #[test]
        fn never_panics(bytes: Vec<u8>, kind in 0_u8..5) {
            let _ = Request::parse(&bytes);
            let _ = parse_question(&bytes);
            let _ = Answer::parse(&bytes);
            let _ = Answer::parse(&[&[kind], &bytes[..]].concat());
            let request = Request { pid: 1, start_ticks: 1, depth: Depth::Cheap, program: 0 };
            let head = [&[1][..], &request.bytes(), &[0; 8], &[u8::MAX]].concat();
            let _ = Answer::parse(&[&head, &bytes[..]].concat());
        }
    }
}
