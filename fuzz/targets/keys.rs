#![no_main]
//! Files of keys, and encrypted files: what is read reads back, and what is for others stays shut.

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use record::crypt::{Identities, Recipients};

/// Of the tests; it has encrypted nothing.
const IDENTITY: &str = "AGE-SECRET-KEY-1GQ9778VQXMMJVE8SK7J6VT8UJ4HDQAJUVSFCWCM02D8GEWQ72PVQ2Y5J33";

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Ok(recipients) = Recipients::parse(&text, "fuzz") {
        assert!(!text.to_ascii_uppercase().contains("AGE-SECRET-KEY-"));
        let written = recipients.names().join("\n");
        let again = Recipients::parse(&written, "fuzz");
        assert_eq!(again.ok(), Some(recipients));
    }
    if let Ok(identities) = Identities::parse(&text, "fuzz") {
        assert!(!identities.recipients().names().is_empty());
    }
    let Ok(identities) = Identities::parse(IDENTITY, "fuzz") else {
        return;
    };
    if let Ok(mut file) = identities.open(data) {
        let mut bytes = Vec::new();
        let _ = file.read_to_end(&mut bytes);
        assert!(bytes.len() <= data.len());
    }
});
