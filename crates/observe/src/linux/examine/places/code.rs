//! What a process runs: its program, the libraries in its memory, its scripts.

use std::collections::BTreeSet;

use model::{Text, Untested};

use super::scripts::scripts;
use crate::linux::examine::Subject;
use crate::linux::examine::subject::LONGEST_LINK;
use crate::linux::examine::within::{Within, without_deleted};
use crate::parse::script::file_name;

/// What the kernel puts before the name of a file that lives in memory only (mm/memfd.c).
pub(super) const MEMFD: &[u8] = b"/memfd:";
/// Code that liborc has made, in a file that is gone at once.
const ORC_CODE: &[u8] = b"orcexec.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Program,
    Library,
    Script,
}

/// One file that is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) code: Code,
    /// As the process sees it.
    pub(super) path: Text,
    /// There is no such file any more.
    pub(super) gone: bool,
    /// Longer than Linux takes or shows: of a script only what is known of it, which may be nothing.
    pub(super) overlong: bool,
    /// The setting of the environment that names it. `None`: it was told in another way.
    pub(super) by: Option<&'static str>,
    /// People have such a file in their home, and its name begins with a dot.
    pub(super) is_start_file: bool,
}

/// All of them, each once; and why there may be more.
pub(super) fn pieces(
    subject: &Subject,
    within: Option<&Within>,
) -> Result<(Vec<Piece>, Option<Untested>), Untested> {
    let program = subject.program()?;
    let mut found = Pieces::default();
    let path = seen(within, program.link.bytes());
    if program.is_overlong {
        found.add_overlong(Code::Program, path, program.links == 0);
    } else if program.links > 0 || !path.starts_with(MEMFD) {
        found.add(Code::Program, path, program.links == 0);
    }
    let mut untested = match subject.arguments() {
        Ok(arguments) => scripts(subject, within, path, arguments, &mut found).err(),
        Err(why) => Some(why),
    };
    match subject.regions() {
        Ok(regions) => {
            let orc = regions
                .iter()
                .any(|it| file_name(it.name.bytes()).starts_with(b"liborc-"));
            for region in regions.iter().filter(|it| it.executable && it.is_of_file()) {
                let name = region.name.bytes();
                let path = seen(within, name);
                let gone = path.len() < name.len() && without_deleted(name).len() < name.len();
                let is_program = region.device == program.device && region.inode == program.inode;
                let is_orc = orc && gone && region.shared && file_name(path).starts_with(ORC_CODE);
                if path.starts_with(b"/") && !path.starts_with(MEMFD) && !is_program && !is_orc {
                    found.add(Code::Library, path, gone);
                }
            }
        }
        Err(why) => untested = Some(why),
    }
    Ok((found.pieces, untested))
}

pub(super) fn seen<'path>(within: Option<&Within>, path: &'path [u8]) -> &'path [u8] {
    within.map_or_else(|| without_deleted(path), |within| within.seen(path))
}

#[derive(Default)]
pub(super) struct Pieces {
    pieces: Vec<Piece>,
    paths: BTreeSet<Vec<u8>>,
}

impl Pieces {
    pub(super) fn add(&mut self, code: Code, path: &[u8], gone: bool) {
        self.push(Piece {
            gone,
            overlong: path.len() >= LONGEST_LINK,
            ..Piece::of(code, path)
        });
    }

    pub(super) fn add_overlong(&mut self, code: Code, path: &[u8], gone: bool) {
        self.push(Piece {
            gone,
            overlong: true,
            ..Piece::of(code, path)
        });
    }

    pub(super) fn push(&mut self, piece: Piece) {
        if self.paths.insert(piece.path.bytes().to_vec()) {
            self.pieces.push(piece);
        }
    }
}

impl Piece {
    pub(super) fn of(code: Code, path: &[u8]) -> Self {
        Self {
            code,
            path: path.into(),
            gone: false,
            overlong: false,
            by: None,
            is_start_file: false,
        }
    }
}
