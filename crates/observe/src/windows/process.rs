//! What one process tells of itself: program, start, user, command line.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::fs::File;
use std::mem::size_of;
use std::os::windows::io::AsRawHandle as _;

use model::{FileIdentity, PathState, Text, Timestamp};
use windows_sys::Win32::Foundation::{ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, FILETIME};
use windows_sys::Win32::Security::{
    GetTokenInformation, LookupAccountSidW, TOKEN_QUERY, TOKEN_USER, TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, GetFileInformationByHandle,
};
use windows_sys::Win32::System::Threading::{
    GetProcessTimes, PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_VM_READ,
    QueryFullProcessImageNameW,
};

use super::handle::Handle;
use super::{local, memory, native};
use crate::parse::windows_command_line::arguments;
use crate::parse::windows_tables::file_time;

/// The longest path that Windows has, in units of UTF-16.
const LONGEST_PATH: usize = 32_768;
/// So much of a command line is kept, in units of UTF-16; Windows has no longer ones than 32,767.
const LONGEST_COMMAND_LINE: usize = 8_192;
/// A SID has at most 68 bytes, and the structure before it 16.
const TOKEN_ROOM: usize = 256;
const LONGEST_NAME: usize = 257;

/// What could be learned.
#[derive(Default)]
pub(super) struct Told {
    pub(super) path: Option<Text>,
    pub(super) path_state: PathState,
    pub(super) file: Option<FileIdentity>,
    pub(super) user: Option<Text>,
    pub(super) command_line: Option<Vec<Text>>,
    pub(super) command_line_truncated: bool,
}

/// `None`: it may not be asked, or has ended.
pub(super) fn open(pid: u32) -> Option<Handle> {
    Handle::of_process(pid, PROCESS_QUERY_LIMITED_INFORMATION)
}

/// All but when it started.
pub(super) fn ask(process: &Handle, pid: u32) -> Told {
    let path = path(process);
    let (path_state, file) = path.as_deref().map_or_else(Default::default, file);
    let command_line = Handle::of_process(pid, PROCESS_QUERY_INFORMATION | PROCESS_VM_READ)
        .and_then(|process| command_line(&process));
    let (command_line, command_line_truncated) = match command_line {
        Some((units, is_cut)) => (Some(arguments(&units)), is_cut),
        None => (None, false),
    };
    Told {
        path: path.as_deref().map(text),
        path_state,
        file,
        user: user(process),
        command_line,
        command_line_truncated,
    }
}

/// UTF-16 up to its end or a zero. What is no UTF-16 (half a pair) becomes a replacement character.
pub(super) fn text(units: &[u16]) -> Text {
    let end = units.iter().position(|unit| *unit == 0);
    let units = units.get(..end.unwrap_or(units.len())).unwrap_or_default();
    Text::from(String::from_utf16_lossy(units))
}

/// Never changes, and no other one with the same number has it.
pub(super) fn started(process: &Handle) -> Option<Timestamp> {
    let mut times = [FILETIME::default(); 4];
    let [made, ended, kernel, user] = &mut times;
    // SAFETY: the handle is open; the four outlive the call.
    let is_told = unsafe { GetProcessTimes(process.raw(), made, ended, kernel, user) };
    let made = (u64::from(made.dwHighDateTime) << 32) | u64::from(made.dwLowDateTime);
    (is_told != 0).then(|| file_time(made)).flatten()
}

/// Of its program file, as it is now. `None`: the system does not tell.
pub(super) fn path(process: &Handle) -> Option<Vec<u16>> {
    let mut path = vec![0; LONGEST_PATH];
    let mut length = u32::try_from(path.len()).ok()?;
    // SAFETY: the handle is open; `path` has `length` units to write to.
    let is_told =
        unsafe { QueryFullProcessImageNameW(process.raw(), 0, path.as_mut_ptr(), &raw mut length) };
    path.truncate(usize::try_from(length).ok()?);
    (is_told != 0 && !path.is_empty()).then_some(path)
}

