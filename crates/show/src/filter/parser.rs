//! Makes an expression of a text. `docs/filter.md` has the grammar.

use std::ops::Range;

use super::error::{Fault, FilterError, quoted};
use super::expression::{Expression, Term};
use super::key::Key;
use super::lexer::{Lexer, Placed, Token};

/// Longest text, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// Deepest brackets; what is made here is walked by recursion.
const MOST_NESTING: usize = 64;
const MOST_TERMS: usize = 1024;

/// Keys that are switched off, and why.
pub(super) type NotKnownHere = [(Key, &'static str)];

/// `None`: there is no term in the text.
pub(super) fn parse(
    text: &str,
    not_known_here: &NotKnownHere,
) -> Result<Option<Expression>, FilterError> {
    if text.len() > MOST_BYTES {
        let end = text.floor_char_boundary(MOST_BYTES);
        let fault = Fault::new(format!("the filter is longer than {MOST_BYTES} bytes"));
        let kept = text.get(..end).unwrap_or("");
        return Err(FilterError::new(kept, end..end, fault));
    }
    let mut parser = Parser {
        lexer: Lexer::new(text),
        ahead: None,
        behind: 0..0,
        nesting: 0,
        terms: 0,
        not_known_here,
        not_known: None,
    };
    parser.step()?;
    if parser.ahead.is_none() {
        return Ok(None);
    }
    let expression = parser.any()?;
    if let Some(Placed { place, .. }) = parser.ahead {
        return Err(parser
            .lexer
            .error(place, Fault::new("no bracket is open here")));
    }
    parser.not_known.map_or(Ok(Some(expression)), Err)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    /// The token to be read next; `None` at the end.
    ahead: Option<Placed>,
    /// Where the token before `ahead` stands.
    behind: Range<usize>,
    /// How many brackets are open.
    nesting: usize,
    terms: usize,
    not_known_here: &'a NotKnownHere,
    /// The first term that this build cannot answer; any other error is told before it.
    not_known: Option<FilterError>,
}

impl Parser<'_> {
    /// Goes one token further.
    fn step(&mut self) -> Result<Option<Token>, FilterError> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.ahead, next).map(|placed| {
            self.behind = placed.place;
            placed.token
        }))
    }

    fn ahead_is(&self, token: &Token) -> bool {
        self.ahead
            .as_ref()
            .is_some_and(|placed| placed.token == *token)
    }

    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all()?];
        while self.ahead_is(&Token::Or) {
            self.step()?;
            parts.push(self.all()?);
        }
        Ok(Expression::any(parts))
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.one()?];
        loop {
            if self.ahead_is(&Token::And) {
                self.step()?;
            } else if self.ahead.is_none()
                || self.ahead_is(&Token::Or)
                || self.ahead_is(&Token::Close)
            {
                return Ok(Expression::all(parts));
            }
            parts.push(self.one()?);
        }
    }

    fn one(&mut self) -> Result<Expression, FilterError> {
        let mut negated = false;
        while self.ahead_is(&Token::Not) {
            self.step()?;
            negated = !negated;
        }
        let expression = match &self.ahead {
            Some(Placed {
                token: Token::FreeText(_) | Token::Fact { .. },
                ..
            }) => self.term()?,
            Some(Placed {
                token: Token::Open, ..
            }) => self.bracket()?,
            Some(Placed {
                token: Token::And | Token::Or | Token::Not | Token::Close,
                ..
            })
            | None => return Err(self.nothing_there()),
        };
        Ok(if negated {
            expression.negated()
        } else {
            expression
        })
    }

    fn bracket(&mut self) -> Result<Expression, FilterError> {
        self.step()?;
        let open = self.behind.clone();
        self.nesting += 1;
        if self.nesting > MOST_NESTING {
            let fault = Fault::new(format!("brackets are nested deeper than {MOST_NESTING}"));
            return Err(self.lexer.error(open, fault));
        }
        let expression = self.any()?;
        if !self.ahead_is(&Token::Close) {
            return Err(self
                .lexer
                .error(open, Fault::new("this bracket is not closed")));
        }
        self.step()?;
        self.nesting -= 1;
        Ok(expression)
    }

    fn term(&mut self) -> Result<Expression, FilterError> {
        let token = self.step()?;
        self.terms += 1;
        if self.terms > MOST_TERMS {
            let fault = Fault::new(format!("there are more than {MOST_TERMS} terms"));
            let fault = fault.help("one term takes many values: port:80,443");
            return Err(self.lexer.error(self.behind.clone(), fault));
        }
        match token {
            Some(Token::FreeText(text)) => Ok(Expression::Term(Term::FreeText(text))),
            Some(Token::Fact { key, values }) => {
                self.note_if_not_known(key);
                Ok(Expression::Term(Term::Fact { key, values }))
            }
            Some(Token::Open | Token::Close | Token::And | Token::Or | Token::Not) | None => {
                Err(self.nothing_there())
            }
        }
    }

    fn note_if_not_known(&mut self, key: Key) {
        let switched_off = self.not_known_here.iter().find(|(off, _)| *off == key);
        if let Some((_, why)) = switched_off
            && self.not_known.is_none()
        {
            let fault = Fault::new(format!("'{}:' is not known here: {why}", key.word()));
            let mut error = self.lexer.error(self.behind.clone(), fault);
            error.not_known_here = true;
            self.not_known = Some(error);
        }
    }

    /// A term or bracket should stand here, and something else or nothing does.
    fn nothing_there(&self) -> FilterError {
        let behind = self.lexer.slice(&self.behind);
        let (message, place) = match &self.ahead {
            Some(Placed {
                token: Token::Close,
                place,
            }) => match behind {
                "" => ("no bracket is open here".to_owned(), place),
                "(" => ("nothing stands between the brackets".to_owned(), place),
                _ => (format!("nothing follows {}", quoted(behind)), &self.behind),
            },
            Some(placed) => {
                let word = quoted(self.lexer.slice(&placed.place));
                (format!("nothing stands before {word}"), &placed.place)
            }
            None => (format!("nothing follows {}", quoted(behind)), &self.behind),
        };
        self.lexer.error(place.clone(), Fault::new(message))
    }
}

#[cfg(test)]
mod tests;
