//! The tree: parents, processes, where they go, and the connections. Every process is there.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::{Place, Process, ProcessId};

use super::{Context, Fold, Gathered, Item, Key, Picture, Row, remote_of};
use crate::tui::sums::Sums;

/// A chain of parents may be as long as a bad source likes.
const DEEPEST: usize = 64;

struct Tree<'a> {
    processes: HashMap<ProcessId, &'a Process>,
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
    let tree = tree(context, &picture);
    let mut sums = HashMap::new();
    for root in &tree.roots {
        sum_up(&tree, *root, &picture.sums, &mut sums, 0);
    }
    picture.sums = sums;
    let mut rows = Vec::new();
    let wanted = wanted(context, &tree, &picture);
    for root in &tree.roots {
        add(context, &tree, *root, 0, &wanted, &mut picture, &mut rows);
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
    let processes: HashMap<ProcessId, &Process> = snapshot
        .processes
        .values()
        .map(|process| (process.id, process.as_ref()))
        .filter(|(_, process)| still_there(process))
        .collect();
    let mut by_pid: BTreeMap<u32, ProcessId> = BTreeMap::new();
    for id in processes.keys() {
        let newest = by_pid.entry(id.pid).or_insert(*id);
        if newest.start_ticks < id.start_ticks {
            *newest = *id;
        }
    }
    let mut children: HashMap<ProcessId, Vec<ProcessId>> = HashMap::new();
    let mut roots = Vec::new();
    for (id, process) in &processes {
        let parent = process.parents.first().map(|parent| parent.pid);
        let parent = parent.and_then(|pid| by_pid.get(&pid));
        // A pid may have been given to a later process since.
        match parent.filter(|it| it.start_ticks <= id.start_ticks && *it != id) {
            Some(parent) => children.entry(*parent).or_default().push(*id),
            None => roots.push(*id),
        }
    }
    let order = |id: &ProcessId| (id.pid, id.start_ticks);
    children.values_mut().for_each(|it| it.sort_by_key(order));
    roots.sort_by_key(order);
    Tree {
        processes,
        children,
        roots,
    }
}

/// Sums of a process and all below it.
fn sum_up(
    tree: &Tree<'_>,
    id: ProcessId,
    own: &HashMap<ProcessId, Sums>,
    all: &mut HashMap<ProcessId, Sums>,
    depth: usize,
) -> Sums {
    let mut sums = own.get(&id).copied().unwrap_or_default();
    if depth < DEEPEST {
        for child in tree.children.get(&id).into_iter().flatten() {
            sums.add_sums(&sum_up(tree, *child, own, all, depth + 1));
        }
    }
    all.insert(id, sums);
    sums
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

fn add(
    context: &Context<'_>,
    tree: &Tree<'_>,
    id: ProcessId,
    depth: usize,
    wanted: &Option<HashSet<ProcessId>>,
    picture: &mut Picture,
    rows: &mut Vec<Row>,
) {
    if depth > DEEPEST || wanted.as_ref().is_some_and(|wanted| !wanted.contains(&id)) {
        return;
    }
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
        toward(context, id, depth + 1, picture, rows);
    }
    for child in tree.children.get(&id).into_iter().flatten() {
        add(context, tree, *child, depth + 1, wanted, picture, rows);
    }
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
            let connection = |place| context.snapshot.connections.get(place);
            rows.extend(below.into_iter().filter_map(|place| {
                let key = Key::Connection(connection(place)?.id);
                Some(Row::leaf(key, depth + 1, Item::Connection(place)))
            }));
        }
    }
}
