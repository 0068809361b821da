//! Asks before something is done that cannot be taken back.

use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::{Context, Result};

use crate::output::{Talk, Usage};

/// The question is asked even of a person who wants to hear nothing else.
const ASKING: Talk = Talk {
    quiet: false,
    verbose: false,
};
const LONGEST_ANSWER: u64 = 1024;

/// Whether somebody can be asked, or need not be.
///
/// Errors: wrong usage.
pub(super) fn check(yes: bool) -> Result<()> {
    if yes || io::stdin().is_terminal() && io::stderr().is_terminal() {
        return Ok(());
    }
    let text = "there is no terminal to ask on, and nothing was done\n\
                help: --yes does it without asking";
    Err(Usage(text.to_owned()).into())
}

/// Whether the person has typed the word.
///
/// Errors: the terminal is gone.
pub(super) fn ask(question: &str, word: &str) -> Result<bool> {
    ASKING.say(&format!("{question}\n"));
    let mut answer = String::new();
    let stdin = io::stdin().lock();
    let read = stdin.take(LONGEST_ANSWER).read_line(&mut answer);
    read.context("cannot read the answer")?;
    let agreed = answer.trim() == word;
    if !agreed {
        ASKING.say("Nothing was done.\n");
    }
    Ok(agreed)
}
