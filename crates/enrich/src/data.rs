//! The tables made from the files of their publishers, as they lie in a folder: `sources` lists what
//! is read and says of each what it means, `files` reads, `build` puts together, `check` holds every
//! boundary of the sources against the result.
//!
//! Bytes go in and come out: the program opens and writes the files.

mod build;
mod check;
mod files;
mod sources;

pub use self::build::{Built, Error, build};
pub use self::sources::{Wanted, wanted};

/// A file that was read, as its publisher wrote it.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its path in the folder, as in [`Wanted::file`].
    pub file: &'static str,
    pub bytes: Vec<u8>,
    /// When it was made, where the person says so: `2026-08-22`.
    pub date: Option<String>,
}
