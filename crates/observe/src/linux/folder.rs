//! A process of its own that makes the files of a case: no rights, no other folder where there was
//! the right to shut itself in, and only what `crate::folder` lists. It writes no bytes itself: the
//! descriptors of new files, open for writing only, go over the socket.
//!
//! A request is one packet, and so is its answer, in the byte order of this computer. The very first
//! packet is an answer too: whether it has begun.

mod whereabouts;
mod wire;

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::process::{Child, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::process::geteuid;

pub(crate) use self::whereabouts::Whereabouts;
use super::{rights, second, writer};
use crate::folder::{Answer, FolderError, Request, Space};

/// The argument by which our own file knows that it is to make files. Not for people.
const MARK: &str = "--make-case-files";
/// A slow stick takes its time.
const PATIENCE: Duration = Duration::from_secs(120);
/// Files and folders in it are for its owner alone.
const FOLDER_MODE: Mode = Mode::RWXU;
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
/// A case has fewer.
const MOST_FOLDERS: usize = 256;

/// The way to it.
pub(crate) struct Process {
    /// `None`: it has ended, or did not answer in time; a later answer would be taken for another.
    socket: Mutex<Option<OwnedFd>>,
    child: Child,
    keeps_permissions: bool,
    /// `None`: the kernel does not tell.
    whereabouts: Option<Arc<Whereabouts>>,
}

impl Process {
    /// `path` is the folder `name` in `parent`, for errors.
    pub(crate) fn make(parent: &Path, name: &str, path: &Path) -> Result<Self, FolderError> {
        let failed = |errno: Errno| match errno {
            Errno::EXIST => FolderError::Exists(path.to_owned()),
            errno => FolderError::Make {
                path: path.to_owned(),
                source: errno.into(),
            },
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let parent = rustix::fs::open(parent, flags, Mode::empty()).map_err(failed)?;
        rustix::fs::mkdirat(&parent, name, FOLDER_MODE).map_err(failed)?;
        let made = Self::begin(&parent, name);
        if made.is_err() {
            // Only as long as nothing is in it.
            let _ = rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR);
        }
        match made {
            Ok(process) => Ok(process),
            Err(Failed::Folder(errno)) => Err(failed(errno)),
            Err(Failed::Start(error)) => Err(FolderError::Start(error)),
        }
    }

    fn begin(parent: &OwnedFd, name: &str) -> Result<Self, Failed> {
        let folder = open_folder(parent.as_fd(), name)?;
        let here = format!("/proc/self/fd/{}", folder.as_raw_fd());
        if fs::read_dir(&here)?.next().is_some() {
            // Somebody who may write to the parent has put another folder in its place.
            return Err(Errno::EXIST.into());
        }
        let keeps_permissions = keeps_permissions(folder.as_fd())?;
        let user = user(folder.as_fd(), keeps_permissions)?;
        let (socket, child) = second::start(MARK, |command| {
            let numbers = user.map(|(user, group)| [user, group].map(|it| it.to_string()));
            command.current_dir(here).args(numbers.iter().flatten());
        })?;
        let mut process = Self::over(socket, child, keeps_permissions)?;
        process.whereabouts = Whereabouts::of(folder.as_fd()).ok().map(Arc::new);
        Ok(process)
    }

    fn over(socket: OwnedFd, child: Child, keeps_permissions: bool) -> io::Result<Self> {
        for timeout in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&socket, timeout, Some(PATIENCE))?;
        }
        wire::receive_answer(socket.as_fd())??;
        Ok(Self {
            socket: Mutex::new(Some(socket)),
            child,
            keeps_permissions,
            whereabouts: None,
        })
    }

    pub(crate) fn keeps_permissions(&self) -> bool {
        self.keeps_permissions
    }

    pub(crate) fn whereabouts(&self) -> Option<Arc<Whereabouts>> {
        self.whereabouts.clone()
    }

    pub(crate) fn ask(&self, request: Request<'_>) -> io::Result<Answer> {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let open = socket.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        let why = match wire::exchange(open.as_fd(), request) {
            Ok(answer) => return Ok(answer?),
            Err(Errno::AGAIN) => io::ErrorKind::TimedOut,
            Err(_) => io::ErrorKind::BrokenPipe,
        };
        *socket = None;
        Err(why.into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let socket = self.socket.get_mut();
        *socket.unwrap_or_else(PoisonError::into_inner) = None;
        // It may not have ended yet; then it is left to whoever waits for what we leave.
        let _ = self.child.try_wait();
    }
}

