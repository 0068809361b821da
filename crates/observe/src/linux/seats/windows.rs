//! Which programs have a window on an X display that a person could see, or has put aside.
//!
//! A window counts where it shows more than one pixel each way on its screen; where the window manager looks
//! after it and has moved it off the screen; where it is put aside (`WM_STATE`), or lies in an unmapped window
//! of somebody else, as where a window manager hides its frame. Below a window manager and in a tray it lies in
//! windows of others: so each window is looked into.
//!
//! What cannot be seen so: a window that is transparent, has no shape, or is behind others; who puts a window
//! of two pixels into a corner, or says by itself that it is put aside, has one.

use std::collections::BTreeSet;
use std::io;

use super::Client;
use super::conversation::Conversation;
use crate::parse::x11::windows::{
    About, Geometry, Mapped, RESOURCES, Screen, State, WINDOW_STATE, children, clients as listed,
    geometry, knows_processes, mapped, name, query_attributes, query_clients, query_geometry,
    query_name, query_resources, query_state, query_tree, state,
};

/// Windows; a desktop with many programs has some hundreds.
const MOST_WINDOWS: usize = 4096;
/// Windows in windows.
const MOST_DEEP: usize = 24;
/// No server lets more in (Xorg: `MaxClients`).
pub(super) const MOST_CLIENTS: usize = 2048;
/// Smaller ones are no bigger than a pixel.
const SMALLEST: i32 = 2;

/// A part of a screen: from the first corner to the one behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Area {
    from: (i32, i32),
    to: (i32, i32),
}

/// A window, as far as it has to be known to look at those in it.
#[derive(Clone, Copy, Debug)]
struct Outer {
    window: u32,
    owner: u32,
    /// Where the first pixel in it lies.
    origin: (i32, i32),
    /// What of it is on the screen.
    visible: Area,
    /// It lies in a window of somebody else, other than the root.
    is_in_another: bool,
}

/// All clients whose process the server knows. `None`: it does not tell processes, or has more windows than
/// are looked at.
///
/// Errors: it is no X server, or takes too long.
pub(super) fn clients(server: &mut Conversation) -> io::Result<Option<Vec<Client>>> {
    let Some(about) = server.about().cloned() else {
        return Ok(None);
    };
    let Some(resources) = server.extension(RESOURCES)? else {
        return Ok(None);
    };
    let version = server.ask(&query_resources(resources))?;
    if !version.is_some_and(|reply| knows_processes(&reply)) {
        return Ok(None);
    }
    let before = list(server, resources)?;
    let Some(shown) = shown(server, &about)? else {
        return Ok(None);
    };
    // Who has gone meanwhile may have left its number to another.
    let after: BTreeSet<_> = list(server, resources)?.into_iter().collect();
    let both = before.into_iter().filter(|it| after.contains(it));
    let others = both.filter(|(client, _)| about.owner(*client) != about.owner(about.own));
    let told = others.map(|(client, pid)| Client {
        pid,
        shows: shown.contains(&about.owner(client)),
    });
    Ok(Some(told.take(MOST_CLIENTS).collect()))
}

