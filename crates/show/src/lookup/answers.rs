//! What others answered: the registration first, in the form that WHOIS has, then each source with the
//! time and a link.

use std::borrow::Cow;
use std::fmt::Write as _;

use model::{
    Announcement, Answered, Failure, LookedUp, OnlineSource, Opinion, Organisation, Question,
    Registration, Said, SeenName, Text,
};

use crate::messages::answers as texts;
use crate::messages::lookup::announcer;
use crate::visible::{visible, visible_str};

/// Where the values of a registration begin.
const KEY_WIDTH: usize = 16;
const INDENT: usize = 2;
/// Where what a source said begins.
const SOURCE_WIDTH: usize = 24;
/// Of one kind.
const MOST_LINES: usize = 12;
/// Of what one source makes of an item.
const MOST_FACTS: usize = 48;
/// Characters of one value.
const LONGEST: usize = 1024;

/// The registration that is to be shown: that of RDAP, whose form is fixed, before that of WHOIS.
pub(crate) fn registration(looked_up: &LookedUp) -> Option<(&Answered, &Registration)> {
    let all = looked_up.answers.iter();
    let registrations = all.filter_map(|it| match &it.said {
        Said::Registration(registration) if is_about_it(it, registration) => {
            Some((it, &**registration))
        }
        Said::Registration(_) => None,
        Said::Announced(_) | Said::Names(_) | Said::Opinion(_) | Said::NoData | Said::Failed(_) => {
            None
        }
    });
    registrations.min_by_key(|(it, _)| it.source)
}

/// Whether a registry has answered what it was asked. One that speaks of other addresses is not believed.
fn is_about_it(answered: &Answered, registration: &Registration) -> bool {
    match (&answered.question, registration.range) {
        (Question::Address(ip), Some((first, last))) => first <= *ip && *ip <= last,
        (Question::Network(network), Some((first, last))) => {
            first <= network.last() && network.first() <= last
        }
        (
            Question::Address(_) | Question::Network(_) | Question::Name(_) | Question::Hash(_),
            _,
        ) => true,
    }
}

/// Empty where nobody was asked.
pub(crate) fn lines(looked_up: &LookedUp) -> String {
    let mut lines = String::new();
    if let Some((_, registration)) = registration(looked_up) {
        block(registration, &mut lines);
    }
    for answered in &looked_up.answers {
        if !lines.is_empty() {
            lines.push('\n');
        }
        said(answered, &mut lines);
    }
    lines
}

/// As `whois` prints it.
fn block(registration: &Registration, lines: &mut String) {
    let mut out = Block(lines);
    let all = |texts: &[Text]| {
        texts
            .iter()
            .map(|it| visible(it).into_owned())
            .collect::<Vec<_>>()
    };
    if let Some((first, last)) = registration.range {
        out.line("NetRange", format!("{first} - {last}"));
        let networks: Vec<_> = registration
            .networks
            .iter()
            .map(ToString::to_string)
            .collect();
        out.line("CIDR", joined(&networks));
        out.text("NetName", registration.name.as_ref());
        out.text("NetHandle", registration.handle.as_ref());
        out.text("Parent", registration.parent.as_ref());
        out.text("NetType", registration.kind.as_ref());
    } else if let Some((first, last)) = registration.autonomous_systems {
        let number = if first == last {
            format!("AS{first}")
        } else {
            format!("AS{first} - AS{last}")
        };
        out.line("ASNumber", number);
        out.text("ASName", registration.name.as_ref());
        out.text("ASHandle", registration.handle.as_ref());
    } else {
        out.text("Domain", registration.name.as_ref());
        out.text("Handle", registration.handle.as_ref());
        out.text("Registrar", registration.registrar.as_ref());
    }
    let origins: Vec<_> = registration
        .origins
        .iter()
        .map(|it| format!("AS{it}"))
        .collect();
    out.line("OriginAS", joined(&origins));
    if let Some(organisation) = &registration.organisation {
        out.line("Organization", named(organisation));
    }
    out.text("Country", registration.country.as_ref());
    out.day("RegDate", registration.registered.as_ref());
    out.day("Updated", registration.changed.as_ref());
    out.day("Expires", registration.expires.as_ref());
    out.line("Status", joined(&all(&registration.statuses)));
    out.lines("NameServer", &all(&registration.name_servers));
    out.lines("Abuse", &all(&registration.abuse));
    out.lines("Comment", &all(&registration.remarks));
    out.text("Ref", registration.link.as_ref());
    if let Some(organisation) = &registration.organisation {
        let before = out.0.len();
        out.text("OrgName", organisation.name.as_ref());
        out.text("OrgId", organisation.handle.as_ref());
        out.lines("Address", &all(&organisation.address));
        out.text("City", organisation.city.as_ref());
        out.text("Country", organisation.country.as_ref());
        out.day("RegDate", organisation.registered.as_ref());
        out.day("Updated", organisation.changed.as_ref());
        out.text("Ref", organisation.link.as_ref());
        if out.0.len() > before {
            out.0.insert(before, '\n');
        }
    }
    if registration.is_redacted {
        let _ = writeln!(out.0, "{}", texts::REDACTED);
    }
}

