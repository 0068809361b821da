//! The BPF programs of `bpf/events.bpf.c`: attaches them, and reads what they tell. Where the kernel
//! gives no type information, those of `bpf/plain.bpf.c` take their place.

mod plain;
mod ring;

use std::os::fd::OwnedFd;
use std::thread;
use std::time::Duration;

use aya::maps::{Array, HashMap, MapData, PerCpuArray};
use aya::programs::{
    BtfTracePoint, CgroupAttachMode, CgroupSkb, CgroupSkbAttachType, CgroupSock, CgroupSockAddr,
    Iter,
};
use aya::{Btf, Ebpf, EbpfLoader};
use model::{Gap, Look};
use rustix::time::{ClockId, clock_gettime};

use self::plain::Plain;
use self::ring::Ring;
use super::bpf::{BpfError, open_iterator, program_of, read_iterator, type_information};
use super::cgroup;
use crate::parse::process_event::{ProcessEvent, process_event};
use crate::parse::socket_event::{PeerKey, SocketEvent, said, socket_event};

static OBJECT: &[u8] = aya::include_bytes_aligned!("bpf/events.bpf.o");

/// Size of a record of the iterator `sockets_changed`.
const RECORD: usize = 128;
/// At most so many events are taken from a ring at once, so that neither waits for the other.
const MOST_AT_ONCE: usize = 65_536;
/// These are long.
const MOST_SAID_AT_ONCE: usize = 4_096;

/// In this order: of a process whose start is told, all that follows is told too.
const PROCESS_TRACEPOINTS: [(&str, &str); 3] = [
    ("process_ended", "sched_process_exit"),
    ("process_exec", "sched_process_exec"),
    ("process_started", "sched_process_fork"),
];
const TRACEPOINTS: [(&str, &str); 6] = [
    ("state_changed", "inet_sock_set_state"),
    ("error_reported", "inet_sk_error_report"),
    ("sent", "sock_send_length"),
    ("received", "sock_recv_length"),
    ("route_found", "fib_table_lookup"),
    ("route6_found", "fib6_table_lookup"),
];
const SOCKET_HOOKS: [&str; 4] = ["socket_created", "bound4", "bound6", "released"];
const ADDRESS_HOOKS: [&str; 4] = ["connect4", "connect6", "send4", "send6"];
const PACKET_HOOKS: [(&str, CgroupSkbAttachType); 2] = [
    ("leaving", CgroupSkbAttachType::Egress),
    ("arriving", CgroupSkbAttachType::Ingress),
];
const ITERATORS: [(&str, &str); 3] = [
    ("sockets_seed", "task_file"),
    ("sockets_changed", "task_file"),
    ("introduce", "bpf_map"),
];

/// Says "no flags", which is all that a BPF link at a cgroup allows. It is not what its name says: a
/// link always stands beside the programs of others, and never takes their place.
const ATTACH_MODE: CgroupAttachMode = CgroupAttachMode::Single;

/// What the kernel told, as it was told.
#[derive(Clone, Debug)]
pub(crate) enum Told {
    Socket(SocketEvent),
    /// How a connection begins, or a message of DNS.
    Said(Box<Said>),
    Process(Box<ProcessEvent>),
}

/// What was said on a socket, or a part of it.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) event: SocketEvent,
    /// Of its first byte, where it is TCP.
    pub(crate) sequence: u32,
    pub(crate) bytes: Vec<u8>,
}

impl Told {
    /// Nanoseconds since boot, suspend included.
    pub(crate) fn time(&self) -> u64 {
        match self {
            Self::Socket(event) => event.time,
            Self::Said(said) => said.event.time,
            Self::Process(event) => event.time,
        }
    }
}

/// Events for which there was no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) count: u64,
    /// Nanoseconds since boot.
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Loss {
    fn and(self, other: Self) -> Self {
        match (self.count, other.count) {
            (_, 0) => self,
            (0, _) => other,
            (here, there) => Self {
                count: here + there,
                first: self.first.min(other.first),
                last: self.last.max(other.last),
            },
        }
    }
}

/// Where something can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    SocketEvents = 0,
    ProcessEvents = 1,
    Peers = 2,
    Said = 3,
    Owners = 4,
}

/// What has gone to and from a peer: `struct peer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerCounts {
    pub(crate) bytes_sent: u64,
    pub(crate) bytes_received: u64,
    pub(crate) last: u64,
    pub(crate) packets_sent: u64,
    pub(crate) packets_received: u64,
}

