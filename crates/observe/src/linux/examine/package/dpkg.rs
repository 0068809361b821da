//! dpkg: Debian and all that comes from it.

use std::collections::HashMap;

use model::Untested;

use super::super::root::{Found, Root};
use super::Listed;
use super::merged::Merged;
use super::names::Names;
use crate::parse::package_list::Digest;
use crate::parse::package_list::dpkg::{diversions, installed, paths, sums};

const INFO: &[u8] = b"/var/lib/dpkg/info";
const STATUS: &[u8] = b"/var/lib/dpkg/status";
/// Images without dpkg have a part of the lists (Google's distroless).
const PARTS: &[u8] = b"/var/lib/dpkg/status.d";
/// One of the largest lists, that of the sources of a kernel, has 12 MB.
const MOST_LIST_BYTES: u64 = 32 * 1024 * 1024;
const MOST_STATUS_BYTES: u64 = 64 * 1024 * 1024;
/// All lists together: a container may have what it likes in their place.
const MOST_BYTES: usize = 512 * 1024 * 1024;
/// Some five files for each package.
const MOST_FILES: usize = 500_000;
/// So many paths are kept; a computer with all of a distribution has fewer.
const MOST_PATHS: usize = 4_000_000;

/// Files that say by their own times whether the lists have changed.
pub(super) const MARKS: [&[u8]; 4] = [STATUS, INFO, b"/var/lib/dpkg/diversions", PARTS];

#[derive(Debug)]
pub(super) struct Lists {
    names: Names,
    packages: Vec<Package>,
    merged: Merged,
    diverted: Vec<Diverted>,
}

#[derive(Debug)]
struct Package {
    /// Of its lists: `NAME` or `NAME:ARCHITECTURE`.
    name: Box<[u8]>,
    version: Box<[u8]>,
    is_part: bool,
}

#[derive(Debug)]
struct Diverted {
    from: Vec<u8>,
    to: Vec<u8>,
    by: Vec<u8>,
}

impl Lists {
    /// `None`: there are none.
    pub(super) fn read(root: &Root) -> Result<Option<Self>, Untested> {
        let mut lists = Self {
            names: Names::default(),
            packages: Vec::new(),
            merged: Merged::of(root)?,
            diverted: Vec::new(),
        };
        lists.read_info(root)?;
        lists.read_parts(root)?;
        if lists.packages.is_empty() {
            return Ok(None);
        }
        let file = root.read(b"/var/lib/dpkg/diversions", MOST_LIST_BYTES)?;
        lists.diverted = diversions(&file.unwrap_or_default())
            .into_iter()
            .map(|it| Diverted {
                from: lists.merged.today(it.from).unwrap_or(it.from.to_vec()),
                to: lists.merged.today(it.to).unwrap_or(it.to.to_vec()),
                by: it.by.to_vec(),
            })
            .collect();
        lists.names.done();
        Ok(Some(lists))
    }

    fn read_info(&mut self, root: &Root) -> Result<(), Untested> {
        let Some((folder, files)) = root.list(INFO, MOST_FILES)? else {
            return Ok(());
        };
        let status = root.read(STATUS, MOST_STATUS_BYTES)?.unwrap_or_default();
        let mut versions = HashMap::new();
        for package in installed(&status) {
            let full = [package.name, b":", package.architecture].concat();
            versions.insert(full, package.version);
            versions.insert(package.name.to_vec(), package.version);
        }
        let mut bytes = 0_usize;
        for file in files {
            let Some(name) = file.strip_suffix(b".list") else {
                continue;
            };
            let list = root.find_in(&folder, &file)?;
            let list = list.map(|list| list.read(MOST_LIST_BYTES)).transpose()?;
            bytes = bytes.saturating_add(list.as_ref().map_or(0, Vec::len));
            if bytes > MOST_BYTES {
                return Err(Untested::TooLarge);
            }
            self.add(
                Package {
                    name: name.into(),
                    version: versions.get(name).copied().unwrap_or_default().into(),
                    is_part: false,
                },
                paths(&list.unwrap_or_default()),
            );
        }
        Ok(())
    }