fn named(organisation: &Organisation) -> String {
    let name = organisation
        .name
        .as_ref()
        .map(|it| visible(it).into_owned());
    let handle = organisation.handle.as_ref().map(visible);
    match (name, handle) {
        (Some(name), Some(handle)) => format!("{name} ({handle})"),
        (Some(name), None) => name,
        (None, Some(handle)) => handle.into_owned(),
        (None, None) => String::new(),
    }
}

/// In one line, the first of them.
fn joined(values: &[String]) -> String {
    let mut shown: Vec<_> = values.iter().take(MOST_LINES).cloned().collect();
    shown.extend(beyond(values.len(), MOST_LINES).map(texts::more));
    shown.join(", ")
}

/// How many are not shown. `None`: all are.
fn beyond(count: usize, most: usize) -> Option<usize> {
    count.checked_sub(most).filter(|more| *more > 0)
}

/// A value of no more than [`LONGEST`] characters.
fn cut(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()).into(),
        None => value.into(),
    }
}

struct Block<'a>(&'a mut String);

impl Block<'_> {
    fn line(&mut self, key: &str, value: impl AsRef<str>) {
        let value = value.as_ref();
        if !value.is_empty() {
            let _ = writeln!(self.0, "{:KEY_WIDTH$}{}", format!("{key}:"), cut(value));
        }
    }

    fn text(&mut self, key: &str, value: Option<&Text>) {
        if let Some(value) = value {
            self.line(key, visible(value));
        }
    }

    /// Of a time in the form of RFC 3339 only the day.
    fn day(&mut self, key: &str, value: Option<&Text>) {
        const DAY: usize = "2005-07-21".len();
        let Some(value) = value else {
            return;
        };
        let text = visible(value);
        match text.split_once('T') {
            Some((day, _)) if day.len() == DAY => self.line(key, day),
            Some(_) | None => self.line(key, &text),
        }
    }

    fn lines(&mut self, key: &str, values: &[String]) {
        for value in values.iter().take(MOST_LINES) {
            self.line(key, value);
        }
        if let Some(more) = beyond(values.len(), MOST_LINES) {
            self.line(key, texts::more(more));
        }
    }
}

/// One source: who, when, from where; what it said; where to read on.
fn said(answered: &Answered, out: &mut String) {
    let host = answered.replies.last().map(|it| visible_str(&it.host));
    let title = texts::source(
        answered.source.title(),
        host.as_deref(),
        &texts::second(answered.asked),
    );
    let _ = writeln!(out, "{title}");
    let mut facts = Facts(out);
    match &answered.said {
        Said::Registration(registration) => facts.registration(answered, registration),
        Said::Announced(networks) => facts.announced(networks),
        Said::Names(names) => facts.names(names),
        Said::Opinion(opinion) => facts.opinion(opinion),
        Said::NoData => facts.sentence(&texts::no_data(answered.source)),
        Said::Failed(failure) => facts.sentence(&failed(failure)),
    }
    if let Some(link) = &answered.link {
        facts.fact(texts::LINK, &visible_str(link));
    }
}

/// Why there is no answer, as a sentence.
pub fn failed(failure: &Failure) -> String {
    texts::failed(failure)
}

struct Facts<'a>(&'a mut String);

