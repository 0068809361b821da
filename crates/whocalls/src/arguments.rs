//! The command line. Help, manual page and completions are made from this definition.

mod case;
mod check;
mod clock;
mod close;
mod diff;
mod duration;
mod end;
mod hyphen;
mod indicators;
mod lookup;
mod moment;
mod online;
mod record;
mod size;

use std::env;
use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::case::{
    ExportArguments, IdentityArguments, ImportArguments, OpenArguments, PackArguments,
    VerifyArguments, ZeekLog,
};
pub(crate) use self::check::CheckArguments;
pub(crate) use self::clock::ClockOffset;
use self::clock::clock_offset;
pub(crate) use self::close::CloseArguments;
pub(crate) use self::diff::DiffArguments;
use self::duration::{seconds, time};
pub(crate) use self::end::EndArguments;
pub(crate) use self::indicators::{
    AddArguments, Indicators, IndicatorsArguments, Kind, ListIndicatorsArguments, RemoveArguments,
};
pub(crate) use self::lookup::{BuildArguments, DataArguments, LookupArguments};
pub(crate) use self::moment::{Moment, moment, of_day};
pub(crate) use self::online::OnlineArguments;
pub(crate) use self::record::{CopyPrograms, OwnerConsent, RecordArguments, RecordDepth, Running};

use crate::platform;

/// What all commands take stands after what a command takes itself.
const LAST: usize = 900;

/// Lines that are kept for a slow reader.
const QUEUE: u32 = 65_536;

/// Who calls? Shows every network connection of this computer with the process behind it.
///
/// Without a command: watch on a terminal, else list. whocalls sends nothing, changes nothing but what `close` and
/// `end` are asked for, and writes only where it is told.
#[derive(Args, Debug)]
#[command(version, about, long_about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something was lost during the run, or cannot be \
                  seen and --strict was given, 4 a case is damaged or was changed, 10 check or diff found \
                  what --fail-on asked about, 130 Ctrl-C twice."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// When to use colour; NO_COLOR in the environment means never
    #[arg(
        long,
        global = true,
        display_order = LAST,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub(crate) color: Color,

    /// Say nothing on standard error but errors
    #[arg(short, long, global = true, display_order = LAST + 1, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say on standard error also how the look was taken
    #[arg(short, long, global = true, display_order = LAST + 2)]
    pub(crate) verbose: bool,

    /// Exit with 3 when something cannot be seen from here
    #[arg(long, global = true, display_order = LAST + 3)]
    pub(crate) strict: bool,
}

impl CommandFactory for Arguments {
    fn command() -> clap::Command {
        platform::adapted(Self::augment_args(clap::Command::new("whocalls")))
    }

    fn command_for_update() -> clap::Command {
        Self::augment_args_for_update(clap::Command::new("whocalls"))
    }
}

