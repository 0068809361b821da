//! `whocalls doctor`: what can be seen here, what not, and how to mend it.

use anyhow::{Context, Result};
use model::Doctor;

use crate::exit::{self, Exit};
use crate::output;

pub(crate) fn run(strict: bool) -> Result<Exit> {
    let mut doctor = observe::doctor()?;
    let exit = exit::with_gaps(&doctor.gaps, strict);
    say_once(&mut doctor);
    let mut text = Vec::new();
    show::doctor::report(&doctor, output::terminal_width(), &mut text)?;
    let mut out = output::stdout()?;
    std::io::Write::write_all(&mut out, &text).context("cannot write to standard output")?;
    Ok(exit)
}

/// Leaves out what is said beside it, in more words.
fn say_once(doctor: &mut Doctor) {
    let helps = doctor.checks.iter().filter_map(|check| check.help.clone());
    let helps: Vec<_> = helps.collect();
    for check in &mut doctor.checks {
        let says_more = |help: &String, other: &String| {
            other.len() > help.len() && other.starts_with(help.as_str())
        };
        check
            .help
            .take_if(|help| helps.iter().any(|other| says_more(help, other)));
    }
    // Where little can be seen at all, the check of each right that is missing says enough.
    let is_told = |id: &str| doctor.gaps.iter().any(|gap| gap.id == id);
    if is_told("no_rights") && is_told("no_events") {
        doctor
            .gaps
            .retain(|gap| !gap.id.starts_with("right_missing_"));
    }
}
