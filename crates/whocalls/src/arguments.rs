//! The command line. Help, manual page and completions are made from this definition.

mod duration;

use std::ffi::OsString;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use self::duration::{seconds, time};

/// What all commands take stands after what a command takes itself.
const LAST: usize = 900;

/// Who calls? Shows every network connection of this computer with the process behind it.
///
/// Without a command: list. whocalls reads only; it sends nothing and changes nothing.
#[derive(Debug, Parser)]
#[command(name = "whocalls", version, about, long_about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something was lost during the run, or cannot be \
                  seen and --strict was given."
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
    /// What happens, while it happens: every attempt, connection and datagram, with its process
    Watch(WatchArguments),
    /// What can be seen here, what not, and how to mend it
    Doctor,
    /// Completions for a shell
    Completions { shell: Shell },
    /// The manual page, of whocalls or of one of its commands
    Man { command: Option<String> },
}

impl Default for Command {
    fn default() -> Self {
        Self::List(ListArguments::default())
    }
}

#[derive(Args, Debug, Default)]
#[command(after_help = "\
Examples:
  whocalls list                            every connection, outgoing first
  whocalls list -a                         with listeners and sockets open to anyone
  whocalls list 'proc:firefox or port:443' some of them
  whocalls list --processes                every process, also without a connection
  whocalls list --before                   who this computer talked to before we looked")]
pub(crate) struct ListArguments {
    /// Show only what matches: proc:curl dst:10.0.0.0/8 port:443 state:established ... (docs/filter.md)
    #[arg(value_name = "FILTER")]
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
  whocalls watch --ndjson                      everything, until Ctrl-C
  whocalls watch --ndjson --for 5m proc:curl   what curl does in the next five minutes
  whocalls watch --ndjson state:failed         every connection that did not come about
  whocalls watch --ndjson --until-exit -- curl https://example.com/
                                               what this program does, and all that it starts")]
pub(crate) struct WatchArguments {
    /// Show only what matches: proc:curl dst:10.0.0.0/8 state:failed new:1m ... (docs/filter.md)
    #[arg(value_name = "FILTER")]
    pub(crate) words: Vec<String>,

    /// The same, for terms that begin with a hyphen: --filter=-proc:firefox
    #[arg(short, long, value_name = "FILTER", allow_hyphen_values = true)]
    pub(crate) filter: Vec<String>,

    /// JSON, a line for each thing that happens (docs/json.md)
    #[arg(long)]
    pub(crate) ndjson: bool,

    /// End after this time: 30s, 5m, 1h30m, 2d; without a unit it is seconds
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<Duration>,

    /// How often to count what has gone over open connections
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds)]
    pub(crate) refresh: Duration,

    /// Read by netlink and /proc only, even where BPF works
    #[arg(long)]
    pub(crate) polling: bool,

    /// How many lines to keep for a reader who is slow; further ones are lost, and counted
    #[arg(long, value_name = "LINES", default_value = "65536", value_parser = clap::value_parser!(u32).range(16..=10_000_000))]
    pub(crate) queue: u32,

    /// Start PROGRAM, show only what it and all that it starts do, and end with the last of them
    #[arg(long, requires = "program")]
    pub(crate) until_exit: bool,

    /// The program and its arguments
    #[arg(last = true, value_name = "PROGRAM", requires = "until_exit")]
    pub(crate) program: Vec<OsString>,
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
