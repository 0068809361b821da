//! The two streams: data on stdout, talk on stderr.

mod out;

use std::io::{self, ErrorKind, IsTerminal, Write};

use show::filter::FilterError;
use show::visible::harmless;

use crate::arguments::Color;
use crate::exit::Exit;

pub(crate) use self::out::Out;

/// Whether and how to talk to the person.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
}

impl Talk {
    pub(crate) fn say(self, text: &str) {
        if !self.quiet && !text.is_empty() {
            talk(text);
        }
    }
}

/// Errors: it was closed before we began.
pub(crate) fn stdout() -> io::Result<Out> {
    Out::standard()
}

/// What is written from here on is for its owner alone.
#[cfg(target_os = "linux")]
pub(crate) fn keep_files_private() {
    use rustix::fs::Mode;
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Files have no such permissions here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn keep_files_private() {}

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

/// Width of the terminal in columns; `None` when standard error is none.
pub(crate) fn talk_width() -> Option<usize> {
    let stderr = io::stderr();
    if !stderr.is_terminal() {
        return None;
    }
    terminal_size::terminal_size_of(&stderr).map(|(width, _)| usize::from(width.0))
}

/// Says why the command line was not understood, or gives the help that was asked for.
pub(crate) fn usage(error: &clap::Error) -> Exit {
    if error.use_stderr() {
        talk(&error.to_string());
        return Exit::Usage;
    }
    match error.print() {
        Ok(()) => Exit::Done,
        Err(error) => failure(&anyhow::Error::from(error)),
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
    talk(&format!("whocalls: {}\n", with_causes(error)));
    if error.is::<FilterError>() || error.is::<Usage>() {
        Exit::Usage
    } else if is_damage(error) {
        Exit::Damaged
    } else {
        Exit::Failed
    }
}

/// What failed, and why; a cause that was said already is not said again.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Whether a case is not as it was written.
fn is_damage(error: &anyhow::Error) -> bool {
    use record::{case, lines};
    let case = error.downcast_ref::<case::Error>();
    let lines = error.downcast_ref::<lines::Error>();
    matches!(case, Some(case::Error::Damaged { .. }))
        || matches!(
            lines,
            Some(lines::Error::Damaged { .. } | lines::Error::Foreign)
        )
}

/// What a person typed, or a file was called, does nothing on the screen. Where nobody listens,
/// nothing is said.
pub(crate) fn talk(text: &str) {
    let _ = io::stderr().write_all(harmless(text).as_bytes());
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
        Color::Auto => io::stdout().is_terminal() && !is_color_refused(),
    }
}

/// Whether the person wants no colour anywhere (no-color.org).
pub(crate) fn is_color_refused() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Waits for Enter where the window would close with what was just said.
pub(crate) fn keep_window_open() {
    if observe::console::is_own() {
        talk("Press Enter to close this window.\n");
        let _ = io::stdin().read_line(&mut String::new());
    }
}
