//! What was found by looking into a process: its memory, its files, its windows.

use std::fmt;

use crate::Text;

/// The result of all checks of one process, as they stood at one time. A later one takes its place whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Each at most once, in the order of [`Check::ALL`]. One that is not there was not made yet.
    pub checks: Vec<Checked>,
    /// Where the program file comes from. `None`: not asked yet, or there is none.
    pub package: Option<Package>,
    /// `None`: not asked yet, or there is none.
    pub display: Option<Display>,
}

impl Examined {
    /// `None`: not made yet.
    pub fn outcome(&self, check: Check) -> Option<&Outcome> {
        let made = self.checks.iter().find(|made| made.check == check);
        made.map(|made| &made.outcome)
    }

    /// Whether any check found something.
    pub fn has_found(&self) -> bool {
        let mut made = self.checks.iter();
        made.any(|made| matches!(made.outcome, Outcome::Found { .. }))
    }

    /// What a check found; nothing, too, when it was not made.
    pub fn traces(&self, check: Check) -> &[Trace] {
        match self.outcome(check) {
            Some(Outcome::Found { traces, .. }) => traces,
            Some(Outcome::NothingFound | Outcome::NotTestable(_)) | None => &[],
        }
    }

    /// What a check found of one kind.
    pub fn signs(&self, check: Check, sign: Sign) -> impl Iterator<Item = &Trace> {
        let traces = self.traces(check).iter();
        traces.filter(move |trace| trace.sign == sign)
    }

    /// Puts an outcome in its place, and in the place of an earlier one.
    pub fn put(&mut self, check: Check, outcome: Outcome) {
        let made = Checked { check, outcome };
        match self.checks.binary_search_by_key(&check, |it| it.check) {
            Ok(at) => {
                if let Some(before) = self.checks.get_mut(at) {
                    *before = made;
                }
            }
            Err(at) => self.checks.insert(at, made),
        }
    }
}

/// One check, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub check: Check,
    pub outcome: Outcome,
}

/// What a check said. Never "clean".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    NothingFound,
    Found {
        /// At least one.
        traces: Vec<Trace>,
        /// Further ones that there was no room for.
        more: u32,
    },
    NotTestable(Untested),
}

impl Outcome {
    /// So many traces of one check are kept; the rest is counted.
    pub const MOST_TRACES: usize = 8;

    /// Nothing found where there are none.
    pub fn of(mut traces: Vec<Trace>) -> Self {
        let more = traces.len().saturating_sub(Self::MOST_TRACES);
        traces.truncate(Self::MOST_TRACES);
        if traces.is_empty() {
            return Self::NothingFound;
        }
        Self::Found {
            traces,
            more: u32::try_from(more).unwrap_or(u32::MAX),
        }
    }

    /// The word of the public contract.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NothingFound => "nothing found",
            Self::Found { .. } => "found",
            Self::NotTestable(_) => "not testable",
        }
    }
}

/// One thing that a check saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    pub sign: Sign,
    /// The file that it is about.
    pub path: Option<Text>,
    /// The package of that file.
    pub package: Option<Text>,
    /// Where in memory it begins.
    pub address: Option<u64>,
    /// How many bytes it is long, or how many differ.
    pub length: Option<u64>,
    /// The first bytes there, at most [`Trace::MOST_BYTES`].
    pub bytes: Option<Vec<u8>>,
    /// What the file has in their place.
    pub expected: Option<Vec<u8>>,
    /// The other process that it is about.
    pub pid: Option<u32>,
    /// Its name, or another one that was seen.
    pub name: Option<Text>,
}

impl Trace {
    pub const MOST_BYTES: usize = 16;

    pub fn new(sign: Sign) -> Self {
        Self {
            sign,
            path: None,
            package: None,
            address: None,
            length: None,
            bytes: None,
            expected: None,
            pid: None,
            name: None,
        }
    }

    pub fn of_file(sign: Sign, path: impl Into<Text>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::new(sign)
        }
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

