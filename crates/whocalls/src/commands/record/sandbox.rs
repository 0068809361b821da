//! The folder of the case, in which a process of its own makes the files.

use std::fs::File;
use std::io;

use observe::folder::Folder;
use record::place::{Place, Space};

/// Joins what `observe` offers to what `record` needs.
pub(super) struct Sandboxed(pub(super) Folder);

impl Place for Sandboxed {
    fn make_folder(&mut self, name: &str) -> io::Result<()> {
        self.0.make_folder(name)
    }

    fn create(&mut self, name: &str) -> io::Result<File> {
        self.0.create(name)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn replace(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.0.replace(from, to)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }

    fn space(&self) -> io::Result<Space> {
        let space = self.0.space()?;
        Ok(Space {
            free_bytes: space.free_bytes,
            total_bytes: space.total_bytes,
        })
    }
}
