//! The two streams: data on stdout, talk on stderr.
#![expect(clippy::print_stderr, reason = "this is where the program talks")]

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal};

use show::filter::FilterError;

use crate::arguments::Color;
use crate::exit::Exit;

/// Whether and how to talk to the person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    pub(crate) quiet: bool,
}

impl Talk {
    pub(crate) fn say(self, text: &str) {
        if !self.quiet && !text.is_empty() {
            eprint!("{text}");
        }
    }
}

/// Standard output without a buffer of its own: what is written is already in large pieces.
pub(crate) fn stdout() -> io::Result<File> {
    #[cfg(unix)]
    let copy = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?;
    #[cfg(windows)]
    let copy = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?;
    Ok(File::from(copy))
}

/// Width of the terminal in columns; `None` when standard output is none.
pub(crate) fn terminal_width() -> Option<usize> {
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return None;
    }
    terminal_size::terminal_size_of(&stdout)
        .map(|(width, _)| usize::from(width.0))
        .or(Some(80))
}

/// Says why the command line was not understood, or gives the help that was asked for.
pub(crate) fn usage(error: &clap::Error) -> Exit {
    // A closed pipe takes the text away; nothing can be said about it.
    let _ = error.print();
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    }
}

/// Says what failed and why. The reader of a pipe may end it: that is no failure.
pub(crate) fn failure(error: &anyhow::Error) -> Exit {
    let closed_pipe = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == ErrorKind::BrokenPipe);
    if closed_pipe {
        return Exit::Done;
    }
    if let Some(error) = error.downcast_ref::<FilterError>() {
        eprintln!("whocalls: {error}");
        return Exit::Usage;
    }
    if let Some(error) = error.downcast_ref::<Usage>() {
        eprintln!("whocalls: {error}");
        return Exit::Usage;
    }
    eprintln!("whocalls: {error:#}");
    Exit::Failed
}

/// Something asked for that makes no sense, or not yet.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Whether to colour standard output (no-color.org).
pub(crate) fn wants_color(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            io::stdout().is_terminal() && !refused
        }
    }
}
