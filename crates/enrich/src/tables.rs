//! The tables: who announces an address, where its block was allocated, what networks and names are
//! for. Embedded in the program, or read from a newer file.
//!
//! One file (`file`) with an index and blocks that are packed each by itself (`block`), so that one
//! question opens two or three of them: addresses (`ranges`), organisations, names and hashes
//! (`strings`). What was opened is kept; all of it together takes some 10 MB.

mod block;
mod bytes;
mod file;
mod joined;
mod organisations;
mod points;
mod ranges;
mod strings;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

use model::{AddressFacts, Announcer, Country, KnowsAddresses, NetworkKind, Text, translated};

pub use self::file::{Contents, Error, MOST_FILE_BYTES, Source};

use self::joined::Joined;
use self::organisations::Organisations;
use self::strings::Strings;
use crate::special;

/// The tables as they were built into the program.
static EMBEDDED: &[u8] = include_bytes!("../tables/whocalls.tables");

/// Opened tables. The default knows nothing.
#[derive(Default)]
pub struct Tables {
    /// SHA-256 of all that stands behind it in the file.
    hash: [u8; 32],
    sources: Vec<Source>,
    /// Which sources have it: what stands behind a number of `kinds`, `names` and `hashes`.
    sets: Vec<Set>,
    countries: Vec<Country>,
    parts: Option<Parts>,
    packed: Cow<'static, [u8]>,
}

struct Parts {
    organisations: Organisations,
    v4: Joined,
    v6: Joined,
    names: Strings,
    suffixes: Strings,
    hashes: Strings,
}

/// Sources that have something, by their place, and what they say of it.
#[derive(Clone, Debug, Default)]
struct Set {
    sources: Vec<usize>,
    kinds: Vec<NetworkKind>,
}

/// What the tables have of an address.
#[derive(Clone, Copy, Debug, Default)]
pub struct Found<'a> {
    /// The number of the system and the name of its organisation.
    pub announced_by: Option<(u32, &'a str)>,
    /// As it was allocated, also where it would mislead: [`Tables::address`] leaves it out there.
    pub allocated_to: Option<Country>,
    pub kinds: &'a [NetworkKind],
}

/// Who announces parts of a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Within {
    /// Number, organisation and how many ranges of it, those with the most ranges first.
    pub announcers: Vec<(u32, String, usize)>,
    /// Whether there are addresses that nobody is known to announce.
    pub has_holes: bool,
}

impl Tables {
    /// Those built into the program.
    pub fn embedded() -> Arc<Self> {
        static TABLES: LazyLock<Arc<Tables>> = LazyLock::new(|| {
            // Its hash is checked by a test; it cannot change without the program.
            Arc::new(Tables::read_unchecked(EMBEDDED.into()).unwrap_or_default())
        });
        Arc::clone(&TABLES)
    }

    /// When the youngest of its sources was made: `2026-08-22`.
    pub fn date(&self) -> &str {
        let dates = self.sources.iter().map(|it| it.date.as_str());
        dates.max().unwrap_or_default()
    }

    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// SHA-256 of what is in it.
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Bytes of all blocks as they are stored.
    pub fn packed_bytes(&self) -> usize {
        self.packed.len()
    }

