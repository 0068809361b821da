//! A process of its own that makes new files in one folder, and can do nothing else: no rights, no
//! other folder where there was the right to shut itself in, no file that is there already.
//!
//! Over the socket goes, as packets: the length and the name; an answer; the bytes in pieces; an
//! answer. The very first packet is an answer too, with the path of the folder.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use super::{rights, second};
use crate::writer::{MOST_BYTES, SaveError, check_name};

/// The argument by which our own file knows that it is to write. Not for people.
const MARK: &str = "--write-files";
/// How sudo(8) names the user who called it.
const CALLER: [&str; 2] = ["SUDO_UID", "SUDO_GID"];
/// A slow stick takes its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// A socket holds more.
const PIECE: usize = 64 * 1024;
/// Code, errno.
const ANSWER: usize = 8;
/// The kernel shows no longer path.
const LONGEST_PATH: usize = 4096;

/// The way to it.
pub(crate) struct Writer {
    /// `None`: it has ended, or did not answer in time; a later answer would be taken for another.
    socket: Option<OwnedFd>,
    child: Child,
    folder: PathBuf,
}

impl Writer {
    /// `folder`: `None` is the one that we are in.
    pub(crate) fn start(folder: Option<&Path>) -> io::Result<Self> {
        let (socket, child) = second::start(MARK, |command| {
            if let Some(folder) = folder {
                command.current_dir(folder);
            }
            let caller = CALLER
                .iter()
                .filter_map(|name| Some((name, env::var_os(name)?)));
            command.envs(caller);
        })?;
        Self::over(socket, child)
    }

    fn over(socket: OwnedFd, child: Child) -> io::Result<Self> {
        for timeout in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&socket, timeout, Some(PATIENCE))?;
        }
        let mut path = [0; ANSWER + LONGEST_PATH];
        let length = receive(socket.as_fd(), &mut path)?;
        let (head, path) = path
            .get(..length)
            .and_then(<[u8]>::split_first_chunk)
            .ok_or_else(|| io::Error::other("the process that saves files has ended at once"))?;
        if let Err(SaveError::Failed(errno)) = parse(head).ok_or(io::ErrorKind::InvalidData)? {
            return Err(io::Error::from_raw_os_error(errno));
        }
        Ok(Self {
            socket: Some(socket),
            child,
            folder: OsString::from_vec(path.to_vec()).into(),
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn save(&mut self, name: &str, bytes: &[u8]) -> Result<(), SaveError> {
        let socket = self.socket.as_ref().ok_or(SaveError::WriterEnded)?;
        let why = match exchange(socket.as_fd(), name, bytes) {
            Ok(answer) => return answer,
            Err(Errno::AGAIN) => SaveError::Unanswered,
            Err(_) => SaveError::WriterEnded,
        };
        self.socket = None;
        Err(why)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.socket = None;
        // It may not have ended yet; then it is left to whoever waits for what we leave.
        let _ = self.child.try_wait();
    }
}

/// Errors: of the socket; or what came was no answer.
fn exchange(
    socket: BorrowedFd<'_>,
    name: &str,
    bytes: &[u8],
) -> Result<Result<(), SaveError>, Errno> {
    let length = u64::try_from(bytes.len()).map_err(|_| Errno::TOOBIG)?;
    transmit(socket, &[&length.to_ne_bytes(), name.as_bytes()].concat())?;
    let accepted = receive_answer(socket)?;
    if accepted.is_err() {
        return Ok(accepted);
    }
    for piece in bytes.chunks(PIECE) {
        transmit(socket, piece)?;
    }
    receive_answer(socket)
}

fn receive_answer(socket: BorrowedFd<'_>) -> Result<Result<(), SaveError>, Errno> {
    let mut bytes = [0; ANSWER + 1];
    let length = receive(socket, &mut bytes)?;
    let answer = bytes
        .get(..length)
        .and_then(|bytes| parse(bytes.try_into().ok()?));
    answer.ok_or(Errno::BADMSG)
}

fn transmit(socket: BorrowedFd<'_>, packet: &[u8]) -> Result<(), Errno> {
    retry_on_intr(|| send(socket, packet, SendFlags::NOSIGNAL)).map(drop)
}

/// The length of a packet; 0: there will be no more.
fn receive(socket: BorrowedFd<'_>, packet: &mut [u8]) -> Result<usize, Errno> {
    retry_on_intr(|| recv(socket, &mut *packet, RecvFlags::empty())).map(|(length, _)| length)
}

/// To be called before anything else. `Some`: this process was started to write, its work is over,
/// and it is to end with this code.
pub(crate) fn helped() -> Option<ExitCode> {
    second::helped(MARK, help)
}

/// Errors: nobody asks, it cannot give up rights, or what came was no request.
fn help() -> io::Result<()> {
    second::make_alone()?;
    second::be_called("writes");
    let socket = io::stdin();
    let socket = socket.as_fd();
    match prepare() {
        Ok((folder, path)) => {
            let head = answer(Ok(()));
            transmit(socket, &[&head, path.as_os_str().as_bytes()].concat())?;
            write_all(socket, &folder)
        }
        Err(error) => {
            let head = answer(Err(SaveError::Failed(errno(&error))));
            transmit(socket, &head)?;
            Err(error)
        }
    }
}

/// Opens the folder we are in, and gives up everything else.
fn prepare() -> io::Result<(OwnedFd, PathBuf)> {
    let path = env::current_dir()?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(c".", flags, Mode::empty())?;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    rights::drop_for_writer(folder.as_fd(), caller())?;
    Ok((folder, path))
}

/// User and group of whoever called sudo(8).
pub(super) fn caller() -> Option<(u32, u32)> {
    let number = |name: &str| env::var(name).ok()?.parse::<u32>().ok();
    let [user, group] = CALLER.map(number);
    user.zip(group)
}

/// Errors: what came was no request.
fn write_all(socket: BorrowedFd<'_>, folder: &OwnedFd) -> io::Result<()> {
    // One byte more tells whether it was longer.
    let mut packet = vec![0; PIECE + 1];
    loop {
        let length = receive(socket, &mut packet)?;
        let head = packet.get(..length).unwrap_or_default();
        if head.is_empty() {
            return Ok(());
        }
        let (size, name) = request(head).ok_or(io::ErrorKind::InvalidData)?;
        let made = check_name(name).and_then(|()| make(folder, name));
        transmit(
            socket,
            &answer(made.as_ref().map(drop).map_err(|error| *error)),
        )?;
        if let Ok(file) = made {
            let written = fill(socket, file, size, &mut packet)?;
            transmit(socket, &answer(written))?;
        }
    }
}

/// `None`: that is none.
fn request(head: &[u8]) -> Option<(usize, &str)> {
    let (&size, name) = head.split_first_chunk()?;
    let size = usize::try_from(u64::from_ne_bytes(size)).ok()?;
    let name = str::from_utf8(name).ok()?;
    (size <= MOST_BYTES).then_some((size, name))
}

fn make(folder: &OwnedFd, name: &str) -> Result<File, SaveError> {
    let mode = Mode::RUSR | Mode::WUSR;
    match rustix::fs::openat(folder, name, rights::NEW_FILE, mode) {
        Ok(file) => Ok(file.into()),
        Err(Errno::EXIST) => Err(SaveError::Exists),
        Err(errno) => Err(SaveError::Failed(errno.raw_os_error())),
    }
}

/// Takes all that was announced, also when it cannot be written: whoever sends it waits.
///
/// Errors: what came was not what was announced.
fn fill(
    socket: BorrowedFd<'_>,
    mut file: File,
    size: usize,
    packet: &mut [u8],
) -> io::Result<Result<(), SaveError>> {
    let mut written = Ok(());
    let mut left = size;
    while left > 0 {
        let length = receive(socket, packet)?;
        if length == 0 || length > PIECE || length > left {
            return Err(io::ErrorKind::InvalidData.into());
        }
        left -= length;
        if written.is_ok() {
            written = file.write_all(packet.get(..length).unwrap_or_default());
        }
    }
    let written = written.and_then(|()| file.sync_all());
    Ok(written.map_err(|error| SaveError::Incomplete(errno(&error))))
}

fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(Errno::IO.raw_os_error())
}

