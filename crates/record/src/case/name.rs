//! Names of files in a case: relative, with `/` between folder and file, and never a way out.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// In bytes.
const LONGEST: usize = 1024;
const DEEPEST: usize = 16;
/// What Windows takes for a device in every folder, whatever stands behind a dot ("Naming Files, Paths, and
/// Namespaces" of its documentation). Whoever reads the console waits until somebody types.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
/// The same with one digit behind it.
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// Why a file cannot have this name in a case, or a manifest not name it. Colons, backslashes, names
/// of devices, and blanks and dots at an end mean something else on other computers.
pub(super) fn fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > LONGEST {
        return Some("it is too long");
    }
    if name.chars().any(|character| character.is_control()) {
        return Some("it has control characters");
    }
    if name.contains(['\\', ':']) {
        return Some("it has a colon or a backslash");
    }
    if name.split('/').count() > DEEPEST {
        return Some("it has too many folders");
    }
    name.split('/').find_map(|part| match part {
        "" => Some("it leads out of the case, or has an empty part"),
        "." | ".." => Some("it leads out of the case"),
        _ if part.ends_with([' ', '.']) => Some("a part of it ends with a blank or a dot"),
        _ if is_device(part) => Some("Windows has a device of that name"),
        _ => None,
    })
}

/// Whether Windows opens a device in place of a file of this name.
pub(super) fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default();
    let stem = stem.trim_end_matches(' ').to_lowercase();
    let is_numbered = |device: &str| {
        let mut rest = stem.strip_prefix(device).unwrap_or_default().chars();
        // Digits that stand above the line count.
        let is_digit = |it: char| it.is_ascii_digit() || "¹²³".contains(it);
        rest.next().is_some_and(is_digit) && rest.next().is_none()
    };
    DEVICES.contains(&stem.as_str()) || NUMBERED_DEVICES.iter().any(|it| is_numbered(it))
}

/// Whether it is one plain name, on every system that a case may be carried to.
pub(crate) fn is_name(name: &str) -> bool {
    fault(name).is_none() && !name.contains('/')
}

/// What is at a name inside a case.
pub(super) enum Found {
    /// A file, and not a link.
    File(PathBuf, Metadata),
    Missing,
    /// It, or a folder on the way to it, is a link.
    Link,
    /// A folder, a pipe, a device.
    Other,
}

/// Looks without following any link. `name` has no [`fault`].
///
/// Errors: of the file system, beside that there is nothing.
pub(super) fn find(root: &Path, name: &str) -> io::Result<Found> {
    let mut path = root.to_owned();
    let mut parts = name.split('/').peekable();
    while let Some(part) = parts.next() {
        path.push(part);
        let met = match fs::symlink_metadata(&path) {
            Ok(met) => met,
            Err(error) if is_absence(&error) => return Ok(Found::Missing),
            Err(error) => return Err(error),
        };
        if met.file_type().is_symlink() {
            return Ok(Found::Link);
        }
        match (parts.peek(), met.is_file(), met.is_dir()) {
            (None, true, _) => return Ok(Found::File(path, met)),
            (Some(_), _, true) => {}
            _ => return Ok(Found::Other),
        }
    }
    Ok(Found::Missing)
}

/// Opens what [`find`] found to be a file. `None`: it is something else by now.
///
/// Errors: of the file system.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
    let file = File::open(path)?;
    Ok(file.metadata()?.is_file().then_some(file))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Number and rest of the name of a segment: `000012.ndjson` is 12 and `ndjson`.
pub(super) fn number(file: &str) -> Option<(u64, &str)> {
    let (digits, rest) = file.split_once('.')?;
    let is_number = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(())?;
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, is_fit: bool) {
        assert_eq!(fault(name).is_none(), is_fit, "{name:?}");
    }

    #[test]
    fn a_name_never_leads_out() {
        check("case.json", true);
        check("imports/1-güter/a b.log", true);
        for name in [
            "",
            "/etc/passwd",
            "..",
            "a/../b",
            "./a",
            "a//b",
            "a/",
            "C:/x",
            "a\\b",
            "a\nb",
            "a\0",
        ] {
            check(name, false);
        }
        check(&"a".repeat(1025), false);
        check(&["a"; 17].join("/"), false);
    }

    #[test]
    fn a_name_means_the_same_on_windows() {
        for name in [
            "CON",
            "events/nul",
            "Nul.tar.gz",
            "con .txt",
            "imports/aux/a",
            "COM1",
            "lpt9.log",
            "com¹",
            "CONIN$",
            "events/000001.ndjson.",
            "a /b",
        ] {
            check(name, false);
        }
        for name in ["console", "com", "com10", "a.nul", "nul-1", "events/.a"] {
            check(name, true);
        }
    }

    #[test]
    fn segments_are_known_by_number() {
        assert_eq!(number("000012.ndjson.part"), Some((12, "ndjson.part")));
        assert_eq!(number("1000000.pcapng"), Some((1_000_000, "pcapng")));
        assert_eq!(number("12.ndjson"), None);
        assert_eq!(number("00000x.ndjson"), None);
        assert_eq!(number("99999999999999999999.ndjson"), None);
    }
}
