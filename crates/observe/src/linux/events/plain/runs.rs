//! Which run of a program had a pid at a given moment.
//!
//! The events without type information tell a pid and a time, not when the process started, and
//! pids are reused. So every start and every end is kept here, and `/proc` is asked for the start
//! ticks while the process is still there.

use std::collections::{HashMap, VecDeque};

use model::{ProcessId, Text};

/// A start is told so much later than it happened, at most.
const TOLD_WITHIN: u64 = 10;
/// A process that ends may be seen at its work for so much longer.
const ENDS_WITHIN: u64 = 1_000_000_000;
/// So many that have ended are kept: sockets may still name them.
const MOST_ENDED: usize = 65_536;

/// Asks which run has a pid now: gives its start ticks.
pub(super) type Ask = fn(u32) -> Option<u64>;

/// All runs, and the last that have ended. Times are nanoseconds since boot, suspend included.
pub(super) struct Runs {
    of_pids: HashMap<u32, Vec<Run>>,
    ended: VecDeque<u32>,
    /// See `host::boot_time_shift`.
    shift: i64,
    ask: Ask,
}

#[derive(Clone, Debug)]
struct Run {
    ticks: u64,
    /// Its name and user, as far as they were told.
    known: Option<(Text, u32)>,
    /// Not later than anything it did.
    began: u64,
    /// `None`: it runs, as far as we know.
    ended: Option<u64>,
}

impl Runs {
    pub(super) fn new(shift: i64, ask: Ask) -> Self {
        Self {
            of_pids: HashMap::new(),
            ended: VecDeque::new(),
            shift,
            ask,
        }
    }

    /// Takes note of the run that has this pid now.
    pub(super) fn is_there(&mut self, pid: u32) {
        if let Some(ticks) = (self.ask)(pid) {
            self.add(pid, ticks);
        }
    }

    /// A process has started. Gives its start in nanoseconds, such that its ticks are those that
    /// `/proc` shows.
    pub(super) fn started(&mut self, pid: u32, time: u64) -> u64 {
        let told = self.ticks(time);
        let is_this = |ticks: &u64| *ticks <= told && told - *ticks <= TOLD_WITHIN;
        let known = self.of_pids.get(&pid).and_then(|runs| runs.last());
        let known = known.filter(|run| run.ended.is_none() && is_this(&run.ticks));
        if let Some(run) = known {
            return self.nanos(run.ticks);
        }
        let ticks = (self.ask)(pid).filter(is_this).unwrap_or(told);
        // By the end of its tick it has begun, also when that is told later.
        let began = time.min(self.nanos(ticks + 1));
        let runs = self.of_pids.entry(pid).or_default();
        // Its end was lost.
        if let Some(before) = runs.last_mut() {
            before.ended.get_or_insert(time);
        }
        runs.push(Run {
            ticks,
            known: None,
            began,
            ended: None,
        });
        self.nanos(ticks)
    }

