//! A little of the format of SQLite 3 (sqlite.org/fileformat2.html): looking for single rows of a file
//! that is at rest, by number and by an index. Nothing is written, and what lies in a log beside the file
//! is not seen.

use std::cell::Cell;

use super::cursor::Cursor;

/// A tree of more levels has no file; hostile ones lead in circles.
const DEEPEST: usize = 24;
/// All that is read of one file: some searches need a hundred.
const MOST_READS: u32 = 50_000;
/// Largest row that is read: that of a package with 100,000 files has 20 MB.
const MOST_ROW_BYTES: usize = 64 * 1024 * 1024;
/// Largest key, and largest row about a table.
const MOST_KEY_BYTES: usize = 64 * 1024;
const MOST_COLUMNS: usize = 64;

/// A file, of which pieces are read: where, and how many bytes.
pub(crate) struct Database<'a> {
    read: &'a dyn Fn(u64, usize) -> Option<Vec<u8>>,
    page: usize,
    /// What of a page is used.
    usable: usize,
    /// How often it may still be read.
    reads: Cell<u32>,
}

/// A table or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) is_index: bool,
    pub(crate) name: Vec<u8>,
    /// The table that it belongs to.
    pub(crate) table: Vec<u8>,
    /// Where it begins.
    root: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Integer(i64),
    /// A text or any other bytes.
    Bytes(&'a [u8]),
    /// Nothing, or a fraction.
    Other,
}

/// One page of a tree, taken apart.
struct Page {
    bytes: Vec<u8>,
    kind: u8,
    /// Where its cells begin.
    cells: Vec<usize>,
    /// Behind all cells, where it is not a leaf.
    last: u32,
}

/// Kinds of pages.
const INDEX_INNER: u8 = 2;
const TABLE_INNER: u8 = 5;
const INDEX_LEAF: u8 = 10;
const TABLE_LEAF: u8 = 13;

impl<'a> Database<'a> {
    /// `None`: it is none.
    pub(crate) fn open(read: &'a dyn Fn(u64, usize) -> Option<Vec<u8>>) -> Option<Self> {
        let head = read(0, 100)?;
        if !head.starts_with(b"SQLite format 3\0") {
            return None;
        }
        let page = match u16::from_be_bytes(*head.get(16..)?.first_chunk()?) {
            1 => 65536,
            page => usize::from(page),
        };
        let usable = page.checked_sub(usize::from(*head.get(20)?))?;
        (page >= 512 && page.is_power_of_two() && usable >= 480).then_some(Self {
            read,
            page,
            usable,
            reads: Cell::new(MOST_READS),
        })
    }

    /// All tables and indexes, at most so many.
    pub(crate) fn trees(&self, most: usize) -> Vec<Tree> {
        let mut found = Vec::new();
        self.all_rows(1, DEEPEST, &mut |row| {
            if let [
                Value::Bytes(kind),
                Value::Bytes(name),
                Value::Bytes(table),
                Value::Integer(root),
                ..,
            ] = columns(row)[..]
                && let Ok(root) = u32::try_from(root)
                && (kind == b"table" || kind == b"index")
            {
                found.push(Tree {
                    is_index: kind == b"index",
                    name: name.to_vec(),
                    table: table.to_vec(),
                    root,
                });
            }
            found.len() < most
        });
        found
    }

    /// The row of a table with that number.
    pub(crate) fn row(&self, table: &Tree, number: i64) -> Option<Vec<u8>> {
        let mut at = table.root;
        for _ in 0..DEEPEST {
            let page = self.page(at)?;
            at = match page.kind {
                TABLE_INNER => {
                    let mut next = page.last;
                    for cell in &page.cells {
                        let cell = page.bytes.get(*cell..)?;
                        let (left, rest) = cell.split_first_chunk()?;
                        let (key, _) = varint(rest)?;
                        if number <= key {
                            next = u32::from_be_bytes(*left);
                            break;
                        }
                    }
                    next
                }
                TABLE_LEAF => {
                    let found = page.cells.iter().find_map(|cell| {
                        let cell = page.bytes.get(*cell..)?;
                        let (length, rest) = varint(cell)?;
                        let (key, rest) = varint(rest)?;
                        (key == number).then_some((length, rest))
                    });
                    let (length, rest) = found?;
                    return self.payload(length, rest, false, MOST_ROW_BYTES);
                }
                _ => return None,
            };
        }
        None
    }

    /// The numbers of the rows with this value in the first column of an index, at most so many.
    pub(crate) fn numbers(&self, index: &Tree, wanted: &[u8], most: usize) -> Vec<i64> {
        let mut found = Vec::new();
        self.search(index.root, wanted, DEEPEST, &mut found);
        found.truncate(most);
        found
    }

