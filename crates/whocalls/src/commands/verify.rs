//! `whocalls verify`: whether a case is as it was recorded.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result};
use record::case::{Interrupted, Outcome, Problem, Seal, Verified, verify};
use show::quantity::bytes;
use show::visible::harmless;

use super::case::damage::MOST_SAID;
use super::case::is_being_recorded;
use crate::arguments::VerifyArguments;
use crate::exit::Exit;
use crate::output::{self, Talk, Usage};

pub(crate) fn run(arguments: &VerifyArguments, talk: Talk) -> Result<Exit> {
    if let Some(seal) = &arguments.seal
        && Seal::parse(seal).is_none()
    {
        let text = format!(
            "'{seal}' is not a seal\nhelp: it has 32 digits, 0 to 9 and a to f; blanks between them \
             do not matter"
        );
        return Err(Usage(text).into());
    }
    if let [case] = arguments.cases.as_slice() {
        return check(case, arguments.seal.as_deref(), talk);
    }
    if arguments.seal.is_some() {
        let text = "a seal is that of one case\nhelp: name that case alone";
        return Err(Usage(text.to_owned()).into());
    }
    let mut worst = Exit::Done;
    for case in &arguments.cases {
        let heading = harmless(&case.to_string_lossy()).replace('\n', "‹U+000A›");
        output::stdout()?
            .write_all(format!("{heading}:\n").as_bytes())
            .context("cannot write to standard output")?;
        let came = check(case, None, talk).unwrap_or_else(|error| {
            output::talk(&format!("whocalls: {error:#}\n"));
            Exit::Failed
        });
        worst = worst.and(came);
    }
    Ok(worst)
}

/// Checks one case, and says what came of it.
fn check(case: &Path, seal: Option<&str>, talk: Talk) -> Result<Exit> {
    let verified = verify(case, seal)?;
    let is_live = verified.outcome == Outcome::Unsealed && is_being_recorded(case);
    let text = text(&verified, seal.is_some(), is_live);
    output::stdout()?
        .write_all(harmless(&text).as_bytes())
        .context("cannot write to standard output")?;
    say_strangers(&verified.strangers, "was not checked", talk);
    Ok(match verified.outcome {
        Outcome::Sealed => Exit::Done,
        Outcome::Unsealed => Exit::Lost,
        Outcome::Changed => Exit::Damaged,
    })
}

/// Names what lies in the folder and is none of the case, and says what became of it.
pub(super) fn say_strangers(strangers: &[String], what: &str, talk: Talk) {
    for stranger in strangers.iter().take(MOST_SAID) {
        talk.say(&format!(
            "{stranger} does not belong to the case and {what}.\n"
        ));
    }
    let more = strangers.len().saturating_sub(MOST_SAID);
    if more > 0 {
        talk.say(&format!("So it is with {more} more.\n"));
    }
}

/// What came of it, for people.
fn text(verified: &Verified, was_given: bool, is_live: bool) -> String {
    let mut text = String::new();
    let checked = format!("{} files, {}", verified.files, bytes(verified.bytes));
    let _ = match verified.outcome {
        Outcome::Sealed => writeln!(text, "Unchanged since it was sealed: {checked}."),
        Outcome::Unsealed if is_live => writeln!(
            text,
            "Still being recorded, and what was closed is unchanged: {checked}. It has its seal when \
             the recording has ended."
        ),
        Outcome::Unsealed => writeln!(
            text,
            "Not sealed, and what was closed is unchanged: {checked}. The recording was interrupted, \
             or something was added later."
        ),
        Outcome::Changed if verified.problems.iter().all(is_other_seal) => writeln!(
            text,
            "ANOTHER SEAL. The files fit together ({checked}), and are not those that were sealed with \
             the seal that you gave: another case, or one that was made again."
        ),
        Outcome::Changed => writeln!(text, "CHANGED OR DAMAGED. {checked} are as they were."),
    };
    for problem in &verified.problems {
        let _ = writeln!(text, "  {problem}");
    }
    for part in &verified.interrupted {
        let _ = writeln!(text, "  {}", interrupted(part));
    }
    if verified.seals.len() > 1 {
        let count = verified.seals.len();
        let _ = writeln!(
            text,
            "Sealed {count} times; each seal stands for all that was in the case when it was made, and \
             stays valid."
        );
    }
    for (number, seal) in (1..).zip(&verified.seals) {
        let which = if verified.seals.len() > 1 {
            format!("seal {number}")
        } else {
            "seal".to_owned()
        };
        let _ = writeln!(text, "{which}  {seal}");
    }
    if verified.outcome == Outcome::Sealed && !was_given {
        text.push_str(
            "Compare it with the seal that was written down when the recording ended: whoever changes \
             all files can make another seal, and not the same.\n",
        );
    }
    text
}

fn is_other_seal(problem: &Problem) -> bool {
    matches!(problem, Problem::OtherSeal { .. })
}

fn interrupted(part: &Interrupted) -> String {
    let Interrupted {
        file,
        bytes: length,
        readable_bytes,
    } = part;
    match readable_bytes {
        Some(readable) => format!(
            "{file}: was being written; {} of {} can be read",
            bytes(*readable),
            // It may have grown while it was read.
            bytes(*length.max(readable))
        ),
        None => format!(
            "{file}: was being written, {}; the key is needed to tell how much can be read",
            bytes(*length)
        ),
    }
}
