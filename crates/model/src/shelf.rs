//! A row of things that can be looked at cheaply while it goes on changing.

use std::sync::Arc;

/// How many things are copied when one of them changes after a view was taken.
const CHUNK: usize = 32;

/// Where a thing stands on a shelf, for as long as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(usize);

/// A row of things. A clone shares everything with the original; changing one thing later copies
/// a few neighbours, not the row. Each change has a revision, so that a reader can ask for what
/// is new.
#[derive(Clone, Debug)]
pub struct Shelf<T> {
    chunks: Vec<Arc<Chunk<T>>>,
    free: Vec<Place>,
    revision: u64,
    filled: usize,
}

#[derive(Clone, Debug)]
struct Chunk<T> {
    /// Of its last change.
    revision: u64,
    slots: Vec<Slot<T>>,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    revision: u64,
    thing: Option<T>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            revision: 0,
            filled: 0,
        }
    }
}

impl<T> Shelf<T> {
    /// How many things there are.
    pub fn len(&self) -> usize {
        self.filled
    }

    pub fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// Grows with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn get(&self, place: Place) -> Option<&T> {
        let chunk = self.chunks.get(place.0 / CHUNK)?;
        chunk.slots.get(place.0 % CHUNK)?.thing.as_ref()
    }

    /// All things, in the order of their places.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter {
            chunks: self.chunks.iter(),
            slots: [].iter(),
            left: self.filled,
        }
    }

    /// All things with their places, in the order of these.
    pub fn places(&self) -> impl Iterator<Item = (Place, &T)> {
        let chunks = self.chunks.iter().enumerate();
        chunks.flat_map(|(number, chunk)| {
            let slots = chunk.slots.iter().enumerate();
            slots.filter_map(move |(slot, it)| {
                let place = Place(number * CHUNK + slot);
                it.thing.as_ref().map(|thing| (place, thing))
            })
        })
    }

    /// What was put, changed or taken away after `revision`, with its place. `None`: nothing is there
    /// any more.
    pub fn changes_since(&self, revision: u64) -> impl Iterator<Item = (Place, Option<&T>)> {
        let chunks = self.chunks.iter().enumerate();
        let changed = chunks.filter(move |(_, chunk)| chunk.revision > revision);
        changed.flat_map(move |(number, chunk)| {
            let slots = chunk.slots.iter().enumerate();
            let slots = slots.filter(move |(_, slot)| slot.revision > revision);
            slots.map(move |(slot, it)| (Place(number * CHUNK + slot), it.thing.as_ref()))
        })
    }

    /// What was put here or changed after `revision`. What was taken away is not told.
    pub fn changed_since(&self, revision: u64) -> impl Iterator<Item = &T> {
        let chunks = self.chunks.iter().filter(move |it| it.revision > revision);
        let slots = chunks.flat_map(|chunk| &chunk.slots);
        let changed = slots.filter(move |slot| slot.revision > revision);
        changed.filter_map(|slot| slot.thing.as_ref())
    }
}

impl<T: Clone> Shelf<T> {
    pub fn put(&mut self, thing: T) -> Place {
        self.revision += 1;
        self.filled += 1;
        let revision = self.revision;
        let place = self.free.pop().unwrap_or_else(|| self.new_place());
        if let Some(slot) = self.slot(place) {
            *slot = Slot {
                revision,
                thing: Some(thing),
            };
        }
        place
    }

    /// For changing a thing; counts as a change.
    pub fn change(&mut self, place: Place) -> Option<&mut T> {
        self.get(place)?;
        self.revision += 1;
        let revision = self.revision;
        let slot = self.slot(place)?;
        slot.revision = revision;
        slot.thing.as_mut()
    }

    pub fn take(&mut self, place: Place) -> Option<T> {
        self.get(place)?;
        self.revision += 1;
        self.filled -= 1;
        self.free.push(place);
        let revision = self.revision;
        let slot = self.slot(place)?;
        slot.revision = revision;
        slot.thing.take()
    }

