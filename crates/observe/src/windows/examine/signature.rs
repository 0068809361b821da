//! The program file and its libraries against their own signatures (Authenticode), as the system checks
//! them: without asking the net. Files of Windows itself are signed in lists of their own, which are not read:
//! of those without a signature of their own nothing is said.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ffi::c_void;
use std::fs::File;
use std::io::ErrorKind;
use std::os::windows::io::AsRawHandle as _;
use std::time::SystemTime;

use model::{Outcome, Package, PackageManager, PackageState, Sign, Text, Trace, Untested};
use windows_sys::Win32::Foundation::{HWND, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Security::WinTrust::{
    WINTRUST_ACTION_GENERIC_VERIFY_V2, WINTRUST_DATA, WINTRUST_DATA_0, WINTRUST_FILE_INFO,
    WTD_CACHE_ONLY_URL_RETRIEVAL, WTD_CHOICE_FILE, WTD_REVOCATION_CHECK_NONE, WTD_REVOKE_NONE,
    WTD_STATEACTION_CLOSE, WTD_STATEACTION_VERIFY, WTD_UI_NONE,
};
use windows_sys::core::GUID;

use super::files;
use super::kept::Kept;
use super::subject::Subject;
use crate::parse::windows_place::is_of_windows;
use crate::parse::windows_signature::{Signed, signed};
use crate::windows::library::Library;
use crate::windows::local;
use crate::windows::memory::Kind;
use crate::windows::wide::wide;

const MOST_LIBRARIES: usize = 300;
/// So many files are known; a computer has some 5,000 that are loaded.
const MOST_KNOWN: usize = 20_000;

/// wintrust.h.
type Verify = unsafe extern "system" fn(HWND, *mut GUID, *mut c_void) -> i32;

/// What was answered before.
#[derive(Default)]
pub(super) struct Signatures {
    verify: Option<Verify>,
    /// By path, with the version of the file that was asked about.
    known: RefCell<HashMap<String, (Version, PackageState)>>,
}

/// Its size, and when it was last written to and when it was made.
type Version = (u64, Option<SystemTime>, Option<SystemTime>);

impl Signatures {
    pub(super) fn open() -> Self {
        let function = Library::of_system("wintrust.dll");
        let function = function.and_then(|it| it.function(c"WinVerifyTrust"));
        // SAFETY: the function of this name has this type since Windows 2000.
        let verify = function.map(|it| unsafe {
            std::mem::transmute::<unsafe extern "system" fn() -> isize, Verify>(it)
        });
        Self {
            verify,
            known: RefCell::default(),
        }
    }

    /// Errors: `Elsewhere`: it lies on another computer. `Unreadable`.
    fn state(&self, path: &str, windows: Option<&str>) -> Result<PackageState, Untested> {
        let file = local::open(path).map_err(|error| match error.kind() {
            ErrorKind::Unsupported => Untested::Elsewhere,
            _ => Untested::Unreadable,
        })?;
        let version = version(&file).ok_or(Untested::Unreadable)?;
        let small = path.to_lowercase();
        if let Some((known, state)) = self.known.borrow().get(&small)
            && *known == version
        {
            return Ok(*state);
        }
        let is_of_windows = windows.is_none_or(|it| is_of_windows(path, it));
        let told = self.verify.and_then(|verify| ask(verify, path, &file));
        let state = match told.map(signed) {
            Some(Signed::Trusted) => PackageState::Intact,
            Some(Signed::OtherBytes) => PackageState::Modified,
            // It may be signed in a list.
            Some(Signed::Not) if is_of_windows => PackageState::NotTestable,
            Some(Signed::Not | Signed::OfNobody) => PackageState::Unpackaged,
            Some(Signed::Unknown) | None => PackageState::NotTestable,
        };
        let mut known = self.known.borrow_mut();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(small, (version, state));
        Ok(state)
    }
}

fn version(file: &File) -> Option<Version> {
    let about = file.metadata().ok()?;
    Some((about.len(), about.modified().ok(), about.created().ok()))
}

/// As the system answers (HRESULT), of the file that is open: another one may have its path by now.
/// `None`: the path cannot be handed to it.
fn ask(verify: Verify, path: &str, file: &File) -> Option<u32> {
    if path.contains('\0') {
        return None;
    }
    let path = wide(path);
    let mut file = WINTRUST_FILE_INFO {
        hFile: file.as_raw_handle(),
        cbStruct: u32::try_from(size_of::<WINTRUST_FILE_INFO>()).ok()?,
        pcwszFilePath: path.as_ptr(),
        ..WINTRUST_FILE_INFO::default()
    };
    let mut asked = WINTRUST_DATA {
        cbStruct: u32::try_from(size_of::<WINTRUST_DATA>()).ok()?,
        dwUIChoice: WTD_UI_NONE,
        fdwRevocationChecks: WTD_REVOKE_NONE,
        dwUnionChoice: WTD_CHOICE_FILE,
        Anonymous: WINTRUST_DATA_0 {
            pFile: &raw mut file,
        },
        dwStateAction: WTD_STATEACTION_VERIFY,
        dwProvFlags: WTD_CACHE_ONLY_URL_RETRIEVAL | WTD_REVOCATION_CHECK_NONE,
        ..WINTRUST_DATA::default()
    };
    let mut action = WINTRUST_ACTION_GENERIC_VERIFY_V2;
    let nobody: HWND = INVALID_HANDLE_VALUE;
    let (how, what) = (&raw mut action, (&raw mut asked).cast::<c_void>());
    // SAFETY: all that `what` names outlives the call; no window is shown.
    let told = unsafe { verify(nobody, how, what) };
    asked.dwStateAction = WTD_STATEACTION_CLOSE;
    let what = (&raw mut asked).cast::<c_void>();
    // SAFETY: as above; it frees what the first call has kept.
    unsafe { verify(nobody, how, what) };
    Some(told.cast_unsigned())
}

/// Of the program file.
pub(super) fn of_program(subject: &Subject, kept: &Kept) -> Option<Package> {
    if subject.pid == std::process::id() {
        return Some(package(PackageState::ThisTool, None));
    }
    let path = subject.path.as_ref()?.lossy();
    let state = kept.signatures.state(&path, kept.windows_folder.as_deref());
    let state = state.unwrap_or(PackageState::NotTestable);
    let is_known = matches!(state, PackageState::Intact | PackageState::Modified);
    let manager = is_known.then_some(PackageManager::Authenticode);
    Some(package(state, manager))
}

fn package(state: PackageState, manager: Option<PackageManager>) -> Package {
    Package {
        state,
        name: None,
        version: None,
        manager,
    }
}

pub(super) fn check(subject: &Subject, kept: &Kept) -> Outcome {
    look(subject, kept).unwrap_or_else(Outcome::NotTestable)
}

fn look(subject: &Subject, kept: &Kept) -> Result<Outcome, Untested> {
    let program = subject.path.as_ref().ok_or(Untested::NoRights)?;
    let windows = kept.windows_folder.as_deref();
    let state = kept.signatures.state(&program.lossy(), windows);
    let mut is_elsewhere = state == Err(Untested::Elsewhere);
    let state = state.unwrap_or(PackageState::NotTestable);
    let mut traces = Vec::new();
    if state == PackageState::Modified {
        traces.push(Trace::of_file(Sign::ModifiedProgram, program.clone()));
    }
    let regions = subject.regions()?.iter();
    let modules = regions.filter(|it| it.kind == Kind::Image);
    let modules: BTreeSet<u64> = modules.map(|it| it.allocation).collect();
    let is_cut = modules.len() > MOST_LIBRARIES;
    let libraries = modules.into_iter().take(MOST_LIBRARIES);
    for path in libraries.filter_map(|it| files::path_at(subject, it)) {
        if path.eq_ignore_ascii_case(&program.lossy()) {
            continue;
        }
        let sign = match kept.signatures.state(&path, windows) {
            Ok(PackageState::Modified) => Sign::ModifiedLibrary,
            Ok(PackageState::Unpackaged) if state == PackageState::Intact => {
                Sign::UnpackagedLibrary
            }
            Err(Untested::Elsewhere) => {
                is_elsewhere = true;
                continue;
            }
            Ok(_) | Err(_) => continue,
        };
        traces.push(Trace::of_file(sign, Text::from(path)));
    }
    if traces.is_empty() && is_cut {
        return Err(Untested::TooLarge);
    }
    if traces.is_empty() && is_elsewhere {
        return Err(Untested::Elsewhere);
    }
    if traces.is_empty() && state == PackageState::NotTestable {
        return Err(Untested::NoDatabase);
    }
    Ok(Outcome::of(traces))
}
