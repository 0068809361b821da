#![no_main]
//! A file of tables: whatever is in it, it is read or refused; asking it answers.

use enrich::tables::Tables;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

/// Magic, version and hash stand in front of what is read.
const VERSION: [u8; 4] = 1_u32.to_le_bytes();

fuzz_target!(|data: &[u8]| {
    assert!(data.starts_with(b"whocalls tables\n") || Tables::read(data.to_vec()).is_err());
    // The hash would keep everything out that was not written by us.
    let mut file = b"whocalls tables\n".to_vec();
    file.extend(VERSION);
    file.extend(Sha256::digest(data));
    file.extend(data);
    let Ok(tables) = Tables::read(file) else {
        return;
    };
    let _ = tables.check();
    for ip in ["0.0.0.0", "8.8.8.8", "255.255.255.255", "::", "2606:4700::1", "ffff::"] {
        if let Ok(ip) = ip.parse() {
            let facts = tables.address(ip);
            assert!(facts.special.is_none_or(|it| it.is_global) || facts.announced_by.is_none());
            assert!(tables.lists_of(ip).count() <= tables.sources().len());
        }
    }
    for name in ["a.b.example.com", "com", "kobe.jp"] {
        assert!(name.ends_with(tables.suffix(name).suffix));
        assert!(tables.lists_of_name(name).count() <= tables.sources().len());
    }
});
