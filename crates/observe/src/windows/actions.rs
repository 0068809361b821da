//! Closes a connection, ends a process. Each makes sure, as the last thing before it acts, that it acts on
//! the one that was meant: the row of the table is read again, and a process is held open while its start
//! is compared.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::thread;
use std::time::{Duration, Instant};

use model::{Endpoint, Socket, State};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_FILE_NOT_FOUND, ERROR_INVALID_PARAMETER, HWND, LPARAM, NO_ERROR,
    WAIT_OBJECT_0,
};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    MIB_TCP_STATE_DELETE_TCB, MIB_TCPROW_LH, SetTcpEntry,
};
use windows_sys::Win32::System::Threading::{
    PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_SYNCHRONIZE,
    PROCESS_TERMINATE, TerminateProcess, WaitForSingleObject,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    EnumWindows, GetWindowThreadProcessId, PostMessageW, WM_CLOSE,
};

use super::handle::{self, Handle};
use super::{native, now, process, processes, stop_event, tables};
use crate::actions::{ActionError, ConnectionTarget, Done, How, Outcome, ProcessTarget};

/// How long it is waited for what was asked for.
const PATIENCE: Duration = Duration::from_secs(2);
const STEP: Duration = Duration::from_millis(50);
/// `ERROR_MR_MID_NOT_FOUND`, which SetTcpEntry gives to who is no administrator.
const NO_RIGHTS: u32 = 317;

pub(crate) fn close_connection(target: &ConnectionTarget) -> Result<Done, ActionError> {
    let (Some((local, local_port)), Some((remote, remote_port))) =
        (four(target.local), four(target.remote))
    else {
        return Err(ActionError::OnlyIpv4);
    };
    if !stands(target) {
        return Err(ActionError::ConnectionGone);
    }
    let mut row = MIB_TCPROW_LH {
        dwLocalAddr: number(local),
        dwLocalPort: u32::from(local_port.to_be()),
        dwRemoteAddr: number(remote),
        dwRemotePort: u32::from(remote_port.to_be()),
        ..MIB_TCPROW_LH::default()
    };
    row.Anonymous.dwState = MIB_TCP_STATE_DELETE_TCB.cast_unsigned();
    // SAFETY: `row` outlives the call.
    let result = unsafe { SetTcpEntry(&raw const row) };
    match result {
        NO_ERROR => {}
        ERROR_ACCESS_DENIED | NO_RIGHTS => return Err(ActionError::NoRightToClose),
        other => return Err(ActionError::Failed(other.cast_signed())),
    }
    // What it returns is not believed: the row has to be gone.
    match within_patience(|| !stands(target)) {
        true => Ok(done(Outcome::Closed)),
        false => Err(ActionError::StillOpen),
    }
}

fn four(end: Endpoint) -> Option<(Ipv4Addr, u16)> {
    match (end.ip?, end.port?) {
        (IpAddr::V4(ip), port) => Some((ip, port)),
        (IpAddr::V6(_), _) => None,
    }
}

/// As it lies in memory, which is network order.
fn number(ip: Ipv4Addr) -> u32 {
    u32::from_ne_bytes(ip.octets())
}

/// Whether that very connection is open.
fn stands(target: &ConnectionTarget) -> bool {
    let is_it = |socket: &Socket| {
        let is_over = matches!(socket.state, State::TimeWait | State::Closed);
        socket.key.cookie == Some(target.cookie) && !is_over
    };
    tables::sockets(&HashMap::new(), None)
        .sockets
        .iter()
        .any(is_it)
}

pub(crate) fn end_process(target: ProcessTarget, how: How) -> Result<Done, ActionError> {
    match target.pid {
        0 | 4 => return Err(ActionError::KernelThread),
        pid if pid == std::process::id() => return Err(ActionError::Ourselves),
        _ => {}
    }
    let process = hold(target)?;
    // What does not tell is not ended the hard way: those that Windows protects do not.
    match (is_critical(target.pid), how) {
        (Some(true), _) => return Err(ActionError::FirstProcess),
        (None, How::Hard) => return Err(ActionError::NoRightToEnd),
        _ => {}
    }
    match how {
        How::Asked if !ask_windows(target.pid) => return Err(ActionError::NoWindow),
        How::Asked => {}
        How::Hard => {
            // SAFETY: the handle is open.
            let is_done = unsafe { TerminateProcess(process.raw(), 1) };
            if is_done == 0 && !has_ended(&process) {
                return Err(last_error());
            }
        }
    }
    Ok(done(match within_patience(|| has_ended(&process)) {
        true => Outcome::Ended,
        false => Outcome::StillRuns,
    }))
}

