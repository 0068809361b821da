//! What was seen, held against all indicators at once.
//!
//! A [`Matcher`] is made once from lists; then each address, name, hash, process name and path is a few
//! look-ups in hash tables, and networks one search in sorted places. Nothing goes through a list.

mod names;
mod networks;

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    Confidence, Connection, FileHash, Greeting, Indicator, IndicatorList, IndicatorValue,
    ListMeaning, MatchedBy, Process, Text, translated,
};

use self::names::{parents, registered};
use self::networks::Networks;
use crate::files::{guess, normalised};
use crate::tables::Tables;

/// Names that the kernel keeps of processes are cut behind so many bytes.
const KERNEL_NAME: usize = 15;
/// Folders above a file that are looked up.
const DEEPEST_PATH: usize = 64;
/// Of one look-up; a value that stands in more lists is told this often.
const MOST_MATCHES: usize = 64;

/// All indicators of some lists, ready to be asked.
#[derive(Debug, Default)]
pub struct Matcher {
    lists: Vec<IndicatorList>,
    suffixes: Suffixes,
    /// For each entry its list and its place there.
    entries: Vec<(u32, u32)>,
    /// For each entry the next one of the same value.
    next: Vec<Option<u32>>,
    addresses: HashMap<IpAddr, u32>,
    networks: Networks,
    names: HashMap<Box<str>, u32>,
    /// Whether names that stand for those below them are among them.
    has_below: bool,
    /// Hosts of URLs.
    hosts: HashMap<Box<str>, u32>,
    /// Whole URLs, as [`bare`] writes them: a host may have thousands.
    urls: HashMap<Box<str>, u32>,
    hashes: HashMap<FileHash, u32>,
    process_names: HashMap<Box<str>, u32>,
    paths: HashMap<Box<str>, u32>,
    file_names: HashMap<Box<str>, u32>,
}

/// The tables that say where names end.
struct Suffixes(Arc<Tables>);

impl Default for Suffixes {
    fn default() -> Self {
        Self(Tables::embedded())
    }
}

impl std::fmt::Debug for Suffixes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Suffixes({})", self.0.date())
    }
}

/// Something that was seen fits an indicator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Match<'a> {
    pub list: &'a IndicatorList,
    pub indicator: &'a Indicator,
    pub by: MatchedBy,
    /// That of the indicator, and low where only a part of it was seen.
    pub confidence: Confidence,
}

impl Matcher {
    pub fn new(lists: Vec<IndicatorList>) -> Self {
        let mut matcher = Self {
            lists,
            ..Self::default()
        };
        let lists = std::mem::take(&mut matcher.lists);
        for (list, number) in lists.iter().zip(0_u32..) {
            for (indicator, place) in list.indicators.iter().zip(0_u32..) {
                matcher.add(indicator, (number, place));
            }
        }
        matcher.networks.sort();
        matcher.lists = lists;
        matcher
    }

    /// Where names end is said by these tables, and not by those in the program.
    pub fn with_suffixes_of(mut self, tables: Arc<Tables>) -> Self {
        self.suffixes = Suffixes(tables);
        self
    }

    pub fn lists(&self) -> &[IndicatorList] {
        &self.lists
    }

