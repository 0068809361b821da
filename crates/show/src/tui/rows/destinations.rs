//! By the other end: who calls it.

use std::collections::{BTreeMap, BTreeSet};

use model::{Place, Text};

use super::{Context, Fold, Gathered, Item, Key, Picture, Row};
use crate::tui::programs::{destination, last_part};
use crate::visible::visible;

#[derive(Default)]
struct Other {
    gathered: Gathered,
    callers: BTreeMap<Option<Text>, Gathered>,
}

pub(super) fn picture(context: &Context<'_>) -> Picture {
    let mut picture = Picture::default();
    let snapshot = context.snapshot;
    let mut others: BTreeMap<String, Other> = BTreeMap::new();
    let mut called = BTreeSet::new();
    for (place, connection) in snapshot.connections.places() {
        if !context.wants(connection) {
            picture.hidden += 1;
            continue;
        }
        let Some(ip) = connection.remote.and_then(|remote| remote.ip) else {
            continue;
        };
        let address = ip.to_string();
        let owner = snapshot.owner_of(connection);
        let program = owner.map(|it| it.path.as_ref().unwrap_or(&it.name).clone());
        if context.is_picky() {
            called.insert((program.clone(), address.clone()));
        }
        let other = others.entry(address).or_default();
        let caller = other.callers.entry(program).or_default();
        for gathered in [&mut other.gathered, caller] {
            gathered.connections.push(place);
            if connection.closed.is_none() {
                gathered.sums.add_open(connection);
            }
        }
    }
    for (place, pair) in snapshot.pairs.places() {
        let key = (pair.key.program.clone(), pair.key.destination.clone());
        if context.is_picky() && !called.contains(&key) {
            continue;
        }
        let other = others.entry(key.1).or_default();
        let caller = other.callers.entry(key.0).or_default();
        for gathered in [&mut other.gathered, caller] {
            gathered.pairs.push(place);
            gathered.sums.add_pair(pair);
        }
    }
    let mut others: Vec<(String, Other)> = others.into_iter().collect();
    let open = |it: &Other| it.gathered.sums.open;
    others.sort_by(|(one, first), (other, second)| {
        open(second).cmp(&open(first)).then_with(|| one.cmp(other))
    });
    for (address, other) in others {
        add(context, address, other, &mut picture);
    }
    picture
}

fn add(context: &Context<'_>, address: String, other: Other, picture: &mut Picture) {
    let key = Key::Destination(address.clone());
    let fold = context.fold(&key);
    let names = other.callers.keys().map(name);
    let item = picture.gather(Gathered {
        title: destination(&address, None),
        who: names.collect::<Vec<_>>().join(", "),
        ..other.gathered
    });
    picture.rows.push(Row {
        key,
        depth: 0,
        fold,
        item,
    });
    if fold != Fold::Open {
        return;
    }
    for (program, gathered) in other.callers {
        let key = Key::Caller(address.clone(), program.clone());
        let fold = context.fold(&key);
        let below: Vec<Place> = gathered.connections.clone();
        let item = picture.gather(Gathered {
            title: name(&program),
            ..gathered
        });
        picture.rows.push(Row {
            key,
            depth: 1,
            fold,
            item,
        });
        if fold == Fold::Open {
            let connection = |place| context.snapshot.connections.get(place);
            picture.rows.extend(below.into_iter().filter_map(|place| {
                let key = Key::Connection(connection(place)?.id);
                Some(Row::leaf(key, 2, Item::Connection(place)))
            }));
        }
    }
}

fn name(program: &Option<Text>) -> String {
    match program {
        Some(program) => last_part(&visible(program)).to_owned(),
        None => "? no process known".to_owned(),
    }
}
