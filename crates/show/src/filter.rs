//! The filter language: picks connections and processes, the same in every command and screen.
//! A text goes in, a [`Filter`] that says yes or no comes out; `docs/filter.md` is its manual.
//!
//! The text becomes tokens (`lexer`), these an expression (`parser`) of terms whose values are
//! typed by their key (`key`, `value`); `facts` holds an expression against what is known.

mod address;
mod error;
mod expression;
mod facts;
mod glob;
mod key;
mod lexer;
mod number;
mod parser;
mod value;
mod words;

use std::fmt;

use model::{Asked, Connection, Detail, Event, Finding, Process, Text, Timestamp};

use crate::findings::Found;

pub use error::FilterError;

use expression::Expression;
use facts::{About, Subject};

/// What a person wants to see. The default matches everything.
///
/// Prints as a text that reads back as the same filter, control characters included: whoever
/// shows it to a person makes those visible first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// `None`: everything matches.
    expression: Option<Expression>,
}

impl Filter {
    /// Reads a filter for one look; a text of nothing but spaces matches everything.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let expression = parser::parse(text, &key::NOT_KNOWN_AT_ONE_MOMENT)?;
        Ok(Self { expression })
    }

    /// The same for a run that watches, and so knows more.
    pub fn parse_for_watch(text: &str) -> Result<Self, FilterError> {
        let expression = parser::parse(text, &key::NOT_KNOWN_OVER_TIME)?;
        Ok(Self { expression })
    }

    /// The same for the live screen, which knows all there is to ask for.
    pub fn parse_for_screen(text: &str) -> Result<Self, FilterError> {
        let expression = parser::parse(text, &[])?;
        Ok(Self { expression })
    }

    /// Whether a connection is wanted. `process` is the one behind it, `None` when that is not
    /// known; `now` is the moment from which ages count.
    pub fn matches(
        &self,
        connection: &Connection,
        process: Option<&Process>,
        user: Option<&Text>,
        now: Timestamp,
    ) -> bool {
        self.holds(&Subject {
            connection: Some(connection),
            process,
            user,
            name: None,
            findings: About::Nothing,
            now,
        })
    }

    /// The same where it is known what rules say.
    pub(crate) fn matches_among(
        &self,
        connection: Option<&Connection>,
        process: Option<&Process>,
        user: Option<&Text>,
        found: &Found,
        now: Timestamp,
    ) -> bool {
        self.holds(&Subject {
            connection,
            process,
            user,
            name: None,
            findings: About::Among(found),
            now,
        })
    }

    /// Whether a finding is wanted, as the one that a connection has.
    pub(crate) fn matches_finding(
        &self,
        finding: &Finding,
        connection: Option<&Connection>,
        process: Option<&Process>,
        now: Timestamp,
    ) -> bool {
        self.holds(&Subject {
            connection,
            process,
            user: process.and_then(|process| process.user.as_ref()),
            name: None,
            findings: About::One(finding),
            now,
        })
    }

    /// Whether a name that was asked for is wanted. `connection` is the one that it was asked on;
    /// `None`: all facts about a connection are absent. `process` is the one that asked, `None` when
    /// that is not known. No other event is wanted by itself.
    pub fn matches_name_seen(
        &self,
        event: &Event,
        connection: Option<&Connection>,
        process: Option<&Process>,
    ) -> bool {
        let Detail::Name(seen) = &event.detail else {
            return false;
        };
        self.holds(&Subject {
            connection,
            process,
            user: process.and_then(|process| process.user.as_ref()),
            name: seen.name.as_ref(),
            findings: About::Nothing,
            now: event.time,
        })
    }

    /// The same of all questions of one asker for a name.
    pub(crate) fn matches_asked(
        &self,
        asked: &Asked,
        process: Option<&Process>,
        now: Timestamp,
    ) -> bool {
        self.holds(&Subject {
            connection: None,
            process,
            user: process.and_then(|process| process.user.as_ref()),
            name: Some(&asked.name),
            findings: About::Nothing,
            now,
        })
    }

    /// Whether a process is wanted where processes are listed, with or without connections: all
    /// facts about a connection are absent.
    pub fn matches_process(&self, process: &Process, now: Timestamp) -> bool {
        self.holds(&Subject {
            connection: None,
            process: Some(process),
            user: process.user.as_ref(),
            name: None,
            findings: About::Nothing,
            now,
        })
    }

    /// Whether everything matches because nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.expression.is_none()
    }

    fn holds(&self, subject: &Subject<'_>) -> bool {
        self.expression
            .as_ref()
            .is_none_or(|expression| subject.satisfies(expression))
    }
}

/// The words before the colon; the live screen can answer all of them.
pub(crate) fn keys() -> impl Iterator<Item = &'static str> {
    key::Key::ALL.iter().map(|key| key.word())
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression
            .as_ref()
            .map_or(Ok(()), |expression| expression.fmt(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use key::Key;

    const MANUAL: &str = include_str!("../../../docs/filter.md");

    #[test]
    fn every_filter_in_the_manual_can_be_read() {
        let mut examples = 0;
        let mut inside = false;
        for line in MANUAL.lines() {
            if line.starts_with("```") {
                inside = line == "```filter";
            } else if inside {
                examples += 1;
                if let Err(error) = Filter::parse(line) {
                    assert!(error.not_known_here, "{error}");
                }
            }
        }
        assert!(examples > 20, "only {examples} examples found");
    }

    #[test]
    fn every_key_stands_in_the_manual() {
        for key in Key::ALL {
            let row = format!("| `{}:` |", key.word());
            assert!(MANUAL.contains(&row), "{row}");
        }
    }

    #[test]
    fn who_watches_knows_what_is_new() {
        assert!(Filter::parse("new:1h").unwrap_err().not_known_here);
        assert!(Filter::parse_for_watch("new:1h").is_ok());
        for text in ["name:*.example", "ja4:t13d*"] {
            assert!(Filter::parse(text).unwrap_err().not_known_here);
            assert!(Filter::parse_for_watch(text).is_ok());
            assert!(Filter::parse_for_screen(text).is_ok());
        }
        for text in ["every:60s", "severity:high", "rule:tor"] {
            assert!(Filter::parse_for_watch(text).unwrap_err().not_known_here);
        }
        assert!(Filter::parse_for_screen("severity:high rule:tor every:<5m").is_ok());
    }

    #[test]
    fn nothing_asked_matches_everything() {
        for text in ["", "  \t\n "] {
            let filter = Filter::parse(text).unwrap();
            assert!(filter.is_empty());
            assert_eq!(filter, Filter::default());
            assert_eq!(filter.to_string(), "");
        }
        assert!(!Filter::parse("curl").unwrap().is_empty());
    }
}
