//! What a process runs: its program, the libraries in its memory, its scripts.

use std::collections::BTreeSet;

use model::{Text, Untested};

use crate::linux::examine::Subject;
use crate::linux::examine::subject::LONGEST_LINK;
use crate::linux::examine::within::{Found, Within, joined, plain, without_deleted};
use crate::parse::script::{Called, Kind, called, file_name};

/// What the kernel puts before the name of a file that lives in memory only (mm/memfd.c).
const MEMFD: &[u8] = b"/memfd:";
/// Where bash keeps its script open, and where dash, zsh and others do.
const OF_BASH: [u32; 1] = [255];
const OF_SHELLS: [u32; 2] = [10, 11];
/// The last digit of the flags in fdinfo says how a file was opened: this is for reading.
const READ_ONLY: &[u8] = b"0";
/// What bash writes the text of `<<` to.
const HERE_DOCUMENT: &[u8] = b"sh-thd";
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

fn seen<'path>(within: Option<&Within>, path: &'path [u8]) -> &'path [u8] {
    within.map_or_else(|| without_deleted(path), |within| within.seen(path))
}

#[derive(Default)]
struct Pieces {
    pieces: Vec<Piece>,
    paths: BTreeSet<Vec<u8>>,
}

impl Pieces {
    fn add(&mut self, code: Code, path: &[u8], gone: bool) {
        self.push(code, path, gone, path.len() >= LONGEST_LINK);
    }

    fn add_overlong(&mut self, code: Code, path: &[u8], gone: bool) {
        self.push(code, path, gone, true);
    }

    fn push(&mut self, code: Code, path: &[u8], gone: bool, overlong: bool) {
        if self.paths.insert(path.to_vec()) {
            self.pieces.push(Piece {
                code,
                path: path.into(),
                gone,
                overlong,
            });
        }
    }
}

/// Errors: `TooLarge`: there may be more of them, since not all could be read that it was started with.
fn scripts(
    subject: &Subject,
    within: Option<&Within>,
    program: &[u8],
    arguments: &[Text],
    found: &mut Pieces,
) -> Result<(), Untested> {
    let Some(called) = called(file_name(program), arguments) else {
        return Ok(());
    };
    let code = match called.kind {
        Kind::Loader => Code::Program,
        Kind::Shell | Kind::Other => Code::Script,
    };
    let named = named(subject, within, code, &called, found);
    if called.kind == Kind::Shell {
        let is_bash = file_name(program).ends_with(b"bash");
        let numbers = if is_bash { &OF_BASH[..] } else { &OF_SHELLS };
        for number in numbers {
            open(subject, within, *number, found);
        }
    }
    if called.reads_input {
        // Nor is it known that it does.
        if !subject.has_all_arguments() {
            return Err(Untested::TooLarge);
        }
        open(subject, within, 0, found);
    }
    named
}

/// What stands in the arguments. Errors: `TooLarge`: it is not known where a path begins.
fn named(
    subject: &Subject,
    within: Option<&Within>,
    code: Code,
    called: &Called,
    found: &mut Pieces,
) -> Result<(), Untested> {
    let folders = folders(subject, within);
    let mut begun = Ok(());
    for file in &called.files {
        let path = file.path.bytes();
        let mut not_known = false;
        let mut here = None;
        for folder in &folders.paths {
            let Some(within) = within else {
                not_known = true;
                break;
            };
            match within.find(&joined(folder, path)) {
                Found::Here(it) if it.is_regular() => {
                    here = Some(it);
                    break;
                }
                Found::Here(_) | Found::Nowhere => {}
                Found::NotKnown => not_known = true,
            }
        }
        if let Some(here) = here {
            found.add(code, here.path.bytes(), false);
            continue;
        }
        if !path.starts_with(b"/") && folders.is_overlong && !file.guessed {
            found.add_overlong(code, path, false);
            continue;
        }
        if !path.starts_with(b"/") && !folders.are_all {
            begun = Err(Untested::TooLarge);
        }
        // It has been there, else it would not run. Without a slash and an ending it may be something
        // that was looked for elsewhere.
        let is_path = path.contains(&b'/') || path.contains(&b'.');
        if let Some(folder) = folders.paths.last().filter(|_| is_path && !file.guessed) {
            let is_process = path.starts_with(b"/proc/") || path.starts_with(b"/dev/fd/");
            if !is_process {
                found.add(code, &plain(&joined(folder, path)), !not_known);
            }
        }
    }
    begun
}

/// Where a path may begin.
struct Folders {
    /// The folder that the process is in, and the one that it was started in.
    paths: Vec<Vec<u8>>,
    /// False: in which it was started may stand where it was not read.
    are_all: bool,
    /// The path of the one that it is in is longer than the kernel shows.
    is_overlong: bool,
}

fn folders(subject: &Subject, within: Option<&Within>) -> Folders {
    let mut paths = Vec::new();
    let now = subject.link(c"cwd");
    if let Ok(now) = &now {
        paths.push(seen(within, now.bytes()).to_vec());
    }
    let environment = subject.environment();
    let is_cut = environment.is_ok() && !subject.has_all_environment();
    let environment = environment.unwrap_or_default();
    let mut begun = environment
        .iter()
        .filter_map(|it| it.bytes().strip_prefix(b"PWD=/"));
    let begun = begun.next().map(|begun| [b"/", begun].concat());
    let are_all = begun.is_some() || !is_cut;
    paths.extend(begun.filter(|it| !paths.contains(it)));
    Folders {
        paths,
        are_all,
        is_overlong: now == Err(Untested::TooLarge),
    }
}

/// A script that is held open.
fn open(subject: &Subject, within: Option<&Within>, number: u32, found: &mut Pieces) {
    let link = match subject.descriptor(number) {
        Ok(Some(link)) => Some(link),
        Err(Untested::TooLarge) => None,
        Ok(None) | Err(_) => return,
    };
    let Ok(status) = subject.seen_descriptor(number) else {
        return;
    };
    let kind = rustix::fs::FileType::from_raw_mode(status.stx_mode.into());
    let path = link
        .as_ref()
        .map_or(&b""[..], |it| seen(within, it.bytes()));
    let gone = status.stx_nlink == 0;
    let is_text_of_shell = gone && file_name(path).starts_with(HERE_DOCUMENT);
    let is_file = kind == rustix::fs::FileType::RegularFile && !path.starts_with(MEMFD);
    // One that is written to holds a lock, or what the script says.
    if is_file && !is_text_of_shell && is_read_only(subject, number) {
        match link {
            Some(_) => found.add(Code::Script, path, gone),
            None => found.add_overlong(Code::Script, path, gone),
        }
    }
}

fn is_read_only(subject: &Subject, number: u32) -> bool {
    let Ok(path) = std::ffi::CString::new(format!("fdinfo/{number}")) else {
        return false;
    };
    let text = subject.file(&path, 4096).unwrap_or_default();
    let mut lines = text.split(|byte| *byte == b'\n');
    let flags = lines.find_map(|line| line.strip_prefix(b"flags:"));
    flags.is_some_and(|flags| flags.ends_with(READ_ONLY))
}