            /// `None`: no word of the public contract.
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What is looked at, each by itself. A finding is made of them by rules; none of them accuses.
    Check:
    /// Pages of program text that were written to, and whether they differ from their file.
    CodeChanged "code-changed",
    /// Threads that wait in a system call which no file's code has made.
    SystemCalls "system-calls",
    /// Threads that began in memory which is no loaded file (Windows).
    Threads "threads",
    /// Whether the program file is in the memory of its process, and begins there.
    ProgramMapping "program-mapping",
    /// Executable memory that belongs to no file.
    ExecutableMemory "executable-memory",
    /// Executable memory out of a file that lives in memory only.
    MemfdCode "memfd-code",
    /// Whether the program file is still there.
    ProgramFile "program-file",
    /// Whether the libraries are.
    LibraryFiles "library-files",
    /// Whether a file in memory is the one that lies at its path.
    MappedFiles "mapped-files",
    /// Programs, libraries and scripts where anybody may write, or in hidden folders.
    Places "places",
    /// Libraries that were put before all others.
    Preload "preload",
    /// Started by hand with the loader of programs.
    Loader "loader",
    /// Another process holds it as a debugger does.
    Traced "traced",
    /// Called like a thread of the kernel.
    KernelName "kernel-name",
    /// Called like another program.
    OtherName "other-name",
    /// Program and libraries against the lists of their packages.
    Package "package",
    /// Not in the list of all processes.
    Hidden "hidden",
    /// Its folder in /proc is covered by something else.
    Covered "covered",
    /// Standard input or output is a socket.
    StandardSockets "standard-sockets",
    /// Reads the packets of all.
    Sniffer "sniffer",
    /// Started whenever somebody logs in, or the computer starts.
    StartsItself "starts-itself",
    /// The file gives rights to whoever starts it.
    FileRights "file-rights",
}

words! {
    /// What a [`Trace`] is, in the order of the checks.
    Sign:
    /// Bytes of a page are not those of the file.
    Differs "differs",
    /// All bytes that differ are breakpoints (int3).
    Breakpoints "breakpoints",
    /// The page was written to, and has the bytes of the file again.
    Restored "restored",
    /// The page was written to; what the file has there could not be read.
    Written "written",
    /// Bytes are not those of the file, and an engine that is there writes such itself.
    ByEngine "by-engine",
    /// An instruction outside of all files made the system call.
    OutsideFiles "outside-files",
    /// A thread began in memory that is no loaded program or library.
    StartedOutside "started-outside-files",
    /// The file of the program is not in its memory.
    NotMapped "not-mapped",
    /// The program began outside of its file.
    EntryElsewhere "entry-elsewhere",
    /// Executable, and writable as well.
    WritableAndExecutable "writable-and-executable",
    Executable "executable",
    /// A file that makes code while it runs (a JIT).
    Engine "engine",
    /// Begins like a program or a library (ELF).
    ElfInMemory "elf-in-memory",
    CodeInMemory "code-in-memory",
    /// Begins like a program or a library (PE).
    PeInMemory "pe-in-memory",
    /// Never was in a file system.
    Memfd "memfd",
    /// The same, and nobody can change it any more.
    SealedMemfd "sealed-memfd",
    Deleted "deleted",
    /// Another file has its path now.
    Replaced "replaced",
    /// What has its path now is no program, or of no package.
    ReplacedByStranger "replaced-by-stranger",
    /// What is in memory is not what lies at its path.
    OtherFile "other-file",
    /// In a folder for temporary files.
    TemporaryProgram "temporary-program",
    TemporaryLibrary "temporary-library",
    TemporaryScript "temporary-script",
    /// In a folder, or of a name, that begins with a dot.
    HiddenProgram "hidden-program",
    HiddenLibrary "hidden-library",
    HiddenScript "hidden-script",
    /// Of a path that is longer than Linux takes or shows.
    OverlongPath "overlong-path",
    /// By LD_PRELOAD.
    Preloaded "preloaded",
    /// By LD_AUDIT.
    Audits "audits",
    /// By /etc/ld.so.preload: into every program.
    PreloadedEverywhere "preloaded-everywhere",
    /// By a loader that was called by hand.
    ByLoader "by-loader",
    Tracer "tracer",
    /// A name in brackets, or one of the kernel's, of a process that has a file.
    LikeKernel "like-kernel",
    LikeOther "like-other",
    ModifiedProgram "modified-program",
    ModifiedLibrary "modified-library",
    /// In a program of a package.
    UnpackagedLibrary "unpackaged-library",
    NotListed "not-listed",
    MountedOver "mounted-over",
    InputSocket "input-socket",
    OutputSocket "output-socket",
    /// A shell reads from a pipe and writes to one, and at the other end is who has a connection.
    ShellOverPipe "shell-over-pipe",
    /// Reads packets of an interface (AF_PACKET).
    PacketSocket "packet-socket",
    Autostart "autostart",
    UserUnit "user-unit",
    SystemUnit "system-unit",
    Cron "cron",
    ShellStart "shell-start",
    SetUid "set-uid",
    SetGid "set-gid",
    Capabilities "capabilities",
}

