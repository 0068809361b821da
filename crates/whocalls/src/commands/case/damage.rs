//! What of a case is not as it was recorded, kept until all that can be read has been shown.

use std::collections::BTreeMap;

use anyhow::anyhow;
use record::case::{Error, OpenCase, Problem};

use crate::output;

/// More are counted and not said one by one.
pub(crate) const MOST_SAID: usize = 10;

/// Why each file is not as it was; each is said once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Damage(BTreeMap<String, String>);

impl Damage {
    /// What showed when the case was opened.
    pub(crate) fn of(case: &OpenCase) -> Self {
        let mut damage = Self::default();
        damage.add_problems(case.problems());
        damage
    }

    pub(crate) fn add_problems(&mut self, problems: &[Problem]) {
        for problem in problems {
            self.add(problem.file().unwrap_or_default(), problem.to_string());
        }
    }

    /// Keeps damage of this file, and hands back what is none.
    pub(crate) fn take(&mut self, error: Error) -> Result<(), Error> {
        let Error::Damaged { place, why, .. } = error else {
            return Err(error);
        };
        self.add(&place, format!("{place}: {why}"));
        Ok(())
    }

    /// `text` names the file.
    pub(crate) fn add(&mut self, file: &str, text: String) {
        // An encrypted file is the same one.
        let file = file.strip_suffix(".age").unwrap_or(file);
        self.0.entry(file.to_owned()).or_insert(text);
    }

    /// Keeps what another one has found, too.
    pub(crate) fn join(&mut self, other: Self) {
        for (file, text) in other.0 {
            self.0.entry(file).or_insert(text);
        }
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Says it on standard error, also where little is to be said.
    pub(crate) fn say(&self) {
        if self.is_none() {
            return;
        }
        for text in self.0.values().take(MOST_SAID) {
            output::failure(&anyhow!("the case is damaged: {text}"));
        }
        let more = self.0.len().saturating_sub(MOST_SAID);
        if more > 0 {
            output::failure(&anyhow!("the case is damaged: {more} more files or places"));
        }
        output::failure(&anyhow!(
            "it is not as it was recorded: what can be read of it is shown, and may be wrong or \
             not all\nhelp: 'whocalls verify CASE' checks every file"
        ));
    }
}
