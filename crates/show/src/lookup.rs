//! What is known of addresses, names and hashes, in plain lines.

pub mod answers;

use std::fmt::Write as _;

use model::{
    AddressFacts, AddressItem, FileFacts, HashKind, Item, Listed, ListedAs, LookedUp, NameItem,
    NetworkItem, NetworkKind, Protocol, RegisteredHolder, Said, SuffixBy, translated,
};

use self::answers::has_registry;
use crate::messages::answers::{HOLDER_IS_NOT_USER, OPINIONS_ARE_SIGNS, day};
use crate::messages::lookup as texts;
use crate::services::service;
use crate::visible::{visible, visible_str};

/// Where the facts begin.
const INDENT: usize = 2;
const NAME_WIDTH: usize = 16;

/// One item: what others answered, then a heading, a line for each fact that is known here, and what is
/// not known.
pub fn lines(looked_up: &LookedUp) -> String {
    let mut lines = Lines(String::new());
    let _ = writeln!(lines.0, "{}", visible_str(&looked_up.item));
    if looked_up.is_wanted {
        lines.fact(texts::WANTED, wanted(looked_up));
    }
    match &looked_up.what {
        Item::Address(item) => lines.address(item, &looked_up.known),
        Item::Network(item) => lines.network(item),
        Item::Name(item) => lines.name(item, &looked_up.known),
        Item::Hash(kind) => lines.hash(*kind, &looked_up.known),
    }
    lines.told(&looked_up.told);
    if let Some(search) = search(looked_up) {
        lines.fact(texts::SEARCH, search.quoted);
        lines.fact("", texts::DO_NOT_OPEN);
        lines.fact(texts::DEFANGED, search.defanged);
    }
    let is_indicator = |it: &Listed| matches!(it.listed_as, ListedAs::Indicator { .. });
    if looked_up.known.iter().any(is_indicator) {
        lines.sentence(texts::LISTED_IS_A_SIGN);
    }
    if !looked_up.answers.is_empty() {
        lines.sentence(OPINIONS_ARE_SIGNS);
    }
    lines.sentence(match &looked_up.what {
        _ if knows_holder(looked_up) => HOLDER_IS_NOT_USER,
        Item::Address(_) | Item::Network(_) => texts::HOLDER_NOT_KNOWN,
        Item::Name(_) => texts::REGISTRANT_NOT_KNOWN,
        Item::Hash(_) if looked_up.known.is_empty() => texts::FILE_NOT_KNOWN,
        Item::Hash(_) => texts::LIST_SAYS_NO_MORE,
    });
    let answered = answers::lines(looked_up);
    if answered.is_empty() {
        lines.0
    } else {
        format!("{answered}\n{}", lines.0)
    }
}

/// That it is on the list of what to ask, and whether somebody has answered.
fn wanted(looked_up: &LookedUp) -> String {
    let answers = looked_up.answers.iter();
    let last = answers
        .filter(|it| !matches!(it.said, Said::Failed(_)))
        .map(|it| it.asked);
    texts::wanted(last.max().map(day).as_deref())
}

/// What stands above one of several items that others were asked about.
pub fn heading(looked_up: &LookedUp) -> String {
    format!("# {}\n\n", visible_str(&looked_up.item))
}

/// What to type into a search engine, and the form that no program turns into a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    pub(crate) quoted: String,
    pub(crate) defanged: String,
}

/// `None`: nobody else knows it by that.
pub(crate) fn search(looked_up: &LookedUp) -> Option<Search> {
    let text = match &looked_up.what {
        Item::Address(item) if item.facts.special.is_none_or(|it| it.is_global) => {
            item.ip.to_string()
        }
        Item::Name(item) if item.special.is_none() => item.ascii.clone(),
        Item::Hash(_) => looked_up.item.to_ascii_lowercase(),
        Item::Address(_) | Item::Network(_) | Item::Name(_) => return None,
    };
    Some(Search {
        quoted: format!("\"{text}\""),
        defanged: text.replace('.', "[.]").replace(':', "[:]"),
    })
}

