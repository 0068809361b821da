//! Things that are kept under a number, which is given again when they are gone.

#[derive(Debug)]
pub(super) struct Slots<T> {
    all: Vec<Option<T>>,
    free: Vec<usize>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slots<T> {
    pub(super) fn add(&mut self, thing: T) -> usize {
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.all.get_mut(slot)
        {
            *place = Some(thing);
            return slot;
        }
        self.all.push(Some(thing));
        self.all.len() - 1
    }

    pub(super) fn get(&self, slot: usize) -> Option<&T> {
        self.all.get(slot)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        self.all.get_mut(slot)?.as_mut()
    }

    pub(super) fn remove(&mut self, slot: usize) -> Option<T> {
        let thing = self.all.get_mut(slot)?.take()?;
        self.free.push(slot);
        Some(thing)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len() - self.free.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        let all = self.all.iter().enumerate();
        all.filter_map(|(slot, thing)| Some((slot, thing.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut T)> {
        let all = self.all.iter_mut().enumerate();
        all.filter_map(|(slot, thing)| Some((slot, thing.as_mut()?)))
    }
}
