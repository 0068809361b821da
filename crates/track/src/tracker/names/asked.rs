//! Which names were asked for, by whom, and what became of it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use model::{Answer, Asked, Event, NameSeen, NameSource, Place, ProcessId, Shelf, Text};

/// Beyond them, those that were not asked for longest are let go.
const MOST: usize = 20_000;
/// So many of the addresses that were answered are kept of each.
const MOST_ADDRESSES: usize = 8;

/// No such name (RFC 1035, 4.1.1).
const NO_SUCH_NAME: u8 = 3;

type Key = (Text, NameSource, Option<ProcessId>, Option<IpAddr>);

#[derive(Debug, Default)]
pub(in crate::tracker) struct AllAsked {
    shelf: Shelf<Asked>,
    of: HashMap<Key, (u64, Place)>,
    by_use: BTreeMap<u64, Key>,
    count: u64,
}

impl AllAsked {
    pub(in crate::tracker) fn shelf(&self) -> &Shelf<Asked> {
        &self.shelf
    }

    /// Takes in a question or its answer; anything else is no question.
    pub(in crate::tracker) fn add(
        &mut self,
        event: &Event,
        seen: &NameSeen,
        process: Option<ProcessId>,
        from: Option<IpAddr>,
    ) {
        let asked = matches!(
            seen.source,
            NameSource::Dns | NameSource::Resolver | NameSource::Mdns | NameSource::Llmnr
        );
        let (true, Some(name)) = (asked, &seen.name) else {
            return;
        };
        let from = from.filter(|_| process.is_none());
        let key = (name.clone(), seen.source, process, from);
        self.count += 1;
        let place = match self.of.get(&key) {
            Some((used, place)) => {
                self.by_use.remove(used);
                *place
            }
            None => {
                self.make_room();
                self.shelf.put(Asked {
                    name: name.clone(),
                    source: seen.source,
                    process,
                    from,
                    first: event.time,
                    last: event.time,
                    questions: 0,
                    answers: 0,
                    no_such_name: 0,
                    failed: 0,
                    addresses: Vec::new(),
                })
            }
        };
        self.by_use.insert(self.count, key.clone());
        self.of.insert(key, (self.count, place));
        let Some(asked) = self.shelf.change(place) else {
            return;
        };
        asked.first = asked.first.min(event.time);
        asked.last = asked.last.max(event.time);
        match seen.answer.as_deref() {
            None => asked.questions += 1,
            Some(Answer {
                code, addresses, ..
            }) => {
                asked.answers += 1;
                asked.no_such_name += u64::from(*code == NO_SUCH_NAME);
                asked.failed += u64::from(*code != 0 && *code != NO_SUCH_NAME);
                for (ip, _) in addresses {
                    let room = asked.addresses.len() < MOST_ADDRESSES;
                    if room && !asked.addresses.contains(ip) {
                        asked.addresses.push(*ip);
                    }
                }
            }
        }
    }

    fn make_room(&mut self) {
        while self.of.len() >= MOST {
            let oldest = self.by_use.pop_first();
            let Some((_, place)) = oldest.and_then(|(_, key)| self.of.remove(&key)) else {
                return;
            };
            self.shelf.take(place);
        }
    }
}
