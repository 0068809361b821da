//! Who asked this process to end: its console, which does not tell on whose behalf (`HandlerRoutine` of
//! the Windows API). The signals of the C library are not used: they know nothing of a window that is
//! closed, and not every version of it tells who handled one before.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::io;
use std::process;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use model::ProcessId;
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT,
    SetConsoleCtrlHandler,
};
use windows_sys::core::BOOL;

use super::host::boot_nanos;
use super::stop_event::StopEvent;
use crate::signals::{Asked, Console, Listener, Sender};

/// As the C library numbers them.
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;
/// Longer than Windows waits before it ends the process by itself: 5 seconds, or 20 at a shutdown.
const LONGEST: Duration = Duration::from_secs(60);

static FIRST: OnceLock<Asked> = OnceLock::new();
static LISTENERS: Mutex<Vec<Listener>> = Mutex::new(Vec::new());

pub(crate) fn note_senders(_signals: &[i32]) -> io::Result<()> {
    Ok(())
}

pub(crate) fn first() -> Option<Asked> {
    FIRST.get().cloned()
}

pub(crate) fn hear_console(listener: Listener) -> io::Result<()> {
    let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
    if listeners.is_empty() {
        // SAFETY: the handler is of the form that is asked for, and is there until the process ends.
        let result = unsafe { SetConsoleCtrlHandler(Some(handle), 1) };
        if result == 0 {
            return Err(io::Error::last_os_error());
        }
    }
    listeners.push(listener);
    Ok(())
}

/// A thread waits for the wish, as Windows has no signals.
pub(crate) fn listen_for_stop(process: ProcessId) -> io::Result<()> {
    let (made, is_made) = sync_channel(1);
    let waits = move || match StopEvent::make(process.pid, process.start_ticks) {
        Ok(event) => {
            let _ = made.send(Ok(()));
            if event.wait() {
                note(SIGTERM, Sender::RecordStop);
                tell(false);
            }
        }
        Err(error) => {
            let _ = made.send(Err(error));
        }
    };
    let thread = thread::Builder::new().name("stop".to_owned());
    thread.spawn(waits)?;
    is_made.recv().map_err(io::Error::other)?
}

/// Runs in an ordinary thread of its own. When the window is closed, the process is ended as soon as this
/// returns.
unsafe extern "system" fn handle(event: u32) -> BOOL {
    let (event, signal) = match event {
        CTRL_C_EVENT => (Console::Interrupt, SIGINT),
        CTRL_BREAK_EVENT => (Console::Break, SIGTERM),
        CTRL_CLOSE_EVENT => (Console::Closed, SIGTERM),
        CTRL_LOGOFF_EVENT => (Console::LogOff, SIGTERM),
        CTRL_SHUTDOWN_EVENT => (Console::ShutDown, SIGTERM),
        _ => return 0,
    };
    note(signal, Sender::Console(event));
    tell(event == Console::Interrupt);
    if !matches!(event, Console::Interrupt | Console::Break) {
        thread::sleep(LONGEST);
    }
    1
}

/// Whoever is the first counts.
fn note(signal: i32, by: Sender) {
    FIRST.get_or_init(|| Asked {
        signal,
        boot_ns: boot_nanos(),
        by,
    });
}

/// `is_key`: Ctrl-C, which ends it at once when it comes twice.
fn tell(is_key: bool) {
    let listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
    for listener in listeners.iter() {
        if is_key && listener.pressed.swap(true, Ordering::Relaxed) {
            process::exit(listener.twice);
        }
        listener.asked.store(true, Ordering::Relaxed);
    }
}
