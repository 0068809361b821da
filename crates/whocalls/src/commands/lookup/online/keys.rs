//! The keys of a person for sources that want one: from a file for her eyes only, or from the environment.
//! They are never shown.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use enrich::sources::Key;
use model::OnlineSource;

use crate::commands::record::recipients::short_bytes;
use crate::output::Usage;

const LONGEST_FILE: u64 = 64 * 1024;
/// Before the word of the source, in upper case.
const VARIABLE: &str = "WHOCALLS_KEY_";

/// Errors: the file cannot be read, others may read it too, or a line is of no source.
pub(super) fn keys(file: Option<&Path>) -> Result<BTreeMap<OnlineSource, Key>> {
    let mut keys = BTreeMap::new();
    for source in OnlineSource::ALL {
        let name = format!("{VARIABLE}{}", source.word().to_uppercase());
        if let Ok(text) = std::env::var(&name)
            && !text.trim().is_empty()
        {
            keys.insert(source, checked(text.trim()).context(name)?);
        }
    }
    let Some(path) = file else {
        return Ok(keys);
    };
    let cannot = || format!("cannot read the keys in {}", path.display());
    let open = File::open(path).with_context(cannot)?;
    only_for_its_owner(&open, path)?;
    let bytes = short_bytes(open, LONGEST_FILE).with_context(cannot)?;
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{} is no text", path.display()))?;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line is not quoted: it may be a key.
        let wrong = |why: &str| Usage(format!("{}, line {number}: {why}", path.display()));
        let form = "it is not of the form: source = key";
        let (word, key) = line.split_once('=').ok_or_else(|| wrong(form))?;
        let source = OnlineSource::from_word(word.trim());
        let source = source.ok_or_else(|| wrong("there is no such source"))?;
        let key = checked(key.trim()).map_err(|why| wrong(&why.to_string()))?;
        keys.insert(source, key);
    }
    Ok(keys)
}

fn checked(text: &str) -> Result<Key> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain {
        Ok(Key::new(text))
    } else {
        Err(anyhow!(
            "the key is empty, or has characters that no key has"
        ))
    }
}

#[cfg(unix)]
fn only_for_its_owner(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata()?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let text = format!(
        "others may read the keys in {}\nhelp: chmod 600 {}",
        path.display(),
        path.display()
    );
    Err(Usage(text).into())
}

#[cfg(not(unix))]
fn only_for_its_owner(_: &File, _: &Path) -> Result<()> {
    Ok(())
}
