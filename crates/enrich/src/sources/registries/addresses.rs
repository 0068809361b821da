//! Addresses and blocks of them, as registries write them: with zeros in front, short, with a length
//! where there should be none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::Network;

/// Blocks of one registration: no range needs more.
const MOST_BLOCKS: usize = 256;

/// One address. `074.125.000.000` is decimal; a length behind it is passed over.
pub(in crate::sources) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.split_once('/').map_or(text, |(address, _)| address);
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let octets = octets(text)?;
    let whole: [u8; 4] = octets.try_into().ok()?;
    Some(Ipv4Addr::from(whole).into())
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > 4 {
        return None;
    }
    let octet = |part: &&str| {
        let is_number = (1..=3).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit());
        is_number.then(|| part.parse().ok()).flatten()
    };
    parts.iter().map(octet).collect()
}

/// `192.0.2.0/24`, and `200.57.128/19` as LACNIC has it.
pub(in crate::sources) fn network(text: &str) -> Option<Network> {
    let (address, prefix) = text.trim().split_once('/')?;
    let prefix = prefix.trim().parse().ok()?;
    let address = address.trim();
    if address.contains(':') {
        return Network::new(address.parse::<Ipv6Addr>().ok()?.into(), prefix);
    }
    let mut whole = [0; 4];
    for (octet, part) in whole.iter_mut().zip(octets(address)?) {
        *octet = part;
    }
    Network::new(Ipv4Addr::from(whole).into(), prefix)
}

/// First and last: `a - b`, a block, or a single address.
pub(in crate::sources) fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    let text = text.trim();
    if let Some((first, last)) = text.split_once('-') {
        // What KRNIC writes behind it: `115.0.0.0 - 115.23.255.255 (/12+/13)`.
        let last = last.split('(').next().unwrap_or_default();
        return in_order(address(first)?, address(last)?);
    }
    if text.contains('/') {
        return network(text).map(|it| (it.first(), it.last()));
    }
    address(text).map(|it| (it, it))
}

/// `None`: the last one stands before the first, or they are not of one kind.
pub(in crate::sources) fn in_order(first: IpAddr, last: IpAddr) -> Option<(IpAddr, IpAddr)> {
    (first.is_ipv4() == last.is_ipv4() && first <= last).then_some((first, last))
}

/// All blocks of a line: `144.132.0.0/14, 144.136.0.0/14`.
pub(in crate::sources) fn blocks(text: &str) -> Vec<Network> {
    text.split(|character: char| character == ',' || character.is_whitespace())
        .filter_map(network)
        .take(MOST_BLOCKS)
        .collect()
}

/// The fewest blocks that are exactly this range.
pub(in crate::sources) fn cover((first, last): (IpAddr, IpAddr)) -> Vec<Network> {
    let (width, mut from, to) = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            (32, u128::from(first.to_bits()), u128::from(last.to_bits()))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => (128, first.to_bits(), last.to_bits()),
        _ => return Vec::new(),
    };
    let mut blocks = Vec::new();
    while from <= to && blocks.len() < MOST_BLOCKS {
        let mut host: u32 = from.trailing_zeros().min(width);
        let end = |host: u32| from | low_bits(host);
        while end(host) > to {
            host -= 1;
        }
        let address = match width {
            32 => u32::try_from(from).map(|it| Ipv4Addr::from_bits(it).into()),
            _ => Ok(Ipv6Addr::from_bits(from).into()),
        };
        let prefix = u8::try_from(width - host);
        if let (Ok(address), Ok(prefix)) = (address, prefix) {
            blocks.extend(Network::new(address, prefix));
        }
        match end(host).checked_add(1) {
            Some(next) => from = next,
            None => break,
        }
    }
    blocks
}

fn low_bits(count: u32) -> u128 {
    1_u128.checked_shl(count).map_or(u128::MAX, |it| it - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(blocks: &[Network]) -> String {
        let blocks: Vec<_> = blocks.iter().map(Network::to_string).collect();
        blocks.join(", ")
    }

    #[test]
    fn reads_what_registries_write() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            let expected =
                expected.map(|(first, last)| (first.parse().unwrap(), last.parse().unwrap()));
            assert_eq!(range(text), expected, "{text}");
        };
        check(
            "216.6.0.0 - 216.6.1.255",
            Some(("216.6.0.0", "216.6.1.255")),
        );
        check("074.125.000.000", Some(("74.125.0.0", "74.125.0.0")));
        check("200.57.128/19", Some(("200.57.128.0", "200.57.159.255")));
        check(
            "115.0.0.0 - 115.23.255.255 (/12+/13)",
            Some(("115.0.0.0", "115.23.255.255")),
        );
        check(
            "2001:db8::/32",
            Some(("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")),
        );
        check("216.6.1.255 - 216.6.0.0", None);
        check("1.2.3", None);
        check("1.2.3.4.5", None);
        check("300.1.1.1", None);
        check("1.2.3.4/99", None);
        check("", None);
        assert_eq!(address("62.239.237.255/32"), "62.239.237.255".parse().ok());
    }

    #[test]
    fn ranges_are_covered_by_blocks() {
        let check = |text: &str, expected: &str| {
            assert_eq!(shown(&cover(range(text).unwrap())), expected);
        };
        check("216.6.0.0 - 216.6.1.255", "216.6.0.0/23");
        check("0.0.0.0 - 255.255.255.255", "0.0.0.0/0");
        check(":: - ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::/0");
        check(
            "144.130.0.0 - 144.140.255.255",
            "144.130.0.0/15, 144.132.0.0/14, 144.136.0.0/14, 144.140.0.0/16",
        );
        check("192.0.2.1 - 192.0.2.2", "192.0.2.1/32, 192.0.2.2/32");
    }

    proptest! {
        #[test]
        fn covers_nothing_else(first: u32, length in 0_u32..100_000) {
            let last = first.saturating_add(length);
            let range = (IpAddr::from(first.to_be_bytes()), IpAddr::from(last.to_be_bytes()));
            let blocks = cover(range);
            prop_assert_eq!(blocks.first().unwrap().first(), range.0);
            prop_assert_eq!(blocks.last().unwrap().last(), range.1);
            let covered: u64 = blocks.iter().map(|it| 1_u64 << (32 - it.prefix())).sum();
            prop_assert_eq!(covered, u64::from(last - first) + 1);
        }

        #[test]
        fn never_panics(text in "[0-9a-f.:/ -]{0,40}", any: String) {
            for text in [text, any] {
                range(&text).map(cover);
                blocks(&text);
            }
        }
    }
}
