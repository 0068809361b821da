//! Who calls? The program: reads the command line, joins the verbs, and says how it ended.
#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod exit;
mod interrupt;
mod output;
mod platform;

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
    let command = arguments.command.unwrap_or_else(usual);
    commands::answers::load(named(&command), talk);
    if shows_addresses(&command) {
        commands::data::tables(talk);
    }
    if judges(&command)
        && let Err(error) = commands::known::open(None, talk)
    {
        return output::failure(&error).into();
    }
    let result = match command {
        Command::List(list) => commands::list::run(&list, color, arguments.strict, talk),
        Command::Watch(watch) => commands::watch::run(&watch, color, arguments.strict, talk),
        Command::Record(record) => commands::record::run(&record, color, arguments.strict, talk),
        Command::Open(open) => commands::open::run(&open, color, talk),
        Command::Check(check) => commands::check::run(&check, arguments.strict, talk),
        Command::Diff(diff) => commands::diff::run(&diff, color, arguments.strict, talk),
        Command::Verify(verify) => commands::verify::run(&verify, talk),
        Command::Pack(pack) => commands::pack::run(&pack, talk),
        Command::Import(import) => commands::import::run(&import, talk),
        Command::Export(export) => commands::export::run(&export, talk),
        Command::Indicators(indicators) => commands::indicators::run(&indicators, talk),
        Command::Close(close) => commands::close::run(&close),
        Command::End(end) => commands::end::run(&end),
        Command::Lookup(lookup) => commands::lookup::run(&lookup, talk),
        Command::Data(data) => commands::data::run(&data, talk),
        Command::Doctor => commands::doctor::run(arguments.strict),
        Command::Completions { shell } => commands::completions::run(shell),
        Command::Man { command } => commands::man::run(command.as_deref()),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = output::failure(&error);
            output::keep_window_open();
            exit.into()
        }
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

/// What a command is to look at, where that may be a case of which others were asked.
fn named(command: &Command) -> &[String] {
    if let Command::List(list) = command {
        &list.words
    } else if let Command::Open(open) = command {
        &open.words
    } else if let Command::Export(export) = command {
        &export.words
    } else {
        &[]
    }
}

/// Whether what is known of addresses stands beside connections.
fn shows_addresses(command: &Command) -> bool {
    matches!(
        command,
        Command::List(_) | Command::Watch(_) | Command::Open(_) | Command::Export(_)
    )
}

/// Whether rules look at what a command shows. `check` and `diff` open what they ask by themselves.
fn judges(command: &Command) -> bool {
    match command {
        Command::List(list) => commands::list::is_judged(list),
        Command::Record(record) => record.running.is_none(),
        Command::Watch(_) | Command::Open(_) => true,
        Command::Check(_)
        | Command::Diff(_)
        | Command::Verify(_)
        | Command::Pack(_)
        | Command::Import(_)
        | Command::Export(_)
        | Command::Indicators(_)
        | Command::Close(_)
        | Command::End(_)
        | Command::Lookup(_)
        | Command::Data(_)
        | Command::Doctor
        | Command::Completions { .. }
        | Command::Man { .. } => false,
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