fn said_event(bytes: &[u8]) -> Option<Told> {
    let event = socket_event(bytes)?;
    let (sequence, said) = said(bytes)?;
    Some(Told::Said(Box::new(Said {
        event,
        sequence,
        bytes: said.to_vec(),
    })))
}

/// The attached programs. They are detached when this is dropped.
pub(crate) struct Probes {
    programs: Ebpf,
    socket_events: Ring,
    said_first: Ring,
    process_events: Ring,
    losses: PerCpuArray<MapData, [u64; 3]>,
    peers: HashMap<MapData, PeerKey, [u64; 4]>,
    /// `None`: these programs do not watch Unix sockets.
    watched: Option<Array<MapData, [u64; 2]>>,
    /// These are the programs without type information.
    plain: Option<Plain>,
}

impl Probes {
    /// Loads and attaches everything; `nested` when this PID namespace is not the first one.
    /// From here on events are kept for the reader. What was there before has to be looked at after
    /// this, and seeded, and only then may events be taken: in any other order something falls
    /// between look and events, or is told of a socket without its owner.
    ///
    /// `processes_told` is called when processes are told, and sockets are not yet: whoever uses a
    /// socket that is told was there then, or its start was told. It may be called twice; then the
    /// second time counts.
    pub(crate) fn attach(nested: bool, processes_told: &mut dyn FnMut()) -> Result<Self, BpfError> {
        match attach_full(nested, processes_told) {
            Ok(programs) => Self::of(programs, None),
            // They know the pids of the first PID namespace only.
            Err(why) if nested || !may_lack_types(&why) => Err(why),
            Err(why) => {
                let (programs, plain) = plain::attach(&why, processes_told)?;
                Self::of(programs, Some(plain))
            }
        }
    }

    fn of(mut programs: Ebpf, plain: Option<Plain>) -> Result<Self, BpfError> {
        let watched = match plain {
            Some(_) => None,
            None => Some(take(&mut programs, "watched_files")?),
        };
        Ok(Self {
            socket_events: Ring::of(take(&mut programs, "socket_events")?),
            said_first: Ring::of(take(&mut programs, "said_first")?),
            process_events: Ring::of(take(&mut programs, "process_events")?),
            losses: take(&mut programs, "losses")?,
            peers: take(&mut programs, "peers")?,
            watched,
            plain,
            programs,
        })
    }

