//! The scripts of an interpreter: those that it was told to run, those that it holds open, and what its
//! environment makes it load.

use model::{Text, Untested};

use super::code::{Code, MEMFD, Piece, Pieces, seen};
use crate::linux::examine::Subject;
use crate::linux::examine::within::{Found, Here, Within, joined, plain};
use crate::parse::place::{is_hidden, is_temporary};
use crate::parse::script::environment::loaded;
use crate::parse::script::{Called, Kind, called, file_name};

/// Where bash keeps its script open, and where dash, zsh and others do.
const OF_BASH: [u32; 1] = [255];
const OF_SHELLS: [u32; 2] = [10, 11];
/// The last digit of the flags in fdinfo says how a file was opened: this is for reading.
const READ_ONLY: &[u8] = b"0";
/// What bash writes the text of `<<` to.
const HERE_DOCUMENT: &[u8] = b"sh-thd";
/// Where a person types (tty(4), pts(4)).
const TERMINALS: [&[u8]; 3] = [b"/dev/pts/", b"/dev/tty", b"/dev/console"];

/// Errors: `TooLarge`: there may be more of them, since not all could be read that it was started with.
pub(super) fn scripts(
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
    let folders = Folders::of(subject, within);
    let named = named(within, &folders, code, &called, found);
    let loaded = by_environment(subject, within, &folders, file_name(program), found);
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
    named.and(loaded)
}

/// What stands in the arguments. Errors: `TooLarge`: there is more, or it is not known where a path begins.
fn named(
    within: Option<&Within>,
    folders: &Folders,
    code: Code,
    called: &Called,
    found: &mut Pieces,
) -> Result<(), Untested> {
    let mut whole = if called.more {
        Err(Untested::TooLarge)
    } else {
        Ok(())
    };
    for file in &called.files {
        let path = file.path.bytes();
        let there = folders.look(within, path);
        if let There::Here(here) = there {
            found.add(code, here.path.bytes(), false);
            continue;
        }
        let is_relative = !path.starts_with(b"/");
        if is_relative && folders.is_overlong && !file.guessed {
            found.add_overlong(code, path, false);
            continue;
        }
        if is_relative && !folders.are_all {
            whole = Err(Untested::TooLarge);
        }
        // It has been there, else it would not run. Without a slash and an ending it may be something
        // that was looked for elsewhere.
        let is_path = path.contains(&b'/') || path.contains(&b'.');
        if let Some(folder) = folders.paths.last().filter(|_| is_path && !file.guessed) {
            let is_process = path.starts_with(b"/proc/") || path.starts_with(b"/dev/fd/");
            if !is_process {
                let gone = matches!(there, There::Nowhere);
                found.add(code, &plain(&joined(folder, path)), gone);
            }
        }
    }
    whole
}

/// What its environment makes it load, as far as it is there. Errors: there may be more.
fn by_environment(
    subject: &Subject,
    within: Option<&Within>,
    folders: &Folders,
    program: &[u8],
    found: &mut Pieces,
) -> Result<(), Untested> {
    let environment = subject.environment()?;
    let input = subject.descriptor(0).unwrap_or(None);
    let has_terminal = input.is_some_and(|input| {
        let mut terminals = TERMINALS.iter();
        terminals.any(|it| input.bytes().starts_with(it))
    });
    let (files, more) = loaded(program, subject.arguments()?, environment, has_terminal);
    let mut whole = if more || !subject.has_all_environment() {
        Err(Untested::TooLarge)
    } else {
        Ok(())
    };
    for file in files {
        let path = file.path.bytes();
        match folders.look(within, path) {
            There::Here(here) => found.push(Piece {
                by: Some(file.by),
                is_start_file: file.is_start_file,
                ..Piece::of(Code::Script, here.path.bytes())
            }),
            There::NotKnown if is_temporary(path) || is_hidden(path) => {
                whole = whole.and(Err(Untested::Unreadable));
            }
            There::NotKnown | There::Nowhere => {}
        }
    }
    whole
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

/// Whether a file was found from one of these.
enum There {
    Here(Box<Here>),
    Nowhere,
    NotKnown,
}

impl Folders {
    fn of(subject: &Subject, within: Option<&Within>) -> Self {
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
        Self {
            paths,
            are_all,
            is_overlong: now == Err(Untested::TooLarge),
        }
    }

    /// The first regular file of that path.
    fn look(&self, within: Option<&Within>, path: &[u8]) -> There {
        let Some(within) = within else {
            return There::NotKnown;
        };
        let mut there = There::Nowhere;
        for folder in &self.paths {
            match within.find(&joined(folder, path)) {
                Found::Here(it) if it.is_regular() => return There::Here(it),
                Found::Here(_) | Found::Nowhere => {}
                Found::NotKnown => there = There::NotKnown,
            }
        }
        there
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
