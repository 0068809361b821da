//! The kernel's tables of a network namespace: how they are read; TCP metrics and neighbours.

use std::fs;
use std::io;
use std::time::Duration;

use model::{Gap, Protocol, RememberedBy, Source, Timestamp};
use rustix::io::Errno;
use rustix::net::netlink;
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::{LIMIT, Memo, Memory, before};
use crate::linux::netlink::{Dump, Netlink};
use crate::parse::{generic_netlink, neighbours as rtnetlink, tcp_metrics as metrics};

/// A table that changes while it is read is read so often.
const TRIES: usize = 3;

/// Entries of a table of the kernel.
pub(super) struct Table<T> {
    pub(super) entries: Vec<T>,
    /// Beyond [`LIMIT`].
    pub(super) let_go: usize,
    /// It changed each time while it was read; entries may be missing.
    pub(super) restless: bool,
}

/// Reads a whole table; `entry` leaves out what does not concern us.
pub(super) fn table<T>(
    netlink: &mut Netlink,
    kind: u16,
    question: &[u8],
    entry: impl Fn(&[u8]) -> Option<T>,
) -> io::Result<Table<T>> {
    let mut table = Table {
        entries: Vec::new(),
        let_go: 0,
        restless: true,
    };
    for _ in 0..TRIES {
        table.entries.clear();
        table.let_go = 0;
        let dump = netlink.dump(kind, question, |_, body| match entry(body) {
            Some(read) if table.entries.len() < LIMIT => table.entries.push(read),
            Some(_) => table.let_go += 1,
            None => {}
        })?;
        if dump == Dump::Consistent {
            table.restless = false;
            break;
        }
    }
    Ok(table)
}

impl Memory {
    /// Notes what is missing of a table and gives its entries.
    pub(super) fn entries_of<T>(&mut self, table: Table<T>) -> Vec<T> {
        self.let_go += table.let_go;
        if table.restless {
            self.gap(
                "remembered_changed_meanwhile",
                "a table of the kernel changed each time while it was read",
                "some remote addresses that this computer remembers",
            );
        }
        table.entries
    }
}

/// The remote addresses of TCP connections that ended in good order, loopback too. They stay until
/// others take their place or the computer starts again. Everybody may read them.
pub(super) fn tcp_metrics(now: Timestamp, memory: &mut Memory) {
    const MISSED: &str = "remote addresses of TCP connections that are over";
    match read_tcp_metrics() {
        Ok(table) => {
            for entry in memory.entries_of(table) {
                memory.add(Memo {
                    protocol: Some(Protocol::Tcp),
                    seen: entry.age.map(|age| before(now, age)),
                    ..Memo::of(RememberedBy::TcpMetrics, entry.remote)
                });
            }
        }
        Err(error) => {
            let why = format!("the TCP metrics cannot be read: {}", cause(&error));
            memory.gap("tcp_metrics_unreadable", why, MISSED);
        }
    }
    if read_setting("ipv4/tcp_no_metrics_save").is_some_and(|value| value != "0") {
        let why = "the kernel is set to keep no TCP metrics (net.ipv4.tcp_no_metrics_save)";
        memory.gap("tcp_metrics_not_kept", why, MISSED);
    }
}

fn read_tcp_metrics() -> io::Result<Table<metrics::Metrics>> {
    let mut netlink = Netlink::open(netlink::GENERIC)?;
    let mut family = None;
    netlink.ask(
        generic_netlink::FAMILY_KIND,
        &generic_netlink::family_question(metrics::FAMILY),
        |_, answer| {
            family = family.or(generic_netlink::family(answer));
        },
    )?;
    let family = family.ok_or(Errno::NOENT)?;
    table(
        &mut netlink,
        family,
        &metrics::TABLE_QUESTION,
        metrics::metrics,
    )
}

/// Addresses on the local network, those that never answered too.
pub(super) fn neighbours(now: Timestamp, memory: &mut Memory) {
    let read = Netlink::open_route().and_then(|mut netlink| {
        let question = &rtnetlink::NEIGHBOURS_QUESTION;
        table(
            &mut netlink,
            rtnetlink::RTM_GETNEIGH,
            question,
            rtnetlink::neighbour,
        )
    });
    match read {
        Ok(table) => {
            for entry in memory.entries_of(table) {
                memory.add(Memo {
                    seen: entry.age.map(|age| before(now, age)),
                    ..Memo::of(RememberedBy::Neighbours, entry.address)
                });
            }
        }
        Err(error) => {
            let why = format!("the neighbours cannot be read: {}", cause(&error));
            let missed = "addresses on the local network that this computer sent to";
            memory.gap("neighbours_unreadable", why, missed);
        }
    }
}

/// A setting of the network namespace of this thread, below `/proc/sys/net`. `None`: this kernel
/// or this namespace has it not.
pub(super) fn read_setting(name: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/sys/net/{name}")).ok()?;
    Some(text.trim().to_owned())
}

/// Why the kernel does not give a table.
pub(super) fn cause(error: &io::Error) -> String {
    match Errno::from_io_error(error) {
        Some(Errno::PERM | Errno::ACCESS) => "no right to; root has it".to_owned(),
        Some(
            Errno::NOENT
            | Errno::PROTONOSUPPORT
            | Errno::AFNOSUPPORT
            | Errno::OPNOTSUPP
            | Errno::INVAL,
        ) => "this kernel has none".to_owned(),
        _ => error.to_string(),
    }
}

/// The kernel's ages (jiffies) stand still while the computer sleeps. `None`: it has not slept.
pub(super) fn slept() -> Option<Gap> {
    let asleep = since_start(ClockId::Boottime).saturating_sub(since_start(ClockId::Monotonic));
    let minutes = asleep.as_secs().div_ceil(60);
    (asleep >= Duration::from_secs(1)).then(|| {
        Gap::standing(
            "age_without_sleep",
            Source::Netlink,
            format!(
                "the kernel counts ages only while the computer is awake, and it slept for \
                 {minutes} minutes in all since its start"
            ),
            "the exact times of TCP metrics and neighbours: each may lie earlier by up to that",
        )
    })
}

fn since_start(clock: ClockId) -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    Duration::new(
        u64::try_from(tv_sec).unwrap_or(0),
        u32::try_from(tv_nsec).unwrap_or(0),
    )
}
