//! What others have answered before, for whoever shows addresses and judges: whose an address is, and what
//! is on lists of what is harmful.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{
    AddressFacts, Answered, Confidence, Enrichment, Indicator, IndicatorList, IndicatorValue,
    KnowsAddresses, ListMeaning, ListOrigin, OnlineSource, Opinion, Question, RegisteredHolder,
    Registration, ReplyFacts, Said, Standing, Text,
};

use sha2::{Digest, Sha256};

use crate::sources;
use crate::tables::Tables;

/// What such a list is called.
const LIST: &str = "answers of others";

/// One answer, for people.
pub fn answered(enrichment: &Enrichment) -> Answered {
    let said = sources::said(enrichment);
    let own_link = match &said {
        Said::Registration(it) => it.link.as_ref().map(|it| it.lossy().into_owned()),
        Said::Announced(_) | Said::Names(_) | Said::Opinion(_) | Said::NoData | Said::Failed(_) => {
            None
        }
    };
    let replies = enrichment.replies.iter().map(|it| ReplyFacts {
        asked: it.asked.clone(),
        host: it.host.clone(),
        status: it.status,
        sha256: Sha256::digest(&it.bytes).into(),
        bytes: it.bytes.len(),
    });
    Answered {
        source: enrichment.source,
        question: enrichment.question.clone(),
        asked: enrichment.asked,
        link: own_link.or_else(|| sources::link(enrichment.source, &enrichment.question)),
        said,
        replies: replies.collect(),
    }
}

/// The one that counts of what a source said to one question: the newest, and a failure only where there is
/// nothing else, since that somebody cannot be asked again takes nothing back.
pub fn best<'of>(all: impl IntoIterator<Item = &'of Enrichment>) -> Option<&'of Enrichment> {
    let rated = all.into_iter().map(|it| {
        let is_answer = !matches!(sources::said(it), Said::Failed(_));
        ((is_answer, it.asked), it)
    });
    let best = rated.max_by_key(|(rate, _)| *rate);
    best.map(|(_, it)| it)
}

/// The newest answer of each source to each question.
#[derive(Debug, Default)]
pub struct Answers {
    holders: Vec<Held>,
    bad: BTreeMap<(Question, OnlineSource), Indicator>,
}

/// A range, and who has it.
#[derive(Debug)]
struct Held {
    question: Question,
    first: IpAddr,
    last: IpAddr,
    holder: RegisteredHolder,
}

impl Answers {
    /// One more, newer than those before.
    pub fn add(&mut self, enrichment: &Enrichment) {
        let key = || (enrichment.question.clone(), enrichment.source);
        match sources::said(enrichment) {
            Said::Registration(registration) => {
                let is_older = |it: &Held| {
                    it.question == enrichment.question && it.holder.source == enrichment.source
                };
                self.holders.retain(|it| !is_older(it));
                self.holders.extend(held(enrichment, &registration));
            }
            Said::Opinion(opinion) if opinion.standing == Standing::Bad => {
                let indicator = indicator(enrichment, &opinion);
                self.bad.extend(indicator.map(|it| (key(), it)));
            }
            Said::Opinion(_) | Said::NoData => drop(self.bad.remove(&key())),
            // That it could not be asked again takes nothing back.
            Said::Announced(_) | Said::Names(_) | Said::Failed(_) => {}
        }
    }

    /// Of the narrowest range, and of RDAP before WHOIS; then the newest.
    pub fn holder(&self, ip: IpAddr) -> Option<&RegisteredHolder> {
        let fitting = self
            .holders
            .iter()
            .filter(|it| it.first <= ip && ip <= it.last);
        let best = fitting.min_by(|one, other| {
            let width = |it: &Held| {
                (
                    bits(it.last).saturating_sub(bits(it.first)),
                    it.holder.source,
                )
            };
            width(one)
                .cmp(&width(other))
                .then(other.holder.asked.cmp(&one.holder.asked))
        });
        best.map(|it| &it.holder)
    }

    /// What others list as harmful, as a list of indicators. `None`: nothing.
    pub fn list(&self) -> Option<IndicatorList> {
        let indicators: Vec<_> = self.bad.values().cloned().collect();
        let published = indicators.iter().filter_map(|it| it.published).max();
        (!indicators.is_empty()).then(|| IndicatorList {
            name: LIST.to_owned(),
            publisher: None,
            licence: None,
            link: None,
            published,
            meaning: ListMeaning::KnownBad,
            format: "answers",
            origin: ListOrigin::Embedded,
            indicators,
            skipped: 0,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.holders.is_empty() && self.bad.is_empty()
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// `None`: it is not about addresses, or names nobody.
fn held(enrichment: &Enrichment, registration: &Registration) -> Option<Held> {
    let organisation = registration.organisation.as_ref();
    let name = organisation.and_then(|it| it.name.clone());
    let name = name.or_else(|| registration.name.clone())?;
    let country = organisation.and_then(|it| it.country.clone());
    let asked = match &enrichment.question {
        Question::Address(ip) => (*ip, *ip),
        Question::Network(network) => (network.first(), network.last()),
        Question::Name(_) | Question::Hash(_) => return None,
    };
    let (first, last) = registration.range.unwrap_or(asked);
    // A registry that answers about other addresses than it was asked about is not believed.
    if asked.0 < first || last < asked.1 {
        return None;
    }
    Some(Held {
        question: enrichment.question.clone(),
        first,
        last,
        holder: RegisteredHolder {
            name,
            country: country.or_else(|| registration.country.clone()),
            source: enrichment.source,
            asked: enrichment.asked,
        },
    })
}

fn indicator(enrichment: &Enrichment, opinion: &Opinion) -> Option<Indicator> {
    let value = match &enrichment.question {
        Question::Address(ip) => IndicatorValue::Address(*ip),
        // That something of it is listed says nothing of the rest.
        Question::Network(_) => return None,
        Question::Name(name) => IndicatorValue::Name {
            name: name.clone(),
            below: false,
        },
        Question::Hash(hash) => IndicatorValue::Hash(*hash),
    };
    let fact = opinion.facts.first();
    let about = fact.map(|(name, value): &(&str, Text)| format!("{name}: {}", value.lossy()));
    let about = match about {
        Some(about) => format!("{} ({about})", enrichment.source.title()),
        None => enrichment.source.title().to_owned(),
    };
    Some(Indicator {
        value,
        about: Some(Arc::from(about.as_str())),
        confidence: Confidence::Medium,
        published: Some(enrichment.asked),
    })
}

/// The tables, and what registries have said since.
pub struct WithAnswers {
    tables: Arc<Tables>,
    answers: Arc<Answers>,
}

impl WithAnswers {
    pub fn new(tables: Arc<Tables>, answers: Arc<Answers>) -> Self {
        Self { tables, answers }
    }
}

impl KnowsAddresses for WithAnswers {
    fn address(&self, ip: IpAddr) -> AddressFacts {
        AddressFacts {
            holder: self.answers.holder(ip.to_canonical()).cloned(),
            ..self.tables.address(ip)
        }
    }
}
