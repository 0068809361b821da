//! `whocalls man`: the manual page, from the same definition as the help.

use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_mangen::Man;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::output::{self, Talk, Usage};

/// Loud in any case: without it the page is hard to read.
const TALK: Talk = Talk {
    quiet: false,
    verbose: false,
};

pub(crate) fn run(command: Option<&str>) -> Result<Exit> {
    let mut program = Arguments::command();
    program.build();
    let page = match command {
        None => program,
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            found.ok_or_else(|| Usage(format!("there is no command '{name}'")))?
        }
    };
    let mut text = Vec::new();
    Man::new(page).render(&mut text)?;
    let mut out = output::stdout()?;
    std::io::Write::write_all(&mut out, &text).context("cannot write to standard output")?;
    if output::terminal_width().is_some() {
        let command = command.map_or(String::new(), |name| format!(" {name}"));
        TALK.say(&format!(
            "\nThis is for man(1) to show: whocalls man{command} | man -l -\n"
        ));
    }
    Ok(Exit::Done)
}
