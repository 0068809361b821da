//! Saving: not on this platform yet.

use std::io;
use std::path::Path;

use crate::writer::SaveError;

/// There is none to be had.
pub(crate) enum Writer {}

impl Writer {
    pub(crate) fn start(_folder: Option<&Path>) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn folder(&self) -> &Path {
        match *self {}
    }

    pub(crate) fn save(&mut self, _name: &str, _bytes: &[u8]) -> Result<(), SaveError> {
        match *self {}
    }
}
