//! What `whocalls record` takes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::duration::time;
use super::size::size;

/// All rings together, in bytes.
const RING: &str = "256M";

#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  whocalls record --into /media/stick          everything, until Ctrl-C
  whocalls record --into . --for 1h --depth headers
                                               one hour, only the beginning of each packet
  whocalls record --into . -- curl https://example.com/
                                               while this program and all that it starts runs
  whocalls record --into . --max-size 10G      for days; the oldest packets go when it is full
  whocalls record --screen --into .            with the live screen
  whocalls record status                       what is being recorded on this computer

A case is a folder. Open it, preferably on another computer, with: whocalls open CASE

Exit codes: 0 done, also after Ctrl-C; 1 failed; 2 wrong usage; 3 something was lost, or the disk
was full and it stopped, or something cannot be seen and --strict was given; 130 Ctrl-C twice. How
PROGRAM ended does not count."
)]
pub(crate) struct RecordArguments {
    #[command(subcommand)]
    pub(crate) running: Option<Running>,

    /// The folder in which the case, a new folder, is made; then nothing is asked. Not given: beside
    /// whocalls when that lies on a removable drive, else you are asked
    #[arg(long, value_name = "FOLDER")]
    pub(crate) into: Option<PathBuf>,

    /// End after this time: 30s, 5m, 1h30m, 2d; without a unit it is seconds; at most 3650d
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<Duration>,

    /// Never let the case grow beyond this: 500M, 10G. The oldest packets are let go, then the
    /// oldest events; the log of the case says which
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) max_size: Option<u64>,

    /// How much of each packet: all of it, its first 128 bytes, or no packets
    #[arg(long, value_name = "DEPTH")]
    pub(crate) depth: Option<RecordDepth>,

    /// Memory for packets that wait, of all network namespaces together; never more than a quarter
    /// of what is available
    #[arg(long, value_name = "SIZE", default_value = RING, value_parser = size)]
    pub(crate) ring: u64,

    /// Which program files to copy into the case
    #[arg(long, value_name = "WHICH", default_value = "suspect")]
    pub(crate) copy_programs: CopyPrograms,

    /// For the record: the number of the case
    #[arg(long, value_name = "TEXT")]
    pub(crate) case_number: Option<String>,

    /// For the record: who records
    #[arg(long, value_name = "NAME")]
    pub(crate) examiner: Option<String>,

    /// For the record: whether the owner of this computer has agreed
    #[arg(long, value_name = "ANSWER", default_value = "unknown")]
    pub(crate) owner_consent: OwnerConsent,

    /// For the record: what for
    #[arg(long, value_name = "TEXT")]
    pub(crate) purpose: Option<String>,

    /// For the record: what a telephone shows at this moment, HH:MM or HH:MM:SS, in the time zone of
    /// this computer; how far its clock is off is kept
    #[arg(long, value_name = "TIME")]
    pub(crate) phone_time: Option<String>,

    /// Encrypt the case to this public key (age1...); may be given again. A file key.txt beside
    /// whocalls, with one public key a line, does the same. Opening it takes the private one
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) recipient: Vec<String>,

    /// Leave the arguments of programs out of the packet files; they may hold passwords. The events
    /// keep them
    #[arg(long)]
    pub(crate) no_cmdline: bool,

    /// Show the live screen meanwhile
    #[arg(long, conflicts_with_all = ["service", "program"])]
    pub(crate) screen: bool,

    /// With --screen: keep the rights to close connections and to end processes, in a process of its
    /// own; each is asked about before
    #[arg(long, requires = "screen")]
    pub(crate) allow_actions: bool,

    /// For a service manager: ask nothing, show no progress
    #[arg(long, requires = "into")]
    pub(crate) service: bool,

    /// Read by netlink and /proc only, even where BPF works
    #[arg(long)]
    pub(crate) polling: bool,

    /// Start PROGRAM, and end with it and all that it starts; all else is recorded, too
    #[arg(last = true, value_name = "PROGRAM")]
    pub(crate) program: Vec<OsString>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Running {
    /// What is being recorded on this computer
    Status {
        /// One JSON document (docs/json.md)
        #[arg(long)]
        json: bool,
    },
    /// End a recording cleanly, with its seal
    Stop {
        /// Its number, as `record status` shows it; not needed when there is one only
        pid: Option<u32>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RecordDepth {
    /// Whole packets; they may contain passwords, messages and names of sources
    Full,
    /// The first 128 bytes of each packet
    Headers,
    /// No packets
    Events,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CopyPrograms {
    /// Each that runs or starts
    All,
    /// Those that were deleted, live in memory only, lie in temporary or hidden folders, are of no
    /// package, or are not as their package has them
    Suspect,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OwnerConsent {
    Yes,
    No,
    Unknown,
}
