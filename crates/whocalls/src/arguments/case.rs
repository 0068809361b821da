//! What the commands take that work on a case.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ScreenColors;
use super::clock::{ClockOffset, clock_offset};
use super::moment::{Moment, moment};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls open whocalls-laptop-20261122T101500Z-1f0c9a
  whocalls open CASE proc:firefox        only what firefox did
  whocalls open capture.pcapng conn.log  captures and logs of other tools (docs/imports.md)
  whocalls open CASE --identity private.txt
                                         one that was encrypted")]
pub(crate) struct OpenArguments {
    /// The folder of a case, or captures, logs and lists of other tools, and folders of them; then
    /// show only what matches (docs/filter.md)
    #[arg(value_name = "CASE|FILE|FILTER", required = true)]
    pub(crate) words: Vec<String>,

    /// The same, for terms that begin with a hyphen: --filter=-proc:firefox
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub(crate) filter: Vec<String>,

    /// The clock of a source was wrong: add this to its times; +90s, -1h30m, FILE=+90s; may be given
    /// again
    #[arg(long, value_name = "[FILE=]TIME", allow_hyphen_values = true, value_parser = clock_offset)]
    pub(crate) clock_offset: Vec<ClockOffset>,

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
    /// The folder of the case; several are checked one after the other
    #[arg(value_name = "CASE", required = true)]
    pub(crate) cases: Vec<PathBuf>,

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
#[command(after_help = "\
Examples:
  whocalls import CASE capture.pcapng conn.log
  whocalls import CASE evidence/              a folder, and all folders in it
  whocalls import CASE router.pcap --clock-offset -90s
  whocalls import CASE dump.raw --as-it-is    of no kind that whocalls knows yet
  whocalls import CASE eve.json --recipient age1...
                                              into a case that is encrypted

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 some files of a folder were left out, or the case has
no seal since its recording was interrupted; 4 the case is damaged or was changed, and nothing was
imported.")]
pub(crate) struct ImportArguments {
    /// The folder of the case
    #[arg(value_name = "CASE")]
    pub(crate) case: PathBuf,

    /// Captures, logs and lists of other tools, and folders of them (docs/imports.md)
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The clock of a source was wrong: add this to its times; +90s, -1h30m, FILE=+90s; may be given
    /// again. It is kept in the case; the file stays as it is
    #[arg(long, value_name = "[FILE=]TIME", allow_hyphen_values = true, value_parser = clock_offset)]
    pub(crate) clock_offset: Vec<ClockOffset>,

    /// Import also what is of no kind that whocalls knows: a later version may
    #[arg(long)]
    pub(crate) as_it_is: bool,

    /// For an encrypted case: encrypt to this public key (age1...); may be given again. Those of
    /// key.txt beside whocalls are always taken
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) recipient: Vec<String>,

    /// For an encrypted case: encrypt to the public keys in this file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) recipients_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
#[command(
    group = clap::ArgGroup::new("form").required(true),
    after_help = "\
Examples:
  whocalls export CASE --csv > connections.csv
  whocalls export CASE --zeek -o conn.log proc:updater
  whocalls export CASE --zeek=dns        which names were asked for, and the answers
  whocalls export capture.pcap --ecs     also of captures and logs of other tools
  whocalls export CASE --pcapng -o some.pcapng 'dst:203.0.113.9'
  whocalls export CASE --pcapng --wireshark 5 -o all.pcapng"
)]
pub(crate) struct ExportArguments {
    /// The folder of a case, or captures, logs and lists of other tools, and folders of them; then
    /// only what matches (docs/filter.md)
    #[arg(value_name = "CASE|FILE|FILTER", required = true)]
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

    /// As a log of Zeek: connections (conn), questions for names (dns), greetings of TLS (ssl)
    #[arg(
        long,
        group = "form",
        value_name = "LOG",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "conn",
        hide_possible_values = true
    )]
    pub(crate) zeek: Option<ZeekLog>,

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

    /// The clock of a source was wrong: add this to its times; +90s, -1h30m, FILE=+90s; may be given
    /// again
    #[arg(long, value_name = "[FILE=]TIME", allow_hyphen_values = true, value_parser = clock_offset)]
    pub(crate) clock_offset: Vec<ClockOffset>,

    #[command(flatten)]
    pub(crate) identity: IdentityArguments,
}

/// Which log of Zeek.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ZeekLog {
    Conn,
    Dns,
    Ssl,
}
