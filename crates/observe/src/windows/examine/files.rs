//! Files that are loaded as programs or libraries, by what the system says of the memory: what the process
//! itself keeps in its lists can be changed by who is in it.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ffi::c_void;
use std::io::Read;

use windows_sys::Win32::System::ProcessStatus::K32GetMappedFileNameW;

use super::subject::Subject;
use crate::windows::local;

/// In units of UTF-16 (`UNICODE_STRING`).
const LONGEST_PATH: usize = 32_768;
/// The library of a browser has some 300 MB.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// The file whose memory lies there, as people write it: `C:\Windows\explorer.exe`. `None`: of no file, or
/// its volume has no letter.
pub(super) fn path_at(subject: &Subject, address: u64) -> Option<String> {
    let mut name = vec![0_u16; LONGEST_PATH];
    let room = u32::try_from(name.len()).ok()?;
    let at = std::ptr::without_provenance::<c_void>(usize::try_from(address).ok()?);
    let process = subject.handle().raw();
    // SAFETY: `name` has `room` units to write to; `at` is only asked about.
    let length = unsafe { K32GetMappedFileNameW(process, at, name.as_mut_ptr(), room) };
    let name = name.get(..usize::try_from(length).ok()?)?;
    if name.is_empty() {
        return None;
    }
    as_written(&String::from_utf16_lossy(name))
}

/// From `\Device\HarddiskVolume2\Windows` to `C:\Windows`. `None`: its volume has no letter.
pub(in crate::windows) fn as_written(name: &str) -> Option<String> {
    if let Some(path) = name.strip_prefix(r"\??\") {
        return Some(path.to_owned());
    }
    if let Some(share) = name.strip_prefix(r"\Device\Mup\") {
        return Some(format!(r"\\{share}"));
    }
    (b'A'..=b'Z').find_map(|letter| {
        let device = local::device_of(letter)?;
        let rest = name.strip_prefix(&device)?;
        let letter = char::from(letter);
        rest.starts_with('\\').then(|| format!("{letter}:{rest}"))
    })
}

/// All of a file. `None`: it cannot be read, is too large, or lies on another computer.
pub(super) fn read(path: &str) -> Option<Vec<u8>> {
    let file = local::open(path).ok()?;
    if file.metadata().ok()?.len() > MOST_BYTES {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
