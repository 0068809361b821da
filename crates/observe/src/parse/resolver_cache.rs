//! What resolvers keep of the names that programs asked for. Whoever fills such a cache must be able
//! neither to keep its reader busy nor to fill its memory: [`Reading`] holds the budget.

pub(crate) mod nscd;
pub(crate) mod resolved;

use std::net::IpAddr;

use model::{Text, Timestamp};

/// No name of a host is longer, its escapes and its NUL included (NI_MAXHOST, netdb.h).
const LONGEST_NAME: usize = 1025;
/// What all names of one cache may take: more than 150 bytes for each of 100,000.
const NAME_BYTES: usize = 16 << 20;
/// An IPv4 address takes so many bytes of a cache, and nothing else takes fewer.
const SMALLEST_PART: usize = 4;

/// A name that was asked for and an address it had, or an address whose name was asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Answer {
    pub(crate) address: IpAddr,
    /// `None`: the name of this address was asked for, and it has none.
    pub(crate) name: Option<Text>,
    /// `None`: the resolver does not tell.
    pub(crate) asked: Option<Timestamp>,
}

/// What could be read of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) kept: Vec<Answer>,
    /// Beyond the limit, or with more of a name than is kept.
    pub(crate) let_go: usize,
    /// It leads to more than its length has room for, by damage or malice: the rest was not read.
    pub(crate) cut: bool,
}

/// The answers of a cache that is being read, and what may still be spent on it.
struct Reading {
    answers: Answers,
    limit: usize,
    name_bytes: usize,
    /// Each is a small piece of work whose length does not depend on the cache.
    steps: usize,
}

impl Reading {
    /// `length` is that of the cache in bytes.
    fn new(length: usize, limit: usize) -> Self {
        Self {
            answers: Answers::default(),
            limit,
            name_bytes: NAME_BYTES,
            steps: (length / SMALLEST_PART).saturating_add(limit),
        }
    }

    /// To be taken before each entry, each alias and each answer. `None`: enough was read.
    fn step(&mut self) -> Option<()> {
        let Some(left) = self.steps.checked_sub(1) else {
            self.answers.cut = true;
            return None;
        };
        self.steps = left;
        Some(())
    }

    /// Keeps an answer or counts it. `None`: enough was read.
    fn add(
        &mut self,
        address: IpAddr,
        name: Option<&[u8]>,
        asked: Option<Timestamp>,
    ) -> Option<()> {
        self.step()?;
        let length = name.map_or(0, <[u8]>::len);
        let left = self.name_bytes.checked_sub(length);
        match left.filter(|_| length <= LONGEST_NAME && self.answers.kept.len() < self.limit) {
            Some(left) => {
                self.name_bytes = left;
                self.answers.kept.push(Answer {
                    address,
                    name: name.map(Text::from),
                    asked,
                });
            }
            None => self.answers.let_go += 1,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    #[test]
    fn names_beyond_the_budget_are_counted() {
        let longest = [b'a'; LONGEST_NAME];
        let fit = NAME_BYTES / LONGEST_NAME;
        let mut reading = Reading::new(0, fit + 4);
        for _ in 0..fit + 2 {
            reading.add(ADDRESS, Some(&longest), None);
        }
        assert_eq!(
            (reading.answers.kept.len(), reading.answers.let_go),
            (fit, 2)
        );
        // There is room for a short one.
        reading.add(ADDRESS, Some(b"a.example"), None);
        assert_eq!(reading.answers.kept.len(), fit + 1);
        assert!(!reading.answers.cut);
    }

    #[test]
    fn what_is_too_long_for_a_name_is_counted() {
        let mut reading = Reading::new(0, 10);
        reading.add(ADDRESS, Some(&[b'a'; LONGEST_NAME + 1]), None);
        reading.add(ADDRESS, None, None);
        assert_eq!((reading.answers.kept.len(), reading.answers.let_go), (1, 1));
    }

    #[test]
    fn steps_end() {
        let mut reading = Reading::new(8 * SMALLEST_PART, 2);
        let taken = (0..100).map_while(|_| reading.add(ADDRESS, None, None));
        assert_eq!(taken.count(), 10);
        let Answers { kept, let_go, cut } = reading.answers;
        assert_eq!((kept.len(), let_go, cut), (2, 8, true));
    }
}
