//! Whether the process is missing in the list of all. Every number that a process may have is tried
//! with kill(2), and whoever is there and not listed is looked for a second time: processes end between
//! two looks.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use model::{Outcome, Sign, Trace, Untested};
use rustix::io::Errno;
use rustix::process::Pid;

use super::machine::{Machine, listed};
use super::{Kept, Subject};

/// Between the two looks.
const APART: Duration = Duration::from_millis(200);
/// Between the end of one round over all numbers and the next one.
const ROUND_EACH: Duration = Duration::from_secs(60);
/// A round takes at most so small a part of the time.
const PART: u32 = 300;
/// So many numbers at once: a few milliseconds.
const SLICE: u32 = 8_192;
/// More would be no finding, but a /proc that shows nothing.
const MOST_SUSPECTS: usize = 1_024;

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    of(subject.pid(), kept)
}

/// The same where nothing else can be read.
pub(super) fn of(pid: u32, kept: &Kept) -> Outcome {
    let machine = &kept.machine;
    match machine.lists(pid) {
        Ok(true) => Outcome::NothingFound,
        Ok(false) if machine.has_found_hiding(pid) => Outcome::of(vec![Trace {
            pid: Some(pid),
            ..Trace::new(Sign::NotListed)
        }]),
        Ok(false) if machine.conceals() => Outcome::NotTestable(Untested::NoRights),
        Ok(false) if is_alive(pid) => Outcome::NotTestable(Untested::NotFinished),
        Ok(false) => Outcome::NotTestable(Untested::Ended),
        Err(why) => Outcome::NotTestable(why),
    }
}

/// Goes round over all numbers, again and again, a piece at a time.
#[derive(Debug)]
pub(crate) struct Sweep {
    /// The next number to be tried.
    next: u32,
    /// The one behind the last.
    end: u32,
    /// `None`: this round is over.
    listed: Option<HashSet<u32>>,
    /// Since when they were there and not listed.
    suspects: BTreeMap<u32, Instant>,
    found: HashSet<u32>,
    /// When the next round begins.
    begins: Instant,
    spent: Duration,
    is_round_over: bool,
}

/// What the sweep asks.
pub(crate) trait World {
    /// Whether this is the number of a process, and not that of one of its other threads.
    fn is_alive(&self, pid: u32) -> bool;
    /// `None`: it cannot be told.
    fn listed(&self) -> Option<HashSet<u32>>;
    /// The first number that no process can have.
    fn end(&self) -> u32;
}

impl World for Machine {
    fn is_alive(&self, pid: u32) -> bool {
        is_alive(pid)
    }

    fn listed(&self) -> Option<HashSet<u32>> {
        listed().ok().filter(|_| !self.conceals())
    }

    fn end(&self) -> u32 {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        end(
            &read("/proc/sys/kernel/pid_max"),
            &read("/proc/stat"),
            &read("/proc/loadavg"),
        )
    }
}

