//! The BPF programs of `bpf/plain.bpf.c`: for kernels that give no type information of themselves.
//! They tell the same events with fewer facts, and in the same maps; what can be found out later is
//! filled in here before anybody sees it.

mod namespaces;
mod processes;
mod runs;

use std::collections::HashMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use aya::maps::MapData;
use aya::programs::{CgroupSkb, CgroupSock, CgroupSockAddr, SockOps, TracePoint};
use aya::{Ebpf, EbpfLoader};
use model::{Endpoint, Gap, Look, NetworkNamespace, ProcessId, Protocol, Source, State, Text};

use self::namespaces::Learned;
use self::processes::{Teller, Told as Processes};
use super::{
    ADDRESS_HOOKS, ATTACH_MODE, Loss, PACKET_HOOKS, SOCKET_HOOKS, Told, attach_failed, boot_nanos,
    load_failed, take,
};
use crate::linux::bpf::{BpfError, program_of};
use crate::linux::cgroup;
use crate::linux::host;
use crate::linux::process_connector::ProcessConnector;
use crate::parse::process_event::{ProcessEvent, ProcessEventKind};
use crate::parse::socket_event::{EventOwner, Flags, More, SocketEvent, SocketEventKind};
use crate::parse::tracepoint::field_offset;

static OBJECT: &[u8] = aya::include_bytes_aligned!("../bpf/plain.bpf.o");

/// Why a connection has failed is told together with its end, sooner or later.
const TOLD_TOGETHER: u64 = 1_000_000;
const KEPT: u64 = 200_000_000;

/// `enum plain_flags`
const RELEASED: u16 = 1 << 14;

/// Tracepoint, its program, and the fields it reads, each with the global that takes its offset.
struct Hook {
    program: &'static str,
    group: &'static str,
    name: &'static str,
    fields: &'static [(&'static str, &'static str)],
}

const STARTED: Hook = Hook {
    program: "process_started",
    group: "task",
    name: "task_newtask",
    fields: &[
        ("pid", "task_newtask_pid"),
        ("comm", "task_newtask_comm"),
        ("clone_flags", "task_newtask_clone_flags"),
    ],
};
const EXECUTED: Hook = Hook {
    program: "process_exec",
    group: "sched",
    name: "sched_process_exec",
    fields: &[],
};
const ENDED: Hook = Hook {
    program: "process_ended",
    group: "sched",
    name: "sched_process_exit",
    fields: &[],
};
const LAST_THREAD: (&str, &str) = ("group_dead", "sched_process_exit_group_dead");
const ROUTE: Hook = Hook {
    program: "route_found",
    group: "fib",
    name: "fib_table_lookup",
    fields: &[("err", "fib_table_lookup_err")],
};
const ROUTE6: Hook = Hook {
    program: "route6_found",
    group: "fib6",
    name: "fib6_table_lookup",
    fields: &[("err", "fib6_table_lookup_err")],
};
const ERROR: Hook = Hook {
    program: "error_reported",
    group: "sock",
    name: "inet_sk_error_report",
    fields: &[
        ("error", "inet_sk_error_report_error"),
        ("protocol", "inet_sk_error_report_protocol"),
        ("sport", "inet_sk_error_report_sport"),
        ("dport", "inet_sk_error_report_dport"),
        ("saddr_v6", "inet_sk_error_report_saddr_v6"),
        ("daddr_v6", "inet_sk_error_report_daddr_v6"),
    ],
};

/// `struct seed`
type Seed = [u64; 5];

/// What the programs cannot tell.
pub(super) struct Plain {
    /// Why there are no others.
    why: String,
    processes: Processes,
    namespaces: Learned,
    seeds: aya::maps::HashMap<MapData, u64, Seed>,
    tells_errors: bool,
    /// Why TCP connections have failed, by their ends.
    errors: HashMap<Ends, TcpError>,
    /// The last counts of UDP and others, with their first peer.
    counted: HashMap<u64, SocketEvent>,
    /// Of TCP, as last told: sent, received.
    tcp: HashMap<u64, (u64, u64)>,
    gaps: Vec<Gap>,
    /// Events of processes, before this was noticed.
    lost: u64,
}

/// Local and remote.
type Ends = (Option<Endpoint>, Option<Endpoint>);

