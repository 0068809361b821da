//! The BPF iterators of `bpf/sockets.bpf.c`: loads them, and reads from them.

use std::io::{self, Read};

use aya::programs::Iter;
use aya::{Btf, Ebpf, EbpfLoader, Endianness};

use crate::parse::socket_record::{SocketRecord, take_record};
use crate::parse::type_information::cut_down;

static OBJECT: &[u8] = aya::include_bytes_aligned!("bpf/sockets.bpf.o");

/// What the kernel tells of its own structures.
pub(crate) const TYPE_INFORMATION: &str = "/sys/kernel/btf/vmlinux";

/// The structures that `bpf/vmlinux.h` declares with `preserve_access_index`.
const STRUCTURES: [&[u8]; 17] = [
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
];

/// The kernel writes at most 32 KiB at once.
const BUFFER: usize = 64 * 1024;

/// The loaded programs.
pub(crate) struct Iterators {
    programs: Ebpf,
}

/// Why the iterators cannot be used here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IteratorsError {
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
    #[error("cannot read from the BPF iterator '{program}': {}", chain(.source))]
    Read {
        program: &'static str,
        source: io::Error,
    },
}

/// Which table to read.
#[derive(Clone, Copy)]
pub(crate) enum Table {
    /// Every socket that a descriptor holds, in every network namespace.
    Held,
    /// TCP and UDP of the network namespace of this thread.
    Tcp,
    Udp,
}

impl Table {
    const ALL: [Self; 3] = [Self::Held, Self::Tcp, Self::Udp];

    /// Name of the program, and of the kernel's iterator it belongs to.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Held => ("sockets_held", "task_file"),
            Self::Tcp => ("sockets_tcp", "tcp"),
            Self::Udp => ("sockets_udp", "udp"),
        }
    }
}

impl Iterators {
    /// Loads the programs; `nested` when this PID namespace is not the first one.
    pub(crate) fn load(nested: bool) -> Result<Self, IteratorsError> {
        let types = type_information()?;
        let mut programs = EbpfLoader::new()
            .btf(Some(&types))
            .override_global("nested_pid_namespace", &u32::from(nested), true)
            .load(OBJECT)
            .map_err(|error| IteratorsError::Fit(Box::new(error)))?;
        for table in Table::ALL {
            let (program, iterator) = table.names();
            let load = |source| IteratorsError::Load {
                program,
                source: Box::new(source),
            };
            iterator_program(&mut programs, program)?
                .load(iterator, &types)
                .map_err(load)?;
        }
        Ok(Self { programs })
    }

    /// Reads a whole table and hands each record to `record`.
    pub(crate) fn read(
        &mut self,
        table: Table,
        mut record: impl FnMut(SocketRecord<'_>),
    ) -> Result<(), IteratorsError> {
        let (program, _) = table.names();
        let failed = |source| IteratorsError::Read { program, source };
        let iterator = iterator_program(&mut self.programs, program)?;
        let link = iterator
            .attach()
            .map_err(|error| failed(io::Error::other(error)))?;
        let link = iterator
            .take_link(link)
            .map_err(|error| failed(io::Error::other(error)))?;
        let mut file = link
            .into_file()
            .map_err(|error| failed(io::Error::other(error)))?;
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
            let mut rest = buffer.get(..filled).unwrap_or_default();
            while let Some((seen, after)) = take_record(rest) {
                record(seen);
                rest = after;
            }
            // A record may be split between two reads.
            let left = rest.len();
            buffer.copy_within(filled - left..filled, 0);
            filled = left;
        }
    }
}

/// Only the part that concerns our programs, as far as we can tell it apart.
fn type_information() -> Result<Btf, IteratorsError> {
    let whole = std::fs::read(TYPE_INFORMATION).map_err(IteratorsError::ReadTypes)?;
    let wanted = |name: &[u8]| name.starts_with(b"bpf_iter_") || STRUCTURES.contains(&name);
    let part = cut_down(&whole, wanted);
    Btf::parse(part.as_deref().unwrap_or(&whole), Endianness::default())
        .map_err(IteratorsError::Types)
}

fn iterator_program<'a>(
    programs: &'a mut Ebpf,
    name: &'static str,
) -> Result<&'a mut Iter, IteratorsError> {
    let missing = || IteratorsError::Read {
        program: name,
        source: io::Error::new(io::ErrorKind::NotFound, "not in the object"),
    };
    programs
        .program_mut(name)
        .ok_or_else(missing)?
        .try_into()
        .map_err(|_| missing())
}

/// An error with its causes, without the verifier's listing, which fills screens.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
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
