//! Puts the tables together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{Country, hex};
use sha2::{Digest, Sha256};

use super::files::{self, Range, SuffixLine, WarningList};
use super::sources::{Form, Wanted, wanted};
use super::{Given, check};
use crate::suffix::{ALL_BELOW, EXCEPTION, Name, SUFFIX};
use crate::tables::{Contents, Source, Tables, reversed};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{file}: {why}")]
    File { file: String, why: String },
    #[error(
        "{file}: when it was made is not known\nhelp: say it: --date {file}=2026-12-31 (the day it \
         was published)"
    )]
    NoDate { file: &'static str },
    #[error("{file} is not among the files")]
    Missing { file: &'static str },
    #[error("the tables cannot be read back: {0}")]
    Unreadable(crate::tables::Error),
}

/// What came of it.
pub struct Built {
    pub file: Vec<u8>,
    pub tables: Tables,
    /// Files that would have been read and are not there.
    pub missing: Vec<&'static str>,
    /// How many boundaries of the sources were asked for again.
    pub boundaries: usize,
    /// Those where the tables say something else, and lines that could not be read, each with its
    /// reason.
    pub exceptions: Vec<String>,
}

/// What was read of all files.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) sources: Vec<Source>,
    pub(super) announcers: Vec<(Range, u32)>,
    pub(super) organisations: BTreeMap<u32, String>,
    pub(super) countries: Vec<(Range, Country)>,
    /// With the place of the source.
    pub(super) networks: Vec<(Range, usize)>,
    pub(super) names: BTreeMap<String, BTreeSet<usize>>,
    pub(super) hashes: BTreeMap<String, BTreeSet<usize>>,
    pub(super) suffixes: BTreeMap<String, u32>,
    pub(super) exceptions: Vec<String>,
}

/// Makes the tables from the files of a folder: the same files, the same bytes.
pub fn build(given: &[Given]) -> Result<Built, Error> {
    let given: HashMap<&str, &Given> = given.iter().map(|it| (it.file, it)).collect();
    let repository = date_of_repository(&given)?;
    let mut read = Sources::default();
    let mut missing = Vec::new();
    for wanted in wanted() {
        let Some(file) = given.get(wanted.file) else {
            if wanted.form.kind().is_none() {
                return Err(Error::Missing { file: wanted.file });
            }
            missing.push(wanted.file);
            continue;
        };
        read.take(&wanted, file, repository.as_deref())?;
    }
    let file = contents(&mut read).write();
    let tables = Tables::read(file.clone()).map_err(Error::Unreadable)?;
    tables.check().map_err(Error::Unreadable)?;
    let boundaries = check::boundaries(&mut read, &tables);
    Ok(Built {
        file,
        tables,
        missing,
        boundaries,
        exceptions: read.exceptions,
    })
}

fn failed(file: &str, why: impl ToString) -> Error {
    Error::File {
        file: file.to_owned(),
        why: why.to_string(),
    }
}

fn warning_list(file: &Given) -> Result<WarningList, Error> {
    let text = files::text(&file.bytes).map_err(|why| failed(file.file, why))?;
    serde_json::from_str(&text).map_err(|why| failed(file.file, why))
}

/// Lists of MISP that say no date are as old as the newest one beside them: all come out of one
/// repository at one time.
fn date_of_repository(given: &HashMap<&str, &Given>) -> Result<Option<String>, Error> {
    let mut newest = None;
    for wanted in wanted().filter(|it| is_warning_list(it.form)) {
        if let Some(file) = given.get(wanted.file) {
            newest = newest.max(warning_list(file)?.date());
        }
    }
    Ok(newest)
}

fn is_warning_list(form: Form) -> bool {
    matches!(
        form,
        Form::MispNetworks(_) | Form::MispNames(_) | Form::MispHashes(_)
    )
}

impl Sources {
    fn take(
        &mut self,
        wanted: &Wanted,
        file: &Given,
        repository: Option<&str>,
    ) -> Result<(), Error> {
        let place = self.sources.len();
        let (entries, own_date, matches_exactly) = if is_warning_list(wanted.form) {
            let list = warning_list(file)?;
            let date = list.date().or_else(|| repository.map(str::to_owned));
            let exactly = list.form == "string";
            (self.take_list(wanted, place, &list.list), date, exactly)
        } else {
            let text = files::text(&file.bytes).map_err(|why| failed(file.file, why))?;
            let hash = Sha256::digest(text.as_bytes());
            let hash = hex(&hash);
            let known = wanted.known.filter(|(_, known)| hash.starts_with(known));
            let date = known.map(|(date, _)| date.to_owned());
            let entries = match wanted.form {
                Form::Suffixes => self.take_suffixes(&text),
                Form::Announcers
                | Form::Countries
                | Form::Networks(_)
                | Form::MispNetworks(_)
                | Form::MispNames(_)
                | Form::MispHashes(_) => self.take_lines(wanted, place, &text),
            };
            (entries, date, false)
        };
        if entries == 0 {
            return Err(failed(file.file, "nothing that can be read is in it"));
        }
        let date = file.date.clone().or(own_date);
        self.sources.push(Source {
            file: wanted.file.to_owned(),
            title: wanted.title.to_owned(),
            publisher: wanted.publisher.name.to_owned(),
            date: date.ok_or(Error::NoDate { file: wanted.file })?,
            licence: wanted.publisher.licence.to_owned(),
            credit: wanted.publisher.credit.to_owned(),
            provider: wanted.provider.to_owned(),
            kind: wanted.form.kind(),
            matches_exactly,
            entries,
        });
        Ok(())
    }

