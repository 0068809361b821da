//! The lists of all packages of one root folder: read once, and again when they have changed.

use model::{PackageManager, Untested};

use super::super::root::{Root, Version};
use super::{Listed, apk, dpkg, pacman, rpm};

/// What is read of other root folders is thrown away when there is more than this of it: 16 bytes each.
const MOST_PATHS: usize = 2_000_000;
const MOST_ROOTS: usize = 32;

/// The lists of several root folders.
#[derive(Debug, Default)]
pub(super) struct AllLists(Vec<Lists>);

/// Those of one.
#[derive(Debug)]
pub(super) struct Lists {
    root: (u32, u32, u64),
    is_own: bool,
    /// `None`: no such file.
    marks: Vec<Option<Version>>,
    /// Which reading it is, so that answers of an older one are known.
    pub(super) number: u64,
    dpkg: Option<dpkg::Lists>,
    pacman: Option<pacman::Lists>,
    apk: Option<apk::Lists>,
    rpm: Option<rpm::Lists>,
}

impl AllLists {
    /// Those of this root folder, as they were when they were last read.
    pub(super) fn known(&self, root: &Root) -> Option<&Lists> {
        self.0.iter().find(|lists| lists.root == root.identity())
    }

    pub(super) fn forget(&mut self, root: &Root) {
        self.0.retain(|lists| lists.root != root.identity());
    }

    /// Those of this root folder, as they are now.
    ///
    /// Errors: `OtherNamespace`: anybody may have written them.
    pub(super) fn of(&mut self, root: &Root) -> Result<&Lists, Untested> {
        let marks = marks(root)?;
        let known = self
            .0
            .iter()
            .position(|lists| lists.root == root.identity());
        let current = |lists: &Lists| lists.marks == marks;
        let lists = match known.map(|at| self.0.remove(at)) {
            Some(lists) if current(&lists) => lists,
            Some(old) => Lists::read(root, marks, old.number + 1)?,
            None => Lists::read(root, marks, 0)?,
        };
        // The one that was asked last stands last; ours stays.
        let others = self.0.iter().map(Lists::paths).sum::<usize>();
        if self.0.len() >= MOST_ROOTS || others.saturating_add(lists.paths()) > MOST_PATHS {
            self.0.retain(|lists| lists.is_own);
        }
        self.0.push(lists);
        self.0.last().ok_or(Untested::NoDatabase)
    }
}

impl Lists {
    fn read(root: &Root, marks: Vec<Option<Version>>, number: u64) -> Result<Self, Untested> {
        Ok(Self {
            root: root.identity(),
            is_own: root.is_own(),
            marks,
            number,
            dpkg: dpkg::Lists::read(root)?,
            pacman: pacman::Lists::read(root)?,
            apk: apk::Lists::read(root)?,
            rpm: rpm::Lists::read(root)?,
        })
    }

    fn paths(&self) -> usize {
        let dpkg = self.dpkg.as_ref().map_or(0, dpkg::Lists::paths);
        let pacman = self.pacman.as_ref().map_or(0, pacman::Lists::paths);
        let apk = self.apk.as_ref().map_or(0, apk::Lists::paths);
        dpkg + pacman + apk
    }

    /// Who may list a file that none of the others does, and why that is not known.
    pub(super) fn unread(&self, root: &Root) -> Option<(PackageManager, Untested)> {
        let rpm = self.rpm.as_ref()?;
        if !rpm.is_read() && self.paths() == 0 {
            return Some((PackageManager::Rpm, Untested::NoDatabase));
        }
        let is_working = rpm.is_read() && is_working(root, PackageManager::Rpm);
        is_working.then_some((PackageManager::Rpm, Untested::NotFinished))
    }

    /// Whether there is anything to ask.
    pub(super) fn is_empty(&self) -> bool {
        self.paths() == 0 && !self.rpm.as_ref().is_some_and(rpm::Lists::is_read)
    }

    /// What packages say of the file at a path, and who manages them.
    pub(super) fn listed(
        &self,
        root: &Root,
        path: &[u8],
    ) -> Result<Option<(PackageManager, Vec<Listed>)>, Untested> {
        if let Some(lists) = &self.dpkg {
            let listed = lists.listed(root, path)?;
            if !listed.is_empty() {
                return Ok(Some((PackageManager::Dpkg, listed)));
            }
        }
        if let Some(lists) = &self.pacman {
            let listed = lists.listed(root, path)?;
            if !listed.is_empty() {
                return Ok(Some((PackageManager::Pacman, listed)));
            }
        }
        if let Some(lists) = &self.apk {
            let listed = lists.listed(root, path)?;
            if !listed.is_empty() {
                return Ok(Some((PackageManager::Apk, listed)));
            }
        }
        if let Some(lists) = &self.rpm {
            let listed = lists.listed(root, path)?;
            if !listed.is_empty() {
                return Ok(Some((PackageManager::Rpm, listed)));
            }
        }
        Ok(None)
    }
}

/// Whether packages are being installed: then files are there before their lists are.
pub(super) fn is_working(root: &Root, manager: PackageManager) -> bool {
    let working = match manager {
        PackageManager::Dpkg => dpkg::Lists::is_working(root),
        PackageManager::Pacman => pacman::Lists::is_working(root),
        PackageManager::Apk => apk::Lists::is_working(root),
        PackageManager::Rpm => rpm::Lists::is_working(root),
        PackageManager::Snap
        | PackageManager::Flatpak
        | PackageManager::AppImage
        | PackageManager::Nix
        | PackageManager::Authenticode => Ok(false),
    };
    working.unwrap_or(false)
}

/// When the lists were last changed.
fn marks(root: &Root) -> Result<Vec<Option<Version>>, Untested> {
    let mut marks = Vec::new();
    let all = dpkg::MARKS.iter().chain(&pacman::MARKS).chain(&apk::MARKS);
    for path in all.chain(&rpm::MARKS) {
        let found = root.find(path)?;
        if let Some(found) = &found {
            // Whoever makes a root folder of his own, as any user may, writes its lists as well.
            if !root.is_own() && found.seen.stx_uid != 0 {
                return Err(Untested::OtherNamespace);
            }
        }
        marks.push(found.map(|found| Version::of(&found.seen)));
    }
    Ok(marks)
}
