//! Writes databases for tests: a catalog on one page, and at most two tables of one root and two leaves.

use super::{CATALOG, SIGNATURE};

pub(crate) enum Kind {
    Fixed(u32),
    Tagged,
}

pub(crate) struct Table<'a> {
    pub(crate) name: &'a str,
    /// Those of a fixed length first.
    pub(crate) columns: &'a [(&'a str, Kind)],
    /// Of each column what it has.
    pub(crate) rows: Vec<Vec<Option<Vec<u8>>>>,
}

pub(crate) struct Options {
    pub(crate) page_bytes: usize,
    pub(crate) revision: u32,
    pub(crate) is_closed: bool,
}

pub(crate) const SMALL: Options = Options {
    page_bytes: 4096,
    revision: 0x14,
    is_closed: true,
};

/// Around the catalog: so that the file is small enough to begin fuzzing with.
const PLACES: [[u32; 3]; 2] = [[1, 2, 3], [5, 6, 0]];

pub(crate) fn database(options: &Options, tables: &[Table<'_>]) -> Vec<u8> {
    let is_large = options.page_bytes >= 16384;
    let mut catalog = Vec::new();
    let mut pages = Vec::new();
    for (number, (table, places)) in (50..).zip(tables.iter().zip(PLACES)) {
        let [root, first, last] = places;
        catalog.push(entry(number, 1, number, root, 80, table.name));
        let (mut fixed, mut tagged) = (0, 255);
        for (name, kind) in table.columns {
            let (id, length) = match kind {
                Kind::Fixed(length) => {
                    fixed += 1;
                    (fixed, *length)
                }
                Kind::Tagged => {
                    tagged += 1;
                    (tagged, 0)
                }
            };
            catalog.push(entry(number, 2, id, 11, length, name));
        }
        let rows: Vec<_> = table
            .rows
            .iter()
            .map(|row| record(table, row, is_large))
            .collect();
        let (one, other) = rows.split_at(rows.len() / 2);
        let children = [first, last].map(|child| child.to_le_bytes().to_vec());
        pages.push((root, page(options, root, 0x1 | 0x4, &children)));
        pages.push((first, page(options, first, 0x2, one)));
        pages.push((last, page(options, last, 0x2, other)));
    }
    pages.push((CATALOG, page(options, CATALOG, 0x1 | 0x2, &catalog)));
    let mut bytes = vec![0; 8 * options.page_bytes];
    let state: u32 = if options.is_closed { 3 } else { 2 };
    for (place, number) in [
        (4, SIGNATURE),
        (8, 0x620),
        (52, state),
        (232, options.revision),
        (236, u32::try_from(options.page_bytes).unwrap()),
    ] {
        bytes[place..place + 4].copy_from_slice(&number.to_le_bytes());
    }
    for (number, page) in pages {
        let start = (number as usize + 1) * options.page_bytes;
        bytes[start..start + page.len()].copy_from_slice(&page);
    }
    bytes
}

/// A row of the catalog.
fn entry(table: u32, kind: u16, id: u32, number: u32, length: u32, name: &str) -> Vec<u8> {
    let mut fixed = table.to_le_bytes().to_vec();
    fixed.extend(kind.to_le_bytes());
    for part in [id, number, length] {
        fixed.extend(part.to_le_bytes());
    }
    fixed.push(0);
    let end = u16::try_from(name.len()).unwrap();
    let variable = u16::try_from(4 + fixed.len()).unwrap();
    let mut bytes = vec![5, 128];
    bytes.extend(variable.to_le_bytes());
    bytes.extend(fixed);
    bytes.extend(end.to_le_bytes());
    bytes.extend(name.as_bytes());
    bytes
}

fn record(table: &Table<'_>, row: &[Option<Vec<u8>>], is_large: bool) -> Vec<u8> {
    let (mut fixed, mut bits, mut last) = (Vec::new(), [0; 16], 0);
    let mut tagged = Vec::new();
    for ((_, kind), value) in table.columns.iter().zip(row) {
        match kind {
            Kind::Fixed(length) => {
                let mut value = value.clone().unwrap_or_else(|| {
                    bits[last / 8] |= 1 << (last % 8);
                    Vec::new()
                });
                value.resize(*length as usize, 0);
                fixed.extend(value);
                last += 1;
            }
            Kind::Tagged => tagged.push(value.clone()),
        }
    }
    fixed.extend(&bits[..last.div_ceil(8)]);
    let mut bytes = vec![u8::try_from(last).unwrap(), 127];
    bytes.extend(u16::try_from(4 + fixed.len()).unwrap().to_le_bytes());
    bytes.extend(fixed);
    let tagged: Vec<_> = (256_u16..)
        .zip(tagged)
        .filter_map(|(id, value)| Some((id, value?)))
        .collect();
    let mut start = tagged.len() * 4;
    for (id, value) in &tagged {
        let flag = if is_large { 0 } else { 0x4000 };
        bytes.extend(id.to_le_bytes());
        bytes.extend((u16::try_from(start).unwrap() | flag).to_le_bytes());
        start += value.len();
    }
    // The first byte of a value is its flags.
    bytes.extend(tagged.into_iter().flat_map(|(_, value)| value));
    bytes
}

fn page(options: &Options, number: u32, flags: u32, entries: &[Vec<u8>]) -> Vec<u8> {
    let is_large = options.page_bytes >= 16384;
    let header = if is_large { 80 } else { 40 };
    let flags = flags | 0x2000;
    let mut bytes = vec![0; options.page_bytes];
    let tags = u16::try_from(entries.len() + 1).unwrap();
    bytes[34..36].copy_from_slice(&tags.to_le_bytes());
    bytes[36..40].copy_from_slice(&flags.to_le_bytes());
    let (mut start, mut tag) = (0_usize, options.page_bytes - 4);
    for (place, data) in entries.iter().enumerate() {
        // Every other one shares the beginning of its key with the page.
        let shares = place % 2 == 1;
        let flag = if shares { 0x4 << 13 } else { 0_u16 };
        let mut entry = Vec::new();
        if shares {
            entry.extend(3_u16.to_le_bytes());
        }
        entry.extend(2_u16.to_le_bytes());
        entry.extend([0x7f, 0x80]);
        entry.extend(data);
        let mut offset = u16::try_from(start).unwrap();
        if is_large {
            let first = u16::from_le_bytes([entry[0], entry[1]]) | flag;
            entry[..2].copy_from_slice(&first.to_le_bytes());
        } else {
            offset |= flag;
        }
        bytes[header + start..header + start + entry.len()].copy_from_slice(&entry);
        start += entry.len();
        tag -= 4;
        assert!(header + start < tag, "the page has no room for it");
        let length = u16::try_from(entry.len()).unwrap();
        bytes[tag..tag + 2].copy_from_slice(&length.to_le_bytes());
        bytes[tag + 2..tag + 4].copy_from_slice(&offset.to_le_bytes());
    }
    let sum = bytes[8..].chunks_exact(4).fold(number, |sum, word| {
        sum ^ u32::from_le_bytes(word.try_into().unwrap())
    });
    bytes[..4].copy_from_slice(&sum.to_le_bytes());
    bytes
}
