//! By the other end: who calls it.

use std::collections::{BTreeSet, HashMap};

use model::{Place, RemoteName, Text};

use super::{Context, Fold, Gathered, Item, Key, Picture, Row, wanted};
use crate::tui::programs::{End, destination, program_name, program_of};
use crate::visible::visible;

/// Another end, and who calls it.
struct Other<'a> {
    end: End<'a>,
    key: Key,
    fold: Fold,
    gathered: Gathered,
    /// What it is called.
    names: BTreeSet<&'a Text>,
    /// What each of them has to do with it: empty while it is folded.
    callers: Vec<(Option<&'a Text>, Gathered)>,
}

#[derive(Default)]
struct Others<'a> {
    all: Vec<Other<'a>>,
    of_end: HashMap<End<'a>, usize>,
    of_caller: HashMap<(usize, Option<&'a Text>), usize>,
}

impl<'a> Others<'a> {
    fn add_name(&mut self, end: End<'a>, name: Option<&'a RemoteName>) {
        let other = self.of_end.get(&end).and_then(|it| self.all.get_mut(*it));
        if let (Some(other), Some(name)) = (other, name) {
            other.names.insert(&name.name);
        }
    }

    /// Adds something of a program to what belongs to one other end.
    fn add(
        &mut self,
        context: &Context<'_>,
        end: End<'a>,
        program: Option<&'a Text>,
        add: impl Fn(&mut Gathered),
    ) {
        let next = self.all.len();
        let index = *self.of_end.entry(end).or_insert(next);
        if index == next {
            let key = Key::Destination(end.to_string());
            self.all.push(Other {
                end,
                fold: context.fold(&key),
                key,
                gathered: Gathered::default(),
                names: BTreeSet::new(),
                callers: Vec::new(),
            });
        }
        let Some(other) = self.all.get_mut(index) else {
            return;
        };
        let next = other.callers.len();
        let caller = *self.of_caller.entry((index, program)).or_insert(next);
        if caller == next {
            other.callers.push((program, Gathered::default()));
        }
        add(&mut other.gathered);
        if let (Fold::Open, Some((_, gathered))) = (other.fold, other.callers.get_mut(caller)) {
            add(gathered);
        }
    }
}

pub(super) fn picture(context: &Context<'_>) -> Picture {
    let mut picture = Picture::default();
    let snapshot = context.snapshot;
    let mut others = Others::default();
    for (place, connection) in snapshot.connections.places() {
        if !context.wants(connection) {
            picture.hidden += 1;
            continue;
        }
        let Some(ip) = connection.remote.and_then(|remote| remote.ip) else {
            continue;
        };
        let program = snapshot.owner_of(connection).map(program_of);
        others.add(context, End::Ip(ip), program, |gathered| {
            gathered.connections.push(place);
            if connection.closed.is_none() {
                gathered.sums.add_open(connection);
            }
        });
        others.add_name(End::Ip(ip), connection.name.as_deref());
    }
    let pairs = wanted::pairs(context);
    for (place, pair) in pairs.places() {
        let program = pair.key.program.as_ref();
        let end = End::of(&pair.key.destination);
        others.add(context, end, program, |gathered| {
            gathered.pairs.push(place);
            gathered.sums.add_pair(pair);
        });
    }
    let open = |it: &Other<'_>| it.gathered.sums.open;
    others.all.sort_by(|one, other| {
        let by_end = || one.end.cmp(&other.end);
        open(other).cmp(&open(one)).then_with(by_end)
    });
    if let Some(kind) = context.sort {
        let rank = |it: &Other<'_>| it.gathered.sums.rank(kind, &it.end.to_string());
        others.all.sort_by_cached_key(rank);
    }
    if context.reverse {
        others.all.reverse();
    }
    for other in others.all {
        add(context, other, &mut picture);
    }
    picture.pairs = pairs;
    picture
}

/// An address, and the first of its names beside it.
fn called(address: &str, names: &BTreeSet<&Text>) -> String {
    let Some(first) = names.first() else {
        return address.to_owned();
    };
    let first = visible(first);
    match names.len() {
        1 => format!("{address}  {first}"),
        all => format!("{address}  {first} +{}", all - 1),
    }
}

fn add(context: &Context<'_>, mut other: Other<'_>, picture: &mut Picture) {
    let address = other.end.to_string();
    other.callers.sort_by_key(|(program, _)| *program);
    let names = other.callers.iter();
    let names = names.map(|(program, _)| program_name(*program));
    let item = picture.gather(Gathered {
        title: called(&destination(&address, None), &other.names),
        who: names.collect::<Vec<_>>().join(", "),
        ..other.gathered
    });
    picture.rows.push(Row {
        key: other.key,
        depth: 0,
        fold: other.fold,
        item,
    });
    if other.fold != Fold::Open {
        return;
    }
    for (program, gathered) in other.callers {
        let key = Key::Caller(address.clone(), program.cloned());
        let fold = context.fold(&key);
        let below: Vec<Place> = gathered.connections.clone();
        let item = picture.gather(Gathered {
            title: program_name(program),
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
