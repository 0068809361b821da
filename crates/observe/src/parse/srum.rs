//! The usage monitor of Windows (SRUM, `SRUDB.dat`): how many bytes each program moved, for which user,
//! within about an hour. It keeps some thirty to sixty days.
//!
//! Tables: `{973F5D5C-1D90-4944-BE8E-24B94231A174}` (network data usage) and `SruDbIdMapTable`, as
//! libyal's "SRUM database" page and MarkBaggett/srum-dump describe them.

use std::collections::HashMap;
use std::fmt::Write as _;

use model::Timestamp;

use super::ese::{Database, Missed, Row, Value};

const USAGE: &str = "{973F5D5C-1D90-4944-BE8E-24B94231A174}";
const NAMES: &str = "SruDbIdMapTable";
/// Rows of usage: two months of a busy computer have some 200,000.
const MOST_ROWS: usize = 1_000_000;
/// Programs and users.
const MOST_NAMES: usize = 100_000;
/// Of a name, in bytes.
const LONGEST_NAME: usize = 4096;
/// An `IdType`: a user, by its security identifier.
const USER: u64 = 3;
/// Days from the beginning of OLE dates (1899-12-30) to 1970.
const DAYS_BEFORE_UNIX: f64 = 25_569.0;
const NANOS_A_DAY: f64 = 86_400e9;
const SECOND: i64 = 1_000_000_000;

/// What a program moved within about an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Its file, as `\device\harddiskvolume3\...`, or the name of a package or service. `None`: the
    /// database names none.
    pub(crate) program: Option<String>,
    /// The security identifier, `S-1-5-...`.
    pub(crate) user: Option<String>,
    /// When it was written down: what was moved was moved before. `None`: it tells no time.
    pub(crate) written: Option<Timestamp>,
    pub(crate) bytes_sent: Option<u64>,
    pub(crate) bytes_received: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Srum {
    pub(crate) rows: Vec<Usage>,
    pub(crate) missed: Missed,
    /// Names that are kept in a way that is not read.
    pub(crate) names_not_read: usize,
    /// There are more rows or names than are read.
    pub(crate) is_cut: bool,
}

/// `None`: the database has no such table.
pub(crate) fn usage(database: &Database<'_>) -> Option<Srum> {
    let usage = database.table(USAGE)?;
    let mut srum = Srum::default();
    let names = names(database, &mut srum);
    let missed = database.rows(&usage, |row| {
        if srum.rows.len() >= MOST_ROWS {
            srum.is_cut = true;
            return false;
        }
        let name = |column| names.get(&row.number(column)?).cloned();
        srum.rows.push(Usage {
            program: name("AppId"),
            user: name("UserId"),
            written: row.number("TimeStamp").and_then(time),
            bytes_sent: row.number("BytesSent"),
            bytes_received: row.number("BytesRecvd"),
        });
        true
    });
    srum.missed.pages += missed.pages;
    srum.missed.damaged += missed.damaged;
    Some(srum)
}

fn names(database: &Database<'_>, srum: &mut Srum) -> HashMap<u64, String> {
    let mut names = HashMap::new();
    let Some(table) = database.table(NAMES) else {
        return names;
    };
    srum.missed = database.rows(&table, |row| {
        if names.len() >= MOST_NAMES {
            srum.is_cut = true;
            return false;
        }
        srum.names_not_read += usize::from(row.value("IdBlob") == Value::NotRead);
        names.extend(name(row));
        true
    });
    names
}

fn name(row: &Row<'_>) -> Option<(u64, String)> {
    let number = row.number("IdIndex")?;
    let Value::Bytes(bytes) = row.value("IdBlob") else {
        return None;
    };
    let bytes = bytes.get(..LONGEST_NAME).unwrap_or(bytes);
    let name = if row.number("IdType") == Some(USER) {
        security_identifier(bytes)?
    } else {
        let units = bytes.chunks_exact(2).filter_map(|unit| unit.first_chunk());
        let units: Vec<u16> = units.map(|unit| u16::from_le_bytes(*unit)).collect();
        let name = String::from_utf16_lossy(&units);
        name.trim_end_matches('\0').to_owned()
    };
    (!name.is_empty()).then_some((number, name))
}

