//! `whocalls diff`: what two cases or looks differ in; or one, and this computer as it is now.

#[cfg(test)]
mod pages;
mod side;

use anyhow::{Context, Result};
use model::{Comparison, DifferenceChange};
use show::comparison::Options;

use self::side::{Read, Source};
use super::{imports, known};
use crate::arguments::{Color, DiffArguments};
use crate::exit::{self, Exit};
use crate::output::{self, Talk};

pub(crate) fn run(diff: &DiffArguments, color: Color, strict: bool, talk: Talk) -> Result<Exit> {
    let before = Source::named(&diff.before)?;
    let after = match &diff.after {
        Some(word) => Source::named(word)?,
        None => Source::Now,
    };
    let named: Vec<_> = [&before, &after]
        .into_iter()
        .filter_map(Source::path)
        .collect();
    imports::check_offsets(&named, &diff.clock_offset)?;
    let lists = known::open(diff.indicators.as_deref(), talk)?;
    // One after the other: what is left of one is small.
    let before = side::read(&before, diff, talk)?;
    let after = side::read(&after, diff, talk)?;
    let exit = said(&before, talk).and(said(&after, talk));
    let comparison = judge::compare(before.outline, after.outline);
    write(diff, color, &comparison)?;
    let gaps = [&comparison.before.gaps, &comparison.after.gaps];
    let strict = gaps.map(|it| exit::with_gaps(it, strict));
    let [first, second] = strict;
    let exit = exit.and(first).and(second).and(found(diff, &comparison));
    Ok(exit.and(exit::of_lists(lists.is_damaged)))
}

/// What was not read of a side, and what the command ends with for it.
fn said(read: &Read, talk: Talk) -> Exit {
    talk.say(&read.talk);
    read.exit
}

fn write(diff: &DiffArguments, color: Color, comparison: &Comparison) -> Result<()> {
    let mut out = output::stdout()?;
    let written = if diff.json {
        show::json::compared(comparison, &mut out)
    } else {
        let options = Options {
            width: output::terminal_width(),
            color: output::wants_color(color),
            all: diff.all,
        };
        show::comparison::lines(comparison, options, &mut out)
    };
    written.context("cannot write to standard output")
}

/// Whether something came or changed that was asked about. That something is gone is no alarm.
fn found(diff: &DiffArguments, comparison: &Comparison) -> Exit {
    let Some(least) = diff.fail_on else {
        return Exit::Done;
    };
    let least = model::Severity::from(least);
    let mut differences = comparison.differences.iter();
    let is_found = differences
        .any(|it| it.change != DifferenceChange::Gone && it.severity >= least && !it.ordinary);
    if is_found { Exit::Found } else { Exit::Done }
}
