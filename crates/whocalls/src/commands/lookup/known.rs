//! Lists of indicators that are asked for an item, beside the tables: those in the program, and those
//! that the person has added.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use enrich::files::Table;
use enrich::matching::{Match, Matcher};
use enrich::tables::{Source, Tables};
use model::{FileFacts, IndicatorList, ListMeaning, Listed, ListedAs, NetworkKind, Timestamp};

use crate::commands::indicators::Opened;
use crate::output::Talk;

/// The matches of one item that are told.
const MOST: usize = 64;

pub(super) struct Known {
    pub(super) matcher: Arc<Matcher>,
    facts: Vec<(IndicatorList, Table)>,
    /// A list is not as it was added; it was said.
    pub(super) is_damaged: bool,
}

impl Known {
    /// Errors: the folder cannot be read.
    pub(super) fn open(folder: Option<&Path>, tables: &Arc<Tables>, talk: Talk) -> Result<Self> {
        let opened = Opened::of(folder, talk)?;
        Ok(Self {
            matcher: Arc::new(Matcher::new(opened.lists).with_suffixes_of(Arc::clone(tables))),
            facts: opened.facts,
            is_damaged: opened.is_damaged,
        })
    }

    /// Of what was opened before.
    pub(super) fn of(matcher: Arc<Matcher>, facts: Vec<(IndicatorList, Table)>) -> Self {
        Self {
            matcher,
            facts,
            is_damaged: false,
        }
    }

    /// What files of facts tell of an address.
    pub(super) fn told(&self, ip: IpAddr) -> Vec<FileFacts> {
        let told = self.facts.iter().map(|(list, table)| FileFacts {
            list: list.name.clone(),
            publisher: list.publisher.clone(),
            date: list.published.map(day),
            facts: table.facts(ip),
        });
        told.filter(|it| !it.facts.is_empty()).collect()
    }
}

/// What an item is on: lists of indicators, those of what is bad first, then those of the tables.
pub(super) fn listed<'a>(
    fitting: &[Match<'_>],
    of_tables: impl Iterator<Item = &'a Source>,
) -> Vec<Listed> {
    let mut fitting: Vec<_> = fitting.iter().collect();
    fitting.sort_by_key(|it| !matches!(it.list.meaning, ListMeaning::KnownBad | ListMeaning::Drop));
    let of_lists = fitting.into_iter().take(MOST).map(|it| Listed {
        list: it.list.name.clone(),
        publisher: it.list.publisher.clone(),
        date: it.indicator.published.or(it.list.published).map(day),
        listed_as: ListedAs::Indicator {
            meaning: it.list.meaning,
            indicator: it.indicator.value.to_string(),
            by: it.by,
            confidence: it.confidence,
            about: it.indicator.about.as_deref().map(str::to_owned),
        },
    });
    of_lists.chain(of_tables.map(of_table)).collect()
}

fn of_table(source: &Source) -> Listed {
    Listed {
        list: source.title.clone(),
        publisher: Some(source.publisher.clone()),
        date: Some(source.date.clone()),
        listed_as: ListedAs::Kind {
            // Only lists have anything in `known`.
            kind: source.kind.unwrap_or(NetworkKind::Service),
            provider: source.provider.clone(),
        },
    }
}

/// `2026-08-22`.
fn day(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..10).unwrap_or(&text).to_owned()
}