/// In words (MS-DTYP, 2.4.2: `SID`). `None`: it is none.
fn security_identifier(bytes: &[u8]) -> Option<String> {
    let (&[revision, count, a, b, c, d, e, f], rest) = bytes.split_first_chunk()?;
    let authority = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let mut words = format!("S-{revision}-{authority}");
    let parts = rest.get(..usize::from(count) * 4)?;
    for part in parts.chunks_exact(4) {
        write!(words, "-{}", u32::from_le_bytes(*part.first_chunk()?)).ok()?;
    }
    Some(words)
}

/// Of an OLE date: days with their fractions, in the bits of a number. `None`: it is none of this
/// time.
fn time(bits: u64) -> Option<Timestamp> {
    let days = f64::from_bits(bits) - DAYS_BEFORE_UNIX;
    if !(0.0..=100_000.0).contains(&days) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it was looked at above: below 9e18"
    )]
    let nanos = (days * NANOS_A_DAY).round() as i64;
    // The date is exact to some microseconds: to seconds is what it says.
    let seconds = nanos.saturating_add(SECOND / 2) / SECOND;
    Some(Timestamp::from_unix_nanos(seconds.saturating_mul(SECOND)))
}

#[cfg(test)]
mod tests {
    use super::super::ese::written::{Kind, SMALL, Table, database};
    use super::*;

    fn blob(bytes: &[u8]) -> Option<Vec<u8>> {
        Some([&[1], bytes].concat())
    }

    #[test]
    fn usage_is_read_with_its_program_and_user() {
        let path: Vec<u8> = "\\device\\x.exe\0"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let user = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0];
        let number = |number: u32| Some(number.to_le_bytes().to_vec());
        let names = Table {
            name: NAMES,
            columns: &[
                ("IdType", Kind::Fixed(1)),
                ("IdIndex", Kind::Fixed(4)),
                ("IdBlob", Kind::Tagged),
            ],
            rows: vec![
                vec![Some(vec![0]), number(7), blob(&path)],
                vec![Some(vec![3]), number(8), blob(&user)],
            ],
        };
        let wide = |number: u64| Some(number.to_le_bytes().to_vec());
        // 2024-01-01 12:00.
        let date = wide(45_292.5_f64.to_bits());
        let usage = Table {
            name: USAGE,
            columns: &[
                ("AutoIncId", Kind::Fixed(4)),
                ("TimeStamp", Kind::Fixed(8)),
                ("AppId", Kind::Fixed(4)),
                ("UserId", Kind::Fixed(4)),
                ("BytesSent", Kind::Fixed(8)),
                ("BytesRecvd", Kind::Fixed(8)),
            ],
            rows: vec![
                vec![
                    number(1),
                    date,
                    number(7),
                    number(8),
                    wide(1000),
                    wide(5_000_000_000),
                ],
                vec![number(2), None, number(9), None, None, None],
            ],
        };
        let bytes = database(&SMALL, &[names, usage]);
        let read = |start: u64, length: usize| {
            let start = usize::try_from(start).ok()?;
            Some(bytes.get(start..start.checked_add(length)?)?.to_vec())
        };
        let database = Database::open(&read).unwrap();
        let srum = super::usage(&database).unwrap();
        let expected = Usage {
            program: Some("\\device\\x.exe".to_owned()),
            user: Some("S-1-5-32-544".to_owned()),
            written: Some(Timestamp::from_unix_nanos(1_704_110_400_000_000_000)),
            bytes_sent: Some(1000),
            bytes_received: Some(5_000_000_000),
        };
        let unknown = Usage {
            program: None,
            user: None,
            written: None,
            bytes_sent: None,
            bytes_received: None,
        };
        assert_eq!(srum.rows, [expected, unknown]);
        assert_eq!((srum.missed, srum.names_not_read), (Missed::default(), 0));
    }
}
