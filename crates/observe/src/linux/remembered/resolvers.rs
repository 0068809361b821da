//! Resolvers that keep answers and let them be read: systemd-resolved and nscd. Neither is asked
//! to look anything up.

use std::fs::File;
use std::io::{self, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use model::{RememberedBy, Timestamp};
use rustix::fs::{FileType, Mode, OFlags, fstat};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, SocketAddrUnix,
    SocketFlags, SocketType,
};

use super::{LIMIT, Memo, Memory};
use crate::parse::resolver_cache::resolved::{self, NoAnswers};
use crate::parse::resolver_cache::{Answers, nscd};

const RESOLVED: &str = "/run/systemd/resolve/io.systemd.Resolve";
const RESOLVED_MONITOR: &str = "/run/systemd/resolve/io.systemd.Resolve.Monitor";
const NSCD: &str = "/run/nscd/socket";
/// Where Debian, glibc itself and SUSE let nscd keep it.
const NSCD_FILES: [&str; 3] = [
    "/var/cache/nscd/hosts",
    "/var/db/nscd/hosts",
    "/var/lib/nscd/hosts",
];
/// systemd-resolved keeps some 4,000 names per interface; each takes some 500 bytes.
const LONGEST_MESSAGE: usize = 16 << 20;
/// Twice what nscd keeps if not told otherwise.
const LONGEST_FILE: u64 = 64 << 20;
/// For one step of a talk with a resolver, and for all of it.
const PATIENCE: Duration = Duration::from_secs(1);
const PATIENCE_IN_ALL: Duration = Duration::from_secs(3);

/// A cache could not be read.
enum Failure {
    /// This computer has no such resolver.
    Absent,
    Unreadable(String),
}

pub(super) fn resolvers(now: Timestamp, memory: &mut Memory) {
    let mut why = Vec::new();
    let mut read = 0;
    for (name, cache) in [("systemd-resolved", read_resolved()), ("nscd", read_nscd())] {
        match cache {
            Ok(answers) => {
                read += 1;
                memory.let_go += answers.let_go;
                if answers.cut {
                    why.push(format!(
                        "the cache of {name}: it leads to more than it has room for, and was read in part"
                    ));
                }
                for answer in answers.kept {
                    memory.add(Memo {
                        name: answer.name,
                        // Later than now: the clock was set since.
                        seen: answer.asked.filter(|asked| *asked <= now),
                        ..Memo::of(RememberedBy::ResolverCache, answer.address)
                    });
                }
            }
            Err(Failure::Absent) => {}
            Err(Failure::Unreadable(cause)) => why.push(format!("the cache of {name}: {cause}")),
        }
    }
    if read == 0 && why.is_empty() {
        why.push("no resolver on this computer keeps a cache that can be read".to_owned());
    }
    if !why.is_empty() {
        let missed = "names that were looked up, and their addresses";
        memory.gap("resolver_cache_unreadable", why.join("; "), missed);
    }
}

fn read_resolved() -> Result<Answers, Failure> {
    let too_old = || unreadable("only version 254 and later shows it");
    let message = ask_resolved().map_err(|error| match failure(&error) {
        // It runs, but knows no monitors.
        Failure::Absent if Path::new(RESOLVED).exists() => too_old(),
        failure @ (Failure::Absent | Failure::Unreadable(_)) => failure,
    })?;
    resolved::answers(&message, LIMIT).map_err(|error| match error {
        NoAnswers::TooOld => too_old(),
        NoAnswers::Refused(error) => unreadable(format!("it refused: {error}")),
        NoAnswers::Malformed => unreadable("its answer has another form"),
    })
}

fn ask_resolved() -> io::Result<Vec<u8>> {
    let start = Instant::now();
    let mut socket = ask(RESOLVED_MONITOR, resolved::QUESTION)?;
    let mut message = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        if start.elapsed() > PATIENCE_IN_ALL {
            return Err(Errno::TIMEDOUT.into());
        }
        let length = socket.read(&mut buffer)?;
        let part = buffer.get(..length).unwrap_or_default();
        if let Some(end) = part.iter().position(|byte| *byte == 0) {
            message.extend(part.get(..end).unwrap_or_default());
            return Ok(message);
        }
        message.extend(part);
        if part.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if message.len() > LONGEST_MESSAGE {
            return Err(io::Error::other("it is longer than expected"));
        }
    }
}

