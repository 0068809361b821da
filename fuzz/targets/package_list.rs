#![no_main]
//! What package managers write down, and the capabilities of a file.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::file_capabilities::{capabilities, names};
use parse::package_list::{apk, dpkg, flatpak, pacman};

fuzz_target!(|data: &[u8]| {
    let lines = data.iter().filter(|byte| **byte == b'\n').count() + 1;
    assert!(dpkg::paths(data).all(|path| path.starts_with(b"/")));
    assert!(dpkg::sums(data).count() <= lines);
    assert!(dpkg::installed(data).len() <= lines);
    assert!(dpkg::diversions(data).len() <= lines / 3);
    for path in pacman::paths(data) {
        assert!(!path.ends_with(b"/") && !path.contains(&b'\n'));
        pacman::digest(data, path);
    }
    pacman::digest(data, b"usr/bin/a b");
    pacman::name_and_version(data);
    assert!(apk::listed(data).count() <= lines);
    if let Some((id, commit)) = flatpak::id_and_commit(data) {
        assert!(!id.is_empty() && commit.len() == 12);
    }
    if let Some(found) = capabilities(data) {
        assert_eq!(names(found).is_empty(), found == 0);
    }
});
