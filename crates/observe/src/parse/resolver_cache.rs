//! What resolvers keep of the names that programs asked for.

pub(crate) mod nscd;
pub(crate) mod resolved;

use std::net::IpAddr;

use model::{Text, Timestamp};

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
    /// Beyond the limit.
    pub(crate) let_go: usize,
}

impl Answers {
    fn add(&mut self, answer: Answer, limit: usize) {
        if self.kept.len() < limit {
            self.kept.push(answer);
        } else {
            self.let_go += 1;
        }
    }
}
