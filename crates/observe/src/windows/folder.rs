//! The folder of a case: not on this platform yet.

use std::io;
use std::path::Path;

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

    pub(crate) fn ask(&self, _request: Request<'_>) -> io::Result<Answer> {
        match *self {}
    }
}
