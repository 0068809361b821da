//! What the tables say of a process: made visible once, however many connections it has.

use std::collections::HashMap;
use std::fmt::Write as _;

use model::{
    Connection, Container, DeviceId, NetworkNamespace, Owner, PathState, Process, ProcessId,
    Snapshot, WhyUnknown,
};

use super::cell::Cell;
use crate::devices;
use crate::visible::{Cut, visible};

/// Characters of a container's id that are shown, as the engines do.
const CONTAINER_ID: usize = 12;

/// The processes and users behind the connections of a table.
pub(crate) struct Owners {
    processes: HashMap<ProcessId, ProcessText>,
    /// Names of users, for sockets whose process is not known.
    users: HashMap<u32, String>,
    /// What devices are called, where no processes are known.
    devices: HashMap<DeviceId, String>,
}

/// A process in words, visible already.
pub(crate) struct ProcessText {
    pub(crate) name: String,
    /// What is odd about its program file: ` (deleted)`, ` (memfd)`; usually empty.
    pub(crate) mark: &'static str,
    /// Name, else number, else `-`.
    pub(crate) user: String,
    /// The program file, or what there is instead of one.
    pub(crate) path: String,
    pub(crate) container: Option<String>,
    pub(crate) uid: Option<u32>,
}

impl Owners {
    pub(crate) fn of(snapshot: &Snapshot, shown: &[&Connection]) -> Self {
        let mut owners = Self {
            processes: HashMap::new(),
            users: HashMap::new(),
            devices: HashMap::new(),
        };
        for (uid, user) in &snapshot.users {
            owners.users.insert(*uid, visible(user).into_owned());
        }
        for connection in shown {
            if let Some(id) = connection.device {
                let called = || devices::in_short(id, &snapshot.devices);
                owners.devices.entry(id).or_insert_with(called);
            }
            if let Some(process) = snapshot.owner_of(connection) {
                owners
                    .processes
                    .entry(process.id)
                    .or_insert_with(|| ProcessText::of(process));
            }
        }
        owners
    }

    pub(crate) fn process(&self, connection: &Connection) -> Option<&ProcessText> {
        self.processes.get(&connection.owner.process()?)
    }

    /// Whose process it is; where that is unknown, who created the socket.
    pub(crate) fn uid(&self, connection: &Connection) -> Option<u32> {
        match self.process(connection) {
            Some(process) => process.uid,
            None => connection.uid,
        }
    }

    pub(crate) fn user(&self, cell: &mut Cell, connection: &Connection) {
        match (self.process(connection), connection.uid) {
            (Some(process), _) => cell.head.push_str(&process.user),
            (None, Some(uid)) => match self.users.get(&uid) {
                Some(name) => cell.head.push_str(name),
                None => {
                    let _ = write!(cell.head, "{uid}");
                }
            },
            (None, None) => cell.head.push('-'),
        }
    }

    /// Name of the process, else of the device, else `?` and why it is not known; what is odd about it stands after it.
    pub(crate) fn name(
        &self,
        cell: &mut Cell,
        connection: &Connection,
        foreign: Option<NetworkNamespace>,
    ) {
        let device = connection.device.and_then(|id| self.devices.get(&id));
        let device = device.map(String::as_str);
        name(cell, connection, self.process(connection), device, foreign);
    }
}

/// As [`Owners::name`], of one process.
pub(crate) fn name(
    cell: &mut Cell,
    connection: &Connection,
    process: Option<&ProcessText>,
    device: Option<&str>,
    foreign: Option<NetworkNamespace>,
) {
    match (process, connection.owner) {
        (Some(process), _) => {
            cell.head.push_str(&process.name);
            cell.tail.push_str(process.mark);
        }
        (None, Owner::Known { .. }) => cell.head.push('?'),
        (None, Owner::Unknown { why }) => match device {
            Some(device) => cell.head.push_str(device),
            None => {
                let _ = write!(cell.head, "? {}", why_unknown_of(why, connection));
            }
        },
    }
    if let Some(NetworkNamespace(number)) = foreign {
        let _ = match process.and_then(|process| process.container.as_ref()) {
            Some(container) => write!(cell.tail, " [{container}]"),
            None => write!(cell.tail, " [netns {number}]"),
        };
    }
}

/// The network namespace of a connection, where it is not `home`. `None` as `home`: none is told.
pub(crate) fn foreign(
    connection: &Connection,
    home: Option<NetworkNamespace>,
) -> Option<NetworkNamespace> {
    connection
        .netns
        .filter(|netns| home.is_some_and(|home| home != *netns))
}

impl ProcessText {
    pub(crate) fn of(process: &Process) -> Self {
        let path = match &process.path {
            Some(path) => visible(path).into_owned(),
            None if process.kernel_thread => "(kernel thread)".to_owned(),
            None => "-".to_owned(),
        };
        let user = match (&process.user, process.uid) {
            (Some(user), _) => visible(user).into_owned(),
            (None, Some(uid)) => uid.to_string(),
            (None, None) => "-".to_owned(),
        };
        Self {
            name: if process.name.is_empty() {
                "(no name)".to_owned()
            } else {
                visible(&process.name).into_owned()
            },
            mark: match process.path_state {
                PathState::Present | PathState::Unknown => "",
                PathState::Deleted => " (deleted)",
                PathState::Memfd => " (memfd)",
            },
            user,
            path,
            container: process.container.as_ref().map(container),
            uid: process.uid,
        }
    }

    pub(crate) fn path(&self, cell: &mut Cell) {
        cell.head.push_str(&self.path);
        cell.tail.push_str(self.mark);
        cell.cut = Some(Cut::Middle);
    }
}

/// `docker 0123456789ab`.
fn container(container: &Container) -> String {
    let id = visible(&container.id);
    // Ids are hex; of anything else a mark must not be cut in two.
    let id = if id.is_ascii() {
        id.get(..CONTAINER_ID).unwrap_or(&id)
    } else {
        &id
    };
    format!("{} {id}", container.engine)
}

/// The same of a connection, with the name of its tunnel.
pub(crate) fn why_unknown_of(why: WhyUnknown, connection: &Connection) -> String {
    let tunnel = connection.interface.as_ref();
    match tunnel.filter(|_| why == WhyUnknown::WireGuard) {
        Some(tunnel) => format!("{} {}", why_unknown(why), visible(tunnel)),
        None => why_unknown(why).to_owned(),
    }
}

/// In a table cell; the words of the contract are for programs.
pub(crate) fn why_unknown(why: WhyUnknown) -> &'static str {
    match why {
        WhyUnknown::NoRights => "no rights",
        WhyUnknown::NoHolder => "no holder",
        WhyUnknown::BeforeStart => "gone",
        WhyUnknown::Kernel => "kernel",
        WhyUnknown::WireGuard => "kernel: wireguard",
        WhyUnknown::Forwarded => "forwarded",
        WhyUnknown::OutsideNamespace => "other PID namespace",
        WhyUnknown::NotInSource => "not in source",
        WhyUnknown::Lost => "lost",
    }
}