/// The name of what is set has the start of the process: no other one is ever asked.
pub(crate) fn stop_recording(target: ProcessTarget) -> Result<Done, ActionError> {
    match stop_event::set(target.pid, target.start_ticks) {
        Ok(()) => Ok(done(Outcome::StillRuns)),
        Err(ERROR_FILE_NOT_FOUND) => match open(target, PROCESS_SYNCHRONIZE) {
            Err(ActionError::ProcessGone) => Err(ActionError::ProcessGone),
            _ => Err(ActionError::DoesNotListen),
        },
        Err(ERROR_ACCESS_DENIED) => Err(ActionError::NoRightToEnd),
        Err(other) => Err(ActionError::Failed(other.cast_signed())),
    }
}

/// Held open, its number is given to nobody else.
fn hold(target: ProcessTarget) -> Result<Handle, ActionError> {
    open(target, PROCESS_TERMINATE | PROCESS_SYNCHRONIZE)
}

/// With the right to be asked for its start besides.
fn open(target: ProcessTarget, rights: u32) -> Result<Handle, ActionError> {
    let rights = rights | PROCESS_QUERY_LIMITED_INFORMATION;
    let process = Handle::of_process(target.pid, rights).ok_or_else(last_error)?;
    let started = process::started(&process).map(processes::ticks);
    match started == Some(target.start_ticks) && !has_ended(&process) {
        true => Ok(process),
        false => Err(ActionError::ProcessGone),
    }
}

fn last_error() -> ActionError {
    match handle::last_error() {
        ERROR_ACCESS_DENIED => ActionError::NoRightToEnd,
        // There is no process of this number.
        ERROR_INVALID_PARAMETER => ActionError::ProcessGone,
        other => ActionError::Failed(other.cast_signed()),
    }
}

fn has_ended(process: &Handle) -> bool {
    // SAFETY: the handle is open.
    unsafe { WaitForSingleObject(process.raw(), 0) == WAIT_OBJECT_0 }
}

/// Whether the computer stops when it ends. `None`: it cannot be asked.
fn is_critical(pid: u32) -> Option<bool> {
    native::is_critical(&Handle::of_process(pid, PROCESS_QUERY_INFORMATION)?)
}

struct Asked {
    pid: u32,
    windows: usize,
}

/// Asks each of its windows to close. False: there is none, and nobody was asked.
fn ask_windows(pid: u32) -> bool {
    unsafe extern "system" fn each(window: HWND, handed: LPARAM) -> i32 {
        let asked = std::ptr::with_exposed_provenance_mut::<Asked>(handed.cast_unsigned());
        // SAFETY: it is what `ask_windows` has handed over and touches only after all calls.
        let Some(asked) = (unsafe { asked.as_mut() }) else {
            return 0;
        };
        let mut owner = 0;
        // SAFETY: `owner` outlives the call; a window that is gone is an error.
        unsafe { GetWindowThreadProcessId(window, &raw mut owner) };
        if owner == asked.pid {
            // SAFETY: nothing of ours is passed.
            let is_asked = unsafe { PostMessageW(window, WM_CLOSE, 0, 0) };
            asked.windows = asked.windows.saturating_add(usize::from(is_asked != 0));
        }
        1
    }
    let mut asked = Asked { pid, windows: 0 };
    let handed = (&raw mut asked).expose_provenance().cast_signed();
    // SAFETY: `each` keeps nothing, and `asked` is there until the call is over.
    unsafe { EnumWindows(Some(each), handed) };
    asked.windows > 0
}

fn within_patience(mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + PATIENCE;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(STEP);
    }
}

fn done(outcome: Outcome) -> Done {
    Done { at: now(), outcome }
}

/// With the rights of this process.
pub(crate) struct Actions;

impl Actions {
    #[expect(
        clippy::unused_self,
        reason = "other platforms ask a process that kept the rights"
    )]
    pub(crate) fn close(&mut self, target: &ConnectionTarget) -> Result<Done, ActionError> {
        close_connection(target)
    }

    #[expect(clippy::unused_self, reason = "as above")]
    pub(crate) fn end(&mut self, target: ProcessTarget, how: How) -> Result<Done, ActionError> {
        end_process(target, how)
    }
}
