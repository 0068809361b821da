//! A case as one file, to be carried away: a zip, encrypted to recipients when there are some.
//! A case folder goes in and is not changed; what goes out is written in one stream, so that no
//! plain copy ever touches the disk. Each file is held against the manifest while it is read. What lies
//! in the folder and is none of the case stays behind.

mod contents;
mod output;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use model::hex;
use sha2::{Digest, Sha256};
use zip::result::ZipError;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::case::{self, MANIFEST, Problem};
use crate::crypt::Recipients;
use contents::{Contents, Entry};
use output::{Gate, Output};

/// What is read at a time, in bytes.
const PIECE: usize = 256 * 1024;
/// From here on the sizes in a zip need twice the room (APPNOTE 4.3.9.2). Somewhat below 4 GiB,
/// as compressing can also make a file longer.
const LARGE: u64 = 0xf000_0000;

/// Why there is no packed case.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No case, one of a newer format, one that cannot be read.
    #[error("{0}")]
    Case(#[from] case::Error),
    #[error("cannot pack {}: {why}", path.display())]
    Folder { path: PathBuf, why: String },
    #[error("{} is there already; whocalls overwrites nothing", .0.display())]
    Exists(PathBuf),
    #[error("{} would be inside the case itself", .0.display())]
    Inside(PathBuf),
    #[error("cannot read {name} of the case: {source}")]
    Read { name: String, source: io::Error },
    #[error("the case is damaged")]
    Damaged(Vec<Problem>),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("stopped; the unfinished file was removed")]
    Stopped,
}

/// What has to be done with a packed case before it can be read, by what its file is called. `None`: it
/// is not called like one.
pub fn before_reading(name: &str) -> Option<&'static str> {
    if name.ends_with(".zip") {
        Some("unpack it first: the folder in it is the case")
    } else if name.ends_with(".zip.age") {
        Some(
            "decrypt it first (age -d -i private.txt -o CASE.zip FILE), then unpack it: the folder in it \
             is the case",
        )
    } else {
        None
    }
}

/// What to do with a case that is not what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    /// It is not packed.
    Refuse,
    /// What can be read is packed; what is wrong with it is in [`Packed::problems`].
    PackAnyway,
}

/// A packed case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub files: u64,
    /// `false`: the recording did not come to its end.
    pub is_sealed: bool,
    /// The length of the one file.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// What was not as recorded; empty unless [`Damaged::PackAnyway`].
    pub problems: Vec<Problem>,
    /// What lies in the folder, is none of the case, and was not packed.
    pub strangers: Vec<String>,
}

/// How far it is: bytes of the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done_bytes: u64,
    pub total_bytes: u64,
}

/// How the packed case is called: as the folder, with `.zip` or `.zip.age`.
///
/// Errors: the path is not that of a folder.
pub fn file_name(case: &Path, is_encrypted: bool) -> Result<String, Error> {
    let ending = if is_encrypted { "zip.age" } else { "zip" };
    Ok(format!("{}.{ending}", folder_name(case)?))
}

/// Writes the case to the new file `out`. `progress` is called after each piece and can end it.
/// When it does not come to its end, `out` is removed.
///
/// Errors: the case cannot be read, is damaged, or has links or names in it that lead elsewhere;
/// `out` is there already, or cannot be written.
pub fn pack(
    case: &Path,
    out: &Path,
    recipients: Option<&Recipients>,
    damaged: Damaged,
    progress: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Result<Packed, Error> {
    let folder = folder_name(case)?;
    let contents = contents::of(case, damaged)?;
    check_place(case, out)?;
    let file = File::create_new(out).map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            Error::Exists(out.to_owned())
        } else {
            not_written(out, source)
        }
    })?;
    let total_bytes = contents.bytes();
    let mut packing = Packing {
        case,
        out,
        folder,
        damaged,
        problems: contents.problems.clone(),
        files: 0,
        done_bytes: 0,
        total_bytes,
        progress,
    };
    let packed = packing.all(file, &contents, recipients);
    if packed.is_err() {
        // What it failed of is what the person has to know.
        let _ = fs::remove_file(out);
    }
    packed
}

/// The last name of the path, also of `.`: it is the folder that all files are in.
fn folder_name(case: &Path) -> Result<String, Error> {
    let not_packed = |why: String| Error::Folder {
        path: case.to_owned(),
        why,
    };
    let whole = case
        .canonicalize()
        .map_err(|error| not_packed(error.to_string()))?;
    let name = whole.file_name().and_then(|name| name.to_str());
    name.filter(|name| case::is_name(name))
        .map(ToOwned::to_owned)
        .ok_or_else(|| not_packed("its folder needs a plain name".to_owned()))
}

/// A packed case inside of the case would pack itself, and be a foreign file there.
fn check_place(case: &Path, out: &Path) -> Result<(), Error> {
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let parent = parent
        .canonicalize()
        .map_err(|source| not_written(out, source))?;
    let case = case
        .canonicalize()
        .map_err(|source| not_written(out, source))?;
    match parent.starts_with(case) {
        true => Err(Error::Inside(out.to_owned())),
        false => Ok(()),
    }
}

