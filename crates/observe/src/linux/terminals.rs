//! Since when nobody has typed at a terminal of this computer: the kernel notes when something was last read
//! from each (drivers/tty/tty_io.c, tty_update_time: to within 8 s), which is what w(1) shows. Opening one
//! counts, too; and a program that types counts as somebody.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use model::Timestamp;

/// Nobody has more.
const MOST: usize = 8192;
/// Those of consoles, serial lines and virtual machines.
const NAMES: [&str; 2] = ["tty", "hvc"];
/// Clocks of files are a moment behind.
const BEHIND: i64 = 10_000_000_000;

/// The shortest time of all. `None`: there is no terminal, or the clock was set back since.
pub(crate) fn idle(now: Timestamp) -> Option<Duration> {
    idle_of(Path::new("/dev"), now)
}

fn idle_of(folder: &Path, now: Timestamp) -> Option<Duration> {
    let consoles = numbered(folder, |name| {
        let mut names = NAMES.iter();
        names.any(|prefix| name.strip_prefix(prefix).is_some_and(has_number))
    });
    let windows = numbered(&folder.join("pts"), |name| {
        name.bytes().all(|it| it.is_ascii_digit())
    });
    let used = consoles.chain(windows).take(MOST).filter_map(|path| {
        let about = fs::symlink_metadata(path).ok()?;
        let is_device = about.file_type().is_char_device();
        let nanos = about.atime().checked_mul(1_000_000_000)?;
        is_device.then(|| nanos.saturating_add(about.atime_nsec()))
    });
    let ago = used.map(|used| now.unix_nanos().saturating_sub(used));
    let shortest = ago.filter(|ago| *ago > -BEHIND).min()?;
    Some(Duration::from_nanos(u64::try_from(shortest).unwrap_or(0)))
}

fn numbered<'a>(
    folder: &Path,
    is_one: impl Fn(&str) -> bool + 'a,
) -> impl Iterator<Item = std::path::PathBuf> + 'a {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(move |entry| entry.file_name().to_str().is_some_and(&is_one))
        .map(|entry| entry.path())
}

/// `1`, `S0`, `USB0`, `AMA0`.
fn has_number(rest: &str) -> bool {
    rest.ends_with(|it: char| it.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::examine::victim::skipped;
    use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, makedev};

    const NOW: i64 = 1_795_342_500;

    /// A terminal that nobody is at, last read from so many seconds ago. False: no right to make one.
    fn make(path: &Path, seconds: i64) -> bool {
        let time = Timespec {
            tv_sec: NOW - seconds,
            tv_nsec: 0,
        };
        let times = Timestamps {
            last_access: time,
            // Something was written to it just now.
            last_modification: Timespec {
                tv_sec: NOW,
                tv_nsec: 0,
            },
        };
        let (kind, mode) = (FileType::CharacterDevice, Mode::RUSR);
        rustix::fs::mknodat(CWD, path, kind, mode, makedev(136, 7)).is_ok()
            && rustix::fs::utimensat(CWD, path, &times, AtFlags::empty()).is_ok()
    }

    #[test]
    fn the_terminal_that_was_used_last_counts() {
        let folder = std::env::temp_dir().join(format!("whocalls-dev-{}", std::process::id()));
        let windows = folder.join("pts");
        fs::create_dir_all(&windows).unwrap();
        let idle = || {
            let now = Timestamp::from_unix_nanos(NOW * 1_000_000_000);
            idle_of(&folder, now).map(|it| it.as_secs())
        };
        assert_eq!(idle(), None);
        let mut found = Vec::new();
        let may = [
            (folder.join("tty1"), 900),
            (windows.join("0"), 600),
            (folder.join("ttyS0"), 500),
            // None of these is a terminal of somebody, or its time is not to be believed.
            (folder.join("tty"), 1),
            (folder.join("null7"), 1),
            (windows.join("ptmx"), 1),
            (windows.join("1"), -3600),
        ]
        .iter()
        .all(|(path, seconds)| {
            let is_made = make(path, *seconds);
            found.push(idle());
            is_made
        });
        // A file is none.
        fs::write(windows.join("9"), "").unwrap();
        found.push(idle());
        fs::remove_dir_all(&folder).unwrap();
        if !may {
            return skipped("no right to make devices");
        }
        let expected = [900, 600, 500, 500, 500, 500, 500, 500].map(Some);
        assert_eq!(found, expected);
    }
}
