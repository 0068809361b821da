//! `whocalls pack`: a case as one file.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use record::case::Problem;
use record::pack::{self, Damaged, Error, Progress};
use show::quantity::bytes;

use super::case;
use super::case::damage::MOST_SAID;
use super::record::recipients;
use super::verify::say_strangers;
use crate::arguments::PackArguments;
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{self, Talk};

const SHOWN_EACH: Duration = Duration::from_millis(500);

pub(crate) fn run(arguments: &PackArguments, talk: Talk) -> Result<Exit> {
    output::keep_files_private();
    let interrupt = Interrupt::listen()?;
    let named = recipients::of_command_line(&arguments.recipient)?;
    let in_file = match &arguments.recipients_file {
        Some(file) => {
            let read = recipients::of_file(file)?;
            Some(read.ok_or_else(|| anyhow!("there is no file {}", file.display()))?)
        }
        None => None,
    };
    let recipients = recipients::both(named, in_file)?;
    let out = match &arguments.output {
        Some(out) => out.clone(),
        None => beside(arguments, recipients.is_some())?,
    };
    let damaged = if arguments.damaged {
        Damaged::PackAnyway
    } else {
        Damaged::Refuse
    };
    if !arguments.damaged && case::is_being_recorded(&arguments.case) {
        let help = "pack it when that has ended; --damaged packs what can be read now";
        return Err(anyhow!("the case is still being recorded\nhelp: {help}"));
    }
    let mut shown = Instant::now();
    let is_terminal = io::stderr().is_terminal() && !talk.quiet;
    let mut progress = |at: Progress| {
        if is_terminal && shown.elapsed() >= SHOWN_EACH {
            shown = Instant::now();
            show_progress(at);
        }
        if interrupt.is_asked() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let packed = pack::pack(
        &arguments.case,
        &out,
        recipients.as_ref(),
        damaged,
        &mut progress,
    );
    if is_terminal {
        let _ = io::stderr().write_all(b"\r\x1b[K");
    }
    let packed = match packed {
        Ok(packed) => packed,
        Err(Error::Damaged(problems)) => {
            say_problems(&problems);
            return Ok(refused());
        }
        Err(Error::Case(error)) => return Err(error.into()),
        Err(error) => return Err(error.into()),
    };
    say_problems(&packed.problems);
    say_strangers(&packed.strangers, "was not packed", talk);
    let line = format!("{}  {}\n", packed.sha256, out.display());
    let line = show::visible::harmless(&line);
    output::stdout()?
        .write_all(line.as_bytes())
        .context("cannot write to standard output")?;
    talk.say(&format!(
        "Packed {} files into one of {}. The line above is its SHA-256: sha256sum checks it.\n",
        packed.files,
        bytes(packed.bytes)
    ));
    if !packed.is_sealed {
        talk.say("The case was never sealed, or something was added later: its recording may have been interrupted.\n");
    }
    Ok(match (packed.problems.is_empty(), packed.is_sealed) {
        (true, true) => Exit::Done,
        (true, false) => Exit::Lost,
        (false, _) => Exit::Damaged,
    })
}

fn say_problems(problems: &[Problem]) {
    for problem in problems.iter().take(MOST_SAID) {
        output::failure(&anyhow!("{problem}"));
    }
    let more = problems.len().saturating_sub(MOST_SAID);
    if more > 0 {
        output::failure(&anyhow!("{more} more; 'whocalls verify' names all"));
    }
}

fn refused() -> Exit {
    let help =
        "the case is damaged, and nothing was packed\nhelp: --damaged packs what can be read";
    output::failure(&anyhow!("{help}"));
    Exit::Damaged
}

/// In the folder that the case lies in, as the person named that.
fn beside(arguments: &PackArguments, is_encrypted: bool) -> Result<PathBuf> {
    let name = pack::file_name(&arguments.case, is_encrypted)?;
    if arguments.case.file_name().is_some() {
        return Ok(arguments.case.with_file_name(name));
    }
    let case = arguments.case.canonicalize();
    let case = case.with_context(|| format!("cannot read {}", arguments.case.display()))?;
    Ok(case.with_file_name(name))
}

/// Where nobody listens, nothing is said.
fn show_progress(at: Progress) {
    let percent = at.done_bytes.saturating_mul(100) / at.total_bytes.max(1);
    let line = format!(
        "\r\x1b[K{percent:3} %  {} of {}",
        bytes(at.done_bytes),
        bytes(at.total_bytes)
    );
    let _ = io::stderr().write_all(line.as_bytes());
}
