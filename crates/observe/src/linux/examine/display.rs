//! Whether the process shows something on a display: whether it, or another process of the same program
//! family, is connected to an X server or a Wayland compositor.
//!
//! The kernel tells which Unix sockets are connected to which (unix_diag), so no display is asked and no
//! cookie is needed. It tells that of the network namespace that the question comes from. A connection
//! over TCP counts where the process was started with such a display (`ssh -X`).
//!
//! Whose windows an X server shows is asked by another process (`seats`), where it lets us in: who is
//! connected to such only and has no window there is told so. Who the server is does not matter: one without a
//! screen (Xvfb, VNC) counts, too. Wayland tells nobody whose windows there are.

mod family;
mod windows;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use model::{Display, Untested};

use self::family::Top;
pub(crate) use self::windows::{Name, Shows};
use super::sniffer::own_namespace;
use super::{Kept, Subject};
use crate::linux::displays::x_number;
use crate::linux::netlink::Netlink;
use crate::linux::sock_diag;
use crate::parse::proc_net::table_line;
use crate::parse::proc_pid::namespace;
use crate::parse::unix_diag::{is_of_display, unix_line};

/// How long what was read is good for.
const GOOD_FOR: Duration = Duration::from_secs(2);
const MOST_TABLE_BYTES: u64 = 4 * 1024 * 1024;
/// So many processes are remembered at once.
const MOST_KNOWN: usize = 4096;
/// Ports of X over TCP: 6000 and the number of the display.
const X_PORTS: std::ops::Range<u16> = 6000..6100;

/// Who is connected to which display.
pub(crate) struct Displays {
    /// Opened before rights are given up. `None`: it could not be.
    netlink: Option<Netlink>,
    netns: Option<u32>,
    read: Option<Instant>,
    /// The inodes of the sockets on the other side of a display's. `None`: it is no X display.
    clients: BTreeMap<u64, Option<Name>>,
    failed: bool,
    /// Whether a run is connected itself, by pid and start.
    connected: BTreeMap<Run, bool>,
    /// Whether a run, or one below it of the same program, is.
    families: BTreeMap<Run, Result<bool, Untested>>,
    /// Whether it is known of the topmost of a program that all of it has no window.
    windowless: BTreeMap<Run, bool>,
    settles: Duration,
}

/// Pid and start.
type Run = (u32, u64);

impl Default for Displays {
    fn default() -> Self {
        Self {
            netlink: sock_diag::open().ok(),
            netns: own_namespace(),
            read: None,
            clients: BTreeMap::new(),
            failed: false,
            connected: BTreeMap::new(),
            families: BTreeMap::new(),
            windowless: BTreeMap::new(),
            settles: windows::SETTLES,
        }
    }
}

impl fmt::Debug for Displays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Displays")
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

/// `None`: a thread of the kernel.
pub(super) fn of(subject: &Subject, kept: &mut Kept) -> Option<Display> {
    match kept.displays.shown(subject) {
        Ok(true) if kept.displays.has_no_window(subject, &kept.machine) => Some(Display::NoWindow),
        Ok(true) => Some(Display::Shown),
        Ok(false) => Some(Display::NoConnection),
        Err(Untested::KernelThread) => None,
        Err(_) => Some(Display::NotTestable),
    }
}

impl Displays {
    fn shown(&mut self, subject: &Subject) -> Result<bool, Untested> {
        if subject.stat().kernel_thread {
            return Err(Untested::KernelThread);
        }
        self.refresh();
        // A sandbox may have put the process into another network namespace than its family.
        let netns = namespace(subject.link(c"ns/net")?.bytes());
        let elsewhere = netns != self.netns;
        if (self.failed || elsewhere) && has_display(subject)? {
            return Err(Untested::OtherNamespace);
        }
        if self.is_connected(subject)? {
            return Ok(true);
        }
        // Without any display nobody's family needs to be looked for.
        if self.clients.is_empty() && !has_remote_display(subject)? {
            return Ok(false);
        }
        let top = family::top(subject, |above| self.is_connected(above).unwrap_or(false));
        let top = match top {
            Top::IsSuch => return Ok(true),
            Top::Of(top) => top,
        };
        let top = top.as_deref().unwrap_or(subject);
        // Those that were started without one have nobody below them that was told of it.
        if !has_display_setting(top)? {
            return Ok(false);
        }
        let run = run(top);
        if let Some(known) = self.families.get(&run) {
            return *known;
        }
        let found = family::any_below(top, |below| self.is_connected(below).unwrap_or(false));
        if self.families.len() < MOST_KNOWN {
            self.families.insert(run, found);
        }
        found
    }

