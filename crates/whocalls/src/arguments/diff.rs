//! The arguments of `diff`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::check::Severity;
use super::clock::clock_offset;
use super::duration::time;
use super::{ClockOffset, IdentityArguments};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls diff MONDAY FRIDAY             two recordings of one computer
  whocalls diff MONDAY                    a recording, and this computer as it is now
  whocalls list -a --processes --json > monday.json
  whocalls diff monday.json               a look that was saved, and this computer now
  whocalls diff OFFICE-1 OFFICE-2         two computers that should be alike
  whocalls diff before.pcapng after.pcapng    captures and logs of other tools (docs/imports.md)

Compared is what stays the same from start to start: programs by their path, other ends by their
name or network, listeners by program and port. Nothing new means: nothing new in what both sides
show; what could not be compared is said. docs/diff.md has the rest.

Exit codes: 0 done, also when something differs; 1 failed, 2 wrong usage, 3 something was lost, or
cannot be seen and --strict was given, 4 a case or a list of indicators is damaged, 10 something
new or changed is as severe as --fail-on, or more. Of several the first of 2, 4, 1, 10, 3.")]
pub(crate) struct DiffArguments {
    /// What there was before: the folder of a case, a look that `list --json` wrote, or a capture, log
    /// or list of another tool, or a folder of them
    #[arg(value_name = "BEFORE")]
    pub(crate) before: String,

    /// What there was after it; this computer as it is now when nothing is named
    #[arg(value_name = "AFTER")]
    pub(crate) after: Option<String>,

    /// Tell also one by one what is ordinary, and else only counted
    #[arg(short, long)]
    pub(crate) all: bool,

    /// One JSON document (docs/json.md), with all that differs
    #[arg(long)]
    pub(crate) json: bool,

    /// Exit with 10 when something that is new or changed is of this severity, or of a higher one
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,

    /// How long the files of programs may be read at most, of this computer; what is not finished then
    /// is said to be
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time)]
    pub(crate) wait: Duration,

    /// Where lists of indicators are, when they are not beside whocalls
    #[arg(long, value_name = "FOLDER")]
    pub(crate) indicators: Option<PathBuf>,

    /// Of captures and logs: the clock of a source was wrong: add this to its times; +90s, -1h30m,
    /// FILE=+90s; may be given again
    #[arg(long, value_name = "[FILE=]TIME", allow_hyphen_values = true, value_parser = clock_offset)]
    pub(crate) clock_offset: Vec<ClockOffset>,

    #[command(flatten)]
    pub(crate) identity: IdentityArguments,

    /// Read by netlink and /proc only, even where BPF works
    #[arg(long)]
    pub(crate) polling: bool,
}
