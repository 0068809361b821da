//! `whocalls check`: what the rules find on this computer, in a case, or in captures and logs of other
//! tools, and what they could not look at.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use model::Snapshot;
use record::case::OpenCase;
use show::findings::Checked;
use track::Limits;

use super::case::{self, Wanted};
use super::evidence::{self, Evidence};
use super::imports::{self, Imports};
use super::{answers, known, looked};
use crate::arguments::CheckArguments;
use crate::exit::{self, Exit};
use crate::output::{self, Talk, Usage};

pub(crate) fn run(check: &CheckArguments, strict: bool, talk: Talk) -> Result<Exit> {
    let (evidence, words) = evidence::named(&check.words)?;
    if !words.is_empty() {
        return Err(evidence::missing(words));
    }
    if check.as_recorded && !matches!(evidence, Some(Evidence::Case(_))) {
        return Err(Usage("--as-recorded is of a case".to_owned()).into());
    }
    if let Some(Evidence::Case(case)) = &evidence {
        answers::load_of(case, talk);
    }
    let lists = known::open(check.indicators.as_deref(), talk)?;
    let exit = match evidence {
        None => this_computer(check, strict),
        Some(Evidence::Case(case)) => of_case(check, &case, strict, talk),
        Some(Evidence::Files(files)) => of_files(check, &files, strict, talk),
    };
    Ok(exit?.and(exit::of_lists(lists.is_damaged)))
}

fn this_computer(check: &CheckArguments, strict: bool) -> Result<Exit> {
    let snapshot = looked::judged(check.polling, check.wait)?;
    write(check, &snapshot)?;
    let found = found(check, &snapshot);
    Ok(found.and(exit::after_look(&snapshot, strict)))
}

/// What was recorded and what was imported into it.
fn of_case(check: &CheckArguments, case: &Path, strict: bool, talk: Talk) -> Result<Exit> {
    let case = case::open(case, &check.identity)?;
    let (limits, wanted) = match check.as_recorded {
        true => (recorded(&case)?, Wanted::Recording),
        false => (Limits::CASE, Wanted::WithImports),
    };
    let told = case::replay(&case, None, wanted, limits, &mut |_| {}, talk)?;
    let (snapshot, missing) = told;
    let snapshot = known::judged(snapshot);
    write(check, &snapshot)?;
    case::say_missing(&missing, talk);
    let found = found(check, &snapshot).and(missing.exit());
    let exit = found.and(exit::with_gaps(&snapshot.gaps, strict));
    keep(snapshot);
    Ok(exit)
}

/// What the recording kept at most of what the rules read; never more than is kept of any case.
///
/// Errors: the case does not tell.
fn recorded(case: &OpenCase) -> Result<Limits> {
    let told = case.about().and_then(|it| it.more.get("judged_with"));
    let limit = |name: &str, most: usize| {
        let limit = told.and_then(|it| it.get("limits")?.get(name)?.as_u64());
        let limit = limit.context("the case does not tell with which limits it was judged");
        limit.map(|it| usize::try_from(it).unwrap_or(most).min(most))
    };
    Ok(Limits {
        pairs: limit("pairs", Limits::CASE.pairs)?,
        calls_per_pair: limit("calls_per_pair", Limits::CASE.calls_per_pair)?,
        calls: limit("calls", Limits::CASE.calls)?,
        ended_processes: limit("ended_processes", Limits::CASE.ended_processes)?,
        ..Limits::default()
    })
}

fn of_files(check: &CheckArguments, files: &[PathBuf], strict: bool, talk: Talk) -> Result<Exit> {
    let mut imports = Imports::of(files, &check.clock_offset)?;
    let snapshot = imports::read_all(&mut imports, imports::LIMITS, &mut |_| {}, talk)?;
    let snapshot = known::judged(snapshot);
    write(check, &snapshot)?;
    imports.say(talk);
    let found = found(check, &snapshot).and(imports.exit());
    let exit = found.and(exit::with_gaps(&snapshot.gaps, strict));
    keep(snapshot);
    Ok(exit)
}

fn write(check: &CheckArguments, snapshot: &Snapshot) -> Result<()> {
    let rules: Vec<_> = judge::rules().collect();
    let mut out = output::stdout()?;
    let written = if check.json {
        show::json::checked(snapshot, &rules, &mut out)
    } else if check.ndjson {
        show::json::findings_as_lines(snapshot, &mut out)
    } else {
        let checked = Checked {
            snapshot,
            rules: &rules,
        };
        show::findings::lines(checked, output::terminal_width(), &mut out)
    };
    written.context("cannot write to standard output")
}

/// The program ends now, and all of its memory with it: to take a million connections apart one by one
/// would be a twentieth of the work.
fn keep(snapshot: Snapshot) {
    std::mem::forget(snapshot);
}

/// Whether there is one that was asked about.
fn found(check: &CheckArguments, snapshot: &Snapshot) -> Exit {
    let Some(least) = check.fail_on else {
        return Exit::Done;
    };
    let is_found = snapshot
        .findings
        .iter()
        .any(|it| it.severity >= least.into());
    if is_found { Exit::Found } else { Exit::Done }
}
