//! What others have said before of what is in a case, from the file beside it.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use enrich::answered::Answers;
use record::review::{Review, path_of};

use super::case;
use crate::output::Talk;

static LOADED: OnceLock<Arc<Answers>> = OnceLock::new();

/// Opens the answers that belong to the case among these words, if one is. To be called before rights are
/// given up. What cannot be read is said, and not used.
pub(crate) fn load(words: &[String], talk: Talk) {
    if let Some(word) = words.iter().find(|word| case::is_case(word)) {
        load_of(Path::new(word), talk);
    }
}

/// The same for the folder of a case.
pub(crate) fn load_of(case: &Path, talk: Talk) {
    match read(case) {
        Ok(Some(answers)) => drop(LOADED.set(Arc::new(answers))),
        Ok(None) => {}
        Err(error) => talk.say(&format!(
            "The answers of others are not used: {:#}\n",
            anyhow::Error::from(error)
        )),
    }
}

/// `None`: nobody was asked.
pub(crate) fn loaded() -> Option<Arc<Answers>> {
    LOADED.get().cloned()
}

fn read(case: &Path) -> Result<Option<Answers>, record::review::Error> {
    let Some(review) = Review::read(&path_of(case))? else {
        return Ok(None);
    };
    let mut answers = Answers::default();
    review.each(&mut |enrichment| answers.add(&enrichment))?;
    Ok(Some(answers).filter(|it| !it.is_empty()))
}
