//! Logs of Zeek, as columns and as JSON lines: `conn` and the like become connections, `dns`, `ssl`,
//! `quic`, `http`, `ssh` and `dhcp` names. Of other logs nothing is taken.
//! (Zeek documentation, "Log Formats" and "Zeek Log Formats and Inspection".)
//!
//! Zeek gives each connection a uid that no other has, and writes it into every log. So the uid alone
//! is the identity of a connection, whichever file a row stands in. The first row of another log than
//! `conn` gives a connection too, of which only the ends and this moment are known: it may be in no
//! other log. Whoever joins them lets the fuller one stand.
//!
//! Bytes are payload. A connection has ended when Zeek last saw it; in `open_conn` it has not ended.

mod connections;
mod names;
mod row;

use std::collections::HashSet;
use std::io;

use model::{ConnectionId, SocketKey};
use sha2::{Digest, Sha256};

use self::row::{Columns, Field, Row};
use super::format::{self, Format, Out};
use super::input::Input;
use super::json::Value;
use super::lines::{self, Lines};
use super::told::Devices;

pub(super) const KIND: format::Kind = format::Kind {
    name: "Zeek log",
    recognises,
    open: || Box::<Zeek>::default(),
};

/// So many lines are read at once.
const LINES: usize = 4096;
/// So many connections of other logs than `conn` are kept in mind.
const MOST_CONNECTIONS: usize = 1 << 22;

/// What the rows of a log tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Connections,
    /// They have not ended.
    OpenConnections,
    Dns,
    Tls,
    Quic,
    Http,
    Ssh,
    Dhcp,
    /// Nothing that is wanted.
    Other,
}

impl Kind {
    /// `None`: no log of this name is known.
    fn named(path: &[u8]) -> Option<Self> {
        Some(match path {
            b"conn" | b"conn_long" | b"conn_red" => Self::Connections,
            b"open_conn" => Self::OpenConnections,
            b"dns" | b"dns_red" => Self::Dns,
            b"ssl" | b"tls" | b"ssl_red" => Self::Tls,
            b"quic" => Self::Quic,
            b"http" | b"http_red" => Self::Http,
            b"ssh" => Self::Ssh,
            b"dhcp" => Self::Dhcp,
            _ => return None,
        })
    }

    /// By its fields: a log may have another name, and JSON may have none.
    fn of(row: &Row<'_>) -> Self {
        let any = |fields: &[Field]| fields.iter().any(|field| row.has(*field));
        if any(&[
            Field::State,
            Field::OriginatorPackets,
            Field::ResponderPackets,
        ]) {
            Self::Connections
        } else if any(&[Field::QuicOnly]) {
            Self::Quic
        } else if any(&[Field::TlsOnly]) {
            Self::Tls
        } else if any(&[Field::HttpOnly]) {
            Self::Http
        } else if any(&[Field::SshOnly]) {
            Self::Ssh
        } else if any(&[Field::DhcpOnly]) {
            Self::Dhcp
        } else if any(&[Field::Query, Field::QueryType]) && any(&[Field::DnsOnly]) {
            Self::Dns
        } else {
            Self::Other
        }
    }
}

/// The beginning of a log with columns, or a JSON line that has what only Zeek has.
fn recognises(head: &[u8]) -> bool {
    let head = lines::decoded(head);
    let mut lines = lines::of_head(&head).map(<[u8]>::trim_ascii_start);
    let Some(first) = lines.find(|line| !line.is_empty() && !line.starts_with(b"##")) else {
        return false;
    };
    if first.starts_with(b"#") {
        return first.starts_with(b"#separator") || first.starts_with(b"#fields\t");
    }
    let Some(object) = Value::object(first) else {
        return false;
    };
    let has = |names: &[&str]| names.iter().any(|name| object.member(name).is_some());
    has(&["ts"])
        && has(&[
            "id.orig_h",
            "id_orig_h",
            "_path",
            "@stream",
            "uid",
            "uids",
            "fuid",
            "certificate.serial",
            "certificate_serial",
        ])
}

#[derive(Default)]
struct Zeek {
    lines: Lines,
    columns: Columns,
    /// What the log with columns tells of. `None`: nothing was said of it yet.
    kind: Option<Kind>,
    known: Known,
}

