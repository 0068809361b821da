//! What whocalls itself wrote: a look (`list --json`), and a stream (`list`, `watch` and `export` with
//! `--ndjson`), as docs/json.md describes them, in the schema `whocalls/1`. So a look can be kept, looked
//! at again, and held against another one.
//!
//! What rules found is passed over: it can be computed again of what was seen. So is what the tables said of
//! addresses, and what the computer remembered.

mod connection;
mod document;
mod examined;
mod known;
mod members;
mod name;
mod pieces;
mod process;
mod stream;

use super::format::Kind;
use super::json::Value;
use super::lines;

const SCHEMA: &[u8] = b"whocalls/1";

pub(super) const DOCUMENT: Kind = Kind {
    name: "whocalls look",
    recognises: is_document,
    open: || Box::<document::Document>::default(),
};

pub(super) const STREAM: Kind = Kind {
    name: "whocalls stream",
    recognises: is_stream,
    open: || Box::<stream::Stream>::default(),
};

/// A look says which computer was looked at and how; what `check` writes has rules besides, and not the
/// connections.
fn is_document(head: &[u8]) -> bool {
    let head = head.strip_prefix(lines::UTF_8_MARK).unwrap_or(head);
    let (mut ours, mut look) = (false, false);
    // They end where the head is cut.
    for (name, value) in Value::of(head.trim_ascii_start()).members() {
        match name {
            b"schema" => ours = value.plain() == Some(SCHEMA),
            b"tier" => look = true,
            b"type" | b"rules" => return false,
            b"processes" | b"connections" => break,
            _ => {}
        }
    }
    ours && look
}

/// The events of a case begin likewise, and say which segment they are: they are read as a case.
fn is_stream(head: &[u8]) -> bool {
    let head = lines::decoded(head);
    let mut objects = lines::of_head(&head).filter(|line| !line.trim_ascii().is_empty());
    let first = objects.next().and_then(Value::object);
    first.is_some_and(|line| {
        let is = |name, word: &[u8]| line.member(name).and_then(Value::plain) == Some(word);
        is("schema", SCHEMA) && is("type", b"start") && line.member("segment").is_none()
    })
}

#[cfg(test)]
mod tests;
