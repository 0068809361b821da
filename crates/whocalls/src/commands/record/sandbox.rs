//! The folder of the case, in which a process of its own makes the files.

use std::fs::File;
use std::io;

use observe::folder::Folder;
use record::place::{Place, Space};

/// Joins what `observe` offers to what `record` needs.
pub(super) struct Sandboxed(pub(super) Folder);

impl Place for Sandboxed {
    fn make_folder(&mut self, name: &str) -> io::Result<()> {
        self.0.make_folder(name).map_err(explained)
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        self.0.create(name).map_err(explained)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to).map_err(explained)
    }

    fn replace(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.0.replace(from, to).map_err(explained)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.0.remove(name).map_err(explained)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync().map_err(explained)
    }

    fn space(&self) -> io::Result<Space> {
        let space = self.0.space().map_err(explained)?;
        Ok(Space {
            free_bytes: space.free_bytes,
            total_bytes: space.total_bytes,
        })
    }
}

/// A pipe that is closed is something else for whoever reads what we say.
fn explained(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        io::Error::other("the process that makes the files of a case has ended")
    } else {
        error
    }
}
