//! Patterns (STIX 2.1, 9) as far as they name values: comparisons with `=`, `IN` or `ISSUBSET`, joined
//! by `OR`. What asks for several things at once names none by itself, unless all but one of them only
//! say more of the same: that an address is one, its port, the name of a file beside its hash (as MISP
//! writes them).

/// More comparisons of one pattern are not read.
const MOST: usize = 4096;
/// Paths of properties are short. Each comparison keeps its own, so that a long one would count
/// thousands of times.
const LONGEST_LEFT: usize = 256;

const ODD: &str = "its pattern is not understood";
const MORE: &str = "its pattern asks for more than a value";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// The object and its property, as in `file:hashes.SHA256`; quotes are left out.
    pub(super) left: String,
    pub(super) value: String,
}

/// Errors: why it names no values.
pub(super) fn comparisons(pattern: &str) -> Result<Vec<Comparison>, &'static str> {
    let mut tokens = Tokens { rest: pattern };
    let mut found = Vec::new();
    // What is joined by `AND` so far: each with all its values.
    let mut joined: Vec<(String, Vec<String>)> = Vec::new();
    let mut is_compared = false;
    let mut is_within = false;
    let mut values = 0;
    while let Some(token) = tokens.next_token() {
        let left = joined.last_mut();
        let is_open = left.as_ref().is_some_and(|(_, values)| values.is_empty());
        match token {
            Token::Sign('[') => is_within = true,
            Token::Sign(']') => is_within = false,
            Token::Sign('(' | ')' | ',') => {}
            Token::Sign('=') if is_open => is_compared = true,
            Token::Sign(_) => return Err(MORE),
            Token::Text(value) => match left {
                Some((_, all)) if is_compared => {
                    values += 1;
                    if values > MOST {
                        return Err("its pattern has too many values");
                    }
                    all.push(value);
                }
                _ => return Err(ODD),
            },
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "OR" => {
                    tell(std::mem::take(&mut joined), &mut found)?;
                    is_compared = false;
                }
                "AND" if is_within && is_compared => is_compared = false,
                "IN" | "ISSUBSET" if is_open => is_compared = true,
                "AND" | "FOLLOWEDBY" | "NOT" | "LIKE" | "MATCHES" | "ISSUPERSET" | "EXISTS"
                | "WITHIN" | "REPEATS" | "START" | "STOP" => return Err(MORE),
                // A number; no value that is compared here is one.
                number if is_compared && number.parse::<u64>().is_ok() => match left {
                    Some((left, all)) if says_more(left) => all.push(word),
                    _ => return Err(ODD),
                },
                _ if !is_compared && word.contains(':') && word.len() <= LONGEST_LEFT => {
                    joined.push((word, Vec::new()));
                }
                _ => return Err(ODD),
            },
            Token::Open => return Err(ODD),
        }
    }
    tell(joined, &mut found)?;
    if found.is_empty() {
        Err(ODD)
    } else {
        Ok(found)
    }
}

/// What is joined by `AND` names the values of the one that all others say more of.
fn tell(
    joined: Vec<(String, Vec<String>)>,
    found: &mut Vec<Comparison>,
) -> Result<(), &'static str> {
    if joined.iter().any(|(_, values)| values.is_empty()) {
        return Err(ODD);
    }
    let is_hash = |left: &str| left.starts_with("file:hashes.");
    // Several hashes of one file: the one that is computed of files that run.
    let best = joined.iter().filter(|(left, _)| is_hash(left));
    let is_computed = |left: &str| {
        let left = left.replace('-', "").to_ascii_lowercase();
        left.ends_with("sha256")
    };
    let best = best.max_by_key(|(left, _)| is_computed(left));
    let best = best.map(|(left, _)| left.clone());
    let mut named = joined.into_iter().filter(|(left, _)| match &best {
        Some(best) => left == best || !left.starts_with("file:"),
        None => !says_more(left),
    });
    let Some((left, values)) = named.next() else {
        return Ok(());
    };
    if named.next().is_some() {
        return Err(MORE);
    }
    found.extend(values.into_iter().map(|value| Comparison {
        left: left.clone(),
        value,
    }));
    Ok(())
}

/// Whether a property only says more of what another one names.
fn says_more(left: &str) -> bool {
    let of_traffic = left.strip_prefix("network-traffic:");
    let of_traffic = of_traffic.is_some_and(|it| {
        matches!(
            it,
            "dst_ref.type" | "src_ref.type" | "dst_port" | "src_port" | "is_active"
        ) || it.starts_with("protocols")
    });
    of_traffic || left.starts_with("domain-name:resolves_to_refs")
}

enum Token {
    Sign(char),
    /// In quotes.
    Text(String),
    /// A path of a property, or a word of the language.
    Word(String),
    /// A text that does not end.
    Open,
}

struct Tokens<'a> {
    rest: &'a str,
}

