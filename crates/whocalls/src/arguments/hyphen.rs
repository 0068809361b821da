//! A term of a filter that begins with a hyphen looks like an option. Whoever writes one is told how
//! it is written; whoever mistypes an option is not told to search for it.

use std::ffi::OsString;

use clap::Error;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The same error or, where a term of a filter was taken for an option, one that names the term. Without the
/// tip to pass it behind `--`, as a value: hardly anybody means that, and it would be a filter that finds nothing.
/// `arguments` are those of the command line, the program's name first.
pub(super) fn explained(mut error: Error, arguments: &[OsString]) -> Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    if error.get(ContextKind::SuggestedArg).is_none() {
        error.remove(ContextKind::Suggested);
    }
    if let Some((term, tip)) = term(arguments) {
        let tip = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        error.insert(ContextKind::InvalidArg, ContextValue::String(term));
        error.insert(ContextKind::Suggested, tip);
    }
    error
}

/// The first term that looks like an option, and what to write instead.
fn term(arguments: &[OsString]) -> Option<(String, String)> {
    let words = arguments.iter().skip(1).map_while(|word| word.to_str());
    let words: Vec<_> = words.take_while(|word| *word != "--").collect();
    let place = words.iter().position(|word| is_term(word))?;
    let (before, term) = (words.get(..place)?, *words.get(place)?);
    let takes_filter = before.iter().any(|word| ["list", "watch"].contains(word));
    let command = if takes_filter { "" } else { "whocalls list " };
    let tip = format!(
        "a filter that begins with a hyphen is written {command}--filter={}",
        quoted(term)
    );
    Some((term.to_owned(), tip))
}

/// `-proc:curl`, `-"free text"`, `-(port:80 or port:443)`
fn is_term(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('-') else {
        return false;
    };
    let key = rest.split_once(':').map_or("", |(key, _)| key);
    let is_key = !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphabetic());
    is_key || rest.starts_with(['(', '"'])
}

/// What a shell takes for this one word.
fn quoted(term: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_:,.@%+/".contains(letter);
    if term.chars().all(is_plain) {
        term.to_owned()
    } else if cfg!(windows) {
        show::wireshark::quoted(term.as_bytes())
    } else {
        format!("'{}'", term.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &[&str], expected: Option<&str>) {
        let arguments: Vec<_> = line.iter().map(OsString::from).collect();
        let written = term(&arguments).map(|(_, tip)| tip);
        let written = written
            .as_deref()
            .and_then(|tip| tip.split(" is written ").nth(1));
        assert_eq!(written, expected, "{line:?}");
    }

    #[test]
    fn a_term_is_told_from_an_option() {
        check(&["w", "list", "-proc:curl"], Some("--filter=-proc:curl"));
        check(
            &["w", "watch", "--ndjson", "-user:root"],
            Some("--filter=-user:root"),
        );
        check(&["w", "-port:80"], Some("whocalls list --filter=-port:80"));
        check(
            &["w", "list", "-(port:80 or exe:/tmp/*)"],
            Some("--filter='-(port:80 or exe:/tmp/*)'"),
        );
        check(
            &["w", "list", r#"-"it's""#],
            Some(r#"--filter='-"it'\''s"'"#),
        );
        check(&["w", "list", "-x", "--jso", "-1:2", "-:"], None);
        check(&["w", "watch", "--until-exit", "--", "-proc:curl"], None);
    }
}
