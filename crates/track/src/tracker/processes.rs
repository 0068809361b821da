//! The processes that are kept.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use model::{Connection, Examined, Mix, Process, ProcessId, RestatedConnection, Timestamp};

/// Processes that are alive, those that kept connections name, and the last others that have ended.
#[derive(Debug)]
pub(super) struct Processes {
    known: Arc<HashMap<ProcessId, Arc<Process>>>,
    standing: HashMap<ProcessId, Standing, Mix>,
    /// Over and named by no connection, in this order. One that came to be named meanwhile is
    /// skipped when its turn comes.
    idle: VecDeque<ProcessId>,
    limit: usize,
    let_go: u64,
}

#[derive(Debug, Default)]
struct Standing {
    /// How many kept connections name it.
    named: u32,
    /// A look did not show it any more: it has ended, or it holds no socket.
    missing: bool,
}

impl Processes {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            known: Arc::default(),
            standing: HashMap::default(),
            idle: VecDeque::new(),
            limit,
            let_go: 0,
        }
    }

    pub(super) fn known(&self) -> Arc<HashMap<ProcessId, Arc<Process>>> {
        Arc::clone(&self.known)
    }

    pub(super) fn get(&self, id: ProcessId) -> Option<&Process> {
        self.known.get(&id).map(Arc::as_ref)
    }

    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }

    /// Takes over what a source tells of a process now.
    pub(super) fn learn(&mut self, process: Arc<Process>) {
        let id = process.id;
        if let Some(standing) = self.standing.get_mut(&id) {
            standing.missing = false;
        }
        // One of which only the name is told, since the rest was lost or is too long ago.
        let is_less = process.path.is_none() && process.command_line.is_none();
        if is_less && self.known.contains_key(&id) && process.ended.is_none() {
            return;
        }
        let process = self.as_examined(process);
        let over = process.ended.is_some();
        let former = Arc::make_mut(&mut self.known).insert(id, process);
        let was_over = former.is_some_and(|former| former.ended.is_some());
        if over && !was_over {
            self.settle(id);
        }
    }

    pub(super) fn end(&mut self, id: ProcessId, time: Timestamp) {
        let alive = self.get(id).is_some_and(|process| process.ended.is_none());
        if !alive {
            return;
        }
        if let Some(process) = Arc::make_mut(&mut self.known).get_mut(&id) {
            Arc::make_mut(process).ended = Some(time);
        }
        self.settle(id);
    }

    /// What was found by looking into it, in the place of what was found before. One that nothing else
    /// is known of is kept for it.
    pub(super) fn examined(&mut self, id: ProcessId, examined: &Arc<Examined>) {
        // What is only told of the program file came after the end.
        if examined.checks.is_empty() && !self.known.contains_key(&id) {
            return;
        }
        let known = Arc::make_mut(&mut self.known);
        let process = known
            .entry(id)
            .or_insert_with(|| Arc::new(Process::unknown(id)));
        Arc::make_mut(process).examined = Some(Arc::clone(examined));
    }

    /// With what was found before, where the source says nothing of it and the same program runs.
    fn as_examined(&self, mut process: Arc<Process>) -> Arc<Process> {
        let Some(known) = self.get(process.id) else {
            return process;
        };
        let runs = |it: &Process| (it.file, it.path.clone(), it.command_line.clone());
        if process.examined.is_none() && known.examined.is_some() && runs(known) == runs(&process) {
            Arc::make_mut(&mut process)
                .examined
                .clone_from(&known.examined);
        }
        process
    }

    /// Takes over the processes of a look, which may know less of some than we do.
    pub(super) fn look(&mut self, processes: Vec<Process>) {
        let seen: HashSet<_> = processes.iter().map(|process| process.id).collect();
        for mut process in processes {
            if let Some(known) = self.get(process.id) {
                process.ended = process.ended.or(known.ended);
                if process.file == known.file {
                    process.sha256 = process.sha256.or(known.sha256);
                }
                if process.examined.is_none() && process.file == known.file {
                    process.examined.clone_from(&known.examined);
                }
                if process == *known || process.path.is_none() && known.path.is_some() {
                    if let Some(standing) = self.standing.get_mut(&process.id) {
                        standing.missing = false;
                    }
                    continue;
                }
            }
            self.learn(Arc::new(process));
        }
        let ids = self.known.keys();
        let mut missing: Vec<_> = ids.filter(|id| !seen.contains(id)).copied().collect();
        missing.sort_unstable();
        for id in missing {
            let standing = self.standing.entry(id).or_default();
            if !std::mem::replace(&mut standing.missing, true) {
                self.settle(id);
            }
        }
    }

    /// Those that are alive, and those that connections name, in the order of their ids.
    pub(super) fn restate(&self, connections: &[RestatedConnection]) -> Vec<Arc<Process>> {
        let named = connections.iter().flat_map(|it| named(&it.connection));
        let named: HashSet<_> = named.collect();
        let alive = |process: &Process| process.ended.is_none() && !self.is_missing(process.id);
        let wanted = |it: &&Arc<Process>| alive(it) || named.contains(&it.id);
        let mut all: Vec<_> = self.known.values().filter(wanted).cloned().collect();
        all.sort_unstable_by_key(|process| process.id);
        all
    }

    /// A connection that names these processes is kept from now on.
    pub(super) fn name(&mut self, connection: &Connection) {
        for id in named(connection) {
            self.standing.entry(id).or_default().named += 1;
        }
    }

    /// It is no longer kept.
    pub(super) fn unname(&mut self, connection: &Connection) {
        for id in named(connection) {
            if let Some(standing) = self.standing.get_mut(&id) {
                standing.named = standing.named.saturating_sub(1);
                self.settle(id);
            }
        }
    }

    /// Lets go of what is no longer needed, after `id` came to be over or to be named less.
    fn settle(&mut self, id: ProcessId) {
        if self.is_named(id) {
            return;
        }
        let Some(process) = self.known.get(&id) else {
            self.standing.remove(&id);
            return;
        };
        if process.ended.is_some() || self.is_missing(id) {
            self.idle.push_back(id);
        }
        while self.idle.len() > self.limit {
            let Some(oldest) = self.idle.pop_front() else {
                return;
            };
            let known = self.get(oldest);
            let ended = known.is_some_and(|process| process.ended.is_some());
            let over = ended || known.is_some() && self.is_missing(oldest);
            if over && !self.is_named(oldest) {
                Arc::make_mut(&mut self.known).remove(&oldest);
                self.standing.remove(&oldest);
                self.let_go += 1;
            }
        }
    }

    pub(super) fn is_named(&self, id: ProcessId) -> bool {
        self.standing.get(&id).is_some_and(|it| it.named > 0)
    }

    fn is_missing(&self, id: ProcessId) -> bool {
        self.standing.get(&id).is_some_and(|it| it.missing)
    }
}

/// The processes that a connection names.
fn named(connection: &Connection) -> impl Iterator<Item = ProcessId> {
    let owner = connection.owner.process().into_iter();
    owner.chain(connection.also_held_by.iter().copied())
}
