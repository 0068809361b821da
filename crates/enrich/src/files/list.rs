//! A value on each line: plain lists, netsets, hosts files, and lists for name servers and blockers of
//! advertising.

use std::net::IpAddr;

use model::{IndicatorKind, IndicatorValue};

use super::out::{About, Out, Place, is_everybodys, is_kind_of_line};
use super::word::{Word, guessed, values};
use super::{Said, name};

pub(super) fn read(text: &str, said: &Said, out: &mut Out) {
    let kind = said.kind.filter(|kind| is_kind_of_line(*kind));
    let kind = kind.or_else(|| of_file_name(&said.file));
    for (number, line) in (1..).zip(text.lines()) {
        let place = Place::Line(number);
        let (line, comment) = without_comment(line);
        if line.is_empty() {
            continue;
        }
        let found = match kind {
            Some(kind) => of_kind(kind, line),
            None => of_looks(line),
        };
        match found {
            Found::Nothing => {}
            Found::Unknown => out.skip(place, unknown(line)),
            Found::Values(found) => {
                for value in found {
                    let said = About {
                        about: comment,
                        ..About::default()
                    };
                    out.add(place, value, &said);
                }
            }
        }
    }
}

enum Found {
    Values(Vec<IndicatorValue>),
    /// A line that is there for other reasons.
    Nothing,
    Unknown,
}

impl From<Vec<IndicatorValue>> for Found {
    fn from(values: Vec<IndicatorValue>) -> Self {
        if values.is_empty() {
            Self::Unknown
        } else {
            Self::Values(values)
        }
    }
}

/// Why nothing is taken of a line.
fn unknown(line: &str) -> &'static str {
    let bare = line.trim_start_matches("||").trim_start_matches("*.");
    let bare = bare.trim_start_matches('.').trim_end_matches('^');
    if bare.contains('.') || !is_everybodys(&bare.to_lowercase()) {
        "it is no address, name, hash, URL or path"
    } else {
        "it is no address, hash, URL or path; as the end of names it is too wide to say anything"
    }
}

/// Names of processes look like anything; the file is called by them.
fn of_file_name(file: &str) -> Option<IndicatorKind> {
    let file = file.to_ascii_lowercase();
    file.contains("process")
        .then_some(IndicatorKind::ProcessName)
}

fn of_kind(kind: IndicatorKind, line: &str) -> Found {
    let word = match kind {
        IndicatorKind::Address | IndicatorKind::Network => Word::Address,
        IndicatorKind::Name => Word::Name,
        IndicatorKind::Url => Word::Url,
        IndicatorKind::Hash => Word::Hash,
        IndicatorKind::ProcessName => Word::ProcessName,
        IndicatorKind::Path => Word::Path,
        IndicatorKind::FileName => Word::FileName,
        IndicatorKind::Unchecked(kind) => Word::Unchecked(kind),
    };
    values(word, line).into()
}

fn of_looks(line: &str) -> Found {
    if let Some(rule) = line.strip_prefix("||") {
        let name = rule.split(['^', '$', '/']).next().unwrap_or_default();
        return values(Word::NameBelow, name).into();
    }
    for prefix in ["address=/", "server=/", "local=/"] {
        if let Some(rule) = line.strip_prefix(prefix) {
            let name = rule.split('/').next().unwrap_or_default();
            return values(Word::NameBelow, name).into();
        }
    }
    let mut words = line.split_whitespace();
    let (Some(first), second) = (words.next(), words.next()) else {
        return Found::Nothing;
    };
    if second.is_some() && is_nowhere(first) {
        let names = line.split_whitespace().skip(1);
        let found: Vec<_> = names
            .clone()
            .flat_map(|name| values(Word::Name, name))
            .collect();
        if found.is_empty() && names.clone().all(is_of_hosts) {
            return Found::Nothing;
        }
        return found.into();
    }
    if second == Some("-") {
        return guessed(line).into();
    }
    let found = guessed(first);
    // A path may have blanks in it.
    if found.is_empty() || matches!(found.as_slice(), [IndicatorValue::Path(_)]) {
        return guessed(line).into();
    }
    found.into()
}

