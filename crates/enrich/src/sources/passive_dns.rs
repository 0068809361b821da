//! CIRCL passive DNS: which names led to an address, and where a name led, as answers on the way were
//! seen. One JSON object a line (draft-dulaunoy-dnsop-passive-dns-cof).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;

use model::{Failure, Question, Reply, Said, SeenName, Timestamp};

use super::facts::shortened;
use super::http::{self, NotFound};
use super::members::{self, Object, unreadable};
use super::place::{self, encoded};
use super::{Conversation, KeyPlace, Request};
use crate::files::time::time;

const BASE: &str = "https://www.circl.lu/pdns/query/";
pub(super) const KEY: KeyPlace = KeyPlace::Basic;
/// Names that are told of: those that were seen last.
const MOST: usize = 64;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let question = conversation.question;
    let address = place::address(question).map(|it| it.to_string());
    let what = address.or_else(|| place::name(question).map(encoded))?;
    place::lines(conversation, BASE, &what, Some(KEY))
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Unknown, |body| {
        let names = names(question, body)?;
        Ok(if names.is_empty() {
            Said::NoData
        } else {
            Said::Names(names)
        })
    })
}

fn names(question: &Question, body: &[u8]) -> Result<Vec<SeenName>, Failure> {
    if members::is_html(body) {
        return Err(unreadable("it is a web page, not lines of JSON"));
    }
    let mut all: BTreeMap<String, SeenName> = BTreeMap::new();
    let lines = body.split(|byte| *byte == b'\n').zip(1_usize..);
    for (line, number) in lines.filter(|(line, _)| !line.trim_ascii().is_empty()) {
        let named = |failure| members::in_line(failure, number);
        let document = members::document(line).map_err(named)?;
        let record = Object::of(&document, "it").map_err(named)?;
        for seen in seen(question, record).map_err(named)? {
            match all.entry(seen.name.lossy().into_owned()) {
                Entry::Vacant(entry) => {
                    entry.insert(seen);
                }
                Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    known.first_seen = match (known.first_seen, seen.first_seen) {
                        (Some(one), Some(other)) => Some(one.min(other)),
                        (one, other) => one.or(other),
                    };
                    known.last_seen = known.last_seen.max(seen.last_seen);
                }
            }
        }
    }
    let mut names: Vec<SeenName> = all.into_values().collect();
    names.sort_by_key(|seen| std::cmp::Reverse(seen.last_seen));
    names.truncate(MOST);
    Ok(names)
}

/// The other side of a record: the name where an address was asked for, and the other way round.
fn seen(question: &Question, record: Object<'_>) -> Result<Vec<SeenName>, Failure> {
    let owner = record.word("rrname");
    let owner = owner.ok_or_else(|| unreadable("it has no `rrname`"))?;
    let kind = record.text("rrtype").unwrap_or_default();
    // Who runs a zone or takes its mail is neither a name nor an address of it.
    if !matches!(kind.as_str(), "A" | "AAAA" | "CNAME" | "PTR") {
        return Ok(Vec::new());
    }
    let data = match record.texts("rdata") {
        data if data.is_empty() => record.texts("rrdata"),
        data => data,
    };
    let is_owner = match question {
        Question::Name(name) => bare(owner).eq_ignore_ascii_case(name),
        // The owner of a PTR is the address, in the form of a name.
        Question::Address(_) => kind == "PTR",
        Question::Network(_) | Question::Hash(_) => return Ok(Vec::new()),
    };
    let others = if is_owner {
        data
    } else {
        vec![owner.to_owned()]
    };
    let time = |name: &str| record.text(name).as_deref().and_then(time);
    let time = |name: &str, other: &str| {
        let found: Option<Timestamp> = time(name).or_else(|| time(other));
        found.and_then(Timestamp::told)
    };
    let first_seen = time("time_first", "zone_time_first");
    let last_seen = time("time_last", "zone_time_last");
    let others = others.iter().map(|other| SeenName {
        name: match other.parse::<IpAddr>() {
            Ok(address) => address.to_string(),
            Err(_) => shortened(bare(other)),
        }
        .into(),
        first_seen,
        last_seen,
    });
    Ok(others.filter(|seen| !seen.name.is_empty()).collect())
}

