//! All that is known here, for whoever judges: the tables and the lists of indicators, asked together.

use std::net::IpAddr;
use std::sync::Arc;

use model::{
    FileHash, IndicatorKind, IndicatorValue, KnownAddress, KnownName, Knows, ListedKind, Matched,
    NetworkKind, Process, Timestamp,
};

use crate::matching::{Match, Matcher};
use crate::special;
use crate::suffix::{Name, Section, lookalikes};
use crate::tables::{Source, Tables};

/// The tables and the lists of indicators.
pub struct Known {
    tables: Arc<Tables>,
    matcher: Arc<Matcher>,
}

impl Known {
    pub fn new(tables: Arc<Tables>, matcher: impl Into<Arc<Matcher>>) -> Self {
        Self {
            tables,
            matcher: matcher.into(),
        }
    }
}

impl Knows for Known {
    fn address(&self, ip: IpAddr) -> KnownAddress {
        let facts = self.tables.address(ip);
        let is_local = facts.special.is_some_and(|it| !it.is_global);
        let listed = self.tables.lists_of(ip).filter(|_| !is_local);
        KnownAddress {
            listed: listed
                .filter_map(|it| self::listed(it, String::new()))
                .collect(),
            matched: owned(self.matcher.of_address(ip)),
            facts,
        }
    }

    fn name(&self, name: &str) -> KnownName {
        let Some(parsed) = Name::seen(name) else {
            return KnownName::default();
        };
        let suffix = self.tables.suffix(&parsed.ascii);
        KnownName {
            listed: self
                .tables
                .entries_of_name(&parsed.ascii)
                .filter_map(|(entry, source)| listed(source, entry))
                .collect(),
            matched: owned(self.matcher.of_name(&parsed.ascii)),
            registrable: suffix.registrable.map(str::to_owned),
            registered: registered(&self.tables, &parsed.ascii),
            lookalike: lookalike(&parsed),
            is_special: special::use_of_name(&parsed.ascii).is_some(),
        }
    }

    fn url(&self, url: &str, host: &str) -> Vec<Matched> {
        owned(self.matcher.of_url(url, host))
    }

    fn process(&self, process: &Process) -> Vec<Matched> {
        owned(self.matcher.of_process(process))
    }

    fn unchecked_indicators(&self) -> u64 {
        // Of files that run only this one is computed.
        let is_other_hash = |it: &IndicatorValue| {
            let is_computed = matches!(it, IndicatorValue::Hash(FileHash::Sha256(_)));
            it.kind() == IndicatorKind::Hash && !is_computed
        };
        let lists = self.matcher.lists().iter();
        let all = lists.flat_map(|list| &list.indicators);
        let unchecked = all.map(|it| &it.value);
        let unchecked = unchecked.filter(|it| !it.kind().is_checked() || is_other_hash(it));
        let count = unchecked.count();
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    fn newest(&self) -> Option<Timestamp> {
        let tables = Timestamp::parse(&format!("{}T00:00:00.000000000Z", self.tables.date()));
        let lists = self.matcher.lists().iter().filter_map(|it| it.published);
        lists.chain(tables).max()
    }
}

/// `None`: no registry has names that end so, or it is one of these ends itself.
fn registered(tables: &Tables, name: &str) -> Option<String> {
    let suffix = tables.registry_suffix(name);
    let is_listed = suffix.section == Section::Registry;
    let registrable = suffix.registrable.filter(|_| is_listed);
    registrable.map(str::to_owned)
}

/// `None`: the source says of no kind what is on it.
fn listed(source: &Source, entry: String) -> Option<ListedKind> {
    let kind: NetworkKind = source.kind?;
    Some(ListedKind {
        list: source.title.clone(),
        publisher: source.publisher.clone(),
        date: source.date.clone(),
        kind,
        provider: source.provider.clone(),
        entry,
    })
}

fn owned(found: Vec<Match<'_>>) -> Vec<Matched> {
    let owned = found.into_iter().map(|it| Matched {
        list: it.list.name.as_str().into(),
        publisher: it.list.publisher.as_deref().map(Arc::from),
        meaning: it.list.meaning,
        published: it.list.published,
        indicator: it.indicator.clone(),
        by: it.by,
        confidence: it.confidence,
    });
    owned.collect()
}

/// A name of which a label has letters of another script, and each of them passes for one of ASCII: a
/// word of that script has others among them.
fn lookalike(name: &Name) -> Option<(String, String)> {
    let alike = lookalikes(&name.unicode);
    let plain = |character: char| {
        let known = alike.iter().find(|it| it.character == character);
        known.map_or(character, |it| it.looks_like)
    };
    let label = |label: &str| -> String { label.chars().map(plain).collect() };
    let passes = |it: &&str| !it.is_ascii() && label(it).is_ascii();
    name.unicode.split('.').find(passes)?;
    let labels: Vec<_> = name.unicode.split('.').map(label).collect();
    Some((name.unicode.clone(), labels.join(".")))
}

#[cfg(test)]
mod tests {
    use model::{ListOrigin, MatchedBy};

