//! What `lookup` says, and what the screen says of addresses.

use model::MatchedBy;

pub(crate) const ADDRESS: &str = "address";
pub(crate) const ANNOUNCED_BY: &str = "announced by";
pub(crate) const BLOCK_COUNTRY: &str = "block country";
pub(crate) const DEFANGED: &str = "to pass it on";
pub(crate) const HASH: &str = "hash";
pub(crate) const HOLDER: &str = "holder";
pub(crate) const KIND: &str = "kind";
pub(crate) const LISTS: &str = "on lists";
pub(crate) const LOOKALIKE: &str = "lookalike";
pub(crate) const NAME: &str = "name";
pub(crate) const PLATFORM: &str = "platform";
pub(crate) const PORT: &str = "port";
pub(crate) const STANDS_FOR: &str = "stands for";
pub(crate) const REGISTRABLE: &str = "registered";
pub(crate) const SEARCH: &str = "to search for";
pub(crate) const SPECIAL_USE: &str = "special use";
pub(crate) const SUFFIX: &str = "public suffix";
pub(crate) const WANTED: &str = "wanted";
pub(crate) const TOLD: &str = "a file tells";

pub(crate) const PUBLISHER_NOT_TOLD: &str = "who published it is not told";
pub(crate) const DATE_NOT_TOLD: &str = "when is not told";
pub(crate) const LISTED_IS_A_SIGN: &str = "To be on a list is a sign and no proof: addresses and names \
    change hands, and only its publisher knows why it is there.";

pub(crate) const HOLDER_NOT_KNOWN: &str = "Holder of this address: not known here. It may have been \
    passed on to someone else; ask WHOIS/RDAP from another computer.";
/// The same where `holder` stands in front of it.
pub(crate) const PASSED_ON: &str = "not known here: it may have been passed on to someone else; ask WHOIS/RDAP from another computer";
pub(crate) const REGISTRANT_NOT_KNOWN: &str =
    "Who registered this name: not known here. Ask WHOIS/RDAP from another computer.";
pub(crate) const FILE_NOT_KNOWN: &str =
    "Which file this is: not known here. That no list here has it says nothing about it.";
pub(crate) const LIST_SAYS_NO_MORE: &str =
    "A file with this hash is what the list says; the list does not tell why it was here.";
pub(crate) const DO_NOT_OPEN: &str =
    "Search for it in quotes. Do not open it: never type it into the address bar.";
pub(crate) const NOBODY_KNOWN: &str = "nobody that the tables know";
pub(crate) const PARTS_BY_NOBODY: &str = "nobody that the tables know, in parts of it";
pub(crate) const IS_A_SUFFIX: &str = "none: names are registered below it";
pub(crate) const BY_REGISTRY: &str = "by its registry";
pub(crate) const BY_PLATFORM: &str = "by a platform that gives names to others";
pub(crate) const BY_NOBODY: &str = "on no list: its last part";

pub(crate) fn announcer(asn: u32, organisation: &str) -> String {
    if organisation.is_empty() {
        format!("AS{asn}")
    } else {
        format!("AS{asn} {organisation}")
    }
}

/// `answered`: the day on which somebody last answered. `None`: nobody has.
pub(crate) fn wanted(answered: Option<&str>) -> String {
    match answered {
        Some(day) => format!("on the list of what to ask from another computer; answered on {day}"),
        None => {
            "on the list of what to ask from another computer; nobody has answered yet".to_owned()
        }
    }
}

/// `day`: when it was asked.
pub(crate) fn holder(name: &str, country: Option<&str>, source: &str, day: &str) -> String {
    match country {
        Some(country) => format!("{name} ({country}), as {source} said on {day}"),
        None => format!("{name}, as {source} said on {day}"),
    }
}

pub(crate) fn block_country(country: &str) -> String {
    format!(
        "{country}: where the large block was allocated; this address may be elsewhere, with somebody \
         else"
    )
}

pub(crate) fn used_by_others(kinds: &str) -> String {
    format!("{kinds}: whoever uses an address of it is not the one who announces it")
}

pub(crate) fn special_use(name: &str, defined_in: &str) -> String {
    format!("{name} ({defined_in})")
}

/// `meant`: what the port is registered for.
pub(crate) fn port(port: u16, meant: Option<&str>) -> String {
    match meant {
        Some(service) => format!("{port}, meant for {service}; any program may use it"),
        None => port.to_string(),
    }
}

pub(crate) fn in_ranges(announcer: &str, ranges: usize) -> String {
    let plural = if ranges == 1 { "" } else { "s" };
    format!("{announcer}, {ranges} range{plural}")
}

pub(crate) fn more_announcers(count: usize) -> String {
    format!("and {count} more")
}

pub(crate) fn both_ways(ascii: &str, unicode: &str) -> String {
    format!("{ascii}, which is written {unicode}")
}

pub(crate) fn looks_like(character: &str, letter: char) -> String {
    format!("{character} is easily taken for '{letter}': the name may pass for another one")
}

pub(crate) fn suffix(suffix: &str, by: &str) -> String {
    format!("{suffix}, {by}")
}

pub(crate) fn platform(platform: &str) -> String {
    format!("{platform}: whoever has this name is not the one who has the platform")
}

/// `by`: who published the list, and when.
pub(crate) fn listed(kind: &str, provider: &str, list: &str, by: &str) -> String {
    let whose = if provider.is_empty() {
        String::new()
    } else {
        format!(" of {provider}")
    };
    format!("{kind}{whose}: {list} ({by})")
}

/// `about`: what the list says of it; `how` it fits.
pub(crate) fn listed_indicator(
    meaning: &str,
    about: &str,
    list: &str,
    by: &str,
    how: &str,
) -> String {
    if about.is_empty() || about == list {
        format!("{meaning}: {list} ({by}): {how}")
    } else {
        format!("{meaning}: {about}, on {list} ({by}): {how}")
    }
}

/// How something fits what the list has.
pub(crate) fn fits(by: MatchedBy, indicator: &str) -> String {
    match by {
        MatchedBy::Address | MatchedBy::Name | MatchedBy::Hash | MatchedBy::Url => {
            "listed itself".to_owned()
        }
        MatchedBy::InNetwork => format!("in the network {indicator}"),
        MatchedBy::RegisteredDomain => format!("below the domain {indicator}, which is listed"),
        MatchedBy::NameBelow => format!("below {indicator}, listed with all below it"),
        MatchedBy::UrlHost => format!("a weak sign: the host of {indicator}"),
        MatchedBy::ProcessName => format!("a weak sign: a process is called {indicator}"),
        MatchedBy::Path => format!("the path {indicator}"),
        MatchedBy::PathBelow => format!("in the folder {indicator}"),
        MatchedBy::FileName => format!("a weak sign: a file is called {indicator}"),
    }
}

/// A file of facts about addresses, which the person added.
pub(crate) fn told_by(list: &str, by: &str) -> String {
    format!("{list} ({by}), and it may be wrong:")
}

pub(crate) fn told(name: &str, value: &str) -> String {
    format!("{name}: {value}")
}
