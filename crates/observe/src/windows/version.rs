//! Which Windows this is.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use windows_sys::Win32::System::SystemInformation::{
    GetNativeSystemInfo, OSVERSIONINFOEXW, SYSTEM_INFO,
};

use super::library::Library;

/// What it says of itself.
pub(super) struct Version {
    /// `Windows NT 10.0.19045`.
    pub(super) kernel: String,
    /// `Windows 10`; later ones than are known here have the name of the last one known.
    pub(super) os: String,
}

type GetVersion = unsafe extern "system" fn(*mut OSVERSIONINFOEXW) -> i32;

/// By `RtlGetVersion`, which tells the same to every program. `None`: it is not told.
pub(super) fn version() -> Option<Version> {
    /// `VER_NT_WORKSTATION`.
    const WORKSTATION: u8 = 1;
    /// Windows 11 calls itself 10.0, and has builds from here on.
    const ELEVEN: u32 = 22_000;

    let ask = Library::of_system("ntdll.dll")?.function(c"RtlGetVersion")?;
    // SAFETY: it is the function of this name, whose type is that of its page.
    let ask: GetVersion = unsafe { std::mem::transmute(ask) };
    let mut found = OSVERSIONINFOEXW {
        dwOSVersionInfoSize: u32::try_from(size_of::<OSVERSIONINFOEXW>()).ok()?,
        ..OSVERSIONINFOEXW::default()
    };
    // SAFETY: `found` says how large it is, and outlives the call.
    let status = unsafe { ask(&raw mut found) };
    if status != 0 {
        return None;
    }
    let (major, minor, build) = (
        found.dwMajorVersion,
        found.dwMinorVersion,
        found.dwBuildNumber,
    );
    let name = match (major, minor) {
        _ if found.wProductType != WORKSTATION => "Windows Server",
        (6, 1) => "Windows 7",
        (6, 2) => "Windows 8",
        (6, 3) => "Windows 8.1",
        (10, _) if build >= ELEVEN => "Windows 11",
        (10, _) => "Windows 10",
        _ => "Windows",
    };
    Some(Version {
        kernel: format!("Windows NT {major}.{minor}.{build}"),
        os: name.to_owned(),
    })
}

/// The processor. `None`: one that no name is known for.
pub(super) fn architecture() -> Option<&'static str> {
    let mut found = SYSTEM_INFO::default();
    // SAFETY: `found` outlives the call.
    unsafe { GetNativeSystemInfo(&raw mut found) };
    // SAFETY: the call has filled it, and any bits are a number.
    let about = unsafe { found.Anonymous.Anonymous };
    // `PROCESSOR_ARCHITECTURE_` (winnt.h).
    match about.wProcessorArchitecture {
        0 => Some("x86"),
        9 => Some("x86_64"),
        12 => Some("aarch64"),
        _ => None,
    }
}