/// What was told.
#[derive(Default)]
struct Known {
    devices: Devices,
    /// Connections that rows of other logs than `conn` have told of.
    connections: HashSet<ConnectionId>,
}

impl Format for Zeek {
    fn read(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        for _ in 0..LINES {
            if !self.line(input, out)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Zeek {
    fn line(&mut self, input: &mut Input, out: &mut Out) -> io::Result<bool> {
        let Self {
            lines,
            columns,
            kind,
            known,
        } = self;
        let Some((number, line)) = lines.next(input, out)? else {
            return Ok(false);
        };
        let begins = line.iter().find(|byte| !byte.is_ascii_whitespace());
        let told = match begins {
            None => Ok(()),
            Some(b'#') => {
                header(line.trim_ascii_start(), columns, kind);
                Ok(())
            }
            Some(b'{') => match Row::of_json(line) {
                Some(row) => {
                    let named = row.plain(Field::Path).and_then(Kind::named);
                    let kind = named.unwrap_or_else(|| Kind::of(&row));
                    tell(kind, &row, number, known, out)
                }
                None => Err("it is no JSON object"),
            },
            Some(_) if !columns.are_known() => Err("nothing says which columns it has"),
            Some(_) => match columns.row(line) {
                Some(row) => {
                    let kind = kind.get_or_insert_with(|| Kind::of(&columns.as_row()));
                    tell(*kind, &row, number, known, out)
                }
                None => Err("it has fewer columns than the log"),
            },
        };
        if let Err(why) = told {
            self.lines.skip(out, why);
        }
        Ok(true)
    }
}

/// Reads a line about the lines that follow.
fn header(line: &[u8], columns: &mut Columns, kind: &mut Option<Kind>) {
    // Behind the name stands the separator of the log, whichever that is.
    let is_name = |byte: &u8| matches!(byte, b'#' | b'_' | b'a'..=b'z');
    let name_end = line.iter().position(|byte| !is_name(byte));
    let (name, value) = line
        .split_at_checked(name_end.unwrap_or(line.len()))
        .unwrap_or_default();
    if name == b"#separator" {
        let separator = row::separator(value);
        if !separator.is_empty() {
            columns.separator = separator;
        }
        return;
    }
    let value = value
        .strip_prefix(&*columns.separator)
        .unwrap_or_else(|| value.trim_ascii());
    match name {
        b"#set_separator" => columns.set_separator = value.first().copied().unwrap_or(b','),
        b"#empty_field" => columns.empty = value.to_vec(),
        b"#unset_field" => columns.unset = value.to_vec(),
        b"#path" => *kind = Kind::named(value),
        b"#fields" => {
            columns.set_names(value);
            // Of logs that follow each other in one file, the path of this one comes before.
            if *kind == Some(Kind::Other) {
                *kind = None;
            }
        }
        _ => {}
    }
}

fn tell(
    kind: Kind,
    row: &Row<'_>,
    number: u64,
    known: &mut Known,
    out: &mut Out,
) -> Result<(), &'static str> {
    match kind {
        Kind::Connections => connections::tell(row, false, number, known, out),
        Kind::OpenConnections => connections::tell(row, true, number, known, out),
        Kind::Dns => names::dns(row, number, known, out),
        Kind::Tls => names::tls(row, number, known, out),
        Kind::Quic => names::quic(row, number, known, out),
        Kind::Http => names::http(row, number, known, out),
        Kind::Ssh => names::ssh(row, number, known, out),
        Kind::Dhcp => names::dhcp(row, number, known, out),
        Kind::Other => Ok(()),
    }
}

/// Of a connection with this uid; else of this row alone.
fn identity(uid: Option<&[u8]>, number: u64, out: &Out) -> (ConnectionId, SocketKey) {
    let mut hash = Sha256::new();
    hash.update(b"zeek");
    match uid {
        Some(uid) => hash.update(uid),
        None => {
            hash.update(out.source().0);
            hash.update(number.to_le_bytes());
        }
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (id, rest) = digest.split_first_chunk::<16>().unwrap_or((&[0; 16], &[]));
    let cookie = rest
        .first_chunk::<8>()
        .map(|cookie| u64::from_le_bytes(*cookie));
    (
        ConnectionId(*id),
        SocketKey {
            inode: None,
            cookie,
        },
    )
}

#[cfg(test)]
mod tests;
