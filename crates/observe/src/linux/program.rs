//! The program that waits is our own file, started again. It reads one byte from us, and then
//! execve(2)s the program, so that it keeps its process id. Both ends talk over a socket that the
//! waiting one has as its standard output.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, getpid, set_child_subreaper, wait};

use super::Ended;
use crate::platform::{has_no_other_child, own_name};

/// The argument by which our own file knows that it is to wait. Not for people.
const MARK: &str = "--wait-and-become";
/// What a shell says when it could not start a program.
const NOT_STARTED: u8 = 127;

pub(super) fn waited() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != MARK {
        return None;
    }
    let command: Vec<OsString> = arguments.collect();
    Some(wait_and_become(&command).unwrap_or(NOT_STARTED).into())
}

/// Gives the code to end with: it did not become the program.
fn wait_and_become(command: &[OsString]) -> io::Result<u8> {
    // These copies close themselves when the program begins.
    let mut channel = UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?);
    let stderr = io::stderr().as_fd().try_clone_to_owned()?;
    channel.read_exact(&mut [0])?;
    let Some((program, arguments)) = command.split_first() else {
        return Ok(NOT_STARTED);
    };
    let why = Command::new(program).args(arguments).stdout(stderr).exec();
    let errno = why.raw_os_error().unwrap_or(Errno::INVAL.raw_os_error());
    channel.write_all(&errno.to_ne_bytes())?;
    Ok(NOT_STARTED)
}

pub(super) struct Waiting {
    pid: u32,
    /// `None`: it was told to go.
    channel: Option<UnixStream>,
    over: bool,
    ended: Option<Ended>,
}

impl Waiting {
    pub(super) fn prepare(command: &[OsString]) -> io::Result<Self> {
        let program = command.first().ok_or(io::ErrorKind::InvalidInput)?;
        check(program)?;
        set_child_subreaper(Some(getpid()))?;
        let (here, there) = UnixStream::pair()?;
        let child = Command::new("/proc/self/exe")
            .arg0(own_name())
            .arg(MARK)
            .args(command)
            .stdout(Stdio::from(OwnedFd::from(there)))
            .spawn()?;
        Ok(Self {
            pid: child.id(),
            channel: Some(here),
            over: false,
            ended: None,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn go(&mut self) -> io::Result<()> {
        let Some(mut channel) = self.channel.take() else {
            return Ok(());
        };
        let mut errno = Vec::new();
        // Somebody may have ended it meanwhile; then there is nobody to read, and no answer.
        let _ = channel.write_all(&[1]);
        let _ = channel.read_to_end(&mut errno);
        match errno.try_into() {
            Ok(errno) => Err(io::Error::from_raw_os_error(i32::from_ne_bytes(errno))),
            Err(_) => Ok(()),
        }
    }

    pub(super) fn is_over(&mut self) -> bool {
        while !self.over {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if is_same(pid, self.pid) => {
                    self.ended = Some(Ended {
                        code: status.exit_status(),
                        signal: status.terminating_signal(),
                    });
                }
                // Something that it started.
                Ok(Some(_)) | Err(Errno::INTR) => {}
                // Those that help us live on, and are nothing that it started.
                Ok(None) if has_no_other_child() => self.over = true,
                Ok(None) => return false,
                // No child is left.
                Err(_) => self.over = true,
            }
        }
        true
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        self.ended
    }
}

fn is_same(one: Pid, other: u32) -> bool {
    u32::try_from(one.as_raw_nonzero().get()) == Ok(other)
}

/// Whether a program can be started, as execvp(3) searches for it; what it then says is the truth.
///
/// Errors: it is not there, or may not be executed.
fn check(program: &OsStr) -> io::Result<()> {
    let may_start = |path: &Path| access(path, Access::EXEC_OK).is_ok() && path.is_file();
    let paths: Vec<_> = if program.as_bytes().contains(&b'/') {
        vec![program.into()]
    } else {
        let path = env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
        let folders = env::split_paths(&path);
        folders.map(|folder| folder.join(program)).collect()
    };
    if paths.iter().any(|path| may_start(path)) {
        return Ok(());
    }
    Err(match paths.iter().any(|path| path.exists()) {
        true => Errno::ACCESS.into(),
        false => Errno::NOENT.into(),
    })
}
