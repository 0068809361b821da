//! Cuts a filter into brackets, the words `and`, `or` and `not`, and terms with their values.

use std::ops::Range;

use super::address;
use super::error::{Fault, FilterError, quoted, shown};
use super::glob::lower;
use super::key::Key;
use super::value::Value;

pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Everything before has been read.
    at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Open,
    Close,
    And,
    Or,
    /// `not`, or a `-` right before what it negates.
    Not,
    /// In lower case.
    FreeText(String),
    Fact {
        key: Key,
        values: Vec<Value>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) place: Range<usize>,
}

/// One value as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Without quotes and escapes.
    pub(super) text: String,
    pub(super) quoted: bool,
    pub(super) place: Range<usize>,
}

/// Operators of other languages: alone they are no text that anybody looks for.
const ELSEWHERE: [(&str, &str); 5] = [
    ("&&", "and"),
    ("&", "and"),
    ("||", "or"),
    ("|", "or"),
    ("!", "not"),
];

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// `None` at the end of the text.
    pub(super) fn next(&mut self) -> Result<Option<Placed>, FilterError> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        let start = self.at;
        let token = match self.peek() {
            None => return Ok(None),
            Some('(') => {
                self.at += 1;
                Token::Open
            }
            Some(')') => {
                self.at += 1;
                Token::Close
            }
            Some('-') => self.minus()?,
            Some('"') => {
                let piece = self.quoted()?;
                self.end_of_term(start)?;
                Token::FreeText(lower(&piece.text))
            }
            Some(_) => self.word()?,
        };
        Ok(Some(Placed {
            token,
            place: start..self.at,
        }))
    }

    pub(super) fn slice(&self, place: &Range<usize>) -> &'a str {
        self.text.get(place.clone()).unwrap_or("")
    }

    pub(super) fn error(&self, place: Range<usize>, fault: Fault) -> FilterError {
        FilterError::new(self.text, place, fault)
    }

    fn minus(&mut self) -> Result<Token, FilterError> {
        let start = self.at;
        self.at += 1;
        let fault = match self.peek() {
            Some('-') => Fault::new("'--' is not a term"),
            Some(next) if !next.is_whitespace() && next != ')' => return Ok(Token::Not),
            Some(_) | None => Fault::new("nothing follows '-'"),
        };
        let fault = fault.help("write -term for what must not be, \"-\" for the character itself");
        Err(self.error(start..self.at, fault))
    }

    /// A keyword, a bare free text, or a key with its values.
    fn word(&mut self) -> Result<Token, FilterError> {
        let start = self.at;
        let run = self.run(|character| ends_term(character) || character == '"');
        let place = start..start + run.len();
        if let Some((word, _)) = run.split_once(':') {
            if let Some(key) = Key::find(word) {
                self.at += word.len() + 1;
                let values = self.values(key, start)?;
                self.end_of_term(start)?;
                return Ok(Token::Fact { key, values });
            }
            let Some(address) = address::address(run) else {
                let place = start..start + word.len().max(1);
                return Err(self.error(place, unknown_key(word, run)));
            };
            self.at = place.end;
            self.end_of_term(start)?;
            return Ok(Token::FreeText(address.to_string()));
        }
        self.at = place.end;
        for (word, keyword) in [("and", Token::And), ("or", Token::Or), ("not", Token::Not)] {
            if run.eq_ignore_ascii_case(word) {
                return Ok(keyword);
            }
        }
        if let Some((_, ours)) = ELSEWHERE.iter().find(|(operator, _)| *operator == run) {
            let fault = Fault::new(format!("{} is not a term", quoted(run)));
            let fault = fault.help(format!("write '{ours}', or \"{run}\" for the text itself"));
            return Err(self.error(place, fault));
        }
        let word_end = run.find(|character: char| !character.is_ascii_alphabetic());
        if let Some((word, rest)) = run.split_at_checked(word_end.unwrap_or(run.len()))
            && let Some(key) = Key::find(word)
            && rest.starts_with(['=', '<', '>', '!'])
        {
            let fault = Fault::new(format!("no ':' follows the key '{}'", key.word()));
            let value = rest.trim_start_matches(['=', '!']);
            let minus = if rest.starts_with('!') { "-" } else { "" };
            let fault = fault.help(format!(
                "write {minus}{}:{}, or \"{}\" for the text itself",
                key.word(),
                shown(value),
                shown(run),
            ));
            return Err(self.error(place, fault));
        }
        if run.contains('*') {
            let fault = Fault::new(format!("{} is not a term", quoted(run))).help(format!(
                "patterns need a key, as in proc:{0}; for the text itself write \"{0}\"",
                shown(run),
            ));
            return Err(self.error(place, fault));
        }
        self.end_of_term(start)?;
        Ok(Token::FreeText(lower(run)))
    }

    /// The values after the colon, at least one.
    fn values(&mut self, key: Key, start: usize) -> Result<Vec<Value>, FilterError> {
        let mut values = Vec::new();
        loop {
            let piece = if self.peek() == Some('"') {
                self.quoted()?
            } else {
                let from = self.at;
                let run =
                    self.run(|character| ends_term(character) || matches!(character, ',' | '"'));
                self.at += run.len();
                if run.is_empty() {
                    return Err(self.no_value(key, start));
                }
                Piece {
                    text: run.to_owned(),
                    quoted: false,
                    place: from..self.at,
                }
            };
            let value = Value::parse(key, &piece);
            values.push(value.map_err(|fault| self.error(piece.place, fault))?);
            if self.peek() != Some(',') {
                return Ok(values);
            }
            self.at += 1;
        }
    }

    fn no_value(&self, key: Key, start: usize) -> FilterError {
        let word = key.word();
        let message = if self
            .text
            .get(..self.at)
            .is_some_and(|text| text.ends_with(','))
        {
            format!("a value of '{word}:' is missing")
        } else {
            format!("'{word}:' has no value")
        };
        let help = match self.peek() {
            Some('(') => {
                format!("write {word}:this,that for several, {word}:\"(this)\" for brackets")
            }
            _ => format!(
                "write the value without a space before it; {word}:unknown is for what is not known"
            ),
        };
        self.error(start..self.at, Fault::new(message).help(help))
    }

    /// A text between quotes, in which `\"` is a quote and `\\` a backslash.
    fn quoted(&mut self) -> Result<Piece, FilterError> {
        let start = self.at;
        let mut text = String::new();
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((offset, character)) = characters.next() {
            match character {
                '"' => {
                    self.at = start + offset + 1;
                    let place = start..self.at;
                    if text.is_empty() {
                        let fault = Fault::new("nothing stands between the quotes");
                        return Err(self.error(place, fault));
                    }
                    return Ok(Piece {
                        text,
                        quoted: true,
                        place,
                    });
                }
                '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                    Some((_, escaped)) => text.push(escaped),
                    None => text.push('\\'),
                },
                _ => text.push(character),
            }
        }
        let mut fault = Fault::new("this quote is not closed");
        if self.rest().ends_with("\\\"") {
            fault = fault.help("\\\" is a quote within the text; for a backslash write \\\\");
        }
        Err(self.error(start..start + 1, fault))
    }

    /// A term ends where a space, a closing bracket or the text's end follows.
    fn end_of_term(&self, start: usize) -> Result<(), FilterError> {
        let help = match self.peek() {
            None | Some(')') => return Ok(()),
            Some(next) if next.is_whitespace() => return Ok(()),
            Some('(') => "put a space before the bracket, or the whole value between quotes",
            Some(_) => "put the whole value between quotes, and a space after it",
        };
        let fault = Fault::new("it is not clear where this term ends").help(help);
        Err(self.error(start..self.at, fault))
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn run(&self, stop: fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        rest.split(stop).next().unwrap_or(rest)
    }
}

fn ends_term(character: char) -> bool {
    character.is_whitespace() || matches!(character, '(' | ')')
}

/// `word` is what stands before the first colon of `run`.
fn unknown_key(word: &str, run: &str) -> Fault {
    if word.is_empty() {
        return Fault::new("no key stands before ':'").help(format!("keys are {}", Key::list()));
    }
    let fault = Fault::new(format!("unknown key '{}:'", shown(word)));
    if let Some(term) = run.strip_prefix('!') {
        return fault.help(format!("write -{} for what must not be", shown(term)));
    }
    if let Some(terms) = address::address_and_port(run, Key::Dst) {
        return fault.help(format!("for an address and a port write {terms}"));
    }
    if run.parse::<ipnet::IpNet>().is_ok() {
        return fault.help(format!("for a block of addresses write dst:{}", shown(run)));
    }
    if let Some(key) = Key::nearest(word) {
        return fault.help(format!("did you mean '{}:'?", key.word()));
    }
    let keys = Key::list();
    fault.help(format!(
        "for the text itself write \"{}\"; keys are {keys}",
        shown(run)
    ))
}

#[cfg(test)]
mod tests;
