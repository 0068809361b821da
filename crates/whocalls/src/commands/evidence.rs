//! What a command is to look at: a case, or captures and logs of other tools.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};

use super::case;
use crate::output::Usage;
use crate::platform::as_text;

/// What was named on the command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    Case(PathBuf),
    Files(Vec<PathBuf>),
}

/// What the first words name, and the words that are left: the filter. `None`: nothing is named, and
/// this computer is meant.
///
/// Errors: a case beside other things.
pub(super) fn named(words: &[String]) -> Result<(Option<Evidence>, &[String])> {
    // A term of a filter has a colon, unless a file is called so.
    let count = words.iter().take_while(|word| is_there(word)).count();
    let (named, words) = words.split_at(count);
    if let Some(word) = words.iter().find(|word| is_meant_as_file(word)) {
        let text = format!(
            "there is no file {word}\nhelp: to search for the text, write --filter {}",
            as_text(word)
        );
        return Err(Usage(text).into());
    }
    let evidence = match named {
        [] => None,
        [case] if case::is_case(case) => Some(Evidence::Case(PathBuf::from(case))),
        several => {
            let packed =
                |word: &String| record::pack::before_reading(word).filter(|_| !is_folder(word));
            if let Some((word, help)) = several.iter().find_map(|it| Some((it, packed(it)?))) {
                return Err(Usage(format!("{word} is packed\nhelp: {help}")).into());
            }
            if let Some(case) = several.iter().find(|word| case::is_case(word)) {
                let text = format!(
                    "{case} is a case, and is looked at by itself\nhelp: whocalls import {case} \
                     FILE... takes other files into it"
                );
                return Err(Usage(text).into());
            }
            if let Some(case) = several.iter().find_map(|word| case_within(word)) {
                // Read as other files, its connections would count several times.
                let text = format!(
                    "there is a case in this folder, and a case is looked at by itself\nhelp: name it: {}",
                    case.display()
                );
                return Err(Usage(text).into());
            }
            Some(Evidence::Files(several.iter().map(PathBuf::from).collect()))
        }
    };
    Ok((evidence, words))
}

/// That nothing was named, where something has to be.
pub(super) fn missing(words: &[String]) -> anyhow::Error {
    match words.first() {
        Some(word) => anyhow!("there is no case, file or folder {word}"),
        None => Usage("which case, file or folder?".to_owned()).into(),
    }
}

fn is_there(word: &str) -> bool {
    Path::new(word).exists()
}

fn is_folder(word: &str) -> bool {
    Path::new(word).is_dir()
}

/// The first case that lies in a folder, as `record --into` puts it there.
fn case_within(word: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(word).ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| path.to_str().is_some_and(case::is_case))
        .min()
}

/// Whether a word that names no file was meant to: it would be a filter that finds nothing.
fn is_meant_as_file(word: &str) -> bool {
    const ENDINGS: [&str; 11] = [
        "pcap", "pcapng", "cap", "log", "json", "evtx", "txt", "csv", "gz", "zip", "age",
    ];
    let ending = Path::new(word).extension().and_then(|it| it.to_str());
    !word.contains(':') && !is_there(word) && ending.is_some_and(|it| ENDINGS.contains(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_no_filter() {
        let named = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|it| (*it).to_owned()).collect();
            let found = named(&words);
            found
                .map(|(evidence, words)| (evidence.is_some(), words.len()))
                .ok()
        };
        assert_eq!(
            named(&["proc:a.log", "curl", "192.0.2.7"]),
            Some((false, 3))
        );
        assert_eq!(named(&["missing.pcap"]), None);
        assert_eq!(named(&["missing.zip.age"]), None);
        assert_eq!(named(&["Cargo.toml", "port:53"]), Some((true, 1)));
        assert_eq!(named(&["Cargo.toml", "missing.json"]), None);
        // A case lies in it.
        assert_eq!(named(&["../../examples"]), None);
    }
}
