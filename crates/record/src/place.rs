//! Where the files of a case go. While watching it is a process of its own that makes them
//! (`observe::folder`); else the file system itself.

mod directory;

use std::fs::File;
use std::io;

pub use directory::Directory;

/// A folder that files are made in. Names are relative, with `/` between folder and file; none ever
/// leads out of it, and no link is followed.
pub trait Place: Send {
    /// Makes a folder in it; one that is there already will do.
    ///
    /// Errors: of the file system.
    fn make_folder(&mut self, name: &str) -> io::Result<()>;

    /// Makes a file that is not there yet, for writing.
    ///
    /// Errors: it is there already (`AlreadyExists`), or of the file system.
    fn create(&mut self, name: &str) -> io::Result<File>;

    /// Opens a file that is there, to write behind its end.
    ///
    /// Errors: there is none, this place cannot (`Unsupported`), or of the file system.
    fn append(&mut self, name: &str) -> io::Result<File> {
        let _ = name;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Gives a file its last name, which none has yet.
    ///
    /// Errors: as [`Place::create`].
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// The same, in place of the file that has the name.
    ///
    /// Errors: of the file system.
    fn replace(&mut self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    ///
    /// Errors: of the file system.
    fn remove(&mut self, name: &str) -> io::Result<()>;

    /// Makes sure that names made since are on the disk.
    ///
    /// Errors: of the file system.
    fn sync(&mut self) -> io::Result<()>;

    /// How much room there is.
    ///
    /// Errors: of the file system.
    fn space(&self) -> io::Result<Space>;
}

/// Room on a file system, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    pub free_bytes: u64,
    pub total_bytes: u64,
}
