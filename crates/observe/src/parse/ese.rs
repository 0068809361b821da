//! A little of the format of the Extensible Storage Engine of Windows (ESE, "JET Blue"): the rows of the
//! tables of a database, read from the file as it stands. Nothing is written, and what lies in logs
//! beside the file is not seen. Numbers are little-endian.
//!
//! Format: "Extensible Storage Engine (ESE) Database File (EDB) format", libyal/libesedb. Not read:
//! values that are compressed, have several parts, or are kept outside of their row.

mod page;
mod record;
#[cfg(test)]
pub(crate) mod written;

use std::collections::HashSet;

use self::page::{Page, Walk};
pub(crate) use self::record::{Record, Value};

/// What a file is read with: where, and how many bytes.
pub(crate) type Read<'a> = &'a dyn Fn(u64, usize) -> Option<Vec<u8>>;

const SIGNATURE: u32 = 0x89ab_cdef;
const HEADER_BYTES: usize = 668;
/// `JET_dbstateCleanShutdown`.
const CLEAN_SHUTDOWN: u32 = 3;
/// The first revision whose large pages have a longer header.
const LARGE_PAGES: u32 = 0x11;
/// The root of the catalog, the table of all tables.
const CATALOG: u32 = 4;
/// Pages of one tree: 400 MB of the smallest usual ones.
const MOST_PAGES: usize = 100_000;
/// Entries of one tree, and steps to a page: two months of a busy computer have some 200,000.
const MOST_ENTRIES: usize = 4_000_000;
/// Deeper trees have no file.
const DEEPEST: usize = 24;
const MOST_COLUMNS: usize = 4096;

/// A file, of which pieces are read.
pub(crate) struct Database<'a> {
    read: Read<'a>,
    page_bytes: usize,
    /// Pages have the longer header and no flags beside their entries.
    is_large: bool,
    /// Whether it was closed in good order. Otherwise the newest may be missing from it.
    pub(crate) is_closed: bool,
}

/// Of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// 1 to 127: of a fixed length; to 255: of any; above: only in rows that have it.
    id: u32,
    /// In bytes; holds for those of a fixed length.
    length: usize,
    name: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    root: u32,
    columns: Vec<Column>,
}

/// What could not be read of a tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Missed {
    /// Pages that are not there, make no sense, or are more than are read.
    pub(crate) pages: usize,
    /// Pages that were read although their checksum is another: they may say anything.
    pub(crate) damaged: usize,
}

impl<'a> Database<'a> {
    /// `None`: it is none, or of a kind that is not read.
    pub(crate) fn open(read: Read<'a>) -> Option<Self> {
        let header = read(0, HEADER_BYTES)?;
        let kind = u32_at(&header, 12)?;
        if u32_at(&header, 4)? != SIGNATURE || kind != 0 {
            return None;
        }
        let page_bytes = usize::try_from(u32_at(&header, 236)?).ok()?;
        if !matches!(page_bytes, 2048 | 4096 | 8192 | 16384 | 32768) {
            return None;
        }
        let revision = u32_at(&header, 232)?;
        Some(Self {
            read,
            page_bytes,
            is_large: page_bytes >= 16384 && revision >= LARGE_PAGES,
            is_closed: u32_at(&header, 52)? == CLEAN_SHUTDOWN,
        })
    }

    /// The table of that name. `None`: the catalog lists none, or cannot be read.
    pub(crate) fn table(&self, name: &str) -> Option<Table> {
        let mut found = None;
        let mut columns = Vec::new();
        self.records(CATALOG, &mut |record| {
            let Some(entry) = Entry::of(record) else {
                return true;
            };
            match entry.kind {
                Entry::TABLE if entry.name == name.as_bytes() => {
                    found = Some((entry.table, entry.number));
                }
                Entry::COLUMN
                    if columns.len() < MOST_COLUMNS
                    // A table's columns come behind it.
                    && found.is_some_and(|(table, _)| table == entry.table) =>
                {
                    columns.push(Column {
                        id: entry.id,
                        length: entry.length,
                        name: entry.name.to_vec(),
                    });
                }
                _ => {}
            }
            true
        });
        let (_, root) = found?;
        columns.sort_by_key(|column| column.id);
        columns.dedup_by_key(|column| column.id);
        Some(Table { root, columns })
    }