fn bare(name: &str) -> &str {
    name.trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::question;
    use super::*;

    fn check(asked: &str, body: &str, expected: &[(&str, Option<&str>, Option<&str>)]) {
        let Said::Names(names) = read(&question(asked), &reply(200, body)) else {
            panic!("{body} has no names");
        };
        let day = |time: Option<Timestamp>| time.map(|it| it.to_string()[..10].to_owned());
        let found: Vec<_> = names
            .iter()
            .map(|it| (it.name.lossy(), day(it.first_seen), day(it.last_seen)))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, first, last)| {
                let owned = |it: &Option<&str>| it.map(str::to_owned);
                ((*name).into(), owned(first), owned(last))
            })
            .collect();
        assert_eq!(found, expected);
    }

    /// Made up after the draft.
    const OF_ADDRESS: &str = r#"
{"count":112,"time_first":1298398002,"rrtype":"A","rrname":"Old.example.org","rdata":"1.1.1.1","time_last":1354530214}
{"count":"4","time_first":"1361180820","rrtype":"A","rrname":"new.example.org.","rdata":["1.1.1.1","1.1.1.2"],"time_last":"1366210757"}
{"count":4,"time_first":1298398002,"rrtype":"A","rrname":"new.example.org","rrdata":"1.1.1.1","time_last":1298398003}
{"rrtype":"NS","rrname":"zone.example.org","rdata":"1.1.1.1"}
{"rrtype":"PTR","rrname":"1.1.1.1.in-addr.arpa","rdata":"one.one.one.one.","time_first":null}
"#;

    #[test]
    fn the_names_of_an_address_are_each_told_once() {
        check(
            "1.1.1.1",
            OF_ADDRESS,
            &[
                ("new.example.org", Some("2011-02-22"), Some("2013-04-17")),
                ("Old.example.org", Some("2011-02-22"), Some("2012-12-03")),
                ("one.one.one.one", None, None),
            ],
        );
    }

    #[test]
    fn the_addresses_of_a_name_are_told() {
        let body = r#"{"rrtype":"A","rrname":"gist.github.com","rdata":["13.234.210.38","13.234.210.39"]}
{"rrtype":"CNAME","rrname":"other.example.org","rdata":"gist.github.com."}"#;
        check(
            "gist.github.com",
            body,
            &[
                ("13.234.210.38", None, None),
                ("13.234.210.39", None, None),
                ("other.example.org", None, None),
            ],
        );
    }

    #[test]
    fn a_line_that_is_cut_is_named() {
        let body = "{\"rrtype\":\"A\",\"rrname\":\"a.b\",\"rdata\":\"1.1.1.1\"}\n{\"rrtype\":";
        let said = read(&question("1.1.1.1"), &reply(200, body));
        let Said::Failed(Failure::Unreadable(why)) = said else {
            panic!("{said:?}");
        };
        assert!(why.starts_with("line 2: its JSON ends"), "{why}");
        for body in ["", "\n\n"] {
            let said = read(&question("1.1.1.1"), &reply(200, body));
            assert_eq!(said, Said::NoData);
        }
    }

    #[test]
    fn no_more_names_than_a_bound() {
        let line = |number: usize| {
            format!(
                "{{\"rrtype\":\"A\",\"rrname\":\"n{number}.example.org\",\"rdata\":\"1.1.1.1\"}}\n"
            )
        };
        let body: String = (0..1000).map(line).collect();
        let Said::Names(names) = read(&question("1.1.1.1"), &reply(200, &body)) else {
            panic!("no names");
        };
        assert_eq!(names.len(), MOST);
    }
}
