//! Addresses and names that are not connected to, as they are nobody's on the internet.

use std::net::{IpAddr, Ipv4Addr};

use crate::special;

/// Why that address is not connected to. `None`: it is one of the internet.
pub(super) fn address(ip: IpAddr) -> Option<String> {
    let ip = ip.to_canonical();
    let use_of = |ip| special::use_of(ip).filter(|it| !it.is_global);
    if let Some(special) = use_of(ip) {
        return Some(format!(
            "{ip} is set apart: {} ({})",
            special.name, special.defined_in
        ));
    }
    let IpAddr::V6(v6) = ip else { return None };
    let bits = v6.to_bits();
    // Where a translator or a tunnel takes it (RFC 6052, 2.2; RFC 3056, 2).
    let inner = if bits >> 32 == 0x0064_ff9b << 64 {
        Some(bits)
    } else if bits >> 112 == 0x2002 {
        Some(bits >> 80)
    } else {
        None
    };
    if let Some(inner) = inner {
        let low = u32::try_from(inner & 0xffff_ffff).unwrap_or_default();
        let inner = IpAddr::V4(Ipv4Addr::from_bits(low));
        let special = use_of(inner)?;
        return Some(format!(
            "{ip} leads to {inner}: {} ({})",
            special.name, special.defined_in
        ));
    }
    let is_global_unicast = bits >> 125 == 1;
    (!is_global_unicast).then(|| format!("{ip} is no address of the internet (RFC 4291, 2.4)"))
}

/// Why that name is not asked for.
pub(super) fn name(name: &str) -> Option<String> {
    if let Some(special) = special::use_of_name(name) {
        return Some(format!(
            "{name} is set apart: {} ({})",
            special.what, special.defined_in
        ));
    }
    (!name.contains('.')).then(|| format!("{name} is no whole name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_apart_is_refused_also_behind_a_translator() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "::ffff:192.168.1.1",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::",
            "64:ff9b:1::1",
            "4000::1",
        ] {
            assert!(address(ip.parse().unwrap()).is_some(), "{ip}");
        }
        for ip in [
            "9.9.9.9",
            "2620:fe::fe",
            "64:ff9b::9.9.9.9",
            "2002:909:909::",
            "::ffff:9.9.9.9",
        ] {
            assert_eq!(address(ip.parse().unwrap()), None, "{ip}");
        }
    }

    #[test]
    fn names_of_this_place_only_are_refused() {
        for special in [
            "localhost",
            "printer.local",
            "router.home.arpa",
            "a.onion",
            "rdap",
        ] {
            assert!(name(special).is_some(), "{special}");
        }
        assert_eq!(name("rdap.arin.net"), None);
    }
}
