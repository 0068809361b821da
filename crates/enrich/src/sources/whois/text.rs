//! The text of an answer: lines `key: value`, `[key] value`, headings with what stands below them, and
//! comments. Blank lines end an object.

use std::borrow::Cow;

/// Behind this, nothing is read.
const MOST_BYTES: usize = 256 * 1024;
const MOST_LINES: usize = 20_000;
const MOST_LINE_BYTES: usize = 4096;
/// No registry has longer words in front of a value.
const MOST_KEY_BYTES: usize = 64;

/// One line, or more that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The heading above it in lower case; empty: it has none.
    pub(super) section: String,
    /// In lower case.
    pub(super) key: String,
    pub(super) value: String,
}

/// What stands between blank lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    pub(super) pairs: Vec<Pair>,
}

impl Object {
    /// The first value of a key that has something in it; the first key that has one counts.
    pub(super) fn first(&self, keys: &[&str]) -> Option<&str> {
        let is_it = |pair: &&Pair, key: &str| pair.key == key && !pair.value.is_empty();
        let find = |key: &&str| self.pairs.iter().find(|pair| is_it(pair, key));
        keys.iter().find_map(find).map(|pair| pair.value.as_str())
    }

    /// All values of these keys that have something in them, in their order.
    pub(super) fn all<'a>(&'a self, keys: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let pairs = self.pairs.iter();
        let pairs = pairs.filter(|pair| keys.contains(&pair.key.as_str()));
        let values = pairs.map(|pair| pair.value.as_str());
        values.filter(|value| !value.is_empty())
    }

    /// What it begins with says what it is.
    pub(super) fn kind(&self) -> &str {
        self.pairs.first().map_or("", |pair| pair.key.as_str())
    }
}

#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) objects: Vec<Object>,
    /// Without the signs in front of them.
    pub(super) comments: Vec<String>,
    /// All that is neither pair nor comment.
    pub(super) prose: Vec<String>,
    /// It was written for browsers.
    pub(super) is_page: bool,
}

impl Answer {
    pub(super) fn read(bytes: &[u8]) -> Self {
        let bytes = bytes.get(..MOST_BYTES).unwrap_or(bytes);
        let text = decoded(bytes);
        let is_page = is_page(&text);
        let text = if is_page {
            without_tags(&text).into()
        } else {
            text
        };
        let mut reading = Reading::default();
        for line in text.lines().take(MOST_LINES) {
            reading.line(line.trim_end());
        }
        reading.end();
        Self {
            is_page,
            ..reading.answer
        }
    }

    /// All pairs of all objects.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.objects.iter().flat_map(|object| &object.pairs)
    }

    pub(super) fn is_redacted(&self) -> bool {
        let mut values = self.pairs().map(|pair| pair.value.as_str());
        values.any(|value| {
            let lower = value.trim().to_ascii_lowercase();
            lower == "redacted"
                || lower.contains("redacted for privacy")
                || lower == "data protected"
                || lower.starts_with("hidden upon user request")
                || lower.starts_with("not disclosed")
        })
    }
}

/// UTF-8, else Latin-1, which any bytes are.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        // The end may have been cut within a character.
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(bytes),
        Err(_) => bytes
            .iter()
            .copied()
            .map(char::from)
            .collect::<String>()
            .into(),
    }
}

fn is_page(text: &str) -> bool {
    let begin = text
        .get(..text.floor_char_boundary(2048))
        .unwrap_or_default();
    let begin = begin.to_ascii_lowercase();
    ["<html", "<!doctype", "<pre", "<body", "<script"]
        .iter()
        .any(|tag| begin.contains(tag))
}

/// The text between tags, without scripts.
fn without_tags(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        shown.push_str(before);
        let name = tag.get(..tag.floor_char_boundary(6)).unwrap_or_default();
        let is_script = name.eq_ignore_ascii_case("script");
        let end = if is_script {
            tag.find("</script").unwrap_or(tag.len())
        } else {
            tag.find('>').map_or(tag.len(), |at| at + 1)
        };
        rest = tag.get(end..).unwrap_or_default();
    }
    shown.push_str(rest);
    shown
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// A heading, and how far what belongs to it is moved in.
#[derive(Debug)]
struct Heading {
    name: String,
    /// `None`: it stands in brackets, and counts until the next one.
    indentation: Option<usize>,
}

#[derive(Debug, Default)]
struct Reading {
    answer: Answer,
    object: Object,
    heading: Option<Heading>,
    /// How far the last pair was moved in.
    indentation: usize,
}

impl Reading {
    fn line(&mut self, line: &str) {
        let line = line.get(..line.floor_char_boundary(MOST_LINE_BYTES));
        let line = line.unwrap_or_default();
        let text = line.trim();
        let indentation = line.len() - line.trim_start().len();
        if text.is_empty() {
            self.end();
            return;
        }
        if let Some(comment) = comment(text) {
            self.answer.comments.push(comment.to_owned());
            return;
        }
        let last = self.object.pairs.last();
        if let Some(heading) = &self.heading
            && heading.indentation.is_some_and(|it| indentation <= it)
        {
            // Some write a list below its name without moving it in (the registry of .tr).
            let is_in_list = last.is_some_and(|it| it.key == heading.name) && pair(text).is_none();
            if !is_in_list {
                self.heading = None;
            }
        }
        let inner = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        if let Some(inner) = inner.filter(|it| !it.contains(']')) {
            self.heading = Some(Heading {
                name: inner.trim().to_lowercase(),
                indentation: None,
            });
            return;
        }
        match pair(text) {
            Some((key, "")) => {
                self.push(&key, "", indentation);
                // Below an empty value stands what belongs to it, if it is moved in.
                if self
                    .heading
                    .as_ref()
                    .is_none_or(|it| it.indentation.is_some())
                {
                    self.heading = Some(Heading {
                        name: key,
                        indentation: Some(indentation),
                    });
                }
            }
            Some((key, value)) => self.push(&key, value, indentation),
            None => self.prose(text, indentation),
        }
    }