    fn read_parts(&mut self, root: &Root) -> Result<(), Untested> {
        let Some((folder, files)) = root.list(PARTS, MOST_FILES)? else {
            return Ok(());
        };
        for file in files {
            let Some(name) = file.strip_suffix(b".md5sums") else {
                continue;
            };
            let of = |name: &[u8]| -> Result<Vec<u8>, Untested> {
                let found = root.find_in(&folder, name)?;
                let read = found.map(|found| found.read(MOST_LIST_BYTES)).transpose()?;
                Ok(read.unwrap_or_default())
            };
            let (status, list) = (of(name)?, of(&file)?);
            let package = installed(&status).first().copied();
            let paths: Vec<_> = sums(&list).map(|(path, _)| [b"/", path].concat()).collect();
            self.add(
                Package {
                    name: name.into(),
                    version: package.map(|it| it.version).unwrap_or_default().into(),
                    is_part: true,
                },
                paths.iter().map(Vec::as_slice),
            );
        }
        Ok(())
    }

    fn add<'a>(&mut self, package: Package, paths: impl Iterator<Item = &'a [u8]>) {
        let number = self.packages.len();
        let left = MOST_PATHS.saturating_sub(self.names.len());
        for path in paths.take(left) {
            match self.merged.today(path) {
                Some(path) => self.names.add(&path, number),
                None => self.names.add(path, number),
            }
        }
        self.packages.push(package);
    }

    pub(super) fn paths(&self) -> usize {
        self.names.len()
    }

    /// Whether packages are being installed: then files are there before their lists.
    pub(super) fn is_working(root: &Root) -> Result<bool, Untested> {
        if root.find(b"/var/lib/dpkg/tmp.ci")?.is_some() {
            return Ok(true);
        }
        let updates = root.list(b"/var/lib/dpkg/updates", MOST_FILES)?;
        Ok(updates.is_some_and(|(_, files)| !files.is_empty()))
    }

    /// What packages say of the file at a path, which is one of the kernel's.
    pub(super) fn listed(&self, root: &Root, path: &[u8]) -> Result<Vec<Listed>, Untested> {
        // Who stands at the path, and under which name it is listed.
        let (mut named, mut only, mut but) = (path, None, None);
        for diverted in &self.diverted {
            if diverted.to == path {
                (named, only, but) = (&diverted.from, None, Some(diverted.by.as_slice()));
                break;
            }
            if diverted.from == path {
                (named, only, but) = (path, Some(diverted.by.as_slice()), None);
                break;
            }
        }
        let mut found = Vec::new();
        for number in self.names.packages(named) {
            let Some(package) = self.packages.get(number) else {
                continue;
            };
            let name = package.plain_name();
            if only.is_some_and(|only| only != name) || but.is_some_and(|but| but == name) {
                continue;
            }
            found.extend(self.listed_by(root, package, named)?);
        }
        Ok(found)
    }

    /// `None`: not listed after all.
    fn listed_by(
        &self,
        root: &Root,
        package: &Package,
        path: &[u8],
    ) -> Result<Option<Listed>, Untested> {
        let folder = if package.is_part { PARTS } else { INFO };
        let Some(folder) = root.find(folder)? else {
            return Ok(None);
        };
        let read = |ending: &[u8]| -> Result<Vec<u8>, Untested> {
            let found = self.file(root, &folder, package, ending)?;
            Ok(found.unwrap_or_default())
        };
        let is = |listed: &[u8]| {
            listed == path
                || self
                    .merged
                    .today(listed)
                    .is_some_and(|listed| listed == path)
        };
        let sum = read(b".md5sums")?;
        let mut sum = sums(&sum).filter(|(listed, _)| is(&[b"/", *listed].concat()));
        let digest = sum.next().map(|(_, digest): (_, Digest)| digest);
        let is_listed = digest.is_some() || (!package.is_part && paths(&read(b".list")?).any(is));
        Ok(is_listed.then(|| Listed {
            name: package.plain_name().into(),
            version: package.version.to_vec(),
            digest,
        }))
    }

    fn file(
        &self,
        root: &Root,
        folder: &Found,
        package: &Package,
        ending: &[u8],
    ) -> Result<Option<Vec<u8>>, Untested> {
        let found = root.find_in(folder, &[&package.name, ending].concat())?;
        found.map(|found| found.read(MOST_LIST_BYTES)).transpose()
    }
}

impl Package {
    fn plain_name(&self) -> &[u8] {
        let name = self.name.split(|byte| *byte == b':').next();
        name.unwrap_or_default()
    }
}