struct TcpError {
    time: u64,
    errno: u16,
}

/// Loads and attaches the programs. `why` the better ones cannot be used.
/// `processes_told`: see [`super::Probes::attach`].
pub(super) fn attach(
    why: &BpfError,
    processes_told: &mut dyn FnMut(),
) -> Result<(Ebpf, Plain), BpfError> {
    let tracefs = tracefs();
    let offsets = Offsets::read(tracefs.as_deref());
    let own_process = std::process::id();
    let mut loader = EbpfLoader::new();
    loader.btf(None);
    loader.override_global("own_process", &own_process, true);
    for (global, offset) in &offsets.globals {
        loader.override_global(global, offset, true);
    }
    let loaded = loader.load(OBJECT);
    let mut programs = loaded.map_err(|error| BpfError::Fit(Box::new(error)))?;
    let root = cgroup::root().map_err(BpfError::Cgroup)?;
    let mut gaps = Vec::new();
    // Who uses a socket has to be known by the time it is told.
    let teller = follow_processes(&mut programs, &offsets, &mut gaps);
    let processes = Processes::begin(teller).map_err(BpfError::Processes)?;
    processes_told();
    let reasons = [&ROUTE, &ROUTE6, &ERROR].into_iter();
    for hook in reasons.filter(|hook| offsets.has(hook)) {
        // Without it some failures have no reason.
        let _ = load_tracepoint(&mut programs, hook)
            .and_then(|()| attach_tracepoint(&mut programs, hook));
    }
    attach_at_cgroup(&mut programs, &root)?;
    let mut namespaces = Learned::new(
        take(&mut programs, "namespaces")?,
        take(&mut programs, "learned")?,
    );
    namespaces.learn(&processes.pids());
    let plain = Plain {
        why: why.to_string(),
        processes,
        namespaces,
        seeds: take(&mut programs, "seeds")?,
        tells_errors: offsets.has(&ERROR),
        errors: HashMap::new(),
        counted: HashMap::new(),
        tcp: HashMap::new(),
        gaps,
        lost: 0,
    };
    Ok((programs, plain))
}

fn attach_at_cgroup(programs: &mut Ebpf, root: &OwnedFd) -> Result<(), BpfError> {
    let mode = ATTACH_MODE;
    for program in SOCKET_HOOKS {
        let hook: &mut CgroupSock = program_of(programs, program)?;
        hook.load().map_err(load_failed(program))?;
        hook.attach(root, mode).map_err(attach_failed(program))?;
    }
    for (program, side) in PACKET_HOOKS {
        let hook: &mut CgroupSkb = program_of(programs, program)?;
        hook.load().map_err(load_failed(program))?;
        let attached = hook.attach(root, side, mode);
        attached.map_err(attach_failed(program))?;
    }
    let hook: &mut SockOps = program_of(programs, "tcp_changed")?;
    hook.load().map_err(load_failed("tcp_changed"))?;
    let attached = hook.attach(root, mode);
    attached.map_err(attach_failed("tcp_changed"))?;
    for program in ADDRESS_HOOKS {
        let hook: &mut CgroupSockAddr = program_of(programs, program)?;
        hook.load().map_err(load_failed(program))?;
        hook.attach(root, mode).map_err(attach_failed(program))?;
    }
    Ok(())
}

fn load_tracepoint(programs: &mut Ebpf, hook: &Hook) -> Result<(), BpfError> {
    let program: &mut TracePoint = program_of(programs, hook.program)?;
    program.load().map_err(load_failed(hook.program))
}

fn attach_tracepoint(programs: &mut Ebpf, hook: &Hook) -> Result<(), BpfError> {
    let program: &mut TracePoint = program_of(programs, hook.program)?;
    let attached = program.attach(hook.group, hook.name);
    attached.map(drop).map_err(attach_failed(hook.program))
}

