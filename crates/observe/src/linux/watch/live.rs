//! The events of the kernel: taken from both rings, put in order, turned into what they mean.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use model::{Counts, Detail, EventKind, Gap, Look, Observed, Protocol, Source, Timestamp};

use super::copies::Copies;
use super::first::{Begins, Early, FirstLook};
use super::links::{Links, not_checked};
use super::processes::ProcessTable;
use super::programs::Programs;
use super::resolvers::Resolvers;
use super::sockets::{Sockets, own_counts};
use crate::linux::bpf::BpfError;
use crate::linux::cgroup;
use crate::linux::events::{Loss, Probes, Room, Told, boot_nanos};
use crate::linux::helper::Helper;
use crate::names::greetings_unread;
use crate::parse::process_event::{ProcessEvent, ProcessEventKind};
use crate::parse::socket_event::SocketEventKind;
use crate::stamp::Stamp;

/// An event may be written so much later than its time says; the two rings are put together by
/// time only when nothing older can come.
const HOLD: u64 = 10_000_000;
/// So often the rings are read in one call.
const MOST_ROUNDS: u32 = 4;
/// The same, for what happened until the first look was over.
const MOST_TAKEN: u32 = 32;

const ROOMS: [(Room, &str, &str); 5] = [
    (
        Room::SocketEvents,
        "events of connections came faster than they could be taken",
        "connections and attempts of that time, or parts of their story",
    ),
    (
        Room::ProcessEvents,
        "events of processes came faster than they could be taken",
        "path, arguments and parents of processes of that time",
    ),
    (
        Room::Peers,
        "UDP sockets had more peers than are kept at once (65,536)",
        "datagrams to and from further peers, of which this many came",
    ),
    (
        Room::Said,
        "programs began to talk faster than what they said could be taken",
        "names that were asked for or greeted at that time",
    ),
    (
        Room::Owners,
        "programs had used up the memory that options of one socket may take, and who uses a socket \
         could not be kept with it",
        "processes, names and counts of such sockets; so many times it was tried",
    ),
];

/// The attached programs with all that is kept between events.
pub(super) struct Live {
    probes: Probes,
    processes: ProcessTable,
    sockets: Sockets,
    /// Taken, and not yet old enough to be told.
    held: Vec<Told>,
    /// What is to be told before them.
    first: Vec<Observed>,
    /// All until then has been told, in nanoseconds since boot.
    until: u64,
    losses: [Loss; 5],
    /// When they were last asked for.
    losses_asked: u64,
    watched: Vec<(u32, u64)>,
    programs: Programs,
    links: Links,
}

impl Live {
    /// From here on nothing is missed. `processes_told`: see [`Probes::attach`].
    pub(super) fn attach(nested: bool, processes_told: &mut dyn FnMut()) -> Result<Self, BpfError> {
        Ok(Self {
            probes: Probes::attach(nested, processes_told)?,
            processes: ProcessTable::of(Vec::new(), FirstLook::default()),
            sockets: Sockets::new(),
            held: Vec::new(),
            first: Vec::new(),
            until: 0,
            losses: [Loss::default(); 5],
            losses_asked: 0,
            watched: Vec::new(),
            programs: Programs::default(),
            links: Links::default(),
        })
    }

