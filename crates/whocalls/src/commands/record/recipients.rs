//! For whom a case is encrypted.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use record::crypt::{Error, Recipients};

/// The convention of pcqf and androidqf.
const KEY_FILE: &str = "key.txt";
const LONGEST_FILE: u64 = 64 * 1024;

/// Those of the command line, and those of `key.txt` beside whocalls. `None`: nobody; the case is
/// readable.
///
/// Errors: a key that is none, or a private one.
pub(crate) fn of_recording(named: &[String]) -> Result<Option<Recipients>> {
    let folder = observe::places::program_folder();
    let beside = folder.as_deref().map(beside).transpose()?.flatten();
    both(of_command_line(named)?, beside)
}

/// Those of `key.txt` in a folder. `None`: there is none.
///
/// Errors: as [`of_recording`]; there is a file of keys under another name. Who has put it there
/// believes that the case will be encrypted.
fn beside(folder: &Path) -> Result<Option<Recipients>> {
    let file = folder.join(KEY_FILE);
    if let Some(recipients) = of_file(&file)? {
        return Ok(Some(recipients));
    }
    if file.is_symlink() {
        return Err(anyhow!("{} is a link that leads nowhere", file.display()));
    }
    // What cannot be listed has no names that could be looked at.
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let others = entries.filter(|entry| is_nearly_key_file(&entry.file_name().to_string_lossy()));
    let mut others: Vec<_> = others.map(|entry| entry.path()).collect();
    others.sort();
    match others.into_iter().find(|path| holds_a_key(path)) {
        Some(path) => Err(anyhow!(
            "{} holds a key, and is not called {KEY_FILE}: the case would not be encrypted\n\
             help: rename it to {KEY_FILE}, or take it away",
            path.display()
        )),
        None => Ok(None),
    }
}

/// What a file is called where an ending is hidden, left out or written in another way.
fn is_nearly_key_file(name: &str) -> bool {
    let name = name.to_lowercase();
    let stem = name.strip_prefix("keys").or(name.strip_prefix("key"));
    stem.is_some_and(|endings| {
        endings
            .split('.')
            .all(|it| ["", "txt", "text"].contains(&it))
    })
}

fn holds_a_key(path: &Path) -> bool {
    // A pipe would be waited for.
    if !fs::metadata(path).is_ok_and(|about| about.is_file()) {
        return false;
    }
    let file = File::open(path).ok();
    let text = file.and_then(|file| short_bytes(file, LONGEST_FILE).ok());
    let text = text.unwrap_or_default();
    let has = |word: &str| text.windows(word.len()).any(|it| it == word.as_bytes());
    has("age1") || has("AGE-SECRET-KEY-")
}

/// Of options.
///
/// Errors: a key that is none, or a private one.
pub(crate) fn of_command_line(named: &[String]) -> Result<Option<Recipients>> {
    if named.is_empty() {
        return Ok(None);
    }
    let recipients = Recipients::parse(&named.join("\n"), "--recipient");
    recipients.map(Some).map_err(explained)
}

/// Of a file. `None`: there is none.
///
/// Errors: it cannot be read; a key that is none, or a private one.
pub(crate) fn of_file(file: &Path) -> Result<Option<Recipients>> {
    let cannot = || format!("cannot read the public keys in {}", file.display());
    let open = match File::open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(cannot),
    };
    let text = short_text(open, LONGEST_FILE).with_context(cannot)?;
    let from = file.display().to_string();
    Recipients::parse(&text, &from).map(Some).map_err(explained)
}

/// All of a file that is short. What is no ordinary file does not tell how long it is.
///
/// Errors: it is longer, or no text.
pub(crate) fn short_text(file: File, most: u64) -> Result<String> {
    let text = String::from_utf8(short_bytes(file, most)?);
    text.map_err(|_| anyhow!("it is no text"))
}

/// The same, whatever it holds.
///
/// Errors: it is longer; of reading.
pub(crate) fn short_bytes(file: File, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut start = file.take(most + 1);
    start.read_to_end(&mut bytes)?;
    if start.limit() == 0 {
        return Err(anyhow!("it has more than {most} bytes"));
    }
    Ok(bytes)
}

/// All of them.
///
/// Errors: there are too many.
pub(crate) fn both(
    one: Option<Recipients>,
    other: Option<Recipients>,
) -> Result<Option<Recipients>> {
    match (one, other) {
        (Some(one), Some(other)) => one.and(other).map(Some).map_err(explained),
        (one, other) => Ok(one.or(other)),
    }
}

pub(crate) fn explained(error: Error) -> anyhow::Error {
    match error.help() {
        Some(help) => anyhow!("{error}\nhelp: {help}"),
        None => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_under_another_name_is_no_reason_to_record_for_everybody() {
        const KEY: &str = "age1ec6ehem6e96dy23qx773exftc9n33q94jnw06ze7pz9a8ttkzcts5wxgtd\n";
        let folder = std::env::temp_dir().join(format!("whocalls-keys-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let check = |name: &str, text: &str, expected: Option<bool>| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            let read = beside(&folder);
            let came = read.as_ref().ok().map(Option::is_some);
            assert_eq!(came, expected, "{name}: {read:?}");
            fs::remove_file(path).unwrap();
        };
        check("key.txt", KEY, Some(true));
        for name in ["key.txt.txt", "KEY.TXT", "key", "keys.txt"] {
            check(name, KEY, None);
            check(name, "of the car\n", Some(false));
        }
        check("monkey.txt", KEY, Some(false));
        check("key.pdf", KEY, Some(false));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/nowhere/at/all", folder.join("key.txt")).unwrap();
            assert!(beside(&folder).is_err());
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
