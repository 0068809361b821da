//! What is known of processes beside what was found in them: who talks, who listens for this computer,
//! when whocalls began, and who ended just then.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use model::{Connection, PackageState, Pair, Place, Process, ProcessId, State, Timestamp};

use crate::process::{Ending, Life, SOON, comes_back, ending, may_be_again};

/// Kept from one look to the next; tells whose reasons have to be found anew.
#[derive(Debug, Default)]
pub(super) struct Lives {
    talking: Counted,
    serving: Counted,
    open_to_others: Counted,
    /// Runs of whocalls.
    ours: BTreeMap<ProcessId, Run>,
    /// Those that ended soon after one began.
    endings: BTreeMap<ProcessId, Ending>,
    /// All that may be one of these again, as they were known last.
    kindred: BTreeMap<ProcessId, BTreeSet<ProcessId>>,
    /// By pid, which several may have had.
    of_pid: HashMap<u32, BTreeSet<ProcessId>>,
    /// Those below others of the same program, with the first of these.
    below: BTreeMap<ProcessId, u32>,
    /// The other way round: those below a pid, of the same program.
    rows: HashMap<u32, BTreeSet<ProcessId>>,
    dirty: BTreeSet<ProcessId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    started: Timestamp,
    /// `None`: it goes on.
    ended: Option<Timestamp>,
}

/// In how many things a process was seen.
#[derive(Debug, Default)]
struct Counted {
    of_thing: HashMap<Place, Vec<ProcessId>>,
    counts: HashMap<ProcessId, usize>,
}

impl Counted {
    /// Gives those of which it is not as it was before.
    fn put(&mut self, place: Place, processes: Vec<ProcessId>) -> Vec<ProcessId> {
        let before = if processes.is_empty() {
            self.of_thing.remove(&place)
        } else {
            self.of_thing.insert(place, processes.clone())
        };
        let before = before.unwrap_or_default();
        let mut changed = Vec::new();
        for id in processes {
            let count = self.counts.entry(id).or_default();
            *count = count.saturating_add(1);
            changed.extend((*count == 1).then_some(id));
        }
        for id in before {
            if let Some(count) = self.counts.get_mut(&id) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.counts.remove(&id);
                    changed.push(id);
                }
            }
        }
        changed
    }

    fn has(&self, id: ProcessId) -> bool {
        self.counts.contains_key(&id)
    }
}

impl Lives {
    pub(super) fn pair(&mut self, place: Place, pair: Option<&Pair>) {
        let processes = pair.map(|pair| pair.members.processes.iter().map(|(id, _)| *id));
        let processes = processes.into_iter().flatten().collect();
        self.dirty.extend(self.talking.put(place, processes));
    }

    pub(super) fn connection(&mut self, place: Place, connection: Option<&Connection>) {
        let listens = connection.filter(|it| it.state == State::Listen);
        let owner = listens.and_then(|it| it.owner.process());
        let local = listens.and_then(|it| it.local.ip);
        let here = owner.filter(|_| local.is_some_and(|ip| ip.is_loopback()));
        let others = owner.filter(|_| local.is_some_and(|ip| !ip.is_loopback()));
        let changed = self.serving.put(place, Vec::from_iter(here));
        for id in changed {
            let row = self.row(id).collect::<Vec<_>>();
            self.dirty.extend(row);
            self.dirty.insert(id);
        }
        let changed = self.open_to_others.put(place, Vec::from_iter(others));
        self.dirty.extend(changed);
    }

    /// Processes that changed, or are gone, among all that there are now.
    pub(super) fn processes(
        &mut self,
        changed: &[ProcessId],
        now: &HashMap<ProcessId, Arc<Process>>,
    ) {
        self.dirty.extend(changed);
        let ours_before = self.ours.clone();
        for id in changed {
            let ours = now.get(id).filter(|it| is_ours(it));
            let run = ours.and_then(|it| {
                Some(Run {
                    started: it.started?,
                    ended: it.ended,
                })
            });
            match run {
                Some(run) => self.ours.insert(*id, run),
                None => self.ours.remove(id),
            };
        }
        let are_others = self.ours != ours_before;
        let looked_at: Vec<ProcessId> = if are_others {
            now.keys().copied().collect()
        } else {
            changed.to_vec()
        };
        for id in looked_at {
            let process = now.get(&id);
            let ending = process.and_then(|it| ending(it, self.begun(it)));
            let before = match ending {
                Some(ending) => self.endings.insert(id, ending),
                None => {
                    self.kindred.remove(&id);
                    self.endings.remove(&id)
                }
            };
            if before != ending || are_others && ending.is_some() {
                self.dirty.insert(id);
            }
        }
        let mut pids = BTreeSet::new();
        for id in changed {
            pids.insert(id.pid);
            let process = now.get(id);
            let of_pid = self.of_pid.entry(id.pid).or_default();
            if process.is_some() {
                of_pid.insert(*id);
            } else {
                of_pid.remove(id);
            }
            if of_pid.is_empty() {
                self.of_pid.remove(&id.pid);
            }
            let before = match process.and_then(|it| first_above(it)) {
                Some(first) => {
                    self.rows.entry(first).or_default().insert(*id);
                    self.below.insert(*id, first).filter(|it| *it != first)
                }
                None => self.below.remove(id),
            };
            if let Some(before) = before {
                self.leave(*id, before);
            }
        }
        let serving = changed.iter().filter(|id| self.serving.has(**id));
        let rows: Vec<_> = serving.flat_map(|id| self.row(*id)).collect();
        self.dirty.extend(rows);
        let below = self.below.iter().filter(|(_, first)| pids.contains(first));
        self.dirty.extend(below.map(|(id, _)| *id));
    }

