#![no_main]
//! Interfaces, routes, rules and neighbours, as rtnetlink tells them.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    if let Some(interface) = parse::network_settings::interface(data) {
        assert!(interface.index != 0 && !interface.name.is_empty());
    }
    if let Some((index, address)) = parse::network_settings::interface_address(data) {
        assert!(index != 0 && address.prefix <= 128);
    }
    if let Some(route) = parse::network_settings::route(data) {
        assert!(route.prefix <= 128 && route.ways.len() <= 257);
    }
    if let Some(rule) = parse::network_settings::rule(data) {
        for (address, prefix) in rule.source.into_iter().chain(rule.destination) {
            assert_eq!(address.is_ipv6(), rule.is_ipv6);
            assert!(prefix <= 128);
        }
    }
    if let Some(neighbour) = parse::network_settings::neighbour(data) {
        assert!(!neighbour.address.is_multicast());
    }
});
