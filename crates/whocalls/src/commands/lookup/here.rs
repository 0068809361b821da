//! What is known here of one item, for the screen: from what was opened before the rights were given up.
//! Nobody is asked.

use std::sync::Arc;

use anyhow::Result;
use enrich::files::Table;
use enrich::matching::Matcher;
use enrich::tables::Tables;
use model::{Answered, IndicatorList, Item, LookedUp, Question, Said, Timestamp};
use record::review::Review;
use show::tui::Found;

use super::item::Asked;
use super::known::Known;
use super::{look_up, online};
use crate::commands::answers;

pub(crate) struct Here {
    tables: Arc<Tables>,
    known: Known,
}

impl Here {
    pub(crate) fn new(
        tables: Arc<Tables>,
        matcher: Arc<Matcher>,
        facts: Vec<(IndicatorList, Table)>,
    ) -> Self {
        Self {
            tables,
            known: Known::of(matcher, facts),
        }
    }

    /// `item`: as it was seen. `hosts`: names of computers here, about which nobody is asked. `review`: what
    /// others have said before.
    ///
    /// Errors: why it cannot be looked up, for a person.
    pub(crate) fn look_up(
        &self,
        item: &str,
        hosts: &[String],
        review: Option<&Review>,
    ) -> Result<Found, String> {
        let asked = Asked::parse(item)?;
        let answers = review.map(|it| online::answers(&asked, it, &self.tables));
        let answers = answers.transpose();
        let mut looked_up = LookedUp {
            answers: answers
                .map_err(|error| format!("{error:#}"))?
                .unwrap_or_default(),
            ..look_up(&asked, &self.tables, &self.known)
        };
        // Of an answer about a wider range there is no answer to this question.
        if let Item::Address(item) = &mut looked_up.what {
            let loaded = answers::loaded();
            item.facts.holder = loaded.and_then(|it| it.holder(item.ip).cloned());
        }
        let question = online::may_be_asked(&asked, hosts, &self.tables);
        Ok(Found {
            looked_up,
            question: question.map_err(str::to_owned),
        })
    }
}

/// When others last answered. `None`: they did not.
pub(crate) fn answered_of(
    question: &Question,
    review: &Review,
    tables: &Tables,
) -> Result<Option<Timestamp>> {
    let Ok(asked) = Asked::parse(&question.to_string()) else {
        return Ok(None);
    };
    let answers = online::answers(&asked, review, tables)?;
    let is_answer = |it: &&Answered| !matches!(it.said, Said::Failed(_));
    Ok(answers.iter().filter(is_answer).map(|it| it.asked).max())
}
