//! What two cases or looks differ in.

use std::sync::Arc;

use crate::{
    BootId, Confidence, DeviceId, Evidence, Fact, Finding, Gap, Severity, Text, Tier, Timestamp,
};

/// All that two sides differ in. `before` and `after` are as they were named; which one is older is
/// told by their times.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub before: Side,
    pub after: Side,
    /// Those that matter most come first; ordinary ones are among them.
    pub differences: Vec<Difference>,
    pub same: Same,
    /// What could not be compared, or only in part.
    pub not_compared: Vec<NotCompared>,
}

/// One of two sides: what it is, and how much it can show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// As the person named it.
    pub name: String,
    pub kind: SideKind,
    /// The computer. `None`: not told.
    pub host: Option<Text>,
    /// Its start. `None`: not told, or several.
    pub boot: Option<BootId>,
    /// From when until when it tells; the same where it is one moment. `None`: it tells no times.
    pub span: Option<(Timestamp, Timestamp)>,
    /// How its sockets were read. `None`: not told.
    pub tier: Option<Tier>,
    pub shows: Shows,
    pub gaps: Vec<Gap>,
}

/// What a side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SideKind {
    /// This computer at the moment of the comparison.
    Now,
    /// A look that was saved: one moment.
    Look,
    /// A case.
    Recording,
    /// Captures, logs and lists of other tools, or a saved stream.
    Files,
}

impl SideKind {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Look => "look",
            Self::Recording => "case",
            Self::Files => "files",
        }
    }
}

/// What can be seen in a side at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shows {
    /// Programs, or devices in their place.
    pub owners: bool,
    /// Sockets that wait for others.
    pub listeners: bool,
    /// Names of other ends.
    pub names: bool,
    /// Which package a program file is of.
    pub packages: bool,
    /// Hashes of program files.
    pub hashes: bool,
    /// What was found by looking into processes.
    pub examined: bool,
    /// Also processes without a connection.
    pub every_process: bool,
    /// Connections whose owner is not known.
    pub unknown_owners: u64,
    /// Connections that were left out when it was saved.
    pub left_out: u64,
    /// What was let go because there was too much.
    pub let_go: u64,
}

/// Which of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    Before,
    After,
}

impl Which {
    pub const BOTH: [Self; 2] = [Self::Before, Self::After];

    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// How much both sides have alike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Same {
    /// Programs that use the network.
    pub programs: u64,
    /// Of one program each.
    pub destinations: u64,
    pub listeners: u64,
    pub findings: u64,
}

/// One thing that differs. The sentences for people are made from `kind`, `change` and `facts` by `show`.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub kind: DifferenceKind,
    pub change: DifferenceChange,
    /// What it would mean if it is no accident.
    pub severity: Severity,
    /// How well it is supported that it really differs.
    pub confidence: Confidence,
    /// It may be folded away where it is counted.
    pub ordinary: bool,
    /// Path of the program, its name where the path is not known. `None`: not known, or none.
    pub program: Option<Text>,
    /// In the place of the program.
    pub device: Option<DeviceId>,
    /// What it is, of its kind and program: a domain, a port. Empty: the program itself.
    pub thing: String,
    /// By name, in the order a person should read them.
    pub facts: Vec<(&'static str, Fact)>,
    /// Why it may not differ after all, or not since then.
    pub doubts: Vec<Doubt>,
    /// Where it can be checked on each side.
    pub before: Vec<Evidence>,
    pub after: Vec<Evidence>,
    /// The one that differs, where a finding does.
    pub finding: Option<Arc<Finding>>,
}

impl Difference {
    /// The fact of this name. `None`: it has none here.
    pub fn fact(&self, name: &str) -> Option<&Fact> {
        let named = self.facts.iter().find(|(known, _)| *known == name);
        named.map(|(_, fact)| fact)
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$of:meta])* $variant:ident $word:literal,)+) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of])* $variant,)+
        }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word of the public contract.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

words! {
    /// What differs, in the order in which people should read of it.
    DifferenceKind:
    /// What a rule says.
    Finding "finding",
    /// A program that uses the network, or one at all.
    Program "program",
    /// The file of a program.
    ProgramFile "program_file",
    /// Who a program runs as.
    ProgramUser "program_user",
    /// A socket that waits for others.
    Listener "listener",
    /// Whom a program calls.
    Destination "destination",
    /// By which port it calls there.
    DestinationPort "destination_port",
    /// Who calls a program.
    Caller "caller",
}

