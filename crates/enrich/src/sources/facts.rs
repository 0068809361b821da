//! What a source says beside its standing, bounded, in the order in which a person wants to see it.

use std::net::IpAddr;

use model::{Opinion, Question, Said, Standing, Text};

use crate::files::time::time;

/// Of one answer.
pub(super) const MOST: usize = 16;
/// Of one fact, in characters; what is longer ends in an ellipsis.
pub(super) const LONGEST: usize = 200;

#[derive(Default)]
pub(super) struct Facts(Vec<(&'static str, Text)>);

impl Facts {
    /// A fact that is not there, or empty, takes no room.
    pub(super) fn add(&mut self, name: &'static str, text: impl Into<Option<String>>) {
        if let Some(text) = text.into()
            && !text.trim().is_empty()
            && self.0.len() < MOST
        {
            self.0.push((name, shortened(text.trim()).into()));
        }
    }

    /// Says it where an answer names another address or name than was asked for.
    pub(super) fn about(&mut self, question: &Question, answered: Option<String>) {
        let Some(answered) = answered else { return };
        let is_same = match question {
            Question::Address(address) => answered
                .parse()
                .is_ok_and(|it: IpAddr| it.to_canonical() == address.to_canonical()),
            Question::Name(name) => answered.trim_end_matches('.').eq_ignore_ascii_case(name),
            // A file has several hashes, and is named by another one than was asked for.
            Question::Network(_) | Question::Hash(_) => true,
        };
        if !is_same {
            self.add("answer is about", answered);
        }
    }

    pub(super) fn said(self, standing: Standing) -> Said {
        Said::Opinion(Opinion {
            standing,
            facts: self.0,
        })
    }
}

pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
    }
}

/// The day in UTC of a time in any form that services write. `None`: it is none.
pub(super) fn day(text: &str) -> Option<String> {
    let time = time(text)?.told()?.to_string();
    time.get(..10).map(str::to_owned)
}

/// `1 URL`, `2 URLs`.
pub(super) fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_bounded_and_never_empty() {
        let mut facts = Facts::default();
        facts.add("none", None);
        facts.add("empty", " ".to_owned());
        for _ in 0..100 {
            facts.add("long", "ä".repeat(1000));
        }
        assert_eq!(facts.0.len(), MOST);
        for (_, text) in &facts.0 {
            let text = text.lossy();
            assert_eq!(text.chars().count(), LONGEST);
            assert!(text.ends_with('…'));
        }
        assert_eq!(shortened(&"a".repeat(LONGEST)), "a".repeat(LONGEST));
    }

    #[test]
    fn days_are_days() {
        for text in [
            "1545339294",
            "2018-12-20T20:55:14+00:00",
            "2018-12-20 20:55:14",
        ] {
            assert_eq!(day(text).as_deref(), Some("2018-12-20"), "{text}");
        }
        assert_eq!(day("0"), None);
        assert_eq!(day("soon"), None);
    }

    #[test]
    fn an_answer_about_something_else_says_so() {
        let question = Question::Address([1, 1, 1, 1].into());
        for (answered, expected) in [("1.1.1.1", 0), ("::ffff:1.1.1.1", 0), ("1.1.1.2", 1)] {
            let mut facts = Facts::default();
            facts.about(&question, Some(answered.to_owned()));
            assert_eq!(facts.0.len(), expected, "{answered}");
        }
    }
}
