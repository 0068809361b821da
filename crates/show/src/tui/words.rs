//! Words that can follow in a filter.

use std::collections::BTreeSet;

use model::{Direction, Severity, Snapshot, State};

use crate::filter;

/// What the word before the cursor can become: how many of its bytes are replaced, and by what.
pub(super) fn filter_words(before: &str, snapshot: Option<&Snapshot>) -> (usize, Vec<String>) {
    let word = before.rsplit([' ', '(']).next().unwrap_or_default();
    let word = word.strip_prefix('-').unwrap_or(word);
    let Some((key, value)) = word.split_once(':') else {
        let keys = filter::keys().map(|key| format!("{key}:"));
        return (word.len(), beginning(word, keys));
    };
    let values: BTreeSet<String> = match (key, snapshot) {
        ("state", _) => State::ALL.map(|it| it.word().to_owned()).into(),
        ("severity", _) => Severity::ALL.map(|it| it.word().to_owned()).into(),
        ("rule", Some(snapshot)) => {
            let rules = snapshot.findings.iter().map(|it| it.rule);
            rules.filter(|it| is_plain(it)).map(str::to_owned).collect()
        }
        ("dir", _) => Direction::ALL.map(|it| it.word().to_owned()).into(),
        ("proc", Some(snapshot)) => {
            let names = snapshot
                .processes
                .values()
                .filter_map(|it| it.name.as_utf8());
            names.filter(|it| is_plain(it)).map(str::to_owned).collect()
        }
        ("user", Some(snapshot)) => {
            let names = snapshot.processes.values();
            let names = names.filter_map(|it| it.user.as_ref()?.as_utf8());
            names.filter(|it| is_plain(it)).map(str::to_owned).collect()
        }
        ("name", Some(snapshot)) => {
            let asked = snapshot.asked.iter().map(|it| &it.name);
            let connections = snapshot.connections.iter();
            let names = asked.chain(connections.filter_map(|it| Some(&it.name.as_ref()?.name)));
            let names = names.filter_map(|it| it.as_utf8());
            names.filter(|it| is_plain(it)).map(str::to_owned).collect()
        }
        ("proto", Some(snapshot)) => {
            let words = snapshot.connections.iter().map(|it| it.protocol.word());
            words.map(str::to_owned).collect()
        }
        _ => BTreeSet::new(),
    };
    (value.len(), beginning(value, values))
}

fn beginning(typed: &str, words: impl IntoIterator<Item = String>) -> Vec<String> {
    let words = words.into_iter();
    words.filter(|word| word.starts_with(typed)).collect()
}

/// Whether it can be written in a filter as it is.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|it| it.is_alphanumeric() || "._-+".contains(it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::sample;

    fn check(before: &str, expected: (usize, &[&str])) {
        let (typed, words) = filter_words(before, Some(&sample::desk()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!((typed, words.as_slice()), expected);
    }

    #[test]
    fn keys_and_values_are_completed() {
        check("proc:firefox (-sta", (3, &["state:"]));
        check("state:est", (3, &["established"]));
        check("proc:fire", (4, &["firefox"]));
        check("port:4", (1, &[]));
    }
}
