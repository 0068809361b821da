//! What `lookup` and `data` take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::case::IdentityArguments;
use super::online::OnlineArguments;

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls lookup 216.6.0.28              who announces it, what the network is for
  whocalls lookup 1.1.1.1:53 '[2001:db8::7]:443' 198.51.100.0/24
  whocalls lookup www.example.com         where the name ends, on which lists it stands
  whocalls lookup d41d8cd98f00b204e9800998ecf8427e
                                          a hash: MD5, SHA-1 or SHA-256
  whocalls lookup --json - <items.txt     one item a line
  whocalls lookup --case CASE             all remote addresses, names and hashes of a case, and what
                                          would be asked of whom
  whocalls lookup 216.6.0.28 --online     asks registries and others, from another computer
  whocalls lookup --case CASE --online    shows what goes to whom, asks once whether to, keeps the answers
Without --online nothing is sent: the answers come from tables within the program (whocalls data show),
and from lists of indicators, those in it and your own (whocalls indicators list).
Exit codes: 0 done; 1 failed, or nobody who was asked has answered; 2 wrong usage; 3 something of the
case could not be read or looked up, or some who were asked have not answered; 4 the case, or a list,
is not as it was.")]
pub(crate) struct LookupArguments {
    /// Addresses (also with a port, in brackets, or whole networks), names and hashes; - reads them
    /// from standard input, one a line
    #[arg(value_name = "ITEM", required_unless_present_any = ["case", "sources"])]
    pub(crate) items: Vec<String>,

    /// Also all remote addresses, names and hashes of this case
    #[arg(long, value_name = "CASE")]
    pub(crate) case: Option<String>,

    #[command(flatten)]
    pub(crate) identity: IdentityArguments,

    /// The folder with the lists of indicators that were added; when not given, `indicators` beside
    /// whocalls
    #[arg(long, value_name = "FOLDER")]
    pub(crate) indicators: Option<PathBuf>,

    /// One JSON document (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) online: OnlineArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataArguments {
    /// What the tables are made of: each source, its date, its licence, whom to credit
    Show,
    /// Tables from the files of their publishers, as they lie in a folder (docs/lookup.md)
    Build(BuildArguments),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls data build --from intel                       builds and checks, writes nothing
  whocalls data build --from intel -o whocalls.tables    the file: put it beside the program
  whocalls data build --from intel --date offline/asn-ipv4.csv=2026-12-01 -o whocalls.tables")]
pub(crate) struct BuildArguments {
    /// The folder with the files
    #[arg(long, value_name = "FOLDER")]
    pub(crate) from: PathBuf,

    /// The file to write; it must not be there yet. Without it the tables are built and checked only
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// When a file was published, where the file itself does not say it; may be given again
    #[arg(long, value_name = "FILE=YYYY-MM-DD")]
    pub(crate) date: Vec<String>,
}
