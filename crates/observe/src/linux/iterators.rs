//! The BPF iterators of `bpf/sockets.bpf.c`: loads them, and reads from them.

use aya::programs::Iter;
use aya::{Ebpf, EbpfLoader};

use super::bpf::{BpfError, program_of, read_iterator, type_information};
use crate::parse::socket_record::{SocketRecord, take_record};

static OBJECT: &[u8] = aya::include_bytes_aligned!("bpf/sockets.bpf.o");

/// The loaded programs.
pub(crate) struct Iterators {
    programs: Ebpf,
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
    pub(crate) fn load(nested: bool) -> Result<Self, BpfError> {
        let types = type_information()?;
        let mut programs = EbpfLoader::new()
            .btf(Some(&types))
            .override_global("nested_pid_namespace", &u32::from(nested), true)
            .load(OBJECT)
            .map_err(|error| BpfError::Fit(Box::new(error)))?;
        for table in Table::ALL {
            let (program, iterator) = table.names();
            let load = |source| BpfError::Load {
                program,
                source: Box::new(source),
            };
            let iterators: &mut Iter = program_of(&mut programs, program)?;
            iterators.load(iterator, &types).map_err(load)?;
        }
        Ok(Self { programs })
    }

    /// Reads a whole table and hands each record to `record`.
    pub(crate) fn read(
        &mut self,
        table: Table,
        mut record: impl FnMut(SocketRecord<'_>),
    ) -> Result<(), BpfError> {
        let (program, _) = table.names();
        read_iterator(&mut self.programs, program, |bytes| {
            let mut rest = bytes;
            while let Some((seen, after)) = take_record(rest) {
                record(seen);
                rest = after;
            }
            bytes.len() - rest.len()
        })
    }
}
