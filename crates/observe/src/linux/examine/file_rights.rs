//! Rights that the program file gives to whoever starts it.

use std::collections::HashMap;
use std::os::fd::AsRawFd;

use model::{Outcome, Sign, Trace, Untested};
use rustix::fs::{Mode as Flags, OFlags};
use rustix::io::Errno;

use super::root::{Mounts, Version, status};
use super::subject::untested;
use super::{Kept, Subject};
use crate::parse::file_capabilities::{capabilities, names};

/// Of inode(7).
const SET_UID: u16 = 0o4000;
const SET_GID: u16 = 0o2000;
/// Without it the bit before means mandatory locking.
const GROUP_EXECUTES: u16 = 0o0010;
const MOST_KEPT: usize = 8192;
/// Of revision 3; more is none.
const LONGEST_ATTRIBUTE: usize = 64;

/// What was asked of files that are unchanged.
#[derive(Debug, Default)]
pub(crate) struct Rights(HashMap<Version, Result<u64, Untested>>);

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    match found(subject, &mut kept.rights) {
        Ok(outcome) => outcome,
        Err(why) => Outcome::NotTestable(why),
    }
}

fn found(subject: &Subject, kept: &mut Rights) -> Result<Outcome, Untested> {
    let program = subject.program()?;
    let mut traces = Vec::new();
    if program.mode & SET_UID != 0 {
        traces.push(Trace::of_file(Sign::SetUid, program.link.clone()));
    }
    if program.mode & SET_GID != 0 && program.mode & GROUP_EXECUTES != 0 {
        traces.push(Trace::of_file(Sign::SetGid, program.link.clone()));
    }
    match kept.of(subject) {
        Ok(0) => {}
        Ok(given) => traces.push(Trace {
            name: Some(names(given).into()),
            ..Trace::of_file(Sign::Capabilities, program.link.clone())
        }),
        Err(why) if traces.is_empty() => return Err(why),
        Err(_) => {}
    }
    Ok(Outcome::of(traces))
}

impl Rights {
    /// The capabilities of the program file.
    fn of(&mut self, subject: &Subject) -> Result<u64, Untested> {
        let version = Version::of(&subject.seen(c"exe")?);
        if let Some(known) = self.0.get(&version) {
            return *known;
        }
        let found = read(subject);
        // Whoever has no rights to this process may have them to another one.
        if found != Err(Untested::NoRights) && found != Err(Untested::Ended) {
            if self.0.len() >= MOST_KEPT {
                self.0.clear();
            }
            self.0.insert(version, found);
        }
        found
    }
}

fn read(subject: &Subject) -> Result<u64, Untested> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let program = rustix::fs::openat(subject.folder(), c"exe", flags, Flags::empty());
    let program = program.map_err(untested)?;
    let seen = status(&program).map_err(untested)?;
    if Mounts::of(subject.folder())?.is_elsewhere(&seen) {
        return Err(Untested::Elsewhere);
    }
    let path = format!("/proc/self/fd/{}", program.as_raw_fd());
    let mut attribute = [0; LONGEST_ATTRIBUTE];
    match rustix::fs::getxattr(path, c"security.capability", &mut attribute[..]) {
        Ok(length) => Ok(capabilities(attribute.get(..length).unwrap_or_default()).unwrap_or(0)),
        // None there, or a file system without any.
        Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(0),
        Err(error) => Err(untested(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::tried::{Folder, Running, skipped};
    use super::*;

    fn check_of(name: &str, prepare: &str) -> Option<Outcome> {
        let folder = Folder::new(name);
        let copy = folder.0.join("copy");
        std::fs::copy("/bin/sleep", &copy).unwrap();
        let done = Command::new("sh")
            .args(["-c", prepare])
            .env("COPY", &copy)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .status();
        if !done.unwrap().success() {
            return None;
        }
        let running = Running::start(Command::new(&copy).arg("1000"), "copy")?;
        let outcome = check(&running.subject()?, &mut Kept::default());
        Some(outcome)
    }

    fn signs(outcome: &Outcome) -> Vec<Sign> {
        match outcome {
            Outcome::Found { traces, .. } => traces.iter().map(|trace| trace.sign).collect(),
            Outcome::NothingFound | Outcome::NotTestable(_) => Vec::new(),
        }
    }

    #[test]
    fn bits_of_the_mode() {
        let none = check_of("rights-none", "true").unwrap();
        assert_eq!(none, Outcome::NothingFound);
        let set = check_of("rights-uid", "chmod u+s $COPY").unwrap();
        assert_eq!(signs(&set), [Sign::SetUid]);
        let set = check_of("rights-gid", "chmod g+s $COPY").unwrap();
        assert_eq!(signs(&set), [Sign::SetGid]);
        let locking = check_of("rights-locking", "chmod g+s,g-x $COPY").unwrap();
        assert_eq!(signs(&locking), []);
    }

    #[test]
    fn capabilities_of_the_file() {
        let Some(set) = check_of("rights-capabilities", "setcap cap_net_raw=ep $COPY") else {
            skipped("no setcap, or no right to");
            return;
        };
        assert_eq!(signs(&set), [Sign::Capabilities]);
        let Outcome::Found { traces, .. } = set else {
            return;
        };
        assert_eq!(traces[0].name, Some("cap_net_raw".into()));
    }
}
