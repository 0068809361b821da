//! Who calls? The program: reads the command line, joins the verbs, and says how it ended.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod exit;
mod interrupt;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, Command, ListArguments, WatchArguments};
use crate::exit::Exit;
use crate::output::Talk;

fn main() -> ExitCode {
    if let Some(code) = observe::program::waited().or_else(observe::helped) {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return output::usage(&error).into(),
    };
    let talk = Talk {
        quiet: arguments.quiet,
        verbose: arguments.verbose,
    };
    let color = arguments.color;
    let result = match arguments.command.unwrap_or_else(usual) {
        Command::List(list) => commands::list::run(&list, color, arguments.strict, talk),
        Command::Watch(watch) => commands::watch::run(&watch, color, arguments.strict, talk),
        Command::Record(record) => commands::record::run(&record, color, arguments.strict, talk),
        Command::Open(open) => commands::open::run(&open, color, talk),
        Command::Verify(verify) => commands::verify::run(&verify, talk),
        Command::Pack(pack) => commands::pack::run(&pack, talk),
        Command::Import(import) => commands::import::run(&import, talk),
        Command::Export(export) => commands::export::run(&export, talk),
        Command::Close(close) => commands::close::run(&close),
        Command::End(end) => commands::end::run(&end),
        Command::Doctor => commands::doctor::run(arguments.strict),
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Man { command } => commands::man::run(command.as_deref()),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => output::failure(&error).into(),
    }
}

/// What is done when nothing is asked for: the live screen where there is one.
fn usual() -> Command {
    if commands::screen::is_possible() {
        Command::Watch(WatchArguments::default())
    } else {
        Command::List(ListArguments::default())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