    /// Adds what is found from this page on. `None`: nothing can come behind it.
    fn search(&self, at: u32, wanted: &[u8], deep: usize, found: &mut Vec<i64>) -> Option<()> {
        let deep = deep.checked_sub(1)?;
        let page = self.page(at)?;
        let is_inner = page.kind == INDEX_INNER;
        if !is_inner && page.kind != INDEX_LEAF {
            return None;
        }
        for cell in &page.cells {
            let mut cell = page.bytes.get(*cell..)?;
            let mut child = 0;
            if is_inner {
                let (before, rest) = cell.split_first_chunk()?;
                child = u32::from_be_bytes(*before);
                cell = rest;
            }
            let (length, rest) = varint(cell)?;
            let key = self.payload(length, rest, true, MOST_KEY_BYTES)?;
            let [Value::Bytes(text), .., Value::Integer(number)] = columns(&key)[..] else {
                return None;
            };
            if text < wanted {
                continue;
            }
            if is_inner {
                self.search(child, wanted, deep, found)?;
            }
            if text > wanted {
                return None;
            }
            found.push(number);
        }
        if is_inner {
            self.search(page.last, wanted, deep, found)?;
        }
        Some(())
    }

    /// Gives each row of a table to `take`, as long as that wants more.
    fn all_rows(&self, at: u32, deep: usize, take: &mut dyn FnMut(&[u8]) -> bool) -> Option<()> {
        let deep = deep.checked_sub(1)?;
        let page = self.page(at)?;
        for cell in &page.cells {
            let cell = page.bytes.get(*cell..)?;
            if page.kind == TABLE_INNER {
                let (child, _) = cell.split_first_chunk()?;
                self.all_rows(u32::from_be_bytes(*child), deep, take)?;
            } else {
                let (length, rest) = varint(cell)?;
                let (_, rest) = varint(rest)?;
                take(&self.payload(length, rest, false, MOST_KEY_BYTES)?).then_some(())?;
            }
        }
        if page.kind == TABLE_INNER {
            self.all_rows(page.last, deep, take)?;
        }
        Some(())
    }

    fn read(&self, start: u64, length: usize) -> Option<Vec<u8>> {
        self.reads.set(self.reads.get().checked_sub(1)?);
        (self.read)(start, length)
    }

    fn page(&self, number: u32) -> Option<Page> {
        let before = u64::from(number.checked_sub(1)?);
        let start = before.checked_mul(u64::try_from(self.page).ok()?)?;
        let bytes = self.read(start, self.page)?;
        // The first page has the head of the file before its own.
        let head = if number == 1 { 100 } else { 0 };
        let kind = *bytes.get(head)?;
        let count = u16::from_be_bytes(*bytes.get(head + 3..)?.first_chunk()?);
        let is_inner = kind == TABLE_INNER || kind == INDEX_INNER;
        let last = if is_inner {
            Cursor::new(bytes.get(head + 8..)?).u32()?
        } else {
            0
        };
        let places = bytes.get(head + if is_inner { 12 } else { 8 }..)?;
        let places = places.chunks_exact(2).take(usize::from(count));
        let cells = places.map(|place| match *place {
            [high, low] => usize::from(u16::from_be_bytes([high, low])),
            _ => 0,
        });
        Some(Page {
            cells: cells.collect(),
            kind,
            last,
            bytes,
        })
    }

    /// What belongs to a cell: some of it may lie on pages of its own.
    fn payload(&self, length: i64, cell: &[u8], of_index: bool, longest: usize) -> Option<Vec<u8>> {
        let length = usize::try_from(length).ok()?;
        if length > longest {
            return None;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let most = match of_index {
            true => (self.usable - 12) * 64 / 255 - 23,
            false => self.usable - 35,
        };
        if length <= most {
            return Some(cell.get(..length)?.to_vec());
        }
        let here = least + (length - least) % (self.usable - 4);
        let here = if here <= most { here } else { least };
        let (here, rest) = cell.split_at_checked(here)?;
        let mut bytes = here.to_vec();
        let mut next = Cursor::new(rest).u32()?;
        while bytes.len() < length {
            let before = u64::from(next.checked_sub(1)?);
            let start = before.checked_mul(u64::try_from(self.page).ok()?)?;
            let page = self.read(start, self.usable)?;
            let (behind, piece) = page.split_first_chunk()?;
            next = u32::from_be_bytes(*behind);
            let wanted = length - bytes.len();
            bytes.extend(piece.get(..wanted.min(piece.len()))?);
        }
        Some(bytes)
    }
}

/// The columns of a row.
pub(crate) fn columns(row: &[u8]) -> Vec<Value<'_>> {
    taken_apart(row).unwrap_or_default()
}

