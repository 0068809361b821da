//! `whocalls end`: ends one process, after a question.

use std::io::Write;

use anyhow::{Context, Result, anyhow};
use model::Process;
use observe::actions::{How, Outcome, ProcessTarget, end_process};
use observe::{LookOptions, Observer};
use show::actions::{END_WORD, end_question};
use show::visible::visible;

use super::confirm;
use crate::arguments::EndArguments;
use crate::exit::Exit;
use crate::output;
use crate::platform::STILL_RUNS;

/// The start of a process is printed anew by each run, by way of a clock that may be steered.
const SAME_NANOS: u64 = 1_000_000_000;

pub(crate) fn run(end: &EndArguments) -> Result<Exit> {
    confirm::check(end.yes)?;
    let look = Observer::open(true)?.look(LookOptions {
        every_process: true,
        remembered: false,
    })?;
    let process = look
        .processes
        .iter()
        .find(|process| process.id.pid == end.pid)
        .ok_or_else(|| anyhow!("cannot end process {}: there is none", end.pid))?;
    check_run(process, end)?;
    if !end.yes && !confirm::ask(&end_question(process), END_WORD)? {
        return Ok(Exit::Failed);
    }
    let (how, asked) = match (end.hard, cfg!(windows)) {
        (true, true) => (How::Hard, "not asked (TerminateProcess)"),
        (true, false) => (How::Hard, "not asked (SIGKILL)"),
        (false, true) => (How::Asked, "its windows were asked to close (WM_CLOSE)"),
        (false, false) => (How::Asked, "asked to (SIGTERM)"),
    };
    let name = format!("{} ({})", visible(&process.name), process.id.pid);
    let done = end_process(ProcessTarget::of(process.id), how)
        .map_err(|error| failed(&format!("cannot end {name}"), error))?;
    let ended = done.outcome == Outcome::Ended;
    let word = if ended { "ended" } else { "still runs" };
    let (at, id) = (done.at, process.id);
    writeln!(
        output::stdout()?,
        "{at} {word}: {name}, process {id}, {asked}"
    )
    .context("cannot write to standard output")?;
    if ended {
        return Ok(Exit::Done);
    }
    let help = if end.hard {
        STILL_RUNS
    } else {
        "--hard ends it without asking it"
    };
    Err(anyhow!(
        "{name} still runs two seconds after it was told to end\nhelp: {help}"
    ))
}

/// Errors: it is another run than the one that was meant.
fn check_run(process: &Process, end: &EndArguments) -> Result<()> {
    let (pid, started) = (process.id.pid, process.started);
    if let Some(id) = &end.id
        && *id != process.id.to_string()
    {
        return Err(anyhow!(
            "cannot end process {id}: number {pid} is process {} now, {}",
            process.id,
            visible(&process.name)
        ));
    }
    if let Some(meant) = end.started
        && let Some(started) = started
        && started.unix_nanos().abs_diff(meant.unix_nanos()) >= SAME_NANOS
    {
        return Err(anyhow!(
            "cannot end process {pid} that began at {meant}: the one with this number, {}, began at {started}",
            visible(&process.name)
        ));
    }
    Ok(())
}

/// What was tried, why it failed, and what the person can do.
pub(super) fn failed(what: &str, error: observe::actions::ActionError) -> anyhow::Error {
    match error.help() {
        Some(help) => anyhow!("{what}: {error}\nhelp: {help}"),
        None => anyhow!("{what}: {error}"),
    }
}
