//! Which sources are asked.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Result;
use enrich::sources;
use model::{OnlineSource, Question};

use super::settings::Settings;
use crate::arguments::OnlineArguments;
use crate::output::Usage;

/// The word for all that harm little.
pub(super) const ALL: &str = "all";

/// What a person chose: the sources, and whether each was named.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) sources: Vec<OnlineSource>,
    /// Named one by one: a person who names a source wants to hear why it is not asked.
    pub(super) named: Vec<OnlineSource>,
}

/// Whether it may tell the other side, so that it has to be named.
fn has_to_be_named(source: OnlineSource) -> bool {
    source == OnlineSource::ReverseDns
}

/// `None`: nobody is to be asked, and what would be is shown.
///
/// Errors: wrong usage: no such source.
pub(super) fn chosen(words: Option<&str>) -> Result<Chosen> {
    let mut chosen = Chosen::default();
    for word in words.unwrap_or(ALL).split(',').map(str::trim) {
        if word == ALL {
            let usual = OnlineSource::ALL.into_iter();
            chosen
                .sources
                .extend(usual.filter(|it| !has_to_be_named(*it)));
            continue;
        }
        let source = OnlineSource::from_word(word).ok_or_else(|| Usage(unknown(word)))?;
        chosen.sources.push(source);
        chosen.named.push(source);
    }
    chosen.sources.sort_unstable();
    chosen.sources.dedup();
    Ok(chosen)
}

fn unknown(word: &str) -> String {
    if let Some(gone) = sources::gone(word) {
        return format!(
            "{} cannot be asked: {}\nhelp: {}",
            gone.name, gone.what_happened, gone.instead
        );
    }
    let words: Vec<_> = OnlineSource::ALL.iter().map(|it| it.word()).collect();
    format!(
        "there is no source {word}\nhelp: {ALL}, or some of: {}",
        words.join(", ")
    )
}

/// A table of all sources, for `lookup --sources`.
///
/// Errors: wrong usage.
pub(in crate::commands::lookup) fn show_sources(arguments: &OnlineArguments) -> Result<String> {
    let settings = Settings::of(arguments)?;
    let mut text = String::new();
    for source in OnlineSource::ALL {
        let takes: Vec<_> = kinds(source).collect();
        let key = match (sources::needs_key(source), settings.has_key(source)) {
            (false, _) => "",
            (true, true) => ", with your key",
            (true, false) => ", wants a key: yours is not there",
        };
        let named = if has_to_be_named(source) {
            ", asked only where it is named"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "{} ({}): {}{key}{named}",
            source.word(),
            source.title(),
            takes.join(", ")
        );
        let mut told = BTreeSet::new();
        for question in questions().filter(|it| sources::takes(source, it)) {
            let learns = sources::learns(source, &question);
            if told.insert((learns.what, learns.receiver)) {
                let risk = learns.risk.word();
                let _ = writeln!(text, "  learns  {} (risk {risk})", learns.what);
                let _ = writeln!(text, "  who     {}", learns.receiver);
            }
        }
    }
    text.push_str("\nNot there any more:\n");
    for gone in sources::GONE {
        let _ = writeln!(
            text,
            "{}: {}; {}",
            gone.name, gone.what_happened, gone.instead
        );
    }
    Ok(text)
}

/// One of each kind.
fn questions() -> impl Iterator<Item = Question> {
    [
        "1.1.1.1".parse().ok().map(Question::Address),
        // Of those that standards set apart nothing is taken.
        Some(Question::Name("wikipedia.org".to_owned())),
        Some(Question::Hash(model::FileHash::Sha256([0; 32]))),
    ]
    .into_iter()
    .flatten()
}

fn kinds(source: OnlineSource) -> impl Iterator<Item = &'static str> {
    let taken = questions().filter(move |it| sources::takes(source, it));
    taken.map(|it| match it {
        Question::Address(_) | Question::Network(_) => "addresses",
        Question::Name(_) => "names",
        Question::Hash(_) => "hashes",
    })
}
