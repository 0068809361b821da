//! By the other end: who calls it.

use std::collections::{BTreeMap, HashMap};

use model::{DeviceId, NameStrength, Place, RemoteName, Text};

use super::{Context, Fold, Gathered, Key, Picture, Row, wanted};
use crate::table::endpoint::named;
use crate::tui::programs::{End, caller_name, destination, program_of};
use crate::visible::visible;

/// A program, or the device where no processes are known.
type Caller<'a> = (Option<&'a Text>, Option<DeviceId>);

/// Another end, and who calls it.
struct Other<'a> {
    end: End<'a>,
    key: Key,
    fold: Fold,
    gathered: Gathered,
    /// What it is called, and how sure that is at best.
    names: BTreeMap<&'a Text, NameStrength>,
    /// What each of them has to do with it: empty while it is folded.
    callers: Vec<(Caller<'a>, Gathered)>,
}

#[derive(Default)]
struct Others<'a> {
    all: Vec<Other<'a>>,
    of_end: HashMap<End<'a>, usize>,
    of_caller: HashMap<(usize, Caller<'a>), usize>,
}

impl<'a> Others<'a> {
    fn add_name(&mut self, end: End<'a>, name: Option<&'a RemoteName>) {
        let other = self.of_end.get(&end).and_then(|it| self.all.get_mut(*it));
        if let (Some(other), Some(name)) = (other, name) {
            let strength = other.names.entry(&name.name).or_insert(name.strength);
            *strength = name.strength.max(*strength);
        }
    }

    /// Adds something of a program or a device to what belongs to one other end.
    fn add(
        &mut self,
        context: &Context<'_>,
        end: End<'a>,
        caller: Caller<'a>,
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
                names: BTreeMap::new(),
                callers: Vec::new(),
            });
        }
        let Some(other) = self.all.get_mut(index) else {
            return;
        };
        let next = other.callers.len();
        let number = *self.of_caller.entry((index, caller)).or_insert(next);
        if number == next {
            other.callers.push((caller, Gathered::default()));
        }
        add(&mut other.gathered);
        if let (Fold::Open, Some((_, gathered))) = (other.fold, other.callers.get_mut(number)) {
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
        let device = connection.device.filter(|_| program.is_none());
        others.add(context, End::Ip(ip), (program, device), |gathered| {
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
        others.add(context, end, (program, pair.key.device), |gathered| {
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

/// An address, and beside it the first of the names that are surest.
fn called(address: &str, names: &BTreeMap<&Text, NameStrength>) -> String {
    let sure = names.iter().find(|(_, strength)| !strength.is_unsure());
    let Some((first, strength)) = sure.or_else(|| names.first_key_value()) else {
        return address.to_owned();
    };
    let first = visible(first);
    let first = named(&first, *strength);
    match names.len() {
        1 => format!("{address}  {first}"),
        all => format!("{address}  {first} +{}", all - 1),
    }
}

fn add(context: &Context<'_>, mut other: Other<'_>, picture: &mut Picture) {
    let address = other.end.to_string();
    other.callers.sort_by_key(|(caller, _)| *caller);
    let names = other.callers.iter();
    let name = |(program, device): Caller<'_>| caller_name(program, device, context.snapshot);
    let names = names.map(|(caller, _)| name(*caller));
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
    for (caller, gathered) in other.callers {
        let (program, device) = caller;
        let key = Key::Caller(address.clone(), program.cloned(), device);
        let fold = context.fold(&key);
        let below: Vec<Place> = gathered.connections.clone();
        let item = picture.gather(Gathered {
            title: name(caller),
            ..gathered
        });
        picture.rows.push(Row {
            key,
            depth: 1,
            fold,
            item,
        });
        if fold == Fold::Open {
            picture.rows.extend(Row::of_connections(context, below, 2));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_name_stands_beside_an_address() {
        let check = |names: &[(&str, NameStrength)], expected: &str| {
            let texts: Vec<Text> = names.iter().map(|(name, _)| Text::from(*name)).collect();
            let strengths = names.iter().map(|(_, strength)| *strength);
            let names = texts.iter().zip(strengths).collect();
            assert_eq!(called("192.0.2.1", &names), expected);
        };
        check(&[], "192.0.2.1");
        check(&[("a", NameStrength::Answered)], "192.0.2.1  a");
        let another = ("a", NameStrength::AnsweredToAnother);
        check(&[another], "192.0.2.1  maybe a");
        check(
            &[
                another,
                ("b", NameStrength::Greeted),
                ("c", NameStrength::Claimed),
            ],
            "192.0.2.1  b +2",
        );
    }
}
