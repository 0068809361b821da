//! pacman: Arch Linux and what comes from it.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use model::Untested;

use super::super::root::Root;
use super::Listed;
use super::merged::Merged;
use super::names::Names;
use crate::parse::package_list::pacman::{digest, name_and_version, paths};

const LOCAL: &[u8] = b"/var/lib/pacman/local";
const MOST_PACKAGES: usize = 100_000;
const MOST_LIST_BYTES: u64 = 32 * 1024 * 1024;
/// All lists together.
const MOST_BYTES: usize = 512 * 1024 * 1024;
/// Unpacked; the largest of a distribution has some 20 MB.
const MOST_MTREE_BYTES: u64 = 128 * 1024 * 1024;
const MOST_PATHS: usize = 4_000_000;

/// Each package has a folder of its own, of another name with another version.
pub(super) const MARKS: [&[u8]; 1] = [LOCAL];

#[derive(Debug)]
pub(super) struct Lists {
    names: Names,
    /// Names of folders.
    packages: Vec<Box<[u8]>>,
    merged: Merged,
}

impl Lists {
    /// `None`: there are none.
    pub(super) fn read(root: &Root) -> Result<Option<Self>, Untested> {
        let Some((folder, packages)) = root.list(LOCAL, MOST_PACKAGES)? else {
            return Ok(None);
        };
        let mut lists = Self {
            names: Names::default(),
            packages: Vec::new(),
            merged: Merged::of(root)?,
        };
        let mut bytes = 0_usize;
        for package in packages {
            if name_and_version(&package).is_none() {
                continue;
            }
            let Some(own) = root.find_in(&folder, &package)? else {
                continue;
            };
            let Some(files) = root.find_in(&own, b"files")? else {
                continue;
            };
            let files = files.read(MOST_LIST_BYTES)?;
            bytes = bytes.saturating_add(files.len());
            if bytes > MOST_BYTES {
                return Err(Untested::TooLarge);
            }
            let number = lists.packages.len();
            let left = MOST_PATHS.saturating_sub(lists.names.len());
            for path in paths(&files).take(left) {
                let path = [b"/", path].concat();
                let today = lists.merged.today(&path);
                lists.names.add(today.as_ref().unwrap_or(&path), number);
            }
            lists.packages.push(package.into());
        }
        lists.names.done();
        Ok((!lists.packages.is_empty()).then_some(lists))
    }

    pub(super) fn paths(&self) -> usize {
        self.names.len()
    }

    /// Whether packages are being installed.
    pub(super) fn is_working(root: &Root) -> Result<bool, Untested> {
        Ok(root.find(b"/var/lib/pacman/db.lck")?.is_some())
    }

    /// What packages say of the file at a path, which is one of the kernel's.
    pub(super) fn listed(&self, root: &Root, path: &[u8]) -> Result<Vec<Listed>, Untested> {
        let mut found = Vec::new();
        for number in self.names.packages(path) {
            let Some(folder) = self.packages.get(number) else {
                continue;
            };
            let Some((name, version)) = name_and_version(folder) else {
                continue;
            };
            let read =
                |file: &[u8]| root.read(&[LOCAL, b"/", folder, file].concat(), MOST_LIST_BYTES);
            let files = read(b"/files")?.unwrap_or_default();
            let named = paths(&files).find(|listed| {
                let listed = [b"/", *listed].concat();
                listed == path || self.merged.today(&listed).is_some_and(|it| it == path)
            });
            let Some(named) = named else { continue };
            let mtree = read(b"/mtree")?.map(|packed| unpacked(&packed));
            found.push(Listed {
                name: name.to_vec(),
                version: version.to_vec(),
                digest: mtree.and_then(|mtree| digest(&mtree, named)),
            });
        }
        Ok(found)
    }
}

/// As far as it can be unpacked.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before an error is still right, line by line.
    let _ = MultiGzDecoder::new(packed)
        .take(MOST_MTREE_BYTES)
        .read_to_end(&mut bytes);
    bytes
}
