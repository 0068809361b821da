//! Tables of routes: `/proc/net/route` (net/ipv4/fib_trie.c, `fib_route_seq_show`) and
//! `/proc/net/ipv6_route` (net/ipv6/route.c, `rt6_seq_show`). Bytes go in; the interfaces come out
//! over which everything leaves that has no better route.

/// include/uapi/linux/route.h: RTF_UP, RTF_REJECT.
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

/// Interfaces with a default route of IPv4.
pub(crate) fn defaults_of_ipv4(table: &str) -> impl Iterator<Item = &str> {
    table.lines().skip(1).filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let interface = fields.next()?;
        let destination = fields.next()?;
        let flags = u32::from_str_radix(fields.nth(1)?, 16).ok()?;
        let mask = fields.nth(3)?;
        let all = destination == "00000000" && mask == "00000000";
        (all && is_way(flags)).then_some(interface)
    })
}

/// Interfaces with a default route of IPv6.
pub(crate) fn defaults_of_ipv6(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let destination = fields.next()?;
        let prefix = fields.next()?;
        let flags = u32::from_str_radix(fields.nth(6)?, 16).ok()?;
        let interface = fields.next()?;
        let all = destination.bytes().all(|digit| digit == b'0') && prefix == "00";
        (all && is_way(flags)).then_some(interface)
    })
}

fn is_way(flags: u32) -> bool {
    flags & UP != 0 && flags & REJECT == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn default_routes_are_found() {
        let table = "\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
*\t00000000\t00000000\t0201\t0\t0\t0\t00000000\t0\t0\t0
";
        assert_eq!(defaults_of_ipv4(table).collect::<Vec<_>>(), ["eth0"]);
    }

    #[test]
    fn what_rejects_is_no_way() {
        let zero = "0".repeat(32);
        let line = |prefix: &str, flags: &str, interface: &str| {
            format!(
                "{zero} {prefix} {zero} 00 {zero} 00000400 00000001 00000000 {flags} {interface}\n"
            )
        };
        let table = line("00", "00000003", "eth0")
            + &line("00", "00200200", "lo")
            + &line("40", "00000001", "eth1");
        assert_eq!(defaults_of_ipv6(&table).collect::<Vec<_>>(), ["eth0"]);
    }

    proptest! {
        #[test]
        fn never_panics(table: String) {
            defaults_of_ipv4(&table).count();
            defaults_of_ipv6(&table).count();
        }
    }
}
