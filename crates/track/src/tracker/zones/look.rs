//! What a name looks like.

use std::ops::Range;
use std::sync::LazyLock;

use model::{Kinds, Text};

/// Types of questions (RFC 1035, 3.2.2; RFC 6895, 3.1).
const A: u16 = 1;
const CNAME: u16 = 5;
const NULL: u16 = 10;
const MX: u16 = 15;
const TXT: u16 = 16;
const KEY: u16 = 25;
const AAAA: u16 = 28;
const SRV: u16 = 33;
const NAPTR: u16 = 35;
const HTTPS: u16 = 65;
const SPF: u16 = 99;
const PRIVATE: Range<u16> = 65_280..65_535;

/// Names are no longer (RFC 1035, 2.3.4); with each byte of them escaped.
const LONGEST: usize = 1024;

/// Labels of names that people made are shorter, most of them.
const LONG: usize = 20;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Address,
    Address6,
    Text,
    Raw,
    OtherOdd,
    Https,
    Plain,
}

pub(super) fn kind_of(question: Option<u16>) -> Kind {
    match question {
        Some(A) => Kind::Address,
        Some(AAAA) => Kind::Address6,
        Some(TXT | SPF) => Kind::Text,
        Some(NULL) => Kind::Raw,
        Some(CNAME | MX | KEY | SRV | NAPTR) => Kind::OtherOdd,
        Some(HTTPS) => Kind::Https,
        Some(other) if PRIVATE.contains(&other) => Kind::Raw,
        Some(_) | None => Kind::Plain,
    }
}

impl Kind {
    pub(super) fn is_odd(self) -> bool {
        matches!(self, Self::Text | Self::Raw | Self::OtherOdd)
    }

    pub(super) fn bit(self) -> u8 {
        match self {
            Self::Address => 1,
            Self::Address6 => 2,
            Self::Text => 4,
            Self::Raw => 8,
            Self::OtherOdd => 16,
            Self::Https => 32,
            Self::Plain => 64,
        }
    }
}

/// Counts a question.
pub(super) fn count(kinds: &mut Kinds, question: Option<u16>) {
    let count = match kind_of(question) {
        Kind::Address => &mut kinds.address,
        Kind::Address6 => &mut kinds.address6,
        Kind::Text => &mut kinds.text,
        Kind::Raw => &mut kinds.raw,
        Kind::OtherOdd => &mut kinds.other_odd,
        Kind::Https | Kind::Plain => &mut kinds.plain,
    };
    *count += 1;
}

/// A name in lower case, and where its labels are.
#[derive(Debug, Default)]
pub(super) struct Labels {
    lower: Vec<u8>,
    /// From left to right.
    labels: Vec<Range<usize>>,
    /// The bits that each letter of the longest label tells, in thousandths, when the last one, two or
    /// three labels are left out, in this order. `None`: it is short.
    long: [Option<u64>; 3],
    is_reversed: bool,
    is_hash: bool,
    is_service: bool,
}

impl Labels {
    /// `false`: it is none that is looked at: empty, too long, of a neighbour, or of an address.
    pub(super) fn read(&mut self, name: &Text) -> bool {
        let name = name.bytes();
        let name = name.strip_suffix(b".").unwrap_or(name);
        if name.is_empty() || name.len() > LONGEST || name.first() == Some(&b'.') {
            return false;
        }
        self.lower.clear();
        self.lower.extend(name.iter().map(u8::to_ascii_lowercase));
        self.labels.clear();
        let (mut start, mut is_escaped) = (0, false);
        for (place, byte) in self.lower.iter().enumerate() {
            if *byte == b'.' && !is_escaped {
                self.labels.push(start..place);
                start = place + 1;
            }
            is_escaped = *byte == b'\\' && !is_escaped;
        }
        self.labels.push(start..self.lower.len());
        if self.is_of_neighbours_or_addresses() {
            return false;
        }
        let is_service = self.before(1).any(|label| label.first() == Some(&b'_'));
        self.is_service = is_service;
        self.is_reversed = self.has_address();
        self.is_hash = self.has_hash();
        self.find_long();
        true
    }

    pub(super) fn lower(&self) -> &[u8] {
        &self.lower
    }

    pub(super) fn is_service(&self) -> bool {
        self.is_service
    }

    /// A label is a hash or a number, and no other one is long.
    pub(super) fn is_hash(&self) -> bool {
        self.is_hash
    }

    /// An address stands in front, backwards.
    pub(super) fn is_reversed(&self) -> bool {
        self.is_reversed
    }

