//! What all our BPF programs (`bpf/*.bpf.c`) need: the kernel's type information, and words for
//! what goes wrong.

use std::fs::File;
use std::io::{self, Read};

use aya::programs::{Iter, Program};
use aya::{Btf, Ebpf, Endianness};

use crate::parse::type_information::cut_down;

/// What the kernel tells of its own structures.
pub(crate) const TYPE_INFORMATION: &str = "/sys/kernel/btf/vmlinux";

/// The kernel writes at most 32 KiB at once.
const BUFFER: usize = 64 * 1024;

/// The structures that `bpf/vmlinux.h` declares with `preserve_access_index`.
const STRUCTURES: [&[u8]; 36] = [
    b"ns_common",
    b"net",
    b"in6_addr",
    b"sock_common",
    b"sock",
    b"inode",
    b"file",
    b"socket",
    b"request_sock_queue",
    b"inet_connection_sock",
    b"tcp_sock",
    b"inet_timewait_sock",
    b"tcp_timewait_sock",
    b"udp_sock",
    b"upid",
    b"pid",
    b"task_struct",
    b"inet_sock",
    b"netns_ipv6",
    b"netns_ipv4",
    b"super_block",
    b"qstr",
    b"hlist_bl_node",
    b"dentry",
    b"vfsmount",
    b"mount",
    b"path",
    b"linux_binprm",
    b"mm_struct",
    b"cred",
    b"nsproxy",
    b"unix_sock",
    b"fib6_result",
    b"fib6_info",
    b"pid_namespace",
    b"signal_struct",
];

/// Why BPF programs cannot be used here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BpfError {
    #[error("no right to load BPF programs (CAP_BPF and CAP_PERFMON); root has it")]
    NoRights,
    #[error("cannot read the kernel's type information: {TYPE_INFORMATION}: {0}")]
    ReadTypes(#[source] io::Error),
    #[error("cannot understand the kernel's type information: {TYPE_INFORMATION}: {0}")]
    Types(#[source] aya::BtfError),
    #[error("cannot fit the BPF programs to this kernel: {}", chain(.0))]
    Fit(#[source] Box<aya::EbpfError>),
    #[error("cannot load the BPF program '{program}': {}", chain(.source))]
    Load {
        program: &'static str,
        source: Box<aya::programs::ProgramError>,
    },
    #[error("cannot attach the BPF program '{program}': {}", chain(.source))]
    Attach {
        program: &'static str,
        source: Box<aya::programs::ProgramError>,
    },
    #[error("cannot use the table '{map}' of the BPF programs: {}", chain(.source))]
    Map {
        map: &'static str,
        source: Box<aya::maps::MapError>,
    },
    #[error("the BPF object has no program '{program}'")]
    NotInObject { program: &'static str },
    #[error("there is no cgroup file system of version 2, and it cannot be mounted: {0}")]
    Cgroup(#[source] io::Error),
    #[error("cannot read which processes there are: /proc: {0}")]
    Processes(#[source] io::Error),
    #[error("cannot read from the BPF iterator '{program}': {}", chain(.source))]
    Read {
        program: &'static str,
        source: io::Error,
    },
}

/// Only the part that concerns our programs, as far as we can tell it apart.
pub(crate) fn type_information() -> Result<Btf, BpfError> {
    let whole = std::fs::read(TYPE_INFORMATION).map_err(BpfError::ReadTypes)?;
    let wanted = |name: &[u8]| {
        let prefixes: [&[u8]; 2] = [b"bpf_iter_", b"btf_trace_"];
        prefixes.iter().any(|prefix| name.starts_with(prefix)) || STRUCTURES.contains(&name)
    };
    let part = cut_down(&whole, wanted);
    Btf::parse(part.as_deref().unwrap_or(&whole), Endianness::default()).map_err(BpfError::Types)
}

/// Opens a BPF iterator at its beginning. Since Linux 5.19 that takes no rights.
pub(crate) fn open_iterator(programs: &mut Ebpf, program: &'static str) -> Result<File, BpfError> {
    let failed = |source| BpfError::Read { program, source };
    let iterator: &mut Iter = program_of(programs, program)?;
    let link = iterator
        .attach()
        .map_err(|error| failed(io::Error::other(error)))?;
    let link = iterator
        .take_link(link)
        .map_err(|error| failed(io::Error::other(error)))?;
    link.into_file()
        .map_err(|error| failed(io::Error::other(error)))
}

/// Reads a BPF iterator to its end. `take` is handed what has come and gives back how much of it
/// it took; the rest comes again, with more behind it.
pub(crate) fn read_iterator(
    programs: &mut Ebpf,
    program: &'static str,
    mut take: impl FnMut(&[u8]) -> usize,
) -> Result<(), BpfError> {
    let failed = |source| BpfError::Read { program, source };
    let mut file = open_iterator(programs, program)?;
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    loop {
        let space = buffer.get_mut(filled..).unwrap_or_default();
        match file.read(space) {
            Ok(0) if filled == 0 => return Ok(()),
            Ok(0) => return Err(failed(io::Error::other("it ended within a record"))),
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        }
        let taken = take(buffer.get(..filled).unwrap_or_default()).min(filled);
        // A record may be split between two reads.
        buffer.copy_within(taken..filled, 0);
        filled -= taken;
    }
}

/// A program of an object, as the kind of program it is.
pub(crate) fn program_of<'a, P>(
    programs: &'a mut Ebpf,
    program: &'static str,
) -> Result<&'a mut P, BpfError>
where
    &'a mut P: TryFrom<&'a mut Program>,
{
    let found = programs.program_mut(program);
    let found = found.and_then(|found| found.try_into().ok());
    found.ok_or(BpfError::NotInObject { program })
}

/// An error with its causes, without the verifier's listing, which fills screens.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        let text = text.split(['\n', '\r']).next().unwrap_or_default();
        let text = text.split(". Verifier output").next().unwrap_or_default();
        if !texts
            .last()
            .is_some_and(|last: &String| last.contains(text))
        {
            texts.push(text.to_owned());
        }
        next = error.source();
    }
    texts.join(": ")
}
