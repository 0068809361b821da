//! Single connections: those of now, and all there were.

use std::collections::HashMap;

use model::{Connection, Place};

use super::{Context, Gathered, Grouping, Item, Key, Picture, Row, remote_of};
use crate::devices;
use crate::messages::{columns as words, rows as sentences};
use crate::order::{self, Sort};
use crate::table::owner::{ProcessText, why_unknown_of};
use crate::tui::changes::Sign;
use crate::tui::columns;

/// Those that are open, and for a few seconds those that have just ended.
pub(super) fn live(context: &Context<'_>) -> Picture {
    let still_shown = |connection: &Connection| {
        connection.closed.is_none() || context.changes.of(&connection.id) == Some(Sign::Closed)
    };
    picture(context, sort(context), still_shown)
}

/// All that are kept, the latest first.
pub(super) fn history(context: &Context<'_>) -> Picture {
    let sort = sort(context).or(Some(Sort::Opened));
    picture(context, sort, |_| true)
}

/// `None`: the usual order.
fn sort(context: &Context<'_>) -> Option<Sort> {
    context.sort.and_then(columns::sort_of)
}

fn picture(
    context: &Context<'_>,
    sort: Option<Sort>,
    is_there: impl Fn(&Connection) -> bool,
) -> Picture {
    let mut picture = Picture::default();
    let mut shown: Vec<(Place, &Connection)> = Vec::new();
    for (place, connection) in context.snapshot.connections.places() {
        if !is_there(connection) {
            continue;
        }
        if context.wants(connection) {
            shown.push((place, connection));
        } else {
            picture.hidden += 1;
        }
    }
    order::sort(
        context.snapshot,
        &mut shown,
        |it| it.1,
        sort,
        context.reverse,
    );
    if context.grouping == Grouping::None {
        let rows = shown.into_iter();
        picture.rows = rows.map(|(place, it)| row(place, it, 0)).collect();
    } else {
        grouped(context, &shown, &mut picture);
    }
    picture
}

fn row(place: Place, connection: &Connection, depth: usize) -> Row {
    Row::leaf(
        Key::Connection(connection.id),
        depth,
        Item::Connection(place),
    )
}

/// Under headings, in the order of their first connections.
fn grouped(context: &Context<'_>, shown: &[(Place, &Connection)], picture: &mut Picture) {
    let mut groups: Vec<(Gathered, Vec<Row>)> = Vec::new();
    let mut index_of: HashMap<String, usize> = HashMap::new();
    for (place, connection) in shown {
        let title = title(context, connection);
        let next = groups.len();
        let index = *index_of.entry(title.clone()).or_insert(next);
        if index == next {
            let gathered = Gathered {
                title,
                ..Gathered::default()
            };
            groups.push((gathered, Vec::new()));
        }
        if let Some((gathered, rows)) = groups.get_mut(index) {
            gathered.sums.add(connection);
            gathered.connections.push(*place);
            rows.push(row(*place, connection, 1));
        }
    }
    for (gathered, rows) in groups {
        let key = Key::Group(gathered.title.clone());
        // Groups are open at first: to fold one is the person's wish.
        let folded = context.unfolded.contains(&key);
        let item = picture.gather(gathered);
        picture.rows.push(Row {
            key,
            depth: 0,
            fold: if folded {
                super::Fold::Closed
            } else {
                super::Fold::Open
            },
            item,
        });
        if !folded {
            picture.rows.extend(rows);
        }
    }
}

fn title(context: &Context<'_>, connection: &Connection) -> String {
    let process = context.snapshot.owner_of(connection).map(ProcessText::of);
    match context.grouping {
        Grouping::None => String::new(),
        Grouping::Process => match (process, connection.owner) {
            (Some(process), model::Owner::Known { process: id, .. }) => {
                format!("{} {}", process.name, id.pid)
            }
            (_, model::Owner::Unknown { why }) => match connection.device {
                Some(id) => devices::in_full(id, &context.snapshot.devices),
                None => words::owner_not_known(&why_unknown_of(why, connection)),
            },
            (None, model::Owner::Known { .. }) => words::NO_FACTS.to_owned(),
        },
        Grouping::Destination => remote_of(connection),
        Grouping::User => match (process, connection.uid) {
            (Some(process), _) => process.user,
            (None, Some(uid)) => sentences::user_number(uid),
            (None, None) => sentences::NO_USER_KNOWN.to_owned(),
        },
        Grouping::Port => {
            let port = connection.remote.and_then(|remote| remote.port);
            let port = port.or(connection.local.port);
            port.map_or(sentences::NO_PORT.to_owned(), |port| {
                format!("{} {port}", connection.protocol.word())
            })
        }
    }
}
