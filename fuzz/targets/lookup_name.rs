#![no_main]
//! Names as people type them: what is taken is a name, and stays the same when it is read again.

use enrich::suffix::{Name, lookalikes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let Ok(name) = Name::parse(data) else {
        return;
    };
    assert!(name.ascii.is_ascii() && name.ascii.len() <= 253);
    assert_eq!(Name::parse(&name.ascii).as_ref(), Ok(&name));
    assert!(!name.unicode.chars().any(model::acts_or_hides));
    let _ = lookalikes(&name.unicode);
});
