//! `whocalls doctor`: what can be seen here, what not, and how to mend it.

use anyhow::{Context, Result};

use crate::exit::{self, Exit};
use crate::output;

pub(crate) fn run(strict: bool) -> Result<Exit> {
    let doctor = observe::doctor()?;
    let mut text = Vec::new();
    show::doctor::report(&doctor, output::terminal_width(), &mut text)?;
    let mut out = output::stdout()?;
    std::io::Write::write_all(&mut out, &text).context("cannot write to standard output")?;
    Ok(exit::with_gaps(&doctor.gaps, strict))
}
