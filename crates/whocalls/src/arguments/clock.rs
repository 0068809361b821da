//! By how much a clock was wrong, as people write it on the command line.

use std::path::{Path, PathBuf};

use super::duration::time;

/// What is to be added to the times of a file, or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClockOffset {
    /// `None`: all of those for which there is none of their own.
    pub(crate) file: Option<PathBuf>,
    nanos: i64,
}

impl ClockOffset {
    /// What is to be added to the times of `file`, in nanoseconds.
    pub(crate) fn of(all: &[Self], file: &Path) -> i64 {
        let own = all.iter().rfind(|it| it.file.as_deref() == Some(file));
        let common = || all.iter().rfind(|it| it.file.is_none());
        own.or_else(common).map_or(0, |it| it.nanos)
    }
}

/// Reads `+90s`, `-1h30m`, `conn.log=-2m`.
pub(crate) fn clock_offset(text: &str) -> Result<ClockOffset, String> {
    let (file, offset) = match text.rsplit_once('=') {
        Some((file, offset)) => (Some(PathBuf::from(file)), offset),
        None => (None, text),
    };
    let wrong = || "write +90s, -1h30m, or FILE=+90s".to_owned();
    let (is_behind, length) = match offset.split_at_checked(1) {
        Some(("+", length)) => (false, length),
        Some(("-", length)) => (true, length),
        _ => return Err(wrong()),
    };
    let length = time(length).map_err(|_| wrong())?;
    let nanos = i64::try_from(length.as_nanos()).map_err(|_| wrong())?;
    Ok(ClockOffset {
        file,
        nanos: if is_behind { -nanos } else { nanos },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_own_or_that_of_all() {
        let read = |text| clock_offset(text).unwrap();
        let all = [read("+90s"), read("a=b.log=-1h"), read("c.log=+1.5s")];
        let of = |file| ClockOffset::of(&all, Path::new(file));
        assert_eq!(of("x.log"), 90_000_000_000);
        assert_eq!(of("a=b.log"), -3_600_000_000_000);
        assert_eq!(of("c.log"), 1_500_000_000);
        assert_eq!(ClockOffset::of(&all[1..], Path::new("x.log")), 0);
    }

    #[test]
    fn what_is_no_offset() {
        for text in ["", "90s", "+", "+x", "f=", "f=90s", "é90s"] {
            assert!(clock_offset(text).is_err(), "{text}");
        }
    }
}
