//! What an answer without registration data says: that there is none, or that we were not answered.

use model::{Failure, Said};

use super::text::Answer;
use crate::sources::registries;

/// What servers write where they know nothing.
const NOTHING: [&str; 26] = [
    "no match",
    "not found",
    "no entries found",
    "no data found",
    "no data was found",
    "nothing found",
    "no object found",
    "no objects found",
    "no found",
    "no such domain",
    "does not exist",
    "no information",
    "no records",
    "not registered",
    "no matching",
    "not been registered",
    "is free",
    "is available",
    "available for registration",
    "available for purchase",
    "status: free",
    "status: available",
    "no whois",
    "object_not_found",
    "invalid query or domain name not known",
    "unallocated resource",
];

/// What they write where they do not want to answer any more.
const TOO_OFTEN: [&str; 15] = [
    "limit exceeded",
    "rate exceeded",
    "limit reached",
    "limited exceeded",
    "rate limit",
    "too many",
    "access denied",
    "quota exceeded",
    "exceeded the maximum",
    "exceeded your",
    "have exceeded",
    "excessive querying",
    "queries exceeded",
    "access control limit",
    "try again later",
];

pub(super) fn of(answer: &Answer) -> Said {
    let lines = || answer.comments.iter().chain(&answer.prose);
    // RIPE and those with its program: `%ERROR:201: access denied for ...`.
    if let Some((code, text)) = lines().find_map(|line| error(line)) {
        return match code {
            101 => Said::NoData,
            201 | 202 | 208 => Said::Failed(Failure::AskedTooOften(None)),
            _ => {
                let text = registries::kept(text);
                Said::Failed(Failure::Status(code, text))
            }
        };
    }
    let pairs = answer
        .pairs()
        .map(|pair| format!("{}: {}", pair.key, pair.value));
    let all: Vec<String> = lines().cloned().chain(pairs).collect();
    let has = |words: &[&str]| {
        let mut lines = all.iter().map(|line| line.to_lowercase());
        lines.any(|line| words.iter().any(|word| line.contains(word)))
    };
    // Terms of use speak of too many questions in long sentences; answers do not.
    let is_short = all.len() <= 12 || answer.objects.is_empty();
    if is_short && has(&TOO_OFTEN) {
        return Said::Failed(Failure::AskedTooOften(None));
    }
    if has(&NOTHING) {
        return Said::NoData;
    }
    let what = if answer.is_page {
        "a web page came where lines should be"
    } else if all.is_empty() {
        "nothing came"
    } else {
        "text without registration data"
    };
    Said::Failed(Failure::Unreadable(what.to_owned()))
}

/// LACNIC: `Query rate limit exceeded. Reduced information.`
pub(super) fn is_reduced(answer: &Answer) -> bool {
    let mut lines = answer.comments.iter();
    lines.any(|line| line.to_lowercase().contains("reduced information"))
}

fn error(line: &str) -> Option<(u16, &str)> {
    let line = line.trim_start();
    let (word, rest) = line.split_at_checked("ERROR:".len())?;
    if !word.eq_ignore_ascii_case("ERROR:") {
        return None;
    }
    let (code, text) = rest.split_once(':')?;
    Some((code.trim().parse().ok()?, text.trim()))
}