impl Sweep {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            next: 0,
            end: 0,
            listed: None,
            suspects: BTreeMap::new(),
            found: HashSet::new(),
            begins: now,
            spent: Duration::ZERO,
            is_round_over: false,
        }
    }

    /// Somebody was named that cannot be found.
    pub(crate) fn suspect(&mut self, pid: u32, world: &impl World, now: Instant) {
        let is_new = !self.found.contains(&pid) && self.suspects.len() < MOST_SUSPECTS;
        if is_new && world.is_alive(pid) {
            self.suspects.entry(pid).or_insert(now);
        }
    }

    /// How long there is nothing to do.
    pub(crate) fn rests(&self, now: Instant) -> Duration {
        if self.listed.is_some() {
            return Duration::ZERO;
        }
        let looks = self.suspects.values().map(|since| *since + APART);
        let next = looks.min().map_or(self.begins, |it| it.min(self.begins));
        next.saturating_duration_since(now)
    }

    /// Whether a round has ended since this was last asked, and all that it found was looked at again.
    pub(crate) fn is_round_over(&mut self) -> bool {
        let is_over = self.is_round_over && self.suspects.is_empty();
        self.is_round_over &= !is_over;
        is_over
    }

    /// Does what is due, and no more than a piece of it. Gives who hides, as is newly known.
    pub(crate) fn step(&mut self, world: &impl World, now: Instant) -> Vec<u32> {
        let ripe = |since: &Instant| now.saturating_duration_since(*since) >= APART;
        if self.suspects.values().any(ripe) {
            return self.look_again(world, now);
        }
        if self.listed.is_none() {
            if now < self.begins {
                return Vec::new();
            }
            let Some(listed) = world.listed() else {
                // It is asked again when the next round is due.
                self.rest(now);
                return Vec::new();
            };
            self.found.retain(|pid| world.is_alive(*pid));
            self.listed = Some(listed);
            (self.next, self.end, self.spent) = (1, world.end(), Duration::ZERO);
        }
        let end = self.end.min(self.next.saturating_add(SLICE));
        let listed = self.listed.as_ref();
        let is_listed = |pid| listed.is_some_and(|it| it.contains(&pid));
        let unlisted = (self.next..end).filter(|pid| !is_listed(*pid) && world.is_alive(*pid));
        let mut unlisted: Vec<_> = unlisted.collect();
        if !unlisted.is_empty()
            && let Some(listed) = world.listed()
        {
            unlisted.retain(|pid| !listed.contains(pid) && !self.found.contains(pid));
            self.listed = Some(listed);
            for pid in unlisted {
                if self.suspects.len() < MOST_SUSPECTS {
                    self.suspects.insert(pid, now);
                }
            }
        }
        self.next = end;
        self.spent += now.elapsed();
        if self.next >= self.end {
            self.rest(now);
        }
        Vec::new()
    }

    fn rest(&mut self, now: Instant) {
        self.listed = None;
        self.is_round_over = true;
        self.begins = now + ROUND_EACH.max(self.spent.saturating_mul(PART));
    }

    fn look_again(&mut self, world: &impl World, now: Instant) -> Vec<u32> {
        let Some(listed) = world.listed() else {
            self.suspects.clear();
            return Vec::new();
        };
        let ripe = |since: &Instant| now.saturating_duration_since(*since) >= APART;
        let all = std::mem::take(&mut self.suspects).into_iter();
        let (ripe, others): (Vec<_>, Vec<_>) = all.partition(|(_, since)| ripe(since));
        self.suspects.extend(others);
        let pids = ripe.into_iter().map(|(pid, _)| pid);
        let hiding = pids.filter(|pid| !listed.contains(pid) && world.is_alive(*pid));
        let hiding: Vec<_> = hiding.collect();
        self.found.extend(&hiding);
        hiding
    }
}

/// The first number that no process can have. Numbers are given in their order; as long as fewer
/// processes and threads have begun than there are numbers, none is above the last that was given.
fn end(most: &str, stat: &str, loadavg: &str) -> u32 {
    /// Those that are given meanwhile.
    const LATER: u32 = 1_024;
    // The default of a large computer.
    let most = most.trim().parse().unwrap_or(4_194_304_u32);
    let begun = stat
        .lines()
        .find_map(|line| line.strip_prefix("processes "));
    let begun = begun.and_then(|it| it.trim().parse::<u64>().ok());
    let last = loadavg.split_ascii_whitespace().next_back();
    let last = last.and_then(|it| it.parse::<u32>().ok());
    match (begun, last) {
        (Some(begun), Some(last)) if begun + u64::from(LATER) < u64::from(most) => {
            most.min(last.saturating_add(LATER))
        }
        _ => most,
    }
}

/// Sends no signal: only asks whether one could be sent to the first thread of such a process.
fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return false;
    };
    !matches!(signal_nothing(pid), Err(Errno::SRCH | Errno::INVAL))
}

