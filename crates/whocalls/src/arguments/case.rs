//! What the commands take that work on a case.

use std::path::PathBuf;

use clap::Args;

use super::ScreenColors;
use super::moment::{Moment, moment};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls open whocalls-laptop-20261122T101500Z-1f0c9a
  whocalls open CASE proc:firefox        only what firefox did
  whocalls open CASE --identity private.txt
                                         one that was encrypted")]
pub(crate) struct OpenArguments {
    /// The folder of the case
    #[arg(value_name = "CASE")]
    pub(crate) case: PathBuf,

    /// Show only what matches (docs/filter.md)
    #[arg(value_name = "FILTER")]
    pub(crate) words: Vec<String>,

    /// The same, for terms that begin with a hyphen: --filter=-proc:firefox
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub(crate) filter: Vec<String>,

    #[command(flatten)]
    pub(crate) identity: IdentityArguments,

    /// Colours of the screen
    #[arg(long, value_name = "COLOURS", default_value = "usual")]
    pub(crate) colors: ScreenColors,

    /// Draw the screen with ASCII characters only
    #[arg(long)]
    pub(crate) ascii: bool,

    /// Leave the mouse to the terminal, so that text can be selected
    #[arg(long)]
    pub(crate) no_mouse: bool,
}

#[derive(Args, Debug, Default)]
pub(crate) struct IdentityArguments {
    /// For an encrypted case: the file with the private key, as age-keygen writes it; may be given
    /// again
    #[arg(long, value_name = "FILE")]
    pub(crate) identity: Vec<PathBuf>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes: 0 sealed and unchanged; 1 no case, or of a newer format; 3 unchanged but never sealed,
as after a crash; 4 changed, missing or damaged. Without whocalls, in the folder of the case:
sha256sum -c manifest.sha256")]
pub(crate) struct VerifyArguments {
    /// The folder of the case
    #[arg(value_name = "CASE")]
    pub(crate) case: PathBuf,

    /// The seal that was written down when the recording ended: 32 digits; blanks do not matter
    #[arg(long, value_name = "SEAL")]
    pub(crate) seal: Option<String>,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls pack CASE                          CASE.zip, beside the case
  whocalls pack CASE --recipient age1...      CASE.zip.age, for whoever has that key")]
pub(crate) struct PackArguments {
    /// The folder of the case
    #[arg(value_name = "CASE")]
    pub(crate) case: PathBuf,

    /// The file to write; it must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Encrypt to this public key (age1...); may be given again
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) recipient: Vec<String>,

    /// Encrypt to the public keys in this file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) recipients_file: Option<PathBuf>,

    /// Pack also a case that is damaged: what can be read of it
    #[arg(long)]
    pub(crate) damaged: bool,
}

#[derive(Args, Debug)]
#[command(
    group = clap::ArgGroup::new("form").required(true),
    after_help = "\
Examples:
  whocalls export CASE --csv > connections.csv
  whocalls export CASE --zeek -o conn.log proc:updater
  whocalls export CASE --pcapng -o some.pcapng 'dst:203.0.113.9'
  whocalls export CASE --pcapng --wireshark 5 -o all.pcapng"
)]
pub(crate) struct ExportArguments {
    /// The folder of the case
    #[arg(value_name = "CASE")]
    pub(crate) case: PathBuf,

    /// Only what matches (docs/filter.md)
    #[arg(value_name = "FILTER")]
    pub(crate) words: Vec<String>,

    /// The same, for terms that begin with a hyphen: --filter=-proc:firefox
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub(crate) filter: Vec<String>,

    /// Packets, with the process on each
    #[arg(long, group = "form")]
    pub(crate) pcapng: bool,

    /// Connections as comma-separated values
    #[arg(long, group = "form")]
    pub(crate) csv: bool,

    /// All that happened, a line of JSON each (docs/json.md)
    #[arg(long, group = "form")]
    pub(crate) ndjson: bool,

    /// Connections in the Elastic Common Schema, a line each
    #[arg(long, group = "form")]
    pub(crate) ecs: bool,

    /// Connections as OCSF network activity, a line each
    #[arg(long, group = "form")]
    pub(crate) ocsf: bool,

    /// Connections as Zeek's conn.log
    #[arg(long, group = "form")]
    pub(crate) zeek: bool,

    /// With --pcapng: processes in the form that this version of Wireshark shows: 4 or 5
    #[arg(long, value_name = "VERSION", requires = "pcapng", value_parser = ["4", "5"])]
    pub(crate) wireshark: Option<String>,

    /// With --pcapng: a row for each event, between the packets
    #[arg(long, requires = "pcapng")]
    pub(crate) with_events: bool,

    /// The file to write; it must not be there yet. Not given: standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Connections as they stood at this time: 2026-11-22T10:15:00Z, or the first 10:15:00 since it
    /// began, in UTC
    #[arg(long, value_name = "TIME", conflicts_with_all = ["pcapng", "ndjson"], value_parser = moment)]
    pub(crate) at: Option<Moment>,

    #[command(flatten)]
    pub(crate) identity: IdentityArguments,
}
