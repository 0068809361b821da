//! What the answers of registries have in common, whichever way they came: the five that give out
//! addresses, how they write addresses and countries, and what is left out of what is kept.

mod addresses;
mod country;

use model::{Question, Registration, Text};

pub(super) use self::addresses::{address, blocks, cover, network, range};
pub(super) use self::country::{code, code_of_name};

/// Who gives out addresses, and for which part of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Registry {
    Afrinic,
    Apnic,
    Arin,
    Lacnic,
    Ripe,
}

impl Registry {
    const ALL: [Self; 5] = [
        Self::Afrinic,
        Self::Apnic,
        Self::Arin,
        Self::Lacnic,
        Self::Ripe,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Afrinic => "AFRINIC",
            Self::Apnic => "APNIC",
            Self::Arin => "ARIN",
            Self::Lacnic => "LACNIC",
            Self::Ripe => "RIPE",
        }
    }

    /// Their servers are below it.
    fn domain(self) -> &'static str {
        match self {
            Self::Afrinic => "afrinic.net",
            Self::Apnic => "apnic.net",
            Self::Arin => "arin.net",
            Self::Lacnic => "lacnic.net",
            Self::Ripe => "ripe.net",
        }
    }

    /// Who answers over port 43.
    pub(super) fn whois_host(self) -> &'static str {
        match self {
            Self::Afrinic => "whois.afrinic.net",
            Self::Apnic => "whois.apnic.net",
            Self::Arin => "whois.arin.net",
            Self::Lacnic => "whois.lacnic.net",
            Self::Ripe => "whois.ripe.net",
        }
    }

    pub(super) fn of_host(host: &str) -> Option<Self> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_below = |registry: &Self| {
            let above = host.strip_suffix(registry.domain());
            above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        };
        Self::ALL.into_iter().find(is_below)
    }

    /// By the URL of its RDAP server.
    pub(super) fn of_url(url: &str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        Self::of_host(rest.split(['/', ':']).next()?)
    }

    /// As people and `source:` write it: `RIPE`, `RIPE NCC`.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        let first = word.split_whitespace().next()?;
        let is_it = |registry: &Self| registry.word().eq_ignore_ascii_case(first);
        Self::ALL.into_iter().find(is_it)
    }
}

/// How a registry is called: its word, or the host that answered.
pub(super) fn registry_of(host: &str) -> Option<Text> {
    match Registry::of_host(host) {
        Some(registry) => Some(registry.word().into()),
        None => (!host.is_empty()).then(|| host.into()),
    }
}

/// Texts that are kept of one answer, and their length.
pub(super) const MOST_LINES: usize = 64;
const MOST_BYTES: usize = 1024;

/// A text as it is kept. `None`: nothing is in it, or it says that something was left out.
pub(super) fn kept(text: &str) -> Option<Text> {
    let text = text.trim();
    if text.is_empty() || is_left_out(text) {
        return None;
    }
    Some(within(text).into())
}

fn within(text: &str) -> &str {
    if text.len() <= MOST_BYTES {
        return text;
    }
    let end = (0..=MOST_BYTES).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

/// What stands in the place of a text that was left out.
pub(super) fn is_left_out(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let begins = [
        "redacted",
        "data redacted",
        "data protected",
        "gdpr redacted",
        "gdpr masked",
        "hidden upon user request",
        "not disclosed",
        "statutory masking",
        "personal data, can not be publicly disclosed",
    ];
    begins.iter().any(|begin| {
        let rest = text.strip_prefix(begin);
        // `redacted@a.example` is a mailbox, `Redactedo Ltd` a name.
        rest.is_some_and(|rest| !rest.starts_with(|it: char| it == '@' || it.is_alphanumeric()))
    })
}

/// Adds a line while there is room, once.
pub(super) fn add(lines: &mut Vec<Text>, line: &str) {
    if let Some(line) = kept(line)
        && lines.len() < MOST_LINES
        && !lines.contains(&line)
    {
        lines.push(line);
    }
}

/// Whether a text is a mailbox; what else may stand there is not one.
pub(super) fn mailbox(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    let (local, host) = text.split_once('@')?;
    let is_plain = !text.contains(char::is_whitespace) && text.len() <= 254;
    (is_plain && !local.is_empty() && host.contains('.') && !is_left_out(text)).then_some(text)
}

/// Whether a text is the handle of an organisation, as RIPE, AFRINIC and APNIC give them out.
pub(super) fn is_organisation_handle(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    text.len() <= 64
        && text
            .get(..4)
            .is_some_and(|begin| begin.eq_ignore_ascii_case("ORG-"))
        && text.bytes().all(is_plain)
}

/// Says so where a registration is of something else than what was asked for.
pub(super) fn hold_against(registration: &mut Registration, question: &Question) {
    let other = match question {
        Question::Address(asked) => {
            let asked = asked.to_canonical();
            registration.range.filter(|(first, last)| {
                first.is_ipv4() != asked.is_ipv4() || !(*first..=*last).contains(&asked)
            })
        }
        Question::Network(asked) => {
            let (from, to) = (asked.first(), asked.last());
            registration
                .range
                .filter(|(first, last)| *last < from || to < *first)
        }
        Question::Name(_) | Question::Hash(_) => None,
    };
    if let Some((first, last)) = other {
        let remark = format!("The answer is about {first} - {last}, and not about {question}.");
        registration.remarks.insert(0, remark.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_are_known_by_host_and_word() {
        assert_eq!(Registry::of_host("rdap.db.ripe.net"), Some(Registry::Ripe));
        assert_eq!(Registry::of_host("whois.ARIN.net."), Some(Registry::Arin));
        assert_eq!(Registry::of_host("notarin.net"), None);
        assert_eq!(
            Registry::of_word("LACNIC resources"),
            Some(Registry::Lacnic)
        );
    }

    #[test]
    fn what_was_left_out_is_not_kept() {
        assert_eq!(kept(" REDACTED FOR PRIVACY "), None);
        assert_eq!(kept(""), None);
        assert_eq!(kept("Reda Ltd"), Some("Reda Ltd".into()));
        assert_eq!(
            kept(&"ä".repeat(2000)).unwrap_or_default().bytes().len(),
            1024
        );
    }

    #[test]
    fn mailboxes_are_told_from_what_else_stands_there() {
        assert_eq!(mailbox("mailto:abuse@a.example"), Some("abuse@a.example"));
        assert_eq!(mailbox("abuse AT a.example"), None);
        assert_eq!(mailbox("https://a.example/@x y"), None);
    }
}