impl Tokens<'_> {
    fn next_token(&mut self) -> Option<Token> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        match first {
            '\'' => Some(match self.text() {
                Some(text) => Token::Text(text),
                None => Token::Open,
            }),
            '[' | ']' | '(' | ')' | ',' | '=' | '!' | '<' | '>' => {
                self.rest = self.rest.get(1..).unwrap_or_default();
                Some(Token::Sign(first))
            }
            _ => Some(self.word()),
        }
    }

    /// `\'` and `\\` stand for themselves (9.3).
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.char_indices().skip(1);
        while let Some((at, character)) = characters.next() {
            match character {
                '\'' => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(text);
                }
                '\\' => text.push(characters.next()?.1),
                _ => text.push(character),
            }
        }
        None
    }

    /// Quotes may stand within a path: `hashes.'SHA-256'`.
    fn word(&mut self) -> Token {
        let mut word = String::new();
        let mut is_quoted = false;
        let mut is_indexed = false;
        let mut end = self.rest.len();
        for (at, character) in self.rest.char_indices() {
            match character {
                '\'' => is_quoted = !is_quoted,
                _ if is_quoted => word.push(character),
                // All of a list, or one of it: `refs[*]`.
                '[' if word.contains(':') => {
                    is_indexed = true;
                    word.push(character);
                }
                ']' if is_indexed => {
                    is_indexed = false;
                    word.push(character);
                }
                '[' | ']' | '(' | ')' | ',' | '=' | '!' | '<' | '>' => {
                    end = at;
                    break;
                }
                _ if character.is_whitespace() => {
                    end = at;
                    break;
                }
                _ => word.push(character),
            }
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        if is_quoted {
            Token::Open
        } else {
            Token::Word(word)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(pattern: &str, expected: &[(&str, &str)]) {
        let found = comparisons(pattern).unwrap_or_default();
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.left.as_str(), it.value.as_str()))
            .collect();
        assert_eq!(found, expected, "{pattern}");
    }

    #[test]
    fn both_spellings_of_a_hash_are_read() {
        check("[file:hashes.sha256='aa']", &[("file:hashes.sha256", "aa")]);
        check(
            "[file:hashes.'SHA-256' = 'aa']",
            &[("file:hashes.SHA-256", "aa")],
        );
    }

    #[test]
    fn values_that_are_joined_by_or_are_all_read() {
        check(
            "[a:b='1' OR a:b='2'] OR [c:d IN ('3','4')]",
            &[("a:b", "1"), ("a:b", "2"), ("c:d", "3"), ("c:d", "4")],
        );
        check(
            "[ipv4-addr:value ISSUBSET '192.0.2.0/24']",
            &[("ipv4-addr:value", "192.0.2.0/24")],
        );
        check(r"[file:path='C:\\a\'b']", &[("file:path", r"C:\a'b")]);
    }

    #[test]
    fn what_asks_for_more_names_nothing() {
        for pattern in [
            "",
            "[",
            "[]",
            "[a:b='1' AND c:d='2']",
            "[a:b='1' AND c:d='2' OR e:f='3']",
            "[a:b='1'] AND [network-traffic:dst_port=443]",
            "[a:b='1' AND ='2']",
            "[a:b=7]",
            "[network-traffic:dst_port = 443]",
            "[network-traffic:dst_ref.type = 'ipv4-addr']",
            "[file:name='a' AND file:size=7]",
            "[file:hashes.MD5='aa' AND file:hashes.MD5='bb']",
            "[file:hashes.MD5='aa' AND a:b='1']",
            "[a:b LIKE '1%']",
            "[a:b != '1']",
            "[a:b='1",
            "['1'='2']",
            "[a:b MATCHES 'x']",
            "[a:b.'c='1']",
        ] {
            check(pattern, &[]);
        }
    }

    #[test]
    fn what_only_says_more_of_the_same_is_passed_over() {
        check(
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1' AND \
             network-traffic:dst_port = 443]",
            &[("network-traffic:dst_ref.value", "192.0.2.1")],
        );
        check(
            "[domain-name:value = 'evil.example' AND domain-name:resolves_to_refs[*].value = '192.0.2.1']",
            &[("domain-name:value", "evil.example")],
        );
        check(
            "[file:name = 'a.exe' AND file:hashes.'SHA-256' = 'bb' AND file:hashes.MD5 = 'aa'] OR [c:d = '1']",
            &[("file:hashes.SHA-256", "bb"), ("c:d", "1")],
        );
        check(
            "[(network-traffic:dst_ref.type='ipv4-addr' OR network-traffic:dst_ref.type='ipv6-addr') AND \
             network-traffic:dst_ref.value IN ('192.0.2.1', '192.0.2.2')]",
            &[
                ("network-traffic:dst_ref.value", "192.0.2.1"),
                ("network-traffic:dst_ref.value", "192.0.2.2"),
            ],
        );
    }

    #[test]
    fn a_long_path_is_not_kept_for_each_value() {
        let values = vec!["'x'"; 4000].join(",");
        let pattern = |length: usize| format!("[{}:b IN ({values})]", "a".repeat(length));
        assert_eq!(comparisons(&pattern(100)).map(|it| it.len()), Ok(4000));
        assert!(comparisons(&pattern(1 << 20)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(pattern in "[a-c:.=' \\\\\\[\\]()OR,!\u{e4}]{0,60}") {
            let _ = comparisons(&pattern);
        }

        #[test]
        fn a_value_reads_back(value in "\\PC{0,40}") {
            let escaped = value.replace('\\', r"\\").replace('\'', r"\'");
            let found = comparisons(&format!("[a:b='{escaped}']")).unwrap();
            prop_assert_eq!(&found[0].value, &value);
        }
    }
}
