//! The tree: parents, processes, where they go, and the connections. Every process is there.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::{Place, Process, ProcessId};

use super::{Context, Fold, Gathered, Item, Key, Picture, Row, remote_of};

struct Tree<'a> {
    processes: HashMap<ProcessId, &'a Process>,
    /// The newest of each number.
    by_pid: BTreeMap<u32, ProcessId>,
    children: HashMap<ProcessId, Vec<ProcessId>>,
    roots: Vec<ProcessId>,
}

pub(super) fn picture(context: &Context<'_>) -> Picture {
    let mut picture = Picture::default();
    for (place, connection) in context.snapshot.connections.places() {
        if !context.wants(connection) {
            picture.hidden += 1;
            continue;
        }
        if let Some(owner) = connection.owner.process() {
            picture.held.entry(owner).or_default().push(place);
            picture.sums.entry(owner).or_default().add(connection);
        }
    }
    let mut tree = tree(context, &picture);
    inherit(context, &tree, &mut picture);
    // Those below are added to those above them, from the last to the first.
    for (id, _, parent) in tree.in_order().iter().rev() {
        let sums = *picture.sums.entry(*id).or_default();
        if let Some(parent) = parent {
            picture.sums.entry(*parent).or_default().add_sums(&sums);
        }
    }
    tree.sort(context, &picture);
    let wanted = wanted(context, &tree, &picture);
    let is_wanted = |id: &ProcessId| wanted.as_ref().is_none_or(|it| it.contains(id));
    let mut rows = Vec::new();
    for (id, depth, _) in tree.in_order().into_iter().filter(|it| is_wanted(&it.0)) {
        let key = Key::Process(id);
        let held = picture.held.contains_key(&id);
        let fold = if held { context.fold(&key) } else { Fold::Leaf };
        rows.push(Row {
            key,
            depth,
            fold,
            item: Item::Process(id),
        });
        if fold == Fold::Open {
            toward(context, id, depth + 1, &mut picture, &mut rows);
        }
    }
    picture.rows = rows;
    picture
}

/// Those that live, and those that have ended and still stand behind a connection that is open.
fn tree<'a>(context: &Context<'a>, picture: &Picture) -> Tree<'a> {
    let snapshot = context.snapshot;
    let still_there = |process: &Process| {
        process.ended.is_none()
            || picture.held.get(&process.id).is_some_and(|held| {
                let mut held = held.iter().filter_map(|it| snapshot.connections.get(*it));
                held.any(|connection| connection.closed.is_none())
            })
    };
    let processes = snapshot.processes.values().map(AsRef::as_ref);
    Tree::of(processes.filter(|it| still_there(it)))
}

/// What processes did that have ended and are not shown counts for the nearest one above them.
fn inherit(context: &Context<'_>, tree: &Tree<'_>, picture: &mut Picture) {
    let ended: Vec<ProcessId> = picture.sums.keys().copied().collect();
    for id in ended
        .into_iter()
        .filter(|id| !tree.processes.contains_key(id))
    {
        let Some(process) = context.snapshot.processes.get(&id) else {
            continue;
        };
        let above = process.parents.iter();
        let mut above = above.filter_map(|parent| tree.by_pid.get(&parent.pid));
        let heir = above.find(|it| it.start_ticks <= id.start_ticks).copied();
        if let (Some(heir), Some(sums)) = (heir, picture.sums.remove(&id)) {
            picture.sums.entry(heir).or_default().add_sums(&sums);
        }
    }
}

impl<'a> Tree<'a> {
    fn of(processes: impl Iterator<Item = &'a Process>) -> Self {
        let processes: HashMap<ProcessId, &Process> = processes.map(|it| (it.id, it)).collect();
        let mut by_pid: BTreeMap<u32, ProcessId> = BTreeMap::new();
        for id in processes.keys() {
            let newest = by_pid.entry(id.pid).or_insert(*id);
            if newest.start_ticks < id.start_ticks {
                *newest = *id;
            }
        }
        let mut children: HashMap<ProcessId, Vec<ProcessId>> = HashMap::new();
        let mut roots = Vec::new();
        let began = |id: &ProcessId| (id.start_ticks, id.pid);
        for (id, process) in &processes {
            let parent = process.parents.first().map(|parent| parent.pid);
            let parent = parent.and_then(|pid| by_pid.get(&pid));
            // A pid may have been given to a later process since. Where two began in the same
            // tick, the lower pid was first: so nobody stands above himself.
            match parent.filter(|it| began(it) < began(id)) {
                Some(parent) => children.entry(*parent).or_default().push(*id),
                None => roots.push(*id),
            }
        }
        let by_number = |id: &ProcessId| (id.pid, id.start_ticks);
        let all = children.values_mut().chain([&mut roots]);
        all.for_each(|it| it.sort_by_key(by_number));
        Self {
            processes,
            by_pid,
            children,
            roots,
        }
    }

