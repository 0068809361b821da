//! A process, as far as its network life needs it.

use std::sync::Arc;

use crate::{Examined, NetworkNamespace, ProcessId, Text, Timestamp};

/// One run of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub id: ProcessId,
    /// `None`: the source does not tell.
    pub started: Option<Timestamp>,
    /// `None`: it was alive when last seen.
    pub ended: Option<Timestamp>,
    /// The short name the kernel keeps (at most 15 bytes; the process can change it).
    pub name: Text,
    /// The program file. `None`: a kernel thread, or no right to see it.
    pub path: Option<Text>,
    pub path_state: PathState,
    /// Which file that was. `None`: not known.
    pub file: Option<FileIdentity>,
    /// SHA-256 of the program file, when it could still be read. `None`: not read.
    pub sha256: Option<[u8; 32]>,
    /// The arguments, the program's name first. `None`: no right to see them.
    pub command_line: Option<Vec<Text>>,
    /// There was more than we keep.
    pub command_line_truncated: bool,
    /// Effective user id.
    pub uid: Option<u32>,
    /// From this computer's /etc/passwd. `None`: not listed there.
    pub user: Option<Text>,
    /// Nearest first.
    pub parents: Vec<Parent>,
    pub container: Option<Container>,
    /// The systemd unit (service, scope) it runs in.
    pub unit: Option<Text>,
    /// `None`: no right to see it.
    pub netns: Option<NetworkNamespace>,
    pub kernel_thread: bool,
    /// What was found by looking into it. `None`: nobody has looked yet, or the source does not look.
    pub examined: Option<Arc<Examined>>,
}

impl Process {
    /// One of which nothing is known but who it is.
    pub fn unknown(id: ProcessId) -> Self {
        Self {
            id,
            started: None,
            ended: None,
            name: Text::default(),
            path: None,
            path_state: PathState::Unknown,
            file: None,
            sha256: None,
            command_line: None,
            command_line_truncated: false,
            uid: None,
            user: None,
            parents: Vec::new(),
            container: None,
            unit: None,
            netns: None,
            kernel_thread: false,
            examined: None,
        }
    }

    /// Path of the program, its name where the path is not known.
    pub fn program(&self) -> &Text {
        self.path.as_ref().unwrap_or(&self.name)
    }
}

/// Tells a file from every other, also when another one takes its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// As stat(2) gives it.
    pub device: u64,
    pub inode: u64,
}

/// Whether the program file is still where it was started from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathState {
    Present,
    /// The file has been deleted or replaced since the start.
    Deleted,
    /// It never was a file: a memfd.
    Memfd,
    /// No path, or it could not be asked.
    #[default]
    Unknown,
}

impl PathState {
    /// The word of the public contract; `None` stands for an absent fact.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Present => Some("present"),
            Self::Deleted => Some("deleted"),
            Self::Memfd => Some("memfd"),
            Self::Unknown => None,
        }
    }
}

/// A process above another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    pub pid: u32,
    pub name: Text,
    /// `None`: a kernel thread, or no right to see it.
    pub path: Option<Text>,
}

/// What keeps the process apart from the rest of the computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// `docker`, `podman`, `containerd`, `cri-o`, `kubernetes`, `lxc`, `systemd-nspawn`.
    pub engine: &'static str,
    /// As the engine names it.
    pub id: Text,
}
