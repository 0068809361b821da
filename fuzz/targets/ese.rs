#![no_main]
//! Rows of databases of Windows (ESE), and what its usage monitor keeps in one.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src/parse"]
mod parse {
    pub(crate) mod ese;
    pub(crate) mod srum;
}
use libfuzzer_sys::fuzz_target;
use parse::ese::Database;
use parse::srum;

fuzz_target!(|data: &[u8]| {
    let read = |start: u64, length: usize| {
        let start = usize::try_from(start).ok()?;
        Some(data.get(start..start.checked_add(length)?)?.to_vec())
    };
    let Some(database) = Database::open(&read) else {
        return;
    };
    if let Some(srum) = srum::usage(&database) {
        // Each row takes a tag of four bytes.
        assert!(srum.rows.len() <= data.len() / 4);
    }
});