    /// The last `count` labels, where they can be common to names. `None`: there are no others before
    /// them, and nobody can have registered just these.
    pub(super) fn last(&self, count: usize) -> Option<&[u8]> {
        let place = self.labels.len().checked_sub(count)?;
        let may_be_registered = match (place, count) {
            (0, 0 | 1) => false,
            (0, 2) => true,
            // `example.co.uk`: what registries have in front of their ends is short.
            (0, _) => self.labels.get(1).is_some_and(|it| it.len() <= 3),
            (_, _) => true,
        };
        let start = self.labels.get(place).filter(|_| may_be_registered)?.start;
        self.lower.get(start..)
    }

    /// The last label.
    pub(super) fn end(&self) -> &[u8] {
        self.labels.last().map_or(&[], |it| self.label(it))
    }

    /// The bits that each letter of the longest label tells, in thousandths, of all labels but the last
    /// `count`, and but one of none. `None`: it is short.
    pub(super) fn long_before(&self, count: usize) -> Option<u64> {
        let place = count.saturating_sub(1);
        self.long.get(place).copied().flatten()
    }

    fn label(&self, range: &Range<usize>) -> &[u8] {
        self.lower.get(range.clone()).unwrap_or_default()
    }

    /// All labels but the last `count`.
    fn before(&self, count: usize) -> impl Iterator<Item = &[u8]> {
        let labels = self.labels.len().saturating_sub(count);
        self.labels.iter().take(labels).map(|it| self.label(it))
    }

    fn is_of_neighbours_or_addresses(&self) -> bool {
        match self.labels.as_slice() {
            [.., second, last] if self.label(last) == b"arpa" => {
                matches!(self.label(second), b"in-addr" | b"ip6")
            }
            [.., last] => self.label(last) == b"local" || self.is_address(),
            [] => true,
        }
    }

    /// Programs ask for addresses as if they were names.
    fn is_address(&self) -> bool {
        let text = std::str::from_utf8(&self.lower);
        text.is_ok_and(|it| it.parse::<std::net::IpAddr>().is_ok())
    }

    /// Four numbers, or many single digits.
    fn has_address(&self) -> bool {
        let is_number = |label: &[u8]| {
            let text = std::str::from_utf8(label);
            label.len() <= 3 && text.is_ok_and(|it| it.parse::<u8>().is_ok())
        };
        let is_digit = |label: &[u8]| matches!(label, [digit] if digit.is_ascii_hexdigit());
        let first = |most: usize| self.before(1).take(most);
        self.labels.len() > 4 && first(4).all(is_number)
            || self.labels.len() > 16 && first(16).all(is_digit)
    }

    fn has_hash(&self) -> bool {
        let mut long = self.before(1).filter(|label| label.len() >= LONG);
        long.next().is_some_and(is_hash) && long.next().is_none()
    }

    fn find_long(&mut self) {
        let mut known = (0..0, None);
        let mut all = [None; 3];
        for (count, long) in (1..).zip(&mut all) {
            let labels = self.labels.len().saturating_sub(count);
            let labels = self.labels.iter().take(labels);
            // Of those that are equally long the first.
            let range = labels.rev().max_by_key(|it| it.len());
            let Some(range) = range else {
                continue;
            };
            if known.0 != *range {
                let label = self.label(range);
                let is_long = label.len() >= LONG;
                known = (range.clone(), is_long.then(|| millibits(label)));
            }
            *long = known.1;
        }
        self.long = all;
    }
}

/// MD5, SHA-1, SHA-224, or a UUID (RFC 9562, 4).
fn is_hash(label: &[u8]) -> bool {
    let is_hexadecimal = |it: &[u8]| it.iter().all(u8::is_ascii_hexdigit);
    match label.len() {
        32 | 40 | 56 => is_hexadecimal(label),
        36 => {
            let mut parts = label.split(|byte| *byte == b'-');
            let fits = |length| {
                let part = parts.next();
                part.is_some_and(|it| it.len() == length && is_hexadecimal(it))
            };
            [8, 4, 4, 4, 12].into_iter().all(fits)
        }
        _ => false,
    }
}

