#![no_main]
//! LD_PRELOAD, LD_AUDIT and `/etc/ld.so.preload`.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|text: &[u8]| {
    let named = parse::preload::settings(text).map(|(_, listed)| listed);
    for listed in named.chain(parse::preload::listed(text)) {
        let name = listed.name.bytes();
        assert!(!name.is_empty() && !name.contains(&b' '));
        assert!(!listed.is_whole_path || name.starts_with(b"/"));
    }
});
