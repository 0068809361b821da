//! Folders of programs that are links to others today (`/bin` to `/usr/bin`), while lists of packages
//! still have the old name.

use model::Untested;
use rustix::fs::FileType;

use super::super::root::Root;

const FOLDERS: [&[u8]; 10] = [
    b"/bin",
    b"/sbin",
    b"/lib",
    b"/lib32",
    b"/lib64",
    b"/libo32",
    b"/libx32",
    b"/usr/sbin",
    b"/usr/lib64",
    b"/var/run",
];

/// The old and the new name of each, with a `/` behind.
#[derive(Debug, Default)]
pub(super) struct Merged(Vec<(Vec<u8>, Vec<u8>)>);

impl Merged {
    pub(super) fn of(root: &Root) -> Result<Self, Untested> {
        let mut merged = Vec::new();
        for folder in FOLDERS {
            let Some(found) = root.find(folder)? else {
                continue;
            };
            let is_folder = FileType::from_raw_mode(found.seen.stx_mode.into()).is_dir();
            if is_folder && found.path != folder {
                merged.push(([folder, b"/"].concat(), [&found.path[..], b"/"].concat()));
            }
        }
        Ok(Self(merged))
    }

    /// The path as the kernel shows it.
    pub(super) fn today(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.0.iter().find_map(|(old, new)| {
            let rest = path.strip_prefix(old.as_slice())?;
            Some([new, rest].concat())
        })
    }

    /// The names that it may have had before, in lists.
    pub(super) fn before(&self, path: &[u8]) -> Vec<Vec<u8>> {
        let names = self.0.iter().filter_map(|(old, new)| {
            let rest = path.strip_prefix(new.as_slice())?;
            Some([old, rest].concat())
        });
        names.collect()
    }
}