/// How many bits each byte tells (Shannon), in thousandths: so that a sum of many is the same in
/// whatever order.
fn millibits(label: &[u8]) -> u64 {
    /// Each count times its logarithm.
    static TERMS: LazyLock<[f64; 256]> = LazyLock::new(|| {
        std::array::from_fn(|count| {
            let count = f64::from(u16::try_from(count).unwrap_or(1).max(1));
            count * count.log2()
        })
    });
    let mut counts = [0_u8; 256];
    for byte in label {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let length = u16::try_from(label.len().clamp(1, 255)).unwrap_or(255);
    let mut sum = 0.0;
    for byte in label {
        // Each byte once.
        let count = counts.get_mut(usize::from(*byte)).map(std::mem::take);
        sum += TERMS.get(usize::from(count.unwrap_or(0))).unwrap_or(&0.0);
    }
    let bits = f64::from(length).log2() - sum / f64::from(length);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 8000"
    )]
    let millibits = (bits.max(0.0) * 1000.0).round() as u64;
    millibits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn labels(name: &str) -> Labels {
        let mut labels = Labels::default();
        assert!(labels.read(&Text::from(name)), "{name}");
        labels
    }

    #[test]
    fn labels_are_counted_from_the_end() {
        let name = labels(r"Www.a\.b.Example.COM.");
        let last = |count| name.last(count).map(|it| String::from_utf8_lossy(it));
        assert_eq!(last(1).as_deref(), Some("com"));
        assert_eq!(last(2).as_deref(), Some("example.com"));
        assert_eq!(last(3).as_deref(), Some(r"a\.b.example.com"));
        assert_eq!(last(4).as_deref(), None);
        assert_eq!(name.end(), b"com");
        assert_eq!(labels("wpad").last(1), None);
    }

    #[test]
    fn what_was_registered_may_be_asked_for_itself() {
        let check = |name: &str, count, expected: Option<&str>| {
            let labels = labels(name);
            let last = labels.last(count).map(String::from_utf8_lossy);
            assert_eq!(last.as_deref(), expected, "{name}");
        };
        check("example.com", 2, Some("example.com"));
        check("example.com", 3, None);
        check("example.co.uk", 3, Some("example.co.uk"));
        check("www.example.com", 3, None);
    }

    #[test]
    fn neighbours_and_addresses_are_left_out() {
        for name in [
            "",
            ".",
            "printer.local",
            "9.113.0.203.in-addr.arpa.",
            "8.b.d.IP6.arpa",
            "203.0.113.9",
            "2001:db8::1",
        ] {
            assert!(!Labels::default().read(&Text::from(name)), "{name}");
        }
        labels("home.arpa");
        labels("local.example.com");
    }

    #[test]
    fn what_a_name_looks_like() {
        let check = |name: &str, reversed, service| {
            let name = labels(name);
            assert_eq!((name.is_reversed(), name.is_service()), (reversed, service));
        };
        check("2.0.0.127.zen.spamhaus.org", true, false);
        check(
            "f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.0.list.example.com",
            true,
            false,
        );
        check("1.2.3.example.com", false, false);
        check("256.0.0.127.example.com", false, false);
        check("_ldap._tcp.dc._msdcs.corp.example", false, true);
        check("mail._domainkey.example.com", false, true);
        check("x_y.example.com", false, false);
    }

    #[test]
    fn hashes_and_numbers_of_things() {
        let check = |name: &str, expected| assert_eq!(labels(name).is_hash(), expected, "{name}");
        let digits = "0123456789abcdef0123456789abcdef";
        check(&format!("{digits}.frame.example.com"), true);
        check(&format!("{digits}01234567.list.example.com"), true);
        check(&format!("{digits}0.list.example.com"), false);
        check(&format!("{digits}.{digits}.list.example.com"), false);
        check("123e4567-e89b-12d3-a456-426614174000.example.com", true);
        check("123e4567-e89b-12d3-a4561-42661417400.example.com", false);
        check("www.example.com", false);
    }

    #[test]
    fn the_longest_label_left_of_the_zone_counts() {
        let check = |name: &str, count, millibits| {
            let found = labels(name).long_before(count);
            assert_eq!(found, millibits, "{name}");
        };
        let digits = "0123456789abcdef0123456789abcdef";
        check(&format!("{digits}.t.example"), 1, Some(4000));
        check(&format!("{digits}.t.example"), 2, Some(4000));
        check(&format!("{digits}.t.example"), 3, None);
        check(&format!("a.{digits}.example"), 1, Some(4000));
        check(&format!("a.{digits}.example"), 2, None);
        check("aaaaaaaaaaaaaaaaaaaa.example.com", 2, Some(0));
        check("short.example.com", 2, None);
    }

    #[test]
    fn kinds_of_questions() {
        let mut kinds = Kinds::default();
        for question in [1, 28, 16, 99, 10, 65_399, 5, 15, 25, 33, 65, 2] {
            count(&mut kinds, Some(question));
        }
        count(&mut kinds, None);
        let expected = Kinds {
            address: 1,
            address6: 1,
            text: 2,
            raw: 2,
            other_odd: 4,
            plain: 3,
        };
        assert_eq!(kinds, expected);
        assert_eq!(kinds.odd(), 8);
    }

    proptest! {
        #[test]
        fn never_panics(name in prop::collection::vec(any::<u8>(), 0..1100)) {
            let mut labels = Labels::default();
            if labels.read(&Text::from(name)) {
                for count in 0..5 {
                    let _ = (labels.last(count), labels.long_before(count));
                }
                prop_assert!(labels.long_before(1).is_none_or(|it| it <= 8000));
            }
        }
    }
}