    /// Whether all of the catalog can be read: a table that is not found there does not exist.
    pub(crate) fn is_listed(&self) -> bool {
        self.records(CATALOG, &mut |_| true) == Missed::default()
    }

    /// Reads the rows of a table in their order, as long as `each` wants more.
    pub(crate) fn rows(&self, table: &Table, mut each: impl FnMut(&Row<'_>) -> bool) -> Missed {
        self.records(table.root, &mut |record| each(&Row { table, record }))
    }

    fn records(&self, root: u32, each: &mut dyn FnMut(Record<'_>) -> bool) -> Missed {
        let mut walk = Walk {
            known: HashSet::new(),
            entries: 0,
            missed: Missed::default(),
        };
        self.walk(root, DEEPEST, &mut walk, each);
        walk.missed
    }

    /// False: no more is wanted.
    fn walk(
        &self,
        number: u32,
        depth: usize,
        walk: &mut Walk,
        each: &mut dyn FnMut(Record<'_>) -> bool,
    ) -> bool {
        if !walk.has_room() {
            return false;
        }
        let is_new = walk.known.len() < MOST_PAGES && walk.known.insert(number);
        let page = Some(number).filter(|_| is_new && depth > 0);
        let Some(page) = page.and_then(|number| self.page(number)) else {
            walk.missed.pages += 1;
            return true;
        };
        walk.missed.damaged += usize::from(page.is_damaged());
        if !page.is_leaf() {
            return page
                .children()
                .all(|child| self.walk(child, depth.saturating_sub(1), walk, each));
        }
        page.entries().all(|entry| {
            if !walk.has_room() {
                return false;
            }
            let record = Record::new(entry, self.is_large);
            record.is_none_or(&mut *each)
        })
    }

    fn page(&self, number: u32) -> Option<Page> {
        // The first two are the header and its copy.
        let place = u64::from(number).checked_add(1)?;
        let start = place.checked_mul(u64::try_from(self.page_bytes).ok()?)?;
        let bytes = (self.read)(start, self.page_bytes)?;
        Page::new(bytes, number, self.page_bytes, self.is_large)
    }
}

/// A row of a table.
pub(crate) struct Row<'a> {
    table: &'a Table,
    record: Record<'a>,
}

impl<'a> Row<'a> {
    pub(crate) fn value(&self, name: &str) -> Value<'a> {
        let columns = &self.table.columns;
        let Some(place) = columns
            .iter()
            .position(|column| column.name == name.as_bytes())
        else {
            return Value::None;
        };
        let Some((column, before)) = columns.get(..=place).and_then(<[_]>::split_last) else {
            return Value::None;
        };
        let before = before.iter().map(|column| column.length);
        let start = before.fold(0, usize::saturating_add);
        self.record.value(column.id, start, column.length)
    }

    /// A number of up to eight bytes without a sign. `None`: it has none.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        let Value::Bytes(bytes) = self.value(name) else {
            return None;
        };
        let mut wide = [0; 8];
        wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(u64::from_le_bytes(wide))
    }
}

/// A row of the catalog, whose columns are always these.
struct Entry<'a> {
    table: u32,
    kind: u16,
    id: u32,
    /// The page of a table, the type of a column.
    number: u32,
    length: usize,
    name: &'a [u8],
}

impl<'a> Entry<'a> {
    const TABLE: u16 = 1;
    const COLUMN: u16 = 2;

    fn of(record: Record<'a>) -> Option<Self> {
        let fixed = |id, start, length| match record.value(id, start, length) {
            Value::Bytes(bytes) => Some(bytes),
            Value::None | Value::NotRead => None,
        };
        Some(Self {
            table: u32_at(fixed(1, 0, 4)?, 0)?,
            kind: u16_at(fixed(2, 4, 2)?, 0)?,
            id: u32_at(fixed(3, 6, 4)?, 0)?,
            number: u32_at(fixed(4, 10, 4)?, 0)?,
            length: usize::try_from(u32_at(fixed(5, 14, 4)?, 0)?).ok()?,
            name: fixed(128, 0, 0)?,
        })
    }
}

fn u16_at(bytes: &[u8], start: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(start..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], start: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(start..)?.first_chunk()?))
}

#[cfg(test)]
mod tests;
