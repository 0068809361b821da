//! `whocalls lookup`: what is known here of addresses, names and hashes.

mod here;
mod item;
mod known;
mod of_case;
mod online;

use std::io::{Read, Write};
use std::net::IpAddr;

use anyhow::{Context, Result};
use enrich::special;
use enrich::suffix::{Section, lookalikes};
use enrich::tables::Tables;
use model::{
    AddressItem, Announcer, FileHash, Item, LookedUp, NameItem, NetworkItem, SuffixBy, Text,
};

pub(crate) use self::here::{Here, answered_of};
use self::item::Asked;
use self::known::Known;
use super::data;
use crate::arguments::LookupArguments;
use crate::exit::{self, Exit};
use crate::output::{self, Talk, Usage};

/// More is not read from standard input.
const MOST_BYTES: u64 = 16 << 20;
const MOST_ITEMS: usize = 100_000;
/// Further ones are counted only.
const MOST_ANNOUNCERS: usize = 16;

pub(crate) fn run(arguments: &LookupArguments, talk: Talk) -> Result<Exit> {
    if arguments.online.sources {
        let text = online::show_sources(&arguments.online)?;
        write(text.as_bytes())?;
        return Ok(Exit::Done);
    }
    online::check(&arguments.online, &arguments.items)?;
    let asked = asked(&arguments.items)?;
    let tables = data::tables(talk);
    let known = Known::open(arguments.indicators.as_deref(), &tables, talk)?;
    let of_case = match &arguments.case {
        Some(case) => Some(of_case::items(case, &arguments.identity, &tables, talk)?),
        None => None,
    };
    let mut items: Vec<_> = asked.into_iter().map(|it| (it, None)).collect();
    let mut left_out = 0;
    if let Some(of_case) = &of_case {
        items.extend(of_case.items.iter().take(MOST_ITEMS).cloned());
        left_out = of_case.items.len().saturating_sub(MOST_ITEMS);
    }
    let online = match (&of_case, &arguments.online.online) {
        (None, None) => None,
        (of_case, _) => {
            let of_case = of_case.as_ref().map(of_case::OfCase::evidence);
            let online = &arguments.online;
            Some(online::look_up(
                &items,
                of_case.as_ref(),
                online,
                &tables,
                talk,
            )?)
        }
    };
    let (answers, exit) = match online {
        Some(online) => (online.answers, online.exit),
        None => (Vec::new(), Exit::Done),
    };
    let mut answers = answers.into_iter();
    let is_wanted = |asked: &Asked| of_case.as_ref().is_some_and(|it| it.is_wanted(asked));
    let looked_up = items.iter().map(|(asked, _)| LookedUp {
        answers: answers.next().unwrap_or_default(),
        is_wanted: is_wanted(asked),
        ..look_up(asked, &tables, &known)
    });
    let mut text = Vec::new();
    if arguments.json {
        let items: Vec<_> = looked_up.collect();
        show::json::looked_up(&items, &tables.hash(), tables.date(), &mut text)?;
    } else {
        for (place, looked_up) in looked_up.enumerate() {
            if place > 0 {
                text.push(b'\n');
            }
            // What others say stands in front of the item, which has to be named then.
            if items.len() > 1 && !looked_up.answers.is_empty() {
                text.extend(show::lookup::heading(&looked_up).into_bytes());
            }
            text.extend(show::lookup::lines(&looked_up).into_bytes());
        }
    }
    write(&text)?;
    if left_out > 0 {
        talk.say(&format!(
            "{left_out} items of the case were not looked up: there are more than {MOST_ITEMS}.\n"
        ));
    }
    let exit = match &of_case {
        Some(of_case) => of_case.say(talk).and(exit),
        None => exit,
    };
    let lost = if left_out > 0 { Exit::Lost } else { Exit::Done };
    Ok(exit.and(lost).and(exit::of_lists(known.is_damaged)))
}

fn write(text: &[u8]) -> Result<()> {
    let mut out = output::stdout()?;
    out.write_all(text)
        .context("cannot write to standard output")
}

/// All items, each understood before anything is said of the first.
fn asked(items: &[String]) -> Result<Vec<Asked>, anyhow::Error> {
    let mut asked = Vec::new();
    for item in items {
        if item != "-" {
            asked.push(Asked::parse(item).map_err(Usage)?);
            continue;
        }
        let mut text = Vec::new();
        let mut input = std::io::stdin().take(MOST_BYTES);
        input
            .read_to_end(&mut text)
            .context("cannot read standard input")?;
        if input.limit() == 0 {
            return Err(Usage(format!("standard input: more than {MOST_BYTES} bytes")).into());
        }
        for (number, line) in (1..).zip(String::from_utf8_lossy(&text).lines()) {
            let line = without_comment(line);
            if line.is_empty() {
                continue;
            }
            let item = Asked::parse(line);
            asked.push(item.map_err(|why| Usage(format!("line {number}: {why}")))?);
        }
    }
    if asked.len() > MOST_ITEMS {
        return Err(Usage(format!("more than {MOST_ITEMS} items")).into());
    }
    if asked.is_empty() && !items.is_empty() {
        return Err(Usage("no item on standard input".to_owned()).into());
    }
    Ok(asked)
}

