//! Patterns with `*` and `?`, held against whole texts.

use std::borrow::Cow;

/// A text in which `*` stands for any characters, also none and also `/`, and `?` for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    /// In lower case when letters compare without regard to case.
    pattern: String,
    case: Case,
}

/// Whether `A` and `a` are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Matters,
    Ignored,
}

impl Glob {
    pub(super) fn new(pattern: &str, case: Case) -> Self {
        Self {
            pattern: case.applied(pattern).into_owned(),
            case,
        }
    }

    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Takes at most as many steps as pattern times text, whatever the pattern.
    pub(super) fn matches(&self, text: &str) -> bool {
        matches(&self.pattern, &self.case.applied(text))
    }
}

impl Case {
    fn applied(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Matters => Cow::Borrowed(text),
            Self::Ignored => Cow::Owned(lower(text)),
        }
    }
}

/// Each character in lower case by itself, so that a part of a text becomes the same part of
/// the result (`str::to_lowercase` looks at neighbours).
pub(super) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Only the last `*` is ever tried again: what an earlier one could take, the last can take too.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut last_star = None;
    loop {
        let (mut pattern_rest, mut text_rest) = (pattern.clone(), text.clone());
        let stepped = match (pattern_rest.next(), text_rest.next()) {
            (Some('*'), _) if pattern_rest.as_str().is_empty() => return true,
            (Some('*'), _) => {
                last_star = Some((pattern_rest.clone(), text.clone()));
                text_rest = text.clone();
                true
            }
            (Some(wanted), Some(found)) => wanted == '?' || wanted == found,
            (None, None) => return true,
            (Some(_), None) => return false,
            (None, Some(_)) => false,
        };
        if stepped {
            (pattern, text) = (pattern_rest, text_rest);
            continue;
        }
        let Some((after_star, taken)) = &mut last_star else {
            return false;
        };
        taken.next();
        (pattern, text) = (after_star.clone(), taken.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(pattern: &str, text: &str, expected: bool) {
        let glob = Glob::new(pattern, Case::Matters);
        assert_eq!(glob.matches(text), expected, "{pattern} on {text}");
    }

    #[test]
    fn matches_whole_texts() {
        check("curl", "curl", true);
        check("curl", "curly", false);
        check("curl", "Curl", false);
        check("cur?", "curl", true);
        check("cur?", "cur", false);
        check("?", "é", true);
        check("*", "", true);
        check("/tmp/*", "/tmp/a/b", true);
        check("/tmp/*", "/var/tmp/a", false);
        check("*a*b*c", "xxaxxbxxc", true);
        check("*a*b*c", "xxbxxaxxc", false);
        check("*.com", "a.com.com", true);
    }

    #[test]
    fn case_can_be_ignored() {
        assert!(Glob::new("*.Example.COM", Case::Ignored).matches("www.eXample.com"));
        assert!(Glob::new("ÉTÉ", Case::Ignored).matches("été"));
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        let (pattern, text) = ("*a".repeat(2_000) + "b", "a".repeat(4_000));
        check(&pattern, &text, false);
    }

    /// The meaning in one line per case; takes exponential time.
    fn naive(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
            (['?', rest @ ..], [_, others @ ..]) => naive(rest, others),
            ([wanted, rest @ ..], [found, others @ ..]) => wanted == found && naive(rest, others),
            ([], [_, ..]) | ([_, ..], []) => false,
        }
    }

    proptest! {
        #[test]
        fn does_what_the_naive_one_does(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
            let (pattern_list, text_list): (Vec<_>, Vec<_>) =
                (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text), naive(&pattern_list, &text_list));
        }

        #[test]
        fn lower_case_stays_lower_case(text in any::<String>()) {
            prop_assert_eq!(lower(&lower(&text)), lower(&text));
        }
    }
}
