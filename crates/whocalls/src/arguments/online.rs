//! What `lookup` takes to ask others.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Asking others (see the manual: who learns what)")]
pub(crate) struct OnlineArguments {
    /// Ask others: all that harm little, or these (rdap,whois,virustotal ...). Not from the computer that
    /// is under examination
    #[arg(
        long,
        value_name = "SOURCE,...",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "all"
    )]
    pub(crate) online: Option<String>,

    /// Ask although this is the computer under examination
    #[arg(long, requires = "online")]
    pub(crate) from_this_computer: bool,

    /// Which server turns names into addresses; nothing else is asked for a name
    #[arg(long, value_name = "ADDRESS[:PORT]", requires = "online")]
    pub(crate) resolver: Option<String>,

    /// Ask through this proxy, and never past it: socks5://HOST:PORT or http://HOST:PORT, for one source
    /// SOURCE=URL; may be given again
    #[arg(long, value_name = "[SOURCE=]URL", requires = "online")]
    pub(crate) proxy: Vec<String>,

    /// The file with your keys: lines `virustotal = KEY`, for your eyes only (mode 0600)
    #[arg(long, value_name = "FILE", requires = "online")]
    pub(crate) keys: Option<PathBuf>,

    /// Ask a source at another place, one of your own: rdap=https://rdap.example.org/; may be given again
    #[arg(long, value_name = "SOURCE=URL", requires = "online")]
    pub(crate) at: Vec<String>,

    /// Believe certificates that these sign, too (PEM)
    #[arg(long, value_name = "FILE", requires = "online")]
    pub(crate) roots: Option<PathBuf>,

    /// Of a case: ask about this one, too, which is left out unless you say so; `all` for all of them
    #[arg(long, value_name = "ITEM", requires = "case")]
    pub(crate) tick: Vec<String>,

    /// Never ask about this address, network or name, nor about what is below it
    #[arg(long, value_name = "ITEM")]
    pub(crate) never: Vec<String>,

    /// Of a case: ask without a question
    #[arg(long, requires = "online")]
    pub(crate) yes: bool,

    /// Show the sources: what each takes, what it wants, what it learns; ask nobody
    #[arg(long)]
    pub(crate) sources: bool,
}
