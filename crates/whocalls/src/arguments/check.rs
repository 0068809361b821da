//! The arguments of `check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::clock::clock_offset;
use super::duration::time;
use super::{ClockOffset, IdentityArguments};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls check                          this computer, as it is now
  whocalls check CASE                     all that a recording holds
  whocalls check capture.pcap conn.log    captures and logs of other tools (docs/imports.md)
  whocalls check --json --fail-on medium  for a script: 10 when something is at least medium

Nothing found means: nothing found by these rules in what was seen. docs/judging.md has each
rule, and what may be innocent about it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something was lost, or cannot be seen and --strict
was given, 4 the case or a list of indicators is damaged, 10 something is as severe as --fail-on,
or more. Of several the first of 2, 4, 1, 10, 3.")]
pub(crate) struct CheckArguments {
    /// The folder of a case, or captures, logs and lists of other tools; this computer when nothing is
    /// named
    #[arg(value_name = "CASE|FILE")]
    pub(crate) words: Vec<String>,

    /// One JSON document (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,

    /// JSON, a line for each finding; of a case the same as its derived/findings.ndjson
    #[arg(long, conflicts_with = "json")]
    pub(crate) ndjson: bool,

    /// Exit with 10 when there is a finding of this severity, or of a higher one
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<Severity>,

    /// Of a case: only what was recorded, and no more of it at once than the recording kept: to compare
    /// with its derived/findings.ndjson. Else more is kept, imports and packets are read, and more may
    /// be found
    #[arg(long)]
    pub(crate) as_recorded: bool,

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

/// What it would mean if true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Severity {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

impl From<Severity> for model::Severity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Informational => Self::Informational,
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
            Severity::Critical => Self::Critical,
        }
    }
}
