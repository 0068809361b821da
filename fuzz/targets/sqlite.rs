#![no_main]
//! Looking for rows in files of SQLite, and the headers of rpm that are kept in one.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::package_list::rpm::Header;
use parse::sqlite::{Database, columns};

const LIMIT: usize = 10;

fuzz_target!(|data: &[u8]| {
    if let Some(header) = Header::new(data) {
        header.name();
        header.version();
        header.file(b"/usr/bin/tool");
    }
    let read = |start: u64, length: usize| {
        let start = usize::try_from(start).ok()?;
        Some(data.get(start..start.checked_add(length)?)?.to_vec())
    };
    let Some(database) = Database::open(&read) else {
        return;
    };
    let trees = database.trees(LIMIT);
    assert!(trees.len() <= LIMIT);
    for tree in trees {
        for number in [0, 1, 17, 400, i64::MAX] {
            if let Some(row) = database.row(&tree, number) {
                assert!(columns(&row).len() <= row.len());
            }
        }
        assert!(database.numbers(&tree, b"n8", LIMIT).len() <= LIMIT);
    }
});