    /// Whether these are the programs without type information.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain.is_some()
    }

    /// Whether starts, new programs and ends of processes are told.
    pub(crate) fn tells_processes(&self) -> bool {
        self.plain.as_ref().is_none_or(Plain::tells_processes)
    }

    /// What these programs cannot see.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        self.plain.as_ref().map_or_else(Vec::new, Plain::gaps)
    }

    /// Gives the sockets that were there before us the owner that holds them; `look` was taken
    /// since the programs are attached.
    pub(crate) fn seed(&mut self, look: &Look) -> Result<(), BpfError> {
        match &mut self.plain {
            Some(plain) => {
                plain.seed(look);
                Ok(())
            }
            None => read_iterator(&mut self.programs, "sockets_seed", <[u8]>::len),
        }
    }

    /// Watches the Unix sockets with these files, each as device (the kernel's number) and inode.
    pub(crate) fn watch_files(&mut self, files: &[(u32, u64)]) {
        let Some(watched) = &mut self.watched else {
            return;
        };
        for index in 0..watched.len() {
            let place = usize::try_from(index).unwrap_or(usize::MAX);
            let (device, inode) = files.get(place).copied().unwrap_or_default();
            // One that cannot be set costs a time of asking, which the resolver's own list has too.
            let _ = watched.set(index, [inode, u64::from(device)], 0);
        }
    }

    /// Takes what has been told since. `Some`: there is more to take, at once or when its writer is
    /// ready, and all until then has been taken.
    pub(crate) fn take(&mut self, told: &mut Vec<Told>) -> Option<u64> {
        if self.plain.is_none() {
            return self.take_raw(told);
        }
        let mut raw = Vec::new();
        let mut more = self.take_raw(&mut raw);
        let plain = self.plain.as_ref();
        if plain.is_some_and(|plain| plain.is_incomplete(&raw)) {
            thread::sleep(Duration::from_millis(1));
            more = self.take_raw(&mut raw);
        }
        let lost = self.lost_by_programs(Room::ProcessEvents);
        let lost = lost.map_or(0, |loss| loss.count);
        if let Some(plain) = &mut self.plain {
            plain.complete(raw, lost, told);
        }
        more
    }

    fn take_raw(&mut self, told: &mut Vec<Told>) -> Option<u64> {
        let began = boot_nanos();
        let socket = |bytes: &[u8]| socket_event(bytes).map(Told::Socket);
        self.socket_events.take(MOST_AT_ONCE, 0, socket, told);
        self.said_first.take(MOST_SAID_AT_ONCE, 0, said_event, told);
        // Without type information, who used a socket has to be known before that is told.
        let newest = match self.plain {
            Some(_) => told.iter().map(Told::time).max().unwrap_or(0),
            None => 0,
        };
        let process = |bytes: &[u8]| Some(Told::Process(Box::new(process_event(bytes)?)));
        self.process_events
            .take(MOST_AT_ONCE, newest, process, told);
        let rings = [
            &mut self.socket_events,
            &mut self.said_first,
            &mut self.process_events,
        ];
        rings.into_iter().filter_map(|ring| ring.more(began)).min()
    }

    /// What was lost since the programs were attached.
    pub(crate) fn loss(&self, room: Room) -> Result<Loss, BpfError> {
        let by_programs = self.lost_by_programs(room)?;
        let plain = self.plain.as_ref();
        let by_others = plain.filter(|_| room == Room::ProcessEvents);
        Ok(by_others.map_or(by_programs, |plain| by_programs.and(plain.process_loss())))
    }

    fn lost_by_programs(&self, room: Room) -> Result<Loss, BpfError> {
        let values = self.losses.get(&(room as u32), 0).map_err(map("losses"))?;
        let mut all = Loss::default();
        for &[count, first, last] in values.iter() {
            all = all.and(Loss { count, first, last });
        }
        Ok(all)
    }

    /// Tries what reading takes, and reads nothing.
    pub(crate) fn trial(&mut self) -> Result<(), BpfError> {
        self.loss(Room::Peers)?;
        open_iterator(&mut self.programs, "sockets_changed").map(drop)
    }

    /// Tells each open socket of which more has gone since this was last asked.
    pub(crate) fn changed(&mut self, mut socket: impl FnMut(SocketEvent)) -> Result<(), BpfError> {
        if let Some(plain) = &mut self.plain {
            plain.changed(socket);
            return Ok(());
        }
        read_iterator(&mut self.programs, "sockets_changed", |bytes| {
            let (records, _) = bytes.as_chunks::<RECORD>();
            let counted = records.iter().filter_map(|record| socket_event(record));
            counted.for_each(&mut socket);
            records.len() * RECORD
        })
    }

    /// `None`: it is not in the table.
    pub(crate) fn peer(&self, key: &PeerKey) -> Option<PeerCounts> {
        let [bytes_sent, bytes_received, last, packets] = self.peers.get(key, 0).ok()?;
        let [low, high] = [packets & u64::from(u32::MAX), packets >> 32];
        let (packets_sent, packets_received) = if cfg!(target_endian = "little") {
            (low, high)
        } else {
            (high, low)
        };
        Some(PeerCounts {
            bytes_sent,
            bytes_received,
            last,
            packets_sent,
            packets_received,
        })
    }

    pub(crate) fn forget_peer(&mut self, key: &PeerKey) {
        // It may have gone already.
        let _ = self.peers.remove(key);
    }
}

/// Now, on the clock of the events.
pub(crate) fn boot_nanos() -> u64 {
    let up = clock_gettime(ClockId::Boottime);
    up.tv_sec.unsigned_abs() * 1_000_000_000 + up.tv_nsec.unsigned_abs()
}

fn attach_full(nested: bool, processes_told: &mut dyn FnMut()) -> Result<Ebpf, BpfError> {
    let types = type_information()?;
    let mut programs = EbpfLoader::new()
        .btf(Some(&types))
        .override_global("nested_pid_namespace", &u32::from(nested), true)
        .load(OBJECT)
        .map_err(|error| BpfError::Fit(Box::new(error)))?;
    let root = cgroup::root().map_err(BpfError::Cgroup)?;
    for (program, iterator) in ITERATORS {
        let iterators: &mut Iter = program_of(&mut programs, program)?;
        let loaded = iterators.load(iterator, &types);
        loaded.map_err(load_failed(program))?;
    }
    if nested {
        read_iterator(&mut programs, "introduce", <[u8]>::len)?;
    }
    load_all(&mut programs, &types)?;
    attach_all(&mut programs, &root, processes_told)?;
    Ok(programs)
}