/// Where a hosts file sends what nobody shall reach.
fn is_nowhere(word: &str) -> bool {
    let address = word.split('%').next().unwrap_or_default();
    address.parse().is_ok_and(|address: IpAddr| {
        address.is_unspecified()
            || address.is_loopback()
            || address == IpAddr::from([255, 255, 255, 255])
            || matches!(address, IpAddr::V6(address) if address.segments().first() == Some(&0xfe80))
    })
}

/// What a hosts file names of the computer itself.
fn is_of_hosts(word: &str) -> bool {
    name::normalised(word).is_none() || matches!(word, "localhost.localdomain" | "local.localhost")
}

/// A line without what stands behind `#`, `;` or `//`, and what stands there.
fn without_comment(line: &str) -> (&str, Option<&str>) {
    let line = line.trim();
    if line.starts_with(['#', ';', '!', '[']) && !line.starts_with("[2") || line.starts_with("//") {
        return ("", None);
    }
    for mark in ["#", ";", " //", "\t//"] {
        // A URL may have `#` or `;` in it; a comment behind a value has a blank in front.
        let at = line.match_indices(mark).map(|(at, _)| at);
        for at in at.take(16) {
            let (before, after) = line.split_at_checked(at).unwrap_or((line, ""));
            let is_apart = mark.len() > 1 || before.ends_with(char::is_whitespace);
            if is_apart {
                let comment = after.trim_start_matches(['#', ';', '/', ' ', '\t']).trim();
                return (before.trim(), (!comment.is_empty()).then_some(comment));
            }
        }
    }
    (line, None)
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Said, tests};
    use super::*;

    #[test]
    fn a_value_on_each_line() {
        tests::check(
            "# a list\n; another\n\nEvil[.]Example  # why\n192.0.2.0/24 ; SBL1\n192.0.2.1\t5\n192.0.2.0 - 192.0.2.1\nhxxp://evil.example/#x\nhello there\n*.below.example\n/opt/my app/x\n",
            Format::List,
            &[
                "name evil.example (why)",
                "network 192.0.2.0/24 (SBL1)",
                "address 192.0.2.1",
                "network 192.0.2.0/31",
                "url http://evil.example/#x",
                "name below.example",
                "path /opt/my app/x",
            ],
            1,
        );
    }

    #[test]
    fn what_is_too_wide_is_told() {
        let text = "0.0.0.1-255.255.255.254\n0.0.0.0/1\n2000::/3\n*.co.uk\n||co.uk^\n.com\ncom\nnothing known\nco.uk\n.github.io\n/usr/\nC:\\Windows\n/usr/spy\n";
        let mut out = Out::new(Format::List);
        read(text, &Said::default(), &mut out);
        let content = out.finish();
        let kept: Vec<_> = content
            .indicators
            .iter()
            .map(|it| it.value.to_string())
            .collect();
        assert_eq!(kept, ["co.uk", "github.io", "/usr/spy"]);
        let told = content
            .skipped
            .first
            .iter()
            .filter(|(_, why)| why.contains("wide"));
        assert_eq!(
            (told.count(), content.skipped.count),
            (9, 10),
            "{:?}",
            content.skipped
        );
    }

    #[test]
    fn a_hosts_file_names_what_it_sends_nowhere() {
        tests::check(
            "127.0.0.1 localhost localhost.localdomain\n::1 ip6-localhost\nfe80::1%lo0 localhost\n0.0.0.0 evil.example worse.example # spy\n127.0.0.1\tbad.example\n||ads.example^$third-party\naddress=/dns.example/0.0.0.0\n",
            Format::List,
            &[
                "name localhost.localdomain",
                "name evil.example (spy)",
                "name worse.example (spy)",
                "name bad.example",
                "name ads.example",
                "name dns.example",
            ],
            0,
        );
    }

    #[test]
    fn processes_are_named_by_the_file_or_the_person() {
        let of_file = Said {
            file: "2021_processes.txt".to_owned(),
            kind: None,
        };
        let of_person = Said {
            file: String::new(),
            kind: Some(IndicatorKind::ProcessName),
        };
        for said in [of_file, of_person] {
            let mut out = Out::new(Format::List);
            read("bh\ncom.apple.x.events\n", &said, &mut out);
            let found = out.finish().indicators;
            assert!(
                found
                    .iter()
                    .all(|it| it.value.kind() == IndicatorKind::ProcessName)
            );
            assert_eq!(found.len(), 2);
        }
    }
}