    /// Goes on from the first look, which was taken after the programs were attached. `early`: what
    /// was read before. `None`: nobody tells of processes, or they could not be read.
    pub(super) fn begin(
        &mut self,
        look: &Look,
        early: Option<&Early>,
        stamp: &Stamp,
    ) -> Result<Vec<Gap>, BpfError> {
        let looked = boot_nanos();
        self.programs = Programs::of(look);
        self.probes.seed(look)?;
        let mut gaps = Vec::new();
        self.processes = match early {
            Some(early) => {
                if !self.take_until(looked) {
                    gaps.push(behind());
                }
                let told = self.held.iter().filter_map(|told| match told {
                    Told::Process(event) => Some(event.as_ref()),
                    Told::Socket(_) | Told::Said(_) => None,
                });
                let Begins {
                    first_look,
                    processes,
                    other,
                } = FirstLook::of(&look.processes, early, told, stamp);
                self.first = other;
                ProcessTable::of(processes, first_look)
            }
            None => ProcessTable::of(look.processes.clone(), FirstLook::default()),
        };
        self.find_resolvers();
        gaps.extend(self.probes.gaps());
        match Links::find() {
            Ok(links) => self.links = links,
            Err(error) => gaps.push(not_checked(&error)),
        }
        if cgroup::in_nested_cgroup_namespace() {
            gaps.push(Gap::standing(
                "outside_cgroup",
                Source::Ebpf,
                "whocalls runs in a cgroup namespace of its own, as in a container",
                "attempts and UDP of programs outside of it; start it on the computer itself to \
                 see them",
            ));
        }
        Ok(gaps)
    }

    /// Takes all that happened until then, in nanoseconds since boot. False: too much is happening.
    fn take_until(&mut self, time: u64) -> bool {
        let Self { probes, held, .. } = self;
        catches_up(time, || {
            let now = boot_nanos();
            let before = held.len();
            let until = probes.take(held).unwrap_or(now);
            (until, until != now && held.len() > before)
        })
    }

    /// Whether starts, new programs and ends of processes are told.
    pub(super) fn tells_processes(&self) -> bool {
        self.probes.tells_processes()
    }

    /// Whether the kernel gave no type information.
    pub(super) fn is_plain(&self) -> bool {
        self.probes.is_plain()
    }

    /// Whether somebody has changed what we attached.
    pub(super) fn check_links(&mut self, stamp: &Stamp, seen: &mut Vec<Observed>) {
        let mut gaps = Vec::new();
        self.links.changed(stamp, &mut gaps);
        seen.extend(gaps.into_iter().map(Observed::Gap));
    }

    /// Has the helper tell what we have no right to see of program files.
    pub(super) fn ask(&mut self, helper: &mut Helper, seen: &mut Vec<Observed>) {
        if !helper.has_ended() {
            self.programs.note(seen);
            self.programs.exchange(helper, &mut self.processes, seen);
        }
    }

    /// The program files that are to be copied.
    pub(super) fn copies(&mut self) -> &mut Copies {
        &mut self.programs.copies
    }

    /// What of that could not be found out.
    pub(super) fn not_found_out(&mut self, seen: &mut Vec<Observed>) {
        self.programs.gaps(seen);
    }

    /// Resolvers come, and come again under another inode.
    pub(super) fn find_resolvers(&mut self) {
        let files = Resolvers::files();
        if files != self.watched {
            self.probes.watch_files(&files);
            self.watched = files;
        }
    }

    /// Tries what will have to work without rights.
    pub(super) fn trial(&mut self) -> Result<(), BpfError> {
        self.probes.trial()
    }

    /// Tells what has happened until a moment ago; gives that moment.
    pub(super) fn next(&mut self, stamp: &mut Stamp, seen: &mut Vec<Observed>) -> u64 {
        seen.append(&mut self.first);
        let mut rounds = 0;
        loop {
            let now = boot_nanos();
            let more = self.probes.take(&mut self.held);
            let until = more.unwrap_or(now).saturating_sub(HOLD);
            let mut held = std::mem::take(&mut self.held);
            held.sort_by_key(Told::time);
            let ripe = held.partition_point(|told| told.time() <= until);
            for told in held.drain(..ripe) {
                self.tell(told, stamp, seen);
            }
            self.held = held;
            self.sockets.settle(until, stamp, seen);
            self.sockets
                .hear_out(until, stamp, &mut self.processes, seen);
            // What comes late after all comes behind this.
            self.until = self.until.max(until);
            rounds += 1;
            // What is still to come is taken by the next call: others wait for their turn.
            if more.is_none() || rounds == MOST_ROUNDS {
                self.sockets.hear_resolver(self.until, stamp, seen);
                return self.until;
            }
        }
    }

