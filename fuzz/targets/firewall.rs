#![no_main]
//! Chains and rules of nftables.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    if let Some((_, chain)) = parse::firewall::chain(data) {
        assert!(!chain.name.is_empty() && !chain.name.bytes().contains(&0));
    }
    if let Some(rule) = parse::firewall::rule(data) {
        assert!(!rule.chain.is_empty() && rule.parts.len() <= 128);
    }
});