    use super::*;
    use crate::files::{self, Loaded, Said};

    fn known_with(list: &[u8]) -> Known {
        let Loaded::Indicators(content) = files::read(list, &Said::default()).unwrap() else {
            panic!("no list");
        };
        let list = content.into_list("bad".to_owned(), ListOrigin::Embedded);
        Known::new(Tables::embedded(), Matcher::new(vec![list]))
    }

    fn check(name: &str, expected: Option<&str>) {
        let known = Known::new(Tables::embedded(), Matcher::default());
        let lookalike = known.name(name).lookalike.map(|(_, like)| like);
        assert_eq!(lookalike.as_deref(), expected, "{name}");
    }

    #[test]
    fn a_name_that_passes_for_another() {
        check("p\u{430}ypal.com", Some("paypal.com"));
        check("xn--pypal-4ve.com", Some("paypal.com"));
        check("paypal.com", None);
        // Words of other languages.
        check("\u{440}\u{444}.example", None);
        check("m\u{fc}nchen.de", None);
    }

    #[test]
    fn a_name_tells_which_one_above_it_is_listed() {
        let known = Known::new(Tables::embedded(), Matcher::default());
        let entry = |name: &str| {
            let listed = known.name(name).listed;
            let mut platforms = listed.into_iter();
            let platform = platforms.find(|it| it.kind == NetworkKind::SharedPlatform);
            platform.map(|it| it.entry)
        };
        for (name, platform) in [
            ("evilx.github.io", "github.io"),
            ("evilx.blogspot.com", "blogspot.com"),
            ("a.evil.duckdns.org", "duckdns.org"),
            ("github.com", "github.com"),
        ] {
            assert_eq!(entry(name).as_deref(), Some(platform), "{name}");
        }
    }

    #[test]
    fn odd_labels_hide_no_name() {
        let known = known_with(b"evil.example\nwhole.listed.example\n");
        let check = |name: &str, expected: Option<MatchedBy>| {
            let matched = known.name(name).matched;
            assert_eq!(matched.first().map(|it| it.by), expected, "{name:?}");
        };
        check("evil.example", Some(MatchedBy::Name));
        check(
            "\u{fffd}\u{1}.evil.example",
            Some(MatchedBy::RegisteredDomain),
        );
        check("a b.c.evil.example", Some(MatchedBy::RegisteredDomain));
        check("xn--a.evil.example", Some(MatchedBy::RegisteredDomain));
        check(r"a\.evil.example", None);
        check("a b.whole.listed.example", None);
    }

    #[test]
    fn a_translator_hides_no_address() {
        let known = known_with(b"8.39.11.7\n52.1.0.0/16\n");
        let check = |address: &str, expected: Option<MatchedBy>| {
            let matched = known.address(address.parse().unwrap()).matched;
            assert_eq!(matched.first().map(|it| it.by), expected, "{address}");
        };
        check("64:ff9b::827:b07", Some(MatchedBy::Address));
        check("64:ff9b::3401:203", Some(MatchedBy::InNetwork));
        check("64:ff9b:0:0:0:1:827:b07", None);
        check("64:ff9b::a00:1", None);
        let [plain, translated] = ["52.1.2.3", "64:ff9b::3401:203"].map(|it| it.parse().unwrap());
        let (plain, translated) = (known.address(plain), known.address(translated));
        assert_eq!(plain.listed, translated.listed);
        assert!(!plain.listed.is_empty());
        assert_eq!(plain.facts.announced_by, translated.facts.announced_by);
        assert!(translated.facts.special.is_some());
    }

    #[test]
    fn hashes_that_are_not_computed_are_counted() {
        let lists = [32, 40, 64].map(|digits| format!("{}\n", "a1".repeat(digits / 2)));
        let known = known_with(lists.concat().as_bytes());
        assert_eq!(known.unchecked_indicators(), 2);
    }

    #[test]
    fn what_is_at_home_is_on_no_list() {
        let known = Known::new(Tables::embedded(), Matcher::new(crate::embedded::lists()));
        let home = known.address(IpAddr::from([192, 168, 1, 1]));
        assert!(home.listed.is_empty() && home.matched.is_empty());
        assert!(known.unchecked_indicators() > 0 && known.newest().is_some());
    }
}
