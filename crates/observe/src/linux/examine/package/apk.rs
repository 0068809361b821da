//! apk: Alpine Linux and many containers.

use model::Untested;

use super::super::root::Root;
use super::Listed;
use super::merged::Merged;
use super::names::Names;
use crate::parse::package_list::apk::listed;

/// One of the two has it.
const INSTALLED: [&[u8]; 2] = [b"/lib/apk/db/installed", b"/usr/lib/apk/db/installed"];
const MOST_BYTES: u64 = 128 * 1024 * 1024;
const MOST_PATHS: usize = 4_000_000;

pub(super) const MARKS: [&[u8]; 2] = INSTALLED;

#[derive(Debug)]
pub(super) struct Lists {
    names: Names,
    merged: Merged,
}

impl Lists {
    /// `None`: there are none.
    pub(super) fn read(root: &Root) -> Result<Option<Self>, Untested> {
        let Some(file) = read(root)? else {
            return Ok(None);
        };
        let mut lists = Self {
            names: Names::default(),
            merged: Merged::of(root)?,
        };
        for file in listed(&file).take(MOST_PATHS) {
            let path = path(file.folder, file.name);
            let today = lists.merged.today(&path);
            let number = usize::try_from(file.number).unwrap_or(usize::MAX);
            lists.names.add(today.as_ref().unwrap_or(&path), number);
        }
        lists.names.done();
        Ok((lists.names.len() > 0).then_some(lists))
    }

    pub(super) fn paths(&self) -> usize {
        self.names.len()
    }

    /// Whether packages are being installed: nothing says so but a file that stays.
    pub(super) fn is_working(_: &Root) -> Result<bool, Untested> {
        Ok(false)
    }

    /// What packages say of the file at a path, which is one of the kernel's.
    pub(super) fn listed(&self, root: &Root, wanted: &[u8]) -> Result<Vec<Listed>, Untested> {
        if self.names.packages(wanted).next().is_none() {
            return Ok(Vec::new());
        }
        let file = read(root)?.unwrap_or_default();
        let found = listed(&file).filter(|file| {
            let path = path(file.folder, file.name);
            path == wanted || self.merged.today(&path).is_some_and(|path| path == wanted)
        });
        let found = found.map(|file| Listed {
            name: file.package.to_vec(),
            version: file.version.to_vec(),
            digest: file.digest,
        });
        Ok(found.collect())
    }
}

fn read(root: &Root) -> Result<Option<Vec<u8>>, Untested> {
    for path in INSTALLED {
        if let Some(file) = root.read(path, MOST_BYTES)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

fn path(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() {
        return [b"/", name].concat();
    }
    [b"/", folder, b"/", name].concat()
}
