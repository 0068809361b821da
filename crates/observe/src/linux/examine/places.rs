//! Programs, libraries and scripts where anybody may write, or in hidden folders.

mod code;
mod scripts;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use model::{Outcome, Sign, Trace};

use self::code::{Code, Piece, pieces};
use super::subject::LONGEST_LINK;
use super::within::{Found, Within, any_mount};
use super::{Kept, Subject};
use crate::parse::mount_info::mount;
use crate::parse::place::{app_image_mount, folders, is_hidden, is_start_file, is_temporary};

/// What others may do, as in stat(2).
const WRITABLE_BY_ALL: u32 = 0o002;
/// So many folders are asked whether anybody may write there.
const MOST_FOLDERS: usize = 4096;
/// So much of a path that is overlong.
const MOST_SHOWN: usize = 1024;

pub(super) fn check(subject: &Subject, _: &mut Kept) -> Outcome {
    // Without it, folders are judged by their names alone.
    let within = Within::of(subject).ok();
    let (pieces, untested) = match pieces(subject, within.as_ref()) {
        Ok(found) => found,
        Err(why) => return Outcome::NotTestable(why),
    };
    let mut places = Places {
        subject,
        within: within.as_ref(),
        writable: BTreeMap::new(),
        app_images: BTreeMap::new(),
    };
    let mut traces = Vec::new();
    for piece in &pieces {
        if piece.overlong {
            traces.push(overlong(piece));
        }
        if let Some(sign) = places.sign(piece) {
            let mut trace = Trace::of_file(sign, piece.path.clone());
            trace.name = match piece.by {
                Some(setting) => Some(setting.into()),
                None => piece.gone.then(|| "deleted".into()),
            };
            traces.push(trace);
        }
    }
    match (Outcome::of(traces), untested) {
        (Outcome::NothingFound, Some(why)) => Outcome::NotTestable(why),
        (outcome, _) => outcome,
    }
}

/// Its beginning and its length, which nobody else shows.
fn overlong(piece: &Piece) -> Trace {
    let path = piece.path.bytes();
    let length = u64::try_from(path.len()).unwrap_or(u64::MAX);
    let begin = path.get(..MOST_SHOWN).unwrap_or(path);
    Trace {
        path: (!begin.is_empty()).then(|| begin.into()),
        length: (path.len() >= LONGEST_LINK).then_some(length),
        name: match piece.code {
            Code::Program => None,
            Code::Library => Some("library".into()),
            Code::Script => Some("script".into()),
        },
        ..Trace::new(Sign::OverlongPath)
    }
}

struct Places<'of> {
    subject: &'of Subject,
    within: Option<&'of Within>,
    /// Whether anybody may write in a folder.
    writable: BTreeMap<Vec<u8>, bool>,
    /// Whether a folder is where an AppImage is mounted.
    app_images: BTreeMap<Vec<u8>, bool>,
}

impl Places<'_> {
    fn sign(&mut self, piece: &Piece) -> Option<Sign> {
        use Code::{Library, Program, Script};
        let path = piece.path.bytes();
        if app_image_mount(path).is_some_and(|folder| self.is_app_image(folder)) {
            return None;
        }
        if is_temporary(path) || folders(path).any(|folder| self.is_writable(folder)) {
            return Some(match piece.code {
                Program => Sign::TemporaryProgram,
                Library => Sign::TemporaryLibrary,
                Script => Sign::TemporaryScript,
            });
        }
        let is_usual = piece.is_start_file && is_start_file(path);
        let hides = !is_usual && is_hidden(path);
        hides.then_some(match piece.code {
            Program => Sign::HiddenProgram,
            Library => Sign::HiddenLibrary,
            Script => Sign::HiddenScript,
        })
    }

    fn is_writable(&mut self, folder: &[u8]) -> bool {
        if let Some(known) = self.writable.get(folder) {
            return *known;
        }
        if self.writable.len() >= MOST_FOLDERS {
            return false;
        }
        let found = self.within.map(|within| within.find(folder));
        let is_writable = match found {
            Some(Found::Here(here)) => {
                here.is_folder() && u32::from(here.status.stx_mode) & WRITABLE_BY_ALL != 0
            }
            Some(Found::Nowhere | Found::NotKnown) | None => false,
        };
        self.writable.insert(folder.to_vec(), is_writable);
        is_writable
    }

    /// Whether a program answers for the files there, as for those of an AppImage.
    fn is_app_image(&mut self, folder: &[u8]) -> bool {
        if let Some(known) = self.app_images.get(folder) {
            return *known;
        }
        let is_mounted = any_mount(self.subject, |line| {
            let point = line.split(|byte| *byte == b' ').nth(4);
            point == Some(folder) && mount(line).is_some_and(|mount| mount.is_elsewhere)
        });
        let is_mounted = is_mounted.unwrap_or(false);
        self.app_images.insert(folder.to_vec(), is_mounted);
        is_mounted
    }
}
