#![no_main]
//! Facts about addresses (MMDB): what is told of one is bounded.

use std::net::IpAddr;

use enrich::files::Table;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(table) = Table::new(data.to_vec()) else {
        return;
    };
    for address in [[192, 0, 2, 1].into(), IpAddr::from([0; 16]), IpAddr::from([0xff; 16])] {
        assert!(table.facts(address).len() <= 64);
    }
});