    fn take_lines(&mut self, wanted: &Wanted, place: usize, text: &str) -> u64 {
        let mut entries = 0;
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = if wanted.form == Form::Announcers {
                files::announcer(line).map(|(range, asn, name)| {
                    self.announcers.push((range, asn));
                    self.organisations.entry(asn).or_insert(name);
                })
            } else if wanted.form == Form::Countries {
                files::country(line).map(|row| self.countries.push(row))
            } else {
                files::network(line).map(|range| self.networks.push((range, place)))
            };
            entries += self.counted(read, wanted.file, line);
        }
        entries
    }

    fn take_list(&mut self, wanted: &Wanted, place: usize, list: &[String]) -> u64 {
        let mut entries = 0;
        for entry in list {
            let entry = entry.trim();
            let read = match wanted.form {
                Form::MispNames(_) => {
                    let name = Name::parse(entry.strip_prefix('.').unwrap_or(entry));
                    name.ok().map(|name| {
                        let listed = self.names.entry(reversed(&name.ascii)).or_default();
                        listed.insert(place);
                    })
                }
                Form::MispHashes(_) => {
                    let hash = entry.to_ascii_lowercase();
                    // MD5, SHA-1 and SHA-256; others are not looked up.
                    if [32, 40, 64].contains(&hash.len()) {
                        self.hashes.entry(hash).or_default().insert(place);
                    }
                    Some(())
                }
                Form::Announcers
                | Form::Countries
                | Form::Networks(_)
                | Form::MispNetworks(_)
                | Form::Suffixes => {
                    files::network(entry).map(|range| self.networks.push((range, place)))
                }
            };
            entries += self.counted(read, wanted.file, entry);
        }
        entries
    }

    fn take_suffixes(&mut self, text: &str) -> u64 {
        let (mut section, mut entries) = (0, 0);
        for line in text.lines() {
            let rule = match files::suffix_line(line) {
                SuffixLine::Platforms => {
                    section = 1;
                    continue;
                }
                SuffixLine::Nothing => continue,
                SuffixLine::Rule(rule) => rule,
            };
            let of = |bits: [u32; 2]| bits.get(section).copied().unwrap_or(0);
            let (name, bit) = if let Some(name) = rule.strip_prefix("*.") {
                (name, of(ALL_BELOW))
            } else if let Some(name) = rule.strip_prefix('!') {
                (name, EXCEPTION)
            } else {
                (rule, of(SUFFIX))
            };
            let read = Name::parse(name).ok().map(|name| {
                *self.suffixes.entry(reversed(&name.ascii)).or_insert(0) |= bit;
            });
            entries += self.counted(read, "psl/public_suffix_list.dat", rule);
        }
        entries
    }

    /// 1 for an entry that was read; the others are exceptions.
    fn counted(&mut self, read: Option<()>, file: &str, entry: &str) -> u64 {
        if read.is_none() {
            self.exceptions.push(format!("{file}: not read: {entry}"));
        }
        u64::from(read.is_some())
    }
}

fn contents(read: &mut Sources) -> Contents {
    let mut sets = Sets::default();
    let countries: BTreeSet<Country> = read.countries.iter().map(|it| it.1).collect();
    let countries: Vec<Country> = countries.into_iter().collect();
    let organisations = by_ranges(read);
    let numbers: HashMap<u32, u32> = (1..).zip(&organisations).map(|(n, it)| (it.0, n)).collect();
    let announcers = read.announcers.iter();
    let announcers =
        announcers.map(|(range, asn)| (*range, numbers.get(asn).copied().unwrap_or(0)));
    let announcers: Vec<_> = announcers.collect();
    let allocated = read.countries.iter().map(|(range, country)| {
        let place = countries.binary_search(country).unwrap_or(0);
        (*range, u32::try_from(place + 1).unwrap_or(0))
    });
    let allocated: Vec<_> = allocated.collect();
    let both = |make: &mut dyn FnMut(bool) -> Vec<(u128, u32)>| [make(false), make(true)];
    let kinds = both(&mut |is_v6| overlaid(&read.networks, is_v6, &mut sets));
    let mut listed = |texts: &BTreeMap<String, BTreeSet<usize>>| -> Vec<(String, u32)> {
        let texts = texts.iter();
        texts
            .map(|(text, set)| (text.clone(), sets.number(set)))
            .collect()
    };
    let (names, hashes) = (listed(&read.names), listed(&read.hashes));
    Contents {
        sources: read.sources.clone(),
        sets: sets.all,
        countries,
        announcers: both(&mut |is_v6| side_by_side(&announcers, is_v6)),
        allocated: both(&mut |is_v6| side_by_side(&allocated, is_v6)),
        organisations,
        kinds,
        names,
        suffixes: std::mem::take(&mut read.suffixes).into_iter().collect(),
        hashes,
    }
}