    /// What the tables have of an address. Costs no memory but for blocks opened for the first time.
    pub fn find(&self, ip: IpAddr) -> Found<'_> {
        let Some(parts) = &self.parts else {
            return Found::default();
        };
        let ip = ip.to_canonical();
        let (family, address) = parts.family(ip);
        let [number, country, set] = family.find(&self.packed, address);
        let announced_by = match number.checked_sub(1) {
            Some(number) => parts.organisations.get(&self.packed, number),
            None => None,
        };
        let country = country.checked_sub(1);
        let country = country.and_then(|it| self.countries.get(it as usize).copied());
        let set = self.set(set);
        Found {
            announced_by,
            allocated_to: country,
            kinds: set.map_or(&[], |set| &set.kinds),
        }
    }

    /// All that may be said of an address.
    pub fn address(&self, ip: IpAddr) -> AddressFacts {
        let ip = ip.to_canonical();
        let special = special::use_of(ip);
        // Behind a translator is who is called.
        let (ip, special) = match translated(ip) {
            Some(ip) => (ip, special::use_of(ip).or(special)),
            None => (ip, special),
        };
        if special.is_some_and(|it| !it.is_global) {
            return AddressFacts {
                special,
                ..AddressFacts::default()
            };
        }
        let found = self.find(ip);
        let mut kinds = found.kinds.to_vec();
        if special::is_anycast(ip) {
            kinds.push(NetworkKind::Anycast);
            kinds.sort_unstable();
        }
        let misleads = kinds.iter().any(|it| it.hides_country());
        AddressFacts {
            announced_by: found.announced_by.map(|(asn, name)| Announcer {
                asn,
                organisation: Text::from(name),
            }),
            block_country: found.allocated_to.filter(|_| !misleads),
            kinds,
            special,
            holder: None,
        }
    }

    /// The lists that an address stands on.
    pub fn lists_of(&self, ip: IpAddr) -> impl Iterator<Item = &Source> {
        let set = self.parts.as_ref().and_then(|parts| {
            let ip = translated(ip).unwrap_or(ip.to_canonical());
            let (family, address) = parts.family(ip);
            let [.., set] = family.find(&self.packed, address);
            self.set(set)
        });
        self.sources_of(set)
    }

    /// Who announces parts of a network, from its first address to its last.
    pub fn within(&self, first: IpAddr, last: IpAddr) -> Within {
        let mut within = Within::default();
        let Some(parts) = &self.parts else {
            within.has_holes = true;
            return within;
        };
        let (family, from) = parts.family(first);
        let (_, to) = parts.family(last);
        let [announcers, ..] = &family.tables;
        let points = announcers.between(&self.packed, from, to);
        let points = points.unwrap_or_default();
        within.has_holes = points.first().is_none_or(|(start, _)| *start > from);
        let mut counts = std::collections::BTreeMap::new();
        for (_, number) in points {
            match number.checked_sub(1) {
                Some(number) => *counts.entry(number).or_insert(0) += 1,
                None => within.has_holes = true,
            }
        }
        let named = counts.into_iter().filter_map(|(number, count)| {
            let (asn, name) = parts.organisations.get(&self.packed, number)?;
            Some((asn, name.to_owned(), count))
        });
        within.announcers = named.collect();
        within
            .announcers
            .sort_by_key(|(asn, _, count)| (std::cmp::Reverse(*count), *asn));
        within
    }

    /// The lists that a name or one above it stands on. `name` has A-labels in lower case.
    pub fn lists_of_name(&self, name: &str) -> impl Iterator<Item = &Source> {
        self.entries_of_name(name).map(|(_, source)| source)
    }

    /// The same, each with the nearest name that is on the list: this one, or one above it.
    pub(crate) fn entries_of_name(&self, name: &str) -> impl Iterator<Item = (String, &Source)> {
        let mut entries = BTreeMap::new();
        if let Some(parts) = &self.parts {
            let reversed = reversed(name);
            let ends = reversed.match_indices('.').map(|(at, _)| at);
            for end in ends.chain([reversed.len()]) {
                let above = reversed.get(..end).unwrap_or_default();
                let number = parts.names.find(&self.packed, above);
                let set = number.and_then(|it| self.set(it));
                let itself = end == reversed.len();
                let fits = |place: &usize| {
                    let source = self.sources.get(*place);
                    source.is_some_and(|it| itself || !it.matches_exactly)
                };
                let found = set.into_iter().flat_map(|it| it.sources.iter().copied());
                entries.extend(
                    found
                        .filter(fits)
                        .map(|place| (place, self::reversed(above))),
                );
            }
        }
        entries
            .into_iter()
            .filter_map(|(place, entry)| Some((entry, self.sources.get(place)?)))
    }

    /// The lists that a hash stands on; `hash` is hex in lower case.
    pub fn lists_of_hash(&self, hash: &str) -> impl Iterator<Item = &Source> {
        let number = self
            .parts
            .as_ref()
            .and_then(|parts| parts.hashes.find(&self.packed, hash));
        self.sources_of(number.and_then(|it| self.set(it)))
    }

    /// The rule of the suffix list for exactly this name, its labels in reverse order.
    pub(crate) fn suffix_rule(&self, reversed: &str) -> Option<u32> {
        self.parts.as_ref()?.suffixes.find(&self.packed, reversed)
    }

    fn set(&self, number: u32) -> Option<&Set> {
        self.sets.get(number.checked_sub(1)? as usize)
    }

    fn sources_of(&self, set: Option<&Set>) -> impl Iterator<Item = &Source> {
        let places = set.into_iter().flat_map(|it| it.sources.clone());
        places.filter_map(|place| self.sources.get(place))
    }
}

impl KnowsAddresses for Tables {
    fn address(&self, ip: IpAddr) -> AddressFacts {
        self.address(ip)
    }
}

impl Parts {
    /// The tables for an address, and the address as it stands there.
    fn family(&self, ip: IpAddr) -> (&Joined, u128) {
        match ip {
            IpAddr::V4(ip) => (&self.v4, u128::from(ip.to_bits())),
            IpAddr::V6(ip) => (&self.v6, ip.to_bits()),
        }
    }
}

/// The labels of a name from the last to the first: what is below a name begins like it.
pub(crate) fn reversed(name: &str) -> String {
    let labels: Vec<_> = name.rsplit('.').collect();
    labels.join(".")
}

#[cfg(test)]
mod tests;
