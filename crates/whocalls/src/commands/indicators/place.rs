//! Where lists are kept: in the folder that the person names; else in `indicators` beside whocalls, when
//! that lies on a drive that is taken along, or somebody has made the folder. Never silently on the
//! computer under examination.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::into;
use crate::output::Usage;

const FOLDER: &str = "indicators";

/// Errors: wrong usage: it was not said, and nobody can be asked.
pub(super) fn to_write(asked_for: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = asked_for {
        return Ok(folder.to_path_buf());
    }
    let beside = observe::places::program_folder();
    let is_fit =
        |folder: &PathBuf| observe::places::is_removable(folder) || folder.join(FOLDER).is_dir();
    if let Some(folder) = beside.filter(is_fit) {
        return Ok(folder.join(FOLDER));
    }
    if !into::can_ask() {
        let text = "where the lists are to be kept was not said, and there is no terminal to ask on\n\
                    help: --into FOLDER, best on the stick that whocalls runs from";
        return Err(Usage(text.to_owned()).into());
    }
    let answer = into::question(
        "Where are the lists to be kept? Best is a folder on the stick that whocalls runs from: what is \
         written to the computer under examination may overwrite traces.\nThe folder, or Enter to stop: ",
    )?;
    if answer.is_empty() {
        return Err(Usage("nothing was kept: no folder was named".to_owned()).into());
    }
    Ok(answer.into())
}

/// Whether every command reads what is kept there, also where no folder is named.
pub(super) fn is_beside(folder: &Path) -> bool {
    let whole = |folder: &Path| folder.canonicalize().ok();
    to_read(None).is_some_and(|beside| whole(&beside) == whole(folder))
}

/// `None`: nothing was ever kept there.
pub(super) fn to_read(asked_for: Option<&Path>) -> Option<PathBuf> {
    if let Some(folder) = asked_for {
        return Some(folder.to_path_buf());
    }
    let beside = observe::places::program_folder()?.join(FOLDER);
    beside.is_dir().then_some(beside)
}