fn taken_apart(row: &[u8]) -> Option<Vec<Value<'_>>> {
    let (head, rest) = varint(row)?;
    let before = row.len() - rest.len();
    let (mut kinds, mut rest) = row.split_at_checked(usize::try_from(head).ok()?)?;
    kinds = kinds.get(before..)?;
    let mut values = Vec::new();
    while !kinds.is_empty() && values.len() < MOST_COLUMNS {
        let (kind, behind) = varint(kinds)?;
        kinds = behind;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let (bytes, behind) = rest.split_at_checked(length)?;
        rest = behind;
        values.push(match kind {
            1..=6 => Value::Integer(integer(bytes)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            12.. => Value::Bytes(bytes),
            _ => Value::Other,
        });
    }
    Some(values)
}

/// Up to 8 bytes with a sign, the highest first.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    let add = |value: i64, byte: &u8| value << 8 | i64::from(*byte);
    bytes.iter().fold(start, add)
}

/// A number of up to 9 bytes, and what is behind it.
fn varint(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut value = 0_i64;
    for at in 0..8 {
        let byte = *bytes.get(at)?;
        value = value << 7 | i64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at + 1..)?));
        }
    }
    let byte = *bytes.get(8)?;
    Some((value << 8 | i64::from(byte), bytes.get(9..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Made by sqlite3 3.40 with pages of 512 bytes: 400 rows with a name for each
    /// two numbers in a table `names` with an index, and one long row.
    const FILE: &[u8] = include_bytes!("../../tests/data/names.sqlite");

    fn over<T>(bytes: &[u8], look: impl FnOnce(Option<Database<'_>>) -> T) -> T {
        let read = |start: u64, length: usize| {
            let start = usize::try_from(start).ok()?;
            let end = start.checked_add(length)?;
            Some(bytes.get(start..end)?.to_vec())
        };
        look(Database::open(&read))
    }

    #[test]
    fn finds_rows_by_number_and_by_index() {
        over(FILE, |database| {
            let database = database.unwrap();
            let trees = database.trees(10);
            let names: Vec<_> = trees.iter().map(|tree| tree.name.as_slice()).collect();
            assert_eq!(names, [&b"names"[..], b"names_name"]);
            let [table, index] = &trees[..] else { panic!() };
            assert!(index.is_index && index.table == b"names");
            for wanted in [1_i64, 17, 398, 400] {
                let row = database.row(table, wanted).unwrap();
                let name = format!("n{}", wanted / 2);
                let expected = [Value::Bytes(name.as_bytes()), Value::Integer(wanted)];
                assert_eq!(columns(&row), expected);
                let mut numbers = database.numbers(index, name.as_bytes(), 10);
                numbers.sort_unstable();
                assert!(
                    numbers.contains(&wanted) && numbers.len() <= 2,
                    "{numbers:?}"
                );
            }
            assert!(database.numbers(index, b"n", 10).is_empty());
            assert!(database.numbers(index, b"zzz", 10).is_empty());
            assert_eq!(database.row(table, 5000), None);
            // Over several pages.
            let long = "x".repeat(3000);
            let row = database.row(table, 401).unwrap();
            assert_eq!(columns(&row)[0], Value::Bytes(long.as_bytes()));
            assert_eq!(database.numbers(index, long.as_bytes(), 10), [401]);
        });
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(varint(&[0x81, 0x00, 7]), Some((128, &[7][..])));
        assert_eq!(varint(&[0xff; 9]), Some((-1, &[][..])));
        assert_eq!(varint(&[0x80]), None);
        assert_eq!(integer(&[0xff, 0xfe]), -2);
        assert_eq!(integer(&[0x01, 0x00]), 256);
    }

    proptest! {
        #[test]
        fn never_panics(changes: Vec<(u16, u8)>, wanted: Vec<u8>, number: i64) {
            let mut bytes = FILE.to_vec();
            for (at, byte) in changes {
                if let Some(place) = bytes.get_mut(usize::from(at)) {
                    *place = byte;
                }
            }
            over(&bytes, |database| {
                for tree in database.iter().flat_map(|database| database.trees(10)) {
                    let database = database.as_ref().unwrap();
                    database.row(&tree, number);
                    prop_assert!(database.numbers(&tree, &wanted, 3).len() <= 3);
                }
                Ok(())
            })?;
        }

        #[test]
        fn never_panics_on_a_row(row: Vec<u8>) {
            prop_assert!(columns(&row).len() <= MOST_COLUMNS);
        }
    }
}