    fn push(&mut self, key: &str, value: &str, indentation: usize) {
        let section = self.heading.as_ref().map_or("", |it| it.name.as_str());
        self.object.pairs.push(Pair {
            section: section.to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        });
        self.indentation = indentation;
    }

    fn prose(&mut self, text: &str, indentation: usize) {
        let below = self.heading.as_ref();
        if let Some(heading) = below.filter(|it| it.indentation.is_some()) {
            let key = heading.name.clone();
            self.push(&key, text, indentation);
        } else if (indentation > self.indentation || text.starts_with('+'))
            && let Some(last) = self.object.pairs.last_mut()
        {
            // RFC 2622, 2: a value goes on in a line that is moved in.
            let text = text.trim_start_matches('+').trim_start();
            if !last.value.is_empty() && last.value.len() < MOST_LINE_BYTES {
                last.value.push(' ');
            }
            last.value.push_str(text);
        } else {
            self.answer.prose.push(text.to_owned());
            let is_short = text.split_whitespace().count() <= 3;
            self.heading = is_short.then(|| Heading {
                name: text.to_lowercase(),
                indentation: Some(indentation),
            });
        }
    }

    fn end(&mut self) {
        let object = std::mem::take(&mut self.object);
        if !object.pairs.is_empty() {
            self.answer.objects.push(object);
        }
        self.heading = None;
        self.indentation = 0;
    }
}

fn comment(text: &str) -> Option<&str> {
    let begins = text.starts_with(['%', '#', ';']) || text.starts_with(">>>");
    begins.then(|| text.trim_start_matches(['%', '#', ';', '>', ' ']).trim())
}

/// `key: value`, or `a. [key] value` as JPNIC and JPRS have it.
fn pair(text: &str) -> Option<(String, &str)> {
    let bracketed = text.strip_prefix('[').or_else(|| {
        let (letter, rest) = text.split_once(". [")?;
        (letter.len() == 1).then_some(rest)
    });
    let (key, value) = match bracketed.and_then(|it| it.split_once(']')) {
        Some(split) => split,
        None => text.split_once(':')?,
    };
    // `** Domain Name:`, and `Created on..............:`.
    let key = key
        .trim_start_matches(['*', ' '])
        .trim_end_matches(['.', ' ', '\t']);
    let is_url = value.starts_with("//");
    let words = key.split_whitespace().count();
    if key.is_empty() || key.len() > MOST_KEY_BYTES || is_url || words > 6 {
        return None;
    }
    Some((key.to_lowercase(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let answer = Answer::read(text.as_bytes());
        let object = |object: &Object| {
            let pairs = object.pairs.iter();
            let pairs = pairs.map(|it| format!("{}/{}={}", it.section, it.key, it.value));
            pairs.collect::<Vec<_>>().join("; ")
        };
        answer.objects.iter().map(object).collect()
    }

    #[test]
    fn objects_end_at_blank_lines() {
        let text = "% c\ninetnum: 1 - 2\ndescr:  a\n        b\n+       c\n\nrole: x\r\n";
        assert_eq!(shown(text), ["/inetnum=1 - 2; /descr=a b c", "/role=x"]);
    }

    #[test]
    fn what_stands_below_a_heading_belongs_to_it() {
        let text = "    Registrar:\n        A Ltd\n        URL: http://a.example\n    Status:\n        ok\n";
        let expected = "/registrar=; registrar/registrar=A Ltd; registrar/url=http://a.example; \
                        /status=; status/status=ok";
        assert_eq!(shown(text), [expected]);
        assert_eq!(
            shown("[Holder]\n  Name: A\n[Tech]\nName: B"),
            ["holder/name=A; tech/name=B"]
        );
        assert_eq!(
            shown("Registrant\n  Organization: A"),
            ["registrant/organization=A"]
        );
    }

    #[test]
    fn reads_keys_in_brackets_and_with_dots() {
        let text =
            "a. [Network Number]    192.0.2.0/24\n[Last Update]   2015/01/14\nCreated on.....: x.";
        let expected = "/network number=192.0.2.0/24; /last update=2015/01/14; /created on=x.";
        assert_eq!(shown(text), [expected]);
    }

    #[test]
    fn what_is_not_utf_8_is_latin_1() {
        let answer = Answer::read(b"owner: Pe\xf1a");
        assert_eq!(answer.objects[0].first(&["owner"]), Some("Pe\u{f1}a"));
    }

    #[test]
    fn tags_are_left_out() {
        let text = "<html><script>a: b</script><pre>\nx: <a href='y'>1</a>\n</pre>";
        assert_eq!(shown(text), ["/x=1"]);
    }
}
