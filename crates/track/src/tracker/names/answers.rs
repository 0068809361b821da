//! What was answered to whom: names of addresses.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use model::{Mix, NameSource, NetworkNamespace, ProcessId, RestatedAnswer, Text, Timestamp};

/// Beyond them, those that were not answered for longest are let go. The same wherever it is folded,
/// so that a case tells what was told live.
const MOST_ADDRESSES: usize = 100_000;
/// Many sites share the address of their provider.
const MOST_NAMES: usize = 16;
const MOST_ASKERS: usize = 16;

/// An address belongs to a network: others may use the same one for something else.
pub(in crate::tracker) type Address = (Option<NetworkNamespace>, IpAddr);

/// Names by addresses. Time is no reason to let one go: programs keep using an address long after
/// its time to live.
#[derive(Debug, Default)]
pub(in crate::tracker) struct Answers {
    of: HashMap<Address, Names, Mix>,
    /// From the one that was answered first to the one that was last.
    by_use: BTreeMap<u64, Address>,
    count: u64,
}

#[derive(Debug)]
struct Names {
    used: u64,
    names: Vec<Named>,
}

#[derive(Debug)]
pub(in crate::tracker) struct Named {
    pub(in crate::tracker) name: Text,
    pub(in crate::tracker) source: NameSource,
    pub(in crate::tracker) given: Vec<Given>,
}

/// That it was told to somebody, once or several times.
#[derive(Clone, Copy, Debug)]
pub(in crate::tracker) struct Given {
    pub(in crate::tracker) to: Asker,
    pub(in crate::tracker) first: Timestamp,
    pub(in crate::tracker) last: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::tracker) struct Asker {
    pub(in crate::tracker) process: Option<ProcessId>,
    /// `None`: this computer.
    pub(in crate::tracker) from: Option<IpAddr>,
}

impl Answers {
    pub(in crate::tracker) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    pub(in crate::tracker) fn of(&self, address: Address) -> Option<&[Named]> {
        self.of.get(&address).map(|it| it.names.as_slice())
    }

    /// Somebody was told `name` for an address.
    pub(in crate::tracker) fn add(
        &mut self,
        address: Address,
        name: &Text,
        source: NameSource,
        given: Given,
    ) {
        self.count += 1;
        let used = self.count;
        let all = self.of.entry(address).or_insert_with(|| Names {
            used,
            names: Vec::new(),
        });
        self.by_use.remove(&all.used);
        self.by_use.insert(used, address);
        all.used = used;
        all.add(name, source, given);
        while self.of.len() > MOST_ADDRESSES {
            let Some((_, oldest)) = self.by_use.pop_first() else {
                return;
            };
            self.of.remove(&oldest);
        }
    }

    /// All of them, so that whoever adds them in this order knows the same.
    pub(in crate::tracker) fn restate(&self) -> Vec<RestatedAnswer> {
        let mut all = Vec::new();
        for address @ (netns, ip) in self.by_use.values() {
            let names = self.of.get(address).into_iter().flat_map(|it| &it.names);
            for named in names {
                all.extend(named.given.iter().map(|given| RestatedAnswer {
                    netns: *netns,
                    ip: *ip,
                    name: named.name.clone(),
                    source: named.source,
                    process: given.to.process,
                    from: given.to.from,
                    first: given.first,
                    last: given.last,
                }));
            }
        }
        all
    }

    pub(in crate::tracker) fn resume(&mut self, answers: Vec<RestatedAnswer>) {
        *self = Self::default();
        for it in answers {
            let to = Asker {
                process: it.process,
                from: it.from,
            };
            let given = Given {
                to,
                first: it.first,
                last: it.last,
            };
            self.add((it.netns, it.ip), &it.name, it.source, given);
        }
    }
}

impl Names {
    fn add(&mut self, name: &Text, source: NameSource, given: Given) {
        let mut names = self.names.iter_mut();
        if let Some(known) = names.find(|it| it.source == source && it.name == *name) {
            known.add(given);
            return;
        }
        if self.names.len() >= MOST_NAMES {
            let last = |it: &Named| it.given.iter().map(|given| given.last).max();
            let oldest = self.names.iter().enumerate().min_by_key(|it| last(it.1));
            if let Some((place, _)) = oldest {
                self.names.remove(place);
            }
        }
        self.names.push(Named {
            name: name.clone(),
            source,
            given: vec![given],
        });
    }
}

impl Named {
    fn add(&mut self, given: Given) {
        if let Some(known) = self.given.iter_mut().find(|it| it.to == given.to) {
            known.first = known.first.min(given.first);
            known.last = known.last.max(given.last);
            return;
        }
        if self.given.len() >= MOST_ASKERS {
            let oldest = self.given.iter().enumerate().min_by_key(|it| it.1.last);
            if let Some((place, _)) = oldest {
                self.given.remove(place);
            }
        }
        self.given.push(given);
    }
}
