//! The file system itself as a place: for imports, packing and tests.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Place, Space};

type Room = Box<dyn Fn() -> io::Result<Space> + Send>;

/// A folder that files are made in directly. Who may read them is the matter of whoever made the
/// folder: nothing here changes permissions.
pub struct Directory {
    root: PathBuf,
    room: Option<Room>,
    /// Folders in which names have changed since the last sync.
    unsynced: BTreeSet<PathBuf>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Directory")
            .field(&self.root)
            .finish()
    }
}

impl Directory {
    /// A folder that is there. How much room there is, is not known: [`Place::space`] tells of no
    /// end.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            room: None,
            unsynced: BTreeSet::new(),
        }
    }

    /// The same; `room` tells how much there is.
    pub fn with_room(root: &Path, room: impl Fn() -> io::Result<Space> + Send + 'static) -> Self {
        Self {
            room: Some(Box::new(room)),
            ..Self::new(root)
        }
    }

    /// Where this name is, when no part of the way to it is a link or leads out.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let mut path = self.root.clone();
        let mut parts = name.split('/').peekable();
        while let Some(part) = parts.next() {
            if matches!(part, "" | "." | "..") || part.contains(['\\', ':', '\0']) {
                return Err(refused(name, "the name leads out of the folder"));
            }
            path.push(part);
            if parts.peek().is_some() && !fs::symlink_metadata(&path)?.is_dir() {
                return Err(refused(name, "a part of the way to it is no folder"));
            }
        }
        Ok(path)
    }

    /// The same, of a name that is about to change.
    fn changed(&mut self, name: &str) -> io::Result<PathBuf> {
        let path = self.path(name)?;
        self.unsynced.extend(path.parent().map(Path::to_owned));
        Ok(path)
    }
}

fn refused(name: &str, why: &str) -> io::Error {
    let text = format!("{}: {why}", name.escape_debug());
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

impl Place for Directory {
    fn make_folder(&mut self, name: &str) -> io::Result<()> {
        let path = self.changed(name)?;
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match fs::symlink_metadata(&path)?.is_dir() {
                    true => Ok(()),
                    false => Err(error),
                }
            }
            made => made,
        }
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        // Exclusive making follows no link (open(2), O_EXCL).
        let path = self.changed(name)?;
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    fn append(&mut self, name: &str) -> io::Result<File> {
        let path = self.path(name)?;
        match fs::symlink_metadata(&path)?.is_file() {
            true => OpenOptions::new().append(true).open(path),
            false => Err(refused(name, "it is no file")),
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.changed(from)?, self.changed(to)?);
        match fs::symlink_metadata(&to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
            Err(error) => Err(error),
        }
    }

    fn replace(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.changed(from)?, self.changed(to)?)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        fs::remove_file(self.changed(name)?)
    }

    fn sync(&mut self) -> io::Result<()> {
        for folder in &self.unsynced {
            match File::open(folder) {
                Ok(folder) => folder.sync_all()?,
                // A folder cannot be opened as a file on Windows, and needs no syncing there.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) => return Err(error),
            }
        }
        self.unsynced.clear();
        Ok(())
    }

    fn space(&self) -> io::Result<Space> {
        let endless = Space {
            free_bytes: u64::MAX,
            total_bytes: 0,
        };
        self.room.as_ref().map_or(Ok(endless), |room| room())
    }
}
