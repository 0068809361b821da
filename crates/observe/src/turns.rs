//! Who is looked into next, where one thread looks into all: whoever has begun, at once and again when its
//! libraries are loaded; all that ran before, once, cheaply and then wholly; whoever uses the network, again
//! and again. All of it within limits of time: between two looks it rests. Who has waited for too long takes
//! every other turn, however many begin.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use model::ProcessId;

use crate::Depth;

/// Whoever uses the network is looked into so often, where the time allows it.
const EACH: Duration = Duration::from_secs(5);
/// And wholly so often.
const WHOLE_EACH: Duration = Duration::from_secs(60);
/// A program that has just begun still loads its libraries.
const SETTLED: Duration = Duration::from_secs(1);
/// Looks take one part of the time of one processor, and leave so many parts.
const REST: u32 = 4;
/// The same, of those that were looked into before.
const REST_AGAIN: u32 = 19;
/// So much is spent before the first rest: who has just started whocalls waits for it.
const AHEAD: Duration = Duration::from_secs(5);

/// One look that is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) id: ProcessId,
    pub(crate) depth: Depth,
    /// It has only just begun, and does not use the network: of most, nobody wants to know.
    pub(crate) is_passing: bool,
    /// It goes before others since it has waited for too long.
    is_late: bool,
}

/// In the order of their urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Began,
    Before,
    Whole,
    Again,
}

impl Step {
    /// How long a look has waited. Who has begun goes first all the same.
    fn waited(self, at: Instant, now: Instant) -> Duration {
        match self {
            Self::Began => Duration::ZERO,
            Self::Before | Self::Whole | Self::Again => now.saturating_duration_since(at),
        }
    }
}

#[derive(Debug)]
struct Run {
    talks: bool,
    /// It ran before us: there are many of these at once, and each has its turn.
    was_there: bool,
    /// What comes next. `None`: nothing, until it uses the network.
    next: Option<(Step, Instant)>,
    whole: Option<Instant>,
}

/// All that run: what has ended is forgotten.
#[derive(Debug)]
pub(crate) struct Turns {
    runs: HashMap<ProcessId, Run>,
    ahead: Duration,
    from: Instant,
    again_from: Instant,
    /// The last turn was one of those that had waited for too long.
    was_late: bool,
}

impl Turns {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            runs: HashMap::new(),
            ahead: AHEAD,
            from: now,
            again_from: now,
            was_late: false,
        }
    }

    /// Takes note of one that ran before us.
    pub(crate) fn was_there(&mut self, id: ProcessId, now: Instant) {
        self.put(id, Step::Before, now);
    }

    pub(crate) fn began(&mut self, id: ProcessId, now: Instant) {
        self.put(id, Step::Began, now);
    }

    fn put(&mut self, id: ProcessId, step: Step, now: Instant) {
        self.runs.entry(id).or_insert(Run {
            talks: false,
            was_there: step == Step::Before,
            next: Some((step, now)),
            whole: None,
        });
    }

    /// It uses the network. To be said once.
    pub(crate) fn talks(&mut self, id: ProcessId, now: Instant) {
        if let Some(run) = self.runs.get_mut(&id) {
            run.talks = true;
            run.next.get_or_insert((Step::Again, now));
        }
    }

    pub(crate) fn ended(&mut self, id: ProcessId) {
        self.runs.remove(&id);
    }

    /// What is to be done now. `None`: nothing for the time being.
    pub(crate) fn next(&self, now: Instant) -> Option<Turn> {
        let due = self.runs.iter().filter_map(|(id, run)| {
            let (step, at) = run.next?;
            let is_late = !self.was_late && step.waited(at, now) > EACH.saturating_mul(2);
            // Of those that are late, who has waited for longest. Who uses the network goes before the
            // others that wait for the same.
            let urgency = (!is_late).then_some((step, !run.talks));
            (self.at(step, at) <= now).then_some((urgency, at, *id))
        });
        let (urgency, _, id) = due.min()?;
        let is_whole_due = |run: &Run| {
            let since = |at| now.saturating_duration_since(at) >= WHOLE_EACH;
            run.whole.is_none_or(since)
        };
        let run = self.runs.get(&id)?;
        let (step, _) = run.next?;
        let depth = match step {
            Step::Began | Step::Before => Depth::Cheap,
            Step::Again if !is_whole_due(run) => Depth::Cheap,
            Step::Whole | Step::Again => Depth::Whole,
        };
        Some(Turn {
            id,
            depth,
            is_passing: step == Step::Began && !run.talks,
            is_late: urgency.is_none(),
        })
    }

    /// Whether anyone waits for much too long. Those that ran before us may: all come at once.
    pub(crate) fn is_behind(&self, now: Instant) -> bool {
        let is_first = |run: &Run, step| run.was_there && step != Step::Again;
        self.runs.values().any(|run| {
            // Who has just begun goes first, and may wait all the same when many begin.
            let is_late = |at| now.saturating_duration_since(at) > WHOLE_EACH;
            run.next
                .is_some_and(|(step, at)| !is_first(run, step) && is_late(at))
        })
    }

    /// When the next is to be asked for. `None`: something has to happen before.
    pub(crate) fn due(&self) -> Option<Instant> {
        let next = self.runs.values().filter_map(|run| run.next);
        next.map(|(step, at)| self.at(step, at)).min()
    }

    fn at(&self, step: Step, at: Instant) -> Instant {
        match step {
            Step::Again => at.max(self.from).max(self.again_from),
            Step::Began | Step::Before | Step::Whole => at.max(self.from),
        }
    }

    /// The look was taken, and took so long.
    pub(crate) fn done(&mut self, turn: Turn, spent: Duration, now: Instant) {
        self.was_late = turn.is_late;
        let paid = spent.min(self.ahead);
        self.ahead -= paid;
        let owed = spent - paid;
        self.from = now + owed.saturating_mul(REST);
        let Some(run) = self.runs.get_mut(&turn.id) else {
            return;
        };
        if turn.depth == Depth::Whole {
            run.whole = Some(now);
        }
        let again = run.talks.then_some((Step::Again, now + EACH));
        run.next = match run.next {
            Some((Step::Began, began)) => Some((Step::Whole, began + SETTLED)),
            Some((Step::Before, _)) => Some((Step::Whole, now)),
            Some((Step::Again, _)) => {
                self.again_from = now + spent.saturating_mul(REST_AGAIN);
                again
            }
            Some((Step::Whole, _)) | None => again,
        };
    }
}

