//! The folder of a case. No rights are given up here that would have to be kept by a process of its own:
//! files are made by this one.
#![expect(
    unsafe_code,
    reason = "system calls: the types are those of the pages of the Windows API"
)]

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use windows_sys::Win32::Storage::FileSystem::{
    GetVolumeInformationByHandleW, MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH, MoveFileExW,
};

use super::places;
use super::wide::wide;
use crate::folder::{Answer, FolderError, Request, Space};

/// `FILE_PERSISTENT_ACLS` (winnt.h).
const KEEPS_PERMISSIONS: u32 = 0x8;

pub(crate) struct Process {
    path: PathBuf,
}

impl Process {
    pub(crate) fn make(_parent: &Path, _name: &str, path: &Path) -> Result<Self, FolderError> {
        match fs::create_dir(path) {
            Ok(()) => Ok(Self {
                path: path.to_path_buf(),
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(FolderError::Exists(path.to_path_buf()))
            }
            Err(source) => Err(FolderError::Make {
                path: path.to_path_buf(),
                source,
            }),
        }
    }

    pub(crate) fn keeps_permissions(&self) -> bool {
        volume_flags(&self.path).is_ok_and(|flags| flags & KEEPS_PERMISSIONS != 0)
    }

    #[expect(
        clippy::unused_self,
        reason = "other platforms ask the process that has the folder"
    )]
    pub(crate) fn whereabouts(&self) -> Option<Arc<Whereabouts>> {
        None
    }

    pub(crate) fn ask(&self, request: Request<'_>) -> io::Result<Answer> {
        let mut answer = Answer {
            file: None,
            space: Space {
                free_bytes: 0,
                total_bytes: 0,
            },
        };
        match request {
            Request::MakeFolder(name) => make_folder(&self.place(name))?,
            Request::Create(name) => {
                let file = File::options()
                    .write(true)
                    .create_new(true)
                    .open(self.place(name))?;
                answer.file = Some(file);
            }
            Request::Rename(from, to) => {
                rename(&self.place(from), &self.place(to), MOVEFILE_WRITE_THROUGH)?;
            }
            Request::Replace(from, to) => {
                let flags = MOVEFILE_WRITE_THROUGH | MOVEFILE_REPLACE_EXISTING;
                rename(&self.place(from), &self.place(to), flags)?;
            }
            Request::Remove(name) => fs::remove_file(self.place(name))?,
            // New names are on the disk when they are made: files are moved that way, and a folder
            // cannot be asked to.
            Request::Sync => {}
            Request::Space => {
                if let Some(space) = places::space(&self.path)? {
                    answer.space = space;
                }
            }
        }
        Ok(answer)
    }

    fn place(&self, name: &str) -> PathBuf {
        name.split('/')
            .fold(self.path.clone(), |path, part| path.join(part))
    }
}

fn make_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    }
}

/// Unlike that of the standard library it overwrites only when it is told to.
fn rename(from: &Path, to: &Path, flags: u32) -> io::Result<()> {
    let (from, to) = (wide(from), wide(to));
    // SAFETY: both end with a zero and outlive the call.
    let is_done = unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), flags) };
    match is_done {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn volume_flags(folder: &Path) -> io::Result<u32> {
    use std::os::windows::fs::OpenOptionsExt as _;
    use std::os::windows::io::AsRawHandle as _;

    /// `FILE_FLAG_BACKUP_SEMANTICS`: without it a folder cannot be opened.
    const FOLDERS_TOO: u32 = 0x0200_0000;

    let folder = File::options()
        .read(true)
        .custom_flags(FOLDERS_TOO)
        .open(folder)?;
    let (mut flags, none) = (0, std::ptr::null_mut());
    // SAFETY: the folder is open; `flags` outlives the call, and nothing else is asked for.
    let is_told = unsafe {
        GetVolumeInformationByHandleW(
            folder.as_raw_handle(),
            none,
            0,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &raw mut flags,
            none,
            0,
        )
    };
    match is_told {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(flags),
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
