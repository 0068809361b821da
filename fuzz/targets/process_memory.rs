#![no_main]
//! What /proc and program files tell of the memory of a process.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::{auxiliary_vector, elf, memory_map, system_call};

fuzz_target!(|data: &[u8]| {
    let regions = memory_map::regions(data, 100);
    assert!(regions.len() <= 100);
    for region in regions {
        assert!(!region.is_of_memory_file() || region.deleted().is_some());
        assert!(region.length() == 0 || region.has(region.start));
    }
    auxiliary_vector::page_size(data);
    auxiliary_vector::entry(data);
    system_call::system_call(data);
    if let Some(head) = elf::elf(data) {
        head.moves_text(data);
        assert!(elf::is_elf(data) && !head.may_be_written(u64::MAX));
    }
});