type Zip = ZipWriter<StreamWriter<Gate<Output>>>;

/// One run.
struct Packing<'a> {
    case: &'a Path,
    out: &'a Path,
    folder: String,
    damaged: Damaged,
    problems: Vec<Problem>,
    files: u64,
    done_bytes: u64,
    total_bytes: u64,
    progress: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
}

impl Packing<'_> {
    fn all(
        &mut self,
        file: File,
        contents: &Contents,
        recipients: Option<&Recipients>,
    ) -> Result<Packed, Error> {
        let output =
            Output::new(file, recipients).map_err(|source| not_written(self.out, source))?;
        let (gate, latch) = Gate::new(output);
        let mut zip = ZipWriter::new_stream(gate);
        let written = self.entries(&mut zip, contents);
        if written.is_err() {
            // A zip that is let go finishes itself, and would look like a whole one.
            latch.shut();
        }
        written?;
        let gate = zip
            .finish()
            .map_err(|error| self.not_zipped(error))?
            .into_inner();
        let finished = gate.into_inner().finish();
        let (bytes, sha256) = finished.map_err(|source| not_written(self.out, source))?;
        Ok(Packed {
            files: self.files,
            is_sealed: contents.is_sealed,
            bytes,
            sha256,
            problems: std::mem::take(&mut self.problems),
            strangers: contents.strangers.clone(),
        })
    }

    fn entries(&mut self, zip: &mut Zip, contents: &Contents) -> Result<(), Error> {
        for entry in &contents.files {
            let name = format!("{}/{}", self.folder, entry.name);
            zip.start_file(name, options(entry))
                .map_err(|error| self.not_zipped(error))?;
            // The manifest as it was read: what is in the zip is held against this one.
            if entry.name == MANIFEST {
                self.write(zip, &contents.manifest_text)?;
            } else {
                self.content(zip, contents, entry)?;
            }
            self.files += 1;
        }
        for folder in &contents.folders {
            let name = format!("{}/{folder}", self.folder);
            let options = SimpleFileOptions::default().unix_permissions(0o700);
            zip.add_directory(name, options)
                .map_err(|error| self.not_zipped(error))?;
        }
        Ok(())
    }

    /// One file from the folder, held against the manifest.
    fn content(&mut self, zip: &mut Zip, contents: &Contents, entry: &Entry) -> Result<(), Error> {
        let not_read = |source| Error::Read {
            name: entry.name.clone(),
            source,
        };
        let file = File::open(self.case.join(&entry.name)).map_err(not_read)?;
        let mut hash = Sha256::new();
        // No further than it was long: a case that is being recorded would never end.
        let mut left = entry.bytes;
        let mut file = file.take(left);
        let mut piece = vec![0; PIECE];
        loop {
            let length = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(not_read(error)),
            };
            let bytes = piece.get(..length).unwrap_or_default();
            hash.update(bytes);
            self.write(zip, bytes)?;
            left = left.saturating_sub(length as u64);
        }
        let sha256 = hex(&hash.finalize());
        let file = entry.name.clone();
        let problem = match contents.hashes.get(&entry.name) {
            Some(expected) if *expected != sha256 => Problem::Changed { file },
            _ if left > 0 => {
                let why = "it was changed while it was read".to_owned();
                Problem::Damaged { file, why }
            }
            _ => return Ok(()),
        };
        if self.damaged == Damaged::Refuse {
            return Err(Error::Damaged(vec![problem]));
        }
        if !self.problems.iter().any(|it| it.file() == problem.file()) {
            self.problems.push(problem);
        }
        Ok(())
    }

    fn write(&mut self, zip: &mut Zip, bytes: &[u8]) -> Result<(), Error> {
        zip.write_all(bytes)
            .map_err(|source| not_written(self.out, source))?;
        self.done_bytes += bytes.len() as u64;
        let progress = Progress {
            done_bytes: self.done_bytes,
            total_bytes: self.total_bytes,
        };
        match (self.progress)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Error::Stopped),
        }
    }

    fn not_zipped(&self, error: ZipError) -> Error {
        // It becomes the error of the file where it is one.
        not_written(self.out, io::Error::from(error))
    }
}

fn options(entry: &Entry) -> SimpleFileOptions {
    // What is encrypted gets no shorter, and the fastest deflate makes it longer.
    let is_encrypted = entry.name.ends_with(".age") || entry.name.ends_with(".age.part");
    SimpleFileOptions::default()
        .compression_method(match is_encrypted {
            true => CompressionMethod::Stored,
            false => CompressionMethod::Deflated,
        })
        .unix_permissions(0o600)
        .large_file(entry.bytes >= LARGE)
        .last_modified_time(entry.modified)
}

fn not_written(out: &Path, source: io::Error) -> Error {
    let path = out.to_owned();
    Error::Write { path, source }
}