enum Failed {
    Folder(Errno),
    Start(io::Error),
}

impl From<Errno> for Failed {
    fn from(errno: Errno) -> Self {
        Self::Folder(errno)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Start(error)
    }
}

/// Whether a folder has the permissions that it is given: FAT has none and shows those it was
/// mounted with. It leaves the folder to its owner alone, where that can be.
fn keeps_permissions(folder: BorrowedFd<'_>) -> Result<bool, Errno> {
    let mut keeps = true;
    for mode in [Mode::RUSR | Mode::XUSR, FOLDER_MODE] {
        let changed = rustix::fs::fchmod(folder, mode);
        let seen = Mode::from_raw_mode(rustix::fs::fstat(folder)?.st_mode);
        keeps &= changed.is_ok() && seen == mode;
    }
    Ok(keeps)
}

/// Which user and group root is to become, to write to a folder that it has just made. `None`: none
/// other.
fn user(folder: BorrowedFd<'_>, keeps_permissions: bool) -> Result<Option<(u32, u32)>, Errno> {
    let owner = rustix::fs::fstat(folder)?;
    if !geteuid().is_root() {
        return Ok(None);
    }
    if !keeps_permissions {
        // Everything there belongs to the one it was mounted for, and stays so.
        return Ok(Some((owner.st_uid, owner.st_gid)));
    }
    // What is not ours, as on a network share, is not ours to give.
    let caller = writer::caller().filter(|_| owner.st_uid == geteuid().as_raw());
    let Some((user, group)) = caller else {
        return Ok(None);
    };
    let owner = (Some(Uid::from_raw(user)), Some(Gid::from_raw(group)));
    rustix::fs::fchown(folder, owner.0, owner.1)?;
    Ok(Some((user, group)))
}

/// To be called before anything else. `Some`: this process was started to make files, its work is
/// over, and it is to end with this code.
pub(crate) fn helped() -> Option<ExitCode> {
    second::helped(MARK, help)
}

/// Errors: nobody asks, it cannot give up rights, or what came was no request.
fn help() -> io::Result<()> {
    second::make_alone()?;
    second::be_called("files");
    // A service that is stopped asks all its processes to end; a case is to be closed before.
    second::end_only_with_its_socket();
    let socket = io::stdin();
    let socket = socket.as_fd();
    match prepare() {
        Ok(folder) => {
            wire::send_answer(socket, &Ok(Answer::NOTHING))?;
            answer_all(socket, folder)
        }
        Err(error) => {
            wire::send_answer(socket, &Err(errno(&error)))?;
            Err(error)
        }
    }
}

/// Opens the folder we are in, becomes the user that was named, and gives up everything else.
fn prepare() -> io::Result<OwnedFd> {
    let folder = rustix::fs::open(c".", rights::SUBFOLDER, Mode::empty())?;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let number = |at| env::args().nth(at)?.parse::<u32>().ok();
    rights::drop_for_folder(folder.as_fd(), number(2).zip(number(3)))?;
    Ok(folder)
}

/// Errors: what came was no request.
fn answer_all(socket: BorrowedFd<'_>, folder: OwnedFd) -> io::Result<()> {
    let mut folder = Root {
        folder,
        changed: BTreeSet::new(),
        folders: 0,
    };
    let mut packet = [0; wire::LONGEST_REQUEST + 1];
    loop {
        let length = wire::receive(socket, &mut packet)?;
        let bytes = packet.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        let request = wire::request(bytes).filter(|request| request.is_allowed());
        let answer = folder.answer(request.ok_or(io::ErrorKind::InvalidData)?);
        wire::send_answer(socket, &answer)?;
    }
}

/// The folder of the case, in the process that works in it.
struct Root {
    folder: OwnedFd,
    /// Folders in which names were made or changed since that was last made sure of.
    changed: BTreeSet<String>,
    folders: usize,
}

