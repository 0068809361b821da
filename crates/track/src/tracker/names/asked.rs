//! Which names were asked for, by whom, and what became of it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use model::{Answer, Asked, Event, Mix, NameSeen, NameSource, Place, ProcessId, Shelf, Text};

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
    of: HashMap<Key, (u64, Place), Mix>,
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
                    code: None,
                    addresses: Vec::new(),
                })
            }
        };
        self.by_use.insert(self.count, key.clone());
        self.of.insert(key, (self.count, place));
        let Some(asked) = self.shelf.change(place) else {
            return;
        };
        let is_newest = event.time >= asked.last;
        asked.first = asked.first.min(event.time);
        asked.last = asked.last.max(event.time);
        match seen.answer.as_deref() {
            None => asked.questions += 1,
            Some(answer) => answered(asked, answer, is_newest),
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

/// Imports may tell of an older answer after a newer one.
fn answered(asked: &mut Asked, answer: &Answer, is_newest: bool) {
    let code = answer.code;
    asked.answers += 1;
    asked.no_such_name += u64::from(code == NO_SUCH_NAME);
    asked.failed += u64::from(code != 0 && code != NO_SUCH_NAME);
    if is_newest || asked.code.is_none() {
        asked.code = Some(code);
    }
    let mut addresses: Vec<IpAddr> = answer
        .addresses
        .iter()
        .map(|(ip, _)| ip.to_canonical())
        .collect();
    let before = std::mem::take(&mut asked.addresses);
    let (newer, older) = if is_newest {
        addresses.truncate(MOST_ADDRESSES);
        (addresses, before)
    } else {
        (before, addresses)
    };
    for ip in newer.into_iter().chain(older) {
        if asked.addresses.len() < MOST_ADDRESSES && !asked.addresses.contains(&ip) {
            asked.addresses.push(ip);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    /// When each answer came, its code, and the last parts of its addresses.
    fn check(answers: &[(i64, u8, &[u8])], code: u8, addresses: &[u8]) {
        let time = Timestamp::from_unix_nanos;
        let mut asked = Asked {
            name: Text::from("x.example"),
            source: NameSource::Dns,
            process: None,
            from: None,
            first: time(0),
            last: time(0),
            questions: 1,
            answers: 0,
            no_such_name: 0,
            failed: 0,
            code: None,
            addresses: Vec::new(),
        };
        let ip = |last: &u8| IpAddr::from([192, 0, 2, *last]);
        for (at, code, last_parts) in answers {
            let answer = Answer {
                code: *code,
                addresses: last_parts.iter().map(|it| (ip(it), 60)).collect(),
                ..Answer::default()
            };
            let is_newest = time(*at) >= asked.last;
            asked.last = asked.last.max(time(*at));
            answered(&mut asked, &answer, is_newest);
        }
        let expected: Vec<IpAddr> = addresses.iter().map(ip).collect();
        assert_eq!((asked.code, asked.addresses), (Some(code), expected));
    }

    #[test]
    fn the_newest_answer_comes_first() {
        check(&[(1, 0, &[1, 2]), (2, 0, &[3, 1])], 0, &[3, 1, 2]);
        // An answer of another type has no addresses, and takes none away.
        check(&[(1, 0, &[1]), (1, 0, &[])], 0, &[1]);
        check(&[(1, 0, &[1]), (2, 3, &[])], 3, &[1]);
        check(&[(2, 0, &[2]), (1, 3, &[1])], 0, &[2, 1]);
        let many: Vec<u8> = (1..=9).collect();
        check(&[(1, 0, &many), (2, 0, &[9])], 0, &[9, 1, 2, 3, 4, 5, 6, 7]);
    }
}