    fn new_place(&mut self) -> Place {
        let full = |chunk: &Arc<Chunk<T>>| chunk.slots.len() == CHUNK;
        if self.chunks.last().is_none_or(full) {
            self.chunks.push(Arc::new(Chunk {
                revision: 0,
                slots: Vec::with_capacity(CHUNK),
            }));
        }
        let before = (self.chunks.len() - 1) * CHUNK;
        let Some(chunk) = self.chunks.last_mut().map(Arc::make_mut) else {
            return Place(before);
        };
        chunk.slots.push(Slot {
            revision: 0,
            thing: None,
        });
        Place(before + chunk.slots.len() - 1)
    }

    fn slot(&mut self, place: Place) -> Option<&mut Slot<T>> {
        let revision = self.revision;
        let chunk = Arc::make_mut(self.chunks.get_mut(place.0 / CHUNK)?);
        chunk.revision = revision;
        chunk.slots.get_mut(place.0 % CHUNK)
    }
}

impl<T: Clone> FromIterator<T> for Shelf<T> {
    fn from_iter<I: IntoIterator<Item = T>>(things: I) -> Self {
        let mut shelf = Self::default();
        for thing in things {
            shelf.put(thing);
        }
        shelf
    }
}

impl<'a, T> IntoIterator for &'a Shelf<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// See [`Shelf::iter`].
#[derive(Clone, Debug)]
pub struct Iter<'a, T> {
    chunks: std::slice::Iter<'a, Arc<Chunk<T>>>,
    slots: std::slice::Iter<'a, Slot<T>>,
    left: usize,
}

impl<'a, T> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        loop {
            if let Some(thing) = self.slots.by_ref().find_map(|slot| slot.thing.as_ref()) {
                self.left = self.left.saturating_sub(1);
                return Some(thing);
            }
            self.slots = self.chunks.next()?.slots.iter();
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_keeps_what_it_saw() {
        let mut shelf: Shelf<u32> = (0..100).collect();
        let place = shelf.put(100);
        let view = shelf.clone();
        *shelf.change(place).unwrap() = 7;
        assert_eq!((view.get(place), shelf.get(place)), (Some(&100), Some(&7)));
        assert_eq!((view.iter().count(), view.len()), (101, 101));
    }

    #[test]
    fn only_the_neighbours_of_a_change_are_copied() {
        let mut shelf: Shelf<u32> = (0..320).collect();
        let view = shelf.clone();
        *shelf.change(Place(5)).unwrap() = 7;
        let shared = view.chunks.iter().zip(&shelf.chunks);
        let shared = shared.filter(|(one, other)| Arc::ptr_eq(one, other));
        assert_eq!(shared.count(), 9);
    }

    #[test]
    fn tells_what_changed_since() {
        let mut shelf: Shelf<u32> = (0..100).collect();
        let before = shelf.revision();
        *shelf.change(Place(40)).unwrap() = 4000;
        shelf.put(100);
        shelf.take(Place(3));
        let changed: Vec<_> = shelf.changed_since(before).copied().collect();
        assert_eq!(changed, [4000, 100]);
        let with_places: Vec<_> = shelf.changes_since(before).collect();
        let expected = [
            (Place(3), None),
            (Place(40), Some(&4000)),
            (Place(100), Some(&100)),
        ];
        assert_eq!(with_places, expected);
    }

    #[test]
    fn a_free_place_is_used_again() {
        let mut shelf: Shelf<u32> = (0..3).collect();
        assert_eq!(shelf.take(Place(1)), Some(1));
        assert_eq!((shelf.take(Place(1)), shelf.change(Place(1))), (None, None));
        assert_eq!(shelf.put(9), Place(1));
        assert_eq!(shelf.iter().copied().collect::<Vec<_>>(), [0, 9, 2]);
        let at_their_places = shelf
            .places()
            .all(|(place, it)| shelf.get(place) == Some(it));
        assert!(at_their_places && shelf.places().count() == 3);
    }
}
