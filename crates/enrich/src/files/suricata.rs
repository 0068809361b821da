//! Rules of Suricata that ask for one address or one name and nothing else. What looks into content is
//! for Suricata itself.

use model::IndicatorValue;

use super::out::{About, Out, Place};
use super::word::{Word, values};

pub(super) fn read(text: &str, out: &mut Out) {
    for (number, line) in (1..).zip(text.lines()) {
        let place = Place::Line(number);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some(rule) = rule(line) else {
            out.skip(place, "it is no rule");
            continue;
        };
        let found = if rule.contents.is_empty() {
            addresses(rule.destination)
        } else {
            names(&rule)
        };
        if found.is_empty() {
            out.skip(place, "it asks for more than an address or a name");
        }
        for value in found {
            let said = About {
                about: rule.message.as_deref(),
                ..About::default()
            };
            out.add(place, value, &said);
        }
    }
}

/// Whether a line begins as a rule does.
pub(super) fn is_rule(line: &str) -> bool {
    let mut words = line.split_whitespace();
    matches!(
        words.next(),
        Some("alert" | "drop" | "reject" | "pass" | "rejectsrc" | "rejectdst" | "rejectboth")
    ) && line.contains(" -> ")
        && line.contains("sid:")
}

struct Rule<'a> {
    /// Addresses behind the arrow.
    destination: &'a str,
    message: Option<String>,
    /// What `content` asks for, and what it is looked for in.
    contents: Vec<(Buffer, String)>,
    /// It asks for something that is not understood here.
    has_more: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Buffer {
    /// `dns.query`, `tls.sni`, `http.host` and the like.
    Name,
    Other,
}

/// `action protocol source port -> destination port (options)`
fn rule(line: &str) -> Option<Rule<'_>> {
    let (head, options) = line.split_once('(')?;
    let options = options.trim_end().strip_suffix(')')?;
    let (_, after) = head.split_once("->")?;
    let (destination, _) = after.trim().rsplit_once(char::is_whitespace)?;
    let mut rule = Rule {
        destination: destination.trim(),
        message: None,
        contents: Vec::new(),
        has_more: false,
    };
    let mut buffer = Buffer::Other;
    for (key, value) in Options(options) {
        match key {
            "msg" => rule.message = Some(unquoted(value)),
            "dns.query" | "dns_query" | "tls.sni" | "tls_sni" | "http.host" | "http_host"
            | "http.host.raw" => buffer = Buffer::Name,
            "content" if value.starts_with('!') => rule.has_more = true,
            "content" => rule.contents.push((buffer, unquoted(value))),
            "pcre" | "flowbits" | "byte_test" | "threshold" | "dataset" | "iprep" => {
                rule.has_more = true;
            }
            _ => {}
        }
    }
    Some(rule)
}

fn names(rule: &Rule<'_>) -> Vec<IndicatorValue> {
    match rule.contents.as_slice() {
        // `|2e|` and the like are bytes; such a name is none that is read here.
        [(Buffer::Name, name)] if !rule.has_more => {
            let name = name.trim_start_matches('.');
            values(Word::Name, name)
        }
        _ => Vec::new(),
    }
}

/// `[192.0.2.1,192.0.2.0/24]`; no variables, no exceptions.
fn addresses(text: &str) -> Vec<IndicatorValue> {
    let list = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let mut found = Vec::new();
    for address in list.unwrap_or(text).split(',') {
        let one = values(Word::Address, address);
        if one.is_empty() {
            return Vec::new();
        }
        found.extend(one);
    }
    found
}

/// The options of a rule: `key:value;`. A `;` in quotes or behind a backslash ends none.
struct Options<'a>(&'a str);

impl<'a> Iterator for Options<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.0 = self.0.trim_start_matches([' ', ';']);
        if self.0.is_empty() {
            return None;
        }
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = self.0.find(|character: char| {
            let ends = character == ';' && !is_quoted && !is_escaped;
            is_quoted ^= character == '"' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            ends
        });
        let (option, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        let (key, value) = option.split_once(':').unwrap_or((option, ""));
        Some((key.trim(), value.trim()))
    }
}

fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    inner.unwrap_or(text).replace('\\', "")
}

#[cfg(test)]
mod tests {
    use super::super::{Format, tests::check};

    #[test]
    fn rules_of_one_address_or_name_are_read() {
        check(
            "# x\nalert dns $HOME_NET any -> any any (msg:\"SPY (evil[.]example; x)\"; dns.query; content:\"Evil.Example\"; nocase; endswith; sid:1; rev:1;)\n\
             alert ip $HOME_NET any -> [192.0.2.1, 198.51.100.0/24] any (msg:\"SPY\"; sid:2;)\n\
             alert tls any any -> $EXTERNAL_NET any (msg:\"x\"; tls.sni; content:\".worse.example\"; sid:3;)\n\
             alert http any any -> any any (msg:\"x\"; content:\"GET\"; sid:4;)\n\
             alert dns any any -> any any (dns.query; content:\"a.example\"; pcre:\"/x/\"; sid:5;)\n\
             alert ip any any -> any any (msg:\"x\"; sid:6;)\n\
             nonsense\n",
            Format::Suricata,
            &[
                "name evil.example (SPY (evil[.]example; x))",
                "address 192.0.2.1 (SPY)",
                "network 198.51.100.0/24 (SPY)",
                "name worse.example (x)",
            ],
            4,
        );
    }
}
