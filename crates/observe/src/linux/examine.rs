//! Looks into one process: its memory, its files, what it is called. Each check says nothing found,
//! found, or not testable; what it means decide rules elsewhere.
//!
//! One file for each check. All of it runs in a process of its own (`examiner.rs`), which has the rights
//! to read other processes and none to write anything.

mod channels;
mod code_changed;
mod covered;
mod descriptors;
mod display;
mod engines;
mod executable_memory;
mod file_rights;
mod hidden;
mod kernel_name;
mod library_files;
mod loader;
mod lookup;
mod machine;
mod mapped_files;
mod memfd_code;
mod memory;
mod mounted_alone;
mod network_sockets;
mod other_name;
mod package;
mod places;
mod preload;
mod program_file;
mod program_mapping;
mod root;
mod sniffer;
mod standard_sockets;
mod starts_itself;
mod subject;
mod system_calls;
#[cfg(test)]
mod tests;
mod traced;
#[cfg(test)]
mod tried;
#[cfg(test)]
pub(crate) mod victim;
#[cfg(test)]
mod victims;
mod within;

use std::sync::Arc;

use model::{Check, Examined, FileIdentity, Outcome, Text, Timestamp, Untested};

pub(crate) use self::hidden::Sweep;
pub(crate) use self::machine::Machine;
pub(crate) use self::subject::Subject;
pub(crate) use crate::Depth;

/// What is kept from one process to the next: answers that hang on a file, or on the whole computer.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) machine: Arc<Machine>,
    pub(crate) packages: package::Packages,
    pub(crate) starts: starts_itself::Starts,
    pub(crate) rights: file_rights::Rights,
    pub(crate) packet_sockets: sniffer::PacketSockets,
    pub(crate) channels: channels::Channels,
    pub(crate) displays: display::Displays,
    pub(crate) sights: lookup::Sights,
}

impl Kept {
    /// With what others know of the computer, too.
    pub(crate) fn of(machine: Arc<Machine>) -> Self {
        Self {
            machine,
            ..Self::default()
        }
    }
}

/// What a process ran: by this its file is found when the process has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) file: FileIdentity,
    /// When the process began, not later than the program.
    pub(crate) started: Timestamp,
    /// Where the file was, below the root folder of the process.
    pub(crate) path: Text,
}

struct Made {
    check: Check,
    depth: Depth,
    make: fn(&Subject, &mut Kept) -> Outcome,
}

/// All of them, in the order in which they are made: what is found first spares others work.
const CHECKS: [Made; 21] = {
    use Check::*;
    use Depth::{Cheap, Whole};
    const fn made(check: Check, depth: Depth, make: fn(&Subject, &mut Kept) -> Outcome) -> Made {
        Made { check, depth, make }
    }
    [
        made(CodeChanged, Cheap, code_changed::check),
        made(SystemCalls, Cheap, system_calls::check),
        made(ProgramMapping, Cheap, program_mapping::check),
        made(ExecutableMemory, Cheap, executable_memory::check),
        made(MemfdCode, Cheap, memfd_code::check),
        made(ProgramFile, Cheap, program_file::check),
        made(LibraryFiles, Cheap, library_files::check),
        made(MappedFiles, Cheap, mapped_files::check),
        made(Places, Cheap, places::check),
        made(Preload, Cheap, preload::check),
        made(Loader, Cheap, loader::check),
        made(Traced, Cheap, traced::check),
        made(KernelName, Cheap, kernel_name::check),
        made(OtherName, Cheap, other_name::check),
        made(Hidden, Cheap, hidden::check),
        made(Covered, Cheap, covered::check),
        made(StandardSockets, Cheap, standard_sockets::check),
        made(Sniffer, Cheap, sniffer::check),
        made(FileRights, Cheap, file_rights::check),
        made(StartsItself, Whole, starts_itself::check),
        made(Package, Whole, package::check),
    ]
};

/// Makes all checks of this depth and of those below it. What was not made has no outcome.
pub(crate) fn examine(subject: &Subject, depth: Depth, kept: &mut Kept) -> Examined {
    let mut examined = Examined::default();
    for made in CHECKS.iter().filter(|made| made.depth <= depth) {
        let mut outcome = (made.make)(subject, kept);
        let is_in_part = looks_at_regions(made.check) && subject.has_cut_regions();
        // What was looked for may be in the rest.
        if is_in_part && outcome == Outcome::NothingFound {
            outcome = Outcome::NotTestable(Untested::TooLarge);
        }
        examined.put(made.check, outcome);
    }
    examined.package = match depth {
        Depth::Whole => package::of_program(subject, kept),
        Depth::Cheap => package::of_this_tool(subject, kept),
    };
    examined.display = display::of(subject, kept);
    examined
}

/// Whether all regions of its memory are looked at.
fn looks_at_regions(check: Check) -> bool {
    use Check::*;
    matches!(
        check,
        CodeChanged
            | SystemCalls
            | ExecutableMemory
            | MemfdCode
            | LibraryFiles
            | MappedFiles
            | Places
            | Preload
            | Package
    )
}

/// Of a process that cannot be looked into: no check can be made but those that look at it from outside.
pub(crate) fn untestable(pid: u32, depth: Depth, why: Untested, kept: &Kept) -> Examined {
    let mut examined = Examined::default();
    for made in CHECKS.iter().filter(|made| made.depth <= depth) {
        let outcome = if made.check == Check::Hidden {
            hidden::of(pid, kept)
        } else if made.check == Check::Covered {
            covered::of(pid, kept)
        } else {
            Outcome::NotTestable(why)
        };
        examined.put(made.check, outcome);
    }
    examined
}

/// Of a process that has ended: no check can be made any more, and its program file may still be there.
/// `None`: it is not, or is another by now.
pub(crate) fn of_ended(ran: &Ran, kept: &mut Kept) -> Option<Examined> {
    let package = package::of_ended(ran, kept).ok()?;
    Some(Examined {
        package: Some(package),
        ..Examined::default()
    })
}

/// The checks that are made at this depth.
pub(crate) fn checks(depth: Depth) -> impl Iterator<Item = Check> {
    let made = CHECKS.iter().filter(move |made| made.depth <= depth);
    made.map(|made| made.check)
}