/// Organisations with many ranges first, by powers of two, and by number within: so numbers of those
/// that are often asked for are small, and neighbours alike.
fn by_ranges(read: &Sources) -> Vec<(u32, String)> {
    let mut counts: HashMap<u32, u32> = HashMap::new();
    for (_, asn) in &read.announcers {
        *counts.entry(*asn).or_default() += 1;
    }
    let named = read.organisations.iter();
    let mut all: Vec<_> = named.map(|(asn, name)| (*asn, name.clone())).collect();
    let power = |asn: &u32| counts.get(asn).copied().unwrap_or(0).checked_ilog2();
    all.sort_by_key(|(asn, _)| (std::cmp::Reverse(power(asn)), *asn));
    all
}

/// Break points of ranges that lie side by side. Where two overlap, the one that begins first keeps
/// what it has.
fn side_by_side(rows: &[(Range, u32)], is_v6: bool) -> Vec<(u128, u32)> {
    let mut rows: Vec<_> = rows
        .iter()
        .filter(|(range, _)| range.is_v6 == is_v6)
        .collect();
    rows.sort_by_key(|(range, _)| (range.first, std::cmp::Reverse(range.last)));
    let mut points = Points::of(is_v6);
    let mut free = Some(0);
    for (range, value) in rows {
        let Some(next) = free else {
            break;
        };
        if range.last < next {
            continue;
        }
        points.put(next, 0);
        points.put(range.first.max(next), *value);
        free = range.last.checked_add(1);
    }
    if let Some(next) = free {
        points.put(next, 0);
    }
    points.points
}

/// Break points of ranges that may lie upon each other: what holds is the set of their sources.
fn overlaid(rows: &[(Range, usize)], is_v6: bool, sets: &mut Sets) -> Vec<(u128, u32)> {
    let mut changes: BTreeMap<u128, Vec<(usize, i32)>> = BTreeMap::new();
    for (range, source) in rows.iter().filter(|(range, _)| range.is_v6 == is_v6) {
        changes.entry(range.first).or_default().push((*source, 1));
        if let Some(next) = range.last.checked_add(1) {
            changes.entry(next).or_default().push((*source, -1));
        }
    }
    let mut points = Points::of(is_v6);
    let mut open: BTreeMap<usize, i32> = BTreeMap::new();
    for (start, changed) in changes {
        for (source, change) in changed {
            *open.entry(source).or_default() += change;
        }
        open.retain(|_, count| *count > 0);
        points.put(start, sets.number(&open.keys().copied().collect()));
    }
    points.points
}

/// Break points as they gather; those that change nothing are left out.
struct Points {
    points: Vec<(u128, u32)>,
    last: u128,
}

impl Points {
    fn of(is_v6: bool) -> Self {
        Self {
            points: Vec::new(),
            last: if is_v6 {
                u128::MAX
            } else {
                u128::from(u32::MAX)
            },
        }
    }

    fn put(&mut self, start: u128, value: u32) {
        if self
            .points
            .last()
            .is_some_and(|(before, _)| *before == start)
        {
            self.points.pop();
        }
        let before = self.points.last().map_or(0, |(_, value)| *value);
        if before != value && start <= self.last {
            self.points.push((start, value));
        }
    }
}

/// Sets of sources and their numbers; 0 is the empty one.
#[derive(Default)]
struct Sets {
    all: Vec<Vec<usize>>,
    numbers: HashMap<Vec<usize>, u32>,
}

impl Sets {
    fn number(&mut self, set: &BTreeSet<usize>) -> u32 {
        if set.is_empty() {
            return 0;
        }
        let set: Vec<usize> = set.iter().copied().collect();
        let next = u32::try_from(self.all.len() + 1).unwrap_or(u32::MAX);
        *self.numbers.entry(set).or_insert_with_key(|set| {
            self.all.push(set.clone());
            next
        })
    }
}

#[cfg(test)]
mod tests;
