//! What `indicators` takes.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use model::{IndicatorKind, ListMeaning};

#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  whocalls indicators add pegasus.stix2 blocklist.netset.gz
                                        kept beside whocalls, when that lies on a stick
  whocalls indicators add --publisher 'CERT of X' --licence CC-BY-4.0 list.csv
  whocalls indicators add --meaning tor torbulkexitlist.txt
  whocalls indicators list              those that were added, and those in the program
  whocalls indicators list --json
  whocalls indicators remove pegasus.stix2

Which files are understood: docs/indicators.md.
Exit codes: 0 done; 1 failed; 2 wrong usage; 3 entries were skipped; 4 a list is not as it was added.")]
pub(crate) struct IndicatorsArguments {
    #[command(subcommand)]
    pub(crate) what: Indicators,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Indicators {
    /// Keep files of indicators: STIX 2, MISP, CSV, JSON, plain lists and netsets, hosts, MMDB ...
    Add(AddArguments),
    /// Who published them, when, under which licence, and what they hold
    List(ListIndicatorsArguments),
    /// Let one go that was added; the file that it came from is untouched
    Remove(RemoveArguments),
}

#[derive(Args, Debug)]
pub(crate) struct AddArguments {
    /// The files, as their publishers wrote them; also packed by gzip
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,

    /// The folder to keep them in; when not given, the folder `indicators` beside whocalls, where
    /// that lies on a stick or is there already
    #[arg(long, value_name = "FOLDER")]
    pub(crate) into: Option<PathBuf>,

    /// What to call it; when not given, as the file is called
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Who published it, where the file does not tell
    #[arg(long, value_name = "WHO")]
    pub(crate) publisher: Option<String>,

    /// Its licence, where the file does not tell
    #[arg(long, value_name = "LICENCE")]
    pub(crate) licence: Option<String>,

    /// What it means to be on it; when not given, known-bad, or what a warninglist says of itself
    #[arg(long, value_name = "MEANING")]
    pub(crate) meaning: Option<Meaning>,

    /// What stands on the lines of a plain list; when not given, each is known by its looks
    #[arg(long, value_name = "KIND")]
    pub(crate) kind: Option<Kind>,
}

#[derive(Args, Debug)]
pub(crate) struct ListIndicatorsArguments {
    /// The folder that they are kept in; when not given, `indicators` beside whocalls
    #[arg(long, value_name = "FOLDER")]
    pub(crate) from: Option<PathBuf>,

    /// One JSON document (docs/json.md)
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct RemoveArguments {
    /// What it is called in `indicators list`
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// The folder that it is kept in; when not given, `indicators` beside whocalls
    #[arg(long, value_name = "FOLDER")]
    pub(crate) from: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Meaning {
    /// Used for an attack or by spying software
    KnownBad,
    /// No traffic should go there at all
    Drop,
    Tor,
    Vpn,
    Hosting,
    DynamicDns,
    /// Taken over by those who fight attackers
    Sinkhole,
    /// Tells whoever asks which address they come from
    AddressEcho,
    /// Anybody may publish there
    SharedPlatform,
    /// Usual, or often wrongly on other lists
    Ordinary,
}

impl From<Meaning> for ListMeaning {
    fn from(meaning: Meaning) -> Self {
        match meaning {
            Meaning::KnownBad => Self::KnownBad,
            Meaning::Drop => Self::Drop,
            Meaning::Tor => Self::Tor,
            Meaning::Vpn => Self::Vpn,
            Meaning::Hosting => Self::Hosting,
            Meaning::DynamicDns => Self::DynamicDns,
            Meaning::Sinkhole => Self::Sinkhole,
            Meaning::AddressEcho => Self::AddressEcho,
            Meaning::SharedPlatform => Self::SharedPlatform,
            Meaning::Ordinary => Self::Ordinary,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Kind {
    Address,
    Name,
    Url,
    Hash,
    ProcessName,
    Path,
    FileName,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Address,
        Self::Name,
        Self::Url,
        Self::Hash,
        Self::ProcessName,
        Self::Path,
        Self::FileName,
    ];

    /// Of the word of the contract.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|kind| IndicatorKind::from(*kind).word() == word)
    }
}

impl From<Kind> for IndicatorKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Address => Self::Address,
            Kind::Name => Self::Name,
            Kind::Url => Self::Url,
            Kind::Hash => Self::Hash,
            Kind::ProcessName => Self::ProcessName,
            Kind::Path => Self::Path,
            Kind::FileName => Self::FileName,
        }
    }
}