    /// A process has ended. `None`: it is not known which.
    pub(super) fn ended(&mut self, pid: u32, time: u64) -> Option<u64> {
        let started = self.at(pid, time)?;
        let runs = self.of_pids.get_mut(&pid)?;
        let run = runs.iter_mut().rev().find(|run| run.began <= time)?;
        if run.ended.is_none() {
            run.ended = Some(time);
            self.ended.push_back(pid);
        }
        if self.ended.len() > MOST_ENDED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.forget_oldest(oldest);
        }
        Some(started)
    }

    /// The start of the process that had this pid then, as [`Runs::started`] gives it. `None`: not
    /// known.
    pub(super) fn at(&mut self, pid: u32, time: u64) -> Option<u64> {
        let runs = self.of_pids.get(&pid).into_iter().flatten();
        let run = runs.rev().find(|run| run.began <= time);
        let run = run.filter(|run| run.ended.is_none_or(|end| time <= end + ENDS_WITHIN));
        if let Some(run) = run {
            return Some(self.nanos(run.ticks));
        }
        // Who has the pid now, and had it then, has had it all the time.
        let ticks = (self.ask)(pid).filter(|ticks| self.nanos(*ticks) <= time)?;
        self.add(pid, ticks);
        Some(self.nanos(ticks))
    }

    /// Keeps what such a start had: its children have it, too.
    pub(super) fn keep(&mut self, pid: u32, started: u64, name: &Text, uid: u32) {
        let ticks = self.ticks(started);
        let runs = self.of_pids.get_mut(&pid).into_iter().flatten();
        for run in runs.filter(|run| run.ticks == ticks) {
            run.known = Some((name.clone(), uid));
        }
    }

    /// Name and user, as they were kept.
    pub(super) fn known(&self, pid: u32, started: u64) -> Option<(Text, u32)> {
        let ticks = self.ticks(started);
        let mut runs = self.of_pids.get(&pid).into_iter().flatten();
        runs.find(|run| run.ticks == ticks)?.known.clone()
    }

    /// Starts and ends were lost: who runs has to be asked for again.
    pub(super) fn doubt(&mut self) {
        for runs in self.of_pids.values_mut() {
            runs.retain(|run| run.ended.is_some());
        }
    }

    fn add(&mut self, pid: u32, ticks: u64) {
        let began = self.nanos(ticks);
        let runs = self.of_pids.entry(pid).or_default();
        if !runs.iter().any(|run| run.ticks == ticks) {
            runs.push(Run {
                ticks,
                known: None,
                began,
                ended: None,
            });
            runs.sort_by_key(|run| run.began);
        }
    }

    fn forget_oldest(&mut self, pid: u32) {
        if let Some(runs) = self.of_pids.get_mut(&pid) {
            let oldest = runs.iter().position(|run| run.ended.is_some());
            oldest.map(|oldest| runs.remove(oldest));
            if runs.is_empty() {
                self.of_pids.remove(&pid);
            }
        }
    }

    /// As `/proc` shows them.
    pub(super) fn ticks(&self, time: u64) -> u64 {
        time.saturating_add_signed(self.shift) / ProcessId::NANOS_PER_TICK
    }

    fn nanos(&self, ticks: u64) -> u64 {
        let shown = ticks.saturating_mul(ProcessId::NANOS_PER_TICK);
        shown.saturating_add_signed(self.shift.saturating_neg())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// Pid 7 is there, and has been since tick 500.
    fn seven(pid: u32) -> Option<u64> {
        (pid == 7).then_some(500)
    }

    fn runs() -> Runs {
        Runs::new(0, seven)
    }

    #[test]
    fn a_start_has_the_ticks_of_proc() {
        // Told in the next tick.
        assert_eq!(runs().started(7, 5_011 * MS), 5_000 * MS);
        // Gone already.
        assert_eq!(runs().started(8, 5_011 * MS), 5_010 * MS);
        // Its pid has been given to another since, or that one was lost.
        assert_eq!(runs().started(7, 4_000 * MS), 4_000 * MS);
        assert_eq!(runs().started(7, 9_000 * MS), 9_000 * MS);
    }

    #[test]
    fn a_pid_is_not_a_process() {
        let mut runs = runs();
        runs.started(8, 1_000 * MS);
        assert_eq!(runs.ended(8, 2_000 * MS), Some(1_000 * MS));
        runs.started(8, 9_000 * MS);
        assert_eq!(runs.at(8, 999 * MS), None);
        assert_eq!(runs.at(8, 1_500 * MS), Some(1_000 * MS));
        assert_eq!(runs.at(8, 2_001 * MS), Some(1_000 * MS));
        assert_eq!(runs.at(8, 8_999 * MS), None, "nobody that we know of");
        assert_eq!(runs.at(8, 9_000 * MS), Some(9_000 * MS));
    }

    #[test]
    fn who_is_there_is_known_without_a_start() {
        let mut runs = runs();
        assert_eq!(runs.at(7, 4_999 * MS), None);
        assert_eq!(runs.at(7, 6_000 * MS), Some(5_000 * MS));
        runs.is_there(7);
        // The start of the same one is told late.
        assert_eq!(runs.started(7, 5_001 * MS), 5_000 * MS);
        assert_eq!(runs.of_pids[&7].len(), 1);
    }

    #[test]
    fn after_a_loss_nobody_is_taken_for_granted() {
        let mut runs = runs();
        runs.started(8, 1_000 * MS);
        runs.started(7, 5_001 * MS);
        runs.doubt();
        assert_eq!(runs.at(8, 6_000 * MS), None);
        assert_eq!(runs.at(7, 6_000 * MS), Some(5_000 * MS));
    }

    #[test]
    fn in_a_time_namespace_the_ticks_are_shifted() {
        let mut runs = Runs::new(-1_000_000_000, seven);
        // 5 s since boot as /proc shows it are 6 s to the kernel.
        assert_eq!(runs.started(7, 6_005 * MS), 6_000 * MS);
    }

    #[test]
    fn the_ended_are_bounded() {
        let mut runs = runs();
        for time in 0..70_000 {
            runs.started(8, time * 100 * MS);
            runs.ended(8, time * 100 * MS + MS);
        }
        assert_eq!(runs.of_pids[&8].len(), MOST_ENDED);
    }
}