    /// Looked for as whatever it looks like: an address, a name, a hash, a URL or a path.
    pub fn of(&self, item: &str) -> Vec<Match<'_>> {
        match guess(item) {
            Some(IndicatorValue::Address(address)) => self.of_address(address),
            Some(IndicatorValue::Name { name, .. }) => self.of_name(&name),
            Some(IndicatorValue::Url { url, host }) => self.of_url(&url, &host),
            Some(IndicatorValue::Hash(hash)) => self.of_hash(&hash),
            Some(IndicatorValue::Path(path)) => self.of_path(&path),
            Some(
                IndicatorValue::Network(_)
                | IndicatorValue::ProcessName(_)
                | IndicatorValue::FileName(_)
                | IndicatorValue::Unchecked { .. },
            )
            | None => Vec::new(),
        }
    }

    pub fn of_address(&self, address: IpAddr) -> Vec<Match<'_>> {
        let address = address.to_canonical();
        let mut found = Vec::new();
        self.tell_address(address, &mut found);
        if let Some(translated) = translated(address) {
            self.tell_address(translated, &mut found);
        }
        found
    }

    fn tell_address<'a>(&'a self, address: IpAddr, found: &mut Vec<Match<'a>>) {
        self.tell(get(&self.addresses, &address), MatchedBy::Address, found);
        if !self.hosts.is_empty() {
            let host = address.to_string();
            self.tell_text(&self.hosts, &host, MatchedBy::UrlHost, found);
        }
        let is_inner = is_inner(address);
        for entry in self.networks.around(address).take(MOST_MATCHES) {
            let Some(one) = self.match_of(entry, MatchedBy::InNetwork) else {
                continue;
            };
            // Lists of what must not be routed have the networks that everybody has at home.
            let is_bad = matches!(one.list.meaning, ListMeaning::KnownBad | ListMeaning::Drop);
            if !(is_inner && is_bad) {
                found.push(one);
            }
        }
    }

    /// The rule of MVT: equal to what is listed, or in the domain that is listed and that somebody
    /// registered. Where a platform gives names away (the private part of the public suffix list), only
    /// equal.
    pub fn of_name(&self, name: &str) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        if self.names.is_empty() && self.hosts.is_empty() {
            return found;
        }
        let Some(name) = normalised(name) else {
            return found;
        };
        let name: &str = &name;
        self.tell_text(&self.names, name, MatchedBy::Name, &mut found);
        self.tell_text(&self.hosts, name, MatchedBy::UrlHost, &mut found);
        // The rules for where names end are asked only where a name above this one is listed.
        let listed = |parent: &&str| self.names.contains_key(*parent);
        if !parents(name).any(|parent| listed(&parent)) {
            return found;
        }
        let registered = registered(&self.suffixes.0, name).filter(|it| *it != name);
        if let Some(registered) = registered {
            self.tell_text(
                &self.names,
                registered,
                MatchedBy::RegisteredDomain,
                &mut found,
            );
        }
        if self.has_below {
            let above = parents(name).filter(listed);
            for parent in above.filter(|parent| Some(*parent) != registered) {
                let from = found.len();
                self.tell_text(&self.names, parent, MatchedBy::NameBelow, &mut found);
                let mut number = 0;
                found.retain(|it| {
                    number += 1;
                    number <= from || is_below(it.indicator)
                });
            }
        }
        found
    }

    pub fn of_hash(&self, hash: &FileHash) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        self.tell(get(&self.hashes, hash), MatchedBy::Hash, &mut found);
        found
    }

    /// The whole of it, else its host as a name or an address.
    pub fn of_url(&self, url: &str, host: &str) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        if !self.urls.is_empty() {
            self.tell_text(&self.urls, &bare(url), MatchedBy::Url, &mut found);
        }
        let of_host = match host.parse() {
            Ok(address) => self.of_address(address),
            Err(_) => self.of_name(host),
        };
        let is_told = |it: &Match<'_>| it.by == MatchedBy::UrlHost && is_url(it.indicator, url);
        found.extend(of_host.into_iter().filter(|it| !is_told(it)));
        found
    }

    /// As the program is called; also as the kernel cuts it.
    pub fn of_process_name(&self, name: &str) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        self.tell_text(
            &self.process_names,
            name,
            MatchedBy::ProcessName,
            &mut found,
        );
        found
    }

    /// A file, or what lies in a folder that is listed.
    pub fn of_path(&self, path: &str) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        if self.paths.is_empty() && self.file_names.is_empty() {
            return found;
        }
        let path = path.trim_end_matches(['/', '\\']);
        self.tell_text(&self.paths, path, MatchedBy::Path, &mut found);
        let mut folder = path;
        for _ in 0..DEEPEST_PATH {
            let Some((above, last)) = folder.rsplit_once(['/', '\\']) else {
                break;
            };
            if folder.len() == path.len() {
                self.tell_text(&self.file_names, last, MatchedBy::FileName, &mut found);
            } else {
                self.tell_text(&self.paths, folder, MatchedBy::PathBelow, &mut found);
            }
            folder = above;
        }
        found
    }

    /// The other side of a connection, and what was greeted there.
    pub fn of_connection(&self, connection: &Connection) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        if let Some(address) = connection.remote.and_then(|remote| remote.ip) {
            found = self.of_address(address);
        }
        if let Some(remote) = &connection.name
            && let Some(name) = remote.name.as_utf8()
        {
            let named = match target(connection) {
                Some(target) => self.of_url(&format!("http://{name}{target}"), name),
                None => self.of_name(name),
            };
            found.extend(named);
        }
        found
    }

    /// Its file, by hash, path and name.
    pub fn of_process(&self, process: &Process) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        if let Some(sha256) = process.sha256 {
            found = self.of_hash(&FileHash::Sha256(sha256));
        }
        if let Some(path) = process.path.as_ref().and_then(Text::as_utf8) {
            found.extend(self.of_path(path));
        }
        if let Some(name) = process.name.as_utf8() {
            found.extend(self.of_process_name(name));
        }
        found
    }

    fn add(&mut self, indicator: &Indicator, place: (u32, u32)) {
        let Ok(entry) = u32::try_from(self.entries.len()) else {
            return;
        };
        self.entries.push(place);
        self.next.push(None);
        let next = &mut self.next;
        match &indicator.value {
            IndicatorValue::Address(address) => put(&mut self.addresses, *address, entry, next),
            IndicatorValue::Network(network) => self.networks.add(*network, entry),
            IndicatorValue::Name { name, below } => {
                self.has_below |= below;
                put(&mut self.names, name.as_str().into(), entry, next);
            }
            IndicatorValue::Url { host, url } => {
                put(&mut self.hosts, host.as_str().into(), entry, next);
                // The same indicator once more, by the whole of it.
                let Ok(entry) = u32::try_from(self.entries.len()) else {
                    return;
                };
                self.entries.push(place);
                self.next.push(None);
                put(&mut self.urls, bare(url).into(), entry, &mut self.next);
            }
            IndicatorValue::Hash(hash) => put(&mut self.hashes, *hash, entry, next),
            IndicatorValue::ProcessName(name) => {
                let cut = name.get(..KERNEL_NAME).filter(|cut| cut.len() < name.len());
                put(&mut self.process_names, name.as_str().into(), entry, next);
                if let Some(cut) = cut {
                    // The same indicator once more, under what the kernel would call it.
                    let Ok(entry) = u32::try_from(self.entries.len()) else {
                        return;
                    };
                    self.entries.push(place);
                    self.next.push(None);
                    put(&mut self.process_names, cut.into(), entry, &mut self.next);
                }
            }
            IndicatorValue::Path(path) => {
                let path = path.trim_end_matches(['/', '\\']);
                put(&mut self.paths, path.into(), entry, next);
            }
            IndicatorValue::FileName(name) => {
                put(&mut self.file_names, name.as_str().into(), entry, next);
            }
            IndicatorValue::Unchecked { .. } => {}
        }
    }

    fn tell_text<'a>(
        &'a self,
        table: &'a HashMap<Box<str>, u32>,
        text: &str,
        by: MatchedBy,
        found: &mut Vec<Match<'a>>,
    ) {
        if !table.is_empty() {
            self.tell(table.get(text).copied(), by, found);
        }
    }

    fn tell<'a>(&'a self, first: Option<u32>, by: MatchedBy, found: &mut Vec<Match<'a>>) {
        let mut entry = first;
        for _ in 0..MOST_MATCHES {
            let Some(at) = entry else {
                return;
            };
            found.extend(self.match_of(at, by));
            entry = usize::try_from(at)
                .ok()
                .and_then(|at| self.next.get(at).copied().flatten());
        }
    }

    fn match_of(&self, entry: u32, by: MatchedBy) -> Option<Match<'_>> {
        let (list, place) = *self.entries.get(usize::try_from(entry).ok()?)?;
        let list = self.lists.get(usize::try_from(list).ok()?)?;
        let indicator = list.indicators.get(usize::try_from(place).ok()?)?;
        // A host may have many pages, and a name many programs.
        let is_part = matches!(
            by,
            MatchedBy::UrlHost | MatchedBy::ProcessName | MatchedBy::FileName
        );
        Some(Match {
            list,
            indicator,
            by,
            confidence: if is_part {
                Confidence::Low
            } else {
                indicator.confidence
            },
        })
    }
}

