//! The stalkerware indicators of Echap (`ioc.yaml`, `watchware.yaml`): an entry for each app, with lists
//! of what is known of it. Of YAML that is blocks of keys, lists and plain texts; nothing else is read.

use std::borrow::Cow;

use model::{Confidence, IndicatorValue, UncheckedKind};

use super::out::{About, Out, Place, cut};
use super::word::{Word, guessed, values};

/// Longer lines are skipped.
const LONGEST_LINE: usize = 4096;

pub(super) fn read(text: &str, out: &mut Out) {
    let mut app = App::default();
    for (number, line) in (1..).zip(text.lines()) {
        let place = Place::Line(number);
        if line.len() > LONGEST_LINE {
            out.skip(place, "it is longer than 4 KiB");
            continue;
        }
        let line = without_comment(line);
        let content = line.trim_start();
        if content.is_empty() || content == "---" {
            continue;
        }
        let indent = line.len() - content.len();
        let item = content.strip_prefix("- ").map(str::trim_start);
        // An entry begins with its first key behind a hyphen.
        let (content, indent, is_item) = match item {
            Some(item) if indent == 0 && key(item).is_some() => {
                app.tell(out);
                app = App::default();
                (item, 2, false)
            }
            Some(item) => (item, indent, true),
            None => (content, indent, false),
        };
        if is_item {
            app.item(place, &plain(content), out);
        } else if let Some((key, value)) = key(content) {
            app.key(indent, key);
            if !value.is_empty() {
                app.value(place, value, out);
            }
        } else {
            out.skip(place, "it is neither a key nor an entry of a list");
        }
    }
    app.tell(out);
}

/// What was read of one app.
#[derive(Default)]
struct App {
    name: Option<String>,
    kind: Option<String>,
    /// The keys that the line stands under, with their indents.
    keys: Vec<(usize, String)>,
    /// Kept until its name is known, which may stand behind them.
    found: Vec<(usize, IndicatorValue, Confidence)>,
}

/// An app with more is no app.
const MOST: usize = 100_000;
/// Keys in keys.
const DEEPEST: usize = 8;

impl App {
    fn key(&mut self, indent: usize, key: &str) {
        self.keys.retain(|(outer, _)| *outer < indent);
        if self.keys.len() < DEEPEST {
            self.keys.push((indent, key.to_owned()));
        }
    }

    /// What stands behind a key on its line: a text, or a list in brackets.
    fn value(&mut self, place: Place<'_>, value: &str, out: &mut Out) {
        let list = value.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        match list {
            Some(list) => {
                for item in list.split(',').filter(|item| !item.trim().is_empty()) {
                    self.item(place, &plain(item), out);
                }
            }
            None => self.item(place, &plain(value), out),
        }
    }

    fn item(&mut self, place: Place<'_>, value: &str, out: &mut Out) {
        if value.is_empty() {
            return;
        }
        let mut keys = self.keys.iter().map(|(_, key)| key.as_str());
        let unchecked = |kind, value: &str| {
            vec![IndicatorValue::Unchecked {
                kind,
                value: value.to_owned(),
            }]
        };
        let (found, confidence) = match (keys.next(), keys.next()) {
            (Some("name"), None) => {
                self.name = Some(value.to_owned());
                return;
            }
            (Some("type"), None) => {
                self.kind = Some(value.to_owned());
                return;
            }
            // Other names of the app.
            (Some("names"), None) => return,
            (Some("c2"), Some("ips" | "ip")) => (values(Word::Address, value), Confidence::High),
            (Some("c2"), Some("domains" | "domain")) => {
                (values(Word::Name, value), Confidence::High)
            }
            // Pages of the vendor: whoever reads them has not got the app for that.
            (Some("websites"), None) => (values(Word::Name, value), Confidence::Low),
            (Some("distribution"), None) => (guessed(value), Confidence::Low),
            (Some("packages" | "ios_bundles"), None) => {
                (unchecked(UncheckedKind::App, value), Confidence::High)
            }
            (Some("certificates" | "certificate_organizations" | "certificate_cname_re"), None) => {
                (
                    unchecked(UncheckedKind::Certificate, value),
                    Confidence::High,
                )
            }
            _ => (unchecked(UncheckedKind::Other, value), Confidence::Low),
        };
        if found.is_empty() {
            return out.skip(place, "it is not what its key says");
        }
        let Place::Line(line) = place else {
            return;
        };
        for value in found {
            if self.found.len() >= MOST {
                return out.skip(place, "the app has more than 100,000 entries");
            }
            self.found.push((line, value, confidence));
        }
    }

    fn tell(&mut self, out: &mut Out) {
        let name = self.name.take().unwrap_or_default();
        let about = match self.kind.take() {
            Some(kind) if !name.is_empty() => {
                format!("{} ({})", cut(&name, 100), cut(&kind, 40))
            }
            _ => name,
        };
        for (line, value, confidence) in self.found.drain(..) {
            let said = About {
                about: Some(&about),
                confidence: Some(confidence),
                published: None,
            };
            out.add(Place::Line(line), value, &said);
        }
    }
}

/// `key: value`, `key :`.
fn key(content: &str) -> Option<(&str, &str)> {
    let (key, value) = content.split_once(':')?;
    let key = key.trim_end();
    let is_key = !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let ends = value.is_empty() || value.starts_with([' ', '\t']);
    (is_key && ends).then(|| (key, value.trim()))
}

/// A text without its quotes.
fn plain(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('\'').and_then(|it| it.strip_suffix('\'')) {
        return Cow::Owned(inner.replace("''", "'"));
    }
    if let Some(inner) = text.strip_prefix('"').and_then(|it| it.strip_suffix('"')) {
        return Cow::Owned(inner.replace("\\\"", "\"").replace("\\\\", "\\"));
    }
    Cow::Borrowed(text)
}

/// A comment has a blank in front, or nothing.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        if character == '#' && before.is_whitespace() {
            return line.get(..at).unwrap_or_default().trim_end();
        }
        before = character;
    }
    line.trim_end()
}

#[cfg(test)]
mod tests {
    use model::Confidence;

    use super::super::{Format, tests::check};

    #[test]
    fn an_app_is_read_with_all_that_is_known_of_it() {
        let content = check(
            "---\n# apps\n- name : SpyApp # x\n  names:\n  - Spy\n  type: stalkerware\n  packages:\n  - com.spy\n  certificates: [AA, 'BB']\n  websites:\n    - spy.example\n  c2:\n    ips:\n    - 192.0.2.1\n    ip:\n    - 192.0.2.2\n    domains:\n    - \"c2.spy.example\"\n    - no\n- type: watchware\n  websites:\n  - watch.example\n  name: Watch\n  junk\n",
            Format::Stalkerware,
            &[
                "app com.spy (SpyApp (stalkerware))",
                "certificate AA (SpyApp (stalkerware))",
                "certificate BB (SpyApp (stalkerware))",
                "name spy.example (SpyApp (stalkerware))",
                "address 192.0.2.1 (SpyApp (stalkerware))",
                "address 192.0.2.2 (SpyApp (stalkerware))",
                "name c2.spy.example (SpyApp (stalkerware))",
                "name watch.example (Watch (watchware))",
            ],
            2,
        );
        let of = |value: &str| {
            let found = content
                .indicators
                .iter()
                .find(|it| it.value.to_string() == value);
            found.map(|it| it.confidence)
        };
        assert_eq!(of("spy.example"), Some(Confidence::Low));
        assert_eq!(of("c2.spy.example"), Some(Confidence::High));
    }
}
