//! The folder of a case: not on this platform yet.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::folder::{Answer, FolderError, Request};

/// There is none to be had.
pub(crate) enum Process {}

impl Process {
    pub(crate) fn make(_parent: &Path, _name: &str, _path: &Path) -> Result<Self, FolderError> {
        Err(FolderError::Start(io::ErrorKind::Unsupported.into()))
    }

    pub(crate) fn keeps_permissions(&self) -> bool {
        match *self {}
    }

    pub(crate) fn whereabouts(&self) -> Option<Arc<Whereabouts>> {
        match *self {}
    }

    pub(crate) fn ask(&self, _request: Request<'_>) -> io::Result<Answer> {
        match *self {}
    }
}

/// There is none to be had.
#[derive(Debug)]
pub(crate) enum Whereabouts {}

impl Whereabouts {
    pub(crate) fn path(&self) -> io::Result<Option<PathBuf>> {
        match *self {}
    }
}
