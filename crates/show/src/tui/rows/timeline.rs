//! A row for each program and destination, with most of the screen for time.

use std::cmp::Reverse;

use model::Pair;

use super::{Context, Item, Key, Picture, Row};
use crate::tui::columns::Kind;
use crate::tui::programs::caller_name;
use crate::tui::sums::{Sums, rank_of_number};

pub(super) fn picture(context: &Context<'_>) -> Picture {
    let (programs, pairs) = context.programs();
    let places = programs.iter().flat_map(|it| it.pairs.iter().copied());
    let pair = |place| pairs.get(place).map(|pair| (place, pair));
    let mut shown: Vec<(_, &Pair)> = places.filter_map(pair).collect();
    // Those that call often are together, whatever called last: rows that jump cannot be read.
    shown.sort_by_key(|(_, pair)| (Reverse(pair.connections), pair.first));
    if let Some(kind) = context.sort {
        shown.sort_by_cached_key(|(_, pair)| rank(context, kind, pair));
    }
    if context.reverse {
        shown.reverse();
    }
    let row = |(place, pair): (_, &Pair)| {
        Row::leaf(Key::Pair(Box::new(pair.key.clone())), 0, Item::Pair(place))
    };
    let rows = shown.into_iter().map(row).collect();
    Picture {
        rows,
        hidden: context.left_out(&programs),
        programs,
        pairs,
        ..Picture::default()
    }
}

fn rank(context: &Context<'_>, kind: Kind, pair: &Pair) -> (Reverse<u64>, String) {
    if kind == Kind::Remote {
        (Reverse(0), pair.key.destination.clone())
    } else if kind == Kind::Last {
        rank_of_number(pair.last.unix_nanos().unsigned_abs())
    } else {
        let mut sums = Sums::default();
        sums.add_pair(pair);
        let (program, device) = (pair.key.program.as_ref(), pair.key.device);
        sums.rank(kind, &caller_name(program, device, context.snapshot))
    }
}