/// By tracepoints, else by the process connector.
fn follow_processes(programs: &mut Ebpf, offsets: &Offsets, gaps: &mut Vec<Gap>) -> Teller {
    // As `PROCESS_TRACEPOINTS`.
    let hooks = [&ENDED, &EXECUTED, &STARTED];
    let attached = if hooks.into_iter().all(|hook| offsets.has(hook)) {
        let mut load = hooks.into_iter();
        let mut attach = hooks.into_iter();
        load.try_for_each(|hook| load_tracepoint(programs, hook))
            .and_then(|()| attach.try_for_each(|hook| attach_tracepoint(programs, hook)))
            .map_err(|error| error.to_string())
    } else {
        Err("the kernel's tracepoints cannot be read (tracefs)".to_owned())
    };
    let why = match attached {
        Ok(()) => {
            let tells_last = offsets.globals.iter().any(|(it, _)| *it == LAST_THREAD.1);
            return Teller::Tracepoints { tells_last };
        }
        Err(why) => why,
    };
    let (teller, why) = match ProcessConnector::open() {
        Ok(connector) => (Teller::Connector(Box::new(connector)), why),
        Err(error) => (Teller::Nobody, format!("{why}; process connector: {error}")),
    };
    let missed = match teller {
        Teller::Connector(_) => {
            "processes that end before /proc can be read and that use no socket; parents and \
             groups of those that do"
        }
        Teller::Nobody | Teller::Tracepoints { .. } => {
            "that processes start, run another program and end; who used a socket, when the \
             process has ended since"
        }
    };
    gaps.push(Gap::standing(
        "no_process_events",
        Source::Ebpf,
        why,
        missed,
    ));
    teller
}

/// Where the fields of tracepoints lie on this kernel.
struct Offsets {
    globals: Vec<(&'static str, u32)>,
    /// Tracepoints with all their fields.
    whole: Vec<&'static str>,
}

impl Offsets {
    fn read(tracefs: Option<&Path>) -> Self {
        let mut all = Self {
            globals: Vec::new(),
            whole: Vec::new(),
        };
        let Some(tracefs) = tracefs else {
            return all;
        };
        for hook in [STARTED, EXECUTED, ENDED, ROUTE, ROUTE6, ERROR] {
            let folder = tracefs.join("events").join(hook.group).join(hook.name);
            let Ok(format) = fs::read_to_string(folder.join("format")) else {
                continue;
            };
            let offset = |(field, global): &(&str, &'static str)| {
                field_offset(&format, field).map(|offset| (*global, offset))
            };
            let found: Vec<_> = hook.fields.iter().filter_map(offset).collect();
            if found.len() == hook.fields.len() {
                all.whole.push(hook.name);
            }
            all.globals.extend(found);
            // Older kernels have no such field.
            if hook.name == ENDED.name {
                all.globals.extend(offset(&LAST_THREAD));
            }
        }
        all
    }

    fn has(&self, hook: &Hook) -> bool {
        self.whole.contains(&hook.name)
    }
}

/// Where tracefs is mounted, as aya looks for it.
fn tracefs() -> Option<PathBuf> {
    ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.join("events").is_dir())
}

impl Plain {
    /// Gives the sockets that were there before us the owner that holds them.
    pub(super) fn seed(&mut self, look: &Look) {
        let shift = host::boot_time_shift();
        let processes: HashMap<_, _> = look.processes.iter().map(|it| (it.id, it)).collect();
        for socket in &look.sockets {
            let Some(cookie) = socket.key.cookie else {
                continue;
            };
            let holders = socket.holders.iter();
            let Some(oldest) = holders.map(|it| it.process).min_by_key(|id| id.start_ticks) else {
                continue;
            };
            // Behind its start, and before that of any other with this pid.
            let shown = (oldest.start_ticks + 1).saturating_mul(ProcessId::NANOS_PER_TICK);
            let process = processes.get(&oldest);
            let name = process.map(|process| process.name.bytes());
            let netns = socket.netns.map_or(0, |netns| netns.0);
            let uid = process.and_then(|process| process.uid).unwrap_or_default();
            // It stands for itself, besides its peers.
            let is_open = !socket.protocol.has_connections() && socket.remote.is_none();
            let flags = if is_open { Flags::LISTENED } else { 0 };
            let seed = seed(
                shown.saturating_add_signed(shift.saturating_neg()),
                [oldest.pid, uid, netns, u32::from(flags)],
                name.unwrap_or_default(),
            );
            // Without room it is met without an owner.
            let _ = self.seeds.insert(cookie, seed, 0);
            if let (Protocol::Tcp, Some(sent), Some(received)) =
                (socket.protocol, socket.bytes_sent, socket.bytes_received)
            {
                self.tcp.insert(cookie, (sent, received));
            }
        }
    }