/// Whether programs that need no type information may work where others did not.
fn may_lack_types(why: &BpfError) -> bool {
    match why {
        BpfError::ReadTypes(_)
        | BpfError::Types(_)
        | BpfError::Fit(_)
        | BpfError::Load { .. }
        | BpfError::Attach { .. } => true,
        BpfError::NoRights
        | BpfError::Map { .. }
        | BpfError::NotInObject { .. }
        | BpfError::Cgroup(_)
        | BpfError::Processes(_)
        | BpfError::Read { .. } => false,
    }
}

/// The kernel takes its time to check them. It does so before the first is attached, so that all
/// begin to tell within a moment.
fn load_all(programs: &mut Ebpf, types: &Btf) -> Result<(), BpfError> {
    for program in SOCKET_HOOKS {
        let hook: &mut CgroupSock = program_of(programs, program)?;
        hook.load().map_err(load_failed(program))?;
    }
    for (program, _) in PACKET_HOOKS {
        let hook: &mut CgroupSkb = program_of(programs, program)?;
        hook.load().map_err(load_failed(program))?;
    }
    for (program, tracepoint) in PROCESS_TRACEPOINTS.into_iter().chain(TRACEPOINTS) {
        let hook: &mut BtfTracePoint = program_of(programs, program)?;
        let loaded = hook.load(tracepoint, types);
        loaded.map_err(load_failed(program))?;
    }
    for program in ADDRESS_HOOKS {
        let hook: &mut CgroupSockAddr = program_of(programs, program)?;
        hook.load().map_err(load_failed(program))?;
    }
    Ok(())
}

/// Attempts last: when one is told, everything that follows from it is told too.
fn attach_all(
    programs: &mut Ebpf,
    root: &OwnedFd,
    processes_told: &mut dyn FnMut(),
) -> Result<(), BpfError> {
    let mode = ATTACH_MODE;
    attach_tracepoints(programs, &PROCESS_TRACEPOINTS)?;
    processes_told();
    for program in SOCKET_HOOKS {
        let hook: &mut CgroupSock = program_of(programs, program)?;
        hook.attach(root, mode).map_err(attach_failed(program))?;
    }
    for (program, side) in PACKET_HOOKS {
        let hook: &mut CgroupSkb = program_of(programs, program)?;
        let attached = hook.attach(root, side, mode);
        attached.map_err(attach_failed(program))?;
    }
    attach_tracepoints(programs, &TRACEPOINTS)?;
    for program in ADDRESS_HOOKS {
        let hook: &mut CgroupSockAddr = program_of(programs, program)?;
        hook.attach(root, mode).map_err(attach_failed(program))?;
    }
    Ok(())
}

fn attach_tracepoints(programs: &mut Ebpf, all: &[(&'static str, &str)]) -> Result<(), BpfError> {
    for (program, _) in all {
        let hook: &mut BtfTracePoint = program_of(programs, program)?;
        hook.attach().map_err(attach_failed(program))?;
    }
    Ok(())
}

fn take<T>(programs: &mut Ebpf, name: &'static str) -> Result<T, BpfError>
where
    T: TryFrom<aya::maps::Map, Error = aya::maps::MapError>,
{
    let missing = || aya::maps::MapError::InvalidName {
        name: name.to_owned(),
    };
    let found = programs.take_map(name).ok_or_else(missing);
    found.and_then(T::try_from).map_err(map(name))
}

fn map(map: &'static str) -> impl Fn(aya::maps::MapError) -> BpfError {
    move |source| BpfError::Map {
        map,
        source: Box::new(source),
    }
}

fn load_failed(program: &'static str) -> impl Fn(aya::programs::ProgramError) -> BpfError {
    move |source| BpfError::Load {
        program,
        source: Box::new(source),
    }
}

fn attach_failed(program: &'static str) -> impl Fn(aya::programs::ProgramError) -> BpfError {
    move |source| BpfError::Attach {
        program,
        source: Box::new(source),
    }
}