impl Parser for Arguments {
    fn try_parse() -> Result<Self, clap::Error> {
        let arguments: Vec<_> = env::args_os().collect();
        Self::try_parse_from(&arguments).map_err(|error| hyphen::explained(error, &arguments))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// One look at this computer: its connections, or its processes
    List(ListArguments),
    /// The live screen, or a line for each thing that happens: every attempt, connection and
    /// datagram, with its process
    Watch(WatchArguments),
    /// Everything into a case: a folder with all events and packets, with the process on each, sealed
    Record(RecordArguments),
    /// The screen on a case
    Open(OpenArguments),
    /// What is known bad or otherwise worth a look, here or in a case; and what could not be checked
    Check(CheckArguments),
    /// What is new, changed or gone: of two cases or looks, or of one and this computer now
    Diff(DiffArguments),
    /// Whether a case is as it was when it was recorded
    Verify(VerifyArguments),
    /// A case as one file, encrypted where that is wanted
    Pack(PackArguments),
    /// Captures, logs and lists of other tools into a case: copied untouched, with a new seal
    Import(ImportArguments),
    /// What a case holds, for other programs: packets, connections, events
    Export(ExportArguments),
    /// Lists of known bad addresses, names and files: those in the program, and your own
    Indicators(IndicatorsArguments),
    /// What is known here of an address, a name or a hash; with --online what others say
    Lookup(LookupArguments),
    /// The tables that `lookup` reads: what is in them, and how to make newer ones
    #[command(subcommand)]
    Data(DataArguments),
    /// Close one TCP connection; asks before
    Close(CloseArguments),
    /// End one process; asks before
    End(EndArguments),
    /// What can be seen here, what not, and how to mend it
    Doctor,
    /// Completions for a shell
    Completions { shell: Shell },
    /// The manual page, of whocalls or of one of its commands
    Man { command: Option<String> },
}

#[derive(Args, Debug, Default)]
#[command(after_help = "\
Examples:
  whocalls list                            every connection, outgoing first
  whocalls list -a                         with listeners and sockets open to anyone
  whocalls list 'proc:firefox or port:443' some of them
  whocalls list --processes                every process, also without a connection
  whocalls list --before                   who this computer talked to before we looked
  whocalls list CASE                       everything that a recording holds
  whocalls list CASE --at 10:15:00         what stood open then
  whocalls list capture.pcap conn.log      what captures and logs of other tools hold (docs/imports.md)")]
pub(crate) struct ListArguments {
    /// The folder of a case, or captures, logs and lists of other tools, to look at these and not at
    /// this computer; then show only what matches: proc:curl dst:10.0.0.0/8 port:443
    /// state:established ... (docs/filter.md)
    #[arg(value_name = "CASE|FILE|FILTER")]
    pub(crate) words: Vec<String>,

    /// The same, for terms that begin with a hyphen: --filter=-proc:firefox
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub(crate) filter: Vec<String>,

    /// Also listeners, and sockets open to anyone
    #[arg(short, long)]
    pub(crate) all: bool,

    /// Only listeners, and sockets open to anyone
    #[arg(short, long, conflicts_with = "all")]
    pub(crate) listening: bool,

    /// Only TCP; with --udp both
    #[arg(short, long)]
    pub(crate) tcp: bool,

    /// Only UDP; with --tcp both
    #[arg(short, long)]
    pub(crate) udp: bool,

    /// Port numbers without the names of services
    #[arg(short, long)]
    pub(crate) numeric: bool,

    /// Every process, also without a connection
    #[arg(long, conflicts_with_all = ["before", "csv", "group"])]
    pub(crate) processes: bool,

    /// What the computer still remembers of connections that are over
    #[arg(long, conflicts_with_all = [
        "csv", "group", "words", "filter", "sort", "reverse", "all", "listening", "tcp", "udp",
    ])]
    pub(crate) before: bool,

    /// Order of the rows; outgoing connections first when not given
    #[arg(long, value_name = "COLUMN")]
    pub(crate) sort: Option<Sort>,

    /// Turn the order round
    #[arg(short, long, action = ArgAction::SetTrue)]
    pub(crate) reverse: bool,

    /// Put rows together under a heading
    #[arg(long, value_name = "BY")]
    pub(crate) group: Option<Group>,

    /// One JSON document (docs/json.md)
    #[arg(long, group = "format")]
    pub(crate) json: bool,

    /// JSON, a line for each thing
    #[arg(long, group = "format")]
    pub(crate) ndjson: bool,

    /// Comma-separated values with a heading
    #[arg(long, group = "format")]
    pub(crate) csv: bool,

    /// Of a case: what stood open at this time: 2026-11-22T10:15:00Z, or the first 10:15:00 since it
    /// began, in UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) at: Option<Moment>,

    /// Of captures and logs: the clock of a source was wrong: add this to its times; +90s, -1h30m,
    /// FILE=+90s; may be given again
    #[arg(long, value_name = "[FILE=]TIME", allow_hyphen_values = true, value_parser = clock_offset)]
    pub(crate) clock_offset: Vec<ClockOffset>,

    #[command(flatten)]
    pub(crate) identity: IdentityArguments,

    /// Look again every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) watch: Option<Duration>,

    /// Read by netlink and /proc only, even where BPF works
    #[arg(long)]
    pub(crate) polling: bool,
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls watch                               the live screen; ? shows its keys
  whocalls watch proc:firefox                  only what firefox does
  whocalls watch --ndjson                      everything, until Ctrl-C
  whocalls watch --ndjson --for 5m proc:curl   what curl does in the next five minutes
  whocalls watch --ndjson state:failed         every connection that did not come about
  whocalls watch --ndjson --until-exit -- curl https://example.com/
                                               what this program does, and all that it starts

