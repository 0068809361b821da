#![no_main]
//! `/proc/PID/cgroup`.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    let place = parse::cgroup::place(data);
    if let Some(unit) = place.unit {
        assert!(
            data.windows(unit.bytes().len())
                .any(|part| part == unit.bytes())
        );
    }
    if let Some(container) = place.container {
        assert!(!container.id.is_empty());
    }
});
