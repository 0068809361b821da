//! Addresses and names that standards set apart, and addresses known to be in many places at once.
//!
//! After the IANA special-purpose address registries (RFC 6890), the multicast registries and the
//! registry of special-use domain names (RFC 6761); written by hand, with the document for each row.

use std::net::IpAddr;

use model::SpecialUse;

/// A block of addresses: the first, and how many bits all of them share.
type Block<A> = (A, u8);

/// What a standard sets the address apart for; the narrowest block counts.
pub fn use_of(ip: IpAddr) -> Option<SpecialUse> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => narrowest(&V4, |(block, length)| {
            let block = u32::from_be_bytes(*block);
            is_within(u128::from(ip.to_bits()), u128::from(block), *length, 32)
        }),
        IpAddr::V6(ip) => narrowest(&V6, |(block, length)| {
            is_within(ip.to_bits(), *block, *length, 128)
        }),
    }
}

/// Whether the address is known to be announced from many places: root name servers and large public
/// resolvers. That one is not among them says nothing.
pub fn is_anycast(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ANYCAST_V4.iter().any(|block| {
            let [first, second, third] = *block;
            ip.octets().starts_with(&[first, second, third])
        }),
        IpAddr::V6(ip) => {
            let upper = ip.to_bits() >> 80;
            ANYCAST_V6.iter().any(|block| u128::from(*block) == upper)
        }
    }
}

