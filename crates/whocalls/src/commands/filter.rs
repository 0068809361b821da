//! Filters of the command line, and what they want.

use std::path::Path;

use anyhow::Result;
use model::{Connection, Process, ProcessId, Text, Timestamp};
use show::filter::{Filter, FilterError};

use crate::output::Usage;
use crate::platform::as_text;

/// All filters together; each of them has to match.
pub(super) fn read(
    words: &[String],
    others: &[String],
    parse: impl Fn(&str) -> Result<Filter, FilterError>,
) -> Result<Filter> {
    if let Some(file) = words
        .iter()
        .find(|word| !word.contains(':') && Path::new(word).exists())
    {
        let text = format!(
            "'{file}' is a file or folder here; this build looks at this computer only\nhelp: to search for the text '{file}', write --filter {}",
            as_text(file)
        );
        return Err(Usage(text).into());
    }
    Ok(parse(&text(words, others))?)
}

/// All filters together as one text; empty where there is none.
pub(super) fn text(words: &[String], others: &[String]) -> String {
    let mut parts = Vec::new();
    if !words.is_empty() {
        parts.push(words.join(" "));
    }
    parts.extend(others.iter().cloned());
    match parts.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        several => several
            .iter()
            .map(|part| format!("({part})"))
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// Whether a connection is wanted: by its owner, or by any other process that holds it. `user` is
/// whose it is.
pub(super) fn wants<'a>(
    filter: &Filter,
    connection: &Connection,
    now: Timestamp,
    user: Option<&Text>,
    process: impl Fn(ProcessId) -> Option<&'a Process>,
) -> bool {
    if filter.is_empty() {
        return true;
    }
    let owner = connection.owner.process().and_then(&process);
    filter.matches(connection, owner, user, now)
        || connection.also_held_by.iter().any(|holder| {
            process(*holder).is_some_and(|holder| {
                filter.matches(connection, Some(holder), holder.user.as_ref(), now)
            })
        })
}