    pub(super) fn tells_processes(&self) -> bool {
        self.processes.are_told()
    }

    pub(super) fn gaps(&self) -> Vec<Gap> {
        let mut gaps = vec![Gap::standing(
            "no_btf",
            Source::Ebpf,
            format!("{}; a simpler way is used", self.why),
            "that another process goes on with a socket that was inherited or passed to it; what \
             is read and sent as whole frames (packet sockets); errors of UDP that come later; \
             that a resolver was asked over its Unix socket; program path and arguments of processes \
             that end before /proc can be read, and how processes end; in which network namespace \
             something happened, when it was made since; why IPv6 had no route",
        )];
        gaps.extend(self.gaps.iter().cloned());
        gaps
    }

    /// Events of processes that others have lost.
    pub(super) fn process_loss(&self) -> Loss {
        self.processes.loss
    }

    /// Whether something is still to come that belongs to what was told.
    pub(super) fn is_incomplete(&self, told: &[Told]) -> bool {
        let now = boot_nanos();
        self.tells_errors
            && told.iter().any(|told| match told {
                Told::Socket(event) => {
                    may_have_error(event) && now.saturating_sub(event.time) < TOLD_TOGETHER
                }
                Told::Said(_) | Told::Process(_) => false,
            })
    }

    /// Fills in what was told, and takes out what is not for others. `lost`: so many events of
    /// processes were lost until now.
    pub(super) fn complete(&mut self, told: Vec<Told>, lost: u64, all: &mut Vec<Told>) {
        if lost > self.lost {
            self.lost = lost;
            self.processes.doubt();
        }
        let mut of_processes = Vec::new();
        let mut of_sockets = Vec::with_capacity(told.len());
        for told in told {
            match told {
                Told::Process(event) => of_processes.push(plainly(*event)),
                Told::Socket(event) if event.kind == SocketEventKind::Counted => {
                    self.counted.insert(event.cookie, event);
                }
                Told::Socket(event) if event.kind == SocketEventKind::Error => {
                    let (time, errno) = (event.time, event.error);
                    let ends = (event.local, event.remote);
                    self.errors.insert(ends, TcpError { time, errno });
                }
                other @ (Told::Socket(_) | Told::Said(_)) => of_sockets.push(other),
            }
        }
        let mut of_processes = self.processes.complete(of_processes);
        let mut users = Vec::new();
        for mut told in of_sockets {
            match &mut told {
                Told::Socket(event) => users.extend(self.fill(event)),
                Told::Said(said) => users.extend(self.fill(&mut said.event)),
                Told::Process(_) => {}
            }
            all.push(told);
        }
        name(&mut of_processes, &users);
        let processes = &mut self.processes;
        let of_processes = of_processes.into_iter().filter(|it| processes.was_told(it));
        all.extend(of_processes.map(|it| Told::Process(Box::new(it))));
        let now = boot_nanos();
        self.errors
            .retain(|_, error| now.saturating_sub(error.time) < KEPT);
    }

    /// Gives who used the socket, as it is known now, and since when it was seen to.
    fn fill(&mut self, event: &mut SocketEvent) -> Option<(EventOwner, u64)> {
        let seen = event.owner.map(|owner| owner.started);
        if let Some(mut owner) = event.owner.take() {
            let started = self.processes.started(owner.pid, owner.started);
            event.owner = started.map(|started| {
                owner.started = started;
                owner
            });
        }
        if event.kind == SocketEventKind::Closed {
            self.counted.remove(&event.cookie);
            self.tcp.remove(&event.cookie);
            if may_have_error(event) {
                let error = self.errors.get(&(event.local, event.remote));
                let error = error.filter(|it| it.time.abs_diff(event.time) < KEPT);
                event.error = error.map_or(0, |it| it.errno);
            }
        }
        event.owner.zip(seen)
    }