    /// What the open connections have counted.
    pub(super) fn counts(&mut self, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        let mut counts: Vec<Counts> = Vec::new();
        let mut packet_sockets = HashSet::new();
        let mut packet_sockets_seen = Vec::new();
        let changed = self.probes.changed(|socket| {
            counts.push(own_counts(&socket, stamp));
            if matches!(socket.protocol, Protocol::Packet { .. }) {
                packet_sockets.insert(socket.cookie);
                packet_sockets_seen.push(socket);
            }
        });
        for mut socket in packet_sockets_seen {
            if !self.sockets.knows_packet_socket(socket.cookie) {
                socket.kind = SocketEventKind::Listening;
                self.tell(Told::Socket(socket), stamp, seen);
            }
        }
        // Where it failed, the next refresh asks again.
        if changed.is_ok() {
            self.sockets
                .close_packet_sockets(&packet_sockets, self.until, stamp, seen);
        }
        counts.extend(self.sockets.counts(boot_nanos(), stamp, &mut self.probes));
        if !counts.is_empty() {
            seen.push(Observed::Counts(counts));
        }
    }

    pub(super) fn lost(&self) -> u64 {
        let by_kernel: u64 = self.losses.iter().map(|loss| loss.count).sum();
        by_kernel + self.sockets.peers_left_out()
    }

    /// Tells what has been lost since this was last asked; true when there was something.
    pub(super) fn has_lost(&mut self, stamp: &Stamp, seen: &mut Vec<Observed>) -> bool {
        let mut any = false;
        let now = boot_nanos();
        let asked = std::mem::replace(&mut self.losses_asked, now);
        if let Some(count) = self.sockets.peers_lately_left_out() {
            let [_, _, (_, why, missed), ..] = ROOMS;
            let since = stamp.time(asked);
            seen.push(Observed::Gap(lost(
                why,
                missed,
                since,
                stamp.time(now),
                count,
            )));
        }
        if let Some(count) = self.sockets.unread_lately() {
            let [_, _, _, (_, why, missed), _] = ROOMS;
            let since = stamp.time(asked);
            seen.push(Observed::Gap(lost(
                why,
                missed,
                since,
                stamp.time(now),
                count,
            )));
        }
        if let Some(count) = self.sockets.greetings_lately_unread() {
            seen.push(Observed::Gap(Gap {
                since: Some(stamp.time(asked)),
                until: Some(stamp.time(now)),
                count: Some(count),
                ..greetings_unread(Source::Ebpf)
            }));
        }
        for ((room, why, missed), before) in ROOMS.into_iter().zip(&mut self.losses) {
            let Ok(loss) = self.probes.loss(room) else {
                continue;
            };
            if loss.count <= before.count {
                continue;
            }
            // A look shows neither peers of UDP nor names.
            any |= !matches!(room, Room::Peers | Room::Said);
            let since = stamp.time(began_after(&loss, before, asked));
            let (until, count) = (stamp.time(loss.last), loss.count - before.count);
            seen.push(Observed::Gap(lost(why, missed, since, until, count)));
            *before = loss;
        }
        any
    }

    /// Adds to a later look what is known of its processes, which may have ended since.
    pub(super) fn complete(&self, look: &mut Look) {
        for process in &mut look.processes {
            if let Some(known) = self.processes.get(process.id) {
                *process = known.as_ref().clone();
            }
        }
    }

    fn tell(&mut self, told: Told, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        let Self {
            probes,
            processes,
            sockets,
            ..
        } = self;
        match told {
            Told::Socket(event) => sockets.told(event, stamp, probes, processes, seen),
            Told::Said(said) => sockets.said(&said, stamp, processes, seen),
            Told::Process(event) => tell_process(&event, stamp, processes, seen),
        }
    }
}

