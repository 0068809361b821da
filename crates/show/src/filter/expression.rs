//! A filter as it is understood: terms under `and`, `or` and `not`.

use std::fmt::{self, Display as _};

use super::key::Key;
use super::value::{Value, write_quoted};

/// What must hold. Made by [`Expression::all`], [`Expression::any`] and [`Expression::negated`],
/// which leave no list within a list of the same kind and no double `not`, so that equal text
/// means equal expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Term(Term),
}

/// One thing that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    /// In lower case; to be found in any of the usual facts.
    FreeText(String),
    /// The fact, or one of the facts, of `key` is one of `values`.
    Fact { key: Key, values: Vec<Value> },
}

impl Expression {
    pub(super) fn all(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::All(parts) => parts,
            Self::Any(_) | Self::Not(_) | Self::Term(_) => vec![part],
        });
        Self::only(flat.collect()).unwrap_or_else(Self::All)
    }

    pub(super) fn any(parts: Vec<Self>) -> Self {
        let flat = parts.into_iter().flat_map(|part| match part {
            Self::Any(parts) => parts,
            Self::All(_) | Self::Not(_) | Self::Term(_) => vec![part],
        });
        Self::only(flat.collect()).unwrap_or_else(Self::Any)
    }

    pub(super) fn negated(self) -> Self {
        match self {
            Self::Not(inner) => *inner,
            Self::All(_) | Self::Any(_) | Self::Term(_) => Self::Not(Box::new(self)),
        }
    }

    /// The part of a list of one; `Err` gives back any other list.
    fn only(parts: Vec<Self>) -> Result<Self, Vec<Self>> {
        let one: [Self; 1] = parts.try_into()?;
        let [part] = one;
        Ok(part)
    }

    fn write_list(
        f: &mut fmt::Formatter<'_>,
        parts: &[Self],
        between: &str,
        in_brackets: fn(&Self) -> bool,
    ) -> fmt::Result {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                f.write_str(between)?;
            }
            if in_brackets(part) {
                write!(f, "({part})")?;
            } else {
                part.fmt(f)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => {
                Self::write_list(f, parts, " ", |part| matches!(part, Self::Any(_)))
            }
            Self::Any(parts) => Self::write_list(f, parts, " or ", |_| false),
            Self::Not(inner) if matches!(**inner, Self::Term(_)) => write!(f, "-{inner}"),
            Self::Not(inner) => write!(f, "-({inner})"),
            Self::Term(term) => term.fmt(f),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FreeText(text) => write_quoted(f, text),
            Self::Fact { key, values } => {
                write!(f, "{}:", key.word())?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    value.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(text: &str) -> Expression {
        Expression::Term(Term::FreeText(text.to_owned()))
    }

    fn check(expression: &Expression, expected: &str) {
        assert_eq!(expression.to_string(), expected);
    }

    #[test]
    fn brackets_stand_only_where_they_are_needed() {
        let (all, any) = (
            Expression::all(vec![term("a"), term("b")]),
            Expression::any(vec![term("c"), term("d")]),
        );
        check(&all, "\"a\" \"b\"");
        check(&any, "\"c\" or \"d\"");
        check(
            &Expression::all(vec![all.clone(), any.clone()]),
            "\"a\" \"b\" (\"c\" or \"d\")",
        );
        check(
            &Expression::any(vec![all.clone(), any.clone()]),
            "\"a\" \"b\" or \"c\" or \"d\"",
        );
        check(&term("a").negated(), "-\"a\"");
        check(&all.clone().negated(), "-(\"a\" \"b\")");
        check(&all.negated().negated(), "\"a\" \"b\"");
    }
}