    /// Tells each open socket of which more has gone since this was last asked, as far as that can
    /// be seen from here.
    pub(super) fn changed(&mut self, mut socket: impl FnMut(SocketEvent)) {
        if self.namespaces.misses_some() {
            self.namespaces.learn(&self.processes.pids());
        }
        self.counted.drain().for_each(|(_, event)| socket(event));
        let now = boot_nanos();
        let before = std::mem::take(&mut self.tcp);
        let mut tcp = HashMap::with_capacity(before.len());
        self.namespaces.tcp_sockets(|netns, entry| {
            let it = entry.socket;
            let (Some(cookie), Some(sent), Some(received)) =
                (it.key.cookie, it.bytes_sent, it.bytes_received)
            else {
                return;
            };
            if it.state == State::Listen {
                return;
            }
            if before.get(&cookie).unwrap_or(&(0, 0)) != &(sent, received) {
                socket(counted(
                    now,
                    cookie,
                    netns,
                    (it.local, it.remote),
                    (sent, received),
                ));
            }
            tcp.insert(cookie, (sent, received));
        });
        self.tcp = tcp;
    }
}

/// Gives their names to programs that were gone before they could be read, and then used a socket.
fn name(programs: &mut [ProcessEvent], users: &[(EventOwner, u64)]) {
    let mut nameless = HashMap::<_, Vec<&mut ProcessEvent>>::new();
    for program in programs {
        if program.name == Text::default() {
            let run = (program.pid, program.started);
            nameless.entry(run).or_default().push(program);
        }
    }
    if nameless.is_empty() {
        return;
    }
    for (owner, seen) in users {
        let Some(programs) = nameless.get_mut(&(owner.pid, owner.started)) else {
            continue;
        };
        if let Some(program) = programs.iter_mut().rfind(|it| it.time <= *seen) {
            program.name = owner.name().into();
            program.uid = owner.uid;
        }
    }
}

/// Nothing was told of the program, and not how it ended.
fn plainly(event: ProcessEvent) -> ProcessEvent {
    let kind = match event.kind {
        ProcessEventKind::Started => ProcessEventKind::Started,
        ProcessEventKind::Executed(_) => ProcessEventKind::Executed(processes::nothing()),
        ProcessEventKind::Ended { .. } => ProcessEventKind::Ended { status: None },
    };
    ProcessEvent { kind, ..event }
}

/// The end of a TCP connection that no program brought about, and no packet that was seen.
fn may_have_error(event: &SocketEvent) -> bool {
    event.kind == SocketEventKind::Closed
        && event.protocol == Protocol::Tcp
        && event.error == 0
        && !event.flags.has(RELEASED)
        && event.remote.is_some()
}

fn counted(
    time: u64,
    cookie: u64,
    netns: NetworkNamespace,
    (local, remote): (Endpoint, Option<Endpoint>),
    (bytes_sent, bytes_received): (u64, u64),
) -> SocketEvent {
    SocketEvent {
        time,
        kind: SocketEventKind::Counted,
        flags: Flags::of(Flags::BYTES),
        cookie,
        owner: None,
        netns: Some(netns),
        protocol: Protocol::Tcp,
        local: Some(local),
        remote,
        peer: [0; 4],
        error: 0,
        bytes_sent,
        bytes_received,
        packets_sent: 0,
        packets_received: 0,
        more: More::Nothing,
    }
}

/// `struct seed`: a time, four numbers, a name ended by NUL.
fn seed(seen: u64, numbers: [u32; 4], name: &[u8]) -> Seed {
    let mut bytes = seen.to_ne_bytes().to_vec();
    numbers
        .iter()
        .for_each(|number| bytes.extend(number.to_ne_bytes()));
    bytes.extend(name.iter().take(15));
    bytes.resize(size_of::<Seed>(), 0);
    let mut words = bytes.chunks_exact(8);
    std::array::from_fn(|_| {
        let word = words.next().and_then(|word| word.try_into().ok());
        u64::from_ne_bytes(word.unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_lies_in_memory_as_the_programs_have_it() {
        let words = seed(7, [1, 2, 3, 0], b"a name that is too long");
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        assert_eq!(bytes[..8], 7_u64.to_ne_bytes());
        assert_eq!(bytes[8..12], 1_u32.to_ne_bytes());
        assert_eq!(bytes[16..20], 3_u32.to_ne_bytes());
        assert_eq!(&bytes[24..], b"a name that is \0");
    }
}