fn get<K: Hash + Eq>(table: &HashMap<K, u32>, key: &K) -> Option<u32> {
    if table.is_empty() {
        return None;
    }
    table.get(key).copied()
}

/// Puts an entry before those of the same value.
fn put<K: Hash + Eq>(table: &mut HashMap<K, u32>, key: K, entry: u32, next: &mut [Option<u32>]) {
    let before = table.insert(key, entry);
    if let Some(link) = usize::try_from(entry).ok().and_then(|at| next.get_mut(at)) {
        *link = before;
    }
}

fn is_below(indicator: &Indicator) -> bool {
    matches!(&indicator.value, IndicatorValue::Name { below: true, .. })
}

/// Without the scheme, which does not count: what is seen of a request has none.
fn bare(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    format!("{}/{path}", host.to_ascii_lowercase())
}

fn is_url(indicator: &Indicator, seen: &str) -> bool {
    matches!(&indicator.value, IndicatorValue::Url { url, .. } if bare(url) == bare(seen))
}

/// What was asked for on the host.
fn target(connection: &Connection) -> Option<Cow<'_, str>> {
    let Greeting::Http(greeting) = connection.greeting.as_deref()? else {
        return None;
    };
    let target = greeting.target.as_ref()?.lossy();
    target.starts_with('/').then_some(target)
}

/// Whether an address belongs to this computer or to networks that are no part of the Internet.
fn is_inner(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_multicast()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests;
