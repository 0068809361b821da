//! `whocalls completions`: completions for a shell, from the same definition as the help.

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(shell: Shell) -> Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "whocalls", &mut text);
    let mut out = output::stdout()?;
    std::io::Write::write_all(&mut out, &text).context("cannot write to standard output")?;
    Ok(Exit::Done)
}
