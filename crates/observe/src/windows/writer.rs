//! Saves what a person asks to save: in this process, as no rights are given up here.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::writer::SaveError;

pub(crate) struct Writer {
    folder: PathBuf,
}

impl Writer {
    pub(crate) fn start(folder: Option<&Path>) -> io::Result<Self> {
        let folder = match folder {
            Some(folder) => folder.to_path_buf(),
            None => std::env::current_dir()?,
        };
        Ok(Self { folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn save(&mut self, name: &str, bytes: &[u8]) -> Result<(), SaveError> {
        // What Windows takes for a folder, a drive, a stream of a file, or for many.
        if name.contains(['\\', ':', '*', '?', '"', '<', '>', '|']) {
            return Err(SaveError::NameHasSlash);
        }
        let number = |error: &io::Error| error.raw_os_error().unwrap_or_default();
        let path = self.folder.join(name);
        let file = File::options().write(true).create_new(true).open(path);
        let mut file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => SaveError::Exists,
            _ => SaveError::Failed(number(&error)),
        })?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| SaveError::Incomplete(number(&error)))
    }
}