fn list(server: &mut Conversation, resources: u8) -> io::Result<Vec<(u32, u32)>> {
    let reply = server.ask(&query_clients(resources))?;
    let listed = reply.and_then(|reply| listed(&reply));
    listed.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The clients that have such a window. `None`: there are too many windows.
fn shown(server: &mut Conversation, about: &About) -> io::Result<Option<BTreeSet<u32>>> {
    // Where no window manager runs there may be no such name.
    let reply = server.ask(&query_name(WINDOW_STATE))?;
    let state_name = reply.and_then(|reply| name(&reply));
    let mut shown = BTreeSet::new();
    let mut level: Vec<Outer> = about.screens.iter().map(behind_all).collect();
    let mut left = MOST_WINDOWS;
    for _ in 0..MOST_DEEP {
        let Some(inner) = inner(server, &level, &mut left)? else {
            return Ok(None);
        };
        if inner.is_empty() {
            return Ok(Some(shown));
        }
        level = look(server, about, state_name, &inner, &mut shown)?;
    }
    Ok(level.is_empty().then_some(shown))
}

fn behind_all(screen: &Screen) -> Outer {
    Outer {
        window: screen.root,
        owner: 0,
        origin: (0, 0),
        visible: Area {
            from: (0, 0),
            to: (screen.width.into(), screen.height.into()),
        },
        is_in_another: false,
    }
}

/// The windows in these, each with the one that it is in. `None`: there are too many.
fn inner(
    server: &mut Conversation,
    level: &[Outer],
    left: &mut usize,
) -> io::Result<Option<Vec<(u32, Outer)>>> {
    let questions: Vec<_> = level.iter().map(|it| query_tree(it.window)).collect();
    let replies = server.ask_all(&questions)?;
    let mut found = Vec::new();
    for (outer, reply) in level.iter().zip(replies) {
        // It may be gone.
        let windows = reply.and_then(|reply| children(&reply)).unwrap_or_default();
        let Some(rest) = left.checked_sub(windows.len()) else {
            return Ok(None);
        };
        *left = rest;
        found.extend(windows.into_iter().map(|window| (window, *outer)));
    }
    Ok(Some(found))
}

/// Notes whose windows these are, where they are such; gives those that may have others in them.
fn look(
    server: &mut Conversation,
    about: &About,
    state_name: Option<u32>,
    windows: &[(u32, Outer)],
    shown: &mut BTreeSet<u32>,
) -> io::Result<Vec<Outer>> {
    let questions = windows.iter();
    let questions = questions.flat_map(|(it, _)| [query_attributes(*it), query_geometry(*it)]);
    let questions: Vec<_> = questions.collect();
    let replies = server.ask_all(&questions)?;
    let (replies, _) = replies.as_chunks();
    let mut level = Vec::new();
    let mut unclear = Vec::new();
    for ((window, outer), [attributes, place]) in windows.iter().zip(replies) {
        let mapped = attributes.as_deref().and_then(mapped);
        let Some((mapped, place)) = mapped.zip(place.as_deref().and_then(geometry)) else {
            continue;
        };
        let it = placed(*window, about.owner(*window), place, outer);
        level.push(it);
        let is_large = SMALLEST <= place.width.into() && SMALLEST <= place.height.into();
        if !is_large || shown.contains(&it.owner) {
            continue;
        }
        let is_seen = match mapped {
            Mapped::Yes => it.visible.is_seen(),
            Mapped::NotAbove => it.is_in_another,
            Mapped::No => false,
        };
        if is_seen {
            shown.insert(it.owner);
        } else {
            unclear.push((it, mapped));
        }
    }
    let Some(state_name) = state_name else {
        return Ok(level);
    };
    let questions = unclear.iter();
    let questions = questions.map(|(it, _)| query_state(it.window, state_name));
    let questions: Vec<_> = questions.collect();
    let replies = server.ask_all(&questions)?;
    for ((it, mapped), reply) in unclear.into_iter().zip(replies) {
        match (reply.as_deref().and_then(state), mapped) {
            // The second: window managers move what is on another desktop off the screen.
            (Some(State::Iconic), _) | (Some(State::Normal), Mapped::Yes) => {
                shown.insert(it.owner);
            }
            (Some(State::Normal) | None, _) => {}
        }
    }
    Ok(level)
}

fn placed(window: u32, owner: u32, place: Geometry, outer: &Outer) -> Outer {
    let border = i32::from(place.border);
    let from = (
        outer.origin.0 + i32::from(place.x) + border,
        outer.origin.1 + i32::from(place.y) + border,
    );
    let to = (
        from.0 + i32::from(place.width),
        from.1 + i32::from(place.height),
    );
    let is_in_another = outer.owner != 0 && outer.owner != owner;
    Outer {
        window,
        owner,
        origin: from,
        visible: outer.visible.both(Area { from, to }),
        is_in_another: outer.is_in_another || is_in_another,
    }
}

impl Area {
    fn both(self, other: Self) -> Self {
        let (one, two) = (self.from, other.from);
        let from = (one.0.max(two.0), one.1.max(two.1));
        let (one, two) = (self.to, other.to);
        let to = (one.0.min(two.0), one.1.min(two.1));
        Self { from, to }
    }

    fn is_seen(self) -> bool {
        let (width, height) = (self.to.0 - self.from.0, self.to.1 - self.from.1);
        width >= SMALLEST && height >= SMALLEST
    }
}

#[cfg(test)]
mod tests;
