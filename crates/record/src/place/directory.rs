//! The file system itself as a place: for imports, packing and tests.

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
        }
    }

    /// The same; `room` tells how much there is.
    pub fn with_room(root: &Path, room: impl Fn() -> io::Result<Space> + Send + 'static) -> Self {
        Self {
            root: root.to_owned(),
            room: Some(Box::new(room)),
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
}

fn refused(name: &str, why: &str) -> io::Error {
    let text = format!("{}: {why}", name.escape_debug());
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

impl Place for Directory {
    fn make_folder(&mut self, name: &str) -> io::Result<()> {
        let path = self.path(name)?;
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
        let path = self.path(name)?;
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let (from, to) = (self.path(from)?, self.path(to)?);
        match fs::symlink_metadata(&to) {
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::rename(from, to),
            Err(error) => Err(error),
        }
    }

    fn replace(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from)?, self.path(to)?)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name)?)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut waiting = vec![self.root.clone()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if entry.file_type()?.is_dir() {
                    waiting.push(entry.path());
                }
            }
            match File::open(&folder) {
                Ok(folder) => folder.sync_all()?,
                // A folder cannot be opened as a file on Windows, and needs no syncing there.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) => return Err(error),
            }
        }
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
