#![no_main]
//! Names of devices that ask for an address.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    for device in [parse::dhcp::four(data), parse::dhcp::six(data)] {
        let Some(device) = device else { continue };
        assert!(
            device
                .name
                .is_none_or(|name| !name.is_empty() && name.bytes().len() <= 512)
        );
        assert!(device.is_answer || device.addresses.is_empty());
    }
});