    /// Puts those with the same parent in the order that is wanted.
    fn sort(&mut self, context: &Context<'_>, picture: &Picture) {
        let Some(kind) = context.sort else { return };
        let processes = &self.processes;
        let rank = |id: &ProcessId| {
            let sums = picture.sums.get(id).copied().unwrap_or_default();
            let name = processes.get(id).map(|it| it.name.lossy().into_owned());
            sums.rank(kind, &name.unwrap_or_default())
        };
        for siblings in self.children.values_mut().chain([&mut self.roots]) {
            siblings.sort_by_cached_key(rank);
            if context.reverse {
                siblings.reverse();
            }
        }
    }

    /// Everyone after the process that started it: with how deep it stands, and that process.
    /// Without recursion, since a chain of parents may be as long as a bad source likes.
    fn in_order(&self) -> Vec<(ProcessId, usize, Option<ProcessId>)> {
        let roots = self.roots.iter().rev();
        let mut next: Vec<_> = roots.map(|root| (*root, 0, None)).collect();
        let mut order = Vec::with_capacity(self.processes.len());
        while let Some((id, depth, parent)) = next.pop() {
            order.push((id, depth, parent));
            let children = self.children.get(&id).into_iter().flatten().rev();
            next.extend(children.map(|child| (*child, depth + 1, Some(id))));
        }
        order
    }
}

/// Those the filter is for, and those above them. `None`: all.
fn wanted(context: &Context<'_>, tree: &Tree<'_>, picture: &Picture) -> Option<HashSet<ProcessId>> {
    if context.filter.is_empty() {
        return None;
    }
    let mut parent_of = HashMap::new();
    for (parent, children) in &tree.children {
        parent_of.extend(children.iter().map(|child| (*child, *parent)));
    }
    let mut wanted = HashSet::new();
    for (id, process) in &tree.processes {
        if context.matches_process(process) || picture.held.contains_key(id) {
            let mut next = Some(*id);
            while let Some(id) = next.filter(|id| wanted.insert(*id)) {
                next = parent_of.get(&id).copied();
            }
        }
    }
    Some(wanted)
}

/// Where a process goes.
fn toward(
    context: &Context<'_>,
    id: ProcessId,
    depth: usize,
    picture: &mut Picture,
    rows: &mut Vec<Row>,
) {
    let mut others: BTreeMap<String, Gathered> = BTreeMap::new();
    for place in picture.held.get(&id).into_iter().flatten() {
        let Some(connection) = context.snapshot.connections.get(*place) else {
            continue;
        };
        let other = others.entry(remote_of(connection)).or_default();
        other.sums.add(connection);
        other.connections.push(*place);
    }
    for (title, gathered) in others {
        let key = Key::Toward(id, title.clone());
        let fold = context.fold(&key);
        let below: Vec<Place> = gathered.connections.clone();
        let item = picture.gather(Gathered { title, ..gathered });
        rows.push(Row {
            key,
            depth,
            fold,
            item,
        });
        if fold == Fold::Open {
            rows.extend(Row::of_connections(context, below, depth + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::sample;

    /// Processes with their parents, in the order in which they have to stand, and how deep.
    fn check(processes: &[(u32, u32)], expected: &[(u32, usize)]) {
        let ids = |pid| ProcessId {
            start_ticks: 0,
            ..sample::process_id(pid)
        };
        let all: Vec<Process> = processes
            .iter()
            .map(|(pid, parent)| {
                let mut process = sample::process(*pid, "x", "/x");
                process.id = ids(*pid);
                process.parents = vec![model::Parent {
                    pid: *parent,
                    name: "x".into(),
                    path: None,
                }];
                process
            })
            .collect();
        let order = Tree::of(all.iter()).in_order();
        let order: Vec<_> = order.iter().map(|it| (it.0.pid, it.1)).collect();
        assert_eq!(order, expected);
    }

    #[test]
    fn children_stand_below_their_parents() {
        check(&[(3, 1), (1, 0), (2, 1)], &[(1, 0), (2, 1), (3, 1)]);
    }

    #[test]
    fn nobody_stands_above_himself_and_all_are_there() {
        check(&[(1, 2), (2, 1), (3, 3)], &[(1, 0), (2, 1), (3, 0)]);
        let chain: Vec<_> = (1..5000).map(|pid| (pid, pid - 1)).collect();
        let deep: Vec<_> = (1..5000).zip(0..).collect();
        check(&chain, &deep);
    }
}
