//! The newest of things that are told apart by a number.

use std::collections::VecDeque;

/// The numbers of things that stand in a row, in the order of the row.
#[derive(Debug, Default)]
pub(super) struct Recent(VecDeque<u64>);

impl Recent {
    /// Puts a thing at the end of the row, where it is not in it; the oldest goes when there are more
    /// than `most`.
    pub(super) fn note<T>(
        &mut self,
        number: u64,
        most: usize,
        row: &mut VecDeque<T>,
        thing: impl FnOnce() -> T,
    ) {
        if self.0.contains(&number) {
            return;
        }
        if self.0.len() >= most {
            self.0.pop_front();
            row.pop_front();
        }
        self.0.push_back(number);
        row.push_back(thing());
    }

    pub(super) fn forget<T>(&mut self, number: u64, row: &mut VecDeque<T>) {
        if let Some(place) = self.0.iter().position(|it| *it == number) {
            self.0.remove(place);
            row.remove(place);
        }
    }
}