    /// Whether this process is, by itself.
    fn is_connected(&mut self, subject: &Subject) -> Result<bool, Untested> {
        let run = run(subject);
        if let Some(known) = self.connected.get(&run) {
            return Ok(*known);
        }
        let found = self.has_client(subject)? || over_tcp(subject)?;
        if self.connected.len() < MOST_KNOWN {
            self.connected.insert(run, found);
        }
        Ok(found)
    }

    fn has_client(&self, subject: &Subject) -> Result<bool, Untested> {
        // Mostly there is no display, and nobody's files need to be looked through.
        if self.clients.is_empty() {
            return Ok(false);
        }
        let sockets = subject.sockets()?;
        let found = self.clients.keys().any(|inode| sockets.has(*inode));
        if !found && sockets.cut {
            return Err(Untested::TooLarge);
        }
        Ok(found)
    }

    fn refresh(&mut self) {
        let now = Instant::now();
        if self
            .read
            .is_some_and(|read| now.duration_since(read) <= GOOD_FOR)
        {
            return;
        }
        self.read = Some(now);
        self.connected.clear();
        self.families.clear();
        self.windowless.clear();
        match self.ask() {
            Ok(clients) => (self.clients, self.failed) = (clients, false),
            Err(_) => (self.clients, self.failed) = (BTreeMap::new(), true),
        }
    }

    /// Asks the kernel for the other sides of the sockets that displays have accepted.
    fn ask(&mut self) -> io::Result<BTreeMap<u64, Option<Name>>> {
        let netlink = self.netlink.as_mut().ok_or(io::ErrorKind::NotFound)?;
        let sockets = sock_diag::unix(netlink)?;
        let of_displays = sockets.iter().filter(|it| is_of_display(it.name.bytes()));
        let clients = of_displays.filter_map(|it| {
            let name = x_number(&it.name).map(|number| Name {
                number,
                is_abstract: it.name.bytes().first() == Some(&0),
            });
            Some((u64::from(it.peer?), name))
        });
        Ok(clients.collect())
    }
}

/// Whether anybody in its network namespace is connected to a display; who, is not told there.
fn has_display(subject: &Subject) -> Result<bool, Untested> {
    let text = subject.file(c"net/unix", MOST_TABLE_BYTES)?;
    let sockets = text.split(|byte| *byte == b'\n').filter_map(unix_line);
    let mut of_displays = sockets.filter(|it| is_of_display(it.name.bytes()));
    Ok(of_displays.any(|it| !it.listens))
}

/// Whether it is connected to an X server over TCP on this computer, where `ssh -X` has one.
fn over_tcp(subject: &Subject) -> Result<bool, Untested> {
    if !has_remote_display(subject)? {
        return Ok(false);
    }
    let sockets = subject.sockets()?;
    for table in [c"net/tcp", c"net/tcp6"] {
        let text = subject.file(table, MOST_TABLE_BYTES)?;
        let lines = text.split(|byte| *byte == b'\n');
        let entries =
            lines.filter_map(|line| table_line(&String::from_utf8_lossy(line), 1, Some(6)));
        let mut own = entries.filter(|it| it.socket.key.inode.is_some_and(|it| sockets.has(it)));
        let is_display = |remote: model::Endpoint| {
            remote.ip.is_some_and(|ip| ip.is_loopback())
                && remote.port.is_some_and(|port| X_PORTS.contains(&port))
        };
        if own.any(|it| it.socket.remote.is_some_and(is_display)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether it was started with a display that is not called by its number alone: `localhost:10.0`.
fn has_remote_display(subject: &Subject) -> Result<bool, Untested> {
    let environment = subject.environment()?;
    let mut displays = environment
        .iter()
        .filter_map(|it| it.bytes().strip_prefix(b"DISPLAY="));
    let found =
        displays.any(|it| !it.starts_with(b":") && !it.starts_with(b"unix") && !it.is_empty());
    told(found, subject)
}

/// Whether it was started with any display.
fn has_display_setting(subject: &Subject) -> Result<bool, Untested> {
    let mut settings = subject.environment()?.iter().map(model::Text::bytes);
    let found =
        settings.any(|it| it.starts_with(b"DISPLAY=") || it.starts_with(b"WAYLAND_DISPLAY="));
    told(found, subject)
}

/// What is not in its environment, as far as that was read, may be in the rest.
fn told(found: bool, subject: &Subject) -> Result<bool, Untested> {
    if found || subject.has_all_environment() {
        Ok(found)
    } else {
        Err(Untested::TooLarge)
    }
}

fn run(subject: &Subject) -> Run {
    (subject.pid(), subject.stat().start_ticks)
}

#[cfg(test)]
mod tests;