/// From its files, which outlive it and of which only root may read; else from itself, which
/// hands everybody a descriptor.
fn read_nscd() -> Result<Answers, Failure> {
    let mut failures = Vec::new();
    for path in NSCD_FILES {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let opened = rustix::fs::open(path, flags, Mode::empty());
        match opened
            .map_err(|error| failure(&error.into()))
            .and_then(read_nscd_file)
        {
            Ok(answers) => return Ok(answers),
            Err(error) => failures.push(error),
        }
    }
    match ask_nscd()
        .map_err(|error| failure(&error))
        .and_then(read_nscd_file)
    {
        Ok(answers) => Ok(answers),
        Err(last) => {
            failures.push(last);
            let told = failures
                .into_iter()
                .find(|failure| !matches!(failure, Failure::Absent));
            Err(told.unwrap_or(Failure::Absent))
        }
    }
}

/// For a descriptor of the file that it shares with its clients.
fn ask_nscd() -> io::Result<OwnedFd> {
    let socket = ask(NSCD, nscd::DESCRIPTOR_QUESTION)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut name_and_size = [0; 64];
    rustix::net::recvmsg(
        &socket,
        &mut [IoSliceMut::new(&mut name_and_size)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut descriptors) = message
            && let Some(descriptor) = descriptors.next()
        {
            return Ok(descriptor);
        }
    }
    Err(io::Error::other("it does not share it"))
}

fn read_nscd_file(file: OwnedFd) -> Result<Answers, Failure> {
    /// nscd may write meanwhile.
    const TRIES: usize = 3;
    let kind = fstat(&file).map(|stat| FileType::from_raw_mode(stat.st_mode));
    if kind != Ok(FileType::RegularFile) {
        return Err(unreadable("it is not a file"));
    }
    let file = File::from(file);
    for _ in 0..TRIES {
        let before = nscd_move_count(&file)?;
        let bytes = read_from_start(&file).map_err(|error| failure(&error))?;
        let after = nscd_move_count(&file)?;
        if before == after && before.is_multiple_of(2) {
            let answers = nscd::answers(&bytes, LIMIT);
            return answers.ok_or_else(|| unreadable("it has another form"));
        }
    }
    Err(unreadable("it changed each time while it was read"))
}

fn nscd_move_count(file: &File) -> Result<u32, Failure> {
    let mut head = [0; nscd::HEAD];
    file.read_exact_at(&mut head, 0)
        .map_err(|error| failure(&error))?;
    nscd::move_count(&head).ok_or_else(|| unreadable("it has another form"))
}

/// Without the position of the descriptor, which nscd shares with its other clients.
fn read_from_start(file: &File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > LONGEST_FILE {
        return Err(io::Error::other("it is longer than expected"));
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Connects to a socket of this computer and sends the question; waits nowhere for long.
fn ask(path: &str, question: &[u8]) -> io::Result<UnixStream> {
    let socket = rustix::net::socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // Holds for connecting too: that waits where many others do.
    set_socket_timeout(&socket, Timeout::Send, Some(PATIENCE))?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PATIENCE))?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    let sent = rustix::net::send(&socket, question, SendFlags::NOSIGNAL)?;
    if sent != question.len() {
        return Err(io::ErrorKind::WriteZero.into());
    }
    Ok(UnixStream::from(socket))
}

fn unreadable(why: impl Into<String>) -> Failure {
    Failure::Unreadable(why.into())
}

fn failure(error: &io::Error) -> Failure {
    match Errno::from_io_error(error) {
        // Refused: a socket that nobody listens to any more.
        Some(Errno::NOENT | Errno::NOTDIR | Errno::CONNREFUSED) => Failure::Absent,
        Some(Errno::PERM | Errno::ACCESS) => unreadable("no right to read it; root has it"),
        Some(Errno::AGAIN | Errno::TIMEDOUT) => unreadable("it did not answer in time"),
        _ => unreadable(error.to_string()),
    }
}
