//! Whether a process shows a window on the desktop of who looks. That of another session, services among
//! them, is not told.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::collections::HashSet;
use std::ffi::c_void;

use model::{Display, Process};
use windows_sys::Win32::Foundation::{HWND, LPARAM};
use windows_sys::Win32::System::RemoteDesktop::ProcessIdToSessionId;
use windows_sys::core::BOOL;

use crate::windows::library::Library;

const MOST_WINDOWS: usize = 100_000;

/// winuser.h.
type Each = unsafe extern "system" fn(HWND, LPARAM) -> BOOL;
type Enumerate = unsafe extern "system" fn(Each, LPARAM) -> BOOL;
type IsVisible = unsafe extern "system" fn(HWND) -> BOOL;
type OwnerOf = unsafe extern "system" fn(HWND, *mut u32) -> u32;
type Function = unsafe extern "system" fn() -> isize;

/// Who shows windows. None at all: there is no desktop that could be asked.
#[derive(Default)]
pub(super) struct Displays {
    shown: HashSet<u32>,
    session: Option<u32>,
}

impl Displays {
    pub(super) fn read() -> Self {
        Self {
            shown: shown().unwrap_or_default(),
            session: session_of(std::process::id()),
        }
    }

    /// Also by the window of the same program above it: a browser is made of many processes.
    pub(super) fn of(&self, process: &Process) -> Display {
        let session = session_of(process.id.pid);
        if self.shown.is_empty() || session.is_none() || session != self.session {
            return Display::NotTestable;
        }
        let above = process.parents.iter();
        let mut above = above.filter(|it| it.path.is_some() && it.path == process.path);
        let is_shown = self.shown.contains(&process.id.pid);
        match is_shown || above.any(|it| self.shown.contains(&it.pid)) {
            true => Display::Shown,
            false => Display::NoWindow,
        }
    }
}

fn session_of(pid: u32) -> Option<u32> {
    let mut session = 0;
    // SAFETY: one number to write to.
    let told = unsafe { ProcessIdToSessionId(pid, &raw mut session) };
    (told != 0).then_some(session)
}

struct Asked {
    is_visible: IsVisible,
    owner_of: OwnerOf,
    windows: usize,
    shown: HashSet<u32>,
}

fn shown() -> Option<HashSet<u32>> {
    let library = Library::of_system("user32.dll")?;
    let enumerate = library.function(c"EnumWindows")?;
    let is_visible = library.function(c"IsWindowVisible")?;
    let owner_of = library.function(c"GetWindowThreadProcessId")?;
    // SAFETY: the functions of these names have these types since Windows 2000.
    let enumerate = unsafe { std::mem::transmute::<Function, Enumerate>(enumerate) };
    let mut asked = Asked {
        // SAFETY: as above.
        is_visible: unsafe { std::mem::transmute::<Function, IsVisible>(is_visible) },
        // SAFETY: as above.
        owner_of: unsafe { std::mem::transmute::<Function, OwnerOf>(owner_of) },
        windows: 0,
        shown: HashSet::new(),
    };
    let handed = (&raw mut asked).cast::<c_void>().expose_provenance();
    // SAFETY: `each` is called within the call only, with what is handed here.
    unsafe { enumerate(each, handed.cast_signed()) };
    Some(asked.shown)
}

unsafe extern "system" fn each(window: HWND, handed: LPARAM) -> BOOL {
    let asked = std::ptr::with_exposed_provenance_mut::<Asked>(handed.cast_unsigned());
    // SAFETY: it is what `shown` has handed over and touches only after all calls.
    let Some(asked) = (unsafe { asked.as_mut() }) else {
        return 0;
    };
    // SAFETY: a window that has gone is not visible.
    if unsafe { (asked.is_visible)(window) } != 0 {
        let mut pid = 0;
        // SAFETY: one number to write to.
        unsafe { (asked.owner_of)(window, &raw mut pid) };
        asked.shown.insert(pid);
    }
    asked.windows = asked.windows.saturating_add(1);
    BOOL::from(asked.windows < MOST_WINDOWS)
}