/// What a standard sets the name, or one above it, apart for. `name` is in lower case and has no
/// dot at its end.
pub fn use_of_name(name: &str) -> Option<&'static SpecialName> {
    NAMES.iter().find(|special| {
        name.strip_suffix(special.name)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// A name that is not, or not only, in the public name system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialName {
    pub name: &'static str,
    pub what: &'static str,
    pub defined_in: &'static str,
}

fn narrowest<A>(table: &[Row<A>], holds: impl Fn(&Block<A>) -> bool) -> Option<SpecialUse> {
    let fitting = table.iter().filter(|row| holds(&row.0));
    let row = fitting.max_by_key(|row| row.0.1)?;
    Some(SpecialUse {
        name: row.1,
        defined_in: row.2,
        is_global: row.3 == GLOBAL,
    })
}

fn is_within(address: u128, block: u128, length: u8, bits: u32) -> bool {
    let rest = bits.saturating_sub(u32::from(length));
    address >> rest == block >> rest
}

/// The first half of an IPv6 address as a whole one.
const fn upper(half: u64) -> u128 {
    (half as u128) << 64
}

/// Block, name, document, whether it may cross the internet.
type Row<A> = (Block<A>, &'static str, &'static str, bool);
const GLOBAL: bool = true;
const LOCAL: bool = false;

#[rustfmt::skip]
const V4: [Row<[u8; 4]>; 26] = [
    (([0, 0, 0, 0], 8), "this network", "RFC 791, 3.2", LOCAL),
    (([0, 0, 0, 0], 32), "this computer on this network", "RFC 1122, 3.2.1.3", LOCAL),
    (([10, 0, 0, 0], 8), "private use", "RFC 1918", LOCAL),
    (([100, 64, 0, 0], 10), "shared by customers of a provider (carrier-grade NAT)", "RFC 6598", LOCAL),
    (([127, 0, 0, 0], 8), "this computer itself", "RFC 1122, 3.2.1.3", LOCAL),
    (([169, 254, 0, 0], 16), "this link only", "RFC 3927", LOCAL),
    (([172, 16, 0, 0], 12), "private use", "RFC 1918", LOCAL),
    (([192, 0, 0, 0], 24), "assignments of the IETF", "RFC 6890, 2.1", LOCAL),
    (([192, 0, 0, 0], 29), "IPv4 over IPv6 of a provider (DS-Lite)", "RFC 7335", LOCAL),
    (([192, 0, 0, 8], 32), "dummy address", "RFC 7600", LOCAL),
    (([192, 0, 0, 9], 32), "port control, anycast", "RFC 7723", GLOBAL),
    (([192, 0, 0, 10], 32), "relays through NAT, anycast", "RFC 8155", GLOBAL),
    (([192, 0, 0, 170], 31), "finds NAT64", "RFC 7050, 2.2", LOCAL),
    (([192, 0, 2, 0], 24), "documentation", "RFC 5737", LOCAL),
    (([192, 31, 196, 0], 24), "AS112, answers for private addresses", "RFC 7535", GLOBAL),
    (([192, 52, 193, 0], 24), "automatic multicast tunnels", "RFC 7450", GLOBAL),
    (([192, 88, 99, 0], 24), "relays of 6to4, given up", "RFC 7526", GLOBAL),
    (([192, 168, 0, 0], 16), "private use", "RFC 1918", LOCAL),
    (([192, 175, 48, 0], 24), "AS112, answers for private addresses", "RFC 7534", GLOBAL),
    (([198, 18, 0, 0], 15), "measurements of devices", "RFC 2544", LOCAL),
    (([198, 51, 100, 0], 24), "documentation", "RFC 5737", LOCAL),
    (([203, 0, 113, 0], 24), "documentation", "RFC 5737", LOCAL),
    (([224, 0, 0, 0], 4), "multicast", "RFC 5771", LOCAL),
    (([224, 0, 0, 0], 24), "multicast on this link", "RFC 5771, 4", LOCAL),
    (([240, 0, 0, 0], 4), "reserved", "RFC 1112, 4", LOCAL),
    (([255, 255, 255, 255], 32), "everybody on this link (broadcast)", "RFC 8190", LOCAL),
];

#[rustfmt::skip]
const V6: [Row<u128>; 26] = [
    ((0, 8), "reserved", "RFC 4291, 4", LOCAL),
    ((0, 128), "no address", "RFC 4291, 2.5.2", LOCAL),
    ((1, 128), "this computer itself", "RFC 4291, 2.5.3", LOCAL),
    ((upper(0x0064_ff9b_0000_0000), 96), "IPv4 behind a translator (NAT64)", "RFC 6052", GLOBAL),
    ((upper(0x0064_ff9b_0001_0000), 48), "IPv4 behind a local translator", "RFC 8215", LOCAL),
    ((upper(0x0100_0000_0000_0000), 64), "discarded", "RFC 6666", LOCAL),
    ((upper(0x0100_0000_0000_0001), 64), "dummy prefix", "RFC 9780", LOCAL),
    ((upper(0x2001_0000_0000_0000), 23), "assignments of the IETF", "RFC 2928", LOCAL),
    ((upper(0x2001_0000_0000_0000), 32), "Teredo, a tunnel through NAT", "RFC 4380", GLOBAL),
    ((upper(0x2001_0001_0000_0000) + 1, 128), "port control, anycast", "RFC 7723", GLOBAL),
    ((upper(0x2001_0001_0000_0000) + 2, 128), "relays through NAT, anycast", "RFC 8155", GLOBAL),
    ((upper(0x2001_0001_0000_0000) + 3, 128), "registers services, anycast", "RFC 9665", GLOBAL),
    ((upper(0x2001_0002_0000_0000), 48), "measurements of devices", "RFC 5180", LOCAL),
    ((upper(0x2001_0003_0000_0000), 32), "automatic multicast tunnels", "RFC 7450", GLOBAL),
    ((upper(0x2001_0004_0112_0000), 48), "AS112, answers for private addresses", "RFC 7535", GLOBAL),
    ((upper(0x2001_0010_0000_0000), 28), "ORCHID, given up", "RFC 4843", LOCAL),
    ((upper(0x2001_0020_0000_0000), 28), "hashes of keys (ORCHIDv2)", "RFC 7343", GLOBAL),
    ((upper(0x2001_0030_0000_0000), 28), "remote identification of drones", "RFC 9374", GLOBAL),
    ((upper(0x2001_0db8_0000_0000), 32), "documentation", "RFC 3849", LOCAL),
    ((upper(0x2002_0000_0000_0000), 16), "6to4, a tunnel over IPv4", "RFC 3056", GLOBAL),
    ((upper(0x2620_004f_8000_0000), 48), "AS112, answers for private addresses", "RFC 7534", GLOBAL),
    ((upper(0x3fff_0000_0000_0000), 20), "documentation", "RFC 9637", LOCAL),
    ((upper(0x5f00_0000_0000_0000), 16), "segment routing", "RFC 9602", LOCAL),
    ((upper(0xfc00_0000_0000_0000), 7), "private use (unique local)", "RFC 4193", LOCAL),
    ((upper(0xfe80_0000_0000_0000), 10), "this link only", "RFC 4291, 2.5.6", LOCAL),
    ((upper(0xff00_0000_0000_0000), 8), "multicast", "RFC 4291, 2.7", LOCAL),
];

/// Blocks of 24 bits: the root name servers (root-servers.org), then resolvers open to everybody, as
/// their operators publish them.
#[rustfmt::skip]
const ANYCAST_V4: [[u8; 3]; 26] = [
    [198, 41, 0], [170, 247, 170], [192, 33, 4], [199, 7, 91], [192, 203, 230], [192, 5, 5],
    [192, 112, 36], [198, 97, 190], [192, 36, 148], [192, 58, 128], [193, 0, 14], [199, 7, 83],
    [202, 12, 27],
    [1, 0, 0], [1, 1, 1], [8, 8, 4], [8, 8, 8], [9, 9, 9], [149, 112, 112], [208, 67, 220],
    [208, 67, 222], [94, 140, 14], [94, 140, 15], [185, 228, 168], [185, 228, 169], [76, 76, 2],
];

/// The same in blocks of 48 bits.
#[rustfmt::skip]
const ANYCAST_V6: [u64; 19] = [
    0x2001_0503_ba3e, 0x2801_01b8_0010, 0x2001_0500_0002, 0x2001_0500_002d, 0x2001_0500_00a8,
    0x2001_0500_002f, 0x2001_0500_0012, 0x2001_0500_0001, 0x2001_07fe_0000, 0x2001_0503_0c27,
    0x2001_07fd_0000, 0x2001_0500_009f, 0x2001_0dc3_0000,
    0x2606_4700_4700, 0x2001_4860_4860, 0x2620_00fe_0000, 0x2620_0119_0035, 0x2620_0119_0053,
    0x2a10_50c0_0000,
];

#[rustfmt::skip]
const NAMES: [SpecialName; 18] = [
    SpecialName { name: "home.arpa", what: "names within a home", defined_in: "RFC 8375" },
    SpecialName { name: "ipv4only.arpa", what: "finds NAT64", defined_in: "RFC 8880" },
    SpecialName { name: "resolver.arpa", what: "finds encrypted resolvers", defined_in: "RFC 9462" },
    SpecialName { name: "service.arpa", what: "services of a local network", defined_in: "RFC 9665" },
    SpecialName { name: "in-addr.arpa", what: "names of IPv4 addresses", defined_in: "RFC 1035, 3.5" },
    SpecialName { name: "ip6.arpa", what: "names of IPv6 addresses", defined_in: "RFC 3596, 2.5" },
    SpecialName { name: "alt", what: "other name systems", defined_in: "RFC 9476" },
    SpecialName { name: "example", what: "documentation", defined_in: "RFC 6761, 6.5" },
    SpecialName { name: "example.com", what: "documentation", defined_in: "RFC 6761, 6.5" },
    SpecialName { name: "example.net", what: "documentation", defined_in: "RFC 6761, 6.5" },
    SpecialName { name: "example.org", what: "documentation", defined_in: "RFC 6761, 6.5" },
    SpecialName { name: "internal", what: "private use", defined_in: "ICANN, 2024-07-29" },
    SpecialName { name: "invalid", what: "never a name", defined_in: "RFC 6761, 6.4" },
    SpecialName { name: "local", what: "names on this link (multicast DNS)", defined_in: "RFC 6762" },
    SpecialName { name: "localhost", what: "this computer itself", defined_in: "RFC 6761, 6.3" },
    SpecialName { name: "onion", what: "services within Tor", defined_in: "RFC 7686" },
    SpecialName { name: "test", what: "tests", defined_in: "RFC 6761, 6.2" },
    SpecialName { name: "ip6.int", what: "names of IPv6 addresses, given up", defined_in: "RFC 4159" },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ip: &str, expected: &str) {
        let special = use_of(ip.parse().unwrap());
        assert_eq!(
            special.map_or("nothing", |it| it.defined_in),
            expected,
            "{ip}"
        );
    }

    #[test]
    fn the_narrowest_block_counts() {
        check("0.0.0.0", "RFC 1122, 3.2.1.3");
        check("0.0.0.1", "RFC 791, 3.2");
        check("10.255.255.255", "RFC 1918");
        check("11.0.0.0", "nothing");
        check("172.15.255.255", "nothing");
        check("172.31.255.255", "RFC 1918");
        check("172.32.0.0", "nothing");
        check("100.127.255.255", "RFC 6598");
        check("192.0.0.9", "RFC 7723");
        check("224.0.0.251", "RFC 5771, 4");
        check("255.255.255.255", "RFC 8190");
        check("::ffff:10.1.2.3", "RFC 1918");
        check("::1", "RFC 4291, 2.5.3");
        check("::", "RFC 4291, 2.5.2");
        check("64:ff9b::1.2.3.4", "RFC 6052");
        check("2001:db8::1", "RFC 3849");
        check("2001::1", "RFC 4380");
        check("2001:200::1", "nothing");
        check("fe80::1", "RFC 4291, 2.5.6");
        check("fec0::1", "nothing");
        check("fd00::1", "RFC 4193");
        check("2606:4700::1111", "nothing");
    }

    #[test]
    fn a_block_begins_where_it_says() {
        for ((block, length), name, ..) in V4 {
            let rest = u32::from_be_bytes(block).checked_shl(u32::from(length));
            assert_eq!(rest.unwrap_or(0), 0, "{name}");
        }
        for ((block, length), name, ..) in V6 {
            let rest = block.checked_shl(u32::from(length));
            assert_eq!(rest.unwrap_or(0), 0, "{name}");
        }
    }

    #[test]
    fn names_count_with_all_below_them() {
        let document = |name| use_of_name(name).map(|it| it.defined_in);
        assert_eq!(document("printer.local"), Some("RFC 6762"));
        assert_eq!(document("local"), Some("RFC 6762"));
        assert_eq!(document("notlocal"), None);
        assert_eq!(document("www.example.com"), Some("RFC 6761, 6.5"));
    }

    #[test]
    fn anycast_is_known_by_its_block() {
        assert!(is_anycast("1.1.1.1".parse().unwrap()));
        assert!(is_anycast("2001:500:2::c".parse().unwrap()));
        assert!(!is_anycast("1.1.2.1".parse().unwrap()));
    }
}
