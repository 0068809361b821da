//! Copies of program files for the case: those that may be gone when somebody looks for them, and those
//! that no package has in the same form.

use model::{Check, Examined, PackageState, PathState, Process, Sign, Text};

/// Folders that everybody may write to, or that are gone after the next start.
const TEMPORARY: [&[u8]; 6] = [
    b"/tmp/",
    b"/var/tmp/",
    b"/dev/shm/",
    b"/run/user/",
    b"/run/lock/",
    b"/dev/mqueue/",
];

/// Why a program file is worth a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Its file was deleted or lives in memory only, or lies in a temporary or hidden folder; or somebody
    /// wishes it.
    Fleeting,
    /// It is of no package, or not as its package has it: nowhere else it can be had. There may be many.
    Unpackaged,
}

/// `None`: it can be had later, and elsewhere.
pub(super) fn reason(process: &Process) -> Option<Reason> {
    let examined = process.examined.as_deref();
    let package = examined.and_then(|it| it.package.as_ref());
    let is_temporary = examined.is_some_and(is_temporary);
    if is_fleeting(process) || is_temporary {
        Some(Reason::Fleeting)
    } else if package.is_some_and(|it| is_found_nowhere_else(it.state)) {
        Some(Reason::Unpackaged)
    } else {
        None
    }
}

fn is_found_nowhere_else(state: PackageState) -> bool {
    match state {
        PackageState::Unpackaged | PackageState::Modified => true,
        PackageState::Intact | PackageState::NotTestable | PackageState::ThisTool => false,
    }
}

fn is_fleeting(process: &Process) -> bool {
    if process.kernel_thread {
        return false;
    }
    match process.path_state {
        PathState::Deleted | PathState::Memfd => true,
        PathState::Present | PathState::Unknown => process.path.as_ref().is_some_and(is_odd),
    }
}

/// Where folders are others, looking into the process tells which are temporary.
fn is_temporary(examined: &Examined) -> bool {
    let mut signs = examined.signs(Check::Places, Sign::TemporaryProgram);
    signs.next().is_some()
}

fn is_odd(path: &Text) -> bool {
    let path = path.bytes();
    let hidden = |part: &[u8]| part.starts_with(b".") && part != b"." && part != b"..";
    TEMPORARY.iter().any(|folder| path.starts_with(folder))
        || path.split(|byte| *byte == b'/').any(hidden)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::watch::sample;
    use model::{Examined, Package};
    use std::sync::Arc;

    #[test]
    fn what_no_package_has_is_found_nowhere_else() {
        let of = |path: &str, state| {
            let package = Package {
                state,
                name: None,
                version: None,
                manager: None,
            };
            let mut process = sample::process(7, &[]);
            process.path = Some(path.into());
            process.examined = Some(Arc::new(Examined {
                package: Some(package),
                ..Examined::default()
            }));
            reason(&process)
        };
        let opt = "/opt/tool";
        assert_eq!(of(opt, PackageState::Unpackaged), Some(Reason::Unpackaged));
        assert_eq!(of(opt, PackageState::Modified), Some(Reason::Unpackaged));
        for state in [
            PackageState::Intact,
            PackageState::NotTestable,
            PackageState::ThisTool,
        ] {
            assert_eq!(of(opt, state), None, "{state}");
        }
        let intact = PackageState::Intact;
        assert_eq!(of("/tmp/tool", intact), Some(Reason::Fleeting));
    }

    #[test]
    fn temporary_and_hidden_places_are_odd() {
        for (path, odd) in [
            ("/tmp/x", true),
            ("/home/lena/.cache/.fonts/updater", true),
            ("/dev/shm/a/b", true),
            ("/usr/bin/.hidden", true),
            ("/usr/bin/curl", false),
            ("/usr/lib/x..y/z", false),
            ("/home/lena/tmp/program", false),
        ] {
            assert_eq!(is_odd(&path.into()), odd, "{path}");
        }
    }
}
