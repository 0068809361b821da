//! What would be asked of whom, before anything is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use enrich::answered::best;
use enrich::sources::{self, Conversation, Request};
use enrich::tables::Tables;
use model::{Enrichment, OnlineSource, Question, Said, Timestamp};
use record::review::Review;

use super::choice::Chosen;
use super::own::Own;
use super::question;
use super::settings::Settings;
use crate::commands::lookup::item::Asked;
use crate::exit::Exit;
use crate::output::Usage;

const DAY: Duration = Duration::from_secs(86_400);
/// For `--tick`: all that is left out.
const EVERYTHING: &str = "all";

/// Why an item of a case is not asked about unless the person wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands::lookup) enum LeftOut {
    /// A program of no package.
    UnpackagedHash,
    /// A host name that may be known to nobody else.
    UniqueName,
}

/// What is asked of whom.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) asks: Vec<Ask>,
    /// Items that are not asked about unless they are ticked.
    pub(super) left_out: Vec<(String, LeftOut)>,
    /// Items that are never asked about, and why.
    pub(super) never: Vec<(String, &'static str)>,
    /// Sources that want a key which is not there, and would take some of the items.
    pub(super) without_key: BTreeSet<OnlineSource>,
    /// Sources that a person named and that take none of the items.
    pub(super) useless: Vec<OnlineSource>,
    /// Some of those without a key were named by the person.
    misses_named: bool,
    /// Answers that are young enough not to be asked for again.
    pub(super) known: usize,
}

/// One question to one source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ask {
    pub(super) source: OnlineSource,
    pub(super) question: Question,
    /// Who gets the first message.
    pub(super) receiver: Option<String>,
}

impl Plan {
    /// Errors: wrong usage: something is ticked that is none of the items.
    pub(super) fn of(
        items: &[(Asked, Option<LeftOut>)],
        chosen: &Chosen,
        settings: &Settings,
        own: &Own,
        tables: &Tables,
        ticked: &[String],
    ) -> Result<Self> {
        check_ticks(items, ticked)?;
        let is_ticked = |item: &Asked| ticked.iter().any(|it| it == EVERYTHING || *it == item.text);
        let mut plan = Self::default();
        let (mut asks, mut taken) = (BTreeSet::new(), BTreeSet::new());
        for (item, left_out) in items {
            let left_out = left_out.filter(|_| !is_ticked(item));
            let mut never = None;
            for source in &chosen.sources {
                let Some(question) = question(item, *source, tables) else {
                    continue;
                };
                if let Some(why) = own.why_not(&question, tables) {
                    never = Some(why);
                    taken.insert(*source);
                    continue;
                }
                let Some(request) = first(*source, &question, settings) else {
                    continue;
                };
                taken.insert(*source);
                // What was registered of a name, and whole lists, tell nobody the item.
                let tells = !source.is_list() && question.to_string() == item.text;
                if left_out.is_some() && tells {
                    continue;
                }
                if sources::needs_key(*source) && !settings.has_key(*source) {
                    plan.without_key.insert(*source);
                    continue;
                }
                asks.insert(Ask {
                    source: *source,
                    question,
                    receiver: receiver(&request),
                });
            }
            plan.left_out
                .extend(left_out.map(|why| (item.text.clone(), why)));
            plan.never.extend(never.map(|why| (item.text.clone(), why)));
        }
        plan.asks = asks.into_iter().collect();
        let named = chosen.named.iter().copied();
        plan.useless = named.filter(|it| !taken.contains(it)).collect();
        plan.misses_named = chosen.named.iter().any(|it| plan.without_key.contains(it));
        Ok(plan)
    }

    /// The same without what was answered lately.
    ///
    /// Errors: of the file of answers.
    pub(super) fn without_what_is_known(
        mut self,
        review: Option<&Review>,
        now: Timestamp,
    ) -> Result<Self> {
        let Some(review) = review else {
            return Ok(self);
        };
        let mut left = Vec::new();
        for ask in self.asks {
            let all = review.of(ask.source, &ask.question)?;
            if best(&all).is_some_and(|it| is_young(it, now)) {
                self.known += 1;
            } else {
                left.push(ask);
            }
        }
        self.asks = left;
        Ok(self)
    }

    /// Somebody who was named is not asked.
    pub(super) fn exit(&self) -> Exit {
        match (self.misses_named, self.asks.is_empty()) {
            (false, _) => Exit::Done,
            (true, false) => Exit::Lost,
            (true, true) => Exit::Failed,
        }
    }

    /// The questions to each source.
    pub(super) fn by_source(&self) -> BTreeMap<OnlineSource, Vec<&Ask>> {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for ask in &self.asks {
            all.entry(ask.source).or_default().push(ask);
        }
        all
    }
}

fn check_ticks(items: &[(Asked, Option<LeftOut>)], ticked: &[String]) -> Result<()> {
    let is_item =
        |word: &String| word == EVERYTHING || items.iter().any(|(it, _)| it.text == *word);
    match ticked.iter().find(|word| !is_item(word)) {
        Some(word) => Err(Usage(format!("--tick {word}: the case has no such item")).into()),
        None => Ok(()),
    }
}

fn first(source: OnlineSource, question: &Question, settings: &Settings) -> Option<Request> {
    let conversation = Conversation {
        question,
        replies: &[],
        base: settings.base(source),
    };
    sources::next(source, conversation)
}

/// `None`: the server that turns names into addresses.
fn receiver(request: &Request) -> Option<String> {
    match request {
        Request::Http { url, .. } => {
            let rest = url.split_once("://")?.1;
            rest.split(['/', '?']).next().map(str::to_owned)
        }
        Request::Line { host, .. } => Some(host.clone()),
        Request::Dns { .. } => None,
    }
}

/// Whether an answer need not be asked for again. A failure is tried again at once.
fn is_young(enrichment: &Enrichment, now: Timestamp) -> bool {
    let most = match (sources::said(enrichment), &enrichment.question) {
        (Said::Failed(_), _) => return false,
        (Said::NoData, _) | (_, Question::Name(_)) => DAY,
        (_, Question::Address(_) | Question::Network(_)) => 7 * DAY,
        (_, Question::Hash(_)) => 30 * DAY,
    };
    let age = now
        .unix_nanos()
        .saturating_sub(enrichment.asked.unix_nanos());
    u64::try_from(age).is_ok_and(|age| Duration::from_nanos(age) < most)
}