/// Whether all that happened until `time` comes to be taken. `take` takes some of it, and tells until
/// when all is taken, and whether more is there at once.
fn catches_up(time: u64, mut take: impl FnMut() -> (u64, bool)) -> bool {
    (0..MOST_TAKEN).any(|_| {
        let (until, is_more) = take();
        let all = until >= time.saturating_add(HOLD);
        if !all && !is_more {
            thread::sleep(Duration::from_nanos(HOLD));
        }
        all
    })
}

/// More came than could be taken while the first look was taken.
fn behind() -> Gap {
    Gap::standing(
        "first_look_behind",
        Source::Ebpf,
        "so much happened while the first look was taken that not all of it could be put in order \
         with what the look read",
        "what processes ran that began meanwhile: they may stand with the program of their parent, \
         or with a later one",
    )
}

/// When something was lost that had not been by the time when that was last `asked`. The kernel
/// tells when the first and the last of all was lost.
fn began_after(loss: &Loss, before: &Loss, asked: u64) -> u64 {
    if before.count == 0 {
        loss.first
    } else {
        asked.clamp(before.last.min(loss.last), loss.last)
    }
}

fn lost(why: &str, missed: &str, since: Timestamp, until: Timestamp, count: u64) -> Gap {
    Gap {
        id: "events_lost".to_owned(),
        source: Source::Ebpf,
        why: why.to_owned(),
        missed: missed.to_owned(),
        since: Some(since),
        until: Some(until),
        count: Some(count),
    }
}

fn tell_process(
    told: &ProcessEvent,
    stamp: &mut Stamp,
    processes: &mut ProcessTable,
    seen: &mut Vec<Observed>,
) {
    // Outside of our PID namespace.
    if told.pid == 0 {
        return;
    }
    let id = stamp.process(told.pid, told.started);
    // The last two threads of a process may end at once, and both be the last.
    let ended_before = processes.get(id).is_some_and(|it| it.ended.is_some());
    if ended_before && matches!(told.kind, ProcessEventKind::Ended { .. }) {
        return;
    }
    let (kind, process) = match &told.kind {
        ProcessEventKind::Started => {
            let process = processes.started(stamp, told);
            (EventKind::ProcessStarted, Some(process))
        }
        ProcessEventKind::Executed(image) => {
            let process = processes.executed(stamp, told, image);
            (EventKind::ProcessExec, Some(process))
        }
        ProcessEventKind::Ended { .. } => {
            let time = stamp.time(told.time);
            (EventKind::ProcessEnded, processes.ended(id, time))
        }
    };
    seen.extend(process.map(Observed::Process));
    let mut event = stamp.event(told.time, kind);
    event.process = Some(id);
    event.netns = told.netns;
    if let ProcessEventKind::Ended { status } = told.kind {
        event.detail = Detail::Exit { status };
    }
    stamp.tell(event, seen);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_begins_after_the_last_time_that_there_was_none() {
        let check = |before: (u64, u64), asked, last, began| {
            let loss = |count, last| Loss {
                count,
                first: 100,
                last,
            };
            let (count, last_before) = before;
            let (before, now) = (loss(count, last_before), loss(count + 1, last));
            assert_eq!(
                began_after(&now, &before, asked),
                began,
                "{before:?} {asked}"
            );
        };
        // The first of all.
        check((0, 0), 50, 150, 100);
        // It went on.
        check((5, 150), 150, 190, 150);
        // Nothing was lost for long.
        check((5, 150), 9_000, 9_500, 9_000);
        // Somebody lost something while the counters of all were read.
        check((5, 150), 200, 190, 190);
    }

    #[test]
    fn who_never_catches_up_with_the_first_look_is_told_of() {
        let check = |each: u64, expected: bool| {
            let mut until = 0;
            let has_caught_up = catches_up(1_000_000_000, || {
                until += each;
                (until, true)
            });
            assert_eq!(has_caught_up, expected, "{each}");
        };
        let all = 1_000_000_000 + HOLD;
        check(all, true);
        check(all / u64::from(MOST_TAKEN) + 1, true);
        check(all / u64::from(MOST_TAKEN) - 1, false);
        assert_eq!(behind().id, "first_look_behind");
    }
}
