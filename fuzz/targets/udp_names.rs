#![no_main]
//! UDP exchanges, a datagram after the other, each with its length before it.

#[expect(dead_code, unused_imports, reason = "one of two")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod names;
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::names::{Side, UdpNames};
#[expect(unused_imports, reason = "the parsers name each other by it")]
use observe::parse;

const PORTS: [u16; 9] = [53, 67, 68, 443, 546, 547, 5353, 5355, 9999];

fuzz_target!(|data: &[u8]| {
    let Some((port, mut rest)) = data.split_first() else {
        return;
    };
    let mut names = UdpNames::new(40000, PORTS[usize::from(*port) % PORTS.len()]);
    let mut count = 0;
    while let Some((&[high, low], after)) = rest.split_first_chunk() {
        let side = if high & 0x80 == 0 {
            Side::Client
        } else {
            Side::Server
        };
        let length = usize::from(u16::from_be_bytes([high & 0x7f, low]));
        let (datagram, after) = after.split_at(length.min(after.len()));
        let mut told = 0;
        names.data(side, datagram, &mut |_| told += 1);
        assert!(told <= 64);
        count += told;
        rest = after;
    }
    names.end(&mut |_| count += 1);
    assert!(count <= data.len() + 1);
});
