//! Asking others: whom, about what, and through whom; and what came of it.

mod asking;
mod choice;
mod keys;
mod own;
mod plan;
mod settings;
mod shown;
mod suspect;

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use enrich::answered::{answered, best};
use enrich::tables::Tables;
use model::{Answered, Enrichment, OnlineSource, Question};
use record::review::{Review, path_of};

pub(super) use self::choice::show_sources;
use self::own::Own;
pub(super) use self::plan::LeftOut;
use self::plan::Plan;
use super::item::{Asked, What};
use crate::arguments::OnlineArguments;
use crate::commands::confirm;
use crate::exit::Exit;
use crate::output::{self, Talk, Usage};

/// What has to be typed before anything of a case is sent.
const AGREED: &str = "yes";

/// A case whose items are asked about.
pub(super) struct OfCase<'a> {
    pub(super) folder: &'a Path,
    pub(super) opened: &'a record::case::OpenCase,
}

/// Answers for each item, in the order of the items, and how the asking ended.
pub(super) struct Online {
    pub(super) answers: Vec<Vec<Answered>>,
    pub(super) exit: Exit,
}

/// What was answered before, and where it is wanted now. `items`: each with whether it is left out unless
/// the person ticks it, and why.
///
/// Errors: wrong usage; this is the computer under examination; the file of answers cannot be used.
pub(super) fn look_up(
    items: &[(Asked, Option<LeftOut>)],
    of_case: Option<&OfCase<'_>>,
    arguments: &OnlineArguments,
    tables: &Tables,
    talk: Talk,
) -> Result<Online> {
    let path = of_case.map(|it| path_of(it.folder));
    let chosen = choice::chosen(arguments.online.as_deref())?;
    let settings = settings::Settings::of(arguments)?;
    let own = Own::of(of_case.map(|it| it.opened), &arguments.never)?;
    let mut exit = Exit::Done;
    if arguments.online.is_some() {
        if !arguments.from_this_computer
            && let Some(why) = suspect::why(of_case.map(|it| it.opened))
        {
            return Err(why.refusal());
        }
        let plan = Plan::of(items, &chosen, &settings, &own, tables, &arguments.tick)?;
        let known = path.as_deref().map(Review::read).transpose()?.flatten();
        let plan = plan.without_what_is_known(known.as_ref(), observe::now())?;
        drop(known);
        exit = plan.exit();
        shown::plan(&plan, &settings, of_case.is_some(), talk);
        let agreed = of_case.is_none() || plan.asks.is_empty() || {
            confirm::check(arguments.yes)?;
            let question = format!("Type {AGREED} to ask them:");
            arguments.yes || confirm::ask(&question, AGREED)?
        };
        if agreed && !plan.asks.is_empty() {
            output::keep_files_private();
            let review = path.as_deref().map(Review::write).transpose()?;
            let done = asking::ask(plan, &settings, review, talk)?;
            exit = exit.and(done.exit);
            if of_case.is_none() {
                return Ok(Online {
                    answers: of_items(items, &done.enrichments, tables),
                    exit,
                });
            }
        }
    } else if of_case.is_some() {
        let plan = Plan::of(items, &chosen, &settings, &own, tables, &arguments.tick)?;
        shown::plan(&plan, &settings, true, talk);
        talk.say(shown::NOTHING_SENT);
    }
    let stored = match path.as_deref().map(stored) {
        Some(Ok(stored)) => stored,
        // What is known here is told all the same.
        Some(Err(error)) => {
            talk.say(&format!("The answers of others are not used: {error:#}\n"));
            exit = exit.and(Exit::Damaged);
            Vec::new()
        }
        None => Vec::new(),
    };
    Ok(Online {
        answers: of_items(items, &stored, tables),
        exit,
    })
}

/// All that was ever answered for a case.
fn stored(path: &Path) -> Result<Vec<Enrichment>> {
    let Some(review) = Review::read(path)? else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    let read = review.each(&mut |it| all.push(it));
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(all)
}

/// What a source is asked to learn of an item: registries know only what was registered of a name.
fn question(item: &Asked, source: OnlineSource, tables: &Tables) -> Option<Question> {
    match &item.what {
        What::Address(ip, _) => Some(Question::Address(ip.to_canonical())),
        What::Network(first, length, _) => {
            model::Network::new(*first, *length).map(Question::Network)
        }
        What::Name(name) => {
            let is_registry = matches!(source, OnlineSource::Rdap | OnlineSource::Whois);
            let registered = tables.registry_suffix(&name.ascii).registrable;
            Some(match registered.filter(|_| is_registry) {
                Some(registered) => Question::Name(registered.to_owned()),
                None => Question::Name(name.ascii.clone()),
            })
        }
        What::Hash(_, hash) => model::FileHash::parse(hash).map(Question::Hash),
    }
}

/// What others have answered before, of each source what counts.
///
/// Errors: of the file.
pub(super) fn answers(item: &Asked, review: &Review, tables: &Tables) -> Result<Vec<Answered>> {
    let mut answers = Vec::new();
    for source in OnlineSource::ALL {
        if let Some(question) = question(item, source, tables) {
            let all = review.of(source, &question)?;
            answers.extend(best(&all).map(answered));
        }
    }
    Ok(answers)
}

/// What others are asked about an item. `Err`: why they are not to be; `hosts`: the names of the computers
/// here.
pub(super) fn may_be_asked(
    item: &Asked,
    hosts: &[String],
    tables: &Tables,
) -> Result<Question, &'static str> {
    // Of those that take everything as it is.
    let asked = question(item, OnlineSource::VirusTotal, tables);
    let question = asked.ok_or("no source knows such hashes")?;
    match Own::named(hosts).why_not(&question, tables) {
        Some(why) => Err(why),
        None => Ok(question),
    }
}

/// For each item of each source what counts.
fn of_items(
    items: &[(Asked, Option<LeftOut>)],
    enrichments: &[Enrichment],
    tables: &Tables,
) -> Vec<Vec<Answered>> {
    let mut all: HashMap<_, Vec<&Enrichment>> = HashMap::new();
    for it in enrichments {
        let key = (it.source, &it.question);
        all.entry(key).or_default().push(it);
    }
    let of_item = |(item, _): &(Asked, _)| {
        let answers = OnlineSource::ALL.into_iter().filter_map(|source| {
            let question = question(item, source, tables)?;
            let all = all.get(&(source, &question))?;
            best(all.iter().copied()).map(answered)
        });
        answers.collect()
    };
    items.iter().map(of_item).collect()
}

/// Whether somebody has typed what only makes sense where others are asked.
pub(super) fn check(arguments: &OnlineArguments, items: &[String]) -> Result<()> {
    let is_source =
        |word: &&String| *word == choice::ALL || OnlineSource::from_word(word).is_some();
    if let (Some(_), Some(word)) = (&arguments.online, items.iter().find(is_source)) {
        // It would ask all of them.
        let text = format!("{word} is a source, and no item\nhelp: --online={word}, with the sign");
        return Err(Usage(text).into());
    }
    if arguments.online.is_some() && cfg!(not(feature = "network")) {
        let text = "this whocalls cannot ask others: it was built without the network";
        return Err(Usage(text.to_owned()).into());
    }
    Ok(())
}