#[cfg(test)]
mod tests {
    use model::BootId;

    use super::*;

    fn id(pid: u32) -> ProcessId {
        ProcessId {
            boot: BootId([1; 16]),
            pid,
            start_ticks: 1,
        }
    }

    /// Takes looks of so many milliseconds each until so many seconds are over: when, which process, and
    /// whether wholly.
    fn taken(
        turns: &mut Turns,
        begun: Instant,
        from: u64,
        to: u64,
        cost: u64,
    ) -> Vec<(u64, u32, bool)> {
        let mut now = begun + Duration::from_secs(from);
        let end = begun + Duration::from_secs(to);
        let mut taken = Vec::new();
        while let Some(due) = turns.due().filter(|due| *due < end) {
            now = now.max(due);
            let turn = turns.next(now).expect("it is due");
            let at = now.duration_since(begun).as_millis();
            let at = u64::try_from(at).expect("some minutes");
            taken.push((at, turn.id.pid, turn.depth == Depth::Whole));
            let spent = Duration::from_millis(cost);
            now += spent;
            turns.done(turn, spent, now);
        }
        taken
    }

    #[test]
    fn all_once_and_who_talks_again() {
        let now = Instant::now();
        let mut turns = Turns::new(now);
        turns.was_there(id(1), now);
        turns.was_there(id(2), now);
        turns.talks(id(2), now);
        let first = [(0, 2, false), (10, 1, false), (20, 2, true), (30, 1, true)];
        let taken_first = taken(&mut turns, now, 0, 4, 10);
        assert_eq!(taken_first, first);
        // Every five seconds, and wholly each minute.
        let later = taken(&mut turns, now, 4, 120, 10);
        assert!(later.iter().all(|it| it.1 == 2), "{later:?}");
        assert!((20..=24).contains(&later.len()), "{later:?}");
        assert_eq!(later.iter().filter(|it| it.2).count(), 1, "{later:?}");
        let minute = now + Duration::from_secs(120);
        turns.talks(id(1), minute);
        assert_eq!(turns.next(minute).map(|it| it.id), Some(id(1)));
    }

    #[test]
    fn what_begins_goes_first_and_again_when_it_has_settled() {
        let now = Instant::now();
        let mut turns = Turns::new(now);
        turns.was_there(id(1), now);
        turns.began(id(2), now);
        let turn = turns.next(now).expect("two are due");
        assert!(turn.id == id(2) && turn.is_passing);
        let expected = [
            (0, 2, false),
            (10, 1, false),
            (20, 1, true),
            (1000, 2, true),
        ];
        assert_eq!(taken(&mut turns, now, 0, 9, 10), expected);
        turns.ended(id(1));
        turns.ended(id(2));
        assert_eq!(turns.due(), None);
    }

    #[test]
    fn who_begins_again_and_again_starves_nobody() {
        let begun = Instant::now();
        let mut turns = Turns::new(begun);
        turns.was_there(id(1), begun);
        turns.talks(id(1), begun);
        let (mut now, mut pid) = (begun, 10);
        let (mut looks, mut others) = (0, 0);
        while now < begun + Duration::from_secs(300) {
            // There is always one that has just begun.
            turns.began(id(pid), now);
            now = now.max(turns.due().expect("one has begun"));
            let turn = turns.next(now).expect("it is due");
            now += Duration::from_millis(50);
            turns.done(turn, Duration::from_millis(50), now);
            if turn.id == id(1) {
                looks += 1;
            } else {
                others += 1;
                turns.ended(turn.id);
                pid += u32::from(turn.id == id(pid));
            }
            assert!(!turns.is_behind(now), "{looks} {others}");
        }
        assert!((15..=40).contains(&looks), "{looks}");
        assert!(others > 900, "{others}");
    }

    #[test]
    fn who_waits_for_a_minute_is_told() {
        let now = Instant::now();
        let mut turns = Turns::new(now);
        turns.was_there(id(1), now);
        let _ = taken(&mut turns, now, 0, 1, 10);
        turns.talks(id(1), now);
        assert!(!turns.is_behind(now + Duration::from_secs(60)));
        assert!(turns.is_behind(now + Duration::from_secs(61)));
    }

    #[test]
    fn it_rests() {
        let now = Instant::now();
        let mut turns = Turns::new(now);
        for pid in 1..=500 {
            turns.was_there(id(pid), now);
            turns.talks(id(pid), now);
        }
        let looks = |from, to, turns: &mut Turns| taken(turns, now, from, to, 100).len();
        // Five seconds ahead, and then a fifth of the time.
        let first = looks(0, 100, &mut turns);
        assert!((230..=245).contains(&first), "{first}");
        let second = looks(100, 200, &mut turns);
        assert!((195..=205).contains(&second), "{second}");
        // Again and again, with a twentieth.
        looks(200, 1000, &mut turns);
        let again = looks(1000, 2000, &mut turns);
        assert!((490..=510).contains(&again), "{again}");
    }
}
