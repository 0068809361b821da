//! The program itself is started, with its first thread suspended, and in a job object: the job counts it and
//! all that it starts. As long as it waits, it ends when the job is let go of, which also happens when whocalls
//! is ended. Where there can be no job (on Windows 7, within another one), it stays and waits for ever when
//! whocalls is ended before it goes.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ffi::{OsString, c_void};
use std::io;
use std::mem::size_of;
use std::os::windows::io::{AsHandle as _, AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::os::windows::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::ptr::{null, null_mut};

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, JOB_OBJECT_LIMIT, JOB_OBJECT_LIMIT_BREAKAWAY_OK,
    JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOBOBJECT_BASIC_ACCOUNTING_INFORMATION,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JobObjectBasicAccountingInformation,
    JobObjectExtendedLimitInformation, QueryInformationJobObject, SetInformationJobObject,
};
use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, ResumeThread, THREAD_SUSPEND_RESUME,
};

use super::handle::Handle;
use super::threads::threads;
use crate::program::Ended;

pub(crate) fn waited() -> Option<ExitCode> {
    None
}

pub(crate) struct Waiting {
    child: Child,
    /// `None`: Windows 7 lets nobody into a second job, and this one is in one already.
    job: Option<Job>,
    was_told: bool,
    ended: Option<Ended>,
}

impl Waiting {
    pub(crate) fn prepare(command: &[OsString]) -> io::Result<Self> {
        let (program, arguments) = command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        // Where there is no console, there may be none.
        let stderr = io::stderr().as_handle().try_clone_to_owned();
        let child = Command::new(program)
            .args(arguments)
            .stdout(stderr.map_or_else(|_| Stdio::null(), Stdio::from))
            .creation_flags(CREATE_SUSPENDED)
            .spawn()?;
        let job = Job::of(&child);
        Ok(Self {
            child,
            job,
            was_told: false,
            ended: None,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn go(&mut self) -> io::Result<()> {
        if self.was_told {
            return Ok(());
        }
        let threads = threads().ok_or_else(io::Error::last_os_error)?;
        if let Some(job) = &self.job {
            job.limit(JOB_OBJECT_LIMIT_BREAKAWAY_OK)?;
        }
        // It holds the process, so that no other one has its number. Others may have put threads into it.
        let own = threads.get(&self.pid()).map_or(&[][..], Vec::as_slice);
        let mut gone = Err(io::Error::from(io::ErrorKind::NotFound));
        for thread in own {
            match resume(*thread) {
                Ok(()) => {
                    self.was_told = true;
                    gone = Ok(());
                }
                Err(error) if gone.is_err() => gone = Err(error),
                Err(_) => {}
            }
        }
        // Somebody may have ended it meanwhile.
        if gone.is_err() && self.child.try_wait()?.is_some() {
            return Ok(());
        }
        gone
    }

    pub(crate) fn is_over(&mut self) -> bool {
        if self.ended.is_none()
            && let Ok(Some(status)) = self.child.try_wait()
        {
            self.ended = Some(Ended {
                code: status.code(),
                signal: None,
            });
        }
        let running = self.job.as_ref().and_then(Job::running);
        self.ended.is_some() && running.unwrap_or(0) == 0
    }

    pub(crate) fn ended(&self) -> Option<Ended> {
        self.ended
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.was_told {
            // It may have ended already.
            let _ = self.child.kill();
        }
    }
}

fn resume(thread: u32) -> io::Result<()> {
    let thread =
        Handle::of_thread(thread, THREAD_SUSPEND_RESUME).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the handle is open.
    let before = unsafe { ResumeThread(thread.raw()) };
    match before {
        u32::MAX => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Processes that Windows counts together.
struct Job(OwnedHandle);

impl Job {
    /// With this one in it. `None`: it cannot be.
    fn of(child: &Child) -> Option<Self> {
        // SAFETY: it has no attributes, so that no child inherits it, and no name.
        let job = unsafe { CreateJobObjectW(null(), null()) };
        if job.is_null() {
            return None;
        }
        // SAFETY: it is open, and nobody else closes it.
        let job = Self(unsafe { OwnedHandle::from_raw_handle(job) });
        let while_waiting = JOB_OBJECT_LIMIT_BREAKAWAY_OK | JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        job.limit(while_waiting).ok()?;
        // SAFETY: both handles are open.
        let is_in =
            unsafe { AssignProcessToJobObject(job.0.as_raw_handle(), child.as_raw_handle()) };
        (is_in != 0).then_some(job)
    }

    /// Instead of what was set before.
    fn limit(&self, flags: JOB_OBJECT_LIMIT) -> io::Result<()> {
        let mut limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION::default();
        limits.BasicLimitInformation.LimitFlags = flags;
        let size = u32::try_from(size_of_val(&limits)).map_err(io::Error::other)?;
        let limits: *const JOBOBJECT_EXTENDED_LIMIT_INFORMATION = &raw const limits;
        // SAFETY: the handle is open; `limits` outlives the call and has that size.
        let is_set = unsafe {
            SetInformationJobObject(
                self.0.as_raw_handle(),
                JobObjectExtendedLimitInformation,
                limits.cast::<c_void>(),
                size,
            )
        };
        match is_set {
            0 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    }

    /// How many have not ended. `None`: Windows does not tell.
    fn running(&self) -> Option<u32> {
        let mut counts = JOBOBJECT_BASIC_ACCOUNTING_INFORMATION::default();
        let size = u32::try_from(size_of::<JOBOBJECT_BASIC_ACCOUNTING_INFORMATION>()).ok()?;
        let room: *mut JOBOBJECT_BASIC_ACCOUNTING_INFORMATION = &raw mut counts;
        // SAFETY: the handle is open; `counts` outlives the call and has that size.
        let is_told = unsafe {
            QueryInformationJobObject(
                self.0.as_raw_handle(),
                JobObjectBasicAccountingInformation,
                room.cast::<c_void>(),
                size,
                null_mut(),
            )
        };
        (is_told != 0).then_some(counts.ActiveProcesses)
    }
}