/// What an answer leaves open, in the words of the public contract.
pub(crate) fn not_known(looked_up: &LookedUp) -> &'static [&'static str] {
    match looked_up.what {
        Item::Hash(_) => &["file"],
        _ if knows_holder(looked_up) => &[],
        Item::Address(_) | Item::Network(_) => &["holder"],
        Item::Name(_) => &["registrant"],
    }
}

/// Whether a registry has told whose it is, now or before.
fn knows_holder(looked_up: &LookedUp) -> bool {
    match &looked_up.what {
        Item::Address(item) => item.facts.holder.is_some() || has_registry(looked_up),
        Item::Network(item) => item.facts.holder.is_some() || has_registry(looked_up),
        Item::Name(_) => has_registry(looked_up),
        Item::Hash(_) => false,
    }
}

struct Lines(String);

impl Lines {
    fn fact(&mut self, name: &str, text: impl AsRef<str>) {
        let text = text.as_ref();
        let _ = writeln!(self.0, "{:INDENT$}{name:NAME_WIDTH$}{text}", "");
    }

    fn sentence(&mut self, text: &str) {
        let _ = writeln!(self.0, "{:INDENT$}{text}", "");
    }

    fn address(&mut self, item: &AddressItem, known: &[Listed]) {
        if self.0.lines().next() != Some(item.ip.to_string().as_str()) {
            self.fact(texts::ADDRESS, item.ip.to_string());
        }
        if let Some(translated) = translated(item.ip) {
            self.fact(texts::STANDS_FOR, translated.to_string());
        }
        if let Some(port) = item.port {
            let meant = [Protocol::Tcp, Protocol::Udp]
                .into_iter()
                .find_map(|it| service(it, port));
            self.fact(texts::PORT, texts::port(port, meant));
        }
        self.facts(&item.facts);
        self.lists(known);
    }

    fn facts(&mut self, facts: &AddressFacts) {
        if let Some(special) = facts.special {
            self.fact(
                texts::SPECIAL_USE,
                texts::special_use(special.name, special.defined_in),
            );
        }
        match announcer(facts) {
            Some(announcer) => self.fact(texts::ANNOUNCED_BY, announcer),
            None if facts.special.is_some_and(|it| !it.is_global) => {}
            None => self.fact(texts::ANNOUNCED_BY, texts::NOBODY_KNOWN),
        }
        if let Some(country) = block_country(facts) {
            self.fact(texts::BLOCK_COUNTRY, country);
        }
        if !facts.kinds.is_empty() {
            self.fact(texts::KIND, kinds(&facts.kinds));
        }
        if let Some(holder) = &facts.holder {
            self.fact(texts::HOLDER, self::holder(holder));
        }
    }

    fn network(&mut self, item: &NetworkItem) {
        if let Some(special) = item.facts.special {
            self.fact(
                texts::SPECIAL_USE,
                texts::special_use(special.name, special.defined_in),
            );
        }
        for (announcer, ranges) in &item.announcers {
            let name = texts::announcer(announcer.asn, &visible(&announcer.organisation));
            self.fact(texts::ANNOUNCED_BY, texts::in_ranges(&name, *ranges));
        }
        if item.more_announcers > 0 {
            self.fact("", texts::more_announcers(item.more_announcers));
        }
        if item.has_holes {
            self.fact(texts::ANNOUNCED_BY, texts::PARTS_BY_NOBODY);
        }
    }

    fn name(&mut self, item: &NameItem, known: &[Listed]) {
        if item.unicode == item.ascii {
            self.fact(texts::NAME, &item.ascii);
        } else {
            self.fact(texts::NAME, texts::both_ways(&item.ascii, &shown(item)));
        }
        for (character, looks_like) in &item.lookalikes {
            self.fact(
                texts::LOOKALIKE,
                texts::looks_like(&escaped(*character), *looks_like),
            );
        }
        if let Some((what, defined_in)) = item.special {
            self.fact(texts::SPECIAL_USE, texts::special_use(what, defined_in));
        }
        self.fact(
            texts::SUFFIX,
            texts::suffix(&item.public_suffix, suffix_by(item.suffix_by)),
        );
        match &item.registrable {
            Some(name) => self.fact(texts::REGISTRABLE, name),
            None => self.fact(texts::REGISTRABLE, texts::IS_A_SUFFIX),
        }
        if let Some(platform) = &item.platform {
            self.fact(texts::PLATFORM, texts::platform(platform));
        }
        self.lists(known);
    }

