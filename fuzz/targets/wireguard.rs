#![no_main]
//! WireGuard tunnels, and the numbers of families of generic netlink.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    parse::wireguard::device(data);
    parse::generic_netlink::family(data);
});
