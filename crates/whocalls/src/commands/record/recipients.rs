//! For whom a case is encrypted.

use std::fs::File;
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
    let beside = observe::places::program_folder().map(|folder| folder.join(KEY_FILE));
    let beside = beside.map(|file| of_file(&file)).transpose()?.flatten();
    both(of_command_line(named)?, beside)
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
    let mut text = String::new();
    let mut start = file.take(most + 1);
    start.read_to_string(&mut text)?;
    if start.limit() == 0 {
        return Err(anyhow!("it has more than {most} bytes"));
    }
    Ok(text)
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
