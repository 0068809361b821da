//! The right of an administrator to look into processes of others (`SeDebugPrivilege`). An administrator has
//! it, but it is switched off until somebody asks.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::LUID;
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, LUID_AND_ATTRIBUTES, LookupPrivilegeValueW, SE_PRIVILEGE_ENABLED,
    TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES, TOKEN_QUERY,
};

use super::handle::Handle;
use super::wide::wide;

/// Switches it on for this process, where it has it. Who has it not, is told of what cannot be opened.
pub(super) fn look_into_others() {
    let _ = switched_on();
}

fn switched_on() -> Option<()> {
    let name = wide("SeDebugPrivilege");
    let mut number = LUID::default();
    // SAFETY: `name` ends with a zero; both outlive the call.
    let is_known = unsafe { LookupPrivilegeValueW(null(), name.as_ptr(), &raw mut number) };
    if is_known == 0 {
        return None;
    }
    let token = Handle::own_token(TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY)?;
    let wanted = TOKEN_PRIVILEGES {
        PrivilegeCount: 1,
        Privileges: [LUID_AND_ATTRIBUTES {
            Luid: number,
            Attributes: SE_PRIVILEGE_ENABLED,
        }],
    };
    // SAFETY: the handle is open; `wanted` outlives the call, and what was before is not asked for.
    unsafe { AdjustTokenPrivileges(token.raw(), 0, &raw const wanted, 0, null_mut(), null_mut()) };
    Some(())
}