fn answer(result: Result<(), SaveError>) -> [u8; ANSWER] {
    let (code, errno) = match result {
        Ok(()) => (0_u32, 0),
        Err(SaveError::NoName) => (1, 0),
        Err(SaveError::NameTooLong) => (2, 0),
        Err(SaveError::NameHasSlash) => (3, 0),
        Err(SaveError::NameHidden) => (4, 0),
        Err(SaveError::NameInvisible) => (5, 0),
        Err(SaveError::NameEnding) => (6, 0),
        Err(SaveError::Exists) => (7, 0),
        Err(SaveError::TooLarge) => (8, 0),
        Err(SaveError::Failed(errno)) => (9, errno),
        Err(SaveError::Incomplete(errno)) => (10, errno),
        Err(SaveError::WriterEnded) => (11, 0),
        Err(SaveError::Unanswered) => (12, 0),
    };
    let [first, second, third, fourth] = code.to_ne_bytes();
    let [fifth, sixth, seventh, eighth] = errno.to_ne_bytes();
    [first, second, third, fourth, fifth, sixth, seventh, eighth]
}

/// `None`: that is none.
fn parse(bytes: &[u8; ANSWER]) -> Option<Result<(), SaveError>> {
    let (&code, errno) = bytes.split_first_chunk()?;
    let errno = i32::from_ne_bytes(errno.try_into().ok()?);
    Some(Err(match u32::from_ne_bytes(code) {
        0 => return Some(Ok(())),
        1 => SaveError::NoName,
        2 => SaveError::NameTooLong,
        3 => SaveError::NameHasSlash,
        4 => SaveError::NameHidden,
        5 => SaveError::NameInvisible,
        6 => SaveError::NameEnding,
        7 => SaveError::Exists,
        8 => SaveError::TooLarge,
        9 => SaveError::Failed(errno),
        10 => SaveError::Incomplete(errno),
        11 => SaveError::WriterEnded,
        12 => SaveError::Unanswered,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;
    use std::thread;

    /// A folder of this test, and a writer for it that is a thread with the rights of this test.
    struct Desk {
        writer: Writer,
        folder: PathBuf,
    }

    impl Desk {
        fn new(name: &str) -> Self {
            let folder = env::temp_dir().join(format!("whocalls-{name}-{}", std::process::id()));
            fs::create_dir(&folder).unwrap();
            let (here, there) = second::pair().unwrap();
            let path = folder.clone();
            thread::spawn(move || {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let open = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
                let head = answer(Ok(()));
                let first = [&head, path.as_os_str().as_bytes()].concat();
                transmit(there.as_fd(), &first).unwrap();
                write_all(there.as_fd(), &open)
            });
            let mut child = Command::new("true").spawn().unwrap();
            child.wait().unwrap();
            let writer = Writer::over(here, child).unwrap();
            Self { writer, folder }
        }

        /// As somebody who does not check the name before would.
        fn save(&mut self, name: &str, bytes: &[u8]) -> Result<(), SaveError> {
            self.writer.save(name, bytes)
        }

        fn names(&self) -> usize {
            fs::read_dir(&self.folder).unwrap().count()
        }
    }

    impl Drop for Desk {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }

    #[test]
    fn what_is_saved_is_there() {
        let mut desk = Desk::new("saved");
        assert_eq!(desk.writer.folder(), desk.folder);
        let large: Vec<u8> = (0..=250).cycle().take(3 * PIECE + 17).collect();
        for (name, bytes) in [
            ("none.txt", &b""[..]),
            ("one.csv", b"a,b\n"),
            ("whole.json", large.get(..PIECE).unwrap()),
            ("large.ndjson", &large),
        ] {
            assert_eq!(desk.save(name, bytes), Ok(()), "{name}");
            let path = desk.folder.join(name);
            assert!(fs::read(&path).unwrap() == bytes, "{name}");
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(desk.names(), 4);
    }

    #[test]
    fn nothing_is_overwritten_and_no_link_is_followed() {
        let mut desk = Desk::new("exists");
        let (kept, aim) = (desk.folder.join("kept.csv"), desk.folder.join("aim"));
        fs::write(&kept, "kept").unwrap();
        symlink(&aim, desk.folder.join("link.csv")).unwrap();
        for name in ["kept.csv", "link.csv"] {
            assert_eq!(desk.save(name, b"other"), Err(SaveError::Exists), "{name}");
        }
        assert_eq!(fs::read(&kept).unwrap(), b"kept");
        assert!(!aim.exists());
        // It goes on after that.
        assert_eq!(desk.save("other.csv", b"other"), Ok(()));
    }

    #[test]
    fn names_are_checked_by_the_one_that_writes() {
        let mut desk = Desk::new("names");
        for (name, why) in [
            ("../a.csv", SaveError::NameHasSlash),
            ("/tmp/a.csv", SaveError::NameHasSlash),
            (".a.csv", SaveError::NameHidden),
            ("a\n.csv", SaveError::NameInvisible),
            ("a.sh", SaveError::NameEnding),
            ("", SaveError::NoName),
        ] {
            assert_eq!(desk.save(name, b"x"), Err(why), "{name:?}");
        }
        assert_eq!(desk.names(), 0);
    }

    #[test]
    fn what_is_no_request_ends_it() {
        let too_large = (MOST_BYTES as u64 + 1).to_ne_bytes();
        for packets in [
            vec![b"?".to_vec()],
            vec![[&too_large[..], b"a.csv"].concat()],
            vec![[&1_u64.to_ne_bytes()[..], b"\xff.csv"].concat()],
            // More than was announced.
            vec![
                [&1_u64.to_ne_bytes()[..], b"a.csv"].concat(),
                b"ab".to_vec(),
            ],
        ] {
            let desk = Desk::new("request");
            let mut desk = desk;
            let socket = desk.writer.socket.take().unwrap();
            for packet in &packets {
                let _ = transmit(socket.as_fd(), packet);
            }
            let mut answers = 0;
            while receive(socket.as_fd(), &mut [0; 64]).unwrap_or(0) > 0 {
                answers += 1;
            }
            assert_eq!(answers, packets.len() - 1, "{packets:?}");
            assert_eq!(desk.save("b.csv", b""), Err(SaveError::WriterEnded));
        }
    }

    #[test]
    fn answers_come_back_as_they_were() {
        let all = (0..20_u32).filter_map(|code| {
            let bytes = [code.to_ne_bytes(), 5_i32.to_ne_bytes()].concat();
            parse(&bytes.try_into().unwrap())
        });
        assert_eq!(all.clone().count(), 13);
        for result in all {
            assert_eq!(parse(&answer(result)), Some(result));
        }
    }
}