#[expect(unsafe_code, reason = "rustix has no tgkill(2)")]
fn signal_nothing(pid: Pid) -> Result<(), Errno> {
    let pid = pid.as_raw_nonzero().get();
    // SAFETY: three numbers; signal 0 is never sent.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, pid, pid, 0) };
    if result == 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(Errno::from_io_error(&error).unwrap_or(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Made {
        alive: Vec<u32>,
        listed: Vec<u32>,
        end: u32,
    }

    impl World for Made {
        fn is_alive(&self, pid: u32) -> bool {
            self.alive.contains(&pid)
        }

        fn listed(&self) -> Option<HashSet<u32>> {
            Some(self.listed.iter().copied().collect())
        }

        fn end(&self) -> u32 {
            self.end
        }
    }

    fn made(alive: &[u32], listed: &[u32]) -> Made {
        Made {
            alive: alive.to_vec(),
            listed: listed.to_vec(),
            end: 32_768,
        }
    }

    /// A whole round, and the second look. `then`: how the world is by then.
    fn check(world: &Made, then: &Made, expected: &[u32]) -> Sweep {
        let begun = Instant::now();
        let mut sweep = Sweep::new(begun);
        while sweep.rests(begun).is_zero() {
            assert_eq!(sweep.step(world, begun), [0; 0]);
        }
        let later = begun + APART;
        let found = sweep.step(then, later);
        assert_eq!(found, expected);
        assert!(sweep.is_round_over());
        assert!(!sweep.is_round_over());
        sweep
    }

    #[test]
    fn who_is_there_and_not_listed_hides() {
        let world = made(&[1, 5, 20_000], &[1, 5]);
        let mut sweep = check(&world, &world, &[20_000]);
        // It is told once.
        let later = Instant::now() + ROUND_EACH * 2;
        while sweep.rests(later).is_zero() {
            assert_eq!(sweep.step(&world, later), [0; 0]);
        }
        assert!(sweep.found.contains(&20_000));
        assert!(sweep.suspects.is_empty());
    }

    #[test]
    fn who_ended_or_began_between_two_looks_does_not() {
        let world = made(&[1, 5, 20_000], &[1, 5]);
        check(&world, &made(&[1, 5], &[1, 5]), &[]);
        check(&world, &made(&[1, 5, 20_000], &[1, 5, 20_000]), &[]);
        check(&made(&[1, 5], &[1, 5, 7]), &world, &[]);
    }

    #[test]
    fn who_is_named_and_not_found_is_looked_for() {
        let begun = Instant::now();
        let world = made(&[7], &[]);
        let mut sweep = Sweep::new(begun + ROUND_EACH);
        sweep.suspect(8, &world, begun);
        assert!(!sweep.rests(begun).is_zero());
        sweep.suspect(7, &world, begun);
        assert_eq!(sweep.rests(begun), APART);
        assert_eq!(sweep.step(&world, begun + APART), [7]);
    }

    #[test]
    fn a_proc_that_cannot_be_read_finds_nobody() {
        struct Nothing;
        impl World for Nothing {
            fn is_alive(&self, _: u32) -> bool {
                true
            }
            fn listed(&self) -> Option<HashSet<u32>> {
                None
            }
            fn end(&self) -> u32 {
                100
            }
        }
        let now = Instant::now();
        let mut sweep = Sweep::new(now);
        assert_eq!(sweep.step(&Nothing, now), [0; 0]);
        assert_eq!(sweep.rests(now), ROUND_EACH);
    }

    #[test]
    fn no_more_numbers_are_tried_than_were_given() {
        let stat = |count| format!("cpu 1 2\nprocesses {count}\nbtime 4\n");
        let check = |stat: &str, loadavg: &str, expected| {
            assert_eq!(end("4194304\n", stat, loadavg), expected, "{stat}");
        };
        check(&stat(50_000), "0.1 0.1 0.1 1/300 49000\n", 50_024);
        // They began again from below.
        check(&stat(9_000_000), "0.1 0.1 0.1 1/300 49000\n", 4_194_304);
        check("", "", 4_194_304);
        assert_eq!(end("", "", ""), 4_194_304);
        assert_eq!(end("300\n", &stat(290), "0 0 0 1/2 280"), 300);
    }

    #[test]
    fn threads_are_no_processes() {
        assert!(is_alive(std::process::id()));
        let thread = std::thread::spawn(|| {
            let thread = rustix::thread::gettid().as_raw_nonzero().get();
            is_alive(thread.unsigned_abs())
        });
        assert!(!thread.join().unwrap());
        assert!(!is_alive(0) && !is_alive(u32::MAX) && !is_alive(0x3fff_ffff));
    }

    #[test]
    fn who_is_listed_does_not_hide() {
        let kept = Kept::default();
        let (pid, nobody) = (std::process::id(), 0x3fff_ffff);
        for pid in [pid, nobody] {
            kept.machine.hides(pid);
        }
        assert_eq!(of(pid, &kept), Outcome::NothingFound);
        let found = of(nobody, &kept);
        assert!(matches!(found, Outcome::Found { .. }), "{found:?}");
    }
}