impl Root {
    fn answer(&mut self, request: Request<'_>) -> Result<Answer, Errno> {
        match request {
            Request::MakeFolder(name) => self.make_folder(name)?,
            Request::Create(name) => {
                return Ok(Answer {
                    file: Some(self.create(name)?),
                    ..Answer::NOTHING
                });
            }
            Request::Rename(from, to) => self.rename(from, to, false)?,
            Request::Replace(from, to) => self.rename(from, to, true)?,
            Request::Remove(name) => {
                let (folder, last) = self.place(name)?;
                rustix::fs::unlinkat(self.fd(folder.as_ref()), last, AtFlags::empty())?;
                self.note(name);
            }
            Request::Sync => self.sync()?,
            Request::Space => {
                let seen = rustix::fs::fstatvfs(&self.folder)?;
                let space = Space {
                    free_bytes: seen.f_bavail.saturating_mul(seen.f_frsize),
                    total_bytes: seen.f_blocks.saturating_mul(seen.f_frsize),
                };
                return Ok(Answer { file: None, space });
            }
        }
        Ok(Answer::NOTHING)
    }

    fn make_folder(&mut self, name: &str) -> Result<(), Errno> {
        if self.folders >= MOST_FOLDERS {
            return Err(Errno::MLINK);
        }
        let (folder, last) = self.place(name)?;
        match rustix::fs::mkdirat(self.fd(folder.as_ref()), last, FOLDER_MODE) {
            Ok(()) => {
                self.folders += 1;
                self.note(name);
                Ok(())
            }
            // It could be a file or a link.
            Err(Errno::EXIST) => open_folder(self.fd(folder.as_ref()), last).map(drop),
            Err(errno) => Err(errno),
        }
    }

    fn create(&mut self, name: &str) -> Result<File, Errno> {
        let (folder, last) = self.place(name)?;
        let file = rustix::fs::openat(self.fd(folder.as_ref()), last, rights::NEW_FILE, FILE_MODE)?;
        self.note(name);
        Ok(file.into())
    }

    fn rename(&mut self, from: &str, to: &str, over: bool) -> Result<(), Errno> {
        let (from_folder, from_last) = self.place(from)?;
        let (to_folder, to_last) = self.place(to)?;
        let (from_folder, to_folder) = (self.fd(from_folder.as_ref()), self.fd(to_folder.as_ref()));
        let rename =
            |flags| rustix::fs::renameat_with(from_folder, from_last, to_folder, to_last, flags);
        if over {
            rename(RenameFlags::empty())?;
        } else {
            match rename(RenameFlags::NOREPLACE) {
                // Some drivers outside of the kernel cannot. Nobody but us makes names here, so that
                // nothing comes between.
                Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                    match rustix::fs::statat(to_folder, to_last, AtFlags::SYMLINK_NOFOLLOW) {
                        Err(Errno::NOENT) => rename(RenameFlags::empty())?,
                        Err(errno) => return Err(errno),
                        Ok(_) => return Err(Errno::EXIST),
                    }
                }
                renamed => renamed?,
            }
        }
        self.note(from);
        self.note(to);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Errno> {
        for name in &self.changed {
            let folder = if name.is_empty() {
                None
            } else {
                let (above, last) = self.place(name)?;
                Some(open_folder(self.fd(above.as_ref()), last)?)
            };
            match rustix::fs::fsync(self.fd(folder.as_ref())) {
                // There are file systems on which folders cannot be asked.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(errno) => return Err(errno),
            }
        }
        self.changed.clear();
        Ok(())
    }

    /// The folder that a name lies in, and its last part. `None`: the folder of the case.
    fn place<'name>(&self, name: &'name str) -> Result<(Option<OwnedFd>, &'name str), Errno> {
        let mut folder: Option<OwnedFd> = None;
        let mut rest = name;
        while let Some((part, after)) = rest.split_once('/') {
            folder = Some(open_folder(self.fd(folder.as_ref()), part)?);
            rest = after;
        }
        Ok((folder, rest))
    }

    fn fd<'fd>(&'fd self, folder: Option<&'fd OwnedFd>) -> BorrowedFd<'fd> {
        folder.unwrap_or(&self.folder).as_fd()
    }

    /// Something was made or changed under that name.
    fn note(&mut self, name: &str) {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !self.changed.contains(folder) {
            self.changed.insert(folder.to_owned());
        }
    }
}

fn open_folder(above: BorrowedFd<'_>, name: &str) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(above, name, rights::SUBFOLDER, Mode::empty())
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests;