Exit codes: 0 done, also after Ctrl-C; 1 failed; 2 wrong usage; 3 the kernel or the queue had no
room and something was lost, or something cannot be seen and --strict was given; 130 Ctrl-C twice.
How PROGRAM ended does not count; the last line tells it.")]
pub(crate) struct WatchArguments {
    /// Show only what matches: proc:curl dst:10.0.0.0/8 state:failed name:*.org ... (docs/filter.md)
    #[arg(value_name = "FILTER")]
    pub(crate) words: Vec<String>,

    /// The same, for terms that begin with a hyphen: --filter=-proc:firefox
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub(crate) filter: Vec<String>,

    /// JSON, a line for each thing that happens (docs/json.md)
    #[arg(long)]
    pub(crate) ndjson: bool,

    /// End after this time: 30s, 5m, 1h30m, 2d; without a unit it is seconds; at most 3650d
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<Duration>,

    /// How often to refresh the screen, and to count what has gone over open connections; 1 on the
    /// screen, else 2
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) refresh: Option<Duration>,

    /// Colours of the screen
    #[arg(
        long,
        value_name = "COLOURS",
        default_value = "usual",
        conflicts_with = "ndjson"
    )]
    pub(crate) colors: ScreenColors,

    /// Draw the screen with ASCII characters only
    #[arg(long, conflicts_with = "ndjson")]
    pub(crate) ascii: bool,

    /// Leave the mouse to the terminal, so that text can be selected
    #[arg(long, conflicts_with = "ndjson")]
    pub(crate) no_mouse: bool,

    /// Read by netlink and /proc only, even where BPF works
    #[arg(long)]
    pub(crate) polling: bool,

    /// Keep the rights to close connections and to end processes, in a process of its own; each is
    /// asked about before
    #[arg(long)]
    pub(crate) allow_actions: bool,

    /// How many lines to keep for a reader who is slow, from 16 to 10000000; further ones are lost,
    /// and counted
    #[arg(long, value_name = "LINES", default_value_t = QUEUE, value_parser = clap::value_parser!(u32).range(16..=10_000_000))]
    pub(crate) queue: u32,

    /// Start PROGRAM, show only what it and all that it starts do, and end with the last of them
    #[arg(long, requires = "program")]
    pub(crate) until_exit: bool,

    /// The program and its arguments
    #[arg(last = true, value_name = "PROGRAM", requires = "until_exit")]
    pub(crate) program: Vec<OsString>,
}

impl Default for WatchArguments {
    /// As if nothing were said but `watch`.
    fn default() -> Self {
        Self {
            words: Vec::new(),
            filter: Vec::new(),
            ndjson: false,
            time: None,
            refresh: None,
            colors: ScreenColors::default(),
            ascii: false,
            no_mouse: false,
            polling: false,
            allow_actions: false,
            queue: QUEUE,
            until_exit: false,
            program: Vec::new(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScreenColors {
    /// One colour; red and amber are left to findings
    #[default]
    Usual,
    /// New rows green, changed ones yellow, ended ones red
    Tcpview,
    /// None
    Mono,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    Process,
    Pid,
    User,
    Protocol,
    State,
    Local,
    Remote,
    Sent,
    Received,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Group {
    Process,
    Remote,
    User,
}

impl From<Sort> for show::order::Sort {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Process => Self::Process,
            Sort::Pid => Self::Pid,
            Sort::User => Self::User,
            Sort::Protocol => Self::Protocol,
            Sort::State => Self::State,
            Sort::Local => Self::Local,
            Sort::Remote => Self::Remote,
            Sort::Sent => Self::Sent,
            Sort::Received => Self::Received,
        }
    }
}
