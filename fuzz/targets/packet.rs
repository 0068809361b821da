#![no_main]
//! Headers of packets, behind each kind of link.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use model::{LinkType, Part};
use observe::parse;

fuzz_target!(|data: &[u8]| {
    for link in [LinkType::ETHERNET, LinkType::RAW_IP, LinkType::LINUX_SLL2] {
        let Some(ends) = parse::packet::ends(link, data) else {
            continue;
        };
        assert!(ends.source.ip.is_some() && ends.destination.ip.is_some());
        assert_eq!(ends.source.port.is_some(), ends.destination.port.is_some());
        if let Part::Later(_) = ends.part {
            assert!(ends.source.port.is_none() && ends.tcp.is_none());
            assert!(ends.about.is_none());
        }
    }
});