words! {
    /// How it differs.
    DifferenceChange:
    New "new",
    Changed "changed",
    Gone "gone",
}

words! {
    /// Why a difference may be none.
    Doubt:
    /// The other side tells of one moment, of a short time, or of a much shorter one.
    TooShort "too_short",
    /// The other side has connections whose owner is not known.
    OwnersNotKnown "owners_not_known",
    /// Nobody has looked into the processes of the other side.
    NotExamined "not_examined",
    /// The other side shows no names.
    NamesNotSeen "names_not_seen",
    /// Only networks could be compared, since one side has no name.
    ByNetwork "by_network",
    /// What could be compared of the files is no proof: neither hash nor version.
    ByFileNumber "by_file_number",
    /// The other side lacks some of what it saw.
    LetGo "let_go",
}

/// Something that could not be compared, or only in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotCompared {
    /// They are of two computers: users, addresses of the home network and file numbers say little.
    OtherComputer,
    /// `after` was made before `before`.
    Reversed,
    /// It tells of a short time, or of much less than the other.
    ShortTime(Which),
    /// One moment.
    Moment(Which),
    /// It tells no times.
    NoTimes(Which),
    /// No owners at all: what differs is told without programs.
    NoOwners(Which),
    /// So many connections have an owner that is not known.
    UnknownOwners(Which, u64),
    /// Listeners were left out of it, or it shows none.
    NoListeners(Which),
    /// No names: other ends are held against each other by address and network.
    NoNames(Which),
    /// Which package a program is of is not known.
    NoPackages(Which),
    /// No hashes: whether files differ is told by other signs.
    NoHashes(Which),
    /// Nobody has looked into its processes.
    NotExamined(Which),
    /// Only processes that have connections.
    OnlyWithConnections(Which),
    /// So many connections were left out of it by a filter when it was saved.
    LeftOut(Which, u64),
    /// So much was let go because there was too much.
    LetGo(Which, u64),
    /// They were read in different ways: one sees more than the other.
    OtherTier,
}

impl NotCompared {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::OtherComputer => "other_computer",
            Self::Reversed => "reversed",
            Self::ShortTime(_) => "short_time",
            Self::Moment(_) => "moment",
            Self::NoTimes(_) => "no_times",
            Self::NoOwners(_) => "no_owners",
            Self::UnknownOwners(..) => "unknown_owners",
            Self::NoListeners(_) => "no_listeners",
            Self::NoNames(_) => "no_names",
            Self::NoPackages(_) => "no_packages",
            Self::NoHashes(_) => "no_hashes",
            Self::NotExamined(_) => "not_examined",
            Self::OnlyWithConnections(_) => "only_with_connections",
            Self::LeftOut(..) => "left_out",
            Self::LetGo(..) => "let_go",
            Self::OtherTier => "other_tier",
        }
    }

    /// `None`: it is of both.
    pub fn side(self) -> Option<Which> {
        match self {
            Self::OtherComputer | Self::Reversed | Self::OtherTier => None,
            Self::ShortTime(side)
            | Self::Moment(side)
            | Self::NoTimes(side)
            | Self::NoOwners(side)
            | Self::UnknownOwners(side, _)
            | Self::NoListeners(side)
            | Self::NoNames(side)
            | Self::NoPackages(side)
            | Self::NoHashes(side)
            | Self::NotExamined(side)
            | Self::OnlyWithConnections(side)
            | Self::LeftOut(side, _)
            | Self::LetGo(side, _) => Some(side),
        }
    }

    /// `None`: it is not counted.
    pub fn count(self) -> Option<u64> {
        match self {
            Self::UnknownOwners(_, count) | Self::LeftOut(_, count) | Self::LetGo(_, count) => {
                Some(count)
            }
            Self::OtherComputer
            | Self::Reversed
            | Self::OtherTier
            | Self::ShortTime(_)
            | Self::Moment(_)
            | Self::NoTimes(_)
            | Self::NoOwners(_)
            | Self::NoListeners(_)
            | Self::NoNames(_)
            | Self::NoPackages(_)
            | Self::NoHashes(_)
            | Self::NotExamined(_)
            | Self::OnlyWithConnections(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_stands_for_one_thing() {
        let kinds = DifferenceKind::ALL.iter().map(|it| it.word());
        let changes = DifferenceChange::ALL.iter().map(|it| it.word());
        let doubts = Doubt::ALL.iter().map(|it| it.word());
        let all: Vec<_> = kinds.chain(changes).chain(doubts).collect();
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), different.len());
    }
}
