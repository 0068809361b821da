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

#[cfg(test)]
mod tests {
    use model::{Network, Reply, Timestamp};

    use super::*;

    fn answer(source: OnlineSource, question: Question, asked: i64, text: &str) -> Enrichment {
        Enrichment {
            source,
            question,
            asked: Timestamp::from_unix_nanos(asked),
            replies: vec![Reply {
                asked: String::new(),
                host: "rdap.example".to_owned(),
                status: Some(200),
                bytes: text.as_bytes().to_vec(),
            }],
            failure: None,
        }
    }

    fn range(first: &str, last: &str, name: &str) -> String {
        format!(
            r#"{{"objectClassName":"ip network","startAddress":"{first}","endAddress":"{last}","name":"{name}"}}"#
        )
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_newest_answer_of_a_source_names_the_holder() {
        let asked = Question::Address(ip("216.6.0.28"));
        let rdap = |asked_at, text: &str| answer(OnlineSource::Rdap, asked.clone(), asked_at, text);
        let mut answers = Answers::default();
        answers.add(&rdap(1, &range("216.6.0.0", "216.6.0.255", "OLD")));
        answers.add(&rdap(2, &range("216.6.0.0", "216.6.1.255", "NEW")));
        let holder = |at| {
            answers
                .holder(ip(at))
                .map(|it| it.name.lossy().into_owned())
        };
        assert_eq!(holder("216.6.0.28").as_deref(), Some("NEW"));
        assert_eq!(holder("216.6.1.1").as_deref(), Some("NEW"));
        assert_eq!(holder("216.6.2.1"), None);
    }

    #[test]
    fn an_answer_about_other_addresses_names_no_holder() {
        let mut answers = Answers::default();
        let other = range("8.8.0.0", "8.8.255.255", "OTHER");
        for question in [
            Question::Address(ip("216.6.0.28")),
            Question::Name("wikipedia.org".to_owned()),
        ] {
            answers.add(&answer(OnlineSource::Rdap, question, 1, &other));
        }
        assert_eq!(answers.holder(ip("8.8.8.8")), None);
        assert_eq!(answers.holder(ip("216.6.0.28")), None);
    }

    #[test]
    fn what_is_listed_is_bad_and_not_all_around_it() {
        let list = "{\"cidr\":\"2.56.4.0/22\",\"sblid\":\"SBL1\",\"rir\":\"ripencc\"}\n\
                    {\"type\":\"metadata\",\"timestamp\":1790000000,\"size\":1,\"records\":1}\n";
        let of = |question| {
            let mut answers = Answers::default();
            answers.add(&answer(OnlineSource::Drop, question, 1, list));
            answers.list().map(|it| it.indicators.len())
        };
        assert_eq!(of(Question::Address(ip("2.56.4.7"))), Some(1));
        assert_eq!(of(Question::Address(ip("2.56.8.7"))), None);
        let network = Network::new(ip("2.56.0.0"), 16).unwrap();
        assert_eq!(of(Question::Network(network)), None);
    }

    #[test]
    fn a_failure_takes_nothing_back() {
        let question = Question::Address(ip("2.56.4.7"));
        let good = answer(
            OnlineSource::Rdap,
            question.clone(),
            1,
            &range("2.56.4.0", "2.56.7.255", "A"),
        );
        let bad = answer(OnlineSource::Rdap, question, 2, "<html>");
        assert_eq!(best([&good, &bad]), Some(&good));
        assert_eq!(best([&bad]), Some(&bad));
        assert_eq!(best([]), None);
    }
}