    fn hash(&mut self, kind: HashKind, known: &[Listed]) {
        self.fact(texts::HASH, kind.word());
        self.lists(known);
    }

    fn lists(&mut self, known: &[Listed]) {
        for (place, listed) in known.iter().enumerate() {
            let name = if place == 0 { texts::LISTS } else { "" };
            let list = visible_str(&listed.list);
            let by = published(listed.publisher.as_deref(), listed.date.as_deref());
            self.fact(
                name,
                match &listed.listed_as {
                    ListedAs::Kind { kind, provider } => {
                        texts::listed(kind.word(), &visible_str(provider), &list, &by)
                    }
                    ListedAs::Indicator {
                        meaning,
                        indicator,
                        by: matched_by,
                        confidence: _,
                        about,
                    } => {
                        let about = about.as_deref().map(visible_str).unwrap_or_default();
                        let how = texts::fits(*matched_by, &visible_str(indicator));
                        texts::listed_indicator(meaning.word(), &about, &list, &by, &how)
                    }
                },
            );
        }
    }

    fn told(&mut self, told: &[FileFacts]) {
        for told in told {
            let by = published(told.publisher.as_deref(), told.date.as_deref());
            self.fact(texts::TOLD, texts::told_by(&visible_str(&told.list), &by));
            for (name, value) in &told.facts {
                self.fact("", texts::told(&visible_str(name), &visible_str(value)));
            }
        }
    }
}

/// `Publisher, 2026-08-22`, as far as it is told.
fn published(publisher: Option<&str>, date: Option<&str>) -> String {
    let publisher = publisher.unwrap_or(texts::PUBLISHER_NOT_TOLD);
    let date = date.unwrap_or(texts::DATE_NOT_TOLD);
    format!("{}, {}", visible_str(publisher), visible_str(date))
}

/// `AS6453 TATA COMMUNICATIONS`. `None`: nobody is known to announce it.
pub(crate) fn announcer(facts: &AddressFacts) -> Option<String> {
    let announcer = facts.announced_by.as_ref()?;
    Some(texts::announcer(
        announcer.asn,
        &visible(&announcer.organisation),
    ))
}

/// Whose a registry says that it is, and when it was asked.
pub(crate) fn holder(holder: &RegisteredHolder) -> String {
    let country = holder.country.as_ref().map(visible);
    texts::holder(
        &visible(&holder.name),
        country.as_deref(),
        holder.source.title(),
        &day(holder.asked),
    )
}

/// The country with what it does not mean. `None`: not known, or it would mislead.
pub(crate) fn block_country(facts: &AddressFacts) -> Option<String> {
    let country = facts.block_country?;
    Some(texts::block_country(&country.to_string()))
}

/// The kinds of a network, and that others than its owner may use it.
pub(crate) fn kinds(kinds: &[NetworkKind]) -> String {
    let words: Vec<_> = kinds.iter().map(|it| it.word()).collect();
    let words = words.join(", ");
    if kinds.iter().any(|it| it.is_used_by_others()) {
        texts::used_by_others(&words)
    } else {
        words
    }
}

/// A name as people write it, what passes for letters of ASCII escaped.
fn shown(item: &NameItem) -> String {
    let mut shown = String::new();
    for character in item.unicode.chars() {
        if item.lookalikes.iter().any(|(it, _)| *it == character) {
            shown.push_str(&escaped(character));
        } else {
            shown.push_str(&visible_str(character.encode_utf8(&mut [0; 4])));
        }
    }
    shown
}

fn escaped(character: char) -> String {
    format!("‹U+{:04X}›", u32::from(character))
}

fn suffix_by(by: SuffixBy) -> &'static str {
    match by {
        SuffixBy::Registry => texts::BY_REGISTRY,
        SuffixBy::Platform => texts::BY_PLATFORM,
        SuffixBy::Nobody => texts::BY_NOBODY,
    }
}

#[cfg(test)]
mod tests;