    /// It is not in the row below that pid any more.
    fn leave(&mut self, id: ProcessId, first: u32) {
        let Some(row) = self.rows.get_mut(&first) else {
            return;
        };
        row.remove(&id);
        if self.serving.has(id) {
            let left = row.iter().copied();
            self.dirty.extend(left);
            self.dirty
                .extend(self.of_pid.get(&first).into_iter().flatten());
        }
        if row.is_empty() {
            self.rows.remove(&first);
        }
    }

    /// Those whose reasons may be others now, once. What began, talks or went since may be one of those
    /// that ended, again.
    pub(super) fn take_dirty(
        &mut self,
        now: &HashMap<ProcessId, Arc<Process>>,
    ) -> BTreeSet<ProcessId> {
        let mut dirty = std::mem::take(&mut self.dirty);
        let mut again = Vec::new();
        for ended in self.endings.keys().filter_map(|id| now.get(id)) {
            let may_be = |id: &ProcessId| now.get(id).is_some_and(|it| may_be_again(ended, it));
            let known = self.kindred.entry(ended.id).or_default();
            if dirty.contains(&ended.id) {
                *known = now.keys().filter(|id| may_be(id)).copied().collect();
                continue;
            }
            for id in &dirty {
                let was = known.remove(id);
                let is = may_be(id) && known.insert(*id);
                again.extend((was || is).then_some(ended.id));
            }
        }
        dirty.extend(again);
        dirty
    }

    /// It, or its family, listens for this computer itself: it can be opened in a browser here.
    pub(super) fn serves_here(&self, process: ProcessId) -> bool {
        self.row(process).any(|id| self.serving.has(id))
    }

    pub(super) fn of<'a>(
        &self,
        process: &Process,
        now: &'a HashMap<ProcessId, Arc<Process>>,
    ) -> Life<'a> {
        let ending = self.endings.get(&process.id);
        let again = ending.and_then(|ending| {
            let kindred = self.kindred.get(&process.id)?.iter();
            let kindred = kindred.filter_map(|id| {
                let other = now.get(id)?;
                Some((other.as_ref(), self.talking.has(*id)))
            });
            comes_back(process, *ending, self.gone(ending.ended), kindred)
        });
        // The newest that had the pid when this one began.
        let first = self.below.get(&process.id).and_then(|pid| {
            let all = self.of_pid.get(pid)?;
            let same_boot = all.iter().filter(|it| it.boot == process.id.boot);
            let earlier = same_boot.filter(|it| it.start_ticks <= process.id.start_ticks);
            now.get(earlier.max_by_key(|it| it.start_ticks)?)
        });
        Life {
            first: first.map(Arc::as_ref),
            talks: self.talking.has(process.id),
            serves_here: self.serves_here(process.id),
            open_to_others: self.open_to_others.has(process.id),
            begun: self.begun(process),
            again,
        }
    }

    /// All of one program that are in one row, from its first process down: programs look after
    /// themselves so, and work in another process than the one that was started.
    fn row(&self, id: ProcessId) -> impl Iterator<Item = ProcessId> {
        let first = self.below.get(&id).copied().unwrap_or(id.pid);
        let of_pid = self.of_pid.get(&first).into_iter().flatten();
        let below = self.rows.get(&first).into_iter().flatten();
        let same_boot = move |it: &ProcessId| it.boot == id.boot;
        of_pid.chain(below).copied().filter(same_boot)
    }

    /// The newest run of whocalls that had begun when this process ended.
    fn begun(&self, process: &Process) -> Option<Timestamp> {
        let ended = process.ended?;
        let begun = self.ours.values().map(|run| run.started);
        begun.filter(|begun| *begun <= ended).max()
    }

    /// When all runs of whocalls had ended for which somebody may have ended at that time. `None`: none of
    /// them has.
    fn gone(&self, ended: Timestamp) -> Option<Timestamp> {
        let runs = self.ours.values();
        let frightening =
            runs.filter(|run| run.started <= ended && run.started.until(ended) <= SOON);
        frightening.filter_map(|run| run.ended).max()
    }
}

/// The pid of the uppermost of the same program in a row above a process.
fn first_above(process: &Process) -> Option<u32> {
    let path = process.path.as_ref()?;
    let same = process.parents.iter();
    let same = same.take_while(|it| it.path.as_ref() == Some(path));
    same.last().map(|it| it.pid)
}

fn is_ours(process: &Process) -> bool {
    let examined = process.examined.as_deref();
    let package = examined.and_then(|it| it.package.as_ref());
    package.is_some_and(|it| it.state == PackageState::ThisTool)
}