words! {
    /// Why a check could not be made.
    Untested:
    NoRights "no rights",
    /// It ended meanwhile.
    Ended "ended",
    /// It has no memory of its own and no file.
    KernelThread "kernel thread",
    NotFinished "not finished",
    /// It takes long, and nobody wanted to wait for it.
    NotAsked "not asked",
    /// The kernel does not tell.
    KernelTooOld "kernel too old",
    /// It is in another container, or in another PID namespace.
    OtherNamespace "other namespace",
    /// The file lies on another computer, or a program answers for it.
    Elsewhere "elsewhere",
    TooLarge "too large",
    /// There is no package database, or one of a kind that is not read.
    NoDatabase "no database",
    /// No display that could be asked.
    NoDisplay "no display",
    /// Reading failed.
    Unreadable "unreadable",
    /// Not on this system or processor.
    NotHere "not here",
}

/// Where a file comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    pub state: PackageState,
    /// `None`: of none, or not known.
    pub name: Option<Text>,
    pub version: Option<Text>,
    /// Who lists it: `dpkg`, `pacman`, `apk`, `snap`, `flatpak`, `nix` ...
    pub manager: Option<PackageManager>,
}

words! {
    PackageState:
    /// Its bytes are those that the list of its package has.
    Intact "intact",
    Modified "modified",
    /// Of no package.
    Unpackaged "none",
    NotTestable "not testable",
    /// It is whocalls itself.
    ThisTool "this tool",
}

words! {
    PackageManager:
    Dpkg "dpkg",
    Rpm "rpm",
    Pacman "pacman",
    Apk "apk",
    Snap "snap",
    Flatpak "flatpak",
    AppImage "appimage",
    Nix "nix",
    /// A signature within the file (Windows).
    Authenticode "authenticode",
}

words! {
    /// Whether a process shows something on a display.
    Display:
    /// It, or one of its family, is connected to a display and has a window there, or nobody can tell
    /// whether it has (Wayland).
    Shown "shows on a display",
    /// It, or one of its family, is connected to X displays only, and none shows a window of them: none is
    /// mapped that a person could see, and none was put aside.
    NoWindow "no mapped window",
    NoConnection "no connection to any display",
    NotTestable "not testable",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lead_back() {
        for check in Check::ALL {
            assert_eq!(Check::of_word(check.word()), Some(*check));
        }
        for sign in Sign::ALL {
            assert_eq!(Sign::of_word(sign.word()), Some(*sign));
        }
        for why in Untested::ALL {
            assert_eq!(Untested::of_word(why.word()), Some(*why));
        }
    }

    #[test]
    fn outcomes_stand_in_order_and_once() {
        let mut examined = Examined::default();
        examined.put(Check::Traced, Outcome::NothingFound);
        examined.put(Check::CodeChanged, Outcome::NothingFound);
        let traced = Outcome::of(vec![Trace::new(Sign::Tracer)]);
        examined.put(Check::Traced, traced.clone());
        let checks: Vec<_> = examined.checks.iter().map(|it| it.check).collect();
        assert_eq!(checks, [Check::CodeChanged, Check::Traced]);
        assert_eq!(examined.outcome(Check::Traced), Some(&traced));
        assert_eq!(examined.traces(Check::Traced).len(), 1);
        assert_eq!(examined.outcome(Check::Package), None);
    }

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let outcome = Outcome::of(vec![Trace::new(Sign::Differs); Outcome::MOST_TRACES + 3]);
        let Outcome::Found { traces, more } = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!((traces.len(), more), (Outcome::MOST_TRACES, 3));
    }
}
