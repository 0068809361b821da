//! Which names were called: content comes from where it was asked for, and data that goes through names
//! does not.

use std::collections::HashMap;
use std::hash::BuildHasher;

use model::{Mix, Pair, Place};

use super::score::Scores;
use crate::fit::Whose;
use crate::seen::is_inbound;

/// Names of connections, by who called and by the domain that they are of.
#[derive(Debug, Default)]
pub(super) struct Called {
    of_pair: HashMap<Place, Vec<u64>>,
    counts: HashMap<u64, u64, Mix>,
    mix: Mix,
    /// Of those whose count has changed since this was last asked.
    changed: Vec<u64>,
}

/// `None`: whoever called.
pub(super) type Caller<'a> = Option<&'a Whose>;

impl Called {
    /// The names of a pair, in the place of those that it had before.
    pub(super) fn put(&mut self, place: Place, pair: Option<&Pair>, scores: &mut Scores) {
        let mut now = Vec::new();
        if let Some(pair) = pair.filter(|pair| !is_inbound(pair)) {
            let whose = Whose {
                program: pair.key.program.clone(),
                device: pair.key.device,
            };
            for named in &pair.members.names {
                let domain = scores.domain(&named.name);
                now.push(self.number(Some(&whose), &domain));
                now.push(self.number(None, &domain));
            }
        }
        let before = if now.is_empty() {
            self.of_pair.remove(&place)
        } else {
            self.of_pair.insert(place, now.clone())
        };
        let before = before.unwrap_or_default();
        if before == now {
            return;
        }
        for number in now {
            *self.counts.entry(number).or_default() += 1;
            self.changed.push(number);
        }
        for number in before {
            if let Some(count) = self.counts.get_mut(&number) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.counts.remove(&number);
                }
                self.changed.push(number);
            }
        }
    }

    /// What stands for a domain and who calls it.
    pub(super) fn number(&self, caller: Caller<'_>, domain: &str) -> u64 {
        let caller = caller.map(|it| (&it.program, it.device));
        self.mix.hash_one((caller, domain))
    }

    /// How many names of a domain were called.
    pub(super) fn count(&self, number: u64) -> u64 {
        self.counts.get(&number).copied().unwrap_or(0)
    }

    pub(super) fn take_changed(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.changed)
    }
}