/// Whether there is a file of this path, and which. Of one on another computer nothing is known.
fn file(path: &[u16]) -> (PathState, Option<FileIdentity>) {
    let Ok(path) = String::from_utf16(path) else {
        return (PathState::Unknown, None);
    };
    match local::open_to_ask(&path) {
        Ok(file) => (PathState::Present, identity(&file)),
        Err(error) => {
            let why = error.raw_os_error().map(i32::cast_unsigned);
            let is_gone = matches!(why, Some(ERROR_FILE_NOT_FOUND | ERROR_PATH_NOT_FOUND));
            let state = match is_gone {
                true => PathState::Deleted,
                false => PathState::Unknown,
            };
            (state, None)
        }
    }
}

/// `None`: its file system does not tell.
pub(super) fn identity(file: &File) -> Option<FileIdentity> {
    let mut about = BY_HANDLE_FILE_INFORMATION::default();
    // SAFETY: the file is open; `about` outlives the call.
    let is_told = unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut about) };
    (is_told != 0).then(|| FileIdentity {
        device: u64::from(about.dwVolumeSerialNumber),
        inode: (u64::from(about.nFileIndexHigh) << 32) | u64::from(about.nFileIndexLow),
    })
}

/// Whose rights it has, as `DOMAIN\name`.
fn user(process: &Handle) -> Option<Text> {
    let token = process.token(TOKEN_QUERY)?;
    // Of numbers of 64 bits, so that the structure is aligned as it has to be.
    let mut room = [0_u64; TOKEN_ROOM / size_of::<u64>()];
    let mut length = 0;
    let size = u32::try_from(size_of_val(&room)).ok()?;
    // SAFETY: the handle is open; `room` has `size` bytes to write to.
    let is_told = unsafe {
        GetTokenInformation(
            token.raw(),
            TokenUser,
            room.as_mut_ptr().cast(),
            size,
            &raw mut length,
        )
    };
    if is_told == 0 {
        return None;
    }
    // SAFETY: the call has filled `room` with it, and it is aligned.
    let about = unsafe { room.as_ptr().cast::<TOKEN_USER>().read() };
    let (mut name, mut domain) = ([0_u16; LONGEST_NAME], [0_u16; LONGEST_NAME]);
    let mut name_length = u32::try_from(name.len()).ok()?;
    let mut domain_length = name_length;
    let mut kind = 0;
    // SAFETY: the SID lies in `room`, which is still there; both names have as many units as is said.
    let is_told = unsafe {
        LookupAccountSidW(
            std::ptr::null(),
            about.User.Sid,
            name.as_mut_ptr(),
            &raw mut name_length,
            domain.as_mut_ptr(),
            &raw mut domain_length,
            &raw mut kind,
        )
    };
    if is_told == 0 {
        return None;
    }
    let (domain, name) = (text(&domain), text(&name));
    if domain.is_empty() {
        return Some(name);
    }
    Some(format!("{}\\{}", domain.lossy(), name.lossy()).into())
}

/// Out of the memory of the process, which may have written there what it likes. In units of UTF-16, and
/// whether there was more.
fn command_line(process: &Handle) -> Option<(Vec<u16>, bool)> {
    /// `PEB.ProcessParameters`, and in what that points to `CommandLine`, a `UNICODE_STRING`; 64-bit
    /// Windows from 7 to 11.
    const PARAMETERS: u64 = 0x20;
    const COMMAND_LINE: u64 = 0x70;

    let block = native::block_of(process).ok()?;
    let parameters = u64::from_le_bytes(read(process, block.checked_add(PARAMETERS)?)?);
    let string: [u8; 16] = read(process, parameters.checked_add(COMMAND_LINE)?)?;
    let [low, high, _, _, _, _, _, _, address @ ..] = string;
    let units = usize::from(u16::from_le_bytes([low, high]) / 2);
    let kept = units.min(LONGEST_COMMAND_LINE);
    let length = kept.checked_mul(2)?;
    let bytes = memory::read(process, u64::from_le_bytes(address), length);
    if bytes.len() != length {
        return None;
    }
    let pairs = bytes.as_chunks().0.iter();
    let line = pairs.map(|pair| u16::from_le_bytes(*pair)).collect();
    Some((line, units > kept))
}

/// `None`: they are not all there.
fn read<const N: usize>(process: &Handle, address: u64) -> Option<[u8; N]> {
    memory::read(process, address, N).first_chunk().copied()
}
