#![no_main]
//! The manifest of a case: what is read is written byte for byte, and no name leads out.

use libfuzzer_sys::fuzz_target;
use record::case::Manifest;

fuzz_target!(|data: &[u8]| {
    let Ok(manifest) = Manifest::parse(data) else {
        return;
    };
    assert_eq!(manifest.to_bytes(), data);
    for line in manifest.files() {
        assert!(!line.name.starts_with('/') && !line.name.contains(['\\', ':', '\0', '\n']));
        assert!(
            line.name
                .split('/')
                .all(|part| !matches!(part, "" | "." | ".."))
        );
        assert_eq!(line.sha256.len(), 64);
    }
    let seals = manifest.seals();
    assert!(
        manifest
            .seal()
            .is_none_or(|seal| seals.last() == Some(&seal))
    );
});
