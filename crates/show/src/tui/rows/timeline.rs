//! A row for each program and destination, with most of the screen for time.

use model::Pair;

use super::{Context, Item, Key, Picture, Row};

pub(super) fn picture(context: &Context<'_>) -> Picture {
    let programs = context.programs();
    let snapshot = context.snapshot;
    let places = programs.iter().flat_map(|it| it.pairs.iter().copied());
    let pair = |place| snapshot.pairs.get(place).map(|pair| (place, pair));
    let mut pairs: Vec<(_, &Pair)> = places.filter_map(pair).collect();
    // Those that call often are together, whatever called last: rows that jump cannot be read.
    pairs.sort_by(|(_, one), (_, other)| {
        let key = |it: &Pair| (it.connections, it.first);
        let (one_key, other_key) = (key(one), key(other));
        other_key
            .0
            .cmp(&one_key.0)
            .then(one_key.1.cmp(&other_key.1))
    });
    if context.reverse {
        pairs.reverse();
    }
    let row = |(place, pair): (_, &Pair)| {
        Row::leaf(Key::Pair(Box::new(pair.key.clone())), 0, Item::Pair(place))
    };
    Picture {
        rows: pairs.into_iter().map(row).collect(),
        hidden: context.left_out(&programs),
        programs,
        ..Picture::default()
    }
}
