//! rpm: Fedora, openSUSE, Red Hat and what comes from them. Its database has indexes of its own, so that
//! nothing is read in advance.

use std::fs::File;
use std::os::unix::fs::FileExt;

use model::Untested;

use super::super::root::Root;
use super::Listed;
use super::merged::Merged;
use crate::parse::package_list::rpm::Header;
use crate::parse::sqlite::{Database, Tree, Value, columns};

/// One of them has it.
const DATABASES: [&[u8]; 2] = [
    b"/usr/lib/sysimage/rpm/rpmdb.sqlite",
    b"/var/lib/rpm/rpmdb.sqlite",
];
/// What is written and not yet in them.
const LOGS: [&[u8]; 2] = [
    b"/usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
    b"/var/lib/rpm/rpmdb.sqlite-wal",
];
/// Formats of former times, which are not read.
const OTHERS: [&[u8]; 4] = [
    b"/usr/lib/sysimage/rpm/Packages.db",
    b"/usr/lib/sysimage/rpm/Packages",
    b"/var/lib/rpm/Packages.db",
    b"/var/lib/rpm/Packages",
];
/// It has some thirty.
const MOST_TREES: usize = 200;
/// Files of one name.
const MOST_NAMES: usize = 2000;

pub(super) const MARKS: [&[u8]; 8] = [
    DATABASES[0],
    DATABASES[1],
    LOGS[0],
    LOGS[1],
    OTHERS[0],
    OTHERS[1],
    OTHERS[2],
    OTHERS[3],
];

#[derive(Debug)]
pub(super) struct Lists {
    /// `None`: it is there, and cannot be read.
    read: Option<Read>,
    merged: Merged,
}

#[derive(Debug)]
struct Read {
    path: &'static [u8],
    packages: Tree,
    names: Tree,
    index: Tree,
}

impl Lists {
    /// `None`: there are none.
    pub(super) fn read(root: &Root) -> Result<Option<Self>, Untested> {
        let merged = Merged::of(root)?;
        for path in DATABASES {
            if root
                .find(path)?
                .is_some_and(|found| found.seen.stx_size > 0)
            {
                let read = trees(root, path)?;
                return Ok(Some(Self { read, merged }));
            }
        }
        for path in OTHERS {
            if root
                .find(path)?
                .is_some_and(|found| found.seen.stx_size > 0)
            {
                return Ok(Some(Self { read: None, merged }));
            }
        }
        Ok(None)
    }

    /// Whether it can be asked.
    pub(super) fn is_read(&self) -> bool {
        self.read.is_some()
    }

    /// Whether packages are being installed: what is written lies in a log beside the database first.
    pub(super) fn is_working(root: &Root) -> Result<bool, Untested> {
        for path in LOGS {
            let log = root.find(path)?;
            if log.is_some_and(|log| log.seen.stx_size > 0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What packages say of the file at a path, which is one of the kernel's.
    pub(super) fn listed(&self, root: &Root, path: &[u8]) -> Result<Vec<Listed>, Untested> {
        let Some(read) = &self.read else {
            return Ok(Vec::new());
        };
        let Some(file) = open(root, read.path)? else {
            return Ok(Vec::new());
        };
        let read_at = |start, length| bytes(&file, start, length);
        let Some(database) = Database::open(&read_at) else {
            return Ok(Vec::new());
        };
        let name = path.split(|byte| *byte == b'/').next_back();
        let numbers = database.numbers(&read.index, name.unwrap_or_default(), MOST_NAMES);
        let mut packages: Vec<_> = numbers
            .into_iter()
            .filter_map(
                |number| match columns(&database.row(&read.names, number)?)[..] {
                    [Value::Bytes(_), Value::Integer(package), ..] => Some(package),
                    _ => None,
                },
            )
            .collect();
        packages.sort_unstable();
        packages.dedup();
        let before = self.merged.before(path);
        let mut found = Vec::new();
        for package in packages {
            let Some(row) = database.row(&read.packages, package) else {
                continue;
            };
            let [_, Value::Bytes(blob), ..] = columns(&row)[..] else {
                continue;
            };
            let Some(header) = Header::new(blob) else {
                continue;
            };
            let digest = header
                .file(path)
                .or_else(|| before.iter().find_map(|path| header.file(path)));
            found.extend(digest.map(|digest| Listed {
                name: header.name().to_vec(),
                version: header.version(),
                digest,
            }));
        }
        Ok(found)
    }
}

/// `None`: not what is known here.
fn trees(root: &Root, path: &'static [u8]) -> Result<Option<Read>, Untested> {
    let Some(file) = open(root, path)? else {
        return Ok(None);
    };
    let read_at = |start, length| bytes(&file, start, length);
    let trees = Database::open(&read_at).map(|database| database.trees(MOST_TREES));
    let trees = trees.unwrap_or_default();
    let find = |is_index: bool, table: &[u8]| {
        let mut same = trees
            .iter()
            .filter(|it| it.is_index == is_index && it.table == table);
        same.next().cloned()
    };
    let all = (
        find(false, b"Packages"),
        find(false, b"Basenames"),
        find(true, b"Basenames"),
    );
    let (Some(packages), Some(names), Some(index)) = all else {
        return Ok(None);
    };
    Ok(Some(Read {
        path,
        packages,
        names,
        index,
    }))
}

fn open(root: &Root, path: &[u8]) -> Result<Option<File>, Untested> {
    let found = root.find(path)?;
    found.map(|found| found.open()).transpose()
}

fn bytes(file: &File, start: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, start).ok()?;
    Some(bytes)
}
