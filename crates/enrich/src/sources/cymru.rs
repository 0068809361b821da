//! Team Cymru: which networks announce an address, and who they are, by DNS
//! (team-cymru.com/ip-asn-mapping).
//!
//! `4.3.2.1.origin.asn.cymru.com` has a text `15169 23028 | 8.8.8.0/24 | US | arin | 2023-12-28` for
//! each announced block, `AS15169.asn.cymru.com` one `15169 | US | arin | 2000-03-30 | GOOGLE, US`.

use std::net::IpAddr;

use model::{Announcement, Network, Question, Reply, Said, Text};

use super::dns_message::{Record, records};
use super::reverse::backwards;
use super::{Conversation, RecordKind, Request};

/// Names of networks are asked for so many.
const MOST_NETWORKS: usize = 4;
/// Lines of an answer that are read.
const MOST_LINES: usize = 32;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let address = match conversation.question {
        Question::Address(address) => address.to_canonical(),
        Question::Network(network) => network.first().to_canonical(),
        Question::Name(_) | Question::Hash(_) => return None,
    };
    let name = match conversation.replies.split_first() {
        None => {
            let zone = match address {
                IpAddr::V4(_) => "origin",
                IpAddr::V6(_) => "origin6",
            };
            format!("{}.{zone}.asn.cymru.com", backwards(address))
        }
        Some((origin, named)) => {
            let numbers = numbers(&announcements(origin).ok()?);
            let number = numbers.get(named.len())?;
            format!("AS{number}.asn.cymru.com")
        }
    };
    Some(Request::Dns {
        name,
        kind: RecordKind::Txt,
    })
}

/// Whose names are asked for, in the order in which they are.
fn numbers(announcements: &[Announcement]) -> Vec<u32> {
    let mut numbers = Vec::new();
    for announcement in announcements {
        if numbers.len() < MOST_NETWORKS && !numbers.contains(&announcement.asn) {
            numbers.push(announcement.asn);
        }
    }
    numbers
}

pub(super) fn read(_: &Question, replies: &[Reply]) -> Said {
    let Some((origin, named)) = replies.split_first() else {
        return Said::NoData;
    };
    let mut announcements = match announcements(origin) {
        Ok(announcements) => announcements,
        Err(said) => return said,
    };
    for reply in named {
        // Who announces it is known without its name.
        let Ok(records) = records(reply, RecordKind::Txt) else {
            continue;
        };
        for fields in records.iter().filter_map(fields) {
            let [number, .., name] = fields.as_slice() else {
                continue;
            };
            let Some(number) = number_of(number).filter(|_| fields.len() == 5) else {
                continue;
            };
            let those = announcements.iter_mut().filter(|it| it.asn == number);
            those.for_each(|it| it.organisation = said(name));
        }
    }
    if announcements.is_empty() {
        return Said::NoData;
    }
    Said::Announced(announcements)
}

/// Of the first answer; the narrowest block first.
fn announcements(origin: &Reply) -> Result<Vec<Announcement>, Said> {
    let records = records(origin, RecordKind::Txt)?;
    let mut announcements: Vec<Announcement> = Vec::new();
    for fields in records.iter().take(MOST_LINES).filter_map(fields) {
        let mut fields = fields.iter();
        let mut field = || fields.next().map(Vec::as_slice).unwrap_or_default();
        let (numbers, network) = (field(), field());
        let (country, registry, allocated) = (field(), field(), field());
        let numbers = numbers.split(u8::is_ascii_whitespace).filter_map(number_of);
        for asn in numbers.take(MOST_LINES) {
            let announcement = Announcement {
                asn,
                network: network_of(network),
                country: said(country),
                registry: said(registry),
                allocated: said(allocated),
                organisation: None,
            };
            if !announcements.contains(&announcement) {
                announcements.push(announcement);
            }
        }
    }
    announcements.sort_by_key(|it| std::cmp::Reverse(it.network.map(Network::prefix)));
    Ok(announcements)
}

/// What stands between `|`; the fifth is the last and may have some in it.
fn fields(record: &Record) -> Option<Vec<Vec<u8>>> {
    let Record::Text(text) = record else {
        return None;
    };
    let fields = text.splitn(5, |byte| *byte == b'|');
    Some(fields.map(|it| it.trim_ascii().to_vec()).collect())
}

fn said(field: &[u8]) -> Option<Text> {
    (!field.is_empty() && field != b"NA").then(|| Text::from(field))
}

fn number_of(field: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(field).ok()?;
    text.strip_prefix("AS").unwrap_or(text).parse().ok()
}

fn network_of(field: &[u8]) -> Option<Network> {
    let (address, prefix) = std::str::from_utf8(field).ok()?.split_once('/')?;
    Network::new(address.parse().ok()?, prefix.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::super::dns_message::tests::{message, reply, text};
    use super::*;

    const NAME: &str = "28.0.6.216.origin.asn.cymru.com";

    fn txt(name: &str, texts: &[&str]) -> Reply {
        let answers: Vec<_> = texts.iter().map(|it| (name, 16, text(&[it]))).collect();
        reply(0, message(name, 16, &answers))
    }

    fn asked(question: &Question, replies: &[Reply]) -> Option<String> {
        let conversation = Conversation {
            question,
            replies,
            base: None,
        };
        let Request::Dns { name, kind } = next(conversation)? else {
            unreachable!()
        };
        assert_eq!(kind, RecordKind::Txt);
        Some(name)
    }

    /// Made up, in the form that its page has.
    #[test]
    fn asks_for_the_announcers_and_then_for_their_names() {
        let question = Question::Address("216.6.0.28".parse().unwrap());
        assert_eq!(asked(&question, &[]).as_deref(), Some(NAME));
        let origin = txt(
            NAME,
            &[
                "64500 | 216.6.0.0/17 | US | arin | 1998-09-18",
                "64496 64497 | 216.6.0.0/23 |  | arin | ",
            ],
        );
        let mut replies = vec![origin];
        let mut names = Vec::new();
        while let Some(name) = asked(&question, &replies) {
            let number = name.trim_start_matches("AS").split('.').next().unwrap();
            let organisation =
                format!("{number} | SY | ripencc | 2005-07-21 | NET-{number} a|b, SY");
            replies.push(txt(&name, &[&organisation]));
            names.push(name);
        }
        let expected = ["AS64496", "AS64497", "AS64500"].map(|it| format!("{it}.asn.cymru.com"));
        assert_eq!(names, expected);
        let Said::Announced(announced) = read(&question, &replies) else {
            unreachable!()
        };
        let [first, _, last] = announced.as_slice() else {
            unreachable!()
        };
        assert_eq!(first.asn, 64496);
        assert_eq!((&first.country, &first.allocated), (&None, &None));
        assert_eq!(first.network.unwrap().to_string(), "216.6.0.0/23");
        assert_eq!(first.organisation, Some("NET-64496 a|b, SY".into()));
        assert_eq!((last.asn, &last.country), (64500, &Some("US".into())));
    }

    #[test]
    fn nobody_announces_it() {
        let question = Question::Address("2001:db8::1".parse().unwrap());
        let name = asked(&question, &[]).unwrap();
        assert!(
            name.ends_with(".8.b.d.0.1.0.0.2.origin6.asn.cymru.com"),
            "{name}"
        );
        let replies = [reply(3, message(&name, 16, &[]))];
        assert_eq!(asked(&question, &replies), None);
        assert_eq!(read(&question, &replies), Said::NoData);
    }
}