/// `#` begins a comment, at the begin of a line or behind a blank.
fn without_comment(line: &str) -> &str {
    let end = line.match_indices('#').map(|(place, _)| place);
    let mut end = end.filter(|place| {
        let before = line.get(..*place).unwrap_or_default();
        before.is_empty() || before.ends_with([' ', '\t'])
    });
    let end = end.next().unwrap_or(line.len());
    line.get(..end).unwrap_or(line).trim()
}

/// What the tables and the lists tell of one item.
fn look_up(asked: &Asked, tables: &Tables, known: &Known) -> LookedUp {
    let (what, listed) = match &asked.what {
        item::What::Address(ip, port) => {
            let facts = tables.address(*ip);
            let is_local = facts.special.is_some_and(|it| !it.is_global);
            let of_tables = tables.lists_of(*ip).filter(|_| !is_local);
            let listed = known::listed(&known.matcher.of_address(*ip), of_tables);
            let item = AddressItem {
                ip: *ip,
                port: *port,
                facts,
            };
            (Item::Address(item), listed)
        }
        item::What::Network(first, length, last) => {
            let network = network(tables, *first, *length, *last);
            (Item::Network(network), Vec::new())
        }
        item::What::Name(name) => {
            let of_tables = tables.lists_of_name(&name.ascii);
            let listed = known::listed(&known.matcher.of_name(&name.ascii), of_tables);
            (Item::Name(self::name(tables, name)), listed)
        }
        item::What::Hash(kind, hash) => {
            let fitting = FileHash::parse(hash).map(|it| known.matcher.of_hash(&it));
            let of_tables = tables.lists_of_hash(hash);
            let listed = known::listed(&fitting.unwrap_or_default(), of_tables);
            (Item::Hash(*kind), listed)
        }
    };
    LookedUp {
        item: asked.text.clone(),
        told: match asked.what {
            item::What::Address(ip, _) => known.told(ip),
            item::What::Network(..) | item::What::Name(_) | item::What::Hash(..) => Vec::new(),
        },
        what,
        known: listed,
        answers: Vec::new(),
        is_wanted: false,
    }
}

fn network(tables: &Tables, first: IpAddr, length: u8, last: IpAddr) -> NetworkItem {
    let within = tables.within(first, last);
    let more_announcers = within.announcers.len().saturating_sub(MOST_ANNOUNCERS);
    let announcers = within.announcers.into_iter().take(MOST_ANNOUNCERS);
    NetworkItem {
        first,
        length,
        facts: tables.address(first),
        announcers: announcers
            .map(|(asn, name, ranges)| {
                let organisation = Text::from(name);
                (Announcer { asn, organisation }, ranges)
            })
            .collect(),
        more_announcers,
        has_holes: within.has_holes,
    }
}

fn name(tables: &Tables, name: &enrich::suffix::Name) -> NameItem {
    let suffix = tables.suffix(&name.ascii);
    let special = special::use_of_name(&name.ascii);
    // The platform is what was registered where a name of the platform ends.
    let platform = (suffix.section == Section::Platform).then(|| {
        let registered = tables.registry_suffix(&name.ascii).registrable;
        registered.unwrap_or(suffix.suffix).to_owned()
    });
    NameItem {
        ascii: name.ascii.clone(),
        unicode: name.unicode.clone(),
        lookalikes: lookalikes(&name.unicode)
            .into_iter()
            .map(|it| (it.character, it.looks_like))
            .collect(),
        public_suffix: suffix.suffix.to_owned(),
        registrable: suffix.registrable.map(str::to_owned),
        suffix_by: match suffix.section {
            Section::Registry => SuffixBy::Registry,
            Section::Platform => SuffixBy::Platform,
            Section::NotListed => SuffixBy::Nobody,
        },
        platform,
        special: special.map(|it| (it.what, it.defined_in)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_left_out() {
        for (line, item) in [
            ("# all of it", ""),
            ("  # all of it", ""),
            (
                "216.6.0.28               # address, first 2026-11-22",
                "216.6.0.28",
            ),
            ("216.6.0.28\t# address", "216.6.0.28"),
            ("  a.example  ", "a.example"),
            // That is no comment, and no item: it is refused.
            ("a#b", "a#b"),
        ] {
            assert_eq!(without_comment(line), item, "{line:?}");
        }
    }
}