impl Facts<'_> {
    fn fact(&mut self, name: &str, value: &str) {
        let value = cut(value);
        let _ = writeln!(self.0, "{:INDENT$}{name:SOURCE_WIDTH$}{value}", "");
    }

    fn sentence(&mut self, text: &str) {
        let _ = writeln!(self.0, "{:INDENT$}{}", "", cut(text));
    }

    fn registration(&mut self, answered: &Answered, registration: &Registration) {
        self.fact(texts::ABOUT, &visible_str(&answered.question.to_string()));
        if !is_about_it(answered, registration) {
            self.sentence(texts::ABOUT_OTHERS);
            return;
        }
        let holder = registration.organisation.as_ref().map(named);
        let holder = holder.filter(|it| !it.is_empty());
        match (holder, &registration.name) {
            (Some(holder), _) => self.fact(texts::HOLDER, &holder),
            (None, Some(name)) => {
                self.fact(texts::HOLDER, &texts::only_the_name(&visible(name)));
            }
            (None, None) => self.fact(texts::HOLDER, texts::NOT_TOLD),
        }
        if let Some(registry) = &registration.registry {
            self.fact(texts::REGISTRY, &visible(registry));
        }
    }

    fn announced(&mut self, networks: &[Announcement]) {
        for it in networks.iter().take(MOST_LINES) {
            let organisation = it.organisation.as_ref().map(visible).unwrap_or_default();
            let network = it.network.as_ref().map(ToString::to_string);
            let facts = [
                network,
                it.country.as_ref().map(|it| visible(it).into_owned()),
                it.registry.as_ref().map(|it| visible(it).into_owned()),
                it.allocated.as_ref().map(|it| visible(it).into_owned()),
            ];
            let facts: Vec<_> = facts.into_iter().flatten().collect();
            let who = announcer(it.asn, &organisation);
            self.fact(
                texts::ANNOUNCED_BY,
                &format!("{who} ({})", facts.join(", ")),
            );
        }
        self.more(networks.len());
    }

    fn names(&mut self, names: &[SeenName]) {
        for it in names.iter().take(MOST_LINES) {
            let seen = match (it.first_seen, it.last_seen) {
                (Some(first), Some(last)) => texts::seen(&texts::day(first), &texts::day(last)),
                (Some(one), None) | (None, Some(one)) => texts::day(one),
                (None, None) => String::new(),
            };
            let name = visible(&it.name);
            let text = if seen.is_empty() {
                name.into_owned()
            } else {
                format!("{name} ({seen})")
            };
            self.fact(texts::NAME, &text);
        }
        self.more(names.len());
    }

    fn opinion(&mut self, opinion: &Opinion) {
        self.fact(texts::STANDING, texts::standing(opinion.standing));
        for (name, value) in opinion.facts.iter().take(MOST_FACTS) {
            self.fact(name, &visible(value));
        }
        if let Some(more) = beyond(opinion.facts.len(), MOST_FACTS) {
            self.sentence(&texts::more(more));
        }
    }

    fn more(&mut self, count: usize) {
        if let Some(more) = beyond(count, MOST_LINES) {
            self.sentence(&texts::more(more));
        }
    }
}

/// Whether a source was asked that would know the holder, and answered.
pub(crate) fn has_registry(looked_up: &LookedUp) -> bool {
    let registries = [OnlineSource::Rdap, OnlineSource::Whois];
    let answered =
        |it: &Answered| registries.contains(&it.source) && matches!(it.said, Said::Registration(_));
    looked_up.answers.iter().any(answered)
}

/// In one line.
pub(crate) fn in_short(answered: &Answered) -> String {
    let mut out = String::new();
    let mut facts = Facts(&mut out);
    match &answered.said {
        Said::Registration(registration) if !is_about_it(answered, registration) => {
            return texts::ABOUT_OTHERS.to_owned();
        }
        Said::Registration(registration) => {
            let holder = registration.organisation.as_ref().map(named);
            let name = registration
                .name
                .as_ref()
                .map(|it| visible(it).into_owned());
            let holder = holder.filter(|it| !it.is_empty()).or(name);
            return holder.unwrap_or_else(|| texts::NOT_TOLD.to_owned());
        }
        Said::Announced(networks) => facts.announced(networks),
        Said::Names(names) => facts.names(names),
        Said::Opinion(opinion) => facts.opinion(opinion),
        Said::NoData => return texts::no_data(answered.source),
        Said::Failed(failure) => return failed(failure),
    }
    let lines = out.lines().map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.join(" ")
    });
    lines.collect::<Vec<_>>().join("; ")
}
