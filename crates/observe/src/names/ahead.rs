//! Parts of a stream that came before those that stand in front of them.

/// So much is kept of one stream, in so many parts that do not touch.
const MOST_BYTES: usize = 64 * 1024;
const MOST_PARTS: usize = 512;

/// Parts with their places, in order, none touching the next.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    parts: Vec<(u32, Vec<u8>)>,
    bytes: usize,
}

impl Ahead {
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Keeps a part. What is known already stays as it came first. `false`: it would be too much.
    pub(super) fn keep(&mut self, place: u32, bytes: &[u8]) -> bool {
        let mut place = u64::from(place);
        let end = place + bytes.len() as u64;
        if end > u64::from(u32::MAX) {
            return false;
        }
        let mut bytes = bytes;
        // From the part that holds `place`, or else the next one on.
        let at = self.parts.partition_point(|part| end_of(part) < place);
        while !bytes.is_empty() {
            let known = self.parts.get(at);
            if let Some(known) = known
                && u64::from(known.0) <= place
            {
                // It begins in a part, or touches its end.
                let inside = usize::try_from(end_of(known) - place).unwrap_or(usize::MAX);
                bytes = bytes.get(inside..).unwrap_or_default();
                place = end_of(known);
                let room = self
                    .parts
                    .get(at + 1)
                    .map_or(u64::MAX, |next| u64::from(next.0) - place);
                let (fits, rest) = split(bytes, room);
                if !self.grow(fits.len()) {
                    return false;
                }
                if let Some((_, known)) = self.parts.get_mut(at) {
                    known.extend_from_slice(fits);
                }
                place += fits.len() as u64;
                bytes = rest;
                self.join(at);
                continue;
            }
            let room = known.map_or(u64::MAX, |next| u64::from(next.0) - place);
            let (fits, rest) = split(bytes, room);
            let Ok(start) = u32::try_from(place) else {
                return false;
            };
            if !self.grow(fits.len()) {
                return false;
            }
            self.parts.insert(at, (start, fits.to_vec()));
            place += fits.len() as u64;
            bytes = rest;
            self.join(at);
        }
        self.parts.len() <= MOST_PARTS
    }

    /// Takes out what goes on from `place`.
    pub(super) fn take(&mut self, place: u32) -> Option<Vec<u8>> {
        while let Some((start, _)) = self.parts.first() {
            let known = place.checked_sub(*start)?;
            let (_, mut part) = self.parts.remove(0);
            self.bytes -= part.len();
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            if known < part.len() {
                part.drain(..known);
                return Some(part);
            }
        }
        None
    }

    fn grow(&mut self, by: usize) -> bool {
        self.bytes += by;
        self.bytes <= MOST_BYTES
    }

    /// Makes one of the part at `at` and the next, when they touch.
    fn join(&mut self, at: usize) {
        let touches = match (self.parts.get(at), self.parts.get(at + 1)) {
            (Some(one), Some(next)) => end_of(one) == u64::from(next.0),
            _ => false,
        };
        if touches {
            let (_, next) = self.parts.remove(at + 1);
            if let Some((_, one)) = self.parts.get_mut(at) {
                one.extend(next);
            }
        }
    }
}

fn end_of((place, bytes): &(u32, Vec<u8>)) -> u64 {
    u64::from(*place) + bytes.len() as u64
}

fn split(bytes: &[u8], room: u64) -> (&[u8], &[u8]) {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    bytes.split_at(bytes.len().min(room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_cut_order_and_repetition_gives_the_whole(
            whole in proptest::collection::vec(any::<u8>(), 1..300),
            parts in proptest::collection::vec((any::<u16>(), 1_usize..60), 0..40),
            step in 1_usize..50,
        ) {
            let mut ahead = Ahead::default();
            let mut pieces: Vec<(usize, usize)> = parts
                .into_iter()
                .map(|(start, length)| {
                    let start = usize::from(start) % whole.len();
                    (start, (start + length).min(whole.len()))
                })
                .collect();
            pieces.extend((0..whole.len()).step_by(step).rev().map(|start| {
                (start, (start + step).min(whole.len()))
            }));
            for (start, end) in pieces {
                prop_assert!(ahead.keep(u32::try_from(start).unwrap(), &whole[start..end]));
                prop_assert_eq!(ahead.bytes, ahead.parts.iter().map(|(_, part)| part.len()).sum::<usize>());
            }
            prop_assert_eq!(ahead.parts.len(), 1);
            prop_assert_eq!(ahead.take(0), Some(whole));
            prop_assert!(ahead.is_empty() && ahead.bytes == 0);
        }

        #[test]
        fn never_keeps_too_much(
            parts in proptest::collection::vec((any::<u32>(), 1_usize..9000), 0..40),
            from: u32,
        ) {
            let mut ahead = Ahead::default();
            for (start, length) in parts {
                if !ahead.keep(start, &vec![7; length]) {
                    return Ok(());
                }
                prop_assert!(ahead.bytes <= MOST_BYTES && ahead.parts.len() <= MOST_PARTS);
            }
            let _ = ahead.take(from);
        }
    }

    #[test]
    fn takes_what_goes_on_only() {
        let mut ahead = Ahead::default();
        assert!(ahead.keep(10, b"klmn") && ahead.keep(20, b"uv"));
        assert_eq!(ahead.take(9), None);
        assert_eq!(ahead.take(12), Some(b"mn".to_vec()));
        assert_eq!(ahead.take(22), None);
        assert!(ahead.is_empty());
    }
}
