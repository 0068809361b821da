//! Whether a process that is connected to X displays shows a window on any, by itself or by its family.
//!
//! The displays say so, through the process that may enter them (`seats`). They are believed where they are
//! of root or of the user of the process, and where they know each connection of the family by the process
//! that made it: one that was handed on, or that comes from elsewhere, may have a window that is not known to
//! be theirs. Then nothing is said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{ProcessId, Untested};
use rustix::time::{ClockId, clock_gettime};

use super::family::{self, Top};
use super::{Displays, Subject, over_tcp, run};
use crate::linux::examine::Machine;
use crate::linux::seats::{Seats, Windows};

/// How long what a display has said is good for.
const GOOD_FOR: Duration = Duration::from_secs(10);
/// One that could not tell is left alone for so long.
const ALONE_FOR: Duration = Duration::from_secs(60);
/// What takes longer is looked at by the next question.
const PATIENCE: Duration = Duration::from_millis(500);
/// More displays are not asked.
const MOST_DISPLAYS: usize = 16;
/// A program that began a moment ago may not have shown its window yet.
pub(super) const SETTLES: Duration = Duration::from_secs(30);

/// An X display, by the socket at which it waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) number: u16,
    pub(crate) is_abstract: bool,
}

/// What displays have said, and the way to them.
pub(crate) struct Shows {
    seats: Seats,
    known: BTreeMap<Name, (Instant, Option<Arc<Windows>>)>,
    asking: Option<Name>,
}

impl Shows {
    pub(crate) fn new(seats: Seats) -> Self {
        Self {
            seats,
            known: BTreeMap::new(),
            asking: None,
        }
    }

    /// `None`: it cannot be asked, cannot tell, or has not answered yet.
    pub(crate) fn of(&mut self, display: Name) -> Option<Arc<Windows>> {
        self.hear(Duration::ZERO);
        if let Some((at, known)) = self.known.get(&display) {
            let good_for = known.as_ref().map_or(ALONE_FOR, |_| GOOD_FOR);
            if at.elapsed() <= good_for {
                return known.clone();
            }
        }
        if self.asking.is_some() || !self.has_room(display) {
            return None;
        }
        if self.seats.ask_windows(display.number, display.is_abstract) {
            self.asking = Some(display);
            self.hear(PATIENCE);
        }
        // One that is still being asked says nothing for now: what it said before is too old.
        let (at, known) = self.known.get(&display)?;
        known.clone().filter(|_| at.elapsed() <= GOOD_FOR)
    }

    fn has_room(&mut self, display: Name) -> bool {
        if self.known.len() >= MOST_DISPLAYS {
            self.known.retain(|_, (at, _)| at.elapsed() <= ALONE_FOR);
        }
        self.known.contains_key(&display) || self.known.len() < MOST_DISPLAYS
    }

    fn hear(&mut self, most: Duration) {
        let Some(asked) = self.asking else {
            return;
        };
        if let Some(windows) = self.seats.windows(most) {
            self.asking = None;
            let now = Instant::now();
            self.known.insert(asked, (now, windows.map(Arc::new)));
        }
    }
}

impl fmt::Debug for Shows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shows")
            .field("known", &self.known)
            .finish_non_exhaustive()
    }
}

/// What a family holds of displays.
#[derive(Default)]
struct Held {
    pids: BTreeSet<u32>,
    /// Sockets, by the display at their other end. `None`: it is no X display of this computer.
    sockets: BTreeMap<u64, Option<Name>>,
    /// One of it could not be looked into.
    in_part: bool,
}

impl Displays {
    /// Whether it is known that neither this process, which is connected or of a family that is, nor any
    /// other of its family has a window. False: one has, or nobody can tell.
    pub(super) fn has_no_window(&mut self, subject: &Subject, machine: &Machine) -> bool {
        if !machine.asks_displays() {
            return false;
        }
        let Top::Of(top) = family::top(subject, |_| false) else {
            return false;
        };
        let top = top.as_deref().unwrap_or(subject);
        let run = run(top);
        if let Some(known) = self.windowless.get(&run) {
            return *known && self.is_settled(subject);
        }
        let found = self.is_settled(top) && self.shows_nothing(top, machine) == Ok(true);
        if self.windowless.len() < super::MOST_KNOWN {
            self.windowless.insert(run, found);
        }
        found && self.is_settled(subject)
    }

    fn shows_nothing(&self, top: &Subject, machine: &Machine) -> Result<bool, Untested> {
        let mut held = Held::default();
        self.add(top, &mut held);
        family::any_below(top, |below| {
            self.add(below, &mut held);
            false
        })?;
        let displays: Option<BTreeSet<Name>> = held.sockets.values().copied().collect();
        let Some(displays) = displays.filter(|it| !it.is_empty() && !held.in_part) else {
            return Ok(false);
        };
        let user = effective_user(top.status()?).ok_or(Untested::Unreadable)?;
        for display in &displays {
            let Some(windows) = machine.windows(*display) else {
                return Ok(false);
            };
            if windows.user != 0 && windows.user != user {
                return Ok(false);
            }
            let own = windows.clients.iter();
            let own: Vec<_> = own.filter(|it| held.pids.contains(&it.pid)).collect();
            // It may be connected to one display in two ways.
            let of_it = |it: &&Name| it.number == display.number;
            let sockets = held.sockets.values().flatten().filter(of_it).count();
            if own.len() < sockets || own.iter().any(|it| it.shows) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn add(&self, subject: &Subject, held: &mut Held) {
        held.pids.insert(subject.pid());
        match subject.sockets() {
            Ok(sockets) if !sockets.cut => {
                let of_displays = sockets.inodes.iter();
                let of_displays = of_displays.filter_map(|it| self.clients.get_key_value(it));
                held.sockets
                    .extend(of_displays.map(|(inode, display)| (*inode, *display)));
            }
            Ok(_) | Err(_) => held.in_part = true,
        }
        // Another computer's.
        held.in_part |= over_tcp(subject) != Ok(false);
    }

    /// Whether it began some time ago.
    fn is_settled(&self, subject: &Subject) -> bool {
        let up = Duration::try_from(clock_gettime(ClockId::Boottime)).unwrap_or_default();
        let started = subject.stat().start_ticks;
        let started = Duration::from_nanos(started.saturating_mul(ProcessId::NANOS_PER_TICK));
        started + self.settles <= up
    }
}

/// The second number: real, effective, saved, of the file system (proc_pid_status(5)).
fn effective_user(status: &[u8]) -> Option<u32> {
    let mut lines = status.split(|byte| *byte == b'\n');
    let users = lines.find_map(|line| line.strip_prefix(b"Uid:"))?;
    let users = std::str::from_utf8(users).ok()?;
    users.split_ascii_whitespace().nth(1)?.parse().ok()
}
