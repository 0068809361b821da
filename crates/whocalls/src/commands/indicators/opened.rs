//! All lists that can be asked: those that were added, and those in the program.

use std::path::Path;

use anyhow::Result;
use enrich::files::{Loaded, Skipped, Table};
use model::{Gap, IndicatorList, ListMeaning, ListOrigin, Source};

use super::kept::{self, About, All, Kept, MOST};
use super::place;
use crate::output::Talk;

pub(crate) struct Opened {
    /// Those that were added, by name, then those in the program.
    pub(crate) lists: Vec<IndicatorList>,
    /// Files of facts about addresses; the list has its publisher and date, and no indicators.
    pub(crate) facts: Vec<(IndicatorList, Table)>,
    /// Nobody ever added one.
    pub(crate) is_none_added: bool,
    /// What is not asked, and why; it was said.
    pub(crate) gaps: Vec<Gap>,
    /// A list cannot be read, or is not as it was added.
    pub(crate) is_damaged: bool,
}

/// So many files that were never added are named.
const MOST_NAMED: usize = 5;

impl Opened {
    /// Those of a folder; of `indicators` beside whocalls where none is named.
    ///
    /// Errors: the folder cannot be read.
    pub(crate) fn of(folder: Option<&Path>, talk: Talk) -> Result<Self> {
        let folder = place::to_read(folder);
        let all = folder.as_deref().map(kept::all).transpose()?;
        let All {
            lists,
            more,
            others,
        } = all.unwrap_or_default();
        let mut opened = Self {
            lists: Vec::new(),
            facts: Vec::new(),
            is_none_added: folder.is_none(),
            gaps: Vec::new(),
            is_damaged: false,
        };
        let is_empty = lists.is_empty() && others.is_empty();
        for Kept { name, read } in lists {
            match read {
                Ok((about, loaded)) => match listed(name, about, loaded) {
                    (list, _, Some(table)) => opened.facts.push((list, table)),
                    (list, _, None) => opened.lists.push(list),
                },
                Err(problem) => {
                    opened.is_damaged = true;
                    talk.say(&format!("{name}: {}\n", problem.why));
                    opened.gaps.push(Gap::standing(
                        "indicators_not_read",
                        Source::Log,
                        format!("the list {name} of indicators: {}", problem.why),
                        "whatever stands on that list is not found",
                    ));
                }
            }
        }
        if let Some(folder) = &folder {
            if is_empty {
                talk.say(&format!(
                    "{} holds no list; those in the program are asked.\n",
                    folder.display()
                ));
            }
            opened.gaps.extend(too_many(folder, more, talk));
            opened.gaps.extend(never_added(folder, &others, talk));
        }
        opened.lists.extend(enrich::embedded::lists());
        Ok(opened)
    }
}

/// Says that there are more lists than are read. `None`: there are not.
fn too_many(folder: &Path, more: usize, talk: Talk) -> Option<Gap> {
    if more == 0 {
        return None;
    }
    let why = format!("{} holds more than {MOST} lists", folder.display());
    talk.say(&format!("{why}; {more} of them are not read.\n"));
    Some(Gap {
        count: u64::try_from(more).ok(),
        ..Gap::standing(
            "indicators_not_read",
            Source::Log,
            why,
            "whatever stands on the lists that are not read is not found",
        )
    })
}

/// Who puts a file among the lists believes that it is asked. `None`: nobody did.
fn never_added(folder: &Path, others: &[String], talk: Talk) -> Option<Gap> {
    if others.is_empty() {
        return None;
    }
    let mut names = others
        .iter()
        .take(MOST_NAMED)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    let more = others.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        names.push_str(&format!(" and {more} more"));
    }
    talk.say(&format!(
        "{}: never added, and so not asked: {names}\nhelp: 'whocalls indicators add FILE' takes a \
         file in\n",
        folder.display()
    ));
    Some(Gap {
        count: u64::try_from(others.len()).ok(),
        ..Gap::standing(
            "indicators_not_added",
            Source::Log,
            format!("what lies among the lists of indicators and was never added: {names}"),
            "whatever stands in it is not found",
        )
    })
}

/// As a list with what the person said of it; of an MMDB, one without indicators and the table.
pub(super) fn listed(
    name: String,
    about: About,
    loaded: Loaded,
) -> (IndicatorList, Skipped, Option<Table>) {
    let origin = ListOrigin::Added {
        at: about.added,
        file: about.file,
        sha256: about.sha256,
    };
    let (mut list, skipped, table) = match loaded {
        Loaded::Indicators(content) => {
            let skipped = content.skipped.clone();
            (content.into_list(name, origin), skipped, None)
        }
        Loaded::Table(table) => {
            let list = IndicatorList {
                name,
                publisher: None,
                licence: None,
                link: None,
                published: table.published,
                meaning: ListMeaning::Ordinary,
                format: enrich::files::Format::Mmdb.name(),
                origin,
                indicators: Vec::new(),
                skipped: 0,
            };
            (list, Skipped::default(), Some(table))
        }
    };
    list.publisher = about.publisher.or(list.publisher);
    list.licence = about.licence.or(list.licence);
    if let Some(meaning) = about.meaning {
        list.meaning = meaning;
    }
    (list, skipped, table)
}
