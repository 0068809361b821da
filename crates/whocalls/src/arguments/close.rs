//! What `whocalls close` takes.

use clap::Args;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls close 'proc:updater dst:203.0.113.9'   asks before it does
  whocalls close 192.0.2.7:40512 203.0.113.9:443  the one with these ends, as list prints them
  whocalls close 1f0c9a7be52d4c0b8e3f6a1d27c49b58 --yes
                                                  this connection and no other, without asking

Nothing is closed unless exactly one connection is meant; where there are several they are listed.
The other side sees it at once, and the program may call again; usually it is better to pull the
cable and keep recording.")]
pub(crate) struct CloseArguments {
    /// The id of the connection, as list --json prints it, its ends, as list prints them, or a filter
    /// (docs/filter.md)
    #[arg(value_name = "ID|ENDS|FILTER", required = true)]
    pub(crate) words: Vec<String>,

    /// Do not ask before; for scripts
    #[arg(short, long)]
    pub(crate) yes: bool,
}
